"""Pages of a history in Postgres itself: a million changes, by every way to narrow.

Law: what is measured is what the edge calls, with its statements one after the other; the log is
made by the appender, and its rows by the projector.
"""

from asyncio import TaskGroup
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import cycle, islice
from random import Random
from time import perf_counter

import asyncpg

from api.context import Rooms
from app.wiring import Postgres
from bench.ground import SQL, THERE_AND_BACK, fresh_rooms, registered
from bench.measure import Figure, Goal, Options, Round, interleaved, latencies, milliseconds
from domain.actor import Actor, SecurityRole
from domain.environment import Command
from domain.field_mappings import ChooseSyncDirection, RestoreSyncDirections
from domain.mapping_table import SyncDirection
from domain.membership import GrantRole
from domain.plan import Ask
from eventstore.database import Database
from eventstore.log import SQL as LOG
from eventstore.transact import Request
from projections.history import between, search
from projections.sources import Filter, Walk

CHANGES, ENVIRONMENTS, SET = 1_000_000, 20, 20
PAGE = 50
PAGES = 100
"""Of a round; each ends somewhere in the newer half, and every other one is read forward."""
GOAL = 20.0
NEEDLE = 77
"""The change set of each environment that was made for a reason like no other."""
REASONS = ("quarterly review", "as sales has asked", "mailboxes have moved", "as it was before")
COMMANDS: tuple[Command, ...] = (
    *THERE_AND_BACK[:4],
    ChooseSyncDirection(mapping="contact.notes", direction=SyncDirection.NONE),
    ChooseSyncDirection(mapping="contact.pager", direction=SyncDirection.TO_CRM),
    ChooseSyncDirection(mapping="task.subject", direction=SyncDirection.TO_EXCHANGE),
    *THERE_AND_BACK[4:],
    RestoreSyncDirections(),
)
"""Twelve commands, fourteen changes, again and again."""


async def searches(options: Options) -> AsyncIterator[Figure]:
    keys = [f"long-{number}" for number in range(ENVIRONMENTS)]
    async with fresh_rooms() as (postgres, rooms):
        ada, ben = [Actor(handle=(await rooms.principals.meet(name)).handle) for name in "ab"]
        await a_million(postgres, rooms, keys, ada, ben)
        ends = {key: (await rooms.log.tip(key)).position for key in keys}
        for name, narrowed in (await _filters(rooms, keys[0], ben)).items():
            for some in (keys[:1], keys):
                yield await _figure(
                    rooms.database, name, narrowed, {key: ends[key] for key in some}, options
                )


async def a_million(
    postgres: Postgres, rooms: Rooms, keys: Sequence[str], ada: Actor, ben: Actor
) -> None:
    """Changes of these environments together, with their rows."""
    async with TaskGroup() as group:
        for key in keys:
            group.create_task(_fill(rooms, key, ada, ben))
    await rooms.projector.catch_up()
    owner = await asyncpg.connect(postgres.owner_dsn)
    await owner.execute(SQL["tidy"])
    await owner.close()


async def _fill(rooms: Rooms, key: str, ada: Actor, ben: Actor) -> None:
    """One in ten change sets is Ben's; each has a reason."""
    await registered(rooms.appender, key, ada)
    commands, chance = cycle(COMMANDS), Random(key)
    grant = GrantRole(principal=ben.handle, role=SecurityRole.SYSTEM_CUSTOMIZER)
    await _ask(rooms, key, ada, "The team", grant)
    for number in range(CHANGES // ENVIRONMENTS // SET):
        reason = f"Ticket {number}: {chance.choice(REASONS)}"
        some = islice(commands, SET * len(COMMANDS) // (len(COMMANDS) + 2))
        await _ask(
            rooms,
            key,
            ada if number % 10 else ben,
            "A needle in a haystack" if number == NEEDLE else reason,
            *some,
        )


async def _ask(rooms: Rooms, key: str, actor: Actor, reason: str, *commands: Command) -> None:
    ask = Ask(environment=key, commands=commands, actor=actor)
    await rooms.appender.transact(Request(ask=ask, reason=reason))


async def _filters(rooms: Rooms, key: str, ben: Actor) -> Mapping[str, Filter]:
    found = await search(
        rooms.database,
        await between(rooms.database, {key: CHANGES // ENVIRONMENTS // 2}),
        Filter(),
        Walk(newest_first=True, limit=1_000),
    )
    since, until = found[-1].place.at, found[0].place.at
    return {
        "of all": Filter(),
        "by one person": Filter(by=ben.handle),
        "of one setting": Filter(setting="mailingAddresses"),
        "of all mappings": Filter(setting="fieldMapping:"),
        "of one type": Filter(type="sync_direction_restored.v1"),
        "of a rare type": Filter(type="filter_defined.v1"),
        "of one time": Filter(since=since, until=until),
        "words that many have": Filter(text="addresses"),
        "words that none has": Filter(text="nowhere"),
        "words of many reasons": Filter(text="Quarterly"),
        "words of one reason": Filter(text="needle"),
        "of one setting by one person": Filter(by=ben.handle, setting="mailingAddresses"),
    }


async def _figure(
    database: Database, name: str, narrowed: Filter, ends: Mapping[str, int], options: Options
) -> Figure:
    chance = Random(1)

    def somewhere() -> dict[str, int]:
        return {key: chance.randint(end // 2, end) for key, end in ends.items()}

    async def page(newest_first: bool) -> None:
        stretches = await between(database, somewhere())
        await search(database, stretches, narrowed, Walk(newest_first, PAGE + 1))

    async def plain(_newest_first: bool) -> None:
        ((key, end),) = list(somewhere().items())[:1]
        await database.fetch(LOG["entries"], key, end - PAGE - 1, end, PAGE + 1)

    taken = await interleaved(
        options.rounds, {"ours": partial(_pages, page), "limit": partial(_pages, plain)}
    )
    return Figure(
        name=f"history of {CHANGES} in Postgres, {PAGE} {name}, {len(ends)} environments",
        unit="ms at p99",
        limit="as many entries of one log by its primary key",
        ours=[_p99(one) for one in taken["ours"]],
        beside=[_p99(one) for one in taken["limit"]],
        goal=Goal("ours", "<=", GOAL),
        latencies=latencies(taken["ours"]),
    )


async def _pages(page: Callable[[bool], Awaitable[None]]) -> Round:
    spent: list[float] = []
    for number in range(PAGES):
        begin = perf_counter()
        await page(number % 2 == 0)
        spent.append(perf_counter() - begin)
    return Round(len(spent) / sum(spent), spent)


def _p99(one: Round) -> float:
    return milliseconds(one.latencies)["p99_ms"]
