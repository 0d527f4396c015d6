import pytest
from strategies import EVENTS

from domain import environment, switches
from domain.tab import TAB, Section
from domain.warning import WarningCode

SWITCHED: tuple[switches.Event, ...] = (
    switches.AppointmentAttachmentsSwitched(on=True),
    switches.AppointmentAttachmentsSwitched(on=False),
    switches.MailingAddressesChosen(choice=switches.MailingAddresses.ALL_THREE, acknowledged=()),
    switches.MailingAddressesChosen(choice=switches.MailingAddresses.MAILING_ONLY, acknowledged=()),
    switches.AssignedTasksSwitched(on=True),
    switches.AssignedTasksSwitched(on=False),
    switches.ResourceBookingsSwitched(on=True),
    switches.ResourceBookingsSwitched(on=False),
)


def test_the_tab_has_the_four_settings_in_its_order() -> None:
    assert [(key, place.section) for key, place in TAB.items()] == [
        ("appointmentAttachments", Section.APPOINTMENTS),
        ("mailingAddresses", Section.CONTACTS),
        ("assignedTasks", Section.TASKS),
        ("resourceBookings", Section.RESOURCE_BOOKINGS),
    ]


def test_every_switch_stands_on_the_tab() -> None:
    assert {type(event) for event in SWITCHED} == set(EVENTS) & set(switches.Event.__args__)
    assert {event.setting for event in SWITCHED} == set(TAB)


@pytest.mark.parametrize("key", TAB)
def test_a_place_on_the_tab_tells_every_warning_that_its_changes_can_bring(key: str) -> None:
    brought = {
        warning
        for event in SWITCHED
        if event.setting == key
        for warning in environment.warnings(event)
    }
    assert set(TAB[key].warnings) == brought


@pytest.mark.parametrize("key", TAB)
def test_a_place_on_the_tab_has_words_and_warnings_of_its_own_setting(key: str) -> None:
    place = TAB[key]
    assert place.label
    assert place.description.endswith(".")
    assert {warning.setting for warning in place.warnings} == {key}


def test_every_warning_has_its_place_and_only_losing_data_must_be_acknowledged() -> None:
    warnings = [warning for place in TAB.values() for warning in place.warnings]
    assert sorted(warning.code for warning in warnings) == sorted(WarningCode)
    assert [warning.code for warning in warnings if warning.must_be_acknowledged] == [
        WarningCode.ADDRESSES_CAN_LOSE_DATA
    ]
