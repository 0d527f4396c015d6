"""The writer of the log: a connection, and one group of requests at a time on it.

Law: a group stands or falls in one commit; one bad request never takes its neighbours down; the
answer is given when the outcome is known.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg

from eventstore.answered import Answered
from eventstore.append import append
from eventstore.clock import Clock
from eventstore.database import Connection, Database, Unavailable, columns, reaching
from eventstore.log import SQL, Tip
from eventstore.transact import Draft, Outcome, Request, Seen, Tips

logger = logging.getLogger(__name__)

AHEAD = timedelta(seconds=0.9)
"""How far a log may end in the future of the database's clock; what the database takes is 1 s."""
TIME_REFUSED = "SL001"
PAUSE = 0.05


class Pending(NamedTuple):
    """A request, where its outcome is waited for, and until when."""

    request: Request
    answer: asyncio.Future[Outcome]
    deadline: float

    @property
    def environment(self) -> str:
        return self.request.ask.environment


@dataclass(slots=True)
class Group:
    """Requests that are decided and committed together, at one instant."""

    at: datetime
    drafts: dict[str, Draft] = field(default_factory=dict)
    decided: list[tuple[Pending, Outcome]] = field(default_factory=list)

    @property
    def pending(self) -> list[Pending]:
        return [pending for pending, _ in self.decided]


