from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import strategies  # noqa: F401 -- switches the deadline off
from filter_strategies import PEOPLE, criteria, of_column
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from domain.filters import conditions, matching
from domain.filters.catalogue import CATALOGUE, known_column
from domain.filters.conditions import window
from domain.filters.criteria import Condition, Criteria, Group, GroupOperator, Link, LinkType
from domain.filters.matching import Explanation, Matcher, TooManyCombinations
from domain.filters.patterns import pattern
from domain.filters.records import Record, Verdict
from domain.filters.values import choices, count, day, instant, moment
from domain.filters.viewpoint import Viewpoint
from domain.filters.windows import (
    COUNTED,
    FIXED,
    PLACED,
    Clock,
    FiscalCalendar,
    Periods,
    shifted,
)

ADA, BEN, CY, DI, ED = PEOPLE
NOW = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
VIEW = Viewpoint(user=ADA, clock=Clock(NOW), teams=frozenset({CY}))
OWN = Condition(column="ownerid", operator="eq-userid")
ACTIVE = Condition(column="statecode", operator="eq", values=("0",))


def asked(*conditions: Condition, table: str = "contact", **more: object) -> Criteria:
    return Criteria(table=table, group=Group(conditions=conditions, **more))  # type: ignore[arg-type]


def condition(column: str, operator: str, *values: str) -> Condition:
    return Condition(column=column, operator=operator, values=values)


def verdict(
    found: Criteria | Condition,
    viewpoint: Viewpoint = VIEW,
    related: dict[str, list[Record]] | None = None,
    **columns: str | None,
) -> Verdict:
    whole = asked(found) if isinstance(found, Condition) else found
    record = Record(columns=columns, related={} if related is None else related)
    return Matcher(whole, viewpoint).matches(record)


def explained(found: Criteria, **columns: str | None) -> Explanation:
    return Matcher(found, VIEW).explain(Record(columns=columns))


def test_own_and_active() -> None:
    both = asked(OWN, ACTIVE)
    assert verdict(both, ownerid=ADA, statecode="0") is True
    assert verdict(both, ownerid=f"{{{ADA.upper()}}}", statecode="false") is True
    assert verdict(both, ownerid=BEN, statecode="0") is False
    assert verdict(both, ownerid=None, statecode="0") is False
    assert verdict(both, ownerid=ADA) is None
    assert verdict(both, ownerid=BEN) is False


def test_what_was_left_out_stays_unknown_unless_the_rest_decides() -> None:
    either = asked(OWN, ACTIVE, operator=GroupOperator.OR)
    assert verdict(either, ownerid=ADA) is True
    assert verdict(either, ownerid=BEN) is None
    assert verdict(either, ownerid=BEN, statecode="1") is False
    assert verdict(asked()) is True
    assert verdict(asked(operator=GroupOperator.OR)) is True
    inner = asked(OWN, groups=(Group(operator=GroupOperator.OR, conditions=(ACTIVE,)),))
    assert verdict(inner, ownerid=ADA) is None


def test_the_reasons_are_told_with_their_places() -> None:
    tree = asked(
        OWN,
        groups=(Group(operator=GroupOperator.OR, conditions=(ACTIVE, condition("fax", "null"))),),
    )
    assert explained(tree, ownerid=ADA, statecode="0") == Explanation(verdict=True)
    assert explained(tree, ownerid=BEN, statecode="1", fax="1").failed == (
        "conditions[0]",
        "groups[0].conditions[0]",
        "groups[0].conditions[1]",
    )
    assert explained(tree, statecode="1").missing == ("ownerid", "fax")
    assert explained(tree, ownerid=BEN) == Explanation(verdict=False, failed=("conditions[0]",))
    assert explained(asked(), ownerid=None) == Explanation(verdict=True)


def test_what_is_not_known_of_the_user_is_told() -> None:
    reports = condition("parentcustomerid", "eq-useroruserhierarchy")
    assert verdict(reports, parentcustomerid=ADA) is True
    assert verdict(reports, parentcustomerid=BEN) is None
    assert explained(asked(reports), parentcustomerid=BEN).missing == ("the user's reports",)
    also = condition("parentcustomerid", "eq-useroruserhierarchyandteams")
    assert verdict(also, parentcustomerid=CY) is True
    assert verdict(also, replace(VIEW, reports=frozenset({BEN})), parentcustomerid=DI) is False
    assert verdict(reports, replace(VIEW, reports=frozenset({CY})), parentcustomerid=BEN) is False
    of_reports = replace(VIEW, reports=frozenset({BEN}), report_teams=frozenset({ED}))
    assert [verdict(also, of_reports, parentcustomerid=each) for each in (ADA, BEN, ED)] == [
        True, True, True,
    ]  # fmt: skip
    assert verdict(also, parentcustomerid=DI) is None
    mine = condition("owningbusinessunit", "eq-businessid")
    assert verdict(mine, replace(VIEW, business_unit=CY), owningbusinessunit=BEN) is False
    unit = condition("owningbusinessunit", "ne-businessid")
    assert verdict(unit, owningbusinessunit=BEN) is None
    assert verdict(unit, owningbusinessunit=None) is True
    assert explained(asked(unit), owningbusinessunit=BEN).missing == ("the user's business unit",)
    language = asked(condition("percentcomplete", "eq-userlanguage"), table="task")
    assert verdict(language, percentcomplete="1033") is None
    assert verdict(language, replace(VIEW, language=1033), percentcomplete="1033") is True
    assert verdict(language, percentcomplete=None) is False


