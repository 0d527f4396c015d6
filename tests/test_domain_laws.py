from dataclasses import replace
from datetime import timedelta
from functools import reduce
from itertools import groupby
from operator import attrgetter
from typing import get_args
from uuid import UUID

from given import KEY, NEW, START
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    COMMANDS,
    EVENTS,
    PEOPLE,
    History,
    actors,
    asks,
    commands,
    events,
    histories,
    single_asks,
)

from domain import membership
from domain.actor import Actor, NotPermitted, Permission, SecurityRole
from domain.environment import (
    EVENT_TYPES,
    Command,
    Event,
    differences,
    sentence,
    value,
    warnings,
)
from domain.filters.commands import RemoveFilter
from domain.lifecycle import EnvironmentNotFound, RegisterEnvironment, RenameEnvironment
from domain.mapping_table import MAPPINGS
from domain.plan import Ask, ChangedMeanwhile, Planned, Refused, RefusedChange, plan
from domain.source import SettingsBrought
from domain.standing import Recorded, Standing, advance
from domain.switches import (
    ChooseMailingAddresses,
    SwitchAssignedTasks,
    WarningNotAcknowledged,
)
from domain.tab import TAB
from domain.warning import WarningCode

STRANGER = UUID(int=0)
LATER = START + timedelta(days=1)
KEYS = (
    "environment.name",
    "environment.source",
    "environment.state",
    *TAB,
    *(f"role:{handle}" for handle in PEOPLE),
)


def whole(standing: Standing, key: str) -> object:
    """All that a setting key holds: of a filter, more than its criteria."""
    if key.startswith("filter:"):
        return standing.environment.filters.by_key.get(key.removeprefix("filter:"))
    return value(standing.environment, key)


def fold(facts: tuple[Recorded, ...], start: Standing | None = None) -> Standing | None:
    return reduce(advance, facts, start)


def acknowledging_everything(ask: Ask) -> Ask:
    return replace(
        ask,
        commands=tuple(
            replace(command, acknowledged=frozenset(WarningCode))
            if isinstance(command, ChooseMailingAddresses)
            else command
            for command in ask.commands
        ),
    )


def refusals(standing: Standing | None, ask: Ask) -> tuple[RefusedChange, ...]:
    outcome = plan(standing, ask, LATER)
    return outcome.refusals if isinstance(outcome, Refused) else ()


def test_every_command_and_every_event_can_be_generated() -> None:
    assert set(COMMANDS) == set(get_args(Command))
    assert set(EVENTS) == set(EVENT_TYPES.values())


@given(histories, single_asks)
def test_asking_twice_is_asking_once(history: History, ask: Ask) -> None:
    ask = replace(ask, expected_position=None)
    once = plan(history.standing, ask, LATER)
    if isinstance(once, Planned):
        before = history.standing.environment.permissions(ask.actor)
        after = once.standing.environment.permissions(ask.actor)
        twice = plan(once.standing, ask, LATER)
        nothing = Planned(changes=(), standing=once.standing)
        gave_a_right_away = not after >= before
        gone = gave_a_right_away or isinstance(ask.commands[0], RemoveFilter)
        assert twice == nothing or (gone and isinstance(twice, Refused))


@given(histories, single_asks)
def test_asking_twice_in_one_request_is_asking_once(history: History, ask: Ask) -> None:
    double = replace(ask, commands=ask.commands * 2)
    once, twice = plan(history.standing, ask, LATER), plan(history.standing, double, LATER)
    assert twice == once or isinstance(twice, Refused)
    removal = isinstance(ask.commands[0], RemoveFilter)
    if isinstance(once, Planned) and isinstance(twice, Refused) and not removal:
        assert not once.standing.environment.permissions(ask.actor) >= (
            history.standing.environment.permissions(ask.actor)
        )


@given(histories, asks())
def test_what_a_preview_shows_is_what_applying_then_does(history: History, ask: Ask) -> None:
    preview = plan(history.standing, ask, LATER)
    assert plan(fold(history.facts), ask, LATER) == preview
    if isinstance(preview, Planned):
        recorded = tuple(change.recorded for change in preview.changes)
        assert fold(recorded, history.standing) == preview.standing
        first = history.standing.position + 1
        assert [(each.position, each.change_set) for each in recorded] == [
            (first + index, first) for index in range(len(recorded))
        ]


