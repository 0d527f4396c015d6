"""What every verb shares: how its work is run, and how it is shown to people and to machines.

Law: what is asked for goes to standard output, and how far it has come to standard error, if a
person looks.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager

import click
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from domain.text import checked_text

as_json = click.option("--json", "machine", is_flag=True, help="Print JSON.")

STEP = 500

type Advance = Callable[[int], None]
"""Told how much more is done."""


class Checked(click.ParamType[str]):
    """A text that passes a check: ValueError says what is wrong with any other."""

    name = "text"

    def __init__(self, check: Callable[[str], str]) -> None:
        self._check = check

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return self._check(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Text(Checked):
    """One that can be stored, of at least one character."""

    def __init__(self, what: str, longest: int) -> None:
        super().__init__(lambda value: checked_text(value, what, 1, longest))


def run[Result](work: Coroutine[None, None, Result]) -> Result:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def say_json(data: object) -> None:
    click.echo(json.dumps(data, ensure_ascii=False))


def show(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; elsewhere a line a row, its cells parted by tabs."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(markup=False, emoji=False).print(table)


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """A bar while the block lasts, where somebody looks."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _more: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task, waiting = bar.add_task(what, total=total), 0

        def advance(more: int) -> None:
            """To draw is slow, and done once for many."""
            nonlocal waiting
            waiting += more
            if waiting >= STEP:
                bar.advance(task, waiting)
                waiting = 0

        yield advance
