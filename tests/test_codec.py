import json
import subprocess
import sys
from dataclasses import fields
from uuid import uuid4

import pytest
from given import ALICE, BEGINNING, BOB, KEY, REGISTER, REGISTERED, fold
from hypothesis import given
from strategies import EVENTS, History, events, histories

from domain.actor import Actor, SecurityRole
from domain.environment import EVENT_TYPES, Command, Event
from domain.field_mappings import SyncDirectionChosen, SyncDirectionRestored
from domain.filters.facts import (
    FilterActivated,
    FilterDeactivated,
    FilterDefined,
    FilterRedefined,
    FilterRemoved,
    TemplateGivenToNewUsers,
    TemplateWithheldFromNewUsers,
)
from domain.filters.lifecycle import About
from domain.filters.state import FilterKind, FilterRole
from domain.lifecycle import (
    ArchiveEnvironment,
    EnvironmentArchived,
    EnvironmentKind,
    EnvironmentRegistered,
    EnvironmentRenamed,
    EnvironmentRestored,
    RestoreEnvironment,
)
from domain.mapping_table import SyncDirection
from domain.membership import GrantRole, PrincipalErased, RevokeRole, RoleGranted, RoleRevoked
from domain.plan import Ask
from domain.source import SettingsBrought
from domain.switches import (
    AppointmentAttachmentsSwitched,
    AssignedTasksSwitched,
    ChooseMailingAddresses,
    MailingAddresses,
    MailingAddressesChosen,
    ResourceBookingsSwitched,
    SwitchAssignedTasks,
)
from domain.warning import WarningCode
from eventstore.codec import (
    FORM,
    NotOurs,
    decode,
    decode_standing,
    digest,
    encode,
    encode_standing,
)
from projections.projector import SCHEMA