@given(histories, asks())
def test_acknowledging_everything_lifts_the_refusals_for_that_and_no_other(
    history: History, ask: Ask
) -> None:
    assert refusals(history.standing, acknowledging_everything(ask)) == tuple(
        each
        for each in refusals(history.standing, ask)
        if not isinstance(each.refusal, WarningNotAcknowledged)
    )


@given(histories, asks())
def test_without_what_is_refused_the_rest_is_granted(history: History, ask: Ask) -> None:
    ask = replace(ask, expected_position=None)
    refused = {each.index for each in refusals(history.standing, ask)}
    rest = tuple(each for index, each in enumerate(ask.commands) if index not in refused)
    granted = plan(history.standing, replace(ask, commands=rest), LATER)
    assert isinstance(granted, Planned) == (rest != () and None not in refused)


@given(histories, asks())
def test_a_refusal_changes_nothing(history: History, ask: Ask) -> None:
    plan(history.standing, ask, LATER)
    assert history.standing == fold(history.facts)


@given(histories, asks())
def test_a_hidden_environment_is_exactly_like_a_missing_one(history: History, ask: Ask) -> None:
    hidden = replace(ask, actor=Actor(handle=STRANGER))
    assert plan(history.standing, hidden, LATER) == plan(None, hidden, LATER)


@given(histories, single_asks, st.data())
def test_a_conflict_is_a_change_after_the_expected_position_and_nothing_else(
    history: History, ask: Ask, data: st.DataObject
) -> None:
    standing = history.standing
    ask = replace(ask, actor=replace(ask.actor, platform_administrator=True))
    expected = data.draw(st.integers(min_value=0, max_value=standing.position))
    careless = plan(standing, replace(ask, expected_position=None), LATER)
    careful = plan(standing, replace(ask, expected_position=expected), LATER)
    events = (
        [change.setting for change in careless.changes] if isinstance(careless, Planned) else []
    )
    touched = dict.fromkeys((*ask.commands[0].settings, *events))
    last = [
        standing.last_changes[setting] for setting in touched if setting in standing.last_changes
    ]
    later = tuple(change for change in last if change.recorded.position > expected)
    forbidden = isinstance(careless, Refused) and isinstance(
        careless.refusals[0].refusal, NotPermitted
    )
    if not later or forbidden:
        assert careful == careless
    else:
        conflict = ChangedMeanwhile(
            expected_position=expected, position=standing.position, by=later
        )
        assert careful == Refused(refusals=(RefusedChange(index=0, refusal=conflict),))


@given(histories, st.data())
def test_a_fold_may_be_cut_anywhere(history: History, data: st.DataObject) -> None:
    cut = data.draw(st.integers(min_value=0, max_value=len(history.facts)))
    head, tail = history.facts[:cut], history.facts[cut:]
    assert fold(tail, fold(head)) == fold(history.facts) == history.standing


@given(histories)
def test_positions_have_no_gaps_and_a_set_bears_its_first(history: History) -> None:
    assert [each.position for each in history.facts] == [*range(1, len(history.facts) + 1)]
    for before, each in zip(history.facts, history.facts[1:], strict=False):
        assert each.change_set in {before.change_set, each.position}


@given(histories)
def test_the_last_changes_name_the_latest_of_every_setting(history: History) -> None:
    assert history.standing.last_changes == {change.setting: change for change in history.changes}
    for setting, change in history.standing.last_changes.items():
        assert change.after == value(history.standing.environment, setting)


@given(histories)
def test_each_change_begins_where_the_one_before_it_ended(history: History) -> None:
    held: dict[str, str | None] = {
        "environment.name": getattr(history.facts[0].event, "name", None),
        "environment.state": None,
        "mailingAddresses": "MAILING_ONLY",
        "appointmentAttachments": "false",
        "assignedTasks": "false",
        "resourceBookings": "false",
        **{f"fieldMapping:{mapping.key}": mapping.default.value for mapping in MAPPINGS.values()},
    }
    for change in history.changes:
        assert change.before == held.get(change.setting)
        differs = differences(change.recorded.event, change.before, change.after)
        again = isinstance(change.recorded.event, SettingsBrought)  # from the same place
        assert differs or again or change.after != change.before
        held[change.setting] = change.after


