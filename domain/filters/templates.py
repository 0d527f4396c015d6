"""The templates that every environment starts with, each given to new users: data, no logic.

Law: `catalogue: 1` (domain reference 3.6). It never changes, or what "default" meant would.
"""

from collections.abc import Iterator, Mapping

from domain.filters.criteria import Condition, Criteria, Group, Link, LinkType
from domain.filters.state import (
    Filter,
    FilterKind,
    FilterRole,
    Filters,
    canonical_text,
    derived_key,
    given_setting,
)

_MINE = Condition(column="ownerid", operator="eq-userid")
_IN_USE = Condition(column="statecode", operator="eq", values=("0",))
_PLANNED = Condition(column="statecode", operator="in", values=("0", "3"))
_ATTENDING = ("5", "6", "7", "9")
_SERVING = ("7", "9", "10")


def _where_i_am(participation: tuple[str, ...]) -> Link:
    return Link(
        table="activityparty",
        from_column="activityid",
        to_column="activityid",
        type=LinkType.INNER,
        alias="party",
        criteria=Group(
            conditions=(
                Condition(column="partyid", operator="eq-userid"),
                Condition(column="participationtypemask", operator="in", values=participation),
            )
        ),
    )


_OWN = Group(conditions=(_MINE, _IN_USE))
_ATTENDED = Group(conditions=(_PLANNED,), links=(_where_i_am(_ATTENDING),))
_SERVED = Group(conditions=(_PLANNED,), links=(_where_i_am(_SERVING),))
_OWN_PLANNED = Group(conditions=(_MINE, _PLANNED))

_ROWS = (
    (FilterKind.ONLINE, "contact", "My Outlook Contacts", _OWN),
    (FilterKind.ONLINE, "appointment", "My Appointments", _ATTENDED),
    (FilterKind.ONLINE, "recurringappointmentmaster", "My Recurring Appointments", _ATTENDED),
    (FilterKind.ONLINE, "serviceappointment", "My Service Activities", _SERVED),
    (FilterKind.ONLINE, "task", "My Tasks", _OWN),
    (FilterKind.ONLINE, "phonecall", "My Phone Calls", _OWN),
    (FilterKind.ONLINE, "letter", "My Letters", _OWN),
    (FilterKind.ONLINE, "fax", "My Faxes", _OWN),
    (FilterKind.OFFLINE, "contact", "My Contacts", _OWN),
    (FilterKind.OFFLINE, "appointment", "My Appointments", _OWN_PLANNED),
    (FilterKind.OFFLINE, "task", "My Tasks", _OWN),
    (FilterKind.OFFLINE, "account", "My Accounts", _OWN),
)


def _made() -> Iterator[Filter]:
    role = FilterRole.USER_FILTER_TEMPLATE
    for kind, table, name, group in _ROWS:
        key = derived_key(role, kind, table, name)
        text = canonical_text(Criteria(table=table, group=group))
        yield Filter(key, role, kind, table, name, "", True, text)


TEMPLATES: Mapping[str, Filter] = {template.key: template for template in _made()}
"""By key. The criteria are reconstructions but for the contacts' (domain reference G1)."""

DEFAULTS = Filters(
    TEMPLATES, {given_setting(each.kind, each.table): each.key for each in TEMPLATES.values()}
)
"""What an environment starts with."""


def templates(kind: FilterKind | None = None) -> Iterator[Filter]:
    """All of them, or those of one kind."""
    return (each for each in TEMPLATES.values() if kind in {None, each.kind})
