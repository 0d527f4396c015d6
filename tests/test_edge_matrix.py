import asyncio
import uuid
from collections.abc import Mapping
from typing import NamedTuple

import pytest
import pytest_asyncio
from edge import (
    ADA,
    AUDREY,
    BEN,
    CARL,
    EVERYBODY,
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
)

from api.nodes import NodeId, parsed
from eventstore.database import Database, Row

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

ORDER = (ADA, CARL, AUDREY, WORKER, BEN, PAULA, NOBODY)
NAMES = {person: person.subject.partition("@")[0] for person in ORDER}

# D data, 0 null or empty without an error, F FORBIDDEN, P refused as NOT_PERMITTED, N refused as
# ENVIRONMENT_NOT_FOUND, X BAD_USER_INPUT, as for an environment that does not exist
READING = """
                      ada  carl  audrey  worker  ben  paula  nobody
viewer                 D    D     D       D       D    D      D
environment            D    D     D       D       D    D      0
environments           D    D     D       D       D    D      0
settings               D    D     D       D       D    F      0
fieldMappings          D    D     D       D       D    F      0
filterTemplates        D    D     D       D       D    F      0
filterCatalogue        D    D     D       D       D    D      D
members                D    D     D       F       F    D      0
history                D    D     D       F       F    F      0
settings:Past          D    D     D       F       F    F      0
members:Past           D    D     D       F       F    F      0
lastChange             D    D     D       D       0    F      0
node:Environment       D    D     D       D       D    D      0
node:Settings          D    D     D       D       D    0      0
node:Setting           D    D     D       D       D    0      0
node:Change            D    D     D       D       0    0      0
node:PastSettings      D    D     D       0       0    0      0
node:PastSetting       D    D     D       0       0    0      0
nodes                  D    D     D       D       D    D      0
settingsFeed           D    D     D       D       F    F      X
"""
CHANGING = """
                      ada  carl  audrey  worker  ben  paula  nobody
changeSettings         D    D     P       P       P    P      N
preview                D    D     P       P       P    P      N
syncDirection          D    D     P       P       P    P      N
restoreSyncDirections  D    D     P       P       P    P      N
defineFilter           D    D     P       P       P    P      N
redefineFilter         D    D     P       P       P    P      N
activateFilter         D    D     P       P       P    P      N
deactivateFilter       D    D     P       P       P    P      N
giveTemplate           D    D     P       P       P    P      N
withholdTemplate       D    D     P       P       P    P      N
restoreTemplates       D    D     P       P       P    P      N
registerEnvironment    P    P     P       P       P    D      P
registerAgain          P    P     P       P       P    E      P
renameEnvironment      D    P     P       P       P    D      N
archiveEnvironment     D    P     P       P       P    D      N
restoreEnvironment     D    P     P       P       P    D      N
grantRole              D    P     P       P       P    D      N
revokeRole             D    P     P       P       P    D      N
"""


def table(text: str) -> dict[tuple[str, Person], str]:
    header, *lines = text.strip().splitlines()
    people = {name: person for person, name in NAMES.items()}
    rows = [line.split() for line in lines]
    return {
        (row[0], people[name]): outcome
        for row in rows
        for name, outcome in zip(header.split(), row[1:], strict=True)
    }


class Asked(NamedTuple):
    document: str
    path: str
    variables: Mapping[str, object]


def node(kind: str, position: str = "", rest: str = "") -> Asked:
    opaque = NodeId(kind, KEY, position, rest).opaque
    return Asked("query ($id: ID!) { node(id: $id) { id } }", "node", {"id": opaque})


