from collections.abc import Sequence
from dataclasses import replace

import pytest
from given import ADMINISTRATOR, ALICE, BEGINNING, KEY, START, fold
from hypothesis import assume
from hypothesis import given as law
from hypothesis import strategies as st
from strategies import History, histories

from domain.actor import SecurityRole
from domain.environment import Environment
from domain.field_mappings import DirectionNotSettable, UnknownMapping
from domain.filter_steps import Fault
from domain.filters.commands import (
    DefineFilter,
    RedefineFilter,
    RemoveFilter,
    WithholdTemplateFromNewUsers,
)
from domain.filters.criteria import Condition, Criteria, Group
from domain.filters.refusals import (
    MOST_CHARACTERS,
    FilterNameTaken,
    FilterNotFound,
    TemplateIsGiven,
)
from domain.filters.state import FilterKind, FilterRole, canonical_text, given_of
from domain.lifecycle import EnvironmentState
from domain.mapping_table import SyncDirection
from domain.plan import Ask, Planned, Refused, TooManyChanges, plan
from domain.standing import Standing
from domain.steps import Steps, steps
from domain.switches import MailingAddresses, WarningNotAcknowledged
from domain.wanted import Wanted, WantedFilter, chosen, held
from domain.warning import WarningCode

ONLINE, SYSTEM = FilterKind.ONLINE, FilterRole.SYSTEM_FILTER
FRESH = fold(BEGINNING)
TASKS = "template.online.task.my-tasks"
ACTIVE = Group(conditions=(Condition(column="statecode", operator="eq", values=("0",)),))
ACTIVE_TEXT = canonical_text(Criteria(table="task", group=ACTIVE))


def settled(standing: Standing | None) -> Standing:
    assert standing is not None
    return standing


def brought(standing: Standing, wanted: Wanted) -> Planned | Refused:
    """What comes of the steps to what is wanted, everything acknowledged."""
    found = steps(standing.environment, wanted, frozenset(WarningCode))
    assert found.faults == ()
    if not found.steps:
        return Planned(changes=(), standing=standing)
    ask = Ask(environment=KEY, commands=found.commands, actor=ADMINISTRATOR, most=1_000)
    outcome = plan(standing, ask, START)
    assert isinstance(outcome, Planned | Refused)
    return outcome


def after(standing: Standing, wanted: Wanted) -> Environment:
    planned = brought(standing, wanted)
    assert isinstance(planned, Planned), planned
    return planned.standing.environment


def shown(environment: Environment) -> tuple[object, ...]:
    """All that can be seen of the settings."""
    return (
        environment.switches,
        held(environment, whole=True),
        dict(environment.filters.by_key),
        dict(environment.filters.given),
    )


@law(histories)
def test_what_is_held_is_nothing_to_do(history: History) -> None:
    environment = history.standing.environment
    for whole in (False, True):
        assert steps(environment, held(environment, whole=whole)) == Steps((), ())


@law(histories)
def test_a_fresh_environment_comes_to_what_another_one_holds(history: History) -> None:
    environment = history.standing.environment
    for whole in (False, True):
        there = after(settled(FRESH), held(environment, whole=whole))
        assert shown(there) == shown(environment)


@law(histories, histories)
def test_any_environment_comes_to_all_that_another_one_holds_and_stays_so(
    one: History, other: History
) -> None:
    environment = one.standing.environment
    administers = SecurityRole.SYSTEM_ADMINISTRATOR in environment.roles(ALICE)
    assume(administers and environment.profile.state is EnvironmentState.ACTIVE)
    wanted = held(other.standing.environment, whole=True)
    filters, given = environment.filters.by_key, map(given_of, environment.filters.given)
    wanted = replace(
        wanted,
        filters={**dict.fromkeys(filters), **wanted.filters},
        given={**dict.fromkeys(given), **wanted.given},
    )
    there = after(one.standing, wanted)
    assert shown(there) == shown(other.standing.environment)
    assert steps(there, wanted) == Steps((), ())


def test_what_is_not_named_is_not_touched() -> None:
    fresh = settled(FRESH)
    planned = brought(fresh, Wanted(switches={"assignedTasks": True}))
    assert isinstance(planned, Planned)
    assert [change.setting for change in planned.changes] == ["assignedTasks"]


def test_a_filter_keeps_what_is_not_said_of_it() -> None:
    was = settled(FRESH).environment.filters.by_key[TASKS]
    there = after(settled(FRESH), Wanted(filters={TASKS: WantedFilter(active=False)}))
    assert there.filters.by_key[TASKS] == was._replace(active=False)
    there = after(settled(FRESH), Wanted(filters={TASKS: WantedFilter(description="Mine")}))
    assert there.filters.by_key[TASKS] == was._replace(description="Mine")


