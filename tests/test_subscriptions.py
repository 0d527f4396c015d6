import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from time import monotonic

import pytest
import pytest_asyncio
from edge import (
    ADA,
    AUDREY,
    BEN,
    CARL,
    KEY,
    NOBODY,
    PATIENCE,
    STAFFED,
    WORKER,
    Edge,
    Talk,
    at,
    list_at,
    opened,
    serving,
    whole_at,
)
from given import BEGUN
from gql import gql

from api.context import Context
from api.nodes import NodeId
from api.subscriptions import AccessChanged, Heartbeat, Lagged, follow
from domain.actor import SecurityRole
from domain.membership import GrantRole, RevokeRole
from domain.switches import SwitchAssignedTasks, SwitchResourceBookings

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

FEED = """subscription ($key: String!, $after: Int, $heartbeat: Int! = 15) {
  settingsFeed(environmentKey: $key, after: $after, heartbeatSeconds: $heartbeat) {
    __typename position
    ... on ChangeSetAppended {
      changeSet { firstPosition position by { id } changes { position setting after } }
      settings { id position assignedTasks { enabled } }
    }
    ... on Heartbeat { at }
    ... on AccessChanged { viewerRoles }
  }
}"""
ROLE = SecurityRole.AUDITOR


async def item(talk: Talk) -> object:
    said = await talk.hear()
    assert at(said, "type") == "next", said
    return at(said, "payload.data.settingsFeed")


async def items(talk: Talk, number: int) -> list[object]:
    return [await item(talk) for _ in range(number)]


async def test_past_change_sets_come_whole_and_in_order_then_a_heartbeat_then_live_ones(
    edge: Edge,
) -> None:
    key = await edge.open()
    await edge.change(CARL, SwitchAssignedTasks(on=True), SwitchResourceBookings(on=True), key=key)
    async with edge.talk(WORKER) as talk:
        await talk.subscribe("1", FEED, {"key": key, "after": 0})
        first, second, access, third, heartbeat = await items(talk, 5)
        assert at(access, "__typename") == "AccessChanged"
        ends = [at(each, "position") for each in (first, second, third)]
        assert ends == [BEGUN, STAFFED, STAFFED + 2]
        begins = [at(each, "changeSet.firstPosition") for each in (first, second, third)]
        assert begins == [1, BEGUN + 1, STAFFED + 1]
        for whole, begin, end in ((first, 1, BEGUN), (second, BEGUN + 1, STAFFED)):
            positions = [at(each, "position") for each in list_at(whole, "changeSet.changes")]
            assert positions == list(range(begin, end + 1))
        assert list_at(third, "changeSet.changes") == [
            {"position": STAFFED + 1, "setting": "assignedTasks", "after": "true"},
            {"position": STAFFED + 2, "setting": "resourceBookings", "after": "true"},
        ]
        then = NodeId("SynchronizationSettings", key, str(STAFFED))
        assert at(second, "settings.id") == then.opaque
        assert at(third, "settings.id") == NodeId("SynchronizationSettings", key).opaque
        assert at(second, "settings.assignedTasks.enabled") is False
        assert at(heartbeat, "__typename") == "Heartbeat"
        assert at(heartbeat, "position") == STAFFED + 2
        await edge.change(ADA, SwitchAssignedTasks(on=False), key=key)
        live = await item(talk)
        assert at(live, "changeSet.by.id") == ADA.subject
        assert at(live, "settings.assignedTasks.enabled") is False
        assert at(live, "position") == STAFFED + 3


async def test_a_feed_is_taken_up_again_after_any_position(edge: Edge) -> None:
    key = await edge.open()
    for on in (True, False, True):
        await edge.change(CARL, SwitchAssignedTasks(on=on), key=key)
    one, two, end = STAFFED + 1, STAFFED + 2, STAFFED + 3
    async with edge.talk(WORKER) as talk:
        for after, expected in (
            (BEGUN, [STAFFED, STAFFED, one, two, end]),
            (STAFFED, [one, two, end]),
            (one, [two, end]),
            (end, []),
            (None, []),
        ):
            await talk.subscribe(str(after), FEED, {"key": key, "after": after})
            told = await items(talk, len(expected) + 1)
            assert [at(each, "position") for each in told] == [*expected, end]
            assert at(told[-1], "__typename") == "Heartbeat"


async def test_nothing_is_missing_or_doubled_between_the_past_and_the_present(edge: Edge) -> None:
    key = await edge.open()

    async def write() -> None:
        for number in range(60):
            await edge.change(CARL, SwitchAssignedTasks(on=number % 2 == 0), key=key)

    writing = asyncio.create_task(write())
    seen: list[int] = []
    async with edge.talk(WORKER) as talk:
        await talk.subscribe("1", FEED, {"key": key, "after": STAFFED})
        while not seen or seen[-1] < STAFFED + 60:
            told = await item(talk)
            if at(told, "__typename") == "ChangeSetAppended":
                seen.append(whole_at(told, "position"))
    await writing
    assert seen == list(range(STAFFED + 1, STAFFED + 61))


