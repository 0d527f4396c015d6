"""What a sync worker does with an item, case by case (tests/sync_cases.py)."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from deciding import (
    ALL_THREE,
    APPOINTMENT,
    ATTACHMENTS_ON,
    BOOKING,
    BOOKINGS_ON,
    CONTACT,
    KEPT,
    MINE,
    NOW,
    OPEN,
    OPTED,
    TASK,
    TASKS_ON,
    TODAY,
    UNTOLD,
    USER,
    VERDICTS,
    booking,
    decided,
    given_out,
    item,
    mine,
    others,
    owning,
    system,
    template,
    under,
)
from sync_cases import CASES, FIELD_CASES, USUAL, Case, FieldCase

from domain.environment import Event
from domain.filters.criteria import Condition, Group, Link
from domain.filters.effort import effort, sizes
from domain.filters.records import Record
from domain.finding import MOST_TOLD, listed
from domain.rule_book import RULES, Confidence, Reason
from domain.switches import (
    APPOINTMENT_ATTACHMENTS,
    ASSIGNED_TASKS,
    MAILING_ADDRESSES,
    RESOURCE_BOOKINGS,
)
from domain.sync_items import BECOME_TASKS, Assignment, Item, SyncItemType
from domain.sync_rules import YEARS, Decision, SyncRules

WORDS = {verdict: word for word, verdict in VERDICTS.items()}


def answers(decision: Decision) -> str:
    found = decision.to_exchange, decision.to_crm, decision.attachments
    return " ".join(WORDS[each] for each in found)


def names(reasons: Iterable[Reason]) -> list[str]:
    return [each.rule.name for each in reasons]


def messages(decision: Decision, rule: str) -> list[str]:
    return [each.message for each in decision.reasons if each.rule.name == rule]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cites)
def test_every_case_is_decided_by_its_line(case: Case) -> None:
    decision = case.decision
    assert answers(decision) == case.answers
    assert decision.matched == tuple(case.matched.split())
    assert decision.missing == tuple(case.missing.split())
    named = dict.fromkeys(names(decision.reasons))
    wanted = case.rules.split()
    assert [each for each in named if each in wanted or each not in USUAL] == wanted


def test_every_kind_of_item_is_decided_both_ways_by_some_case() -> None:
    for kind in SyncItemType:
        found = {case.answers.split()[0] for case in CASES if case.item.type is kind}
        assert found == {"YES", "NO", "UNKNOWN"}, kind


SWITCHES: dict[str, Event] = {
    APPOINTMENT_ATTACHMENTS: ATTACHMENTS_ON,
    ASSIGNED_TASKS: TASKS_ON,
    RESOURCE_BOOKINGS: BOOKINGS_ON,
    MAILING_ADDRESSES: ALL_THREE,
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cites)
def test_a_switch_has_no_say_where_no_reason_names_it(case: Case) -> None:
    read = {setting for each in case.decision.reasons for setting in each.settings}
    for setting, on in SWITCHES.items():
        if setting not in read:
            other = decided(case.item, *case.settings, on, user=case.user)
            assert other._replace(fields=()) == case.decision._replace(fields=()), setting


def test_every_rule_is_met_and_every_reason_is_one_of_them() -> None:
    met = [each for case in CASES for each in case.decision.reasons]
    met += [each for case in CASES for field in case.decision.fields for each in field.reasons]
    met += [each for case in FIELD_CASES for each in case.decided.reasons]
    assert all(each.rule is RULES[each.rule.name] for each in met)
    assert {each.rule.name for each in met} == RULES.keys()


def test_where_the_sources_disagree_the_reason_says_which_is_followed() -> None:
    disputed = {rule for rule in RULES.values() if rule.confidence is Confidence.CONFLICT}
    assert {rule for rule in RULES.values() if rule.reading} == disputed
    assert len(disputed) == 4
    for case in CASES:
        for reason in case.decision.reasons:
            assert reason.message.endswith(reason.rule.reading)
            assert reason.message != reason.rule.reading


@pytest.mark.parametrize("case", [*CASES, *FIELD_CASES], ids=lambda case: case.cites)
def test_every_case_has_its_line(case: Case | FieldCase) -> None:
    assert re.match(r"[0-4](\.\d+)?( and \d\.\d)?, \S", case.cites)


def test_reasons_come_in_the_order_of_the_rules_each_once() -> None:
    order = [*RULES]
    for case in CASES:
        reasons = case.decision.reasons
        places = [order.index(each.rule.name) for each in reasons]
        assert places == sorted(places)
        assert len(set(reasons)) == len(reasons)


def test_a_reason_names_the_settings_that_it_read() -> None:
    copied = template("copied")
    found = decided(mine(CONTACT), system("one"), copied, given_out(copied), user=UNTOLD)
    assert {each.rule.name: each.settings for each in found.reasons} == {
        "OWN_FILTERS_FROM_TEMPLATES": ("defaultTemplate:ONLINE:contact",),
        "FILTERS": ("filter:one", "defaultTemplate:ONLINE:contact", "filter:copied"),
        "TRACKED_ITEMS": (),
        "ATTACHMENTS_TRAVEL_ALONG": (),
    }
    assert settings_of(decided(others(CONTACT), system("one"), system("two"))) == {
        "filter:one",
        "filter:two",
    }
    assert settings_of(decided(others(CONTACT), system("one"), system("two", group=OPEN))) == {
        "filter:two"
    }
    told = item(TASK, assignment=KEPT)
    assert settings_of(decided(told)) == {ASSIGNED_TASKS}
    assert settings_of(decided(told, TASKS_ON)) == {ASSIGNED_TASKS}
    assert settings_of(decided(TODAY)) == {RESOURCE_BOOKINGS}
    filed = item(APPOINTMENT, attached=True)
    assert settings_of(decided(filed)) == {APPOINTMENT_ATTACHMENTS}
    assert settings_of(decided(filed, ATTACHMENTS_ON)) == {APPOINTMENT_ATTACHMENTS}


def settings_of(decision: Decision) -> set[str]:
    return {setting for each in decision.reasons for setting in each.settings}


def test_a_linked_record_that_no_filter_chooses_is_deleted_logically_and_that_is_told() -> None:
    gone = " It is linked, so for the mailbox it counts as deleted, though only logically."
    linked = others(CONTACT, linked=True)
    assert messages(decided(linked, system("one")), "FILTERS") == [
        f"The only active filter does not choose it.{gone}"
    ]
    assert messages(decided(linked), "NO_ACTIVE_FILTER") == [
        f"No filter of contact is active for the user.{gone}"
    ]
    assert messages(decided(others(CONTACT)), "NO_ACTIVE_FILTER") == [
        "No filter of contact is active for the user."
    ]


def test_filters_are_told_by_what_they_are() -> None:
    copied = template("copied")
    whole = system("one"), copied, given_out(copied)
    assert messages(decided(mine(CONTACT), *whole, user=UNTOLD), "FILTERS") == [
        "Chosen by the system filter “ONE”, the user's copy of the template “COPIED”."
    ]
    assert messages(decided(mine(CONTACT), *whole, user=UNTOLD), "OWN_FILTERS_FROM_TEMPLATES") == [
        "The user's own filters are not told; new users are given “COPIED”."
    ]
    assert messages(decided(mine(CONTACT), user=UNTOLD), "OWN_FILTERS_FROM_TEMPLATES") == [
        "The user's own filters are not told; new users are given no template."
    ]
    assert messages(decided(mine(CONTACT), user=owning(MINE)), "FILTERS") == [
        "Chosen by the user's own filter ownFilters[0]."
    ]


def test_of_many_filters_the_first_few_are_told_and_all_are_matched() -> None:
    many = [system(f"k{number}") for number in range(MOST_TOLD + 2)]
    found = decided(mine(CONTACT), *many)
    assert found.matched == tuple(each.filter_key for each in many)
    (message,) = messages(found, "FILTERS")
    assert message.endswith("“K3”, the system filter “K4” and 2 more.")
    few = decided(mine(CONTACT), *many[:MOST_TOLD])
    assert messages(few, "FILTERS")[0].endswith("“K3”, the system filter “K4”.")
    assert listed("abcdef") == "a, b, c, d, e and 1 more"


def test_what_is_missing_is_told_by_name() -> None:
    vague = item(CONTACT)
    both = decided(vague, system("one"), system("two", group=OPEN))
    assert messages(both, "FILTERS") == [
        "Whether a filter chooses it depends on ownerid, statecode."
    ]
    assert messages(decided(item(BOOKING), BOOKINGS_ON, user=OPTED), "BOOKING_WINDOW") == [
        "Whether it touches 2026-03-03 through 2026-03-31 depends on starttime, endtime."
    ]


def test_what_stops_an_assigned_task_is_told_whole() -> None:
    broken = replace(KEPT, recurring=True, recipients=3, tracked_offline=None)
    found = decided(item(TASK, assignment=broken), TASKS_ON)
    assert messages(found, "ASSIGNED_TASK_LIMITS") == [
        "It recurs. It goes to 3 people, not to one. " + RULES["ASSIGNED_TASK_LIMITS"].reading
    ]
    assert found.missing == ()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (item(APPOINTMENT, linked=True, statecode="open"), "appointment.statecode is a choice's"),
        (item(CONTACT, ownerid="me"), "contact.ownerid is a UUID, not 'me'."),
        (booking("soon", None), "bookableresourcebooking.starttime is a day or time"),
        (booking(None, "late"), "bookableresourcebooking.endtime is a day or time"),
    ],
)
def test_text_that_is_no_value_of_its_column_is_an_error_with_its_name(
    wrong: Item, told: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        decided(wrong, system("one", wrong.type) if wrong.type is not BOOKING else BOOKINGS_ON)


@pytest.mark.parametrize("kind", sorted(set(SyncItemType) - BECOME_TASKS))
def test_only_what_becomes_a_task_can_be_assigned(kind: SyncItemType) -> None:
    with pytest.raises(ValueError, match=f"Only FAX, LETTER, PHONE_CALL, TASK can .* not {kind}"):
        item(kind, assignment=KEPT)


@pytest.mark.parametrize("year", [1, YEARS[0] - 1, YEARS[-1] + 1, 9999])
def test_a_time_that_nobody_means_is_an_error(year: int) -> None:
    with pytest.raises(ValueError, match=f"of the years 1800 to 8999, not of {year}"):
        SyncRules(under(), USER, datetime(year, 6, 1, tzinfo=UTC))


def test_how_long_an_item_may_take_is_known_from_the_active_filters_of_its_table() -> None:
    copied = template("copied")
    two = under(system("one"), copied, given_out(copied))
    one = SyncRules(two, USER, NOW).effort(mine(CONTACT))
    assert one == effort(MINE).of(mine(CONTACT).record, {})
    assert SyncRules(two, UNTOLD, NOW).effort(mine(CONTACT)) == 2 * one
    assert SyncRules(two, owning(MINE, MINE), NOW).effort(mine(CONTACT)) == 3 * one
    assert SyncRules(two, owning(MINE, MINE), NOW).effort(mine(TASK)) == 0


def test_a_booking_without_a_zone_is_of_the_users_own() -> None:
    late = booking("2026-03-31T23:00", "2026-03-31T23:30")
    east = replace(OPTED, zone=ZoneInfo("Pacific/Kiritimati"))
    west = replace(OPTED, zone=ZoneInfo("Etc/GMT+12"))
    first = booking("2026-03-02T20:00", "2026-03-02T23:00")
    assert decided(late, BOOKINGS_ON, user=east).to_exchange is True
    assert decided(first, BOOKINGS_ON, user=west).to_exchange is True
    assert decided(first, BOOKINGS_ON, user=east).to_exchange is False


@pytest.mark.parametrize(
    ("operator", "column", "value"),
    [
        ("eq-userteams", "ownerid", "7ea00000-0000-4000-8000-000000000000"),
        ("eq-businessid", "owningbusinessunit", "b0500000-0000-4000-8000-000000000000"),
        ("eq-userlanguage", "preferredcontactmethodcode", "1033"),
    ],
)
def test_filters_ask_of_the_user_what_is_known_of_them(
    operator: str, column: str, value: str
) -> None:
    asked = Group(conditions=(Condition(column=column, operator=operator),))
    known = replace(
        owning(asked),
        teams=frozenset({"7ea00000-0000-4000-8000-000000000000"}),
        business_unit="b0500000-0000-4000-8000-000000000000",
        language=1033,
    )
    contact = replace(item(CONTACT), record=Record(columns={column: value}))
    assert decided(contact, user=known).to_exchange is True
    assert decided(contact, user=owning(asked)).to_exchange is not True


def test_what_an_item_is_related_to_takes_its_time_too() -> None:
    parties = [Record(columns={"activityid": "x" * 100})] * 50
    task = replace(
        mine(TASK), record=replace(mine(TASK).record, related={"activityparty": parties})
    )
    link = Link(table="activityparty", from_column="activityid", to_column="activityid")
    asked = Group(links=(link,))
    rules = SyncRules(under(), owning(asked, kind=TASK), NOW)
    assert rules.effort(task) == effort(asked).of(task.record, sizes(task.record))
    assert rules.effort(task) > rules.effort(mine(TASK))


def test_items_of_all_kinds_are_decided_one_after_the_other_as_each_is_alone() -> None:
    settings = [system("one", kind) for kind in SyncItemType if kind is not BOOKING]
    rules = SyncRules(under(*settings, BOOKINGS_ON), OPTED, NOW)
    items = [case.item for case in CASES]
    alone = [SyncRules(under(*settings, BOOKINGS_ON), OPTED, NOW).decide(each) for each in items]
    assert [rules.decide(each) for each in items] == alone
    assert [rules.decide(each) for each in reversed(items)] == alone[::-1]


@pytest.mark.parametrize("recipients", [0, -1])
def test_a_task_is_assigned_to_somebody(recipients: int) -> None:
    with pytest.raises(ValueError, match=f"to one person or more, not to {recipients}"):
        Assignment(recipients=recipients)
    assert Assignment(recipients=1).recipients == 1
