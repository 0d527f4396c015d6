"""The verbs `backup` and `restore`, for the embedded server.

Law: what is told of a backup is what is in it; what was restored is proved before it is called
restored.
"""

from pathlib import Path

import click

from app.auditing import proved, tell
from app.bundled_postgres import program
from app.config import Config
from app.terminal import as_json, run, say_json
from app.wiring import any_postgres, open_database, owned_postgres
from eventstore import archive
from eventstore.log import Log
from eventstore.migrate import migrate
from eventstore.verify import Report
from projections.projector import SCHEMA, Projector


def _embedded_only(config: Config) -> None:
    if config.dsn is not None or config.owner_dsn is not None:
        raise click.ClickException(
            "This is for the embedded server. A database of your own is backed up by the pg_dump "
            "of its own version; docs/operations.md has the commands."
        )


@click.command(
    epilog="""
    \b
    Examples:
      syncledger backup monday.backup
    """
)
@click.argument("file", type=click.Path(path_type=Path))
@as_json
@click.pass_obj
def backup(config: Config, file: Path, machine: bool) -> None:
    """Write everything that is kept to a new FILE.

    Everything as of one moment, while others serve. The key of the own issuer is not in it.
    """
    _embedded_only(config)

    async def see_that_it_is_ready(dsn: str) -> None:
        async with open_database(dsn):
            pass

    with any_postgres(config) as postgres:
        run(see_that_it_is_ready(postgres.dsn))
        kept = archive.dump(postgres.owner_dsn, program, file)
    if machine:
        say_json({"file": str(file), **kept._asdict()})
    else:
        click.echo(f"{file}: {kept.environments} environments, {kept.entries} entries")


@click.command(
    epilog="""
    \b
    Examples:
      SYNCLEDGER_DATA=.restored syncledger restore monday.backup
    """
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
@click.pass_obj
def restore(config: Config, file: Path, machine: bool) -> None:
    """Bring everything of FILE back, and prove it.

    Into a data folder that has nothing yet, and brought to this version's schema. Exit status 1
    when `verify` finds anything.
    """
    _embedded_only(config)
    archive.check(program, file)

    async def work(owner_dsn: str, dsn: str) -> list[Report]:
        await archive.load(owner_dsn, program, file)
        await migrate(owner_dsn, SCHEMA)
        async with open_database(dsn) as database:
            await Projector(database, Log(database).since).catch_up()
            return await proved(database)

    with owned_postgres(config) as postgres:
        reports = run(work(postgres.owner_dsn, postgres.dsn))
    tell(reports, machine)
