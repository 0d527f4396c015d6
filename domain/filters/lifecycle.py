"""Which facts grant what is asked of filters, or why not.

Law: what is stored passed every check at once; one template is given to new users for each kind
and table, so the one before yields in the same fact (domain reference 3.3, I7, I8 and I13).
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import TypedDict, assert_never

from domain.filters import fetchxml
from domain.filters.checking import checked
from domain.filters.commands import (
    ActivateFilter,
    Asked,
    Command,
    CommandAboutFilter,
    DeactivateFilter,
    DefineFilter,
    GiveTemplateToNewUsers,
    RedefineFilter,
    RemoveFilter,
    RestoreDefaultTemplates,
    WithholdTemplateFromNewUsers,
)
from domain.filters.criteria import Criteria
from domain.filters.facts import (
    Event,
    FilterActivated,
    FilterDeactivated,
    FilterDefined,
    FilterRedefined,
    FilterRemoved,
    TemplateGivenToNewUsers,
    TemplateWithheldFromNewUsers,
)
from domain.filters.problem import WHOLE, Problem, shown
from domain.filters.refusals import (
    MOST_CHARACTERS,
    MOST_FILTERS,
    DefaultTemplateBlocked,
    FilterKeyTaken,
    FilterNameTaken,
    FilterNotFound,
    FilterNotValid,
    NotATemplate,
    Refusal,
    TableNotSynchronized,
    TemplateIsGiven,
    TooManyFilters,
)
from domain.filters.state import (
    LONGEST_TEXT,
    Filter,
    FilterKind,
    FilterRole,
    Filters,
    canonical_text,
    derived_keys,
    fits,
)
from domain.filters.templates import templates

type Decided = tuple[Event, ...] | Refusal


def decide(filters: Filters, command: Command) -> Decided:
    match command:
        case DefineFilter():
            return _define(filters, command)
        case RestoreDefaultTemplates(kind=kind):
            return _restore(filters, kind)
        case _:
            found = filters.by_key.get(command.key)
            if found is None:
                return FilterNotFound(key=command.key, near=filters.near(command.key))
            return _decide_about(filters, found, command)


def _decide_about(filters: Filters, found: Filter, command: CommandAboutFilter) -> Decided:
    match command:
        case RedefineFilter():
            return _redefine(filters, found, command)
        case ActivateFilter():
            return () if found.active else (FilterActivated(**_about(found)),)
        case DeactivateFilter():
            return (FilterDeactivated(**_about(found)),) if found.active else ()
        case RemoveFilter():
            if filters.gives(found):
                return TemplateIsGiven(template=found)
            return (FilterRemoved(**_about(found), active=found.active),)
        case GiveTemplateToNewUsers():
            return _give(filters, found)
        case WithholdTemplateFromNewUsers():
            given = filters.gives(found)
            return (TemplateWithheldFromNewUsers(**_offer(found)),) if given else ()
        case _:
            assert_never(command)


def beginning() -> tuple[Event, ...]:
    """The facts of a new environment: its templates, each given to new users."""
    return tuple(
        event
        for each in templates()
        for event in (_defined(each), TemplateGivenToNewUsers(**_offer(each)))
    )


def _define(filters: Filters, command: DefineFilter) -> Decided:
    if not fits(command.table, command.kind):
        return TableNotSynchronized(table=command.table, kind=command.kind)
    text = stored(command.criteria, command.table)
    if not isinstance(text, str):
        return FilterNotValid(problems=text)
    wanted = Filter(
        command.key or "",
        command.role,
        command.kind,
        command.table,
        command.name,
        command.description,
        command.active,
        text,
    )
    holder, namesake = filters.by_key.get(wanted.key), filters.namesake(wanted)
    taken = holder or namesake
    if taken is not None:
        if taken == wanted._replace(key=command.key or taken.key):
            return ()
        return FilterKeyTaken(by=taken) if holder is not None else FilterNameTaken(by=taken)
    if len(filters.by_key) >= MOST_FILTERS or filters.size + len(text) > MOST_CHARACTERS:
        return TooManyFilters()
    free = (key for key in derived_keys(wanted) if key not in filters.by_key)
    return (_defined(wanted._replace(key=command.key or next(free))),)


def _redefine(filters: Filters, found: Filter, command: RedefineFilter) -> Decided:
    text: str | tuple[Problem, ...] = found.fetch_xml
    if command.criteria is not None:
        text = stored(command.criteria, found.table)
    if not isinstance(text, str):
        return FilterNotValid(problems=text)
    wanted = found._replace(
        name=found.name if command.name is None else command.name,
        description=found.description if command.description is None else command.description,
        fetch_xml=text,
    )
    namesake = filters.namesake(wanted)
    if namesake is not None:
        return FilterNameTaken(by=namesake)
    if filters.size + len(text) - len(found.fetch_xml) > MOST_CHARACTERS:
        return TooManyFilters()
    return () if wanted == found else (_redefined(found, wanted),)


def _give(filters: Filters, found: Filter) -> Decided:
    if found.role is not FilterRole.USER_FILTER_TEMPLATE:
        return NotATemplate(key=found.key)
    return () if filters.gives(found) else (TemplateGivenToNewUsers(**_offer(found)),)


def _restore(filters: Filters, kind: FilterKind | None) -> Decided:
    missing = sum(each.key not in filters.by_key for each in templates(kind))
    if len(filters.by_key) + missing > MOST_FILTERS:
        return TooManyFilters()
    events: list[Event] = []
    for template in templates(kind):
        there = filters.by_key.get(template.key)
        taken = there if there is not None and not there.like(template) else None
        taken = taken or filters.namesake(template)
        if taken is not None:
            return DefaultTemplateBlocked(template=template, by=taken)
        events += _brought_to(template, there)
        if not filters.gives(template):
            events.append(TemplateGivenToNewUsers(**_offer(template)))
    return tuple(events)


def _brought_to(template: Filter, there: Filter | None) -> Iterator[Event]:
    """What makes a filter what the catalogue has."""
    if there is None:
        yield _defined(template)
        return
    if there._replace(active=True) != template:
        yield _redefined(there, template)
    if not there.active:
        yield FilterActivated(**_about(template))


def stored(asked: Asked, table: str) -> str | tuple[Problem, ...]:
    """The text that keeps these criteria, or everything that is wrong with them."""
    if isinstance(asked, str):
        return _stored_text(asked, table)
    return _stored_criteria(Criteria(table=table, group=asked))


@lru_cache(maxsize=64)
def _stored_text(text: str, table: str) -> str | tuple[Problem, ...]:
    """Remembered, since what is asked for is decided again whenever somebody else was first."""
    criteria = fetchxml.parsed(text)
    if not isinstance(criteria, Criteria):
        return criteria
    if criteria.table != table:
        about = f"This is about the table {shown(criteria.table)}, but the filter about {table}."
        return (Problem(path="fetch/entity[1]", message=about),)
    return _stored_criteria(criteria)


def _stored_criteria(criteria: Criteria) -> str | tuple[Problem, ...]:
    problems = checked(criteria).problems
    if problems:
        return problems
    text = canonical_text(criteria)
    if len(text) > LONGEST_TEXT:
        message = (
            f"As FetchXML these criteria have {len(text)} characters; a filter has at most "
            f"{LONGEST_TEXT}."
        )
        return (Problem(path=WHOLE, message=message),)
    return text


class About(TypedDict):
    """What every fact says of a filter."""

    filter_key: str
    role: FilterRole
    kind: FilterKind
    table: str
    name: str


def _about(filter_: Filter) -> About:
    return {
        "filter_key": filter_.key,
        "role": filter_.role,
        "kind": filter_.kind,
        "table": filter_.table,
        "name": filter_.name,
    }


def _defined(filter_: Filter) -> FilterDefined:
    return FilterDefined(
        **_about(filter_),
        description=filter_.description,
        active=filter_.active,
        fetch_xml=filter_.fetch_xml,
    )


def _redefined(was: Filter, wanted: Filter) -> FilterRedefined:
    """Only what differs."""
    return FilterRedefined(
        **_about(wanted),
        former_name=None if was.name == wanted.name else was.name,
        description=None if was.description == wanted.description else wanted.description,
        fetch_xml=None if was.fetch_xml == wanted.fetch_xml else wanted.fetch_xml,
    )


class Offer(TypedDict):
    """What every fact says of what new users are given."""

    kind: FilterKind
    table: str
    filter_key: str
    name: str


def _offer(template: Filter) -> Offer:
    return {
        "kind": template.kind,
        "table": template.table,
        "filter_key": template.key,
        "name": template.name,
    }
