import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
import pytest_asyncio
from cable import Cable
from conftest import Cluster, Place
from edge import (
    ADA,
    CARL,
    KEY,
    PATIENCE,
    PAULA,
    STAFFED,
    WORKER,
    Edge,
    Person,
    at,
    codes,
    opened,
    serving,
    text_at,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

CHANGE = """mutation ($input: ChangeSettingsInput!) {
  changeSettings(input: $input) { __typename } }"""
REGISTER = """mutation ($input: RegisterEnvironmentInput!) {
  registerEnvironment(input: $input) { __typename } }"""
RENAME = """mutation ($input: RenameEnvironmentInput!) {
  renameEnvironment(input: $input) { __typename } }"""
GRANT = "mutation ($input: GrantRoleInput!) { grantRole(input: $input) { __typename } }"
ENVIRONMENT = (
    "query ($key: String!, $at: Int) { environment(key: $key, atLeastPosition: $at) { key } }"
)
TASKS = {"assignedTasks": {"enabled": True}}


def changing(**more: object) -> dict[str, object]:
    return {"input": {"environmentKey": KEY, "changes": [TASKS], **more}}


def registering(**more: object) -> dict[str, object]:
    return {"input": {"key": "new", "name": "New", "kind": "TRIAL", **more}}


def granting(**more: object) -> dict[str, object]:
    role = {"environmentKey": KEY, "principal": "x@contoso.example", "role": "AUDITOR"}
    return {"input": {**role, **more}}


BAD: list[tuple[str, Mapping[str, object], str]] = [
    (ENVIRONMENT, {"key": ""}, "1 to 63"),
    (ENVIRONMENT, {"key": "x" * 64}, "1 to 63"),
    (ENVIRONMENT, {"key": "Contoso"}, "'Contoso'"),
    (ENVIRONMENT, {"key": "contoso\n"}, "1 to 63"),
    (ENVIRONMENT, {"key": "c%"}, "'c%'"),
    (ENVIRONMENT, {"key": None}, "null"),
    (ENVIRONMENT, {"key": 1}, "1"),
    (ENVIRONMENT, {}, "$key"),
    (ENVIRONMENT, {"key": KEY, "at": -1}, "not -1"),
    (ENVIRONMENT, {"key": KEY, "at": 2**31}, "32-bit"),
    (ENVIRONMENT, {"key": KEY, "at": 1.5}, "1.5"),
    (ENVIRONMENT, {"key": KEY, "at": "1"}, "1"),
    (ENVIRONMENT, {"key": "con\0toso"}, "variables.key contains U+0000"),
    (ENVIRONMENT, {"key": KEY, "\0": 1}, "A key in variables contains U+0000"),
    (ENVIRONMENT, {"key": KEY, "x": [{"a\0": 1}]}, "A key in variables.x.0 contains U+0000"),
    (CHANGE, changing(environmentKey="NO"), "'NO'"),
    (CHANGE, changing(environmentKey="x" * 64), "1 to 63"),
    (CHANGE, changing(mode="TRY"), "TRY"),
    (CHANGE, changing(acknowledge=["EVERYTHING"]), "EVERYTHING"),
    (CHANGE, changing(expectedPosition=-1), "not -1"),
    (CHANGE, changing(expectedPosition=10**6), "beyond the end"),
    (CHANGE, changing(requestId="not-a-uuid"), "'not-a-uuid'"),
    (CHANGE, changing(requestId=""), "''"),
    (CHANGE, changing(requestId="{0b0e3a52-5d1f-4d55-9a52-6a2b3f0f6c11}"), "is a UUID"),
    (CHANGE, changing(requestId="0b0e3a525d1f4d559a526a2b3f0f6c11"), "is a UUID"),
    (CHANGE, changing(reason=""), "1 to 2000"),
    (CHANGE, changing(reason="x" * 2001), "not 2001"),
    (CHANGE, changing(reason="a\0b"), "variables.input.reason contains U+0000"),
    (CHANGE, changing(colour="red"), "colour"),
    (CHANGE, changing(changes=None), "null"),
    (REGISTER, registering(key="New"), "'New'"),
    (REGISTER, registering(key="x" * 64), "1 to 63"),
    (REGISTER, registering(name=""), "1 to 200 characters, not 0"),
    (REGISTER, registering(name="\U0001f5d3" * 201), "1 to 200 characters, not 201"),
    (REGISTER, registering(name="N\0"), "U+0000"),
    (REGISTER, registering(kind="OFFICE"), "OFFICE"),
    (REGISTER, registering(administrator=""), "1 to 255 characters, not 0"),
    (REGISTER, registering(administrator="x" * 256), "1 to 255 characters, not 256"),
    (REGISTER, registering(key="New", administrator="x"), "'New'"),
    (REGISTER, registering(requestId="x"), "'x'"),
    (RENAME, {"input": {"environmentKey": KEY, "name": ""}}, "1 to 200"),
    (RENAME, {"input": {"environmentKey": "?", "name": "Name"}}, "'?'"),
    (GRANT, granting(principal=""), "1 to 255"),
    (GRANT, granting(role="KING"), "KING"),
    (GRANT, granting(role=None), "null"),
    (GRANT, granting(environmentKey=""), "1 to 63"),
    ('{ environment(key: "con\\u0000toso") { key } }', {}, "U+0000"),
    ("{ environment(key: 1) { key } }", {}, "String"),
    ("{ environments(filter: { kind: OFFICE }) { totalCount } }", {}, "OFFICE"),
    ('{ environments(filter: { colour: "red" }) { totalCount } }', {}, "colour"),
    ('{ environment(key: """con\0toso""") { key } }', {}, "U+0000"),
]


@pytest.mark.parametrize(("document", "variables", "says"), BAD)
async def test_bad_input_is_told_what_is_wrong_and_writes_nothing(
    edge: Edge, document: str, variables: Mapping[str, object], says: str
) -> None:
    before = await edge.heads()
    body = await edge.ask(PAULA if "register" in document else ADA, document, variables)
    assert set(codes(body)) == {"BAD_USER_INPUT"}, body
    assert says in text_at(body, "errors.0.message")
    assert await edge.heads() == before


LITERALS = [
    ('{ environment(key: "\\ud800") { key } }', "GRAPHQL_PARSE_FAILED"),
    ("{ environment(key: 'x') { key } }", "GRAPHQL_PARSE_FAILED"),
    ("{ environment(key: $key) { key } }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ environment { key } }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ changed { nodes { id } } }", "GRAPHQL_VALIDATION_FAILED"),
    ('{ environment(key: "x") { compare { totalCount } } }', "GRAPHQL_VALIDATION_FAILED"),
    ("mutation { bringSettings { __typename } }", "GRAPHQL_VALIDATION_FAILED"),
    ("query ($k: Nothing) { __typename }", "GRAPHQL_VALIDATION_FAILED"),
]


@pytest.mark.parametrize(("document", "code"), LITERALS)
async def test_a_document_that_is_none_has_a_code_of_its_own(
    edge: Edge, document: str, code: str
) -> None:
    answer = await edge.send(ADA, document)
    assert answer.status_code == 400
    assert set(codes(answer.json())) == {code}


@pytest.mark.parametrize("escape", ["\\ud800", "\\udc00", "\\ud800x", "\\udfff\\ud800"])
async def test_a_lone_surrogate_is_bad_input_wherever_it_stands(edge: Edge, escape: str) -> None:
    before = await edge.heads()
    for content in (
        f'{{"query": "{{ __typename }}", "variables": {{"a": "{escape}"}}}}',
        f'{{"query": "{{ __typename }}", "variables": {{"{escape}": 1}}}}',
        f'{{"query": "{{ environment(key: \\"{escape}\\") {{ key }} }}"}}',
    ):
        answer = await edge.http.post(
            "/graphql",
            content=content,
            headers={**edge.authorization(ADA), "content-type": "application/json"},
        )
        assert (answer.status_code, codes(answer.json())) == (400, ["BAD_USER_INPUT"])
        assert "surrogate" in text_at(answer.json(), "errors.0.message")
    assert await edge.heads() == before


NEVER_LEAVES = ("decode", "payload", "Traceback", ".py", "Error(", "on_off")


async def test_an_accident_is_masked_with_an_id_that_the_log_has_too(
    edge: Edge, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = await edge.open()
    await edge.place.as_superuser(
        "ALTER TABLE syncledger.events DISABLE TRIGGER ALL",
        f"""UPDATE syncledger.events SET payload = '{{"on_off":1}}'
            WHERE environment = '{key}' AND position = 1""",  # noqa: S608 -- own key
        "ALTER TABLE syncledger.events ENABLE TRIGGER ALL",
    )
    document = f'{{ environment(key: "{key}") {{ key }} viewer {{ principal {{ id }} }} }}'
    async with serving(edge.place, tmp_path) as other:
        with caplog.at_level(logging.ERROR, "api.errors"):
            answer = await other.send(ADA, document)
            async with other.talk(WORKER) as talk:
                feed = f'subscription {{ settingsFeed(environmentKey: "{key}") {{ position }} }}'
                await talk.subscribe("1", feed)
                said = await talk.hear()
    body = answer.json()
    assert answer.status_code == 200
    assert at(body, "data.environment") is None
    assert at(body, "data.viewer.principal.id") == ADA.subject
    assert at(said, "type") == "error"
    for told in (at(body, "errors.0"), at(said, "payload.0")):
        assert at(told, "extensions.code") == "INTERNAL_SERVER_ERROR"
        error_id = text_at(told, "extensions.errorId")
        assert error_id in text_at(told, "message")
        assert error_id in caplog.text
        assert not [word for word in NEVER_LEAVES if word in str(told)]
    assert "NotOurs" in caplog.text


async def test_a_database_that_is_away_is_told_and_serving_goes_on_when_it_is_back(
    edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await edge.open()
    stranger = Person("stranger@contoso.example")
    feed = f'subscription {{ settingsFeed(environmentKey: "{key}") {{ position }} }}'
    viewer = "{ viewer { principal { id } } }"
    async with Cable.laid(edge.place.cluster.folder) as cable:
        place = replace(edge.place, cluster=Cluster(cable.folder))
        async with serving(place, tmp_path) as far, far.talk(WORKER) as talk:
            for person in (ADA, CARL, WORKER):
                await far.data(person, f'{{ environment(key: "{key}") {{ position }} }}')
            await cable.pull()
            with monkeypatch.context() as impatient:
                impatient.setattr(far.rooms.appender, "_patience", 0.5)
                first = await far.send(stranger, viewer)
                assert (first.status_code, codes(first.json())) == (503, ["SERVICE_UNAVAILABLE"])
                listed = await far.ask(ADA, "{ environments { totalCount } }")
                assert codes(listed) == ["SERVICE_UNAVAILABLE"]
                changed = await far.ask(CARL, CHANGE, changing(environmentKey=key))
                assert codes(changed) == ["SERVICE_UNAVAILABLE"]
                assert at(changed, "data") is None
                await talk.subscribe("1", feed)
                said = await talk.hear()
                assert at(said, "payload.0.extensions.code") == "SERVICE_UNAVAILABLE"
                async with far.talk(stranger) as other:
                    await other.subscribe("1", viewer)
                    said = await other.hear()
                assert at(said, "payload.0.extensions.code") == "SERVICE_UNAVAILABLE"
            in_memory = await far.data(ADA, f'{{ environment(key: "{key}") {{ position }} }}')
            assert in_memory == {"environment": {"position": STAFFED}}
            await cable.mend()
            deadline = monotonic() + PATIENCE
            while codes(await far.ask(stranger, viewer)):
                assert monotonic() < deadline
                await asyncio.sleep(0.05)
            await talk.subscribe("2", feed)
            assert at(await talk.hear(), "payload.data.settingsFeed.position") == STAFFED
            made = await far.data(CARL, CHANGE, changing(environmentKey=key))
            assert at(made, "changeSettings.__typename") == "SettingsChanged"
            assert at(await talk.hear(), "payload.data.settingsFeed.position") == STAFFED + 1


async def test_keys_that_cannot_be_read_are_told_on_both_ways_in(
    place: Place, tmp_path: Path
) -> None:
    async with serving(place, tmp_path, jwks=tmp_path / "none.json") as edge:
        answer = await edge.send(ADA, "{ __typename }")
        assert (answer.status_code, codes(answer.json())) == (503, ["SERVICE_UNAVAILABLE"])
        async with edge.raw() as talk:
            await talk.say(type="connection_init", payload=edge.authorization(ADA))
            assert (await talk.closed())[0] == 4500