def test_a_hierarchy_is_climbed_as_far_as_it_is_known() -> None:
    view = replace(VIEW, parents={ADA: BEN, BEN: CY, DI: ED, ED: DI, CY: None})
    for name, held, expected in (
        ("under", ADA, True),
        ("under", BEN, True),
        ("under", CY, False),
        ("eq-or-under", CY, True),
        ("not-under", ADA, False),
        ("not-under", CY, True),
        ("above", ADA, False),
        ("under", DI, False),
        ("under", None, False),
    ):
        found = condition("parentcustomerid", name, CY)
        assert verdict(found, view, parentcustomerid=held) is expected, (name, held)
    known = {key: above for key, above in view.parents.items() if key != BEN}
    assert verdict(condition("parentcustomerid", "under", CY), VIEW, parentcustomerid=ADA) is None
    partly = replace(VIEW, parents=known)
    assert verdict(condition("parentcustomerid", "under", BEN), partly, parentcustomerid=ADA)
    under = condition("parentcustomerid", "under", CY)
    assert verdict(under, partly, parentcustomerid=ADA) is None
    assert Matcher(asked(under), partly).explain(
        Record(columns={"parentcustomerid": ADA})
    ).missing == ("the hierarchy",)


def test_a_ring_in_a_hierarchy_ends_where_it_began() -> None:
    ring = replace(VIEW, parents={ADA: BEN, BEN: CY, CY: BEN})
    under = condition("ownerid", "under", DI)
    assert verdict(under, ring, ownerid=ADA) is False


def test_text_that_is_no_value_of_its_column_is_told_by_name() -> None:
    with pytest.raises(ValueError, match=r"contact\.createdon is a day or time, e\.g\..* not 'x'"):
        verdict(condition("createdon", "today"), createdon="x")
    with pytest.raises(ValueError, match=r"contact\.statecode is a choice's number"):
        verdict(ACTIVE, statecode="active")
    with pytest.raises(ValueError, match="commas between"):
        verdict(condition("statecode", "contain-values", "1"), statecode="1;2")


def test_a_value_is_read_as_it_is_meant() -> None:
    assert choices("True") == {"1"}
    assert choices("FALSE") == {"0"}
    assert choices("1,-02") == {"1", "-2"}
    with pytest.raises(ValueError, match=r"^choices' numbers with commas between$"):
        choices("1,")
    assert type(day("2026-03-01T23:00:00Z")) is date
    assert day("2026-03-01T23:00:00Z") == date(2026, 3, 1)


@pytest.mark.parametrize("text", ["20260301T0900", "2026-W09-1", "2026-02-30", "soon", ""])
def test_what_is_no_day_and_no_time_is_told_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a day or time") as told:
        moment(text)
    assert str(told.value) == "a day or time, e.g. 2026-03-01 or 2026-03-01T09:00:00Z"


