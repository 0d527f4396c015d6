from dataclasses import replace
from datetime import timedelta

import pytest
from given import (
    ALICE,
    BEGINNING,
    BEGUN,
    BOB,
    CAROL,
    KEY,
    NOBODY,
    PLATFORM,
    REGISTER,
    START,
    given,
    nothing,
)

from domain.actor import NotPermitted, Permission, SecurityRole
from domain.environment import Command, Event
from domain.filters.commands import DefineFilter, RemoveFilter
from domain.filters.criteria import Group
from domain.filters.state import FilterKind, FilterRole
from domain.lifecycle import (
    ArchiveEnvironment,
    EnvironmentArchived,
    EnvironmentIsArchived,
    EnvironmentNotFound,
    EnvironmentRenamed,
    EnvironmentRestored,
    RenameEnvironment,
    RestoreEnvironment,
)
from domain.membership import (
    ErasePrincipal,
    GrantRole,
    LastAdministrator,
    RevokeRole,
    RoleGranted,
)
from domain.plan import (
    BeyondTheEnd,
    ChangedMeanwhile,
    NothingAsked,
    Planned,
    Refusal,
    TooManyChanges,
    consequences,
)
from domain.refusal import RefusalCode
from domain.standing import Change
from domain.switches import (
    ADDRESSES_CAN_LOSE_DATA,
    ASSIGNED_TASKS_HAVE_LIMITS,
    ATTACHMENTS_SKIP_RECURRING_AND_SERVICE,
    ATTACHMENTS_USE_DATABASE_SPACE,
    AppointmentAttachmentsSwitched,
    AssignedTasksSwitched,
    ChooseMailingAddresses,
    MailingAddresses,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
    WarningNotAcknowledged,
)
from domain.warning import WarningCode

NOT_FOUND = EnvironmentNotFound(key=KEY)
ATTACHMENTS_ON = AppointmentAttachmentsSwitched(on=True)
TURN_ATTACHMENTS_ON = SwitchAppointmentAttachments(on=True)
TURN_ATTACHMENTS_OFF = SwitchAppointmentAttachments(on=False)
TURN_TASKS_ON = SwitchAssignedTasks(on=True)
UNACKNOWLEDGED = ChooseMailingAddresses(choice=MailingAddresses.ALL_THREE)
BOB_AUDITS = RoleGranted(principal=BOB, role=SecurityRole.AUDITOR)


def last_change(setting: str, *events: Event) -> Change:
    standing = given(*events).standing
    assert standing is not None
    return standing.last_changes[setting]


def changed_meanwhile(setting: str, *events: Event, since: int) -> ChangedMeanwhile:
    return ChangedMeanwhile(
        expected_position=since,
        position=2 + len(events),
        by=(last_change(setting, *events),),
    )


def test_the_changes_of_a_request_are_one_set_that_follows_the_log_without_a_gap() -> None:
    planned = given(BOB_AUDITS).when(TURN_ATTACHMENTS_ON, TURN_ATTACHMENTS_ON, TURN_TASKS_ON)
    changes = planned.then(ATTACHMENTS_ON, AssignedTasksSwitched(on=True)).changes
    assert [
        (each.recorded.position, each.recorded.change_set, each.setting, each.before, each.after)
        for each in changes
    ] == [
        (4, 4, "appointmentAttachments", "false", "true"),
        (5, 4, "assignedTasks", "false", "true"),
    ]


def test_the_changes_bear_who_asked_and_when() -> None:
    planned = given().when(TURN_TASKS_ON).then(AssignedTasksSwitched(on=True))
    [change] = planned.changes
    assert change.recorded.actor == ALICE
    assert change.recorded.at == START + timedelta(days=1)
    assert planned.standing.position == 3
    assert planned.standing.as_of == START + timedelta(days=1)


