"""Writes docs/operators.md: `python -m tests.generate_operators_page`, or `make docs`."""

import sys
from datetime import UTC, date, datetime

from domain.filters.conditions import NEGATED, window
from domain.filters.operators import ALIASES, OPERATORS, Operator
from domain.filters.windows import Clock, Window

CLOCK = Clock(datetime(2026, 3, 3, 9, 30, tzinfo=UTC))
VALUES = {
    "date": ("2026-03-08",),
    "positiveInteger": ("3",),
    "fiscalYear": ("2026",),
    "fiscalPeriod": ("2",),
    "fiscalPeriod,fiscalYear": ("2", "2026"),
}
MEANINGS = {
    "eq": "The same; text whatever its case.",
    "neq": "Accepted, and kept as `ne`.",
    "gt": "Behind it in order; text in the order of its code points, whatever its case.",
    "ge": "Behind it, or the same.",
    "lt": "Before it.",
    "le": "Before it, or the same.",
    "between": "From the first to the second, both included.",
    "in": "One of them.",
    "null": "The column is empty.",
    "like": "The pattern, whatever the case: `%` any text, `_` a character, `[a-f]`, `[^a-f]`.",
    "begins-with": "Text that begins so; a pattern as with `like`.",
    "ends-with": "Text that ends so; a pattern as with `like`.",
    "contain-values": "The column holds at least one of them.",
    "eq-userid": "The user whose filter it is.",
    "eq-userteams": "One of the user's teams.",
    "eq-useroruserteams": "The user, or one of the user's teams.",
    "eq-useroruserhierarchy": "The user, or whoever reports to the user, directly or not.",
    "eq-useroruserhierarchyandteams": "As before, with the teams of all of them.",
    "eq-userlanguage": "The number of the user's language, e.g. 1033.",
    "eq-businessid": "The user's business unit.",
    "above": "The record is above that one in its hierarchy.",
    "eq-or-above": "It is above that one, or that one.",
    "under": "The record is below that one.",
    "eq-or-under": "It is below that one, or that one.",
    "in-fiscal-period": "In the second period of any fiscal year, for the value 2.",
}
HEAD = (
    "# Operators\n\n"
    "Written by `make docs` from the code; the types are those of the product's reference, the "
    "edges of relative dates are ours where it is silent.\n\n"
    "Of an empty column a plain operator does not hold, and its negation does, as in the product.\n"
    "Of a column that was left out neither is known.\n\n"
    "Dates are those of the user's time zone, weeks run from Sunday to Saturday, and fiscal dates "
    "follow the organization's fiscal calendar.\n"
    f"The examples are of {CLOCK.now:%A, %Y-%m-%d %H:%M} UTC, with the value 3 for a number, and "
    "with fiscal quarters from January on.\n"
    "A column without a time of day asks for the days that a window touches.\n\n"
    "| operator | label | types of columns | values | needs | holds for |\n"
    "|---|---|---|---|---|---|\n"
)


def page() -> str:
    return HEAD + "".join(map(_row, OPERATORS.values()))


def _row(operator: Operator) -> str:
    types = ", ".join(sorted(operator.types)) + ("" if operator.date_only else ", with time of day")
    needs = ", ".join(operator.needs)
    cells = (f"`{operator.name}`", operator.label, types, operator.value_count, needs)
    return f"| {' | '.join(cells)} | {_meaning(operator)} |\n"


def _meaning(operator: Operator) -> str:
    plain = NEGATED.get(operator.name)
    if plain is not None:
        return f"What `{plain}` does not hold for."
    found = window(operator.name, VALUES.get(operator.values.value, ()), CLOCK)
    if operator.name in MEANINGS or found is None:
        return MEANINGS[operator.name]
    return _window(found)


def _window(found: Window) -> str:
    start = None if found.start is None else f"{_edge(found.start)} on"
    if found.end is None:
        return f"From {start}."
    past = isinstance(found.end, datetime) and found.end.microsecond
    end = f"{'up to' if past else 'before'} {_edge(found.end)}"
    return f"{end.capitalize()}." if start is None else f"From {start}, {end}."


def _edge(edge: date | datetime) -> str:
    return f"{edge:%Y-%m-%d %H:%M}" if isinstance(edge, datetime) else edge.isoformat()


if __name__ == "__main__":
    assert ALIASES.keys() <= MEANINGS.keys()
    sys.stdout.write(page())
