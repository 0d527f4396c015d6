"""`decisions`: what a sync worker does with items, in the library and over HTTP, beside limits.

Law: under five system filters of each table and the templates; every item is chosen as its filters
alone say, some are and some are not, before anything is measured.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from random import Random

from bench.edge import KEYS, Edge, beside_static, edge
from bench.ground import placed
from bench.match import NOW, OTHER, TEAM, USER
from bench.measure import Act, Figure, Options, drive, interleaved, rates
from bench.servers import answered, question
from bench.wire import https
from domain.environment import Environment, Event, evolve
from domain.filters.catalogue import CATALOGUE
from domain.filters.criteria import Condition, Criteria, Group, GroupOperator, Link
from domain.filters.facts import FilterDefined
from domain.filters.lifecycle import beginning
from domain.filters.matching import Matcher
from domain.filters.records import Record, Verdict, any_of
from domain.filters.state import FilterKind, FilterRole, canonical_text
from domain.filters.viewpoint import Viewpoint
from domain.filters.windows import Clock
from domain.lifecycle import EnvironmentKind, EnvironmentRegistered
from domain.switches import (
    AppointmentAttachmentsSwitched,
    AssignedTasksSwitched,
    ResourceBookingsSwitched,
)
from domain.sync_items import Assignment, Item, SyncItemType
from domain.sync_items import User as Whose
from domain.sync_rules import SyncRules

ITEMS, BATCH = 2_000, 100
WHOSE = Whose(id=USER, teams=frozenset({TEAM}), booking_opt_in=True, language=1033)
ON: tuple[Event, ...] = (
    AppointmentAttachmentsSwitched(on=True),
    AssignedTasksSwitched(on=True),
    ResourceBookingsSwitched(on=True),
)
KEPT = Assignment(
    recurring=False,
    recipients=1,
    same_organization=True,
    keeps_updated_copy=True,
    reports_status=True,
    tracked_offline=False,
)
KINDS = {
    SyncItemType.CONTACT: 40,
    SyncItemType.APPOINTMENT: 25,
    SyncItemType.TASK: 20,
    SyncItemType.PHONE_CALL: 10,
    SyncItemType.RESOURCE_BOOKING: 5,
}
"""How many in a hundred."""
DECIDE = """
query ($key: String!, $items: [SyncItemInput!]!, $user: SyncUserInput!, $now: DateTime!) {
  environment(key: $key) {
    settings {
      syncDecisions(items: $items, user: $user, now: $now) {
        toExchange toCrm attachments reasons { rule } matchedFilters %s
      }
    }
  }
}
"""
ASKED = {"answers": "", "answers and fields": "fields { mapping { mapping } direction }"}


def _is(column: str, operator: str, *values: str) -> Condition:
    return Condition(column=column, operator=operator, values=values)


ATTENDING = Link(
    table="activityparty",
    from_column="activityid",
    to_column="activityid",
    criteria=Group(
        conditions=(_is("partyid", "eq-userid"), _is("participationtypemask", "in", "5", "6"))
    ),
)


def _groups(table: str) -> Iterator[Group]:
    """What five administrators would ask of a table."""
    activity = "activityid" in CATALOGUE[table].columns
    name = "subject" if activity else "fullname"
    open_, lately = _is("statecode", "eq", "0"), _is("modifiedon", "last-x-days", "7")
    yield Group(conditions=(_is("ownerid", "eq-useroruserteams"), open_, lately))
    yield Group(
        conditions=(open_, _is("createdon", "last-x-days", "30"), _is(name, "like", "%contoso%"))
    )
    names = (_is(name, "begins-with", "VIP"), _is(name, "ends-with", "urgent"))
    either = Group(operator=GroupOperator.OR, conditions=names)
    yield Group(conditions=(_is("statecode", "in", "0", "3"),), groups=(either,))
    since = _is("createdon", "on-or-after", "2026-01-01")
    yield Group(conditions=(_is("ownerid", "eq-userid"), _is("statuscode", "in", "1", "2"), since))
    if activity:
        yield Group(conditions=(open_, _is("createdon", "this-year")), links=(ATTENDING,))
    else:
        yield Group(conditions=(open_, _is("address1_city", "in", "Berlin", "Hamburg", "Munich")))


def _filters() -> Iterator[FilterDefined]:
    for table in (name for name, each in CATALOGUE.items() if each.online):
        for number, group in enumerate(_groups(table)):
            yield FilterDefined(
                filter_key=f"{table}-{number}",
                role=FilterRole.SYSTEM_FILTER,
                kind=FilterKind.ONLINE,
                table=table,
                name=f"{CATALOGUE[table].plural} {number}",
                description="",
                active=True,
                fetch_xml=canonical_text(Criteria(table=table, group=group)),
            )


def _environment() -> Environment:
    first = EnvironmentRegistered(
        key=KEYS[0], name="Contoso", kind=EnvironmentKind.SANDBOX, catalogue=1
    )
    return reduce(evolve, (*beginning(), *_filters(), *ON), evolve(None, first))


def _items(chance: Random) -> Iterator[Item]:
    for number in range(ITEMS):
        (kind,) = chance.choices([*KINDS], [*KINDS.values()])
        task, meeting = kind is SyncItemType.TASK, kind is SyncItemType.APPOINTMENT
        yield Item(
            type=kind,
            record=_record(kind, f"ac710000-0000-4000-8000-{number:012}", chance),
            linked=chance.random() < 0.5,
            has_attachments=meeting and chance.random() < 0.2,
            assignment=KEPT if task and chance.random() < 0.1 else None,
        )


def _record(kind: SyncItemType, identifier: str, chance: Random) -> Record:
    def past(days: int) -> str:
        return (NOW - timedelta(seconds=chance.randint(0, days * 86_400))).isoformat()

    if kind is SyncItemType.RESOURCE_BOOKING:
        starts = NOW + timedelta(days=chance.randint(-5, 40))
        ends = starts + timedelta(hours=2)
        return Record(columns={"starttime": starts.isoformat(), "endtime": ends.isoformat()})
    held: dict[str, str | None] = {
        "ownerid": chance.choice((USER, OTHER, OTHER, TEAM)),
        "statecode": chance.choice(("0", "0", "0", "1")),
        "statuscode": chance.choice(("1", "2", "5")),
        "createdon": past(400),
        "modifiedon": past(60),
    }
    name = chance.choice(("Offer to Contoso", "VIP: Ann Smith", "Bob Miller", "Call back", "Visit"))
    if kind is SyncItemType.CONTACT:
        city = chance.choice(("Berlin", "Paris", "Rome", None))
        return Record(columns={**held, "fullname": name, "address1_city": city})
    parties = [
        Record(
            columns={
                "activityid": identifier,
                "partyid": chance.choice((USER, OTHER, OTHER)),
                "participationtypemask": chance.choice(("5", "6", "7")),
            }
        )
        for _ in range(chance.randint(1, 4))
    ]
    columns = {**held, "subject": name, "activityid": identifier}
    return Record(columns=columns, related={"activityparty": parties})


async def decisions(options: Options) -> AsyncIterator[Figure]:
    items = [*_items(Random(1))]
    with placed("measured"):
        yield await _in_the_library(items, options)
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(edge())
        await _defined(there)
        for name, more in ASKED.items():
            asked = [
                question(DECIDE % more, there.token, **_variables(key, items[at : at + BATCH]))
                for key, at in zip(KEYS, range(0, ITEMS, BATCH), strict=False)
            ]
            title = f"decisions, {name} of {BATCH} items"
            found = await beside_static(title, there.ours, there.bare, asked, options)
            rate = sorted(found.ours)[len(found.ours) // 2] * BATCH
            yield replace(found, more={**(found.more or {}), "decisions_per_s": round(rate)})


async def _in_the_library(items: Sequence[Item], options: Options) -> Figure:
    environment = _environment()
    rules = SyncRules(environment, WHOSE, NOW)
    matchers = _matchers(environment)

    def chosen(item: Item) -> Verdict:
        return any_of([each.matches(item.record) for each in matchers[item.table]])

    matched = [item for item in items if item.record_type is not None]
    verdicts = [*map(chosen, matched)]
    assert [rules.decide(item).to_exchange for item in matched] == verdicts
    assert {*verdicts} == {True, False}
    taken = await interleaved(
        options.rounds,
        {
            "ours": lambda: drive([_every(rules.decide, items)], options.seconds),
            "matchers": lambda: drive([_every(chosen, matched)], options.seconds),
        },
    )
    return Figure(
        name="decisions, in the library",
        unit="items/s",
        limit="the same filters asked of the same records, nothing else",
        ours=[rate * ITEMS for rate in rates(taken["ours"])],
        beside=[rate * ITEMS for rate in rates(taken["matchers"])],
        more={"going": verdicts.count(True) / len(matched)},
    )


def _matchers(environment: Environment) -> Mapping[str, Sequence[Matcher]]:
    clock = Clock(NOW)
    viewpoint = Viewpoint(user=USER, clock=clock, teams=WHOSE.teams, language=WHOSE.language)
    found: dict[str, list[Matcher]] = {}
    for table in CATALOGUE:
        active = [*environment.filters.active(FilterKind.ONLINE, table)]
        offered = environment.filters.offered(FilterKind.ONLINE, table)
        active += [] if offered is None else [offered]
        found[table] = [Matcher(each.criteria, viewpoint) for each in active]
    return found


async def _defined(there: Edge) -> None:
    asked = [
        {
            "defineFilter": {
                "role": each.role,
                "kind": each.kind,
                "table": each.table,
                "name": each.name,
                "criteria": {"fetchXml": each.fetch_xml},
            }
        }
        for each in _filters()
    ]
    async with https(there.ours.port, 1) as (connection,):
        for key in KEYS:
            await answered(connection, there.change(key, asked), b"SettingsChanged")


def _variables(key: str, items: Sequence[Item]) -> dict[str, object]:
    user = {"id": USER, "teams": [TEAM], "bookingOptIn": True, "language": 1033}
    asked = [_variable(item) for item in items]
    return {"key": key, "items": asked, "user": user, "now": NOW.isoformat()}


def _variable(item: Item) -> dict[str, object]:
    """With three columns, since variables have only so many values."""
    columns = [{"column": name, "value": text} for name, text in [*item.record.columns.items()][:3]]
    return {"type": item.type, "linked": item.linked, "columns": columns}


def _every[Asked](asks: Callable[[Asked], object], of: Sequence[Asked]) -> Act:
    async def every() -> None:
        for each in of:
            asks(each)

    return every
