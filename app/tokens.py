"""The verb `token`: what the own issuer signs for whoever can read its key.

Law: no token is made that the service would not take.
"""

from datetime import timedelta
from math import isnan

import click

from api.identity import LONGEST_NAME, LONGEST_SUBJECT
from app import wiring
from app.config import Config
from app.issuer import KEY_FILE
from app.terminal import Text, as_json, say_json

LONGEST_HOURS = 24 * 366


@click.command(
    epilog="""
    \b
    Examples:
      syncledger token --as ada@contoso.example
      syncledger token --as paula@contoso.example --platform-administrator --hours 1
    """
)
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
    """Print a bearer token of the own issuer.

    Its key is in the data folder.
    """
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
    if machine:
        say_json({"token": made})
    else:
        click.echo(made)
