"""Real Postgres for the tests: one embedded server a run, one database a test, cloned."""

import asyncio
import os
import secrets
import shutil
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from uuid import UUID

import asyncpg
import pytest
from cable import Cable
from eavesdropping import EAR
from given import ADMINISTRATOR, KEY, PLATFORM, REGISTER
from hypothesis import is_hypothesis_test

from app import demo
from app.data_folder import CLUSTER
from app.embedded_postgres import EmbeddedPostgres, address
from app.wiring import open_rooms
from domain.actor import Actor
from domain.environment import Command
from domain.plan import Ask
from eventstore.appender import PATIENCE, Appender
from eventstore.database import Database
from eventstore.doorbell import Doorbell
from eventstore.log import Log
from eventstore.migrate import migrate
from eventstore.principals import Principals
from eventstore.transact import Outcome, Request
from projections.projector import SCHEMA, Projector
from projections.standings import Standings

TEMPLATE = "syncledger_template"
LONGEST = (
    "test_server",
    "test_backup",
    "test_moving_verbs",
    "test_chaos",
    "test_worker",
    "test_docs",
    "test_history",
    "test_settings_file",
    "test_embedded_postgres",
    "test_store_laws",
    "test_fuzz",
    "test_rates",
)
"""The files that take longest come first, or one worker would end with them alone."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chaos", choices=["short", "long"], default="short")


def pytest_configure() -> None:
    EAR.listen()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a test waits as long as it works, for programs and disks."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def _no_secret_is_logged() -> Iterator[None]:
    yield
    assert EAR.take() == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage is by examples: what a law happens to reach differs, and to watch it doubles it."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgres)
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.unwatched)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Coverage looks away from what is unwatched, and from the programs that it starts."""
    if item.get_closest_marker("unwatched") is None:
        return (yield)
    here, in_threads = sys.gettrace(), threading.gettrace()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        threading.settrace(None)
        sys.settrace(None)
        try:
            return (yield)
        finally:
            threading.settrace(in_threads)
            sys.settrace(here)


@dataclass(frozen=True)
class Cluster:
    """A server with a migrated database to clone."""

    folder: Path

    def dsn(self, database: str, user: str = "postgres") -> str:
        return address(self.folder, user=user, database=database)

    async def run(self, statement: str, database: str = "postgres") -> None:
        connection = await asyncpg.connect(self.dsn(database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def unsynced(data: Path) -> Path:
    """The data folder, never again waiting for its disk: what is killed here keeps its power."""
    with (data / CLUSTER / "postgresql.auto.conf").open("a") as settings:
        settings.write("fsync = off\n")
    return data


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that was made and not used, to copy: making one takes longer."""
    data = tmp_path_factory.mktemp("fresh") / "data"
    EmbeddedPostgres.start(data).stop()
    return unsynced(data)


@pytest.fixture(scope="session")
def demonstration(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demonstration in it, at rest, to copy."""
    data = shutil.copytree(fresh, tmp_path_factory.mktemp("demonstration") / "data")
    server = EmbeddedPostgres.start(data)
    try:
        asyncio.run(fill(server))
    finally:
        server.stop()
    return data


async def fill(server: EmbeddedPostgres) -> None:
    """A database with the demonstration, and with its projections."""
    cluster = Cluster(server.socket_folder)
    await migrate(cluster.dsn("postgres"), SCHEMA)
    async with open_rooms(cluster.dsn("postgres", "syncledger_app")) as rooms:
        assert await demo.open_demo(rooms)
        for key, _, _ in demo.ENVIRONMENTS:
            await rooms.projector.reach(key)
        assert await rooms.projector.catch_up() == 0


@pytest.fixture(scope="session")
def cluster(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    data = shutil.copytree(fresh, tmp_path_factory.mktemp("cluster") / "data")
    server = EmbeddedPostgres.start(data)
    try:
        made = Cluster(server.socket_folder)
        asyncio.run(_make_template(made))
        yield made
    finally:
        server.stop()


async def _make_template(cluster: Cluster) -> None:
    await cluster.run(f"CREATE DATABASE {TEMPLATE}")
    await migrate(cluster.dsn(TEMPLATE), SCHEMA)


@dataclass(frozen=True)
class Place:
    """One database of a test's own."""

    cluster: Cluster
    name: str

    @property
    def owner_dsn(self) -> str:
        return self.cluster.dsn(self.name)

    @property
    def dsn(self) -> str:
        return self.cluster.dsn(self.name, "syncledger_app")

    async def as_superuser(self, *statements: str) -> None:
        for statement in statements:
            await self.cluster.run(statement, self.name)


@pytest.fixture
async def place(cluster: Cluster) -> AsyncIterator[Place]:
    name = f"test_{os.getpid()}_{secrets.token_hex(6)}"
    await cluster.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    yield Place(cluster, name)
    await cluster.run(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True)
class Process:
    """What one process has: the rooms below the edge, running."""

    database: Database
    log: Log
    standings: Standings
    appender: Appender
    principals: Principals
    projector: Projector
    doorbell: Doorbell


async def enter_process(stack: AsyncExitStack, dsn: str, patience: float = PATIENCE) -> Process:
    database = await stack.enter_async_context(Database(dsn))
    log = Log(database)
    standings = Standings(log, database)
    principals = Principals(database)
    doorbell = Doorbell(database, principals.forget)
    await stack.enter_async_context(doorbell.running())
    await stack.enter_async_context(standings.following(doorbell))
    appender = Appender(database, standings, doorbell.ring, patience)
    await stack.enter_async_context(appender.running())
    return Process(
        database=database,
        log=log,
        standings=standings,
        appender=appender,
        principals=principals,
        projector=Projector(database, standings.since),
        doorbell=doorbell,
    )


@pytest.fixture
async def process(place: Place) -> AsyncIterator[Process]:
    async with AsyncExitStack() as stack:
        yield await enter_process(stack, place.dsn)


@pytest.fixture
async def other_process(place: Place) -> AsyncIterator[Process]:
    async with AsyncExitStack() as stack:
        yield await enter_process(stack, place.dsn)


@pytest.fixture
async def cable(cluster: Cluster) -> AsyncIterator[Cable]:
    async with Cable.laid(cluster.folder) as laid:
        yield laid


@pytest.fixture
async def far_process(place: Place, cable: Cable) -> AsyncIterator[Process]:
    """A process at the other end of a cable, of little patience."""
    async with AsyncExitStack() as stack:
        dsn = address(cable.folder, user="syncledger_app", database=place.name)
        yield await enter_process(stack, dsn, patience=2)


async def ask(
    process: Process,
    *commands: Command,
    actor: Actor = ADMINISTRATOR,
    environment: str = KEY,
    expected_position: int | None = None,
    reason: str | None = None,
    request_id: UUID | None = None,
) -> Outcome:
    """One press of OK in this process."""
    return await process.appender.transact(
        Request(
            ask=Ask(
                environment=environment,
                commands=commands,
                actor=actor,
                expected_position=expected_position,
            ),
            reason=reason,
            request_id=request_id,
        )
    )


async def register(process: Process, *environments: str) -> None:
    """Each of these, administered by Alice; KEY when none is named."""
    for environment in environments or (KEY,):
        command = replace(REGISTER, key=environment)
        await ask(process, command, actor=PLATFORM, environment=environment)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 5) -> None:
    """Poll until it is so."""
    end = monotonic() + seconds
    while not await true():
        assert monotonic() < end, f"not so within {seconds} s"
        await asyncio.sleep(0.005)
