"""Changing: input to commands, commands to the log, and the answer from the standing in hand.

Law: nothing is decided here; applying and previewing differ only in whether the log is asked.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, NamedTuple
from uuid import UUID, uuid4

import strawberry

from api import refusals
from api.context import Context, Info
from api.enums import ChangeMode
from api.errors import bad_input, input_checked
from api.inputs import (
    ArchiveEnvironmentInput,
    ChangeSettingsInput,
    GrantRoleInput,
    RegisterEnvironmentInput,
    RenameEnvironmentInput,
    RestoreEnvironmentInput,
    RevokeRoleInput,
    environment_key,
    position,
    principal_id,
    request_id,
)
from api.nodes import When
from api.refusals import Refusal, shown
from api.types import (
    ChangeSet,
    Environment,
    SynchronizationSettings,
    Warning,  # noqa: A004 -- the glossary's word
    setting_key,
)
from domain import environment as whole
from domain import standing as log
from domain.environment import Command
from domain.lifecycle import (
    ArchiveEnvironment,
    RegisterEnvironment,
    RenameEnvironment,
    RestoreEnvironment,
)
from domain.membership import GrantRole, RevokeRole
from domain.plan import Ask, BeyondTheEnd, Planned, Refused, plan
from domain.standing import Standing
from eventstore.transact import Applied, Outcome, Request, RequestIdReused


@strawberry.type(description="The changes were made, or were there already.")
class SettingsChanged:
    change_set: ChangeSet | None = strawberry.field(
        description="Null when everything already was as asked."
    )
    settings: SynchronizationSettings = strawberry.field(description="As they stand after it.")
    warnings: list[Warning] = strawberry.field(description="What to know about these changes.")
    replayed: bool = strawberry.field(
        description="True when a request id was seen before and this is the first answer again."
    )


@strawberry.type(description="What one change would do.")
class PlannedChange:
    setting: str = strawberry.field(description="The key of the setting.")
    type: str = strawberry.field(description="The event's wire name.")
    before: str | None = strawberry.field(description="What it holds, as a machine value.")
    after: str | None = strawberry.field(description="What it would hold.")
    summary: str = strawberry.field(description="The change as a sentence.")


@strawberry.type(
    description="What applying would do now. Nothing was written. A preview is refused exactly "
    "where applying would be, except that acknowledgements may still be missing: those warnings "
    "say `mustBeAcknowledged`."
)
class SettingsPreviewed:
    changes: list[PlannedChange] = strawberry.field(description="In order; empty for none.")
    settings: SynchronizationSettings = strawberry.field(
        description="As they would stand. Nothing can be fetched by their ids."
    )
    warnings: list[Warning] = strawberry.field(description="What to know about these changes.")


@strawberry.type(description="Nothing was written.")
class SettingsRefused:
    refusals: list[Refusal] = strawberry.field(description="Everything that stands against it.")
    position: int = strawberry.field(
        description="Where the log ends; 0 where there is none that the viewer may see."
    )


ChangeSettingsResult = Annotated[
    SettingsChanged | SettingsPreviewed | SettingsRefused,
    strawberry.union("ChangeSettingsResult", description="What became of a request."),
]


@strawberry.type(description="The environment was changed, or was so already.")
class EnvironmentChanged:
    environment: Environment = strawberry.field(description="As it stands after it.")
    change_set: ChangeSet | None = strawberry.field(
        description="Null when everything already was as asked."
    )
    replayed: bool = strawberry.field(
        description="True when a request id was seen before and this is the first answer again."
    )


@strawberry.type(description="Nothing was written.")
class EnvironmentRefused:
    refusals: list[Refusal] = strawberry.field(description="Everything that stands against it.")


EnvironmentResult = Annotated[
    EnvironmentChanged | EnvironmentRefused,
    strawberry.union("EnvironmentResult", description="What became of a request."),
]


def argument(description: str) -> object:
    return strawberry.argument(description=description)


@strawberry.type(description="Changing things. Every change is a fact in the environment's log.")
class Mutation:
    @strawberry.mutation(description="Change settings of one environment, or preview it.")
    async def change_settings(
        self, info: Info, input: Annotated[ChangeSettingsInput, argument("What to change.")]
    ) -> ChangeSettingsResult:
        ask = Ask(
            environment=environment_key(input.environment_key),
            commands=input.commands(),
            actor=info.context.actor,
            expected_position=position(input.expected_position, "expectedPosition"),
        )
        if input.mode is ChangeMode.APPLY:
            return await _apply(info, ask, input.reason, input.request_id)
        if input.request_id is not None:
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

    @strawberry.mutation(description="Revoke a security role. Needs MANAGE_ROLES.")
    async def revoke_role(
        self, info: Info, input: Annotated[RevokeRoleInput, argument("Whom, and which.")]
    ) -> EnvironmentResult:
        about = About(input.principal, lambda handle: RevokeRole(principal=handle, role=input.role))
        return await _change(info, input.environment_key, about, input.reason, input.request_id)


class About(NamedTuple):
    """A command about a principal who is named as the identity provider does."""

    principal: str
    command: Callable[[UUID], Command]


async def _apply(
    info: Info, ask: Ask, reason: str | None, asked_as: str | None
) -> SettingsChanged | SettingsRefused:
    outcome = await _transact(info.context, ask, reason, asked_as)
    if not isinstance(outcome, Applied):
        return await _refused(info.context, ask.environment, outcome)
    made = outcome.change_set
    return SettingsChanged(
        change_set=None if made is None else ChangeSet(change_set=made),
        settings=_settings(info.context, outcome.standing),
        warnings=[] if made is None else _warnings(made.changes),
        replayed=outcome.replayed,
    )


async def _preview(info: Info, ask: Ask) -> SettingsPreviewed | SettingsRefused:
    tip = await info.context.rooms.standings.catch_up(ask.environment)
    planned = plan(tip.standing, ask, datetime.now(UTC))
    if not isinstance(planned, Planned):
        return await _refused(info.context, ask.environment, planned)
    return SettingsPreviewed(
        changes=[
            PlannedChange(
                setting=await setting_key(change, info),
                type=change.recorded.event.wire_name,
                before=change.before,
                after=change.after,
                summary=whole.sentence(change.recorded.event),
            )
            for change in planned.changes
        ],
        settings=SynchronizationSettings(standing=planned.standing, when=When.PREVIEW),
        warnings=_warnings(planned.changes),
    )


async def _change(
    info: Info, key: str, asked: Command | About, reason: str | None, asked_as: str | None
) -> EnvironmentResult:
    context, key = info.context, environment_key(key)
    command = await _with_handle(context, key, asked) if isinstance(asked, About) else asked
    outcome: Outcome
    if isinstance(command, Refused):
        outcome = command
    else:
        ask = Ask(environment=key, commands=(command,), actor=context.actor)
        outcome = await _transact(context, ask, reason, asked_as)
    if not isinstance(outcome, Applied):
        refused = await _refused(context, key, outcome)
        return EnvironmentRefused(refusals=refused.refusals)
    made = outcome.change_set
    return EnvironmentChanged(
        environment=Environment(standing=outcome.standing),
        change_set=None if made is None else ChangeSet(change_set=made),
        replayed=outcome.replayed,
    )


async def _with_handle(context: Context, key: str, about: About) -> Command | Refused:
    """The command with the principal's handle; nobody is made known for one who may not ask."""
    named = principal_id(about.principal)
    trial = Ask(environment=key, commands=(about.command(uuid4()),), actor=context.actor)
    tip = await context.rooms.standings.catch_up(key)
    planned = plan(tip.standing, trial, datetime.now(UTC))
    if isinstance(planned, Refused):
        return planned
    return about.command((await context.rooms.principals.meet(named)).handle)


