"""What a filter asks of a record: groups, conditions and links to related tables, as a tree.

Law: a tree is plain data and equal to any other that asks the same in the same order; whether it
makes sense is for `checking` to say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class GroupOperator(StrEnum):
    AND = "AND"
    OR = "OR"


class LinkType(StrEnum):
    """INNER and OUTER join; the others only ask whether related records exist."""

    INNER = "INNER"
    OUTER = "OUTER"
    ANY = "ANY"
    NOT_ANY = "NOT_ANY"
    ALL = "ALL"
    NOT_ALL = "NOT_ALL"


JOINS = frozenset({LinkType.INNER, LinkType.OUTER})

type Kept = tuple[tuple[str, str], ...]
"""Attributes of FetchXML that mean nothing here (a caption, a picture): kept as they came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`compared_column`: in place of values; `link_alias`: the column is of a joined table."""

    column: str
    operator: str
    values: tuple[str, ...] = ()
    compared_column: str | None = None
    link_alias: str | None = None
    kept: Kept = ()
    kept_of_values: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Records of `table` whose `from_column` equals `to_column` of the one looked at."""

    table: str
    from_column: str
    to_column: str
    type: LinkType = LinkType.ANY
    alias: str | None = None
    criteria: "Group | None" = None
    kept: Kept = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Everything in it (AND) or anything (OR); an empty one asks nothing."""

    operator: GroupOperator = GroupOperator.AND
    conditions: tuple[Condition, ...] = ()
    groups: "tuple[Group, ...]" = ()
    links: tuple[Link, ...] = ()
    kept: Kept = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """A whole filter: which records of a table. `kept`, `kept_of_table`: of FetchXML's roots."""

    table: str
    group: Group = Group()
    kept: Kept = ()
    kept_of_table: Kept = ()


class Part(NamedTuple):
    """A group, condition or link with its place, e.g. `groups[0].conditions[2]`.

    `table`: whose columns are meant; `depth`: groups around it.
    """

    path: str
    table: str
    depth: int
    node: Group | Condition | Link


def parts(criteria: Criteria) -> Iterator[Part]:
    """Everything in the tree, from the top down, without recursion however deep it is."""
    waiting = [Part("", criteria.table, 1, criteria.group)]
    while waiting:
        part = waiting.pop()
        yield part
        if not isinstance(part.node, Condition):
            waiting += reversed(list(_inside(part)))


def _inside(part: Part) -> Iterator[Part]:
    path, table, depth, node = part
    match node:
        case Group(conditions=conditions, groups=groups, links=links):
            prefix = f"{path}." if path else ""
            for index, condition in enumerate(conditions):
                yield Part(f"{prefix}conditions[{index}]", table, depth, condition)
            for index, group in enumerate(groups):
                yield Part(f"{prefix}groups[{index}]", table, depth + 1, group)
            for index, link in enumerate(links):
                yield Part(f"{prefix}links[{index}]", table, depth, link)
        case Link(table=other, criteria=Group() as group):
            yield Part(f"{path}.criteria", other, depth + 1, group)
        case _:
            return
