"""The command line: one verb for each thing an administrator or auditor does.

Law: exit status 0 when what was asked is so, 1 when not; what a machine may read has --json.
"""

import asyncio
import json
import sys
from collections.abc import Coroutine
from datetime import timedelta
from importlib.metadata import version
from math import isnan

import asyncpg
import click
import uvloop

from api import schema as promise
from api.identity import LONGEST_NAME, LONGEST_SUBJECT
from api.key_sets import KeysUnavailable
from app import demo, logs, wiring
from app.config import BadConfig, Config, variables
from app.data_folder import DataFolderInUse
from app.embedded_postgres import PostgresFailed
from app.issuer import KEY_FILE, UnusableKey
from app.server import AddressTaken, until_told_to_end
from app.server import serve as run_server
from app.wiring import (
    NoData,
    NotMigrated,
    Postgres,
    any_postgres,
    open_database,
    owned_postgres,
    owners_postgres,
)
from domain.text import checked_text
from eventstore.database import Unavailable
from eventstore.log import Log
from eventstore.migrate import CannotMigrate
from eventstore.migrate import migrate as bring_forward
from eventstore.verify import Report
from projections.projector import SCHEMA, Projector
from projections.verify import environments
from projections.verify import verify as prove

TOLD = (
    AddressTaken,
    BadConfig,
    CannotMigrate,
    DataFolderInUse,
    KeysUnavailable,
    NoData,
    NotMigrated,
    PostgresFailed,
    Unavailable,
    UnusableKey,
    asyncpg.ClientConfigurationError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""What is explained in one line; anything else is an accident and shows where it happened."""

LONGEST_HOURS = 24 * 366


class Text(click.ParamType[str]):
    """What the verifier takes as a text, so that no token is made in vain."""

    name = "text"

    def __init__(self, what: str, longest: int) -> None:
        self._what = what
        self._longest = longest

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return checked_text(value, self._what, 1, self._longest)
        except ValueError as error:
            self.fail(str(error), param, ctx)


as_json = click.option("--json", "machine", is_flag=True, help="Print JSON.")


class Verbs(click.Group):
    """Says in one line what a person can mend."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except TOLD as error:
            raise click.ClickException(str(error)) from error

    def format_epilog(  # the name and arguments are click's
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Environment variables"):
            formatter.write_dl(
                [(name, f"{meaning} [{default}]") for name, default, meaning in variables()]
            )


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("syncledger"), prog_name="syncledger")
@click.pass_context
def main(context: click.Context) -> None:
    """Synchronization settings of Dynamics 365 environments, as an event-sourced service."""
    context.obj = Config.read()
    logs.begin(context.obj.log_level)


@main.command()
@click.pass_obj
def serve(config: Config) -> None:
    """Serve GraphQL over HTTP and WebSocket until Ctrl-C, SIGTERM or SIGHUP: exit status 0.

    Without SYNCLEDGER_DSN an embedded Postgres is started in the data folder.
    """
    with until_told_to_end(), owned_postgres(config) as postgres:
        _run(run_server(config, postgres, lambda: _announce(config)))


@main.command()
@as_json
@click.pass_obj
def migrate(config: Config, machine: bool) -> None:
    """Bring the database to this version's schema, with SYNCLEDGER_OWNER_DSN."""
    with owners_postgres(config) as owner_dsn:
        applied = _run(bring_forward(owner_dsn, SCHEMA))
    if machine:
        click.echo(json.dumps({"applied": applied}))
    else:
        click.echo("\n".join(f"applied {name}" for name in applied) or "nothing to apply")


@main.command()
@as_json
@click.pass_obj
def rebuild(config: Config, machine: bool) -> None:
    """Forget the projections and fold them anew from the log, while others serve."""

    async def work(postgres: Postgres) -> int:
        async with open_database(postgres.dsn) as database:
            return await Projector(database, Log(database).since).rebuild()

    with any_postgres(config) as postgres:
        count = _run(work(postgres))
    click.echo(json.dumps({"rebuilt": count}) if machine else f"rebuilt {count} environments")


@main.command()
@click.option("--environment", "key", help="Only this one; all when left out.")
@as_json
@click.pass_obj
def verify(config: Config, key: str | None, machine: bool) -> None:
    """Prove every log: seals, gaps, heads, remarks, and the projections against a fresh fold.

    Exit status 1 when anything is found.
    """

    async def work(postgres: Postgres) -> list[Report]:
        async with open_database(postgres.dsn) as database:
            keys = await environments(database)
            if key is not None and key not in keys:
                raise click.ClickException(f"There is no environment {key!r} in the log.")
            wanted = keys if key is None else [key]
            return [await prove(database, each) for each in wanted]

    with any_postgres(config) as postgres:
        reports = _run(work(postgres))
    if machine:
        click.echo(json.dumps([_as_data(report) for report in reports]))
    else:
        for report in reports:
            _tell(report)
        click.echo(f"{len(reports)} environments verified" if key is None else "", nl=key is None)
    sys.exit(1 if any(report.findings for report in reports) else 0)


@main.command()
def schema() -> None:
    """Print the GraphQL schema."""
    click.echo(promise.text(), nl=False)


@main.command()
@click.option(
    "--as",
    "subject",
    required=True,
    type=Text("A principal's id", LONGEST_SUBJECT),
    help="The principal id, e.g. ada@contoso.example.",
)
@click.option("--name", type=Text("A name", LONGEST_NAME), help="What to call them.")
@click.option("--platform-administrator", is_flag=True, help="Manages every environment.")
@click.option(
    "--hours",
    default=12.0,
    show_default=True,
    type=click.FloatRange(0, LONGEST_HOURS, min_open=True),
    help="How long the token is good.",
)
@as_json
@click.pass_obj
def token(  # noqa: PLR0913, PLR0917 -- an argument for each option
    config: Config,
    subject: str,
    name: str | None,
    platform_administrator: bool,
    hours: float,
    machine: bool,
) -> None:
    """Print a bearer token of the own issuer, whose key is in the data folder."""
    if isnan(hours):
        raise click.BadParameter("nan is no number of hours.", param_hint="--hours")
    first = config.issuer is None and not (config.data / KEY_FILE).exists()
    issuer = wiring.own_issuer(config)
    if issuer is None:
        raise click.ClickException(
            f"Tokens come from {config.issuer}. Unset SYNCLEDGER_ISSUER to use the own issuer."
        )
    made = issuer.token(
        subject,
        name=name,
        platform_administrator=platform_administrator,
        lifetime=timedelta(hours=hours),
    )
    if first:
        click.echo(f"A new key was made in {config.data.resolve()}.", err=True)
    click.echo(json.dumps({"token": made}) if machine else made)


def _run[Result](work: Coroutine[None, None, Result]) -> Result:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _announce(config: Config) -> None:
    host = f"[{config.host}]" if ":" in config.host else config.host
    click.echo(f"GraphQL and GraphiQL   http://{host}:{config.port}/graphql")
    click.echo(f"Subscriptions          ws://{host}:{config.port}/graphql (graphql-transport-ws)")
    issuer = wiring.own_issuer(config)
    if issuer is not None and config.opens_demo:
        click.echo("\nA token for each demo person, good for 12 hours:")
        for person, made in demo.tokens(issuer):
            role = person.role or "platform administrator"
            click.echo(f"\n{person.name}, {role}\n{made}")
    elif issuer is not None:
        click.echo("Tokens                 syncledger token --as NAME [--platform-administrator]")
    click.echo("\nCtrl-C ends everything.")


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
