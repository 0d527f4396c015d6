from uuid import uuid4

import pytest
import pytest_asyncio
from edge import (
    ADA,
    AUDREY,
    BEN,
    CARL,
    NOBODY,
    PAULA,
    STAFFED,
    Edge,
    Person,
    at,
    codes,
    list_at,
    opened,
)
from given import BEGUN

from domain.actor import SecurityRole
from domain.membership import GrantRole, RevokeRole
from domain.switches import SwitchAssignedTasks
from eventstore import principals

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

CHANGE = """mutation ($input: ChangeSettingsInput!) { changeSettings(input: $input) {
  __typename
  ... on SettingsChanged {
    replayed
    changeSet { firstPosition position at by { id } reason requestId environment { key }
      changes { id position setting before after summary type by { id } reason } }
    settings { id position appointmentAttachments { enabled } assignedTasks { enabled }
      resourceBookings { enabled } mailingAddresses { choice } }
    warnings { code mustBeAcknowledged setting message }
  }
  ... on SettingsPreviewed {
    changes { setting type before after summary }
    settings { id position assignedTasks { id enabled lastChange { position seal payload } }
      resourceBookings { lastChange { position seal } } mailingAddresses { choice } }
    warnings { code mustBeAcknowledged }
  }
  ... on SettingsRefused { position refusals { __typename code message change
    ... on WarningNotAcknowledged { warning { code mustBeAcknowledged } }
    ... on ChangedMeanwhile { position by { position setting after } } } }
} }"""
MODES = ("PREVIEW", "APPLY")
TASKS_ON = {"assignedTasks": {"enabled": True}}
TASKS_OFF = {"assignedTasks": {"enabled": False}}
ALL_THREE = {"mailingAddresses": {"choice": "ALL_THREE"}}
EVERYTHING = [
    {"appointmentAttachments": {"enabled": True}},
    TASKS_ON,
    {"resourceBookings": {"enabled": True}},
    ALL_THREE,
]


async def change(
    edge: Edge, key: str, *changes: object, person: object = CARL, **more: object
) -> object:
    assert isinstance(person, Person)
    asked = {"environmentKey": key, "changes": list(changes), **more}
    return at(await edge.data(person, CHANGE, {"input": asked}), "changeSettings")


async def wrong(edge: Edge, key: str, *changes: object, **more: object) -> str:
    """The message of a BAD_USER_INPUT that wrote nothing."""
    before = await edge.heads()
    asked = {"environmentKey": key, "changes": list(changes), **more}
    body = await edge.ask(CARL, CHANGE, {"input": asked})
    assert codes(body) == ["BAD_USER_INPUT"]
    assert await edge.heads() == before
    return str(at(body, "errors.0.message"))


def refusals(answer: object) -> list[object]:
    assert at(answer, "__typename") in {"SettingsRefused", "EnvironmentRefused"}, answer
    return [at(refusal, "code") for refusal in list_at(answer, "refusals")]


async def test_one_press_of_ok_is_one_change_set_in_the_order_asked(edge: Edge) -> None:
    key = await edge.open()
    accepted = ["ADDRESSES_CAN_LOSE_DATA"]
    made = await change(edge, key, *EVERYTHING, acknowledge=accepted, reason="Go live")
    assert at(made, "__typename") == "SettingsChanged"
    assert at(made, "replayed") is False
    changes = at(made, "changeSet.changes")
    assert [at(each, "setting") for each in list_at(made, "changeSet.changes")] == [
        "appointmentAttachments",
        "assignedTasks",
        "resourceBookings",
        "mailingAddresses",
    ]
    assert at(changes, "3.before") == "MAILING_ONLY"
    assert at(changes, "3.after") == "ALL_THREE"
    assert at(changes, "0.reason") == "Go live"
    assert at(made, "changeSet.firstPosition") == STAFFED + 1
    assert at(made, "changeSet.position") == STAFFED + 4
    assert at(made, "changeSet.by.id") == CARL.subject
    assert at(made, "changeSet.reason") == "Go live"
    assert at(made, "changeSet.requestId") is None
    assert at(made, "changeSet.environment.key") == key
    assert at(made, "settings.position") == STAFFED + 4
    assert at(made, "settings.mailingAddresses.choice") == "ALL_THREE"
    assert [at(each, "code") for each in list_at(made, "warnings")] == [
        "ATTACHMENTS_USE_DATABASE_SPACE",
        "ATTACHMENTS_SKIP_RECURRING_AND_SERVICE",
        "ASSIGNED_TASKS_HAVE_LIMITS",
        "BOOKINGS_NEED_USER_OPT_IN",
        "ADDRESSES_CAN_LOSE_DATA",
    ]


