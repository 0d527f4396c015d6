"""What a condition asks of one value: text of a column, or None where the column is empty.

Law: a negated operator is the complement of the plain one, so it holds for an empty column, as in
the product; where the answer needs what is not given, it is None.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial

from domain.filters.columns import Column
from domain.filters.criteria import Condition
from domain.filters.operators import ALIASES, ColumnType
from domain.filters.patterns import pattern
from domain.filters.records import Verdict, opposite
from domain.filters.values import (
    OF_COLUMN,
    Ordered,
    Reader,
    choice,
    choices,
    count,
    day,
    fiscal_period,
    fiscal_year,
    folded,
    instant,
    moment,
)
from domain.filters.viewpoint import NEEDS, Test, Viewpoint, of_viewpoint
from domain.filters.windows import COUNTED, FIXED, PLACED, Clock, Window, of_days, of_fiscal_year

NEGATED = {
    "ne": "eq",
    "not-in": "in",
    "not-between": "between",
    "not-like": "like",
    "not-begin-with": "begins-with",
    "not-end-with": "ends-with",
    "not-contain-values": "contain-values",
    "ne-userid": "eq-userid",
    "ne-businessid": "eq-businessid",
    "not-under": "under",
    "not-null": "null",
}
ORDERS: Mapping[str, Callable[[Ordered, Ordered], bool]] = {
    "eq": lambda one, other: one == other,
    "gt": lambda one, other: other < one,
    "ge": lambda one, other: other <= one,
    "lt": lambda one, other: one < other,
    "le": lambda one, other: one <= other,
}
PATTERNS = {"like": "{}", "begins-with": "{}%", "ends-with": "%{}"}


def needed(operator: str) -> str | None:
    """What besides columns an answer may be missing."""
    return NEEDS.get(NEGATED.get(operator, operator))


REPEATED = frozenset(
    {ColumnType.CHOICE, ColumnType.HIERARCHICAL, ColumnType.OWNER, ColumnType.UNIQUE_ID}
)
"""Types of columns in which the same values come again and again."""
MOST_REMEMBERED = 4_096


class _Remembered(dict[str | None, Verdict]):
    """Verdicts by text. Looking one up takes a tenth of asking."""

    def __init__(self, asked: Test) -> None:
        super().__init__()
        self._asked = asked

    def __missing__(self, text: str | None) -> Verdict:
        verdict = self._asked(text)
        if len(self) < MOST_REMEMBERED:
            self[text] = verdict
        return verdict


def test(condition: Condition, column: Column | None, viewpoint: Viewpoint) -> Test:
    """The condition as a function of its column's text. ValueError, then, for text of no value."""
    asked = _test(condition, column, viewpoint)
    repeated = column is not None and column.type in REPEATED
    return _Remembered(asked).__getitem__ if repeated else asked


def _test(condition: Condition, column: Column | None, viewpoint: Viewpoint) -> Test:
    operator = ALIASES.get(condition.operator, condition.operator)
    plain = NEGATED.get(operator)
    if plain is None:
        return _plain(operator, condition.values, column, viewpoint)
    asked = _plain(plain, condition.values, column, viewpoint)
    return lambda text: opposite(asked(text))


def comparison(
    operator: str, column: Column | None, viewpoint: Viewpoint
) -> Callable[[str | None, str | None], bool]:
    """A condition as a function of two columns' texts."""
    read = reader(column, viewpoint)
    operator = ALIASES.get(operator, operator)
    order, negated = ORDERS[NEGATED.get(operator, operator)], operator in NEGATED

    def compared(text: str | None, other: str | None) -> bool:
        if text is None or other is None:
            return negated
        return order(read(text), read(other)) is not negated

    return compared


def reader(column: Column | None, viewpoint: Viewpoint) -> Reader:
    """How to read the text of a column so that it can be compared."""
    if column is None:
        return folded
    if column.type is ColumnType.DATE_TIME:
        return day if column.date_only else partial(_instant, viewpoint.clock)
    return OF_COLUMN[column.type]


def _instant(clock: Clock, text: str) -> datetime:
    return instant(moment(text), clock.zone)


def _plain(
    operator: str, values: tuple[str, ...], column: Column | None, viewpoint: Viewpoint
) -> Test:
    found = window(operator, values, viewpoint.clock)
    if found is not None:
        return _within(found, column, viewpoint)
    read = reader(column, viewpoint)
    match operator:
        case "null":
            return lambda text: text is None
        case "eq":
            return _equals(read, read(values[0]))
        case "gt" | "ge" | "lt" | "le":
            order, wanted = ORDERS[operator], read(values[0])
            return lambda text: text is not None and order(read(text), wanted)
        case "between":
            return _between(read, read(values[0]), read(values[1]))
        case "in":
            listed = frozenset(map(read, values))
            return lambda text: text is not None and read(text) in listed
        case "contain-values":
            any_of = frozenset(map(choice, values))
            return lambda text: text is not None and not any_of.isdisjoint(choices(text))
        case "like" | "begins-with" | "ends-with":
            matches = pattern(PATTERNS[operator].format(values[0])).fullmatch
            return lambda text: text is not None and matches(text) is not None
        case "in-fiscal-period":
            return _in_period(fiscal_period(values[0]), viewpoint.clock)
        case _:
            return of_viewpoint(operator, values, viewpoint)


def _equals(read: Reader, wanted: Ordered) -> Test:
    return lambda text: text is not None and (text == wanted or read(text) == wanted)


def _between(read: Reader, low: Ordered, high: Ordered) -> Test:
    def between(text: str | None) -> bool:
        if text is None:
            return False
        found = read(text)
        return low <= found <= high

    return between


def window(operator: str, values: tuple[str, ...], clock: Clock) -> Window | None:
    """When an operator of dates holds; None for one that has no window."""
    if operator in FIXED:
        return FIXED[operator](clock)
    if operator in COUNTED:
        return COUNTED[operator](count(values[0]), clock)
    if operator in PLACED:
        return PLACED[operator](fiscal_period(values[0]), fiscal_year(values[1]), clock.fiscal)
    match operator:
        case "in-fiscal-year":
            return of_fiscal_year(fiscal_year(values[0]), clock.fiscal)
        case "on":
            return of_days(day(values[0]), day(values[0]))
        case "on-or-after":
            return of_days(day(values[0]), None)
        case "on-or-before":
            return of_days(None, day(values[0]))
        case _:
            return None


def _within(span: Window, column: Column | None, viewpoint: Viewpoint) -> Test:
    zone = viewpoint.clock.zone
    if column is not None and column.date_only:
        return _bounded(day, *span.days(zone))
    return _bounded(partial(_instant, viewpoint.clock), *span.instants(zone))


def _bounded[Bound: (date, datetime)](
    read: Callable[[str], Bound], start: Bound | None, end: Bound | None
) -> Test:
    def bounded(text: str | None) -> bool:
        if text is None:
            return False
        found = read(text)
        return (start is None or start <= found) and (end is None or found < end)

    return bounded


def _in_period(period: int, clock: Clock) -> Test:
    def placed(text: str | None) -> bool:
        if text is None:
            return False
        local = _instant(clock, text).astimezone(clock.zone).date()
        return clock.fiscal.place(local)[1] == period

    return placed
