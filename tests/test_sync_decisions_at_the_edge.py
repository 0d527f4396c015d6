"""What a sync worker does with items, asked through GraphQL: now, as it was, and as it would be."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
import pytest_asyncio
from edge import (
    AUDREY,
    BEN,
    CARL,
    MEMBERS,
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
from sync_cases import CASES

from api.costs import LENGTHS
from api.sync_inputs import MOST_ITEMS, MOST_OWN_FILTERS
from domain.field_mappings import ChooseSyncDirection, mappings
from domain.filters.commands import (
    ActivateFilter,
    DeactivateFilter,
    DefineFilter,
    RemoveFilter,
    WithholdTemplateFromNewUsers,
)
from domain.filters.criteria import Condition, Group
from domain.filters.state import FilterKind, FilterRole
from domain.mapping_table import RecordType, SyncDirection
from domain.rule_book import RULES
from domain.switches import (
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.sync_items import SyncItemType

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

ID = "a11ce000-0000-4000-8000-000000000000"
OTHER = "b0b00000-0000-4000-8000-000000000000"
ACTIVITY = "ac710000-0000-4000-8000-000000000000"
CONTACTS = "template.online.contact.my-outlook-contacts"
EVERYTHING = """toExchange toCrm attachments reasons { rule message settings } matchedFilters
  missingColumns"""
DECISIONS = """query ($key: String!, $items: [SyncItemInput!]!, $user: SyncUserInput!,
    $now: DateTime) { environment(key: $key) { settings {
  syncDecisions(items: $items, user: $user, now: $now) { %s } } } }"""
BASE: Mapping[str, object] = {"id": ID}


def columns(**held: str | None) -> list[object]:
    return [{"column": name, "value": value} for name, value in held.items()]


def item(kind: str, **held: str | None) -> dict[str, object]:
    return {"type": kind, "columns": columns(**held)}


def linked(kind: str, **held: str | None) -> dict[str, object]:
    return {**item(kind, **held), "linked": True}


MINE = item("CONTACT", ownerid=ID, statecode="0")


async def asked(
    edge: Edge,
    key: str,
    *items: object,
    user: object = BASE,
    fields: str = EVERYTHING,
    person: Person = WORKER,
    now: str | None = None,
) -> list[object]:
    variables = {"key": key, "items": list(items), "user": user, "now": now}
    found = await edge.data(person, DECISIONS % fields, variables)
    return list_at(found, "environment.settings.syncDecisions")


def answers(decision: object) -> str:
    return " ".join(text_at(decision, name) for name in ("toExchange", "toCrm", "attachments"))


async def test_an_item_is_decided_with_its_reasons_and_what_chose_it(edge: Edge) -> None:
    key = await edge.open()
    (found,) = await asked(edge, key, MINE)
    assert found == {
        "toExchange": "YES",
        "toCrm": "NO",
        "attachments": "NO",
        "reasons": [
            {
                "rule": "OWN_FILTERS_FROM_TEMPLATES",
                "message": "The user's own filters are not told; new users are given “My Outlook "
                "Contacts”.",
                "settings": ["defaultTemplate:ONLINE:contact"],
            },
            {
                "rule": "FILTERS",
                "message": "Chosen by the user's copy of the template “My Outlook Contacts”.",
                "settings": ["defaultTemplate:ONLINE:contact", f"filter:{CONTACTS}"],
            },
            {
                "rule": "TRACKED_ITEMS",
                "message": "It is neither linked nor tracked.",
                "settings": [],
            },
            {
                "rule": "ATTACHMENTS_TRAVEL_ALONG",
                "message": "The item has none.",
                "settings": [],
            },
        ],
        "matchedFilters": [CONTACTS],
        "missingColumns": [],
    }


async def test_what_was_left_out_is_not_known_and_what_is_null_is_empty(edge: Edge) -> None:
    key = await edge.open()
    out, empty, null, bare = await asked(
        edge,
        key,
        item("CONTACT", statecode="0"),
        item("CONTACT", statecode="0", ownerid=None),
        {"type": "CONTACT", "columns": [{"column": "ownerid"}, {"column": "statecode"}]},
        {"type": "CONTACT"},
    )
    assert (answers(out), at(out, "missingColumns")) == ("UNKNOWN NO NO", ["ownerid"])
    assert (answers(empty), at(empty, "missingColumns")) == ("NO NO NO", [])
    assert answers(null) == "NO NO NO"
    assert at(bare, "missingColumns") == ["ownerid", "statecode"]


async def test_items_of_every_type_are_answered_in_their_order(edge: Edge) -> None:
    key = await edge.open()
    kinds = [kind.value for kind in SyncItemType]
    found = await asked(
        edge,
        key,
        *(linked(kind, ownerid=ID, statecode="0") for kind in kinds),
        fields="toCrm fields { mapping { mapping recordType } direction reason }",
    )
    for kind, decision in zip(kinds, found, strict=True):
        booking = kind == "RESOURCE_BOOKING"
        expected = [] if booking else [each.key for each in mappings(RecordType(kind))]
        fields = list_at(decision, "fields")
        assert [at(each, "mapping.mapping") for each in fields] == expected
        assert {at(each, "mapping.recordType") for each in fields} <= {kind}
        assert at(decision, "toCrm") == ("NO" if booking or kind == "SERVICE_ACTIVITY" else "YES")
        assert all(text_at(each, "reason").endswith(".") for each in fields)


async def test_a_field_is_decided_by_settings_and_by_the_user(edge: Edge) -> None:
    key = await edge.open()
    choice = ChooseSyncDirection(mapping="contact.notes", direction=SyncDirection.TO_EXCHANGE)
    await edge.change(CARL, choice, key=key)
    fields = "fields { mapping { mapping direction } direction reason }"

    async def directions(**more: object) -> dict[str, object]:
        (found,) = await asked(edge, key, MINE, user={**BASE, **more}, fields=fields)
        return {
            text_at(each, "mapping.mapping"): at(each, "direction")
            for each in list_at(found, "fields")
        }

    plain = await directions()
    assert plain["contact.notes"] == "TO_EXCHANGE"
    assert plain["contact.homeAddress"] == "NONE"
    assert plain["contact.parentRegarding"] == "TO_CRM"
    assert (await directions(allowsCompany=True))["contact.parentRegarding"] == "BOTH"
    secured = await directions(
        unreadableColumns=["contact.description"], lockedColumns=["contact.jobtitle"]
    )
    assert secured["contact.notes"] == "NONE"
    assert secured["contact.jobTitle"] == "TO_EXCHANGE"
    assert secured["contact.department"] == plain["contact.department"] == "BOTH"


async def test_related_records_are_what_links_lead_to(edge: Edge) -> None:
    key = await edge.open()
    meeting = item("APPOINTMENT", activityid=ACTIVITY, statecode="0")

    def with_party(mask: str) -> dict[str, object]:
        party = columns(activityid=ACTIVITY, partyid=ID, participationtypemask=mask)
        return {**meeting, "related": [{"table": "activityparty", "records": [party]}]}

    alone = {**meeting, "related": [{"table": "activityparty", "records": []}]}
    attends, sends, nobody, unknown = await asked(
        edge, key, with_party("5"), with_party("1"), alone, meeting
    )
    assert [answers(each) for each in (attends, sends, nobody, unknown)] == [
        "YES NO NO",
        "NO NO NO",
        "NO NO NO",
        "UNKNOWN NO NO",
    ]
    assert at(unknown, "missingColumns") == ["activityparty"]


async def test_each_switch_has_its_say(edge: Edge) -> None:
    key = await edge.open()
    meeting = {**linked("APPOINTMENT", statecode="0"), "hasAttachments": True}
    task = {
        **linked("TASK", ownerid=ID, statecode="0"),
        "assignedInOutlook": True,
        "assignment": {
            "recurring": False,
            "recipients": 1,
            "sameOrganization": True,
            "keepsUpdatedCopy": True,
            "reportsStatus": True,
            "trackedOffline": False,
        },
    }
    times = {"starttime": "2026-03-05T10:00:00Z", "endtime": "2026-03-05T11:00:00Z"}
    booking = item("RESOURCE_BOOKING", **times)
    user = {**BASE, "bookingOptIn": True}
    now = "2026-03-03T09:00:00Z"
    off = await asked(edge, key, meeting, task, booking, user=user, now=now)
    assert [answers(each) for each in off] == ["UNKNOWN YES NO", "NO NO NO", "NO NO NO"]
    switches = (
        SwitchAppointmentAttachments(on=True),
        SwitchAssignedTasks(on=True),
        SwitchResourceBookings(on=True),
    )
    await edge.change(CARL, *switches, key=key)
    on = await asked(edge, key, meeting, task, booking, user=user, now=now)
    assert [answers(each) for each in on] == ["UNKNOWN YES YES", "YES YES NO", "YES NO NO"]
    later = await asked(edge, key, booking, user=user, now="2026-04-03T09:00:00Z")
    assert [answers(each) for each in later] == ["NO NO NO"]
    vaguely = {**task, "assignment": {**as_dict(task["assignment"]), "recipients": None}}
    less = {name: value for name, value in task.items() if name != "assignment"}
    found = await asked(edge, key, vaguely, less)
    assert [answers(each) for each in found] == ["UNKNOWN UNKNOWN NO"] * 2
    assert at(found[0], "missingColumns") == ["assignment.recipients"]
    assert len(list_at(found[1], "missingColumns")) == 6


def as_dict(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return value


async def test_own_filters_are_those_that_are_told_and_none_means_none(edge: Edge) -> None:
    key = await edge.open()
    xml = (
        '<fetch><entity name="contact"><filter><condition attribute="statecode" operator="null"/>'
        "</filter></entity></fetch>"
    )
    own = [
        {"table": "contact", "criteria": {"tree": {"conditions": [condition("statecode", "1")]}}},
        {"table": "task", "criteria": {"tree": {}}},
        {"table": "contact", "criteria": {"fetchXml": xml}},
        {"table": "contact", "criteria": {"tree": {}}},
    ]
    (told,) = await asked(edge, key, MINE, user={**BASE, "ownFilters": own})
    assert at(told, "matchedFilters") == ["ownFilters[3]"]
    assert at(told, "reasons.0.rule") == "FILTERS"
    (none,) = await asked(edge, key, MINE, user={**BASE, "ownFilters": []})
    assert at(none, "reasons.0.rule") == "NO_ACTIVE_FILTER"
    await edge.change(CARL, WithholdTemplateFromNewUsers(key=CONTACTS), key=key)
    (withheld,) = await asked(edge, key, MINE)
    assert answers(withheld) == "NO NO NO"
    assert at(withheld, "reasons.0.message") == (
        "The user's own filters are not told; new users are given no template."
    )


def condition(column: str, *values: str, operator: str = "eq") -> dict[str, object]:
    return {"column": column, "operator": operator, "values": list(values)}


async def test_what_is_known_of_the_user_is_what_filters_ask_of(edge: Edge) -> None:
    key = await edge.open()

    async def chosen(ask: dict[str, object], column: str, held: str, **more: object) -> object:
        own = [{"table": "task", "criteria": {"tree": {"conditions": [ask]}}}]
        user = {**BASE, "ownFilters": own, **more}
        now = "2026-03-03T23:30:00Z"
        (found,) = await asked(edge, key, item("TASK", **{column: held}), user=user, now=now)
        return at(found, "toExchange")

    teams = condition("ownerid", operator="eq-userteams")
    assert await chosen(teams, "ownerid", OTHER) == "NO"
    assert await chosen(teams, "ownerid", OTHER, teams=[OTHER.upper()]) == "YES"
    unit = condition("owningbusinessunit", operator="eq-businessid")
    assert await chosen(unit, "owningbusinessunit", OTHER) == "UNKNOWN"
    assert await chosen(unit, "owningbusinessunit", OTHER, businessUnit=f"{{{OTHER}}}") == "YES"
    language = condition("percentcomplete", operator="eq-userlanguage")
    assert await chosen(language, "percentcomplete", "1033", language=1033) == "YES"
    today = condition("createdon", operator="today")
    assert await chosen(today, "createdon", "2026-03-04T01:00:00Z") == "NO"
    there = {"timeZone": "Europe/Berlin"}
    assert await chosen(today, "createdon", "2026-03-04T01:00:00Z", **there) == "YES"


async def test_without_a_time_it_is_now(edge: Edge) -> None:
    key = await edge.open()
    recent = condition("createdon", "1", operator="olderthan-x-years")
    own = [{"table": "task", "criteria": {"tree": {"conditions": [recent]}}}]
    of = item("TASK", createdon="2020-01-01T00:00:00Z")
    user = {**BASE, "ownFilters": own}
    (now,) = await asked(edge, key, of, user=user)
    (then,) = await asked(edge, key, of, user=user, now="2020-06-01T00:00:00+02:00")
    assert (at(now, "toExchange"), at(then, "toExchange")) == ("YES", "NO")


def berlin(key: str) -> DefineFilter:
    lives = Condition(column="address1_city", operator="eq", values=("Berlin",))
    return DefineFilter(
        role=FilterRole.SYSTEM_FILTER,
        kind=FilterKind.ONLINE,
        table="contact",
        name=key,
        criteria=Group(conditions=(lives,)),
        key=key,
    )


async def test_past_points_are_decided_as_they_were(edge: Edge) -> None:
    key = await edge.open()
    there = item("CONTACT", address1_city="Berlin", ownerid=OTHER, statecode="0")
    await edge.change(CARL, berlin("berlin"), key=key)
    await edge.change(CARL, RemoveFilter(key="berlin"), key=key)
    document = """query ($key: String!, $items: [SyncItemInput!]!, $user: SyncUserInput!,
        $position: Int!) { environment(key: $key) {
      now: settings { ...decided }
      was: settings(at: {position: $position}) { ...decided } } }
      fragment decided on SynchronizationSettings {
        syncDecisions(items: $items, user: $user) { toExchange matchedFilters
          fields { mapping { id } } } }"""
    variables = {"key": key, "items": [there], "user": BASE, "position": STAFFED + 1}
    found = at(await edge.data(AUDREY, document, variables), "environment")
    now, was = at(found, "now.syncDecisions.0"), at(found, "was.syncDecisions.0")
    assert (at(now, "toExchange"), at(now, "matchedFilters")) == ("NO", [])
    assert (at(was, "toExchange"), at(was, "matchedFilters")) == ("YES", ["berlin"])
    assert at(now, "fields.0.mapping.id") != at(was, "fields.0.mapping.id")
    assert codes(await edge.ask(BEN, document, variables)) == ["FORBIDDEN"]


async def test_a_preview_is_decided_as_it_would_be(edge: Edge) -> None:
    key = await edge.open()
    before = await edge.heads()
    document = """mutation ($input: ChangeSettingsInput!, $items: [SyncItemInput!]!,
        $user: SyncUserInput!) { changeSettings(input: $input) {
      ... on SettingsPreviewed { settings {
        syncDecisions(items: $items, user: $user) { toExchange reasons { rule } } } } } }"""
    change = {"deactivateFilter": {"filterKey": CONTACTS}}
    asks = {"environmentKey": key, "changes": [change], "mode": "PREVIEW"}
    variables = {"input": asks, "items": [MINE], "user": BASE}
    found = at(await edge.data(CARL, document, variables), "changeSettings.settings.syncDecisions")
    assert found == [
        {
            "toExchange": "NO",
            "reasons": [
                {"rule": "OWN_FILTERS_FROM_TEMPLATES"},
                {"rule": "NO_ACTIVE_FILTER"},
                {"rule": "TRACKED_ITEMS"},
                {"rule": "ATTACHMENTS_TRAVEL_ALONG"},
            ],
        }
    ]
    (now,) = await asked(edge, key, MINE)
    assert at(now, "toExchange") == "YES"
    assert await edge.heads() == before


async def test_who_follows_can_ask_of_every_change_set_what_it_means(edge: Edge) -> None:
    key = await edge.open()
    await edge.change(CARL, DeactivateFilter(key=CONTACTS), key=key)
    await edge.change(CARL, ActivateFilter(key=CONTACTS), key=key)
    feed = """subscription ($key: String!, $after: Int, $items: [SyncItemInput!]!,
        $user: SyncUserInput!) { settingsFeed(environmentKey: $key, after: $after) {
      ... on ChangeSetAppended { settings {
        syncDecisions(items: $items, user: $user) { toExchange } } } } }"""
    async with edge.talk(WORKER) as talk:
        variables = {"key": key, "after": STAFFED, "items": [MINE], "user": BASE}
        await talk.subscribe("feed", feed, variables)
        path = "payload.data.settingsFeed.settings.syncDecisions"
        found = [at(await talk.hear(), path) for _ in range(2)]
    assert found == [[{"toExchange": "NO"}], [{"toExchange": "YES"}]]


@pytest.mark.parametrize("person", MEMBERS, ids=lambda person: person.subject)
async def test_whoever_may_read_settings_may_ask(edge: Edge, person: Person) -> None:
    key = await edge.open()
    (found,) = await asked(edge, key, MINE, person=person)
    assert answers(found) == "YES NO NO"


async def test_nobody_else_may_ask(edge: Edge) -> None:
    key = await edge.open()
    variables = {"key": key, "items": [MINE], "user": BASE}
    body = await edge.ask(PAULA, DECISIONS % EVERYTHING, variables)
    assert codes(body) == ["FORBIDDEN"]
    assert at(body, "errors.0.extensions.needs") == "READ_SETTINGS"
    unseen = await edge.ask(NOBODY, DECISIONS % EVERYTHING, variables)
    assert at(unseen, "data.environment") is None


def user(**more: object) -> dict[str, object]:
    return {**BASE, **more}


def own(table: str, **criteria: object) -> dict[str, object]:
    return {"table": table, "criteria": criteria}


TWICE = [*columns(ownerid=ID), *columns(ownerid=None)]
PARTIES = {"table": "activityparty", "records": []}
TASK = item("TASK")
WRONG = {"conditions": [condition("statecode", "0", operator="like")] * 5}
JOINS = {
    "conditions": [
        {**condition("partyid", operator="null"), "linkAlias": alias} for alias in ("a", "b")
    ],
    "links": [
        {
            "table": "activityparty",
            "fromColumn": "activityid",
            "toColumn": "activityid",
            "type": "INNER",
            "alias": alias,
        }
        for alias in ("a", "b")
    ],
}
BAD: tuple[tuple[dict[str, object], dict[str, object], str], ...] = (
    ({**MINE, "columns": TWICE}, user(), "items[1]: `columns` has 'ownerid' more than once."),
    (
        {**TASK, "related": [PARTIES, PARTIES]},
        user(),
        "items[1]: `related` has 'activityparty' more than once.",
    ),
    (
        {**TASK, "related": [{"table": "activityparty", "records": [[], TWICE]}]},
        user(),
        "items[1]: `related[0].records[1]` has 'ownerid' more than once.",
    ),
    (
        {**TASK, "assignment": {"recurring": False}},
        user(),
        "items[1]: `assignment` is of what is `assignedInOutlook`.",
    ),
    (
        {**item("APPOINTMENT"), "assignedInOutlook": True},
        user(),
        "items[1]: Only FAX, LETTER, PHONE_CALL, TASK can be assigned in Outlook, not APPOINTMENT.",
    ),
    (
        item("CONTACT", ownerid="me"),
        user(),
        "items[1]: contact.ownerid is a UUID, not 'me'.",
    ),
    (
        linked("APPOINTMENT", statecode="open"),
        user(),
        "items[1]: appointment.statecode is a choice's number, or true or false, not 'open'.",
    ),
    (
        item("RESOURCE_BOOKING", starttime="soon"),
        user(),
        (
            "items[1]: bookableresourcebooking.starttime is a day or time, e.g. 2026-03-01 or "
            "2026-03-01T09:00:00Z, not 'soon'."
        ),
    ),
    (MINE, user(id="ada"), "user.id is a UUID, not 'ada'."),
    (MINE, user(teams=[OTHER, "us"]), "user.teams[1] is a UUID, not 'us'."),
    (MINE, user(businessUnit=""), "user.businessUnit is a UUID, not ''."),
    (
        MINE,
        user(timeZone="Mars/Base"),
        (
            "user.timeZone: There is no zone 'Mars/Base'. Name one of the IANA database, e.g. "
            "Europe/Berlin."
        ),
    ),
    (
        MINE,
        user(unreadableColumns=["contact.descriptio"]),
        (
            "user.unreadableColumns[0]: No field mapping writes a column 'contact.descriptio'. "
            "Did you mean contact.description or "
        ),
    ),
    (
        MINE,
        user(lockedColumns=["contact.jobtitle", "description"]),
        "user.lockedColumns[1]: No field mapping writes a column 'description'. ",
    ),
    (
        MINE,
        user(lockedColumns=["x" * 200]),
        (
            f"user.lockedColumns[0]: No field mapping writes a column '{'x' * 79}…'. Name it as "
            "table.column."
        ),
    ),
    (
        MINE,
        user(ownFilters=[own("task", tree={}), own("account", tree={})]),
        "user.ownFilters[1]: Records of a table 'account' do not travel online,",
    ),
    (
        MINE,
        user(ownFilters=[own("contact", tree=WRONG)]),
        "user.ownFilters[0]: conditions[0].operator: like does not fit statecode (choice). ",
    ),
    (
        MINE,
        user(ownFilters=[own("contact", fetchXml="<fetch>")]),
        "user.ownFilters[0]: fetch: This is no XML: ",
    ),
    (
        MINE,
        user(ownFilters=[own("task", tree={})] * (MOST_OWN_FILTERS + 1)),
        "user.ownFilters: At most 50 here, not 51.",
    ),
)


@pytest.mark.parametrize(("wrong", "of", "told"), BAD, ids=[told[:60] for *_, told in BAD])
async def test_what_cannot_be_is_refused_with_its_place(
    edge: Edge, wrong: dict[str, object], of: dict[str, object], told: str
) -> None:
    variables = {"key": "contoso", "items": [MINE, wrong], "user": of}
    body = await edge.ask(WORKER, DECISIONS % EVERYTHING, variables)
    assert codes(body) == ["BAD_USER_INPUT"]
    assert text_at(body, "errors.0.message").startswith(told)
    place = ["environment", "settings", "syncDecisions"]
    assert at(body, "errors.0.path") == place + [1] * told.startswith("items[1]")


async def test_an_item_that_cannot_be_leaves_the_others_theirs(edge: Edge) -> None:
    wrong = [item("TASK", statecode="x"), item("TASK", Statecode="0"), item("CONTACT")]
    variables = {"key": "contoso", "items": [MINE, *wrong, MINE], "user": user()}
    body = await edge.ask(WORKER, DECISIONS % "toExchange", variables)
    found = list_at(body, "data.environment.settings.syncDecisions")
    assert [each is None for each in found] == [False, True, True, False, False]
    told = [text_at(error, "message").partition(":")[0] for error in list_at(body, "errors")]
    assert told == ["items[1]", "items[2]"]


async def test_of_many_problems_of_a_filter_the_first_few_are_told(edge: Edge) -> None:
    variables = {
        "key": "contoso",
        "items": [MINE],
        "user": user(ownFilters=[own("contact", tree=WRONG)]),
    }
    body = await edge.ask(WORKER, DECISIONS % EVERYTHING, variables)
    message = text_at(body, "errors.0.message")
    assert message.count("like does not fit statecode") == 3
    assert message.endswith(" And 2 more.")


@pytest.mark.parametrize("zone", ["", "..", "../etc/passwd", "/etc/localtime", "Europe", "a" * 999])
async def test_what_is_no_zone_of_the_database_is_none(edge: Edge, zone: str) -> None:
    variables = {"key": "contoso", "items": [MINE], "user": user(timeZone=zone)}
    body = await edge.ask(WORKER, DECISIONS % EVERYTHING, variables)
    assert codes(body) == ["BAD_USER_INPUT"]
    assert text_at(body, "errors.0.message").startswith("user.timeZone: There is no zone ")


@pytest.mark.parametrize("now", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00"])
async def test_a_time_that_nobody_means_is_refused(edge: Edge, now: str) -> None:
    variables = {"key": "contoso", "items": [MINE], "user": BASE, "now": now}
    body = await edge.ask(WORKER, DECISIONS % EVERYTHING, variables)
    assert codes(body) == ["BAD_USER_INPUT"]


async def test_a_hundred_items_are_answered_and_no_more(edge: Edge) -> None:
    assert len(await asked(edge, "contoso", *[MINE] * MOST_ITEMS)) == MOST_ITEMS
    assert await asked(edge, "contoso") == []
    variables = {"key": "contoso", "items": [MINE] * (MOST_ITEMS + 1), "user": BASE}
    body = await edge.ask(WORKER, DECISIONS % "toExchange", variables)
    assert codes(body) == ["BAD_USER_INPUT"]
    assert at(body, "errors.0.message") == "At most 100 items at once, not 101."


async def test_a_decision_has_no_more_reasons_than_are_counted() -> None:
    assert max(len(case.decision.reasons) for case in CASES) == LENGTHS["reasons"]


async def test_every_rule_that_is_named_is_in_the_rule_book(edge: Edge) -> None:
    kinds = [kind.value for kind in SyncItemType]
    found = await asked(edge, "contoso", *(item(kind, statecode="0") for kind in kinds))
    named = {text_at(reason, "rule") for each in found for reason in list_at(each, "reasons")}
    assert named <= RULES.keys()


def nested(depth: int) -> dict[str, object]:
    inner: dict[str, object] = {"conditions": [condition("participationtypemask", "5")]}
    for _ in range(depth):
        link = {"table": "activityparty", "fromColumn": "activityid", "toColumn": "activityid"}
        inner = {"links": [{**link, "criteria": inner}]}
    return inner


def meeting_with(parties: int, **held: str | None) -> dict[str, object]:
    party = columns(activityid=ACTIVITY, **held)
    related = [{"table": "activityparty", "records": [party] * parties}]
    return {**item("TASK", activityid=ACTIVITY), "related": related}


async def costs_too_much(edge: Edge, of: object, *filters: object) -> bool:
    whose = user(ownFilters=[own("task", tree=each) for each in filters])
    variables = {"key": "contoso", "items": [of], "user": whose}
    body = await edge.ask(WORKER, DECISIONS % "toExchange", variables)
    if "errors" not in body:
        return False
    assert codes(body) == ["TOO_COSTLY"]
    assert "fewer related records and shorter texts" in text_at(body, "errors.0.message")
    return True


async def test_links_within_links_are_not_followed_for_ever(edge: Edge) -> None:
    busy = meeting_with(30, participationtypemask="6")
    assert not await costs_too_much(edge, busy, nested(1))
    assert not await costs_too_much(edge, busy, nested(2))
    assert await costs_too_much(edge, busy, nested(4))
    assert await costs_too_much(edge, busy, nested(9))
    assert not await costs_too_much(edge, meeting_with(1), nested(9))


async def test_joined_tables_are_not_combined_for_ever(edge: Edge) -> None:
    assert not await costs_too_much(edge, meeting_with(40), JOINS)
    assert await costs_too_much(edge, meeting_with(40), *[JOINS] * 4)
    assert await costs_too_much(edge, meeting_with(101), JOINS)


async def test_long_texts_are_not_compared_with_long_patterns(edge: Edge) -> None:
    pattern = {"conditions": [condition("subject", f"%{'a' * 3_000}b%", operator="like")]}
    assert not await costs_too_much(edge, item("TASK", subject="a" * 200), pattern)
    assert await costs_too_much(edge, item("TASK", subject="a" * 100_000), pattern)


async def test_what_the_settings_hold_is_read_within_a_limit(edge: Edge) -> None:
    key = await edge.open()
    long = Group(
        conditions=tuple(
            Condition(column=f"new_{number:03}_{'y' * 20}", operator="eq", values=("x",))
            for number in range(400)
        )
    )
    for number in range(12):
        await edge.change(CARL, replace(berlin(f"k{number}"), criteria=long), key=key)
    theirs = item("CONTACT", ownerid=OTHER)
    few, many = [theirs] * 5, [theirs] * 60
    fields = "a: missingColumns matchedFilters"
    (found, *_) = await asked(edge, key, *few, fields=fields)
    assert len(list_at(found, "a")) == 400
    variables = {"key": key, "items": many, "user": BASE}
    assert codes(await edge.ask(WORKER, DECISIONS % fields, variables)) == ["TOO_COSTLY"]
    names = " ".join(f"a{number}: missingColumns" for number in range(120))
    repeated = await edge.ask(WORKER, DECISIONS % names, {**variables, "items": few})
    assert set(codes(repeated)) == {"TOO_COSTLY"}
    assert whole_at(await edge.data(WORKER, POSITION, {"key": key}), "environment.position") > 12


POSITION = "query ($key: String!) { environment(key: $key) { position } }"
