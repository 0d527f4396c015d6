from dataclasses import replace

import pytest
from filter_strategies import FILTERED, groups
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.filters.catalogue import CATALOGUE
from domain.filters.criteria import Condition, Criteria, Group, GroupOperator, Link, LinkType
from domain.filters.differences import MOST_LINES, additions, alike, differences, removals
from domain.filters.fetchxml import canonical
from domain.filters.operators import ALIASES, OPERATORS
from domain.filters.templates import TEMPLATES
from domain.filters.words import (
    LONGEST,
    LONGEST_VALUE,
    MOST_VALUES,
    PREDICATES,
    label,
    listed,
    quoted,
    sentence,
)

OPEN = Condition(column="statecode", operator="eq", values=("0",))
EITHER = Condition(column="statecode", operator="in", values=("0", "1"))
MINE = Condition(column="ownerid", operator="eq-userid")
CITY = Condition(column="address1_city", operator="eq", values=("Berlin",))
BIRTHDAY = Condition(column="birthdate", operator="next-x-days", values=("7",))
ACCOUNTS = Link(table="account", from_column="accountid", to_column="parentcustomerid")
NAMED = Group(conditions=(Condition(column="name", operator="begins-with", values=("A",)),))


criteria = st.sampled_from(FILTERED).flatmap(
    lambda table: groups(table, 1, joins=True).map(lambda group: Criteria(table=table, group=group))
)


def asking(*parts: Condition | Group | Link, one: bool = False) -> Group:
    return Group(
        operator=GroupOperator.OR if one else GroupOperator.AND,
        conditions=tuple(each for each in parts if isinstance(each, Condition)),
        groups=tuple(each for each in parts if isinstance(each, Group)),
        links=tuple(each for each in parts if isinstance(each, Link)),
    )


def contacts(*parts: Condition | Group | Link, one: bool = False) -> Criteria:
    return Criteria(table="contact", group=asking(*parts, one=one))


def linked(kind: LinkType, group: Group | None = NAMED, alias: str | None = None) -> Link:
    return Link(
        table="account",
        from_column="accountid",
        to_column="parentcustomerid",
        type=kind,
        alias=alias,
        criteria=group,
    )


