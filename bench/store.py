"""`rebuild` and `verify`: over a log of many entries, beside only reading and hashing its rows.

Law: the log is made by the appender, as everything is; every entry is read in every round.
"""

from asyncio import TaskGroup
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from time import perf_counter
from typing import NamedTuple

from api.context import Rooms
from bench.ground import filled, fresh_rooms
from bench.measure import Figure, Goal, Options, Round, interleaved, rates
from eventstore.log import END, PAGE, SQL, Log
from projections.projector import Projector
from projections.verify import verify as prove

ENTRIES = 100_000
ENVIRONMENTS = 20
HASHED = "the same rows fetched by keyset pages and hashed with sha256, nothing else"


class Filled(NamedTuple):
    rooms: Rooms
    keys: list[str]


@asynccontextmanager
async def long_logs() -> AsyncIterator[Filled]:
    """A log of that many entries, in environments as long as each other."""
    keys = [f"long-{number}" for number in range(ENVIRONMENTS)]
    async with fresh_rooms() as (_, rooms):
        async with TaskGroup() as group:
            for key in keys:
                group.create_task(filled(rooms.appender, key, ENTRIES // ENVIRONMENTS))
        yield Filled(rooms, keys)


async def rebuild(options: Options) -> AsyncIterator[Figure]:
    async with long_logs() as log:
        projector = Projector(log.rooms.database, Log(log.rooms.database).since)

        async def ours() -> None:
            assert await projector.rebuild() == len(log.keys)

        taken = await _beside_hashing(log, ours, options)
    yield _figure("rebuild", "events/s", taken, 50_000)


async def verify(options: Options) -> AsyncIterator[Figure]:
    async with long_logs() as log:
        await log.rooms.projector.catch_up()

        async def ours() -> None:
            for key in log.keys:
                report = await prove(log.rooms.database, key)
                assert report.entries >= ENTRIES // ENVIRONMENTS, report
                assert not report.findings, report

        taken = await _beside_hashing(log, ours, options)
    yield _figure("verify", "entries/s", taken, 60_000)


def _figure(name: str, unit: str, taken: Mapping[str, list[Round]], goal: float) -> Figure:
    return Figure(
        name=f"{name}, {ENTRIES} entries in {ENVIRONMENTS} environments",
        unit=unit,
        limit=HASHED,
        ours=rates(taken["ours"]),
        beside=rates(taken["hashing"]),
        goal=Goal("ours", ">=", goal),
    )


async def _beside_hashing(
    log: Filled, work: Callable[[], Awaitable[None]], options: Options
) -> dict[str, list[Round]]:
    async def hashing() -> None:
        for key in log.keys:
            await _hash(log.rooms, key)

    return await interleaved(
        options.rounds, {"ours": lambda: _timed(work), "hashing": lambda: _timed(hashing)}
    )


async def _timed(work: Callable[[], Awaitable[None]]) -> Round:
    begin = perf_counter()
    await work()
    return Round(ENTRIES / (perf_counter() - begin), [])


async def _hash(rooms: Rooms, key: str) -> bytes:
    digest, after = sha256(), 0
    while True:
        rows = await rooms.database.fetch(SQL["entries"], key, after, END, PAGE)
        for row in rows:
            digest.update(row["payload"].encode() + row["seal"])
        if len(rows) < PAGE:
            return digest.digest()
        after = rows[-1]["position"]
