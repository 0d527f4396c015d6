"""What clients send about items to synchronize, and what it stands for in the domain.

Law: what was left out of an item is not known; what cannot be meant is refused with its place.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import strawberry

from api.context import Context
from api.enums import SyncItemType
from api.errors import bad_input
from api.filter_inputs import FilterCriteriaInput
from domain.filters.checking import NAME
from domain.filters.commands import Asked, size
from domain.filters.criteria import Criteria
from domain.filters.lifecycle import stored
from domain.filters.problem import LONGEST, Problem, shown
from domain.filters.records import Columns, Record
from domain.filters.refusals import TableNotSynchronized
from domain.filters.state import FilterKind, fits, understood
from domain.filters.values import identifier
from domain.mapping_table import MAPPINGS, TABLES
from domain.sync_items import Assignment, Item, User

MOST_ITEMS = 100
MOST_OWN_FILTERS = 50
MOST_PROBLEMS = 3
"""Of one filter that are told at once."""
SECURABLE = frozenset(
    f"{TABLES[mapping.record_type]}.{column}"
    for mapping in MAPPINGS.values()
    for column in mapping.crm_fields
)
"""Columns that a field mapping writes."""


@contextmanager
def placed(where: str) -> Iterator[None]:
    """A mistake of the asker's is told with its place, as BAD_USER_INPUT."""
    try:
        yield
    except ValueError as error:
        raise bad_input(f"{where}: {error}") from error


@strawberry.input(description="A column of a record and what it holds.")
class ColumnValueInput:
    column: str = strawberry.field(description="The logical name of the column.")
    value: str | None = strawberry.field(default=None, description="As text; null for empty.")


@strawberry.input(description="Records of another table that are related.")
class RelatedTableInput:
    table: str = strawberry.field(description="The logical name of the table.")
    records: list[list[ColumnValueInput]] = strawberry.field(
        description="All of them; an empty list for none."
    )


@strawberry.input(
    description="How a task was assigned in Outlook. What is left out or null is not known."
)
class TaskAssignmentInput:
    recurring: bool | None = strawberry.field(default=None, description="Whether it recurs.")
    recipients: int | None = strawberry.field(
        default=None, description="To how many people it went."
    )
    same_organization: bool | None = strawberry.field(
        default=None, description="Whether who assigns and who gets it are of one organization."
    )
    keeps_updated_copy: bool | None = strawberry.field(
        default=None, description="Whether an updated copy is kept."
    )
    reports_status: bool | None = strawberry.field(
        default=None, description="Whether a status report was asked for."
    )
    tracked_offline: bool | None = strawberry.field(
        default=None, description="Whether it was tracked while offline."
    )

    @property
    def assignment(self) -> Assignment:
        return Assignment(
            recurring=self.recurring,
            recipients=self.recipients,
            same_organization=self.same_organization,
            keeps_updated_copy=self.keeps_updated_copy,
            reports_status=self.reports_status,
            tracked_offline=self.tracked_offline,
        )


