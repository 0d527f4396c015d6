"""Every mapping in every direction, asked for as a client does."""

import json
from pathlib import Path

import pytest
import pytest_asyncio
from edge import ADA, AUDREY, CARL, Edge, at, codes, list_at, opened, text_at, whole_at
from given import BEGINNING, fold

from domain.tab import TAB, keys

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

FACTS = json.loads((Path(__file__).parent / "facts" / "field-mappings.json").read_text("utf-8"))
ALL_THREE = {"mailingAddresses": {"choice": "ALL_THREE"}}
DIRECTIONS = ["NONE", "TO_EXCHANGE", "TO_CRM", "BOTH"]
MAPPING = """mapping recordType outlookFields crmFields direction defaultDirection
  settableDirections effectiveDirection explanation computed key section label description isDefault
  warnings { code } lastChange { position before after }"""
TABLE = f"""query ($key: String!, $type: RecordType, $settable: Boolean!) {{
  environment(key: $key) {{ settings {{
    fieldMappings(recordType: $type, settableOnly: $settable) {{ {MAPPING} }}
  }} }}
}}"""
CHANGE = """mutation ($input: ChangeSettingsInput!) { changeSettings(input: $input) { __typename
  ... on SettingsChanged { changeSet { firstPosition position
    changes { setting type before after summary } } warnings { code setting } }
  ... on SettingsPreviewed { changes { setting type before after summary } warnings { code } }
  ... on SettingsRefused { refusals { __typename code message change
    ... on DirectionNotSettable { settable } } } } }"""


async def table(
    edge: Edge, key: str, record_type: str | None = None, *, settable: bool = False
) -> list[object]:
    asked = {"key": key, "type": record_type, "settable": settable}
    data = await edge.data(AUDREY, TABLE, asked)
    return list_at(data, "environment.settings.fieldMappings")


async def change(edge: Edge, key: str, *changes: object, **more: object) -> object:
    asked = {"environmentKey": key, "changes": list(changes), **more}
    return at(await edge.data(CARL, CHANGE, {"input": asked}), "changeSettings")


def choose(mapping: str, direction: str) -> object:
    return {"syncDirection": {"mapping": mapping, "direction": direction}}


def documented(direction: object) -> object:
    return "BOTH" if direction == "BIDIRECTIONAL" else direction


@pytest.mark.parametrize("mode", ["MAILING_ONLY", "ALL_THREE"])
@pytest.mark.parametrize("attachments", [False, True])
async def test_the_whole_table_is_as_documented_in_every_mode(
    edge: Edge, mode: str, attachments: bool
) -> None:
    key = await edge.open()
    await change(edge, key, {"appointmentAttachments": {"enabled": attachments}})
    if mode == "ALL_THREE":
        await change(edge, key, ALL_THREE, acknowledge=["ADDRESSES_CAN_LOSE_DATA"])
    rows = await table(edge, key)
    assert len(rows) == len(FACTS) == 98
    for row, fact in zip(rows, FACTS, strict=True):
        default = documented(fact["defaultDirection"])
        there = fact.get("modes", {}).get(mode, {})
        effective = "NONE" if there.get("effective") == "NONE" else default
        if fact["key"] == "appointment.attachments" and attachments:
            effective = "BOTH"
        assert at(row, "mapping") == fact["key"]
        assert at(row, "key") == f"fieldMapping:{fact['key']}"
        assert at(row, "outlookFields") == (there.get("outlookFields") or fact["outlookFields"])
        assert at(row, "crmFields") == fact["crmFields"]
        assert at(row, "direction") == at(row, "defaultDirection") == default
        assert at(row, "effectiveDirection") == effective
        assert at(row, "settableDirections") == (DIRECTIONS if fact["editable"] else [])
        assert at(row, "computed") == fact["computed"]
        assert (at(row, "explanation") is None) == (fact["editable"] and effective == default)
        assert fact["outlookLabel"] in text_at(row, "label")
        assert fact["crmLabel"] in text_at(row, "label")
        assert at(row, "isDefault") is True
        assert at(row, "lastChange") is None
        assert bool(list_at(row, "warnings")) == fact["editable"]


