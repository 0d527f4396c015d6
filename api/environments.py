"""What the schema shows of an environment: itself, its members, and its settings.

Law: every field is a function of a standing and of what the viewer may see; none decides anything.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.asking import ChangeFilter, PointInTime, argument, stood
from api.attempts import RefusedAttemptConnection, refused_attempts
from api.comparisons import Point, SettingDifference, differences, readable
from api.context import Context, Info
from api.enums import ChangeOrder, EnvironmentKind, EnvironmentState, Permission, SecurityRole
from api.errors import forbidden
from api.nodes import Node, NodeId
from api.pages import FIRST, LAST, page
from api.people import Principal
from api.tab import SynchronizationSettings, settings_at
from domain.membership import Members, who_could
from domain.standing import Standing

if TYPE_CHECKING:
    from api.history import ChangeConnection


def require(context: Context, standing: Standing, *any_of: Permission) -> None:
    """FORBIDDEN, unless the viewer has one of these permissions in the environment as it is now."""
    if context.permissions(standing).isdisjoint(any_of):
        raise forbidden(any_of[0])


@strawberry.type(description="Someone with at least one security role in an environment.")
class Member:
    principal: Principal = strawberry.field(description="Who.")
    roles: list[SecurityRole] = strawberry.field(description="Which roles.")


@strawberry.type(description="The place whose settings these are.")
class Environment(Node):
    standing: strawberry.Private[Standing]

    @strawberry.field(description="Opaque, and the same every time.")
    def id(self) -> strawberry.ID:
        return NodeId("Environment", self.standing.environment.profile.key).opaque

    @strawberry.field(description="1 to 63 of a-z, 0-9 and hyphen; never changes.")
    def key(self) -> str:
        return self.standing.environment.profile.key

    @strawberry.field(description="What people call it.")
    def name(self) -> str:
        return self.standing.environment.profile.name

    @strawberry.field(description="What it is for.")
    def kind(self) -> EnvironmentKind:
        return self.standing.environment.profile.kind

    @strawberry.field(description="Whether it can be changed.")
    def state(self) -> EnvironmentState:
        return self.standing.environment.profile.state

    @strawberry.field(description="Where its log ends.")
    def position(self) -> int:
        return self.standing.position

    @strawberry.field(description="When it was registered.")
    def registered_at(self) -> datetime:
        return self.standing.registered_at

    @strawberry.field(
        description="The settings now, which needs READ_SETTINGS; with `at`, as they stood at a "
        "past position or time, which needs READ_HISTORY. Null where there were none yet."
    )
    async def settings(
        self,
        info: Info,
        at: Annotated[PointInTime | None, argument("When; now when left out.")] = None,
    ) -> SynchronizationSettings | None:
        needs = Permission.READ_SETTINGS if at is None else Permission.READ_HISTORY
        require(info.context, self.standing, needs)
        standing = await stood(info.context, self.standing, at)
        return None if standing is None else settings_at(standing, info.context)

    @strawberry.field(
        description="Everyone with a role, by the time of their first. Needs READ_HISTORY or "
        "MANAGE_ROLES; with `at`, as they were at a past position or time, READ_HISTORY. Null "
        "where there were none yet."
    )
    async def members(
        self,
        info: Info,
        at: Annotated[PointInTime | None, argument("When; now when left out.")] = None,
    ) -> list[Member] | None:
        managing = () if at is not None else (Permission.MANAGE_ROLES,)
        require(info.context, self.standing, Permission.READ_HISTORY, *managing)
        standing = await stood(info.context, self.standing, at)
        if standing is None:
            return None
        return await _members(info.context, standing.environment.members)

    @strawberry.field(
        description="What differs between two points of this environment: settings and roles. "
        "Needs READ_HISTORY. Null where there was nothing yet at one of them."
    )
    async def compare(
        self,
        info: Info,
        since: Annotated[PointInTime, strawberry.argument(name="from", description="From when.")],
        until: Annotated[
            PointInTime | None,
            strawberry.argument(name="to", description="To when; to now when left out."),
        ] = None,
    ) -> list[SettingDifference] | None:
        require(info.context, self.standing, Permission.READ_HISTORY)
        one, other = Point(self.standing, since), Point(self.standing, until)
        return await differences(info.context, one, other)

    @strawberry.field(
        description="What differs from this environment to another one, each at a point of its "
        "own. Needs READ_HISTORY in both."
    )
    async def compare_with(
        self,
        info: Info,
        environment_key: Annotated[str, argument("The key of the other one.")],
        at: Annotated[PointInTime | None, argument("When here; now when left out.")] = None,
        other_at: Annotated[PointInTime | None, argument("When there; now when left out.")] = None,
    ) -> list[SettingDifference] | None:
        require(info.context, self.standing, Permission.READ_HISTORY)
        there = await readable(info.context, environment_key)
        return await differences(info.context, Point(self.standing, at), Point(there, other_at))

    @strawberry.field(
        description="Who could have done this then, and by which roles. Needs READ_HISTORY. "
        "Platform administrators come from the identity provider and are not listed. Null where "
        "there was nothing yet."
    )
    async def who_could(
        self,
        info: Info,
        permission: Annotated[Permission, argument("Done what.")],
        at: Annotated[PointInTime | None, argument("When; now when left out.")] = None,
    ) -> list[Member] | None:
        require(info.context, self.standing, Permission.READ_HISTORY)
        standing = await stood(info.context, self.standing, at)
        if standing is None:
            return None
        return await _members(info.context, who_could(standing.environment.members, permission))

    @strawberry.field(description="What happened here, every change of it. Needs READ_HISTORY.")
    async def history(
        self,
        info: Info,
        first: Annotated[
            int | None,
            argument(FIRST),
        ] = None,
        after: Annotated[str | None, argument("Only what follows this cursor.")] = None,
        last: Annotated[int | None, argument(LAST)] = None,
        before: Annotated[str | None, argument("Only what goes before this cursor.")] = None,
        order: Annotated[
            ChangeOrder, argument("Which end comes first.")
        ] = ChangeOrder.NEWEST_FIRST,
        filter: Annotated[ChangeFilter | None, argument("What narrows the list.")] = None,
    ) -> Annotated["ChangeConnection", strawberry.lazy("api.history")] | None:
        from api.history import history  # noqa: PLC0415 -- environments and changes show each other

        require(info.context, self.standing, Permission.READ_HISTORY)
        asked = page(first, after, last, before)
        return await history(info.context, self.standing, asked, order, filter)

    @strawberry.field(
        description="Who tried what and was refused, newest first; previews are not listed. Needs "
        "READ_HISTORY. Of each sort of thing 20 an hour of a member are listed, and of all who "
        "have no role here 200 an hour; what is beyond is counted in `more`. They are no facts: "
        "nothing of them is in the log."
    )
    async def refused_attempts(
        self,
        info: Info,
        first: Annotated[int | None, argument(FIRST)] = None,
        after: Annotated[str | None, argument("Only what follows this cursor.")] = None,
        last: Annotated[int | None, argument(LAST)] = None,
        before: Annotated[str | None, argument("Only what goes before this cursor.")] = None,
    ) -> RefusedAttemptConnection | None:
        require(info.context, self.standing, Permission.READ_HISTORY)
        asked = page(first, after, last, before)
        return await refused_attempts(info.context, self.standing, asked)

    @strawberry.field(description="The viewer's roles here.")
    def viewer_roles(self, info: Info) -> list[SecurityRole]:
        latest = info.context.latest(self.standing)
        return in_order(latest.environment.roles(info.context.actor.handle))

    @strawberry.field(description="What the viewer may do here.")
    def viewer_can(self, info: Info) -> list[Permission]:
        held = info.context.permissions(self.standing)
        return [permission for permission in Permission if permission in held]


async def _members(context: Context, held: Members) -> list[Member]:
    known = await context.principals.load_many(held)
    return [
        Member(principal=Principal.of(each), roles=in_order(held[each.handle])) for each in known
    ]


def now(standing: Standing, info: Info) -> Environment:
    """The environment of a standing, itself as it stands now, if the viewer may still see it."""
    seen = info.context.permissions(standing)
    return Environment(standing=info.context.latest(standing) if seen else standing)


def in_order(roles: frozenset[SecurityRole]) -> list[SecurityRole]:
    return [role for role in SecurityRole if role in roles]
