from given import ALICE, BEGINNING, BOB, fold
from hypothesis import assume
from hypothesis import given as law
from strategies import History, histories
from test_steps import after, settled

from domain.actor import SecurityRole
from domain.comparing import Difference, compared
from domain.environment import Environment, Event, evolve, value
from domain.filters.facts import FilterDeactivated, FilterRedefined, FilterRemoved
from domain.filters.lifecycle import About
from domain.filters.state import PREFIX, FilterKind, FilterRole
from domain.filters.templates import TEMPLATES
from domain.lifecycle import EnvironmentState
from domain.membership import PREFIX as ROLE
from domain.membership import RoleGranted
from domain.switches import AssignedTasksSwitched
from domain.wanted import chosen

FRESH = settled(fold(BEGINNING)).environment
TASKS = "template.online.task.my-tasks"
ABOUT: About = {
    "filter_key": TASKS,
    "role": FilterRole.USER_FILTER_TEMPLATE,
    "kind": FilterKind.ONLINE,
    "table": "task",
    "name": "My Tasks",
}


def then(*events: Event) -> Environment:
    environment = FRESH
    for event in events:
        environment = evolve(environment, event)
    return environment


@law(histories, histories)
def test_what_differs_brought_over_leaves_nothing_that_differs(
    one: History, other: History
) -> None:
    before, wanted = one.standing.environment, other.standing.environment
    administers = SecurityRole.SYSTEM_ADMINISTRATOR in before.roles(ALICE)
    assume(administers and before.profile.state is EnvironmentState.ACTIVE)
    found = compared(before, wanted)
    there = after(one.standing, chosen(wanted, [each.setting for each in found]))
    assert [each for each in compared(there, wanted) if not each.setting.startswith(ROLE)] == []


@law(histories, histories)
def test_a_difference_is_the_same_from_both_sides(one: History, other: History) -> None:
    here, there = one.standing.environment, other.standing.environment
    forth = {each.setting: (each.before, each.after) for each in compared(here, there)}
    back = {each.setting: (each.after, each.before) for each in compared(there, here)}
    assert forth == back
    assert compared(here, here) == ()
    for key, (was, now) in forth.items():
        assert (was, now) == (value(here, key), value(there, key))


@law(histories, histories)
def test_every_difference_is_told(one: History, other: History) -> None:
    for each in compared(one.standing.environment, other.standing.environment):
        assert each.summary.startswith(f"{each.label}: ")
        assert bool(each.lines) is each.setting.startswith(PREFIX)
        assert each.lines or each.before != each.after


def test_a_switch_is_told_by_its_caption() -> None:
    label = "Synchronize tasks that are assigned in Outlook"
    assert compared(FRESH, then(AssignedTasksSwitched(on=True))) == (
        Difference("assignedTasks", label, "false", "true", (), f"{label}: false → true"),
    )


def test_roles_are_compared_person_by_person() -> None:
    granted = then(RoleGranted(principal=BOB, role=SecurityRole.AUDITOR))
    (found,) = compared(FRESH, granted)
    assert found == Difference(
        f"role:{BOB}", "Roles", None, "AUDITOR", (), "Roles: nothing → AUDITOR"
    )
    (found,) = compared(granted, FRESH)
    assert found.summary == "Roles: AUDITOR → nothing"


def test_a_filter_differs_in_all_that_it_is() -> None:
    off = then(FilterDeactivated(**ABOUT))
    (found,) = compared(FRESH, off)
    assert found.lines == ("no longer active",)
    assert found.summary == "My Tasks: no longer active"
    assert compared(off, FRESH)[0].lines == ("now active",)
    ours: About = {**ABOUT, "name": "Ours"}
    renamed = FilterRedefined(**ours, former_name=None, description="x", fetch_xml=None)
    (found,) = compared(FRESH, then(renamed))
    assert found.lines == ("name: “My Tasks” → “Ours”", "description: now “x”")
    assert found.label == "Ours"
    assert found.summary == "Ours: name: “My Tasks” → “Ours”; description: now “x”"


def test_a_filter_that_is_there_on_one_side_only_is_told_with_what_it_chooses() -> None:
    gone = then(FilterRemoved(**ABOUT, active=True))
    (found,) = compared(FRESH, gone)
    assert (found.before, found.after) == (TEMPLATES[TASKS].fetch_xml, None)
    assert found.lines[0] == "Template “My Tasks” of task is gone"
    assert all(line.startswith("removed: ") for line in found.lines[1:])
    off = then(FilterDeactivated(**ABOUT))
    (found,) = compared(gone, off)
    assert found.lines[0] == "Template “My Tasks” of task is new, not active"
    (found,) = compared(gone, FRESH)
    assert found.lines[0] == "Template “My Tasks” of task is new"
    assert all(line.startswith("added: ") for line in found.lines[1:])
