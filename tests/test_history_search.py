"""What a search finds, beside a plain list of everything; and the plans by which it finds it."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import NamedTuple

import pytest
import pytest_asyncio
from conftest import TEMPLATE, Cluster, Place, Process, ask, enter_process, register
from given import ADMINISTRATOR, ALICE, BOB, CAROL
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actor import Actor, SecurityRole
from domain.environment import Command, sentence
from domain.field_mappings import ChooseSyncDirection, RestoreSyncDirections
from domain.lifecycle import RenameEnvironment
from domain.mapping_table import SyncDirection
from domain.membership import GrantRole
from domain.switches import SwitchAssignedTasks, SwitchResourceBookings
from eventstore.database import Database, Row
from projections import sources
from projections.history import Happened, between, search
from projections.history import Place as Somewhere
from projections.sources import Filter, Walk
from projections.statements import SQL

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

HOUR = timedelta(hours=1)
KEYS = ["alpha", "beta", "gamma"]
CARL = Actor(handle=BOB)
COMMANDS: tuple[Command, ...] = (
    SwitchAssignedTasks(on=True),
    ChooseSyncDirection(mapping="contact.notes", direction=SyncDirection.NONE),
    SwitchResourceBookings(on=True),
    ChooseSyncDirection(mapping="task.subject", direction=SyncDirection.TO_EXCHANGE),
    RenameEnvironment(name="100% GRÖSSE_\\"),
    RestoreSyncDirections(),
    SwitchAssignedTasks(on=False),
    SwitchResourceBookings(on=False),
    RenameEnvironment(name="Contoso"),
)
REASONS = ("Ticket 1", None, "TICKET 2: größe", "as agreed: 100%", "for the tasks", None)


class Told(NamedTuple):
    happened: Happened
    reason: str | None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(cluster: Cluster) -> AsyncIterator[Place]:
    name = f"search_{secrets.token_hex(6)}"
    await cluster.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    yield Place(cluster, name)
    await cluster.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process(place: Place) -> AsyncIterator[Process]:
    async with AsyncExitStack() as stack:
        made = await enter_process(stack, place.dsn)
        await register(made, *KEYS)
        await asyncio.gather(*(_fill(made, key) for key in KEYS))
        await made.projector.catch_up()
        yield made


async def _fill(process: Process, key: str) -> None:
    """Change sets of one to three changes, by two people, some for a reason."""
    grant = GrantRole(principal=BOB, role=SecurityRole.SYSTEM_ADMINISTRATOR)
    await ask(process, grant, environment=key)
    for number in range(18):
        some = COMMANDS[number % 3 * 3 : number % 3 * 3 + 3][: 1 + number % 4]
        await ask(
            process,
            *some,
            actor=CARL if number % 3 else ADMINISTRATOR,
            environment=key,
            reason=REASONS[number % len(REASONS)],
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everything(process: Process) -> list[Told]:
    """Oldest first, read from the logs themselves."""
    told: list[Told] = []
    for key in KEYS:
        async for change_set in process.log.since(key, 0):
            first = change_set.changes[0].recorded.position
            stored = await process.log.stored([(key, first)])
            reason = stored[key, first].reason
            told += [Told(Happened(key, change), reason) for change in change_set.changes]
    return sorted(told, key=lambda each: each.happened.place)


def fits(each: Told, narrowed: Filter) -> bool:
    recorded, setting, *_ = each.happened.change
    wanted = narrowed.setting
    beginning = wanted is not None and wanted.endswith((":", "."))
    texts = (sentence(recorded.event), setting, each.reason or "")
    return (
        narrowed.by in {None, recorded.actor}
        and (wanted in {None, setting} or (beginning and setting.startswith(str(wanted))))
        and narrowed.type in {None, recorded.event.wire_name}
        and (narrowed.since is None or recorded.at >= narrowed.since)
        and (narrowed.until is None or recorded.at < narrowed.until)
        and (narrowed.text is None or any(narrowed.text.lower() in text.lower() for text in texts))
    )


class Case(NamedTuple):
    """`times`, `ends`: numbers of changes, whose time or place narrows."""

    keys: list[str]
    narrowed: Filter
    times: tuple[int | None, int | None]
    ends: tuple[int | None, int | None]
    walk: Walk


def numbers() -> st.SearchStrategy[int | None]:
    return st.one_of(st.none(), st.none(), st.none(), st.integers(0, 150))


NOTHING = [None] * 4

FILTERS = st.builds(
    Filter,
    by=st.sampled_from([*NOTHING, ALICE, BOB, CAROL]),
    setting=st.sampled_from(
        [None] * 4 + ["assignedTasks", "fieldMapping:", "fieldMapping:task.", f"role:{BOB}", "x"]
    ),
    type=st.sampled_from([*NOTHING, "environment_renamed.v1", "sync_direction_chosen.v1"]),
    text=st.sampled_from(
        [
            *NOTHING,
            *NOTHING,
            "ticket",
            "TICKET 2",
            "Größe",
            "%",
            "100%",
            "_\\",
            "asks",
            "tasks",
            "zq",
            "notes",
        ]
    ),
)
CASES = st.builds(
    Case,
    st.sampled_from([KEYS, KEYS[::-1], KEYS[1:], KEYS[:1], []]),
    FILTERS,
    st.tuples(numbers(), numbers()),
    st.tuples(numbers(), numbers()),
    st.builds(Walk, st.booleans(), st.sampled_from([1, 2, 7, 1_000])),
)


def cases(count: int) -> list[Case]:
    found: list[Case] = []

    @settings(max_examples=count, deadline=None, database=None, derandomize=True)
    @given(CASES)
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def bounds(case: Case, everything: list[Told]) -> list[Somewhere | None]:
    return [
        None if end is None else everything[end % len(everything)].happened.place
        for end in case.ends
    ]


async def walked(process: Process, case: Case, everything: list[Told]) -> list[Happened]:
    """From page to page, from one end to the other."""
    heads = {key: (await process.log.tip(key)).position for key in case.keys}
    above, below = bounds(case, everything)
    found: list[Happened] = []
    while True:
        stretches = await between(process.database, heads, above, below)
        page = await search(process.database, stretches, case.narrowed, case.walk)
        assert len(page) <= case.walk.limit
        found += page
        if len(page) < case.walk.limit:
            return found
        above, below = (
            (above, page[-1].place) if case.walk.newest_first else (page[-1].place, below)
        )


@pytest.mark.parametrize(("probes", "reasons"), [(500, 1_000), (500, 2), (3, 1_000), (0, 0)])
async def test_every_filter_gives_what_a_plain_list_gives_however_it_is_paged(
    process: Process,
    everything: list[Told],
    monkeypatch: pytest.MonkeyPatch,
    probes: int,
    reasons: int,
) -> None:
    """Also where there are more deeds or reasons than are looked for one by one."""
    monkeypatch.setattr(sources, "MOST_PROBES", probes)
    monkeypatch.setattr(sources, "MOST_REASONS", reasons)
    found = 0
    for made in cases(120):
        since, until = (
            None if time is None else everything[time % len(everything)].happened.place.at
            for time in made.times
        )
        case = made._replace(narrowed=replace(made.narrowed, since=since, until=until))
        above, below = bounds(case, everything)
        expected = [
            each.happened
            for each in everything
            if each.happened.environment in case.keys
            and (above is None or each.happened.place > above)
            and (below is None or each.happened.place < below)
            and fits(each, case.narrowed)
        ]
        if case.walk.newest_first:
            expected.reverse()
        assert await walked(process, case, everything) == expected, case
        found += bool(expected)
    assert found > 30


LONG = [f"long-{number}" for number in range(10)]
LENGTH = 5_000
MANY = """
SET search_path = syncledger;
ALTER TABLE events DISABLE TRIGGER ALL;
CREATE TEMPORARY TABLE filled AS
SELECT 'long-' || log AS environment, at AS position, (at - 1) / 5 * 5 + 1 AS change_set,
       '2026-01-01'::timestamptz + ((at - 1) / 5 * 10 + log) * interval '1 s' AS recorded_at,
       1 + at % 36 AS like_position
