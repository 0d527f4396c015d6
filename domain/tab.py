"""Where each setting stands on the Synchronization tab, and its words (seed page, restated).

Law: data in the order of the tab; nothing is decided by it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from domain import switches
from domain.field_mappings import DIRECTION_AFFECTS_SYNC_TIME, setting_of
from domain.mapping_table import MAPPINGS, NAMES, FieldMapping
from domain.warning import Warning  # noqa: A004 -- see domain/warning.py


class Section(StrEnum):
    SYNCHRONIZED_FIELDS = "SYNCHRONIZED_FIELDS"
    APPOINTMENTS = "APPOINTMENTS"
    CONTACTS = "CONTACTS"
    TASKS = "TASKS"
    RESOURCE_BOOKINGS = "RESOURCE_BOOKINGS"


class Place(NamedTuple):
    """`warnings`: what to know before touching the setting."""

    section: Section
    label: str
    description: str
    warnings: tuple[Warning, ...]


def _field(mapping: FieldMapping) -> Place:
    pair = mapping.outlook
    if mapping.crm != mapping.outlook:
        pair = f"{mapping.outlook} ↔ {mapping.crm}"
    pairing = (
        f"Pairs {', '.join(mapping.outlook_fields)} in Outlook with "
        f"{', '.join(mapping.crm_fields)} in Dynamics."
    )
    return Place(
        Section.SYNCHRONIZED_FIELDS,
        f"{NAMES[mapping.record_type]}: {pair}",
        f"{pairing} {mapping.note}".strip(),
        (DIRECTION_AFFECTS_SYNC_TIME,) if mapping.settable else (),
    )


TAB: Mapping[str, Place] = {
    **{setting_of(mapping.key): _field(mapping) for mapping in MAPPINGS.values()},
    switches.APPOINTMENT_ATTACHMENTS: Place(
        Section.APPOINTMENTS,
        "Synchronize appointment attachments with Outlook or Exchange",
        "Attachments of appointments travel both ways. Off by default, since they take up "
        "database space; never for recurring appointments and service activities.",
        (
            switches.ATTACHMENTS_USE_DATABASE_SPACE,
            switches.ATTACHMENTS_SKIP_RECURRING_AND_SERVICE,
        ),
    ),
    switches.MAILING_ADDRESSES: Place(
        Section.CONTACTS,
        "Addresses synchronized in Outlook contacts",
        "The mailing address only, which is enough for most organizations, or all three: "
        "Business, Home and Other.",
        (switches.ADDRESSES_CAN_LOSE_DATA, switches.ADDRESSES_ARE_PAIRED_BACK),
    ),
    switches.ASSIGNED_TASKS: Place(
        Section.TASKS,
        "Synchronize tasks that are assigned in Outlook",
        "Tasks that somebody assigns to others in Outlook are synchronized too. Off by default, "
        "since tasks are usually assigned by changing their owner.",
        (switches.ASSIGNED_TASKS_HAVE_LIMITS,),
    ),
    switches.RESOURCE_BOOKINGS: Place(
        Section.RESOURCE_BOOKINGS,
        "Synchronize resource bookings with Outlook",
        "Bookings of Field Service resources appear in their calendars. Off by default.",
        (switches.BOOKINGS_NEED_USER_OPT_IN,),
    ),
}
"""Every setting of the tab by its key, in the tab's order."""