@pytest.mark.parametrize("missing", ["role", "kind", "table", "name", "criteria"])
def test_a_new_filter_needs_all_that_it_is(missing: str) -> None:
    whole = WantedFilter(role=SYSTEM, kind=ONLINE, table="task", name="Open", criteria=ACTIVE)
    wanted = Wanted(filters={"open": replace(whole, **{missing: None})})
    word = "fetchXml" if missing == "criteria" else missing
    told = f"There is no such filter yet; a new one also needs {word}."
    assert steps(settled(FRESH).environment, wanted).faults == (Fault("filter:open", told),)


@pytest.mark.parametrize(("said", "active"), [(None, True), (True, True), (False, False)])
def test_a_new_filter_is_active_and_undescribed_unless_said(
    said: bool | None, active: bool
) -> None:
    wanted = Wanted(filters={"open": replace(named("open", "Open"), active=said)})
    [found] = steps(settled(FRESH).environment, wanted).commands
    assert isinstance(found, DefineFilter)
    assert (found.active, found.description) == (active, "")


def test_what_can_be_no_command_is_a_fault_of_its_setting() -> None:
    whole = WantedFilter(role=SYSTEM, kind=ONLINE, table="task", name="", criteria=ACTIVE)
    wanted = Wanted(filters={"open": whole}, directions={"": SyncDirection.NONE})
    found = steps(settled(FRESH).environment, wanted)
    assert [fault.setting for fault in found.faults] == ["fieldMapping:", "filter:open"]
    assert found.steps == ()


def named(key: str, name: str, group: Group = ACTIVE) -> WantedFilter:
    return WantedFilter(role=SYSTEM, kind=ONLINE, table="task", name=name, criteria=group)


def with_names(**names: str) -> Standing:
    """A fresh environment with system filters of these names, by their keys."""
    planned = brought(settled(FRESH), Wanted(filters={k: named(k, n) for k, n in names.items()}))
    assert isinstance(planned, Planned)
    return planned.standing


def test_names_can_go_round_in_a_ring() -> None:
    turned = {
        "a": WantedFilter(name="Two"),
        "b": WantedFilter(name="Three"),
        "c": named("c", "One"),
    }
    there = after(with_names(a="One", b="Two", c="Three"), Wanted(filters=turned))
    assert [there.filters.by_key[key].name for key in "abc"] == ["Two", "Three", "One"]


@pytest.mark.parametrize(
    ("before", "aside"),
    [
        ({"a": "One", "b": "Two"}, "a"),
        ({"a": "One", "b": "Two", "c": "a"}, "a 2"),
        ({"a": "One", "b": "Two", "c": "a", "d": "A 2"}, "a 3"),
        ({"a": "a", "b": "Two"}, "a 2"),
        ({"a": "Two", "b": "a"}, "a 2"),
    ],
)
def test_who_steps_aside_takes_a_name_that_is_free(before: dict[str, str], aside: str) -> None:
    there = with_names(**before).environment
    wanted = {"a": WantedFilter(name=before["b"]), "b": WantedFilter(name=before["a"])}
    assert steps(there, Wanted(filters=wanted)).commands == (
        RedefineFilter(key="a", name=aside),
        RedefineFilter(key="b", name=before["a"]),
        RedefineFilter(key="a", name=before["b"]),
    )


def test_a_filter_comes_to_other_criteria() -> None:
    wanted = Wanted(filters={TASKS: WantedFilter(criteria=ACTIVE)})
    assert steps(settled(FRESH).environment, wanted).commands == (
        RedefineFilter(key=TASKS, criteria=ACTIVE),
    )


@law(st.permutations("abcd"), st.permutations(["a", "b", "a 2", "B 2"]))
def test_names_go_round_even_where_they_are_those_that_one_would_step_aside_to(
    before: Sequence[str], then: Sequence[str]
) -> None:
    standing = with_names(**dict(zip("abcd", before, strict=True)))
    wanted = {key: WantedFilter(name=name) for key, name in zip("abcd", then, strict=True)}
    there = after(standing, Wanted(filters=wanted))
    assert [there.filters.by_key[key].name for key in "abcd"] == [*then]


@law(st.lists(st.sampled_from(["One", "Two", "Three"]), min_size=3, max_size=3))
def test_of_those_who_want_the_same_name_all_but_one_are_refused(names: list[str]) -> None:
    wanted = {key: WantedFilter(name=name) for key, name in zip("abc", names, strict=True)}
    outcome = brought(with_names(a="One", b="Two", c="Three"), Wanted(filters=wanted))
    assert isinstance(outcome, Refused) is (len({*names}) < 3)
    if isinstance(outcome, Refused):
        assert all(isinstance(each.refusal, FilterNameTaken) for each in outcome.refusals)


