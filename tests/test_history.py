"""Ten thousand changes in twenty environments, and a plain list of them beside what is answered."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta, timezone
from itertools import cycle, islice
from typing import NamedTuple

import pytest
import pytest_asyncio
from conftest import Cluster
from edge import (
    ADA,
    AUDREY,
    BEN,
    CARL,
    NOBODY,
    PAULA,
    WORKER,
    Edge,
    Person,
    at,
    codes,
    list_at,
    opened,
    text_at,
    whole_at,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from api.pages import cursor
from api.scalars import written
from domain.environment import Command, sentence
from domain.field_mappings import ChooseSyncDirection, RestoreSyncDirections
from domain.lifecycle import RenameEnvironment
from domain.mapping_table import SyncDirection
from domain.membership import PREFIX
from domain.switches import (
    ChooseMailingAddresses,
    MailingAddresses,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.warning import WarningCode

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

ENVIRONMENTS = [f"busy-{number}" for number in range(20)]
CHANGES = 500
HISTORY = """query (
  $key: String!, $first: Int, $after: String, $last: Int, $before: String,
  $order: ChangeOrder!, $filter: ChangeFilter
) {
  environment(key: $key) { history(
    first: $first, after: $after, last: $last, before: $before, order: $order, filter: $filter
  ) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { position } }
    nodes { id position at by { id } reason type setting before after summary payload seal
      environment { key } }
  } }
}"""
NEWEST, OLDEST = "NEWEST_FIRST", "OLDEST_FIRST"


def choose(mapping: str, direction: SyncDirection) -> Command:
    return ChooseSyncDirection(mapping=mapping, direction=direction)


THERE_AND_BACK: tuple[Command, ...] = (
    SwitchAssignedTasks(on=True),
    choose("contact.notes", SyncDirection.NONE),
    choose("contact.pager", SyncDirection.TO_CRM),
    SwitchResourceBookings(on=True),
    choose("task.subject", SyncDirection.TO_EXCHANGE),
    ChooseMailingAddresses(
        choice=MailingAddresses.ALL_THREE,
        acknowledged=frozenset({WarningCode.ADDRESSES_CAN_LOSE_DATA}),
    ),
    SwitchAppointmentAttachments(on=True),
    RestoreSyncDirections(),
    SwitchAssignedTasks(on=False),
    SwitchResourceBookings(on=False),
    ChooseMailingAddresses(choice=MailingAddresses.MAILING_ONLY),
    SwitchAppointmentAttachments(on=False),
)
"""Twelve commands, fourteen changes."""


class Told(NamedTuple):
    """One change as the API tells it."""

    position: int
    at: str
    by: str
    reason: str | None
    type: str
    setting: str
    before: str | None
    after: str | None
    summary: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    async for made in opened(cluster, tmp_path_factory):
        await asyncio.gather(*(fill(made, key) for key in ENVIRONMENTS))
        yield made


async def fill(edge: Edge, key: str) -> None:
    await edge.open(key)
    commands = cycle(THERE_AND_BACK)
    for number in range(9):
        person, reason = ((CARL, f"Ticket {number}"), (ADA, None))[number % 2]
        if number == 5:
            await edge.change(ADA, RenameEnvironment(name=f"Busy {key}"), key=key)
        await edge.change(person, *islice(commands, 48), key=key, reason=reason)


async def plain(edge: Edge, key: str) -> list[Told]:
    """Every change, oldest first, read from the log itself."""
    told: list[Told] = []
    async for change_set in edge.rooms.log.since(key, 0):
        first = change_set.changes[0].recorded.position
        stored = await edge.rooms.log.stored([(key, first)])
        for change in change_set.changes:
            fact, setting = change.recorded, change.setting
            (by,) = await edge.rooms.principals.of([fact.actor])
            if setting.startswith(PREFIX):
                handle = getattr(fact.event, "principal")  # noqa: B009 -- of two classes
                (whose,) = await edge.rooms.principals.of([handle])
                setting = f"{PREFIX}{whose.provider_id}"
            told.append(
                Told(
                    fact.position,
                    written(fact.at),
                    str(by.provider_id),
                    stored[key, first].reason,
                    fact.event.wire_name,
                    setting,
                    change.before,
                    change.after,
                    sentence(fact.event),
                )
            )
    return told


async def page(edge: Edge, key: str, order: str = NEWEST, **asked: object) -> object:
    data = await edge.data(AUDREY, HISTORY, {"key": key, "order": order, **asked})
    return at(data, "environment.history")


def told(page: object) -> list[Told]:
    return [
        Told._make(at(node, "by.id" if name == "by" else name) for name in Told._fields)
        for node in list_at(page, "nodes")
    ]


async def everything(edge: Edge, key: str, order: str, **asked: object) -> list[Told]:
    """A history walked from page to page."""
    found: list[Told] = []
    place: object = None
    while True:
        one = await page(edge, key, order, first=200, after=place, **asked)
        found += told(one)
        if not at(one, "pageInfo.hasNextPage"):
            return found
        place = at(one, "pageInfo.endCursor")


@pytest.mark.unwatched
async def test_a_history_is_the_log_told_from_either_end(edge: Edge) -> None:
    total = 0
    for key in ENVIRONMENTS:
        expected = await plain(edge, key)
        total += len(expected)
        assert len(expected) >= CHANGES
        assert await everything(edge, key, OLDEST) == expected
        assert await everything(edge, key, NEWEST) == expected[::-1]
        assert at(await page(edge, key), "totalCount") == len(expected)
    assert total >= 10_000


async def test_a_change_is_told_in_full_and_is_a_node(edge: Edge) -> None:
    one = await page(edge, ENVIRONMENTS[0], first=1)
    (node,) = list_at(one, "nodes")
    assert at(node, "environment.key") == ENVIRONMENTS[0]
    assert len(text_at(node, "seal")) == 64
    assert text_at(node, "payload").startswith("{")
    again = await edge.data(
        WORKER,
        "query ($id: ID!) { node(id: $id) { ... on Change { position summary seal } } }",
        {"id": at(node, "id")},
    )
    assert at(again, "node") == {name: at(node, name) for name in ("position", "summary", "seal")}


def has(setting: str) -> Callable[[Told], bool]:
    return lambda each: each.setting == setting


FILTERS: dict[str, tuple[dict[str, object], Callable[[Told], bool]]] = {
    "by": ({"by": CARL.subject}, lambda each: each.by == CARL.subject),
    "setting": ({"setting": "assignedTasks"}, has("assignedTasks")),
    "a mapping": ({"setting": "fieldMapping:task.subject"}, has("fieldMapping:task.subject")),
    "all mappings": (
        {"setting": "fieldMapping:"},
        lambda each: each.setting.startswith("fieldMapping:"),
    ),
    "mappings of a type": (
        {"setting": "fieldMapping:contact."},
        lambda each: each.setting.startswith("fieldMapping:contact."),
    ),
    "a role": ({"setting": f"role:{WORKER.subject}"}, has(f"role:{WORKER.subject}")),
    "all roles": ({"setting": "role:"}, lambda each: each.setting.startswith("role:")),
    "the name": ({"setting": "environment.name"}, has("environment.name")),
    "type": (
        {"type": "sync_direction_restored.v1"},
        lambda each: each.type == "sync_direction_restored.v1",
    ),
    "text in the sentence": (
        {"text": "NOTES is not"},
        lambda each: "notes is not" in each.summary.lower(),
    ),
    "text in the reason": ({"text": "ticket 4"}, lambda each: each.reason == "Ticket 4"),
    "text in the key": ({"text": "bookings"}, lambda each: each.setting == "resourceBookings"),
    "several": (
        {"by": ADA.subject, "setting": "assignedTasks", "text": "turned off"},
        lambda each: (each.by, each.setting, each.after) == (ADA.subject, "assignedTasks", "false"),
    ),
    "nothing": ({}, lambda _each: True),
    "nobody": ({"by": NOBODY.subject}, lambda _each: False),
    "no such role": ({"setting": "role:nobody@nowhere"}, lambda _each: False),
    "every character is itself": ({"text": "%"}, lambda _each: False),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_a_filter_narrows_a_history_to_what_it_says(edge: Edge, name: str) -> None:
    asked, fits = FILTERS[name]
    for key in ENVIRONMENTS[:2]:
        expected = [each for each in await plain(edge, key) if fits(each)]
        for order, there in ((OLDEST, expected), (NEWEST, expected[::-1])):
            assert await everything(edge, key, order, filter=asked) == there
        counted = at(await page(edge, key, filter=asked), "totalCount")
        assert counted == (None if asked else len(expected))


async def test_a_history_is_narrowed_by_time_with_its_beginning_and_without_its_end(
    edge: Edge,
) -> None:
    key = ENVIRONMENTS[0]
    whole = await plain(edge, key)
    times = sorted({each.at for each in whole})
    for since, until in (
        (times[3], None),
        (None, times[3]),
        (times[2], times[5]),
        (times[5], times[2]),
    ):
        expected = [
            each
            for each in whole
            if (since is None or each.at >= since) and (until is None or each.at < until)
        ]
        asked = {"since": since, "until": until}
        assert await everything(edge, key, OLDEST, filter=asked) == expected


async def test_an_instant_with_another_offset_narrows_a_history_to_the_same_page(
    edge: Edge,
) -> None:
    key = ENVIRONMENTS[0]
    times = sorted({each.at for each in await plain(edge, key)})
    asked = {"since": times[2], "until": times[5]}
    there = timezone(timedelta(hours=2))
    elsewhere = {
        name: datetime.fromisoformat(time).astimezone(there).isoformat()
        for name, time in asked.items()
    }
    assert all(time.endswith("+02:00") for time in elsewhere.values())
    found = await page(edge, key, filter=elsewhere)
    assert told(found)
    assert found == await page(edge, key, filter=asked)


async def test_an_erased_person_is_found_by_the_handle_and_a_reason_no_more(edge: Edge) -> None:
    key = await edge.open()
    gone = Person("gone@contoso.example")
    handle = (await edge.actor(gone)).handle
    found = await page(edge, key, filter={"by": str(handle)})
    assert told(found) == []
    found = await page(edge, key, filter={"by": str((await edge.actor(ADA)).handle)})
    assert {each.by for each in told(found)} == {ADA.subject}
    await edge.change(CARL, SwitchAssignedTasks(on=True), key=key, reason="unrepeatable")
    assert len(told(await page(edge, key, filter={"text": "Unrepeatable"}))) == 1
    await edge.place.as_superuser("DELETE FROM syncledger.remarks WHERE text = 'unrepeatable'")
    assert told(await page(edge, key, filter={"text": "Unrepeatable"})) == []


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"filter": {"type": "unheard_of.v1"}}, "There is no event 'unheard_of.v1'"),
        ({"filter": {"setting": "unheardOf"}}, "There is no setting 'unheardOf'"),
        ({"filter": {"setting": "fieldMapping:contact.unheardOf"}}, "There is no setting"),
        ({"filter": {"setting": "fieldMapping:unheardOf."}}, "There is no setting"),
        ({"filter": {"setting": ""}}, "There is no setting ''"),
        ({"filter": {"text": ""}}, "A text has 1 to 255"),
        ({"filter": {"text": "x" * 256}}, "A text has 1 to 255"),
        ({"filter": {"by": ""}}, "A principal has 1 to 255"),
        ({"filter": {"since": "yesterday"}}, "An instant is ISO 8601"),
        ({"filter": {"since": "2026-03-03T09:00:00"}}, "with an offset"),
        ({"filter": {"since": 5}}, "An instant is ISO 8601"),
        ({"filter": {"until": "0001-01-01T00:00:00+14:00"}}, "An instant is ISO 8601"),
        ({"filter": {"text": "a\0b"}}, "U+0000"),
        ({"filter": {"unheardOf": "x"}}, "unheardOf"),
        ({"order": "SIDEWAYS"}, "SIDEWAYS"),
        ({"first": 201}, "0 to 200"),
        ({"first": 1, "last": 1}, "not for both"),
        ({"after": "garbage"}, "no cursor"),
        ({"after": cursor("contoso")}, "no cursor of a history"),
        ({"before": cursor("9" * 19)}, "no cursor of a history"),
        ({"before": cursor("-1")}, "no cursor of a history"),
    ],
)
async def test_what_cannot_be_asked_of_a_history_is_refused(
    edge: Edge, asked: dict[str, object], says: str
) -> None:
    variables = {"key": ENVIRONMENTS[0], "order": NEWEST, **asked}
    body = await edge.ask(AUDREY, HISTORY, variables)
    assert codes(body) == ["BAD_USER_INPUT"]
    assert says in text_at(body, "errors.0.message")


async def test_only_who_may_read_the_history_reads_it(edge: Edge) -> None:
    asked = {"key": ENVIRONMENTS[0], "order": NEWEST, "first": 1}
    for person in (ADA, CARL, AUDREY):
        assert told(at(await edge.data(person, HISTORY, asked), "environment.history"))
    for person in (WORKER, BEN, PAULA):
        body = await edge.ask(person, HISTORY, asked)
        assert codes(body) == ["FORBIDDEN"]
        assert at(body, "data.environment.history") is None
    assert await edge.data(NOBODY, HISTORY, asked) == {"environment": None}


async def test_what_was_just_written_is_in_the_history_at_once(edge: Edge) -> None:
    key = await edge.open()
    for number in range(10):
        done = await edge.change(CARL, SwitchAssignedTasks(on=number % 2 == 0), key=key)
        newest = told(await page(edge, key, first=1))
        assert newest[0].position == done.standing.position


class Walk(NamedTuple):
    order: str
    size: int
    backwards: bool
    filter: dict[str, object]


WALKS = st.builds(
    Walk,
    st.sampled_from([NEWEST, OLDEST]),
    st.integers(1, 9),
    st.booleans(),
    st.sampled_from([{}, {"setting": "assignedTasks"}, {"text": "turned off"}]),
)


async def walked(
    edge: Edge, key: str, walk: Walk, write: Callable[[], Awaitable[None]]
) -> list[int]:
    """The positions that a walk finds, while somebody writes between the first pages."""
    found: list[int] = []
    writes = 5
    place: object = None
    while True:
        asked: dict[str, object] = (
            {"last": walk.size, "before": place}
            if walk.backwards
            else {"first": walk.size, "after": place}
        )
        one = await page(edge, key, walk.order, filter=walk.filter, **asked)
        positions = [whole_at(edge, "node.position") for edge in list_at(one, "edges")]
        cursors = [at(edge, "cursor") for edge in list_at(one, "edges")]
        assert cursors == [cursor(str(position)) for position in positions]
        if positions:
            assert at(one, "pageInfo.startCursor") == cursors[0]
            assert at(one, "pageInfo.endCursor") == cursors[-1]
        found = [*positions, *found] if walk.backwards else [*found, *positions]
        more = at(one, f"pageInfo.has{'Previous' if walk.backwards else 'Next'}Page")
        if not more:
            return found
        place = cursors[0] if walk.backwards else cursors[-1]
        if writes:
            await write()
            writes -= 1


async def fitting(edge: Edge, key: str, asked: dict[str, object]) -> list[int]:
    return [
        each.position
        for each in await plain(edge, key)
        if asked.get("setting") in {None, each.setting}
        and str(asked.get("text", "")) in each.summary
    ]


@pytest.mark.unwatched
async def test_walking_a_history_while_writers_write_skips_and_doubles_nothing(edge: Edge) -> None:
    """Everything that was there at the beginning exactly once, in order; and of what came later
    either nothing or a run that begins right after it."""
    key = await edge.open()
    on = cycle([True, False])

    async def write() -> None:
        await edge.change(CARL, SwitchAssignedTasks(on=next(on)), key=key)

    for _ in range(15):
        await write()
    cases: list[Walk] = []

    @settings(max_examples=30, deadline=None, database=None, derandomize=True)
    @given(WALKS)
    def collect(walk: Walk) -> None:
        cases.append(walk)

    collect()
    for walk in cases:
        before = await fitting(edge, key, walk.filter)
        found = await walked(edge, key, walk, write)
        after = await fitting(edge, key, walk.filter)
        in_order = found if walk.order == OLDEST else found[::-1]
        assert in_order == after[: len(in_order)]
        assert in_order[: len(before)] == before


async def test_cursors_of_one_order_lead_on_in_the_other(edge: Edge) -> None:
    key = ENVIRONMENTS[0]
    middle = cursor("100")
    older = [each.position for each in told(await page(edge, key, NEWEST, first=5, after=middle))]
    newer = [each.position for each in told(await page(edge, key, OLDEST, first=5, after=middle))]
    assert older == [99, 98, 97, 96, 95]
    assert newer == [101, 102, 103, 104, 105]
    between = await page(edge, key, OLDEST, after=cursor("10"), before=cursor("15"))
    assert [each.position for each in told(between)] == [11, 12, 13, 14]
