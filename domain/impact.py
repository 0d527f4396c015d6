"""What starts and stops travelling between two states of an environment, by the sync rules.

Law: a function of the two states; what comes to the same is not told. Users' own filters are not
known here, so what stops may still travel by one of those.
"""

from collections.abc import Iterator
from typing import NamedTuple

from domain import field_mappings
from domain.environment import Environment
from domain.filters.catalogue import CATALOGUE, RECORD_TYPES
from domain.filters.differences import alike
from domain.filters.state import FilterKind, Filters
from domain.filters.words import sentence
from domain.mapping_table import FieldMapping, RecordType, SyncDirection
from domain.switches import MailingAddresses, Switches

SIDES = {
    SyncDirection.NONE: frozenset[str](),
    SyncDirection.TO_EXCHANGE: frozenset({"to Exchange"}),
    SyncDirection.TO_CRM: frozenset({"to Dynamics"}),
    SyncDirection.BOTH: frozenset({"to Exchange", "to Dynamics"}),
}


ADDRESS_CLASSES = (
    (
        "Safe are tracked contacts whose mailing address in Outlook is the business one and equals "
        "Address 1, and whose home and other addresses equal Address 2 and 3, or are empty too."
    ),
    "Filled are those where an address meets an empty one, and the one that is not is written.",
    (
        "Overwritten are those where two different addresses meet, as where the mailing address "
        "was the home or the other one, and Address 1 now meets the business one: the later "
        "change wins."
    ),
    "Emptied are those where an address meets an empty one, and the empty one is written.",
)
"""What becomes of a tracked contact by all three addresses (domain reference 4.6)."""


class Impact(NamedTuple):
    """`record_type`: None for what is of none, as bookings and accounts carried offline."""

    record_type: RecordType | None
    message: str


def impact(before: Environment, after: Environment) -> tuple[Impact, ...]:
    """Records first, in the order of the catalogue, then fields in the order of the tab."""
    return (
        *_of_filters(before, after),
        *_of_switches(before.switches, after.switches),
        *_of_fields(before, after),
    )


def _of_filters(before: Environment, after: Environment) -> Iterator[Impact]:
    if before.filters == after.filters:
        return
    for table in CATALOGUE:
        record_type = RECORD_TYPES.get(table)
        for kind in FilterKind:
            for message in _of_table(before.filters, after.filters, kind, table):
                carried = "" if kind is FilterKind.ONLINE else "Offline: "
                yield Impact(record_type, f"{carried}{message}")


def _of_table(before: Filters, after: Filters, kind: FilterKind, table: str) -> Iterator[str]:
    was = {each.key: each for each in before.active(kind, table)}
    now = {each.key: each for each in after.active(kind, table)}
    for key, each in now.items():
        if key not in was:
            yield f"“{each.name}” starts choosing records. {sentence(each.criteria)}."
        elif not alike(was[key].criteria, each.criteria):
            yield (
                f"“{each.name}” chooses by other criteria. Until now: "
                f"{sentence(was[key].criteria)}. From now on: {sentence(each.criteria)}."
            )
    for key, each in was.items():
        if key not in now:
            yield (
                f"“{each.name}” stops choosing records. {sentence(each.criteria)}, unless another "
                "active filter chooses them."
            )
    if was and not now:
        plural = CATALOGUE[table].plural
        yield f"{plural} travel only for users who have an active filter of their own."
    one, other = before.offered(kind, table), after.offered(kind, table)
    if other is not None and (one is None or not alike(one.criteria, other.criteria)):
        yield f"New users get “{other.name}”. {sentence(other.criteria)}."
    if one is not None and other is None:
        yield f"New users get no template any longer; “{one.name}” was given to them."


def _of_switches(before: Switches, after: Switches) -> Iterator[Impact]:
    if after.assigned_tasks != before.assigned_tasks:
        verb = _verb(on=after.assigned_tasks)
        told = f"Tasks assigned in Outlook {verb} travelling, within the limits of such tasks."
        yield Impact(RecordType.TASK, told)
    if after.resource_bookings != before.resource_bookings:
        verb = _verb(on=after.resource_bookings)
        told = (
            f"Bookings {verb} travelling to the calendars of users who have opted in and whose "
            "mailbox uses server-side synchronization."
        )
        yield Impact(None, told)
    if after.mailing_addresses is not before.mailing_addresses:
        three = after.mailing_addresses is MailingAddresses.ALL_THREE
        yield from (Impact(RecordType.CONTACT, told) for told in ADDRESS_CLASSES if three)


def _verb(*, on: bool) -> str:
    return "start" if on else "stop"


def _of_fields(before: Environment, after: Environment) -> Iterator[Impact]:
    if (before.directions, before.switches) == (after.directions, after.switches):
        return
    for mapping in field_mappings.mappings():
        was, now = _sides(before, mapping), _sides(after, mapping)
        starts, stops = sorted(now - was), sorted(was - now)
        told = [f"starts travelling {' and '.join(starts)}"] if starts else []
        told += [f"stops travelling {' and '.join(stops)}"] if stops else []
        paired = field_mappings.outlook_fields(after.switches, mapping)
        if now and paired != field_mappings.outlook_fields(before.switches, mapping):
            told.append(f"is paired with {', '.join(paired)} in Outlook")
        if told:
            yield Impact(mapping.record_type, f"{mapping.outlook}: {', '.join(told)}.")


def _sides(environment: Environment, mapping: FieldMapping) -> frozenset[str]:
    return SIDES[field_mappings.effective(environment.directions, environment.switches, mapping)]
