"""The whole proof of an environment: its log, and its row against a fresh fold of the log.

Law: a row is compared at its own position; being behind is no fault, being different is.
"""

from domain.standing import Standing
from eventstore.database import Database
from eventstore.verify import Report, Verifier
from projections.current_settings import Row, row, stored


async def verify(database: Database, environment: str) -> Report:
    """What is wrong with an environment; no finding when nothing is."""
    kept = await stored(database, environment)
    there: Standing | None = None
    report = Report(environment)
    async for step in Verifier(database).verify(environment):
        if isinstance(step, Report):
            report = step
        elif kept is not None and step.position == kept.position:
            there = step
    _compare(report, kept, there)
    return report


def _compare(report: Report, kept: Row | None, there: Standing | None) -> None:
    if kept is None:
        if report.entries:
            report.found(0, "the row of current_settings is missing; rebuild makes it again")
    elif there is None:
        report.found(
            kept.position, f"current_settings is at {kept.position}, where no change set ends"
        )
    else:
        for column, held, folded in zip(Row._fields, kept, row(there), strict=True):
            if held != folded:
                message = f"current_settings has {column} {held!r}, the log {folded!r}"
                report.found(kept.position, message)