class Writer:
    """`again` takes back what must be decided anew; `ring` is called after what was written."""

    def __init__(
        self,
        database: Database,
        tips: Tips,
        ring: Callable[[], None],
        again: Callable[[Iterable[Pending]], None],
    ) -> None:
        self._database = database
        self._tips = tips
        self._ring = ring
        self._again = again
        self._clock = Clock()
        self._answered = Answered(database, tips)
        self._replaying: set[asyncio.Task[None]] = set()
        self._connection: Connection | None = None
        self._backend = 0
        self._away = False

    async def write(self, pending: list[Pending]) -> None:
        """Decide and commit these together; apart where one of them is at fault."""
        waiting = [each for each in pending if not each.answer.done()]
        if not waiting:
            return
        try:
            await self._process(waiting)
        except Unavailable as error:
            self._again(each for each in waiting if not each.answer.done())
            await self._pause(error)
        except Exception as error:  # noqa: BLE001 -- told to the one who asked
            if len(waiting) > 1:
                for each in waiting:
                    await self.write([each])
            else:
                _answer(waiting[0], error)

    async def _process(self, pending: list[Pending]) -> None:
        await self._connected()
        group = await self._decide(pending)
        if not group.decided:
            return
        try:
            elsewhere = await self._send(group)
        except Unavailable as error:
            await self._settle_lost(group, error)
        except asyncpg.PostgresError as error:
            await self._refused(group, error)
        else:
            await self._settle(group, elsewhere)

    async def _decide(self, pending: list[Pending]) -> Group:
        """Decide the requests that were not answered before, each on what the one before left."""
        await self._answered.look_up(each.request for each in pending)
        fresh = [each for each in pending if not self._replays(each)]
        tips: dict[str, Tip] = {}
        for each in fresh:
            key = each.environment
            if key not in tips:
                tips[key] = self._tips.tip(key) or await self._tips.catch_up(key)
        ahead = await self._ahead(tips)
        standings = (tip.standing for key, tip in tips.items() if key not in ahead)
        at = self._clock.after(standing.as_of for standing in standings if standing is not None)
        group = Group(
            at, {key: Draft(key, tips[key], tips[key]) for key in tips if key not in ahead}
        )
        for each in fresh:
            key = each.environment
            if key in ahead:
                _answer(each, ahead[key])
            else:
                group.decided.append((each, group.drafts[key].add(each.request, at)))
        return group

    def _replays(self, pending: Pending) -> bool:
        """Whether it was answered before. The first answer is looked for aside: it may be far."""
        seen = self._answered.seen(pending.request) if pending.request.request_id else None
        if seen is None:
            return False
        task = asyncio.create_task(self._replay(pending, seen), name="replay")
        self._replaying.add(task)
        task.add_done_callback(self._replaying.discard)
        return True

    async def _replay(self, pending: Pending, seen: Seen) -> None:
        try:
            _answer(pending, await self._answered.answer(seen, pending.request))
        except Exception as error:  # noqa: BLE001 -- told to the one who asked
            _answer(pending, error)

    async def _ahead(self, tips: Mapping[str, Tip]) -> dict[str, Unavailable]:
        """Logs that end in the future of the database's clock, which must have been set back."""
        late = {key: tip.standing.as_of for key, tip in tips.items() if tip.standing is not None}
        if not late or max(late.values()) - self._clock.now() <= AHEAD:
            return {}
        await self._clock.read(await self._connected())
        now = self._clock.now()
        return {
            key: Unavailable(
                f"The last entry of {key} was recorded at {as_of}, and the database's clock says "
                f"{now}: it must have been set back. Nothing can be added until it has passed that."
            )
            for key, as_of in late.items()
            if as_of - now > AHEAD
        }

    async def _send(self, group: Group) -> set[str]:
        with reaching():
            return await append(await self._connected(), group.drafts.values(), group.at)

    async def _settle(self, group: Group, elsewhere: set[str]) -> None:
        """Answers what is in the log now; what another process was faster with is asked again."""
        for environment, draft in group.drafts.items():
            if environment not in elsewhere:
                self._tips.move(environment, draft.change_sets)
                self._answered.remember(seen for seen, _ in draft.requests.values())
        for pending, outcome in group.decided:
            if pending.environment not in elsewhere:
                _answer(pending, outcome)
        if any(draft.entries for draft in group.drafts.values()):
            self._ring()
        for environment in elsewhere:
            await self._tips.catch_up(environment)
        self._again(pending for pending in group.pending if not pending.answer.done())

    async def _refused(self, group: Group, error: asyncpg.PostgresError) -> None:
        """Nothing of the group was written. Raises the error where asking again cannot help."""
        if getattr(error, "constraint_name", None) == "requests_pkey":
            self._again(group.pending)
        elif error.sqlstate == TIME_REFUSED:
            await asyncio.sleep(PAUSE)
            await self._clock.read(await self._connected())
            self._again(group.pending)
        else:
            raise error

    async def _settle_lost(self, group: Group, error: Unavailable) -> None:
        """The answer to a commit was lost: look, behind whoever holds the heads, what became of it.

        The group stands in the log or it does not; there is nothing in between.
        """
        looking = [Draft(key, draft.start, draft.start) for key, draft in group.drafts.items()]
        moving = [draft for draft in group.drafts.values() if draft.entries]
        ends = [(draft.environment, draft.tip.position, draft.tip.seal) for draft in moving]
        lost = self._backend
        while True:
            await self._pause(error)
            try:
                connection = await self._connected()
                with reaching():
                    with suppress(asyncpg.InsufficientPrivilegeError):  # a superuser's line
                        await connection.fetch(SQL["end_backend"], lost)
                    await append(connection, looking, group.at)
                    rows = await connection.fetch(SQL["stands"], *columns(ends, 3))
            except Unavailable as again:
                error = again
            else:
                standing = {row["environment"] for row in rows}
                await self._settle(group, set(group.drafts) - standing)
                return

    async def _pause(self, error: Unavailable) -> None:
        if not self._away:
            logger.warning("the log cannot be reached, trying until it can: %s", error)
        self._away = True
        self.disconnect()
        await asyncio.sleep(PAUSE)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._database.connect()
            self._backend = self._connection.get_server_pid()
            await self._clock.read(self._connection)
            self._away = False
        return self._connection

    def disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _answer(pending: Pending, outcome: Outcome | Exception) -> None:
    if pending.answer.done():
        return
    if isinstance(outcome, Exception):
        pending.answer.set_exception(outcome)
    else:
        pending.answer.set_result(outcome)
