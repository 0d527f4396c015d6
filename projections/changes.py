"""One row a change: what it touched, from, to, and in words. Who and when the log tells itself.

Law: a row is a function of the change; what may be erased is looked up, and never kept here.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Self
from uuid import UUID

from domain.environment import sentence
from domain.standing import Change
from eventstore.database import Borrowed, Database
from eventstore.log import recorded
from eventstore.seal import Entry
from projections.statements import SQL

PAGE = 1_000
BATCH = 1_000
"""Rows that are written together."""
ENTRY = len(Entry._fields)


class Row(NamedTuple):
    environment: str
    position: int
    setting: str
    before: str | None
    after: str | None
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What narrows a history; None leaves it open.

    `setting`: a key, or the beginning of keys where it ends in a colon or dot. `since` is still in
    it, `until` is not. `text` is looked for in the sentence, the key and the reason, whatever its
    case.
    """

    by: UUID | None = None
    setting: str | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        beginning = self.setting is not None and self.setting.endswith((":", "."))
        return (
            self.by,
            None if beginning else self.setting,
            self.setting if beginning else None,
            self.type,
            self.since,
            self.until,
            self.text,
        )


class Stretch(NamedTuple):
    """Positions strictly between two, at most that many, from the newest back or the oldest on."""

    above: int
    below: int
    newest_first: bool
    limit: int


def row(environment: str, change: Change) -> Row:
    recorded, setting, before, after = change
    return Row(environment, recorded.position, setting, before, after, sentence(recorded.event))


class Copying:
    """Adds rows, none of which is there yet: a batch is written while the next is gathered."""

    def __init__(self, connection: Borrowed) -> None:
        self._connection = connection
        self._rows: list[Row] = []
        self._under_way: asyncio.Task[object] | None = None

    async def add(self, rows: Iterable[Row]) -> None:
        self._rows += rows
        if len(self._rows) >= BATCH:
            await self._begin()

    async def _begin(self) -> None:
        await self.settle()
        rows, self._rows = self._rows, []
        work = self._connection.copy_records_to_table("changes", records=rows, columns=Row._fields)
        self._under_way = asyncio.create_task(work)

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
    return [Row(*row) for row in await database.fetch(SQL["changes"], environment, after, PAGE)]


async def last(database: Database, environment: str) -> int:
    """The position of the last row; 0 where there is none."""
    (found,) = await database.fetch(SQL["last_change"], environment)
    position: int = found["position"]
    return position


async def search(
    database: Database, environment: str, narrowed: Filter, stretch: Stretch
) -> list[Change]:
    """What happened in one environment, in the order walked."""
    statement = SQL["history_newest_first" if stretch.newest_first else "history_oldest_first"]
    above, below, _, limit = stretch
    found = await database.fetch(statement, environment, above, below, limit, *narrowed.arguments)
    return [
        Change(recorded(Entry(*row[:ENTRY])), row["setting"], row["before"], row["after"])
        for row in found
    ]
