"""The whole proof of an environment: its log, and its rows against a fresh fold of the log.

Law: rows are compared up to where they say they are; being behind is no fault, being different is.
"""

from collections.abc import Callable, Iterator

from domain.standing import ChangeSet, Standing
from eventstore.database import Database
from eventstore.log import END
from eventstore.verify import Report, Verifier
from projections import changes, current_settings
from projections.statements import SQL

type Row = current_settings.Row | changes.Row


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
    comparison = _Comparison(database, await current_settings.stored(database, environment))
    report = Report(environment)
    async for step in Verifier(database).verify(environment):
        if isinstance(step, Report):
            report = step
        else:
            advance(len(step.changes))
            await comparison.take(step)
    comparison.end(report)
    last = await changes.last(database, environment)
    there = await current_settings.stored(database, environment)  # as of after `last`
    if last > (there.position if there else 0):
        report.found(last, "changes has a row beyond where current_settings is")
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


def _differences(table: str, kept: Row, folded: Row) -> Iterator[tuple[int, str]]:
    for column, held, wanted in zip(kept._fields, kept, folded, strict=True):
        if held != wanted:
            yield kept.position, f"{table} has {column} {held!r}, the log {wanted!r}"
