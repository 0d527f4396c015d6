"""Settings brought back or over: what comes, what cannot, and who may."""

from dataclasses import replace
from uuid import UUID

import pytest
from given import ADMINISTRATOR, ALICE, BEGINNING, BOB, KEY, NOBODY, START, fold
from hypothesis import given as law
from hypothesis import strategies as st
from strategies import History, histories
from test_steps import settled

from domain.actor import Actor, NotPermitted, Permission, SecurityRole
from domain.bringing import Bringing
from domain.comparing import compared
from domain.environment import Environment, Event, evolve, value
from domain.filters.facts import FilterDeactivated
from domain.filters.lifecycle import About
from domain.filters.state import Filter, FilterKind, FilterRole
from domain.lifecycle import (
    EnvironmentArchived,
    EnvironmentIsArchived,
    EnvironmentNotFound,
    EnvironmentState,
)
from domain.membership import PREFIX as ROLE
from domain.membership import RoleGranted
from domain.plan import Ask, BeyondTheEnd, ChangedMeanwhile, Planned, Refused, plan
from domain.source import CannotBeRestored, SettingsBrought, UnknownSetting
from domain.standing import Standing
from domain.switches import (
    ADDRESSES_CAN_LOSE_DATA,
    AssignedTasksSwitched,
    MailingAddresses,
    MailingAddressesChosen,
    WarningNotAcknowledged,
)
from domain.warning import WarningCode

EVERYTHING = frozenset(WarningCode)
ELSEWHERE = "contoso-test"
SOURCE = SettingsBrought(environment=ELSEWHERE, position=31)
TASKS = "template.online.task.my-tasks"
GIVEN_TASKS = "defaultTemplate:ONLINE:task"
ABOUT: About = {
    "filter_key": TASKS,
    "role": FilterRole.USER_FILTER_TEMPLATE,
    "kind": FilterKind.ONLINE,
    "table": "task",
    "name": "My Tasks",
}
FRESH = settled(fold(BEGINNING))
TEMPLATE = FRESH.environment.filters.by_key[TASKS]
ALL_THREE = MailingAddressesChosen(
    choice=MailingAddresses.ALL_THREE, acknowledged=(WarningCode.ADDRESSES_CAN_LOSE_DATA,)
)
TASKS_ON = AssignedTasksSwitched(on=True)


def then(*events: Event) -> Standing:
    return settled(fold([*BEGINNING, *events]))


def holding(given: str | None, *filters: Filter) -> Environment:
    """A fresh environment, but for its filters of tasks, and the one that new users are given."""
    fresh = FRESH.environment
    others = {key: each for key, each in fresh.filters.by_key.items() if key != TASKS}
    offered = {key: each for key, each in fresh.filters.given.items() if key != GIVEN_TASKS}
    return fresh._replace(
        filters=fresh.filters._replace(
            by_key=others | {each.key: each for each in filters},
            given=offered if given is None else offered | {GIVEN_TASKS: given},
        )
    )


def bring(
    here: Standing | None,
    origin: Environment,
    *settings: str,
    accept: frozenset[WarningCode] = EVERYTHING,
    actor: Actor = ADMINISTRATOR,
    expected: int | None = None,
) -> Planned | Refused | BeyondTheEnd:
    bringing = Bringing(
        source=ELSEWHERE,
        at=None,
        origin=FRESH._replace(position=31, environment=origin),
        settings=settings or None,
        acknowledged=accept,
    )
    ask = Ask(
        environment=KEY, commands=(), actor=actor, expected_position=expected, bringing=bringing
    )
    return plan(here, ask, START)


def brought(outcome: object) -> list[Event]:
    assert isinstance(outcome, Planned), outcome
    return [change.recorded.event for change in outcome.changes]


def refused(outcome: object) -> list[object]:
    assert isinstance(outcome, Refused), outcome
    assert {each.index for each in outcome.refusals} == {None}
    return [each.refusal for each in outcome.refusals]


def differing(one: Environment, other: Environment) -> set[str]:
    found = (each.setting for each in compared(one, other))
    return {setting for setting in found if not setting.startswith(ROLE)}


