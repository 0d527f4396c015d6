"""The verb `privacy erase`: a person asks to be forgotten.

Law: what is told names nobody, but by handle; nothing is erased that was not said yes to.
"""

import sys
from collections.abc import Mapping

import click

from api.identity import LONGEST_SUBJECT
from app.config import Config
from app.erasing import CannotErase, Done, Order, Outlook, erased, foreseen
from app.moving_report import WOULD_CHANGE
from app.moving_verbs import LONGEST_REASON, with_verb
from app.terminal import Text, as_json, run, say_json, show
from app.wiring import any_postgres


@click.group()
def privacy() -> None:
    """Keep no more of people than they allow."""


@privacy.command(
    epilog="""
    \b
    Examples:
      syncledger privacy erase --principal ben@contoso.example --as ada@contoso.example --dry-run
      syncledger privacy erase --principal ben@contoso.example --as ada@contoso.example --yes
    """
)
@click.option(
    "--principal",
    required=True,
    type=Text("A principal's id", LONGEST_SUBJECT),
    help="Whom: the id, as the identity provider has it, or the handle.",
)
@click.option(
    "--as",
    "by",
    type=Text("A principal's id", LONGEST_SUBJECT),
    help="Who asks; as the owner, so they may.  [SYNCLEDGER_PRINCIPAL]",
)
@click.option("--reason", type=Text("A reason", LONGEST_REASON), help="Why, without names.")
@click.option("--dry-run", is_flag=True, help="Tell what would go, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@click.pass_obj
def erase(  # noqa: PLR0913, PLR0917 -- an argument for each option
    config: Config,
    principal: str,
    by: str | None,
    reason: str | None,
    dry_run: bool,
    yes: bool,
    machine: bool,
) -> None:
    """Erase a person: their id, their name, and reasons by them or about them.

    A fact in each log concerned ends their roles; it knows them by handle, as the history does from
    then on. End their access at the identity provider first. There is no way back. With --dry-run
    the exit status is 2 when something would go.
    """
    who = by or config.principal
    if who is None:
        raise click.UsageError("Say who asks with --as, or with SYNCLEDGER_PRINCIPAL.")
    order = Order(principal=principal, by=who, reason=reason, remark=with_verb(reason))
    with any_postgres(config) as postgres:
        try:
            outlook = run(foreseen(postgres, order))
            if dry_run:
                _foretell(outlook, machine)
                sys.exit(0 if outlook.nothing else WOULD_CHANGE)
            if not yes:
                _confirm(outlook)
            _tell(run(erased(postgres, order)), outlook, machine)
        except CannotErase as error:
            raise click.ClickException(str(error)) from error


def _confirm(outlook: Outlook) -> None:
    if not somebody_is_there():
        raise click.UsageError("Nobody can be asked here: say --yes, once --dry-run shows it well.")
    _foretell(outlook, machine=False)
    click.confirm("Erase all of it, for ever?", abort=True, err=True)


def somebody_is_there() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty()


def _foretell(outlook: Outlook, machine: bool) -> None:
    own = sum(reason.own for reason in outlook.traces.reasons)
    about = len(outlook.traces.reasons) - own
    if machine:
        say_json(
            {
                "handle": str(outlook.person.handle),
                "environments": [
                    {
                        "environment": each.environment,
                        "roles": sorted(each.roles),
                        "fact": _fact(due=each.due),
                    }
                    for each in outlook.logs
                ],
                "reasons": {"own": own, "about": about},
                "sealed": outlook.traces.sealed,
            }
        )
        return
    click.echo(f"the handle {outlook.person.handle}")
    rows = [
        (each.environment, ",".join(sorted(each.roles)) or "no role", _fact(due=each.due))
        for each in outlook.logs
    ]
    show(("environment", "roles that end", "fact"), rows)
    click.echo(f"{own} reasons of theirs, {about} of others that name them")
    _warn(outlook.traces.sealed)


def _fact(*, due: bool) -> str:
    return "due" if due else "there"


def _tell(done: Done, outlook: Outlook, machine: bool) -> None:
    if machine:
        say_json(
            {
                "handle": str(done.handle),
                "environments": done.environments,
                "persons": done.gone.persons,
                "reasons": done.gone.reasons,
                "sealed": outlook.traces.sealed,
            }
        )
        return
    if outlook.nothing:
        click.echo(f"nothing is left to erase of the handle {done.handle}")
    else:
        click.echo(
            f"erased the handle {done.handle}: a fact in {len(done.environments)} logs, "
            f"{done.gone.reasons} reasons gone"
        )
    _warn(outlook.traces.sealed)


def _warn(sealed: Mapping[str, int]) -> None:
    for environment, entries in sealed.items():
        click.echo(
            f"{environment}: {entries} entries have the id or name in what an environment or a "
            "filter is called, described as or chooses; they are sealed and stay.",
            err=True,
        )
