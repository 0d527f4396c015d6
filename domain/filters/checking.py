"""Whether criteria make sense: every problem at once, and what cannot be verified.

Law: what passes here can be written as FetchXML, matched and told in a sentence (domain reference
3.4 and 3.5, I9 and I10).
"""

import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from domain.filters.catalogue import CATALOGUE, known_column
from domain.filters.columns import Column
from domain.filters.criteria import (
    JOINS,
    Condition,
    Criteria,
    Group,
    GroupOperator,
    Link,
    Part,
    parts,
)
from domain.filters.operators import (
    ALIASES,
    COMPARES_COLUMNS,
    OPERATORS,
    ColumnType,
    Operator,
    ValueType,
)
from domain.filters.problem import LONGEST, WHOLE, Problem, first, shown
from domain.filters.values import readers

MOST_CONDITIONS_AND_LINKS = 500
MOST_LINKS = 15
MOST_DEPTH = 10
MOST_VALUES = 500
LONGEST_IN_LIST = 850
LONGEST_VALUE = 4_000
MOST_GROUPS = 200
MOST_VALUES_TOGETHER = 2_000
MOST_SUGGESTIONS = 5
"""For unknown operators: looking for what is near takes long."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,127}")
ALIAS = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML can carry."""
SDK_ONLY = {
    "contains": "like",
    "not-contain": "not-like",
    "does-not-contain": "not-like",
    "not-on": "an OR of lt and gt",
}
"""Operators of the SDK, and what FetchXML has in their place."""


class Unverified(NamedTuple):
    """A column that the catalogue does not know."""

    path: str
    table: str
    column: str

    @property
    def nearest(self) -> tuple[str, ...]:
        """Those of the table that are called much like it."""
        columns = CATALOGUE[self.table].columns if self.table in CATALOGUE else ()
        return tuple(get_close_matches(self.column, columns, n=3))

    @property
    def message(self) -> str:
        help_ = f" Did you mean {' or '.join(self.nearest)}?" if self.nearest else ""
        return (
            f"Whether the table {self.table} has a column {self.column} cannot be verified here, "
            f"nor of what type it is ({self.path}).{help_}"
        )


class Checked(NamedTuple):
    problems: tuple[Problem, ...]
    unverified: tuple[Unverified, ...]


def checked(criteria: Criteria) -> Checked:
    """Everything that is wrong, the first hundred, and what cannot be verified."""
    checking = _Checking(criteria)
    problems = first(checking.problems())
    return Checked(problems, tuple(checking.unverified.values()))


class _Checking:
    def __init__(self, criteria: Criteria) -> None:
        self._unknown = 0
        self.unverified: dict[tuple[str, str], Unverified] = {}
        self._parts = list(parts(criteria))
        self._links = [part.node for part in self._parts if isinstance(part.node, Link)]
        self._joined = {
            link.alias: link.table for link in criteria.group.links if link.type in JOINS
        }

    def problems(self) -> Iterator[Problem]:
        yield from self._limits()
        for part in self._parts:
            for at, message in self._of(part):
                path = ".".join(filter(None, (part.path, at)))
                yield Problem(path=path or WHOLE, message=message)

    def _limits(self) -> Iterator[Problem]:
        conditions = sum(1 for part in self._parts if isinstance(part.node, Condition))
        links = len(self._links)
        if conditions + links > MOST_CONDITIONS_AND_LINKS:
            yield Problem(
                path=WHOLE,
                message=f"{conditions} conditions and {links} links are {conditions + links} "
                f"together; the product takes at most {MOST_CONDITIONS_AND_LINKS}.",
            )
        if links > MOST_LINKS:
            yield Problem(
                path=WHOLE,
                message=f"There are {links} links; the product takes at most {MOST_LINKS}.",
            )
        groups = sum(1 for part in self._parts if isinstance(part.node, Group))
        if groups > MOST_GROUPS:
            yield Problem(
                path=WHOLE, message=f"{groups} groups are too many; {MOST_GROUPS} will do."
            )
        values = sum(
            len(part.node.values) for part in self._parts if isinstance(part.node, Condition)
        )
        if values > MOST_VALUES_TOGETHER:
            message = f"{values} values together are too many; {MOST_VALUES_TOGETHER} will do."
            yield Problem(path=WHOLE, message=message)
        for alias, times in Counter(link.alias for link in self._links).items():
            if alias is not None and times > 1:
                message = f"The alias {shown(alias)} is used by {times} links; each needs its own."
                yield Problem(path=WHOLE, message=message)

    def _of(self, part: Part) -> Iterator[tuple[str, str]]:
        if isinstance(part.node, Group):
            yield from self._group(part, part.node)
        elif isinstance(part.node, Link):
            yield from self._link(part, part.node)
        else:
            yield from self._condition(part, part.node)

    def _group(self, part: Part, group: Group) -> Iterator[tuple[str, str]]:
        if part.depth == MOST_DEPTH + 1:
            yield "", f"Groups and links stand at most {MOST_DEPTH} deep."
        joins = [index for index, link in enumerate(group.links) if link.type in JOINS]
        outermost = part.path == "" or part.path.endswith("criteria")
        for index in joins:
            kind = group.links[index].type.value
            if not outermost:
                yield (
                    f"links[{index}]",
                    f"A link of type {kind} stands in no inner group; take ANY.",
                )
            elif group.operator is GroupOperator.OR:
                yield f"links[{index}]", f"A link of type {kind} is no alternative; take ANY."

    def _link(self, part: Part, link: Link) -> Iterator[tuple[str, str]]:
        yield from _named("table", link.table, "table")
        yield from self._column("fromColumn", part, link.table, link.from_column)
        yield from self._column("toColumn", part, part.table, link.to_column)
        if link.alias is not None and ALIAS.fullmatch(link.alias) is None:
            yield "alias", f"An alias is letters, digits and _, not {shown(link.alias)}."

    def _condition(self, part: Part, condition: Condition) -> Iterator[tuple[str, str]]:
        table = part.table
        if condition.link_alias is not None:
            known = self._joined.get(condition.link_alias)
            if known is None or "links" in part.path:
                name = shown(condition.link_alias)
                yield (
                    "linkAlias",
                    f"No INNER or OUTER link of the outermost group is called {name}.",
                )
                return
            table = known
        yield from self._column("column", part, table, condition.column)
        operator = OPERATORS.get(ALIASES.get(condition.operator, condition.operator))
        if operator is None:
            self._unknown += 1
            suggest = self._unknown <= MOST_SUGGESTIONS
            yield "operator", _unknown_operator(condition.operator, suggest=suggest)
            return
        column = known_column(table, condition.column)
        if column is not None and not column.fits(operator):
            yield "operator", _misfit(column, operator)
            return
        if condition.compared_column is not None:
            yield from self._comparison(part, table, column, condition, operator)
        else:
            yield from _values(condition, operator, column)

    def _comparison(
        self,
        part: Part,
        table: str,
        column: Column | None,
        condition: Condition,
        operator: Operator,
    ) -> Iterator[tuple[str, str]]:
        name = condition.compared_column or ""
        yield from self._column("comparedColumn", part, table, name)
        if operator.name not in COMPARES_COLUMNS:
            words = ", ".join(sorted(COMPARES_COLUMNS))
            yield "operator", f"Columns are compared with {words}, not with {operator.name}."
        if condition.values:
            yield "values", "A condition has values or a compared column, not both."
        other = known_column(table, name)
        if column is not None and other is not None and other.type is not column.type:
            yield (
                "comparedColumn",
                (
                    f"{name} is of type {other.type.value}, but {column.name} of type "
                    f"{column.type.value}; only columns of one type are compared."
                ),
            )

    def _column(self, at: str, part: Part, table: str, name: str) -> Iterator[tuple[str, str]]:
        wrong = list(_named(at, name, "column"))
        if wrong or known_column(table, name) is not None:
            yield from wrong
            return
        path = ".".join(filter(None, (part.path, at)))
        self.unverified.setdefault((table, name), Unverified(path, table, name))


