"""Settings brought back or over through GraphQL: previewed, applied, refused, and for whom."""

from uuid import uuid4

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
    list_at,
    opened,
    text_at,
)

from domain.actor import SecurityRole
from domain.filters.commands import DeactivateFilter
from domain.membership import GrantRole
from domain.switches import ChooseMailingAddresses, MailingAddresses, SwitchAssignedTasks
from domain.warning import WarningCode

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

TASKS = "template.online.task.my-tasks"
BRING = """mutation ($input: BringSettingsInput!) { bringSettings(input: $input) {
  __typename
  ... on SettingsChanged { replayed warnings { code }
    changeSet { position reason changes { type setting before after summary } } }
  ... on SettingsPreviewed { changes { type setting after } warnings { code mustBeAcknowledged }
    settings { assignedTasks { enabled } } }
  ... on SettingsRefused { position refusals { __typename code message change
    ... on CannotBeRestored { setting } ... on NotPermitted { needs }
    ... on ChangedMeanwhile { by { setting } } } }
} }"""
BROUGHT = "settings_brought.v1"


async def bring(edge: Edge, person: Person, key: str, source: object, **more: object) -> object:
    wish = {"environmentKey": key, "from": source, **more}
    return at(await edge.data(person, BRING, {"input": wish}), "bringSettings")


def refused(outcome: object) -> list[object]:
    assert at(outcome, "__typename") == "SettingsRefused", outcome
    return [at(each, "code") for each in list_at(outcome, "refusals")]


async def changed(edge: Edge) -> str:
    """An environment with tasks on, all three addresses, and a template switched off."""
    key = await edge.open()
    await edge.change(ADA, SwitchAssignedTasks(on=True), key=key)
    all_three = ChooseMailingAddresses(
        choice=MailingAddresses.ALL_THREE, acknowledged=frozenset(WarningCode)
    )
    await edge.change(ADA, all_three, key=key)
    await edge.change(ADA, DeactivateFilter(key=TASKS), key=key)
    return key


async def test_settings_come_back_to_a_past_point_as_a_new_change_set(edge: Edge) -> None:
    key, past = await changed(edge), {"at": {"position": STAFFED}}
    preview = await bring(edge, CARL, key, past, mode="PREVIEW")
    wanted = [BROUGHT, "assigned_tasks_switched.v1", "mailing_addresses_chosen.v1"]
    wanted.append("filter_activated.v1")
    assert [text_at(each, "type") for each in list_at(preview, "changes")] == wanted
    assert at(preview, "settings.assignedTasks.enabled") is False
    done = await bring(edge, CARL, key, past, reason="As it was in March")
    made = at(done, "changeSet")
    assert (at(made, "reason"), at(made, "position")) == ("As it was in March", STAFFED + 7)
    source = at(made, "changes.0")
    assert at(source, "setting") == "environment.source"
    assert at(source, "after") == f"{key}@{STAFFED}"
    assert at(source, "summary") == f"Settings brought from {key} at position {STAFFED}"
    assert [text_at(each, "type") for each in list_at(made, "changes")] == wanted
    assert at(await bring(edge, CARL, key, past), "changeSet") is None
    found = await edge.data(
        CARL,
        """query ($key: String!, $filter: ChangeFilter) {
          environment(key: $key) { history(filter: $filter) { nodes { position } } } }""",
        {"key": key, "filter": {"setting": "environment.source"}},
    )
    assert at(found, "environment.history.nodes") == [{"position": STAFFED + 4}]


async def test_chosen_settings_come_from_another_environment(edge: Edge) -> None:
    source, key = await changed(edge), await edge.open()
    there = {"environmentKey": source}
    warned = await bring(edge, ADA, key, there, mode="PREVIEW")
    assert {"code": "ADDRESSES_CAN_LOSE_DATA", "mustBeAcknowledged": True} in list_at(
        warned, "warnings"
    )
    assert refused(await bring(edge, ADA, key, there)) == ["WARNING_NOT_ACKNOWLEDGED"]
    some = ["assignedTasks", f"filter:{TASKS}"]
    done = await bring(edge, ADA, key, there, settings=some)
    settings = [text_at(each, "setting") for each in list_at(done, "changeSet.changes")]
    assert settings == ["environment.source", *some]
    rest = await bring(edge, ADA, key, there, acknowledge=["ADDRESSES_CAN_LOSE_DATA"])
    assert [at(each, "setting") for each in list_at(rest, "changeSet.changes")] == [
        "environment.source",
        "mailingAddresses",
    ]
    past = {"environmentKey": source, "at": {"position": STAFFED}}
    assert at(await bring(edge, ADA, key, past, settings=["assignedTasks"]), "changeSet.changes.1")


async def test_what_cannot_be_brought_is_told_the_same_in_both_modes(edge: Edge) -> None:
    key = await edge.open()
    source = await changed(edge)
    for mode in ("PREVIEW", "APPLY"):
        outcome = await bring(
            edge,
            ADA,
            key,
            {"environmentKey": source},
            mode=mode,
            settings=["assignedTasks", "nowhere", "role:somebody", "environment.name"],
        )
        assert refused(outcome) == ["CANNOT_BE_RESTORED", "UNKNOWN_SETTING", "CANNOT_BE_RESTORED"]
        assert at(outcome, "refusals.0.setting") == "environment.name"
        assert at(outcome, "refusals.2.setting") == "role:somebody"
        assert at(outcome, "position") == STAFFED


