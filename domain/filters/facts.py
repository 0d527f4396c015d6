"""What can have happened to filters, each fact with the words to tell it.

Law: every fact names the filter as it was called then, so that it can be told without the others.
"""

from dataclasses import dataclass
from typing import ClassVar, assert_never

from domain.filters.catalogue import CATALOGUE
from domain.filters.state import (
    ROLE_NAMES,
    Filter,
    FilterKind,
    FilterRole,
    Filters,
    given_setting,
    setting_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfFilter:
    """ValueError for a table that the catalogue does not have."""

    filter_key: str
    role: FilterRole
    kind: FilterKind
    table: str
    name: str

    def __post_init__(self) -> None:
        _known(self.table)

    @property
    def setting(self) -> str:
        return setting_of(self.filter_key)


def _known(table: str) -> None:
    if table not in CATALOGUE:
        raise ValueError(f"There are no filters of the table {table[:80]!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterDefined(_OfFilter):
    """`fetch_xml`: the criteria, in the canonical spelling."""

    wire_name: ClassVar[str] = "filter_defined.v1"
    description: str
    active: bool
    fetch_xml: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRedefined(_OfFilter):
    """`name` is the one it has now; None: what stays as it was."""

    wire_name: ClassVar[str] = "filter_redefined.v1"
    former_name: str | None
    description: str | None
    fetch_xml: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterActivated(_OfFilter):
    wire_name: ClassVar[str] = "filter_activated.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterDeactivated(_OfFilter):
    wire_name: ClassVar[str] = "filter_deactivated.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRemoved(_OfFilter):
    """`active`: whether it was."""

    wire_name: ClassVar[str] = "filter_removed.v1"
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfNewUsers:
    """ValueError for a table that the catalogue does not have."""

    kind: FilterKind
    table: str
    filter_key: str
    name: str

    def __post_init__(self) -> None:
        _known(self.table)

    @property
    def setting(self) -> str:
        return given_setting(self.kind, self.table)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateGivenToNewUsers(_OfNewUsers):
    """In place of the one before."""

    wire_name: ClassVar[str] = "template_given_to_new_users.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateWithheldFromNewUsers(_OfNewUsers):
    """They are given none of that kind and table any longer."""

    wire_name: ClassVar[str] = "template_withheld_from_new_users.v1"


Event = (
    FilterDefined
    | FilterRedefined
    | FilterActivated
    | FilterDeactivated
    | FilterRemoved
    | TemplateGivenToNewUsers
    | TemplateWithheldFromNewUsers
)


def evolve(filters: Filters, event: Event) -> Filters:
    """Apply one fact. No checks: what is recorded has already been decided."""
    match event:
        case FilterDefined():
            return _with(filters, _begun(event))
        case FilterRedefined(name=name, description=description, fetch_xml=fetch_xml):
            was = filters.by_key[event.filter_key]
            return _with(
                filters,
                was._replace(
                    name=name,
                    description=was.description if description is None else description,
                    fetch_xml=was.fetch_xml if fetch_xml is None else fetch_xml,
                ),
            )
        case FilterActivated():
            return _with(filters, filters.by_key[event.filter_key]._replace(active=True))
        case FilterDeactivated():
            return _with(filters, filters.by_key[event.filter_key]._replace(active=False))
        case FilterRemoved(filter_key=removed):
            rest = {key: each for key, each in filters.by_key.items() if key != removed}
            return filters._replace(by_key=rest)
        case TemplateGivenToNewUsers():
            given = {**filters.given, event.setting: event.filter_key}
            return filters._replace(given=given)
        case TemplateWithheldFromNewUsers(setting=setting):
            others = {each: key for each, key in filters.given.items() if each != setting}
            return filters._replace(given=others)
        case _:
            assert_never(event)


def _begun(event: FilterDefined) -> Filter:
    return Filter(
        event.filter_key,
        event.role,
        event.kind,
        event.table,
        event.name,
        event.description,
        event.active,
        event.fetch_xml,
    )


def _with(filters: Filters, filter_: Filter) -> Filters:
    return filters._replace(by_key={**filters.by_key, filter_.key: filter_})


def sentence(event: Event) -> str:
    plural = CATALOGUE[event.table].plural.lower()
    about = plural if event.kind is FilterKind.ONLINE else f"{plural} offline"
    if isinstance(event, TemplateGivenToNewUsers):
        return f"New users are given the template “{event.name}” for {about}"
    if isinstance(event, TemplateWithheldFromNewUsers):
        return f"New users are no longer given the template “{event.name}” for {about}"
    called = f"{ROLE_NAMES[event.role]} “{event.name}” of {about}"
    match event:
        case FilterDefined(active=True):
            return f"{called} defined"
        case FilterDefined():
            return f"{called} defined, not active"
        case FilterRedefined(former_name=str(former)):
            return f"{ROLE_NAMES[event.role]} “{former}” of {about} redefined as “{event.name}”"
        case FilterRedefined():
            return f"{called} redefined"
        case FilterActivated():
            return f"{called} activated"
        case FilterDeactivated():
            return f"{called} deactivated"
        case FilterRemoved():
            return f"{called} removed"
        case _:
            assert_never(event)