@pytest.mark.parametrize("text", ["+5", " 5", "x", "", "0", "100001", "1.0"])
def test_what_counts_nothing_is_told_what_counts(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a whole number from 1 to 100000$"):
        count(text)
    assert (count("1"), count("100000"), count("007")) == (1, 100_000, 7)


def test_an_instant_is_in_utc() -> None:
    east = instant(datetime(2026, 3, 1, 9), ZoneInfo("Asia/Tokyo"))  # noqa: DTZ001 -- the zone's
    assert east == datetime(2026, 3, 1, 0, tzinfo=UTC)
    assert east.tzinfo is UTC


def test_the_first_and_the_last_year_have_all_their_days() -> None:
    for day_ in (date(1753, 6, 15), date(9998, 6, 15)):
        assert shifted(day_, 0) == day_
    assert shifted(date(1753, 6, 15), -12) == date(1753, 1, 1)
    assert shifted(date(9998, 6, 15), 12) == date(9998, 12, 31)


def test_a_value_is_read_as_its_column_also_where_it_is_denied() -> None:
    assert verdict(condition("statecode", "ne", "0"), statecode="false") is False
    assert verdict(condition("birthdate", "eq", "2026-03-03"), birthdate="2026-03-03T10:00:00Z")


def test_what_a_related_record_does_not_decide_is_not_asked_for() -> None:
    both = replace(PARTY, criteria=Group(conditions=(*OWNERS.conditions, PARTY_ME)))
    found = asked(table="task", links=(both,))
    unsure = Record(columns={"activityid": ADA, "partyid": ADA})
    settled = Record(columns={"activityid": ADA, "participationtypemask": "6"})
    record = Record(columns={"activityid": ADA}, related={"activityparty": [unsure, settled]})
    assert Matcher(found, VIEW).explain(record) == Explanation(
        verdict=None, missing=("activityparty.participationtypemask",)
    )


def test_a_value_is_read_as_its_column_wherever_it_is_asked() -> None:
    assert verdict(asked(groups=(Group(conditions=(ACTIVE,)),)), statecode="false") is True
    join = Link(
        table="account",
        from_column="accountid",
        to_column="parentcustomerid",
        type=LinkType.INNER,
        alias="a",
    )
    active = replace(ACTIVE, link_alias="a")
    account = Record(columns={"accountid": ADA, "statecode": "false"})
    for found in (
        asked(active, links=(join,)),
        asked(groups=(Group(conditions=(active,)),), links=(join,)),
    ):
        assert verdict(found, related={"account": [account]}, parentcustomerid=ADA) is True
    both = asked(active, ACTIVE, links=(join,))
    columns = {"parentcustomerid": ADA, "statecode": "false"}
    assert verdict(both, VIEW, {"account": [account]}, **columns) is True
    linked = replace(join, type=LinkType.ANY, alias=None, criteria=Group(conditions=(ACTIVE,)))
    any_ = asked(links=(linked,))
    assert verdict(any_, related={"account": [account]}, parentcustomerid=ADA) is True
    odd = Record(columns={"accountid": ADA, "statecode": "odd"})
    for found in (asked(active, links=(join,)), any_):
        with pytest.raises(ValueError, match=r"^account\.statecode is a choice's number"):
            verdict(found, related={"account": [odd]}, parentcustomerid=ADA)


def test_what_is_left_out_is_asked_for_before_what_is_not_known_of_the_user() -> None:
    reports = asked(condition("parentcustomerid", "eq-useroruserhierarchy"))
    assert explained(reports).missing == ("parentcustomerid",)


@pytest.mark.parametrize(
    ("operator", "value", "held"),
    [
        ("like", "A%a", {"Ada": True, "Adam": False, None: False}),
        ("begins-with", "Ad", {"Ada": True, "Bad": False}),
        ("ends-with", "da", {"Ada": True, "Adam": False}),
        ("not-begin-with", "Ad", {"Ada": False, "Bad": True, None: True}),
    ],
)
def test_text_is_like_a_pattern_or_not(
    operator: str, value: str, held: dict[str | None, bool]
) -> None:
    found = condition("fullname", operator, value)
    assert {text: verdict(found, fullname=text) for text in held} == held


def test_a_link_that_does_not_hold_is_told_with_its_place() -> None:
    found = asked(table="task", groups=(Group(links=(PARTY,)),))
    record = Record(columns={"activityid": ADA}, related={"activityparty": []})
    assert Matcher(found, VIEW).explain(record).failed == ("groups[0].links[0]",)


def test_both_ends_of_a_span_are_in_it() -> None:
    some = condition("numberofchildren", "between", "2", "4")
    assert [verdict(some, numberofchildren=str(number)) for number in range(1, 6)] == [
        False, True, True, True, False,
    ]  # fmt: skip


def test_a_fiscal_period_is_of_the_users_own_days() -> None:
    first = condition("createdon", "in-fiscal-period", "1")
    east = replace(VIEW, clock=Clock(NOW, ZoneInfo("Pacific/Kiritimati")))
    late = "2026-03-31T12:00:00Z"
    assert verdict(first, createdon=late) is True
    assert verdict(first, east, createdon=late) is False


def test_a_column_of_several_choices_contains_values() -> None:
    some = condition("customertypecode", "contain-values", "1", "3")
    assert verdict(some, customertypecode="2,3") is True
    assert verdict(some, customertypecode="2") is False
    none = condition("customertypecode", "not-contain-values", "1", "3")
    assert verdict(none, customertypecode="2,3") is False
    assert verdict(none, customertypecode=None) is True


def test_an_unverified_column_is_compared_as_text() -> None:
    assert verdict(condition("new_pet", "eq", "CAT"), new_pet="cat") is True
    assert verdict(condition("new_pet", "gt", "cat"), new_pet="dog") is True
    assert verdict(condition("new_seen", "today"), new_seen="2026-03-03T01:00:00Z") is True


OWNERS = Group(conditions=(condition("participationtypemask", "eq", "5"),))
PARTY_ME = condition("partyid", "eq-userid")
PARTY = Link(
    table="activityparty", from_column="activityid", to_column="activityid", criteria=OWNERS
)


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        ([], {"ANY": False, "NOT_ANY": True, "ALL": True, "NOT_ALL": False, "INNER": False}),
        (["5"], {"ANY": True, "NOT_ANY": False, "ALL": True, "NOT_ALL": False, "INNER": True}),
        (["6"], {"ANY": False, "NOT_ANY": True, "ALL": False, "NOT_ALL": True, "INNER": False}),
        (["5", "6"], {"ANY": True, "NOT_ANY": False, "ALL": False, "NOT_ALL": True}),
        (["5", ""], {"ANY": True, "NOT_ANY": False, "ALL": None, "NOT_ALL": None}),
        (["6", ""], {"ANY": None, "NOT_ANY": None, "ALL": False, "NOT_ALL": True}),
        ([""], {"ANY": None, "NOT_ANY": None, "ALL": None, "NOT_ALL": None, "OUTER": True}),
    ],
)
def test_links_ask_whether_related_records_exist(
    masks: list[str], expected: dict[str, Verdict]
) -> None:
    parties = [
        Record(
            columns={"activityid": ADA} | ({} if mask == "" else {"participationtypemask": mask})
        )
        for mask in masks
    ]
    stranger = Record(columns={"activityid": BEN, "participationtypemask": "5"})
    related = {"activityparty": [*parties, stranger]}
    for name, answer in expected.items():
        found = asked(table="task", links=(replace(PARTY, type=LinkType(name)),))
        assert verdict(found, related=related, activityid=ADA) is answer, name
        if name != "OUTER":
            assert verdict(found, activityid=ADA) is None
            assert verdict(found, related=related) is None


