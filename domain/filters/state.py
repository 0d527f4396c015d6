"""System filters and templates of user filters, as they stand (domain reference 3.1).

Law: a filter's key never changes; names are unique within role, kind and table, whatever their
case. Filters of users belong to them and are not kept here.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Hashable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from itertools import count, takewhile
from operator import eq
from typing import NamedTuple
from unicodedata import category, normalize

from domain.filters import fetchxml
from domain.filters.catalogue import CATALOGUE
from domain.filters.criteria import Criteria
from domain.filters.elements import STORED
from domain.filters.problem import shown
from domain.text import checked_text

PREFIX = "filter:"
GIVEN_PREFIX = "defaultTemplate:"
KEY_FORM = re.compile(r"[a-z0-9]([a-z0-9._-]{0,126}[a-z0-9])?")
LONGEST_SLUG = 80
LONGEST_TEXT = 64_000
"""Of the FetchXML of a filter."""


class FilterKind(StrEnum):
    """ONLINE: what reaches Outlook or Exchange. OFFLINE: what users carry offline."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"


class FilterRole(StrEnum):
    """A system filter applies to everybody; a template is copied into filters of users."""

    SYSTEM_FILTER = "SYSTEM_FILTER"
    USER_FILTER_TEMPLATE = "USER_FILTER_TEMPLATE"


ROLE_NAMES: Mapping[FilterRole, str] = {
    FilterRole.SYSTEM_FILTER: "System filter",
    FilterRole.USER_FILTER_TEMPLATE: "Template",
}
_ROLE_SLUGS: Mapping[FilterRole, str] = {
    FilterRole.SYSTEM_FILTER: "system",
    FilterRole.USER_FILTER_TEMPLATE: "template",
}


class Filter(NamedTuple):
    """One of them. `fetch_xml`: its criteria, in the canonical spelling."""

    key: str
    role: FilterRole
    kind: FilterKind
    table: str
    name: str
    description: str
    active: bool
    fetch_xml: str

    @property
    def criteria(self) -> Criteria:
        return understood(self.fetch_xml)

    @property
    def place(self) -> Hashable:
        """What no two can share: role, kind, table and the name as it is compared."""
        return self.role, self.kind, self.table, _folded(self.name)

    def like(self, other: "Filter") -> bool:
        """Whether the other is one of the same role, kind and table."""
        return self[1:4] == other[1:4]


class Filters(NamedTuple):
    """`given`: the key of the template that new users are given, by the key of that setting."""

    by_key: Mapping[str, Filter]
    given: Mapping[str, str]

    def active(self, kind: FilterKind, table: str) -> Iterator[Filter]:
        """The active system filters of a table."""
        for each in self.by_key.values():
            about = each.active and each.role is FilterRole.SYSTEM_FILTER
            if about and (each.kind, each.table) == (kind, table):
                yield each

    def listed(
        self,
        role: FilterRole | None = None,
        kind: FilterKind | None = None,
        tables: Collection[str] = CATALOGUE,
    ) -> list[Filter]:
        """Those of a role, kind and tables, in the order of the catalogue and by name."""
        found = (
            each
            for each in self.by_key.values()
            if role in {None, each.role} and kind in {None, each.kind} and each.table in tables
        )
        return sorted(found, key=_order)

    def namesake(self, wanted: Filter) -> Filter | None:
        """Another of the same role, kind and table with that name."""
        others = (each for each in self.by_key.values() if each.key != wanted.key)
        name = _folded(wanted.name)
        return next(
            (each for each in others if each.like(wanted) and _folded(each.name) == name), None
        )

    def near(self, key: str) -> tuple[str, ...]:
        """Up to three keys that begin like this one, the most alike first.

        Only its neighbours by name are looked at: likeness anywhere takes long of many long keys.
        """
        keys = sorted(self.by_key)
        place = bisect_left(keys, key)
        around = keys[max(place - 3, 0) : place + 3]
        alike = sorted((-_shared(key, each), each) for each in around)
        return tuple(each for length, each in alike[:3] if -length * 2 >= len(key))

    @property
    def size(self) -> int:
        """Characters of FetchXML, of all together."""
        return sum(len(each.fetch_xml) for each in self.by_key.values())

    def offered(self, kind: FilterKind, table: str) -> Filter | None:
        """The template that new users get: an inactive one is given to nobody."""
        given = self.by_key.get(self.given.get(given_setting(kind, table), ""))
        return given if given is not None and given.active else None

    def gives(self, template: Filter) -> bool:
        """Whether new users are given it."""
        return self.given.get(given_setting(template.kind, template.table)) == template.key


