import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from given import BEGINNING, BEGUN, NEW, PLATFORM, REGISTER, given, nothing
from hypothesis import given as law
from strategies import History, histories

from domain import environment
from domain.environment import Event, differences, is_default, sentence, value, warnings
from domain.filters.commands import (
    USUAL,
    ActivateFilter,
    Asked,
    DeactivateFilter,
    DefineFilter,
    GiveTemplateToNewUsers,
    RedefineFilter,
    RemoveFilter,
    RestoreDefaultTemplates,
    WithholdTemplateFromNewUsers,
    size,
)
from domain.filters.consequences import standing_warnings
from domain.filters.criteria import Condition, Criteria, Group, Link, LinkType
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
from domain.filters.problem import Problem
from domain.filters.refusals import (
    MOST_CHARACTERS,
    MOST_FILTERS,
    DefaultTemplateBlocked,
    FilterKeyTaken,
    FilterNameTaken,
    FilterNotFound,
    FilterNotValid,
    NotATemplate,
    TableNotSynchronized,
    TemplateIsGiven,
    TooManyFilters,
)
from domain.filters.state import (
    LONGEST_TEXT,
    Filter,
    FilterKind,
    FilterRole,
    canonical_text,
    checked_filter_key,
    derived_key,
    understood,
)
from domain.filters.templates import TEMPLATES
from domain.filters.vocabulary import MEANINGLESS
from domain.plan import ChangedMeanwhile, Planned, Refused
from domain.warning import WarningCode

SYSTEM, TEMPLATE = FilterRole.SYSTEM_FILTER, FilterRole.USER_FILTER_TEMPLATE
ONLINE, OFFLINE = FilterKind.ONLINE, FilterKind.OFFLINE
OPEN = Condition(column="statecode", operator="eq", values=("0",))
CITY = Condition(column="address1_city", operator="eq", values=("Berlin",))
SCORE = Condition(column="new_score", operator="gt", values=("3",))
ACTIVE = Group(conditions=(OPEN,))
BERLIN = Group(conditions=(OPEN, CITY))


def text(group: Group, table: str = "contact") -> str:
    return canonical_text(Criteria(table=table, group=group))


def about(key: str = "k", name: str = "Active", role: FilterRole = SYSTEM) -> About:
    return {"filter_key": key, "role": role, "kind": ONLINE, "table": "contact", "name": name}


def defined(
    key: str = "k",
    name: str = "Active",
    role: FilterRole = SYSTEM,
    group: Group = ACTIVE,
    *,
    active: bool = True,
) -> FilterDefined:
    return FilterDefined(
        **about(key, name, role), description="", active=active, fetch_xml=text(group)
    )


def define(
    name: str = "Active",
    criteria: Asked = ACTIVE,
    key: str | None = "k",
    *,
    role: FilterRole = SYSTEM,
    table: str = "contact",
    kind: FilterKind = ONLINE,
) -> DefineFilter:
    return DefineFilter(role=role, kind=kind, table=table, name=name, criteria=criteria, key=key)


def kept(event: FilterDefined) -> Filter:
    return Filter(
        event.filter_key,
        event.role,
        event.kind,
        event.table,
        event.name,
        event.description,
        event.active,
        event.fetch_xml,
    )


def gave(key: str, name: str) -> TemplateGivenToNewUsers:
    return TemplateGivenToNewUsers(kind=ONLINE, table="contact", filter_key=key, name=name)


MINE = "template.online.contact.my-outlook-contacts"
ALL_MINE = given(*BEGINNING[2:])
"""A new environment, templates included."""
FOLDER = Path(__file__).parent / "facts"
FACTS = json.loads((FOLDER / "filters.json").read_text(encoding="utf-8"))


def tree(node: dict[str, Any]) -> Group:
    """Criteria as the facts have them."""
    return Group(
        conditions=tuple(
            Condition(
                column=each["attribute"], operator=each["operator"], values=tuple(each["values"])
            )
            for each in node["children"]
        ),
        links=tuple(
            Link(
                table=each["entity"],
                from_column=each["from"],
                to_column=each["to"],
                type=LinkType[each["linkType"].upper()],
                alias=each["alias"],
                criteria=tree(each["filter"]),
            )
            for each in node.get("links", ())
        ),
    )


def test_an_environment_begins_with_the_templates_of_the_facts_each_given_to_new_users() -> None:
    planned = nothing().by(PLATFORM).when(REGISTER).then(*BEGINNING)
    filters = planned.standing.environment.filters
    assert [
        (each.kind, each.table, each.name, each.active, each.role, each.criteria.group)
        for each in filters.by_key.values()
    ] == [
        (
            FilterKind[each["kind"].upper()],
            each["recordType"],
            each["name"],
            each["state"] == "active",
            TEMPLATE,
            tree(each["criteria"]),
        )
        for each in FACTS["defaultFilters"]
    ]
    assert all(filters.gives(each) for each in filters.by_key.values())
    assert len(filters.given) == sum(each["isDefault"] for each in FACTS["defaultFilters"])
    assert planned.standing.position == BEGUN == len(BEGINNING)
    assert all(
        is_default(planned.standing.environment, setting)
        for setting in planned.standing.last_changes
        if setting.startswith(("filter:", "defaultTemplate:"))
    )


