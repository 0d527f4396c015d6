"""One row a change: where, when, who, what it did, from and to. Written and read back as they are.

Law: a row is a function of the change; what may be erased is looked up, and never kept here.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Self
from uuid import UUID

from domain.environment import sentence
from domain.standing import Change
from eventstore.database import Borrowed, Database
from projections import deeds
from projections.deeds import Deed
from projections.statements import SQL

PAGE = 1_000
BATCH = 1_000
"""Rows that are written together."""


class Row(NamedTuple):
    environment: str
    position: int
    change_set: int
    type: str
    setting: str
    summary: str
    actor: UUID
    recorded_at: datetime
    before: str | None
    after: str | None

    @property
    def deed(self) -> Deed:
        """Of which the table has the number."""
        return self.type, self.setting, self.summary


COLUMNS = (*Row._fields[:3], "deed", *Row._fields[6:])
"""Of the table."""


def row(environment: str, change: Change) -> Row:
    (position, change_set, at, actor, event), setting, before, after = change
    type_, summary = event.wire_name, sentence(event)
    return Row(environment, position, change_set, type_, setting, summary, actor, at, before, after)


class Copying:
    """Adds rows, none of which is there yet: a batch is written while the next is gathered."""

    def __init__(self, database: Database, connection: Borrowed) -> None:
        self._database = database
        self._connection = connection
        self._rows: list[Row] = []
        self._numbers: dict[Deed, int] = {}
        self._under_way: asyncio.Task[object] | None = None

    async def add(self, rows: Iterable[Row]) -> None:
        self._rows += rows
        if len(self._rows) >= BATCH:
            await self._begin()

    async def _begin(self) -> None:
        await self.settle()
        rows, self._rows = self._rows, []
        self._under_way = asyncio.create_task(self._write(rows))

    async def _write(self, rows: list[Row]) -> None:
        done = {row.deed for row in rows}.difference(self._numbers)
        if done:
            self._numbers |= await deeds.keep(self._database, done)
        numbers = self._numbers
        await self._connection.copy_records_to_table(
            "changes",
            records=[(*row[:3], numbers[row.deed], *row[6:]) for row in rows],
            columns=COLUMNS,
        )

    async def settle(self) -> None:
        """Wait for the batch under way: until the next row, the connection is free."""
        if self._under_way is not None:
            await self._under_way

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self._rows:
            await self._begin()
        await self.settle()


async def page(database: Database, environment: str, after: int) -> list[Row]:
    """The next rows in order after a position; a short page is the end."""
    found = await database.fetch(SQL["changes"], environment, after, PAGE)
    return [Row(*row) for row in found]


async def last(database: Database, environment: str) -> int:
    """The position of the last row; 0 where there is none."""
    (found,) = await database.fetch(SQL["last_change"], environment)
    position: int = found["position"]
    return position