async def test_what_already_is_so_changes_nothing(edge: Edge) -> None:
    key = await edge.open()
    before = await edge.heads()
    made = await change(edge, key, TASKS_OFF, {"mailingAddresses": {"choice": "MAILING_ONLY"}})
    assert at(made, "changeSet") is None
    assert at(made, "warnings") == []
    assert at(made, "settings.position") == STAFFED
    assert await edge.heads() == before


async def test_all_three_addresses_are_refused_until_their_warning_is_acknowledged(
    edge: Edge,
) -> None:
    key = await edge.open()
    refused = await change(edge, key, TASKS_ON, ALL_THREE)
    assert at(refused, "position") == STAFFED
    (why,) = list_at(refused, "refusals")
    assert at(why, "__typename") == "WarningNotAcknowledged"
    assert at(why, "code") == "WARNING_NOT_ACKNOWLEDGED"
    assert at(why, "change") == 1
    assert at(why, "warning") == {"code": "ADDRESSES_CAN_LOSE_DATA", "mustBeAcknowledged": True}
    other = await change(edge, key, ALL_THREE, acknowledge=["BOOKINGS_NEED_USER_OPT_IN"])
    assert refusals(other) == ["WARNING_NOT_ACKNOWLEDGED"]
    made = await change(edge, key, ALL_THREE, acknowledge=["ADDRESSES_CAN_LOSE_DATA"])
    assert at(made, "settings.mailingAddresses.choice") == "ALL_THREE"
    back = await change(edge, key, {"mailingAddresses": {"choice": "MAILING_ONLY"}})
    assert at(back, "warnings.0.code") == "ADDRESSES_ARE_PAIRED_BACK"


async def test_a_preview_says_what_applying_then_does_and_writes_nothing(edge: Edge) -> None:
    key = await edge.open()
    before = await edge.heads()
    seen = await change(edge, key, *EVERYTHING, mode="PREVIEW")
    assert at(seen, "__typename") == "SettingsPreviewed"
    assert await edge.heads() == before
    assert {"code": "ADDRESSES_CAN_LOSE_DATA", "mustBeAcknowledged": True} in list_at(
        seen, "warnings"
    )
    assert at(seen, "settings.assignedTasks.enabled") is True
    made = await change(edge, key, *EVERYTHING, acknowledge=["ADDRESSES_CAN_LOSE_DATA"])
    planned = ("setting", "type", "before", "after", "summary")
    assert list_at(seen, "changes") == [
        {name: at(each, name) for name in planned} for each in list_at(made, "changeSet.changes")
    ]
    assert at(seen, "settings.mailingAddresses") == at(made, "settings.mailingAddresses")
    assert at(await change(edge, key, *EVERYTHING, mode="PREVIEW"), "changes") == []


async def test_nothing_can_be_fetched_by_the_ids_of_a_preview(edge: Edge) -> None:
    key = await edge.open()
    await change(edge, key, {"resourceBookings": {"enabled": True}})
    seen = await change(edge, key, TASKS_ON, mode="PREVIEW")
    assert at(seen, "settings.assignedTasks.lastChange") is None
    assert at(seen, "settings.resourceBookings.lastChange.position") == STAFFED + 1
    ids = [at(seen, "settings.id"), at(seen, "settings.assignedTasks.id")]
    await change(edge, key, TASKS_ON)
    found = await edge.data(
        ADA, "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }", {"ids": ids}
    )
    assert found == {"nodes": [None, None]}


