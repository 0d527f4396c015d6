"""The whole proof of an environment: its log, and its rows against a fresh fold of the log.

Law: rows are compared up to where they say they are; being behind is no fault, being different is.
"""

from collections.abc import Callable, Iterator

from domain.standing import ChangeSet, Standing
from eventstore.database import Database
from eventstore.log import END
from eventstore.verify import Report, Verifier
from projections import changes, current_settings, stored_standings
from projections.statements import SQL

type Row = current_settings.Row | changes.Row
type Found = Iterator[tuple[int, str]]

NOWHERE = "stored_standings has a row where no change set ends"


async def environments(database: Database) -> list[str]:
    """Every environment of which anything is kept, anywhere."""
    kept = {found["environment"] for found in await database.fetch(SQL["known"])}
    return sorted(kept.union(await Verifier(database).environments()))


async def verify(
    database: Database, environment: str, advance: Callable[[int], None] = lambda _entries: None
) -> Report:
    """What is wrong with an environment; no finding when nothing is.

    `advance` is told how many entries more were looked at.
    """
    kept = await current_settings.stored(database, environment)
    comparison = _Comparison(database, kept)
    standings = _StoredStandings(database, environment, 0 if kept is None else kept.position)
    report = Report(environment)
    await standings.begin()
    async for step in Verifier(database).verify(environment):
        if isinstance(step, Report):
            report = step
        else:
            advance(len(step.changes))
            await comparison.take(step)
            await standings.take(step.standing)
    comparison.end(report)
    await standings.end(report)
    lasts = {
        "changes": await changes.last(database, environment),
        "stored_standings": await stored_standings.last(database, environment),
    }
    there = await current_settings.stored(database, environment)  # as of after the last rows
    for table, last in lasts.items():
        if last > (there.position if there else 0):
            report.found(last, f"{table} has a row beyond where current_settings is")
    return report


class _Comparison:
    """What is kept of one environment beside what its log gives, a change set at a time."""

    def __init__(self, database: Database, kept: current_settings.Row | None) -> None:
        self._database = database
        self._kept = kept
        self._there: Standing | None = None
        self._rows: dict[int, changes.Row] = {}
        self._read = 0
        self._found: list[tuple[int, str]] = []

    async def take(self, change_set: ChangeSet) -> None:
        kept, standing = self._kept, change_set.standing
        if kept is None or standing.position > kept.position:
            return
        if standing.position == kept.position:
            self._there = standing
        for change in change_set.changes:
            folded = changes.row(kept.environment, change)
            if folded.position > self._read:
                await self._read_on(kept.environment)
            row = self._rows.pop(folded.position, None)
            if row is None:
                self._found.append((folded.position, "the row of changes is missing"))
            elif row != folded:
                self._found += _differences("changes", row, folded)

    async def _read_on(self, environment: str) -> None:
        page = await changes.page(self._database, environment, self._read)
        self._rows |= {row.position: row for row in page}
        self._read = page[-1].position if len(page) == changes.PAGE else END

    def end(self, report: Report) -> None:
        """Report everything that differs, once the whole log was taken."""
        kept = self._kept
        for position, message in self._found:
            report.found(position, message)
        if kept is None:  # nothing was folded yet
            return
        if self._there is None:
            message = f"current_settings is at {kept.position}, where no change set ends"
            report.found(kept.position, message)
        else:
            folded = current_settings.row(self._there)
            for position, message in _differences("current_settings", kept, folded):
                report.found(position, message)


class _StoredStandings:
    """Those of one environment up to a position, met one by one as its log is folded."""

    def __init__(self, database: Database, environment: str, upto: int) -> None:
        self._database = database
        self._environment = environment
        self._upto = upto
        self._next: stored_standings.Row | None = None
        self._found: list[tuple[int, str]] = []

    async def begin(self) -> None:
        await self._read_on(0)

    async def take(self, standing: Standing) -> None:
        while (row := self._next) is not None and row.position <= standing.position:
            if row.position < standing.position:
                self._found.append((row.position, NOWHERE))
            elif row != stored_standings.row(self._environment, standing):
                self._found.append((row.position, "the stored standing is not the log's"))
            await self._read_on(row.position)

    async def _read_on(self, position: int) -> None:
        row = await stored_standings.following(self._database, self._environment, position)
        self._next = None if row is None or row.position > self._upto else row

    async def end(self, report: Report) -> None:
        """Report everything that differs, and what is left beyond the fold."""
        while self._next is not None:
            self._found.append((self._next.position, NOWHERE))
            await self._read_on(self._next.position)
        for position, message in self._found:
            report.found(position, message)


def _differences(table: str, kept: Row, folded: Row) -> Found:
    for column, held, wanted in zip(kept._fields, kept, folded, strict=True):
        if held != wanted:
            yield kept.position, f"{table} has {column} {held!r}, the log {wanted!r}"
