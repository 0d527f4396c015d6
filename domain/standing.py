"""The state of an environment at a position, with the last change of every setting.

Law: a standing is the fold of its log, whoever folds it and however it is cut.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.environment import Environment, Event, evolve, value


class Recorded(NamedTuple):
    """One fact with its place in the log. `change_set` is the position of its set's first."""

    position: int
    change_set: int
    at: datetime
    actor: UUID
    event: Event


class Change(NamedTuple):
    """One fact and what it did: the setting it touched, as it was before and after."""

    recorded: Recorded
    setting: str
    before: str | None
    after: str | None


class Standing(NamedTuple):
    position: int
    as_of: datetime
    registered_at: datetime
    environment: Environment
    last_changes: Mapping[str, Change]


class ChangeSet(NamedTuple):
    """The changes of one request, at least one, and the standing as they left it."""

    changes: tuple[Change, ...]
    standing: Standing


def advance(standing: Standing | None, recorded: Recorded) -> Standing:
    """The standing after one more fact."""
    environment = None if standing is None else standing.environment
    known = {} if standing is None else standing.last_changes
    after = evolve(environment, recorded.event)
    setting = recorded.event.setting
    last = known.get(setting)
    before = value(environment, setting) if last is None else last.after
    change = Change(recorded, setting, before, value(after, setting))
    registered_at = recorded.at if standing is None else standing.registered_at
    last_changes = {**known, setting: change}
    return Standing(recorded.position, recorded.at, registered_at, after, last_changes)