@given(histories)
def test_every_fact_after_the_first_touches_exactly_the_setting_it_names(
    history: History,
) -> None:
    standing = fold(history.facts[:1])
    assert standing is not None
    for fact in history.facts[1:]:
        after = advance(standing, fact)
        keys = {*KEYS, *standing.last_changes, fact.event.setting}
        changed = [key for key in keys if whole(standing, key) != whole(after, key)]
        again = isinstance(fact.event, SettingsBrought) and not changed  # from the same place
        assert again or changed == [fact.event.setting]
        standing = after


@given(histories)
def test_there_is_always_a_system_administrator(history: History) -> None:
    for end in range(2, len(history.facts) + 1):
        standing = fold(history.facts[:end])
        assert standing is not None
        assert any(
            SecurityRole.SYSTEM_ADMINISTRATOR in roles
            for roles in standing.environment.members.values()
        )


@given(histories)
def test_a_member_holds_at_least_one_role(history: History) -> None:
    assert all(history.standing.environment.members.values())


def _by_change_set(facts: tuple[Recorded, ...]) -> list[list[Recorded]]:
    return [list(each) for _, each in groupby(facts, key=attrgetter("change_set"))]


@given(histories)
def test_whoever_was_erased_may_do_nothing_and_is_no_member(history: History) -> None:
    environment = history.standing.environment
    facts = [fact.event for fact in history.facts]
    erased = {each.principal for each in facts if isinstance(each, membership.PrincipalErased)}
    assert environment.erased == erased
    assert not erased & environment.members.keys()
    for handle in erased:
        assert value(environment, f"role:{handle}") == "ERASED"
    gone: set[UUID] = set()
    for change_set in _by_change_set(history.facts):
        assert not gone & {fact.actor for fact in change_set}
        gone |= {
            fact.event.principal
            for fact in change_set
            if isinstance(fact.event, membership.PrincipalErased)
        }


@given(histories)
def test_what_may_lose_data_was_acknowledged_whenever_it_happened(history: History) -> None:
    environment = history.standing.environment
    for fact in history.facts:
        told = warnings(environment, fact.event)
        demanded = [each.code for each in told if each.must_be_acknowledged]
        assert list(getattr(fact.event, "acknowledged", ())) == demanded


@given(commands, actors)
def test_nothing_but_a_registration_begins_a_log(command: Command, actor: Actor) -> None:
    outcome = plan(None, Ask(environment=KEY, commands=(command,), actor=actor), LATER)
    begins = isinstance(command, RegisterEnvironment) and actor.platform_administrator
    assert isinstance(outcome, Planned) == begins


@given(events)
def test_every_event_touches_one_setting_and_has_a_sentence_that_names_nobody(event: Event) -> None:
    assert event.setting in KEYS or event.setting.startswith(("role:", "filter:", "defaultT"))
    assert sentence(event)
    if isinstance(event, membership.Event):
        assert str(event.principal) not in sentence(event)
    told = warnings(NEW, event)
    assert all(warning.setting in {None, event.setting} for warning in told)


ASKING: dict[Permission, Command] = {
    Permission.CHANGE_SETTINGS: SwitchAssignedTasks(on=True),
    Permission.MANAGE_ROLES: membership.GrantRole(principal=STRANGER, role=SecurityRole.AUDITOR),
    Permission.MANAGE_ENVIRONMENT: RenameEnvironment(name="Renamed"),
}


@given(histories, st.sampled_from([*Permission]), st.sampled_from(PEOPLE))
def test_who_could_is_whom_a_decision_permits(
    history: History, permission: Permission, person: UUID
) -> None:
    environment, actor = history.standing.environment, Actor(handle=person)
    could = membership.who_could(environment.members, permission)
    assert (person in could) == (permission in environment.permissions(actor))
    assert could.get(person, frozenset()) <= environment.roles(person)
    if permission in ASKING:
        ask = Ask(environment=KEY, commands=(ASKING[permission],), actor=actor)
        outcome = plan(history.standing, ask, LATER)
        why = [each.refusal for each in outcome.refusals] if isinstance(outcome, Refused) else []
        shut = any(isinstance(each, NotPermitted | EnvironmentNotFound) for each in why)
        assert (person in could) == (not shut)
