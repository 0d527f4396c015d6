"""`append`: single events by 1 and 16 writers, through the appender and by plain INSERTs.

Law: every request writes exactly one event, and waits for its commit.
"""

from collections.abc import AsyncIterator
from itertools import cycle
from uuid import uuid4

from api.context import Rooms
from bench.ground import changed, fresh_rooms, inserting, registered
from bench.measure import Act, Figure, Goal, Options, drive, interleaved, latencies, rates
from domain.actor import Actor, SecurityRole
from domain.environment import Command
from domain.membership import GrantRole, RevokeRole
from domain.switches import SwitchAssignedTasks

WRITERS = 16
PLAIN = "plain asyncpg, one INSERT each, as many connections; no order, no seal"
ON_AND_OFF = (SwitchAssignedTasks(on=True), SwitchAssignedTasks(on=False))


async def append(options: Options) -> AsyncIterator[Figure]:
    async with fresh_rooms() as (postgres, rooms), inserting(postgres, WRITERS) as plain:
        own = [await _own(rooms, f"own-{writer}") for writer in range(WRITERS)]
        administrator = await registered(rooms, "shared")
        one = [_coming_and_going(rooms, "shared", administrator) for _ in range(WRITERS)]
        taken = await interleaved(
            options.rounds,
            {
                "plain, 1 writer": lambda: drive(plain[:1], options.seconds),
                "1 writer": lambda: drive(own[:1], options.seconds),
                "plain": lambda: drive(plain, options.seconds),
                "own": lambda: drive(own, options.seconds),
                "one": lambda: drive(one, options.seconds),
            },
        )
    yield Figure(
        name="append, 1 writer",
        unit="events/s",
        limit=PLAIN,
        ours=rates(taken["1 writer"]),
        beside=rates(taken["plain, 1 writer"]),
        latencies=latencies(taken["1 writer"]),
    )
    yield Figure(
        name=f"append, {WRITERS} writers, own environments",
        unit="events/s",
        limit=PLAIN,
        ours=rates(taken["own"]),
        beside=rates(taken["plain"]),
        goal=Goal("ratio", ">=", 1.1),
        latencies=latencies(taken["own"]),
    )
    yield Figure(
        name=f"append, {WRITERS} writers, one environment",
        unit="events/s",
        limit="the same writers to environments of their own",
        ours=rates(taken["one"]),
        beside=rates(taken["own"]),
        goal=Goal("ratio", ">=", 0.8),
        latencies=latencies(taken["one"]),
    )


async def _own(rooms: Rooms, key: str) -> Act:
    return _in_turn(rooms, key, await registered(rooms, key), *ON_AND_OFF)


def _coming_and_going(rooms: Rooms, key: str, administrator: Actor) -> Act:
    """A writer beside others: it grants and revokes the role of somebody nobody else touches."""
    somebody, role = uuid4(), SecurityRole.BASIC_USER
    grant, revoke = (
        GrantRole(principal=somebody, role=role),
        RevokeRole(principal=somebody, role=role),
    )
    return _in_turn(rooms, key, administrator, grant, revoke)


def _in_turn(rooms: Rooms, key: str, actor: Actor, *commands: Command) -> Act:
    turn = cycle(commands)

    async def act() -> None:
        await changed(rooms, key, actor, next(turn))

    return act
