"""What differs between two standings, setting by setting: of one environment, or of two.

Law: nothing is told where both are the same.
"""

from collections.abc import Iterator
from typing import NamedTuple

from domain import membership, tab
from domain.environment import Environment, value
from domain.filters import state
from domain.filters.differences import additions, differences, removals
from domain.filters.state import Filter

NOTHING = "nothing"
ROLES = "Roles"


class Difference(NamedTuple):
    """`before`, `after`: machine values, None for nothing. `lines`: of a filter, what differs."""

    setting: str
    label: str
    before: str | None
    after: str | None
    lines: tuple[str, ...]
    summary: str


def compared(before: Environment, after: Environment) -> tuple[Difference, ...]:
    """Settings in the order of the tab, and what is gone last; then roles, by handle."""
    settings = dict.fromkeys((*tab.keys(after.filters), *tab.keys(before.filters)))
    members = dict.fromkeys((*after.members, *before.members, *after.erased, *before.erased))
    found = [
        *(_of_setting(before, after, key) for key in settings),
        *(_of_roles(before, after, f"{membership.PREFIX}{handle}") for handle in members),
    ]
    return tuple(each for each in found if each is not None)


def _of_setting(before: Environment, after: Environment, key: str) -> Difference | None:
    was, now = value(before, key), value(after, key)
    if key.startswith(state.PREFIX):
        name = key.removeprefix(state.PREFIX)
        one, other = before.filters.by_key.get(name), after.filters.by_key.get(name)
        if one == other:
            return None
        lines = tuple(_lines(one, other))
        filter_ = other or one
        label = name if filter_ is None else filter_.name
        return Difference(key, label, was, now, lines, f"{label}: {'; '.join(lines)}")
    place = tab.place(after.filters, key) or tab.place(before.filters, key)
    label = key if place is None else place.label
    return None if was == now else _plain(key, label, was, now)


def _of_roles(before: Environment, after: Environment, key: str) -> Difference | None:
    was, now = value(before, key), value(after, key)
    return None if was == now else _plain(key, ROLES, was, now)


def _plain(key: str, label: str, was: str | None, now: str | None) -> Difference:
    summary = f"{label}: {was or NOTHING} → {now or NOTHING}"
    return Difference(key, label, was, now, (), summary)


def _lines(before: Filter | None, after: Filter | None) -> Iterator[str]:
    """What differs in all that a filter is, at least one."""
    if before is None or after is None or not before.like(after):
        if before is not None:
            yield f"{_called(before)} is gone"
            yield from removals(before.criteria)
        if after is not None:
            yield f"{_called(after)} is new{'' if after.active else ', not active'}"
            yield from additions(after.criteria)
        return
    if before.name != after.name:
        yield f"name: “{before.name}” → “{after.name}”"
    if before.description != after.description:
        yield f"description: now “{after.description}”"
    if before.active != after.active:
        yield "now active" if after.active else "no longer active"
    yield from differences(before.criteria, after.criteria)


def _called(filter_: Filter) -> str:
    return f"{state.ROLE_NAMES[filter_.role]} “{filter_.name}” of {filter_.table}"