def test_a_link_without_a_place_to_go_leads_nowhere() -> None:
    found = asked(table="task", links=(PARTY,))
    related = {"activityparty": [Record(columns={"activityid": None})]}
    assert verdict(found, related=related, activityid=None) is False
    assert verdict(found, related=related, activityid=ADA) is False
    lost = {"activityparty": [Record(columns={"participationtypemask": "5"})]}
    assert verdict(found, related=lost, activityid=ADA) is None
    plain = asked(table="task", links=(replace(PARTY, criteria=None),))
    there = {"activityparty": [Record(columns={"activityid": ADA.upper()})]}
    assert verdict(plain, related=there, activityid=ADA) is True
    told = Matcher(found, VIEW).explain(Record(columns={"activityid": ADA}))
    assert told.missing == ("activityparty",)


def test_what_would_tell_of_a_link_is_named_one_by_one() -> None:
    def missing(criteria: Criteria, related: Record | None = None, **columns: str) -> list[str]:
        parties = {} if related is None else {"activityparty": [related]}
        told = Matcher(criteria, VIEW).explain(Record(columns=columns, related=parties))
        return [*told.missing]

    found = asked(table="task", links=(PARTY,))
    plain = asked(table="task", links=(replace(PARTY, criteria=None),))
    nobody, lost = Record(columns={}), Record(columns={"partyid": ADA})
    assert missing(found) == ["activityid", "activityparty"]
    assert missing(found, nobody) == ["activityid"]
    assert missing(plain, nobody, activityid=ADA) == ["activityparty.activityid"]
    assert missing(plain, lost, activityid=ADA) == ["activityparty.activityid"]
    assert missing(found, Record(columns={"activityid": ADA}), activityid=ADA) != []
    assert missing(found, nobody, activityid=ADA)[0] == "activityparty.activityid"


NAMED = Condition(column="partyid", operator="null", link_alias="party")
OUTER = replace(PARTY, type=LinkType.OUTER, alias="party", criteria=None)


def test_a_condition_asks_a_column_of_a_joined_table() -> None:
    without = asked(NAMED, table="task", links=(OUTER,))
    party = Record(columns={"activityid": ADA, "partyid": BEN})
    vague = Record(columns={"activityid": ADA})
    assert verdict(without, related={"activityparty": []}, activityid=ADA) is True
    assert verdict(without, related={"activityparty": [party]}, activityid=ADA) is False
    assert verdict(without, related={"activityparty": [party, vague]}, activityid=ADA) is None
    assert verdict(without, activityid=ADA) is None
    inner = asked(NAMED, table="task", links=(replace(OUTER, type=LinkType.INNER),))
    assert verdict(inner, related={"activityparty": []}, activityid=ADA) is False
    both = asked(
        Condition(
            column="partyid", operator="eq", compared_column="activityid", link_alias="party"
        ),
        table="task",
        links=(OUTER,),
    )
    own = Record(columns={"activityid": ADA, "partyid": ADA})
    assert verdict(both, related={"activityparty": [party, own]}, activityid=ADA) is True
    assert verdict(both, related={"activityparty": []}, activityid=ADA) is False
    unsure = Record(columns={"partyid": None})
    assert verdict(without, related={"activityparty": [unsure]}, activityid=ADA) is None


def test_a_joined_column_is_read_as_its_own_table_has_it() -> None:
    owner = replace(*OWNERS.conditions, link_alias="party")
    party = Record(columns={"activityid": ADA, "participationtypemask": "05"})
    for group in (Group(conditions=(owner,)), Group(groups=(Group(conditions=(owner,)),))):
        found = Criteria(table="task", group=replace(group, links=(OUTER,)))
        assert verdict(found, related={"activityparty": [party]}, activityid=ADA) is True


