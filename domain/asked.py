"""What was asked for, in words: for the list of what was refused.

Law: no words name a person, and none are long; whom roles were about is told apart from them.
"""

import re
from collections.abc import Iterator
from dataclasses import fields
from enum import StrEnum
from uuid import UUID

from domain.bringing import Bringing
from domain.environment import Command
from domain.membership import Command as Membership
from domain.membership import GrantRole, RevokeRole
from domain.plan import Ask

MOST_TOLD = 10
"""Commands of one request."""
LONGEST = 200
"""Characters of one value; what is longer is only counted, since a part of a name is no name."""
LEFT_OUT = frozenset(
    {"acknowledged", "administrator", "criteria", "description", "name", "principal"}
)
"""Of commands: persons, what is only accepted, and what somebody has written freely."""


def words(ask: Ask) -> str:
    """At most some 10,000 characters."""
    if ask.bringing is not None:
        return _bringing(ask.bringing)
    told = [_command(command) for command in ask.commands[:MOST_TOLD]]
    more = len(ask.commands) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")


def kind(ask: Ask) -> str:
    """What sort of thing was asked for first: there are few of them, whoever asks."""
    if ask.bringing is not None:
        return "Bring settings"
    if not ask.commands:
        return ""
    first = ask.commands[0]
    role = f" {first.role}" if isinstance(first, GrantRole | RevokeRole) else ""
    return f"{_name(first)}{role}"


def about(ask: Ask) -> UUID | None:
    """Whose roles were to be others."""
    people = (each.principal for each in ask.commands if isinstance(each, Membership))
    return next(people, None)


def _command(command: Command) -> str:
    name, said = _name(command), ", ".join(_said(command))
    return f"{name} ({said})" if said else name


def _name(command: Command) -> str:
    return re.sub(r"(?<!^)([A-Z])", lambda found: f" {found[1].lower()}", type(command).__name__)


def _said(command: Command) -> Iterator[str]:
    for each in fields(command):
        held: object = getattr(command, each.name)
        if each.name not in LEFT_OUT and held is not None and held != "":
            yield f"{each.name}: {_value(held)}"


def _value(held: object) -> str:
    match held:
        case bool():
            return "yes" if held else "no"
        case StrEnum():
            return held.value
        case _:
            return _short(str(held))


def _short(text: str) -> str:
    if len(text) > LONGEST:
        return f"{len(text)} characters"
    return "".join(each if each.isprintable() else " " for each in text)


def _bringing(bringing: Bringing) -> str:
    said, named = f"from: {bringing.source}", bringing.settings
    if bringing.at is not None:
        said += f", at: {bringing.at}"
    if named is not None:
        said += f", settings: {', '.join(map(_short, named[:MOST_TOLD]))}"
        said += f", and {len(named) - MOST_TOLD} more" if len(named) > MOST_TOLD else ""
    return f"Bring settings ({said})"
