"""A real server in the test's own event loop, people with tokens, and ways of asking it."""

import asyncio
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from conftest import TEMPLATE, Cluster, Place
from given import BEGUN
from gql import Client
from gql.transport.websockets import WebsocketsTransport
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from api.context import Rooms
from api.entrance import Entrance
from api.identity import Verifier
from api.key_sets import FileKeys, FixedKeys, Keys
from api.media import Media
from app.bounds import bounded
from app.config import Config
from app.issuer import AUDIENCE, ISSUER, Issuer
from app.server import Server, web_server
from app.wiring import entrance, open_rooms
from domain.actor import Actor, SecurityRole
from domain.environment import Command
from domain.lifecycle import EnvironmentKind, RegisterEnvironment
from domain.membership import GrantRole
from domain.plan import Ask
from eventstore.log import Head
from eventstore.transact import Applied, Request

KEY = "contoso"
SUBPROTOCOL = "graphql-transport-ws"
PATIENCE = 10.0


@dataclass(frozen=True)
class Person:
    subject: str
    role: SecurityRole | None = None
    platform_administrator: bool = False


ADA = Person("ada@contoso.example", SecurityRole.SYSTEM_ADMINISTRATOR)
CARL = Person("carl@contoso.example", SecurityRole.SYSTEM_CUSTOMIZER)
AUDREY = Person("audrey@contoso.example", SecurityRole.AUDITOR)
WORKER = Person("worker@contoso.example", SecurityRole.SYNC_WORKER)
BEN = Person("ben@contoso.example", SecurityRole.BASIC_USER)
PAULA = Person("paula@contoso.example", platform_administrator=True)
NOBODY = Person("nobody@contoso.example")
MEMBERS = (ADA, CARL, AUDREY, WORKER, BEN)
EVERYBODY = (*MEMBERS, PAULA, NOBODY)
STAFFED = BEGUN + 4
"""Where a log stands that `Edge.open` began: a role for each member but Ada, who has hers."""


def at(value: object, path: str) -> object:
    """What stands at a path such as `data.environments.nodes.0.key`, or KeyError."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value[step]
        elif isinstance(value, list):
            value = value[int(step)]
        else:
            raise KeyError(f"{path}: nothing at {step}")
    return value


def text_at(value: object, path: str) -> str:
    found = at(value, path)
    assert isinstance(found, str), found
    return found


def whole_at(value: object, path: str) -> int:
    found = at(value, path)
    assert isinstance(found, int), found
    return found


def list_at(value: object, path: str) -> list[object]:
    found = at(value, path)
    assert isinstance(found, list), found
    return found


def codes(body: object) -> list[object]:
    """The code of every error of an answer, which must have a message too."""
    errors = list_at(body, "errors") if isinstance(body, dict) and "errors" in body else []
    assert all(at(error, "message") for error in errors), errors
    return [at(error, "extensions.code") for error in errors]


async def until(true: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE
    while not true():
        assert monotonic() < deadline, "this did not come true in time"
        await asyncio.sleep(0.005)


@dataclass(frozen=True)
class Edge:
    """One running server."""

    place: Place
    rooms: Rooms
    issuer: Issuer
    address: str
    http: httpx.AsyncClient
    entrance: Entrance
    server: Server

    def token(self, person: Person) -> str:
        return self.issuer.token(
            person.subject, platform_administrator=person.platform_administrator
        )

    def authorization(self, person: Person) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(person)}"}

    async def send(
        self, person: Person, document: str, variables: Mapping[str, object] | None = None
    ) -> httpx.Response:
        return await self.http.post(
            "/graphql",
            json={"query": document, "variables": variables},
            headers=self.authorization(person),
        )

    async def ask(
        self, person: Person, document: str, variables: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        """The answer's body; whatever is wrong with it is the test's to say."""
        body: dict[str, object] = (await self.send(person, document, variables)).json()
        return body

    async def data(
        self, person: Person, document: str, variables: Mapping[str, object] | None = None
    ) -> object:
        """The data of an answer without errors."""
        body = await self.ask(person, document, variables)
        assert "errors" not in body, body
        return body["data"]

    async def actor(self, person: Person) -> Actor:
        known = await self.rooms.principals.meet(person.subject)
        return Actor(handle=known.handle, platform_administrator=person.platform_administrator)

    async def change(
        self, person: Person, *commands: Command, key: str = KEY, reason: str | None = None
    ) -> Applied:
        """Append by the same commands, below the edge."""
        ask = Ask(environment=key, commands=commands, actor=await self.actor(person))
        outcome = await self.rooms.appender.transact(Request(ask=ask, reason=reason))
        assert isinstance(outcome, Applied), outcome
        return outcome

    async def register(
        self,
        key: str,
        name: str = "Contoso",
        kind: EnvironmentKind = EnvironmentKind.PRODUCTION,
        administrator: Person = ADA,
    ) -> Applied:
        handle = (await self.actor(administrator)).handle
        command = RegisterEnvironment(key=key, name=name, kind=kind, administrator=handle)
        return await self.change(PAULA, command, key=key)

    async def open(self, key: str | None = None) -> str:
        """Register an environment, under a key of its own, with a member for each role."""
        key = key or f"contoso-{secrets.token_hex(6)}"
        await self.register(key)
        roles = {person: person.role for person in MEMBERS if person is not ADA}
        grants = [
            GrantRole(principal=(await self.actor(person)).handle, role=role)
            for person, role in roles.items()
            if role is not None
        ]
        await self.change(ADA, *grants, key=key)
        return key

    async def heads(self) -> list[Head]:
        return await self.rooms.log.heads()

    @property
    def socket_address(self) -> str:
        return f"ws://{urlsplit(self.address).netloc}/graphql"

    def client(self, person: Person) -> Client:
        """The `gql` library's client, over a socket."""
        transport = WebsocketsTransport(
            url=self.socket_address,
            init_payload=self.authorization(person),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
        )
        return Client(transport=transport, fetch_schema_from_transport=False)

    @asynccontextmanager
    async def raw(
        self, subprotocol: str | None = SUBPROTOCOL, origin: str | None = None
    ) -> AsyncIterator["Talk"]:
        """A socket on which nothing was said yet."""
        async with connect(
            self.socket_address,
            subprotocols=None if subprotocol is None else [Subprotocol(subprotocol)],
            origin=None if origin is None else Origin(origin),
            open_timeout=PATIENCE,
            proxy=None,
        ) as connection:
            yield Talk(connection)

    @asynccontextmanager
    async def talk(self, person: Person) -> AsyncIterator["Talk"]:
        """A socket after its connection_ack."""
        async with self.raw() as talk:
            await talk.say(type="connection_init", payload=self.authorization(person))
            assert await talk.hear() == {"type": "connection_ack"}
            yield talk