def test_who_gives_characters_back_goes_first() -> None:
    values = tuple(f"{number:04}" + "x" * 840 for number in range(70))
    long = Group(conditions=(Condition(column="subject", operator="in", values=values),))
    heavy = {f"f{number}": named(f"f{number}", f"No. {number}", long) for number in range(16)}
    planned = brought(settled(FRESH), Wanted(filters={"a": named("a", "A"), **heavy}))
    assert isinstance(planned, Planned)
    size = planned.standing.environment.filters.size
    assert size + len("".join(values)) > MOST_CHARACTERS
    turned = {"a": WantedFilter(criteria=long), "f0": WantedFilter(criteria=ACTIVE)}
    assert after(planned.standing, Wanted(filters=turned)).filters.size == size


def test_a_name_can_be_handed_on() -> None:
    wanted = {TASKS: WantedFilter(name="Old tasks"), "new": _template("task", "My Tasks")}
    there = after(settled(FRESH), Wanted(filters=wanted, given={(ONLINE, "task"): "new"}))
    assert there.filters.by_key["new"].name == "My Tasks"
    assert there.filters.by_key[TASKS].name == "Old tasks"
    assert there.filters.given["defaultTemplate:ONLINE:task"] == "new"


def _template(table: str, name: str) -> WantedFilter:
    role = FilterRole.USER_FILTER_TEMPLATE
    return WantedFilter(role=role, kind=ONLINE, table=table, name=name, criteria=ACTIVE)


def test_a_template_that_is_given_goes_only_where_that_is_said_too() -> None:
    refused = brought(settled(FRESH), Wanted(filters={TASKS: None}))
    assert isinstance(refused, Refused)
    assert isinstance(refused.refusals[0].refusal, TemplateIsGiven)
    wanted = Wanted(filters={TASKS: None}, given={(ONLINE, "task"): None})
    found = steps(settled(FRESH).environment, wanted)
    assert found.commands == (WithholdTemplateFromNewUsers(key=TASKS), RemoveFilter(key=TASKS))


def test_what_is_held_beyond_the_defaults_is_told_and_nothing_else() -> None:
    fresh = settled(FRESH).environment
    assert held(fresh) == Wanted()
    wanted = Wanted(
        switches={"assignedTasks": True},
        addresses=MailingAddresses.ALL_THREE,
        directions={"contact.notes": SyncDirection.NONE},
        filters={
            "mine": replace(
                named("mine", "Mine"), description="Why", active=False, criteria=ACTIVE_TEXT
            )
        },
        given={(ONLINE, "task"): None},
    )
    there = after(settled(FRESH), wanted)
    assert held(there) == wanted
    assert chosen(there, ["assignedTasks", "defaultTemplate:ONLINE:task"]) == Wanted(
        switches={"assignedTasks": True}, given={(ONLINE, "task"): None}
    )
    assert chosen(there, ["mailingAddresses", "filter:mine", "filter:gone"]) == Wanted(
        addresses=MailingAddresses.ALL_THREE, filters={**wanted.filters, "gone": None}
    )


def test_every_step_names_the_setting_that_it_is_about() -> None:
    contacts = "template.online.contact.my-outlook-contacts"
    calls = "template.online.phonecall.my-phone-calls"
    wanted = Wanted(
        switches={"assignedTasks": True},
        addresses=MailingAddresses.ALL_THREE,
        directions={"contact.notes": SyncDirection.NONE},
        filters={TASKS: None, contacts: WantedFilter(active=False), "new": named("new", "New")},
        given={(ONLINE, "task"): None, (ONLINE, "phonecall"): None},
    )
    fresh = settled(FRESH).environment
    assert [(each.setting, type(each.command).__name__) for each in steps(fresh, wanted).steps] == [
        ("assignedTasks", "SwitchAssignedTasks"),
        ("mailingAddresses", "ChooseMailingAddresses"),
        ("fieldMapping:contact.notes", "ChooseSyncDirection"),
        ("defaultTemplate:ONLINE:task", "WithholdTemplateFromNewUsers"),
        (f"filter:{TASKS}", "RemoveFilter"),
        ("filter:new", "DefineFilter"),
        (f"filter:{contacts}", "DeactivateFilter"),
        ("defaultTemplate:ONLINE:phonecall", "WithholdTemplateFromNewUsers"),
    ]
    there = after(settled(FRESH), wanted)
    back = Wanted(
        filters={contacts: WantedFilter(active=True)}, given={(ONLINE, "phonecall"): calls}
    )
    assert [(each.setting, type(each.command).__name__) for each in steps(there, back).steps] == [
        (f"filter:{contacts}", "ActivateFilter"),
        ("defaultTemplate:ONLINE:phonecall", "GiveTemplateToNewUsers"),
    ]


