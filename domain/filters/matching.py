"""Whether a record matches criteria: yes, no, or not to be known from what was given.

Law: three-valued, as SQL is (domain reference 3.2 and 3.4), but a column that was left out is
unknown while one that is None is empty. Criteria are compiled once and asked of many records.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from types import MappingProxyType

from domain.filters.catalogue import known_column
from domain.filters.conditions import comparison, needed, test
from domain.filters.criteria import JOINS, Condition, Criteria, Group, GroupOperator, Link
from domain.filters.links import Way, beside, linked, related_by, within
from domain.filters.problem import WHOLE
from domain.filters.records import LEFT_OUT, Predicate, Record, Verdict, any_of, both
from domain.filters.viewpoint import Test, Viewpoint

MOST_COMBINATIONS = 10_000
"""Of records of joined tables that are looked at together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`failed`: paths of what says no, where the verdict is no; `missing`: what would tell."""

    verdict: Verdict
    failed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class TooManyCombinations(ValueError):
    """More records of joined tables than can be looked at together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of the tree, compiled. `gaps`: what an unknown verdict may be missing.

    `asks`: a column and what is asked of it, where there is no more to it.
    """

    path: str
    verdict: Predicate
    gaps: Callable[[Record], Iterator[str]]
    inside: "tuple[_Part, ...]" = ()
    asks: tuple[str, Test] | None = None


class Matcher:
    """Criteria as one user sees them at one time."""

    def __init__(self, criteria: Criteria, viewpoint: Viewpoint) -> None:
        self._whole = _root(criteria.group, criteria.table, viewpoint)
        self.matches: Predicate = self._whole.verdict
        """The verdict on a record. ValueError for text that is no value of its column."""

    def explain(self, record: Record) -> Explanation:
        """The verdict with its reasons. ValueError as above."""
        verdict = self.matches(record)
        if verdict is True:
            return Explanation(verdict=verdict)
        leaves = list(_leaves(self._whole, record, verdict))
        if verdict is False:
            return Explanation(verdict=verdict, failed=tuple(each.path for each in leaves))
        gaps = (gap for each in leaves for gap in each.gaps(record))
        return Explanation(verdict=verdict, missing=tuple(dict.fromkeys(gaps)))


def _leaves(part: _Part, record: Record, verdict: Verdict) -> Iterator[_Part]:
    """The conditions and links by which a part has this verdict, or itself."""
    if part.verdict(record) is not verdict:
        return
    if not part.inside:
        yield part
    for each in part.inside:
        yield from _leaves(each, record, verdict)


def _root(group: Group, table: str, viewpoint: Viewpoint) -> _Part:
    """A group whose conditions may ask columns of joined tables."""
    asked = [each for each in _conditions(group) if each.link_alias is not None]
    named = {each.link_alias for each in asked}
    joins = {link.alias: link for link in group.links if link.type in JOINS and link.alias in named}
    if not joins:
        return _group(group, table, viewpoint)
    rest = replace(group, links=tuple(each for each in group.links if each.alias not in joins))
    part = _group(rest, table, viewpoint, tables={key: link.table for key, link in joins.items()})
    nothing = Record(columns=dict.fromkeys(column for each in asked for column in _columns(each)))
    ways = {
        alias: beside(link, None if (inner := _within(link, viewpoint)) is None else inner.verdict)
        for alias, link in joins.items()
        if alias is not None
    }

    def matches(record: Record) -> Verdict:
        found = _combinations(record, ways, nothing)
        return any_of(both(part.verdict(each), sure or None) for each, sure in found)

    def gaps(record: Record) -> Iterator[str]:
        for each, sure in _combinations(record, ways, nothing):
            if not sure:
                yield from (link.table for link in joins.values())
            for leaf in _leaves(part, each, None):
                yield from leaf.gaps(each)

    return _Part(path=WHOLE, verdict=matches, gaps=gaps)


def _combinations(
    record: Record, ways: Mapping[str, Callable[[Record], list[Way]]], nothing: Record
) -> Iterator[tuple[Record, bool]]:
    """The record with what can stand beside it, and whether it surely does."""
    found = [lead(record) for lead in ways.values()]
    if prod(map(len, found)) > MOST_COMBINATIONS:
        raise TooManyCombinations(
            f"The joined tables make more than {MOST_COMBINATIONS} combinations; give fewer."
        )
    for together in product(*found):
        others = [nothing if other is None else other for other, _ in together]
        joined = dict(zip(ways, others, strict=True))
        yield replace(record, joined=joined), all(sure for _, sure in together)


def _conditions(group: Group) -> Iterator[Condition]:
    yield from group.conditions
    for inner in group.groups:
        yield from _conditions(inner)


def _columns(condition: Condition) -> tuple[str, ...]:
    other = condition.compared_column
    return (condition.column,) if other is None else (condition.column, other)


def _group(
    group: Group,
    table: str,
    viewpoint: Viewpoint,
    path: str = "",
    tables: Mapping[str | None, str] = MappingProxyType({}),
) -> _Part:
    """`tables`: those that stand beside, by alias."""
    prefix = f"{path}." if path else ""
    inside = (
        *(
            _condition(
                each, tables.get(each.link_alias, table), viewpoint, f"{prefix}conditions[{at}]"
            )
            for at, each in enumerate(group.conditions)
        ),
        *(
            _group(each, table, viewpoint, f"{prefix}groups[{at}]", tables)
            for at, each in enumerate(group.groups)
        ),
        *(_link(each, viewpoint, f"{prefix}links[{at}]") for at, each in enumerate(group.links)),
    )
    decisive = group.operator is GroupOperator.OR and bool(inside)
    verdict = _combined(
        table,
        [part.asks for part in inside if part.asks is not None],
        [part.verdict for part in inside if part.asks is None],
        decisive=decisive,
    )
    return _Part(path=path, verdict=verdict, gaps=lambda _: iter(()), inside=inside)


def _combined(
    table: str,
    tests: Sequence[tuple[str, Test]],
    rest: Sequence[Predicate] = (),
    *,
    decisive: bool = False,
) -> Predicate:
    """The first `decisive` verdict, or the other one, or None where something is not known."""

    def combined(record: Record) -> Verdict:
        columns, unknown = record.columns, False
        column, text = "", None
        try:
            for column, asked in tests:
                text = columns.get(column, LEFT_OUT)
                verdict = None if text is LEFT_OUT else asked(text)
                if verdict is decisive:
                    return decisive
                if verdict is None:
                    unknown = True
        except ValueError as error:
            raise ValueError(f"{table}.{column} is {error}, not {text!r}.") from None
        for predicate in rest:
            verdict = predicate(record)
            if verdict is decisive:
                return decisive
            if verdict is None:
                unknown = True
        return None if unknown else not decisive

    return combined


def _condition(condition: Condition, table: str, viewpoint: Viewpoint, path: str) -> _Part:
    alias, names = condition.link_alias, _columns(condition)
    column, needs = known_column(table, condition.column), needed(condition.operator)
    asks: tuple[str, Test] | None = None
    if condition.compared_column is not None:
        here = _compared(names, table, comparison(condition.operator, column, viewpoint))
    else:
        asks = condition.column, test(condition, column, viewpoint)
        here = _combined(table, [asks])

    def asked(record: Record) -> Record:
        return record if alias is None else record.joined[alias]

    def gaps(record: Record) -> Iterator[str]:
        absent = [name for name in names if name not in asked(record).columns]
        yield from (name if alias is None else f"{alias}.{name}" for name in absent)
        if needs is not None and not absent:
            yield needs

    if alias is None:
        return _Part(path=path, verdict=here, gaps=gaps, asks=asks)
    return _Part(path=path, verdict=lambda record: here(asked(record)), gaps=gaps)


def _compared(
    names: tuple[str, ...],
    table: str,
    compared: Callable[[str | None, str | None], bool],
) -> Predicate:
    def verdict(record: Record) -> Verdict:
        one, two = (record.columns.get(name, LEFT_OUT) for name in names)
        if one is LEFT_OUT or two is LEFT_OUT:
            return None
        try:
            return compared(one, two)
        except ValueError as error:
            told = f"{table}.{names[0]} and {names[1]} are each {error}"
            raise ValueError(f"{told}, not {one!r} and {two!r}.") from None

    return verdict


def _within(link: Link, viewpoint: Viewpoint) -> _Part | None:
    """What is asked of the records that a link leads to; None: nothing."""
    return None if link.criteria is None else _root(link.criteria, link.table, viewpoint)


def _link(link: Link, viewpoint: Viewpoint, path: str) -> _Part:
    inner = _within(link, viewpoint)
    asked = None if inner is None else inner.verdict
    leads = related_by(link, asked)

    def gaps(record: Record) -> Iterator[str]:
        if link.to_column not in record.columns:
            yield link.to_column
        if link.table not in record.related:
            yield link.table
        for each in leads(record) or ():
            if each.linked is None:
                yield f"{link.table}.{link.from_column}"
            if each.fits is None and inner is not None:
                other = within(record, each.record)
                for leaf in _leaves(inner, other, None):
                    yield from (f"{link.table}.{gap}" for gap in leaf.gaps(other))

    return _Part(path=path, verdict=linked(link, asked), gaps=gaps)
