"""The values of columns: text as it comes, and what it stands for.

Law: one reading for what a filter names and what a record holds, so that they can be compared.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Protocol, Self

from domain.filters.operators import ColumnType, ValueType

NUMBER = re.compile(r"[+-]?[0-9]{1,28}(\.[0-9]{1,10})?")
COUNT = re.compile(r"[0-9]{1,6}")
CHOICE = re.compile(r"-?[0-9]{1,10}")
CHOICES = re.compile(r"-?[0-9]{1,10}(,-?[0-9]{1,10})*")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME = re.compile(
    DATE.pattern + r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,7})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
IDENTIFIER = re.compile("[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
IN_BRACES = re.compile(rf"\{{{IDENTIFIER.pattern}\}}")
YES_NO = {"true": "1", "false": "0"}
MOST_COUNT = 100_000
YEARS = range(1753, 9999)
"""Those of the product's database, less the last: no zone leads out of them."""
FISCAL_YEARS = range(1970, 2100)
FISCAL_PERIODS = range(1, 14)

type Value = str | Decimal | date | datetime
"""A `date` is a day; a `datetime` has a zone."""


def number(text: str) -> Decimal:
    if NUMBER.fullmatch(text) is None:
        raise ValueError("a number, e.g. 12 or -3.5")
    return Decimal(text)


@lru_cache(maxsize=4_096)
def choice(text: str) -> str:
    """A choice's number; yes and no are 1 and 0. The same ones come again and again."""
    known = YES_NO.get(text.lower(), text)
    if CHOICE.fullmatch(known) is None:
        raise ValueError("a choice's number, or true or false")
    return str(int(known))


def choices(text: str) -> frozenset[str]:
    """The numbers of a column that holds several."""
    known = YES_NO.get(text.lower(), text)
    if CHOICES.fullmatch(known) is None:
        raise ValueError("choices' numbers with commas between")
    return frozenset(str(int(each)) for each in known.split(","))


@lru_cache(maxsize=4_096)
def identifier(text: str) -> str:
    """A record's id, in small letters and without braces. The same ones come again and again."""
    if IDENTIFIER.fullmatch(text) is None and IN_BRACES.fullmatch(text) is None:
        raise ValueError("a UUID")
    return text.strip("{}").lower()


def day(text: str) -> date:
    """A day; of a time, its day as written."""
    found = moment(text)
    return found.date() if isinstance(found, datetime) else found


def moment(text: str) -> date | datetime:
    """A day, or a time. A time without a zone is one of the user's."""
    kind = date if DATE.fullmatch(text) else datetime
    try:
        found = kind.fromisoformat(text) if kind is date or TIME.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise ValueError("a day or time, e.g. 2026-03-01 or 2026-03-01T09:00:00Z")
    return found


def instant(found: date | datetime, zone: tzinfo) -> datetime:
    """Where a day begins, or the time itself, in UTC."""
    if not isinstance(found, datetime):
        found = datetime.combine(found, time())
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    return found.astimezone(UTC)


def folded(text: str) -> str:
    """Text as it is compared: whatever its case."""
    return text.casefold()


def count(text: str) -> int:
    found = int(text) if COUNT.fullmatch(text) else 0
    if not 1 <= found <= MOST_COUNT:
        raise ValueError(f"a whole number from 1 to {MOST_COUNT}")
    return found


def fiscal_year(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) not in FISCAL_YEARS:
        raise ValueError(f"a year from {FISCAL_YEARS[0]} to {FISCAL_YEARS[-1]}")
    return int(text)


def fiscal_period(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) not in FISCAL_PERIODS:
        raise ValueError(f"a fiscal period from {FISCAL_PERIODS[0]} to {FISCAL_PERIODS[-1]}")
    return int(text)


class Ordered(Protocol):
    """What has a place among its like: text, a number, a day, an instant."""

    def __lt__(self, other: Self, /) -> bool: ...
    def __le__(self, other: Self, /) -> bool: ...


type Reader = Callable[[str], Ordered]

OF_COLUMN: Mapping[ColumnType, Reader] = {
    ColumnType.CHOICE: choice,
    ColumnType.DATE_TIME: moment,
    ColumnType.HIERARCHICAL: identifier,
    ColumnType.NUMBER: number,
    ColumnType.OWNER: identifier,
    ColumnType.STRING: folded,
    ColumnType.UNIQUE_ID: identifier,
}
OF_OPERATOR: Mapping[ValueType, tuple[Reader, ...]] = {
    ValueType.TEXT: (folded,),
    ValueType.CHOICE: (choice,),
    ValueType.RECORD: (identifier,),
    ValueType.DATE: (day,),
    ValueType.COUNT: (count,),
    ValueType.FISCAL_YEAR: (fiscal_year,),
    ValueType.FISCAL_PERIOD: (fiscal_period,),
    ValueType.FISCAL_PERIOD_AND_YEAR: (fiscal_period, fiscal_year),
}


def readers(values: ValueType, column: ColumnType | None, many: int) -> tuple[Reader, ...]:
    """How to read each of `many` values. Of an unknown column, as text."""
    if values is ValueType.AS_COLUMN:
        return (folded if column is None else OF_COLUMN[column],) * many
    found = OF_OPERATOR[values]
    return found if len(found) == many else found * many
