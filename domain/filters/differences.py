"""What differs between two criteria of one table, a line for each part.

Law: no line where they are the same, and at least one where they are not.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace

from domain.filters.criteria import Condition, Criteria, Group, GroupOperator, Link
from domain.filters.words import LONGEST, clause, link_clause, listed, parts_of, quoted, statement

MOST_LINES = 100
BINDS = {GroupOperator.AND: "all of them must hold", GroupOperator.OR: "one of them must hold"}


def differences(before: Criteria, after: Criteria) -> tuple[str, ...]:
    """E.g. `changed: status is open → is open or scheduled`."""
    if before == after:
        return ()
    found = _told(before, before.group, after, after.group)
    if found:
        return found
    if _bare(before.group) == _bare(after.group):
        return ("changed: attributes of FetchXML that mean nothing here",)
    return ("changed: the order of what is asked",)


def alike(before: Criteria, after: Criteria) -> bool:
    """Whether both ask the same, whatever the order and what means nothing here."""
    return not _told(before, before.group, after, after.group)


def additions(criteria: Criteria) -> tuple[str, ...]:
    """E.g. `added: status is active`: all that new criteria ask."""
    return _told(criteria, Group(), criteria, criteria.group) or ("added: all records",)


def removals(criteria: Criteria) -> tuple[str, ...]:
    """E.g. `removed: status is active`: all that criteria asked."""
    return _told(criteria, criteria.group, criteria, Group()) or ("removed: all records",)


def _told(before: Criteria, one: Group, after: Criteria, other: Group) -> tuple[str, ...]:
    compared = _Comparison(before, after).groups(_bare(one), _bare(other), after.table)
    found = [line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in compared]
    more = len(found) - MOST_LINES
    return tuple(found if more <= 0 else [*found[:MOST_LINES], f"and {more} more"])


class _Comparison:
    """`before`, `after`: the wholes, for the names of what is joined."""

    def __init__(self, before: Criteria, after: Criteria) -> None:
        self._before = before
        self._after = after

    def groups(self, before: Group, after: Group, table: str, where: str = "") -> Iterator[str]:
        """`where`: what holds both, for the beginning of a line."""
        at = f"in {where}, " if where else ""
        if not parts_of(before) and _alternatives(after):
            yield f"{at}added: {_group(after, self._after, table)}"
            return
        if not parts_of(after) and _alternatives(before):
            yield f"{at}removed: {_group(before, self._before, table)}"
            return
        if before.operator is not after.operator and parts_of(before) and parts_of(after):
            yield f"{at}changed: {BINDS[before.operator]} → {BINDS[after.operator]}"
        for line in self._conditions(before.conditions, after.conditions, table):
            yield f"{at}{line}"
        of = f" of {where}" if where else ""
        gone, new = _unmatched(before.groups, after.groups)
        places = _places(after.groups, new)
        paired = min(len(gone), len(new))
        for was, now, place in zip(gone, new, places, strict=False):
            yield from self.groups(was, now, table, f"group {place}{of}")
        yield from (f"{at}removed: {_group(x, self._before, table)}" for x in gone[paired:])
        yield from (f"{at}added: {_group(x, self._after, table)}" for x in new[paired:])
        links, more = _pairs(*_unmatched(before.links, after.links), _way)
        for link, other in links:
            if other is None:
                yield f"{at}removed: {_link(link, self._before)}"
            else:
                one, two = link.criteria or Group(), other.criteria or Group()
                yield from self.groups(one, two, link.table, f"the link to {link.table}{of}")
        yield from (f"{at}added: {_link(link, self._after)}" for link in more)

    def _conditions(
        self, before: Sequence[Condition], after: Sequence[Condition], table: str
    ) -> Iterator[str]:
        pairs, more = _pairs(*_unmatched(before, after), _about)
        for was, now in pairs:
            if now is None:
                yield f"removed: {' '.join(statement(was, self._before, table))}"
            else:
                subject, said = statement(now, self._after, table)
                _, said_before = statement(was, self._before, table)
                told = f"{said_before} → {said}"
                yield f"changed: {subject} {_told_alike(was, now) if said == said_before else told}"
        yield from (f"added: {' '.join(statement(now, self._after, table))}" for now in more)


def _told_alike(before: Condition, after: Condition) -> str:
    """What differs between two of which the same is said: a list is too long to be told whole."""
    less, more = _unmatched(before.values, after.values)
    gone = [f"no longer {listed(map(quoted, less))}"] if less else []
    new = [f"now {listed(map(quoted, more))}"] if more else []
    other = [f"{before.operator} → {after.operator}"] if before.operator != after.operator else []
    return ", ".join((*other, *gone, *new)) or "is the same in another order"


def _alternatives(group: Group) -> bool:
    """Whether its parts only make sense together."""
    return group.operator is GroupOperator.OR and parts_of(group) > 1


def _group(group: Group, about: Criteria, table: str) -> str:
    return f"({clause(group, about, table) or 'anything'})"


def _link(link: Link, about: Criteria) -> str:
    return f"{link_clause(link, about)} ({link.type.value})"


def _unmatched[T: Hashable](before: Sequence[T], after: Sequence[T]) -> tuple[list[T], list[T]]:
    """What only one of them has, each as often as it has it more."""
    less, more = Counter(before), Counter(after)
    return list((less - more).elements()), list((more - less).elements())


def _places[T: Hashable](all_: Sequence[T], some: Iterable[T]) -> Iterator[int]:
    """Where each of some stands among all, from 1; of equal ones, one after the other."""
    places = defaultdict[T, list[int]](list)
    for place in range(len(all_), 0, -1):
        places[all_[place - 1]].append(place)
    return (places[each].pop() for each in some)


def _pairs[T](
    before: Iterable[T], after: Iterable[T], key: Callable[[T], Hashable]
) -> tuple[list[tuple[T, T | None]], list[T]]:
    """Each with one of the same key, if there is one; and those that are left."""
    left = dict(enumerate(after))
    places = defaultdict[Hashable, deque[int]](deque)
    for place, now in left.items():
        places[key(now)].append(place)
    pairs: list[tuple[T, T | None]] = []
    for was in before:
        mine = places[key(was)]
        pairs.append((was, left.pop(mine.popleft()) if mine else None))
    return pairs, list(left.values())


def _about(condition: Condition) -> Hashable:
    return condition.link_alias, condition.column


def _way(link: Link) -> Hashable:
    return link.table, link.from_column, link.to_column, link.type, link.alias


def _bare(group: Group) -> Group:
    """Without attributes that mean nothing here; a link that asks nothing asks it of a group."""
    return replace(
        group,
        kept=(),
        conditions=tuple(replace(each, kept=(), kept_of_values=()) for each in group.conditions),
        groups=tuple(map(_bare, group.groups)),
        links=tuple(
            replace(link, kept=(), criteria=_bare(link.criteria or Group())) for link in group.links
        ),
    )
