"""The soak's `memory`: whether a server's memory grows with what it has answered.

Law: the same work in blocks as big as each other; memory at the end is compared with memory once
everything that is kept has filled.
"""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import count
from math import ceil
from statistics import median

import orjson

from bench.edge import CONNECTIONS, KEYS, SETTINGS, Edge, edge, subscribed
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


async def memory(queries: int, subscriptions: int) -> dict[str, object]:
    resident: list[float] = []
    share = ceil(queries / BLOCKS / CONNECTIONS)
    async with edge() as there, https(there.ours.port, CONNECTIONS) as connections:
        numbers = count()
        for _ in range(BLOCKS):
            async with asyncio.TaskGroup() as group:
                for connection in connections:
                    group.create_task(_ask(there, connection, share, numbers))
                group.create_task(_follow(there, subscriptions // BLOCKS))
            resident.append(there.ours.resident)
    return {
        "queries": BLOCKS * share * CONNECTIONS,
        "subscriptions": subscriptions // BLOCKS * BLOCKS,
        **growth(resident),
    }


def growth(resident: Sequence[float]) -> dict[str, object]:
    """What the memory after each block tells."""
    full, end = median(resident[FULL]), median(resident[-BLOCKS // 10 :])
    return {
        "unit": "MB resident",
        "first": round(resident[0], 1),
        "full": round(full, 1),
        "end": round(end, 1),
        "grown": round(end - full, 1),
        "goal": f"grown <= {SLACK:g}",
        "met": end - full <= SLACK,
        "every_tenth_block": [round(each, 1) for each in resident[:: BLOCKS // 10]],
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