def test_a_filter_is_defined_by_a_tree() -> None:
    planned = given().when(define()).then(defined())
    assert planned.standing.environment.filters.by_key == {"k": kept(defined())}
    assert value(planned.standing.environment, "filter:k") == text(ACTIVE)
    [change] = planned.changes
    assert (change.setting, change.before, change.after) == ("filter:k", None, text(ACTIVE))


def test_a_filter_is_defined_by_fetchxml_and_kept_in_the_one_spelling() -> None:
    written = (
        "<fetch version='1.0'><entity name='contact'><all-attributes/><order attribute='fullname'/>"
        "<filter><condition attribute='statecode' operator='neq' value='1' /></filter>"
        "</entity></fetch>"
    )
    stored = (
        '<fetch version="1.0"><entity name="contact"><attribute name="contactid"/>'
        '<filter type="and"><condition attribute="statecode" operator="ne" value="1"/></filter>'
        "</entity></fetch>"
    )
    given().when(define(criteria=written)).then(replace(defined(), fetch_xml=stored))


def test_the_same_by_tree_and_by_fetchxml_is_the_same() -> None:
    given(defined()).when(define(criteria=text(ACTIVE))).then()


def test_a_filter_can_be_defined_without_being_active() -> None:
    given().when(replace(define(), active=False)).then(defined(active=False))


@pytest.mark.parametrize(
    ("role", "kind", "table", "name", "key"),
    [
        (SYSTEM, ONLINE, "contact", "Key Accounts!", "system.online.contact.key-accounts"),
        (TEMPLATE, OFFLINE, "account", "Größe & Co.", "template.offline.account.grosse-co"),
        (SYSTEM, OFFLINE, "task", "任务", "system.offline.task.filter"),
        (SYSTEM, ONLINE, "fax", "x" * 200, f"system.online.fax.{'x' * 80}"),
        (SYSTEM, ONLINE, "fax", f"{'x' * 79} yy", f"system.online.fax.{'x' * 79}"),
    ],
)
def test_a_key_that_is_left_out_is_made_of_what_the_filter_is(
    role: FilterRole, kind: FilterKind, table: str, name: str, key: str
) -> None:
    asked = define(name, key=None, role=role, table=table, kind=kind, criteria=Group())
    [event] = given().when(asked).events()
    assert isinstance(event, FilterDefined)
    assert event.filter_key == derived_key(role, kind, table, name) == checked_filter_key(key)


def test_a_key_that_is_taken_is_numbered() -> None:
    keys = []
    asked = [define(name, key=None) for name in ("Mine", "Mine!", "mine?")]
    for event in given().when(*asked).events():
        assert isinstance(event, FilterDefined)
        keys.append(event.filter_key)
    base = "system.online.contact.mine"
    assert keys == [base, f"{base}-2", f"{base}-3"]


def test_defining_the_same_again_changes_nothing_with_or_without_its_key() -> None:
    given(defined()).when(define(key="k"), define(key=None)).then()


@pytest.mark.parametrize(
    "name", ["Active", "ACTIVE", " active ", "aCTive", "Act\u200bive", "\uff21ctive"]
)
def test_a_name_is_taken_whatever_its_case(name: str) -> None:
    asked = define(name, criteria=BERLIN, key=None)
    given(defined()).when(asked).refused(FilterNameTaken(by=kept(defined())))
    other = given(defined(), defined("other", "Other"))
    other.when(RedefineFilter(key="other", name=name)).refused(FilterNameTaken(by=kept(defined())))


@pytest.mark.parametrize(
    "asked",
    [
        define(key=None, role=TEMPLATE),
        define(key=None, kind=OFFLINE),
        define(key=None, table="task"),
    ],
    ids=["role", "kind", "table"],
)
def test_a_name_is_free_in_another_role_kind_or_table(asked: DefineFilter) -> None:
    assert len(given(defined()).when(asked).events()) == 1


def test_a_key_is_taken_by_whatever_has_it() -> None:
    refusal = FilterKeyTaken(by=kept(defined()))
    given(defined()).when(define("Other", role=TEMPLATE)).refused(refusal)
    assert refusal.message == (
        "The key 'k' is taken by the system filter 'Active' of the table contact. Redefine that "
        "one, choose another key, or leave the key out."
    )


def test_a_filter_may_be_called_otherwise_in_case_alone() -> None:
    given(defined()).when(RedefineFilter(key="k", name="ACTIVE")).then(
        FilterRedefined(
            **about(name="ACTIVE"), former_name="Active", description=None, fetch_xml=None
        )
    )


def test_a_removed_key_can_be_used_again() -> None:
    removed = FilterRemoved(**about(), active=True)
    given(defined(), removed).when(define()).then(defined())


@pytest.mark.parametrize(
    ("table", "kind"),
    [("account", ONLINE), ("email", ONLINE), ("email", OFFLINE), ("activityparty", ONLINE)],
)
def test_a_table_that_does_not_travel_has_no_filters(table: str, kind: FilterKind) -> None:
    refusal = TableNotSynchronized(table=table, kind=kind)
    given().when(define(table=table, kind=kind, criteria=Group())).refused(refusal)
    assert repr(table) in refusal.message
    assert "contact" in refusal.message


def test_offline_filters_may_be_about_accounts() -> None:
    asked = define(table="account", kind=OFFLINE, criteria=Group())
    assert len(given().when(asked).events()) == 1