FROM generate_series(0, 9) AS log, generate_series(1, 5000) AS at;
INSERT INTO events
SELECT filled.environment, filled.position, filled.change_set, type, payload, actor, NULL,
       filled.recorded_at, seal
FROM filled JOIN events ON events.environment = 'alpha' AND events.position = like_position;
INSERT INTO changes
SELECT filled.environment, filled.position, filled.change_set, deed, actor, filled.recorded_at,
       before, after
FROM filled JOIN changes ON changes.environment = 'alpha' AND changes.position = like_position;
INSERT INTO remarks
SELECT environment, change_set, 'Ticket ' || change_set, decode(repeat('00', 32), 'hex')
FROM filled WHERE position = change_set;
ANALYZE;
"""
"""Ten long logs, of what happened in one that is not."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full(place: Place, process: Process) -> Process:
    """Rows as of ten long logs, and what Postgres knows of tables so long."""
    await place.as_superuser(MANY)
    return process


def nodes(plan: object) -> Iterator[tuple[str, str]]:
    """The kind and the table of everything in a plan."""
    if isinstance(plan, dict):
        yield str(plan.get("Node Type")), str(plan.get("Relation Name"))
        yield from (each for inner in plan.get("Plans", ()) for each in nodes(inner))


async def test_no_page_of_a_history_reads_a_long_table_from_end_to_end(
    full: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []
    fetch = Database.fetch

    async def told(self: Database, sql: str, *arguments: object) -> list[Row]:
        if sql in SQL.values():  # and not what the log is asked meanwhile
            asked.append((sql, arguments))
        return await fetch(self, sql, *arguments)

    monkeypatch.setattr(Database, "fetch", told)
    half = (
        await search(
            full.database,
            await between(full.database, {LONG[0]: LENGTH // 2}),
            Filter(),
            Walk(newest_first=True, limit=1),
        )
    )[0].place
    narrowed = [
        Filter(by=by, setting=setting, type=type_, text=text, since=since, until=until)
        for by, setting, type_, text, (since, until) in product(
            [None, ALICE, CAROL],
            [None, "assignedTasks", "filter:"],
            [None, "filter_defined.v1"],
            [None, "ticket", "ticket 4711", "assigned", "nowhere", "zq"],
            [(None, None), (half.at - HOUR, None), (None, half.at - HOUR)],
        )
    ]
    for each, keys, newest_first in product(narrowed, ([LONG[3]], LONG), (True, False)):
        stretches = await between(full.database, dict.fromkeys(keys, LENGTH), None, half)
        await search(full.database, stretches, each, Walk(newest_first, 51))
    for sql, arguments in asked:
        ((plan,),) = await fetch(full.database, f"EXPLAIN (FORMAT JSON) {sql}", *arguments)
        used = {*nodes(json.loads(plan)[0]["Plan"])}
        for table in ("changes", "events", "remarks"):
            assert ("Seq Scan", table) not in used, (sql, arguments)
    assert len({sql for sql, _ in asked}) == 9
