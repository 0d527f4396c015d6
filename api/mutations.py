"""Changing: input to commands, commands to the log, and the answer from the standing in hand.

Law: nothing is decided here; applying and previewing differ only in whether the log is asked.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, NamedTuple
from uuid import UUID, uuid5

import strawberry

from api.asking import argument, environment_key, position
from api.bringing import BringSettingsInput, asked
from api.changes import ChangeSet
from api.context import Context, Info
from api.environments import Environment
from api.errors import input_checked
from api.inputs import (
    ArchiveEnvironmentInput,
    ChangeSettingsInput,
    GrantRoleInput,
    RegisterEnvironmentInput,
    RenameEnvironmentInput,
    RestoreEnvironmentInput,
    RevokeRoleInput,
    principal_id,
)
from api.outcomes import LEAST, READ, request_of, settled, turned_down
from api.results import (
    ChangeSettingsResult,
    EnvironmentChanged,
    EnvironmentRefused,
    EnvironmentResult,
)
from domain.environment import Command
from domain.filters.commands import DefineFilter, RedefineFilter, size
from domain.lifecycle import (
    ArchiveEnvironment,
    RegisterEnvironment,
    RenameEnvironment,
    RestoreEnvironment,
)
from domain.membership import GrantRole, RevokeRole, role_of
from domain.plan import (
    Ask,
    Planned,
    Refused,
    plan,
)
from eventstore.principals import Principal as Known
from eventstore.transact import Applied, Outcome, Request

NOBODY = UUID("6d61646e-6f62-4f64-8979-6e6f626f6479")
"""Stands for who was never met, and can have no role to revoke."""


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
        return await settled(info.context, ask, input.mode, input.reason, input.request_id)

    @strawberry.mutation(
        description="Bring settings back to a past point, or over from another environment, "
        "through today's rules: a new change set, nothing rewritten. Needs CHANGE_SETTINGS, and "
        "where they come from READ_SETTINGS, at a past point READ_HISTORY."
    )
    async def bring_settings(
        self, info: Info, input: Annotated[BringSettingsInput, argument("What to bring.")]
    ) -> ChangeSettingsResult:
        ask = await asked(info.context, input)
        return await settled(info.context, ask, input.mode, input.reason, input.request_id)

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


async def _change(
    info: Info, key: str, asked: Command | About, reason: str | None, asked_as: str | None
) -> EnvironmentResult:
    context, key = info.context, environment_key(key)
    command = asked.command(NOBODY) if isinstance(asked, About) else asked
    ask = Ask(environment=key, commands=(command,), actor=context.actor)
    request = request_of(ask, reason, asked_as)
    named = await _named(context, request, asked) if isinstance(asked, About) else request
    outcome: Outcome = (
        named if isinstance(named, Refused) else await context.rooms.appender.transact(named)
    )
    if not isinstance(outcome, Applied):
        tried = named.ask if isinstance(named, Request) else ask
        found = await turned_down(context, tried, outcome)
        return EnvironmentRefused(refusals=found.refusals)
    made = outcome.change_set
    return EnvironmentChanged(
        environment=Environment(standing=outcome.standing),
        change_set=None if made is None else ChangeSet(change_set=made),
        replayed=outcome.replayed,
    )


async def _by_handle(context: Context, request: Request, named: str) -> Known | None:
    """Whom a handle stands for, or stood for, in this environment: it is nobody new's id."""
    try:
        handle = UUID(named)
    except ValueError:
        return None
    standing = (await context.rooms.standings.catch_up(request.ask.environment)).standing
    if standing is None or role_of(handle) not in standing.last_changes:
        return None
    (known,) = await context.rooms.principals.of([handle])
    return known


async def _named(context: Context, request: Request, about: About) -> Request | Refused:
    """The request with the principal's handle; nobody is made known where nothing comes of it."""
    named = principal_id(about.principal)
    known = await context.rooms.principals.known(named) or await _by_handle(context, request, named)
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
