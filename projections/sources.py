"""Where the changes that a filter asks for are to be looked for, so that an index leads to them.

Law: what is asked for by its words is looked for among deeds and reasons, which are few, and never
among changes, which are many.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from eventstore.database import Database, Row, columns
from projections.statements import SQL

MOST_PROBES = 500
"""Each takes some microseconds; where there would be more, changes are walked through in order."""
MOST_REASONS = 1_000
"""Where there are more, the nearest are looked for in order."""
SPECIAL = re.compile(r"[\\%_]")
"""What stands for something else in a pattern."""
INDEXED = re.compile(r"[^\W_]{3}")
"""What the index of words is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What narrows a history; None leaves it open.

    `setting`: a key, or the beginning of keys where it ends in a colon or dot. `since` is still in
    it, `until` is not. `text` is looked for in the sentence, the key and the reason, whatever its
    case.
    """

    by: UUID | None = None
    setting: str | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None

    @property
    def pattern(self) -> str | None:
        return None if self.text is None else f"%{SPECIAL.sub(r'\\\g<0>', self.text)}%"


class Stretch(NamedTuple):
    """Positions of one environment strictly between two."""

    environment: str
    above: int
    below: int


class Walk(NamedTuple):
    """From the newest back or the oldest on, at most that many."""

    newest_first: bool
    limit: int

    def statement(self, name: str) -> str:
        return SQL[f"{name}_{'newest' if self.newest_first else 'oldest'}_first"]


class Probe(NamedTuple):
    """A stretch of which one deed alone is asked for."""

    environment: str
    above: int
    below: int
    deed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Stretches to walk through and probes to take, and what narrows them: None for nothing.

    `deeds`: of what is walked through. `told`: which deeds, or else what was done for a reason that
    has `reason` in it.
    """

    walked: Sequence[Stretch] = ()
    probed: Sequence[Probe] = ()
    deeds: Sequence[int] | None = None
    told: Sequence[int] | None = None
    reason: str | None = None

    def __len__(self) -> int:
        return len(self.walked) + len(self.probed)

    def with_more(self, rows: Iterable[Row], of_each: int) -> "Sources":
        """Those of which as many rows are here as were taken of each: they may have more."""
        positions: defaultdict[str, list[int]] = defaultdict(list)
        deeds: Counter[tuple[str, int]] = Counter()
        for row in rows:
            positions[row["environment"]].append(row["position"])
            deeds[row["environment"], row["deed"]] += 1
        walked = [
            each
            for each in self.walked
            if sum(each.above < one < each.below for one in positions[each.environment]) >= of_each
        ]
        probed = [each for each in self.probed if deeds[each.environment, each.deed] >= of_each]
        return replace(self, walked=walked, probed=probed)


async def sources(
    database: Database, stretches: Sequence[Stretch], narrowed: Filter, walk: Walk
) -> Sources:
    """Where to look in these stretches, none of which is empty, whatever the time."""
    beginning = narrowed.setting is not None and narrowed.setting.endswith((":", "."))
    asked = (
        None if beginning else narrowed.setting,
        narrowed.setting if beginning else None,
        narrowed.type,
    )
    deeds = None if asked == (None, None, None) else await _deeds(database, *asked, None)
    if narrowed.text is None:
        return _those(stretches, deeds)
    told = await _deeds(database, *asked, narrowed.pattern)
    probes = _probes(stretches, told)
    if probes is not None:
        whole = deeds is not None or narrowed.by is not None
        made = await _made(database, stretches, narrowed, walk, whole=whole)
        if made is not None:
            sets = await _sets(database, stretches, made)
            return Sources(walked=sets, probed=probes, deeds=deeds)
    return replace(_those(stretches, deeds), told=told, reason=narrowed.text)


def _those(stretches: Sequence[Stretch], deeds: Sequence[int] | None) -> Sources:
    probes = None if deeds is None else _probes(stretches, deeds)
    if probes is None:
        return Sources(walked=stretches, deeds=deeds)
    return Sources(probed=probes)


def _probes(stretches: Sequence[Stretch], deeds: Sequence[int]) -> list[Probe] | None:
    """None for too many."""
    if len(stretches) * len(deeds) > MOST_PROBES:
        return None
    return [Probe(*stretch, deed) for stretch in stretches for deed in deeds]


async def _deeds(database: Database, *asked: str | None) -> list[int]:
    return [row["id"] for row in await database.fetch(SQL["deeds"], *asked)]


async def _made(
    database: Database,
    stretches: Sequence[Stretch],
    narrowed: Filter,
    walk: Walk,
    *,
    whole: bool,
) -> list[tuple[str, int]] | None:
    """Where change sets begin that were made for such a reason: all, or as many as a walk needs.

    `whole`: all are needed, since what else is asked for may leave nothing of one. None: too many.
    """
    keys = [each.environment for each in stretches]
    found = await database.fetch(
        SQL["reasons" if INDEXED.search(narrowed.text or "") else "reasons_of_each"],
        keys,
        narrowed.pattern,
        MOST_REASONS + 1,
    )
    if len(found) <= MOST_REASONS:
        positions: defaultdict[str, list[int]] = defaultdict(list)
        for environment, position in found:
            positions[environment].append(position)
        limit = None if whole else walk.limit
        return [
            (each.environment, one)
            for each in stretches
            for one in _nearest(positions[each.environment], each, walk, limit)
        ]
    if whole:
        return None
    bounds = columns(stretches, len(Stretch._fields))
    nearest = await database.fetch(walk.statement("reasons"), *bounds, walk.limit, narrowed.text)
    return [(row["environment"], row["position"]) for row in nearest]


def _nearest(
    beginnings: Sequence[int], stretch: Stretch, walk: Walk, limit: int | None
) -> Sequence[int]:
    """Those that may have something in the stretch, of which the first may have begun before it."""
    first = max(0, bisect_right(beginnings, stretch.above) - 1)
    inside = beginnings[first : bisect_left(beginnings, stretch.below)]
    if limit is None:
        return inside
    return inside[-limit:] if walk.newest_first else inside[: limit + 1]


async def _sets(
    database: Database, stretches: Sequence[Stretch], beginnings: Sequence[tuple[str, int]]
) -> list[Stretch]:
    """What of the stretches is in the change sets that begin there."""
    within = {each.environment: each for each in stretches}
    found = await database.fetch(SQL["change_sets"], *columns(beginnings, 2))
    sets = [
        Stretch(
            environment,
            max(above, within[environment].above),
            min(below or within[environment].below, within[environment].below),
        )
        for environment, above, below in found
    ]
    return [each for each in sets if each.above + 1 < each.below]
