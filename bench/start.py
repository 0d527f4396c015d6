"""`start`: from a command to the first answer, cold and warm, and the memory of a server at rest.

Law: as a newcomer has it: embedded Postgres, demo environments, nothing tuned.
"""

from asyncio import sleep
from collections import defaultdict
from collections.abc import AsyncIterator
from time import perf_counter

from app.config import Config
from app.wiring import owned_postgres
from bench.ground import fresh_folder, placed
from bench.measure import Figure, Goal, Options
from bench.servers import bare, serving

REST = 1.0
"""Seconds until memory is looked at, so that what a start leaves to do is done."""
STACK = "an empty embedded Postgres and a bare server of the stack, one after the other"


async def start(options: Options) -> AsyncIterator[Figure]:
    taken: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(options.rounds):
        await _once(taken)
    yield Figure(
        name="start, cold",
        unit="s",
        limit=STACK,
        ours=taken["cold"],
        beside=_sums(taken["postgres, cold"], taken["bare"]),
        goal=Goal("ours", "<=", 60),
    )
    yield Figure(
        name="start, warm",
        unit="s",
        limit=STACK,
        ours=taken["warm"],
        beside=_sums(taken["postgres, warm"], taken["bare"]),
        goal=Goal("ours", "<=", 3),
    )
    yield Figure(
        name="idle",
        unit="MB resident",
        limit="a bare server of the same stack",
        ours=taken["resident, warm"],
        beside=taken["resident, bare"],
        goal=Goal("ours", "<=", 150),
    )


async def _once(taken: dict[str, list[float]]) -> None:
    with fresh_folder() as data:
        for temperature in ("cold", "warm"):
            begin = perf_counter()
            async with serving(data) as ours:
                taken[temperature].append(perf_counter() - begin)
                await sleep(REST)
                taken[f"resident, {temperature}"].append(ours.resident)
    with fresh_folder() as data, placed("measured"):
        for temperature in ("cold", "warm"):
            begin = perf_counter()
            with owned_postgres(Config(data=data, dsn=None)):
                taken[f"postgres, {temperature}"].append(perf_counter() - begin)
    begin = perf_counter()
    async with bare() as beside:
        taken["bare"].append(perf_counter() - begin)
        taken["resident, bare"].append(beside.resident)


def _sums(first: list[float], second: list[float]) -> list[float]:
    return [one + other for one, other in zip(first, second, strict=True)]