def test_criteria_that_make_no_sense_are_refused_with_every_place() -> None:
    wrong = Condition(column="statecode", operator="like", values=("0",))
    group = Group(conditions=(OPEN, wrong), groups=(Group(conditions=(wrong,)),))
    for asked in (define(criteria=group), define(criteria=text(group))):
        [refused] = given().when(asked).refusals()
        assert isinstance(refused, FilterNotValid)
        assert [problem.path for problem in refused.problems] == [
            "conditions[1].operator",
            "groups[0].conditions[0].operator",
        ]
        assert refused.message.startswith("The criteria are not valid. conditions[1].operator: ")
        assert refused.message.endswith(" And 1 more: see `problems`.")


def test_fetchxml_about_another_table_is_refused() -> None:
    problem = Problem(
        path="fetch/entity[1]",
        message="This is about the table 'task', but the filter about contact.",
    )
    refusal = FilterNotValid(problems=(problem,))
    given().when(define(criteria=text(Group(), "task"))).refused(refusal)
    assert refusal.message == (
        "The criteria are not valid. fetch/entity[1]: This is about the table 'task', but the "
        "filter about contact."
    )


def test_what_is_no_xml_is_refused() -> None:
    [refused] = given().when(define(criteria="<fetch>")).refusals()
    assert isinstance(refused, FilterNotValid)
    assert refused.problems[0].path == "fetch"


def test_redefining_tells_only_what_differs() -> None:
    given(defined()).when(RedefineFilter(key="k", criteria=BERLIN)).then(
        FilterRedefined(**about(), former_name=None, description=None, fetch_xml=text(BERLIN))
    )
    given(defined()).when(RedefineFilter(key="k", description="Why", name="Active")).then(
        FilterRedefined(**about(), former_name=None, description="Why", fetch_xml=None)
    )


def test_redefining_as_it_is_changes_nothing() -> None:
    given(defined()).when(
        RedefineFilter(key="k", name="Active", description="", criteria=text(ACTIVE))
    ).then()
    given(defined()).when(RedefineFilter(key="k", name="Active")).then()


def test_redefining_by_nonsense_is_refused() -> None:
    [refused] = given(defined()).when(RedefineFilter(key="k", criteria="")).refusals()
    assert isinstance(refused, FilterNotValid)
    assert [each.path for each in refused.problems] == ["criteria"]


def test_how_long_criteria_are_is_known_roughly_before_they_are_written() -> None:
    assert size("<fetch/>") == len("<fetch/>")
    assert size(Group()) == USUAL
    assert size(ACTIVE) == 3 * USUAL + len("0")
    two = replace(CITY, operator="in", values=("Berlin", "Bern"))
    assert size(Group(groups=(ACTIVE,), conditions=(two,))) == 7 * USUAL + len("0BerlinBern")


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ((defined(),), define("Other")),
        ((defined(),), RedefineFilter(key="k", name="Other")),
        (
            (*BEGINNING[2:], FilterDeactivated(**about(MINE, "My Outlook Contacts", TEMPLATE))),
            RestoreDefaultTemplates(),
        ),
    ],
    ids=["defined", "redefined", "restored"],
)
def test_what_was_done_to_a_filter_meanwhile_is_told(
    before: tuple[Event, ...], command: DefineFilter | RedefineFilter | RestoreDefaultTemplates
) -> None:
    there = given(*before)
    assert there.standing is not None
    end = there.standing.position
    [why] = there.expecting(end - 1).when(command).refusals()
    assert isinstance(why, ChangedMeanwhile)
    assert [each.recorded.position for each in why.by] == [end]


def test_a_filter_without_a_key_of_its_own_was_touched_by_nobody() -> None:
    there = given(defined())
    assert there.standing is not None
    position = there.standing.position - 1
    assert len(there.expecting(position).when(define("Other", key=None)).events()) == 1


def of_length(length: int) -> Group:
    """Whose FetchXML has so many characters."""
    bare = tuple(replace(CITY, operator="ne", values=("",)) for _ in range(16))
    share, rest = divmod(length - len(text(Group(conditions=bare))), len(bare))
    shares = [share] * (len(bare) - 1) + [share + rest]
    filled = [replace(each, values=("x" * many,)) for each, many in zip(bare, shares, strict=True)]
    return Group(conditions=tuple(filled))


def test_a_filter_may_be_just_so_long() -> None:
    assert len(given().when(define(criteria=of_length(LONGEST_TEXT))).events()) == 1
    [refused] = given().when(define(criteria=of_length(LONGEST_TEXT + 1))).refusals()
    assert isinstance(refused, FilterNotValid)
    message = (
        f"As FetchXML these criteria have {LONGEST_TEXT + 1} characters; a filter has at most "
        f"{LONGEST_TEXT}."
    )
    assert refused.problems == (Problem(path="criteria", message=message),)


def test_all_filters_together_may_be_just_so_long() -> None:
    rest = 10_000
    many, over = divmod(MOST_CHARACTERS - rest, LONGEST_TEXT)
    lengths = [*[LONGEST_TEXT] * many, over]
    full = given(
        *(defined(f"k{n}", f"Name {n}", group=of_length(each)) for n, each in enumerate(lengths)),
        defined("small", "Small", group=of_length(5_000)),
    )
    grown = RedefineFilter(key="small", criteria=of_length(rest))
    full.when(grown).events()
    full.when(replace(grown, criteria=of_length(rest + 1))).refused(TooManyFilters())
    full.when(define(criteria=of_length(rest - 5_000))).events()
    full.when(define(criteria=of_length(rest - 4_999))).refused(TooManyFilters())


