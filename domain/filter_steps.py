"""From how filters should be to the commands that make them so.

Law: room is made first, for keys, names and characters that are wanted elsewhere; what new users
are given comes last, when every template is there.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from itertools import chain, count
from typing import NamedTuple

from domain.environment import Command
from domain.filters.commands import (
    ActivateFilter,
    DeactivateFilter,
    DefineFilter,
    GiveTemplateToNewUsers,
    RedefineFilter,
    RemoveFilter,
    WithholdTemplateFromNewUsers,
)
from domain.filters.lifecycle import stored
from domain.filters.problem import shown
from domain.filters.state import Filter, FilterKind, Filters, given_setting, setting_of
from domain.wanted import Wanted, WantedFilter

NEEDED = ("role", "kind", "table", "name", "fetchXml")
"""What a new filter must say, as files say it."""


class Step(NamedTuple):
    """A command, and the setting for whose sake it is."""

    setting: str
    command: Command


class Fault(NamedTuple):
    """What cannot even be asked for."""

    setting: str
    message: str


def step(setting: str, command: Callable[[], Command]) -> Step | Fault:
    """The step, or why there is no such command."""
    try:
        return Step(setting, command())
    except ValueError as error:
        return Fault(setting, str(error))


def of_filters(filters: Filters, wanted: Wanted) -> Iterator[Step | Fault]:
    """The steps in their order."""
    there = filters.by_key
    named = {key: each for key, each in wanted.filters.items() if each is not None}
    gone = [key for key in wanted.filters if key in there and key not in named]
    gone += [key for key, each in named.items() if key in there and _another(there[key], each)]
    for key in gone:
        if filters.gives(there[key]) and (there[key].kind, there[key].table) in wanted.given:
            filters = _withheld(filters, there[key])
            about = given_setting(there[key].kind, there[key].table)
            yield step(about, partial(WithholdTemplateFromNewUsers, key=key))
        yield step(setting_of(key), partial(RemoveFilter, key=key))
    rest = {key: each for key, each in there.items() if key not in gone}
    filters = filters._replace(by_key=rest)
    kept = {key: each for key, each in named.items() if key in rest}
    yield from _redefined(filters, kept)
    for key, each in named.items():
        if key not in rest:
            yield _defined(key, each, there.get(key))
    for key, each in kept.items():
        if each.active is not None and each.active is not rest[key].active:
            turn = ActivateFilter if each.active else DeactivateFilter
            yield step(setting_of(key), partial(turn, key=key))
    yield from _given(filters, wanted)


def _another(there: Filter, wanted: WantedFilter) -> bool:
    """Whether its role, kind or table is to be another one, which no filter can come to."""
    pairs = ((wanted.role, there.role), (wanted.kind, there.kind), (wanted.table, there.table))
    return any(asked not in {None, had} for asked, had in pairs)


def _withheld(filters: Filters, template: Filter) -> Filters:
    setting = given_setting(template.kind, template.table)
    rest = {key: given for key, given in filters.given.items() if key != setting}
    return filters._replace(given=rest)


def _redefined(filters: Filters, wanted: Mapping[str, WantedFilter]) -> Iterator[Step | Fault]:
    """Who wants a name waits until it is free; of a ring, one steps aside meanwhile.

    Each does so once: of those who want the same name, one waits for good, to be refused.
    """
    growth = {key: _growth(filters.by_key[key], each) for key, each in wanted.items()}
    waiting = {key: wanted[key] for key in sorted(wanted, key=lambda key: growth[key])}
    holders = {each.place: key for key, each in filters.by_key.items()}
    turns = iter([*waiting])
    while waiting:
        free = [key for key in waiting if not _must_wait(filters, holders, key, waiting)]
        for key in free or [next(each for each in turns if each in waiting)]:
            there, each = filters.by_key[key], waiting[key]
            if not free:
                each = WantedFilter(name=_aside(filters, there))
            changed = _difference(there, each)
            if changed is not None:
                yield changed
            name = there.name if each.name is None else each.name
            now = there._replace(name=name)
            del holders[there.place]
            holders.setdefault(now.place, key)
            filters = filters._replace(by_key={**filters.by_key, key: now})
            if free:
                del waiting[key]


def _growth(there: Filter, wanted: WantedFilter) -> int:
    """Characters of FetchXML that come to it; who gives some back goes first."""
    text = None if wanted.criteria is None else stored(wanted.criteria, there.table)
    return len(text) - len(there.fetch_xml) if isinstance(text, str) else 0


def _aside(filters: Filters, there: Filter) -> str:
    """A name for meanwhile, which nobody has; what others wait for, somebody has."""
    names = chain([there.key], (f"{there.key} {number}" for number in count(2)))
    return next(
        name for name in names if filters.namesake(there._replace(key="", name=name)) is None
    )


def _must_wait(
    filters: Filters,
    holders: Mapping[Hashable, str],
    key: str,
    waiting: Mapping[str, WantedFilter],
) -> bool:
    """Whether one that still waits has the name that this one wants."""
    name = waiting[key].name
    if name is None:
        return False
    holder = holders.get(filters.by_key[key]._replace(name=name).place)
    if holder in {None, key} or holder not in waiting:
        return False
    return waiting[holder].name not in {None, filters.by_key[holder].name}


def _difference(there: Filter, wanted: WantedFilter) -> Step | Fault | None:
    """What is to be different about it; None for nothing."""
    criteria = wanted.criteria
    if criteria is not None and stored(criteria, there.table) == there.fetch_xml:
        criteria = None
    name = None if wanted.name == there.name else wanted.name
    description = None if wanted.description == there.description else wanted.description
    if name is None and description is None and criteria is None:
        return None
    command = partial(
        RedefineFilter, key=there.key, name=name, description=description, criteria=criteria
    )
    return step(setting_of(there.key), command)


def _defined(key: str, wanted: WantedFilter, there: Filter | None) -> Step | Fault:
    """`there`: what has the key and makes way, since it is another filter."""
    setting = setting_of(key)
    role, kind, table, name = wanted.role, wanted.kind, wanted.table, wanted.name
    criteria = wanted.criteria
    if role is None or kind is None or table is None or name is None or criteria is None:
        why = "There is no such filter yet"
        if there is not None:
            why = f"{shown(there.name)} is of another role, kind or table, and so another filter"
        pairs = zip(NEEDED, (role, kind, table, name, criteria), strict=True)
        missing = ", ".join(word for word, each in pairs if each is None)
        return Fault(setting, f"{why}; a new one also needs {missing}.")
    command = partial(
        DefineFilter,
        key=key,
        role=role,
        kind=kind,
        table=table,
        name=name,
        criteria=criteria,
        description=wanted.description or "",
        active=wanted.active is not False,
    )
    return step(setting, command)


def _given(filters: Filters, wanted: Wanted) -> Iterator[Step | Fault]:
    for about, key in wanted.given.items():
        setting = given_setting(*about)
        given = filters.given.get(setting)
        if key is not None and key != given:
            kind, table = _about(filters, wanted, key) or about
            if (kind, table) == about:
                yield step(setting, partial(GiveTemplateToNewUsers, key=key))
            else:
                told = f"The template {key!r} is {kind.value.lower()} and of the table {table}."
                yield Fault(setting, told)
        if key is None and given is not None:
            yield step(setting, partial(WithholdTemplateFromNewUsers, key=given))


def _about(filters: Filters, wanted: Wanted, key: str) -> tuple[FilterKind, str] | None:
    """The kind and table that a filter will have; None where there is none."""
    named, there = wanted.filters.get(key), filters.by_key.get(key)
    if named is not None and named.kind is not None and named.table is not None:
        return named.kind, named.table
    return None if there is None else (there.kind, there.table)
