"""The command line: one verb for each thing an administrator or auditor does.

Law: exit status 0 when what was asked is so, 1 when not, and 2 when a preview would change
something; what a machine may read has --json.
"""

from collections.abc import AsyncIterator
from importlib.metadata import version

import asyncpg
import click

from api import schema as promise
from api import traces
from api.key_sets import KeysUnavailable
from app import (
    auditing,
    backups,
    demo,
    export_verbs,
    logs,
    moving_verbs,
    privacy_verbs,
    tokens,
    wiring,
)
from app.bundled_postgres import PostgresFailed
from app.config import BadConfig, Config, variables
from app.data_folder import DataFolderInUse
from app.issuer import UnusableKey
from app.server import AddressTaken, until_told_to_end
from app.server import serve as run_server
from app.terminal import as_json, progress, run, say_json
from app.wiring import (
    NoData,
    NotMigrated,
    any_postgres,
    open_database,
    owned_postgres,
    owners_postgres,
)
from domain.standing import ChangeSet
from eventstore.archive import ArchiveFailed
from eventstore.database import Unavailable
from eventstore.erasure import MayNotErase
from eventstore.log import Log
from eventstore.migrate import CannotMigrate
from eventstore.migrate import migrate as bring_forward
from projections.projector import SCHEMA, Projector

TOLD = (
    AddressTaken,
    ArchiveFailed,
    BadConfig,
    CannotMigrate,
    DataFolderInUse,
    KeysUnavailable,
    MayNotErase,
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


click.UsageError.exit_code = 1  # 2 tells of a preview, and nothing else


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
    logs.begin(context.obj.log_level, context.obj.log_form)


@main.command(
    epilog="""
    \b
    Examples:
      syncledger serve
      SYNCLEDGER_PORT=8080 SYNCLEDGER_DEMO=false syncledger serve
    """
)
@click.pass_obj
def serve(config: Config) -> None:
    """Serve GraphQL over HTTP and WebSocket.

    Until Ctrl-C, SIGTERM or SIGHUP, which end it with status 0. Without SYNCLEDGER_DSN an embedded
    Postgres is started in the data folder.
    """
    with until_told_to_end(), traces.begin(), owned_postgres(config) as postgres:
        run(run_server(config, postgres, lambda shown: announce(config, demo_is_there=shown)))


@main.command(
    epilog="""
    \b
    Examples:
      syncledger migrate
      SYNCLEDGER_OWNER_DSN=postgresql://owner@db/settings syncledger migrate --json
    """
)
@as_json
@click.pass_obj
def migrate(config: Config, machine: bool) -> None:
    """Bring the database to this version's schema.

    As the owner: with SYNCLEDGER_OWNER_DSN, if there is one.
    """
    with owners_postgres(config) as owner_dsn:
        applied = run(bring_forward(owner_dsn, SCHEMA))
    if machine:
        say_json({"applied": applied})
    else:
        click.echo("\n".join(f"applied {name}" for name in applied) or "nothing to apply")


@main.command(
    epilog="""
    \b
    Examples:
      syncledger rebuild
      syncledger rebuild --json
    """
)
@as_json
@click.pass_obj
def rebuild(config: Config, machine: bool) -> None:
    """Forget the projections and fold them anew from the log.

    An environment at a time, while others serve.
    """

    async def work(dsn: str) -> int:
        async with open_database(dsn) as database:
            log = Log(database)
            entries = sum(head.position for head in await log.heads())
            with progress("entries folded", entries) as advance:

                async def since(environment: str, position: int) -> AsyncIterator[ChangeSet]:
                    async for change_set in log.since(environment, position):
                        advance(len(change_set.changes))
                        yield change_set

                return await Projector(database, since).rebuild()

    with any_postgres(config) as postgres:
        count = run(work(postgres.dsn))
    if machine:
        say_json({"rebuilt": count})
    else:
        click.echo(f"rebuilt {count} environments")


@main.command(
    epilog="""
    \b
    Examples:
      syncledger schema > schema.graphql
    """
)
def schema() -> None:
    """Print the GraphQL schema."""
    click.echo(promise.text(), nl=False)


main.add_command(auditing.verify)
main.add_command(auditing.replay)
main.add_command(backups.backup)
main.add_command(backups.restore)
main.add_command(tokens.token)
main.add_command(moving_verbs.apply)
main.add_command(moving_verbs.import_)
main.add_command(export_verbs.export)
main.add_command(privacy_verbs.privacy)


def announce(config: Config, *, demo_is_there: bool) -> None:
    host = f"[{config.host}]" if ":" in config.host else config.host
    click.echo(f"GraphQL and GraphiQL   http://{host}:{config.port}/graphql")
    click.echo(f"Subscriptions          ws://{host}:{config.port}/graphql (graphql-transport-ws)")
    issuer = wiring.own_issuer(config)
    if issuer is not None and demo_is_there:
        click.echo("\nA token for each demo person, good for 12 hours:")
        for person, made in demo.tokens(issuer):
            role = person.role or "platform administrator"
            click.echo(f"\n{person.name}, {role}\n{made}")
    elif issuer is not None:
        click.echo("Tokens                 syncledger token --as NAME [--platform-administrator]")
    click.echo("\nCtrl-C ends everything.")
