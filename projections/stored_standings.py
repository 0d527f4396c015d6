"""Standings of the past as rows, so that a past point is folded from near by, however long the log.

Law: any row may go at any time; nothing is decided from one, and none is where the present begins.
Which rows there are is a function of the log, and all their text is about as long as the log's.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from domain.standing import ChangeSet, Standing
from eventstore.codec import FORM, NotOurs, decode_standing, encode_standing
from eventstore.database import Borrowed, Database
from projections.statements import SQL

logger = logging.getLogger(__name__)

STRIDE = 500
"""Positions from one row to the next, where texts are short."""
SHARE = 400
"""Characters of text for each position at most, about as many bytes as an entry takes: where texts
are longer, the stride is doubled until they fit."""
TOGETHER = 16
"""Rows that are gathered before they are written."""


class Row(NamedTuple):
    environment: str
    position: int
    recorded_at: datetime
    form: int
    standing: str


def row(environment: str, standing: Standing) -> Row:
    text = encode_standing(standing)
    return Row(environment, standing.position, standing.as_of, FORM, text)


def due(environment: str, change_set: ChangeSet) -> Iterator[Row]:
    """The row of a change set that is the first to come to the end of a stride; else none."""
    start, end = change_set.changes[0].recorded.position - 1, change_set.standing.position
    if start // STRIDE < end // STRIDE:
        made, stride = row(environment, change_set.standing), STRIDE
        while stride * SHARE < len(made.standing):
            stride *= 2
        if start // stride < end // stride:
            yield made


async def keep(connection: Borrowed, rows: list[Row]) -> None:
    """Write these rows, none of which is there yet."""
    if rows:
        columns = Row._fields
        await connection.copy_records_to_table("stored_standings", records=rows, columns=columns)


async def before(database: Database, environment: str, position: int) -> Standing | None:
    """The nearest that is stored at a position or earlier."""
    while position >= STRIDE:
        found = await database.fetch(SQL["stored_standing"], environment, position, FORM)
        if not found:
            return None
        stored = Row(*found[0])
        try:
            return _read(stored)
        except NotOurs as error:
            passed_over = "the stored standing of %s at %d is passed over; rebuild mends it: %s"
            logger.warning(passed_over, environment, stored.position, error)
        position = stored.position - 1
    return None


async def before_time(database: Database, environment: str, at: datetime) -> Standing | None:
    """The nearest that is stored of a time or earlier."""
    found = await database.fetch(SQL["stored_standing_time"], environment, at, FORM)
    return await before(database, environment, found[0]["position"]) if found else None


async def following(database: Database, environment: str, position: int) -> Row | None:
    """The next row after a position."""
    found = await database.fetch(SQL["next_stored_standing"], environment, position, FORM)
    return Row(*found[0]) if found else None


async def last(database: Database, environment: str) -> int:
    """The position of the last row; 0 where there is none."""
    (found,) = await database.fetch(SQL["last_stored_standing"], environment, FORM)
    position: int = found["position"]
    return position


def _read(stored: Row) -> Standing:
    standing = decode_standing(stored.standing)
    there = (standing.environment.profile.key, standing.position, standing.as_of)
    if there != stored[:3]:
        raise NotOurs(f"it is the standing of {there[0]} at {there[1]}, of {there[2]}")
    return standing
