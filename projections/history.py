"""What happened in any number of environments, in one order, narrowed, a page at a time.

Law: the order is that of time, then of key, then of position, and a page is what lies between two
places in it, whatever is appended meanwhile.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.standing import Change
from eventstore.database import Database, Row, columns
from eventstore.log import recorded
from eventstore.seal import Entry
from projections.sources import Filter, Probe, Sources, Stretch, Walk, sources
from projections.statements import SQL

MOMENT = timedelta(microseconds=1)
"""From one time that can be recorded to the next."""
ENTRY = len(Entry._fields)


class Place(NamedTuple):
    """Where one change stands in the order, oldest first."""

    at: datetime
    environment: str
    position: int


class Happened(NamedTuple):
    environment: str
    change: Change

    @property
    def place(self) -> Place:
        recorded = self.change.recorded
        return Place(recorded.at, self.environment, recorded.position)


async def between(
    database: Database,
    ends: Mapping[str, int],
    above: Place | None = None,
    below: Place | None = None,
) -> list[Stretch]:
    """What of these environments, up to their ends, lies strictly between two places."""
    stretches = [Stretch(environment, 0, end + 1) for environment, end in ends.items()]
    if above is not None:
        first = await _first_after(database, stretches, above)
        stretches = [
            each._replace(above=one - 1) for each, one in zip(stretches, first, strict=True)
        ]
    if below is not None:
        last = await _first_after(database, stretches, below._replace(position=below.position - 1))
        stretches = [each._replace(below=one) for each, one in zip(stretches, last, strict=True)]
    return stretches


async def search(
    database: Database, stretches: Sequence[Stretch], narrowed: Filter, walk: Walk
) -> list[Happened]:
    """What happened there, in the order walked."""
    stretches = await _in_time(database, stretches, narrowed)
    return [
        Happened(row["environment"], _change(Entry(*row[:ENTRY]), row["before"], row["after"]))
        for row in await _rows(database, stretches, narrowed, walk)
    ]


async def short_of(database: Database, ends: Mapping[str, int]) -> list[str]:
    """Those of these environments whose rows do not go as far as their ends."""
    found = await database.fetch(SQL["short_of"], [*ends], [*ends.values()])
    return [row["environment"] for row in found]


async def _rows(
    database: Database, stretches: Sequence[Stretch], narrowed: Filter, walk: Walk
) -> list[Row]:
    """A few of each source first: most have no more than that in the page."""
    places = await sources(database, stretches, narrowed, walk)
    if not places:
        return []
    of_each = min(walk.limit, 1 + 2 * walk.limit // len(places))
    rows = await _taken(database, places, narrowed.by, walk, of_each)
    more = places.with_more(rows, of_each) if of_each < walk.limit else None
    if more:
        rows += await _taken(database, more, narrowed.by, walk, walk.limit)
        there = {(row["recorded_at"], row["environment"], row["position"]): row for row in rows}
        rows = [there[place] for place in sorted(there, reverse=walk.newest_first)]
    return rows[: walk.limit]


async def _taken(
    database: Database, places: Sources, by: UUID | None, walk: Walk, of_each: int
) -> list[Row]:
    return await database.fetch(
        walk.statement("history"),
        *columns(places.walked, len(Stretch._fields)),
        *columns(places.probed, len(Probe._fields)),
        of_each,
        walk.limit,
        by,
        places.deeds,
        places.told,
        places.reason,
    )


def _change(entry: Entry, before: str | None, after: str | None) -> Change:
    fact = recorded(entry)
    return Change(fact, fact.event.setting, before, after)


async def _in_time(
    database: Database, stretches: Sequence[Stretch], narrowed: Filter
) -> list[Stretch]:
    """What of the stretches is of that time, none of it empty."""
    if narrowed.since is not None:
        first = await _first_at(database, stretches, [narrowed.since] * len(stretches))
        stretches = [
            each._replace(above=max(each.above, one - 1))
            for each, one in zip(stretches, first, strict=True)
        ]
    if narrowed.until is not None:
        end = await _first_at(database, stretches, [narrowed.until] * len(stretches))
        stretches = [each._replace(below=one) for each, one in zip(stretches, end, strict=True)]
    return [each for each in stretches if each.above + 1 < each.below]


async def _first_after(database: Database, stretches: Sequence[Stretch], place: Place) -> list[int]:
    """The first position after a place, in each: what is of one time is in order of keys."""
    at, environment, position = place
    times = [at if each.environment > environment else at + MOMENT for each in stretches]
    first = await _first_at(database, stretches, times)
    return [
        min(position + 1, each.below) if each.environment == environment else one
        for each, one in zip(stretches, first, strict=True)
    ]


async def _first_at(
    database: Database, stretches: Sequence[Stretch], times: Sequence[datetime]
) -> list[int]:
    """The first position at a time or later, in each; the end of the stretch where none is."""
    environments = [each.environment for each in stretches]
    found = await database.fetch(SQL["reached"], environments, times)
    return [
        each.below if row["position"] is None else min(row["position"], each.below)
        for each, row in zip(stretches, found, strict=True)
    ]