async def test_the_gql_library_follows_the_feed(edge: Edge) -> None:
    key = await edge.open()
    asked = gql(FEED)
    asked.variable_values = {"key": key, "after": BEGUN}
    seen: list[object] = []
    async with edge.client(WORKER) as session:
        async for told in session.subscribe(asked):
            seen.append(at(told, "settingsFeed.position"))
            if len(seen) == 2:
                break
    assert seen == [STAFFED, STAFFED]


async def context(edge: Edge, person: object = WORKER) -> Context:
    viewer = await edge.rooms.principals.meet(getattr(person, "subject", ""))
    return Context(edge.rooms, viewer, platform_administrator=False)


async def test_a_heartbeat_comes_at_once_and_then_whenever_nothing_happened(edge: Edge) -> None:
    key = await edge.open()
    async with aclosing(follow(await context(edge), key, STAFFED, 0.05)) as feed:
        began = monotonic()
        beats = [await anext(feed) for _ in range(3)]
    assert all(isinstance(beat, Heartbeat) and beat.position == STAFFED for beat in beats)
    assert 0.09 < monotonic() - began < PATIENCE


async def test_one_who_reads_too_slowly_is_told_where_to_take_the_feed_up_again(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.subscriptions.MOST_BEHIND", 20)
    key = await edge.open()
    many = [SwitchAssignedTasks(on=number % 2 == 0) for number in range(15)]
    async with aclosing(follow(await context(edge), key, STAFFED, 15)) as feed:
        assert isinstance(await anext(feed), Heartbeat)
        for commands in (many, many[1:], many):
            await edge.change(CARL, *commands, key=key)
        rest = [each async for each in feed]
    assert isinstance(rest[-1], Lagged)
    last = rest[-1].position
    assert last == (rest[-2].position if len(rest) > 1 else STAFFED)
    end = (await edge.rooms.standings.catch_up(key)).position
    async with edge.talk(WORKER) as talk:
        await talk.subscribe("1", FEED, {"key": key, "after": last})
        told: list[object] = [await item(talk)]
        while at(told[-1], "__typename") != "Heartbeat":
            told.append(await item(talk))
    positions = [
        position
        for each in told[:-1]
        for position in range(
            whole_at(each, "changeSet.firstPosition"), whole_at(each, "position") + 1
        )
    ]
    assert positions == list(range(last + 1, end + 1))


async def test_a_client_that_does_not_read_holds_nothing_but_its_position(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.subscriptions.MOST_BEHIND", 50)
    key = await edge.open()
    wide = FEED.replace("position setting", "position payload summary setting ")
    many = [SwitchAssignedTasks(on=number % 2 == 0) for number in range(200)]
    async with edge.talk(WORKER) as talk:
        talk.connection.transport.pause_reading()
        await talk.subscribe("1", wide, {"key": key})
        for _ in range(40):
            await edge.change(CARL, *many, key=key)
            await asyncio.sleep(0)
        talk.connection.transport.resume_reading()
        said: list[object] = [await talk.hear()]
        while at(said[-1], "type") == "next":
            said.append(await talk.hear())
    assert at(said[-1], "type") == "complete"
    assert at(said[-2], "payload.data.settingsFeed.__typename") == "Lagged"
    assert len(json.dumps(said)) < 40 * 200 * 400


async def test_a_change_of_ones_own_roles_is_told_and_their_loss_ends_the_feed(
    edge: Edge,
) -> None:
    key = await edge.open()
    handle = (await edge.actor(WORKER)).handle
    async with edge.talk(WORKER) as talk:
        await talk.subscribe("1", FEED, {"key": key})
        assert at(await item(talk), "__typename") == "Heartbeat"
        began = monotonic()
        await edge.change(ADA, GrantRole(principal=handle, role=ROLE), key=key)
        granted, access = await items(talk, 2)
        assert monotonic() - began < 1
        assert at(granted, "__typename") == "ChangeSetAppended"
        assert access == {
            "__typename": "AccessChanged",
            "position": STAFFED + 1,
            "viewerRoles": ["AUDITOR", "SYNC_WORKER"],
        }
        await edge.change(ADA, RevokeRole(principal=handle, role=SecurityRole.SYNC_WORKER), key=key)
        assert at((await items(talk, 2))[1], "viewerRoles") == ["AUDITOR"]
        began = monotonic()
        await edge.change(ADA, RevokeRole(principal=handle, role=ROLE), key=key)
        assert at((await items(talk, 2))[1], "viewerRoles") == []
        assert await talk.hear() == {"type": "complete", "id": "1"}
        assert monotonic() - began < 1
        await edge.change(CARL, SwitchAssignedTasks(on=True), key=key)
        await talk.subscribe("2", FEED, {"key": key})
        assert at(await talk.hear(), "payload.0.extensions.code") == "BAD_USER_INPUT"


async def test_a_right_that_is_lost_ends_a_feed_that_is_still_in_the_past(edge: Edge) -> None:
    key = await edge.open()
    for number in range(5):
        await edge.change(CARL, SwitchAssignedTasks(on=number % 2 == 0), key=key)
    handle = (await edge.actor(WORKER)).handle
    async with aclosing(follow(await context(edge), key, STAFFED, 15)) as feed:
        assert (await anext(feed)).position == STAFFED + 1
        await edge.change(ADA, RevokeRole(principal=handle, role=SecurityRole.SYNC_WORKER), key=key)
        rest = [each async for each in feed]
    assert rest == [AccessChanged(position=STAFFED + 1, viewer_roles=[])]


async def test_roles_lost_and_given_back_in_the_past_do_not_end_the_feed(edge: Edge) -> None:
    key = await edge.open()
    handle = (await edge.actor(AUDREY)).handle
    await edge.change(ADA, RevokeRole(principal=handle, role=ROLE), key=key)
    await edge.change(ADA, GrantRole(principal=handle, role=ROLE), key=key)
    async with edge.talk(AUDREY) as talk:
        await talk.subscribe("1", FEED, {"key": key, "after": BEGUN})
        told = await items(talk, 7)
    assert [at(each, "__typename") for each in told] == [
        *["ChangeSetAppended", "AccessChanged"] * 3,
        "Heartbeat",
    ]


@pytest.mark.parametrize(
    ("person", "asked", "code", "says"),
    [
        (
            WORKER,
            {"after": STAFFED + 1},
            "BAD_USER_INPUT",
            f"beyond the end of the log at {STAFFED}",
        ),
        (WORKER, {"after": -1}, "BAD_USER_INPUT", "not -1"),
        (WORKER, {"after": 2**31}, "BAD_USER_INPUT", "32-bit"),
        (WORKER, {"heartbeat": 4}, "BAD_USER_INPUT", "5 to 300, not 4"),
        (WORKER, {"heartbeat": 301}, "BAD_USER_INPUT", "5 to 300, not 301"),
        (WORKER, {"heartbeat": None}, "BAD_USER_INPUT", "heartbeat"),
        (WORKER, {"key": "NO KEY"}, "BAD_USER_INPUT", "'NO KEY'"),
        (WORKER, {"key": "missing"}, "BAD_USER_INPUT", "no environment 'missing'"),
        (NOBODY, {}, "BAD_USER_INPUT", f"no environment '{KEY}'"),
        (NOBODY, {"after": 99}, "BAD_USER_INPUT", f"no environment '{KEY}'"),
        (BEN, {}, "FORBIDDEN", "FOLLOW_FEED"),
        (BEN, {"after": 99}, "FORBIDDEN", "FOLLOW_FEED"),
    ],
)
async def test_a_feed_that_cannot_be_followed_is_refused_with_the_reason(
    edge: Edge, person: object, asked: dict[str, object], code: str, says: str
) -> None:
    assert isinstance(person, type(BEN))
    async with edge.talk(person) as talk:
        await talk.subscribe("1", FEED, {"key": KEY, **asked})
        said = await talk.hear()
    assert at(said, "type") == "error"
    assert at(said, "payload.0.extensions.code") == code
    assert says in str(at(said, "payload.0.message"))


async def test_what_one_server_changes_is_followed_and_read_through_another(
    edge: Edge, tmp_path: Path
) -> None:
    key = await edge.open()
    delays = []
    async with serving(edge.place, tmp_path) as other, other.talk(WORKER) as talk:
        await talk.subscribe("1", FEED, {"key": key})
        assert at(await item(talk), "position") == STAFFED
        for number in range(10):
            await edge.change(CARL, SwitchAssignedTasks(on=number % 2 == 0), key=key)
            began = monotonic()
            assert at(await item(talk), "position") == STAFFED + 1 + number
            delays.append(monotonic() - began)
        query = f'{{ environment(key: "{key}") {{ position }} }}'
        assert await other.data(WORKER, query) == {"environment": {"position": STAFFED + 10}}
    assert max(delays) < 1, delays


async def feed_of(edge: Edge, key: str) -> AsyncIterator[object]:
    async with edge.talk(WORKER) as talk:
        await talk.subscribe("1", FEED, {"key": key})
        while True:
            yield await item(talk)


async def test_many_feeds_of_one_environment_are_told_the_same(edge: Edge) -> None:
    key = await edge.open()
    feeds = [feed_of(edge, key) for _ in range(8)]
    assert {at(await anext(feed), "position") for feed in feeds} == {STAFFED}
    await edge.change(CARL, SwitchAssignedTasks(on=True), key=key)
    assert {at(await anext(feed), "position") for feed in feeds} == {STAFFED + 1}
    for feed in feeds:
        await feed.aclose()  # type: ignore[attr-defined] # an asynchronous generator
