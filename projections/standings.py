"""The state of every environment that was asked for, in memory, and at any past point.

Law: the present is folded from the log and from nothing else, the past from a stored standing
before it or from the beginning, whichever there is; past and live changes come by the same read,
in order, whole change sets, none twice.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic

from domain.standing import ChangeSet
from eventstore.background import background
from eventstore.database import Database, Unavailable
from eventstore.doorbell import Doorbell
from eventstore.log import Log, Tip
from projections import stored_standings
from projections.course import Course

logger = logging.getLogger(__name__)

PATIENCE = 0.2
"""Seconds until the heads are looked at though nobody rang."""


class NotReached(Exception):
    """The log did not come to a position in time, only to this one."""

    def __init__(self, environment: str, position: int, wanted: int, patience: float) -> None:
        super().__init__(
            f"{environment} is at position {position} and did not reach {wanted} "
            f"within {patience:g} s."
        )
        self.position = position


class Standings:
    def __init__(self, log: Log, database: Database) -> None:
        self._log = log
        self._database = database
        self._courses: defaultdict[str, Course] = defaultdict(Course)
        self._known: set[str] | None = None
        self._pulse = (-1, -1)
        self._level = monotonic()

    @property
    def behind(self) -> float:
        """Seconds since memory was last seen to be where the logs end."""
        return monotonic() - self._level

    def tip(self, environment: str) -> Tip | None:
        """What memory has, None until the log was read to its end once."""
        course = self._courses.get(environment)
        return course.tip if course is not None and course.whole else None

    async def current(self, environment: str) -> Tip:
        """What memory has; the end of the log at the first look.

        Whether there is such a log is known from the heads, so that a missing environment costs no
        more than one in memory.
        """
        tip = self.tip(environment)
        if tip is None and self._known is not None and environment not in self._known:
            return Tip()
        return tip or await self.catch_up(environment)

    async def catch_up(self, environment: str) -> Tip:
        """Read on to the end of the log. An environment without a log is not kept in memory."""
        while True:
            course = self._courses[environment]
            async with course.reading:
                if self._courses.get(environment) is not course:
                    continue  # forgotten by who read before us
                try:
                    async for read in self._log.change_sets(environment, course.tip or Tip()):
                        course.move(*read)
                except ValueError:  # an entry that cannot be read: what went before is not the end
                    self._forget(environment, course)
                    raise
                if not course.whole:
                    course.settle()
                if course.tip is None:
                    self._forget(environment, course)
                return course.tip or Tip()

    def _forget(self, environment: str, course: Course) -> None:
        if self._courses.get(environment) is course:
            del self._courses[environment]
        course.waiting.wake()

    def move(self, environment: str, change_sets: list[tuple[ChangeSet, bytes]]) -> None:
        """Take over what was just committed. What does not follow is read from the log again."""
        for change_set, seal in change_sets:
            course = self._courses[environment]
            if not course.move(change_set, seal):
                logger.warning("the memory of %s had a gap, and is read anew", environment)
                self._forget(environment, course)
                return
            course.whole = True

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
            raise NotReached(environment, tip.position, position, patience) from None
        return tip

    async def moved(self, environment: str, position: int, patience: float) -> bool:
        """Wait until there is something after the position; False when patience ran out."""
        course = self._courses[environment]
        if course.tip is not None and course.tip.position > position:
            return True
        try:
            async with asyncio.timeout(patience):
                await course.waiting.wait()
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
        recent = None if course is None else course.recent_after(position)
        if recent is not None:
            for change_set in recent:
                yield change_set
        elif course is not None:
            start = await self._before(environment, position)
            async for change_set, _ in self._log.change_sets(environment, start):
                if change_set.standing.position > position:
                    yield change_set

    async def past(self, environment: str, position: int) -> Tip:
        """The fold up to a position, or up to the end of the log where that is earlier."""
        tip, course = await self.current(environment), self._courses.get(environment)
        if course is None or position >= tip.position:
            return tip
        recent = course.recent_at(position)
        if recent is not None:
            return Tip(recent.standing)
        start = await self._before(environment, position)
        return await self._log.tip(environment, start, upto=position)

    async def past_time(self, environment: str, at: datetime) -> Tip:
        """The fold of everything that was recorded at a time or before it."""
        tip = await self.current(environment)
        if tip.standing is not None and at >= tip.standing.as_of:
            tip = await self.catch_up(environment)  # another process may have gone on
        course = self._courses.get(environment)
        if course is None or tip.standing is None or at >= tip.standing.as_of:
            return tip
        start = await stored_standings.before_time(self._database, environment, at)
        return await self._log.tip(environment, Tip(start), until=at)

    async def change_set(self, environment: str, end: int) -> ChangeSet:
        """The change set that ends at a position. LookupError where the log does not go so far."""
        await self.current(environment)
        course = self._courses.get(environment)
        recent = None if course is None else course.recent_at(end)
        if recent is not None:
            return recent
        if course is not None:
            start = await self._before(environment, end - 1)
            async for change_set, _ in self._log.change_sets(environment, start, end):
                if change_set.standing.position == end:
                    return change_set
        raise LookupError(f"{environment} has no change set that ends at {end}.")

    async def _before(self, environment: str, position: int) -> Tip:
        """Where to fold a past point from. Its seal is not known, and nothing asks for it."""
        return Tip(await stored_standings.before(self._database, environment, position))

    @asynccontextmanager
    async def following(self, doorbell: Doorbell) -> AsyncIterator["Standings"]:
        """Keeps up with what other processes append while the block lasts."""
        async with background(self._follow(doorbell), "standings"):
            yield self

    async def _follow(self, doorbell: Doorbell) -> None:
        while True:
            await doorbell.heard(PATIENCE)
            try:
                await self._look()
            except Unavailable:
                pass  # told by those who must write
            except Exception:  # whatever it is, the next look may find it mended
                logger.exception("other processes cannot be followed for now")
                await asyncio.sleep(PATIENCE)

    async def _look(self) -> None:
        seen, pulse = monotonic(), await self._log.pulse()
        if pulse == self._pulse:
            self._level = seen
            return
        heads = await self._log.heads()
        self._known = {head.environment for head in heads}
        for head in heads:
            tip = self.tip(head.environment)
            if tip is not None and tip.position < head.position:
                try:
                    await self.catch_up(head.environment)
                except ValueError:  # one log that cannot be read does not keep the others back
                    logger.exception("%s cannot be followed", head.environment)
        self._pulse = pulse
        self._level = seen
