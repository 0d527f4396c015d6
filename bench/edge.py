"""`read`, `mutate` and `feed`: our server from outside, beside what its stack can do without us.

Law: 16 connections kept alive; every answer is checked; the limit answers with as many bytes.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, product
from math import ceil
from time import perf_counter

import orjson

from api.presence import MOST_STREAMS
from app.wiring import Postgres
from bench.ground import fresh_folder, fresh_postgres, inserting, placed
from bench.measure import (
    Act,
    Figure,
    Options,
    Round,
    drive,
    interleaved,
    latencies,
    milliseconds,
    rates,
)
from bench.servers import Ours, Running, answered, bare, question, serving
from bench.wire import Http, Refused, Socket, https, post
from domain.field_mappings import mappings
from domain.mapping_table import RecordType

CONNECTIONS = 16
SUBSCRIBERS = 500
PROTOCOL = "graphql-transport-ws"
ADA = "ada@contoso.example"
KEYS = [f"contoso-{number}" for number in range(CONNECTIONS)]

REGISTER = """
mutation ($key: String!, $ada: String!) {
  registerEnvironment(input: {key: $key, name: $key, kind: SANDBOX, administrator: $ada}) {
    __typename
  }
}
"""
GRANT = """
mutation ($key: String!, $principal: String!) {
  grantRole(input: {environmentKey: $key, principal: $principal, role: SYNC_WORKER}) {
    __typename
  }
}
"""
CHANGE = """
mutation ($key: String!, $changes: [SettingChange!]!) {
  changeSettings(
    input: {environmentKey: $key, changes: $changes, acknowledge: [ADDRESSES_CAN_LOSE_DATA]}
  ) {
    __typename
    ... on SettingsChanged { changeSet { position } }
  }
}
"""
SETTINGS = """
query ($key: String!) {
  environment(key: $key) {
    key name kind state position
    settings {
      position asOf
      appointmentAttachments { enabled ...told }
      assignedTasks { enabled ...told }
      resourceBookings { enabled ...told }
      mailingAddresses { choice ...told }
    }
  }
}
fragment told on Setting {
  id key section label isDefault
  lastChange { position at summary by { id name } }
}
"""
TAB = """
query ($key: String!) {
  environment(key: $key) {
    key name position
    settings {
      position asOf
      appointmentAttachments { enabled ...told }
      assignedTasks { enabled ...told }
      resourceBookings { enabled ...told }
      mailingAddresses { choice ...told }
      fieldMappings(recordType: CONTACT, settableOnly: true) {
        key direction effectiveDirection isDefault lastChange { position }
      }
    }
  }
}
fragment told on Setting { label isDefault lastChange { position at summary by { name } } }
"""
FEED = """
subscription ($key: String!, $after: Int) {
  settingsFeed(environmentKey: $key, after: $after, heartbeatSeconds: 300) {
    __typename
    position
    ... on ChangeSetAppended {
      changeSet { at by { name } changes { setting before after summary } }
      settings { assignedTasks { enabled } resourceBookings { enabled } }
    }
  }
}
"""
EVERYTHING: list[Mapping[str, object]] = [
    {"appointmentAttachments": {"enabled": True}},
    {"assignedTasks": {"enabled": True}},
    {"resourceBookings": {"enabled": True}},
    {"mailingAddresses": {"choice": "ALL_THREE"}},
    *(
        {"syncDirection": {"mapping": mapping.key, "direction": "TO_CRM"}}
        for mapping in mappings(RecordType.CONTACT)
        if mapping.settable
    ),
]


@dataclass(frozen=True, slots=True)
class Edge:
    """Both servers with an environment for each connection, all settings changed once."""

    postgres: Postgres
    ours: Ours
    bare: Running
    token: str

    def change(self, key: str, changes: Sequence[Mapping[str, object]]) -> bytes:
        return question(CHANGE, self.token, key=key, changes=changes)

    def switching(self, key: str) -> Sequence[bytes]:
        return [self.change(key, [{"assignedTasks": {"enabled": on}}]) for on in (False, True)]


@asynccontextmanager
async def edge() -> AsyncIterator[Edge]:
    async with AsyncExitStack() as stack:
        data = stack.enter_context(fresh_folder())
        postgres = stack.enter_context(fresh_postgres())
        ours = await stack.enter_async_context(serving(data, postgres))
        made = Edge(postgres, ours, await stack.enter_async_context(bare()), ours.token(ADA))
        paula = ours.token("paula@contoso.example", platform=True)
        (connection,) = await stack.enter_async_context(https(ours.port, 1))
        for key in KEYS:
            register = question(REGISTER, paula, key=key, ada=ADA)
            await answered(connection, register, b"EnvironmentChanged")
            await answered(connection, made.change(key, EVERYTHING), b"SettingsChanged")
        yield made


async def read(options: Options) -> AsyncIterator[Figure]:
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(edge())
        for name, query in (("four switches", SETTINGS), ("the tab with its contacts", TAB)):
            asked = [question(query, there.token, key=key) for key in KEYS]
            yield await beside_static(f"read, {name}", there.ours, there.bare, asked, options)


async def beside_static(
    name: str, ours: Running, bare: Running, asked: Sequence[bytes], options: Options
) -> Figure:
    """Each request on a connection of its own, beside the bytes of the first one's answer."""
    async with https(ours.port, len(asked)) as connections, https(bare.port, len(asked)) as others:
        body = await answered(connections[0], asked[0])
        await others[0].ask(post(body, path="/keep"))
        taken = await interleaved(
            options.rounds,
            {
                "ours": lambda: drive(_asking(connections, asked), options.seconds),
                "static": lambda: drive(_asking(others, asked), options.seconds),
            },
        )
    return Figure(
        name=f"{name}, {len(asked)} connections",
        unit="requests/s",
        limit=f"the same {len(body)} bytes, static, by the same stack",
        ours=rates(taken["ours"]),
        beside=rates(taken["static"]),
        latencies=latencies(taken["ours"]),
        more=milliseconds(latencies(taken["static"]), "limit_"),
    )


