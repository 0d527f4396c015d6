"""Every set of up to two roles, with and without the platform's claim, asks for every command."""

from itertools import chain, combinations
from typing import get_args

import pytest
from given import BOB, CAROL, KEY, REGISTER, Given, given, may

from domain.actor import Actor, NotPermitted, Permission, SecurityRole
from domain.environment import Command, Event, Refusal
from domain.field_mappings import (
    ChooseSyncDirection,
    RestoreSyncDirections,
    SyncDirectionChosen,
)
from domain.filters import commands
from domain.filters.commands import (
    ActivateFilter,
    DeactivateFilter,
    DefineFilter,
    GiveTemplateToNewUsers,
    RedefineFilter,
    RemoveFilter,
    RestoreDefaultTemplates,
    WithholdTemplateFromNewUsers,
)
from domain.filters.criteria import Criteria, Group
from domain.filters.facts import (
    FilterDeactivated,
    FilterDefined,
    FilterRedefined,
    FilterRemoved,
    TemplateGivenToNewUsers,
)
from domain.filters.lifecycle import About, beginning
from domain.filters.state import FilterKind, FilterRole, canonical_text
from domain.lifecycle import (
    ArchiveEnvironment,
    EnvironmentArchived,
    EnvironmentExists,
    EnvironmentIsArchived,
    EnvironmentNotFound,
    EnvironmentRenamed,
    EnvironmentRestored,
    RenameEnvironment,
    RestoreEnvironment,
)
from domain.mapping_table import SyncDirection
from domain.membership import (
    ErasePrincipal,
    GrantRole,
    PrincipalErased,
    RevokeRole,
    RoleGranted,
    RoleRevoked,
)
from domain.plan import Planned, Refused
from domain.switches import (
    AppointmentAttachmentsSwitched,
    AssignedTasksSwitched,
    ChooseMailingAddresses,
    MailingAddresses,
    MailingAddressesChosen,
    ResourceBookingsSwitched,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.warning import WarningCode

LOSING_DATA = WarningCode.ADDRESSES_CAN_LOSE_DATA
AUDITOR = SecurityRole.AUDITOR

EVERYTHING = canonical_text(Criteria(table="task"))
ALL: About = {
    "filter_key": "all",
    "role": FilterRole.SYSTEM_FILTER,
    "kind": FilterKind.ONLINE,
    "table": "task",
    "name": "All",
}
MINE: About = {
    "filter_key": "mine",
    "role": FilterRole.USER_FILTER_TEMPLATE,
    "kind": FilterKind.ONLINE,
    "table": "task",
    "name": "Mine",
}

ALLOWED: dict[Command, tuple[Event, ...]] = {
    RenameEnvironment(name="Fabrikam"): (EnvironmentRenamed(name="Fabrikam"),),
    ArchiveEnvironment(): (EnvironmentArchived(),),
    RestoreEnvironment(): (),
    GrantRole(principal=CAROL, role=SecurityRole.BASIC_USER): (
        RoleGranted(principal=CAROL, role=SecurityRole.BASIC_USER),
    ),
    RevokeRole(principal=CAROL, role=AUDITOR): (RoleRevoked(principal=CAROL, role=AUDITOR),),
    ErasePrincipal(principal=CAROL): (PrincipalErased(principal=CAROL),),
    SwitchAppointmentAttachments(on=True): (AppointmentAttachmentsSwitched(on=True),),
    SwitchAssignedTasks(on=True): (AssignedTasksSwitched(on=True),),
    SwitchResourceBookings(on=True): (ResourceBookingsSwitched(on=True),),
    ChooseMailingAddresses(
        choice=MailingAddresses.ALL_THREE, acknowledged=frozenset({LOSING_DATA})
    ): (MailingAddressesChosen(choice=MailingAddresses.ALL_THREE, acknowledged=(LOSING_DATA,)),),
    ChooseSyncDirection(mapping="contact.notes", direction=SyncDirection.NONE): (
        SyncDirectionChosen(mapping="contact.notes", direction=SyncDirection.NONE),
    ),
    RestoreSyncDirections(): (),
    DefineFilter(
        role=FilterRole.SYSTEM_FILTER,
        kind=FilterKind.ONLINE,
        table="task",
        name="All",
        criteria=Group(),
        key="all",
    ): (FilterDefined(**ALL, description="", active=True, fetch_xml=EVERYTHING),),
    RedefineFilter(key="mine", name="Ours"): (
        FilterRedefined(
            **MINE | {"name": "Ours"}, former_name="Mine", description=None, fetch_xml=None
        ),
    ),
    ActivateFilter(key="mine"): (),
    DeactivateFilter(key="mine"): (FilterDeactivated(**MINE),),
    RemoveFilter(key="mine"): (FilterRemoved(**MINE, active=True),),
    GiveTemplateToNewUsers(key="mine"): (
        TemplateGivenToNewUsers(
            kind=FilterKind.ONLINE, table="task", filter_key="mine", name="Mine"
        ),
    ),
    WithholdTemplateFromNewUsers(key="mine"): (),
    RestoreDefaultTemplates(): beginning(),
}
"""What each command does for whoever may ask for it, in an active environment."""

ALLOWED_WHEN_ARCHIVED = ALLOWED | {
    ArchiveEnvironment(): (),
    RestoreEnvironment(): (EnvironmentRestored(),),
}

NEEDS = {
    RenameEnvironment: "MANAGE_ENVIRONMENT",
    ArchiveEnvironment: "MANAGE_ENVIRONMENT",
    RestoreEnvironment: "MANAGE_ENVIRONMENT",
    GrantRole: "MANAGE_ROLES",
    RevokeRole: "MANAGE_ROLES",
    ErasePrincipal: "MANAGE_ROLES",
    SwitchAppointmentAttachments: "CHANGE_SETTINGS",
    SwitchAssignedTasks: "CHANGE_SETTINGS",
    SwitchResourceBookings: "CHANGE_SETTINGS",
    ChooseMailingAddresses: "CHANGE_SETTINGS",
    ChooseSyncDirection: "CHANGE_SETTINGS",
    RestoreSyncDirections: "CHANGE_SETTINGS",
    DefineFilter: "CHANGE_SETTINGS",
    RedefineFilter: "CHANGE_SETTINGS",
    ActivateFilter: "CHANGE_SETTINGS",
    DeactivateFilter: "CHANGE_SETTINGS",
    RemoveFilter: "CHANGE_SETTINGS",
    GiveTemplateToNewUsers: "CHANGE_SETTINGS",
    WithholdTemplateFromNewUsers: "CHANGE_SETTINGS",
    RestoreDefaultTemplates: "CHANGE_SETTINGS",
}

FROZEN_BY_ARCHIVING = (
    RenameEnvironment
    | SwitchAppointmentAttachments
    | SwitchAssignedTasks
    | SwitchResourceBookings
    | ChooseMailingAddresses
    | ChooseSyncDirection
    | RestoreSyncDirections
    | commands.Command
)

SETS_OF_ROLES = list(
    chain.from_iterable(combinations(SecurityRole, size) for size in range(3)),
)


def name(value: object) -> str:
    if isinstance(value, tuple):
        return "+".join(value) or "no role"
    if isinstance(value, bool):
        return "platform" if value else "plain"
    return type(value).__name__


every_asker = pytest.mark.parametrize("roles", SETS_OF_ROLES, ids=name)
with_and_without_the_claim = pytest.mark.parametrize("platform", [False, True], ids=name)


def asker(*facts: Event, roles: tuple[SecurityRole, ...], platform: bool) -> Given:
    """Bob holds these roles; Carol audits, to be revoked from; there is a template."""
    held = [RoleGranted(principal=BOB, role=role) for role in roles]
    mine = FilterDefined(**MINE, description="", active=True, fetch_xml=EVERYTHING)
    return given(RoleGranted(principal=CAROL, role=AUDITOR), mine, *held, *facts).by(
        Actor(handle=BOB, platform_administrator=platform)
    )


def missing(command: Command, roles: tuple[SecurityRole, ...], *, platform: bool) -> Refusal | None:
    """What stands against it by the role table, or nothing."""
    held = may(roles, platform=platform)
    if not held:
        return EnvironmentNotFound(key=KEY)
    needs = NEEDS[type(command)]
    return None if needs in held else NotPermitted(needs=Permission(needs))


def answer(asked: Given) -> object:
    """The events, or the one refusal."""
    outcome = asked.outcome
    if isinstance(outcome, Planned):
        return tuple(change.recorded.event for change in outcome.changes)
    return outcome.refusals[0].refusal if isinstance(outcome, Refused) else outcome


def test_the_matrix_has_every_command_but_registering() -> None:
    assert {type(command) for command in ALLOWED} == set(NEEDS)
    assert {*NEEDS, type(REGISTER)} == set(get_args(Command))


@with_and_without_the_claim
@every_asker
def test_in_an_active_environment_the_table_alone_decides(
    roles: tuple[SecurityRole, ...], platform: bool
) -> None:
    for command, events in ALLOWED.items():
        asked = asker(roles=roles, platform=platform).when(command)
        expected = missing(command, roles, platform=platform) or events
        assert answer(asked) == expected, command


@with_and_without_the_claim
@every_asker
def test_in_an_archived_environment_the_table_comes_first_and_then_the_frost(
    roles: tuple[SecurityRole, ...], platform: bool
) -> None:
    for command, events in ALLOWED_WHEN_ARCHIVED.items():
        asked = asker(EnvironmentArchived(), roles=roles, platform=platform).when(command)
        frozen = isinstance(command, FROZEN_BY_ARCHIVING)
        allowed = EnvironmentIsArchived(key=KEY) if frozen else events
        expected = missing(command, roles, platform=platform) or allowed
        assert answer(asked) == expected, command


@with_and_without_the_claim
@every_asker
def test_registering_what_exists_is_for_platform_administrators_to_be_told(
    roles: tuple[SecurityRole, ...], platform: bool
) -> None:
    asker(roles=roles, platform=platform).when(REGISTER).refused(
        EnvironmentExists(key=KEY)
        if platform
        else NotPermitted(needs=Permission.REGISTER_ENVIRONMENT)
    )
