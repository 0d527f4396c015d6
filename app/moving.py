"""Bringing an environment to what files want: read, planned, and carried out as one change set.

Law: through the same commands, rights and warnings as by hand; all of it happens, or nothing does,
and everything that stands against it is told at once, with its place.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from api.context import Rooms
from domain.actor import Actor, NotPermitted, Permission
from domain.environment import Environment
from domain.filters.refusals import FilterNotValid
from domain.impact import Impact, impact
from domain.lifecycle import EnvironmentIsArchived, EnvironmentNotFound
from domain.plan import Ask, BeyondTheEnd, Planned, Refusal, Refused, consequences, plan
from domain.standing import Change, Standing
from domain.steps import MOST_STEPS, Steps, steps
from domain.wanted import Wanted
from domain.warning import Warning, WarningCode  # noqa: A004 -- see domain/warning.py
from eventstore.transact import Applied, Outcome, Request


class CannotAsk(Exception):
    """Who asks, or of which environment, is wrong."""


class Trouble(NamedTuple):
    """What stands against it. `where`: a file and line; empty: all of it."""

    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What files want. `where`: the place of each setting, by its key; `criteria`: of a filter's.

    `troubles`: what cannot even be read.
    """

    wanted: Wanted
    where: Mapping[str, str]
    criteria: Mapping[str, str] = field(default_factory=dict)
    troubles: Sequence[Trouble] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who wants it of which environment, and how."""

    environment: str
    principal: str
    preview: bool = False
    acknowledged: frozenset[WarningCode] = frozenset()
    expected_position: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`troubles`: nothing happened while there are any. `impact`: of a preview."""

    position: int
    changes: tuple[Change, ...] = ()
    warnings: tuple[Warning, ...] = ()
    impact: tuple[Impact, ...] = ()
    troubles: tuple[Trouble, ...] = ()


async def carried_out(rooms: Rooms, order: Order, told: Callable[[Environment], Told]) -> Result:
    """CannotAsk where there is nothing to decide."""
    standing, actor = await _where(rooms, order)
    reading = told(standing.environment)
    accepted = frozenset(WarningCode) if order.preview else order.acknowledged
    way = steps(standing.environment, reading.wanted, accepted)
    ask = Ask(
        environment=order.environment,
        commands=way.commands,
        actor=actor,
        expected_position=order.expected_position,
        most=MOST_STEPS,
    )
    planned = _planned(standing, ask)
    faults = [Trouble(reading.where.get(each.setting, ""), each.message) for each in way.faults]
    troubles = [*reading.troubles, *faults, *_against(planned, way, reading)]
    if isinstance(planned, Refused) and not order.preview:
        rooms.attempts.note(ask, [each.refusal.code for each in planned.refusals])
    if troubles or not isinstance(planned, Planned):
        return Result(position=standing.position, troubles=_in_order(troubles))
    if order.preview or not planned.changes:
        effects = impact(standing.environment, planned.standing.environment)
        return _result(planned.changes, planned.standing, standing.position, effects)
    outcome = await rooms.appender.transact(Request(ask=ask, reason=order.reason))
    if not isinstance(outcome, Applied):
        return Result(
            position=standing.position, troubles=_in_order(_against(outcome, way, reading))
        )
    made = outcome.change_set
    changes = () if made is None else made.changes
    return _result(changes, outcome.standing, outcome.standing.position)


def _planned(standing: Standing, ask: Ask) -> Planned | Refused | BeyondTheEnd:
    """What it would do; here it is no mistake to ask for nothing."""
    if ask.commands:
        return plan(standing, ask, datetime.now(UTC))
    if ask.expected_position is not None and ask.expected_position > standing.position:
        return BeyondTheEnd(asked=ask.expected_position, position=standing.position)
    return Planned(changes=(), standing=standing)


async def _where(rooms: Rooms, order: Order) -> tuple[Standing, Actor]:
    """The environment, and who may change it."""
    principal = await rooms.principals.known(order.principal)
    if principal is None:
        raise CannotAsk(
            f"Nobody called {order.principal!r} was ever seen here. Name somebody who has a role "
            "in the environment, as the identity provider does."
        )
    actor = Actor(handle=principal.handle)
    standing = (await rooms.standings.catch_up(order.environment)).standing
    held = frozenset() if standing is None else standing.environment.permissions(actor)
    if standing is None or not held:
        raise CannotAsk(EnvironmentNotFound(key=order.environment).message)
    if Permission.CHANGE_SETTINGS not in held:
        raise CannotAsk(NotPermitted(needs=Permission.CHANGE_SETTINGS).message)
    return standing, actor


def _against(outcome: Planned | Outcome, way: Steps, told: Told) -> Iterator[Trouble]:
    """What stands against it, each with its place."""
    if isinstance(outcome, Refused):
        for each in outcome.refusals:
            setting = "" if each.index is None else way.steps[each.index].setting
            yield from _refused(each.refusal, setting, told)
    elif not isinstance(outcome, Planned | Applied):
        yield Trouble("", outcome.message)


def _refused(refusal: Refusal, setting: str, told: Told) -> Iterator[Trouble]:
    at = told.where.get(setting, "")
    match refusal:
        case FilterNotValid(problems=problems):
            at = told.criteria.get(setting, at)
            yield from (Trouble(at, f"{each.path}: {each.message}") for each in problems)
        case EnvironmentIsArchived() | EnvironmentNotFound() | NotPermitted():
            yield Trouble("", refusal.message)  # it stands against all of them alike
        case _:
            yield Trouble(at, refusal.message)


def _in_order(troubles: Iterable[Trouble]) -> tuple[Trouble, ...]:
    """Each once, by file and line; what is about all of it first."""

    def place(trouble: Trouble) -> tuple[str, int]:
        file, _, line = trouble.where.rpartition(":")
        return file, int(line or 0)

    return tuple(sorted(dict.fromkeys(troubles), key=place))


def _result(
    changes: tuple[Change, ...],
    standing: Standing,
    position: int,
    effects: tuple[Impact, ...] = (),
) -> Result:
    return Result(
        position=position,
        changes=changes,
        warnings=consequences(changes, standing),
        impact=effects,
    )
