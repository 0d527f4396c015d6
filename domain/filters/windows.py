"""When relative dates begin and end: from a clock, a zone and a fiscal calendar to a window.

Law: a window is half open, in the user's own days (domain reference 3.5). Weeks run from Sunday to
Saturday; where the product is silent, docs/operators.md says what holds here.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import IntEnum
from functools import partial
from typing import NamedTuple

from domain.filters.values import instant

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
INSTANT = timedelta(microseconds=1)
MONTHS = 12
EARLIEST = date(1753, 1, 1)
LATEST = date(9998, 12, 31)


class Periods(IntEnum):
    """Fiscal periods a year; four-weekly ones are thirteen, the last with what is left over."""

    ANNUALLY = 1
    SEMIANNUALLY = 2
    QUARTERLY = 4
    MONTHLY = 12
    FOUR_WEEKLY = 13


class FiscalCalendar(NamedTuple):
    """An organization's: when its year starts, how it is cut, and which year gives the name."""

    month: int = 1
    day: int = 1
    periods: Periods = Periods.QUARTERLY
    named_by_end: bool = False

    def start(self, year: int, period: int = 1) -> date:
        """The first day of a period; of one beyond the last, that of the next year."""
        year, period = year + (period - 1) // self.periods, (period - 1) % self.periods
        first = _clamped(year - self.named_by_end, self.month, self.day)
        if self.periods is Periods.FOUR_WEEKLY:
            return first + period * 4 * WEEK
        return shifted(first, period * (MONTHS // self.periods))

    def place(self, day: date) -> tuple[int, int]:
        """The year and the period in it that a day belongs to."""
        years = range(day.year - 1, day.year + 3)
        year = max(each for each in years if self.start(each) <= day)
        periods = range(1, self.periods + 1)
        return year, max(each for each in periods if self.start(year, each) <= day)


class Clock(NamedTuple):
    """What a relative date is relative to."""

    now: datetime
    zone: tzinfo = UTC
    fiscal: FiscalCalendar = FiscalCalendar()

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


class Window(NamedTuple):
    """From `start` on and before `end`; None is open. A column without time asks for days."""

    start: date | datetime | None
    end: date | datetime | None

    def instants(self, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
        return (
            None if self.start is None else instant(self.start, zone),
            None if self.end is None else instant(self.end, zone),
        )

    def days(self, zone: tzinfo) -> tuple[date | None, date | None]:
        """The days it touches."""
        start, end = self.start, self.end
        if isinstance(start, datetime):
            start = start.astimezone(zone).date()
        if isinstance(end, datetime):
            end = (end - INSTANT).astimezone(zone).date() + DAY
        return start, end


def shifted(day: date, months: int) -> date:
    """So many months later, or earlier; the day is clamped to the month's end."""
    year, month = divmod(day.year * MONTHS + day.month - 1 + months, MONTHS)
    return _clamped(year, month + 1, day.day)


def _clamped(year: int, month: int, day: int) -> date:
    if year < EARLIEST.year:
        return EARLIEST
    if year > LATEST.year:
        return LATEST
    return date(year, month, min(day, monthrange(year, month)[1]))


def _moved(day: date, by: timedelta) -> date:
    ordinal = day.toordinal() + by.days
    return date.fromordinal(min(max(ordinal, EARLIEST.toordinal()), LATEST.toordinal()))


def _sunday(day: date) -> date:
    """The Sunday that its week begins with."""
    return _moved(day, -(day.isoweekday() % 7) * DAY)


def _days(first: int, past: int, clock: Clock) -> Window:
    return Window(_moved(clock.today, first * DAY), _moved(clock.today, past * DAY))


def _week(number: int, clock: Clock) -> Window:
    sunday = _sunday(clock.today)
    return Window(_moved(sunday, number * WEEK), _moved(sunday, (number + 1) * WEEK))


def _month(number: int, clock: Clock) -> Window:
    start = clock.today.replace(day=1)
    return Window(shifted(start, number), shifted(start, number + 1))


def _year(number: int, clock: Clock) -> Window:
    start = clock.today.replace(month=1, day=1)
    return Window(shifted(start, number * MONTHS), shifted(start, (number + 1) * MONTHS))


def _fiscal_periods(first: int, past: int, clock: Clock) -> Window:
    year, period = clock.fiscal.place(clock.today)
    return Window(clock.fiscal.start(year, period + first), clock.fiscal.start(year, period + past))


def _fiscal_years(first: int, past: int, clock: Clock) -> Window:
    year, _ = clock.fiscal.place(clock.today)
    return Window(clock.fiscal.start(year + first), clock.fiscal.start(year + past))


FIXED: Mapping[str, Callable[[Clock], Window]] = {
    "yesterday": partial(_days, -1, 0),
    "today": partial(_days, 0, 1),
    "tomorrow": partial(_days, 1, 2),
    "last-seven-days": partial(_days, -6, 1),
    "next-seven-days": partial(_days, 1, 8),
    "last-week": partial(_week, -1),
    "this-week": partial(_week, 0),
    "next-week": partial(_week, 1),
    "last-month": partial(_month, -1),
    "this-month": partial(_month, 0),
    "next-month": partial(_month, 1),
    "last-year": partial(_year, -1),
    "this-year": partial(_year, 0),
    "next-year": partial(_year, 1),
    "last-fiscal-period": partial(_fiscal_periods, -1, 0),
    "this-fiscal-period": partial(_fiscal_periods, 0, 1),
    "next-fiscal-period": partial(_fiscal_periods, 1, 2),
    "last-fiscal-year": partial(_fiscal_years, -1, 0),
    "this-fiscal-year": partial(_fiscal_years, 0, 1),
    "next-fiscal-year": partial(_fiscal_years, 1, 2),
}
"""The operators that need no number."""

_SHIFTS: Mapping[str, Callable[[date, int], date]] = {
    "days": lambda day, count: _moved(day, count * DAY),
    "weeks": lambda day, count: _moved(day, count * WEEK),
    "months": shifted,
    "years": lambda day, count: shifted(day, count * MONTHS),
}
_SPANS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1)}


def _last(unit: str, count: int, clock: Clock) -> Window:
    past = clock.now + INSTANT
    if unit in _SPANS:
        return Window(clock.now - count * _SPANS[unit], past)
    return Window(_SHIFTS[unit](clock.today, -count), past)


def _next(unit: str, count: int, clock: Clock) -> Window:
    if unit in _SPANS:
        return Window(clock.now, clock.now + count * _SPANS[unit] + INSTANT)
    return Window(clock.now, _moved(_SHIFTS[unit](clock.today, count), DAY))


def _older(unit: str, count: int, clock: Clock) -> Window:
    if unit in _SPANS:
        return Window(None, clock.now - count * _SPANS[unit])
    return Window(None, _SHIFTS[unit](clock.today, -count))


COUNTED: Mapping[str, Callable[[int, Clock], Window]] = {
    **{f"last-x-{unit}": partial(_last, unit) for unit in ("hours", *_SHIFTS)},
    **{f"next-x-{unit}": partial(_next, unit) for unit in ("hours", *_SHIFTS)},
    **{f"olderthan-x-{unit}": partial(_older, unit) for unit in (*_SPANS, *_SHIFTS)},
    "last-x-fiscal-periods": lambda count, clock: _fiscal_periods(-count, 0, clock),
    "next-x-fiscal-periods": lambda count, clock: _fiscal_periods(1, count + 1, clock),
    "last-x-fiscal-years": lambda count, clock: _fiscal_years(-count, 0, clock),
    "next-x-fiscal-years": lambda count, clock: _fiscal_years(1, count + 1, clock),
}
"""The operators that take how many."""

PLACED: Mapping[str, Callable[[int, int, FiscalCalendar], Window]] = {
    "in-fiscal-period-and-year": lambda period, year, fiscal: Window(
        fiscal.start(year, period), fiscal.start(year, period + 1)
    ),
    "in-or-before-fiscal-period-and-year": lambda period, year, fiscal: Window(
        None, fiscal.start(year, period + 1)
    ),
    "in-or-after-fiscal-period-and-year": lambda period, year, fiscal: Window(
        fiscal.start(year, period), None
    ),
}
"""The operators that name a fiscal period and its year."""


def of_fiscal_year(year: int, fiscal: FiscalCalendar) -> Window:
    return Window(fiscal.start(year), fiscal.start(year + 1))


def of_days(first: date | None, last: date | None) -> Window:
    """From one day to another, both included; None is open."""
    return Window(first, None if last is None else _moved(last, DAY))