def test_the_default_templates_can_be_read() -> None:
    assert {key: sentence(each.criteria) for key, each in TEMPLATES.items()} == {
        "template.online.contact.my-outlook-contacts": "Contacts that I own and that are active",
        "template.online.appointment.my-appointments": (
            "Appointments that are open or scheduled and in which I am required attendee, optional "
            "attendee, organizer or owner"
        ),
        "template.online.recurringappointmentmaster.my-recurring-appointments": (
            "Recurring appointments that are open or scheduled and in which I am required "
            "attendee, optional attendee, organizer or owner"
        ),
        "template.online.serviceappointment.my-service-activities": (
            "Service activities that are open or scheduled and in which I am organizer, owner or "
            "resource"
        ),
        "template.online.task.my-tasks": "Tasks that I own and that are open",
        "template.online.phonecall.my-phone-calls": "Phone calls that I own and that are open",
        "template.online.letter.my-letters": "Letters that I own and that are open",
        "template.online.fax.my-faxes": "Faxes that I own and that are open",
        "template.offline.contact.my-contacts": "Contacts that I own and that are active",
        "template.offline.appointment.my-appointments": (
            "Appointments that I own and that are open or scheduled"
        ),
        "template.offline.task.my-tasks": "Tasks that I own and that are open",
        "template.offline.account.my-accounts": "Accounts that I own and that are active",
    }


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (contacts(), "All contacts"),
        (contacts(asking()), "All contacts"),
        (contacts(asking(OPEN)), "Contacts that are active"),
        (contacts(OPEN, MINE, one=True), "Contacts that are active or that I own"),
        (
            contacts(OPEN, asking(MINE, CITY, one=True)),
            "Contacts that are active and (that I own or whose address 1: city is “Berlin”)",
        ),
        (
            contacts(Condition(column="ownerid", operator="ne-userid")),
            "Contacts that I do not own",
        ),
        (
            contacts(Condition(column="createdby", operator="eq-userid")),
            "Contacts whose createdby is me",
        ),
        (
            contacts(Condition(column="statecode", operator="ne", values=("1",))),
            "Contacts that are not inactive",
        ),
        (
            contacts(Condition(column="statecode", operator="eq", values=("9",))),
            "Contacts whose status is 9",
        ),
        (
            contacts(Condition(column="statecode", operator="not-null")),
            "Contacts whose status is not empty",
        ),
        (contacts(BIRTHDAY), "Contacts whose birthday is in the next 7 days"),
        (
            contacts(Condition(column="createdon", operator="ge", values=("2026-01-01",))),
            "Contacts whose created on is 2026-01-01 or later",
        ),
        (
            contacts(Condition(column="createdon", operator="lt", compared_column="modifiedon")),
            "Contacts whose created on is before the modified on",
        ),
        (
            contacts(Condition(column="new_score", operator="gt", values=("3",))),
            "Contacts whose new_score is greater than “3”",
        ),
        (
            contacts(Condition(column="new_score", operator="last-x-days", values=("3",))),
            "Contacts whose new_score is in the last 3 days",
        ),
        (
            contacts(Condition(column="fullname", operator="neq", values=("x" * 90,))),
            f"Contacts whose full name is not “{'x' * 79}…”",
        ),
        (
            contacts(
                Condition(column="fullname", operator="in", values=tuple(str(n) for n in range(12)))
            ),
            f"Contacts whose full name is {', '.join(f'“{n}”' for n in range(10))} or 2 more",
        ),
        (
            contacts(Condition(column="ftpsiteurl", operator="null")),
            "Contacts whose FTP site is empty",
        ),
        (
            contacts(linked(LinkType.ANY)),
            (
                "Contacts with accounts (by accountid = parentcustomerid) whose "
                "account name begins "
                "with “A”"
            ),
        ),
        (
            contacts(linked(LinkType.NOT_ANY, None)),
            "Contacts without accounts (by accountid = parentcustomerid)",
        ),
        (
            contacts(linked(LinkType.ALL)),
            (
                "Contacts without accounts (by accountid = parentcustomerid) other "
                "than those whose "
                "account name begins with “A”"
            ),
        ),
        (
            contacts(linked(LinkType.ALL, None)),
            (
                "Contacts without accounts (by accountid = parentcustomerid) other than those "
                "there are"
            ),
        ),
        (
            contacts(linked(LinkType.NOT_ALL, None)),
            "Contacts with accounts (by accountid = parentcustomerid) other than those there are",
        ),
        (
            contacts(
                Condition(column="name", operator="null", link_alias="a"),
                linked(LinkType.OUTER, None, "a"),
            ),
            (
                "Contacts whose a's account name is empty and with or without accounts "
                "called a (by "
                "accountid = parentcustomerid)"
            ),
        ),
        (
            contacts(Link(table="new_visit", from_column="contactid", to_column="contactid")),
            "Contacts with new_visit (by contactid)",
        ),
    ],
)
def test_criteria_can_be_read(asked: Criteria, told: str) -> None:
    assert sentence(asked) == told


def parties(*conditions: Condition, kind: LinkType = LinkType.ANY) -> Criteria:
    link = Link(
        table="activityparty",
        from_column="activityid",
        to_column="activityid",
        type=kind,
        criteria=Group(conditions=conditions),
    )
    return Criteria(table="task", group=Group(links=(link,)))


ME = Condition(column="partyid", operator="eq-userid")
OWNING = Condition(column="participationtypemask", operator="eq", values=("9",))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (parties(ME, OWNING), "Tasks in which I am owner"),
        (parties(OWNING, ME), "Tasks in which I am owner"),
        (
            parties(ME, OWNING, kind=LinkType.NOT_ANY),
            (
                "Tasks without activity parties (by activityid) (whose party is me and whose "
                "participation type is owner)"
            ),
        ),
        (parties(ME), "Tasks with activity parties (by activityid) whose party is me"),
        (parties(), "Tasks with activity parties (by activityid)"),
        (
            parties(ME, ME, OWNING),
            (
                "Tasks with activity parties (by activityid) (whose party is me and "
                "whose party is me and whose participation type is owner)"
            ),
        ),
        (
            parties(ME, Condition(column="participationtypemask", operator="ne", values=("9",))),
            (
                "Tasks with activity parties (by activityid) (whose party is me and "
                "whose participation type is not owner)"
            ),
        ),
        (
            parties(ME, Condition(column="addressused", operator="null")),
            (
                "Tasks with activity parties (by activityid) (whose party is me and "
                "whose address used is empty)"
            ),
        ),
    ],
)
def test_taking_part_is_told_as_people_say_it(asked: Criteria, told: str) -> None:
    assert sentence(asked) == told


