"""Filters as clients ask for them: defined both ways, previewed, applied, followed, found again."""

import json
from xml.sax.saxutils import quoteattr

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
    WORKER,
    Edge,
    Person,
    at,
    codes,
    list_at,
    opened,
    text_at,
    whole_at,
)

from domain.filters.catalogue import CATALOGUE
from domain.filters.operators import OPERATORS
from domain.filters.templates import TEMPLATES

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

FILTER = """id key section label description isDefault filterKey role kind table recordType active
  givenToNewUsers fetchXml summary warnings { code setting mustBeAcknowledged }
  lastChange { position differences before after summary type }
  criteria { operator conditions { column operator values comparedColumn linkAlias }
    groups { operator conditions { column } }
    links { table fromColumn toColumn type alias criteria { conditions { column values } } } }"""
CHANGE = """mutation ($input: ChangeSettingsInput!) { changeSettings(input: $input) { __typename
  ... on SettingsChanged { replayed changeSet { firstPosition position
    changes { id setting type before after differences summary } } warnings { code setting message }
    settings { systemFilters { filterKey } } }
  ... on SettingsPreviewed { changes { setting type before after differences summary }
    impact { recordType message } warnings { code setting }
    settings { position systemFilters { filterKey active } } }
  ... on SettingsRefused { refusals { __typename code message change
    ... on FilterNotValid { problems { path message } } } } } }"""
OPEN = {"column": "statecode", "operator": "eq", "values": ["0"]}
MINE = {"column": "ownerid", "operator": "eq-userid"}
TREE = {"tree": {"conditions": [MINE, OPEN]}}
BERLIN = {"column": "address1_city", "operator": "eq", "values": ["Berlin"]}
XML = (
    '<fetch><entity name="contact"><attribute name="contactid"/><filter type="and">'
    '<condition attribute="ownerid" operator="eq-userid"/>'
    '<condition attribute="statecode" operator="eq" value="0"/></filter></entity></fetch>'
)


def define(key: str | None = "mine", criteria: object = TREE, **more: object) -> object:
    return {
        "defineFilter": {
            "role": "SYSTEM_FILTER",
            "kind": "ONLINE",
            "table": "contact",
            "name": "My active contacts",
            "criteria": criteria,
            **({} if key is None else {"filterKey": key}),
            **more,
        }
    }


async def change(
    edge: Edge, key: str, *changes: object, person: Person = CARL, **more: object
) -> object:
    asked = {"environmentKey": key, "changes": list(changes), **more}
    return at(await edge.data(person, CHANGE, {"input": asked}), "changeSettings")


async def settings(edge: Edge, key: str, asked: str, person: Person = BEN) -> object:
    document = f"query ($key: String!) {{ environment(key: $key) {{ settings {{ {asked} }} }} }}"
    return at(await edge.data(person, document, {"key": key}), "environment.settings")


async def test_a_new_environment_has_its_templates_each_given_to_new_users(edge: Edge) -> None:
    key = await edge.open()
    asked = f"systemFilters {{ filterKey }} filterTemplates {{ {FILTER} }}"
    found = await settings(edge, key, asked, AUDREY)
    assert at(found, "systemFilters") == []
    templates = list_at(found, "filterTemplates")
    assert [at(each, "filterKey") for each in templates] == [*TEMPLATES]
    assert {at(each, "givenToNewUsers") for each in templates} == {True}
    assert {at(each, "isDefault") for each in templates} == {True}
    first = templates[0]
    assert at(first, "key") == "filter:template.online.contact.my-outlook-contacts"
    assert at(first, "label") == "My Outlook Contacts"
    assert at(first, "summary") == "Contacts that I own and that are active"
    assert at(first, "description") == ""
    assert at(first, "section") == "SYSTEM_FILTERS"
    assert at(first, "recordType") == "CONTACT"
    assert at(first, "fetchXml") == XML
    assert at(first, "lastChange.type") == "filter_defined.v1"
    assert at(first, "lastChange.differences") == ["added: owner is me", "added: status is active"]
    assert at(first, "warnings.0.code") == "TEMPLATE_COPIES_STAY"
    assert at(templates[1], "criteria.links.0.criteria.conditions.1.values") == ["5", "6", "7", "9"]
    assert at(templates[-1], "recordType") is None
    assert at(templates[-1], "section") == "OFFLINE_FILTERS"


