"""Connections to Postgres, as the application: its role, its schema, its patience.

Law: a database that is away is `Unavailable`, whatever the driver calls it; a read is tried once
more on a new connection first.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Self

import asyncpg

APPLICATION_ROLE = "syncledger_app"
SHORT, LONG = "10s", "30s"
"""What a statement may take: one that somebody waits for, and one on a connection of its own."""
PLANNED_EACH_TIME = {"plan_cache_mode": "force_custom_plan"}
"""What narrows a search is left out by a null, and what is rare is known by its value."""
SILENCE = 35.0
"""Seconds until a line that says nothing is given up; no statement may take that long."""
PATIENCE = 5.0
"""Seconds that connecting, waiting for a connection and closing may take."""

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # a database that takes no connections for now
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InternalClientError,  # what the driver says of a connection killed a moment ago
)

type Row = asyncpg.Record
type Connection = asyncpg.Connection[asyncpg.Record]
type Borrowed = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
"""A pool's connection, while a block lasts."""


class Unavailable(Exception):
    """The database cannot be reached now. Nothing was half-written; try again."""


@contextmanager
def reaching() -> Iterator[None]:
    """Raises Unavailable for whatever the driver says of a database that is away or too busy."""
    try:
        yield
    except _AWAY as error:
        raise Unavailable(f"The database cannot be reached: {error!r}") from error
    except asyncpg.InterfaceError as error:
        if isinstance(error, ValueError):  # a DSN that cannot be: our mistake
            raise
        raise Unavailable(f"The database cannot be reached: {error!r}") from error


class Database:
    """A pool for reading, and single connections for those who need one of their own."""

    def __init__(self, dsn: str, size: int = 8) -> None:
        self._dsn = dsn
        self._settings = {
            "role": APPLICATION_ROLE,
            "search_path": "syncledger",
            "application_name": "syncledger",
            "lock_timeout": "2s",
            "statement_timeout": LONG,
            "idle_in_transaction_session_timeout": "5s",
        }
        self._pool = asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=size,
            timeout=PATIENCE,
            command_timeout=SILENCE,
            reset=_keep,
            server_settings=self._settings | {"statement_timeout": SHORT} | PLANNED_EACH_TIME,
        )

    async def __aenter__(self) -> Self:
        with reaching():
            await self._pool
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def connect(self) -> Connection:
        """A connection of the caller's own."""
        with reaching():
            return await asyncpg.connect(
                self._dsn, timeout=PATIENCE, command_timeout=SILENCE, server_settings=self._settings
            )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Borrowed]:
        """A connection whose work stands or falls as one."""
        with reaching():
            async with self._pool.acquire(timeout=PATIENCE) as connection, connection.transaction():
                yield connection

    async def fetch(self, sql: str, *arguments: object) -> list[Row]:
        """The rows of a statement that changes nothing the log vouches for."""
        with suppress(Unavailable):
            return await self._fetch(sql, arguments)
        return await self._fetch(sql, arguments)

    async def _fetch(self, sql: str, arguments: tuple[object, ...]) -> list[Row]:
        with reaching():
            async with self._pool.acquire(timeout=PATIENCE) as connection:
                return await connection.fetch(sql, *arguments)


async def _keep(connection: object) -> None:
    """Skip asyncpg's reset, a round trip for each release: nothing here changes a session."""


def columns(rows: Sequence[tuple[object, ...]], width: int) -> list[object]:
    """Rows as that many columns, for unnest()."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
