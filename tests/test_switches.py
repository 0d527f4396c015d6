import pytest
from given import ADMINISTRATOR, BOB, NEW, NOBODY, PLATFORM, given

from domain import environment, switches
from domain.actor import Actor, NotPermitted, Permission, SecurityRole
from domain.environment import Command, Event
from domain.membership import RoleGranted
from domain.plan import Planned
from domain.refusal import RefusalCode
from domain.switches import (
    ADDRESSES_ARE_PAIRED_BACK,
    ADDRESSES_CAN_LOSE_DATA,
    ASSIGNED_TASKS_HAVE_LIMITS,
    ATTACHMENTS_SKIP_RECURRING_AND_SERVICE,
    ATTACHMENTS_USE_DATABASE_SPACE,
    BOOKINGS_NEED_USER_OPT_IN,
    AppointmentAttachmentsSwitched,
    AssignedTasksSwitched,
    ChooseMailingAddresses,
    MailingAddresses,
    MailingAddressesChosen,
    ResourceBookingsSwitched,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    Switches,
    SwitchResourceBookings,
    WarningNotAcknowledged,
)
from domain.warning import Warning, WarningCode  # noqa: A004 -- see domain/warning.py

LOSING_DATA = WarningCode.ADDRESSES_CAN_LOSE_DATA
ALL_THREE = MailingAddresses.ALL_THREE
MAILING_ONLY = MailingAddresses.MAILING_ONLY
CHOOSE_ALL_THREE = ChooseMailingAddresses(choice=ALL_THREE, acknowledged=frozenset({LOSING_DATA}))
CHOSEN_ALL_THREE = MailingAddressesChosen(choice=ALL_THREE, acknowledged=(LOSING_DATA,))
CHOSEN_MAILING_ONLY = MailingAddressesChosen(choice=MAILING_ONLY, acknowledged=())

type Asked = type[SwitchAppointmentAttachments | SwitchAssignedTasks | SwitchResourceBookings]
type Happened = type[
    AppointmentAttachmentsSwitched | AssignedTasksSwitched | ResourceBookingsSwitched
]

each_switch = pytest.mark.parametrize(
    ("switch", "switched"),
    [
        (SwitchAppointmentAttachments, AppointmentAttachmentsSwitched),
        (SwitchAssignedTasks, AssignedTasksSwitched),
        (SwitchResourceBookings, ResourceBookingsSwitched),
    ],
)


def test_a_new_environment_has_everything_off_and_the_mailing_address_only() -> None:
    standing = given().standing
    assert standing is not None
    assert standing.environment.switches == Switches(
        appointment_attachments=False,
        assigned_tasks=False,
        resource_bookings=False,
        mailing_addresses=MAILING_ONLY,
    )


@each_switch
def test_a_switch_is_turned_on_and_off(switch: Asked, switched: Happened) -> None:
    given().when(switch(on=True)).then(switched(on=True))
    given(switched(on=True)).when(switch(on=False)).then(switched(on=False))


@each_switch
def test_a_switch_that_stands_so_already_changes_nothing(switch: Asked, switched: Happened) -> None:
    given().when(switch(on=False)).then()
    given(switched(on=True)).when(switch(on=True)).then()


def test_a_switch_turns_nothing_but_itself() -> None:
    alone: dict[Command, Switches] = {
        SwitchAppointmentAttachments(on=True): Switches(appointment_attachments=True),
        SwitchAssignedTasks(on=True): Switches(assigned_tasks=True),
        SwitchResourceBookings(on=True): Switches(resource_bookings=True),
        CHOOSE_ALL_THREE: Switches(mailing_addresses=ALL_THREE),
    }
    for command, expected in alone.items():
        outcome = given().when(command).outcome
        assert isinstance(outcome, Planned)
        assert outcome.standing.environment.switches == expected


def test_three_addresses_are_refused_until_the_data_loss_is_acknowledged() -> None:
    refusal = (
        given()
        .when(ChooseMailingAddresses(choice=ALL_THREE))
        .refused(WarningNotAcknowledged(warning=ADDRESSES_CAN_LOSE_DATA))
    )
    assert refusal.refusals[0].index == 0


def test_another_warning_acknowledged_does_not_help() -> None:
    others = frozenset(WarningCode) - {LOSING_DATA}
    given().when(ChooseMailingAddresses(choice=ALL_THREE, acknowledged=others)).refused(
        WarningNotAcknowledged(warning=ADDRESSES_CAN_LOSE_DATA)
    )


def test_the_event_records_the_acknowledgement_that_was_demanded() -> None:
    given().when(CHOOSE_ALL_THREE).then(CHOSEN_ALL_THREE)


def test_the_event_does_not_record_what_nobody_demanded() -> None:
    everything = frozenset(WarningCode)
    given().when(ChooseMailingAddresses(choice=ALL_THREE, acknowledged=everything)).then(
        CHOSEN_ALL_THREE
    )
    given(CHOSEN_ALL_THREE).when(
        ChooseMailingAddresses(choice=MAILING_ONLY, acknowledged=everything)
    ).then(CHOSEN_MAILING_ONLY)


