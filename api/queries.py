"""Asking: the environments that the viewer may see, and anything by its id.

Law: what the viewer may not see is answered exactly like what does not exist.
"""

from typing import Annotated

import strawberry

from api import everywhere
from api.asking import ChangeFilter, EnvironmentFilter, argument, environment_key, position
from api.changes import Change
from api.connections import EnvironmentConnection, environments
from api.context import Context, Info
from api.enums import ChangeOrder
from api.environments import Environment
from api.errors import ErrorCode, Problem, bad_input
from api.filter_catalogue import CATALOGUE, FilterCatalogue
from api.history import ChangeConnection
from api.nodes import Node, NodeId, When, parsed
from api.pages import FIRST, LAST, MOST_IDS, page
from api.people import Viewer
from api.settings import TELLS_CHANGES
from api.tab import SynchronizationSettings, setting
from domain.actor import Permission
from domain.standing import Standing
from domain.tab import place
from projections.current_settings import Filter
from projections.standings import NotReached

PATIENCE = 5.0
"""Seconds that a query waits for the position it was asked to have reached."""


@strawberry.type(description="Asking for things as they stand.")
class Query:
    @strawberry.field(description="Anything by its id; null for what the viewer may not see.")
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="From an earlier answer.")],
    ) -> Node | None:
        return await find_node(info.context, id)

    @strawberry.field(description="Several by their ids, in that order. At most 100.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID], strawberry.argument(description="From earlier answers.")
        ],
    ) -> list[Node | None]:
        if len(ids) > MOST_IDS:
            raise bad_input(f"Ask for at most {MOST_IDS} nodes at once, not {len(ids)}.")
        return [await find_node(info.context, each) for each in ids]

    @strawberry.field(description="Who asks.")
    def viewer(self) -> Viewer:
        return Viewer()

    @strawberry.field(
        description="What a filter editor needs: tables, their columns, and which operators fit."
    )
    def filter_catalogue(self) -> FilterCatalogue:
        return CATALOGUE

    @strawberry.field(
        description="Null when there is none that the viewer may see. `atLeastPosition` waits up "
        "to 5 s, then fails with POSITION_NOT_REACHED."
    )
    async def environment(
        self,
        info: Info,
        key: Annotated[str, strawberry.argument(description="Its key.")],
        at_least_position: Annotated[
            int | None,
            strawberry.argument(description="A position that a client got elsewhere."),
        ] = None,
    ) -> Environment | None:
        context, key = info.context, environment_key(key)
        wanted = position(at_least_position, "atLeastPosition")
        if wanted is not None:
            await _reach(context, key, wanted)
        standing = await context.visible(key)
        return None if standing is None else Environment(standing=standing)

    @strawberry.field(description="The environments that the viewer may see, by key.")
    async def environments(
        self,
        info: Info,
        first: Annotated[
            int | None,
            strawberry.argument(description=FIRST),
        ] = None,
        after: Annotated[
            str | None, strawberry.argument(description="Only what follows this cursor.")
        ] = None,
        last: Annotated[
            int | None,
            strawberry.argument(description=LAST),
        ] = None,
        before: Annotated[
            str | None, strawberry.argument(description="Only what goes before this cursor.")
        ] = None,
        filter: Annotated[
            EnvironmentFilter | None, strawberry.argument(description="What narrows the list.")
        ] = None,
    ) -> EnvironmentConnection:
        narrowed = Filter() if filter is None else filter.narrowed
        return await environments(info.context, page(first, after, last, before), narrowed)

    @strawberry.field(
        description="Changes across every environment whose history the viewer may read, by time. "
        "For some seconds, a change that was under way may still join before later ones."
    )
    async def changes(
        self,
        info: Info,
        first: Annotated[int | None, argument(FIRST)] = None,
        after: Annotated[str | None, argument("Only what follows this cursor.")] = None,
        last: Annotated[int | None, argument(LAST)] = None,
        before: Annotated[str | None, argument("Only what goes before this cursor.")] = None,
        order: Annotated[
            ChangeOrder, argument("Which end comes first.")
        ] = ChangeOrder.NEWEST_FIRST,
        environment_keys: Annotated[
            list[str] | None, argument("Of these alone, at most 100; each must be readable.")
        ] = None,
        filter: Annotated[ChangeFilter | None, argument("What narrows the list.")] = None,
    ) -> ChangeConnection | None:
        asked = page(first, after, last, before)
        return await everywhere.changes(info.context, asked, order, environment_keys, filter)


async def _reach(context: Context, key: str, wanted: int) -> None:
    """Wait for a position, where the viewer may know of it; one look is the same for all."""
    await context.rooms.standings.catch_up(key)
    if await context.visible(key) is None:
        return
    try:
        await context.rooms.standings.reach(key, wanted, PATIENCE)
    except NotReached as error:
        raise Problem(
            ErrorCode.POSITION_NOT_REACHED, str(error), position=error.position
        ) from error


async def find_node(context: Context, opaque: str) -> Node | None:
    """What an id stands for; None for what is none of ours or not for this viewer."""
    node = await _node(context, parsed(opaque))
    return node if node is not None and node.id() == opaque else None


async def _node(context: Context, wanted: NodeId | None) -> Node | None:
    standing = None if wanted is None else await context.visible(wanted.environment)
    if wanted is None or standing is None:
        return None
    match wanted.kind:
        case "Environment":
            return Environment(standing=standing)
        case "SynchronizationSettings" | "Setting":
            return await _settings_node(context, wanted, standing)
        case "Change":
            return await _change_node(context, wanted, standing)
        case _:
            return None


async def _settings_node(context: Context, wanted: NodeId, standing: Standing) -> Node | None:
    held, when = context.permissions(standing), When.NOW
    if Permission.READ_SETTINGS not in held:
        return None
    if wanted.position is not None:
        past = await _past(context, wanted) if Permission.READ_HISTORY in held else None
        if past is None:
            return None
        standing, when = past, When.THEN
    if wanted.kind == "SynchronizationSettings":
        return SynchronizationSettings(standing=standing, when=when)
    there = place(standing.environment.filters, wanted.rest) is not None
    return setting(standing, when, wanted.rest) if there else None


async def _change_node(context: Context, wanted: NodeId, standing: Standing) -> Node | None:
    if context.permissions(standing).isdisjoint(TELLS_CHANGES):
        return None
    past = await _past(context, wanted)
    if past is None:
        return None
    changes = past.last_changes.values()
    change = next(each for each in changes if each.recorded.position == past.position)
    return Change(change=change, standing=standing)


async def _past(context: Context, wanted: NodeId) -> Standing | None:
    """The fold of the log up to the id's position; None where the log has no such position."""
    position = wanted.position or 0
    past = await context.past.load((wanted.environment, position))
    return past.standing if past.position == position else None
