from base64 import urlsafe_b64encode

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
)
from hypothesis import given
from hypothesis import strategies as st

from api.nodes import NodeId, parsed
from domain.membership import RevokeRole
from domain.switches import SwitchAssignedTasks, SwitchResourceBookings

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

NODE = """query ($id: ID!) { node(id: $id) { __typename id
  ... on Environment { key }
  ... on SynchronizationSettings { position assignedTasks { enabled } }
  ... on Switch { key enabled }
  ... on MailingAddressesSetting { choice }
  ... on Change { position summary environment { position } }
} }"""


async def node(edge: Edge, person: Person, opaque: object) -> object:
    return at(await edge.data(person, NODE, {"id": opaque}), "node")


async def test_every_kind_of_node_is_fetched_again_by_the_id_it_came_with(edge: Edge) -> None:
    key = await edge.open()
    await edge.change(CARL, SwitchAssignedTasks(on=True), key=key)
    environment = at(
        await edge.data(
            WORKER,
            f"""{{ environment(key: "{key}") {{ __typename id settings {{ __typename id
              assignedTasks {{ __typename id lastChange {{ __typename id }} }}
              mailingAddresses {{ __typename id }} }} }} }}""",
        ),
        "environment",
    )
    for path in (
        "id",
        "settings.id",
        "settings.assignedTasks.id",
        "settings.assignedTasks.lastChange.id",
        "settings.mailingAddresses.id",
    ):
        opaque = at(environment, path)
        again = await node(edge, WORKER, opaque)
        assert at(again, "id") == opaque
        name = path.removesuffix("id") + "__typename"
        assert at(again, "__typename") == at(environment, name)


async def test_the_id_of_a_past_point_fetches_the_past_and_only_for_readers_of_history(
    edge: Edge,
) -> None:
    key = await edge.open()
    await edge.change(CARL, SwitchAssignedTasks(on=True), key=key)
    await edge.change(CARL, SwitchAssignedTasks(on=False), key=key)
    for later, enabled in enumerate((False, True, False)):
        position = STAFFED + later
        of_settings = NodeId("SynchronizationSettings", key, str(position)).opaque
        of_switch = NodeId("Setting", key, str(position), "assignedTasks").opaque
        for reader in (ADA, CARL, AUDREY):
            settings = await node(edge, reader, of_settings)
            assert at(settings, "id") == of_settings
            assert at(settings, "position") == position
            assert at(settings, "assignedTasks.enabled") is enabled
            assert at(await node(edge, reader, of_switch), "enabled") is enabled
        for other in (WORKER, BEN, PAULA, NOBODY):
            assert await node(edge, other, of_settings) is None
            assert await node(edge, other, of_switch) is None


async def test_a_change_in_the_middle_of_a_change_set_is_a_node_of_its_own(edge: Edge) -> None:
    key = await edge.open()
    await edge.change(CARL, SwitchAssignedTasks(on=True), SwitchResourceBookings(on=True), key=key)
    found = await node(edge, AUDREY, NodeId("Change", key, str(STAFFED + 1)).opaque)
    assert at(found, "summary") == "Assigned tasks turned on"
    assert at(found, "environment.position") == STAFFED + 2


async def test_the_id_of_a_setting_in_an_older_answer_is_one_of_the_past(edge: Edge) -> None:
    key = await edge.open()
    document = """mutation ($input: ChangeSettingsInput!) { changeSettings(input: $input) {
      ... on SettingsChanged { replayed settings { id position } } } }"""
    change = {
        "environmentKey": key,
        "changes": [{"assignedTasks": {"enabled": True}}],
        "requestId": "0b0e3a52-5d1f-4d55-9a52-6a2b3f0f6c11",
    }
    first = await edge.data(CARL, document, {"input": change})
    assert at(first, "changeSettings.settings.id") == NodeId("SynchronizationSettings", key).opaque
    await edge.change(CARL, SwitchAssignedTasks(on=False), key=key)
    again = await edge.data(CARL, document, {"input": change})
    then = STAFFED + 1
    of_then = NodeId("SynchronizationSettings", key, str(then)).opaque
    assert at(again, "changeSettings") == {
        "replayed": True,
        "settings": {"id": of_then, "position": then},
    }


NOTHING = [
    "",
    "garbage",
    "ÄÖÜ",
    "====",
    "x" * 10_000,
    urlsafe_b64encode(b"\xff\xfe").decode(),
    NodeId("Environment", "missing").opaque,
    NodeId("Environment", "UPPER").opaque,
    NodeId("Environment", KEY, str(STAFFED)).opaque,
    NodeId("Environment", KEY, "", "more").opaque,
    NodeId("Environment", KEY).opaque + "=",
    NodeId("Environment", KEY).opaque + " ",
    NodeId("Principal", KEY).opaque,
    NodeId("environment", KEY).opaque,
    NodeId("Setting", KEY).opaque,
    NodeId("Setting", KEY, "", "contact.notes").opaque,
    NodeId("Setting", KEY, "", "environment.name").opaque,
    NodeId("SynchronizationSettings", KEY, "", "more").opaque,
    *(
        NodeId(kind, KEY, position, rest).opaque
        for kind, rest in (
            ("Setting", "assignedTasks"),
            ("SynchronizationSettings", ""),
            ("Change", ""),
        )
        for position in (
            "0",
            str(STAFFED + 1),
            "999999999999999999",
            "9" * 19,
            "9" * 50,
            "-1",
            "+1",
            "1_0",
        )
    ),
    *(NodeId("Change", KEY, at).opaque for at in ("", "01", "²", "\u0661", "preview", "1 ")),
    NodeId("SynchronizationSettings", KEY, "preview").opaque,
]


async def test_whatever_stands_for_nothing_is_null_without_an_error(edge: Edge) -> None:
    found = {opaque: await node(edge, ADA, opaque) for opaque in NOTHING}
    assert found == dict.fromkeys(NOTHING)


async def test_nodes_come_in_the_order_asked_with_null_where_there_is_nothing(edge: Edge) -> None:
    hidden = "hidden-nodes"
    await edge.register(hidden, administrator=Person("other@contoso.example"))
    ids = [
        NodeId("SynchronizationSettings", KEY).opaque,
        NodeId("Environment", hidden).opaque,
        "garbage",
        NodeId("Environment", KEY).opaque,
        NodeId("Environment", KEY).opaque,
    ]
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    found = at(await edge.data(BEN, document, {"ids": ids}), "nodes")
    assert found == [{"id": ids[0]}, None, None, {"id": ids[3]}, {"id": ids[4]}]
    assert await edge.data(BEN, document, {"ids": []}) == {"nodes": []}
    assert codes(await edge.ask(BEN, document, {"ids": ["x"] * 101})) == ["BAD_USER_INPUT"]
    assert await edge.data(BEN, document, {"ids": ["x"] * 100}) == {"nodes": [None] * 100}


async def test_a_setting_of_the_past_is_gone_with_the_right_to_read_history(edge: Edge) -> None:
    key = await edge.open()
    opaque = NodeId("Setting", key, str(STAFFED), "assignedTasks").opaque
    assert at(await node(edge, AUDREY, opaque), "id") == opaque
    handle = (await edge.actor(AUDREY)).handle
    assert AUDREY.role is not None
    await edge.change(ADA, RevokeRole(principal=handle, role=AUDREY.role), key=key)
    assert await node(edge, AUDREY, opaque) is None


@given(st.text())
async def test_no_text_is_an_accident_as_an_id(text: str) -> None:
    found = parsed(text)
    assert found is None or isinstance(found.position, int | None)