def test_a_join_leads_only_to_what_fits_its_own_criteria() -> None:
    owners = replace(OUTER, criteria=PARTY.criteria)
    without = asked(NAMED, table="task", links=(owners,))
    owner, other = (
        Record(columns={"activityid": ADA, "partyid": BEN, "participationtypemask": mask})
        for mask in ("5", "6")
    )
    assert verdict(without, related={"activityparty": [owner]}, activityid=ADA) is False
    assert verdict(without, related={"activityparty": [other]}, activityid=ADA) is True


def test_what_is_missing_of_a_joined_table_is_told() -> None:
    found = asked(NAMED, OWN, table="task", links=(OUTER,))
    vague, clear = (Record(columns={"activityid": ADA, **more}) for more in ({}, {"partyid": None}))

    def explained(*parties: Record, **columns: str) -> Explanation:
        record = Record(columns=columns, related={"activityparty": parties})
        return Matcher(found, VIEW).explain(record)

    assert explained(vague, activityid=ADA, ownerid=ADA).missing == ("party.partyid",)
    assert explained(clear, activityid=ADA).missing == ("ownerid",)
    assert explained(clear, ownerid=ADA).missing == ("activityparty", "party.partyid")
    assert explained(clear, activityid=ADA, ownerid=BEN).failed == ("criteria",)
    assert Matcher(found, VIEW).explain(Record(columns={"ownerid": ADA})).missing[0] == (
        "activityparty"
    )


def test_text_that_cannot_be_compared_is_told_by_name() -> None:
    later = Condition(column="modifiedon", operator="gt", compared_column="createdon")
    with pytest.raises(ValueError, match=r"contact\.modifiedon and createdon are each a day"):
        verdict(later, modifiedon="soon", createdon="2026-03-03")


def test_a_joined_table_may_be_named_in_an_inner_group() -> None:
    inner = Group(operator=GroupOperator.OR, conditions=(NAMED, ACTIVE))
    found = asked(table="task", groups=(inner,), links=(OUTER,))
    party = Record(columns={"activityid": ADA, "partyid": BEN})
    related = {"activityparty": [party]}
    assert verdict(found, related=related, activityid=ADA, statecode="0") is True
    assert verdict(found, related=related, activityid=ADA, statecode="1") is False


def test_only_so_many_combinations_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST_COMBINATIONS", 3)
    other = replace(OUTER, alias="other")
    found = asked(NAMED, replace(NAMED, link_alias="other"), table="task", links=(OUTER, other))
    parties = [Record(columns={"activityid": ADA, "partyid": BEN})] * 2
    with pytest.raises(TooManyCombinations, match="more than 3 combinations"):
        verdict(found, related={"activityparty": parties}, activityid=ADA)


def test_just_as_many_combinations_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST_COMBINATIONS", 2)
    found = asked(NAMED, table="task", links=(OUTER,))
    parties = [Record(columns={"activityid": ADA, "partyid": BEN})] * 2
    assert verdict(found, related={"activityparty": parties}, activityid=ADA) is False


def test_an_old_name_compares_columns_as_todays_does() -> None:
    other = Condition(column="firstname", operator="neq", compared_column="lastname")
    assert verdict(other, firstname="Ada", lastname="Lovelace") is True
    assert verdict(other, firstname="Ada", lastname="ADA") is False


def test_related_records_lead_on_to_their_own_or_else_to_those_of_the_first() -> None:
    inner = Link(
        table="account",
        from_column="accountid",
        to_column="partyid",
        criteria=Group(conditions=(condition("name", "eq", "Contoso"),)),
    )
    found = asked(table="task", links=(replace(PARTY, criteria=Group(links=(inner,))),))
    contoso, fabrikam = (
        Record(columns={"accountid": f"{{{BEN}}}", "name": name}) for name in ("Contoso", "Other")
    )
    party = Record(columns={"activityid": ADA, "partyid": BEN})
    own = replace(party, related={"account": [fabrikam]})
    related = {"activityparty": [party], "account": [contoso]}
    assert verdict(found, related=related, activityid=ADA) is True
    related = {"activityparty": [own], "account": [contoso]}
    assert verdict(found, related=related, activityid=ADA) is False
    related = {"activityparty": [replace(own, related={"account": [contoso]})]}
    assert verdict(found, related=related, activityid=ADA) is True


def test_columns_are_compared_with_each_other() -> None:
    later = Condition(column="modifiedon", operator="gt", compared_column="createdon")
    assert verdict(later, modifiedon="2026-03-03T10:00Z", createdon="2026-03-03T10:30+01:00")
    assert verdict(later, modifiedon=None, createdon="2026-03-03") is False
    other = Condition(column="firstname", operator="ne", compared_column="lastname")
    assert verdict(other, firstname="Ada", lastname="ADA") is False
    assert verdict(other, firstname="Ada", lastname=None) is True
    assert verdict(other, firstname="Ada") is None
    assert explained(asked(other), firstname="Ada").missing == ("lastname",)