QUERIES = {
    "viewer": Asked("{ viewer { principal { id } platformAdministrator } }", "viewer", {}),
    "environment": Asked(
        f'{{ environment(key: "{KEY}") {{ key name kind state position viewerCan }} }}',
        "environment",
        {},
    ),
    "environments": Asked("{ environments { nodes { key } } }", "environments.nodes", {}),
    "settings": Asked(
        f'{{ environment(key: "{KEY}") {{ settings {{ position }} }} }}', "environment.settings", {}
    ),
    "members": Asked(
        f'{{ environment(key: "{KEY}") {{ members {{ roles }} }} }}', "environment.members", {}
    ),
    "fieldMappings": Asked(
        f'{{ environment(key: "{KEY}") {{ settings {{ fieldMappings {{ direction }} }} }} }}',
        "environment.settings.fieldMappings",
        {},
    ),
    "filterTemplates": Asked(
        f'{{ environment(key: "{KEY}") {{ settings {{ filterTemplates {{ summary }} }} }} }}',
        "environment.settings.filterTemplates",
        {},
    ),
    "filterCatalogue": Asked(
        "{ filterCatalogue { tables { table } } }", "filterCatalogue.tables", {}
    ),
    "history": Asked(
        f'{{ environment(key: "{KEY}") {{ history {{ nodes {{ summary }} }} }} }}',
        "environment.history.nodes",
        {},
    ),
    "settings:Past": Asked(
        f"""query ($at: Int!) {{ environment(key: "{KEY}") {{
          settings(at: {{position: $at}}) {{ position }} }} }}""",
        "environment.settings",
        {"at": STAFFED},
    ),
    "members:Past": Asked(
        f"""query ($at: Int!) {{ environment(key: "{KEY}") {{
          members(at: {{position: $at}}) {{ roles }} }} }}""",
        "environment.members",
        {"at": STAFFED},
    ),
    "lastChange": Asked(
        f'{{ environment(key: "{KEY}") {{ settings {{ assignedTasks {{ lastChange {{ summary }} }} '
        "} } }",
        "environment.settings.assignedTasks.lastChange",
        {},
    ),
    "node:Environment": node("Environment"),
    "node:Settings": node("SynchronizationSettings"),
    "node:Setting": node("Setting", rest="assignedTasks"),
    "node:Change": node("Change", str(STAFFED + 1)),
    "node:PastSettings": node("SynchronizationSettings", str(STAFFED)),
    "node:PastSetting": node("Setting", str(STAFFED), "assignedTasks"),
    "nodes": Asked(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        "nodes.0",
        {"ids": [NodeId("Environment", KEY).opaque]},
    ),
}


def found(body: object, path: str) -> object:
    """What stands at a path of the data; None where something on the way is null."""
    value = at(body, "data")
    for step in path.split("."):
        if value is None:
            return None
        value = at(value, step)
    return value


def outcome_of_reading(body: object, path: str) -> str:
    wrong = codes(body)
    value = found(body, path)
    if wrong:
        assert value is None
        assert wrong == ["FORBIDDEN"], wrong
        return "F"
    return "D" if value else "0"


async def test_everyone_reads_what_the_table_says_and_nothing_more(edge: Edge) -> None:
    await edge.data(CARL, CHANGE, {"on": True, "mode": "APPLY"})
    seen = {}
    for person in EVERYBODY:
        for name, asked in QUERIES.items():
            body = await edge.ask(person, asked.document, asked.variables)
            seen[name, person] = outcome_of_reading(body, asked.path)
        seen["settingsFeed", person] = await outcome_of_following(edge, person)
    assert seen == table(READING)


async def outcome_of_following(edge: Edge, person: Person) -> str:
    async with edge.talk(person) as talk:
        feed = f'subscription {{ settingsFeed(environmentKey: "{KEY}", after: 0) {{ position }} }}'
        await talk.subscribe("1", feed)
        said = await talk.hear()
    if at(said, "type") == "next":
        return "D"
    return {"FORBIDDEN": "F", "BAD_USER_INPUT": "X"}[str(at(said, "payload.0.extensions.code"))]