def test_what_was_redefined_is_as_it_was_but_for_that() -> None:
    redefined = FilterRedefined(
        **about(name="Berlin"), former_name="Active", description="Why", fetch_xml=text(BERLIN)
    )
    renamed = replace(redefined, name="B", former_name="Berlin", description=None, fetch_xml=None)
    standing = given(defined(), redefined, renamed).standing
    assert standing is not None
    assert standing.environment.filters.by_key["k"] == kept(defined())._replace(
        name="B", description="Why", fetch_xml=text(BERLIN)
    )


def test_a_filter_is_deactivated_and_activated() -> None:
    off, on = FilterDeactivated(**about()), FilterActivated(**about())
    given(defined()).when(
        ActivateFilter(key="k"), DeactivateFilter(key="k"), DeactivateFilter(key="k")
    ).then(off)
    standing = given(defined(), off).when(ActivateFilter(key="k")).then(on).standing
    assert standing.environment.filters.by_key["k"].active


def test_a_filter_is_removed() -> None:
    planned = (
        given(defined()).when(RemoveFilter(key="k")).then(FilterRemoved(**about(), active=True))
    )
    assert planned.standing.environment.filters.by_key == {}
    assert planned.changes[0].after is None
    given(defined(active=False)).when(RemoveFilter(key="k")).then(
        FilterRemoved(**about(), active=False)
    )


def test_a_template_that_is_given_is_not_removed_until_another_one_is() -> None:
    refusal = TemplateIsGiven(template=TEMPLATES[MINE])
    ALL_MINE.when(RemoveFilter(key=MINE)).refused(refusal)
    assert repr(MINE) in refusal.message
    ALL_MINE.when(
        define(role=TEMPLATE), GiveTemplateToNewUsers(key="k"), RemoveFilter(key=MINE)
    ).then(
        defined(role=TEMPLATE),
        gave("k", "Active"),
        FilterRemoved(**about(MINE, "My Outlook Contacts", TEMPLATE), active=True),
    )


def test_giving_a_template_takes_the_place_of_the_one_before_in_one_fact() -> None:
    planned = (
        given(*BEGINNING[2:], defined(role=TEMPLATE))
        .when(GiveTemplateToNewUsers(key="k"))
        .then(gave("k", "Active"))
    )
    filters = planned.standing.environment.filters
    assert not filters.gives(TEMPLATES[MINE])
    assert filters.gives(filters.by_key["k"])
    [change] = planned.changes
    assert change.setting == "defaultTemplate:ONLINE:contact"
    assert (change.before, change.after) == (MINE, "k")


def test_giving_what_is_given_changes_nothing() -> None:
    ALL_MINE.when(GiveTemplateToNewUsers(key=MINE)).then()


def test_a_system_filter_is_not_given() -> None:
    refusal = NotATemplate(key="k")
    given(defined()).when(GiveTemplateToNewUsers(key="k")).refused(refusal)
    assert "'k'" in refusal.message


