"""Whole logs out to a file and back in, by Postgres's own pg_dump and pg_restore.

Law: a file is whole or not there; logs come back only where there are none, all or nothing.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from eventstore.database import Connection, reaching
from eventstore.migrate import SQL

type Program = Callable[[str], str]
"""Where a program of Postgres is, by its name."""

NOTHING_OF_OURS = {"LC_ALL": "C", "PATH": os.defpath}
"""All that a program sees of our environment: PG* would change what it does."""


class ArchiveFailed(Exception):
    """The file was not made, or nothing of it was taken; the message says why."""


def dump(owner_dsn: str, program: Program, file: Path) -> None:
    """Everything that is kept, as of one moment, into a new file. Others may append meanwhile.

    ArchiveFailed when the file exists, or cannot be written.
    """
    if file.exists():
        raise ArchiveFailed(f"{file} exists already: name another file, or remove it.")
    partial = file.with_name(f"{file.name}.partial")
    with _explained(file), _owners_alone(partial) as output:
        command = [program("pg_dump"), "--format=custom", "--schema=syncledger"]
        _run([*command, f"--dbname={owner_dsn}"], output)
        os.fsync(output)
        partial.rename(file)


def check(program: Program, file: Path) -> None:
    """ArchiveFailed unless the file is one that `dump` could have made."""
    with _explained(file):
        _run([program("pg_restore"), "--list", str(file)], subprocess.DEVNULL)


async def load(owner_dsn: str, program: Program, file: Path) -> None:
    """Everything of a file, into a database that has nothing of ours yet.

    ArchiveFailed when it has, or when the file is not whole; nothing was written then.
    """
    with reaching():
        connection: Connection = await asyncpg.connect(owner_dsn, timeout=5)
        try:
            if await connection.fetchval(SQL["exists"]):
                raise ArchiveFailed("There are logs already: restore where there are none.")
            await connection.execute(SQL["roles"])
        finally:
            await connection.close()
    with _explained(file):
        command = [program("pg_restore"), "--exit-on-error", "--single-transaction"]
        _run([*command, f"--dbname={owner_dsn}", str(file)], subprocess.DEVNULL)


@contextmanager
def _owners_alone(partial: Path) -> Iterator[int]:
    """A new file that only we can read, gone again unless it was renamed."""
    output = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        yield output
    finally:
        os.close(output)
        partial.unlink(missing_ok=True)


def _run(command: list[str], output: int) -> None:
    subprocess.run(  # noqa: S603 -- our own words, no shell
        command,
        env=NOTHING_OF_OURS,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveFailed(f"{file} cannot be written or read: {error}.") from error
    except subprocess.CalledProcessError as error:
        raise ArchiveFailed(f"{file}: {error.stderr.strip()}") from error