def test_a_log_begins_at_position_one() -> None:
    planned = nothing().by(PLATFORM).when(REGISTER).then(*BEGINNING)
    assert [
        (each.recorded.position, each.recorded.change_set, each.setting, each.before, each.after)
        for each in planned.changes[:2]
    ] == [
        (1, 1, "environment.state", None, "ACTIVE"),
        (2, 1, f"role:{ALICE}", None, "SYSTEM_ADMINISTRATOR"),
    ]
    assert planned.standing.position == BEGUN
    assert planned.standing.registered_at == START + timedelta(days=1)


def test_each_command_sees_what_the_one_before_left() -> None:
    given().when(TURN_ATTACHMENTS_ON, TURN_ATTACHMENTS_OFF, TURN_ATTACHMENTS_OFF).then(
        ATTACHMENTS_ON, AppointmentAttachmentsSwitched(on=False)
    )


def test_asking_for_what_is_so_already_leaves_the_standing_as_it_is() -> None:
    asked = given(ATTACHMENTS_ON)
    assert asked.when(TURN_ATTACHMENTS_ON).then().standing == asked.standing


def test_what_to_know_about_changes_is_told_once_each_in_their_order() -> None:
    planned = given().when(TURN_TASKS_ON, TURN_ATTACHMENTS_ON, TURN_ATTACHMENTS_OFF).outcome
    again = given().when(TURN_ATTACHMENTS_ON, TURN_ATTACHMENTS_OFF, TURN_ATTACHMENTS_ON).outcome
    assert isinstance(planned, Planned)
    assert isinstance(again, Planned)
    of_attachments = (ATTACHMENTS_USE_DATABASE_SPACE, ATTACHMENTS_SKIP_RECURRING_AND_SERVICE)
    told = (ASSIGNED_TASKS_HAVE_LIMITS, *of_attachments)
    assert consequences(planned.changes, planned.standing) == told
    assert consequences(again.changes, again.standing) == of_attachments


def test_what_to_know_depends_on_how_it_stands_after_all_of_them() -> None:
    one, other = (
        DefineFilter(
            role=FilterRole.SYSTEM_FILTER,
            kind=FilterKind.ONLINE,
            table="contact",
            name=key,
            key=key,
            criteria=Group(),
        )
        for key in "ab"
    )
    last = given().when(one, RemoveFilter(key="a")).outcome
    not_last = given().when(one, RemoveFilter(key="a"), other).outcome
    assert isinstance(last, Planned)
    assert isinstance(not_last, Planned)
    told = consequences(last.changes, last.standing)
    assert [each.code for each in told] == [WarningCode.LAST_ACTIVE_FILTER]
    assert consequences(not_last.changes, not_last.standing) == ()


def test_asking_for_nothing_is_refused() -> None:
    given().when().refused_at({None: NothingAsked()})


def test_two_hundred_changes_can_be_asked_for() -> None:
    given().when(*[TURN_ATTACHMENTS_ON] * 200).then(ATTACHMENTS_ON)


def test_two_hundred_and_one_changes_are_too_many() -> None:
    given().when(*[TURN_ATTACHMENTS_ON] * 201).refused_at({None: TooManyChanges(asked=201)})


def test_every_refusal_is_told_at_once_with_the_index_of_what_was_asked() -> None:
    given().when(
        TURN_ATTACHMENTS_ON,
        UNACKNOWLEDGED,
        RenameEnvironment(name="Fabrikam"),
        RevokeRole(principal=ALICE, role=SecurityRole.SYSTEM_ADMINISTRATOR),
        REGISTER,
        TURN_TASKS_ON,
    ).refused_at(
        {
            1: WarningNotAcknowledged(warning=ADDRESSES_CAN_LOSE_DATA),
            3: LastAdministrator(),
            4: NotPermitted(needs=Permission.REGISTER_ENVIRONMENT),
        }
    )


def test_a_refused_command_is_not_there_for_the_next_one() -> None:
    given(EnvironmentArchived()).when(TURN_TASKS_ON, RestoreEnvironment(), UNACKNOWLEDGED).refused(
        EnvironmentIsArchived(key=KEY), WarningNotAcknowledged(warning=ADDRESSES_CAN_LOSE_DATA)
    )


