"""What the schema shows of the tab: everything on it, and any one setting of it.

Law: every field is a function of a standing and of what the viewer may see; none decides anything.
"""

from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.context import Context, Info
from api.enums import FilterKind, FilterRole, RecordType
from api.errors import bad_input
from api.filters import DefaultTemplate, SyncFilter
from api.nodes import Node, When, node_id
from api.settings import FieldMapping, MailingAddressesSetting, Setting, Switch
from api.sync_decisions import Asked, SyncDecision, sync_decisions
from api.sync_inputs import SyncItemInput, SyncUserInput
from domain import field_mappings
from domain.filters import state
from domain.filters.catalogue import CATALOGUE
from domain.mapping_table import TABLES
from domain.standing import Standing
from domain.switches import (
    APPOINTMENT_ATTACHMENTS,
    ASSIGNED_TASKS,
    MAILING_ADDRESSES,
    RESOURCE_BOOKINGS,
)
from domain.tab import TAB, keys, place

if TYPE_CHECKING:
    from api.environments import Environment


def setting(standing: Standing, when: When, key: str) -> Setting:
    """One setting of the tab by its key."""
    kind: type[Setting] = Switch
    if key == MAILING_ADDRESSES:
        kind = MailingAddressesSetting
    elif key.startswith(field_mappings.PREFIX):
        kind = FieldMapping
    elif key.startswith(state.PREFIX):
        kind = SyncFilter
    elif key.startswith(state.GIVEN_PREFIX):
        kind = DefaultTemplate
    return kind(standing=standing, when=when, setting=key)


def _near(filters: state.Filters, key: str) -> list[str]:
    """Settings of the tab that are called much like it."""
    if key.startswith(state.PREFIX):
        return [state.setting_of(each) for each in filters.near(key.removeprefix(state.PREFIX))]
    return get_close_matches(key, [*TAB, *filters.given], n=3)


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
        description="Filters that apply to everybody, with the filters of each user: together they "
        "choose what travels."
    )
    def system_filters(
        self,
        kind: Annotated[
            FilterKind | None, strawberry.argument(description="Only those of this kind.")
        ] = None,
        record_type: Annotated[
            RecordType | None, strawberry.argument(description="Only those of this record type.")
        ] = None,
    ) -> list[SyncFilter]:
        return self._filters(FilterRole.SYSTEM_FILTER, kind, record_type)

    @strawberry.field(description="Templates, of which users get copies as filters of their own.")
    def filter_templates(
        self,
        kind: Annotated[
            FilterKind | None, strawberry.argument(description="Only those of this kind.")
        ] = None,
        record_type: Annotated[
            RecordType | None, strawberry.argument(description="Only those of this record type.")
        ] = None,
    ) -> list[SyncFilter]:
        return self._filters(FilterRole.USER_FILTER_TEMPLATE, kind, record_type)

    @strawberry.field(
        name="setting",
        description="Any one setting by its key. A key that the tab does not have is an error.",
    )
    def one(
        self,
        key: Annotated[str, strawberry.argument(description="E.g. fieldMapping:contact.notes.")],
    ) -> Setting | None:
        filters = self.standing.environment.filters
        if place(filters, key) is None:
            near = _near(filters, key)
            help_ = f"Did you mean {' or '.join(near)}?" if near else "`all` lists them."
            raise bad_input(f"The tab has no setting {key[:80]!r}. {help_}")
        return setting(self.standing, self.when, key)

    @strawberry.field(description="Every setting, in the order of the tab.")
    def all(self) -> list[Setting]:
        filters = self.standing.environment.filters
        return [setting(self.standing, self.when, key) for key in keys(filters)]

    @strawberry.field(
        description="What a sync worker does with each item under these settings, and why. At "
        "most 100. An item that cannot be is null, and an error tells why; the others are decided."
    )
    def sync_decisions(
        self,
        info: Info,
        items: Annotated[
            list[SyncItemInput], strawberry.argument(description="The items, at most 100.")
        ],
        user: Annotated[
            SyncUserInput, strawberry.argument(description="Whose mailbox is synchronized.")
        ],
        now: Annotated[
            datetime | None,
            strawberry.argument(description="When, for relative dates; now when left out."),
        ] = None,
    ) -> list[SyncDecision | None]:
        asked = Asked(items, user, now)
        # What is an error becomes one, at its place.
        return sync_decisions(self.standing, self.when, asked, info.context)  # type: ignore[return-value]

    def _filters(
        self, role: FilterRole, kind: FilterKind | None, record_type: RecordType | None
    ) -> list[SyncFilter]:
        tables = CATALOGUE if record_type is None else {TABLES[record_type]}
        found = self.standing.environment.filters.listed(role, kind, tables)
        return [
            SyncFilter(standing=self.standing, when=self.when, setting=state.setting_of(each.key))
            for each in found
        ]

    def _switch(self, key: str) -> Switch:
        return Switch(standing=self.standing, when=self.when, setting=key)


def settings_at(standing: Standing, context: Context) -> SynchronizationSettings:
    """The settings at a standing: the present ones, unless the log has moved on."""
    tip = context.rooms.standings.tip(standing.environment.profile.key)
    present = tip is None or tip.position <= standing.position
    return SynchronizationSettings(standing=standing, when=When.NOW if present else When.THEN)
