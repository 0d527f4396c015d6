"""The one queue to the log: one commit is under way, and the next is decided on top of it.

Law: the append belongs to the appender, never to who asked; a group stands or falls in one commit;
one bad request never takes its neighbours down; the answer is given when the outcome is known.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import NamedTuple

import asyncpg

from eventstore.answered import Answered
from eventstore.clock import Clock
from eventstore.database import Connection, Database, Unavailable, reaching
from eventstore.log import SQL, Tip
from eventstore.transact import Draft, Outcome, Request, Tips, columns, turned

logger = logging.getLogger(__name__)

MOST_IN_A_GROUP = 1_000
PATIENCE = 10.0
"""Seconds until a caller is told that the database is away."""
OUT_OF_PATIENCE = (
    "The database did not answer in time. If a commit was under way it may still succeed: "
    "ask again with the same request id."
)
TIME_REFUSED = "SL001"
PAUSE = 0.05
STATEMENTS = {13: SQL["append"], 23: SQL["append_with_remarks_and_requests"]}


class Pending(NamedTuple):
    request: Request
    answer: asyncio.Future[Outcome]
    deadline: float


@dataclass(slots=True)
class Group:
    """Requests that are decided and committed together, at one instant."""

    at: datetime
    drafts: dict[str, Draft] = field(default_factory=dict)
    decided: list[tuple[Pending, Outcome]] = field(default_factory=list)

    @property
    def pending(self) -> list[Pending]:
        return [pending for pending, _ in self.decided]

    def add(self, pending: Pending, tip: Tip) -> bool:
        """Decide a request. False where the log is at a later instant than this group."""
        key = pending.request.ask.environment
        draft = self.drafts.get(key)
        if draft is None:
            if tip.standing is not None and tip.standing.as_of >= self.at:
                return False
            draft = self.drafts[key] = Draft(key, tip, tip)
        self.decided.append((pending, draft.add(pending.request, self.at)))
        return True


class Appender:
    """`ring` is called after every commit that wrote something."""

    def __init__(
        self,
        database: Database,
        tips: Tips,
        ring: Callable[[], None],
        patience: float = PATIENCE,
    ) -> None:
        self._database = database
        self._tips = tips
        self._ring = ring
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Pending] = deque()
        self._unanswered: deque[Pending] = deque()
        self._wanted = asyncio.Event()
        self._clock = Clock()
        self._answered = Answered(database)
        self._connection: Connection | None = None
        self._away = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Appender"]:
        """Appends while the block lasts; what is waiting at its end is still written."""
        tasks = [
            asyncio.create_task(self._run(), name="appender"),
            asyncio.create_task(self._watch_patience(), name="appender's patience"),
        ]
        try:
            yield self
        finally:
            await self._emptied()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._disconnect()

    async def transact(self, request: Request) -> Outcome:
        """Decide and append. Unavailable when the database stays away.

        A caller that goes away leaves its request behind: it is written, or not, all the same.
        """
        pending = Pending(request, self._loop.create_future(), monotonic() + self._patience)
        self._unanswered.append(pending)
        self._queue.append(pending)
        self._wanted.set()
        return await pending.answer

    async def _emptied(self) -> None:
        waiting = [pending.answer for pending in self._unanswered if not pending.answer.done()]
        if waiting:
            await asyncio.wait(waiting, timeout=self._patience)

    async def _watch_patience(self) -> None:
        """Tell those who have waited too long. What is queued for them is not written any more."""
        while True:
            await asyncio.sleep(self._patience / 20)
            now = monotonic()
            while self._unanswered and (
                self._unanswered[0].answer.done() or self._unanswered[0].deadline < now
            ):
                answer = self._unanswered.popleft().answer
                if not answer.done():
                    answer.set_exception(Unavailable(OUT_OF_PATIENCE))

    async def _run(self) -> None:
        ahead: Group | None = None
        while True:
            if ahead is None and not self._queue:
                await self._wanted.wait()
            self._wanted.clear()
            ahead = await self._turn(ahead)

    async def _turn(self, ahead: Group | None) -> Group | None:
        """Commit what is decided and what waits; gives what was decided on top meanwhile."""
        waiting = self._taken()
        concerned = [*(ahead.pending if ahead else []), *waiting]
        try:
            await self._connected()
            group = await self._decide(waiting, onto=ahead)
            concerned = group.pending
            return await self._commit(group, look_ahead=True) if group.decided else None
        except Unavailable as error:
            self._again(concerned)
            await self._pause(error)
        except Exception:  # noqa: BLE001 -- one of them is at fault: apart, it fails alone
            await self._apart(concerned)
        return None

    def _taken(self, *, half: bool = False) -> list[Pending]:
        """What waits. Of a queue that nothing is under way for, half: the rest is decided then."""
        count = min((len(self._queue) + half) >> half, MOST_IN_A_GROUP)
        taken = [self._queue.popleft() for _ in range(count)]
        return [pending for pending in taken if not pending.answer.done()]

    def _again(self, pending: Iterable[Pending]) -> None:
        self._queue.extendleft(reversed(list(pending)))

    async def _apart(self, pending: list[Pending]) -> None:
        """Each in a group of its own, so that only those at fault fail."""
        for each in pending:
            if each.answer.done():
                continue
            try:
                await self._connected()
                group = await self._decide([each])
                if group.decided:
                    await self._commit(group)
            except Unavailable:
                self._again([each])
            except Exception as error:  # noqa: BLE001 -- told to the one who asked
                if not each.answer.done():
                    each.answer.set_exception(error)

    async def _decide(
        self, pending: list[Pending], onto: Group | None = None, base: Group | None = None
    ) -> Group:
        """Decide onto a group, or a new one on top of `base`, which may be under way."""
        await self._answered.look_up(each.request for each in pending)
        keys = {each.request.ask.environment for each in pending}
        tips = {key: await self._tip(key, onto, base) for key in keys}
        times = [tip.standing.as_of for tip in tips.values() if tip.standing is not None]
        group = onto or Group(self._clock.after([*times, *([base.at] if base else [])]))
        later: list[Pending] = []
        for each in pending:
            first = await self._answered.answer(each.request)
            tip = tips[each.request.ask.environment]
            if first is not None:
                _answer(each, first)
            elif not group.add(each, tip):
                later.append(each)
        self._queue.extend(later)
        return group

    async def _tip(self, key: str, onto: Group | None, base: Group | None) -> Tip:
        for group in (onto, base):
            if group is not None and key in group.drafts:
                return group.drafts[key].tip
        return self._tips.tip(key) or await self._tips.catch_up(key)

    async def _decide_ahead(self, base: Group) -> Group | None:
        await asyncio.sleep(0)
        waiting = self._taken()
        try:
            return await self._decide(waiting, base=base) if waiting else None
        except Exception:  # noqa: BLE001 -- decided again, and told, when nothing is under way
            self._again(waiting)
            return None

    async def _commit(self, group: Group, *, look_ahead: bool = False) -> Group | None:
        """Send a group; meanwhile decide on top of it. Gives that, where it still holds."""
        flight = asyncio.Task(self._send(group), loop=self._loop, eager_start=True)
        ahead = await self._decide_ahead(group) if look_ahead else None
        try:
            elsewhere = await flight
        except Unavailable as error:
            self._again(ahead.pending if ahead else [])
            await self._settle_lost(group, error)
            return None
        except asyncpg.PostgresError as error:
            self._again(ahead.pending if ahead else [])
            await self._refused(group, error)
            return None
        if ahead is not None and not elsewhere.isdisjoint(ahead.drafts):
            self._again(ahead.pending)
            ahead = None
        try:
            await self._settle(group, elsewhere)
        except BaseException:
            self._again(ahead.pending if ahead else [])
            raise
        return ahead

    async def _send(self, group: Group) -> set[str]:
        with reaching():
            return await _append(await self._connected(), group.drafts, group.at)

    async def _settle(self, group: Group, elsewhere: set[str]) -> None:
        """Answers what is in the log now; what another process was faster with is asked again."""
        for environment, draft in group.drafts.items():
            if environment not in elsewhere:
                self._tips.move(environment, draft.change_sets)
                self._answered.remember(seen for seen, _ in draft.requests.values())
        for pending, outcome in group.decided:
            if pending.request.ask.environment not in elsewhere:
                _answer(pending, outcome)
        if any(draft.entries for draft in group.drafts.values()):
            self._ring()
        for environment in elsewhere:
            await self._tips.catch_up(environment)
        self._again(pending for pending in group.pending if not pending.answer.done())

    async def _refused(self, group: Group, error: asyncpg.PostgresError) -> None:
        """Nothing of the group was written."""
        if error.sqlstate == TIME_REFUSED:
            await self._clock.read(await self._connected())
            self._again(group.pending)
        elif getattr(error, "constraint_name", None) == "requests_pkey":
            self._again(group.pending)
        elif len(group.decided) == 1:
            raise error
        else:
            await self._apart(group.pending)

    async def _settle_lost(self, group: Group, error: Unavailable) -> None:
        """The answer to a commit was lost: look, behind whoever holds the heads, what became of it.

        The group stands in the log or it does not; there is nothing in between.
        """
        looking = {key: Draft(key, draft.start, draft.start) for key, draft in group.drafts.items()}
        moving = [draft for draft in group.drafts.values() if draft.entries]
        ends = [(draft.environment, draft.tip.position, draft.tip.seal) for draft in moving]
        while True:
            await self._pause(error)
            try:
                connection = await self._connected()
                with reaching():
                    await _append(connection, looking, group.at)
                    rows = await connection.fetch(SQL["stands"], *turned(ends, 3))
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
        self._disconnect()
        await asyncio.sleep(PAUSE)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._database.connect()
            await self._clock.read(self._connection)
            self._away = False
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


async def _append(connection: Connection, drafts: Mapping[str, Draft], at: datetime) -> set[str]:
    """One commit. Gives the environments that were elsewhere, for which nothing was written."""
    arguments = columns(drafts, at)
    rows = await connection.fetch(STATEMENTS[len(arguments)], *arguments)
    return set(rows[0]["elsewhere"] or ())


def _answer(pending: Pending, outcome: Outcome) -> None:
    if not pending.answer.done():
        pending.answer.set_result(outcome)
