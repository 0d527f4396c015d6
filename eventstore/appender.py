"""The one queue to the log: while a commit is under way everything else waits for the next.

Law: the append belongs to the appender, never to who asked; what waits longer than its patience is
told so.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from time import monotonic

from eventstore.database import Database, Unavailable
from eventstore.transact import Outcome, Request, Tips
from eventstore.writer import Pending, Writer

MOST_IN_A_GROUP = 2_000
"""Commands that are decided one after the other, while nothing else is done."""
PATIENCE = 10.0
"""Seconds until a caller is told that the database is away."""
OUT_OF_PATIENCE = (
    "The database did not answer in time. If a commit was under way it may still succeed: "
    "ask again with the same request id."
)


class Appender:
    """`ring` is called after every commit that wrote something."""

    def __init__(
        self,
        database: Database,
        tips: Tips,
        ring: Callable[[], None],
        patience: float = PATIENCE,
    ) -> None:
        self._writer = Writer(database, tips, ring, self._again)
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Pending] = deque()
        self._unanswered: deque[Pending] = deque()
        self._wanted = asyncio.Event()
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
            self._writer.disconnect()

    async def transact(self, request: Request) -> Outcome:
        """Decide and append. Unavailable when the database stays away.

        A caller that goes away leaves its request behind: it is written, or not, all the same.
        """
        if self._ended:
            raise Unavailable("This process is ending. Ask again in a moment.")
        pending = Pending(request, self._loop.create_future(), monotonic() + self._patience)
        self._forget_answered()
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
            self._forget_answered()
            while self._unanswered and self._unanswered[0].deadline < now:
                self._unanswered.popleft().answer.set_exception(Unavailable(OUT_OF_PATIENCE))
                self._forget_answered()

    def _forget_answered(self) -> None:
        while self._unanswered and self._unanswered[0].answer.done():
            self._unanswered.popleft()

    async def _run(self) -> None:
        while True:
            if not self._queue:
                await self._wanted.wait()
            self._wanted.clear()
            await self._writer.write(self._next_group())

    def _next_group(self) -> list[Pending]:
        group: list[Pending] = []
        commands = 0
        while self._queue and (not group or commands < MOST_IN_A_GROUP):
            group.append(self._queue.popleft())
            commands += group[-1].request.ask.size
        return group

    def _again(self, pending: Iterable[Pending]) -> None:
        self._queue.extendleft(reversed(list(pending)))
