"""`python -m bench.soak`: whether a server's memory grows with what it has answered.

Law: the same work in blocks as big as each other; memory at the end is compared with memory once
everything that is kept has filled. Exit status 1 when it grew.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from itertools import count
from math import ceil
from statistics import median
from time import perf_counter

import orjson
import uvloop

from bench.edge import CONNECTIONS, KEYS, SETTINGS, Edge, edge, subscribed
from bench.measure import MACHINE
from bench.servers import answered, question
from bench.wire import Http, https

QUERIES = 100_000
SUBSCRIPTIONS = 10_000
BLOCKS = 100
NEW_DOCUMENT = 20
"""One query in so many brings a document never seen before, so that the cache of them turns."""
FULL = slice(20, 30)
"""The blocks at which everything that is kept has filled: documents, the allocator's arenas."""
SLACK = 4.0
"""Megabytes. A resident size moves by whole arenas of 1 MB; 60 bytes lost a query would be more."""


async def soak(queries: int, subscriptions: int) -> dict[str, object]:
    resident: list[float] = []
    begin, share = perf_counter(), ceil(queries / BLOCKS / CONNECTIONS)
    async with edge() as there, https(there.ours.port, CONNECTIONS) as connections:
        numbers = count()
        for _ in range(BLOCKS):
            async with asyncio.TaskGroup() as group:
                for connection in connections:
                    group.create_task(_ask(there, connection, share, numbers))
                group.create_task(_follow(there, subscriptions // BLOCKS))
            resident.append(there.ours.resident)
    full, end = median(resident[FULL]), median(resident[-BLOCKS // 10 :])
    return {
        "name": "soak",
        "queries": BLOCKS * share * CONNECTIONS,
        "subscriptions": subscriptions // BLOCKS * BLOCKS,
        "unit": "MB resident",
        "first": round(resident[0], 1),
        "full": round(full, 1),
        "end": round(end, 1),
        "grown": round(end - full, 1),
        "goal": f"grown <= {SLACK:g}",
        "met": end - full <= SLACK,
        "seconds": round(perf_counter() - begin),
        "every_tenth_block": [round(each, 1) for each in resident[:: BLOCKS // 10]],
        **MACHINE,
    }


async def _ask(there: Edge, connection: Http, queries: int, numbers: Iterator[int]) -> None:
    for _ in range(queries):
        number = next(numbers)
        text = SETTINGS if number % NEW_DOCUMENT else f"{SETTINGS}# {number}"
        await answered(connection, question(text, there.token, key=KEYS[number % CONNECTIONS]))


async def _follow(there: Edge, subscriptions: int) -> None:
    """Hear of all the past and go, properly or by hanging up."""
    for number in range(subscriptions):
        socket = await subscribed(there.ours.port, there.token, KEYS[number % CONNECTIONS], 0)
        if number % 2:
            socket.send(orjson.dumps({"type": "complete", "id": "1"}))
        socket.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--subscriptions", type=int, default=SUBSCRIPTIONS)
    asked = parser.parse_args()
    least = BLOCKS * CONNECTIONS
    if asked.queries < least or asked.subscriptions < BLOCKS:
        parser.error(f"ask for at least {least} queries and {BLOCKS} subscriptions")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(soak(asked.queries, asked.subscriptions))
    print(json.dumps(result))
    sys.exit(0 if result["met"] else 1)


main()
