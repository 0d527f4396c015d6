"""What a link leads to, and what its type makes of it (domain reference 3.4).

Law: ALL and NOT_ALL are about every related record, so ALL holds where there is none.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from domain.filters.criteria import Link, LinkType
from domain.filters.records import (
    LEFT_OUT,
    Predicate,
    Record,
    Verdict,
    any_of,
    both,
    opposite,
)
from domain.filters.values import folded

type Way = tuple[Record | None, bool]
"""A record of a joined table, or none, and whether it surely stands there."""


def beside(link: Link, asked: Predicate | None) -> Callable[[Record], list[Way]]:
    """What can stand beside a record by a join."""
    related = related_by(link, asked)

    def ways(record: Record) -> list[Way]:
        found = related(record)
        if found is None:
            return [(Record(columns={}), False)]
        fitting = [(each.record, both(each.linked, each.fits)) for each in found]
        there: list[Way] = [(each, fits is True) for each, fits in fitting if fits is not False]
        if link.type is LinkType.OUTER and not any(sure for _, sure in there):
            there.append((None, not there))
        return there

    return ways


class Related(NamedTuple):
    """A record that a link may lead to: whether it does, and whether it fits."""

    record: Record
    linked: Verdict
    fits: Verdict


def related_by(link: Link, asked: Predicate | None) -> Callable[[Record], list[Related] | None]:
    """What the link leads to; None where that is not known."""
    joined = _joined(link)

    def related(record: Record) -> list[Related] | None:
        others = record.related.get(link.table)
        here = record.columns.get(link.to_column, LEFT_OUT)
        if here is None:
            return []
        if others is None or here is LEFT_OUT:
            return None
        return [
            Related(other, linked, True if asked is None else asked(within(record, other)))
            for other, linked in ((each, joined(here, each)) for each in others)
            if linked is not False
        ]

    return related


def within(record: Record, other: Record) -> Record:
    """A related record, from which links lead on to what the first one is related to."""
    return other if other.related else replace(other, related=record.related)


def _joined(link: Link) -> Callable[[str, Record], Verdict]:
    def joined(here: str, other: Record) -> Verdict:
        there = other.columns.get(link.from_column, LEFT_OUT)
        if there is LEFT_OUT:
            return None
        return there is not None and _plain(there) == _plain(here)

    return joined


def _plain(text: str) -> str:
    return folded(text).strip("{}")


def linked(link: Link, asked: Predicate | None) -> Predicate:
    """What a link says of a record. `asked`: of each that it leads to."""
    related = related_by(link, asked)

    def verdict(record: Record) -> Verdict:
        if link.type is LinkType.OUTER:
            return True
        found = related(record)
        if found is None:
            return None
        if link.type in {LinkType.ALL, LinkType.NOT_ALL}:
            failing = any_of(both(each.linked, opposite(each.fits)) for each in found)
            return opposite(failing) if link.type is LinkType.ALL else failing
        some = any_of(both(each.linked, each.fits) for each in found)
        return opposite(some) if link.type is LinkType.NOT_ANY else some

    return verdict
