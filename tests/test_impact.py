from dataclasses import replace

import pytest
from given import BOB, NEW, given
from hypothesis import given as law
from strategies import History, histories

from domain.actor import SecurityRole
from domain.environment import Environment, Event
from domain.field_mappings import SyncDirectionChosen, mappings
from domain.filters.criteria import Condition, Criteria, Group
from domain.filters.facts import (
    FilterActivated,
    FilterDeactivated,
    FilterDefined,
    FilterRedefined,
    FilterRemoved,
    TemplateGivenToNewUsers,
)
from domain.filters.lifecycle import About
from domain.filters.state import FilterKind, FilterRole, canonical_text
from domain.impact import ADDRESS_CLASSES, Impact, impact
from domain.mapping_table import RecordType, SyncDirection
from domain.membership import RoleGranted
from domain.switches import (
    AppointmentAttachmentsSwitched,
    AssignedTasksSwitched,
    MailingAddresses,
    MailingAddressesChosen,
    ResourceBookingsSwitched,
)

CONTACT, TASK = RecordType.CONTACT, RecordType.TASK
OPEN = Group(conditions=(Condition(column="statecode", operator="eq", values=("0",)),))


def text(group: Group, table: str) -> str:
    return canonical_text(Criteria(table=table, group=group))


ABOUT: About = {
    "filter_key": "k",
    "role": FilterRole.SYSTEM_FILTER,
    "kind": FilterKind.ONLINE,
    "table": "contact",
    "name": "Active",
}
DEFINED = FilterDefined(**ABOUT, description="", active=True, fetch_xml=text(OPEN, "contact"))
OFF = FilterDeactivated(**ABOUT)
REDEFINED = FilterRedefined(
    **ABOUT, former_name=None, description=None, fetch_xml=text(Group(), "contact")
)
STOPS = Impact(
    CONTACT,
    "“Active” stops choosing records. Contacts that are active, unless another active filter "
    "chooses them.",
)
STARTS = Impact(CONTACT, "“Active” starts choosing records. Contacts that are active.")
NOBODY = Impact(CONTACT, "Contacts travel only for users who have an active filter of their own.")
MINE: About = ABOUT | {
    "filter_key": "m",
    "role": FilterRole.USER_FILTER_TEMPLATE,
    "table": "task",
    "name": "Mine",
}
TEMPLATE = FilterDefined(**MINE, description="", active=True, fetch_xml=text(OPEN, "task"))
GIVEN = TemplateGivenToNewUsers(kind=FilterKind.ONLINE, table="task", filter_key="m", name="Mine")
TASKS = "Tasks that are open."
CALENDARS = (
    "travelling to the calendars of users who have opted in and whose mailbox uses server-side "
    "synchronization."
)


def after(*events: Event) -> Environment:
    standing = given(*events).standing
    assert standing is not None
    return standing.environment


@pytest.mark.parametrize(
    ("before", "events", "told"),
    [
        ((), (DEFINED,), (STARTS,)),
        ((), (replace(DEFINED, active=False),), ()),
        ((replace(DEFINED, active=False),), (FilterActivated(**ABOUT),), (STARTS,)),
        ((DEFINED,), (OFF,), (STOPS, NOBODY)),
        ((DEFINED,), (FilterRemoved(**ABOUT, active=True),), (STOPS, NOBODY)),
        (
            (DEFINED, replace(DEFINED, filter_key="o", name="Other")),
            (OFF,),
            (STOPS,),
        ),
        ((DEFINED,), (OFF, FilterActivated(**ABOUT)), ()),
        (
            (DEFINED,),
            (REDEFINED,),
            (
                Impact(
                    CONTACT,
                    "“Active” chooses by other criteria. Until now: Contacts that are active. From "
                    "now on: All contacts.",
                ),
            ),
        ),
        ((DEFINED,), (replace(REDEFINED, fetch_xml=None, description="x"),), ()),
        (
            (),
            (replace(DEFINED, kind=FilterKind.OFFLINE),),
            (Impact(CONTACT, f"Offline: {STARTS.message}"),),
        ),
        (
            (),
            (
                replace(
                    DEFINED,
                    kind=FilterKind.OFFLINE,
                    table="account",
                    fetch_xml=text(OPEN, "account"),
                ),
            ),
            (Impact(None, "Offline: “Active” starts choosing records. Accounts that are active."),),
        ),
        ((), (TEMPLATE,), ()),
        ((), (TEMPLATE, GIVEN), (Impact(TASK, f"New users get “Mine”. {TASKS}"),)),
        (
            (TEMPLATE, GIVEN),
            (FilterDeactivated(**MINE),),
            (Impact(TASK, "New users get no template any longer; “Mine” was given to them."),),
        ),
        (
            (TEMPLATE, GIVEN, FilterDeactivated(**MINE)),
            (FilterActivated(**MINE),),
            (Impact(TASK, f"New users get “Mine”. {TASKS}"),),
        ),
        (
            (TEMPLATE, GIVEN),
            (
                replace(TEMPLATE, filter_key="n", name="Same"),
                replace(GIVEN, filter_key="n", name="Same"),
            ),
            (),
        ),
        ((), (TEMPLATE, GIVEN, FilterDeactivated(**MINE)), ()),
    ],
)
def test_filters_start_and_stop_choosing(
    before: tuple[Event, ...], events: tuple[Event, ...], told: tuple[Impact, ...]
) -> None:
    assert impact(after(*before), after(*before, *events)) == told