def test_going_back_to_the_mailing_address_needs_no_acknowledgement() -> None:
    given(CHOSEN_ALL_THREE).when(ChooseMailingAddresses(choice=MAILING_ONLY)).then(
        CHOSEN_MAILING_ONLY
    )


def test_choosing_what_already_holds_changes_nothing_and_needs_no_acknowledgement() -> None:
    given().when(ChooseMailingAddresses(choice=MAILING_ONLY)).then()
    given(CHOSEN_ALL_THREE).when(ChooseMailingAddresses(choice=ALL_THREE)).then()


def test_an_acknowledgement_is_not_remembered_for_the_next_time() -> None:
    given(CHOSEN_ALL_THREE, CHOSEN_MAILING_ONLY).when(
        ChooseMailingAddresses(choice=ALL_THREE)
    ).refused(WarningNotAcknowledged(warning=ADDRESSES_CAN_LOSE_DATA))


@pytest.mark.parametrize(
    "command",
    [
        SwitchAppointmentAttachments(on=True),
        SwitchAssignedTasks(on=True),
        SwitchResourceBookings(on=True),
        CHOOSE_ALL_THREE,
        ChooseMailingAddresses(choice=ALL_THREE),
    ],
)
def test_who_may_not_change_settings_is_told_so_before_anything_else(command: Command) -> None:
    refusal = NotPermitted(needs=Permission.CHANGE_SETTINGS)
    audits = RoleGranted(principal=BOB, role=SecurityRole.AUDITOR)
    given(audits).by(NOBODY).when(command).refused(refusal)
    given().by(PLATFORM).when(command).refused(refusal)


def test_a_customizer_changes_every_setting() -> None:
    customizes = RoleGranted(principal=BOB, role=SecurityRole.SYSTEM_CUSTOMIZER)
    given(customizes).by(NOBODY).when(
        SwitchAppointmentAttachments(on=True),
        SwitchAssignedTasks(on=True),
        SwitchResourceBookings(on=True),
        CHOOSE_ALL_THREE,
    ).then(
        AppointmentAttachmentsSwitched(on=True),
        AssignedTasksSwitched(on=True),
        ResourceBookingsSwitched(on=True),
        CHOSEN_ALL_THREE,
    )


@pytest.mark.parametrize(
    ("event", "sentence", "warnings"),
    [
        (
            AppointmentAttachmentsSwitched(on=True),
            "Appointment attachments turned on",
            (ATTACHMENTS_USE_DATABASE_SPACE, ATTACHMENTS_SKIP_RECURRING_AND_SERVICE),
        ),
        (AppointmentAttachmentsSwitched(on=False), "Appointment attachments turned off", ()),
        (AssignedTasksSwitched(on=True), "Assigned tasks turned on", (ASSIGNED_TASKS_HAVE_LIMITS,)),
        (AssignedTasksSwitched(on=False), "Assigned tasks turned off", ()),
        (
            ResourceBookingsSwitched(on=True),
            "Resource bookings turned on",
            (BOOKINGS_NEED_USER_OPT_IN,),
        ),
        (ResourceBookingsSwitched(on=False), "Resource bookings turned off", ()),
        (CHOSEN_ALL_THREE, "All three addresses are synchronized", (ADDRESSES_CAN_LOSE_DATA,)),
        (
            CHOSEN_MAILING_ONLY,
            "Only the mailing address is synchronized",
            (ADDRESSES_ARE_PAIRED_BACK,),
        ),
    ],
)
def test_a_change_can_be_read_and_tells_its_warnings(
    event: Event, sentence: str, warnings: tuple[Warning, ...]
) -> None:
    assert environment.sentence(event) == sentence
    assert environment.warnings(NEW, event) == warnings


def test_a_setting_holds_true_or_false_or_the_choice_as_a_machine_value() -> None:
    standing = given(AssignedTasksSwitched(on=True), CHOSEN_ALL_THREE).standing
    assert standing is not None
    state = standing.environment.switches
    assert switches.value(state, "appointmentAttachments") == "false"
    assert switches.value(state, "assignedTasks") == "true"
    assert switches.value(state, "resourceBookings") == "false"
    assert switches.value(state, "mailingAddresses") == "ALL_THREE"


def test_there_is_no_value_for_a_key_that_is_no_setting() -> None:
    with pytest.raises(KeyError, match=r"^'telepathy'$"):
        switches.value(Switches(), "telepathy")


def test_the_refusal_tells_the_warning_and_the_code_that_acknowledges_it() -> None:
    refusal = WarningNotAcknowledged(warning=ADDRESSES_CAN_LOSE_DATA)
    assert refusal.code is RefusalCode.WARNING_NOT_ACKNOWLEDGED
    assert refusal.message == (
        f"{ADDRESSES_CAN_LOSE_DATA.message} Acknowledge ADDRESSES_CAN_LOSE_DATA to go on."
    )


def test_an_administrator_who_is_one_for_the_platform_too_loses_no_right() -> None:
    both = Actor(handle=ADMINISTRATOR.handle, platform_administrator=True)
    given().by(both).when(SwitchAssignedTasks(on=True)).then(AssignedTasksSwitched(on=True))
