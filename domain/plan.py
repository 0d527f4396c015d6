"""What asking for changes would do, or why it is refused.

Law: `plan` is the only way from what is asked to what happens; applying and previewing are the
same plan.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from domain import environment
from domain.actor import Actor, NotPermitted
from domain.bringing import Bringing, no_settings, steps_of
from domain.environment import Command, Event, closed, decide, register
from domain.lifecycle import EnvironmentNotFound, RegisterEnvironment
from domain.refusal import RefusalCode
from domain.source import CannotBeRestored, SettingsBrought, UnknownSetting
from domain.standing import Change, Recorded, Standing, advance
from domain.steps import MOST_STEPS
from domain.switches import WarningNotAcknowledged
from domain.warning import Warning  # noqa: A004 -- see domain/warning.py

MOST_CHANGES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One press of OK: in order, all or nothing.

    `expected_position`: refuse if a setting touched here was changed after it. `most`: commands
    at once. `bringing`: in place of commands, which are found when it is decided.
    """

    environment: str
    commands: tuple[Command, ...]
    actor: Actor
    expected_position: int | None = None
    most: int = MOST_CHANGES
    bringing: Bringing | None = None

    @property
    def size(self) -> int:
        """How many commands, at most."""
        return len(self.commands) if self.bringing is None else MOST_STEPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What would happen: nothing, when `changes` is empty."""

    changes: tuple[Change, ...]
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingAsked:
    code: ClassVar[RefusalCode] = RefusalCode.NOTHING_ASKED

    @property
    def message(self) -> str:
        return f"No change is asked for. Ask for 1 to {MOST_CHANGES}."


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyChanges:
    asked: int
    most: int = MOST_CHANGES

    code: ClassVar[RefusalCode] = RefusalCode.TOO_MANY_CHANGES

    @property
    def message(self) -> str:
        return f"{self.asked} changes are asked for at once. Ask for 1 to {self.most}."


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedMeanwhile:
    """`position`: where the log ends now; `by`: what was changed after the expected position."""

    expected_position: int
    position: int
    by: tuple[Change, ...]

    code: ClassVar[RefusalCode] = RefusalCode.CHANGED_MEANWHILE

    @property
    def message(self) -> str:
        settings = ", ".join(change.setting for change in self.by)
        was = "was" if len(self.by) == 1 else "were"
        return (
            f"{settings} {was} changed after position {self.expected_position}. "
            f"Look at the settings at position {self.position} and ask again."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BeyondTheEnd:
    """A position that the log has not reached: not a conflict but a mistake of the asker's."""

    asked: int
    position: int

    @property
    def message(self) -> str:
        return f"Position {self.asked} is beyond the end of the log, which is {self.position}."


