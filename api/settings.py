"""What the schema shows of single settings: switches, the addresses' choice, field mappings.

Law: every field is a function of a standing and of what the viewer may see; none decides anything.
"""

from typing import TYPE_CHECKING, Annotated

import strawberry

from api.consequences import (
    Warning,  # noqa: A004 -- the glossary's word
)
from api.context import Info
from api.enums import (
    MailingAddresses,
    Permission,
    RecordType,
    Section,
    SyncDirection,
)
from api.nodes import Node, When, node_id
from domain import field_mappings, mapping_table
from domain.environment import default, is_default, value
from domain.standing import Standing
from domain.switches import (
    Switches,
)
from domain.tab import Place, place, warnings

if TYPE_CHECKING:
    from api.changes import Change

TELLS_CHANGES = frozenset({Permission.READ_HISTORY, Permission.FOLLOW_FEED})


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

    @property
    def _place(self) -> Place:
        found = place(self.standing.environment.filters, self.setting)
        if found is None:
            raise LookupError(f"The tab has no setting {self.setting!r}.")
        return found

    @strawberry.field(description="Where on the tab it stands.")
    def section(self) -> Section:
        return self._place.section

    @strawberry.field(description="What the tab calls it; of a filter, its name.")
    def label(self) -> str:
        return self._place.label

    @strawberry.field(
        description="What it does; of a filter, what it was described as, which may be nothing."
    )
    def description(self) -> str:
        return self._place.description

    @strawberry.field(description="Whether it holds its default.")
    def is_default(self) -> bool:
        return is_default(self.standing.environment, self.setting)

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
    def warnings(self, info: Info) -> list[Warning]:
        environment = self.standing.environment
        info.context.weigh(len(value(environment, self.setting) or ""))
        return [Warning.of(each) for each in warnings(environment.filters, self.setting)]


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
        return Switches().mailing_addresses


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
