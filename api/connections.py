"""The environments that a viewer may see, in pages.

Law: listed are those of which the viewer holds a role; what is shown of them is their standing.
"""

from uuid import UUID

import strawberry

from api.context import Context, Info
from api.environments import Environment
from api.pages import Page, PageInfo, cursor, cut, page_info
from projections import current_settings
from projections.current_settings import Filter, Stretch

OTHERS = 0.25
"""Seconds that a list waits for rows that another process moves; a long rebuild holds up none."""


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
    await context.rooms.projector.catch_up(wait=OTHERS)
    keys = await current_settings.search(
        context.rooms.database,
        member=seen_by(context),
        narrowed=narrowed,
        stretch=Stretch(asked.after, asked.before, asked.backwards, asked.size + 1),
    )
    kept, more = cut(asked, keys)
    found = [await context.visible(key) for key in kept]
    edges = [
        EnvironmentEdge(cursor=cursor(key), node=Environment(standing=standing))
        for key, standing in zip(kept, found, strict=True)
        if standing is not None
    ]
    return EnvironmentConnection(
        edges=edges,
        page_info=page_info(asked, [edge.cursor for edge in edges], more=more),
        narrowed=narrowed,
    )
