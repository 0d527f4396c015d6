"""The verbs `verify` and `replay`: what an auditor asks of the log without the service.

Law: everything is folded anew from the log, and nothing is written.
"""

import sys
from datetime import UTC, datetime

import click

from api.errors import Problem
from api.scalars import read, written
from app.config import Config
from app.terminal import as_json, progress, run, say_json, show
from app.wiring import any_postgres, open_database
from domain.environment import default, is_default, value
from domain.filters.state import PREFIX, setting_of
from domain.filters.words import sentence
from domain.standing import Standing
from domain.tab import keys
from eventstore.database import Database
from eventstore.log import NOTHING, Log, Tip
from eventstore.principals import Principals
from eventstore.verify import Report
from projections.verify import environments
from projections.verify import verify as prove


@click.command(
    epilog="""
    \b
    Examples:
      syncledger verify
      syncledger verify --environment contoso-prod --json
    """
)
@click.option("--environment", "key", help="Only this one; all when left out.")
@as_json
@click.pass_obj
def verify(config: Config, key: str | None, machine: bool) -> None:
    """Prove every log and what was made of it.

    Seals, gaps, heads, reasons, requests, and the projections against a fresh fold. Exit status 1
    when anything is found.
    """

    async def work(dsn: str) -> list[Report]:
        async with open_database(dsn) as database:
            return await proved(database, key)

    with any_postgres(config) as postgres:
        reports = run(work(postgres.dsn))
    tell(reports, machine)


async def proved(database: Database, only: str | None = None) -> list[Report]:
    """The proof of every environment, or of one."""
    keys = await environments(database)
    if only is not None and only not in keys:
        raise click.ClickException(f"There is no environment {only!r} in the log.")
    wanted = keys if only is None else [only]
    with progress("entries verified", await _entries(database, wanted)) as advance:
        return [await prove(database, key, advance) for key in wanted]


def tell(reports: list[Report], machine: bool) -> None:
    """Show what was proved, and end with 1 when anything was found."""
    if machine:
        say_json([_as_data(report) for report in reports])
    else:
        for report in reports:
            _tell(report)
        if len(reports) != 1:
            click.echo(f"{sum(not report.findings for report in reports)} of {len(reports)} whole")
    sys.exit(1 if any(report.findings for report in reports) else 0)


async def _entries(database: Database, wanted: list[str]) -> int:
    heads = await Log(database).heads()
    return sum(head.position for head in heads if head.environment in wanted)


def _as_data(report: Report) -> dict[str, object]:
    return {
        "environment": report.environment,
        "entries": report.entries,
        "findings": [
            {"position": finding.position, "message": finding.message}
            for finding in report.findings
        ],
    }


def _tell(report: Report) -> None:
    verdict = "NOT whole" if report.findings else "whole"
    click.echo(f"{report.environment}: {report.entries} entries, {verdict}")
    for finding in report.findings:
        click.echo(f"  at {finding.position}: {finding.message}")


class Instant(click.ParamType[datetime]):
    """What the API reads as an instant. `passed`: one that has come already."""

    name = "instant"

    def __init__(self, *, passed: bool = False) -> None:
        self._passed = passed

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            instant = read(value)
        except Problem as error:
            self.fail(error.message, param, ctx)
        if self._passed and instant > datetime.now(UTC):
            self.fail(f"{written(instant)} has not come yet.", param, ctx)
        return instant


@click.command(
    epilog="""
    \b
    Examples:
      syncledger replay --environment contoso-prod --position 31
      syncledger replay --environment contoso-prod --time 2026-03-03T09:00:00Z --json
    """
)
@click.option("--environment", "key", required=True, help="Which one.")
@click.option("--position", type=click.IntRange(min=0), help="Up to this position.")
@click.option(
    "--time", "at", type=Instant(passed=True), help="Up to this instant, ISO 8601 with an offset."
)
@as_json
@click.pass_obj
def replay(
    config: Config, key: str, position: int | None, at: datetime | None, machine: bool
) -> None:
    """Show an environment as it stood.

    At a past position or time, by folding its log up to there; now, when neither is given. The last
    column says `changed` where a setting differs from its default.
    """
    if position is not None and at is not None:
        raise click.UsageError("Give --position or --time, not both.")

    async def work(dsn: str) -> dict[str, object]:
        async with open_database(dsn) as database:
            tip = await _fold(database, key, position, at)
            return await _standing(Principals(database), key, tip.standing)

    with any_postgres(config) as postgres:
        found = run(work(postgres.dsn))
    if machine:
        say_json(found)
    else:
        show(("setting", "value", ""), _rows(found))


async def _fold(database: Database, key: str, position: int | None, at: datetime | None) -> Tip:
    log = Log(database)
    head = await log.head(key)
    if head is None:
        raise click.ClickException(f"There is no environment {key!r} in the log.")
    end = head.position if position is None else position
    if end > head.position:
        raise click.ClickException(
            f"Position {end} is beyond the end of the log, which is {head.position}."
        )
    tip = NOTHING
    with progress("entries replayed", end) as advance:
        async for change_set, seal in log.change_sets(key, NOTHING, end):
            if at is not None and change_set.standing.as_of > at:
                break
            tip = Tip(change_set.standing, seal)
            advance(len(change_set.changes))
    return tip


async def _standing(
    principals: Principals, key: str, standing: Standing | None
) -> dict[str, object]:
    """As the API has it, by the same keys and values."""
    if standing is None:
        return {"environment": key, "position": 0}
    environment = standing.environment
    known = await principals.of(environment.members)
    return {
        "environment": key,
        "position": standing.position,
        "asOf": written(standing.as_of),
        "name": environment.profile.name,
        "kind": environment.profile.kind.value,
        "state": environment.profile.state.value,
        "settings": {setting: value(environment, setting) for setting in keys(environment.filters)},
        "filters": {
            each.key: {
                "name": each.name,
                "description": each.description,
                "active": each.active,
                "summary": sentence(each.criteria),
                "isDefault": is_default(environment, setting_of(each.key)),
            }
            for each in environment.filters.listed()
        },
        "members": {
            each.provider_id or str(each.handle): sorted(environment.members[each.handle])
            for each in known
        },
    }


def _rows(found: dict[str, object]) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for name, held in found.items():
        match name, held:
            case "settings", dict():
                rows += [
                    (key, text, "" if text == default(key) else "changed")
                    for key, text in held.items()
                    if not key.startswith(PREFIX)
                ]
            case "filters", dict():
                rows += [_filter_row(key, filter_) for key, filter_ in held.items()]
            case "members", dict():
                rows += [(f"role:{who}", ",".join(roles), "") for who, roles in held.items()]
            case _:
                rows.append((name, str(held), ""))
    return rows


def _filter_row(key: str, found: dict[str, object]) -> tuple[str, str, str]:
    told = f"{found['name']}: {found['summary']}"
    held = told if found["active"] else f"{told} (not active)"
    return setting_of(key), held, "" if found["isDefault"] else "changed"
