"""What starts and stops travelling between two states of an environment, per record type.

Law: a function of the two states; what comes to the same is not told. Users' own filters are not
known here, so what stops may still travel by one of those.
"""

from collections.abc import Iterator
from typing import NamedTuple

from domain import field_mappings
from domain.environment import Environment
from domain.filters.catalogue import CATALOGUE, RECORD_TYPES
from domain.filters.differences import alike
from domain.filters.state import Filter, FilterKind, Filters, given_setting
from domain.filters.words import sentence
from domain.mapping_table import FieldMapping, RecordType, SyncDirection

SIDES = {
    SyncDirection.NONE: frozenset[str](),
    SyncDirection.TO_EXCHANGE: frozenset({"to Exchange"}),
    SyncDirection.TO_CRM: frozenset({"to Dynamics"}),
    SyncDirection.BOTH: frozenset({"to Exchange", "to Dynamics"}),
}


class Impact(NamedTuple):
    record_type: RecordType
    message: str


def impact(before: Environment, after: Environment) -> tuple[Impact, ...]:
    """Records first, in the order of the catalogue, then fields in the order of the tab."""
    return (*_of_filters(before, after), *_of_tasks(before, after), *_of_fields(before, after))


def _of_filters(before: Environment, after: Environment) -> Iterator[Impact]:
    if before.filters == after.filters:
        return
    for table, record_type in RECORD_TYPES.items():
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
    one, other = _offered(before, kind, table), _offered(after, kind, table)
    if other is not None and (one is None or not alike(one.criteria, other.criteria)):
        yield f"New users get “{other.name}”. {sentence(other.criteria)}."
    if one is not None and other is None:
        yield f"New users get no template any longer; “{one.name}” was given to them."


def _offered(filters: Filters, kind: FilterKind, table: str) -> Filter | None:
    """What new users get: an inactive template is given to nobody."""
    given = filters.by_key.get(filters.given.get(given_setting(kind, table), ""))
    return given if given is not None and given.active else None


def _of_tasks(before: Environment, after: Environment) -> Iterator[Impact]:
    on = after.switches.assigned_tasks
    if on != before.switches.assigned_tasks:
        verb = "start" if on else "stop"
        yield Impact(RecordType.TASK, f"Tasks assigned in Outlook {verb} travelling to Dynamics.")


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
