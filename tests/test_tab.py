from typing import get_args

import pytest
from given import NEW

from domain import environment, field_mappings, switches
from domain.mapping_table import MAPPINGS, SyncDirection
from domain.tab import TAB, Section
from domain.warning import WarningCode

CHANGES: tuple[switches.Event | field_mappings.Event, ...] = (
    switches.AppointmentAttachmentsSwitched(on=True),
    switches.AppointmentAttachmentsSwitched(on=False),
    switches.MailingAddressesChosen(choice=switches.MailingAddresses.ALL_THREE, acknowledged=()),
    switches.MailingAddressesChosen(choice=switches.MailingAddresses.MAILING_ONLY, acknowledged=()),
    switches.AssignedTasksSwitched(on=True),
    switches.AssignedTasksSwitched(on=False),
    switches.ResourceBookingsSwitched(on=True),
    switches.ResourceBookingsSwitched(on=False),
    *(
        change(mapping=mapping, direction=SyncDirection.NONE)
        for mapping in MAPPINGS
        for change in (field_mappings.SyncDirectionChosen, field_mappings.SyncDirectionRestored)
    ),
)


def test_the_tab_has_its_settings_in_its_order() -> None:
    keys = [*TAB]
    assert keys[:98] == [f"fieldMapping:{mapping}" for mapping in MAPPINGS]
    assert {TAB[key].section for key in keys[:98]} == {Section.SYNCHRONIZED_FIELDS}
    assert [(key, TAB[key].section) for key in keys[98:]] == [
        ("appointmentAttachments", Section.APPOINTMENTS),
        ("mailingAddresses", Section.CONTACTS),
        ("assignedTasks", Section.TASKS),
        ("resourceBookings", Section.RESOURCE_BOOKINGS),
    ]


def test_every_setting_that_can_change_stands_on_the_tab() -> None:
    changing = {*get_args(switches.Event), *get_args(field_mappings.Event)}
    assert {type(event) for event in CHANGES} == changing
    assert {event.setting for event in CHANGES} == set(TAB)


@pytest.mark.parametrize("key", TAB)
def test_a_place_on_the_tab_tells_every_warning_that_its_changes_can_bring(key: str) -> None:
    brought = {
        warning
        for event in CHANGES
        if event.setting == key
        for warning in environment.warnings(NEW, event)
    }
    settable = MAPPINGS[key.removeprefix("fieldMapping:")].settable if ":" in key else True
    assert set(TAB[key].warnings) == (brought if settable else set())


@pytest.mark.parametrize("key", TAB)
def test_a_place_on_the_tab_has_words_and_warnings_of_its_own_setting(key: str) -> None:
    place = TAB[key]
    assert place.label
    assert place.description.endswith(".")
    assert {warning.setting for warning in place.warnings} <= {None, key}


def test_every_warning_has_its_place_and_only_losing_data_must_be_acknowledged() -> None:
    warnings = dict.fromkeys(warning for place in TAB.values() for warning in place.warnings)
    of_filters = {
        WarningCode.LAST_ACTIVE_FILTER,
        WarningCode.TEMPLATE_COPIES_STAY,
        WarningCode.TEMPLATE_IS_INACTIVE,
        WarningCode.UNVERIFIED_COLUMN,
    }
    assert {warning.code for warning in warnings} == set(WarningCode) - of_filters
    assert [warning.code for warning in warnings if warning.must_be_acknowledged] == [
        WarningCode.ADDRESSES_CAN_LOSE_DATA
    ]


def test_a_setting_that_nobody_changed_holds_its_default() -> None:
    assert [environment.default(key) for key in TAB][98:] == [
        "false",
        "MAILING_ONLY",
        "false",
        "false",
    ]
    for mapping in MAPPINGS.values():
        assert environment.default(f"fieldMapping:{mapping.key}") == mapping.default.value


@pytest.mark.parametrize("key", ["fieldMapping:contact.unheardOf", "environment.name", ""])
def test_what_is_not_on_the_tab_has_no_default(key: str) -> None:
    with pytest.raises(KeyError):
        environment.default(key)
