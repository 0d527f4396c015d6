"""Erasing what names a person beside the log: their row, and reasons by them or about them.

Law: by the owner alone, in one transaction, and without touching a log.
"""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize
from uuid import UUID

import asyncpg

from eventstore import log
from eventstore.database import Connection, columns, reaching
from eventstore.migrate import SQL as OWNERS
from eventstore.statements import statements

SQL = statements(Path(__file__).with_name("erasure.sql"))


class MayNotErase(Exception):
    """The role that asks does not own the tables."""


class Person(NamedTuple):
    """Who is to be erased. `names`: the provider's id and the name, none once that is done."""

    handle: UUID
    names: tuple[str, ...] = ()


class Reason(NamedTuple):
    """Where a reason stands that is to go. `own`: whether it is theirs, and not about them."""

    environment: str
    change_set: int
    own: bool


class Traces(NamedTuple):
    """Where a person is to be found.

    `logs`: every one concerned. `sealed`: in which of them entries name the person in what they
    say, and how many; these stay.
    """

    logs: Sequence[str]
    reasons: Sequence[Reason]
    sealed: Mapping[str, int]


class Gone(NamedTuple):
    """How many rows were deleted."""

    persons: int
    reasons: int


def mentions(text: str, names: Iterable[str]) -> bool:
    """Whether a text has one of the names in it, whatever the case."""
    told = _plain(text)
    return any(_plain(name) in told for name in names)


def _plain(text: str) -> str:
    return normalize("NFKC", text).casefold()


class Erasure:
    """A line to the database as the owner of its tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def by_owner(cls, dsn: str) -> AsyncIterator["Erasure"]:
        """MayNotErase where the role of the DSN cannot become the owner."""
        with reaching():
            connection: Connection = await asyncpg.connect(dsn, timeout=5)
            try:
                try:
                    await connection.execute(OWNERS["become_owner"])
                except asyncpg.InsufficientPrivilegeError as error:
                    raise MayNotErase(
                        f"Erasing is the owner's: {error}. Set SYNCLEDGER_OWNER_DSN, as for "
                        "`migrate`."
                    ) from error
                await connection.execute(OWNERS["search_path"])
                yield cls(connection)
            finally:
                await connection.close()

    async def person(self, named: str) -> Person | None:
        """By the provider's id, or else by a handle; None where nothing is known of either."""
        rows = await self._connection.fetch(log.SQL["principal_known"], named)
        if not rows:
            try:
                handle = UUID(named)
            except ValueError:
                return None
            rows = await self._connection.fetch(log.SQL["principals"], [handle])
            if not rows:
                erased = await self._connection.fetch(SQL["logs"], handle)
                return Person(handle) if erased else None
        handle, *names = rows[0]
        return Person(handle, tuple(name for name in names if name))

    async def traces(self, person: Person) -> Traces:
        """Everywhere, as of now."""
        reasons = [reason async for reason in self._reasons(person)]
        rows = await self._connection.fetch(SQL["logs"], person.handle)
        logs = {row["environment"] for row in rows} | {each.environment for each in reasons}
        spelled = [json.dumps(name, ensure_ascii=False)[1:-1] for name in person.names]
        sealed = await self._connection.fetch(SQL["sealed"], spelled)
        return Traces(sorted(logs), reasons, {row["environment"]: row["entries"] for row in sealed})

    async def _reasons(self, person: Person) -> AsyncIterator[Reason]:
        async with self._connection.transaction():
            async for row in self._connection.cursor(SQL["reasons"], person.handle):
                if row["own"] or mentions(row["text"], person.names):
                    yield Reason(row["environment"], row["change_set"], row["own"])

    async def erase(self, person: Person, reasons: Sequence[Reason]) -> Gone:
        """Delete the row, all reasons of theirs and the ones named, and what remains of them.

        What refused attempts asked for goes where it names them, too.
        """
        environments, change_sets, _ = columns(reasons, 3)
        async with self._connection.transaction():
            attempts = await self._connection.fetch(SQL["attempts"])
            named = [tuple(each)[:2] for each in attempts if mentions(each["asked"], person.names)]
            await self._connection.execute(SQL["erase_attempts"], *columns(named, 2))
            (row,) = await self._connection.fetch(
                SQL["erase"], person.handle, environments, change_sets
            )
        await self._connection.execute(SQL["sweep"])
        return Gone(*row)