@pytest.mark.parametrize("expected", [None, 0, 5])
@pytest.mark.parametrize(
    "commands",
    [
        (),
        (RenameEnvironment(name="Contoso"),),
        (TURN_ATTACHMENTS_ON, UNACKNOWLEDGED),
        (GrantRole(principal=BOB, role=SecurityRole.SYSTEM_ADMINISTRATOR),),
        (REGISTER,),
        (REGISTER, TURN_ATTACHMENTS_ON),
        (TURN_ATTACHMENTS_ON,) * 201,
        (REGISTER,) * 201,
    ],
)
def test_a_hidden_environment_is_exactly_like_a_missing_one(
    commands: tuple[Command, ...], expected: int | None
) -> None:
    hidden = replace(given(ATTACHMENTS_ON), actor=NOBODY, expected_position=expected)
    missing = replace(nothing(), actor=NOBODY, expected_position=expected)
    assert hidden.when(*commands).outcome == missing.when(*commands).outcome


def test_a_hidden_or_missing_environment_is_not_found() -> None:
    for asked in (given(), nothing()):
        asked.by(NOBODY).when(TURN_TASKS_ON, TURN_TASKS_ON).refused_at({None: NOT_FOUND})
        asked.by(NOBODY).expecting(99).when(TURN_TASKS_ON).refused_at({None: NOT_FOUND})
        asked.by(NOBODY).when().refused_at({None: NOT_FOUND})
    nothing().by(PLATFORM).when(RenameEnvironment(name="x")).refused_at({None: NOT_FOUND})


def test_a_setting_changed_after_the_expected_position_is_a_conflict() -> None:
    given(ATTACHMENTS_ON).expecting(2).when(TURN_ATTACHMENTS_OFF).refused_at(
        {0: changed_meanwhile("appointmentAttachments", ATTACHMENTS_ON, since=2)}
    )


def test_a_conflict_is_one_even_if_what_is_asked_holds_by_now() -> None:
    given(ATTACHMENTS_ON).expecting(2).when(TURN_ATTACHMENTS_ON).refused(
        changed_meanwhile("appointmentAttachments", ATTACHMENTS_ON, since=2)
    )


def test_a_setting_last_changed_at_the_expected_position_is_none() -> None:
    given(ATTACHMENTS_ON).expecting(3).when(TURN_ATTACHMENTS_OFF).then(
        AppointmentAttachmentsSwitched(on=False)
    )


def test_without_an_expected_position_nothing_is_a_conflict() -> None:
    given(ATTACHMENTS_ON).when(TURN_ATTACHMENTS_OFF).then(AppointmentAttachmentsSwitched(on=False))


def test_other_settings_do_not_matter() -> None:
    given(ATTACHMENTS_ON).expecting(2).when(TURN_TASKS_ON).then(AssignedTasksSwitched(on=True))


def test_each_setting_is_compared_on_its_own() -> None:
    facts = (ATTACHMENTS_ON, AssignedTasksSwitched(on=True), EnvironmentRenamed(name="F"))
    given(*facts).expecting(3).when(
        TURN_ATTACHMENTS_OFF,
        SwitchAssignedTasks(on=False),
        SwitchResourceBookings(on=True),
        RenameEnvironment(name="Fabrikam"),
    ).refused_at(
        {
            1: changed_meanwhile("assignedTasks", *facts, since=3),
            3: changed_meanwhile("environment.name", *facts, since=3),
        }
    )


def test_the_latest_of_many_changes_is_the_one_that_is_told() -> None:
    facts = (ATTACHMENTS_ON, AppointmentAttachmentsSwitched(on=False), ATTACHMENTS_ON)
    given(*facts).expecting(2).when(TURN_ATTACHMENTS_OFF).refused(
        changed_meanwhile("appointmentAttachments", *facts, since=2)
    )


def test_the_roles_of_one_member_conflict_and_those_of_another_do_not() -> None:
    given(BOB_AUDITS).expecting(2).when(
        GrantRole(principal=CAROL, role=SecurityRole.AUDITOR),
        GrantRole(principal=BOB, role=SecurityRole.BASIC_USER),
    ).refused_at({1: changed_meanwhile(f"role:{BOB}", BOB_AUDITS, since=2)})