@dataclass(frozen=True)
class Talk:
    """Messages of the protocol, by hand."""

    connection: ClientConnection

    async def say(self, **message: object) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self) -> object:
        async with asyncio.timeout(PATIENCE):
            message: object = json.loads(await self.connection.recv())
        return message

    async def subscribe(
        self, operation: str, document: str, variables: Mapping[str, object] | None = None
    ) -> None:
        payload = {"query": document, "variables": variables}
        await self.say(type="subscribe", id=operation, payload=payload)

    async def closed(self) -> tuple[int | None, str | None]:
        """The code and reason of the close that the server sends, whatever it says before."""
        async with asyncio.timeout(PATIENCE):
            await self.connection.wait_closed()
        return self.connection.close_code, self.connection.close_reason


class Served(Server):
    """The service's own server without its signals and its main loop, which only ticks."""

    async def begin(self, listener: socket.socket) -> None:
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets=[listener])

    async def end(self, listener: socket.socket) -> None:
        self.force_exit = True
        await uvicorn.Server.shutdown(self, sockets=[listener])


@asynccontextmanager
async def serving(
    place: Place, data: Path, jwks: Path | None = None, **chosen: object
) -> AsyncIterator[Edge]:
    """A server on a free port of this machine, set up as `serve` sets its own up.

    `chosen`: of its configuration; without, nobody is kept from asking fast.
    """
    issuer = Issuer.open(data)
    keys: Keys = FixedKeys(issuer.jwks()) if jwks is None else FileKeys(jwks)
    verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, algorithms=("EdDSA",), keys=keys)
    config = Config.model_validate({"rate": 0, "address_rate": 0, **chosen})
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # else asyncio leaves Nagle's delays on
    bounded(listener).bind(("127.0.0.1", 0))
    address = "http://{}:{}".format(*listener.getsockname())
    async with open_rooms(place.dsn) as rooms:
        way_in = entrance(config, rooms, verifier)
        made = web_server(config, way_in)
        server = Served(made.config, way_in.presence)
        await server.begin(listener)
        try:
            async with httpx.AsyncClient(
                base_url=address, timeout=PATIENCE, headers={"accept": Media.GRAPHQL}
            ) as http:
                yield Edge(place, rooms, issuer, address, http, way_in, server)
        finally:
            await server.end(listener)


async def opened(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """As a fixture of a module: a server with `contoso`, a member for each role, STAFFED."""
    name = f"edge_{os.getpid()}_{secrets.token_hex(6)}"
    await cluster.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    place = Place(cluster, name)
    async with serving(place, tmp_path_factory.mktemp("issuer")) as edge:
        await edge.open(KEY)
        yield edge
    await cluster.run(f"DROP DATABASE {name} WITH (FORCE)")
