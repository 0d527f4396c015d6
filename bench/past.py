"""`history` and `asof`: long logs, a page or a past point at a time, from outside and in Postgres.

Law: one connection, so that the time of one answer is what is measured; every answer is checked.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import cycle
from random import Random

from bench.edge import ADA
from bench.ground import filled, fresh_folder, fresh_postgres, placed, rooms_over
from bench.measure import (
    Act,
    Figure,
    Goal,
    Options,
    drive,
    interleaved,
    latencies,
    milliseconds,
    rates,
)
from bench.search import searches
from bench.servers import Ours, answered, bare, question, serving
from bench.wire import Http, https, post
from domain.actor import Actor

KEY = "long"
CHANGES = 100_000
LONG, SHORT = 100_000, 1_000
HISTORY = """
query ($key: String!, $after: String, $filter: ChangeFilter) {
  environment(key: $key) {
    history(first: 50, after: $after, filter: $filter) {
      nodes { position at by { name } setting before after summary reason }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
SETTINGS = """
query ($key: String!, $at: PointInTime) {
  environment(key: $key) {
    settings(at: $at) { position all { key isDefault } }
  }
}
"""
PAGES: dict[str, dict[str, object]] = {
    "newest": {},
    "one setting": {"filter": {"setting": "mailingAddresses"}},
    "one person": {"filter": {"by": ADA}},
    "words that many have": {"filter": {"text": "addresses"}},
    "words that none has": {"filter": {"text": "nowhere"}},
}


@asynccontextmanager
async def long_log(entries: int) -> AsyncIterator[tuple[Ours, Http]]:
    """Our server over one log of that many entries, and a connection."""
    async with AsyncExitStack() as stack:
        data = stack.enter_context(fresh_folder())
        postgres = stack.enter_context(fresh_postgres())
        with placed("measured"):
            async with rooms_over(postgres) as rooms:
                ada = Actor(handle=(await rooms.principals.meet(ADA, "Ada")).handle)
                await filled(rooms.appender, KEY, entries, ada)
                await rooms.projector.catch_up()
        ours = await stack.enter_async_context(serving(data, postgres))
        (connection,) = await stack.enter_async_context(https(ours.port, 1))
        yield ours, connection


async def history(options: Options) -> AsyncIterator[Figure]:
    async with (
        long_log(CHANGES) as (ours, connection),
        bare() as stack,
        https(stack.port, 1) as (other,),
    ):
        for name, variables in PAGES.items():
            request = question(HISTORY, ours.token(ADA), key=KEY, **variables)
            body = await answered(connection, request, b"endCursor")
            await other.ask(post(body, path="/keep"))
            yield await _beside(
                f"history of {CHANGES}, 50 of {name}",
                f"the same {len(body)} bytes, static, by the same stack",
                partial(answered, connection, request),
                partial(answered, other, request),
                options,
            )
    async for figure in searches(options):
        yield figure


async def asof(options: Options) -> AsyncIterator[Figure]:
    for entries in (SHORT, LONG):
        async with long_log(entries) as (ours, connection):
            token, chance = ours.token(ADA), Random(1)
            points = [{"position": chance.randint(1, entries)} for _ in range(500)]
            figure = await _beside(
                f"asof, the tab at any of {entries} positions",
                "the tab as it is now, by the same server",
                _in_turn(connection, [question(SETTINGS, token, key=KEY, at=at) for at in points]),
                _in_turn(connection, [question(SETTINGS, token, key=KEY)]),
                options,
            )
            yield replace(figure, goal=Goal("ours", ">=", 20))


def _in_turn(connection: Http, requests: Sequence[bytes]) -> Act:
    turn = cycle(requests)
    return lambda: answered(connection, next(turn))


async def _beside(name: str, limit: str, ours: Act, other: Act, options: Options) -> Figure:
    taken = await interleaved(
        options.rounds,
        {
            "ours": lambda: drive([ours], options.seconds),
            "limit": lambda: drive([other], options.seconds),
        },
    )
    return Figure(
        name=name,
        unit="requests/s",
        limit=limit,
        ours=rates(taken["ours"]),
        beside=rates(taken["limit"]),
        latencies=latencies(taken["ours"]),
        more=milliseconds(latencies(taken["limit"]), "limit_"),
    )
