"""How long criteria may take is known before they are asked, and grows as the asking does."""

from dataclasses import replace

import pytest
import strategies  # noqa: F401 -- switches the deadline off
from filter_strategies import PEOPLE, criteria
from hypothesis import given
from hypothesis import strategies as st

from domain.filters.criteria import Condition, Criteria, Group, Link, LinkType
from domain.filters.effort import CONDITION, RELATED, STEPS, Size, effort, sizes
from domain.filters.matching import MOST_COMBINATIONS
from domain.filters.records import Record

ADA, *_ = PEOPLE
ROLE = Condition(column="participationtypemask", operator="eq", values=("5",))
NOTHING = Record(columns={})


def taken(group: Group, record: Record = NOTHING) -> int:
    return effort(group).of(record, sizes(record))


def with_parties(count: int, **columns: str | None) -> Record:
    party = Record(columns={"activityid": ADA, **columns})
    return Record(columns={"activityid": ADA}, related={"activityparty": [party] * count})


def link(group: Group | None = None, **more: object) -> Link:
    made = Link(
        table="activityparty", from_column="activityid", to_column="activityid", criteria=group
    )
    return replace(made, **more)  # type: ignore[arg-type]


def nested(depth: int) -> Group:
    group = Group(conditions=(ROLE,))
    for _ in range(depth):
        group = Group(links=(link(group),))
    return group


def test_each_condition_and_each_group_takes_its_time() -> None:
    three = Group(conditions=(ROLE, ROLE), groups=(Group(conditions=(ROLE,)),))
    assert taken(Group()) == CONDITION
    assert taken(three) == 5 * CONDITION


def test_a_link_is_followed_to_every_related_record() -> None:
    asked = Group(links=(link(Group(conditions=(ROLE,))),))
    assert taken(asked) == CONDITION
    assert taken(asked, with_parties(0)) == CONDITION
    each = RELATED + 2 * CONDITION + len(ADA) // STEPS
    assert taken(asked, with_parties(10)) == CONDITION + 10 * each
    bare = Group(links=(link(),))
    assert taken(bare, with_parties(10)) == CONDITION + 10 * (RELATED + CONDITION)


def test_what_stands_beside_comes_together() -> None:
    asked = Group(links=(link(), replace(link(), table="email"), replace(link(), table="fax")))
    [*parties] = with_parties(3).related["activityparty"]
    both = Record(columns={}, related={"activityparty": parties, "email": parties * 2})
    assert taken(asked, both) == CONDITION + 9 * (RELATED + CONDITION)


def test_letters_count_by_as_many_as_take_a_step() -> None:
    pattern = Condition(column="subject", operator="like", values=("a" * (STEPS - 1),))
    one = Group(conditions=(pattern,))
    assert taken(one, Record(columns={"subject": "a"})) == taken(one)
    assert taken(one, Record(columns={"subject": "aa"})) == taken(one) + 1


def test_what_holds_no_text_has_nothing_to_compare() -> None:
    pattern = Condition(column="subject", operator="like", values=("%a%b%",))
    assert sizes(Record(columns={}, related={"email": [NOTHING]})) == {"email": Size(1, 0)}
    assert taken(Group(conditions=(pattern,) * STEPS)) == (STEPS + 1) * CONDITION
    named = replace(pattern, link_alias="a")
    joined = Group(conditions=(named,) * 3, links=(link(None, type=LinkType.INNER, alias="a"),))
    found = taken(joined)
    assert found == RELATED + 4 * CONDITION
    assert isinstance(found, int)


@pytest.mark.parametrize("depth", [1, 2, 5, 9])
def test_links_within_links_are_followed_from_each_related_record(depth: int) -> None:
    assert taken(nested(depth), with_parties(30)) > RELATED * 30**depth


def test_tables_that_are_joined_are_looked_at_in_every_combination() -> None:
    joins = tuple(link(None, type=LinkType.INNER, alias=alias) for alias in "ab")
    asked = tuple(replace(ROLE, link_alias=alias) for alias in "ab")
    together = Group(conditions=asked, links=joins)
    assert taken(together, with_parties(20)) > RELATED * 20 * 20
    assert taken(together, with_parties(0)) < taken(together, with_parties(1))
    apart = Group(conditions=(ROLE, ROLE), links=joins)
    assert taken(apart, with_parties(20)) < RELATED * 20 * 20
    most = taken(together, with_parties(1_000))
    assert most < 2 * MOST_COMBINATIONS * (RELATED + 3 * CONDITION)


def test_a_pattern_is_compared_with_every_letter_of_its_column() -> None:
    like = Condition(column="fullname", operator="not-like", values=("%" + "a" * 99,))
    text = Record(columns={"fullname": "a" * 1_000, "jobtitle": "b" * 1_000})
    asked = Group(conditions=(like,))
    assert taken(asked, text) == 2 * CONDITION + 100 * 1_000 // STEPS
    assert taken(asked, Record(columns={"fullname": None})) == 2 * CONDITION
    plain = Group(conditions=(replace(like, operator="eq"),))
    assert taken(plain, text) == 2 * CONDITION + 1_000 // STEPS
    two = Condition(column="fullname", operator="eq", compared_column="jobtitle")
    assert taken(Group(conditions=(two,)), text) == 2 * CONDITION + 2_000 // STEPS


def test_a_pattern_is_compared_with_the_longest_text_that_is_related() -> None:
    like = Condition(column="addressused", operator="like", values=("%" + "a" * 99,))
    record = with_parties(3, addressused="a" * 1_000)
    linked = Group(links=(link(Group(conditions=(like,))),))
    assert taken(linked, record) > 3 * 100 * 1_000 // STEPS
    joined = Group(
        conditions=(replace(like, link_alias="a"),),
        links=(link(None, type=LinkType.OUTER, alias="a"),),
    )
    assert taken(joined, record) > 3 * 100 * 1_000 // STEPS


@given(criteria(), st.integers(0, 20), st.integers(0, 20))
def test_more_of_a_record_never_takes_less(asked: Criteria, one: int, other: int) -> None:
    few, many = (with_parties(count, addressused="a" * count) for count in sorted([one, other]))
    assert taken(asked.group, few) <= taken(asked.group, many)
    assert taken(asked.group) <= taken(asked.group, few)
