"""Criteria as SQL: an oracle for the matcher, written from the product's words and not from ours.

A verdict of SQL that is NULL counts as no, and a negated operator is the complement of the plain
one.
"""

from collections.abc import Iterator

from domain.filters.catalogue import CATALOGUE
from domain.filters.columns import Column
from domain.filters.criteria import Condition, Criteria, Group, Link, LinkType
from domain.filters.operators import ColumnType

SQL_TYPES = {
    ColumnType.CHOICE: "int",
    ColumnType.DATE_TIME: "timestamptz",
    ColumnType.HIERARCHICAL: "uuid",
    ColumnType.NUMBER: "numeric",
    ColumnType.OWNER: "uuid",
    ColumnType.STRING: "text",
    ColumnType.UNIQUE_ID: "uuid",
}
COMPLEMENTS = {
    "ne": "eq",
    "neq": "eq",
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
COMPARED = {"eq": "=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
ANCESTORS = """WITH RECURSIVE up(id) AS (
    SELECT parent FROM tree WHERE child = {0} UNION SELECT parent FROM tree JOIN up ON child = up.id
) SELECT id FROM up WHERE id IS NOT NULL"""
WITH = """WITH clock AS (
    SELECT $1::timestamptz AS now, $2::text AS zone,
           ($1::timestamptz AT TIME ZONE $2)::date AS today
), person AS (
    SELECT $3::uuid AS id, $4::uuid[] AS teams, $5::uuid AS unit, $6::int AS language,
           $7::uuid[] AS reports, $8::uuid[] AS report_teams
), tree AS (
    SELECT * FROM jsonb_to_recordset($9::jsonb) AS t(child uuid, parent uuid)
), record AS (
    SELECT * FROM jsonb_to_recordset($10::jsonb) AS r(number int, {record})
), activityparty AS (
    SELECT * FROM jsonb_to_recordset($11::jsonb) AS p(number int, {party})
)
SELECT record.number, coalesce({expression}, false) AS matches
FROM record, clock, person ORDER BY 1"""


def sql_type(column: Column) -> str:
    return "date" if column.date_only else SQL_TYPES[column.type]


def columns_of(table: str) -> str:
    known = CATALOGUE[table].columns.values()
    return ", ".join(f'"{each.name}" {sql_type(each)}' for each in known if each.operators)


def statement(criteria: Criteria) -> str:
    """Of $1 … $11: whether each record matches."""
    return WITH.format(
        record=columns_of(criteria.table),
        party=columns_of("activityparty"),
        expression=_root(criteria.group, criteria.table, "record"),
    )


def _root(group: Group, table: str, row: str) -> str:
    named = [link for link in group.links if link.alias is not None]
    if not named:
        return _group(group, table, row)
    (link,) = named
    rest = Group(
        operator=group.operator,
        conditions=group.conditions,
        groups=group.groups,
        links=tuple(each for each in group.links if each is not link),
    )
    kind = "LEFT JOIN" if link.type is LinkType.OUTER else "JOIN"
    return (
        f"EXISTS (SELECT FROM (SELECT 1) AS one {kind} activityparty AS {link.alias} "
        f"ON {_on(link, row, str(link.alias))} WHERE {_group(rest, table, row)})"
    )


def _on(link: Link, row: str, other: str) -> str:
    linked = f'{other}."{link.from_column}" = {row}."{link.to_column}"'
    asked = "true" if link.criteria is None else _group(link.criteria, link.table, other)
    return f"({linked} AND coalesce({asked}, false))"


def _group(group: Group, table: str, row: str) -> str:
    parts = [*_parts(group, table, row)]
    return f"({f' {group.operator.value} '.join(parts)})" if parts else "true"


def _parts(group: Group, table: str, row: str) -> Iterator[str]:
    for condition in group.conditions:
        alias = condition.link_alias
        yield _condition(condition, "activityparty" if alias else table, alias or row)
    for inner in group.groups:
        yield _group(inner, table, row)
    for depth, link in enumerate(group.links):
        yield _link(link, row, f"{row}_{depth}")


def _link(link: Link, row: str, other: str) -> str:
    linked = f'{other}."{link.from_column}" = {row}."{link.to_column}"'
    asked = "true" if link.criteria is None else _group(link.criteria, link.table, other)
    some, failing = (
        f"EXISTS (SELECT FROM activityparty AS {other} WHERE {linked} AND {also})"
        for also in (f"coalesce({asked}, false)", f"NOT coalesce({asked}, false)")
    )
    return {
        LinkType.INNER: some,
        LinkType.OUTER: "true",
        LinkType.ANY: some,
        LinkType.NOT_ANY: f"NOT {some}",
        LinkType.ALL: f"NOT {failing}",
        LinkType.NOT_ALL: failing,
    }[link.type]


def _condition(condition: Condition, table: str, row: str) -> str:
    column = CATALOGUE[table].columns[condition.column]
    name = f'{row}."{condition.column}"'
    operator = COMPLEMENTS.get(condition.operator, condition.operator)
    if condition.compared_column is not None:
        other = f'{row}."{condition.compared_column}"'
        plain = f"{_key(name, column)} {COMPARED[operator]} {_key(other, column)}"
    else:
        plain = _plain(operator, name, condition.values, column)
    found = f"coalesce(({plain}), false)"
    return f"NOT {found}" if operator != condition.operator else found


def _key(name: str, column: Column) -> str:
    return f'lower({name}) COLLATE "C"' if column.type is ColumnType.STRING else name


def _literal(value: str, column: Column) -> str:
    quoted = "'" + value.replace("'", "''") + "'"
    if column.type is ColumnType.STRING:
        return f'lower({quoted}) COLLATE "C"'
    if column.type is ColumnType.DATE_TIME and not column.date_only and "T" not in value:
        return f"({quoted}::timestamp AT TIME ZONE zone)"
    return f"{quoted}::{sql_type(column)}"


def _plain(operator: str, name: str, values: tuple[str, ...], column: Column) -> str:
    key = _key(name, column)
    if operator in COMPARED:
        return f"{key} {COMPARED[operator]} {_literal(values[0], column)}"
    match operator:
        case "null":
            return f"{name} IS NULL"
        case "between":
            return f"{key} BETWEEN {_literal(values[0], column)} AND {_literal(values[1], column)}"
        case "in" | "contain-values":
            return f"{key} IN ({', '.join(_literal(value, column) for value in values)})"
        case "like":
            return f"{key} LIKE {_literal(values[0], column)}"
        case "begins-with":
            return f"{key} LIKE {_literal(values[0] + '%', column)}"
        case "ends-with":
            return f"{key} LIKE {_literal('%' + values[0], column)}"
        case _ if column.type is ColumnType.DATE_TIME:
            return _dated(operator, name, values, column)
        case _:
            return _of_user(operator, name, values)


def _of_user(operator: str, name: str, values: tuple[str, ...]) -> str:
    place = f"'{values[0]}'::uuid" if values else ""
    return {
        "eq-userid": f"{name} = person.id",
        "eq-userteams": f"{name} = ANY (teams)",
        "eq-useroruserteams": f"{name} = person.id OR {name} = ANY (teams)",
        "eq-useroruserhierarchy": f"{name} = person.id OR {name} = ANY (reports)",
        "eq-useroruserhierarchyandteams": f"{name} = person.id OR {name} = ANY (reports) "
        f"OR {name} = ANY (teams) OR {name} = ANY (report_teams)",
        "eq-businessid": f"{name} = unit",
        "eq-userlanguage": f"{name} = language",
        "above": f"{name} <> {place} AND {name} IN ({ANCESTORS.format(place)})",
        "eq-or-above": f"{name} = {place} OR {name} IN ({ANCESTORS.format(place)})",
        "under": f"{name} <> {place} AND {place} IN ({ANCESTORS.format(name)})",
        "eq-or-under": f"{name} = {place} OR {place} IN ({ANCESTORS.format(name)})",
    }[operator]


SUNDAY = "(today - extract(dow FROM today)::int)"
MONTH, QUARTER, YEAR = (
    f"date_trunc('{unit}', today::timestamp)::date" for unit in ("month", "quarter", "year")
)
PAST = "now + interval '1 microsecond'"


def _shift(day: str, count: str, unit: str) -> str:
    return f"({day} + {count} * interval '1 {unit}')::date"


def _cut(start: str, months: int) -> dict[str, tuple[str, str]]:
    """The last, this and next of spans of so many months."""
    return {
        side: (
            _shift(start, str(months * many), "month"),
            _shift(start, str(months * (many + 1)), "month"),
        )
        for side, many in (("last", -1), ("this", 0), ("next", 1))
    }


WINDOWS: dict[str, tuple[str | None, str | None]] = {
    "yesterday": ("today - 1", "today"),
    "today": ("today", "today + 1"),
    "tomorrow": ("today + 1", "today + 2"),
    "last-seven-days": ("today - 6", "today + 1"),
    "next-seven-days": ("today + 1", "today + 8"),
    "last-week": (f"{SUNDAY} - 7", SUNDAY),
    "this-week": (SUNDAY, f"{SUNDAY} + 7"),
    "next-week": (f"{SUNDAY} + 7", f"{SUNDAY} + 14"),
    **{f"{side}-month": window for side, window in _cut(MONTH, 1).items()},
    **{f"{side}-year": window for side, window in _cut(YEAR, 12).items()},
    **{f"{side}-fiscal-period": window for side, window in _cut(QUARTER, 3).items()},
    **{f"{side}-fiscal-year": window for side, window in _cut(YEAR, 12).items()},
    "last-x-fiscal-periods": (_shift(QUARTER, "-3 * {0}", "month"), QUARTER),
    "next-x-fiscal-periods": (
        _shift(QUARTER, "3", "month"),
        _shift(QUARTER, "3 * ({0} + 1)", "month"),
    ),
    "last-x-fiscal-years": (_shift(YEAR, "-{0}", "year"), YEAR),
    "next-x-fiscal-years": (_shift(YEAR, "1", "year"), _shift(YEAR, "({0} + 1)", "year")),
    "last-x-hours": ("now - {0} * interval '1 hour'", PAST),
    "next-x-hours": ("now", f"{PAST} + {{0}} * interval '1 hour'"),
    **{
        f"last-x-{unit}s": (_shift("today", "-{0}", unit), PAST)
        for unit in ("day", "week", "month", "year")
    },
    **{
        f"next-x-{unit}s": ("now", f"{_shift('today', '{0}', unit)} + 1")
        for unit in ("day", "week", "month", "year")
    },
    **{
        f"olderthan-x-{unit}s": (None, f"now - {{0}} * interval '1 {unit}'")
        for unit in ("minute", "hour")
    },
    **{
        f"olderthan-x-{unit}s": (None, _shift("today", "-{0}", unit))
        for unit in ("day", "week", "month", "year")
    },
    "on": ("'{0:.10}'::date", "'{0:.10}'::date + 1"),
    "on-or-after": ("'{0:.10}'::date", None),
    "on-or-before": (None, "'{0:.10}'::date + 1"),
    "in-fiscal-year": ("make_date({0}, 1, 1)", "make_date({0} + 1, 1, 1)"),
    "in-fiscal-period-and-year": (
        _shift("make_date({1}, 1, 1)", "3 * ({0} - 1)", "month"),
        _shift("make_date({1}, 1, 1)", "3 * {0}", "month"),
    ),
    "in-or-before-fiscal-period-and-year": (
        None,
        _shift("make_date({1}, 1, 1)", "3 * {0}", "month"),
    ),
    "in-or-after-fiscal-period-and-year": (
        _shift("make_date({1}, 1, 1)", "3 * ({0} - 1)", "month"),
        None,
    ),
}
"""From a day or instant on, and before another; instants begin with `now`."""


def _dated(operator: str, name: str, values: tuple[str, ...], column: Column) -> str:
    if operator == "in-fiscal-period":
        local = name if column.date_only else f"({name} AT TIME ZONE zone)"
        return f"extract(quarter FROM {local}) = {values[0]}"
    parts = [f"{name} IS NOT NULL"]
    for template, before in zip(WINDOWS[operator], (False, True), strict=True):
        if template is None:
            continue
        bound = template.format(*values)
        instant = bound.startswith("now")
        if column.date_only and instant and before:
            parts.append(
                f"{name} <= (({bound} - interval '1 microsecond') AT TIME ZONE zone)::date"
            )
        elif column.date_only:
            day = f"(({bound}) AT TIME ZONE zone)::date" if instant else f"({bound})"
            parts.append(f"{name} {'<' if before else '>='} {day}")
        else:
            edge = bound if instant else f"(({bound})::timestamp AT TIME ZONE zone)"
            parts.append(f"{name} {'<' if before else '>='} {edge}")
    return " AND ".join(parts)