def test_taking_part_as_nobody_names_it_is_told_by_its_number() -> None:
    odd = replace(OWNING, values=("77",))
    assert sentence(parties(ME, odd)) == "Tasks in which I am 77"


def test_what_is_linked_otherwise_or_asks_more_is_no_taking_part() -> None:
    plain = parties(ME, OWNING).group.links[0]
    assert plain.criteria is not None
    inner = Group(conditions=(Condition(column="addressused", operator="null"),))
    for other in (
        replace(plain, to_column="regardingobjectid"),
        replace(plain, table="account"),
        replace(plain, criteria=replace(plain.criteria, groups=(inner,))),
        replace(plain, criteria=replace(plain.criteria, links=(plain,))),
    ):
        told = sentence(Criteria(table="task", group=Group(links=(other,))))
        assert not told.startswith("Tasks in which I am"), told


def test_of_many_values_the_rest_is_counted() -> None:
    many = [str(number) for number in range(MOST_VALUES + 1)]
    assert listed(many[:1]) == "0"
    assert listed(many[:3]) == "0, 1 or 2"
    assert listed(many[:-1]) == f"{', '.join(many[:-2])} or {many[-2]}"
    assert listed(many) == f"{', '.join(many[:-1])} or 1 more"


def test_taking_part_in_one_of_two_ways_is_something_else() -> None:
    link = Link(
        table="activityparty",
        from_column="activityid",
        to_column="activityid",
        criteria=asking(ME, OWNING, one=True),
    )
    assert sentence(Criteria(table="task", group=asking(link))) == (
        "Tasks with activity parties (by activityid) (whose party is me or whose participation "
        "type is owner)"
    )


def test_comparing_the_way_of_taking_part_is_something_else() -> None:
    other = Condition(column="participationtypemask", operator="eq", compared_column="new_x")
    assert sentence(parties(ME, other)) == (
        "Tasks with activity parties (by activityid) (whose party is me and whose participation "
        "type is the new_x)"
    )


NAMED_B = Group(conditions=(Condition(column="name", operator="begins-with", values=("B",)),))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (contacts(CITY, asking(), one=True), contacts(CITY)),
        (
            contacts(linked(LinkType.NOT_ANY), linked(LinkType.ANY, NAMED_B)),
            contacts(
                linked(LinkType.NOT_ANY, asking(*NAMED.conditions, linked(LinkType.ANY, NAMED_B)))
            ),
        ),
        (
            contacts(linked(LinkType.ANY, asking(OPEN, CITY, one=True))),
            contacts(linked(LinkType.ANY, asking(OPEN)), CITY, one=True),
        ),
        (
            contacts(Condition(column="lastname", operator="eq", values=("A” or “B",))),
            contacts(Condition(column="lastname", operator="in", values=("A", "B"))),
        ),
        (
            contacts(Condition(column="lastname", operator="eq", values=("x” or that I own",))),
            contacts(
                Condition(column="lastname", operator="eq", values=("x",)),
                MINE,
                one=True,
            ),
        ),
    ],
)
def test_what_asks_for_other_records_is_told_otherwise(one: Criteria, other: Criteria) -> None:
    assert sentence(one) != sentence(other)


def test_a_state_of_a_table_that_is_not_known_is_told_as_it_is() -> None:
    visits = Link(
        table="new_visit", from_column="contactid", to_column="contactid", criteria=asking(OPEN)
    )
    told = "Contacts with new_visit (by contactid) whose statecode is “0”"
    assert sentence(contacts(visits)) == told
    named = replace(OPEN, link_alias="b")
    assert sentence(contacts(named)) == "Contacts whose b's status is active"


def test_what_is_in_brackets_is_one_part() -> None:
    pair = asking(MINE, CITY, one=True)
    told = sentence(contacts(asking(asking(pair, linked(LinkType.ANY)), one=True), OPEN))
    assert told.count("(") == told.count(")") == 3