@given(st.data(), criteria())
def test_what_is_known_of_a_part_of_a_record_holds_for_the_whole(
    data: DataObject, found: Criteria
) -> None:
    known = [each for each in CATALOGUE[found.table].columns.values() if each.operators]
    whole = {each.name: data.draw(st.none() | of_column(each)) for each in known}
    kept = data.draw(st.sets(st.sampled_from([*whole])))
    party = Record(columns={"activityid": ADA, "partyid": BEN, "participationtypemask": "5"})
    matcher = Matcher(found, VIEW)
    related = {"activityparty": [party]}
    part = matcher.matches(Record(columns={name: whole[name] for name in kept}))
    if part is not None:
        assert matcher.matches(Record(columns=whole, related=related)) is part
    told = matcher.explain(Record(columns=whole, related=related))
    assert bool(told.failed) is (told.verdict is False)
    assert bool(told.missing) is (told.verdict is None)


@pytest.mark.parametrize(
    ("wild", "text", "matches"),
    [
        ("%son", "Anderson", True),
        ("a_a", "Ada", True),
        ("A[d-f]a", "ada", True),
        ("A[^d-f]a", "ada", False),
        ("50[%]", "50%", True),
        ("50[%]", "50x", False),
        ("%a%b%c%", "xxaxxbxxcxx", True),
        ("%a%b%c%", "xxcxxbxxaxx", False),
        ("a%a", "a", False),
        ("[z-a]", "b", False),
        ("[", "[", True),
        ("[]", "[]", True),
        ("[^]", "^", True),
        ("a[b--z]", "a-", True),
        ("line%two", "line\none\ntwo", True),
        ("", "", True),
        ("%", "", True),
        (".*", "xx", False),
        ("[a&&b|~]", "&", True),
        ("[&&]", "X", False),
        ("[\\]", "\\", True),
        ("[+--]", "-", True),
        ("[+--]", "X", False),
        ("a[^b]c", "adc", True),
        ("a[^b]c", "abc", False),
        ("a\nb", "a\nb", True),
    ],
)
def test_wildcards_are_those_of_the_product(wild: str, text: str, *, matches: bool) -> None:
    assert (pattern(wild).fullmatch(text) is not None) is matches


def test_no_pattern_takes_long() -> None:
    assert pattern("%a" * 300 + "%b").fullmatch("a" * 20_000) is None


FISCAL = FiscalCalendar(month=4, day=6, periods=Periods.MONTHLY, named_by_end=True)


@pytest.mark.parametrize(
    ("calendar", "day", "place"),
    [
        (FiscalCalendar(), "2026-03-31", (2026, 1)),
        (FiscalCalendar(), "2026-04-01", (2026, 2)),
        (FISCAL, "2026-04-05", (2026, 12)),
        (FISCAL, "2026-04-06", (2027, 1)),
        (FiscalCalendar(month=7, periods=Periods.SEMIANNUALLY), "2026-06-30", (2025, 2)),
        (FiscalCalendar(periods=Periods.ANNUALLY), "2026-12-31", (2026, 1)),
        (FiscalCalendar(periods=Periods.FOUR_WEEKLY), "2026-01-28", (2026, 1)),
        (FiscalCalendar(periods=Periods.FOUR_WEEKLY), "2026-01-29", (2026, 2)),
        (FiscalCalendar(periods=Periods.FOUR_WEEKLY), "2026-12-31", (2026, 13)),
        (FiscalCalendar(month=2, day=29), "2026-02-28", (2026, 1)),
    ],
)
def test_a_day_has_its_place_in_a_fiscal_calendar(
    calendar: FiscalCalendar, day: str, place: tuple[int, int]
) -> None:
    found = datetime.fromisoformat(day).date()
    assert calendar.place(found) == place
    assert calendar.start(*place) <= found < calendar.start(place[0], place[1] + 1)


@pytest.mark.parametrize(
    ("operator", "values", "held", "matches"),
    [
        ("today", (), "2026-03-02T23:59:59-05:00", False),
        ("today", (), "2026-03-03T00:00:00-05:00", True),
        ("today", (), "2026-03-03T23:59:59.999999-05:00", True),
        ("today", (), "2026-03-04T00:00:00-05:00", False),
        ("this-week", (), "2026-03-01T00:00:00-05:00", True),
        ("this-week", (), "2026-02-28T23:59:59-05:00", False),
        ("last-x-days", ("3",), "2026-02-28T00:00:00-05:00", True),
        ("last-x-days", ("3",), "2026-02-27T23:59:59-05:00", False),
        ("last-x-days", ("3",), "2026-03-03T09:30:00Z", True),
        ("last-x-days", ("3",), "2026-03-03T09:30:01Z", False),
        ("next-x-months", ("1",), "2026-04-03T23:59:59-04:00", True),
        ("next-x-months", ("1",), "2026-04-04T00:00:00-04:00", False),
        ("olderthan-x-years", ("1",), "2025-03-02T23:59:59-05:00", True),
        ("olderthan-x-years", ("1",), "2025-03-03T00:00:00-05:00", False),
        ("olderthan-x-minutes", ("30",), "2026-03-03T09:00:00Z", False),
        ("on", ("2026-03-08",), "2026-03-09T03:30:00Z", True),
        ("eq", ("2026-03-08",), "2026-03-08T05:00:00Z", True),
        ("last-x-years", ("100000",), "1753-01-02T00:00:00Z", True),
        ("next-x-days", ("100000",), "2299-12-12", True),
        ("last-x-weeks", ("100000",), "1753-01-02T00:00:00Z", True),
        ("next-x-weeks", ("100000",), "3942-01-01", True),
        ("next-x-years", ("100000",), "9998-12-01", True),
    ],
)
def test_windows_begin_and_end_in_the_users_own_days(
    operator: str, values: tuple[str, ...], held: str, *, matches: bool
) -> None:
    view = replace(VIEW, clock=Clock(NOW, ZoneInfo("America/New_York")))
    assert verdict(condition("createdon", operator, *values), view, createdon=held) is matches


