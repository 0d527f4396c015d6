import asyncio
from datetime import datetime

import pytest
import pytest_asyncio
from edge import (
    ADA,
    AUDREY,
    BEN,
    CARL,
    KEY,
    NOBODY,
    PAULA,
    STAFFED,
    WORKER,
    Edge,
    Person,
    at,
    codes,
    opened,
    text_at,
)

from api import queries, scalars
from domain.lifecycle import RenameEnvironment
from domain.switches import (
    ChooseMailingAddresses,
    MailingAddresses,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.warning import WarningCode

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

SETTING = "key section label description isDefault warnings { code setting mustBeAcknowledged }"
CHANGE = "lastChange { position by { id } before after summary setting type reason }"
SETTINGS = f"""query ($key: String!) {{ environment(key: $key) {{ settings {{
  position asOf environment {{ key }}
  appointmentAttachments {{ {SETTING} {CHANGE} enabled enabledByDefault }}
  assignedTasks {{ {SETTING} {CHANGE} enabled enabledByDefault }}
  resourceBookings {{ {SETTING} {CHANGE} enabled enabledByDefault }}
  mailingAddresses {{ {SETTING} {CHANGE} choice defaultChoice }}
}} }} }}"""


async def test_the_viewer_is_who_the_token_says(edge: Edge) -> None:
    asked = "{ viewer { principal { handle id name } platformAdministrator } }"
    nobody = await edge.data(NOBODY, asked)
    assert at(nobody, "viewer.principal.id") == NOBODY.subject
    assert at(nobody, "viewer.platformAdministrator") is False
    assert at(await edge.data(PAULA, asked), "viewer.platformAdministrator") is True
    again = await edge.data(NOBODY, asked)
    assert again == nobody


async def test_a_new_name_in_the_token_is_the_principals_name_from_then_on(edge: Edge) -> None:
    token = edge.issuer.token("grace@contoso.example", name="Grace")
    headers = {"authorization": f"bearer {token}"}
    asked = {"query": "{ viewer { principal { name } } }"}
    answer = await edge.http.post("/graphql", json=asked, headers=headers)
    assert at(answer.json(), "data.viewer.principal.name") == "Grace"


async def test_settings_nobody_touched_are_their_defaults_without_a_change(edge: Edge) -> None:
    settings = at(await edge.data(BEN, SETTINGS, {"key": KEY}), "environment.settings")
    assert at(settings, "position") == STAFFED
    assert at(settings, "environment.key") == KEY
    assert text_at(settings, "asOf").endswith("Z")
    assert len(text_at(settings, "asOf")) == len("2026-03-03T09:00:00.000000Z")
    for switch in ("appointmentAttachments", "assignedTasks", "resourceBookings"):
        assert at(settings, f"{switch}.key") == switch
        assert at(settings, f"{switch}.enabled") is False
        assert at(settings, f"{switch}.enabledByDefault") is False
        assert at(settings, f"{switch}.isDefault") is True
        assert at(settings, f"{switch}.lastChange") is None
        assert text_at(settings, f"{switch}.label").startswith("Synchronize ")
    assert at(settings, "mailingAddresses.choice") == "MAILING_ONLY"
    assert at(settings, "mailingAddresses.defaultChoice") == "MAILING_ONLY"
    assert at(settings, "mailingAddresses.section") == "CONTACTS"
    assert at(settings, "mailingAddresses.warnings.0") == {
        "code": "ADDRESSES_CAN_LOSE_DATA",
        "setting": "mailingAddresses",
        "mustBeAcknowledged": True,
    }


async def test_a_changed_setting_tells_who_changed_it_from_what_to_what_and_why(
    edge: Edge,
) -> None:
    key = await edge.open()
    await edge.change(CARL, SwitchAssignedTasks(on=True), key=key, reason="Ticket 1")
    accepted = frozenset({WarningCode.ADDRESSES_CAN_LOSE_DATA})
    choice = ChooseMailingAddresses(choice=MailingAddresses.ALL_THREE, acknowledged=accepted)
    await edge.change(ADA, choice, key=key)
    settings = at(await edge.data(WORKER, SETTINGS, {"key": key}), "environment.settings")
    assert at(settings, "assignedTasks.enabled") is True
    assert at(settings, "assignedTasks.isDefault") is False
    assert at(settings, "assignedTasks.lastChange") == {
        "position": STAFFED + 1,
        "by": {"id": CARL.subject},
        "before": "false",
        "after": "true",
        "summary": "Assigned tasks turned on",
        "setting": "assignedTasks",
        "type": "assigned_tasks_switched.v1",
        "reason": "Ticket 1",
    }
    assert at(settings, "mailingAddresses.choice") == "ALL_THREE"
    assert at(settings, "mailingAddresses.lastChange.by.id") == ADA.subject
    assert at(settings, "mailingAddresses.lastChange.reason") is None
    assert at(settings, "resourceBookings.lastChange") is None
    assert at(settings, "position") == STAFFED + 2


async def test_a_change_carries_its_canonical_payload_and_its_seal(edge: Edge) -> None:
    key = await edge.open()
    await edge.change(CARL, SwitchResourceBookings(on=True), key=key)
    asked = """query ($key: String!) { environment(key: $key) { settings { resourceBookings {
      lastChange { payload seal at environment { key position } } } } } }"""
    change = at(
        await edge.data(AUDREY, asked, {"key": key}),
        "environment.settings.resourceBookings.lastChange",
    )
    head = next(head for head in await edge.heads() if head.environment == key)
    assert at(change, "payload") == '{"on":true}'
    assert at(change, "seal") == head.seal.hex()
    assert at(change, "environment") == {"key": key, "position": STAFFED + 1}
    assert datetime.fromisoformat(text_at(change, "at")) == head.recorded_at


async def test_members_stand_in_the_order_of_their_first_role_each_with_all_roles(
    edge: Edge,
) -> None:
    members = at(
        await edge.data(
            PAULA, f'{{ environment(key: "{KEY}") {{ members {{ principal {{ id }} roles }} }} }}'
        ),
        "environment.members",
    )
    assert members == [
        {"principal": {"id": person.subject}, "roles": [str(person.role)]}
        for person in (ADA, CARL, AUDREY, WORKER, BEN)
    ]


@pytest.mark.parametrize(
    ("person", "can"),
    [
        (BEN, ["READ_SETTINGS"]),
        (WORKER, ["READ_SETTINGS", "FOLLOW_FEED"]),
        (PAULA, ["MANAGE_ROLES", "MANAGE_ENVIRONMENT", "REGISTER_ENVIRONMENT"]),
    ],
)
async def test_viewers_are_told_what_they_can_do(
    edge: Edge, person: Person, can: list[str]
) -> None:
    asked = f'{{ environment(key: "{KEY}") {{ viewerCan viewerRoles }} }}'
    roles = [] if person.role is None else [person.role.value]
    assert await edge.data(person, asked) == {
        "environment": {"viewerCan": can, "viewerRoles": roles}
    }


AT_LEAST = """query ($key: String!, $at: Int!) {
  environment(key: $key, atLeastPosition: $at) { name position registeredAt } }"""


async def test_a_query_waits_for_the_position_it_was_asked_to_have_reached(edge: Edge) -> None:
    key = await edge.open()
    asked = {"key": key, "at": STAFFED + 1}
    waiting = asyncio.create_task(edge.data(BEN, AT_LEAST, asked))
    await edge.change(ADA, RenameEnvironment(name="Later"), key=key)
    waited = await waiting
    assert at(waited, "environment.name") == "Later"
    assert at(waited, "environment.position") == STAFFED + 1
    assert await edge.data(BEN, AT_LEAST, {"key": key, "at": 3}) == waited
    first = await edge.rooms.log.tip(key, upto=1)
    assert first.standing is not None
    assert text_at(waited, "environment.registeredAt") == scalars.written(first.standing.as_of)


async def test_a_position_that_does_not_come_is_told_with_where_the_log_is(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PATIENCE", 0.05)
    body = await edge.ask(BEN, AT_LEAST, {"key": KEY, "at": 700})
    assert codes(body) == ["POSITION_NOT_REACHED"]
    assert f"is at position {STAFFED}" in text_at(body, "errors.0.message")
    assert at(body, "data") == {"environment": None}


async def test_two_operations_on_one_socket_share_nothing_they_loaded(edge: Edge) -> None:
    key = await edge.open()
    await edge.change(CARL, SwitchAssignedTasks(on=True), key=key, reason="To be erased")
    asked = f'{{ environment(key: "{key}") {{ settings {{ assignedTasks {{ {CHANGE} }} }} }} }}'
    path = "payload.data.environment.settings.assignedTasks.lastChange.reason"
    async with edge.talk(AUDREY) as talk:
        await talk.subscribe("1", asked)
        assert at(await talk.hear(), path) == "To be erased"
        assert at(await talk.hear(), "type") == "complete"
        await edge.place.as_superuser(
            f"DELETE FROM syncledger.remarks WHERE environment = '{key}'"  # noqa: S608 -- own key
        )
        await talk.subscribe("2", asked)
        assert at(await talk.hear(), path) is None