async def test_a_preview_is_refused_where_applying_would_be(edge: Edge) -> None:
    key = await edge.open()
    await change(edge, key, TASKS_ON)
    worse: list[dict[str, object]] = [
        {"expectedPosition": STAFFED},
        {"person": BEN},
        {"person": NOBODY},
    ]
    for more in worse:
        answers = [await change(edge, key, TASKS_OFF, mode=mode, **more) for mode in MODES]
        assert refusals(answers[0])
        assert answers[0] == answers[1]
    bad: list[dict[str, object]] = [
        {"reason": "x" * 2001},
        {"expectedPosition": 99},
        {"requestId": "no"},
    ]
    for more in bad:
        told = [await wrong(edge, key, TASKS_OFF, mode=each, **more) for each in MODES]
        assert told[0] == told[1]
    told = [await wrong(edge, key, TASKS_OFF, mode="PREVIEW", requestId=str(uuid4()))]
    assert told == ["A preview takes no request id: it writes nothing."]


async def test_only_settings_touched_after_the_expected_position_are_in_conflict(
    edge: Edge,
) -> None:
    key = await edge.open()
    await change(edge, key, TASKS_ON)
    await change(edge, key, {"resourceBookings": {"enabled": True}})
    refused = await change(edge, key, TASKS_OFF, expectedPosition=STAFFED)
    (why,) = list_at(refused, "refusals")
    assert at(why, "__typename") == "ChangedMeanwhile"
    assert at(why, "position") == STAFFED + 2
    tasks_on = {"position": STAFFED + 1, "setting": "assignedTasks", "after": "true"}
    assert at(why, "by") == [tasks_on]
    other = {"appointmentAttachments": {"enabled": True}}
    made = await change(edge, key, other, expectedPosition=0)
    assert at(made, "changeSet.position") == STAFFED + 3
    made = await change(edge, key, TASKS_OFF, expectedPosition=STAFFED + 1)
    assert at(made, "changeSet.position") == STAFFED + 4
    assert "beyond the end" in await wrong(edge, key, TASKS_ON, expectedPosition=STAFFED + 5)
    assert "not -1" in await wrong(edge, key, TASKS_ON, expectedPosition=-1)


async def test_the_same_request_again_is_answered_as_the_first_time(edge: Edge) -> None:
    key = await edge.open()
    asked = {"requestId": str(uuid4()), "reason": "Once"}
    first = await change(edge, key, TASKS_ON, **asked)
    await change(edge, key, {"resourceBookings": {"enabled": True}})
    before = await edge.heads()
    again = await change(edge, key, TASKS_ON, **asked)
    assert await edge.heads() == before
    assert at(again, "replayed") is True
    for same in ("changeSet", "warnings", "settings.position", "settings.assignedTasks"):
        assert at(again, same) == at(first, same)
    assert at(first, "changeSet.requestId") == asked["requestId"]
    nothing = {"requestId": str(uuid4())}
    assert at(await change(edge, key, TASKS_ON, **nothing), "changeSet") is None
    await change(edge, key, TASKS_OFF)
    answer = await change(edge, key, TASKS_ON, **nothing)
    assert (at(answer, "changeSet"), at(answer, "replayed")) == (None, True)
    assert at(answer, "settings.assignedTasks.enabled") is True


async def test_a_request_id_stands_for_one_content_of_one_principal(edge: Edge) -> None:
    key = await edge.open()
    asked = {"requestId": str(uuid4())}
    await change(edge, key, TASKS_ON, **asked)
    for person, what, reason in (
        (CARL, TASKS_OFF, None),
        (CARL, TASKS_ON, "Other"),
        (ADA, TASKS_ON, None),
    ):
        before = await edge.heads()
        refused = await change(edge, key, what, person=person, reason=reason, **asked)
        assert refusals(refused) == ["REQUEST_ID_REUSED"]
        assert await edge.heads() == before
    stranger = await change(edge, key, TASKS_ON, person=NOBODY, **asked)
    missing = await change(edge, "missing", TASKS_ON, person=NOBODY, **asked)
    assert str(stranger).replace(key, "missing") == str(missing)


