import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from conftest import Cluster, Place, Process, ask, register
from given import BEGUN, KEY

from domain.switches import SwitchAssignedTasks
from eventstore import migrate as module
from eventstore.database import Database, Unavailable
from eventstore.migrate import CannotMigrate, MayNotMigrate, migrate, pending
from projections.current_settings import stored
from projections.projector import SCHEMA

ALL = [*sorted(each.name for each in module.MIGRATIONS.glob("*.sql")), "schema.sql"]


@pytest.fixture
async def empty(cluster: Cluster) -> AsyncIterator[Place]:
    """A database that was never migrated."""
    name = f"empty_{secrets.token_hex(6)}"
    await cluster.run(f"CREATE DATABASE {name}")
    yield Place(cluster, name)
    await cluster.run(f"DROP DATABASE {name} WITH (FORCE)")


async def missing(place: Place, dsn: str | None = None) -> list[str]:
    async with Database(dsn or place.dsn) as database:
        return await pending(database, SCHEMA)


async def test_from_nothing_to_everything_and_then_nothing_more(empty: Place) -> None:
    assert await missing(empty) == ALL
    assert await migrate(empty.owner_dsn, SCHEMA) == ALL
    assert await missing(empty) == []
    assert await migrate(empty.owner_dsn, SCHEMA) == []


async def test_two_at_once_do_it_once(empty: Place) -> None:
    done = await asyncio.gather(*(migrate(empty.owner_dsn, SCHEMA) for _ in range(3)))

    assert sorted(done) == [[], [], ALL]


async def test_what_was_half_done_is_done_again(empty: Place, tmp_path: Path) -> None:
    broken = tmp_path / "schema.sql"
    broken.write_text("CREATE TABLE current_settings (environment text); SELECT 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty.owner_dsn, broken)

    assert await missing(empty) == ["schema.sql"]
    assert await migrate(empty.owner_dsn, SCHEMA) == ["schema.sql"]


async def test_a_migration_edited_after_it_was_applied_is_refused(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(module.MIGRATIONS, tmp_path / "migrations")
    with (folder / "0001_log.sql").open("a") as file:
        file.write("-- a word more\n")
    monkeypatch.setattr(module, "MIGRATIONS", folder)

    with pytest.raises(CannotMigrate, match=r"0001_log\.sql was edited after it was applied"):
        await migrate(place.owner_dsn, SCHEMA)
    assert await missing(place) == ["0001_log.sql"]


async def test_a_migration_more_is_applied_to_a_log_in_use(
    place: Place, process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(process)
    folder = shutil.copytree(module.MIGRATIONS, tmp_path / "migrations")
    (folder / "0098_more.sql").write_text("CREATE TABLE more ();")
    monkeypatch.setattr(module, "MIGRATIONS", folder)

    assert await migrate(place.owner_dsn, SCHEMA) == ["0098_more.sql"]
    await ask(process, SwitchAssignedTasks(on=True))
    assert (await process.log.tip(KEY)).position == BEGUN + 1


async def test_a_newer_database_is_refused(place: Place) -> None:
    await place.as_superuser(
        "INSERT INTO syncledger.migrations (name, digest) VALUES ('0099_later.sql', '')"
    )
    with pytest.raises(CannotMigrate, match=r"newer than this version: it has 0099_later\.sql"):
        await migrate(place.owner_dsn, SCHEMA)


async def test_a_role_without_the_rights_is_told_what_is_needed(empty: Place) -> None:
    role = f"someone_{secrets.token_hex(4)}"
    await empty.as_superuser(f"CREATE ROLE {role} LOGIN")
    try:
        with pytest.raises(MayNotMigrate, match="SYNCLEDGER_OWNER_DSN needs a role"):
            await migrate(empty.cluster.dsn(empty.name, role), SCHEMA)
    finally:
        await empty.as_superuser(f"DROP ROLE {role}")


@pytest.mark.parametrize("place", ["elsewhere", "public", None])
async def test_words_have_an_index_wherever_the_extension_is(
    empty: Place, place: str | None
) -> None:
    await empty.as_superuser("DROP SCHEMA public", f"CREATE SCHEMA {place or 'other'}")
    if place == "elsewhere":
        await empty.as_superuser(
            "CREATE EXTENSION pg_trgm SCHEMA elsewhere", "GRANT USAGE ON SCHEMA elsewhere TO PUBLIC"
        )
    elif place == "public":
        await empty.as_superuser("GRANT USAGE ON SCHEMA public TO PUBLIC")
    assert await migrate(empty.owner_dsn, SCHEMA) == ALL
    async with Database(empty.dsn) as database:
        (found,) = await database.fetch("SELECT to_regclass('remarks_by_words') IS NOT NULL AS it")
    assert found["it"] is (place is not None)
    assert await migrate(empty.owner_dsn, SCHEMA) == []


async def test_a_database_that_is_away_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await migrate(f"postgresql://postgres@/postgres?host={tmp_path}", SCHEMA)


async def test_projections_of_another_definition_are_made_anew(
    place: Place, process: Process, tmp_path: Path
) -> None:
    await register(process)
    await process.projector.catch_up()
    changed = tmp_path / "schema.sql"
    changed.write_text(SCHEMA.read_text() + "\nALTER TABLE current_settings ADD more int;\n")

    assert await migrate(place.owner_dsn, changed) == ["schema.sql"]
    assert await stored(process.database, KEY) is None
    assert await process.projector.catch_up() == 1
    assert await stored(process.database, KEY) is not None
    assert await migrate(place.owner_dsn, changed) == []
    assert await migrate(place.owner_dsn, SCHEMA) == ["schema.sql"]
