"""A filtered history as a file: from one end to the other as of now, in pieces.

Law: it takes no more memory however long it is; what is appended meanwhile is not in it.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from api.change_rows import Form, Rows, heading, text
from eventstore.database import Database
from projections.history import Place, between, search
from projections.sources import Filter, Walk

FEWEST, MOST = 25, 500
"""Changes that are read together."""
WEIGHT = 250_000
"""Bytes that they are to make: criteria can be long, and who else asks is not to wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """`ends`: the environments, and where each one's log ends for it."""

    form: Form
    ends: Mapping[str, int]
    narrowed: Filter
    newest_first: bool = False


async def pieces(database: Database, rows: Rows, export: Export) -> AsyncIterator[bytes]:
    """Whole rows in UTF-8, the heading before the first of them."""
    piece, limit = heading(export.form), FEWEST
    last: Place | None = None
    while True:
        above, below = (None, last) if export.newest_first else (last, None)
        stretches = await between(database, export.ends, above, below)
        walk = Walk(newest_first=export.newest_first, limit=limit)
        found = await search(database, stretches, export.narrowed, walk)
        piece += text(export.form, await rows.of(found))
        if piece:
            yield piece
        if len(found) < limit:
            return
        last = found[-1].place
        limit = max(FEWEST, min(MOST, limit * WEIGHT // len(piece)))
        piece = b""