@pytest.mark.parametrize(
    "command",
    [
        RedefineFilter(key="kk", name="x"),
        ActivateFilter(key="kk"),
        DeactivateFilter(key="kk"),
        RemoveFilter(key="kk"),
        GiveTemplateToNewUsers(key="kk"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_what_is_not_there_is_told_with_what_is_near(command: ActivateFilter) -> None:
    refusal = FilterNotFound(key="kk", near=("k",))
    given(defined()).when(command).refused(refusal)
    assert refusal.message == "There is no filter 'kk'. Did you mean k?"
    assert FilterNotFound(key="kk", near=()).message == (
        "There is no filter 'kk'. `systemFilters` and `filterTemplates` list them all."
    )


def test_what_is_near_begins_alike() -> None:
    standing = given(*BEGINNING[2:]).standing
    assert standing is not None
    near = standing.environment.filters.near
    assert near("template.offline.task.my-task") == (
        "template.offline.task.my-tasks",
        "template.offline.account.my-accounts",
        "template.offline.appointment.my-appointments",
    )
    assert near("template.offline.t")[0] == "template.offline.task.my-tasks"
    assert near("tem")[0] == "template.offline.account.my-accounts"
    assert near("offline.task.my-tasks") == ()
    assert len(near("tempest")) == 3
    assert near("tempestuous") == ()


def test_an_environment_from_before_comes_by_the_default_templates() -> None:
    planned = given().when(RestoreDefaultTemplates()).then(*BEGINNING[2:])
    assert dict(planned.standing.environment.filters.by_key) == dict(TEMPLATES)


def test_those_of_one_kind_can_be_restored_alone() -> None:
    planned = given().when(RestoreDefaultTemplates(kind=OFFLINE)).then(*BEGINNING[18:])
    assert {each.kind for each in planned.standing.environment.filters.by_key.values()} == {OFFLINE}


def test_restoring_touches_only_what_differs() -> None:
    mine = about(MINE, "Ours", TEMPLATE)
    was = FilterRedefined(
        **mine, former_name="My Outlook Contacts", description="x", fetch_xml=text(BERLIN)
    )
    mine_again = about(MINE, "My Outlook Contacts", TEMPLATE)
    given(
        *BEGINNING[2:],
        was,
        FilterDeactivated(**mine),
        defined(role=TEMPLATE),
        gave("k", "Active"),
    ).when(RestoreDefaultTemplates()).then(
        FilterRedefined(
            **mine_again,
            former_name="Ours",
            description="",
            fetch_xml=TEMPLATES[MINE].fetch_xml,
        ),
        FilterActivated(**mine_again),
        gave(MINE, "My Outlook Contacts"),
    )
    ALL_MINE.when(RestoreDefaultTemplates()).then()


def test_a_name_or_key_in_the_way_of_the_defaults_is_told() -> None:
    for squatter in (
        defined("k", "my outlook contacts", TEMPLATE),
        defined(MINE, "Other", SYSTEM),
    ):
        blocked = DefaultTemplateBlocked(template=TEMPLATES[MINE], by=kept(squatter))
        given(squatter).when(RestoreDefaultTemplates()).refused(blocked)
        has_name = squatter.filter_key == "k"
        assert blocked.message == (
            f"The default template '{MINE}' cannot come back, since "
            + (
                "'k' is called 'My Outlook Contacts', too. Rename or remove that filter first."
                if has_name
                else "another filter has its key. Remove that filter first."
            )
        )


def test_a_template_can_be_given_to_nobody_and_then_removed() -> None:
    withheld = TemplateWithheldFromNewUsers(
        kind=ONLINE, table="contact", filter_key=MINE, name="My Outlook Contacts"
    )
    planned = ALL_MINE.when(
        WithholdTemplateFromNewUsers(key=MINE),
        WithholdTemplateFromNewUsers(key=MINE),
        RemoveFilter(key=MINE),
    ).then(withheld, FilterRemoved(**about(MINE, "My Outlook Contacts", TEMPLATE), active=True))
    assert "defaultTemplate:ONLINE:contact" not in planned.standing.environment.filters.given
    assert (planned.changes[0].before, planned.changes[0].after) == (MINE, None)
    assert sentence(withheld) == (
        "New users are no longer given the template “My Outlook Contacts” for contacts"
    )


def at_the_limits() -> list[Group]:
    """Trees of which each is as large as one limit allows, or larger than it does."""
    many = [str(number) for number in range(500)]
    ins = [Condition(column="fullname", operator="in", values=tuple(many[:n])) for n in (500, 499)]
    marks = Condition(column="fullname", operator="eq", values=("&" * 4_000,))
    return [
        Group(conditions=(ins[0],) * 4),
        Group(conditions=(ins[0],) * 4 + (CITY,)),
        Group(conditions=(ins[1],) * 11),
        Group(conditions=(marks,) * 3),
        Group(conditions=(marks,) * 15),
        Group(groups=(Group(),) * 199),
        Group(groups=(Group(),) * 200),
        Group(conditions=(OPEN,) * 500),
    ]


KEPT = {
    element: " ".join(f"{name}='x'" for name in sorted(names))
    for element, names in MEANINGLESS.items()
}
"""Everything that an element may say without meaning."""


@pytest.mark.parametrize(
    "asked",
    [
        *at_the_limits(),
        (
            f"<fetch><entity name='contact'><filter {KEPT['filter']}>"
            f"<condition attribute='fullname' "
            f"operator='eq' {KEPT['condition']}><value {KEPT['value']}>x</value></condition>"
            "</filter></entity></fetch>"
        ),
        f"<fetch {KEPT['fetch']}><entity {KEPT['entity']} name='contact'/></fetch>",
        "<fetch><entity name='contact'><filter>"
        + f"<condition attribute='fullname' operator='eq' value='{'>' * 4_000}'/>" * 15
        + "</filter></entity></fetch>",
    ],
)
def test_what_can_be_stored_can_be_read_again(asked: Asked) -> None:
    """At every limit: a filter is refused, or is a filter for good."""
    outcome = given().when(define(criteria=asked)).outcome
    if isinstance(outcome, Refused):
        [refused] = outcome.refusals
        assert isinstance(refused.refusal, FilterNotValid)
        assert {problem.path for problem in refused.refusal.problems} == {"criteria"}
    else:
        assert isinstance(outcome, Planned)
        event = outcome.changes[0].recorded.event
        assert isinstance(event, FilterDefined)
        assert len(event.fetch_xml) <= LONGEST_TEXT
        assert canonical_text(understood(event.fetch_xml)) == event.fetch_xml
        assert differences(event, None, event.fetch_xml)


def test_all_filters_together_have_a_size() -> None:
    long = Group(
        conditions=(Condition(column="fullname", operator="eq", values=("x" * 4_000,)),) * 15
    )
    size = len(text(long))
    fitting = MOST_CHARACTERS // size
    full = [defined(f"k{number}", f"Name {number}", group=long) for number in range(fitting)]
    given(*full).when(define(criteria=long)).refused(TooManyFilters())
    given(*full, defined()).when(RedefineFilter(key="k", criteria=long)).refused(TooManyFilters())
    given(*full).when(RedefineFilter(key="k0", criteria=long, name="Other")).events()
    given(*full[1:]).when(define(criteria=long)).events()


def test_giving_an_inactive_template_is_told() -> None:
    off = FilterDeactivated(**about(role=TEMPLATE))
    template = defined(role=TEMPLATE)
    idle = [WarningCode.TEMPLATE_IS_INACTIVE]
    assert codes(after(template, off, gave("k", "Active")), gave("k", "Active")) == idle
    copies = [WarningCode.TEMPLATE_COPIES_STAY]
    assert codes(after(template, gave("k", "Active"), off), off) == [*copies, *idle]
    assert codes(after(template, off), off) == copies
    assert codes(after(template, gave("k", "Active")), gave("k", "Active")) == []
    assert codes(NEW, gave("k", "Active")) == []
    there = after(template, gave("k", "Active"), off).filters
    assert [each.code for each in standing_warnings(there, there.by_key["k"])] == [
        WarningCode.TEMPLATE_COPIES_STAY,
        *idle,
    ]


def test_a_filter_is_at_its_default_in_all_that_it_is_or_not_at_all() -> None:
    fresh = after(*BEGINNING[2:])
    assert is_default(fresh, f"filter:{MINE}")
    assert is_default(NEW, "filter:k")
    off = FilterDeactivated(**about(MINE, "My Outlook Contacts", TEMPLATE))
    assert not is_default(after(*BEGINNING[2:], off), f"filter:{MINE}")
    assert not is_default(after(defined()), "filter:k")


COPIES_STAY = (
    "A template is copied to a user once. Whoever has a copy keeps it as it is; what happens to "
    "the template reaches only users who would get a copy from now on."
)
GIVEN_IN_VAIN = (
    "The template that new users are to be given is not active, so they are given none. "
    "Activate it, or give them another one."
)


def test_what_is_told_of_a_template_names_it() -> None:
    off = FilterDeactivated(**about(role=TEMPLATE))
    there = after(defined(role=TEMPLATE), gave("k", "Active"), off)
    both = [("filter:k", COPIES_STAY), ("filter:k", GIVEN_IN_VAIN)]
    assert [(each.setting, each.message) for each in warnings(there, off)] == both
    redefined = FilterRedefined(
        **about(role=TEMPLATE), former_name=None, description="x", fetch_xml=None
    )
    assert [each.setting for each in warnings(there, redefined)] == ["filter:k"]
    given_ = warnings(there, gave("k", "Active"))
    assert [(each.setting, each.message) for each in given_] == both[1:]
    before = standing_warnings(there.filters, there.filters.by_key["k"])
    assert [(each.setting, each.message) for each in before] == both


def test_before_a_system_filter_is_touched_it_is_told_whether_it_is_the_last() -> None:
    off = FilterDeactivated(**about())
    offline = replace(defined("o", "Other"), kind=OFFLINE)
    of_tasks = replace(defined("t", "Tasks"), table="task", fetch_xml=text(ACTIVE, "task"))
    vague = defined("v", "Vague", group=Group(conditions=(SCORE,)))
    last, unverified = WarningCode.LAST_ACTIVE_FILTER, WarningCode.UNVERIFIED_COLUMN

    def told(key: str, *events: Event) -> list[tuple[str | None, WarningCode]]:
        there = after(*events).filters
        found = standing_warnings(there, there.by_key[key])
        return [(each.setting, each.code) for each in found]

    assert told("k", defined(), offline, of_tasks) == [("filter:k", last)]
    assert told("o", defined(), offline, of_tasks) == [("filter:o", last)]
    assert told("k", defined(), vague) == []
    assert told("k", defined(), off) == []
    assert told("v", vague) == [("filter:v", last), ("filter:v", unverified)]
    assert told("v", vague, defined()) == [("filter:v", unverified)]
    assert told("v", replace(vague, role=TEMPLATE)) == [
        ("filter:v", WarningCode.TEMPLATE_COPIES_STAY),
        ("filter:v", unverified),
    ]
    there = after(offline).filters
    [found] = standing_warnings(there, there.by_key["o"])
    assert found.message == (
        "Without it, no offline system filter of the table contact is active: contacts travel "
        "only for users who have an active filter of their own."
    )


def test_filters_are_listed_in_the_order_of_the_catalogue_and_by_name() -> None:
    there = after(
        replace(defined("e", "A task"), table="task", fetch_xml=text(ACTIVE, "task")),
        defined("c", "beta"),
        defined("d", "alpha"),
        defined("b", "Alpha", TEMPLATE),
        replace(defined("a", "Offline"), kind=OFFLINE),
    ).filters

    def listed(**narrowed: Any) -> list[str]:  # noqa: ANN401 -- of any narrowing
        return [each.key for each in there.listed(**narrowed)]

    assert listed() == ["d", "c", "e", "b", "a"]
    assert listed(role=SYSTEM) == ["d", "c", "e", "a"]
    assert listed(role=TEMPLATE) == ["b"]
    assert listed(kind=OFFLINE) == ["a"]
    assert listed(tables=["task"]) == ["e"]
    assert listed(role=TEMPLATE, tables=["task"]) == []
    assert listed(kind=OFFLINE, tables=["task"]) == []
    assert listed(role=SYSTEM, kind=ONLINE, tables=["contact"]) == ["d", "c"]


def test_the_released_templates_stay_as_they_are() -> None:
    released = json.loads((FOLDER / "released-templates.json").read_text(encoding="utf-8"))
    assert {key: each.fetch_xml for key, each in TEMPLATES.items()} == released


def test_there_are_at_most_so_many_filters() -> None:
    many = [defined(f"k{number}", f"Name {number}") for number in range(MOST_FILTERS)]
    full = given(*many)
    full.when(define()).refused(TooManyFilters())
    full.when(RemoveFilter(key="k0"), define("One more", key="more")).then(
        FilterRemoved(**about("k0", "Name 0"), active=True), defined("more", "One more")
    )
    given(*many[12:]).when(RestoreDefaultTemplates()).then(*BEGINNING[2:])
    given(*many[11:]).when(RestoreDefaultTemplates()).refused(TooManyFilters())
    online = sum(each.kind is ONLINE for each in TEMPLATES.values())
    assert 0 < online < len(TEMPLATES)
    given(*many[online:]).when(RestoreDefaultTemplates(kind=ONLINE)).events()
    given(*many[online - 1 :]).when(RestoreDefaultTemplates(kind=ONLINE)).refused(TooManyFilters())
    assert str(MOST_FILTERS) in TooManyFilters().message


@pytest.mark.parametrize("key", ["a", "0", "a.b-c_d", "a" * 128])
def test_a_good_key_is_given_back(key: str) -> None:
    assert checked_filter_key(key) == define(key=key).key == ActivateFilter(key=key).key


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("A", "not 'A'."),
        ("filter:k", "not 'filter:k'. Leave out 'filter:'."),
        ("ä" * 100, f"not '{'ä' * 79}…'."),
    ],
)
def test_a_bad_key_is_told_in_these_words(key: str, told: str) -> None:
    with pytest.raises(ValueError, match=r"^A filter's key") as refused:
        checked_filter_key(key)
    assert str(refused.value) == (
        "A filter's key is 1 to 128 of a-z, 0-9, '.', '-' and '_', and begins and ends with a "
        f"letter or digit, {told}"
    )


@pytest.mark.parametrize("key", ["", ".a", "a.", "A", "a b", "a" * 129, "a:b", "ä"])
def test_a_bad_key_is_told_what_a_key_is(key: str) -> None:
    for make in (
        lambda: define(key=key),
        lambda: ActivateFilter(key=key),
        lambda: RedefineFilter(key=key, name="x"),
    ):
        with pytest.raises(ValueError, match=r"^A filter's key is 1 to 128 of a-z, 0-9,"):
            make()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "A filter's name has 1 to 200 characters, not 0."),
        ({"name": "x" * 201}, "A filter's name has 1 to 200 characters, not 201."),
        ({"name": "  \t"}, "A filter's name is more than spaces."),
        ({"name": "\u200b"}, "A filter's name is more than spaces."),
        ({"name": "a\nb"}, "A filter's name is one line, without U+000A."),
        ({"name": "a\u2028b"}, "A filter's name is one line, without U+2028."),
        ({"name": "a\u2029b"}, "A filter's name is one line, without U+2029."),
        ({"description": "x" * 2001}, "A filter's description has 0 to 2000 characters, not 2001."),
        ({"name": "a\0"}, "A filter's name cannot contain U+0000."),
    ],
)
def test_texts_that_cannot_be_are_told(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"^A filter's") as told:
        replace(define(), **change)
    assert str(told.value) == message
    with pytest.raises(ValueError, match=r"^A filter's") as told:
        RedefineFilter(key="k", **change)
    assert str(told.value) == message