def administered(history: History) -> Standing:
    """Where it leads, in use, and with an administrator who brings."""
    environment = history.standing.environment
    roles = {ALICE: frozenset({SecurityRole.SYSTEM_ADMINISTRATOR})}
    profile = environment.profile._replace(state=EnvironmentState.ACTIVE)
    return history.standing._replace(
        environment=environment._replace(profile=profile, members=roles)
    )


@law(histories, histories)
def test_all_that_differs_comes_and_where_from_is_told_first(one: History, other: History) -> None:
    here, origin = administered(one), other.standing.environment
    outcome = bring(here, origin)
    assert isinstance(outcome, Planned), outcome
    assert differing(outcome.standing.environment, origin) == set()
    assert brought(bring(outcome.standing, origin)) == []
    assert brought(outcome)[:1] == ([SOURCE] if differing(here.environment, origin) else [])
    for position, change in enumerate(outcome.changes, here.position + 1):
        assert change.recorded.position == position
        assert change.recorded.change_set == here.position + 1


@law(histories, histories, st.data())
def test_of_what_is_named_all_comes_but_what_was_told_beforehand(
    one: History, other: History, data: st.DataObject
) -> None:
    here, origin = administered(one), other.standing.environment
    different = differing(here.environment, origin)
    some = st.lists(st.sampled_from([*sorted(different), "mailingAddresses"]))
    named = {"assignedTasks", *data.draw(some)}
    told: set[str] = set()
    outcome = bring(here, origin, *sorted(named))
    while isinstance(outcome, Refused):
        cannot = {why.setting for why in refused(outcome) if isinstance(why, CannotBeRestored)}
        assert cannot
        assert cannot <= named - told
        told |= cannot
        rest = sorted(named - told)
        outcome = bring(here, origin, *rest) if rest else Planned(changes=(), standing=here)
    assert isinstance(outcome, Planned)
    assert differing(outcome.standing.environment, origin) == different - (named - told)


def test_only_what_is_named_is_touched() -> None:
    origin = then(TASKS_ON, FilterDeactivated(**ABOUT)).environment
    assert brought(bring(FRESH, origin, "assignedTasks")) == [SOURCE, TASKS_ON]
    assert brought(bring(FRESH, origin, "mailingAddresses")) == []


def test_the_environment_says_where_its_settings_came_from_last() -> None:
    outcome = bring(FRESH, then(TASKS_ON).environment)
    assert isinstance(outcome, Planned)
    source, _ = outcome.changes
    told = "environment.source", None, "contoso-test@31"
    assert (source.setting, source.before, source.after) == told
    again = SettingsBrought(environment=KEY, position=2)
    assert value(evolve(outcome.standing.environment, again), "environment.source") == f"{KEY}@2"


def test_all_three_addresses_must_be_acknowledged_as_by_hand() -> None:
    origin = then(ALL_THREE).environment
    told = WarningNotAcknowledged(warning=ADDRESSES_CAN_LOSE_DATA)
    assert refused(bring(FRESH, origin, accept=frozenset())) == [told]
    assert brought(bring(FRESH, origin)) == [SOURCE, ALL_THREE]


@pytest.mark.parametrize(
    ("here", "origin", "setting", "because"),
    [
        (FRESH.environment, holding(None), f"filter:{TASKS}", "given to new users"),
        (holding(None), FRESH.environment, GIVEN_TASKS, "There is no filter"),
        (
            FRESH.environment,
            holding(None, TEMPLATE._replace(table="phonecall")),
            f"filter:{TASKS}",
            "given to new users",
        ),
        (
            holding(TASKS, TEMPLATE, TEMPLATE._replace(key="other", name="Other")),
            holding("other", TEMPLATE._replace(key="other", active=False)),
            "filter:other",
            "is called 'My Tasks' already",
        ),
    ],
)
def test_what_stands_against_it_today_is_told_by_setting_and_nothing_comes(
    here: Environment, origin: Environment, setting: str, because: str
) -> None:
    (why,) = refused(bring(FRESH._replace(environment=here), origin, setting))
    assert isinstance(why, CannotBeRestored)
    assert why.setting == setting
    assert because in why.message


def test_of_many_settings_that_one_is_told_which_cannot_be() -> None:
    without = holding(None)
    origin = without._replace(switches=without.switches._replace(assigned_tasks=True))
    given_away = f"filter:{TASKS}"
    (why,) = refused(bring(FRESH, origin, "assignedTasks", given_away))
    assert isinstance(why, CannotBeRestored)
    assert why.setting == given_away


