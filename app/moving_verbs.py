"""The verbs `apply` and `import`: settings from files, planned and carried out.

Law: what files want is only ever asked for, by somebody who may.
"""

from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path

import click

from api.identity import LONGEST_SUBJECT
from app.config import Config
from app.dataverse_import import Import, Place
from app.moving import CannotAsk, Order, Result, Told, Trouble, carried_out
from app.moving_report import Row, end
from app.settings_file import read
from app.terminal import Checked, Text, as_json, run
from app.wiring import any_postgres, open_rooms
from domain.environment import Environment
from domain.lifecycle import checked_key
from domain.warning import WarningCode

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
LONGEST_REASON = 1_900

of_environment = click.option(
    "--environment", "key", required=True, type=Checked(checked_key), help="Which one."
)
OPTIONS = (
    of_environment,
    click.option(
        "--as",
        "principal",
        type=Text("A principal's id", LONGEST_SUBJECT),
        help="Who asks: somebody who may change settings there.  [SYNCLEDGER_PRINCIPAL]",
    ),
    click.option("--preview", is_flag=True, help="Tell what would change, and write nothing."),
    click.option(
        "--acknowledge",
        multiple=True,
        metavar="CODE",
        type=click.Choice([code.value for code in WarningCode]),
        help="Accept the warning of this code; may be given again.",
    ),
    click.option("--reason", type=Text("A reason", LONGEST_REASON), help="Why, kept with it."),
    as_json,
)


def asking(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb that changes settings: its order is made of the options that all of them have."""

    def asked(  # noqa: PLR0913 -- an argument for each option
        config: Config,
        /,
        *,
        key: str,
        principal: str | None,
        preview: bool,
        acknowledge: tuple[str, ...],
        reason: str | None,
        expected_position: int | None = None,
        **others: object,
    ) -> None:
        who = principal or config.principal
        if who is None:
            raise click.UsageError("Say who asks with --as, or with SYNCLEDGER_PRINCIPAL.")
        order = Order(
            environment=key,
            principal=who,
            preview=preview,
            acknowledged=frozenset(map(WarningCode, acknowledge)),
            expected_position=expected_position,
            reason=with_verb(reason),
        )
        verb(config, order, **others)

    found: Callable[..., None] = update_wrapper(click.pass_obj(asked), verb)
    for option in reversed(OPTIONS):
        found = option(found)
    return found


def with_verb(reason: str | None) -> str:
    """A reason says by which verb, since who asks was only named, and showed no token."""
    verb = click.get_current_context().command_path.partition(" ")[2]
    return f"{reason or ''} (by `syncledger {verb}`)".strip()


@click.command(
    epilog="""
    \b
    Examples:
      syncledger apply prod.yaml --environment contoso-prod --as ada@contoso.example
      syncledger apply prod.yaml --environment contoso-prod --preview --json
    """
)
@click.argument("file", type=FILE)
@click.option(
    "--expected-position",
    type=click.IntRange(min=0),
    help="Refuse if a setting that is to change was changed after this position.",
)
@asking
def apply(config: Config, order: Order, *, file: Path, machine: bool) -> None:
    """Bring an environment to what a settings file says.

    One change set, all or nothing; what the file does not name is not touched. With --preview
    nothing is written, and the exit status is 2 when something would change.
    """
    reading = read(_text(file))
    name = click.format_filename(file)

    def told(_environment: Environment) -> Told:
        return Told(
            wanted=reading.wanted,
            where={setting: f"{name}:{line}" for setting, line in reading.lines.items()},
            criteria={setting: f"{name}:{line}" for setting, line in reading.criteria.items()},
            troubles=[Trouble(f"{name}:{line}", message) for line, message in reading.misread],
        )

    end(_carried_out(config, order, told), order, machine=machine)


@click.group(name="import")
def import_() -> None:
    """Bring settings over from elsewhere."""


@import_.command(
    epilog="""
    \b
    Examples:
      syncledger import dataverse organizations.json savedqueries.json --environment contoso-prod
      syncledger import dataverse rows.json --environment contoso-prod --preview --skip-unknown
    """
)
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--skip-unknown",
    is_flag=True,
    help="Pass over what is not known, columns and names of mappings; it is listed.",
)
@asking
def dataverse(
    config: Config, order: Order, *, files: tuple[Path, ...], skip_unknown: bool, machine: bool
) -> None:
    """Bring over rows of Dataverse's Web API.

    JSON of organizations, saved queries and attribute mappings, in any number of files: one change
    set, all or nothing, and a report row by row.
    """
    texts = [(click.format_filename(file), _text(file)) for file in files]
    rows: list[Row] = []

    def told(environment: Environment) -> Told:
        found = Import(environment)
        for file, text in texts:
            found.read(file, text)
        wrong = [Trouble(_at(place), message) for place, message in found.wrong]
        for unknown, place in found.unknown.items():
            if skip_unknown:
                rows.append(Row(_at(place), unknown, ()))
            else:
                help_ = "Leave it out, or pass over it with --skip-unknown."
                wrong.append(Trouble(_at(place), f"{unknown} {help_}"))
        places = {each: _at(row.place) for row in found.taken for each in row.also}
        places |= {each: _at(row.place) for row in found.taken for each in row.settings}
        rows.extend(
            Row(_at(row.place), row.about, (*row.settings, *row.also)) for row in found.taken
        )
        return Told(wanted=found.wanted(), where=places, troubles=wrong)

    end(_carried_out(config, order, told), order, rows, machine=machine)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        name = click.format_filename(file)
        raise click.ClickException(f"{name}:{line}: This is no UTF-8.") from error
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from error


def _at(place: Place) -> str:
    return f"{place.file}:{place.line}"


def _carried_out(config: Config, order: Order, told: Callable[[Environment], Told]) -> Result:
    async def work(dsn: str) -> Result:
        async with open_rooms(dsn) as rooms:
            return await carried_out(rooms, order, told)

    with any_postgres(config) as postgres:
        try:
            return run(work(postgres.dsn))
        except CannotAsk as error:
            raise click.ClickException(str(error)) from error