async def test_lists_are_narrowed_by_kind_and_record_type(edge: Edge) -> None:
    key = await edge.open()
    found = await settings(
        edge,
        key,
        """offline: filterTemplates(kind: OFFLINE) { label }
        contacts: filterTemplates(recordType: CONTACT) { kind }
        both: filterTemplates(kind: ONLINE, recordType: TASK) { label }
        none: systemFilters(kind: ONLINE, recordType: FAX) { label }""",
    )
    assert [at(each, "label") for each in list_at(found, "offline")] == [
        "My Contacts",
        "My Appointments",
        "My Tasks",
        "My Accounts",
    ]
    assert at(found, "contacts") == [{"kind": "ONLINE"}, {"kind": "OFFLINE"}]
    assert at(found, "both") == [{"label": "My Tasks"}]
    assert at(found, "none") == []


@pytest.mark.parametrize("criteria", [TREE, {"fetchXml": XML}], ids=["tree", "fetchXml"])
async def test_a_filter_is_previewed_applied_followed_found_and_read_at_a_past_point(
    edge: Edge, criteria: object
) -> None:
    key = await edge.open()
    sentence = "Contacts that I own and that are active"
    preview = await change(edge, key, define(criteria=criteria), mode="PREVIEW")
    assert at(preview, "__typename") == "SettingsPreviewed"
    assert at(preview, "impact") == [
        {
            "recordType": "CONTACT",
            "message": f"“My active contacts” starts choosing records. {sentence}.",
        }
    ]
    assert at(preview, "settings.systemFilters") == [{"filterKey": "mine", "active": True}]
    applied = await change(edge, key, define(criteria=criteria), reason="For sales")
    [made] = list_at(applied, "changeSet.changes")
    assert {name: at(made, name) for name in ("setting", "before", "after", "type", "summary")} == {
        "setting": "filter:mine",
        "before": None,
        "after": XML,
        "type": "filter_defined.v1",
        "summary": "System filter “My active contacts” of contacts defined",
    }
    assert at(made, "differences") == ["added: owner is me", "added: status is active"]
    assert at(preview, "changes") == [
        {name: at(made, name) for name in at_keys(preview, "changes.0")}
    ]
    await change(
        edge, key, {"redefineFilter": {"filterKey": "mine", "criteria": tree(MINE, BERLIN)}}
    )
    await change(edge, key, {"deactivateFilter": {"filterKey": "mine"}})
    history = list_at(
        await edge.data(
            AUDREY,
            """query ($key: String!) { environment(key: $key) {
              history(filter: {setting: "filter:mine"}, order: OLDEST_FIRST) {
                nodes { position type summary differences reason } } } }""",
            {"key": key},
        ),
        "environment.history.nodes",
    )
    assert [at(each, "differences") for each in history] == [
        ["added: owner is me", "added: status is active"],
        ["removed: status is active", "added: address 1: city is “Berlin”"],
        ["no longer active"],
    ]
    then = await edge.data(
        AUDREY,
        f"""query ($key: String!) {{ environment(key: $key) {{
          settings(at: {{position: {STAFFED + 1}}}) {{
            systemFilters {{ id summary active isDefault }} }}
          now: settings {{ setting(key: "filter:mine") {{
            ... on SyncFilter {{ summary active warnings {{ code }} }} }} }} }} }}""",
        {"key": key},
    )
    [filter_then] = list_at(then, "environment.settings.systemFilters")
    assert at(filter_then, "summary") == sentence
    assert at(filter_then, "active") is True
    assert at(filter_then, "isDefault") is False
    assert at(then, "environment.now.setting") == {
        "summary": "Contacts that I own and whose address 1: city is “Berlin”",
        "active": False,
        "warnings": [],
    }
    again = await edge.data(
        AUDREY,
        "query ($id: ID!) { node(id: $id) { ... on SyncFilter { summary } } }",
        {"id": at(filter_then, "id")},
    )
    assert at(again, "node.summary") == sentence