def test_a_value_is_shown_so_that_it_ends_where_it_ends() -> None:
    assert quoted("a”b") == "“a””b”"
    assert quoted("a\nb") == "“a\\u000ab”"
    assert quoted("x" * LONGEST_VALUE) == f"“{'x' * LONGEST_VALUE}”"
    assert quoted("x" * (LONGEST_VALUE + 1)) == f"“{'x' * (LONGEST_VALUE - 1)}…”"


def test_what_holds_of_everything_is_said_in_an_alternative() -> None:
    assert sentence(contacts(CITY, asking(), one=True)) == (
        "Contacts whose address 1: city is “Berlin” or (anything)"
    )


def test_a_choice_that_contains_values_is_no_state() -> None:
    asked = Condition(column="statecode", operator="contain-values", values=("0",))
    assert sentence(contacts(asked)) == "Contacts whose status contains active"


def test_every_operator_has_words_with_a_place_for_its_values() -> None:
    assert PREDICATES.keys() == OPERATORS.keys() - ALIASES.keys()
    for name, words in PREDICATES.items():
        operator = OPERATORS[name]
        places = 1 if operator.most is None else operator.most
        assert words.count("{}") == places, name
    told = list(PREDICATES.values())
    alike = {"eq", "ne", "in", "not-in"}
    assert len(set(told)) == len(told) - len(alike) // 2


def test_a_label_is_lowered_but_for_what_is_always_capital() -> None:
    assert label("contact", "ftpsiteurl") == "FTP site"
    assert label("contact", "address1_postalcode") == "address 1: zip/postal code"
    assert label("contact", "new_score") == label("new_visit", "new_score") == "new_score"


@given(criteria)
def test_every_sentence_begins_with_the_records_and_ends_in_time(asked: Criteria) -> None:
    told, plural = sentence(asked), CATALOGUE[asked.table].plural
    assert told.startswith((plural, f"All {plural.lower()}"))
    assert len(told) <= LONGEST


def test_an_endless_sentence_ends_in_dots() -> None:
    long = contacts(*(Condition(column="fullname", operator="eq", values=("x" * 60,)),) * 40)
    assert len(sentence(long)) == LONGEST
    assert sentence(long).endswith("…")
    [line] = additions(contacts(long.group, one=True))
    assert len(line) == LONGEST


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (contacts(OPEN), contacts(OPEN), ()),
        (contacts(OPEN), contacts(OPEN, CITY), ("added: address 1: city is “Berlin”",)),
        (contacts(OPEN, CITY), contacts(CITY), ("removed: status is active",)),
        (
            contacts(OPEN),
            contacts(EITHER),
            ("changed: status is active → is active or inactive",),
        ),
        (contacts(OPEN, CITY), contacts(CITY, OPEN), ("changed: the order of what is asked",)),
        (
            contacts(OPEN, CITY),
            contacts(OPEN, CITY, one=True),
            ("changed: all of them must hold → one of them must hold",),
        ),
        (contacts(OPEN), contacts(), ("removed: status is active",)),
        (
            contacts(OPEN, asking(MINE, CITY, one=True)),
            contacts(OPEN, asking(MINE, BIRTHDAY)),
            (
                "in group 1, changed: one of them must hold → all of them must hold",
                "in group 1, removed: address 1: city is “Berlin”",
                "in group 1, added: birthday is in the next 7 days",
            ),
        ),
        (
            contacts(asking(OPEN), asking(asking(MINE), CITY)),
            contacts(asking(OPEN), asking(asking(BIRTHDAY), CITY)),
            (
                "in group 1 of group 2, removed: owner is me",
                "in group 1 of group 2, added: birthday is in the next 7 days",
            ),
        ),
        (
            contacts(asking(OPEN, MINE)),
            contacts(asking(OPEN, MINE), asking(CITY)),
            ("added: (whose address 1: city is “Berlin”)",),
        ),
        (contacts(asking()), contacts(), ("removed: (anything)",)),
        (
            contacts(),
            contacts(OPEN, CITY, one=True),
            ("added: (that are active or whose address 1: city is “Berlin”)",),
        ),
        (
            contacts(OPEN, CITY, one=True),
            contacts(),
            ("removed: (that are active or whose address 1: city is “Berlin”)",),
        ),
        (
            contacts(OPEN),
            contacts(Condition(column="statecode", operator="in", values=("0",))),
            ("changed: status eq → in",),
        ),
        (
            contacts(linked(LinkType.ANY, None)),
            contacts(linked(LinkType.ANY, asking())),
            ("changed: attributes of FetchXML that mean nothing here",),
        ),
        (
            contacts(asking(OPEN, MINE), asking(OPEN, MINE), asking(CITY)),
            contacts(asking(OPEN, MINE), asking(OPEN, BIRTHDAY), asking(OPEN, BIRTHDAY)),
            (
                "in group 2, removed: owner is me",
                "in group 2, added: birthday is in the next 7 days",
                "in group 3, removed: address 1: city is “Berlin”",
                "in group 3, added: status is active",
                "in group 3, added: birthday is in the next 7 days",
            ),
        ),
        (
            contacts(linked(LinkType.ANY)),
            contacts(linked(LinkType.ANY, asking(OPEN))),
            (
                "in the link to account, removed: account name begins with “A”",
                "in the link to account, added: status is active",
            ),
        ),
        (
            contacts(linked(LinkType.ANY, None)),
            contacts(linked(LinkType.INNER, None)),
            (
                "removed: with accounts (by accountid = parentcustomerid) (ANY)",
                "added: with accounts (by accountid = parentcustomerid) (INNER)",
            ),
        ),
        (
            contacts(asking(linked(LinkType.ANY), OPEN)),
            contacts(asking(linked(LinkType.ANY, asking(OPEN)), OPEN)),
            (
                "in the link to account of group 1, removed: account name begins with “A”",
                "in the link to account of group 1, added: status is active",
            ),
        ),
    ],
)
def test_what_differs_is_told(before: Criteria, after: Criteria, told: tuple[str, ...]) -> None:
    assert differences(before, after) == told


