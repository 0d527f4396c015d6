"""Whether a record matches criteria: yes, no, or not to be known from what was given.

Law: three-valued, as SQL is (domain reference 3.2 and 3.4), but a column that was left out is
unknown while one that is None is empty. Criteria are compiled once and asked of many records.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from domain.filters.catalogue import CATALOGUE, Column
from domain.filters.conditions import comparison, needed, test
from domain.filters.criteria import JOINS, Condition, Criteria, Group, GroupOperator, Link
from domain.filters.links import beside, linked
from domain.filters.records import LEFT_OUT, Columns, Predicate, Record, Verdict, any_of, both
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
    """A part of the tree, compiled. `gaps`: what an unknown verdict may be missing."""

    path: str
    verdict: Predicate
    inside: "tuple[_Part, ...]" = ()
    gaps: Callable[[Record], Iterator[str]]


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
        leaves = [each for each in _leaves(self._whole) if each.verdict(record) is verdict]
        if verdict is False:
            return Explanation(verdict=verdict, failed=tuple(each.path for each in leaves))
        gaps = (gap for each in leaves for gap in each.gaps(record))
        return Explanation(verdict=verdict, missing=tuple(dict.fromkeys(gaps)))


def _leaves(part: _Part) -> Iterator[_Part]:
    """Its conditions and links, or itself."""
    if not part.inside:
        yield part
    for each in part.inside:
        yield from _leaves(each)


def _root(group: Group, table: str, viewpoint: Viewpoint) -> _Part:
    """A group whose conditions may name joined tables."""
    named = set(_aliases(group))
    joined = [link for link in group.links if link.type in JOINS and link.alias in named]
    part = _group(replace(group, links=_without(group.links, joined)), table, viewpoint, "", joined)
    if not joined:
        return part
    ways = [(link.alias or "", beside(link, _asked(link, viewpoint))) for link in joined]
    asked = part.verdict

    def matches(record: Record) -> Verdict:
        found = [[(alias, *way) for way in lead(record)] for alias, lead in ways]
        if prod(map(len, found)) > MOST_COMBINATIONS:
            raise TooManyCombinations(
                f"The joined tables make more than {MOST_COMBINATIONS} combinations; give fewer."
            )
        return any_of(
            both(
                asked(replace(record, joined={alias: other for alias, other, _ in combination})),
                all(sure for _, _, sure in combination) or None,
            )
            for combination in product(*found)
        )

    return replace(part, verdict=matches, inside=())


def _aliases(group: Group) -> Iterator[str]:
    yield from (each.link_alias for each in group.conditions if each.link_alias is not None)
    for inner in group.groups:
        yield from _aliases(inner)


def _without(links: Iterable[Link], others: Iterable[Link]) -> tuple[Link, ...]:
    left_out = list(others)
    return tuple(link for link in links if link not in left_out)


def _group(
    group: Group, table: str, viewpoint: Viewpoint, path: str, joined: Sequence[Link] = ()
) -> _Part:
    prefix = f"{path}." if path else ""
    tables = {link.alias: link.table for link in joined}
    parts = [
        _condition(each, tables.get(each.link_alias, table), viewpoint, f"{prefix}conditions[{at}]")
        for at, each in enumerate(group.conditions)
    ]
    inner = [
        _group(each, table, viewpoint, f"{prefix}groups[{at}]", joined)
        for at, each in enumerate(group.groups)
    ]
    links = [_link(each, viewpoint, f"{prefix}links[{at}]") for at, each in enumerate(group.links)]
    everything = (*parts, *inner, *links)
    simple = [
        (each.column, _tested(each, table, viewpoint))
        for each in group.conditions
        if each.compared_column is None and each.link_alias is None
    ]
    others = [
        part.verdict
        for part, each in zip(parts, group.conditions, strict=True)
        if each.compared_column is not None or each.link_alias is not None
    ]
    rest = [*others, *(part.verdict for part in (*inner, *links))]
    combined = _all if group.operator is GroupOperator.AND or not everything else _any
    return _Part(
        path=path, verdict=combined(simple, rest), inside=everything, gaps=lambda _: iter(())
    )


def _all(tests: Sequence[tuple[str, Test]], rest: Sequence[Predicate]) -> Predicate:
    def all_of(record: Record) -> Verdict:
        columns = record.columns
        unknown = False
        for column, tested in tests:
            text = columns.get(column, LEFT_OUT)
            verdict = None if text is LEFT_OUT else tested(text)
            if verdict is False:
                return False
            if verdict is None:
                unknown = True
        for predicate in rest:
            verdict = predicate(record)
            if verdict is False:
                return False
            if verdict is None:
                unknown = True
        return None if unknown else True

    return all_of


def _any(tests: Sequence[tuple[str, Test]], rest: Sequence[Predicate]) -> Predicate:
    def any_of_them(record: Record) -> Verdict:
        columns = record.columns
        unknown = False
        for column, tested in tests:
            text = columns.get(column, LEFT_OUT)
            verdict = None if text is LEFT_OUT else tested(text)
            if verdict is True:
                return True
            if verdict is None:
                unknown = True
        for predicate in rest:
            verdict = predicate(record)
            if verdict is True:
                return True
            if verdict is None:
                unknown = True
        return None if unknown else False

    return any_of_them


def _column(table: str, name: str) -> Column | None:
    return CATALOGUE[table].columns.get(name) if table in CATALOGUE else None


def _tested(condition: Condition, table: str, viewpoint: Viewpoint) -> Test:
    """The condition's test; text that is no value of its column is told with its name."""
    name, asked = condition.column, test(condition, _column(table, condition.column), viewpoint)

    def tested(text: str | None) -> Verdict:
        try:
            return asked(text)
        except ValueError as error:
            raise ValueError(f"{table}.{name} is {error}, not {text!r}.") from None

    return tested


def _condition(condition: Condition, table: str, viewpoint: Viewpoint, path: str) -> _Part:
    alias, name, other = condition.link_alias, condition.column, condition.compared_column
    shown = name if alias is None else f"{alias}.{name}"
    needs = needed(condition.operator)

    def columns(record: Record) -> Columns | None:
        beside = record if alias is None else record.joined.get(alias)
        return None if beside is None else beside.columns

    if other is not None:
        compared = comparison(condition.operator, _column(table, name), viewpoint)

        def verdict(record: Record) -> Verdict:
            found = columns(record)
            if found is None:
                return compared(None, None)
            one, two = found.get(name, LEFT_OUT), found.get(other, LEFT_OUT)
            return None if one is LEFT_OUT or two is LEFT_OUT else compared(one, two)
    else:
        tested = _tested(condition, table, viewpoint)

        def verdict(record: Record) -> Verdict:
            found = columns(record)
            text = None if found is None else found.get(name, LEFT_OUT)
            return None if text is LEFT_OUT else tested(text)

    def gaps(record: Record) -> Iterator[str]:
        found = columns(record) or {}
        named = [shown] if name not in found else []
        if other is not None and other not in found:
            named.append(other)
        yield from named or ([needs] if needs else [shown])

    return _Part(path=path, verdict=verdict, gaps=gaps)


def _asked(link: Link, viewpoint: Viewpoint) -> Predicate | None:
    if link.criteria is None:
        return None
    return _root(link.criteria, link.table, viewpoint).verdict


def _link(link: Link, viewpoint: Viewpoint, path: str) -> _Part:
    verdict = linked(link, _asked(link, viewpoint))
    return _Part(path=path, verdict=verdict, gaps=lambda _: iter((link.table,)))