NO_FILTERS = Filters({}, {})


def fits(table: str, kind: FilterKind) -> bool:
    """Whether filters of that kind can choose records of the table."""
    known = CATALOGUE.get(table)
    return known is not None and (known.online if kind is FilterKind.ONLINE else known.offline)


def setting_of(key: str) -> str:
    """The setting key of a filter, e.g. `filter:template.online.task.my-tasks`."""
    return f"{PREFIX}{key}"


def given_setting(kind: FilterKind, table: str) -> str:
    """The setting key of what new users are given, e.g. `defaultTemplate:ONLINE:task`."""
    return f"{GIVEN_PREFIX}{kind.value}:{table}"


def given_of(setting: str) -> tuple[FilterKind, str]:
    """The kind and table of such a setting. ValueError for a kind that there is not."""
    kind, _, table = setting.removeprefix(GIVEN_PREFIX).partition(":")
    return FilterKind(kind), table


def checked_filter_key(key: str) -> str:
    """The key itself. ValueError for one that cannot be."""
    if KEY_FORM.fullmatch(key) is None:
        help_ = f" Leave out {PREFIX!r}." if key.startswith(PREFIX) else ""
        raise ValueError(
            "A filter's key is 1 to 128 of a-z, 0-9, '.', '-' and '_', and begins and ends with a "
            f"letter or digit, not {shown(key)}.{help_}"
        )
    return key


def checked_name(name: str) -> str:
    """The name itself: a line of 1 to 200 characters. ValueError for any other."""
    checked_text(name, "A filter's name", 1, 200)
    if not _folded(name):
        raise ValueError("A filter's name is more than spaces.")
    for character in name:
        if category(character) in {"Cc", "Zl", "Zp"}:
            raise ValueError(f"A filter's name is one line, without U+{ord(character):04X}.")
    return name


def checked_description(description: str) -> str:
    """The description itself, up to 2000 characters. ValueError for any other."""
    return checked_text(description, "A filter's description", 0, 2000)


def derived_key(role: FilterRole, kind: FilterKind, table: str, name: str) -> str:
    """A key made of what a filter is, e.g. `system.online.contact.key-accounts`."""
    plain = normalize("NFKD", name).casefold().encode("ascii", "ignore").decode()
    slug = "-".join(re.findall("[a-z0-9]+", plain))[:LONGEST_SLUG].strip("-") or "filter"
    return f"{_ROLE_SLUGS[role]}.{kind.value.lower()}.{table}.{slug}"


def derived_keys(filter_: Filter) -> Iterator[str]:
    """That key, and with numbers from 2 on, for where it is taken."""
    key = derived_key(filter_.role, filter_.kind, filter_.table, filter_.name)
    yield key
    yield from (f"{key}-{number}" for number in count(2))


def canonical_text(criteria: Criteria) -> str:
    """Criteria as a filter keeps them: FetchXML that answers with the identifiers of records."""
    columns = CATALOGUE[criteria.table].columns
    identifier = "activityid" if "activityid" in columns else f"{criteria.table}id"
    return fetchxml.written(criteria, identifier)


@lru_cache(maxsize=256)
def understood(fetch_xml: str) -> Criteria:
    """The criteria that a filter keeps. ValueError for text that is none."""
    criteria = fetchxml.parsed(fetch_xml, STORED)
    if isinstance(criteria, Criteria):
        return criteria
    raise ValueError(f"{criteria[0].path}: {criteria[0].message}")


def value(filters: Filters, key: str) -> str | None:
    """What a setting key of this topic holds, as a machine value; None for nothing."""
    if key.startswith(GIVEN_PREFIX):
        return filters.given.get(key)
    held = filters.by_key.get(key.removeprefix(PREFIX))
    return None if held is None else held.fetch_xml


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: eq(*pair), zip(one, other, strict=False)))


def _order(filter_: Filter) -> tuple[object, ...]:
    _, role, kind, table, name, *_ = filter_
    words, kinds = list(FilterRole), list(FilterKind)
    place = list(CATALOGUE).index(table)
    return kinds.index(kind), words.index(role), place, _folded(name), filter_.key


@lru_cache(maxsize=4_096)
def _folded(name: str) -> str:
    """A name as it is compared: whatever its case, its spaces and how its characters are coded.

    Remembered, since each name that is asked for is compared with all that there are.
    """
    seen = "".join(each for each in normalize("NFKC", name) if category(each) != "Cf")
    return " ".join(seen.split()).casefold()