def test_redefining_takes_something_to_redefine() -> None:
    with pytest.raises(ValueError, match=r"^Redefining a filter takes a name, a description or"):
        RedefineFilter(key="k")


def codes(environment_: environment.Environment, event: Event) -> list[WarningCode]:
    return [each.code for each in warnings(environment_, event)]


def after(*events: Event) -> environment.Environment:
    standing = given(*events).standing
    assert standing is not None
    return standing.environment


def test_the_last_active_system_filter_of_a_table_is_told_when_it_goes() -> None:
    off, gone = FilterDeactivated(**about()), FilterRemoved(**about(), active=True)
    for event in (off, gone):
        [told] = warnings(after(defined(), event), event)
        assert told.code is WarningCode.LAST_ACTIVE_FILTER
        assert told.setting == "filter:k"
        assert not told.must_be_acknowledged
        assert told.message == (
            "Without it, no online system filter of the table contact is active: contacts travel "
            "only for users who have an active filter of their own."
        )


@pytest.mark.parametrize(
    "other",
    [defined("o", "Other"), defined("o", "Other", active=False), defined("o", "Other", TEMPLATE)],
    ids=["active", "inactive", "template"],
)
def test_only_another_active_system_filter_stands_in_for_it(other: FilterDefined) -> None:
    off = FilterDeactivated(**about())
    stands_in = other.active and other.role is SYSTEM
    told = codes(after(defined(), other, off), off)
    assert told == ([] if stands_in else [WarningCode.LAST_ACTIVE_FILTER])