async def test_a_refused_request_may_be_asked_again_under_its_id(edge: Edge) -> None:
    key = await edge.open()
    asked = {"requestId": str(uuid4())}
    assert refusals(await change(edge, key, ALL_THREE, **asked)) == ["WARNING_NOT_ACKNOWLEDGED"]
    accepted = {"acknowledge": ["ADDRESSES_CAN_LOSE_DATA"]}
    assert at(await change(edge, key, ALL_THREE, **asked, **accepted), "replayed") is False


async def test_1_to_200_changes_are_taken_at_once(edge: Edge) -> None:
    key = await edge.open()
    many = [TASKS_ON, TASKS_OFF] * 100
    made = await change(edge, key, *many)
    assert at(made, "changeSet.position") == STAFFED + 200
    assert refusals(await change(edge, key)) == ["NOTHING_ASKED"]
    refused = await change(edge, key, *many, TASKS_ON)
    assert refusals(refused) == ["TOO_MANY_CHANGES"]
    assert at(refused, "refusals.0.change") is None
    assert "201" in str(at(refused, "refusals.0.message"))


async def test_a_reason_has_1_to_2000_characters_however_wide(edge: Edge) -> None:
    key = await edge.open()
    for reason, what in (("x", TASKS_ON), ("\U0001f5d3" * 2000, TASKS_OFF), (None, TASKS_ON)):
        assert at(await change(edge, key, what, reason=reason), "changeSet.reason") == reason
    assert "2001" in await wrong(edge, key, TASKS_OFF, reason="\U0001f5d3" * 2001)
    assert "not 0" in await wrong(edge, key, TASKS_OFF, reason="")


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({}, "exactly one"),
        ({**TASKS_ON, **ALL_THREE}, "exactly one"),
        ({"screenSaver": {}}, "screenSaver"),
        ({"assignedTasks": None}, "must be non-null"),
        ({"assignedTasks": {}}, "enabled"),
        ({"assignedTasks": {"enabled": "yes"}}, "Boolean"),
        ({"mailingAddresses": {"choice": "BOTH"}}, "BOTH"),
        ({"mailingAddresses": {"choice": 3}}, "3"),
        (None, "null"),
    ],
)
async def test_a_change_names_exactly_one_setting_and_a_value_it_can_have(
    edge: Edge, bad: object, says: str
) -> None:
    assert says in await wrong(edge, "contoso", TASKS_ON, bad)


RESULT = """{ __typename
  ... on EnvironmentChanged { replayed environment { key name state position kind
      settings { position } members { principal { id } roles } viewerRoles }
    changeSet { reason position changes { setting summary before after } } }
  ... on EnvironmentRefused { refusals { code message } } }"""


async def manage(edge: Edge, person: Person, field: str, /, **asked: object) -> object:
    kind = field[0].upper() + field[1:] + "Input"
    document = f"mutation ($input: {kind}!) {{ {field}(input: $input) {RESULT} }}"
    body = await edge.ask(person, document, {"input": asked})
    return at(body, f"data.{field}")


async def test_an_environment_lives_from_registration_through_archive_and_back(
    edge: Edge,
) -> None:
    key = f"life-{uuid4()}"
    new = {"key": key, "name": "Life", "kind": "TRIAL"}
    made = await manage(edge, PAULA, "registerEnvironment", **new, reason="New")
    assert at(made, "environment.position") == BEGUN
    assert at(made, "environment.kind") == "TRIAL"
    assert at(made, "environment.viewerRoles") == ["SYSTEM_ADMINISTRATOR"]
    assert at(made, "changeSet.reason") == "New"
    assert at(made, "changeSet.changes.1.setting") == f"role:{PAULA.subject}"
    named = await manage(edge, PAULA, "renameEnvironment", environmentKey=key, name="Live")
    assert at(named, "environment.name") == "Live"
    assert at(named, "changeSet.changes.0") == {
        "setting": "environment.name",
        "summary": "Environment renamed to “Live”",
        "before": "Life",
        "after": "Live",
    }
    gone = await manage(edge, PAULA, "archiveEnvironment", environmentKey=key)
    assert at(gone, "environment.state") == "ARCHIVED"
    for refused in (
        await manage(edge, PAULA, "renameEnvironment", environmentKey=key, name="Dead"),
        await change(edge, key, TASKS_ON, person=PAULA),
        await change(edge, key, TASKS_ON, person=PAULA, mode="PREVIEW"),
    ):
        assert refusals(refused) == ["ENVIRONMENT_ARCHIVED"]
    again = await manage(edge, PAULA, "archiveEnvironment", environmentKey=key)
    assert at(again, "changeSet") is None
    back = await manage(edge, PAULA, "restoreEnvironment", environmentKey=key)
    assert at(back, "environment.state") == "ACTIVE"
    assert refusals(await manage(edge, PAULA, "registerEnvironment", **new)) == [
        "ENVIRONMENT_EXISTS"
    ]