MINE: About = {
    "filter_key": "mine",
    "role": FilterRole.SYSTEM_FILTER,
    "kind": FilterKind.OFFLINE,
    "table": "task",
    "name": "Mine",
}
RELEASED: dict[str, tuple[Event, str]] = {
    "environment_registered.v1": (
        EnvironmentRegistered(
            key=KEY, name="Größe „XL“\n", kind=EnvironmentKind.PRODUCTION, catalogue=1
        ),
        '{"catalogue":1,"key":"contoso-prod","kind":"PRODUCTION","name":"Größe „XL“\\n"}',
    ),
    "environment_renamed.v1": (EnvironmentRenamed(name="📎"), '{"name":"📎"}'),
    "environment_archived.v1": (EnvironmentArchived(), "{}"),
    "environment_restored.v1": (EnvironmentRestored(), "{}"),
    "role_granted.v1": (
        RoleGranted(principal=ALICE, role=SecurityRole.SYSTEM_ADMINISTRATOR),
        '{"principal":"a11ce000-0000-4000-8000-000000000000","role":"SYSTEM_ADMINISTRATOR"}',
    ),
    "role_revoked.v1": (
        RoleRevoked(principal=BOB, role=SecurityRole.SYNC_WORKER),
        '{"principal":"b0b00000-0000-4000-8000-000000000000","role":"SYNC_WORKER"}',
    ),
    "principal_erased.v1": (
        PrincipalErased(principal=BOB),
        '{"principal":"b0b00000-0000-4000-8000-000000000000"}',
    ),
    "appointment_attachments_switched.v1": (
        AppointmentAttachmentsSwitched(on=True),
        '{"on":true}',
    ),
    "assigned_tasks_switched.v1": (AssignedTasksSwitched(on=False), '{"on":false}'),
    "resource_bookings_switched.v1": (ResourceBookingsSwitched(on=True), '{"on":true}'),
    "mailing_addresses_chosen.v1": (
        MailingAddressesChosen(
            choice=MailingAddresses.ALL_THREE,
            acknowledged=(WarningCode.ADDRESSES_CAN_LOSE_DATA,),
        ),
        '{"acknowledged":["ADDRESSES_CAN_LOSE_DATA"],"choice":"ALL_THREE"}',
    ),
    "sync_direction_chosen.v1": (
        SyncDirectionChosen(mapping="contact.notes", direction=SyncDirection.NONE),
        '{"direction":"NONE","mapping":"contact.notes"}',
    ),
    "sync_direction_restored.v1": (
        SyncDirectionRestored(mapping="task.subject", direction=SyncDirection.BOTH),
        '{"direction":"BOTH","mapping":"task.subject"}',
    ),
    "filter_defined.v1": (
        FilterDefined(**MINE, description="Größe", active=True, fetch_xml="<fetch/>"),
        (
            '{"active":true,"description":"Größe","fetch_xml":"<fetch/>","filter_key":"mine",'
            '"kind":"OFFLINE","name":"Mine","role":"SYSTEM_FILTER","table":"task"}'
        ),
    ),
    "filter_redefined.v1": (
        FilterRedefined(**MINE, former_name="Ours", description=None, fetch_xml=None),
        (
            '{"description":null,"fetch_xml":null,"filter_key":"mine","former_name":"Ours",'
            '"kind":"OFFLINE","name":"Mine","role":"SYSTEM_FILTER","table":"task"}'
        ),
    ),
    "filter_activated.v1": (
        FilterActivated(**MINE),
        (
            '{"filter_key":"mine","kind":"OFFLINE","name":"Mine","role":"SYSTEM_FILTER",'
            '"table":"task"}'
        ),
    ),
    "filter_deactivated.v1": (
        FilterDeactivated(**MINE),
        (
            '{"filter_key":"mine","kind":"OFFLINE","name":"Mine","role":"SYSTEM_FILTER",'
            '"table":"task"}'
        ),
    ),
    "filter_removed.v1": (
        FilterRemoved(**MINE, active=False),
        (
            '{"active":false,"filter_key":"mine","kind":"OFFLINE","name":"Mine",'
            '"role":"SYSTEM_FILTER","table":"task"}'
        ),
    ),
    "template_withheld_from_new_users.v1": (
        TemplateWithheldFromNewUsers(
            kind=FilterKind.ONLINE, table="contact", filter_key="ours", name="Ours"
        ),
        '{"filter_key":"ours","kind":"ONLINE","name":"Ours","table":"contact"}',
    ),
    "template_given_to_new_users.v1": (
        TemplateGivenToNewUsers(
            kind=FilterKind.ONLINE, table="contact", filter_key="ours", name="Ours"
        ),
        '{"filter_key":"ours","kind":"ONLINE","name":"Ours","table":"contact"}',
    ),
    "settings_brought.v1": (
        SettingsBrought(environment="contoso-test", position=31),
        '{"environment":"contoso-test","position":31}',
    ),
}
"""What stands in logs out there. An entry here is never edited: a new shape is a new name."""


def test_every_event_has_been_released_with_an_example() -> None:
    assert set(RELEASED) == set(EVENT_TYPES)
    assert {type(event) for event, _ in RELEASED.values()} == set(EVENTS)


@pytest.mark.parametrize("wire_name", RELEASED)
def test_a_released_event_never_changes_its_shape(wire_name: str) -> None:
    event, payload = RELEASED[wire_name]
    assert encode(event) == (wire_name, payload)
    assert decode(wire_name, payload) == event


@given(events)
def test_what_is_encoded_decodes_to_the_same(event: Event) -> None:
    wire_name, payload = encode(event)
    decoded = decode(wire_name, payload)
    assert decoded == event
    assert type(decoded) is type(event)


@given(events)
def test_the_text_is_canonical(event: Event) -> None:
    _, payload = encode(event)
    members = json.loads(payload)
    assert payload == json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert set(members) == {field.name for field in fields(event)}


