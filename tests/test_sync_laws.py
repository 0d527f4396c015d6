"""Laws of the sync rules, whatever the filters, the item and the settings."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import product
from random import Random

import pytest
import strategies  # noqa: F401 -- switches the deadline off
from deciding import (
    ADA,
    ALL_THREE,
    APPOINTMENT,
    ATTACHMENTS_ON,
    BEN,
    BOOKING,
    BOOKINGS_ON,
    KEPT,
    MINE,
    SERIES,
    SERVICE,
    TASK,
    TASKS_ON,
    USER,
    decided,
    given_out,
    item,
    off,
    system,
    template,
    under,
)
from filter_strategies import groups, of_column
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from domain.environment import Event
from domain.filters.catalogue import CATALOGUE
from domain.filters.criteria import JOINS, Condition, Criteria, Group, Link, parts
from domain.filters.facts import FilterDefined
from domain.filters.records import Record
from domain.rule_book import RULES
from domain.sync_items import BECOME_TASKS, Assignment, Item, SyncItemType, User
from domain.sync_rules import YEARS, Decision, SyncRules

RANKS = {False: 0, None: 1, True: 2}
"""Of answers: no, not known, yes. All of several is the least, any of them the most."""
SWITCHES = (ATTACHMENTS_ON, TASKS_ON, BOOKINGS_ON, ALL_THREE)


@dataclass(frozen=True)
class World:
    """An item, and all that it is decided by. `own`: None where they are not told."""

    item: Item
    system: tuple[Group, ...]
    template: Group | None
    own: tuple[Group, ...] | None
    switches: frozenset[Event]

    @property
    def filters(self) -> list[FilterDefined]:
        kind = self.item.type
        return [system(f"k{at}", kind, each) for at, each in enumerate(self.system)]

    @property
    def events(self) -> list[Event]:
        copied = None if self.template is None else template("t", self.item.type, self.template)
        given: list[Event] = [] if copied is None else [copied, given_out(copied)]
        return [*self.filters, *given, *self.switches]

    @property
    def user(self) -> User:
        own = None if self.own is None else [_about(self.item, each) for each in self.own]
        return replace(USER, own_filters=None if own is None else tuple(own))

    @property
    def decision(self) -> Decision:
        return decided(self.item, *self.events, user=self.user)


def _about(of: Item, group: Group) -> Criteria:
    return Criteria(table=of.table, group=group)


@st.composite
def columns(draw: DrawFn, table: str, names: Iterable[str]) -> dict[str, str | None]:
    """Some of them left out, some empty."""
    known = [CATALOGUE[table].columns[name] for name in sorted(names)]
    held = {each.name: draw(st.just("") | st.none() | of_column(each)) for each in known}
    return {name: text for name, text in held.items() if text != ""}


def asked(table: str, filters: Iterable[Group]) -> dict[str, set[str]]:
    """The columns that filters ask of, by table."""
    found: dict[str, set[str]] = {table: {"statecode"}, "activityparty": set()}
    for group in filters:
        for part in parts(Criteria(table=table, group=group)):
            match part.node:
                case Condition(column=column, compared_column=other, link_alias=alias):
                    of = found[part.table if alias is None else "activityparty"]
                    of.update({column, other or column})
                case Link(from_column=there, to_column=here):
                    found[part.table].add(here)
                    found["activityparty"].add(there)
                case _:
                    pass
    return found


@st.composite
def records(draw: DrawFn, table: str, names: Mapping[str, set[str]]) -> Record:
    held = columns("activityparty", names["activityparty"])
    parties = st.lists(held.map(lambda each: Record(columns=each)), max_size=2)
    related: dict[str, list[Record]] = {}
    known = st.booleans() if names["activityparty"] else st.just(value=False)
    if draw(known):
        related["activityparty"] = draw(parties)
    return Record(columns=draw(columns(table, names[table])), related=related)


@st.composite
def choosing(draw: DrawFn, table: str) -> Group:
    """What a filter asks; now and then of a column of a joined table."""
    found = draw(groups(table, depth=1, joins=True))
    joins = [link for link in found.links if link.type in JOINS]
    if not joins or draw(st.booleans()):
        return found
    named = replace(joins[0], alias="party")
    links = tuple(named if link is joins[0] else link for link in found.links)
    return replace(found, links=links, conditions=(*found.conditions, draw(OF_A_PARTY)))


OF_A_PARTY = st.sampled_from(
    [
        Condition(column="partyid", operator="null", link_alias="party"),
        Condition(column="participationtypemask", operator="ne", values=("1",), link_alias="party"),
        Condition(
            column="partyid", operator="eq", compared_column="activityid", link_alias="party"
        ),
    ]
)
maybe = st.none() | st.booleans()
assignments = st.builds(
    Assignment,
    recurring=maybe,
    recipients=st.none() | st.integers(1, 3),
    same_organization=maybe,
    keeps_updated_copy=maybe,
    reports_status=maybe,
    tracked_offline=maybe,
)
RECORD_KINDS = [kind for kind in SyncItemType if kind is not BOOKING]
record_kinds = st.sampled_from([*RECORD_KINDS, *[APPOINTMENT] * 4, *[TASK] * 2])
"""More of those about which there are more rules."""


@st.composite
def worlds(draw: DrawFn) -> World:
    kind = draw(record_kinds)
    table = item(kind).table
    some = st.lists(choosing(table), max_size=2).map(tuple)
    system, copied, own = draw(some), draw(st.none() | choosing(table)), draw(st.none() | some)
    names = asked(table, [*system, *(own or ()), *([] if copied is None else [copied])])
    of = Item(
        type=kind,
        record=draw(records(table, names)),
        linked=draw(st.booleans()),
        has_attachments=draw(st.booleans()),
        assignment=draw(st.none() | assignments) if kind in BECOME_TASKS else None,
    )
    return World(of, system, copied, own, draw(st.frozensets(st.sampled_from(SWITCHES))))


def answers(decision: Decision) -> tuple[bool | None, ...]:
    return decision.to_exchange, decision.to_crm, decision.attachments


def ranks(decision: Decision) -> list[int]:
    return [RANKS[each] for each in answers(decision)]


@settings(max_examples=50)
@given(worlds(), st.data())
def test_another_filter_stops_nothing(world: World, data: st.DataObject) -> None:
    more = data.draw(choosing(world.item.table))
    before, then = world.decision, replace(world, system=(*world.system, more)).decision
    assert all(one <= other for one, other in zip(ranks(before), ranks(then), strict=True))
    assert then.to_crm is before.to_crm
    if world.own is not None:
        owning = replace(world, own=(*world.own, more)).decision
        assert ranks(owning) == ranks(then)
        assert owning.to_crm is before.to_crm


@settings(max_examples=50)
@given(worlds())
def test_turning_attachments_on_stops_nothing(world: World) -> None:
    before = replace(world, switches=world.switches - {ATTACHMENTS_ON}).decision
    then = replace(world, switches=world.switches | {ATTACHMENTS_ON}).decision
    assert answers(then)[:2] == answers(before)[:2]
    assert before.attachments is False
    assert RANKS[then.attachments] >= RANKS[before.attachments]


def known_of(whole: Item, data: st.DataObject) -> Item:
    """The same item with less known of it."""
    record, assignment = whole.record, whole.assignment
    kept = data.draw(st.sets(st.sampled_from([*record.columns]))) if record.columns else set()
    related = record.related if data.draw(st.booleans()) else {}
    if assignment is not None and data.draw(st.booleans()):
        gone = data.draw(st.sampled_from(["recurring", "recipients", "same_organization"]))
        assignment = replace(assignment, **{gone: None})
    less = {name: text for name, text in record.columns.items() if name in kept}
    return replace(whole, record=Record(columns=less, related=related), assignment=assignment)


@settings(max_examples=50)
@given(worlds(), st.data())
def test_what_is_known_stays_so_when_more_is_known(world: World, data: st.DataObject) -> None:
    less = replace(world, item=known_of(world.item, data)).decision
    for before, then in zip(answers(less), answers(world.decision), strict=True):
        assert before is None or then is before


@settings(max_examples=50)
@given(worlds(), st.randoms())
def test_system_filters_may_be_defined_in_any_order(world: World, random: Random) -> None:
    events = sorted(world.events, key=lambda event: (event in world.filters, random.random()))
    assert decided(world.item, *events, user=world.user) == world.decision


@settings(max_examples=50)
@given(worlds(), st.data())
def test_own_filters_may_stand_in_any_order(world: World, data: st.DataObject) -> None:
    own = world.own or ()
    places = data.draw(st.permutations(range(len(own))))
    before = replace(world, own=own).decision
    then = replace(world, own=tuple(own[place] for place in places)).decision
    assert (answers(then), then.missing, then.fields) == (
        answers(before),
        before.missing,
        before.fields,
    )
    names = {f"ownFilters[{at}]": f"ownFilters[{place}]" for at, place in enumerate(places)}
    assert {names.get(each, each) for each in then.matched} == {*before.matched}
    assert [*_without_names(then)] == [*_without_names(before)]


def _without_names(decision: Decision) -> Iterator[tuple[object, ...]]:
    for each in decision.reasons:
        yield each.rule, re.sub(r"ownFilters\[\d\]", "an own one", each.message), each.settings


@settings(max_examples=50)
@given(worlds())
def test_what_would_tell_is_named_where_something_is_not_known_and_only_there(
    world: World,
) -> None:
    decision = world.decision
    assert (None in answers(decision)) is bool(decision.missing)
    for name in decision.missing:
        assert name not in world.item.record.columns


@settings(max_examples=50)
@given(worlds())
def test_every_reason_is_a_rule_and_they_come_in_order(world: World) -> None:
    order = [*RULES.values()]
    places = [order.index(each.rule) for each in world.decision.reasons]
    assert places == sorted(places)
    for field in world.decision.fields:
        assert {each.rule for each in field.reasons} <= {*order}


@settings(max_examples=50)
@given(worlds(), st.data())
def test_what_an_answer_depends_on_is_named(world: World, data: st.DataObject) -> None:
    changes: list[Event] = [*SWITCHES, *map(off, world.filters)]
    change = data.draw(st.sampled_from(changes))
    before = world.decision
    then = decided(world.item, *world.events, change, user=world.user)
    if answers(before) != answers(then):
        named = {name for one in (before, then) for each in one.reasons for name in each.settings}
        assert change.setting in named


moments = st.builds(
    lambda year, rest, zone: datetime(year, 1, 1, tzinfo=zone) + rest,
    st.sampled_from(YEARS) | st.sampled_from([YEARS[0], YEARS[-1]]),
    st.timedeltas(timedelta(0), timedelta(days=364)),
    st.timezones(),
)


@settings(max_examples=50)
@given(worlds(), moments, st.timezones())
def test_no_time_and_no_zone_is_an_accident(world: World, now: datetime, zone: tzinfo) -> None:
    rules = SyncRules(under(*world.events), replace(world.user, zone=zone), now)
    assert rules.decide(world.item) == rules.decide(world.item)
    starts = item(BOOKING, starttime="2026-03-03", endtime="2026-03-04T09:00:00")
    assert rules.decide(starts).to_crm is False


@settings(max_examples=50)
@given(worlds(), st.data())
def test_text_of_no_value_is_an_error_at_most(world: World, data: st.DataObject) -> None:
    wrong = {name: data.draw(st.none() | st.text()) for name in world.item.record.columns}
    broken = replace(world.item, record=replace(world.item.record, columns=wrong))
    with suppress(ValueError):
        assert replace(world, item=broken).decision


BENS = Group(conditions=(Condition(column="ownerid", operator="eq", values=(BEN,)),))
CHOSEN = {
    "none": ((), {ADA: 0, BEN: 0, None: 0}),
    "one": ((MINE,), {ADA: 2, BEN: 0, None: 1}),
    "many": ((MINE, BENS), {ADA: 2, BEN: 2, None: 1}),
}
"""Filters, and how they choose by owner; None: not known."""
ASSIGNED = {None: 2, KEPT: 2, replace(KEPT, recipients=2): 0, replace(KEPT, recipients=None): 1}
"""How each assignment is let through while the switch is on; None: it is not assigned."""
STATES = {"0": 2, "1": 0, None: 1}
"""How each state of an appointment takes changes; None: not known."""


@pytest.mark.parametrize("kind", RECORD_KINDS)
@pytest.mark.parametrize("filters", CHOSEN)
def test_answers_are_the_least_of_what_must_hold_and_the_most_of_what_may(
    kind: SyncItemType, filters: str
) -> None:
    asked, chosen = CHOSEN[filters]
    given = [system(f"k{at}", kind, each) for at, each in enumerate(asked)]
    assignments = ASSIGNED if kind in BECOME_TASKS else [None]
    for owner, state, assignment in product(chosen, STATES, assignments):
        held = {"ownerid": owner, "statecode": state}
        known = {name: text for name, text in held.items() if text is not None}
        for linked, attached, files, tasks in product((False, True), repeat=4):
            gate = ASSIGNED[assignment] if tasks and kind is TASK else 0
            gate = 2 if assignment is None else gate
            going = min(gate, chosen[owner])
            coming = min(gate, 2 * linked, STATES[state] if kind in {APPOINTMENT, SERIES} else 2)
            coming = 0 if kind is SERVICE else coming
            travels = attached and files and kind is APPOINTMENT
            of = item(kind, linked=linked, attached=attached, assignment=assignment, **known)
            on = [each for each, so in ((ATTACHMENTS_ON, files), (TASKS_ON, tasks)) if so]
            found = ranks(decided(of, *given, *on))
            assert found == [going, coming, max(going, coming) if travels else 0], of
