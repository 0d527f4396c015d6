"""What one operation works with: the rooms below, who asks, and what it has loaded so far.

Law: made anew for every operation; nothing loaded for one is seen by another.
"""

from asyncio import Semaphore
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import UUID

from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from api.errors import ErrorCode, Problem
from domain.actor import Actor, Permission
from domain.standing import Standing
from eventstore.appender import Appender
from eventstore.attempts import Attempts
from eventstore.database import Database, Unavailable
from eventstore.log import Log, StoredChange, Tip
from eventstore.principals import Principal, Principals
from projections.projector import Projector
from projections.standings import Standings

type Point = int | datetime
"""A past position or time."""
MOST_PAST_POINTS = 20
"""Of one operation: each may be folded from some way before it."""
MOST_SEARCHES = 10
"""Of one operation: each may read the whole history of an environment."""
MOST_CRITERIA = 4_000_000
"""Characters of FetchXML that an operation reads or writes; a megabyte takes part of a second."""
CHARACTERS_OF_A_POINT = 20_000
"""Of them: they take two milliseconds or so."""
SEARCHES_AT_ONCE = 3
"""Of the whole process, so that connections are left for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What the composition root puts in: one of each for the process."""

    database: Database
    log: Log
    appender: Appender
    standings: Standings
    principals: Principals
    projector: Projector
    attempts: Attempts
    searching: Semaphore = field(default_factory=lambda: Semaphore(SEARCHES_AT_ONCE))


class Context:
    """One operation of one viewer."""

    def __init__(
        self,
        rooms: Rooms,
        viewer: Principal,
        *,
        platform_administrator: bool,
        resume_after: int | None = None,
    ) -> None:
        self.rooms = rooms
        self.viewer = viewer
        self.actor = Actor(handle=viewer.handle, platform_administrator=platform_administrator)
        self.resume_after = resume_after
        """The last position that a client of an interrupted event stream has seen."""
        self._past_points = 0
        self._searches = 0
        self._criteria = 0

    @cached_property
    def principals(self) -> DataLoader[UUID, Principal]:
        return DataLoader(self._load_principals)

    @cached_property
    def past(self) -> DataLoader[tuple[str, Point], Tip]:
        return DataLoader(self._load_past)

    @cached_property
    def stored(self) -> DataLoader[tuple[str, int], StoredChange]:
        return DataLoader(self._load_stored)

    def anew(self) -> "Context":
        """The same viewer's context for the next event of a subscription."""
        administrator = self.actor.platform_administrator
        return Context(self.rooms, self.viewer, platform_administrator=administrator)

    def latest(self, shown: Standing) -> Standing:
        """The standing of the same environment now, whatever past point is shown.

        Unavailable in the moment in which memory of it was lost: a past one is no substitute.
        """
        key = shown.environment.profile.key
        tip = self.rooms.standings.tip(key)
        if tip is None or tip.standing is None:
            raise Unavailable(f"What is known of {key} was lost, and is read anew")
        return tip.standing

    def permissions(self, shown: Standing) -> frozenset[Permission]:
        """What the viewer may do there now."""
        return self.latest(shown).environment.permissions(self.actor)

    async def visible(self, key: str) -> Standing | None:
        """The standing of an environment that the viewer may see, at least as a name."""
        standing = (await self.rooms.standings.current(key)).standing
        if standing is None or not self.permissions(standing):
            return None
        return standing

    @property
    def weighed(self) -> int:
        """Points for what was weighed until now."""
        return self._criteria // CHARACTERS_OF_A_POINT

    def weigh(self, characters: int) -> None:
        """Counts FetchXML that is read or written. TOO_COSTLY for too much."""
        self._criteria += characters
        if self._criteria > MOST_CRITERIA:
            raise Problem(
                ErrorCode.TOO_COSTLY,
                f"An operation reads at most {MOST_CRITERIA} characters of criteria. Ask for fewer "
                "filters, or changes of them, at once.",
            )

    @asynccontextmanager
    async def search(self) -> AsyncIterator[None]:
        """Counts a search of a history, and waits for its turn."""
        self._searches += 1
        if self._searches > MOST_SEARCHES:
            raise Problem(
                ErrorCode.TOO_COSTLY,
                f"An operation narrows at most {MOST_SEARCHES} histories. Ask for fewer.",
            )
        async with self.rooms.searching:
            yield

    async def _load_past(self, points: list[tuple[str, Point]]) -> Sequence[Tip]:
        self._past_points += len(points)
        if self._past_points > MOST_PAST_POINTS:
            raise Problem(
                ErrorCode.TOO_COSTLY,
                f"An operation looks at most at {MOST_PAST_POINTS} past points. Ask for fewer.",
            )
        standings = self.rooms.standings
        return [
            await standings.past(key, point)
            if isinstance(point, int)
            else await standings.past_time(key, point)
            for key, point in points
        ]

    async def _load_principals(self, handles: list[UUID]) -> Sequence[Principal]:
        return await self.rooms.principals.of(handles)

    async def _load_stored(
        self, places: list[tuple[str, int]]
    ) -> Sequence[StoredChange | BaseException]:
        found = await self.rooms.log.stored(places)
        return [
            found.get(place) or LookupError(f"{place[0]} has no position {place[1]}.")
            for place in places
        ]


type Info = StrawberryInfo[Context, None]