async def _transact(
    context: Context, ask: Ask, reason: str | None, asked_as: str | None
) -> Outcome:
    with input_checked():
        request = Request(ask=ask, reason=reason, request_id=request_id(asked_as))
    return await context.rooms.appender.transact(request)


async def _refused(
    context: Context, key: str, outcome: Refused | BeyondTheEnd | RequestIdReused
) -> SettingsRefused:
    if isinstance(outcome, BeyondTheEnd):
        raise bad_input(outcome.message)
    standing = await context.visible(key)
    why = (
        [refusals.reused(outcome)]
        if isinstance(outcome, RequestIdReused)
        else [shown(refusal, standing) for refusal in outcome.refusals]
    )
    return SettingsRefused(refusals=why, position=0 if standing is None else standing.position)


def _settings(context: Context, standing: Standing) -> SynchronizationSettings:
    """The settings at a standing: the present ones, unless the log has moved on."""
    tip = context.rooms.standings.tip(standing.environment.profile.key)
    now = tip is None or tip.position <= standing.position
    return SynchronizationSettings(standing=standing, when=When.NOW if now else When.THEN)


def _warnings(changes: Iterable[log.Change]) -> list[Warning]:
    found = [each for change in changes for each in whole.warnings(change.recorded.event)]
    return [Warning.of(warning) for warning in dict.fromkeys(found)]
