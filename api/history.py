"""What happened in one environment, in pages of changes, narrowed and from either end.

Law: a change is listed once it is answered anywhere; its cursor is its position in the log.
"""

from collections.abc import Sequence
from contextlib import nullcontext

import strawberry

from api.asking import ChangeFilter
from api.changes import Change
from api.context import Context
from api.enums import ChangeOrder
from api.narrowing import narrowed_by
from api.pages import Page, PageInfo, cursor, cut, numbered, page_info
from domain.standing import Standing
from projections.history import search
from projections.sources import Filter, Stretch, Walk

OF = "a history"


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
        description="How many there are in all pages; null where the list is narrowed, and across "
        "environments."
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
    key, end = standing.environment.profile.key, standing.position
    await context.rooms.projector.reach(key)
    narrowed = await narrowed_by(context.rooms.principals, [standing], narrowing)
    above, below = ends(order, numbered(asked.after, OF), numbered(asked.before, OF))
    stretch = Stretch(key, above or 0, end + 1 if below is None else min(below, end + 1))
    async with nullcontext() if narrowed == Filter() else context.search():
        found = await search(context.rooms.database, [stretch], narrowed, walk(asked, order))
    edges = [
        ChangeEdge(
            cursor=cursor(str(change.recorded.position)),
            node=Change(change=change, standing=standing),
        )
        for _, change in found
    ]
    return connection(asked, edges, total=end if narrowed == Filter() else None)


def connection(
    asked: Page, walked: Sequence[ChangeEdge], *, total: int | None = None
) -> ChangeConnection:
    """The page, of one edge more than it has where there are more."""
    edges, more = cut(asked, walked)
    return ChangeConnection(
        edges=edges,
        page_info=page_info(asked, [edge.cursor for edge in edges], more=more),
        total_count=total,
    )


def walk(asked: Page, order: ChangeOrder) -> Walk:
    """From which end, and one more than the page has."""
    newest_first = order is ChangeOrder.NEWEST_FIRST
    return Walk(newest_first=newest_first is not asked.backwards, limit=asked.size + 1)


def ends[Place](
    order: ChangeOrder, after: Place | None, before: Place | None
) -> tuple[Place | None, Place | None]:
    """Which of the two is above, and which below what is asked for, oldest first."""
    return (before, after) if order is ChangeOrder.NEWEST_FIRST else (after, before)
