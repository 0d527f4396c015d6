"""What the schema shows of an environment: itself, its settings, its members.

Law: every field is a function of a standing and of what the viewer may see; none decides anything.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from api.context import Context, Info
from api.enums import (
    EnvironmentKind,
    EnvironmentState,
    MailingAddresses,
    Permission,
    Section,
    SecurityRole,
    WarningCode,
)
from api.errors import ErrorCode, Problem
from api.nodes import Node, NodeId, When, node_id
from api.people import Principal
from domain.actor import NotPermitted
from domain.standing import Standing
from domain.switches import (
    APPOINTMENT_ATTACHMENTS,
    ASSIGNED_TASKS,
    MAILING_ADDRESSES,
    RESOURCE_BOOKINGS,
    Switches,
    value,
)
from domain.tab import TAB
from domain.warning import Warning as Consequence

if TYPE_CHECKING:
    from api.changes import Change

DEFAULTS = Switches()
TELLS_CHANGES = frozenset({Permission.READ_HISTORY, Permission.FOLLOW_FEED})


def require(context: Context, standing: Standing, *any_of: Permission) -> None:
    """FORBIDDEN, unless the viewer has one of these permissions in the environment as it is."""
    if context.permissions(standing.environment).isdisjoint(any_of):
        raise Problem(ErrorCode.FORBIDDEN, NotPermitted(needs=any_of[0]).message)


@strawberry.type(description="A consequence worth knowing. Those that must be acknowledged say so.")
class Warning:  # noqa: A001 -- the glossary's word
    code: WarningCode = strawberry.field(description="Which consequence.")
    message: str = strawberry.field(description="The consequence in words.")
    setting: str | None = strawberry.field(description="The key of the setting it is about.")
    must_be_acknowledged: bool = strawberry.field(
        description="Whether applying is refused until the code is acknowledged."
    )

    @classmethod
    def of(cls, consequence: Consequence) -> Self:
        return cls(
            code=consequence.code,
            message=consequence.message,
            setting=consequence.setting,
            must_be_acknowledged=consequence.must_be_acknowledged,
        )


@strawberry.interface(
    description="What a reader needs around every setting: what it is, whether it was changed, by "
    "whom, and what to know before touching it."
)
class Setting(Node):
    standing: strawberry.Private[Standing]
    when: strawberry.Private[When]
    setting: strawberry.Private[str]

    @strawberry.field(description="Opaque, and the same every time.")
    def id(self) -> strawberry.ID:
        return node_id("Setting", self.standing, self.when, self.setting)

    @strawberry.field(description="Its key, e.g. appointmentAttachments.")
    def key(self) -> str:
        return self.setting

    @strawberry.field(description="Where on the tab it stands.")
    def section(self) -> Section:
        return TAB[self.setting].section

    @strawberry.field(description="What the tab calls it.")
    def label(self) -> str:
        return TAB[self.setting].label

    @strawberry.field(description="What it does.")
    def description(self) -> str:
        return TAB[self.setting].description

    @strawberry.field(description="Whether it holds its default.")
    def is_default(self) -> bool:
        switches = self.standing.environment.switches
        return value(switches, self.setting) == value(DEFAULTS, self.setting)

    @strawberry.field(
        description="The change that made it what it is. Null while it was never changed, and for "
        "viewers with neither READ_HISTORY nor FOLLOW_FEED."
    )
    def last_change(self, info: Info) -> Annotated["Change", strawberry.lazy("api.changes")] | None:
        from api.changes import Change  # noqa: PLC0415 -- settings and changes show each other

        change = self.standing.last_changes.get(self.setting)
        rights = info.context.permissions(self.standing.environment)
        if change is None or rights.isdisjoint(TELLS_CHANGES):
            return None
        return Change(change=change, standing=self.standing)

    @strawberry.field(description="What to know before touching it.")
    def warnings(self) -> list[Warning]:
        return [Warning.of(warning) for warning in TAB[self.setting].warnings]


@strawberry.type(description="A setting that is on or off.")
class Switch(Setting):
    @strawberry.field(description="Whether it is on.")
    def enabled(self) -> bool:
        return value(self.standing.environment.switches, self.setting) == "true"

    @strawberry.field(description="Whether it is on where nobody changed it.")
    def enabled_by_default(self) -> bool:
        return value(DEFAULTS, self.setting) == "true"


@strawberry.type(description="Which addresses of an Outlook contact are synchronized.")
class MailingAddressesSetting(Setting):
    @strawberry.field(description="What was chosen.")
    def choice(self) -> MailingAddresses:
        return self.standing.environment.switches.mailing_addresses

    @strawberry.field(description="What holds where nobody chose.")
    def default_choice(self) -> MailingAddresses:
        return DEFAULTS.mailing_addresses


def setting(standing: Standing, when: When, key: str) -> Setting:
    """One setting of the tab by its key."""
    kind = MailingAddressesSetting if key == MAILING_ADDRESSES else Switch
    return kind(standing=standing, when=when, setting=key)


@strawberry.type(
    description="Everything on the Synchronization tab, for one environment, at one position."
)
class SynchronizationSettings(Node):
    standing: strawberry.Private[Standing]
    when: strawberry.Private[When]

    @strawberry.field(description="Opaque, and the same every time.")
    def id(self) -> strawberry.ID:
        return node_id("SynchronizationSettings", self.standing, self.when)

    @strawberry.field(description="Whose settings these are.")
    def environment(self, info: Info) -> "Environment":
        return now(self.standing, info)

    @strawberry.field(description="The position of the log that they are the sum of.")
    def position(self) -> int:
        return self.standing.position

    @strawberry.field(description="When the last change up to that position was recorded.")
    def as_of(self) -> datetime:
        return self.standing.as_of

    @strawberry.field(description="Synchronize appointment attachments.")
    def appointment_attachments(self) -> Switch:
        return self._switch(APPOINTMENT_ATTACHMENTS)

    @strawberry.field(description="Synchronize tasks that are assigned in Outlook.")
    def assigned_tasks(self) -> Switch:
        return self._switch(ASSIGNED_TASKS)

    @strawberry.field(description="Synchronize resource bookings.")
    def resource_bookings(self) -> Switch:
        return self._switch(RESOURCE_BOOKINGS)

    @strawberry.field(description="Which addresses of contacts are synchronized.")
    def mailing_addresses(self) -> MailingAddressesSetting:
        return MailingAddressesSetting(
            standing=self.standing, when=self.when, setting=MAILING_ADDRESSES
        )

    def _switch(self, key: str) -> Switch:
        return Switch(standing=self.standing, when=self.when, setting=key)


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

    @strawberry.field(description="The settings now. Needs READ_SETTINGS.")
    def settings(self, info: Info) -> SynchronizationSettings | None:
        require(info.context, self.standing, Permission.READ_SETTINGS)
        return settings_at(self.standing, info.context)

    @strawberry.field(
        description="Everyone with a role, by the time of their first. Needs READ_HISTORY or "
        "MANAGE_ROLES."
    )
    async def members(self, info: Info) -> list[Member] | None:
        require(info.context, self.standing, Permission.READ_HISTORY, Permission.MANAGE_ROLES)
        held = self.standing.environment.members
        known = await info.context.principals.load_many(held)
        return [
            Member(principal=Principal.of(each), roles=in_order(held[each.handle]))
            for each in known
        ]

    @strawberry.field(description="The viewer's roles here.")
    def viewer_roles(self, info: Info) -> list[SecurityRole]:
        return in_order(self.standing.environment.roles(info.context.actor.handle))

    @strawberry.field(description="What the viewer may do here.")
    def viewer_can(self, info: Info) -> list[Permission]:
        held = info.context.permissions(self.standing.environment)
        return [permission for permission in Permission if permission in held]


def now(standing: Standing, info: Info) -> Environment:
    """The environment of a standing, itself as it stands now, if the viewer may still see it."""
    tip = info.context.rooms.standings.tip(standing.environment.profile.key)
    latest = None if tip is None else tip.standing
    seen = latest is not None and info.context.permissions(latest.environment)
    return Environment(standing=latest if latest is not None and seen else standing)


def settings_at(standing: Standing, context: Context) -> SynchronizationSettings:
    """The settings at a standing: the present ones, unless the log has moved on."""
    tip = context.rooms.standings.tip(standing.environment.profile.key)
    present = tip is None or tip.position <= standing.position
    return SynchronizationSettings(standing=standing, when=When.NOW if present else When.THEN)


def in_order(roles: frozenset[SecurityRole]) -> list[SecurityRole]:
    return [role for role in SecurityRole if role in roles]
