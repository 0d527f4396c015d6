"""A filtered history as a file: from one end to the other as of now, in pieces.

Law: it takes no more memory however long it is, and holds up nobody for long; what is appended
meanwhile is not in it, and it ends at its end or not at all.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from api.change_rows import Form, Rows, heading, text
from eventstore.database import Database, Unavailable
from projections.history import Place, between, search, short_of
from projections.sources import Filter, Walk

FEWEST, MOST = 10, 100
"""Changes that are read together: criteria can be long."""
WEIGHT = 500_000
"""Bytes that they are to make, as far as can be known from those before."""
PIECE = 50_000
"""Bytes that are sent together; everybody else has a turn after them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """`ends`: the environments, and where each one's log ends for it."""

    form: Form
    ends: Mapping[str, int]
    narrowed: Filter
    newest_first: bool = False


async def pieces(database: Database, rows: Rows, export: Export) -> AsyncIterator[bytes]:
    """Whole rows in UTF-8, the heading before the first of them. Unavailable where rows are gone.

    They may be, for a while, when a newer version makes the projections anew.
    """
    piece, limit = heading(export.form), FEWEST
    last: Place | None = None
    while True:
        above, below = (None, last) if export.newest_first else (last, None)
        stretches = await between(database, export.ends, above, below)
        walk = Walk(newest_first=export.newest_first, limit=limit)
        found = await search(database, stretches, export.narrowed, walk)
        missing = await short_of(database, export.ends)
        if missing:
            raise Unavailable(f"The rows of {', '.join(missing)} are being made anew.")
        size = 0
        for row in await rows.of(found):
            made = text(export.form, [row])
            piece, size = piece + made, size + len(made)
            if len(piece) >= PIECE:
                yield piece
                piece = b""
        if len(found) < limit:
            break
        last = found[-1].place
        limit = max(FEWEST, min(MOST, 2 * limit, limit * WEIGHT // size))
    if piece:
        yield piece
