from pathlib import Path

import asyncpg
import pytest
from conftest import Place

import eventstore
import projections
from eventstore.migrate import PREPARATION
from eventstore.migrate import SQL as MIGRATE
from eventstore.statements import MARK, statements

ROOMS = [Path(str(room.__file__)).parent for room in (eventstore, projections)]
QUERIES = [room / "queries.sql" for room in ROOMS]
OWNERS = [ROOMS[0] / "migrate.sql", ROOMS[0] / "erasure.sql"]


def test_every_file_of_sql_is_known_here() -> None:
    known = {*QUERIES, *OWNERS, ROOMS[1] / "schema.sql"}
    known |= set((ROOMS[0] / "migrations").glob("*.sql"))
    assert {file for room in ROOMS for file in room.rglob("*.sql")} == known


@pytest.mark.parametrize("file", [*QUERIES, *OWNERS])
def test_no_name_is_given_twice(file: Path) -> None:
    assert file.read_text(encoding="utf-8").count(MARK) == len(statements(file))


def test_a_statement_is_the_text_after_its_name(tmp_path: Path) -> None:
    file = tmp_path / "some.sql"
    file.write_text("-- about\n\n-- name: one\nSELECT 1;\n\n-- name: two\n-- why\nSELECT\n2;\n")
    assert statements(file) == {"one": "SELECT 1", "two": "-- why\nSELECT\n2"}


async def test_every_statement_can_be_prepared_by_the_application(place: Place) -> None:
    settings = {"search_path": "syncledger", "role": "syncledger_app"}
    connection = await asyncpg.connect(place.dsn, server_settings=settings)
    try:
        for file in QUERIES:
            for text in statements(file).values():
                if not text.startswith("LISTEN"):
                    await connection.prepare(text)
                else:
                    await connection.execute(text)
    finally:
        await connection.close()


async def test_every_statement_of_the_owner_can_be_prepared_or_run_by_the_owner(
    place: Place,
) -> None:
    connection = await asyncpg.connect(place.owner_dsn)
    try:
        for step in PREPARATION:
            await connection.execute(MIGRATE[step])
        for file in OWNERS:
            for text in statements(file).values():
                await connection.prepare(text)
    finally:
        await connection.close()