async def test_a_registration_may_name_another_administrator_and_be_repeated(edge: Edge) -> None:
    new = {"key": f"for-{uuid4()}", "name": "For another", "kind": "SANDBOX"}
    asked = {**new, "administrator": "first@contoso.example", "requestId": str(uuid4())}
    made = await manage(edge, PAULA, "registerEnvironment", **asked)
    assert at(made, "environment.members") == [
        {"principal": {"id": "first@contoso.example"}, "roles": ["SYSTEM_ADMINISTRATOR"]}
    ]
    assert at(made, "environment.viewerRoles") == []
    assert at(made, "environment.settings") is None
    again = await manage(edge, PAULA, "registerEnvironment", **asked)
    assert at(again, "replayed") is True
    assert at(again, "environment.position") == BEGUN


async def test_roles_are_granted_and_revoked_and_count_from_the_next_request_on(
    edge: Edge,
) -> None:
    key = await edge.open()
    role = {"environmentKey": key, "principal": NOBODY.subject, "role": "SYSTEM_CUSTOMIZER"}
    assert refusals(await change(edge, key, TASKS_ON, person=NOBODY)) == ["ENVIRONMENT_NOT_FOUND"]
    granted = await manage(edge, ADA, "grantRole", **role, reason="Joins")
    assert at(granted, "changeSet.changes.0.setting") == f"role:{NOBODY.subject}"
    assert at(granted, "changeSet.changes.0.after") == "SYSTEM_CUSTOMIZER"
    assert at(await change(edge, key, TASKS_ON, person=NOBODY), "__typename") == "SettingsChanged"
    assert at(await manage(edge, ADA, "grantRole", **role), "changeSet") is None
    revoked = await manage(edge, PAULA, "revokeRole", **role)
    assert at(revoked, "changeSet.position") == STAFFED + 3
    assert refusals(await change(edge, key, TASKS_ON, person=NOBODY)) == ["ENVIRONMENT_NOT_FOUND"]


async def test_the_last_administrator_stays_and_may_go_when_there_is_another(edge: Edge) -> None:
    key = await edge.open()
    ada = {"environmentKey": key, "principal": ADA.subject, "role": "SYSTEM_ADMINISTRATOR"}
    for person in (ADA, PAULA):
        assert refusals(await manage(edge, person, "revokeRole", **ada)) == ["LAST_ADMINISTRATOR"]
    carl = {**ada, "principal": CARL.subject}
    await manage(edge, ADA, "grantRole", **carl)
    asked = {**ada, "requestId": str(uuid4())}
    gone = await manage(edge, ADA, "revokeRole", **asked)
    assert at(gone, "environment.key") == key
    assert at(gone, "environment.settings") is None
    again = await manage(edge, ADA, "revokeRole", **asked)
    assert at(again, "replayed") is True
    assert at(again, "changeSet") == at(gone, "changeSet")


@pytest.mark.parametrize(
    ("left", "refusal"), [((), "ENVIRONMENT_NOT_FOUND"), (("SYNC_WORKER",), "NOT_PERMITTED")]
)
async def test_a_first_answer_is_not_given_again_to_who_may_not_see_it_any_more(
    edge: Edge, left: tuple[str, ...], refusal: str
) -> None:
    key = await edge.open()
    asked = {"requestId": str(uuid4())}
    first = await change(edge, key, TASKS_ON, **asked)
    handle = (await edge.actor(CARL)).handle
    role = SecurityRole.SYSTEM_CUSTOMIZER
    for other in left:
        granted = GrantRole(principal=handle, role=SecurityRole(other))
        await edge.change(ADA, granted, key=key)
    await edge.change(ADA, RevokeRole(principal=handle, role=role), key=key)
    again = await change(edge, key, TASKS_ON, **asked)
    assert refusals(again) == [refusal]
    await edge.change(ADA, GrantRole(principal=handle, role=role), key=key)
    restored = await change(edge, key, TASKS_ON, **asked)
    assert at(restored, "replayed") is True
    assert at(restored, "settings.position") == at(first, "settings.position")


