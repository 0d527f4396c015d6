"""Following: every change set after a position, past ones first and then live.

Law: past and present come from the same read, so there is no seam; the feed never runs ahead of
its reader, and who is too slow is told so.
"""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated

import strawberry

from api.asking import environment_key, position
from api.changes import ChangeSet
from api.context import Context, Info
from api.enums import Permission, SecurityRole
from api.environments import in_order
from api.errors import bad_input, forbidden
from api.tab import SynchronizationSettings, settings_at
from domain import standing as log
from domain.lifecycle import EnvironmentNotFound
from domain.standing import Standing

SHORTEST_HEARTBEAT = 5
LONGEST_HEARTBEAT = 300
MOST_BEHIND = 2_048
"""Positions that a live follower may be behind the end of the log, some large change sets."""


@strawberry.interface(description="Something a follower is told.")
class FeedItem:
    position: int = strawberry.field(
        description="Where the follower is after this; reconnect with the last one seen."
    )


@strawberry.type(description="Any change set: settings, roles, environment.")
class ChangeSetAppended(FeedItem):
    change_set: ChangeSet = strawberry.field(description="What happened.")
    settings: SynchronizationSettings = strawberry.field(description="As it left them.")


@strawberry.type(description="This is the end of the log, and the connection lives.")
class Heartbeat(FeedItem):
    at: datetime = strawberry.field(description="Now.")


@strawberry.type(
    description="The viewer's rights changed with the change set just delivered. The feed ends "
    "after this when they no longer suffice."
)
class AccessChanged(FeedItem):
    viewer_roles: list[SecurityRole] = strawberry.field(description="The viewer's roles now.")


@strawberry.type(
    description="The client reads too slowly; the feed ends here and can be taken up again after "
    "this position."
)
class Lagged(FeedItem):
    pass


@strawberry.type(description="Following what happens.")
class Subscription:
    @strawberry.subscription(
        description="Every change set after a position, past ones first and then live, in order, "
        "none missing, none twice. Without `after`: from now on. A Heartbeat comes at once when "
        "the past has been delivered, so every client has a position; reconnect with the last one "
        "seen. `after` beyond the end of the log is an error. Needs FOLLOW_FEED."
    )
    async def settings_feed(
        self,
        info: Info,
        environment_key: Annotated[str, strawberry.argument(description="Whose feed.")],
        after: Annotated[
            int | None, strawberry.argument(description="The last position seen; 0 for all.")
        ] = None,
        heartbeat_seconds: Annotated[
            int, strawberry.argument(description="A sign of life after that long, 5 to 300.")
        ] = 15,
    ) -> AsyncGenerator[FeedItem]:
        if not SHORTEST_HEARTBEAT <= heartbeat_seconds <= LONGEST_HEARTBEAT:
            raise bad_input(f"heartbeatSeconds is 5 to 300, not {heartbeat_seconds}.")
        resumed = info.context.resume_after
        start = await _start(info.context, environment_key, after if resumed is None else resumed)
        async for item in follow(info.context, environment_key, start, heartbeat_seconds):
            yield item


async def _start(context: Context, key: str, after: int | None) -> int:
    """Where the feed begins, once it is clear that the viewer may follow it."""
    key, after = environment_key(key), position(after, "after")
    standing = (await context.rooms.standings.catch_up(key)).standing
    if standing is None or not context.permissions(standing):
        raise bad_input(EnvironmentNotFound(key=key).message)
    if not _may_follow(context, standing):
        raise forbidden(Permission.FOLLOW_FEED)
    if after is not None and after > standing.position:
        raise bad_input(
            f"after is {after}, which is beyond the end of the log at {standing.position}. Give "
            "a position of this log, or 0 for all of it; a restored log may end earlier."
        )
    return standing.position if after is None else after


def _may_follow(context: Context, standing: Standing) -> bool:
    return Permission.FOLLOW_FEED in context.permissions(standing)


async def follow(
    context: Context, key: str, start: int, heartbeat_seconds: float
) -> AsyncGenerator[FeedItem]:
    """The feed itself. Its reader pulls, so a slow one holds nothing but its position."""
    standings, here, live = context.rooms.standings, start, False
    roles = await _roles_at(context, key, start)
    while True:
        if live and standings.distance(key, here) > MOST_BEHIND:
            yield Lagged(position=here)
            return
        async for change_set in standings.since(key, here):
            held = change_set.standing.environment.roles(context.actor.handle)
            lost = not _may_follow(context, change_set.standing)
            if held != roles or not lost:
                here = change_set.standing.position
                yield _appended(context, change_set)
            if held != roles or lost:
                roles = held
                yield _access(context, change_set.standing, here)
            if lost:
                return
            if live and standings.distance(key, here) > MOST_BEHIND:
                break
        else:
            if not live or not await standings.moved(key, here, heartbeat_seconds):
                live = True
                yield Heartbeat(position=here, at=datetime.now(UTC))


async def _roles_at(context: Context, key: str, position: int) -> frozenset[SecurityRole]:
    standing = (await context.rooms.standings.past(key, position)).standing
    return frozenset() if standing is None else standing.environment.roles(context.actor.handle)


def _access(context: Context, shown: Standing, here: int) -> AccessChanged:
    """The roles after a change set that was delivered, or now, where they no longer suffice."""
    standing = shown if _may_follow(context, shown) else context.latest(shown)
    held = standing.environment.roles(context.actor.handle)
    return AccessChanged(position=here, viewer_roles=in_order(held))


def _appended(context: Context, change_set: log.ChangeSet) -> ChangeSetAppended:
    standing = change_set.standing
    return ChangeSetAppended(
        position=standing.position,
        change_set=ChangeSet(change_set=change_set),
        settings=settings_at(standing, context),
    )