@pytest.mark.parametrize(
    ("before", "events", "told"),
    [
        (
            (),
            (AssignedTasksSwitched(on=True),),
            (
                Impact(
                    TASK,
                    "Tasks assigned in Outlook start travelling, within the limits of such tasks.",
                ),
            ),
        ),
        (
            (AssignedTasksSwitched(on=True),),
            (AssignedTasksSwitched(on=False),),
            (
                Impact(
                    TASK,
                    "Tasks assigned in Outlook stop travelling, within the limits of such tasks.",
                ),
            ),
        ),
        (
            (),
            (AppointmentAttachmentsSwitched(on=True),),
            (
                Impact(
                    RecordType.APPOINTMENT,
                    "Attachments: starts travelling to Dynamics and to Exchange.",
                ),
            ),
        ),
        (
            (),
            (SyncDirectionChosen(mapping="contact.notes", direction=SyncDirection.TO_CRM),),
            (Impact(CONTACT, "Notes: stops travelling to Exchange."),),
        ),
        (
            (SyncDirectionChosen(mapping="contact.notes", direction=SyncDirection.TO_CRM),),
            (SyncDirectionChosen(mapping="contact.notes", direction=SyncDirection.TO_EXCHANGE),),
            (
                Impact(
                    CONTACT,
                    "Notes: starts travelling to Exchange, stops travelling to Dynamics.",
                ),
            ),
        ),
        (
            (),
            (SyncDirectionChosen(mapping="contact.homeAddress", direction=SyncDirection.NONE),),
            (),
        ),
        (
            (),
            (ResourceBookingsSwitched(on=True),),
            (Impact(None, f"Bookings start {CALENDARS}"),),
        ),
        (
            (ResourceBookingsSwitched(on=True),),
            (ResourceBookingsSwitched(on=False),),
            (Impact(None, f"Bookings stop {CALENDARS}"),),
        ),
        ((), (RoleGranted(principal=BOB, role=SecurityRole.AUDITOR),), ()),
    ],
)
def test_fields_and_tasks_start_and_stop_travelling(
    before: tuple[Event, ...], events: tuple[Event, ...], told: tuple[Impact, ...]
) -> None:
    assert impact(after(*before), after(*before, *events)) == told


def test_all_three_addresses_start_travelling_and_the_first_is_paired_anew() -> None:
    chosen = MailingAddressesChosen(choice=MailingAddresses.ALL_THREE, acknowledged=())
    told = [each.message for each in impact(NEW, after(chosen))]
    assert told[:4] == [*ADDRESS_CLASSES]
    assert [each.split()[0] for each in told[:4]] == ["Safe", "Filled", "Overwritten", "Emptied"]
    assert {each.record_type for each in impact(NEW, after(chosen))} == {CONTACT}
    assert len(told) == 7
    assert told[5] == (
        "Mailing Address/Business Address: is paired with BusinessAddressStreet, "
        "BusinessAddressCity, BusinessAddressState, BusinessAddressPostalCode, "
        "BusinessAddressCountry in Outlook."
    )
    assert sum("starts travelling to Dynamics and to Exchange" in each for each in told) == 2
    assert sum("is paired with" in each for each in told) == 1
    back = [each.message for each in impact(after(chosen), NEW)]
    assert len(back) == 3
    assert sum("stops travelling to Dynamics and to Exchange" in each for each in back) == 2


@law(histories)
def test_there_is_an_impact_only_where_something_differs(history: History) -> None:
    environment = history.standing.environment
    assert impact(environment, environment) == ()
    there, back = impact(NEW, environment), impact(environment, NEW)
    assert bool(there) >= (environment.switches.assigned_tasks)
    of_none = [each.message for each in (*there, *back) if each.record_type is None]
    assert all(each.startswith(("Bookings", "Offline: ")) for each in of_none)
    fields = {mapping.outlook for mapping in mappings()}
    for each in (*there, *back):
        assert each.message.endswith(".")
        assert (
            each.message.partition(":")[0] in fields
            or "“" in each.message
            or each.message.startswith(("Tasks assigned", "Offline", "Bookings"))
            or each.message in ADDRESS_CLASSES
            or "travel only for users" in each.message
        )