async def test_who_gave_up_his_own_role_and_lost_the_answer_gets_it_again(edge: Edge) -> None:
    key = await edge.open()
    bo = Person(f"{uuid4()}@contoso.example", SecurityRole.SYSTEM_ADMINISTRATOR)
    grant = GrantRole(
        principal=(await edge.actor(bo)).handle, role=SecurityRole.SYSTEM_ADMINISTRATOR
    )
    await edge.change(ADA, grant, key=key)
    asked = {
        "environmentKey": key,
        "principal": bo.subject,
        "role": "SYSTEM_ADMINISTRATOR",
        "requestId": str(uuid4()),
    }
    first = await manage(edge, bo, "revokeRole", **asked)
    again = await manage(edge, bo, "revokeRole", **asked)
    assert at(first, "replayed") is False
    assert at(again, "replayed") is True
    assert at(again, "changeSet.position") == at(first, "changeSet.position")


async def test_nobody_becomes_known_by_being_named_in_a_request_of_which_nothing_comes(
    edge: Edge,
) -> None:
    key = await edge.open()
    unknown = f"{uuid4()}@contoso.example"
    role = {"environmentKey": key, "principal": unknown, "role": "AUDITOR"}
    for person in (BEN, AUDREY, NOBODY):
        assert refusals(await manage(edge, person, "grantRole", **role))
    new = {"key": f"x-{uuid4()}", "name": "X", "kind": "TRIAL", "administrator": unknown}
    assert refusals(await manage(edge, ADA, "registerEnvironment", **new)) == ["NOT_PERMITTED"]
    taken = {**new, "key": key}
    assert refusals(await manage(edge, PAULA, "registerEnvironment", **taken)) == [
        "ENVIRONMENT_EXISTS"
    ]
    nothing = await manage(edge, ADA, "revokeRole", **role, requestId=str(uuid4()))
    assert at(nothing, "changeSet") is None
    document = f"mutation ($input: GrantRoleInput!) {{ grantRole(input: $input) {RESULT} }}"
    body = await edge.ask(ADA, document, {"input": {**role, "reason": ""}})
    assert codes(body) == ["BAD_USER_INPUT"]
    query = "SELECT count(*) AS known FROM syncledger.principals WHERE provider_id = $1"
    (row,) = await edge.rooms.database.fetch(query, unknown)
    assert row["known"] == 0


async def test_the_last_change_of_a_grant_names_the_handle_once_the_person_is_erased(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await edge.open()
    gone = Person(f"{uuid4()}@contoso.example")
    handle = (await edge.actor(gone)).handle
    await edge.place.as_superuser(
        f"DELETE FROM syncledger.principals WHERE handle = '{handle}'"  # noqa: S608 -- own handle
    )
    monkeypatch.setattr(principals, "FRESH", 0.0)  # a minute has passed
    edge.rooms.principals._by_handle = principals.Remembered()
    edge.rooms.principals._by_provider_id = principals.Remembered()
    made = await edge.change(ADA, GrantRole(principal=handle, role=SecurityRole.AUDITOR), key=key)
    async with edge.talk(ADA) as talk:
        await talk.subscribe(
            "1",
            f"""subscription {{ settingsFeed(environmentKey: "{key}", after: {STAFFED}) {{
              ... on ChangeSetAppended {{ changeSet {{ changes {{ setting }} }} }} }} }}""",
        )
        said = await talk.hear()
    path = "payload.data.settingsFeed.changeSet.changes.0.setting"
    assert at(said, path) == f"role:{handle}"
    assert made.standing.position == STAFFED + 1
    await edge.change(CARL, SwitchAssignedTasks(on=True), key=key)
