"""`export`: a history as a file over HTTP, and the memory that a million rows of it take.

Law: every row is counted; the file is read as fast as it comes.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from time import perf_counter

import asyncpg
import httpx

from api.change_rows import Form
from bench.ground import SQL, fresh_folder, fresh_postgres, placed, rooms_over
from bench.measure import Figure, Options, Round, interleaved, rates
from bench.search import CHANGES, ENVIRONMENTS, a_million
from bench.servers import Ours, serving
from bench.wire import HOST, Refused
from domain.actor import Actor
from eventstore.database import APPLICATION_ROLE, Connection

KEYS = [f"long-{number}" for number in range(ENVIRONMENTS)]
SOME = KEYS[: ENVIRONMENTS // 10]
ADA = "a"
PATIENCE = httpx.Timeout(60.0)


async def export(options: Options) -> AsyncIterator[Figure]:
    async with AsyncExitStack() as stack:
        data = stack.enter_context(fresh_folder())
        postgres = stack.enter_context(fresh_postgres())
        with placed("measured"):
            async with rooms_over(postgres) as rooms:
                ada, ben = [
                    Actor(handle=(await rooms.principals.meet(name)).handle) for name in (ADA, "b")
                ]
                await a_million(postgres, rooms, KEYS, ada, ben)
        ours = await stack.enter_async_context(serving(data, postgres))
        copying = await asyncpg.connect(
            postgres.dsn, server_settings={"role": APPLICATION_ROLE, "search_path": "syncledger"}
        )
        stack.push_async_callback(copying.close)
        for form in Form:
            yield await _figure(ours, copying, form, options)


async def _figure(ours: Ours, copying: Connection, form: Form, options: Options) -> Figure:
    taken = await interleaved(
        options.rounds,
        {"ours": partial(_exported, ours, form, SOME), "limit": partial(_copied, copying)},
    )
    resident: list[float] = []

    def look() -> None:
        resident.append(ours.resident)

    whole = await _exported(ours, form, KEYS, look)
    tenth = len(resident) // 10
    return Figure(
        name=f"export of {CHANGES // 10} changes as {form}",
        unit="rows/s",
        limit="the same columns by COPY",
        ours=rates(taken["ours"]),
        beside=rates(taken["limit"]),
        more={
            "million_rows_per_s": round(whole.rate),
            "tenth_mb": round(max(resident[:tenth]), 1),
            "end_mb": round(max(resident[-tenth:]), 1),
        },
    )


async def _exported(
    ours: Ours, form: Form, keys: Sequence[str], look: Callable[[], object] = lambda: None
) -> Round:
    """`look`: at each megabyte."""
    begin, lines, size = perf_counter(), 0, 0
    address = f"http://{HOST}:{ours.port}/export/changes.{form}"
    headers = {"authorization": f"Bearer {ours.token(ADA)}"}
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("GET", address, params={"environmentKeys": keys}, headers=headers) as answer,
    ):
        async for piece in answer.aiter_bytes():
            lines += piece.count(b"\n")
            if (size + len(piece)) // 1_000_000 > size // 1_000_000:
                look()
            size += len(piece)
    if lines < 0.98 * len(keys) * CHANGES / ENVIRONMENTS:  # sets end with a remainder
        raise Refused(f"{lines} rows of {form}")
    return Round(lines / (perf_counter() - begin), [])


async def _copied(connection: Connection) -> Round:
    begin = perf_counter()

    async def forget(_piece: bytes) -> None:
        pass

    said = await connection.copy_from_query(SQL["all_of_it"], SOME, output=forget, format="csv")
    return Round(int(said.removeprefix("COPY ")) / (perf_counter() - begin), [])
