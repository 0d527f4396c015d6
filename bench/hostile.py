"""`hostile`: requests made to cost much, one after the other, and a bystander beside them.

Law: no request was ever seen before, the code of every answer is checked, and the slowest is what
counts.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from statistics import median
from time import perf_counter
from typing import Protocol

from bench.edge import ADA, REGISTER
from bench.ground import fresh_folder, fresh_postgres
from bench.measure import Act, Figure, Goal, Options, drive, milliseconds
from bench.servers import VIEWER, answered, bare, question, serving
from bench.wire import Http, Refused, https, post

MOST = 20.0
"""Milliseconds that a request may take."""
MOST_BESIDE = 50.0
"""Milliseconds within which 99 of 100 requests of a bystander are answered."""
KEY = "contoso"
CODE = re.compile(r'"code":"(\w+)"')


class Document(Protocol):
    """As tests/hostile_documents.py has them."""

    @property
    def name(self) -> str: ...
    @property
    def code(self) -> str | None: ...
    def body(self, mark: str) -> bytes: ...


type Taken = dict[str, list[float]]
"""Milliseconds by the name of a document."""


@dataclass(slots=True)
class Bystander:
    """Seconds of each of its requests, a list for each round."""

    meanwhile: list[list[float]] = field(default_factory=list)
    alone: list[list[float]] = field(default_factory=list)


async def hostile(options: Options) -> AsyncIterator[Figure]:
    documents: list[Document] = [*import_module("tests.hostile_documents").hostile_documents()]
    ours: Taken = {document.name: [] for document in documents}
    beside: Taken = {document.name: [] for document in documents}
    bystander = Bystander()
    async with AsyncExitStack() as stack:
        data, postgres = stack.enter_context(fresh_folder()), stack.enter_context(fresh_postgres())
        server = await stack.enter_async_context(serving(data, postgres))
        other = await stack.enter_async_context(bare())
        sending, asking = await stack.enter_async_context(https(server.port, 2))
        (receiving,) = await stack.enter_async_context(https(other.port, 1))
        token, paula = server.token(ADA), server.token("paula", platform=True)
        await answered(sending, question(REGISTER, paula, key=KEY, ada=ADA), b"EnvironmentChanged")
        act = partial(answered, asking, question(VIEWER, token))
        for turn in range(options.rounds + 1):
            requests = [post(document.body(str(turn)), token) for document in documents]
            async with _repeated(act) as meanwhile:
                for document, request in zip(documents, requests, strict=True):
                    taken = await _told(sending, request, document.code)
                    read = await _read(receiving, request)
                    if turn:
                        ours[document.name].append(taken)
                        beside[document.name].append(read)
            alone = await drive([act], options.seconds)
            if turn:
                bystander.meanwhile.append(meanwhile)
                bystander.alone.append(alone.latencies)
    yield _slowest(ours, beside)
    yield _bystander(bystander)


def _slowest(ours: Taken, beside: Taken) -> Figure:
    medians = {name: median(times) for name, times in ours.items()}
    slowest = max(medians, key=medians.__getitem__)
    return Figure(
        name=f"hostile, the slowest of {len(ours)} requests ({slowest})",
        unit="ms",
        limit="the same bytes, read and answered by a bare server of the stack",
        ours=ours[slowest],
        beside=beside[slowest],
        goal=Goal("ours", "<=", MOST),
        more={
            "median_ms": round(median(medians.values()), 3),
            **{f"slow_ms, {name}": round(each, 1) for name, each in medians.items() if each > MOST},
        },
    )


def _bystander(bystander: Bystander) -> Figure:
    return Figure(
        name="hostile, a bystander meanwhile",
        unit="ms, 99 of 100",
        limit="the same bystander alone",
        ours=[_most(latencies) for latencies in bystander.meanwhile],
        beside=[_most(latencies) for latencies in bystander.alone],
        goal=Goal("ours", "<=", MOST_BESIDE),
        latencies=[latency for latencies in bystander.meanwhile for latency in latencies],
    )


def _most(latencies: Sequence[float]) -> float:
    return milliseconds(latencies)["p99_ms"]


@asynccontextmanager
async def _repeated(act: Act) -> AsyncIterator[list[float]]:
    """Seconds of each time, one after the other while the block lasts."""
    latencies: list[float] = []
    going = True

    async def repeat() -> None:
        while going:
            before = perf_counter()
            await act()
            latencies.append(perf_counter() - before)

    async with asyncio.TaskGroup() as group:
        group.create_task(repeat())
        yield latencies
        going = False


async def _told(connection: Http, request: bytes, code: str | None) -> float:
    """Milliseconds to an answer whose first error has this code."""
    before = perf_counter()
    try:
        answer = (await connection.ask(request)).decode()
    except Refused as error:
        answer = str(error)
    taken = perf_counter() - before
    found = CODE.search(answer)
    if (found and found[1]) != code:
        raise Refused(f"{request[-80:]!r} should be answered with {code}: {answer[:500]}")
    return taken * 1000


async def _read(connection: Http, request: bytes) -> float:
    before = perf_counter()
    await connection.ask(request)
    return (perf_counter() - before) * 1000
