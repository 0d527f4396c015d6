"""Whole logs out to a file and back in, by Postgres's own pg_dump and pg_restore.

Law: a file is whole or not there, and never takes another's place; logs come back only where there
are none, all or nothing.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import asyncpg

from eventstore.database import Connection, reaching
from eventstore.migrate import SQL

type Program = Callable[[str], str]
"""Where a program of Postgres is, by its name."""

NOTHING_OF_OURS = {"LC_ALL": "C", "PATH": os.defpath}
"""All that a program sees of our environment: PG* would change what it does."""

NEEDED = (
    "SCHEMA - syncledger",
    "TABLE DATA syncledger migrations",
    "TABLE DATA syncledger events",
    "TABLE DATA syncledger log_head",
)
"""What every file has in its table of contents, as `pg_restore --list` tells it."""

OURS = re.compile(r"\d+; \d+ \d+ (SCHEMA - |[A-Z ]+ - SCHEMA |[A-Z ]+ )syncledger ")
"""A line of that table for our schema, for what is said of it, or for something in it."""

HEADS = "COPY syncledger.log_head ("
"""Before the names of the columns, and the rows, of where each log ends."""


class ArchiveFailed(Exception):
    """The file was not made, or nothing of it was taken; the message says why."""


class Kept(NamedTuple):
    """How much is in a file, by the heads of its logs."""

    environments: int
    entries: int


def dump(owner_dsn: str, program: Program, file: Path) -> Kept:
    """Everything that is kept, as of one moment, into a new file. Others may append meanwhile.

    ArchiveFailed when the file exists, or cannot be written.
    """
    if file.exists(follow_symlinks=False):
        raise _exists(file)
    if not file.parent.is_dir():
        raise ArchiveFailed(f"There is no folder {file.parent}.")
    with _explained(file), _named_when_whole(file) as (partial, output):
        command = [program("pg_dump"), "--format=custom", "--schema=syncledger"]
        _said([*command, f"--dbname={owner_dsn}"], output)
        _see_that_it_is_ours(program, partial, file)
        return _count(program, partial)


def check(program: Program, file: Path) -> None:
    """ArchiveFailed unless the file is one that `dump` could have made: our schema, no more."""
    with _explained(file):
        _see_that_it_is_ours(program, file, file)


async def load(owner_dsn: str, program: Program, file: Path) -> None:
    """Everything of a file, into a database that has nothing of ours yet.

    ArchiveFailed when it has, or when the file is not whole; nothing was written then.
    """
    with reaching():
        connection: Connection = await asyncpg.connect(owner_dsn, timeout=5)
        try:
            if await connection.fetchval(SQL["exists"]):
                raise ArchiveFailed(
                    "There are logs already: restore where there are none. If a restore was ended "
                    "before its proof, `syncledger verify` gives it."
                )
            await connection.execute(SQL["roles"])
            await connection.execute(SQL["extension"])
        finally:
            await connection.close()
    with _explained(file):
        command = [program("pg_restore"), "--exit-on-error", "--single-transaction"]
        _said([*command, f"--dbname={owner_dsn}", str(file)])


def _see_that_it_is_ours(program: Program, path: Path, file: Path) -> None:
    """By the table of contents. `file` is what the path is called, or will be."""
    listing = _said([program("pg_restore"), "--list", str(path)])
    lines = [line for line in listing.split("\n") if line and not line.startswith(";")]
    missing = [entry for entry in NEEDED if not any(f" {entry} " in line for line in lines)]
    foreign = [line for line in lines if not OURS.match(line)]
    if missing or foreign:
        found = f"it lacks {missing[0]!r}" if missing else f"it holds {foreign[0]!r} as well"
        raise ArchiveFailed(
            f"{file} is no backup of the schema syncledger alone: {found}. Name a file that "
            "`syncledger backup` made, or `pg_dump --format=custom --schema=syncledger`."
        )


def _count(program: Program, path: Path) -> Kept:
    """What is in a file, and not what is in the database by now."""
    command = [program("pg_restore"), "--data-only", "--schema=syncledger", "--table=log_head"]
    copied = _said([*command, "--file=-", str(path)]).partition(HEADS)[2]
    header, *lines = copied.split("\n")
    column = header.partition(")")[0].replace('"', "").split(", ").index("position")
    heads = [line.split("\t") for line in takewhile(lambda line: line != "\\.", lines)]
    return Kept(len(heads), sum(int(head[column]) for head in heads))


@contextmanager
def _named_when_whole(file: Path) -> Iterator[tuple[Path, int]]:
    """A new file in the same folder that only we can read.

    It gets its name at the end, on the disk and in nobody's place; it is gone when the block fails.
    """
    output, name = tempfile.mkstemp(prefix=".syncledger-", suffix=".partial", dir=file.parent)
    partial = Path(name)
    try:
        yield partial, output
        os.fsync(output)
        _link(partial, file)
    finally:
        os.close(output)
        partial.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _link(partial: Path, file: Path) -> None:
    """Unlike a renaming, a link never takes the place of what is there."""
    try:
        file.hardlink_to(partial)
    except FileExistsError as error:
        raise _exists(file) from error
    except OSError as error:
        raise ArchiveFailed(
            f"{file} cannot be linked: {error.strerror}. If the file system there has no hard "
            "links, name a file on another one, and copy it."
        ) from error


def _exists(file: Path) -> ArchiveFailed:
    return ArchiveFailed(f"{file} exists already: name another file, or remove it.")


def _said(command: list[str], output: int = subprocess.PIPE) -> str:
    """What a program tells on standard output, unless that goes elsewhere."""
    done = subprocess.run(  # noqa: S603 -- our own words, no shell
        command,
        env=NOTHING_OF_OURS,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",  # a file that is none of ours may say anything
        check=True,
    )
    return done.stdout or ""


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveFailed(f"{file} cannot be written or read: {error}.") from error
    except subprocess.CalledProcessError as error:
        raise ArchiveFailed(f"{file}: {error.stderr.strip()}") from error
