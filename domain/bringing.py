"""Settings to be as they stand elsewhere: at an earlier point, or in another environment.

Law: what differs is brought by the commands that do it by hand; roles, names and states stay.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches

from domain import membership, tab
from domain.actor import NotPermitted
from domain.comparing import compared
from domain.environment import Environment
from domain.lifecycle import NAME, STATE, EnvironmentNotFound
from domain.source import SOURCE, CannotBeRestored, UnknownSetting
from domain.standing import Standing
from domain.steps import Steps, steps
from domain.wanted import chosen
from domain.warning import WarningCode

Unreadable = NotPermitted | EnvironmentNotFound

type Point = int | datetime
"""A past position or time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bringing:
    """What is to be brought. `at`: the point as it was asked for; None: as it is now.

    `origin`: how the environment `source` stands there, or why the asker may not read it.
    `settings`: only these; None: all that differ. `acknowledged`: the warnings that the asker
    accepts.
    """

    source: str
    at: Point | None
    origin: Standing | Unreadable = field(compare=False, repr=False)
    settings: tuple[str, ...] | None = None
    acknowledged: frozenset[WarningCode] = frozenset()


def steps_of(bringing: Bringing, origin: Environment, environment: Environment) -> Steps:
    """From an environment as it is to one with these settings."""
    differing = (each.setting for each in compared(environment, origin))
    keys = {
        key
        for key in differing
        if not key.startswith(membership.PREFIX)
        and (bringing.settings is None or key in bringing.settings)
    }
    return steps(environment, chosen(origin, keys), bringing.acknowledged)


def no_settings(
    bringing: Bringing, origin: Environment, environment: Environment
) -> Iterator[UnknownSetting | CannotBeRestored]:
    """What was named and is none that can be brought."""
    for key in dict.fromkeys(bringing.settings or ()):
        if key.startswith(membership.PREFIX):
            because = "Roles are not brought: grant or revoke them."
            yield CannotBeRestored(setting=key, because=because)
        elif key in {NAME, STATE, SOURCE}:
            because = "It is about the environment itself, not on its tab."
            yield CannotBeRestored(setting=key, because=because)
        elif not any(tab.place(each.filters, key) for each in (environment, origin)):
            near = get_close_matches(key, tab.keys(environment.filters), n=1)
            yield UnknownSetting(setting=key, near=tuple(near))
