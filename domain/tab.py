"""Where each setting stands on the Synchronization tab, and its words (seed page, restated).

Law: in the order of the tab; nothing is decided by it.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from domain import switches
from domain.field_mappings import DIRECTION_AFFECTS_SYNC_TIME, setting_of
from domain.filters import state
from domain.filters.catalogue import CATALOGUE
from domain.filters.consequences import standing_warnings
from domain.filters.state import FilterKind, Filters
from domain.mapping_table import MAPPINGS, NAMES, FieldMapping
from domain.warning import Warning  # noqa: A004 -- see domain/warning.py


class Section(StrEnum):
    SYSTEM_FILTERS = "SYSTEM_FILTERS"
    SYNCHRONIZED_FIELDS = "SYNCHRONIZED_FIELDS"
    OFFLINE_FILTERS = "OFFLINE_FILTERS"
    APPOINTMENTS = "APPOINTMENTS"
    CONTACTS = "CONTACTS"
    TASKS = "TASKS"
    RESOURCE_BOOKINGS = "RESOURCE_BOOKINGS"


class Place(NamedTuple):
    """`warnings`: what to know before touching the setting; of a filter, ask `warnings`."""

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
"""Every setting that there is everywhere, by its key, in the tab's order."""

SECTIONS = {
    FilterKind.ONLINE: Section.SYSTEM_FILTERS,
    FilterKind.OFFLINE: Section.OFFLINE_FILTERS,
}


def keys(filters: Filters) -> Iterator[str]:
    """Every setting of an environment with these filters, in the tab's order."""
    fields = [key for key, place in TAB.items() if place.section is Section.SYNCHRONIZED_FIELDS]
    yield from _keys_of_filters(filters, FilterKind.ONLINE)
    yield from fields
    yield from _keys_of_filters(filters, FilterKind.OFFLINE)
    yield from (key for key in TAB if key not in set(fields))


def _keys_of_filters(filters: Filters, kind: FilterKind) -> Iterator[str]:
    for each in filters.listed(kind=kind):
        yield state.setting_of(each.key)
    settings = (state.given_setting(kind, table) for table in CATALOGUE)
    yield from (setting for setting in settings if setting in filters.given)


def place(filters: Filters, key: str) -> Place | None:
    """Where a setting stands. None: the tab has no such setting."""
    if key.startswith(state.PREFIX):
        return _filter(filters, key.removeprefix(state.PREFIX))
    return _given(key) if key in filters.given else TAB.get(key)


def warnings(filters: Filters, key: str) -> tuple[Warning, ...]:
    """What to know before touching a setting of the tab. KeyError for a filter that is none."""
    if key.startswith(state.PREFIX):
        return standing_warnings(filters, filters.by_key[key.removeprefix(state.PREFIX)])
    return TAB[key].warnings if key in TAB else ()


def _filter(filters: Filters, key: str) -> Place | None:
    found = filters.by_key.get(key)
    if found is None:
        return None
    return Place(SECTIONS[found.kind], found.name, found.description, ())


def _given(key: str) -> Place:
    kind, table = key.removeprefix(state.GIVEN_PREFIX).split(":")
    about = CATALOGUE[table]
    return Place(
        SECTIONS[FilterKind(kind)],
        f"{about.label}: template given to new users",
        f"Whoever begins to synchronize gets a copy of it, as a filter of {about.plural.lower()} "
        "of their own. An inactive template is given to nobody.",
        (),
    )