def test_what_chose_nothing_is_missed_by_nobody() -> None:
    gone = FilterRemoved(**about(), active=False)
    assert codes(after(defined(active=False), gone), gone) == []


@pytest.mark.parametrize("active", [False, True])
def test_copies_outlast_a_template_that_is_removed(active: bool) -> None:
    gone = FilterRemoved(**about(role=TEMPLATE), active=active)
    told = codes(after(defined(role=TEMPLATE, active=active), gone), gone)
    assert told == [WarningCode.TEMPLATE_COPIES_STAY]


def test_a_template_edit_does_not_reach_copies() -> None:
    redefined = FilterRedefined(
        **about(role=TEMPLATE), former_name=None, description=None, fetch_xml=text(BERLIN)
    )
    assert codes(after(defined(role=TEMPLATE), redefined), redefined) == [
        WarningCode.TEMPLATE_COPIES_STAY
    ]
    system = replace(redefined, role=SYSTEM)
    assert codes(after(defined(), system), system) == []


def test_columns_that_cannot_be_verified_are_told_with_the_nearest_names() -> None:
    near = Condition(column="fullnam", operator="eq", values=("x",))
    event = defined(group=Group(conditions=(near, SCORE)))
    told = warnings(after(event), event)
    assert [each.code for each in told] == [WarningCode.UNVERIFIED_COLUMN] * 2
    assert "Did you mean fullname" in told[0].message
    redefined = FilterRedefined(
        **about(), former_name=None, description=None, fetch_xml=event.fetch_xml
    )
    assert warnings(after(event, redefined), redefined) == told
    renamed = replace(redefined, fetch_xml=None)
    assert warnings(after(event, renamed), renamed) == ()