@pytest.mark.parametrize(
    ("wire_name", "payload"),
    [
        ("environment_renamed.v2", '{"name":"x"}'),
        ("", "{}"),
        ("environment_renamed.v1", '{"name":"x","more":1}'),
        ("environment_renamed.v1", "{}"),
        ("environment_renamed.v1", '{"name":1}'),
        ("environment_renamed.v1", '{"name":null}'),
        ("environment_renamed.v1", '{"Name":"x"}'),
        ("environment_renamed.v1", '{"name":"x","name":"x"}'),
        ("environment_renamed.v1", '{ "name":"x"}'),
        ("environment_renamed.v1", '{"name": "x"}'),
        ("environment_renamed.v1", '{"name":"x"}\n'),
        ("environment_renamed.v1", '{"name":"\\u0078"}'),
        ("environment_renamed.v1", '{"name":"\\/"}'),
        ("environment_renamed.v1", '["x"]'),
        ("environment_renamed.v1", '"x"'),
        ("environment_renamed.v1", ""),
        ("environment_renamed.v1", '{"name":"x"'),
        ("environment_renamed.v1", '{"name":"x"}{}'),
        ("environment_archived.v1", '{"more":1}'),
        ("environment_archived.v1", "null"),
        ("assigned_tasks_switched.v1", '{"on":"true"}'),
        ("assigned_tasks_switched.v1", '{"on":1}'),
        ("environment_registered.v1", '{"key":"a","kind":"TRIAL","name":"x","catalogue":1}'),
        ("environment_registered.v1", '{"catalogue":1.0,"key":"a","kind":"TRIAL","name":"x"}'),
        ("environment_registered.v1", '{"catalogue":"1","key":"a","kind":"TRIAL","name":"x"}'),
        ("environment_registered.v1", '{"catalogue":1,"key":"a","kind":"trial","name":"x"}'),
        (
            "role_granted.v1",
            '{"principal":"A11CE000-0000-4000-8000-000000000000","role":"AUDITOR"}',
        ),
        ("role_granted.v1", '{"principal":"a11ce00000004000800000000000000","role":"AUDITOR"}'),
        ("role_granted.v1", '{"principal":"a11ce000000040008000000000000000","role":"AUDITOR"}'),
        ("mailing_addresses_chosen.v1", '{"acknowledged":null,"choice":"ALL_THREE"}'),
        ("mailing_addresses_chosen.v1", '{"acknowledged":["UNKNOWN"],"choice":"ALL_THREE"}'),
    ],
)
def test_anything_else_is_not_ours(wire_name: str, payload: str) -> None:
    with pytest.raises(NotOurs):
        decode(wire_name, payload)


def test_what_is_not_ours_says_what_it_is() -> None:
    with pytest.raises(NotOurs, match=r"'more\.v1' is not known to this version"):
        decode("more.v1", "{}")


# Standings


def test_the_form_of_standings_is_what_the_tables_were_made_for() -> None:
    """A new FORM edits the file of the tables, and so all rows are made anew."""
    assert f"The form of their text is {FORM}:" in SCHEMA.read_text(encoding="utf-8")


def test_a_standing_as_text() -> None:
    """What changes here changes the FORM, but for a new member of the environment."""
    granted = RoleGranted(principal=BOB, role=SecurityRole.AUDITOR)
    standing = fold((*REGISTERED[:1], granted))
    assert standing is not None
    handle, when = str(ALICE), "2026-03-03T09:02:00Z"
    position, as_of, registered_at, environment, last = json.loads(encode_standing(standing))
    assert (position, as_of, registered_at) == (2, when, "2026-03-03T09:01:00Z")
    assert environment[:5] == [
        [KEY, "Contoso", "PRODUCTION", "ACTIVE", 1],
        {str(BOB): ["AUDITOR"]},
        [False, False, False, "MAILING_ONLY"],
        {},
        [{}, {}],
    ]
    payload = {"principal": str(BOB), "role": "AUDITOR"}
    assert last[1:] == [[2, 2, when, handle, "role_granted.v1", payload, None]]


