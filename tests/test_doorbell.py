import asyncio
from contextlib import AsyncExitStack
from time import monotonic

import pytest
from cable import Cable
from conftest import Place, Process, ask, register, until
from given import KEY

from app.embedded_postgres import address
from domain.switches import SwitchAssignedTasks
from eventstore import doorbell as module
from eventstore.database import Database
from eventstore.doorbell import Doorbell
from projections import standings

LONG = 10.0


async def heard(bell: Doorbell) -> float:
    began = monotonic()
    await bell.heard(LONG)
    return monotonic() - began


async def test_one_process_rings_and_another_hears_it(place: Place) -> None:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(place.dsn))
        one = await stack.enter_async_context(Doorbell(database).running())
        other = await stack.enter_async_context(Doorbell(database).running())
        assert await heard(one) < LONG  # a bell that has just been hung up may have missed one
        assert await heard(other) < LONG

        one.ring()
        one.ring()

        assert await heard(other) < LONG


async def test_nobody_hears_his_own_ring(place: Place) -> None:
    async with Database(place.dsn) as database, Doorbell(database).running() as bell:
        await heard(bell)
        bell.ring()
        began = monotonic()
        await bell.heard(0.15)
        assert monotonic() - began >= 0.14


async def test_a_bell_that_was_lost_costs_patience_and_no_change(
    place: Place, cable: Cable, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)
    dsn = address(cable.folder, user="syncledger_app", database=place.name)
    async with Database(dsn) as database, Doorbell(database).running() as bell:
        await heard(bell)
        await cable.pull()
        await bell.heard(0.05)
        await cable.mend()
        assert await heard(bell) < LONG
        await register(process)
        assert await heard(bell) < LONG


async def test_in_stillness_the_line_is_tried(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STILLNESS", 0.05)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(place.dsn))
        one = await stack.enter_async_context(Doorbell(database).running())
        await stack.enter_async_context(Doorbell(database).running())
        await heard(one)
        assert await heard(one) < LONG


async def test_what_another_process_appends_is_soon_known_here(
    process: Process, other_process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sooner than by looking at the heads now and then, which is put off here."""
    monkeypatch.setattr(standings, "PATIENCE", LONG)
    await asyncio.sleep(0.25)
    await register(process)
    await other_process.standings.catch_up(KEY)
    for number in range(5):
        await ask(process, SwitchAssignedTasks(on=number % 2 == 0))
        began = monotonic()
        assert await other_process.standings.moved(KEY, 2 + number, LONG)
        assert monotonic() - began < LONG / 2


async def test_whatever_the_database_says_the_bell_is_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.05)
    role = "syncledger_app"
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(place.dsn))
        bell = await stack.enter_async_context(Doorbell(database).running())
        await heard(bell)
        await place.as_superuser(
            f"ALTER DATABASE {place.name} CONNECTION LIMIT 0",
            f"REVOKE CONNECT ON DATABASE {place.name} FROM {role}, PUBLIC",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "  # noqa: S608 -- own role
            f"WHERE usename = '{role}' AND datname = current_database()",
        )

        async def told() -> bool:
            return "the doorbell is silent" in caplog.text

        await until(told)
        await bell.heard(0.05)
        await place.as_superuser(
            f"ALTER DATABASE {place.name} CONNECTION LIMIT -1",
            f"GRANT CONNECT ON DATABASE {place.name} TO {role}",
        )
        assert await heard(bell) < LONG


async def test_a_doorbell_at_its_end_leaves_no_connection(place: Place) -> None:
    async with Database(place.dsn) as database:
        async with Doorbell(database).running() as bell:
            await heard(bell)

        async def alone() -> bool:
            rows = await database.fetch(
                "SELECT FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = 'syncledger' AND pid <> pg_backend_pid()"
            )
            return not rows

        await until(alone)
