"""The whole: an environment is the state of every topic, and every decision goes through here.

Law: rights are decided from the log at the moment of deciding, on every path in.
`evolve` never checks; `decide` never does I/O. Asking twice changes nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple, get_args
from uuid import UUID

from domain import field_mappings, lifecycle, membership, source, switches
from domain.actor import Actor, NotPermitted, Permission, SecurityRole, permissions
from domain.filters import commands, consequences, facts, refusals, state
from domain.filters.lifecycle import beginning
from domain.filters.lifecycle import decide as decide_filter
from domain.filters.templates import DEFAULTS
from domain.warning import Warning  # noqa: A004 -- see domain/warning.py

type Setting = switches.Command | field_mappings.Command | commands.Command
"""What changes the settings of the tab."""

Command = (
    lifecycle.RegisterEnvironment
    | lifecycle.Command
    | membership.Command
    | switches.Command
    | field_mappings.Command
    | commands.Command
)
Event = (
    lifecycle.EnvironmentRegistered
    | lifecycle.Event
    | membership.Event
    | switches.Event
    | field_mappings.Event
    | facts.Event
    | source.SettingsBrought
)
Refusal = (
    NotPermitted
    | lifecycle.Refusal
    | membership.Refusal
    | switches.Refusal
    | field_mappings.Refusal
    | refusals.Refusal
)

EVENT_TYPES: Mapping[str, type[Event]] = {event.wire_name: event for event in get_args(Event)}
"""Every event by its wire name. A released one never changes its shape."""


class Environment(NamedTuple):
    profile: lifecycle.Profile
    members: membership.Members
    switches: switches.Switches
    directions: field_mappings.Directions
    filters: state.Filters
    origin: source.Source | None = None
    erased: membership.Erased = frozenset()

    def roles(self, principal: UUID) -> frozenset[SecurityRole]:
        return self.members.get(principal, frozenset())

    def permissions(self, actor: Actor) -> frozenset[Permission]:
        """What the actor may do here. Empty: for this actor, there is no such environment."""
        return permissions(actor, self.roles(actor.handle))


def evolve(environment: Environment | None, event: Event) -> Environment:
    """Apply one fact. No checks: what is recorded has already been decided."""
    if isinstance(event, lifecycle.EnvironmentRegistered):
        return Environment(lifecycle.begin(event), {}, switches.Switches(), {}, state.NO_FILTERS)
    if environment is None:
        raise ValueError(f"A log begins with a registration, not with {event.wire_name}.")
    profile, members, tab, directions, filters, origin, erased = environment
    if isinstance(event, switches.Event):
        tab = switches.evolve(tab, event)
    elif isinstance(event, field_mappings.Event):
        directions = field_mappings.evolve(directions, event)
    elif isinstance(event, facts.Event):
        filters = facts.evolve(filters, event)
    elif isinstance(event, membership.Event):
        members = membership.evolve(members, event)
        if isinstance(event, membership.PrincipalErased):
            erased |= {event.principal}
    elif isinstance(event, source.SettingsBrought):
        origin = source.evolve(event)
    else:
        profile = lifecycle.evolve(profile, event)
    return Environment(profile, members, tab, directions, filters, origin, erased)


def register(command: lifecycle.RegisterEnvironment, actor: Actor) -> tuple[Event, ...] | Refusal:
    """The beginning of a log: the environment, its first administrator and its templates."""
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
        *beginning(),
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
    if actor.handle in environment.erased and command != membership.ErasePrincipal(
        principal=actor.handle
    ):
        return membership.PrincipalIsErased()
    return _decide_as_permitted(environment, command, held)


def _decide_as_permitted(
    environment: Environment,
    command: lifecycle.Command | membership.Command | Setting,
    held: frozenset[Permission],
) -> tuple[Event, ...] | Refusal:
    profile = environment.profile
    if isinstance(command, lifecycle.Command):
        if Permission.MANAGE_ENVIRONMENT not in held:
            return NotPermitted(needs=Permission.MANAGE_ENVIRONMENT)
        return lifecycle.decide(profile, command)
    if isinstance(command, membership.Command):
        if Permission.MANAGE_ROLES not in held:
            return NotPermitted(needs=Permission.MANAGE_ROLES)
        return membership.decide(environment.members, environment.erased, command)
    return closed(environment, held) or _decide_setting(environment, command)


def closed(
    environment: Environment, held: frozenset[Permission]
) -> NotPermitted | lifecycle.EnvironmentIsArchived | None:
    """Why who holds these permissions can change no setting here; None where they can."""
    if Permission.CHANGE_SETTINGS not in held:
        return NotPermitted(needs=Permission.CHANGE_SETTINGS)
    if environment.profile.state is lifecycle.EnvironmentState.ARCHIVED:
        return lifecycle.EnvironmentIsArchived(key=environment.profile.key)
    return None


def _decide_setting(environment: Environment, command: Setting) -> tuple[Event, ...] | Refusal:
    if isinstance(command, switches.Command):
        return switches.decide(environment.switches, command)
    if isinstance(command, commands.Command):
        return decide_filter(environment.filters, command)
    return field_mappings.decide(environment.directions, command)


def value(environment: Environment | None, key: str) -> str | None:
    """What a setting key holds, as a machine value. None: nothing, or no such environment yet."""
    if environment is None:
        return None
    match key:
        case lifecycle.NAME | lifecycle.STATE:
            return lifecycle.value(environment.profile, key)
        case source.SOURCE:
            return source.value(environment.origin)
        case _ if key.startswith(membership.PREFIX):
            return membership.value(environment.members, environment.erased, key)
        case _ if key.startswith(field_mappings.PREFIX):
            return field_mappings.value(environment.directions, key)
        case _ if key.startswith((state.PREFIX, state.GIVEN_PREFIX)):
            return state.value(environment.filters, key)
        case _:
            return switches.value(environment.switches, key)


def default(key: str) -> str | None:
    """What a setting of the tab holds where nobody changed it; None for a filter of one's own.

    KeyError for any other key.
    """
    if key.startswith((state.PREFIX, state.GIVEN_PREFIX)):
        return state.value(DEFAULTS, key)
    if key.startswith(field_mappings.PREFIX):
        return field_mappings.value({}, key)
    return switches.value(switches.Switches(), key)


def is_default(environment: Environment, key: str) -> bool:
    """Whether a setting of the tab is as where nobody changed it; a filter, in all that it is."""
    if key.startswith(state.PREFIX):
        name = key.removeprefix(state.PREFIX)
        return environment.filters.by_key.get(name) == DEFAULTS.by_key.get(name)
    return value(environment, key) == default(key)


def sentence(event: Event) -> str:
    """The event in words. No sentence names a person: it must survive an erasure."""
    if isinstance(event, membership.Event):
        return membership.sentence(event)
    if isinstance(event, switches.Event):
        return switches.sentence(event)
    if isinstance(event, field_mappings.Event):
        return field_mappings.sentence(event)
    if isinstance(event, facts.Event):
        return facts.sentence(event)
    if isinstance(event, source.SettingsBrought):
        return source.sentence(event)
    return lifecycle.sentence(event)


def differences(event: Event, before: str | None, after: str | None) -> tuple[str, ...]:
    """What differs by a change of a filter, a line each; nothing for other settings."""
    return consequences.told(event, before, after) if isinstance(event, facts.Event) else ()


def warnings(environment: Environment, event: Event) -> tuple[Warning, ...]:
    """What to know about this change. `environment`: as it stands after it."""
    if isinstance(event, field_mappings.Event):
        return (field_mappings.DIRECTION_AFFECTS_SYNC_TIME,)
    if isinstance(event, facts.Event):
        return consequences.warnings(environment.filters, event)
    return switches.warnings(event) if isinstance(event, switches.Event) else ()