def names(*values: str) -> Criteria:
    return contacts(Condition(column="fullname", operator="in", values=values))


TEN = tuple(f"n{number}" for number in range(10))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ((*TEN, "a"), (*TEN, "b"), "no longer “a”, now “b”"),
        ((*TEN, "a"), (*TEN, "b", "c"), None),
        ((*TEN, "a", "b"), (*TEN, "b", "a"), "is the same in another order"),
    ],
)
def test_what_left_a_long_list_is_told(
    before: tuple[str, ...], after: tuple[str, ...], told: str | None
) -> None:
    [line] = differences(names(*before), names(*after))
    start = "changed: full name "
    assert line.startswith(start)
    if told is None:
        assert "1 more → is " in line
    else:
        assert told in line


def test_what_is_asked_of_a_link_is_told_in_the_words_of_its_table() -> None:
    either = asking(*NAMED.conditions, replace(*NAMED.conditions, values=("B",)), one=True)
    said = "(whose account name begins with “A” or whose account name begins with “B”)"
    bare, within = (
        contacts(linked(LinkType.ANY, None)),
        contacts(linked(LinkType.ANY, asking(either))),
    )
    assert sentence(within).endswith(said)
    told = f"in the link to account, {{}}: {said}"
    for asks in (within, contacts(linked(LinkType.ANY, either))):
        assert differences(bare, asks) == (told.format("added"),)
        assert differences(asks, bare) == (told.format("removed"),)


def test_another_order_of_a_long_list_is_told_as_that() -> None:
    one, other = names(*TEN, "a", "b"), names(*TEN, "b", "a")
    assert differences(one, other) == ("changed: full name is the same in another order",)


def test_what_is_asked_of_a_joined_table_is_told_by_its_name() -> None:
    join = linked(LinkType.INNER, None, "a")
    named = Condition(column="name", operator="eq", values=("Contoso",), link_alias="a")
    other = replace(named, values=("Fabrikam",))
    assert alike(contacts(named, join), contacts(join, named))
    assert not alike(contacts(named, join), contacts(other, join))
    said = "a's account name is “Contoso”"
    assert removals(contacts(named, join))[0] == f"removed: {said}"
    assert differences(contacts(join), contacts(named, join)) == (f"added: {said}",)
    assert differences(contacts(named, join), contacts(join)) == (f"removed: {said}",)
    either = asking(named, OPEN, one=True)
    told = f"(whose {said} or that are active)"
    assert differences(contacts(join), contacts(either, join)) == (f"added: {told}",)
    assert differences(contacts(either, join), contacts(join)) == (f"removed: {told}",)
    assert sentence(contacts(either, join)).startswith(f"Contacts {told} and with")