def at_keys(value: object, path: str) -> list[str]:
    found = at(value, path)
    assert isinstance(found, dict)
    return list(found)


def tree(*conditions: object) -> object:
    return {"tree": {"conditions": list(conditions)}}


async def test_who_follows_hears_of_filters_with_what_differs(edge: Edge) -> None:
    key = await edge.open()
    await change(edge, key, define())
    await change(edge, key, {"removeFilter": {"filterKey": "mine"}})
    feed = """subscription ($key: String!, $after: Int) { settingsFeed(
      environmentKey: $key, after: $after) { __typename position
      ... on ChangeSetAppended { changeSet { changes { setting differences } }
        settings { systemFilters { filterKey summary } } } } }"""
    async with edge.talk(WORKER) as talk:
        await talk.subscribe("feed", feed, {"key": key, "after": STAFFED})
        first, second = [at(await talk.hear(), "payload.data.settingsFeed") for _ in range(2)]
    assert at(first, "changeSet.changes.0.differences.0") == "added: owner is me"
    assert at(first, "settings.systemFilters.0.summary") == (
        "Contacts that I own and that are active"
    )
    assert at(second, "changeSet.changes") == [
        {
            "setting": "filter:mine",
            "differences": ["removed: owner is me", "removed: status is active"],
        }
    ]
    assert at(second, "settings.systemFilters") == []


@pytest.mark.parametrize("person", [AUDREY, WORKER, BEN, PAULA, NOBODY], ids=lambda p: p.subject)
@pytest.mark.parametrize("mode", ["APPLY", "PREVIEW"])
async def test_nobody_else_changes_filters(edge: Edge, person: Person, mode: str) -> None:
    key = await edge.open()
    before = await edge.heads()
    reference = {"filterKey": next(iter(TEMPLATES))}
    for asked in (
        define(),
        define(criteria={"fetchXml": "<"}),
        {"redefineFilter": {**reference, "name": "x"}},
        {"activateFilter": reference},
        {"deactivateFilter": reference},
        {"removeFilter": reference},
        {"giveTemplateToNewUsers": reference},
        {"withholdTemplateFromNewUsers": reference},
        {"restoreDefaultTemplates": {}},
    ):
        refused = await change(edge, key, asked, person=person, mode=mode)
        expected = "ENVIRONMENT_NOT_FOUND" if person is NOBODY else "NOT_PERMITTED"
        assert [at(each, "code") for each in list_at(refused, "refusals")] == [expected]
    assert await edge.heads() == before


@pytest.mark.parametrize("person", [ADA, CARL], ids=lambda p: p.subject)
async def test_who_may_change_settings_changes_filters_in_every_way(
    edge: Edge, person: Person
) -> None:
    key = await edge.open()
    reference = {"filterKey": "mine"}
    applied = await change(
        edge,
        key,
        define(role="USER_FILTER_TEMPLATE", description="Why", active=False),
        {"redefineFilter": {**reference, "name": "Renamed", "description": ""}},
        {"activateFilter": reference},
        {"deactivateFilter": reference},
        {"giveTemplateToNewUsers": reference},
        {"withholdTemplateFromNewUsers": reference},
        {"removeFilter": reference},
        {"restoreDefaultTemplates": {"kind": "ONLINE"}},
        person=person,
    )
    assert [at(each, "type") for each in list_at(applied, "changeSet.changes")] == [
        "filter_defined.v1",
        "filter_redefined.v1",
        "filter_activated.v1",
        "filter_deactivated.v1",
        "template_given_to_new_users.v1",
        "template_withheld_from_new_users.v1",
        "filter_removed.v1",
        "template_given_to_new_users.v1",
    ]
    changes = list_at(applied, "changeSet.changes")
    assert at(changes[4], "setting") == "defaultTemplate:ONLINE:contact"
    assert at(changes[4], "after") == at(changes[5], "before") == "mine"
    assert at(changes[1], "differences") == [
        "name: “My active contacts” → “Renamed”",
        "description: now “”",
    ]


