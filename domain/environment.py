"""The whole: an environment is the state of every topic, and every decision goes through here.

Law: rights are decided from the log at the moment of deciding, on every path in.
`evolve` never checks; `decide` never does I/O. Asking twice changes nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple, get_args
from uuid import UUID

from domain import lifecycle, membership, switches
from domain.actor import Actor, NotPermitted, Permission, SecurityRole, permissions
from domain.warning import Warning  # noqa: A004 -- see domain/warning.py

Command = lifecycle.RegisterEnvironment | lifecycle.Command | membership.Command | switches.Command
Event = lifecycle.EnvironmentRegistered | lifecycle.Event | membership.Event | switches.Event
Refusal = NotPermitted | lifecycle.Refusal | membership.Refusal | switches.Refusal

EVENT_TYPES: Mapping[str, type[Event]] = {event.wire_name: event for event in get_args(Event)}
"""Every event by its wire name. A released one never changes its shape."""


class Environment(NamedTuple):
    profile: lifecycle.Profile
    members: membership.Members
    switches: switches.Switches

    def roles(self, principal: UUID) -> frozenset[SecurityRole]:
        return self.members.get(principal, frozenset())

    def permissions(self, actor: Actor) -> frozenset[Permission]:
        """What the actor may do here. Empty: for this actor, there is no such environment."""
        return permissions(actor, self.roles(actor.handle))


def evolve(environment: Environment | None, event: Event) -> Environment:
    """Apply one fact. No checks: what is recorded has already been decided."""
    if isinstance(event, lifecycle.EnvironmentRegistered):
        return Environment(lifecycle.begin(event), {}, switches.Switches())
    if environment is None:
        raise ValueError(f"A log begins with a registration, not with {event.wire_name}.")
    profile, members, state = environment
    if isinstance(event, switches.Event):
        return Environment(profile, members, switches.evolve(state, event))
    if isinstance(event, membership.Event):
        return Environment(profile, membership.evolve(members, event), state)
    return Environment(lifecycle.evolve(profile, event), members, state)


def register(command: lifecycle.RegisterEnvironment, actor: Actor) -> tuple[Event, ...] | Refusal:
    """The beginning of a log: the environment and its first system administrator."""
    if Permission.REGISTER_ENVIRONMENT not in permissions(actor, frozenset()):
        return NotPermitted(needs=Permission.REGISTER_ENVIRONMENT)
    return (
        lifecycle.EnvironmentRegistered(
            key=command.key,
            name=command.name,
            kind=command.kind,
            catalogue=lifecycle.CATALOGUE,
        ),
        membership.RoleGranted(
            principal=command.administrator, role=SecurityRole.SYSTEM_ADMINISTRATOR
        ),
    )


def decide(environment: Environment, command: Command, actor: Actor) -> tuple[Event, ...] | Refusal:
    """The events that grant what is asked, none if it is so already, or why not."""
    profile = environment.profile
    held = environment.permissions(actor)
    if isinstance(command, lifecycle.RegisterEnvironment):
        if Permission.REGISTER_ENVIRONMENT not in held:
            return NotPermitted(needs=Permission.REGISTER_ENVIRONMENT)
        return lifecycle.EnvironmentExists(key=profile.key)
    if not held:
        return lifecycle.EnvironmentNotFound(key=profile.key)
    if isinstance(command, lifecycle.Command):
        if Permission.MANAGE_ENVIRONMENT not in held:
            return NotPermitted(needs=Permission.MANAGE_ENVIRONMENT)
        return lifecycle.decide(profile, command)
    if isinstance(command, membership.Command):
        if Permission.MANAGE_ROLES not in held:
            return NotPermitted(needs=Permission.MANAGE_ROLES)
        return membership.decide(environment.members, command)
    if Permission.CHANGE_SETTINGS not in held:
        return NotPermitted(needs=Permission.CHANGE_SETTINGS)
    if profile.state is lifecycle.EnvironmentState.ARCHIVED:
        return lifecycle.EnvironmentIsArchived(key=profile.key)
    return switches.decide(environment.switches, command)


def value(environment: Environment | None, key: str) -> str | None:
    """What a setting key holds, as a machine value. None: nothing, or no such environment yet."""
    if environment is None:
        return None
    match key:
        case lifecycle.NAME | lifecycle.STATE:
            return lifecycle.value(environment.profile, key)
        case _ if key.startswith("role:"):
            return membership.value(environment.members, key)
        case _:
            return switches.value(environment.switches, key)


def sentence(event: Event) -> str:
    """The event in words. No sentence names a person: it must survive an erasure."""
    if isinstance(event, membership.Event):
        return membership.sentence(event)
    if isinstance(event, switches.Event):
        return switches.sentence(event)
    return lifecycle.sentence(event)


def warnings(event: Event) -> tuple[Warning, ...]:
    """What to know about this change, before it or after."""
    return switches.warnings(event) if isinstance(event, switches.Event) else ()
