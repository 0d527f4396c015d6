"""What follows from a fact about filters: what to know about it, and what differs by it.

Law: a function of the fact and of what is stored, whoever asks and whenever.
"""

from collections.abc import Iterator
from functools import lru_cache

from domain.filters.catalogue import CATALOGUE
from domain.filters.checking import checked
from domain.filters.differences import additions, differences, removals
from domain.filters.facts import (
    Event,
    FilterActivated,
    FilterDeactivated,
    FilterDefined,
    FilterRedefined,
    FilterRemoved,
    TemplateGivenToNewUsers,
)
from domain.filters.state import (
    Filter,
    FilterKind,
    FilterRole,
    Filters,
    setting_of,
    understood,
)
from domain.warning import Warning, WarningCode  # noqa: A004 -- see domain/warning.py

MOST_UNVERIFIED = 10
"""Columns that are told one by one."""


def warnings(filters: Filters, event: Event) -> tuple[Warning, ...]:
    """What to know about this change. `filters`: as they stand after it."""
    match event:
        case FilterDefined(filter_key=key, fetch_xml=fetch_xml):
            return tuple(_unverified(key, fetch_xml))
        case FilterRedefined(filter_key=key, role=role, fetch_xml=fetch_xml):
            copies = (_copies_stay(key),) if role is FilterRole.USER_FILTER_TEMPLATE else ()
            return (*copies, *(() if fetch_xml is None else _unverified(key, fetch_xml)))
        case TemplateGivenToNewUsers(filter_key=key):
            return (_inactive(key),) if _given_in_vain(filters, key) else ()
        case FilterDeactivated(filter_key=key) | FilterRemoved(filter_key=key) if (
            event.role is FilterRole.USER_FILTER_TEMPLATE
        ):
            idle = (_inactive(key),) if _given_in_vain(filters, key) else ()
            return (_copies_stay(key), *idle)
        case FilterDeactivated() | FilterRemoved(active=True):
            if not any(filters.active(event.kind, event.table)):
                return (_last_active(event.filter_key, event.kind, event.table),)
            return ()
        case _:
            return ()


def standing_warnings(filters: Filters, filter_: Filter) -> tuple[Warning, ...]:
    """What to know before touching a filter."""
    found = tuple(_unverified(filter_.key, filter_.fetch_xml))
    if filter_.role is FilterRole.USER_FILTER_TEMPLATE:
        idle = (_inactive(filter_.key),) if _given_in_vain(filters, filter_.key) else ()
        return (_copies_stay(filter_.key), *idle, *found)
    if list(filters.active(filter_.kind, filter_.table)) == [filter_]:
        return (_last_active(filter_.key, filter_.kind, filter_.table), *found)
    return found


def _given_in_vain(filters: Filters, key: str) -> bool:
    """Whether new users are to be given this template, and it is not active."""
    template = filters.by_key.get(key)
    return template is not None and filters.gives(template) and not template.active


def _last_active(key: str, kind: FilterKind, table: str) -> Warning:
    return Warning(
        code=WarningCode.LAST_ACTIVE_FILTER,
        setting=setting_of(key),
        message=(
            f"Without it, no {kind.value.lower()} system filter of the table {table} is active: "
            f"{CATALOGUE[table].plural.lower()} travel only for users who have an active filter of "
            "their own."
        ),
    )


def _copies_stay(key: str) -> Warning:
    return Warning(
        code=WarningCode.TEMPLATE_COPIES_STAY,
        setting=setting_of(key),
        message=(
            "A template is copied to a user once. Whoever has a copy keeps it as it is; what "
            "happens to the template reaches only users who would get a copy from now on."
        ),
    )


@lru_cache(maxsize=256)
def _differences(before: str, after: str) -> tuple[str, ...]:
    """Remembered, since a history is read more often than it is made."""
    return differences(understood(before), understood(after))


@lru_cache(maxsize=256)
def _messages(fetch_xml: str) -> tuple[str, ...]:
    """Remembered, since every look at a filter asks for them."""
    found = checked(understood(fetch_xml)).unverified
    told = tuple(each.message for each in found[:MOST_UNVERIFIED])
    more = len(found) - MOST_UNVERIFIED
    return told if more <= 0 else (*told, f"{more} more columns cannot be verified here.")


def _inactive(key: str) -> Warning:
    return Warning(
        code=WarningCode.TEMPLATE_IS_INACTIVE,
        setting=setting_of(key),
        message=(
            "The template that new users are to be given is not active, so they are given none. "
            "Activate it, or give them another one."
        ),
    )


def _unverified(key: str, fetch_xml: str) -> Iterator[Warning]:
    for message in _messages(fetch_xml):
        yield Warning(code=WarningCode.UNVERIFIED_COLUMN, setting=setting_of(key), message=message)


def told(event: Event, before: str | None, after: str | None) -> tuple[str, ...]:
    """What differs by a fact, a line each. `before`, `after`: what its setting held."""
    match event, before, after:
        case FilterDefined(), _, str(now):
            return additions(understood(now))
        case FilterRemoved(), str(was), _:
            return removals(understood(was))
        case FilterRedefined(former_name=former, description=description), str(was), str(now):
            renamed = () if former is None else (f"name: “{former}” → “{event.name}”",)
            described = () if description is None else (f"description: now “{description}”",)
            return (*renamed, *described, *_differences(was, now))
        case FilterActivated(), _, _:
            return ("now active",)
        case FilterDeactivated(), _, _:
            return ("no longer active",)
        case _:
            return ()
