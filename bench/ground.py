"""What the workloads stand on: a database of their own, the rooms above it, plain INSERTs beside.

Law: what is measured works on the first core, everything it works with on the last; nothing stays
behind, and no database is touched but one made here.
"""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from itertools import count, cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from uuid import uuid4

import asyncpg

from api.context import Rooms
from app import collector
from app.config import Config
from app.wiring import Postgres, open_database, open_rooms, owned_postgres
from bench.measure import Act
from domain.actor import Actor
from domain.environment import Command
from domain.lifecycle import EnvironmentKind, RegisterEnvironment
from domain.plan import MOST_CHANGES, Ask
from domain.switches import (
    ChooseMailingAddresses,
    MailingAddresses,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.warning import WarningCode
from eventstore.appender import Appender
from eventstore.database import Connection
from eventstore.doorbell import Doorbell
from eventstore.log import Log
from eventstore.migrate import migrate
from eventstore.statements import statements
from eventstore.transact import Applied, Request
from projections.projector import SCHEMA
from projections.standings import Standings

SQL = statements(Path(__file__).with_name("queries.sql"))
PLATFORM = Actor(handle=uuid4(), platform_administrator=True)

THERE_AND_BACK: tuple[Command, ...] = (
    SwitchAppointmentAttachments(on=True),
    SwitchAssignedTasks(on=True),
    SwitchResourceBookings(on=True),
    ChooseMailingAddresses(
        choice=MailingAddresses.ALL_THREE,
        acknowledged=frozenset({WarningCode.ADDRESSES_CAN_LOSE_DATA}),
    ),
    SwitchAppointmentAttachments(on=False),
    SwitchAssignedTasks(on=False),
    SwitchResourceBookings(on=False),
    ChooseMailingAddresses(choice=MailingAddresses.MAILING_ONLY),
)
"""So that each command has something to change, again and again."""

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []


@contextmanager
def placed(role: Literal["measured", "helping"]) -> Iterator[None]:
    """On one core while the block lasts, and with it every process started there."""
    if not CORES:  # the system cannot be told: let it place us
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CORES[0] if role == "measured" else CORES[-1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def fresh_folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="syncledger-bench-") as folder:
        yield Path(folder)


@contextmanager
def fresh_postgres() -> Iterator[Postgres]:
    """A server with an empty data folder; it and the block are on the helping core."""
    with (
        fresh_folder() as data,
        placed("helping"),
        owned_postgres(Config(data=data, dsn=None)) as postgres,
    ):
        yield postgres


@asynccontextmanager
async def fresh_rooms() -> AsyncIterator[tuple[Postgres, Rooms]]:
    """Everything below the edge over an empty log, on the measured core."""
    with fresh_postgres() as postgres, placed("measured"):
        async with rooms_over(postgres) as rooms:
            yield postgres, rooms


@asynccontextmanager
async def rooms_over(postgres: Postgres) -> AsyncIterator[Rooms]:
    """Everything below the edge; the database is migrated first."""
    await migrate(postgres.owner_dsn, SCHEMA)
    async with open_rooms(postgres.dsn) as rooms:
        yield rooms


@asynccontextmanager
async def fresh_log() -> AsyncIterator[tuple[Postgres, Appender]]:
    """An appender and what it stands on over an empty log, on the measured core; no projections."""
    with fresh_postgres() as postgres, placed("measured"):
        await migrate(postgres.owner_dsn, SCHEMA)
        async with open_database(postgres.dsn) as database:
            standings, doorbell = Standings(Log(database), database), Doorbell(database)
            async with (
                doorbell.running(),
                standings.following(doorbell),
                Appender(database, standings, doorbell.ring).running() as appender,
            ):
                yield postgres, appender


@contextmanager
def as_served() -> Iterator[None]:
    """With garbage looked for as often as `serve` does, while the block lasts."""
    before = gc.get_threshold()
    collector.spare_what_is_there()
    collector.adjust(streams=0)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def filled(
    appender: Appender, key: str, entries: int, administrator: Actor | None = None
) -> None:
    """A new environment with that many changes and a few more."""
    administrator = await registered(appender, key, administrator)
    commands = tuple(islice(cycle(THERE_AND_BACK), MOST_CHANGES))
    for _ in range(entries // MOST_CHANGES):
        await changed(appender, key, administrator, *commands)


async def registered(appender: Appender, key: str, administrator: Actor | None = None) -> Actor:
    """A new environment's administrator; a new one where none is given."""
    administrator = administrator or Actor(handle=uuid4())
    command = RegisterEnvironment(
        key=key, name=key, kind=EnvironmentKind.SANDBOX, administrator=administrator.handle
    )
    await changed(appender, key, PLATFORM, command)
    return administrator


async def changed(appender: Appender, key: str, actor: Actor, *commands: Command) -> None:
    """Ask, and make sure that every command had something to change."""
    ask = Ask(environment=key, commands=commands, actor=actor)
    outcome = await appender.transact(Request(ask=ask))
    if not isinstance(outcome, Applied) or outcome.change_set is None:
        raise TypeError(f"{commands[:3]} changed nothing: {outcome}")
    assert len(outcome.change_set.changes) >= len(commands), outcome


@asynccontextmanager
async def inserting(postgres: Postgres, writers: int) -> AsyncIterator[list[Act]]:
    """Plain INSERTs of one row each, by a connection for each writer: the limit of an append."""
    async with AsyncExitStack() as stack:
        connections = [await _connected(stack, postgres.owner_dsn) for _ in range(writers)]
        await connections[0].execute(SQL["plain_table"])
        yield [_insert(connection) for connection in connections]


async def _connected(stack: AsyncExitStack, dsn: str) -> Connection:
    connection: Connection = await asyncpg.connect(dsn)
    stack.push_async_callback(connection.close)
    return connection


def _insert(connection: Connection) -> Act:
    environment, actor, seal = f"plain-{uuid4()}", uuid4(), bytes(32)
    positions = count(1)

    async def act() -> None:
        await connection.execute(
            SQL["plain_insert"],
            environment,
            next(positions),
            "assigned_tasks_switched.v1",
            '{"on":true}',
            actor,
            datetime.now(UTC),
            seal,
        )

    return act
