"""What a sync worker asks about: an item, and the user whose mailbox it is in.

Law: what was left out of a record or of an assignment is not known, and is never taken for a no.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import StrEnum

from domain.filters.catalogue import RECORD_TYPES
from domain.filters.criteria import Criteria
from domain.filters.records import Record
from domain.mapping_table import RecordType


class SyncItemType(StrEnum):
    """The record types, and what has no fields and no filters."""

    APPOINTMENT = "APPOINTMENT"
    CONTACT = "CONTACT"
    FAX = "FAX"
    LETTER = "LETTER"
    PHONE_CALL = "PHONE_CALL"
    RECURRING_APPOINTMENT = "RECURRING_APPOINTMENT"
    SERVICE_ACTIVITY = "SERVICE_ACTIVITY"
    TASK = "TASK"
    RESOURCE_BOOKING = "RESOURCE_BOOKING"


BECOME_TASKS = frozenset(
    {SyncItemType.FAX, SyncItemType.LETTER, SyncItemType.PHONE_CALL, SyncItemType.TASK}
)
"""What is a task in Exchange (domain reference 4.5)."""
_TABLES: Mapping[SyncItemType, str] = {
    **{SyncItemType(record_type.value): table for table, record_type in RECORD_TYPES.items()},
    SyncItemType.RESOURCE_BOOKING: "bookableresourcebooking",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """How a task was assigned in Outlook (domain reference 4.7). None: not known.

    ValueError for fewer people than one.
    """

    recurring: bool | None = None
    recipients: int | None = None
    same_organization: bool | None = None
    keeps_updated_copy: bool | None = None
    reports_status: bool | None = None
    tracked_offline: bool | None = None

    def __post_init__(self) -> None:
        if self.recipients is not None and self.recipients < 1:
            raise ValueError(f"A task is assigned to one person or more, not to {self.recipients}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """`linked`: to an item of the other side, or tracked from Outlook.

    `assignment`: of what was assigned in Outlook. ValueError for what cannot be assigned there.
    """

    type: SyncItemType
    record: Record
    linked: bool = False
    has_attachments: bool = False
    assignment: Assignment | None = None

    def __post_init__(self) -> None:
        if self.assignment is not None and self.type not in BECOME_TASKS:
            kinds = ", ".join(sorted(BECOME_TASKS))
            raise ValueError(f"Only {kinds} can be assigned in Outlook, not {self.type}.")

    @property
    def table(self) -> str:
        """The logical name of its table."""
        return _TABLES[self.type]

    @property
    def record_type(self) -> RecordType | None:
        """None for a booking, which is of none."""
        return None if self.type is SyncItemType.RESOURCE_BOOKING else RecordType(self.type.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whose mailbox is synchronized. Ids are UUIDs.

    `own_filters`: the active ones; None where they are not told. `allows_company`: the option
    `synccontactcompany`. `unreadable`, `locked`: columns that the user may not read, or not
    update, as `table.column`.
    """

    id: str
    teams: frozenset[str] = frozenset()
    business_unit: str | None = None
    language: int | None = None
    zone: tzinfo = UTC
    own_filters: tuple[Criteria, ...] | None = None
    booking_opt_in: bool = False
    server_side_synchronization: bool = True
    allows_company: bool = False
    unreadable: frozenset[str] = frozenset()
    locked: frozenset[str] = frozenset()