async def test_the_table_is_narrowed_by_record_type_and_by_what_can_be_set(edge: Edge) -> None:
    key = await edge.open()
    contacts = [f for f in FACTS if f["entity"] == "contact"]
    found = await table(edge, key, "CONTACT")
    assert [at(row, "mapping") for row in found] == [fact["key"] for fact in contacts]
    assert {at(row, "recordType") for row in found} == {"CONTACT"}
    assert len(await table(edge, key, settable=True)) == 59
    assert await table(edge, key, "SERVICE_ACTIVITY", settable=True) == []


async def test_every_settable_mapping_is_set_in_every_direction(edge: Edge) -> None:
    key = await edge.open()
    settable = [fact["key"] for fact in FACTS if fact["editable"]]
    for direction in ("NONE", "TO_EXCHANGE", "TO_CRM", "BOTH"):
        done = await change(edge, key, *(choose(mapping, direction) for mapping in settable))
        changes = list_at(done, "changeSet.changes")
        assert [at(each, "setting") for each in changes] == [
            f"fieldMapping:{mapping}" for mapping in settable
        ]
        assert {at(each, "after") for each in changes} == {direction}
        assert at(done, "warnings") == [{"code": "DIRECTION_AFFECTS_SYNC_TIME", "setting": None}]
        rows = await table(edge, key, settable=True)
        assert {at(row, "direction") for row in rows} == {direction}
        assert {at(row, "isDefault") for row in rows} == {direction == "BOTH"}
        first = whole_at(done, "changeSet.firstPosition")
        assert [at(row, "lastChange.position") for row in rows] == [*range(first, first + 59)]
        again = await change(edge, key, *(choose(mapping, direction) for mapping in settable))
        assert at(again, "changeSet") is None


async def test_every_other_mapping_is_refused_with_its_reason_even_as_it_is(edge: Edge) -> None:
    key = await edge.open()
    before = await edge.heads()
    fixed = {
        str(at(row, "mapping")): at(row, "explanation")
        for row in await table(edge, key)
        if not at(row, "settableDirections")
    }
    assert len(fixed) == 39
    for direction in DIRECTIONS:
        refused = await change(edge, key, *(choose(mapping, direction) for mapping in fixed))
        refusals = list_at(refused, "refusals")
        assert len(refusals) == 39
        for index, (refusal, mapping) in enumerate(zip(refusals, fixed, strict=True)):
            assert at(refusal, "__typename") == "DirectionNotSettable"
            assert at(refusal, "code") == "DIRECTION_NOT_SETTABLE"
            assert at(refusal, "change") == index
            assert at(refusal, "settable") == []
            assert text_at(refusal, "message") == (
                f"The direction of {mapping} cannot be set. {fixed[mapping]}"
            )
    assert await edge.heads() == before


async def test_what_cannot_be_is_refused_with_what_would_help(edge: Edge) -> None:
    key = await edge.open()
    (refusal,) = list_at(await change(edge, key, choose("contact.note", "NONE")), "refusals")
    assert at(refusal, "code") == "UNKNOWN_MAPPING"
    assert "contact.notes" in text_at(refusal, "message")
    for wrong in (
        choose("", "NONE"),
        choose("x" * 81, "NONE"),
        choose("contact.notes", "BIDIRECTIONAL"),
        {"syncDirection": {"mapping": "contact.notes"}},
        {"restoreSyncDirections": {"recordType": "EMAIL"}},
    ):
        asked = {"environmentKey": key, "changes": [wrong]}
        assert codes(await edge.ask(CARL, CHANGE, {"input": asked})) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("record_type", [None, "CONTACT", "TASK", "FAX"])
async def test_a_preview_of_restoring_lists_exactly_what_applying_then_writes(
    edge: Edge, record_type: str | None
) -> None:
    key = await edge.open()
    await change(
        edge,
        key,
        choose("contact.notes", "NONE"),
        choose("task.subject", "TO_CRM"),
        choose("contact.pager", "TO_EXCHANGE"),
        choose("appointment.body", "NONE"),
        choose("appointment.location", "NONE"),
        choose("appointment.location", "BOTH"),
    )
    restore = {"restoreSyncDirections": {"recordType": record_type}}
    preview = await change(edge, key, restore, mode="PREVIEW")
    applied = await change(edge, key, restore)
    written = at(applied, "changeSet")
    changes = [] if written is None else list_at(written, "changes")
    assert list_at(preview, "changes") == changes
    assert len(changes) == {None: 4, "CONTACT": 2, "TASK": 1, "FAX": 0}[record_type]
    assert {at(each, "type") for each in changes} <= {"sync_direction_restored.v1"}
    rows = await table(edge, key, record_type)
    assert {at(row, "isDefault") for row in rows} == {True}