def test_of_many_such_columns_some_are_told_and_the_rest_counted() -> None:
    group = Group(
        conditions=tuple(Condition(column=f"new_{number}", operator="null") for number in range(13))
    )
    event = defined(group=group)
    told = warnings(after(event), event)
    assert len(told) == 11
    assert told[-1].message == "3 more columns cannot be verified here."


def test_what_is_no_warning_is_none() -> None:
    for event in (defined(), FilterActivated(**about()), gave("k", "Active")):
        assert warnings(NEW, event) == ()


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (defined(), "System filter “Active” of contacts defined"),
        (defined(active=False), "System filter “Active” of contacts defined, not active"),
        (
            FilterRedefined(**about(), former_name=None, description="x", fetch_xml=None),
            "System filter “Active” of contacts redefined",
        ),
        (
            FilterRedefined(**about(), former_name="A", description=None, fetch_xml=None),
            "System filter “A” of contacts redefined as “Active”",
        ),
        (FilterActivated(**about(role=TEMPLATE)), "Template “Active” of contacts activated"),
        (FilterDeactivated(**about()), "System filter “Active” of contacts deactivated"),
        (FilterRemoved(**about(), active=True), "System filter “Active” of contacts removed"),
        (gave("k", "Active"), "New users are given the template “Active” for contacts"),
        (
            replace(gave("k", "Active"), kind=OFFLINE),
            "New users are given the template “Active” for contacts offline",
        ),
    ],
)
def test_what_happened_to_a_filter_can_be_read(event: Event, told: str) -> None:
    assert sentence(event) == told


def test_what_differs_by_a_change_is_told_line_by_line() -> None:
    redefined = FilterRedefined(
        **about(name="Berlin"), former_name="Active", description="Why", fetch_xml=text(BERLIN)
    )
    renamed = replace(redefined, description=None, fetch_xml=None)
    described = replace(redefined, former_name=None, fetch_xml=None)
    active, berlin = text(ACTIVE), text(BERLIN)
    assert differences(defined(), None, active) == ("added: status is active",)
    assert differences(redefined, active, berlin) == (
        "name: “Active” → “Berlin”",
        "description: now “Why”",
        "added: address 1: city is “Berlin”",
    )
    assert differences(renamed, active, active) == ("name: “Active” → “Berlin”",)
    assert differences(described, active, active) == ("description: now “Why”",)
    assert differences(FilterActivated(**about()), active, active) == ("now active",)
    assert differences(FilterDeactivated(**about()), active, active) == ("no longer active",)
    assert differences(FilterRemoved(**about(), active=True), active, None) == (
        "removed: status is active",
    )
    assert differences(gave("k", "Active"), None, "k") == ()
    assert differences(BEGINNING[1], None, "SYSTEM_ADMINISTRATOR") == ()


def test_facts_about_unknown_tables_are_none_of_ours() -> None:
    for make in (
        lambda: replace(defined(), table="email"),
        lambda: replace(gave("k", "Active"), table="email"),
    ):
        with pytest.raises(ValueError, match=r"^There are no filters of the table 'email'\.$"):
            make()


def test_text_that_is_no_criteria_is_none_of_ours() -> None:
    with pytest.raises(ValueError, match=r"^criteria: This is no XML"):
        understood("no")


def test_a_conflict_is_about_what_would_be_touched_too() -> None:
    """Giving a template names the filter; what it changes is what new users are given."""
    start = (*BEGINNING[2:], defined("a", "A", TEMPLATE), defined("b", "B", TEMPLATE))
    given_a = given(*start, gave("a", "A"))
    assert given_a.standing is not None
    end = given_a.standing.position
    asked = GiveTemplateToNewUsers(key="b")
    given_a.expecting(end).when(asked).then(gave("b", "B"))
    conflict = ChangedMeanwhile(
        expected_position=end - 1,
        position=end,
        by=(given_a.standing.last_changes["defaultTemplate:ONLINE:contact"],),
    )
    given_a.expecting(end - 1).when(asked).refused(conflict)


@law(histories)
def test_new_users_are_given_templates_that_are_there(history: History) -> None:
    filters = history.standing.environment.filters
    for setting, key in filters.given.items():
        template = filters.by_key[key]
        assert template.role is TEMPLATE
        assert setting == f"defaultTemplate:{template.kind.value}:{template.table}"


@law(histories)
def test_names_are_unique_within_role_kind_and_table(history: History) -> None:
    filters = history.standing.environment.filters.by_key.values()
    names = [(*each[1:4], " ".join(each.name.split()).casefold()) for each in filters]
    assert len(names) == len(set(names))


@law(histories)
def test_what_is_kept_is_canonical_and_valid(history: History) -> None:
    for each in history.standing.environment.filters.by_key.values():
        assert canonical_text(each.criteria) == each.fetch_xml
        assert each.criteria.table == each.table
