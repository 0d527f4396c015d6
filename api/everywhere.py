"""What happened in every environment whose history the viewer may read, in pages of changes.

Law: nothing here is asked of an environment that the viewer may not see, so nothing tells of one; a
change is listed once it is answered anywhere, and its cursor is its place in time.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from api.asking import ChangeFilter
from api.changes import Change
from api.comparisons import readable
from api.connections import OTHERS
from api.context import Context
from api.enums import ChangeOrder, Permission
from api.errors import bad_input
from api.history import ChangeConnection, ChangeEdge, connection, ends, walk
from api.narrowing import narrowed_by
from api.pages import Page, cursor
from domain.standing import Standing
from projections import current_settings
from projections.current_settings import Stretch
from projections.history import Place, between, search

MOST_KEYS = 100
"""Of one list of environments."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
PLACE = re.compile(r"(0|[1-9][0-9]{0,16}):(0|[1-9][0-9]{0,17}):([a-z0-9-]{1,63})")
"""Microseconds since the beginning, position, key."""


async def changes(
    context: Context,
    asked: Page,
    order: ChangeOrder,
    keys: Sequence[str] | None,
    narrowing: ChangeFilter | None,
) -> ChangeConnection:
    """A page of what happened, in these environments or in all that may be read."""
    above, below = ends(order, _place(asked.after), _place(asked.before))
    standings = await readable_histories(context, keys)
    narrowed = await narrowed_by(context.rooms.principals, [*standings.values()], narrowing)
    database = context.rooms.database
    await context.rooms.projector.reach(*standings)
    async with context.search():
        positions = {key: each.position for key, each in standings.items()}
        stretches = await between(database, positions, above, below)
        found = await search(database, stretches, narrowed, walk(asked, order))
    edges = [
        ChangeEdge(
            cursor=_cursor(each.place),
            node=Change(change=each.change, standing=standings[each.environment]),
        )
        for each in found
    ]
    return connection(asked, edges)


async def readable_histories(context: Context, keys: Sequence[str] | None) -> dict[str, Standing]:
    """Where the environments stand whose history the viewer may read: these, or all there are.

    BAD_USER_INPUT or FORBIDDEN for one of these that may not be read.
    """
    return await (_all(context) if keys is None else _named(context, keys))


async def _named(context: Context, keys: Sequence[str]) -> dict[str, Standing]:
    if not 0 < len(keys) <= MOST_KEYS:
        raise bad_input(
            f"Name 1 to {MOST_KEYS} environments, not {len(keys)}. Leave the list out for every "
            "one."
        )
    return {key: await readable(context, key) for key in keys}


async def _all(context: Context) -> dict[str, Standing]:
    await context.rooms.projector.catch_up(wait=OTHERS)
    keys = await current_settings.search(
        context.rooms.database,
        member=context.actor.handle,
        narrowed=current_settings.Filter(),
        stretch=Stretch(None, None, backwards=False, limit=None),
    )
    seen = {key: await context.visible(key) for key in keys}
    return {
        key: standing
        for key, standing in seen.items()
        if standing is not None and Permission.READ_HISTORY in context.permissions(standing)
    }


def _cursor(place: Place) -> str:
    since = (place.at - BEGINNING) // MICROSECOND
    return cursor(f"{since}:{place.position}:{place.environment}")


def _place(opened: str | None) -> Place | None:
    if opened is None:
        return None
    named = PLACE.fullmatch(opened)
    if named is None:
        raise bad_input("This is no cursor of changes. Take one from a page's edges.")
    since, position, environment = named.groups()
    return Place(BEGINNING + int(since) * MICROSECOND, environment, int(position))
