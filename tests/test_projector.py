import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from cable import Cable
from conftest import Place, Process, ask, register, until
from given import BEGUN, KEY

from domain.lifecycle import ArchiveEnvironment
from domain.switches import SwitchAssignedTasks
from eventstore.database import Unavailable
from eventstore.log import Log
from eventstore.migrate import migrate
from projections import projector as module
from projections.current_settings import Row, row, stored
from projections.projector import SCHEMA, Projector
from projections.statements import SQL


async def rows(process: Process) -> list[Row]:
    return [
        Row(*each)
        for each in await process.database.fetch(
            "SELECT * FROM current_settings ORDER BY environment"
        )
    ]


async def folded(process: Process) -> list[Row]:
    tips = [await process.log.tip(head.environment) for head in await process.log.heads()]
    return [row(tip.standing) for tip in tips if tip.standing is not None]


async def test_catching_up_writes_what_is_behind_and_nothing_else(process: Process) -> None:
    assert await process.projector.catch_up() == 0
    await register(process, "a", "b")
    assert await process.projector.catch_up() == 2
    assert await process.projector.catch_up() == 0
    await ask(process, SwitchAssignedTasks(on=True), environment="b")
    assert await process.projector.catch_up() == 1
    assert await rows(process) == await folded(process)


async def test_a_rebuild_is_what_live_has_made(process: Process) -> None:
    await register(process, "a", "b")
    await process.projector.catch_up()
    await ask(process, ArchiveEnvironment(), environment="a")
    await process.projector.catch_up()
    live = await rows(process)

    assert await Projector(process.database, Log(process.database).since).rebuild() == 2
    assert await rows(process) == live == await folded(process)


async def test_a_row_of_an_unknown_log_is_forgotten(place: Place, process: Process) -> None:
    await register(process)
    await process.projector.catch_up()
    await place.as_superuser("UPDATE syncledger.current_settings SET environment = 'unheard-of'")

    assert await process.projector.catch_up() == 2
    assert [each.environment for each in await rows(process)] == [KEY]


async def test_two_that_project_at_once_make_the_same_rows(
    process: Process, other_process: Process
) -> None:
    await register(process, *(f"place-{number}" for number in range(5)))
    for each in (True, False, True):
        await ask(process, SwitchAssignedTasks(on=each), environment="place-3")
        await asyncio.gather(
            process.projector.catch_up(),
            other_process.projector.catch_up(),
            process.projector.rebuild(),
            return_exceptions=True,
        )
    await process.projector.catch_up()

    assert await rows(process) == await folded(process)


@asynccontextmanager
async def moving(place: Place, environment: str) -> AsyncIterator[None]:
    """As while another process makes the rows of an environment anew."""
    connection = await asyncpg.connect(
        place.owner_dsn, server_settings={"search_path": "syncledger"}
    )
    try:
        async with connection.transaction():
            await connection.fetch(SQL["lock"], environment)
            yield
    finally:
        await connection.close()


async def test_rows_that_somebody_else_moves_hold_up_no_other(
    place: Place, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    await register(process, "a", "b")
    async with moving(place, "a"):
        assert await process.projector.catch_up() == 1
        assert [each.environment for each in await rows(process)] == ["b"]
        await process.projector.reach("b")
        with pytest.raises(Unavailable, match="rows of a did not come"):
            await process.projector.reach("a")
        waiting = asyncio.create_task(process.projector.catch_up(wait=10))
        rebuilding = asyncio.create_task(process.projector.rebuild())
    assert await waiting + await rebuilding >= 2
    await process.projector.reach("a")
    assert await rows(process) == await folded(process)


async def test_a_long_log_has_a_transaction_to_itself_after_the_short_ones(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MANY_ENTRIES", BEGUN + 1)
    monkeypatch.setattr(module, "MOST_AT_ONCE", 2)
    together: list[list[str]] = []
    bring = Projector._bring

    async def told(self: Projector, environments: list[str], *, anew: bool) -> int:
        together.append(list(environments))
        return await bring(self, environments, anew=anew)

    monkeypatch.setattr(Projector, "_bring", told)
    await register(process, "a", "b", "c", "d")
    await ask(process, SwitchAssignedTasks(on=True), environment="a")
    assert await process.projector.catch_up() == 4
    assert together == [["b", "c"], ["d"], ["a"]]
    assert await rows(process) == await folded(process)


async def test_a_row_never_goes_back(process: Process, other_process: Process) -> None:
    await register(process)
    await other_process.standings.current(KEY)
    early = await process.log.tip(KEY)
    await ask(process, SwitchAssignedTasks(on=True))
    await process.projector.catch_up()

    async def stale(environment: str) -> object:
        return early

    await Projector(process.database, stale).catch_up()  # type: ignore[arg-type]
    late = await stored(process.database, KEY)
    assert late is not None
    assert late.position == BEGUN + 1


async def test_while_it_runs_the_rows_follow_whatever_happens_to_the_tables(
    place: Place, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)

    async def caught_up() -> bool:
        try:
            return await rows(process) == await folded(process)
        except Exception:  # noqa: BLE001 -- the table is away for a moment
            return False

    async with process.projector.running():
        await register(process)
        await until(caught_up)
        await place.as_superuser("DROP TABLE syncledger.current_settings")
        await ask(process, SwitchAssignedTasks(on=True))
        await asyncio.sleep(0.03)
        await place.as_superuser("DELETE FROM syncledger.migrations WHERE name = 'schema.sql'")
        assert await migrate(place.owner_dsn, SCHEMA) == ["schema.sql"]
        await until(caught_up)


async def test_while_the_database_is_away_it_waits(
    far_process: Process, process: Process, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)

    async def caught_up() -> bool:
        return await rows(process) == await folded(process)

    async with far_process.projector.running():
        await register(process)
        await until(caught_up)
        await cable.pull()
        await ask(process, SwitchAssignedTasks(on=True))
        await asyncio.sleep(0.05)
        await cable.mend()
        await until(caught_up)


async def test_a_log_that_cannot_be_read_does_not_keep_the_others_back(
    place: Place, process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    await register(process, "a-newer-one", KEY)
    await place.as_superuser(
        "ALTER TABLE syncledger.events DISABLE TRIGGER ALL",
        "UPDATE syncledger.events SET type = 'newer.v1' WHERE environment = 'a-newer-one'",
    )
    await Projector(process.database, Log(process.database).since).catch_up()

    assert [each.environment for each in await rows(process)] == [KEY]
    assert "a-newer-one cannot be folded" in caplog.text


async def test_a_log_that_cannot_be_read_is_told_once_and_leaves_no_row(
    place: Place, process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    await register(process)
    await place.as_superuser(
        "ALTER TABLE syncledger.events DISABLE TRIGGER ALL;"
        "UPDATE syncledger.events SET type = 'unheard_of.v1' WHERE position = 2"
    )
    projector = Projector(process.database, Log(process.database).since)

    for _ in range(3):
        await projector.catch_up()
    assert await projector.rebuild() == 1

    assert await rows(process) == []
    told = [record for record in caplog.records if "cannot be folded" in record.message]
    assert len(told) == 1
