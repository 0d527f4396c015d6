"""`append`: single events by 1, 16 and 64 writers, through the appender and by plain INSERTs.

Law: every request writes exactly one event, and waits for its commit.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from itertools import cycle
from uuid import uuid4

from app.wiring import Postgres
from bench.ground import as_served, changed, fresh_log, fresh_rooms, inserting, registered
from bench.measure import Act, Figure, Goal, Options, drive, interleaved, latencies, rates
from domain.actor import Actor, SecurityRole
from domain.environment import Command
from domain.membership import GrantRole, RevokeRole
from domain.switches import SwitchAssignedTasks
from eventstore.appender import Appender

WRITERS, MANY = 16, 64
PLAIN = "plain asyncpg, one INSERT each, as many connections; no order, no seal"
ON_AND_OFF = (SwitchAssignedTasks(on=True), SwitchAssignedTasks(on=False))


async def append(options: Options) -> AsyncIterator[Figure]:
    """To the log alone, and with the projections following in the same process, as is the goal."""
    async with fresh_log() as (postgres, appender):
        async for figure in _figures("append to the log alone", postgres, appender, options):
            yield replace(figure, goal=None)
    async with fresh_rooms() as (postgres, rooms):
        async for figure in _figures("append", postgres, rooms.appender, options):
            yield figure


async def _figures(
    name: str, postgres: Postgres, appender: Appender, options: Options
) -> AsyncIterator[Figure]:
    own = [await _own(appender, f"own-{writer}") for writer in range(MANY)]
    administrator = await registered(appender, "shared")
    one = [_coming_and_going(appender, "shared", administrator) for _ in range(WRITERS)]
    async with inserting(postgres, MANY) as plain:
        contenders = {
            "plain, 1": plain[:1],
            "own, 1": own[:1],
            "plain": plain[:WRITERS],
            "own": own[:WRITERS],
            "one": one,
            "plain, many": plain,
            "own, many": own,
        }
        drives = {key: partial(drive, acts, options.seconds) for key, acts in contenders.items()}
        with as_served():
            taken = await interleaved(options.rounds, drives)

    def figure(what: str, ours: str, beside: str, limit: str, goal: Goal | None = None) -> Figure:
        return Figure(
            name=f"{name}, {what}",
            unit="events/s",
            limit=limit,
            ours=rates(taken[ours]),
            beside=rates(taken[beside]),
            goal=goal,
            latencies=latencies(taken[ours]),
        )

    yield figure("1 writer", "own, 1", "plain, 1", PLAIN)
    yield figure(
        f"{WRITERS} writers, own environments", "own", "plain", PLAIN, Goal("ratio", ">=", 1.1)
    )
    yield figure(
        f"{WRITERS} writers, one environment",
        "one",
        "own",
        "the same writers to environments of their own",
        Goal("ratio", ">=", 0.8),
    )
    yield figure(f"{MANY} writers, own environments", "own, many", "plain, many", PLAIN)


async def _own(appender: Appender, key: str) -> Act:
    return _in_turn(appender, key, await registered(appender, key), *ON_AND_OFF)


def _coming_and_going(appender: Appender, key: str, administrator: Actor) -> Act:
    """A writer beside others: it grants and revokes the role of somebody nobody else touches."""
    somebody, role = uuid4(), SecurityRole.BASIC_USER
    grant, revoke = (
        GrantRole(principal=somebody, role=role),
        RevokeRole(principal=somebody, role=role),
    )
    return _in_turn(appender, key, administrator, grant, revoke)


def _in_turn(appender: Appender, key: str, actor: Actor, *commands: Command) -> Act:
    turn = cycle(commands)

    async def act() -> None:
        await changed(appender, key, actor, next(turn))

    return act
