"""What differs between two criteria of one table, a line for each part.

Law: no line where they are the same, and at least one where they are not.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace

from domain.filters.criteria import Condition, Criteria, Group, GroupOperator, Link
from domain.filters.words import LONGEST, clause, link_clause, listed, quoted, statement

BINDS = {GroupOperator.AND: "all of them must hold", GroupOperator.OR: "one of them must hold"}


def differences(before: Criteria, after: Criteria) -> tuple[str, ...]:
    """E.g. `changed: status is open → is open or scheduled`."""
    if before == after:
        return ()
    one, other = _bare(before.group), _bare(after.group)
    if one == other:
        return ("changed: attributes of FetchXML that mean nothing here",)
    return _told(before, one, after, other) or ("changed: the order of what is asked",)


def additions(criteria: Criteria) -> tuple[str, ...]:
    """E.g. `added: status is active`: all that new criteria ask."""
    return _told(criteria, Group(), criteria, _whole(criteria))


def removals(criteria: Criteria) -> tuple[str, ...]:
    """E.g. `removed: status is active`: all that criteria asked."""
    return _told(criteria, _whole(criteria), criteria, Group())


def _whole(criteria: Criteria) -> Group:
    """Its group; within another where its parts only make sense together."""
    group = _bare(criteria.group)
    return group if group.operator is GroupOperator.AND else Group(groups=(group,))


def _told(before: Criteria, one: Group, after: Criteria, other: Group) -> tuple[str, ...]:
    found = _Comparison(before, after).groups(one, other, after.table)
    return tuple(line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in found)


class _Comparison:
    """`before`, `after`: the wholes, for the names of what is joined."""

    def __init__(self, before: Criteria, after: Criteria) -> None:
        self._before = before
        self._after = after

    def groups(self, before: Group, after: Group, table: str, where: str = "") -> Iterator[str]:
        """`where`: what holds both, for the beginning of a line."""
        at = f"in {where}, " if where else ""
        if before.operator is not after.operator and Group() not in {before, after}:
            yield f"{at}changed: {BINDS[before.operator]} → {BINDS[after.operator]}"
        for line in self._conditions(before.conditions, after.conditions, table):
            yield f"{at}{line}"
        of = f" of {where}" if where else ""
        gone, new = _unmatched(before.groups, after.groups)
        paired = min(len(gone), len(new))
        for was, now in zip(gone[:paired], new[:paired], strict=True):
            number = after.groups.index(now) + 1
            yield from self.groups(was, now, table, f"group {number}{of}")
        yield from (f"{at}removed: {_group(x, self._before, table)}" for x in gone[paired:])
        yield from (f"{at}added: {_group(x, self._after, table)}" for x in new[paired:])
        links = _unmatched(before.links, after.links)
        for was_link, now_link in _pairs(*links, _way):
            if was_link is not None and now_link is not None:
                one, two = was_link.criteria or Group(), now_link.criteria or Group()
                place = f"the link to {now_link.table}{of}"
                yield from self.groups(one, two, now_link.table, place)
            elif was_link is not None:
                yield f"{at}removed: {_link(was_link, self._before)}"
            elif now_link is not None:
                yield f"{at}added: {_link(now_link, self._after)}"

    def _conditions(
        self, before: Sequence[Condition], after: Sequence[Condition], table: str
    ) -> Iterator[str]:
        for was, now in _pairs(*_unmatched(before, after), _about):
            if was is not None and now is not None:
                subject, said = statement(now, self._after, table)
                _, said_before = statement(was, self._before, table)
                told = f"{said_before} → {said}"
                yield f"changed: {subject} {_of_many(was, now) if said == said_before else told}"
            elif was is not None:
                yield f"removed: {' '.join(statement(was, self._before, table))}"
            elif now is not None:
                yield f"added: {' '.join(statement(now, self._after, table))}"


def _of_many(before: Condition, after: Condition) -> str:
    """What left a list, or came to it, that is too long to be told whole."""
    less, more = _unmatched(before.values, after.values)
    gone = [f"no longer {listed(map(quoted, less))}"] if less else []
    new = [f"now {listed(map(quoted, more))}"] if more else []
    return ", ".join((*gone, *new)) or "is the same in another order"


def _group(group: Group, about: Criteria, table: str) -> str:
    return f"({clause(group, about, table) or 'anything'})"


def _link(link: Link, about: Criteria) -> str:
    return f"{link_clause(link, about)} ({link.type.value})"


def _unmatched[T: Hashable](before: Sequence[T], after: Sequence[T]) -> tuple[list[T], list[T]]:
    """What only one of them has, each as often as it has it more."""
    less, more = Counter(before), Counter(after)
    return list((less - more).elements()), list((more - less).elements())


def _pairs[T](
    before: list[T], after: list[T], key: Callable[[T], object]
) -> Iterator[tuple[T | None, T | None]]:
    """Those of the same key together; those of one side alone last."""
    left = list(after)
    for was in before:
        now = next((each for each in left if key(each) == key(was)), None)
        if now is not None:
            left.remove(now)
        yield was, now
    yield from ((None, now) for now in left)


def _about(condition: Condition) -> object:
    return condition.link_alias, condition.column


def _way(link: Link) -> object:
    return link.table, link.from_column, link.to_column, link.type, link.alias


def _bare(group: Group) -> Group:
    """Without attributes that mean nothing here."""
    return replace(
        group,
        kept=(),
        conditions=tuple(replace(each, kept=(), kept_of_values=()) for each in group.conditions),
        groups=tuple(map(_bare, group.groups)),
        links=tuple(
            replace(link, kept=(), criteria=None if link.criteria is None else _bare(link.criteria))
            for link in group.links
        ),
    )
