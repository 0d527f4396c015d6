"""Lists in pages: cursors, `first` or `last`, and what lies beyond the page.

Law: a cursor names a place, not a count, so it stays right under inserts.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import strawberry

from api.context import Context, Info
from api.environments import Environment
from api.errors import bad_input
from projections import current_settings
from projections.current_settings import Filter, Stretch

USUAL = 50
MOST = 200
CURSOR = "1:"
"""The version of the cursors' form."""


@strawberry.type(description="What lies beyond a page.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows.")
    has_previous_page: bool = strawberry.field(description="Whether more goes before.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge.")


class Page(NamedTuple):
    """Which part of a list is asked for; the cursors opened."""

    size: int
    backwards: bool
    after: str | None
    before: str | None


def page(first: int | None, after: str | None, last: int | None, before: str | None) -> Page:
    """BAD_USER_INPUT for both ends at once, a size out of range, or a cursor that is not ours."""
    if first is not None and last is not None:
        raise bad_input("Ask for first or for last, not for both.")
    size = next((asked for asked in (first, last) if asked is not None), USUAL)
    if not 1 <= size <= MOST:
        raise bad_input(f"A page has 1 to {MOST} entries, not {size}.")
    return Page(size, last is not None, opened(after), opened(before))


def cursor(place: str) -> str:
    return urlsafe_b64encode(f"{CURSOR}{place}".encode()).decode().rstrip("=")


def opened(text: str | None) -> str | None:
    """The place a cursor names."""
    if text is None:
        return None
    try:
        place = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        place = ""
    if not place.startswith(CURSOR) or "\0" in place:
        raise bad_input(f"{text[:80]!r} is no cursor. Take one from a page's edges.")
    return place.removeprefix(CURSOR)


@strawberry.type(description="An environment in a list.")
class EnvironmentEdge:
    cursor: str = strawberry.field(description="Its place in the list.")
    node: Environment = strawberry.field(description="The environment.")


@strawberry.type(description="Environments by key.")
class EnvironmentConnection:
    edges: list[EnvironmentEdge] = strawberry.field(description="The page, with cursors.")
    page_info: PageInfo = strawberry.field(description="What lies beyond.")
    narrowed: strawberry.Private[Filter]

    @strawberry.field(description="The page, without cursors.")
    def nodes(self) -> list[Environment]:
        return [edge.node for edge in self.edges]

    @strawberry.field(description="How many there are in all pages.")
    async def total_count(self, info: Info) -> int:
        return await current_settings.count(
            info.context.rooms.database, member=seen_by(info.context), narrowed=self.narrowed
        )


def seen_by(context: Context) -> UUID | None:
    """Whose environments are listed: None for platform administrators, who see every one."""
    return None if context.actor.platform_administrator else context.actor.handle


async def environments(context: Context, asked: Page, narrowed: Filter) -> EnvironmentConnection:
    """A page of the environments that the viewer may see."""
    await context.rooms.projector.catch_up()
    keys = await current_settings.search(
        context.rooms.database,
        member=seen_by(context),
        narrowed=narrowed,
        stretch=Stretch(asked.after, asked.before, asked.backwards, asked.size + 1),
    )
    more, kept = len(keys) > asked.size, keys[: asked.size]
    if asked.backwards:
        kept.reverse()
    found = [await context.visible(key) for key in kept]
    edges = [
        EnvironmentEdge(cursor=cursor(key), node=Environment(standing=standing))
        for key, standing in zip(kept, found, strict=True)
        if standing is not None
    ]
    return EnvironmentConnection(
        edges=edges, page_info=_page_info(asked, edges, more=more), narrowed=narrowed
    )


def _page_info(asked: Page, edges: Sequence[EnvironmentEdge], *, more: bool) -> PageInfo:
    return PageInfo(
        has_next_page=asked.before is not None if asked.backwards else more,
        has_previous_page=more if asked.backwards else asked.after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
