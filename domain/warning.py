"""Consequences worth knowing before a change, by code.

Law: a warning never stops anything by itself; the topic that demands an acknowledgement refuses
until its code is given, and records it in the event.
"""

from dataclasses import dataclass
from enum import StrEnum


class WarningCode(StrEnum):
    ADDRESSES_CAN_LOSE_DATA = "ADDRESSES_CAN_LOSE_DATA"
    ADDRESSES_ARE_PAIRED_BACK = "ADDRESSES_ARE_PAIRED_BACK"
    ATTACHMENTS_USE_DATABASE_SPACE = "ATTACHMENTS_USE_DATABASE_SPACE"
    ATTACHMENTS_SKIP_RECURRING_AND_SERVICE = "ATTACHMENTS_SKIP_RECURRING_AND_SERVICE"
    ASSIGNED_TASKS_HAVE_LIMITS = "ASSIGNED_TASKS_HAVE_LIMITS"
    BOOKINGS_NEED_USER_OPT_IN = "BOOKINGS_NEED_USER_OPT_IN"
    DIRECTION_AFFECTS_SYNC_TIME = "DIRECTION_AFFECTS_SYNC_TIME"
    LAST_ACTIVE_FILTER = "LAST_ACTIVE_FILTER"
    TEMPLATE_COPIES_STAY = "TEMPLATE_COPIES_STAY"
    TEMPLATE_IS_INACTIVE = "TEMPLATE_IS_INACTIVE"
    UNVERIFIED_COLUMN = "UNVERIFIED_COLUMN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:  # noqa: A001 -- the glossary's word; nothing here raises or filters Python warnings
    """`setting` is the key of the setting it is about; None for a warning about many."""

    code: WarningCode
    message: str
    setting: str | None
    must_be_acknowledged: bool = False
