"""From rows of Dataverse to the settings that they want (domain reference 7.2).

Law: every row ends as a setting or as something that is told. What is not known is refused; where
that was asked for it is passed over, and listed all the same. What a row does not say is as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from app.dataverse import (
    DIRECTIONS,
    MAILING_ADDRESS_COLUMN,
    QUERY_TYPES,
    SWITCH_COLUMNS,
    exported_id,
)
from app.dataverse_rows import AttributeMapping, Organization, SavedQuery, understood
from app.json_rows import NotRows, rows
from app.mapping_names import NotAMapping, UnknownName, mapping_of
from domain.environment import Environment
from domain.field_mappings import ATTACHMENTS, setting_of
from domain.filters import state
from domain.filters.problem import shown
from domain.filters.refusals import TableNotSynchronized
from domain.filters.state import Filter, FilterKind, FilterRole, checked_filter_key
from domain.mapping_table import MAPPINGS, SyncDirection
from domain.switches import APPOINTMENT_ATTACHMENTS, MAILING_ADDRESSES, MailingAddresses
from domain.wanted import Wanted, WantedFilter

DIRECTION = {number: direction for direction, number in DIRECTIONS.items()}


class Place(NamedTuple):
    """Lines count from 1."""

    file: str
    line: int


class Taken(NamedTuple):
    """A row, what it is, the settings that it is about, and others that change with it."""

    place: Place
    about: str
    settings: tuple[str, ...]
    also: tuple[str, ...] = ()


class Wrong(NamedTuple):
    place: Place
    message: str


@dataclass(slots=True)
class Import:
    """What files want of an environment, row by row. `unknown`: what is not known, in words."""

    environment: Environment
    taken: list[Taken] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    unknown: dict[str, Place] = field(default_factory=dict)
    _switches: dict[str, bool] = field(default_factory=dict)
    _addresses: MailingAddresses | None = None
    _directions: dict[str, SyncDirection] = field(default_factory=dict)
    _filters: dict[str, WantedFilter | None] = field(default_factory=dict)
    _given: dict[tuple[FilterKind, str], str | None] = field(default_factory=dict)
    _seen: dict[str, Place] = field(default_factory=dict)

    def read(self, file: str, text: str) -> None:
        """Take the rows of one more file."""
        try:
            found = rows(text)
        except NotRows as error:
            self.wrong.append(Wrong(Place(file, error.line), str(error)))
            return
        for line, row in found:
            place = Place(file, line)
            known, unknown, wrong = understood(row)
            self.wrong.extend(Wrong(place, each) for each in wrong)
            for each in unknown:
                self.unknown.setdefault(f"The column {shown(each)} is not known.", place)
            if isinstance(known, Organization):
                self._organization(place, known)
            elif isinstance(known, SavedQuery):
                self._query(place, known)
            elif known is not None:
                self._mapping(place, known)

    def wanted(self) -> Wanted:
        """What all of the files want together."""
        return Wanted(
            switches=self._switches,
            addresses=self._addresses,
            directions={
                key: direction
                for key, direction in self._directions.items()
                if MAPPINGS[key].settable or direction is not self._fixed(key)
            },
            filters=self._filters,
            given=self._given,
        )

    def _once(self, place: Place, about: str, setting: str) -> None:
        """A setting is wanted once."""
        before = self._seen.setdefault(setting, place)
        if before is not place:
            told = f"the row at {before.file}:{before.line} is about {shown(setting)} already."
            self.wrong.append(Wrong(place, f"{about}: {told}"))

    def _take(
        self, place: Place, about: str, settings: Sequence[str], also: Sequence[str] = ()
    ) -> None:
        for each in settings:
            self._once(place, about, each)
        self.taken.append(Taken(place, about, tuple(settings), tuple(also)))

    def _organization(self, place: Place, row: Organization) -> None:
        said = row.model_dump(include=row.model_fields_set - {"organizationid"})
        for column, on in said.items():
            if column == MAILING_ADDRESS_COLUMN:
                only, three = MailingAddresses.MAILING_ONLY, MailingAddresses.ALL_THREE
                self._addresses = only if on else three
            else:
                self._switches[SWITCH_COLUMNS[column]] = on
        columns = {**SWITCH_COLUMNS, MAILING_ADDRESS_COLUMN: MAILING_ADDRESSES}
        self._take(place, "organization", [columns[column] for column in said])

    def _query(self, place: Place, row: SavedQuery) -> None:
        role, kind = QUERY_TYPES[row.querytype]
        told = f"{kind.lower()} {state.ROLE_NAMES[role].lower()} {shown(row.name)}"
        wrong = _against(row, role, kind)
        if wrong is not None:
            self.wrong.append(Wrong(place, f"{told}: {wrong}"))
            return
        told = f"{told} of {row.returnedtypecode}"
        meant = Filter("", role, kind, row.returnedtypecode, row.name, "", True, "")
        key = self._key(row, meant)
        there = self.environment.filters.by_key.get(key)
        if there is not None and not there.like(meant) and not _replaces(row, key):
            what = f"{there.kind.lower()} {state.ROLE_NAMES[there.role].lower()} of {there.table}"
            self.wrong.append(Wrong(place, f"{told}: the key {shown(key)} is that of an {what}."))
            return
        self._filters[key] = None if row.gone else _wanted(row, role, kind)
        settings = [state.setting_of(key)]
        about = kind, row.returnedtypecode
        if row.given:
            self._given[about] = key
            settings.append(state.given_setting(*about))
        still = row.given is not False and role is FilterRole.USER_FILTER_TEMPLATE
        given = self.environment.filters.given
        offers = [state.given_of(setting) for setting, each in given.items() if each == key]
        ended = [each for each in offers if each != about or not still]
        for each in ended:
            self._given.setdefault(each, None)
        self._take(place, told, settings, [state.given_setting(*each) for each in ended])

    def _key(self, row: SavedQuery, about: Filter) -> str:
        """As annotated; of the filter of that id or name; or a free one, made of what it is."""
        filters = self.environment.filters
        if row.filter_key is not None:
            return row.filter_key
        if row.savedqueryid is not None:
            for key, each in filters.by_key.items():
                if exported_id(key) == UUID(row.savedqueryid) and each.like(about):
                    return key
        namesake = filters.namesake(about)
        if namesake is not None:
            return namesake.key
        taken = {*filters.by_key, *self._filters}
        return next(each for each in state.derived_keys(about) if each not in taken)

    def _mapping(self, place: Place, row: AttributeMapping) -> None:
        try:
            mapping = mapping_of(row)
        except UnknownName as error:
            self.unknown.setdefault(str(error), place)
            return
        except NotAMapping as error:
            self.wrong.append(Wrong(place, str(error)))
            return
        if row.child:
            self.taken.append(Taken(place, f"part of mapping {mapping.key}", ()))
            return
        self._directions[mapping.key] = DIRECTION[row.syncdirection]
        self._take(place, f"mapping {mapping.key}", [setting_of(mapping.key)])

    def _fixed(self, key: str) -> SyncDirection:
        """What a mapping that cannot be set says by itself, once the switches are as wanted."""
        if key != ATTACHMENTS:
            return MAPPINGS[key].default
        before = self.environment.switches.appointment_attachments
        on = self._switches.get(APPOINTMENT_ATTACHMENTS, before)
        return SyncDirection.BOTH if on else SyncDirection.NONE


def _replaces(row: SavedQuery, key: str) -> bool:
    """Whether an exported filter takes the place of another one with its key."""
    return not row.gone and row.savedqueryid == str(exported_id(key))


def _against(row: SavedQuery, role: FilterRole, kind: FilterKind) -> str | None:
    """What is the matter with a query as a whole."""
    if not state.fits(row.returnedtypecode, kind):
        return TableNotSynchronized(table=row.returnedtypecode, kind=kind).message
    if row.isdefault and role is FilterRole.SYSTEM_FILTER:
        return "isdefault is of templates only."
    if row.isdefault and row.gone:
        return "isdefault is not of a deleted one."
    if row.fetchxml is None and not row.gone:
        return "fetchxml is missing."
    try:
        checked_filter_key("a" if row.filter_key is None else row.filter_key)
    except ValueError as error:
        return str(error)
    return None


def _wanted(row: SavedQuery, role: FilterRole, kind: FilterKind) -> WantedFilter:
    told = "description" in row.model_fields_set
    return WantedFilter(
        role=role,
        kind=kind,
        table=row.returnedtypecode,
        name=row.name,
        description=row.description or "" if told else None,
        active=row.active,
        criteria=row.fetchxml,
    )