@strawberry.input(description="An item that a sync worker has at hand.")
class SyncItemInput:
    type: SyncItemType = strawberry.field(description="What it is.")
    columns: list[ColumnValueInput] = strawberry.field(
        default_factory=list,
        description="Values by column, to match filters against. A column left out is unknown, "
        "not empty.",
    )
    related: list[RelatedTableInput] = strawberry.field(
        default_factory=list,
        description="Related records that filters may link to, e.g. the activity parties of an "
        "appointment. A table left out is unknown.",
    )
    has_attachments: bool = strawberry.field(
        default=False, description="Whether it has attachments."
    )
    assigned_in_outlook: bool = strawberry.field(
        default=False, description="Whether it is a task that somebody assigned in Outlook."
    )
    assignment: TaskAssignmentInput | None = strawberry.field(
        default=None, description="How it was assigned, where it is assigned in Outlook."
    )
    linked: bool = strawberry.field(
        default=False,
        description="Already linked to an item on the other side, or tracked from Outlook.",
    )

    @property
    def item(self) -> Item:
        """ValueError for what cannot be."""
        if self.assignment is not None and not self.assigned_in_outlook:
            raise ValueError("`assignment` is of what is `assignedInOutlook`.")
        return Item(
            type=self.type,
            record=Record(columns=_columns(self.columns, "columns"), related=self._related()),
            linked=self.linked,
            has_attachments=self.has_attachments,
            assignment=self._assignment() if self.assigned_in_outlook else None,
        )

    def _assignment(self) -> Assignment:
        return Assignment() if self.assignment is None else self.assignment.assignment

    def _related(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for index, each in enumerate(self.related):
            if each.table in found:
                raise ValueError(f"`related` has {shown(each.table)} more than once.")
            _named(each.table, "related")
            where = f"related[{index}].records"
            found[each.table] = [
                Record(columns=_columns(columns, f"{where}[{at}]"))
                for at, columns in enumerate(each.records)
            ]
        return found


@strawberry.input(description="A filter of a user's own, which is active.")
class UserFilterInput:
    table: str = strawberry.field(description="The logical name of the table, e.g. contact.")
    criteria: FilterCriteriaInput = strawberry.field(description="What it chooses.")


@strawberry.input(description="The user whose mailbox is synchronized.")
class SyncUserInput:
    id: str = strawberry.field(description="The user's id in Dynamics, a UUID.")
    teams: list[str] = strawberry.field(
        default_factory=list, description="The ids of the user's teams."
    )
    business_unit: str | None = strawberry.field(
        default=None, description="The id of the user's business unit; null for not known."
    )
    time_zone: str = strawberry.field(
        default="UTC", description="A name of the IANA database, e.g. Europe/Berlin."
    )
    language: int | None = strawberry.field(
        default=None, description="The number of the user's language, e.g. 1033."
    )
    own_filters: list[UserFilterInput] | None = strawberry.field(
        default=None,
        description="The user's own active filters. Null: the user holds copies of the templates "
        "now given to new users.",
    )
    booking_opt_in: bool = strawberry.field(
        default=False, description="Whether the user lets bookings be synchronized."
    )
    server_side_synchronization: bool = strawberry.field(
        default=True, description="Whether the mailbox uses server-side synchronization."
    )
    allows_company: bool = strawberry.field(
        default=False,
        description="Whether the user lets the company in Outlook be set (synccontactcompany).",
    )
    unreadable_columns: list[str] = strawberry.field(
        default_factory=list,
        description="Columns that the user may not read, with their table, e.g. "
        "contact.governmentid.",
    )
    locked_columns: list[str] = strawberry.field(
        default_factory=list, description="Columns that the user may not update, likewise."
    )

    def user(self, context: Context) -> User:
        """BAD_USER_INPUT for what cannot be. Criteria count as read."""
        unit, own = self.business_unit, self.own_filters
        return User(
            id=_identifier(self.id, "user.id"),
            teams=frozenset(
                _identifier(each, f"user.teams[{at}]") for at, each in enumerate(self.teams)
            ),
            business_unit=None if unit is None else _identifier(unit, "user.businessUnit"),
            language=self.language,
            zone=_zone(self.time_zone),
            own_filters=None if own is None else tuple(_criteria(own, context)),
            booking_opt_in=self.booking_opt_in,
            server_side_synchronization=self.server_side_synchronization,
            allows_company=self.allows_company,
            unreadable=_securable(self.unreadable_columns, "user.unreadableColumns"),
            locked=_securable(self.locked_columns, "user.lockedColumns"),
        )


def _named(name: str, where: str) -> str:
    """A logical name. ValueError for what is none, such as one with capitals."""
    if NAME.fullmatch(name) is None:
        help_ = "Logical names are small letters, digits and underscores."
        raise ValueError(f"`{where}` has {shown(name)}, which names nothing. {help_}")
    return name


def _columns(given: Iterable[ColumnValueInput], where: str) -> Columns:
    found: dict[str, str | None] = {}
    for each in given:
        _named(each.column, where)
        if each.column in found:
            raise ValueError(f"`{where}` has {shown(each.column)} more than once.")
        found[each.column] = each.value
    return found


def _identifier(text: str, where: str) -> str:
    try:
        return identifier(text)
    except ValueError as error:
        raise bad_input(f"{where} is {error}, not {shown(text)}.") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = "Name one of the IANA database, e.g. Europe/Berlin."
        raise bad_input(f"user.timeZone: There is no zone {shown(name)}. {known}") from None


def _criteria(own: list[UserFilterInput], context: Context) -> Iterator[Criteria]:
    if len(own) > MOST_OWN_FILTERS:
        raise bad_input(f"user.ownFilters: At most {MOST_OWN_FILTERS} here, not {len(own)}.")
    for index, each in enumerate(own):
        asked = each.criteria.asked
        context.weigh(size(asked))
        with placed(f"user.ownFilters[{index}]"):
            criteria = _understood(asked, each.table)
        yield criteria


def _understood(asked: Asked, table: str) -> Criteria:
    """ValueError for what no filter could be."""
    if not fits(table, FilterKind.ONLINE):
        raise ValueError(TableNotSynchronized(table=table, kind=FilterKind.ONLINE).message)
    text = stored(asked, table)
    if isinstance(text, str):
        return understood(text)
    raise ValueError(_told(text))


def _told(problems: Sequence[Problem]) -> str:
    """The first few."""
    told = [f"{each.path}: {each.message}" for each in problems[:MOST_PROBLEMS]]
    more = len(problems) - len(told)
    return " ".join([*told, *([f"And {more} more."] if more else [])])


def _securable(columns: list[str], where: str) -> frozenset[str]:
    for index, each in enumerate(columns):
        if each not in SECURABLE:
            near = get_close_matches(each, SECURABLE, n=3) if len(each) < LONGEST else []
            help_ = f"Did you mean {' or '.join(near)}?" if near else "Name it as table.column."
            told = f"{where}[{index}]: No field mapping writes a column {shown(each)}. {help_}"
            raise bad_input(told)
    return frozenset(columns)
