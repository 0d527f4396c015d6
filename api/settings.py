"""What the schema shows of the tab: its settings, one by one and all together.

Law: every field is a function of a standing and of what the viewer may see; none decides anything.
"""

from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from api.context import Context, Info
from api.enums import (
    MailingAddresses,
    Permission,
    RecordType,
    Section,
    SyncDirection,
    WarningCode,
)
from api.errors import bad_input
from api.nodes import Node, When, node_id
from domain import field_mappings, mapping_table
from domain.environment import default, value
from domain.standing import Standing
from domain.switches import (
    APPOINTMENT_ATTACHMENTS,
    ASSIGNED_TASKS,
    MAILING_ADDRESSES,
    RESOURCE_BOOKINGS,
    Switches,
)
from domain.tab import TAB
from domain.warning import Warning as Consequence

if TYPE_CHECKING:
    from api.changes import Change
    from api.environments import Environment

TELLS_CHANGES = frozenset({Permission.READ_HISTORY, Permission.FOLLOW_FEED})


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
        return value(self.standing.environment, self.setting) == default(self.setting)

    @strawberry.field(
        description="The change that made it what it is. Null while it was never changed, and for "
        "viewers with neither READ_HISTORY nor FOLLOW_FEED."
    )
    def last_change(self, info: Info) -> Annotated["Change", strawberry.lazy("api.changes")] | None:
        from api.changes import Change  # noqa: PLC0415 -- settings and changes show each other

        change = self.standing.last_changes.get(self.setting)
        rights = info.context.permissions(self.standing)
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
        return value(self.standing.environment, self.setting) == "true"

    @strawberry.field(description="Whether it is on where nobody changed it.")
    def enabled_by_default(self) -> bool:
        return default(self.setting) == "true"


@strawberry.type(description="Which addresses of an Outlook contact are synchronized.")
class MailingAddressesSetting(Setting):
    @strawberry.field(description="What was chosen.")
    def choice(self) -> MailingAddresses:
        return self.standing.environment.switches.mailing_addresses

    @strawberry.field(description="What holds where nobody chose.")
    def default_choice(self) -> MailingAddresses:
        return MailingAddresses(default(self.setting))


@strawberry.type(
    description="A pair of fields, and which side of it is written. What a worker does can differ "
    "from what was chosen."
)
class FieldMapping(Setting):
    @property
    def _row(self) -> mapping_table.FieldMapping:
        return mapping_table.MAPPINGS[self.setting.removeprefix(field_mappings.PREFIX)]

    @property
    def _directions(self) -> field_mappings.Directions:
        return self.standing.environment.directions

    @property
    def _switches(self) -> Switches:
        return self.standing.environment.switches

    @strawberry.field(description="Its own key, e.g. contact.notes.")
    def mapping(self) -> str:
        return self._row.key

    @strawberry.field(description="What is synchronized.")
    def record_type(self) -> RecordType:
        return self._row.record_type

    @strawberry.field(
        description="Outlook's properties. The address switch re-pairs the first address."
    )
    def outlook_fields(self) -> list[str]:
        return list(field_mappings.outlook_fields(self._switches, self._row))

    @strawberry.field(description="Columns of the table in Dynamics.")
    def crm_fields(self) -> list[str]:
        return list(self._row.crm_fields)

    @strawberry.field(description="What an administrator chose.")
    def direction(self) -> SyncDirection:
        return field_mappings.configured(self._directions, self._row)

    @strawberry.field(description="What holds where nobody chose.")
    def default_direction(self) -> SyncDirection:
        return self._row.default

    @strawberry.field(description="What can be chosen. Empty where it is fixed.")
    def settable_directions(self) -> list[SyncDirection]:
        return list(SyncDirection) if self._row.settable else []

    @strawberry.field(description="What a sync worker does, other settings considered.")
    def effective_direction(self) -> SyncDirection:
        return field_mappings.effective(self._directions, self._switches, self._row)

    @strawberry.field(
        description="Why the effective direction differs from the chosen one, or why it cannot be "
        "chosen."
    )
    def explanation(self) -> str | None:
        return field_mappings.explanation(self._directions, self._switches, self._row)

    @strawberry.field(description="Whether it is computed from other columns.")
    def computed(self) -> bool:
        return self._row.computed


def setting(standing: Standing, when: When, key: str) -> Setting:
    """One setting of the tab by its key."""
    kind: type[Setting] = Switch
    if key == MAILING_ADDRESSES:
        kind = MailingAddressesSetting
    elif key.startswith(field_mappings.PREFIX):
        kind = FieldMapping
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
    def environment(
        self, info: Info
    ) -> Annotated["Environment", strawberry.lazy("api.environments")]:
        from api.environments import now  # noqa: PLC0415 -- both show each other

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

    @strawberry.field(description="Which fields are synchronized, in the order of the tab.")
    def field_mappings(
        self,
        record_type: Annotated[
            RecordType | None, strawberry.argument(description="Only those of this record type.")
        ] = None,
        settable_only: Annotated[
            bool, strawberry.argument(description="Only those whose direction can be chosen.")
        ] = False,
    ) -> list[FieldMapping]:
        return [
            FieldMapping(
                standing=self.standing,
                when=self.when,
                setting=field_mappings.setting_of(mapping.key),
            )
            for mapping in field_mappings.mappings(record_type)
            if mapping.settable or not settable_only
        ]

    @strawberry.field(
        name="setting",
        description="Any one setting by its key. A key that the tab does not have is an error.",
    )
    def one(
        self,
        key: Annotated[str, strawberry.argument(description="E.g. fieldMapping:contact.notes.")],
    ) -> Setting | None:
        if key not in TAB:
            near = get_close_matches(key, TAB, n=3)
            help_ = f"Did you mean {' or '.join(near)}?" if near else "`all` lists them."
            raise bad_input(f"The tab has no setting {key[:80]!r}. {help_}")
        return setting(self.standing, self.when, key)

    @strawberry.field(description="Every setting, in the order of the tab.")
    def all(self) -> list[Setting]:
        return [setting(self.standing, self.when, key) for key in TAB]

    def _switch(self, key: str) -> Switch:
        return Switch(standing=self.standing, when=self.when, setting=key)


def settings_at(standing: Standing, context: Context) -> SynchronizationSettings:
    """The settings at a standing: the present ones, unless the log has moved on."""
    tip = context.rooms.standings.tip(standing.environment.profile.key)
    present = tip is None or tip.position <= standing.position
    return SynchronizationSettings(standing=standing, when=When.NOW if present else When.THEN)
