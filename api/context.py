"""What one operation works with: the rooms below, who asks, and what it has loaded so far.

Law: made anew for every operation; nothing loaded for one is seen by another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from api.errors import ErrorCode, Problem
from domain.actor import Actor, Permission
from domain.environment import Environment
from domain.standing import Standing
from eventstore.appender import Appender
from eventstore.database import Database
from eventstore.log import Log, StoredChange, Tip
from eventstore.principals import Principal, Principals
from projections.projector import Projector
from projections.standings import Standings

type Point = int | datetime
"""A past position or time."""
MOST_PAST_POINTS = 100
"""Each may be folded from some way before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What the composition root puts in: one of each for the process."""

    database: Database
    log: Log
    appender: Appender
    standings: Standings
    principals: Principals
    projector: Projector


class Context:
    """One operation of one viewer."""

    def __init__(self, rooms: Rooms, viewer: Principal, *, platform_administrator: bool) -> None:
        self.rooms = rooms
        self.viewer = viewer
        self._past_points = 0
        self.actor = Actor(handle=viewer.handle, platform_administrator=platform_administrator)
        self.forget()

    def forget(self) -> None:
        """Load anew from here on: for the next event of a subscription."""
        self.principals = DataLoader[UUID, Principal](self._load_principals)
        self.past = DataLoader[tuple[str, Point], Tip](self._load_past)
        self.stored = DataLoader[tuple[str, int], StoredChange](self._load_stored)

    def permissions(self, environment: Environment) -> frozenset[Permission]:
        return environment.permissions(self.actor)

    async def visible(self, key: str) -> Standing | None:
        """The standing of an environment that the viewer may see, at least as a name."""
        standing = (await self.rooms.standings.current(key)).standing
        if standing is None or not self.permissions(standing.environment):
            return None
        return standing

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