def _asking(connections: Sequence[Http], requests: Sequence[bytes]) -> list[Act]:
    return [
        partial(answered, connection, request)
        for connection, request in zip(connections, requests, strict=True)
    ]


async def mutate(options: Options) -> AsyncIterator[Figure]:
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(edge())
        connections = await stack.enter_async_context(https(there.ours.port, CONNECTIONS))
        plain = await stack.enter_async_context(inserting(there.postgres, CONNECTIONS))
        ours = [
            _switching(connection, there.switching(key))
            for connection, key in zip(connections, KEYS, strict=True)
        ]

        async def inserted() -> Round:
            with placed("measured"):
                return await drive(plain, options.seconds)

        taken = await interleaved(
            options.rounds, {"ours": lambda: drive(ours, options.seconds), "plain": inserted}
        )
    yield Figure(
        name="mutate, 16 connections, own environments",
        unit="requests/s",
        limit="plain asyncpg, one INSERT each, 16 connections, no web",
        ours=rates(taken["ours"]),
        beside=rates(taken["plain"]),
        latencies=latencies(taken["ours"]),
    )


def _switching(connection: Http, requests: Sequence[bytes]) -> Act:
    turn = cycle(requests)
    return lambda: answered(connection, next(turn), b'"changeSet":{')


@dataclass(slots=True)
class Audience:
    """Sockets that wait for the same news, and when the last of them had it."""

    sockets: list[Socket] = field(default_factory=list)
    frame: bytes = b""
    _left: int = 0
    _last: asyncio.Future[float] | None = None

    def take(self, text: bytes) -> None:
        self.frame = text
        self._left -= 1
        if self._left == 0 and self._last is not None:
            self._last.set_result(perf_counter())

    def next(self) -> asyncio.Future[float]:
        """When each of them has had one more."""
        self._left = len(self.sockets)
        self._last = asyncio.get_running_loop().create_future()
        return self._last

    def close(self) -> None:
        for socket in self.sockets:
            socket.close()


