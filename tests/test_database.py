import asyncio
from pathlib import Path

import asyncpg
import pytest
from cable import Cable, Fault
from conftest import Place, until

from app.embedded_postgres import address
from eventstore import database as module
from eventstore.database import Database, Unavailable, reaching

ONE = "SELECT 1 AS one"


@pytest.fixture
def far(place: Place, cable: Cable) -> str:
    return address(cable.folder, user="syncledger_app", database=place.name)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.AdminShutdownError("shutting down"),
        asyncpg.TooManyConnectionsError("full"),
        asyncpg.LockNotAvailableError("busy"),
        asyncpg.QueryCanceledError("too long"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.InterfaceError("pool is closing"),
        asyncpg.InternalClientError("another operation is in progress"),
    ],
)
def test_a_database_that_is_away_is_unavailable_whatever_the_driver_says(error: Exception) -> None:
    with pytest.raises(Unavailable) as caught, reaching():
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [asyncpg.UniqueViolationError("twice"), asyncpg.DataError("no UUID"), ValueError()]
)
def test_a_mistake_of_ours_is_not_blamed_on_the_database(error: Exception) -> None:
    with pytest.raises(type(error)), reaching():
        raise error


async def test_a_statement_runs_as_the_application_whoever_signs_in(place: Place) -> None:
    async with Database(place.owner_dsn) as database:
        (row,) = await database.fetch("SELECT current_user::text AS who, current_schema AS room")
        assert (row["who"], row["room"]) == ("syncledger_app", "syncledger")
        connection = await database.connect()
        assert await connection.fetchval("SELECT current_user::text") == "syncledger_app"
        await connection.close()


async def test_a_read_is_tried_once_more_on_a_new_connection(place: Place) -> None:
    async with Database(place.dsn, size=1) as database:
        (before,) = await database.fetch("SELECT pg_backend_pid() AS pid")
        await place.as_superuser(f"SELECT pg_terminate_backend({before['pid']}, 5000)")
        (after,) = await database.fetch("SELECT pg_backend_pid() AS pid")
        assert before["pid"] != after["pid"]


async def test_a_line_cut_under_a_read_is_noticed_and_read_again(far: str, cable: Cable) -> None:
    async with Database(far) as database:
        await database.fetch("SELECT 'append(' AS mark")
        cable.fault = Fault.LOSE_ANSWER
        assert len(await database.fetch("SELECT 'append(' AS mark")) == 1
        assert cable.faults == 1


async def test_a_read_of_a_database_that_is_away_is_unavailable_until_it_is_back(
    far: str, cable: Cable
) -> None:
    async with Database(far) as database:
        await database.fetch(ONE)
        await cable.pull()
        with pytest.raises(Unavailable):
            await database.fetch(ONE)
        with pytest.raises(Unavailable):
            await database.connect()
        with pytest.raises(Unavailable):
            async with database.transaction():
                pytest.fail("there is no connection")
        await cable.mend()
        assert len(await database.fetch(ONE)) == 1


async def test_a_line_that_falls_silent_under_a_read_is_given_up(
    far: str, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENCE", 0.2)
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    async with Database(far) as database:
        await database.fetch(ONE)
        cable.fault = Fault.SILENCE
        with pytest.raises(Unavailable):
            await database.fetch(ONE)
        cable.fault = Fault.NONE
        assert len(await database.fetch(ONE)) == 1


async def test_a_transaction_stands_or_falls_as_one(place: Place) -> None:
    await place.as_superuser(
        "CREATE TABLE syncledger.notes (note text)",
        "GRANT ALL ON syncledger.notes TO syncledger_app",
    )
    async with Database(place.dsn) as database:
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with database.transaction() as connection:
                await connection.execute("INSERT INTO notes VALUES ('lost'); SELECT 1 / 0")
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO notes VALUES ('kept')")
        assert [row["note"] for row in await database.fetch("SELECT * FROM notes")] == ["kept"]


async def test_closing_does_not_wait_for_ever(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    async with Database(place.dsn) as database:
        busy = asyncio.create_task(database.fetch("SELECT pg_sleep(20)"))

        async def sleeping() -> bool:
            rows = await database.fetch(
                "SELECT FROM pg_stat_activity WHERE datname = current_database() "
                "AND query LIKE 'SELECT pg_sleep%' AND state = 'active'"
            )
            return bool(rows)

        await until(sleeping)
        monkeypatch.setattr(module, "PATIENCE", 0.05)
    with pytest.raises(Unavailable):
        await busy


async def test_a_database_that_was_never_there_is_unavailable(tmp_path: Path) -> None:
    dsn = address(tmp_path, user="syncledger_app", database="postgres")
    async with Database(dsn) as database:
        with pytest.raises(Unavailable):
            await database.fetch(ONE)


async def test_an_argument_that_does_not_fit_is_our_mistake(place: Place) -> None:
    async with Database(place.dsn) as database:
        with pytest.raises(asyncpg.DataError, match="invalid input for query argument"):
            await database.fetch("SELECT $1::int", "no number")


async def test_a_dsn_that_cannot_be_is_a_mistake_and_no_outage() -> None:
    async with Database("nonsense://x") as database:
        with pytest.raises(ValueError, match="nonsense"):
            await database.connect()
