"""Brings a database to the schema of this version: roles, the log, the tables that add it up.

Law: forward only; a migration that was applied is never edited, and none rewrites an event. The
projections' tables are no migration: when their definition changes they are made anew, empty.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import asyncpg

from eventstore.database import Connection, Database, reaching
from eventstore.statements import statements

SQL = statements(Path(__file__).with_name("migrate.sql"))
PREPARATION = (
    "lock",
    "roles",
    "extension",
    "schema",
    "become_owner",
    "search_path",
    "table",
    "visible",
)
MIGRATIONS = Path(__file__).with_name("migrations")


class CannotMigrate(Exception):
    """The database is not what this version can bring forward; nothing was changed."""


class MayNotMigrate(CannotMigrate):
    """The role that asks lacks the rights."""


class Script(NamedTuple):
    """A file of SQL that is run once, and what it said then."""

    name: str
    text: str

    @property
    def digest(self) -> bytes:
        return sha256(self.text.encode()).digest()

    @property
    def numbered(self) -> bool:
        return self.name[:4].isdigit()


async def migrate(owner_dsn: str, projections: Path) -> list[str]:
    """The names of what was applied, none when all was there.

    `projections` is the file that defines the projections' tables. Raises CannotMigrate, or
    Unavailable.
    """
    with reaching():
        connection: Connection = await asyncpg.connect(owner_dsn, timeout=5)
        try:
            with _rights_explained():
                for step in PREPARATION:
                    await connection.execute(SQL[step])
            return await _apply(connection, _scripts(projections))
        finally:
            await connection.close()


async def pending(database: Database, projections: Path) -> list[str]:
    """What `migrate` would apply to this database."""
    scripts = _scripts(projections)
    (row,) = await database.fetch(SQL["exists"])
    if not row["migrated"]:
        return [script.name for script in scripts]
    applied = {row["name"]: row["digest"] for row in await database.fetch(SQL["current"])}
    return [script.name for script in scripts if applied.get(script.name) != script.digest]


def _scripts(projections: Path) -> list[Script]:
    files = [*sorted(MIGRATIONS.glob("*.sql")), projections]
    return [Script(file.name, file.read_text(encoding="utf-8")) for file in files]


@contextmanager
def _rights_explained() -> Iterator[None]:
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        reason = str(error).partition("\n")[0]  # without the details
        raise MayNotMigrate(
            f"The owner's role may not prepare the database: {reason}. SYNCLEDGER_OWNER_DSN needs "
            "a role that may create roles and schemas."
        ) from error


async def _apply(connection: Connection, scripts: list[Script]) -> list[str]:
    applied = {row["name"]: row["digest"] for row in await connection.fetch(SQL["applied"])}
    known = {script.name for script in scripts}
    newer = [name for name in applied if name[:4].isdigit() and name not in known]
    if newer:
        raise CannotMigrate(f"The database is newer than this version: it has {newer[0]}.")
    due = [script for script in scripts if applied.get(script.name) != script.digest]
    for script in due:
        if script.numbered and script.name in applied:
            raise CannotMigrate(f"{script.name} was edited after it was applied. Restore it.")
    for script in due:
        async with connection.transaction():
            await connection.execute(script.text)
            await connection.execute(SQL["record"], script.name, script.digest)
    await connection.execute(SQL["words"])
    return [script.name for script in due]
