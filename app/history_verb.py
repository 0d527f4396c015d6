"""The verb `export history`: a filtered history as a file, without the service.

Law: who runs it reads every log, as whoever has the database does; a file is whole or not there.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click

from api.asking import ChangeFilter
from api.change_rows import Form, Rows
from api.context import Rooms
from api.errors import Problem
from api.exporting import Export, pieces
from api.narrowing import narrowed_by
from app.auditing import Instant
from app.config import Config
from app.terminal import Checked, run
from app.wiring import any_postgres, open_rooms
from domain.lifecycle import checked_key
from domain.standing import Standing


@click.command(
    epilog="""
    \b
    Examples:
      syncledger export history --environment contoso-prod -o contoso-prod.csv
      syncledger export history --form jsonl --since 2026-03-01T00:00:00Z --text "works council"
    """
)
@click.option(
    "--environment",
    "keys",
    multiple=True,
    type=Checked(checked_key),
    help="Only this one; may be given again. All when left out.",
)
@click.option("--by", help="Done by this principal, by id or by handle.")
@click.option("--setting", help="A setting, or the beginning of keys that ends in a colon or dot.")
@click.option("--type", "type_", help="The wire name of an event.")
@click.option("--since", type=Instant(), help="Recorded then or later, ISO 8601 with an offset.")
@click.option("--until", type=Instant(), help="Recorded before then.")
@click.option("--text", help="In the sentence, the key or the reason, whatever its case.")
@click.option("--newest-first", is_flag=True, help="From the newest on; else from the oldest.")
@click.option(
    "--form",
    type=click.Choice(Form, case_sensitive=False),
    default=Form.CSV,
    show_default=True,
    help="CSV for spreadsheets, or an object a line.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="The file, which only you may read; standard output when left out, or -.",
)
@click.pass_obj
def history(  # noqa: PLR0913 -- an argument for each option
    config: Config,
    *,
    keys: Sequence[str],
    by: str | None,
    setting: str | None,
    type_: str | None,
    since: datetime | None,
    until: datetime | None,
    text: str | None,
    newest_first: bool,
    form: Form,
    output: Path | None,
) -> None:
    """Write what happened as CSV or JSON Lines.

    As the service exports it, of every environment. What a spreadsheet would run is preceded by an
    apostrophe in CSV; JSON Lines are exact.
    """
    narrowing = ChangeFilter(
        by=by, setting=setting, type=type_, since=since, until=until, text=text
    )

    file_ = None if output == Path("-") else output

    async def work(dsn: str) -> None:
        async with open_rooms(dsn) as rooms:
            export = await _export(rooms, keys, narrowing, form, newest_first=newest_first)
            with _whole(file_) as file:
                rows = Rows(rooms.log, rooms.principals)
                async for piece in pieces(rooms.database, rows, export):
                    file.write(piece)

    with any_postgres(config) as postgres:
        try:
            run(work(postgres.dsn))
        except Problem as error:
            raise click.ClickException(error.message) from error
    if file_ is not None:
        click.echo(f"wrote {click.format_filename(file_)}", err=True)


async def _export(
    rooms: Rooms, keys: Sequence[str], narrowing: ChangeFilter, form: Form, *, newest_first: bool
) -> Export:
    ends = await _ends(rooms, keys)
    await rooms.projector.reach(*ends)
    standings = [] if narrowing.setting is None else await _standings(rooms, ends)
    narrowed = await narrowed_by(rooms.principals, standings, narrowing)
    return Export(form=form, ends=ends, narrowed=narrowed, newest_first=newest_first)


async def _ends(rooms: Rooms, keys: Sequence[str]) -> dict[str, int]:
    heads = {head.environment: head.position for head in await rooms.log.heads()}
    for key in keys:
        if key not in heads:
            raise click.ClickException(f"There is no environment {key!r} in the log.")
    return {key: heads[key] for key in keys or heads}


async def _standings(rooms: Rooms, keys: Iterable[str]) -> list[Standing]:
    """To know which settings there are, or were."""
    tips = [await rooms.standings.catch_up(key) for key in keys]
    return [tip.standing for tip in tips if tip.standing is not None]


@contextmanager
def _whole(output: Path | None) -> Iterator[BinaryIO]:
    """A file that takes its name when it is whole."""
    if output is None:
        yield sys.stdout.buffer
        return
    partial = output.with_name(f"{output.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(0o600)
        with partial.open("wb") as file:
            yield file
        partial.replace(output)
    except OSError as error:
        raise click.FileError(str(output), error.strerror) from error
    finally:
        partial.unlink(missing_ok=True)