Refusal = (
    environment.Refusal
    | NothingAsked
    | TooManyChanges
    | ChangedMeanwhile
    | UnknownSetting
    | CannotBeRestored
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedChange:
    """`index` counts what was asked from 0; None: the whole request."""

    refusal: Refusal
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Everything that stands against the request at once. Nothing happens."""

    refusals: tuple[RefusedChange, ...]


def plan(standing: Standing | None, ask: Ask, at: datetime) -> Planned | Refused | BeyondTheEnd:
    """Decide the commands in order, each on what the one before left. `at`: when it would happen.

    A refused command does not stop the next ones from being looked at, so that every refusal is
    told at once. An environment in which the actor may do nothing is exactly like a missing one.
    """
    if standing is not None and not standing.environment.permissions(ask.actor):
        standing = None
    if ask.bringing is not None:
        return _bring(standing, ask, ask.bringing, at)
    return _refuse_whole(standing, ask) or _in_order(standing, ask, at)


def _in_order(
    standing: Standing | None, ask: Ask, at: datetime, opening: SettingsBrought | None = None
) -> Planned | Refused:
    """`opening`: a fact that comes first where anything else happens."""
    first = 1 if standing is None else standing.position + 1
    after = standing
    changes: list[Change] = []
    refusals: list[RefusedChange] = []
    for index, command in enumerate(ask.commands):
        decided = _decide(standing, after, command, ask)
        if not isinstance(decided, tuple):
            refusals.append(RefusedChange(index=index, refusal=decided))
            continue
        if opening is not None and decided:
            decided, opening = (opening, *decided), None
        for event in decided:
            position = first + len(changes)
            after = advance(after, Recorded(position, first, at, ask.actor.handle, event))
            changes.append(after.last_changes[event.setting])
    if refusals or after is None:
        return Refused(refusals=tuple(refusals))
    return Planned(changes=tuple(changes), standing=after)


def _bring(
    standing: Standing | None, ask: Ask, bringing: Bringing, at: datetime
) -> Planned | Refused | BeyondTheEnd:
    """Everything that stands against it is told by its setting, and nothing is half brought."""
    if standing is None:
        return _whole(EnvironmentNotFound(key=ask.environment))
    here, origin = standing.environment, bringing.origin
    shut = closed(here, here.permissions(ask.actor))
    if shut is not None:
        return _whole(shut)
    beyond = _beyond(standing, ask)
    if beyond is not None:
        return beyond
    if not isinstance(origin, Standing):
        return _whole(origin)
    way = steps_of(bringing, origin.environment, here)
    fact = SettingsBrought(environment=bringing.source, position=origin.position)
    outcome = _in_order(standing, replace(ask, commands=way.commands), at, fact)
    against: list[Refusal] = [*no_settings(bringing, origin.environment, here)]
    against += (CannotBeRestored(setting=each.setting, because=each.message) for each in way.faults)
    if isinstance(outcome, Refused):
        for each in outcome.refusals:
            against.append(_not_brought(way.steps[each.index or 0].setting, each.refusal))
    return _whole(*_once(against)) if against else outcome


def _not_brought(setting: str, why: Refusal) -> Refusal:
    """What somebody can still do something about is told as it is."""
    if isinstance(why, WarningNotAcknowledged | ChangedMeanwhile):
        return why
    return CannotBeRestored(setting=setting, because=why.message)


def _once(against: Iterable[Refusal]) -> Iterator[Refusal]:
    """Of what stands against one setting, the first."""
    told: set[str] = set()
    for each in against:
        if not isinstance(each, CannotBeRestored):
            yield each
        elif each.setting not in told:
            told.add(each.setting)
            yield each


def consequences(changes: Iterable[Change], standing: Standing) -> tuple[Warning, ...]:
    """What to know about these changes, which led to this standing, each thing once."""
    after = standing.environment
    found = (each for one in changes for each in environment.warnings(after, one.recorded.event))
    return tuple(dict.fromkeys(found))


def _refuse_whole(standing: Standing | None, ask: Ask) -> Refused | BeyondTheEnd | None:
    refusal: Refusal | None = None
    if standing is None and not any(
        isinstance(command, RegisterEnvironment) for command in ask.commands
    ):
        refusal = EnvironmentNotFound(key=ask.environment)
    elif not ask.commands:
        refusal = NothingAsked()
    elif len(ask.commands) > ask.most:
        refusal = TooManyChanges(asked=len(ask.commands), most=ask.most)
    return _beyond(standing, ask) if refusal is None else _whole(refusal)


def _beyond(standing: Standing | None, ask: Ask) -> BeyondTheEnd | None:
    end = 0 if standing is None else standing.position
    if ask.expected_position is not None and ask.expected_position > end:
        return BeyondTheEnd(asked=ask.expected_position, position=end)
    return None


def _whole(*why: Refusal) -> Refused:
    """Refused for what is about the whole request."""
    return Refused(refusals=tuple(RefusedChange(refusal=each) for each in why))


def _decide(
    start: Standing | None, now: Standing | None, command: Command, ask: Ask
) -> tuple[Event, ...] | Refusal:
    if now is None:
        if isinstance(command, RegisterEnvironment):
            return register(command, ask.actor)
        return EnvironmentNotFound(key=ask.environment)
    decided = decide(now.environment, command, ask.actor)
    expected = ask.expected_position
    if start is None or expected is None or isinstance(decided, NotPermitted | EnvironmentNotFound):
        return decided
    events = decided if isinstance(decided, tuple) else ()
    touched = dict.fromkeys((*command.settings, *(event.setting for event in events)))
    return _conflict(start, touched, expected) or decided


def _conflict(
    start: Standing, touched: Iterable[str], expected_position: int
) -> ChangedMeanwhile | None:
    """`touched`: settings that a command names, and those that it would change."""
    named = (start.last_changes.get(setting) for setting in touched)
    by = [last for last in named if last and last.recorded.position > expected_position]
    if not by:
        return None
    return ChangedMeanwhile(
        expected_position=expected_position, position=start.position, by=tuple(by)
    )
