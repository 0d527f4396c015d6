"""How settings should be, as far as somebody says so, and what an environment holds in that form.

Law: what is not named is as it is. What is held, wanted again, asks for nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from domain import switches
from domain.environment import Environment, is_default, value
from domain.field_mappings import configured, mappings, setting_of
from domain.filters import state
from domain.filters.commands import Asked
from domain.filters.state import Filter, FilterKind, FilterRole
from domain.filters.templates import DEFAULTS
from domain.mapping_table import SyncDirection
from domain.switches import MailingAddresses

SWITCHES = (switches.APPOINTMENT_ATTACHMENTS, switches.ASSIGNED_TASKS, switches.RESOURCE_BOOKINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFilter:
    """None: as it is; of a new filter, as by default where there is one."""

    role: FilterRole | None = None
    kind: FilterKind | None = None
    table: str | None = None
    name: str | None = None
    description: str | None = None
    active: bool | None = None
    criteria: Asked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`switches` by setting, `directions` by mapping, `filters` by key; None: that there is none.

    `given`: the key of the template that new users are given, by kind and table; None: that they
    are given none.
    """

    switches: Mapping[str, bool] = field(default_factory=dict)
    addresses: MailingAddresses | None = None
    directions: Mapping[str, SyncDirection] = field(default_factory=dict)
    filters: Mapping[str, WantedFilter | None] = field(default_factory=dict)
    given: Mapping[tuple[FilterKind, str], str | None] = field(default_factory=dict)


def held(environment: Environment, *, whole: bool = False) -> Wanted:
    """What differs from the defaults; the whole: all that can be chosen."""

    def told(setting: str) -> bool:
        return whole or not is_default(environment, setting)

    addresses = environment.switches.mailing_addresses
    return Wanted(
        switches={key: value(environment, key) == "true" for key in SWITCHES if told(key)},
        addresses=addresses if told(switches.MAILING_ADDRESSES) else None,
        directions={
            mapping.key: configured(environment.directions, mapping)
            for mapping in mappings()
            if mapping.settable and told(setting_of(mapping.key))
        },
        filters=_filters(environment, whole=whole),
        given=_given(environment, whole=whole),
    )


def chosen(environment: Environment, settings: Collection[str]) -> Wanted:
    """What an environment holds of these settings: of a filter that it has not, that there is none.

    What no administrator chooses is left out.
    """
    whole = held(environment, whole=True)
    about = {key.removeprefix(state.PREFIX) for key in settings if key.startswith(state.PREFIX)}
    given = environment.filters.given
    return Wanted(
        switches={key: on for key, on in whole.switches.items() if key in settings},
        addresses=whole.addresses if switches.MAILING_ADDRESSES in settings else None,
        directions={
            key: direction
            for key, direction in whole.directions.items()
            if setting_of(key) in settings
        },
        filters={key: whole.filters.get(key) for key in sorted(about)},
        given={
            state.given_of(key): given.get(key)
            for key in sorted(settings)
            if key.startswith(state.GIVEN_PREFIX)
        },
    )


def _filters(environment: Environment, *, whole: bool) -> dict[str, WantedFilter | None]:
    """Those that there are, and then the default ones that are gone."""
    filters = environment.filters
    return {
        each.key: _as_wanted(each)
        for each in filters.listed()
        if whole or not is_default(environment, state.setting_of(each.key))
    } | {key: None for key in DEFAULTS.by_key if key not in filters.by_key}


def _as_wanted(filter_: Filter) -> WantedFilter:
    return WantedFilter(
        role=filter_.role,
        kind=filter_.kind,
        table=filter_.table,
        name=filter_.name,
        description=filter_.description,
        active=filter_.active,
        criteria=filter_.fetch_xml,
    )


def _given(environment: Environment, *, whole: bool) -> dict[tuple[FilterKind, str], str | None]:
    given = environment.filters.given
    return {
        state.given_of(setting): given.get(setting)
        for setting in {**DEFAULTS.given, **given}
        if whole or given.get(setting) != DEFAULTS.given.get(setting)
    }