def test_erasing_conflicts_with_what_became_of_their_roles_meanwhile() -> None:
    there = given(BOB_AUDITS)
    assert there.standing is not None
    end = there.standing.position
    [why] = there.expecting(end - 1).when(ErasePrincipal(principal=BOB)).refusals()
    assert isinstance(why, ChangedMeanwhile)
    there.expecting(end).when(ErasePrincipal(principal=BOB)).events()


def test_archiving_and_restoring_conflict_with_each_other_alone() -> None:
    facts = (EnvironmentArchived(), EnvironmentRestored())
    given(*facts).expecting(3).when(
        ArchiveEnvironment(), RestoreEnvironment(), RenameEnvironment(name="Fabrikam")
    ).refused_at(
        {
            0: changed_meanwhile("environment.state", *facts, since=3),
            1: changed_meanwhile("environment.state", *facts, since=3),
        }
    )


def test_own_changes_within_the_request_do_not_count() -> None:
    given().expecting(2).when(TURN_ATTACHMENTS_ON, TURN_ATTACHMENTS_OFF).then(
        ATTACHMENTS_ON, AppointmentAttachmentsSwitched(on=False)
    )


def test_a_missing_permission_is_told_rather_than_a_conflict() -> None:
    given(BOB_AUDITS, ATTACHMENTS_ON).by(NOBODY).expecting(0).when(TURN_ATTACHMENTS_OFF).refused(
        NotPermitted(needs=Permission.CHANGE_SETTINGS)
    )


def test_a_lost_permission_is_told_rather_than_a_conflict() -> None:
    administers = RoleGranted(principal=BOB, role=SecurityRole.SYSTEM_ADMINISTRATOR)
    given(ATTACHMENTS_ON, administers).expecting(2).when(
        RevokeRole(principal=ALICE, role=SecurityRole.SYSTEM_ADMINISTRATOR), TURN_ATTACHMENTS_OFF
    ).refused_at({1: NOT_FOUND})


def test_a_conflict_is_told_rather_than_what_else_stands_against_it() -> None:
    facts = (ATTACHMENTS_ON, EnvironmentArchived())
    given(*facts).expecting(2).when(TURN_ATTACHMENTS_OFF).refused(
        changed_meanwhile("appointmentAttachments", *facts, since=2)
    )


@pytest.mark.parametrize("asked", [3, 400])
def test_a_position_beyond_the_end_is_a_mistake_and_no_conflict(asked: int) -> None:
    given().expecting(asked).when(TURN_TASKS_ON).beyond(2)


def test_the_end_itself_is_not_beyond_it() -> None:
    given().expecting(2).when(TURN_TASKS_ON).then(AssignedTasksSwitched(on=True))


def test_an_environment_to_be_registered_ends_at_nothing() -> None:
    nothing().by(PLATFORM).expecting(1).when(REGISTER).beyond(0)
    nothing().by(PLATFORM).expecting(0).when(REGISTER).then(*BEGINNING)


@pytest.mark.parametrize(
    ("refusal", "code", "message"),
    [
        (NothingAsked(), "NOTHING_ASKED", "No change is asked for. Ask for 1 to 200."),
        (
            TooManyChanges(asked=201),
            "TOO_MANY_CHANGES",
            "201 changes are asked for at once. Ask for 1 to 200.",
        ),
        (
            changed_meanwhile("appointmentAttachments", ATTACHMENTS_ON, since=2),
            "CHANGED_MEANWHILE",
            (
                "appointmentAttachments was changed after position 2. "
                "Look at the settings at position 3 and ask again."
            ),
        ),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(
    refusal: Refusal, code: str, message: str
) -> None:
    assert refusal.code is RefusalCode(code)
    assert refusal.message == message


def test_a_position_beyond_the_end_is_told_the_end() -> None:
    assert BeyondTheEnd(asked=9, position=2).message == (
        "Position 9 is beyond the end of the log, which is 2."
    )
