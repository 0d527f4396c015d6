"""Criteria and records, generated; everything generated is valid."""

from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from domain.filters.catalogue import CATALOGUE
from domain.filters.columns import Column
from domain.filters.criteria import (
    JOINS,
    Condition,
    Criteria,
    Group,
    GroupOperator,
    Kept,
    Link,
    LinkType,
)
from domain.filters.operators import COMPARES_COLUMNS, ColumnType, Operator, ValueType
from domain.filters.vocabulary import MEANINGLESS

PEOPLE = [str(UUID(int=number)) for number in range(1, 6)]
NOW = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
FILTERED = [name for name, table in CATALOGUE.items() if table.online or table.offline]
xml_text = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"],
        include_characters="\t\n\r",
        exclude_characters="\ufffe\uffff",
    ),
    max_size=20,
)
words = st.text("abAB%_ é", max_size=5)
numbers = st.integers(-20, 20).map(str) | st.decimals(-9, 9, places=2).map(str)
near = st.integers(-10 * 96, 10 * 96)
"""Quarters of an hour."""
far = st.integers(-800 * 96, 800 * 96)
moments = (near | near | far).map(
    lambda quarters: (NOW + timedelta(minutes=15 * quarters)).isoformat()
)
days = moments.map(lambda text: text[:10])

OF_TYPE: dict[ColumnType, SearchStrategy[str]] = {
    ColumnType.CHOICE: st.sampled_from(["0", "1", "2", "3"]),
    ColumnType.DATE_TIME: days | moments,
    ColumnType.HIERARCHICAL: st.sampled_from(PEOPLE),
    ColumnType.NUMBER: numbers,
    ColumnType.OWNER: st.sampled_from(PEOPLE),
    ColumnType.STRING: words,
    ColumnType.UNIQUE_ID: st.sampled_from(PEOPLE),
}
OF_OPERATOR: dict[ValueType, SearchStrategy[tuple[str, ...]]] = {
    ValueType.NONE: st.just(()),
    ValueType.TEXT: st.tuples(words),
    ValueType.CHOICE: st.lists(OF_TYPE[ColumnType.CHOICE], min_size=1, max_size=3).map(tuple),
    ValueType.RECORD: st.tuples(st.sampled_from(PEOPLE)),
    ValueType.DATE: st.tuples(days),
    ValueType.COUNT: st.tuples(st.integers(1, 40).map(str)),
    ValueType.FISCAL_YEAR: st.tuples(st.integers(2024, 2028).map(str)),
    ValueType.FISCAL_PERIOD: st.tuples(st.integers(1, 4).map(str)),
    ValueType.FISCAL_PERIOD_AND_YEAR: st.tuples(
        st.integers(1, 4).map(str), st.integers(2024, 2028).map(str)
    ),
}


def of_column(column: Column) -> SearchStrategy[str]:
    return days if column.date_only else OF_TYPE[column.type]


def values(operator: Operator, column: Column) -> SearchStrategy[tuple[str, ...]]:
    if operator.values is not ValueType.AS_COLUMN:
        return OF_OPERATOR[operator.values]
    most = 3 if operator.most is None else operator.most
    return st.lists(of_column(column), min_size=operator.fewest, max_size=most).map(tuple)


@cache
def usable(table: str) -> dict[Column, tuple[Operator, ...]]:
    """Columns that can be asked of, and by what."""
    columns = CATALOGUE[table].columns.values()
    return {each: operators for each in columns if (operators := each.operators)}


@st.composite
def conditions(draw: DrawFn, table: str) -> Condition:
    columns = usable(table)
    column = draw(st.sampled_from([*columns]))
    operator = draw(st.sampled_from(columns[column]))
    alike = [each.name for each in columns if each.type is column.type]
    if operator.name in COMPARES_COLUMNS and draw(st.integers(0, 5)) == 0:
        other = draw(st.sampled_from(alike))
        return Condition(column=column.name, operator=operator.name, compared_column=other)
    return Condition(
        column=column.name, operator=operator.name, values=draw(values(operator, column))
    )


@st.composite
def links(draw: DrawFn, of: str, types: list[LinkType], depth: int) -> Link:
    kind = draw(st.sampled_from(types))
    inside = groups("activityparty", depth - 1, joins=True) if depth else st.none()
    return Link(
        table="activityparty",
        from_column="partyid" if of in {"contact", "account"} else "activityid",
        to_column=f"{of}id" if of in {"contact", "account"} else "activityid",
        type=kind,
        criteria=draw(st.none() | inside),
    )


@st.composite
def groups(draw: DrawFn, table: str, depth: int = 2, *, joins: bool = False) -> Group:
    operator = draw(st.sampled_from(GroupOperator))
    kinds = [kind for kind in LinkType if kind not in JOINS or (joins and operator == "AND")]
    return Group(
        operator=operator,
        conditions=tuple(draw(st.lists(conditions(table), max_size=3))),
        groups=tuple(draw(st.lists(groups(table, depth - 1), max_size=2 if depth else 0))),
        links=tuple(draw(st.lists(links(table, kinds, depth), max_size=2 if depth else 0))),
    )


@st.composite
def criteria(draw: DrawFn) -> Criteria:
    table = draw(st.sampled_from(FILTERED))
    return Criteria(table=table, group=draw(groups(table, joins=True)))


def kept(element: str) -> SearchStrategy[Kept]:
    """Attributes of an element that mean nothing."""
    names = st.sampled_from(sorted(MEANINGLESS[element]))
    found = st.dictionaries(names, xml_text, max_size=2)
    return found.map(lambda attributes: tuple(sorted(attributes.items())))
