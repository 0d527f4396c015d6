"""The current state of every environment that was asked for, in memory, with its position.

Law: a standing is folded from the log and from nothing else; past and live changes come by the
same read, in order, whole change sets, none twice.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from domain.standing import ChangeSet
from eventstore.database import Unavailable
from eventstore.doorbell import Doorbell
from eventstore.log import Log, Tip

logger = logging.getLogger(__name__)

KEPT = 256
"""Change sets of each environment kept in memory, so that a follower rarely reads the log."""
PATIENCE = 0.2
"""Seconds until the heads are looked at though nobody rang."""


class NotReached(Exception):
    """The log did not come to the position in time."""


class _Course:
    """One environment in memory: where it stands, how it came there lately, and who waits."""

    def __init__(self) -> None:
        self.tip: Tip | None = None
        self.recent: deque[ChangeSet] = deque(maxlen=KEPT)
        self.reading = asyncio.Lock()
        self.moved: asyncio.Event | None = None

    def move(self, change_set: ChangeSet, seal: bytes) -> None:
        position = 0 if self.tip is None else self.tip.position
        first = change_set.changes[0].recorded.position
        if first <= position:
            return
        if first > position + 1:
            raise ValueError(f"Position {position} is followed by {first}.")
        self.tip = Tip(change_set.standing, seal)
        self.recent.append(change_set)
        if self.moved is not None:
            self.moved.set()
            self.moved = None

    def recent_after(self, position: int) -> list[ChangeSet] | None:
        """The change sets after a position, None where memory does not go back that far."""
        if self.tip is not None and position >= self.tip.position:
            return []
        after: list[ChangeSet] = []
        for each in reversed(self.recent):
            if each.standing.position <= position:
                break
            after.append(each)
        after.reverse()
        whole = after and after[0].changes[0].recorded.position <= position + 1
        return after if whole else None


class Standings:
    def __init__(self, log: Log) -> None:
        self._log = log
        self._courses: defaultdict[str, _Course] = defaultdict(_Course)
        self._pulse = (-1, -1)

    def tip(self, environment: str) -> Tip | None:
        """What memory has, None before the first look."""
        course = self._courses.get(environment)
        return None if course is None else course.tip

    async def current(self, environment: str) -> Tip:
        """What memory has; the end of the log at the first look."""
        return self.tip(environment) or await self.catch_up(environment)

    async def catch_up(self, environment: str) -> Tip:
        """Read on to the end of the log. An environment without a log is not kept in memory."""
        course = self._courses[environment]
        async with course.reading:
            try:
                async for read in self._log.change_sets(environment, course.tip or Tip()):
                    course.move(*read)
            except ValueError:  # an entry that cannot be read: what went before it is not the end
                self._forget(environment, course)
                raise
        if course.tip is None:
            self._forget(environment, course)
            return Tip()
        return course.tip

    def _forget(self, environment: str, course: _Course) -> None:
        if self._courses.get(environment) is course:
            del self._courses[environment]

    def move(self, environment: str, change_sets: list[tuple[ChangeSet, bytes]]) -> None:
        """Take over what was just committed on top of `tip`; what is known is skipped."""
        for change_set, seal in change_sets:
            self._courses[environment].move(change_set, seal)

    async def reach(self, environment: str, position: int, patience: float) -> Tip:
        """The tip, at this position or later. NotReached when it does not come in time."""
        tip = await self.current(environment)
        if tip.position >= position:
            return tip
        try:
            async with asyncio.timeout(patience):
                while (tip := await self.catch_up(environment)).position < position:
                    await self.moved(environment, tip.position, PATIENCE)
        except TimeoutError:
            raise NotReached(
                f"{environment} is at position {tip.position} and did not reach {position} "
                f"within {patience:g} s."
            ) from None
        return tip

    async def moved(self, environment: str, position: int, patience: float) -> bool:
        """Wait until there is something after the position; False when patience ran out."""
        course = self._courses[environment]
        if course.tip is not None and course.tip.position > position:
            return True
        moved = course.moved = course.moved or asyncio.Event()
        try:
            async with asyncio.timeout(patience):
                await moved.wait()
        except TimeoutError:
            return False
        return True

    def distance(self, environment: str, position: int) -> int:
        """How many positions the end of the log is ahead of this one."""
        tip = self.tip(environment)
        return 0 if tip is None else tip.position - position

    async def since(self, environment: str, position: int) -> AsyncIterator[ChangeSet]:
        """Every change set after a position, from memory, or from the log where that is longer."""
        await self.current(environment)
        course = self._courses.get(environment)
        recent = [] if course is None else course.recent_after(position)
        if recent is not None:
            for change_set in recent:
                yield change_set
            return
        async for change_set in self._log.since(environment, position):
            yield change_set

    @asynccontextmanager
    async def following(self, doorbell: Doorbell) -> AsyncIterator["Standings"]:
        """Keeps up with what other processes append while the block lasts."""
        task = asyncio.create_task(self._follow(doorbell), name="standings")
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _follow(self, doorbell: Doorbell) -> None:
        while True:
            await doorbell.heard(PATIENCE)
            with suppress(Unavailable):
                await self._look()

    async def _look(self) -> None:
        pulse = await self._log.pulse()
        if pulse == self._pulse:
            return
        for head in await self._log.heads():
            tip = self.tip(head.environment)
            if tip is not None and tip.position < head.position:
                try:
                    await self.catch_up(head.environment)
                except ValueError:  # one log that cannot be read does not keep the others back
                    logger.exception("%s cannot be followed", head.environment)
        self._pulse = pulse