async def test_the_whole_tab_can_be_drawn_from_the_api_alone(edge: Edge) -> None:
    key = await edge.open()
    data = await edge.data(
        ADA,
        """query ($key: String!) { environment(key: $key) { settings {
          all { __typename id key section label description isDefault warnings { message }
            ... on Switch { enabled enabledByDefault }
            ... on MailingAddressesSetting { choice defaultChoice }
            ... on FieldMapping { direction settableDirections effectiveDirection } }
          one: setting(key: "fieldMapping:contact.notes") { id key }
          other: setting(key: "mailingAddresses") { id __typename }
        } } }""",
        {"key": key},
    )
    settings = at(data, "environment.settings")
    every = list_at(settings, "all")
    new = fold(BEGINNING)
    assert new is not None
    assert [at(each, "key") for each in every] == [*keys(new.environment.filters)]
    assert {at(each, "key") for each in every} >= {*TAB}
    sections = list(dict.fromkeys(at(each, "section") for each in every))
    assert sections == [
        "SYSTEM_FILTERS",
        "SYNCHRONIZED_FIELDS",
        "OFFLINE_FILTERS",
        "APPOINTMENTS",
        "CONTACTS",
        "TASKS",
        "RESOURCE_BOOKINGS",
    ]
    assert all(at(each, "label") for each in every)
    undescribed = {text_at(each, "key") for each in every if not at(each, "description")}
    assert all(key.startswith("filter:") for key in undescribed)
    assert len({at(each, "id") for each in every}) == len(every) == len(TAB) + 24
    by_key = {at(each, "key"): at(each, "id") for each in every}
    assert at(settings, "one.id") == by_key["fieldMapping:contact.notes"]
    assert at(settings, "other.id") == by_key["mailingAddresses"]
    node = await edge.data(
        ADA,
        "query ($id: ID!) { node(id: $id) { __typename ... on FieldMapping { mapping } } }",
        {"id": at(settings, "one.id")},
    )
    assert at(node, "node") == {"__typename": "FieldMapping", "mapping": "contact.notes"}


async def test_flipping_the_address_switch_is_one_change_and_keeps_what_was_chosen(
    edge: Edge,
) -> None:
    key = await edge.open()
    await change(edge, key, choose("contact.homeAddress", "TO_EXCHANGE"))
    seen = []
    for choice in ("ALL_THREE", "MAILING_ONLY", "ALL_THREE"):
        switch = {"mailingAddresses": {"choice": choice}}
        done = await change(edge, key, switch, acknowledge=["ADDRESSES_CAN_LOSE_DATA"])
        assert len(list_at(done, "changeSet.changes")) == 1
        rows = {at(row, "mapping"): row for row in await table(edge, key, "CONTACT")}
        home = rows["contact.homeAddress"]
        seen.append((at(home, "direction"), at(home, "effectiveDirection")))
    assert seen == [
        ("TO_EXCHANGE", "TO_EXCHANGE"),
        ("TO_EXCHANGE", "NONE"),
        ("TO_EXCHANGE", "TO_EXCHANGE"),
    ]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("fieldMapping:contact.note", "Did you mean fieldMapping:contact.notes"),
        ("mailingaddresses", "Did you mean mailingAddresses"),
        ("role:ada@contoso.example", "`all` lists them."),
        ("", "`all` lists them."),
    ],
)
async def test_a_key_that_the_tab_does_not_have_is_told_with_the_nearest(
    edge: Edge, asked: str, says: str
) -> None:
    document = """query ($key: String!, $setting: String!) {
      environment(key: $key) { settings { setting(key: $setting) { id } } } }"""
    body = await edge.ask(ADA, document, {"key": await edge.open(), "setting": asked})
    assert codes(body) == ["BAD_USER_INPUT"]
    assert says in text_at(body, "errors.0.message")
    assert at(body, "data.environment.settings.setting") is None
