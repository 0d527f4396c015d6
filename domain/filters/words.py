"""Criteria in words: a sentence for the whole, a phrase for each part.

Law: every operator has words, and nothing that is asked is left unsaid until a sentence or a list
grows too long to read. "I" is the user whose mailbox is synchronized.
"""

from collections.abc import Iterable, Mapping

from domain.filters.catalogue import CATALOGUE, PARTICIPATION, known_column
from domain.filters.criteria import Condition, Criteria, Group, GroupOperator, Link, LinkType
from domain.filters.operators import ALIASES, OPERATORS, ColumnType, ValueType

LONGEST = 2_000
"""Characters of a sentence; the rest of a longer one is left out."""
LONGEST_VALUE = 80
MOST_VALUES = 10
"""Values of a list that are told."""

_UNITS = ("hours", "days", "weeks", "months", "years")
_FISCAL = ("fiscal period", "fiscal year")

PREDICATES: Mapping[str, str] = {
    "eq": "is {}",
    "ne": "is not {}",
    "gt": "is greater than {}",
    "ge": "is at least {}",
    "lt": "is less than {}",
    "le": "is at most {}",
    "between": "is from {} to {}",
    "not-between": "is not from {} to {}",
    "in": "is {}",
    "not-in": "is not {}",
    "null": "is empty",
    "not-null": "is not empty",
    "like": "is like {}",
    "not-like": "is not like {}",
    "begins-with": "begins with {}",
    "not-begin-with": "does not begin with {}",
    "ends-with": "ends with {}",
    "not-end-with": "does not end with {}",
    "contain-values": "contains {}",
    "not-contain-values": "does not contain {}",
    "eq-userid": "is me",
    "ne-userid": "is not me",
    "eq-userteams": "is one of my teams",
    "eq-useroruserteams": "is me or one of my teams",
    "eq-useroruserhierarchy": "is me or somebody who reports to me",
    "eq-useroruserhierarchyandteams": ("is me, somebody who reports to me, or a team of one of us"),
    "eq-userlanguage": "is my language",
    "eq-businessid": "is my business unit",
    "ne-businessid": "is not my business unit",
    "above": "is above {}",
    "eq-or-above": "is {} or above it",
    "under": "is under {}",
    "eq-or-under": "is {} or under it",
    "not-under": "is not under {}",
    "on": "is on {}",
    "on-or-after": "is on {} or after it",
    "on-or-before": "is on {} or before it",
    "yesterday": "is yesterday",
    "today": "is today",
    "tomorrow": "is tomorrow",
    "last-seven-days": "is in the last seven days",
    "next-seven-days": "is in the next seven days",
    **{
        f"{side}-{unit}": f"is in {'' if side == 'this' else 'the '}{side} {unit}"
        for unit in ("week", "month", "year")
        for side in ("last", "this", "next")
    },
    **{f"last-x-{unit}": f"is in the last {{}} {unit}" for unit in _UNITS},
    **{f"next-x-{unit}": f"is in the next {{}} {unit}" for unit in _UNITS},
    **{f"olderthan-x-{unit}": f"is more than {{}} {unit} ago" for unit in ("minutes", *_UNITS)},
    **{
        f"{side}-{unit.replace(' ', '-')}": f"is in {'' if side == 'this' else 'the '}{side} {unit}"
        for unit in _FISCAL
        for side in ("last", "this", "next")
    },
    **{
        f"{side}-x-{unit.replace(' ', '-')}s": f"is in the {side} {{}} {unit}s"
        for unit in _FISCAL
        for side in ("last", "next")
    },
    "in-fiscal-year": "is in the fiscal year {}",
    "in-fiscal-period": "is in the fiscal period {}",
    "in-fiscal-period-and-year": "is in period {} of the fiscal year {}",
    "in-or-before-fiscal-period-and-year": "is in period {} of the fiscal year {} or before it",
    "in-or-after-fiscal-period-and-year": "is in period {} of the fiscal year {} or after it",
}
"""What is said of a column, with a place for each value, or one for all of a list."""
OF_DATES: Mapping[str, str] = {
    "gt": "is after {}",
    "ge": "is {} or later",
    "lt": "is before {}",
    "le": "is {} or earlier",
}
"""The same, of days and times."""
TAKING_PART = tuple(
    [("participationtypemask", operator), ("partyid", "eq-userid")] for operator in ("eq", "in")
)
"""What a link asks of parties, if it is that the user is one, in some ways."""


def sentence(criteria: Criteria) -> str:
    """E.g. "Contacts that I own and that are active"."""
    table = CATALOGUE[criteria.table]
    asked = clause(criteria.group, criteria)
    told = f"{table.plural} {asked}" if asked else f"All {table.plural.lower()}"
    return told if len(told) <= LONGEST else f"{told[: LONGEST - 1]}…"


def clause(group: Group, about: Criteria, table: str | None = None) -> str:
    """What a group asks of records of a table; of the whole's, where it is None. May be nothing."""
    table = table or about.table
    told = [
        *(_relative(each, about, table) for each in group.conditions),
        *(enclosed(each, about, table) for each in group.groups),
        *(link_clause(each, about) for each in group.links),
    ]
    if group.operator is GroupOperator.OR:
        return " or ".join(each or "(anything)" for each in told)
    return " and ".join(filter(None, told))


