"""Whether a resource booking reaches a calendar (domain reference 1.2 and 4.8).

Law: every gate must be open, and the booking touch the window; nothing ever comes back.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from domain.environment import Environment
from domain.filters.records import LEFT_OUT, Verdict, both
from domain.filters.values import instant, moment
from domain.filters.windows import DAY, WEEK, Clock
from domain.finding import Finding, all_of
from domain.rule_book import BOOKING_GATES, BOOKING_WINDOW, BOOKINGS_ONE_WAY, because
from domain.switches import RESOURCE_BOOKINGS
from domain.sync_items import Item, User

STARTS, ENDS = "starttime", "endtime"
WEEKS = 4
"""How far the window reaches beyond today."""


def to_exchange(environment: Environment, item: Item, user: User, clock: Clock) -> Finding:
    """ValueError for text that is no time."""
    return all_of(*_gates(environment, user), _window(item, clock))


def to_crm() -> Finding:
    told = "A booking is written to the calendar only."
    return Finding(False, (because(BOOKINGS_ONE_WAY, told),))


def _gates(environment: Environment, user: User) -> Iterator[Finding]:
    on = environment.switches.resource_bookings
    told = f"resourceBookings is {'on' if on else 'off'}."
    yield Finding(on, (because(BOOKING_GATES, told, RESOURCE_BOOKINGS),))
    opted = user.booking_opt_in
    told = f"The user has {'' if opted else 'not '}opted in."
    yield Finding(opted, (because(BOOKING_GATES, told),))
    server = user.server_side_synchronization
    told = f"The mailbox {'uses' if server else 'does not use'} server-side synchronization."
    yield Finding(server, (because(BOOKING_GATES, told),))


def _window(item: Item, clock: Clock) -> Finding:
    """One of the two times can tell a no; an empty one does."""
    first = instant(clock.today, clock.zone)
    last = instant(clock.today + WEEKS * WEEK + DAY, clock.zone)
    touches = both(
        _holds(item, STARTS, clock, lambda starts: starts < last),
        _holds(item, ENDS, clock, lambda ends: ends > first),
    )
    days = f"{clock.today} through {clock.today + WEEKS * WEEK}"
    if touches is None:
        missing = tuple(each for each in (STARTS, ENDS) if each not in item.record.columns)
        told = f"Whether it touches {days} depends on {', '.join(missing)}."
        return Finding(None, (because(BOOKING_WINDOW, told),), missing)
    told = f"It {'touches' if touches else 'does not touch'} {days}."
    return Finding(touches, (because(BOOKING_WINDOW, told),))


def _holds(item: Item, column: str, clock: Clock, test: Callable[[datetime], bool]) -> Verdict:
    text = item.record.columns.get(column, LEFT_OUT)
    if text is LEFT_OUT or text is None:
        return None if text is LEFT_OUT else False
    try:
        return test(instant(moment(text), clock.zone))
    except ValueError as error:
        raise ValueError(f"{item.table}.{column} is {error}, not {text!r}.") from None
