from dataclasses import replace

import pytest
import strategies  # noqa: F401 -- switches the deadline off
from filter_strategies import criteria
from hypothesis import given

from domain.filters.checking import checked
from domain.filters.criteria import Condition, Criteria, Group, GroupOperator, Link, LinkType
from domain.filters.operators import OPERATORS
from domain.filters.problem import MOST_PROBLEMS, shown

STATE = Condition(column="statecode", operator="eq", values=("0",))
PARTIES = Link(table="activityparty", from_column="activityid", to_column="activityid")
LONG_OPERATOR = "in-or-before-fiscal-period-and-year"
GUID = "a11ce000-0000-4000-8000-000000000000"


def of(*conditions: Condition, table: str = "contact", **more: object) -> Criteria:
    return Criteria(table=table, group=Group(conditions=conditions, **more))  # type: ignore[arg-type]


def told(found: Criteria) -> list[tuple[str, str]]:
    return [(each.path, each.message) for each in checked(found).problems]


def condition(column: str, operator: str, *values: str, **more: str) -> Condition:
    return Condition(column=column, operator=operator, values=values, **more)  # type: ignore[arg-type]


@given(criteria())
def test_what_makes_sense_has_no_problem_and_nothing_unverified(found: Criteria) -> None:
    assert checked(found) == ((), ())