@given(histories)
def test_a_standing_that_is_encoded_decodes_to_the_same_in_the_same_order(
    history: History,
) -> None:
    standing = history.standing
    decoded = decode_standing(encode_standing(standing))
    assert decoded == standing
    assert [*decoded.last_changes] == [*standing.last_changes]
    assert [*decoded.environment.members] == [*standing.environment.members]
    assert [*decoded.environment.filters.by_key] == [*standing.environment.filters.by_key]


@pytest.mark.parametrize(
    ("what", "instead"),
    [
        ('[26,"', '[26, "'),
        ('[26,"', '[26.0,"'),
        ('[26,"', '[null,"'),
        ('"PRODUCTION"', '"NONE"'),
        ('["SYSTEM_ADMINISTRATOR"]', '["SYSTEM_ADMINISTRATOR","AUDITOR"]'),
        ("role_granted.v1", "role_granted.v9"),
        ('{"catalogue":1,', '{"catalogue": 1,'),
        ('{"catalogue":1,', '{"more":1,'),
        ('[false,false,false,"MAILING_ONLY"]', '[false,false,false,"MAILING_ONLY",null]'),
        ("]", ""),
    ],
)
def test_any_other_text_is_no_standing_of_ours(what: str, instead: str) -> None:
    standing = fold(BEGINNING)
    assert standing is not None
    text = encode_standing(standing)
    assert what in text
    with pytest.raises(NotOurs):
        decode_standing(text.replace(what, instead))


# What a request asks for

ACTOR = Actor(handle=ALICE)
ID = uuid4()


def asked(*commands: Command, environment: str = KEY, expected: int | None = None) -> Ask:
    return Ask(environment=environment, commands=commands, actor=ACTOR, expected_position=expected)


def test_requests_that_differ_in_anything_have_another_digest() -> None:
    on, off = SwitchAssignedTasks(on=True), SwitchAssignedTasks(on=False)
    digests = [
        digest(ID, asked(), None),
        digest(uuid4(), asked(), None),
        digest(ID, asked(), "reason"),
        digest(ID, asked(environment="another"), None),
        digest(ID, asked(expected=0), None),
        digest(ID, asked(expected=1), None),
        digest(ID, asked(on), None),
        digest(ID, asked(off), None),
        digest(ID, asked(on, off), None),
        digest(ID, asked(off, on), None),
        digest(ID, asked(REGISTER), None),
        digest(ID, asked(ArchiveEnvironment()), None),
        digest(ID, asked(RestoreEnvironment()), None),
        digest(ID, asked(GrantRole(principal=BOB, role=SecurityRole.AUDITOR)), None),
        digest(ID, asked(RevokeRole(principal=BOB, role=SecurityRole.AUDITOR)), None),
    ]
    assert len(set(digests)) == len(digests)
    assert {len(each) for each in digests} == {32}


ACKNOWLEDGE_ALL = f"""
from uuid import UUID
from domain.actor import Actor
from domain.plan import Ask
from domain.switches import ChooseMailingAddresses, MailingAddresses
from domain.warning import WarningCode
from eventstore.codec import digest
choose = ChooseMailingAddresses(
    choice=MailingAddresses.ALL_THREE, acknowledged=frozenset(WarningCode)
)
ask = Ask(environment="{KEY}", commands=(choose,), actor=Actor(handle=UUID("{ALICE}")))
print(digest(UUID("{ID}"), ask, None).hex())
"""


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_digest_is_the_same_in_every_process(seed: str) -> None:
    elsewhere = subprocess.run(
        [sys.executable, "-c", ACKNOWLEDGE_ALL],
        env={"PYTHONHASHSEED": seed},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    choose = ChooseMailingAddresses(
        choice=MailingAddresses.ALL_THREE, acknowledged=frozenset(WarningCode)
    )
    assert digest(ID, asked(choose), None).hex() == elsewhere
