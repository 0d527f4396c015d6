"""Reading the log: entries in whole change sets, and the fold of them up to any position.

Law: a reader sees positions 1, 2, 3 … without a gap, and never a part of a change set.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from domain.standing import Change, ChangeSet, Recorded, Standing, advance
from eventstore.codec import decode
from eventstore.database import Database
from eventstore.seal import GENESIS, Entry
from eventstore.statements import statements

SQL = statements(Path(__file__).with_name("queries.sql"))
PAGE = 1_000
END = 2**63 - 1


class Head(NamedTuple):
    environment: str
    position: int
    seal: bytes
    recorded_at: datetime


class Tip(NamedTuple):
    """Where a fold has come to: the standing there, and the seal of the last entry."""

    standing: Standing | None = None
    seal: bytes = GENESIS

    @property
    def position(self) -> int:
        return 0 if self.standing is None else self.standing.position


NOTHING = Tip()
"""Before the first entry of every log."""


class StoredChange(NamedTuple):
    """What only the log knows of a change: its text and seal, and what may be erased."""

    payload: str
    seal: bytes
    reason: str | None
    request_id: UUID | None


def recorded(entry: Entry) -> Recorded:
    """The fact of an entry. NotOurs if its payload is none of ours."""
    event = decode(entry.type, entry.payload)
    return Recorded(entry.position, entry.change_set, entry.recorded_at, entry.actor, event)


def fold(standing: Standing | None, entries: Iterable[Entry]) -> ChangeSet:
    """One change set onto the standing before it."""
    changes: list[Change] = []
    for entry in entries:
        fact = recorded(entry)
        standing = advance(standing, fact)
        changes.append(standing.last_changes[fact.event.setting])
    if standing is None:
        raise ValueError("A change set has at least one entry.")
    return ChangeSet(changes=tuple(changes), standing=standing)


class Log:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def pages(
        self, environment: str, after: int = 0, upto: int = END
    ) -> AsyncIterator[list[Entry]]:
        """Entries after a position up to a position, in pages that never split a change set."""
        kept: list[Entry] = []
        while True:
            position = kept[-1].position if kept else after
            rows = await self._database.fetch(SQL["entries"], environment, position, upto, PAGE)
            kept += map(Entry._make, rows)
            whole = kept if len(rows) < PAGE else _without_last_set(kept)
            if whole:
                yield whole
            if len(rows) < PAGE:
                return
            kept = kept[len(whole) :]

    async def change_sets(
        self, environment: str, tip: Tip, upto: int = END
    ) -> AsyncIterator[tuple[ChangeSet, bytes]]:
        """Every change set after the tip, folded onto it, each with the seal it ends in."""
        standing = tip.standing
        async for page in self.pages(environment, tip.position, upto):
            for _, entries in groupby(page, key=attrgetter("change_set")):
                one_set = list(entries)
                change_set = fold(standing, one_set)
                standing = change_set.standing
                yield change_set, one_set[-1].seal

    async def since(self, environment: str, position: int) -> AsyncIterator[ChangeSet]:
        """Every change set after a position, folded from the beginning."""
        async for change_set, _ in self.change_sets(environment, NOTHING):
            if change_set.standing.position > position:
                yield change_set

    async def tip(
        self,
        environment: str,
        start: Tip = NOTHING,
        *,
        upto: int = END,
        until: datetime | None = None,
    ) -> Tip:
        """The fold of the log from a tip on, up to a position and until a time, both included."""
        tip = start
        async for change_set, seal in self.change_sets(environment, start, upto):
            if until is not None and change_set.standing.as_of > until:
                break
            tip = Tip(change_set.standing, seal)
        return tip

    async def heads(self) -> list[Head]:
        return [Head._make(row) for row in await self._database.fetch(SQL["heads"])]

    async def head(self, environment: str) -> Head | None:
        rows = await self._database.fetch(SQL["head"], environment)
        return Head._make(rows[0]) if rows else None

    async def pulse(self) -> tuple[int, int]:
        """Two numbers that change exactly when some log has grown."""
        (row,) = await self._database.fetch(SQL["pulse"])
        return row["logs"], row["entries"]

    async def stored(
        self, places: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], StoredChange]:
        """Single entries by (environment, position), as only the log knows them."""
        rows = await self._database.fetch(
            SQL["entries_at"], [place[0] for place in places], [place[1] for place in places]
        )
        return {
            (row["environment"], row["position"]): StoredChange(
                row["payload"], row["seal"], row["reason"], row["request_id"]
            )
            for row in rows
        }


def _without_last_set(entries: list[Entry]) -> list[Entry]:
    last = entries[-1].change_set
    end = len(entries)
    while end and entries[end - 1].change_set == last:
        end -= 1
    return entries[:end]