WRONG = {
    "operator": (
        condition("statecode", "equals", "0"),
        "conditions[0].operator",
        "There is no operator 'equals'.",
    ),
    "operator nearly": (
        condition("fullname", "begin-with", "A"),
        "conditions[0].operator",
        "Did you mean begins-with or not-begin-with or ends-with?",
    ),
    "sdk": (
        condition("fullname", "Contains", "A"),
        "conditions[0].operator",
        "Contains is of the SDK and no operator of FetchXML.",
    ),
    "type": (
        condition("statecode", "like", "A%"),
        "conditions[0].operator",
        "like does not fit statecode (choice). These do: eq, ne, neq, in,",
    ),
    "date only": (
        condition("birthdate", "last-x-hours", "3"),
        "conditions[0].operator",
        "last-x-hours does not fit birthdate (dateTime, without time of day).",
    ),
    "few": (
        condition("createdon", "between", "2026-01-01"),
        "conditions[0].values",
        "between takes 2 values, not 1.",
    ),
    "many": (
        condition("statecode", "in", *map(str, range(501))),
        "conditions[0].values",
        "in takes 1 to 500 values, not 501.",
    ),
    "none": (
        condition("statecode", "null", "0"),
        "conditions[0].values",
        "null takes 0 values, not 1.",
    ),
    "choice": (condition("statecode", "eq", "active"), "conditions[0].values[0]", "a choice's"),
    "number": (
        condition("percentcomplete", "eq", "half"),
        "conditions[0].values[0]",
        "takes a number, e.g. 12 or -3.5, not 'half'",
    ),
    "id": (condition("ownerid", "eq", "ada"), "conditions[0].values[0]", "takes a UUID, not 'ada'"),
    "day": (
        condition("createdon", "on", "today"),
        "conditions[0].values[0]",
        "takes a day or time",
    ),
    "year": (
        condition("createdon", "on", "1066-10-14"),
        "conditions[0].values[0]",
        "a day or time",
    ),
    "second": (
        condition("createdon", "between", "2026-01-01", "later"),
        "conditions[0].values[1]",
        "not 'later'",
    ),
    "count": (
        condition("createdon", "last-x-days", "0"),
        "conditions[0].values[0]",
        "a whole number from 1 to 100000, not '0'",
    ),
    "fiscal year": (
        condition("createdon", "in-fiscal-year", "26"),
        "conditions[0].values[0]",
        "a year from 1970 to 2099",
    ),
    "fiscal year in other digits": (
        condition("createdon", "in-fiscal-year", "२०२६"),
        "conditions[0].values[0]",
        "a year from 1970 to 2099",
    ),
    "fiscal year in words": (
        condition("createdon", "in-fiscal-year", "twenty"),
        "conditions[0].values[0]",
        "a year from 1970 to 2099",
    ),
    "fiscal period in other digits": (
        condition("createdon", "in-fiscal-period", "१"),
        "conditions[0].values[0]",
        "a fiscal period from 1 to 13",
    ),
    "fiscal period in words": (
        condition("createdon", "in-fiscal-period", "one"),
        "conditions[0].values[0]",
        "a fiscal period from 1 to 13",
    ),
    "fiscal period": (
        condition("createdon", "in-fiscal-period-and-year", "14", "2026"),
        "conditions[0].values[0]",
        "a fiscal period from 1 to 13",
    ),
    "long in a list": (
        condition("fullname", "in", "x" * 851),
        "conditions[0].values[0]",
        "at most 850 characters, not 851",
    ),
    "long": (condition("fullname", "eq", "x" * 4001), "conditions[0].values[0]", "at most 4000"),
    "unwritable": (condition("fullname", "eq", "\0"), "conditions[0].values[0]", "U+0000"),
    "surrogate": (condition("fullname", "eq", "\ud800"), "conditions[0].values[0]", "U+D800"),
    "column": (condition("Full Name", "null"), "conditions[0].column", "a logical name"),
    "compared type": (
        condition("createdon", "eq", compared_column="fullname"),
        "conditions[0].comparedColumn",
        "fullname is of type string, but createdon of type dateTime",
    ),
    "compared operator": (
        condition("createdon", "on", compared_column="modifiedon"),
        "conditions[0].operator",
        "Columns are compared with eq, ge, gt, le, lt, ne, not with on.",
    ),
    "compared and valued": (
        condition("createdon", "eq", "2026-01-01", compared_column="modifiedon"),
        "conditions[0].values",
        "values or a compared column, not both",
    ),
    "alias": (
        condition("partyid", "null", link_alias="party"),
        "conditions[0].linkAlias",
        "No INNER or OUTER link of the outermost group is called 'party'.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_condition_that_makes_no_sense_is_told_with_its_place(name: str) -> None:
    wrong, path, says = WRONG[name]
    table = "task" if wrong.column == "percentcomplete" else "contact"
    [(found, message)] = told(of(wrong, table=table))
    assert found == path
    assert says in message


@pytest.mark.parametrize(
    ("operator", "help_"),
    [
        ("begin-with", "Did you mean begins-with or not-begin-with or ends-with?"),
        ("Begin-With", "Did you mean begins-with or not-begin-with or ends-with?"),
        ("zzz", "`filterCatalogue` lists them all."),
        ("next-x-month", "Did you mean next-x-months or next-month or last-x-months?"),
        (f"{LONG_OPERATOR:x<80}", f"Did you mean {LONG_OPERATOR}?"),
        (f"{LONG_OPERATOR:x<81}", "`filterCatalogue` lists them all."),
    ],
)
def test_an_unknown_operator_is_told_what_is_near(operator: str, help_: str) -> None:
    [(_, message)] = told(of(condition("fullname", operator, "A")))
    assert message == f"There is no operator {shown(operator)}. {help_}"


def test_of_many_unknown_operators_the_first_are_told_what_is_near() -> None:
    found = told(of(*[condition("fullname", "begin-with", "A")] * 6))
    assert ["Did you mean" in message for _, message in found] == [True] * 5 + [False]


def test_a_column_compared_with_is_looked_at_as_any_other() -> None:
    assert told(of(condition("createdon", "eq", compared_column="A B"))) == [
        (
            "conditions[0].comparedColumn",
            "A column has a logical name such as statecode, not 'A B'.",
        )
    ]
    [linked] = checked(of(links=(replace(PARTIES, to_column="new_id"),))).unverified
    assert (linked.path, linked.table) == ("links[0].toColumn", "contact")
    [unverified] = checked(of(condition("createdon", "eq", compared_column="new_x"))).unverified
    assert unverified.path == "conditions[0].comparedColumn"
    assert told(of(condition("createdon", "eq", "2026-01-01", compared_column="new_x"))) == [
        ("conditions[0].values", "A condition has values or a compared column, not both.")
    ]


def test_what_is_not_verified_is_checked_as_far_as_it_can_be() -> None:
    [(path, message)] = told(of(condition("new_seen", "on", "soon")))
    assert path == "conditions[0].values[0]"
    assert message.startswith("on on new_seen takes a day or time, e.g. ")
    found = checked(of(condition("new_b", "null"), condition("new_a", "eq", "any")))
    assert found.problems == ()
    assert [each.column for each in found.unverified] == ["new_b", "new_a"]


def test_one_value_is_one() -> None:
    assert told(of(condition("statecode", "eq", "0", "1"))) == [
        ("conditions[0].values", "eq takes 1 value, not 2.")
    ]


def test_a_list_of_parties_is_linked_and_not_compared() -> None:
    [(path, message)] = told(of(condition("organizer", "null"), table="appointment"))
    assert path == "conditions[0].operator"
    assert message == "organizer is a list of parties: link to activityparty in its place."


@pytest.mark.parametrize(
    ("link", "at", "says"),
    [
        (
            replace(PARTIES, table="Activity"),
            "links[0].table",
            "A table has a logical name such as contact, not 'Activity'.",
        ),
        (
            replace(PARTIES, from_column="a b"),
            "links[0].fromColumn",
            "A column has a logical name such as statecode, not 'a b'.",
        ),
        (
            replace(PARTIES, to_column=""),
            "links[0].toColumn",
            "A column has a logical name such as statecode, not ''.",
        ),
        (replace(PARTIES, alias="a b"), "links[0].alias", "letters, digits and _, not 'a b'"),
        (
            replace(PARTIES, criteria=Group(conditions=(condition("partyid", "like", "a"),))),
            "links[0].criteria.conditions[0].operator",
            "like does not fit partyid",
        ),
    ],
)
def test_a_link_that_makes_no_sense_is_told_with_its_place(link: Link, at: str, says: str) -> None:
    [(path, message)] = told(of(table="appointment", links=(link,)))
    assert path == at
    assert says in message


def test_a_join_stands_in_the_outermost_group_and_is_no_alternative() -> None:
    join = replace(PARTIES, type=LinkType.INNER)
    either = of(table="task", links=(join,), operator=GroupOperator.OR)
    assert told(either) == [("links[0]", "A link of type INNER is no alternative; take ANY.")]
    inner = of(table="task", groups=(Group(links=(join,)),))
    assert told(inner) == [
        ("groups[0].links[0]", "A link of type INNER stands in no inner group; take ANY.")
    ]
    beneath = replace(PARTIES, criteria=Group(links=(replace(PARTIES, type=LinkType.OUTER),)))
    assert told(of(table="task", links=(beneath,))) == []


def test_a_condition_may_name_a_joined_table() -> None:
    join = replace(PARTIES, type=LinkType.OUTER, alias="party")
    named = condition("partyid", "null", link_alias="party")
    wrong = condition("partyid", "like", "x", link_alias="party")
    assert told(of(named, table="task", links=(join,))) == []
    [(path, _)] = told(of(wrong, table="task", links=(join,)))
    assert path == "conditions[0].operator"
    inside = replace(PARTIES, criteria=Group(conditions=(named,)))
    [(path, _)] = told(of(table="task", links=(join, inside)))
    assert path == "links[1].criteria.conditions[0].linkAlias"


def test_the_limits_of_the_product_are_kept() -> None:
    assert told(of(*[STATE] * 500)) == []
    assert told(of(*[STATE] * 501)) == [
        (
            "criteria",
            "501 conditions and 0 links are 501 together; the product takes at most 500.",
        )
    ]
    plain = replace(PARTIES, criteria=None)
    assert told(of(*[STATE] * 490, table="task", links=(plain,) * 10)) == []
    assert told(of(*[STATE] * 490, table="task", links=(plain,) * 11)) == [
        (
            "criteria",
            "490 conditions and 11 links are 501 together; the product takes at most 500.",
        )
    ]
    assert told(of(table="task", links=(plain,) * 15)) == []
    assert told(of(table="task", links=(plain,) * 16)) == [
        ("criteria", "There are 16 links; the product takes at most 15.")
    ]
    twice = (replace(PARTIES, alias="a"),) * 2
    assert told(of(table="task", links=twice)) == [
        ("criteria", "The alias 'a' is used by 2 links; each needs its own.")
    ]


def test_our_own_limits_are_kept() -> None:
    assert told(of(groups=(Group(),) * 199)) == []
    assert told(of(groups=(Group(),) * 200)) == [
        ("criteria", "201 groups are too many; 200 will do.")
    ]
    many = condition("statecode", "in", *["0"] * 500)
    assert told(of(*[many] * 4)) == []
    assert told(of(*[many] * 4, STATE)) == [
        ("criteria", "2001 values together are too many; 2000 will do.")
    ]


def test_groups_stand_only_so_deep() -> None:
    group = Group(conditions=(STATE,))
    for _ in range(9):
        group = Group(groups=(group,))
    assert told(Criteria(table="contact", group=group)) == []
    group = Group(groups=(group, group))
    place = ".".join(["groups[0]"] * 9)
    assert told(Criteria(table="contact", group=group)) == [
        (f"groups[{index}].{place}", "Groups and links stand at most 10 deep.") for index in (0, 1)
    ]


def test_links_stand_only_as_deep_as_groups() -> None:
    def nested(levels: int) -> Criteria:
        group = Group(conditions=(condition("participationtypemask", "eq", "5"),))
        for _ in range(levels):
            group = Group(links=(replace(PARTIES, criteria=group),))
        return Criteria(table="task", group=group)

    assert told(nested(9)) == []
    place = ".".join(["links[0].criteria"] * 10)
    assert told(nested(10)) == [(place, "Groups and links stand at most 10 deep.")]


def test_a_column_that_is_not_known_is_unverified_and_told_with_the_nearest() -> None:
    found = checked(of(condition("fulname", "eq", "x"), condition("fulname", "gt", "y")))
    assert found.problems == ()
    [unverified] = found.unverified
    assert (unverified.table, unverified.column) == ("contact", "fulname")
    assert unverified.nearest[0] == "fullname"
    assert "Did you mean fullname" in unverified.message
    own = Link(table="new_pet", from_column="new_owner", to_column="contactid")
    [unverified] = checked(of(links=(own,))).unverified
    assert unverified.message == (
        "Whether the table new_pet has a column new_owner cannot be verified here, nor of what "
        "type it is (links[0].fromColumn)."
    )


def test_of_very_many_problems_the_first_are_told_and_how_many_more_there_are() -> None:
    messages = told(of(*[condition("statecode", "like", "x")] * 300))
    assert len(messages) == MOST_PROBLEMS + 1
    more = "There are more problems than these 100; nobody looked for the rest."
    assert messages[-1] == ("criteria", more)


def test_an_old_name_is_as_good_as_todays_and_every_operator_can_be_used() -> None:
    assert told(of(condition("statecode", "neq", "1"))) == []
    unknown = [condition("new_column", name) for name in OPERATORS if OPERATORS[name].fewest == 0]
    assert told(of(*unknown)) == []
    assert GUID  # a record's id, in braces as the product writes it
    assert told(of(condition("ownerid", "eq", f"{{{GUID}}}"))) == []