CHANGE = f"""mutation ($on: Boolean!, $mode: ChangeMode!) {{
  changeSettings(input: {{
    environmentKey: "{KEY}", mode: $mode, changes: [{{ assignedTasks: {{ enabled: $on }} }}]
  }}) {{
    __typename ... on SettingsRefused {{ position refusals {{
      code message change ... on NotPermitted {{ needs rolesThatMay }}
    }} }}
  }}
}}"""
CHANGE_ONE = f"""mutation ($change: SettingChange!) {{
  changeSettings(input: {{ environmentKey: "{KEY}", changes: [$change] }}) {{
    __typename ... on SettingsRefused {{ position refusals {{
      code message change ... on NotPermitted {{ needs rolesThatMay }}
    }} }}
  }}
}}"""
REFUSALS = (
    "__typename ... on EnvironmentRefused { refusals "
    "{ code message ... on NotPermitted { needs rolesThatMay } } }"
)


def mutation(name: str, kind: str) -> str:
    return f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {REFUSALS} }} }}"


def on_contoso(field: str, **more: object) -> Asked:
    kind = field[0].upper() + field[1:] + "Input"
    variables = {"input": {"environmentKey": KEY, **more}}
    return Asked(mutation(field, kind), field, variables)


REGISTER = mutation("registerEnvironment", "RegisterEnvironmentInput")


TEMPLATE = {"filterKey": "template.online.task.my-tasks"}
CHANGES: dict[str, object] = {
    "syncDirection": {"syncDirection": {"mapping": "contact.notes", "direction": "NONE"}},
    "restoreSyncDirections": {"restoreSyncDirections": {}},
    "defineFilter": {
        "defineFilter": {
            "role": "SYSTEM_FILTER",
            "kind": "ONLINE",
            "table": "task",
            "name": "All",
            "criteria": {"tree": {}},
        }
    },
    "redefineFilter": {"redefineFilter": {**TEMPLATE, "description": "Mine"}},
    "activateFilter": {"activateFilter": TEMPLATE},
    "deactivateFilter": {"deactivateFilter": TEMPLATE},
    "giveTemplate": {"giveTemplateToNewUsers": TEMPLATE},
    "withholdTemplate": {"withholdTemplateFromNewUsers": TEMPLATE},
    "restoreTemplates": {"restoreDefaultTemplates": {}},
}


def mutations() -> dict[str, Asked]:
    new = {"key": f"new-{uuid.uuid4()}", "name": "New", "kind": "TRIAL"}
    someone = {"principal": f"{uuid.uuid4()}@contoso.example", "role": "BASIC_USER"}
    return {
        "changeSettings": Asked(CHANGE, "changeSettings", {"on": True, "mode": "APPLY"}),
        "preview": Asked(CHANGE, "changeSettings", {"on": False, "mode": "PREVIEW"}),
        **{
            name: Asked(CHANGE_ONE, "changeSettings", {"change": change})
            for name, change in CHANGES.items()
        },
        "registerEnvironment": Asked(REGISTER, "registerEnvironment", {"input": new}),
        "registerAgain": Asked(REGISTER, "registerEnvironment", {"input": {**new, "key": KEY}}),
        "renameEnvironment": on_contoso("renameEnvironment", name="Renamed"),
        "archiveEnvironment": on_contoso("archiveEnvironment"),
        "restoreEnvironment": on_contoso("restoreEnvironment"),
        "grantRole": on_contoso("grantRole", **someone),
        "revokeRole": on_contoso("revokeRole", **someone),
    }


def outcome_of_changing(body: object, path: str) -> str:
    answer = at(body, f"data.{path}")
    if not str(at(answer, "__typename")).endswith("Refused"):
        return "D"
    (refusal,) = list_at(answer, "refusals")
    code = str(at(refusal, "code"))
    if code == "NOT_PERMITTED":
        for role in list_at(refusal, "rolesThatMay"):
            assert str(role) in str(at(refusal, "message"))
    return {"NOT_PERMITTED": "P", "ENVIRONMENT_NOT_FOUND": "N", "ENVIRONMENT_EXISTS": "E"}[code]


