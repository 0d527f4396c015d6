"""What happened in one environment, in pages of changes, narrowed and from either end.

Law: a change is listed once it is answered anywhere; its cursor is its position in the log.
"""

from contextlib import nullcontext
from uuid import UUID

import strawberry

from api.asking import ChangeFilter
from api.changes import Change
from api.context import Context
from api.enums import ChangeOrder
from api.errors import bad_input, input_checked
from api.pages import Page, PageInfo, cursor, numbered, page_info
from domain.environment import EVENT_TYPES
from domain.filters.state import GIVEN_PREFIX as GIVEN
from domain.filters.state import PREFIX as FILTER
from domain.lifecycle import NAME, STATE
from domain.membership import PREFIX as ROLE
from domain.source import SOURCE
from domain.standing import Standing
from domain.tab import TAB
from domain.text import checked_text
from projections import changes
from projections.changes import Filter, Stretch

OF = "a history"
NOBODY = UUID(int=0)
"""No principal has this handle."""


@strawberry.type(description="A change in a list.")
class ChangeEdge:
    cursor: str = strawberry.field(description="Its place in the list.")
    node: Change = strawberry.field(description="The change.")


@strawberry.type(
    description="Changes. `totalCount` is null where counting would cost more than the page."
)
class ChangeConnection:
    edges: list[ChangeEdge] = strawberry.field(description="The page, with cursors.")
    page_info: PageInfo = strawberry.field(description="What lies beyond.")
    total_count: int | None = strawberry.field(
        description="How many there are in all pages; null where the list is narrowed."
    )

    @strawberry.field(description="The page, without cursors.")
    def nodes(self) -> list[Change]:
        return [edge.node for edge in self.edges]


async def history(
    context: Context,
    standing: Standing,
    asked: Page,
    order: ChangeOrder,
    narrowing: ChangeFilter | None,
) -> ChangeConnection:
    """A page of what happened up to this standing."""
    key = standing.environment.profile.key
    await context.rooms.projector.reach(key)
    narrowed = Filter() if narrowing is None else await _narrowed(context, standing, narrowing)
    stretch = _stretch(asked, order, standing.position)
    async with nullcontext() if narrowed == Filter() else context.search():
        found = await changes.search(context.rooms.database, key, narrowed, stretch)
    more, kept = len(found) > asked.size, found[: asked.size]
    if asked.backwards:
        kept.reverse()
    edges = [
        ChangeEdge(
            cursor=cursor(str(change.recorded.position)),
            node=Change(change=change, standing=standing),
        )
        for change in kept
    ]
    return ChangeConnection(
        edges=edges,
        page_info=page_info(asked, [edge.cursor for edge in edges], more=more),
        total_count=standing.position if narrowed == Filter() else None,
    )


def _stretch(asked: Page, order: ChangeOrder, end: int) -> Stretch:
    after, before = numbered(asked.after, OF), numbered(asked.before, OF)
    newest_first = order is ChangeOrder.NEWEST_FIRST
    above, below = (before, after) if newest_first else (after, before)
    return Stretch(
        above=0 if above is None else above,
        below=end + 1 if below is None else min(below, end + 1),
        newest_first=newest_first is not asked.backwards,
        limit=asked.size + 1,
    )


async def _narrowed(context: Context, standing: Standing, asked: ChangeFilter) -> Filter:
    with input_checked():
        for text, what in ((asked.by, "A principal"), (asked.text, "A text")):
            if text is not None:
                checked_text(text, what, 1, 255)
    if asked.type is not None and asked.type not in EVENT_TYPES:
        raise bad_input(
            f"There is no event {asked.type[:80]!r}. There are {', '.join(sorted(EVENT_TYPES))}."
        )
    return Filter(
        by=None if asked.by is None else await _handle(context, asked.by),
        setting=None if asked.setting is None else await _setting(context, standing, asked.setting),
        type=asked.type,
        since=asked.since,
        until=asked.until,
        text=asked.text,
    )


async def _handle(context: Context, text: str) -> UUID:
    known = await context.rooms.principals.known(text)
    if known is not None:
        return known.handle
    try:
        return UUID(text)
    except ValueError:
        return NOBODY


async def _setting(context: Context, standing: Standing, key: str) -> str:
    """The key as the log has it: the edge names a principal, the log a handle."""
    if key.startswith(ROLE) and key != ROLE:
        return f"{ROLE}{await _handle(context, key.removeprefix(ROLE))}"
    known = (*TAB, NAME, STATE, SOURCE, ROLE, FILTER, GIVEN, *standing.last_changes)
    beginning = key.endswith((":", "."))
    if key not in known and not (beginning and any(each.startswith(key) for each in known)):
        raise bad_input(
            f"There is no setting {key[:80]!r}. `settings {{ all {{ key }} }}` lists those of the "
            f"tab; besides them there are {NAME}, {STATE}, {SOURCE}, {ROLE}<principal id>, and "
            "what filters that were removed had."
        )
    return key