def test_what_cannot_be_read_cannot_be_brought() -> None:
    unseen = EnvironmentNotFound(key=ELSEWHERE)
    bringing = Bringing(source=ELSEWHERE, at=None, origin=unseen)
    ask = Ask(environment=KEY, commands=(), actor=ADMINISTRATOR, bringing=bringing)
    assert refused(plan(FRESH, ask, START)) == [unseen]


def test_what_is_brought_is_of_who_asks_and_when() -> None:
    outcome = bring(FRESH, then(TASKS_ON).environment)
    assert isinstance(outcome, Planned)
    assert {(each.recorded.at, each.recorded.actor) for each in outcome.changes} == {(START, ALICE)}


def test_what_cannot_even_be_asked_for_is_told_by_setting() -> None:
    origin = holding(TASKS, TEMPLATE._replace(name=""))
    (why,) = refused(bring(FRESH, origin))
    name = "A filter's name has 1 to 200 characters, not 0."
    assert why == CannotBeRestored(setting=f"filter:{TASKS}", because=name)


@pytest.mark.parametrize(
    "setting", [f"role:{BOB}", "environment.name", "environment.state", "environment.source"]
)
def test_roles_and_the_environment_itself_are_not_brought(setting: str) -> None:
    (why,) = refused(bring(FRESH, FRESH.environment, setting))
    itself = "It is about the environment itself, not on its tab."
    roles = "Roles are not brought: grant or revoke them."
    because = roles if setting.startswith(ROLE) else itself
    assert why == CannotBeRestored(setting=setting, because=because)


def test_a_setting_that_is_nowhere_is_unknown_and_told_beside_the_rest() -> None:
    outcome = bring(FRESH, FRESH.environment, "nowhere", "role:x", "nowhere", "assignedTasks")
    assert refused(outcome) == [
        UnknownSetting(setting="nowhere"),
        CannotBeRestored(setting="role:x", because="Roles are not brought: grant or revoke them."),
    ]
    assert "'nowhere'" in UnknownSetting(setting="nowhere").message
    (near,) = refused(bring(FRESH, FRESH.environment, "mailingAddress"))
    assert isinstance(near, UnknownSetting)
    assert near.message.endswith("Did you mean mailingAddresses?")
    (near,) = refused(bring(FRESH, FRESH.environment, "fieldMapping:contact.businessPhone9"))
    assert isinstance(near, UnknownSetting)
    assert len(near.near) == 1


def test_a_setting_changed_meanwhile_is_told_as_by_hand() -> None:
    here = then(TASKS_ON)
    (why,) = refused(bring(here, FRESH.environment, expected=26))
    assert isinstance(why, ChangedMeanwhile)
    assert [change.setting for change in why.by] == ["assignedTasks"]
    assert bring(here, FRESH.environment, expected=28) == BeyondTheEnd(asked=28, position=27)
    assert brought(bring(here, FRESH.environment, expected=27))


def test_who_may_not_change_settings_brings_none_not_even_what_is_so() -> None:
    audits = then(RoleGranted(principal=BOB, role=SecurityRole.AUDITOR))
    needs = NotPermitted(needs=Permission.CHANGE_SETTINGS)
    assert refused(bring(audits, audits.environment, actor=NOBODY)) == [needs]
    unseen, stranger = EnvironmentNotFound(key=KEY), replace(NOBODY, handle=UUID(int=9))
    assert refused(bring(audits, audits.environment, actor=stranger)) == [unseen]
    assert refused(bring(None, FRESH.environment)) == [unseen]
    archived = then(EnvironmentArchived())
    assert refused(bring(archived, FRESH.environment)) == [EnvironmentIsArchived(key=KEY)]


@pytest.mark.parametrize(("environment", "position"), [("Not A Key", 1), ("contoso", 0)])
def test_settings_come_from_a_place_that_can_be(environment: str, position: int) -> None:
    with pytest.raises(ValueError, match=r"Not A Key|position 1 or later"):
        SettingsBrought(environment=environment, position=position)
    assert SettingsBrought(environment="contoso", position=1).position == 1