async def test_what_makes_no_sense_is_refused_with_every_place(edge: Edge) -> None:
    key = await edge.open()
    before = await edge.heads()
    wrong = {"column": "statecode", "operator": "like", "values": ["0"]}
    nested = {"tree": {"operator": "OR", "groups": [{"conditions": [OPEN, wrong]}], "links": []}}
    in_xml = "fetch/entity[1]/filter[1]/condition[1]"
    xml = f"<fetch><entity name='contact'><filter><condition attribute={quoteattr('x')}/></filter>"
    for asked, paths in (
        (define(criteria=nested), ["groups[0].conditions[1].operator"]),
        (define(criteria=tree(wrong, wrong)), ["conditions[0].operator", "conditions[1].operator"]),
        (define(criteria={"fetchXml": f"{xml}</entity></fetch>"}), [in_xml]),
        (define(criteria={"fetchXml": "<!DOCTYPE x>"}), ["criteria"]),
    ):
        refused = await change(edge, key, asked)
        [refusal] = list_at(refused, "refusals")
        assert at(refusal, "__typename") == "FilterNotValid"
        assert at(refusal, "code") == "FILTER_NOT_VALID"
        assert [at(each, "path") for each in list_at(refusal, "problems")] == paths
    assert await edge.heads() == before


async def test_every_refusal_of_filters_can_be_met(edge: Edge) -> None:
    key = await edge.open()
    template = {"filterKey": next(iter(TEMPLATES))}
    await change(edge, key, define())
    refused = await change(
        edge,
        key,
        define("other", name="MY ACTIVE CONTACTS"),
        define("other", table="account"),
        {"activateFilter": {"filterKey": "nowhere"}},
        {"giveTemplateToNewUsers": {"filterKey": "mine"}},
        {"removeFilter": template},
    )
    assert [(at(each, "change"), at(each, "code")) for each in list_at(refused, "refusals")] == [
        (0, "FILTER_NAME_TAKEN"),
        (1, "TABLE_NOT_SYNCHRONIZED"),
        (2, "FILTER_NOT_FOUND"),
        (3, "FILTER_NOT_FOUND"),
        (4, "TEMPLATE_IS_GIVEN"),
    ]


@pytest.mark.parametrize(
    "asked",
    [
        define("No Key"),
        define(name=" "),
        define(description="x" * 2001),
        define(criteria={}),
        define(criteria={"tree": {}, "fetchXml": XML}),
        define(criteria={"tree": None}),
        define(criteria={"tree": {"colour": "red"}}),
        define(criteria=tree({"column": "statecode", "operator": "eq", "value": "0"})),
        define(kind="NEARBY"),
        {"redefineFilter": {"filterKey": "mine"}},
        {"removeFilter": {"filterKey": ""}},
        {"removeFilter": {"filterKey": "a"}, "activateFilter": {"filterKey": "a"}},
    ],
)
async def test_what_cannot_be_is_bad_input(edge: Edge, asked: object) -> None:
    key = await edge.open()
    given = {"input": {"environmentKey": key, "changes": [asked]}}
    assert codes(await edge.ask(CARL, CHANGE, given)) == ["BAD_USER_INPUT"]