def test_a_key_can_come_to_be_another_filter() -> None:
    wanted = Wanted(filters={TASKS: _template("contact", "Mine")}, given={(ONLINE, "task"): None})
    there = after(settled(FRESH), wanted)
    assert there.filters.by_key[TASKS].table == "contact"


def test_another_filter_of_a_key_needs_all_that_it_is() -> None:
    wanted = Wanted(filters={TASKS: WantedFilter(table="contact")})
    told = (
        "'My Tasks' is of another role, kind or table, and so another filter; a new one also needs "
        "role, kind, name, fetchXml."
    )
    found = steps(settled(FRESH).environment, wanted)
    assert found.faults == (Fault(f"filter:{TASKS}", told),)


def test_new_users_are_given_a_template_of_that_table() -> None:
    contacts = "template.online.contact.my-outlook-contacts"
    wanted = Wanted(given={(ONLINE, "task"): contacts})
    told = f"The template {contacts!r} is online and of the table contact."
    assert steps(settled(FRESH).environment, wanted).faults == (
        Fault("defaultTemplate:ONLINE:task", told),
    )
    wanted = Wanted(filters={"new": _template("task", "Mine")}, given={(ONLINE, "contact"): "new"})
    assert [fault.setting for fault in steps(settled(FRESH).environment, wanted).faults] == [
        "defaultTemplate:ONLINE:contact"
    ]


def test_a_template_that_is_nowhere_is_refused_where_all_is_decided() -> None:
    refused = brought(settled(FRESH), Wanted(given={(ONLINE, "task"): "nowhere"}))
    assert isinstance(refused, Refused)
    assert isinstance(refused.refusals[0].refusal, FilterNotFound)


def test_what_is_so_already_is_not_asked_for() -> None:
    wanted = Wanted(
        switches={"assignedTasks": False},
        addresses=MailingAddresses.MAILING_ONLY,
        directions={"contact.notes": SyncDirection.BOTH},
        filters={TASKS: WantedFilter(active=True, name="My Tasks"), "nowhere": None},
        given={(ONLINE, "task"): TASKS, (FilterKind.OFFLINE, "fax"): None},
    )
    assert steps(settled(FRESH).environment, wanted) == Steps((), ())


def test_a_fixed_direction_is_asked_for_even_as_it_is_and_refused() -> None:
    directions = {"task.regarding": SyncDirection.BOTH, "task.nothing": SyncDirection.BOTH}
    refused = brought(settled(FRESH), Wanted(directions=directions))
    assert isinstance(refused, Refused)
    assert [type(each.refusal) for each in refused.refusals] == [
        DirectionNotSettable,
        UnknownMapping,
    ]


def test_all_three_addresses_are_asked_for_with_what_is_acknowledged() -> None:
    wanted = Wanted(addresses=MailingAddresses.ALL_THREE)
    found = steps(settled(FRESH).environment, wanted)
    ask = Ask(environment=KEY, commands=found.commands, actor=ADMINISTRATOR)
    refused = plan(FRESH, ask, START)
    assert isinstance(refused, Refused)
    assert isinstance(refused.refusals[0].refusal, WarningNotAcknowledged)
    assert after(settled(FRESH), wanted).switches.mailing_addresses is MailingAddresses.ALL_THREE


def test_how_much_is_asked_for_at_once_is_the_askers_to_say() -> None:
    commands = (RedefineFilter(key=TASKS, name="A"), RedefineFilter(key=TASKS, name="B"))
    ask = Ask(environment=KEY, commands=commands, actor=ADMINISTRATOR, most=1)
    refused = plan(FRESH, ask, START)
    assert isinstance(refused, Refused)
    assert refused.refusals[0].refusal == TooManyChanges(asked=2, most=1)
    assert refused.refusals[0].refusal.message == (
        "2 changes are asked for at once. Ask for 1 to 1."
    )


def test_what_has_a_fault_has_no_steps() -> None:
    wanted = Wanted(filters={TASKS: WantedFilter(role=SYSTEM)})
    found = steps(settled(FRESH).environment, wanted)
    assert [each.setting for each in found.faults] == [f"filter:{TASKS}"]
    assert found.steps == ()