def test_fiscal_windows_follow_the_calendar_of_the_organization() -> None:
    view = replace(VIEW, clock=Clock(NOW, fiscal=FISCAL))
    for operator, values, held, matches in (
        ("this-fiscal-year", (), "2025-04-06", True),
        ("this-fiscal-year", (), "2026-04-06", False),
        ("in-fiscal-year", ("2026",), "2025-04-05", False),
        ("in-fiscal-year", ("2026",), "2025-04-06", True),
        ("in-fiscal-year", ("2026",), "2026-04-05", True),
        ("in-fiscal-year", ("2026",), "2026-04-06", False),
        ("in-fiscal-period", ("11",), "2026-03-03", True),
        ("in-fiscal-period", ("11",), None, False),
        ("last-x-fiscal-periods", ("2",), "2025-12-06", True),
        ("last-x-fiscal-periods", ("2",), "2025-12-05", False),
        ("last-x-fiscal-periods", ("1",), "2026-02-05", True),
        ("in-or-after-fiscal-period-and-year", ("1", "2027"), "2026-04-06", True),
        ("in-or-before-fiscal-period-and-year", ("12", "2026"), "2026-04-06", False),
    ):
        found = condition("birthdate", operator, *values)
        assert verdict(found, view, birthdate=held) is matches, (operator, held)


WINDOWS = """
yesterday: 2026-03-02 to 2026-03-03
today: 2026-03-03 to 2026-03-04
tomorrow: 2026-03-04 to 2026-03-05
last-seven-days: 2026-02-25 to 2026-03-04
next-seven-days: 2026-03-04 to 2026-03-11
last-week: 2026-02-22 to 2026-03-01
this-week: 2026-03-01 to 2026-03-08
next-week: 2026-03-08 to 2026-03-15
last-month: 2026-02-01 to 2026-03-01
this-month: 2026-03-01 to 2026-04-01
next-month: 2026-04-01 to 2026-05-01
last-year: 2025-01-01 to 2026-01-01
this-year: 2026-01-01 to 2027-01-01
next-year: 2027-01-01 to 2028-01-01
last-fiscal-period: 2025-10-06 to 2026-01-06
this-fiscal-period: 2026-01-06 to 2026-04-06
next-fiscal-period: 2026-04-06 to 2026-07-06
last-fiscal-year: 2024-04-06 to 2025-04-06
this-fiscal-year: 2025-04-06 to 2026-04-06
next-fiscal-year: 2026-04-06 to 2027-04-06
last-x-hours 3: 2026-03-03T06:30:00 to 2026-03-03T09:30:00.000001
last-x-days 3: 2026-02-28 to 2026-03-03T09:30:00.000001
last-x-weeks 3: 2026-02-10 to 2026-03-03T09:30:00.000001
last-x-months 3: 2025-12-03 to 2026-03-03T09:30:00.000001
last-x-years 3: 2023-03-03 to 2026-03-03T09:30:00.000001
next-x-hours 3: 2026-03-03T09:30:00 to 2026-03-03T12:30:00.000001
next-x-days 3: 2026-03-03T09:30:00 to 2026-03-07
next-x-weeks 3: 2026-03-03T09:30:00 to 2026-03-25
next-x-months 3: 2026-03-03T09:30:00 to 2026-06-04
next-x-years 3: 2026-03-03T09:30:00 to 2029-03-04
olderthan-x-minutes 3: to 2026-03-03T09:27:00
olderthan-x-hours 3: to 2026-03-03T06:30:00
olderthan-x-days 3: to 2026-02-28
olderthan-x-weeks 3: to 2026-02-10
olderthan-x-months 3: to 2025-12-03
olderthan-x-years 3: to 2023-03-03
last-x-fiscal-periods 3: 2025-04-06 to 2026-01-06
next-x-fiscal-periods 3: 2026-04-06 to 2027-01-06
last-x-fiscal-years 3: 2022-04-06 to 2025-04-06
next-x-fiscal-years 3: 2026-04-06 to 2029-04-06
in-fiscal-year 2026: 2025-04-06 to 2026-04-06
in-fiscal-period-and-year 2 2026: 2025-07-06 to 2025-10-06
in-or-before-fiscal-period-and-year 2 2026: to 2025-10-06
in-or-after-fiscal-period-and-year 2 2026: 2025-07-06 to
on 2026-03-01: 2026-03-01 to 2026-03-02
on-or-after 2026-03-01: 2026-03-01 to
on-or-before 2026-03-01: to 2026-03-02
"""
"""From the first day or instant to before the last."""