async def test_endless_trees_are_refused_and_nothing_falls_over(edge: Edge) -> None:
    key = await edge.open()
    asked = {"input": {"environmentKey": key, "changes": [define(criteria={"tree": "DEEP"})]}}
    whole = json.dumps({"query": CHANGE, "variables": asked})
    for depth in (12, 60, 200, 400, 900, 9_000):
        tree = '{"groups": [' * depth + "{}" + "]}" * depth
        answer = await edge.http.post(
            "/graphql",
            content=whole.replace('"DEEP"', tree),
            headers={**edge.authorization(CARL), "content-type": "application/json"},
        )
        body = answer.json()
        if depth > 60:
            assert set(codes(body)) <= {"BAD_USER_INPUT", "BAD_REQUEST"}, depth
        if "errors" not in body:
            refusal = at(body, "data.changeSettings.refusals.0")
            assert at(refusal, "code") == "FILTER_NOT_VALID"
            assert text_at(refusal, "problems.0.path").endswith("groups[0]")
        else:
            assert depth > 60
    assert await settings(edge, key, "position") == {"position": STAFFED}


async def test_warnings_come_with_the_change_and_stand_at_the_filter(edge: Edge) -> None:
    key = await edge.open()
    unknown = {"column": "new_score", "operator": "gt", "values": ["3"]}
    defined = await change(edge, key, define(criteria=tree(unknown)))
    assert [at(each, "code") for each in list_at(defined, "warnings")] == ["UNVERIFIED_COLUMN"]
    found = await settings(
        edge, key, 'setting(key: "filter:mine") { warnings { code setting mustBeAcknowledged } }'
    )
    assert at(found, "setting.warnings") == [
        {"code": code, "setting": "filter:mine", "mustBeAcknowledged": False}
        for code in ("LAST_ACTIVE_FILTER", "UNVERIFIED_COLUMN")
    ]
    gone = await change(edge, key, {"removeFilter": {"filterKey": "mine"}})
    assert [at(each, "code") for each in list_at(gone, "warnings")] == ["LAST_ACTIVE_FILTER"]
    template = {"filterKey": next(iter(TEMPLATES)), "name": "Ours"}
    renamed = await change(edge, key, {"redefineFilter": template})
    assert [at(each, "code") for each in list_at(renamed, "warnings")] == ["TEMPLATE_COPIES_STAY"]


async def test_every_setting_has_its_place_filters_included(edge: Edge) -> None:
    key = await edge.open()
    await change(edge, key, define(), define("own", kind="OFFLINE", table="account"))
    found = await settings(edge, key, "all { __typename id key section label description }")
    every = list_at(found, "all")
    sections = [at(each, "section") for each in every]
    assert list(dict.fromkeys(sections)) == [
        "SYSTEM_FILTERS",
        "SYNCHRONIZED_FIELDS",
        "OFFLINE_FILTERS",
        "APPOINTMENTS",
        "CONTACTS",
        "TASKS",
        "RESOURCE_BOOKINGS",
    ]
    assert [sections.count(each) for each in dict.fromkeys(sections)] == [17, 98, 9, 1, 1, 1, 1]
    assert [at(each, "key") for each in every[:2]] == [
        "filter:mine",
        "filter:template.online.contact.my-outlook-contacts",
    ]
    assert at(every[9], "key") == "defaultTemplate:ONLINE:contact"
    assert at(every[9], "__typename") == "DefaultTemplate"
    for each in every:
        assert text_at(each, "label")
        assert text_at(each, "description") or at(each, "__typename") == "SyncFilter"
        node = await edge.data(
            BEN,
            "query ($id: ID!) { node(id: $id) { id ... on Setting { key } } }",
            {"id": at(each, "id")},
        )
        assert at(node, "node") == {"id": at(each, "id"), "key": at(each, "key")}


