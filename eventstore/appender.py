"""The one queue to the log: while a commit is under way everything else waits for the next.

Law: the append belongs to the appender, never to who asked; a group stands or falls in one commit;
one bad request never takes its neighbours down; the answer is given when the outcome is known.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import NamedTuple

import asyncpg

from eventstore.answered import Answered
from eventstore.append import append
from eventstore.clock import Clock
from eventstore.database import Connection, Database, Unavailable, columns, reaching
from eventstore.log import SQL, Tip
from eventstore.transact import Draft, Outcome, Request, Tips

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
        self._ended = False

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
            self._ended = True
            await self._emptied()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._disconnect()

    async def transact(self, request: Request) -> Outcome:
        """Decide and append. Unavailable when the database stays away.

        A caller that goes away leaves its request behind: it is written, or not, all the same.
        """
        if self._ended:
            raise Unavailable("This process is ending. Ask again in a moment.")
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
        while True:
            if not self._queue:
                await self._wanted.wait()
            self._wanted.clear()
            count = min(len(self._queue), MOST_IN_A_GROUP)
            await self._attempt([self._queue.popleft() for _ in range(count)])

    async def _attempt(self, pending: list[Pending]) -> None:
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
                    await self._attempt([each])
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

    def _again(self, pending: Iterable[Pending]) -> None:
        self._queue.extendleft(reversed(list(pending)))

    async def _decide(self, pending: list[Pending]) -> Group:
        """Decide the requests that were not answered before, each on what the one before left."""
        await self._answered.look_up(each.request for each in pending)
        tips: dict[str, Tip] = {}
        for each in pending:
            key = each.request.ask.environment
            if key not in tips:
                tips[key] = self._tips.tip(key) or await self._tips.catch_up(key)
        standings = (tip.standing for tip in tips.values())
        at = self._clock.after(standing.as_of for standing in standings if standing is not None)
        group = Group(at, {key: Draft(key, tip, tip) for key, tip in tips.items()})
        for each in pending:
            request = each.request
            first = await self._answered.answer(request) if request.request_id else None
            if first is None:
                outcome = group.drafts[request.ask.environment].add(request, at)
                group.decided.append((each, outcome))
            else:
                _answer(each, first)
        return group

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
            if pending.request.ask.environment not in elsewhere:
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
        elif error.sqlstate == TIME_REFUSED and len(group.drafts) == 1:
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
        while True:
            await self._pause(error)
            try:
                connection = await self._connected()
                with reaching():
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


def _answer(pending: Pending, outcome: Outcome | Exception) -> None:
    if pending.answer.done():
        return
    if isinstance(outcome, Exception):
        pending.answer.set_exception(outcome)
    else:
        pending.answer.set_result(outcome)