@pytest.mark.parametrize("line", WINDOWS.strip().splitlines())
def test_every_relative_date_begins_and_ends_where_it_says(line: str) -> None:
    asked_, _, edges = line.partition(": ")
    operator, *values = asked_.split()
    calendar = FiscalCalendar(4, 6, Periods.QUARTERLY, named_by_end=True)
    found = window(operator, tuple(values), Clock(NOW, fiscal=calendar))
    assert found is not None
    assert f"{edge(found.start)} to {edge(found.end)}".strip() == edges


def edge(of: date | datetime | None) -> str:
    return "" if of is None else of.isoformat().replace("+00:00", "")


def test_no_relative_date_is_left_out() -> None:
    named = {line.partition(": ")[0].split()[0] for line in WINDOWS.strip().splitlines()}
    assert named >= {*FIXED, *COUNTED, *PLACED}


def test_a_week_begins_on_its_sunday_also_on_a_sunday() -> None:
    sunday = Clock(datetime(2026, 3, 1, 9, tzinfo=UTC))
    assert window("this-week", (), sunday) == (date(2026, 3, 1), date(2026, 3, 8))


def test_a_month_that_is_too_short_ends_earlier() -> None:
    assert shifted(datetime(2026, 3, 31, tzinfo=UTC).date(), -1).isoformat() == "2026-02-28"


def test_nothing_is_in_no_window() -> None:
    for found in (condition("birthdate", "today"), condition("createdon", "today")):
        columns = {found.column: None}
        assert Matcher(asked(found), VIEW).matches(Record(columns=columns)) is False


def test_a_day_without_time_is_of_the_zone_that_a_window_begins_in() -> None:
    west = replace(VIEW, clock=Clock(datetime(2026, 3, 3, 4, tzinfo=UTC), ZoneInfo("Etc/GMT+5")))
    soon = condition("birthdate", "next-x-days", "1")
    assert verdict(soon, west, birthdate="2026-03-02") is True
    assert verdict(soon, west, birthdate="2026-03-01") is False
    recently = condition("birthdate", "last-x-days", "1")
    assert verdict(recently, west, birthdate="2026-03-02") is True
    assert verdict(recently, west, birthdate="2026-03-03") is False


def test_the_last_instant_of_a_day_is_of_that_day() -> None:
    late = replace(VIEW, clock=Clock(datetime(2026, 3, 3, 23, 59, 59, 999_999, tzinfo=UTC)))
    recently = condition("birthdate", "last-x-days", "1")
    assert verdict(recently, late, birthdate="2026-03-03") is True
    assert verdict(recently, late, birthdate="2026-03-04") is False


def test_a_day_is_in_a_window_that_touches_it() -> None:
    for operator, held, matches in (
        ("next-x-days", "2026-03-02", False),
        ("last-x-days", "2026-02-28", True),
        ("last-x-days", "2026-02-27", False),
        ("last-x-days", "2026-03-03", True),
        ("last-x-days", "2026-03-04", False),
        ("next-x-days", "2026-03-03", True),
        ("next-x-days", "2026-03-06", True),
        ("next-x-days", "2026-03-07", False),
    ):
        assert verdict(condition("birthdate", operator, "3"), birthdate=held) is matches, held


def test_the_plain_operators() -> None:
    some = replace(VIEW, business_unit=BEN)
    cases: tuple[tuple[Condition, str, str | None, bool], ...] = (
        (condition("createdon", "ge", "2026-03-03"), "createdon", "2026-03-03", True),
        (condition("createdon", "between", "2026-03-01", "2026-03-04"), "createdon", None, False),
        (
            condition("createdon", "between", "2026-03-01", "2026-03-04"),
            "createdon",
            "2026-03-03",
            True,
        ),
        (condition("fax", "not-between", "a", "c"), "fax", "b", False),
        (condition("fax", "lt", "b"), "fax", "A", True),
        (condition("statecode", "in", "0", "1"), "statecode", "1", True),
        (condition("owningbusinessunit", "eq-businessid"), "owningbusinessunit", BEN, True),
        (condition("ownerid", "eq-userteams"), "ownerid", CY, True),
        (condition("ownerid", "eq-useroruserteams"), "ownerid", ADA, True),
    )
    for found, column, held, matches in cases:
        matcher = Matcher(asked(found), some)
        assert matcher.matches(Record(columns={column: held})) is matches, found


def test_only_so_many_verdicts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "MOST_REMEMBERED", 2)
    asked = Condition(column="statecode", operator="eq", values=("0",))
    column = known_column("contact", "statecode")
    found = conditions.test(asked, column, VIEW)
    for _ in range(2):
        assert [found(text) for text in ("0", "1", "2", "false", None)] == [
            True,
            False,
            False,
            True,
            False,
        ]