async def test_a_setting_changed_meanwhile_is_not_brought_over(edge: Edge) -> None:
    key = await changed(edge)
    outcome = await bring(
        edge, ADA, key, {"at": {"position": STAFFED}}, expectedPosition=STAFFED + 1
    )
    assert refused(outcome) == ["CHANGED_MEANWHILE", "CHANGED_MEANWHILE"]


async def test_asking_again_with_the_same_id_gives_the_first_answer_whatever_the_source_does(
    edge: Edge,
) -> None:
    source, key = await changed(edge), await edge.open()
    wish = {"settings": ["assignedTasks"], "requestId": str(uuid4())}
    there = {"environmentKey": source}
    first = await bring(edge, ADA, key, there, **wish)
    await edge.change(ADA, SwitchAssignedTasks(on=False), key=source)
    again = await bring(edge, ADA, key, there, **wish | {"settings": ["assignedTasks"] * 2})
    assert at(again, "changeSet") == at(first, "changeSet")
    assert (at(first, "replayed"), at(again, "replayed")) == (False, True)
    other = {**there, "at": {"position": STAFFED}}
    assert refused(await bring(edge, ADA, key, other, **wish)) == ["REQUEST_ID_REUSED"]
    body = await edge.ask(
        ADA, BRING, {"input": {"environmentKey": key, "from": there, "mode": "PREVIEW", **wish}}
    )
    assert codes(body) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("person", "codes_back", "codes_over"),
    [
        (ADA, [], []),
        (CARL, [], []),
        (AUDREY, ["NOT_PERMITTED"], ["NOT_PERMITTED"]),
        (WORKER, ["NOT_PERMITTED"], ["NOT_PERMITTED"]),
        (BEN, ["NOT_PERMITTED"], ["NOT_PERMITTED"]),
        (PAULA, ["NOT_PERMITTED"], ["NOT_PERMITTED"]),
        (NOBODY, ["ENVIRONMENT_NOT_FOUND"], ["ENVIRONMENT_NOT_FOUND"]),
    ],
    ids=lambda value: value.subject if isinstance(value, Person) else None,
)
async def test_each_role_brings_what_it_may(
    edge: Edge, person: Person, codes_back: list[str], codes_over: list[str]
) -> None:
    key, other = await edge.open(), await edge.open()
    back = await bring(edge, person, key, {"at": {"position": STAFFED - 1}})
    over = await bring(edge, person, key, {"environmentKey": other})
    for outcome, wanted in ((back, codes_back), (over, codes_over)):
        done = at(outcome, "__typename") == "SettingsChanged"
        assert ([] if done else refused(outcome)) == wanted


async def test_a_source_is_read_with_the_rights_there(edge: Edge) -> None:
    """Ben administers an environment of his own; elsewhere he only reads what stands now."""
    mine = await edge.open()
    handle = (await edge.actor(BEN)).handle
    grant = GrantRole(principal=handle, role=SecurityRole.SYSTEM_ADMINISTRATOR)
    await edge.change(ADA, grant, key=mine)
    over = await bring(edge, BEN, mine, {"environmentKey": KEY})
    assert at(over, "__typename") == "SettingsChanged"
    past = {"environmentKey": KEY, "at": {"position": 26}}
    outcome = await bring(edge, BEN, mine, past)
    assert refused(outcome) == ["NOT_PERMITTED"]
    assert at(outcome, "refusals.0.needs") == "READ_HISTORY"
    unseen = await bring(edge, BEN, mine, {"environmentKey": "nowhere"})
    assert refused(unseen) == ["ENVIRONMENT_NOT_FOUND"]
    hidden = "contoso-hidden"
    await edge.register(hidden)
    same = await bring(edge, BEN, mine, {"environmentKey": hidden})
    assert text_at(same, "refusals.0.message").replace(hidden, "nowhere") == text_at(
        unseen, "refusals.0.message"
    )


@pytest.mark.parametrize(
    "wish",
    [
        {"from": {}},
        {"from": {"environmentKey": KEY}},
        {"from": {"at": {"position": 10_000}}},
        {"from": {"at": {"position": 0}}},
        {"from": {"at": {"position": 26}}, "settings": []},
        {"from": {"at": {"position": 26}}, "settings": ["x"] * 501},
        {"from": {"at": {"position": 26}}, "settings": ["x" * 201]},
        {"from": {"at": {"position": 26}}, "expectedPosition": -1},
        {"from": {"at": {"position": 26}}, "requestId": "x"},
        {"from": {"environmentKey": "Not A Key"}},
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_read(
    edge: Edge, wish: dict[str, object]
) -> None:
    body = await edge.ask(ADA, BRING, {"input": {"environmentKey": KEY, **wish}})
    assert codes(body) == ["BAD_USER_INPUT"]