def test_attributes_that_mean_nothing_are_told_as_such() -> None:
    named = Group(
        conditions=(Condition(column="fullname", operator="null", kept=(("uiname", "x"),)),)
    )
    plain = Group(conditions=(Condition(column="fullname", operator="null"),))
    told = ("changed: attributes of FetchXML that mean nothing here",)
    assert differences(contacts(named), contacts(plain)) == told
    one = names("a", "b").group
    [listed_] = one.conditions
    of_values = replace(listed_, kept_of_values=((("uiname", "x"),), ()))
    for other in (replace(one, kept=(("hint", "x"),)), replace(one, conditions=(of_values,))):
        whole = Criteria(table="contact", group=other)
        assert differences(Criteria(table="contact", group=one), whole) == told
    link = linked(LinkType.ANY)
    assert differences(contacts(link), contacts(replace(link, kept=(("visible", "true"),)))) == told


def test_what_is_told_may_be_just_so_long() -> None:
    long = [replace(CITY, values=("x" * LONGEST_VALUE,))] * (LONGEST // (LONGEST_VALUE + 35))
    told = [
        sentence(contacts(*long, *[replace(CITY, values=("x" * length,))] * 2))
        for length in range(1, LONGEST_VALUE + 1)
    ]
    assert max(map(len, told)) == LONGEST
    assert {each[-1] for each in told if len(each) == LONGEST} == {"”", "…"}
    lines = [
        additions(contacts(asking(*long, replace(CITY, values=("x" * length,)), one=True)))
        for length in range(1, LONGEST_VALUE + 1)
    ]
    assert max(len(line) for [line] in lines) == LONGEST
    assert {line[-1] for [line] in lines if len(line) == LONGEST} == {")", "…"}


def test_what_begins_or_ends_is_told_whole() -> None:
    assert additions(contacts(OPEN, MINE)) == ("added: status is active", "added: owner is me")
    assert removals(contacts(OPEN, MINE)) == ("removed: status is active", "removed: owner is me")
    assert additions(contacts(OPEN, MINE, one=True)) == ("added: (that are active or that I own)",)
    assert additions(contacts(OPEN, one=True)) == ("added: status is active",)
    said = "(that are active or whose address 1: city is “Berlin”)"
    assert additions(contacts(OPEN, CITY, one=True)) == (f"added: {said}",)
    assert removals(contacts(OPEN, CITY, one=True)) == (f"removed: {said}",)
    inner = asking(OPEN, CITY, one=True)
    assert additions(contacts(inner)) == (f"added: {said}",)
    assert removals(contacts(inner)) == (f"removed: {said}",)
    assert sentence(contacts(inner, MINE)) == f"Contacts that I own and {said}"
    assert additions(contacts()) == ("added: all records",)
    assert removals(contacts(asking())) == ("removed: (anything)",)


def test_of_many_lines_some_are_told_and_the_rest_counted() -> None:
    many = [Condition(column=f"new_{number}", operator="null") for number in range(120)]
    told = additions(contacts(*many))
    assert len(told) == MOST_LINES + 1
    assert told[-1] == "and 20 more"
    assert len(additions(contacts(*many[:MOST_LINES]))) == MOST_LINES
    assert additions(contacts(*many[: MOST_LINES + 1]))[-1] == "and 1 more"


@settings(max_examples=200)
@given(st.data())
def test_there_is_a_line_exactly_where_something_differs(data: st.DataObject) -> None:
    one, another = canonical(data.draw(criteria)), data.draw(groups("contact", 0))
    other = data.draw(st.sampled_from([one, replace(one, group=another)]))
    assert differences(one, one) == ()
    assert (differences(one, other) == ()) == (one == other)
    assert alike(one, other) or one != other


@given(criteria)
def test_what_is_added_is_what_is_removed_again(asked: Criteria) -> None:
    added = [line.removeprefix("added: ") for line in additions(asked)]
    assert [line.removeprefix("removed: ") for line in removals(asked)] == added