async def test_everyone_changes_what_the_table_says_and_a_refusal_writes_nothing(
    edge: Edge,
) -> None:
    seen = {}
    for person in EVERYBODY:
        for name, asked in mutations().items():
            before = await edge.heads()
            body = await edge.ask(person, asked.document, asked.variables)
            seen[name, person] = outcome_of_changing(body, asked.path)
            refused = seen[name, person] != "D"
            assert not refused or await edge.heads() == before, (name, person)
    assert seen == table(CHANGING)


@pytest.mark.parametrize("name", [*QUERIES, *mutations(), "settingsFeed"])
async def test_a_hidden_environment_is_answered_byte_for_byte_like_a_missing_one(
    edge: Edge, name: str
) -> None:
    """The two keys have the same length, and are made the same in the answers."""
    missing = "c0ntoso"
    if name == "settingsFeed":
        answers = [await _feed_error(edge, key) for key in (KEY, missing)]
    else:
        asked = {**QUERIES, **mutations()}[name]
        answers = [
            (await edge.send(NOBODY, *_about(asked, key))).content.replace(key.encode(), b"KEY")
            for key in (KEY, missing)
        ]
    if name not in {"registerEnvironment", "viewer"}:
        assert answers[0] == answers[1]
    assert all(answers)


def _about(asked: Asked, key: str) -> tuple[str, Mapping[str, object]]:
    def moved(value: object) -> object:
        match value:
            case dict():
                return {name: moved(inner) for name, inner in value.items()}
            case list():
                return [moved(inner) for inner in value]
            case str() if value == KEY:
                return key
            case _:
                return value

    variables = {name: moved(value) for name, value in asked.variables.items()}
    for name, value in variables.items():
        if name in {"id", "ids"}:
            opaque = value[0] if isinstance(value, list) else value
            assert isinstance(opaque, str)
            found = _decoded(opaque)._replace(environment=key).opaque
            variables[name] = [found] if name == "ids" else found
    return asked.document.replace(f'"{KEY}"', f'"{key}"'), variables


def _decoded(opaque: str) -> NodeId:
    found = parsed(opaque)
    assert found is not None
    return found


async def _feed_error(edge: Edge, key: str) -> bytes:
    async with edge.talk(NOBODY) as talk:
        await talk.subscribe(
            "1",
            f"""subscription ($after: Int!) {{
              settingsFeed(environmentKey: "{key}", after: $after) {{ position }} }}""",
            {"after": STAFFED + 3},
        )
        return str(await talk.hear()).replace(key, "KEY").encode()


@pytest.mark.parametrize("wanted", [None, 0, 1, STAFFED, STAFFED + 1, 10**6])
async def test_a_hidden_environment_costs_exactly_what_a_missing_one_does(
    edge: Edge, wanted: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same statements, and so the same time: whether it is there, and how far, stays hidden."""
    document = (
        "query ($key: String!, $at: Int) { environment(key: $key, atLeastPosition: $at) { key } }"
    )
    asked: list[str] = []
    real = Database.fetch

    async def fetch(self: Database, sql: str, *arguments: object) -> list[Row]:
        if asyncio.current_task() is not follower:
            asked.append(sql)
        return await real(self, sql, *arguments)

    follower = next(task for task in asyncio.all_tasks() if task.get_name() == "standings")
    monkeypatch.setattr(edge.rooms.projector, "catch_up", _nothing)
    monkeypatch.setattr(Database, "fetch", fetch)
    costs = []
    async with asyncio.timeout(2):
        for key in (KEY, "missing"):
            await edge.send(NOBODY, document, {"key": key, "at": wanted})
            asked.clear()
            answer = await edge.send(NOBODY, document, {"key": key, "at": wanted})
            assert answer.content == (
                b'{"data":{"environment":null},"extensions":{"cost":{"requested":1}}}'
            )
            costs.append(list(asked))
    assert costs[0] == costs[1]


async def _nothing(_environment: str | None = None) -> int:
    return 0