async def workers(there: Edge, keys: Sequence[str], count: int) -> list[str]:
    """The tokens of that many principals, who may follow these environments."""
    names = [f"worker-{number}@contoso.example" for number in range(count)]
    async with https(there.ours.port, 1) as (asking,):
        for key, name in product(keys, names):
            grant = question(GRANT, there.token, key=key, principal=name)
            await answered(asking, grant, b"EnvironmentChanged")
    return [there.ours.token(name) for name in names]


async def subscribed(port: int, token: str, key: str, after: int | None = None) -> Socket:
    """A socket that follows an environment and has heard of the past and its first heartbeat."""
    socket = await Socket.connect(port, PROTOCOL)
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
    payload = {"query": FEED, "variables": {"key": key, "after": after}}
    socket.send(orjson.dumps(init))
    _expect(await socket.text(), b"connection_ack")
    socket.send(orjson.dumps({"type": "subscribe", "id": "1", "payload": payload}))
    while b"Heartbeat" not in (text := await socket.text()):
        _expect(text, b'"type":"next"')
    return socket


def _expect(text: bytes, wanted: bytes) -> None:
    if wanted not in text:
        raise Refused(text.decode())


async def feed(options: Options) -> AsyncIterator[Figure]:
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(edge())
        (ours,) = await stack.enter_async_context(https(there.ours.port, 1))
        (other,) = await stack.enter_async_context(https(there.bare.port, 1))
        empty = there.ours.resident
        followers, listeners = Audience(), Audience()
        stack.callback(followers.close)
        stack.callback(listeners.close)
        tokens = await workers(there, KEYS[:1], ceil(SUBSCRIBERS / MOST_STREAMS))
        for token, _ in zip(cycle(tokens), range(SUBSCRIBERS), strict=False):
            followers.sockets.append(await subscribed(there.ours.port, token, KEYS[0]))
            listener = await Socket.connect(there.bare.port, PROTOCOL)
            _expect(await listener.text(), b"{}")
            listeners.sockets.append(listener)
        for audience in (followers, listeners):
            for socket in audience.sockets:
                socket.on_text = audience.take
        changes = cycle(there.switching(KEYS[0]))
        acknowledged: dict[str, list[float]] = {"ours": [], "bare": []}
        await _told(followers, ours, next(changes))
        _expect(followers.frame, b"ChangeSetAppended")
        same = post(followers.frame, path="/broadcast")
        taken = await interleaved(
            options.rounds,
            {
                "ours": lambda: _telling(
                    followers, ours, changes, options.seconds, acknowledged["ours"]
                ),
                "bare": lambda: _telling(
                    listeners, other, cycle([same]), options.seconds, acknowledged["bare"]
                ),
            },
        )
        yield Figure(
            name=f"feed, {SUBSCRIBERS} subscribers",
            unit="deliveries/s",
            limit=f"the same frames of {len(followers.frame)} bytes, by a bare server of the stack",
            ours=rates(taken["ours"]),
            beside=rates(taken["bare"]),
            latencies=latencies(taken["ours"]),
            more=milliseconds(acknowledged["ours"], "acknowledged_")
            | milliseconds(latencies(taken["bare"]), "limit_")
            | milliseconds(acknowledged["bare"], "limit_acknowledged_")
            | {
                "resident_mb": round(there.ours.resident, 1),
                "kb_per_subscriber": round((there.ours.resident - empty) * 1e3 / SUBSCRIBERS, 1),
            },
        )


async def _told(audience: Audience, connection: Http, news: bytes) -> tuple[float, float]:
    """Seconds to the acknowledgement, and from it until the last of the audience knows."""
    last = audience.next()
    begin = perf_counter()
    await connection.ask(news)
    acknowledged = perf_counter()
    async with asyncio.timeout(30):
        return acknowledged - begin, max(0.0, await last - acknowledged)


async def _telling(
    audience: Audience,
    connection: Http,
    news: Iterator[bytes],
    seconds: float,
    acknowledged: list[float],
) -> Round:
    """One piece of news after the other, each when everybody knows the one before."""
    waited: list[float] = []
    begin = perf_counter()
    while perf_counter() < begin + seconds:
        before, after = await _told(audience, connection, next(news))
        acknowledged.append(before)
        waited.append(after)
    deliveries = len(waited) * len(audience.sockets)
    return Round(deliveries / (perf_counter() - begin), waited)