def _named(at: str, name: str, what: str) -> Iterator[tuple[str, str]]:
    if NAME.fullmatch(name) is None:
        such = "contact" if what == "table" else "statecode"
        yield at, f"A {what} has a logical name such as {such}, not {shown(name)}."


def _unknown_operator(name: str, *, suggest: bool) -> str:
    other = SDK_ONLY.get(name.lower())
    if other is not None:
        return f"{name} is of the SDK and no operator of FetchXML. Take {other}."
    near = (
        get_close_matches(name.lower(), OPERATORS, n=3) if suggest and len(name) <= LONGEST else []
    )
    help_ = f"Did you mean {' or '.join(near)}?" if near else "`filterCatalogue` lists them all."
    return f"There is no operator {shown(name)}. {help_}"


def _misfit(column: Column, operator: Operator) -> str:
    if column.type is ColumnType.PARTY_LIST:
        return f"{column.name} is a list of parties: link to activityparty in its place."
    fitting = ", ".join(each.name for each in column.operators)
    kind = f"{column.type.value}, without time of day" if column.date_only else column.type.value
    return f"{operator.name} does not fit {column.name} ({kind}). These do: {fitting}."


def _values(
    condition: Condition, operator: Operator, column: Column | None
) -> Iterator[tuple[str, str]]:
    values, many = condition.values, len(condition.values)
    most = MOST_VALUES if operator.most is None else operator.most
    if not operator.fewest <= many <= most:
        count = str(most) if operator.fewest == most else f"{operator.fewest} to {most}"
        noun = "value" if count == "1" else "values"
        yield "values", f"{operator.name} takes {count} {noun}, not {many}."
        return
    if not values:
        return
    kind = None if column is None else column.type
    longest = LONGEST_IN_LIST if operator.most is None else LONGEST_VALUE
    for index, (value, read) in enumerate(
        zip(values, readers(operator.values, kind, many), strict=True)
    ):
        at = f"values[{index}]"
        unwritable = UNWRITABLE.search(value)
        if unwritable is not None:
            yield at, f"A value cannot contain U+{ord(unwritable[0]):04X}."
        elif len(value) > longest:
            yield (
                at,
                f"A value of {operator.name} has at most {longest} characters, not {len(value)}.",
            )
        elif operator.values is not ValueType.AS_COLUMN or kind is not None:
            try:
                read(value)
            except ValueError as error:
                yield (
                    at,
                    (
                        f"{operator.name} on {condition.column[:LONGEST]} takes {error}, "
                        f"not {shown(value)}."
                    ),
                )
