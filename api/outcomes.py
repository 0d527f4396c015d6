"""What becomes of a request: applied or previewed, and the answer from the standing in hand.

Law: nothing is decided here; applying and previewing differ only in whether the log is asked.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from api import refusals
from api.changes import ChangeSet
from api.consequences import (
    Impact,
    Warning,  # noqa: A004 -- the glossary's word
)
from api.context import Context
from api.enums import ChangeMode
from api.errors import bad_input, input_checked
from api.inputs import request_id
from api.nodes import When
from api.refusals import shown
from api.results import PlannedChange, SettingsChanged, SettingsPreviewed, SettingsRefused
from api.tab import SynchronizationSettings, settings_at
from domain import standing as log
from domain.asked import about
from domain.impact import impact
from domain.lifecycle import EnvironmentNotFound
from domain.membership import role_of
from domain.plan import (
    Ask,
    BeyondTheEnd,
    Planned,
    Refused,
    RefusedChange,
    consequences,
    plan,
)
from domain.standing import Standing
from eventstore.transact import Applied, Request, RequestIdReused

LEAST, READ = 4_000, 4
"""Characters that any criteria count as; and how often they are read until they are told."""


def request_of(ask: Ask, reason: str | None, asked_as: str | None) -> Request:
    with input_checked():
        return Request(ask=ask, reason=reason, request_id=request_id(asked_as))


async def settled(
    context: Context, ask: Ask, mode: ChangeMode, reason: str | None, asked_as: str | None
) -> SettingsChanged | SettingsPreviewed | SettingsRefused:
    """What becomes of a request about settings, in the mode that it came in."""
    request = request_of(ask, reason, asked_as)
    if mode is ChangeMode.APPLY:
        return await _applied(context, request)
    if request.request_id is not None:
        raise bad_input("A preview takes no request id: it writes nothing.")
    return await _previewed(context, ask)


async def _applied(context: Context, request: Request) -> SettingsChanged | SettingsRefused:
    outcome = await context.rooms.appender.transact(request)
    if not isinstance(outcome, Applied):
        return await turned_down(context, request.ask, outcome)
    made = outcome.change_set
    return SettingsChanged(
        change_set=None if made is None else ChangeSet(change_set=made),
        settings=settings_at(outcome.standing, context),
        warnings=[] if made is None else _warnings(made.changes, made.standing),
        replayed=outcome.replayed,
    )


async def _previewed(context: Context, ask: Ask) -> SettingsPreviewed | SettingsRefused:
    tip = await context.rooms.standings.catch_up(ask.environment)
    planned = plan(tip.standing, ask, datetime.now(UTC))
    if not isinstance(planned, Planned):
        return await refused(context, ask.environment, planned)
    made = {
        key: change
        for key, change in planned.standing.last_changes.items()
        if change.recorded.position <= tip.position
    }
    after = planned.standing.environment
    effects = () if tip.standing is None else impact(tip.standing.environment, after)
    return SettingsPreviewed(
        changes=[PlannedChange(change=each) for each in planned.changes],
        impact=[
            Impact(record_type=each.record_type, message=each.message)
            for each in effects
            if each.record_type is not None
        ],
        other_impact=[each.message for each in effects if each.record_type is None],
        settings=SynchronizationSettings(
            standing=planned.standing._replace(last_changes=made), when=When.PREVIEW
        ),
        warnings=_warnings(planned.changes, planned.standing),
    )


async def turned_down(
    context: Context, ask: Ask, outcome: Refused | BeyondTheEnd | RequestIdReused
) -> SettingsRefused:
    """The answer to what was tried and refused, which is noted."""
    why = await refused(context, ask.environment, outcome)
    tip, whom = context.rooms.standings.tip(ask.environment), about(ask)
    known = {} if tip is None or tip.standing is None else tip.standing.last_changes
    context.rooms.attempts.note(
        ask,
        [each.code for each in why.refusals],
        about=whom if whom is not None and role_of(whom) in known else None,
        stranger=await context.visible(ask.environment) is None,
    )
    return why


async def refused(
    context: Context, key: str, outcome: Refused | BeyondTheEnd | RequestIdReused
) -> SettingsRefused:
    if isinstance(outcome, BeyondTheEnd):
        raise bad_input(outcome.message)
    standing = await context.visible(key)
    if isinstance(outcome, RequestIdReused) and standing is not None:
        why = [refusals.reused(outcome)]
    elif isinstance(outcome, RequestIdReused):
        why = [shown(RefusedChange(refusal=EnvironmentNotFound(key=key)), None)]
    else:
        why = [shown(refusal, standing) for refusal in outcome.refusals]
    return SettingsRefused(refusals=why, position=0 if standing is None else standing.position)


def _warnings(changes: Iterable[log.Change], standing: Standing) -> list[Warning]:
    return [Warning.of(warning) for warning in consequences(changes, standing)]
