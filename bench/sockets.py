"""The soak's `sockets`: thousands of followers that never read again, and some who do.

Law: the deaf hear nothing after their first heartbeat; what counts is the server's memory, and how
soon those who read are told once the system keeps no more for the deaf. Until then nobody can know
that they are, and all of them are sent everything.
"""

import asyncio
import socket
from asyncio import Semaphore
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import cycle, islice
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from time import perf_counter

import orjson

from bench.edge import FEED, KEYS, PROTOCOL, Edge, edge, subscribed, workers
from bench.measure import milliseconds
from bench.servers import answered
from bench.wire import HOST, Refused, Socket, https
from domain.field_mappings import mappings
from domain.mapping_table import RecordType

DEAF = 5_000
"""Followers of the first environment."""
READERS = 20
"""Followers of each of two environments."""
PRINCIPALS = 60
FILLING, CHANGES = 30, 120
"""Of one environment and the other in turns: until the deaf are full, and then."""
PAUSE = 0.25
"""Seconds between two of them."""
AT_ONCE = 50
"""Sockets that are opened at the same time."""
ROOM = 4_096
"""Bytes that the system keeps for one that does not read, so that the server soon feels it."""
PATIENCE = 60.0
MOST_RESIDENT = 400.0
"""Megabytes."""
MOST_WAITED = 100.0
"""Milliseconds from an acknowledgement in which 99 of 100 deliveries are made."""
MAPPINGS = [mapping.key for mapping in mappings(RecordType.CONTACT) if mapping.settable][:10]


class Readers:
    """Those who read one environment, and when each of them was told of each change."""

    def __init__(self, sockets: Sequence[Socket]) -> None:
        self.acknowledged: list[float] = []
        self._told: list[list[float]] = [[] for _ in sockets]
        for reader, moments in zip(sockets, self._told, strict=True):
            reader.on_text = partial(_note, moments)

    async def waited(self) -> list[list[float]]:
        """For each reader, seconds from each acknowledgement to its delivery, once all are told."""
        deadline = perf_counter() + PATIENCE
        while any(len(moments) < len(self.acknowledged) for moments in self._told):
            if perf_counter() > deadline:
                raise Refused(f"Not every reader was told of everything within {PATIENCE:g} s.")
            await asyncio.sleep(0.01)
        return [
            [
                max(0.0, moment - acknowledged)
                for acknowledged, moment in zip(self.acknowledged, moments, strict=True)
            ]
            for moments in self._told
        ]


def _note(moments: list[float], text: bytes) -> None:
    if b"ChangeSetAppended" in text:
        moments.append(perf_counter())


async def sockets(deaf: int) -> dict[str, object]:
    _allow_files(2 * deaf)
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(edge())
        tokens = await workers(there, KEYS[:2], PRINCIPALS)
        empty = there.ours.resident
        for transport in await _deaf(there.ours.port, tokens, deaf):
            stack.callback(transport.abort)
        full = there.ours.resident
        readers: list[Readers] = []
        for key in KEYS[:2]:
            following = [
                await subscribed(there.ours.port, token, key) for token in tokens[:READERS]
            ]
            for each in following:
                stack.callback(each.close)
            readers.append(Readers(following))
        most = await _change(there, readers)
        latencies = [each for one in readers for each in await one.waited()]
        most = max(most, there.ours.resident)
    share = FILLING // len(readers)
    filling = [seconds for each in latencies for seconds in each[:share]]
    waited = milliseconds([seconds for each in latencies for seconds in each[share:]], "waited_")
    return {
        "deaf": deaf,
        "principals": PRINCIPALS,
        "readers": 2 * READERS,
        "changes": CHANGES,
        "unit": "MB resident",
        "empty": round(empty, 1),
        "full": round(full, 1),
        "most": round(most, 1),
        **milliseconds(filling, "filling_"),
        **waited,
        "goal": f"most <= {MOST_RESIDENT:g}, waited_p99_ms <= {MOST_WAITED:g}",
        "met": most <= MOST_RESIDENT and waited["waited_p99_ms"] <= MOST_WAITED,
    }


def _allow_files(wanted: int) -> None:
    """Open files for us and, since it inherits that, the server."""
    allowed, most = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (min(max(allowed, wanted), most), most))


async def _deaf(port: int, tokens: Sequence[str], count: int) -> list[asyncio.Transport]:
    at_once = Semaphore(AT_ONCE)

    async def one(token: str) -> asyncio.Transport:
        async with at_once:
            return await _deafened(port, token)

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(one(token))
            for token, _ in zip(cycle(tokens), range(count), strict=False)
        ]
    return [task.result() for task in tasks]


async def _deafened(port: int, token: str) -> asyncio.Transport:
    """A follower of the first environment that has had its heartbeat and reads no more."""
    loop = asyncio.get_running_loop()
    plain = socket.socket(proto=socket.IPPROTO_TCP)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
    plain.setblocking(False)
    await loop.sock_connect(plain, (HOST, port))
    transport, follower = await loop.create_connection(Socket, sock=plain)
    await follower.begin(transport, PROTOCOL)
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
    follower.send(orjson.dumps(init))
    await _heard(follower, b"connection_ack")
    payload = {"query": FEED, "variables": {"key": KEYS[0]}}
    follower.send(orjson.dumps({"type": "subscribe", "id": "1", "payload": payload}))
    await _heard(follower, b"Heartbeat")
    transport.pause_reading()
    return transport


async def _heard(follower: Socket, wanted: bytes) -> None:
    text = await follower.text()
    if wanted not in text:
        raise Refused(text.decode())


async def _change(there: Edge, readers: Sequence[Readers]) -> float:
    """Change both environments in turns; the most memory seen meanwhile."""
    most = 0.0
    turns = zip(cycle(zip(KEYS, readers, strict=False)), _directions(), strict=False)
    async with https(there.ours.port, 1) as (asking,):
        for (key, told), changes in islice(turns, FILLING + CHANGES):
            await answered(asking, there.change(key, changes), b'"changeSet":{')
            told.acknowledged.append(perf_counter())
            most = max(most, there.ours.resident)
            await asyncio.sleep(PAUSE)
    return most


def _directions() -> Iterator[list[dict[str, object]]]:
    """The mappings there and back, for two environments in turns."""
    for direction in cycle(("NONE", "NONE", "TO_CRM", "TO_CRM")):
        yield [
            {"syncDirection": {"mapping": mapping, "direction": direction}} for mapping in MAPPINGS
        ]