async def test_what_new_users_are_given_is_a_setting(edge: Edge) -> None:
    key = await edge.open()
    asked = """setting(key: "defaultTemplate:OFFLINE:account") { section label isDefault
      warnings { code } lastChange { type }
      ... on DefaultTemplate { kind table recordType template { label givenToNewUsers } } }"""
    assert at(await settings(edge, key, asked, WORKER), "setting") == {
        "section": "OFFLINE_FILTERS",
        "label": "Account: template given to new users",
        "isDefault": True,
        "warnings": [],
        "lastChange": {"type": "template_given_to_new_users.v1"},
        "kind": "OFFLINE",
        "table": "account",
        "recordType": None,
        "template": {"label": "My Accounts", "givenToNewUsers": True},
    }
    body = await edge.ask(
        BEN,
        """query ($key: String!) { environment(key: $key) { settings {
          setting(key: "filter:no") { key } } } }""",
        {"key": key},
    )
    assert codes(body) == ["BAD_USER_INPUT"]


async def test_history_is_narrowed_to_filters_of_a_kind(edge: Edge) -> None:
    key = await edge.open()
    document = """query ($key: String!, $setting: String!) { environment(key: $key) {
      history(first: 50, filter: {setting: $setting}) { nodes { setting } } } }"""
    counts = {
        "filter:": 12,
        "filter:template.online.": 8,
        "filter:template.online.task.my-tasks": 1,
        "defaultTemplate:": 12,
        "defaultTemplate:OFFLINE:": 4,
        "defaultTemplate:OFFLINE:task": 1,
    }
    for setting, count in counts.items():
        found = await edge.data(AUDREY, document, {"key": key, "setting": setting})
        nodes = list_at(found, "environment.history.nodes")
        assert len(nodes) == count, setting
        assert all(text_at(each, "setting").startswith(setting) for each in nodes)
    body = await edge.ask(AUDREY, document, {"key": key, "setting": "filter:never.was"})
    assert codes(body) == ["BAD_USER_INPUT"]


async def test_asking_again_by_the_same_id_is_the_first_answer(edge: Edge) -> None:
    key = await edge.open()
    request = "5b0c3a56-0f67-4c29-9e1f-4a6d0b0a7f11"
    first = await change(edge, key, define(None), requestId=request)
    again = await change(edge, key, define(None), requestId=request)
    assert at(first, "changeSet") == at(again, "changeSet")
    assert (at(first, "replayed"), at(again, "replayed")) == (False, True)
    other = await change(edge, key, define(None, criteria={"fetchXml": XML}), requestId=request)
    assert at(other, "refusals.0.code") == "REQUEST_ID_REUSED"


async def test_an_editor_finds_tables_columns_and_operators(edge: Edge) -> None:
    found = await edge.data(
        NOBODY,
        """{ filterCatalogue { tables { table label online offline
          columns { column label type operators } }
          operators { operator label valueCount types dependsOn } } }""",
    )
    tables = list_at(found, "filterCatalogue.tables")
    assert {at(each, "table"): len(list_at(each, "columns")) for each in tables} == {
        name: len(table.columns) for name, table in CATALOGUE.items()
    }
    operators = list_at(found, "filterCatalogue.operators")
    assert [at(each, "operator") for each in operators] == [*OPERATORS]
    assert len(operators) == 83
    last = next(each for each in operators if at(each, "operator") == "last-x-days")
    assert last == {
        "operator": "last-x-days",
        "label": "Last X Days",
        "valueCount": "1",
        "types": ["dateTime"],
        "dependsOn": ["clock", "user time zone"],
    }
    names = {at(each, "operator") for each in operators}
    for table in tables:
        for column in list_at(table, "columns"):
            assert set(list_at(column, "operators")) <= names


