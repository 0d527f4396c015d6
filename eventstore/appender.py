"""The one queue to the log: while a commit is in flight everything else waits and is the next.

Law: the append belongs to the appender, never to who asked; a group stands or falls in one commit;
one bad request never takes its neighbours down; the answer is given when the outcome is known.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple
from uuid import UUID

import asyncpg

from domain.standing import ChangeSet
from eventstore.database import Connection, Database, Unavailable, reaching
from eventstore.log import SQL, Log, Tip
from eventstore.transact import (
    Applied,
    Draft,
    Outcome,
    Request,
    RequestIdReused,
    Seen,
    Tips,
    columns,
    turned,
)

logger = logging.getLogger(__name__)

MOST_IN_A_GROUP = 1_000
MOST_REMEMBERED = 10_000
PATIENCE = 10.0
"""Seconds until a caller is told that the database is away."""
OUT_OF_PATIENCE = (
    "The database did not answer in time. If a commit was under way it may still succeed: "
    "ask again with the same request id."
)
TIME_REFUSED = "SL001"
PAUSE = 0.05
TICK = timedelta(microseconds=1)


class Pending(NamedTuple):
    request: Request
    answer: asyncio.Future[Outcome]
    deadline: float


@dataclass(slots=True)
class Group:
    """Requests that are decided and committed together, at one instant."""

    at: datetime
    drafts: dict[str, Draft]
    decided: list[tuple[Pending, Outcome]] = field(default_factory=list)

    @property
    def pending(self) -> list[Pending]:
        return [pending for pending, _ in self.decided]


class Clock:
    """The database's time, carried on by our monotonic clock: no call for each commit."""

    def __init__(self) -> None:
        self._read_at = 0.0
        self._read: datetime | None = None

    async def read(self, connection: Connection) -> None:
        rows = await connection.fetch(SQL["clock"])
        self._read, self._read_at = rows[0]["now"], monotonic()

    def after(self, times: Iterable[datetime]) -> datetime:
        """Now, or a microsecond after the latest of these times."""
        if self._read is None:
            raise Unavailable("The database's clock was not read yet.")
        now = self._read + timedelta(seconds=monotonic() - self._read_at)
        return max([now, *(time + TICK for time in times)])


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
        self._log = Log(database)
        self._tips = tips
        self._ring = ring
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Pending] = deque()
        self._unanswered: deque[Pending] = deque()
        self._wanted = asyncio.Event()
        self._clock = Clock()
        self._connection: Connection | None = None
        self._seen: OrderedDict[tuple[str, UUID], Seen] = OrderedDict()

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
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._queue:
                count = min(len(self._queue), MOST_IN_A_GROUP)
                await self._attempt([self._queue.popleft() for _ in range(count)])

    async def _attempt(self, group: list[Pending]) -> None:
        waiting = [pending for pending in group if not pending.answer.done()]
        if not waiting:
            return
        try:
            await self._process(waiting)
        except Unavailable as error:
            logger.warning("the log cannot be reached, trying again: %s", error)
            self._disconnect()
            self._again(waiting)
            await asyncio.sleep(PAUSE)
        except Exception as error:  # noqa: BLE001 -- the queue must outlive any single request
            if len(waiting) > 1:
                for pending in waiting:
                    await self._attempt([pending])
            elif not waiting[0].answer.done():
                waiting[0].answer.set_exception(error)

    def _again(self, pending: Iterable[Pending]) -> None:
        self._queue.extendleft(reversed(list(pending)))

    async def _process(self, pending: list[Pending]) -> None:
        connection = await self._connected()
        group = await self._decide(await self._answer_seen(pending))
        try:
            with reaching():
                rows = await connection.fetch(SQL["append"], *columns(group.drafts, group.at))
        except Unavailable:
            await self._settle_lost(group)
        except asyncpg.PostgresError as error:
            if error.sqlstate == TIME_REFUSED:
                await self._clock.read(connection)
            elif getattr(error, "constraint_name", None) != "requests_pkey":
                raise
            self._again(group.pending)
        else:
            await self._settle(group, {row["elsewhere"] for row in rows})

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._database.connect()
            await self._clock.read(self._connection)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _answer_seen(self, pending: list[Pending]) -> list[Pending]:
        """Answers the requests that were answered before; gives those that were not."""
        asked = [(each.request.ask.environment, each.request.request_id) for each in pending]
        unknown = [key for key in asked if key[1] is not None and key not in self._seen]
        if unknown:
            rows = await self._database.fetch(SQL["requests"], *turned(unknown, 2))
            self._remember(map(Seen._make, rows))
        fresh: list[Pending] = []
        for each, (environment, request_id) in zip(pending, asked, strict=True):
            seen = None if request_id is None else self._seen.get((environment, request_id))
            if seen is None:
                fresh.append(each)
            else:
                _answer(each, await self._first_answer(seen, each.request))
        return fresh

    async def _first_answer(self, seen: Seen, request: Request) -> Outcome:
        if not seen.same(request):
            return RequestIdReused(request_id=seen.request_id)
        last: ChangeSet | None = None
        async for change_set, _ in self._log.change_sets(seen.environment, Tip(), seen.last):
            last = change_set
        if last is None:
            raise ValueError(f"{seen.environment} has no entries up to {seen.last}.")
        return Applied(
            change_set=None if seen.first is None else last, standing=last.standing, replayed=True
        )

    def _remember(self, requests: Iterable[Seen]) -> None:
        for seen in requests:
            self._seen[seen.environment, seen.request_id] = seen
        while len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)

    async def _decide(self, pending: list[Pending]) -> Group:
        tips: dict[str, Tip] = {}
        for each in pending:
            key = each.request.ask.environment
            if key not in tips:
                tips[key] = self._tips.tip(key) or await self._tips.catch_up(key)
        standings = [tip.standing for tip in tips.values() if tip.standing is not None]
        at = self._clock.after(standing.as_of for standing in standings)
        group = Group(at, {key: Draft(key, tip, tip) for key, tip in tips.items()})
        for each in pending:
            draft = group.drafts[each.request.ask.environment]
            group.decided.append((each, draft.add(each.request, at)))
        return group

    async def _settle(self, group: Group, elsewhere: set[str]) -> None:
        """Answers what is in the log now; what another process was faster with is asked again."""
        again: list[Pending] = []
        for environment, draft in group.drafts.items():
            if environment not in elsewhere:
                self._tips.move(environment, draft.change_sets)
                self._remember(seen for seen, _ in draft.requests.values())
        for pending, outcome in group.decided:
            if pending.request.ask.environment in elsewhere:
                again.append(pending)
            else:
                _answer(pending, outcome)
        if any(draft.entries for draft in group.drafts.values()):
            self._ring()
        self._again(again)
        for environment in elsewhere:
            await self._tips.catch_up(environment)

    async def _settle_lost(self, group: Group) -> None:
        """The answer to a commit was lost: look, behind whoever holds the heads, what became of it.

        The group stands in the log or it does not; there is nothing in between.
        """
        looking = {key: Draft(key, draft.start, draft.start) for key, draft in group.drafts.items()}
        moving = [draft for draft in group.drafts.values() if draft.entries]
        ends = [(draft.environment, draft.tip.position, draft.tip.seal) for draft in moving]
        while True:
            try:
                connection = await self._connected()
                with reaching():
                    await connection.fetch(SQL["append"], *columns(looking, group.at))
                    rows = await connection.fetch(SQL["stands"], *turned(ends, 3))
            except Unavailable as error:
                logger.warning("waiting for the database to tell of a lost commit: %s", error)
                self._disconnect()
                await asyncio.sleep(PAUSE)
            else:
                standing = {row["environment"] for row in rows}
                await self._settle(group, set(group.drafts) - standing)
                return


def _answer(pending: Pending, outcome: Outcome) -> None:
    if not pending.answer.done():
        pending.answer.set_result(outcome)
