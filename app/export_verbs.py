"""The verb `export`: settings as files, for people, for version control, and for Dataverse.

Law: nothing is written to the log, and what is exported, brought back, changes nothing.
"""

from pathlib import Path

import click
import orjson

from app.config import Config
from app.dataverse_export import exported
from app.history_verb import history
from app.moving_verbs import of_environment
from app.settings_text import written
from app.terminal import run
from app.wiring import any_postgres, open_database
from domain.standing import Standing
from eventstore.log import Log
from projections.standings import Standings


@click.group()
def export() -> None:
    """Write settings, or what happened, as files."""


export.add_command(history)


@export.command(
    epilog="""
    \b
    Examples:
      syncledger export settings --environment contoso-prod -o contoso-prod.yaml
      syncledger export settings --environment contoso-prod --all
    """
)
@of_environment
@click.option("--all", "whole", is_flag=True, help="Everything that can be chosen.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file; standard output when left out.",
)
@click.pass_obj
def settings(config: Config, key: str, whole: bool, output: Path | None) -> None:
    """Write settings as YAML, which `apply` takes.

    What differs from the defaults, with a comment for each that explains it.
    """
    text = written(_standing(config, key), whole=whole)
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text.encode())


@export.command(
    epilog="""
    \b
    Examples:
      syncledger export dataverse --environment contoso-prod -o contoso-prod
    """
)
@of_environment
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder; made if it is not there.",
)
@click.pass_obj
def dataverse(config: Config, key: str, output: Path) -> None:
    """Write settings as rows of Dataverse's Web API, which `import dataverse` takes.

    Three files: organizations.json, savedqueries.json and syncattributemappings.json.
    """
    rows = exported(_standing(config, key).environment)
    for name, collection in rows.items():
        text = orjson.dumps({"value": collection}, option=orjson.OPT_INDENT_2)
        _write(output / f"{name}.json", text + b"\n", make=output)


def _write(file: Path, text: bytes, make: Path | None = None) -> None:
    """`make`: the folder, where it is not there."""
    try:
        if make is not None:
            make.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from error
    click.echo(f"wrote {click.format_filename(file)}", err=True)


def _standing(config: Config, key: str) -> Standing:
    async def work(dsn: str) -> Standing | None:
        async with open_database(dsn) as database:
            return (await Standings(Log(database), database).catch_up(key)).standing

    with any_postgres(config) as postgres:
        found = run(work(postgres.dsn))
    if found is None:
        raise click.ClickException(f"There is no environment {key!r} in the log.")
    return found