def enclosed(group: Group, about: Criteria, table: str) -> str:
    """The same, in brackets where it has several parts."""
    told = clause(group, about, table)
    return f"({told})" if told and parts_of(group) > 1 else told


def parts_of(group: Group) -> int:
    """How many conditions, groups and links stand in it."""
    return len(group.conditions) + len(group.groups) + len(group.links)


def _relative(condition: Condition, about: Criteria, table: str) -> str:
    subject, said = statement(condition, about, table)
    if condition.link_alias is None:
        if condition.column == "ownerid" and said in {"is me", "is not me"}:
            return "that I own" if said == "is me" else "that I do not own"
        if said.startswith("is ") and _named_states(condition, table):
            return f"that {said.replace('is', 'are', 1)}"
    return f"whose {subject} {said}"


def _named_states(condition: Condition, table: str) -> bool:
    known = CATALOGUE[table].states if table in CATALOGUE else {}
    named = condition.column == "statecode" and bool(condition.values)
    return named and all(value in known for value in condition.values)


def statement(condition: Condition, about: Criteria, table: str) -> tuple[str, str]:
    """A column and what is said of it, e.g. `status` and `is active`."""
    alias = condition.link_alias
    if alias is None:
        return label(table, condition.column), _said(condition, table)
    joined = next((link.table for link in about.group.links if link.alias == alias), table)
    return f"{alias}'s {label(joined, condition.column)}", _said(condition, joined)


def label(table: str, name: str) -> str:
    """What a column is called within a sentence; its logical name where that is not known."""
    column = known_column(table, name)
    return name if column is None else " ".join(map(_lowered, column.label.split(" ")))


def _lowered(word: str) -> str:
    return word if len(word) > 1 and word.isupper() else word.lower()


def _said(condition: Condition, table: str) -> str:
    name = ALIASES.get(condition.operator, condition.operator)
    column, operator = known_column(table, condition.column), OPERATORS[name]
    form = PREDICATES[name]
    if column is not None and column.type is ColumnType.DATE_TIME:
        form = OF_DATES.get(name, form)
    if condition.compared_column is not None:
        return form.format(f"the {label(table, condition.compared_column)}")
    text = operator.values is ValueType.TEXT or (
        operator.values is ValueType.AS_COLUMN
        and (column is None or column.type is ColumnType.STRING)
    )
    values = [_value(each, condition.column, table, text=text) for each in condition.values]
    if operator.most is None:
        return form.format(listed(values))
    return form.format(*values)


def _value(value: str, column: str, table: str, *, text: bool) -> str:
    words = CATALOGUE[table].states if table in CATALOGUE else {}
    known = {"statecode": words, "participationtypemask": PARTICIPATION}.get(column, {})
    if value in known:
        return known[value].lower() if column == "statecode" else known[value]
    return quoted(value) if text else _short(value)


def quoted(value: str) -> str:
    """In quotation marks; one that is in it is doubled, so that nothing seems to end there."""
    return f"“{_short(value).replace('”', '””')}”"


def _short(value: str) -> str:
    short = value if len(value) <= LONGEST_VALUE else f"{value[: LONGEST_VALUE - 1]}…"
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in short)


def listed(values: Iterable[str]) -> str:
    """E.g. `open, scheduled or closed`; the rest of many is counted."""
    told = list(values)
    if len(told) > MOST_VALUES:
        told = [*told[:MOST_VALUES], f"{len(told) - MOST_VALUES} more"]
    return " or ".join(filter(None, (", ".join(told[:-1]), told[-1])))


def link_clause(link: Link, about: Criteria) -> str:
    """What a link asks, e.g. "with activity parties whose party is me"."""
    participation = _participation(link)
    if participation is not None:
        return f"in which I am {participation}"
    asked = "" if link.criteria is None else enclosed(link.criteria, about, link.table)
    table = CATALOGUE[link.table].plural.lower() if link.table in CATALOGUE else link.table
    by = f"by {link.from_column}"
    if link.from_column != link.to_column:
        by = f"{by} = {link.to_column}"
    called = "" if link.alias is None else f" called {link.alias}"
    others = f"{table}{called} ({by})"
    told = f"{others} {asked}".strip()
    match link.type:
        case LinkType.INNER | LinkType.ANY:
            return f"with {told}"
        case LinkType.OUTER:
            return f"with or without {told}"
        case LinkType.NOT_ANY:
            return f"without {told}"
        case LinkType.ALL:
            return f"without {others} other than those {asked or 'there are'}"
        case _:
            return f"with {others} other than those {asked or 'there are'}"


def _participation(link: Link) -> str | None:
    """The ways in which a link asks that the user takes part. None: it asks something else."""
    plain = link.table == "activityparty" and link.from_column == link.to_column == "activityid"
    if not plain or link.type not in {LinkType.INNER, LinkType.ANY} or link.criteria is None:
        return None
    asked = link.criteria
    asks_of = sorted((each.column, each.operator) for each in asked.conditions)
    if asks_of not in TAKING_PART or asked.groups or asked.links:
        return None
    values = [value for each in asked.conditions for value in each.values]
    if asked.operator is GroupOperator.OR or not values:
        return None
    return listed(PARTICIPATION.get(value, value) for value in values)