async def test_filters_defined_at_once_are_each_in_force_for_the_next(edge: Edge) -> None:
    key = await edge.open()
    applied = await change(
        edge,
        key,
        define("a", name="A"),
        define("b", name="B"),
        {"removeFilter": {"filterKey": "a"}},
    )
    assert at(applied, "settings.systemFilters") == [{"filterKey": "b"}]
    assert whole_at(applied, "changeSet.position") == STAFFED + 3
    preview = await change(edge, key, {"deactivateFilter": {"filterKey": "b"}}, mode="PREVIEW")
    messages = [text_at(each, "message") for each in list_at(preview, "impact")]
    assert messages[0].startswith("“B” stops choosing records.")
    assert messages[1] == "Contacts travel only for users who have an active filter of their own."
    assert at(preview, "warnings.0.code") == "LAST_ACTIVE_FILTER"
    assert at(preview, "settings.systemFilters") == [{"filterKey": "b", "active": False}]


FULL = {
    "tree": {
        "conditions": [
            {"column": f"new_{number:03}", "operator": "eq", "values": ["x" * 40]}
            for number in range(500)
        ]
    }
}
REPEATED = """mutation ($key: String!, $criteria: FilterCriteriaInput!) {
  changeSettings(input: { environmentKey: $key, mode: PREVIEW, changes: [%s] }) { __typename } }"""


async def test_one_variable_said_many_times_is_counted_each_time(edge: Edge) -> None:
    key = await edge.open()
    named = '{redefineFilter: {filterKey: "template.online.task.my-tasks", criteria: $criteria}}'
    for times, expected in ((2, []), (32, ["TOO_COSTLY"])):
        document = REPEATED % (" ".join([named] * times))
        body = await edge.ask(CARL, document, {"key": key, "criteria": FULL})
        assert codes(body) == expected


async def test_what_is_read_of_criteria_has_a_limit(edge: Edge) -> None:
    key = await edge.open()
    for number in range(5):
        await change(edge, key, define(f"k{number}", FULL, name=f"Name {number}"))
    fields = " ".join(f"f{n}: fetchXml" for n in range(18))
    document = """query ($key: String!) { environment(key: $key) { settings {
      systemFilters { %s criteria { conditions { column } } } } } }"""
    few = await edge.data(BEN, document % "fetchXml summary", {"key": key})
    assert len(list_at(few, "environment.settings.systemFilters")) == 5
    body = await edge.ask(BEN, document % fields, {"key": key})
    assert set(codes(body)) == {"TOO_COSTLY"}


async def test_what_is_stored_at_the_limits_is_read_by_everybody(edge: Edge) -> None:
    """Refused or stored: never stored and then unreadable."""
    key = await edge.open()
    many = [str(number) for number in range(500)]
    listed = {"column": "fullname", "operator": "in", "values": many}
    marks = {"column": "fullname", "operator": "eq", "values": ["&" * 4_000]}
    compared = {"column": "participationtypemask", "operator": "eq", "comparedColumn": "new_x"}
    party = {
        "table": "activityparty",
        "fromColumn": "activityid",
        "toColumn": "activityid",
        "criteria": {
            "conditions": [{"column": "partyid", "operator": "eq-userid"}, compared],
        },
    }
    asked = (
        define("a", tree(*[listed] * 4), name="A"),
        define("b", tree(*[listed] * 5), name="B"),
        define("c", tree(*[marks] * 3), name="C"),
        define("d", tree(*[marks] * 15), name="D"),
        define("e", {"tree": {"groups": [{}] * 800}}, name="E"),
        define("f", {"tree": {"links": [party]}}, name="F", table="task"),
    )
    stored = []
    for each in asked:
        answer = await change(edge, key, each)
        if at(answer, "__typename") == "SettingsChanged":
            stored.append(at(answer, "changeSet.changes.0.setting"))
        else:
            assert at(answer, "refusals.0.code") == "FILTER_NOT_VALID"
    assert stored == ["filter:a", "filter:c", "filter:f"]
    found = await settings(edge, key, f"systemFilters {{ {FILTER} }} all {{ label }}", AUDREY)
    assert [at(each, "key") for each in list_at(found, "systemFilters")] == stored
