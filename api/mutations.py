"""Changing: input to commands, commands to the log, and the answer from the standing in hand.

Law: nothing is decided here; applying and previewing differ only in whether the log is asked.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, NamedTuple
from uuid import UUID, uuid5

import strawberry

from api import refusals
from api.asking import argument, environment_key, position
from api.changes import ChangeSet
from api.consequences import (
    Impact,
    Warning,  # noqa: A004 -- the glossary's word
)
from api.context import Context, Info
from api.enums import ChangeMode
from api.environments import Environment
from api.errors import bad_input, input_checked
from api.inputs import (
    ArchiveEnvironmentInput,
    ChangeSettingsInput,
    GrantRoleInput,
    RegisterEnvironmentInput,
    RenameEnvironmentInput,
    RestoreEnvironmentInput,
    RevokeRoleInput,
    principal_id,
    request_id,
)
from api.nodes import When
from api.refusals import shown
from api.results import (
    ChangeSettingsResult,
    EnvironmentChanged,
    EnvironmentRefused,
    EnvironmentResult,
    PlannedChange,
    SettingsChanged,
    SettingsPreviewed,
    SettingsRefused,
)
from api.tab import SynchronizationSettings, settings_at
from domain import standing as log
from domain.environment import Command
from domain.filters.commands import DefineFilter, RedefineFilter, size
from domain.impact import impact
from domain.lifecycle import (
    ArchiveEnvironment,
    EnvironmentNotFound,
    RegisterEnvironment,
    RenameEnvironment,
    RestoreEnvironment,
)
from domain.membership import GrantRole, RevokeRole
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
from eventstore.transact import Applied, Outcome, Request, RequestIdReused

NOBODY = UUID("6d61646e-6f62-4f64-8979-6e6f626f6479")
"""Stands for who was never met, and can have no role to revoke."""
LEAST, READ = 4_000, 4
"""Characters that any criteria count as; and how often they are read until they are told."""


@strawberry.type(description="Changing things. Every change is a fact in the environment's log.")
class Mutation:
    @strawberry.mutation(description="Change settings of one environment, or preview it.")
    async def change_settings(
        self, info: Info, input: Annotated[ChangeSettingsInput, argument("What to change.")]
    ) -> ChangeSettingsResult:
        commands = input.commands()
        info.context.weigh(sum(map(_weight, commands)))
        ask = Ask(
            environment=environment_key(input.environment_key),
            commands=commands,
            actor=info.context.actor,
            expected_position=position(input.expected_position, "expectedPosition"),
        )
        request = _request(ask, input.reason, input.request_id)
        if input.mode is ChangeMode.APPLY:
            return await _apply(info, request)
        if request.request_id is not None:
            raise bad_input("A preview takes no request id: it writes nothing.")
        return await _preview(info, ask)

    @strawberry.mutation(description="Register an environment. Needs REGISTER_ENVIRONMENT.")
    async def register_environment(
        self, info: Info, input: Annotated[RegisterEnvironmentInput, argument("What to register.")]
    ) -> EnvironmentResult:
        def command(handle: UUID) -> Command:
            with input_checked():
                return RegisterEnvironment(
                    key=input.key, name=input.name, kind=input.kind, administrator=handle
                )

        if input.administrator is None:
            asked = command(info.context.actor.handle)
            return await _change(info, input.key, asked, input.reason, input.request_id)
        about = About(input.administrator, command)
        return await _change(info, input.key, about, input.reason, input.request_id)

    @strawberry.mutation(description="Give an environment a new name. Needs MANAGE_ENVIRONMENT.")
    async def rename_environment(
        self, info: Info, input: Annotated[RenameEnvironmentInput, argument("Which, and how.")]
    ) -> EnvironmentResult:
        with input_checked():
            command = RenameEnvironment(name=input.name)
        return await _change(info, input.environment_key, command, input.reason, input.request_id)

    @strawberry.mutation(
        description="Freeze name and settings; nothing is lost. Needs MANAGE_ENVIRONMENT."
    )
    async def archive_environment(
        self, info: Info, input: Annotated[ArchiveEnvironmentInput, argument("Which one.")]
    ) -> EnvironmentResult:
        command = ArchiveEnvironment()
        return await _change(info, input.environment_key, command, input.reason, input.request_id)

    @strawberry.mutation(
        description="Take an archived environment into use again. Needs MANAGE_ENVIRONMENT."
    )
    async def restore_environment(
        self, info: Info, input: Annotated[RestoreEnvironmentInput, argument("Which one.")]
    ) -> EnvironmentResult:
        command = RestoreEnvironment()
        return await _change(info, input.environment_key, command, input.reason, input.request_id)

    @strawberry.mutation(description="Grant a security role. Needs MANAGE_ROLES.")
    async def grant_role(
        self, info: Info, input: Annotated[GrantRoleInput, argument("Whom, and which.")]
    ) -> EnvironmentResult:
        about = About(input.principal, lambda handle: GrantRole(principal=handle, role=input.role))
        return await _change(info, input.environment_key, about, input.reason, input.request_id)

    @strawberry.mutation(
        description="Revoke a security role. Needs MANAGE_ROLES. `changeSet` is null where the "
        "principal did not hold it, e.g. because the id is misspelt."
    )
    async def revoke_role(
        self, info: Info, input: Annotated[RevokeRoleInput, argument("Whom, and which.")]
    ) -> EnvironmentResult:
        about = About(input.principal, lambda handle: RevokeRole(principal=handle, role=input.role))
        return await _change(info, input.environment_key, about, input.reason, input.request_id)


class About(NamedTuple):
    """A command about a principal who is named as the identity provider does."""

    principal: str
    command: Callable[[UUID], Command]


def _weight(command: Command) -> int:
    """Characters of criteria that it takes to decide a command: they are read more than once."""
    if isinstance(command, DefineFilter | RedefineFilter) and command.criteria is not None:
        return LEAST + READ * size(command.criteria)
    return 0


async def _apply(info: Info, request: Request) -> SettingsChanged | SettingsRefused:
    outcome = await info.context.rooms.appender.transact(request)
    if not isinstance(outcome, Applied):
        return await _refused(info.context, request.ask.environment, outcome)
    made = outcome.change_set
    return SettingsChanged(
        change_set=None if made is None else ChangeSet(change_set=made),
        settings=settings_at(outcome.standing, info.context),
        warnings=[] if made is None else _warnings(made.changes, made.standing),
        replayed=outcome.replayed,
    )


async def _preview(info: Info, ask: Ask) -> SettingsPreviewed | SettingsRefused:
    tip = await info.context.rooms.standings.catch_up(ask.environment)
    planned = plan(tip.standing, ask, datetime.now(UTC))
    if not isinstance(planned, Planned):
        return await _refused(info.context, ask.environment, planned)
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


async def _change(
    info: Info, key: str, asked: Command | About, reason: str | None, asked_as: str | None
) -> EnvironmentResult:
    context, key = info.context, environment_key(key)
    command = asked.command(NOBODY) if isinstance(asked, About) else asked
    ask = Ask(environment=key, commands=(command,), actor=context.actor)
    request = _request(ask, reason, asked_as)
    named = await _named(context, request, asked) if isinstance(asked, About) else request
    outcome: Outcome = (
        named if isinstance(named, Refused) else await context.rooms.appender.transact(named)
    )
    if not isinstance(outcome, Applied):
        refused = await _refused(context, key, outcome)
        return EnvironmentRefused(refusals=refused.refusals)
    made = outcome.change_set
    return EnvironmentChanged(
        environment=Environment(standing=outcome.standing),
        change_set=None if made is None else ChangeSet(change_set=made),
        replayed=outcome.replayed,
    )


async def _named(context: Context, request: Request, about: About) -> Request | Refused:
    """The request with the principal's handle; nobody is made known where nothing comes of it."""
    named = principal_id(about.principal)
    known = await context.rooms.principals.known(named)
    handle = uuid5(NOBODY, named) if known is None else known.handle
    asked = replace(request, ask=replace(request.ask, commands=(about.command(handle),)))
    if known is not None:
        return asked
    tip = await context.rooms.standings.catch_up(request.ask.environment)
    planned = plan(tip.standing, asked.ask, datetime.now(UTC))
    if not isinstance(planned, Planned):
        return planned if isinstance(planned, Refused) else asked
    if not planned.changes:
        return asked
    met = await context.rooms.principals.meet(named)
    return replace(request, ask=replace(request.ask, commands=(about.command(met.handle),)))


def _request(ask: Ask, reason: str | None, asked_as: str | None) -> Request:
    with input_checked():
        return Request(ask=ask, reason=reason, request_id=request_id(asked_as))


async def _refused(
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
