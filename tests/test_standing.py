from datetime import timedelta

import pytest
from given import ALICE, BOB, KEY, REGISTERED, START, fold, given

from domain import environment
from domain.actor import Actor, Permission, SecurityRole
from domain.environment import EVENT_TYPES, evolve, value
from domain.lifecycle import EnvironmentArchived, EnvironmentRenamed
from domain.membership import RoleGranted, RoleRevoked
from domain.standing import Standing
from domain.switches import AssignedTasksSwitched, MailingAddresses, MailingAddressesChosen

TASKS_ON = AssignedTasksSwitched(on=True)
TASKS_OFF = AssignedTasksSwitched(on=False)
RENAMED = EnvironmentRenamed(name="Fabrikam")


def standing(*events: environment.Event) -> Standing:
    found = given(*events).standing
    assert found is not None
    return found


def test_the_released_events_are_these() -> None:
    assert sorted(EVENT_TYPES) == [
        "appointment_attachments_switched.v1",
        "assigned_tasks_switched.v1",
        "environment_archived.v1",
        "environment_registered.v1",
        "environment_renamed.v1",
        "environment_restored.v1",
        "filter_activated.v1",
        "filter_deactivated.v1",
        "filter_defined.v1",
        "filter_redefined.v1",
        "filter_removed.v1",
        "mailing_addresses_chosen.v1",
        "principal_erased.v1",
        "resource_bookings_switched.v1",
        "role_granted.v1",
        "role_revoked.v1",
        "settings_brought.v1",
        "sync_direction_chosen.v1",
        "sync_direction_restored.v1",
        "template_given_to_new_users.v1",
        "template_withheld_from_new_users.v1",
    ]


def test_a_wire_name_stands_for_the_event_that_bears_it() -> None:
    assert {name: event.wire_name for name, event in EVENT_TYPES.items()} == {
        name: name for name in EVENT_TYPES
    }


def test_a_log_begins_with_a_registration() -> None:
    with pytest.raises(
        ValueError,
        match=r"^A log begins with a registration, not with assigned_tasks_switched\.v1\.$",
    ):
        fold([TASKS_ON])


def test_a_standing_is_where_its_last_fact_left_it() -> None:
    found = standing(TASKS_ON)
    assert found.position == 3
    assert found.as_of == START + timedelta(minutes=3)
    assert found.registered_at == START + timedelta(minutes=1)


def test_the_last_change_of_a_setting_tells_who_when_and_from_what_to_what() -> None:
    change = standing(TASKS_ON, RENAMED, TASKS_OFF, RENAMED).last_changes["assignedTasks"]
    assert change.recorded.position == 5
    assert change.recorded.at == START + timedelta(minutes=5)
    assert change.recorded.actor == ALICE
    assert change.recorded.event == TASKS_OFF
    assert (change.setting, change.before, change.after) == ("assignedTasks", "true", "false")


def test_a_setting_never_touched_has_no_last_change() -> None:
    assert set(standing(TASKS_ON).last_changes) == {
        "environment.state",
        f"role:{ALICE}",
        "assignedTasks",
    }


def test_an_older_standing_keeps_what_it_knew() -> None:
    older = standing(TASKS_ON)
    before = dict(older.last_changes)
    evolve(older.environment, TASKS_OFF)
    assert older == standing(TASKS_ON)
    assert dict(older.last_changes) == before


def test_every_key_has_its_value() -> None:
    all_three = MailingAddressesChosen(choice=MailingAddresses.ALL_THREE, acknowledged=())
    state = standing(TASKS_ON, all_three, RENAMED, EnvironmentArchived()).environment
    assert {
        key: value(state, key)
        for key in (
            "environment.name",
            "environment.state",
            "appointmentAttachments",
            "assignedTasks",
            "resourceBookings",
            "mailingAddresses",
            f"role:{ALICE}",
            f"role:{BOB}",
        )
    } == {
        "environment.name": "Fabrikam",
        "environment.state": "ARCHIVED",
        "appointmentAttachments": "false",
        "assignedTasks": "true",
        "resourceBookings": "false",
        "mailingAddresses": "ALL_THREE",
        f"role:{ALICE}": "SYSTEM_ADMINISTRATOR",
        f"role:{BOB}": None,
    }


def test_before_there_is_an_environment_no_key_has_a_value() -> None:
    assert value(None, "environment.name") is None
    assert value(None, "assignedTasks") is None


def test_a_key_that_is_none_has_no_value() -> None:
    with pytest.raises(KeyError, match=r"^'environment\.mood'$"):
        value(standing().environment, "environment.mood")


def test_an_environment_knows_the_roles_and_rights_of_everyone() -> None:
    state = standing(RoleGranted(principal=BOB, role=SecurityRole.BASIC_USER)).environment
    assert state.roles(BOB) == {SecurityRole.BASIC_USER}
    assert state.permissions(Actor(handle=BOB)) == {Permission.READ_SETTINGS}
    revoked = RoleRevoked(principal=BOB, role=SecurityRole.BASIC_USER)
    assert evolve(state, revoked).permissions(Actor(handle=BOB)) == frozenset()


def test_a_fact_is_applied_without_asking_whether_it_may_be() -> None:
    revoked = RoleRevoked(principal=ALICE, role=SecurityRole.SYSTEM_ADMINISTRATOR)
    assert standing(EnvironmentArchived(), TASKS_ON, revoked).environment.members == {}
    assert standing(RoleRevoked(principal=BOB, role=SecurityRole.AUDITOR)).environment == (
        standing().environment
    )


def test_a_registration_is_the_whole_beginning() -> None:
    again = evolve(standing(TASKS_ON, RENAMED).environment, REGISTERED[0])
    assert again == evolve(None, REGISTERED[0])
    assert again.profile.key == KEY
    assert again.members == {}
