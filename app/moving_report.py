"""What became of files that were applied or imported, for people and for machines.

Law: exit status 0 when all is as the files want it, 1 when something stands against it, and 2 when
a preview would change something.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import click

from app.moving import Order, Result
from app.terminal import say_json, show
from domain.environment import differences, sentence
from domain.standing import Change

WOULD_CHANGE = 2
REFUSED = "nothing was changed"


class Row(NamedTuple):
    """Of a file: where it is, what it is, and the settings that it is about."""

    where: str
    about: str
    settings: tuple[str, ...]


def end(result: Result, order: Order, rows: Sequence[Row] = (), *, machine: bool) -> None:
    """Tell what became of it, and end with the status that says so."""
    outcomes: dict[str, list[str]] = {}
    for change in result.changes:
        outcomes.setdefault(change.setting, []).append(sentence(change.recorded.event))
    said = [REFUSED if result.troubles else _outcome(row, outcomes) for row in rows]
    report = [(row.where, row.about, told) for row, told in zip(rows, said, strict=True)]
    if machine:
        say_json(_as_data(result, report))
    elif result.troubles:
        for where, message in result.troubles:
            click.echo(f"{where}: {message}" if where else message, err=True)
        click.echo(f"{REFUSED.capitalize()}.", err=True)
    else:
        _say(result, order, report)
    if result.troubles:
        sys.exit(1)
    if order.preview and result.changes:
        sys.exit(WOULD_CHANGE)


def _outcome(row: Row, outcomes: Mapping[str, Sequence[str]]) -> str:
    told = [sentence for each in row.settings for sentence in outcomes.get(each, ())]
    return "; ".join(told) or ("as it is" if row.settings else "passed over")


def _as_data(result: Result, report: Sequence[tuple[str, str, str]]) -> Mapping[str, object]:
    return {
        "position": result.position,
        "changes": [
            {
                "setting": change.setting,
                "before": change.before,
                "after": change.after,
                "summary": sentence(change.recorded.event),
                "differences": _differences(change),
            }
            for change in result.changes
        ],
        "impact": [
            {
                "recordType": None if each.record_type is None else each.record_type.value,
                "message": each.message,
            }
            for each in result.impact
        ],
        "warnings": [
            {
                "code": each.code.value,
                "message": each.message,
                "setting": each.setting,
                "mustBeAcknowledged": each.must_be_acknowledged,
            }
            for each in result.warnings
        ],
        "rows": [{"where": at, "row": about, "outcome": outcome} for at, about, outcome in report],
        "troubles": [
            {"where": where or None, "message": message} for where, message in result.troubles
        ],
    }


def _differences(change: Change) -> tuple[str, ...]:
    return differences(change.recorded.event, change.before, change.after)


def _say(result: Result, order: Order, report: Sequence[tuple[str, str, str]]) -> None:
    if report:
        show(("where", "row", "outcome"), report)
    else:
        for change in result.changes:
            click.echo(sentence(change.recorded.event))
            for difference in _differences(change):
                click.echo(f"  {difference}")
    for effect in result.impact:
        click.echo(f"effect: {effect.message}")
    for warning in result.warnings:
        missing = warning.must_be_acknowledged and warning.code not in order.acknowledged
        needs = " (must be acknowledged)" if missing else ""
        click.echo(f"{warning.code}{needs}: {warning.message}")
    verb = "would change" if order.preview else "changed"
    many = len(result.changes)
    click.echo(f"{many or 'nothing'} {verb} at position {result.position}")
