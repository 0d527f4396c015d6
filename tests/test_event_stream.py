"""Server-Sent Events: frames by the byte, ends, and taking up again; clients are elsewhere."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from edge import (
    ADA,
    BEN,
    CARL,
    KEY,
    PATIENCE,
    STAFFED,
    WORKER,
    Edge,
    Person,
    at,
    codes,
    opened,
    until,
)

from api import event_stream, presence
from domain.actor import SecurityRole
from domain.membership import RevokeRole
from domain.switches import SwitchAssignedTasks

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

FEED = """subscription Feed($key: String!, $after: Int) {
  settingsFeed(environmentKey: $key, after: $after) { __typename position } }"""
EVENTS = {"accept": "text/event-stream"}


@dataclass
class Stream:
    """The frames of one answer, as bytes."""

    answer: httpx.Response
    _chunks: AsyncIterator[bytes]
    _read: bytes = b""

    async def frame(self) -> bytes:
        """The next one, comments left out; empty at the end."""
        while True:
            whole, found, rest = self._read.partition(b"\n\n")
            if found:
                self._read = rest
                if not whole.startswith(b":"):
                    return whole
                continue
            async with asyncio.timeout(PATIENCE):
                more = await anext(self._chunks, None)
            if more is None:
                assert not self._read
                return b""
            self._read += more

    async def told(self) -> object:
        """What the next frame, a `next`, says in its data."""
        event, *lines = (await self.frame()).split(b"\n")
        assert event == b"event: next", event
        assert lines[-1].startswith(b"data: ")
        return json.loads(lines[-1].removeprefix(b"data: "))


@asynccontextmanager
async def streaming(
    edge: Edge,
    person: Person,
    document: str,
    variables: Mapping[str, object] | None = None,
    **headers: str,
) -> AsyncIterator[Stream]:
    async with edge.http.stream(
        "POST",
        "/graphql",
        json={"query": document, "variables": variables},
        headers={**edge.authorization(person), **EVENTS, **headers},
    ) as answer:
        yield Stream(answer, answer.aiter_raw())


async def test_a_query_is_one_next_and_complete(edge: Edge) -> None:
    async with streaming(edge, ADA, "{ __typename }") as stream:
        assert stream.answer.status_code == 200
        assert stream.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.answer.headers["cache-control"] == "no-store"
        assert stream.answer.headers["x-accel-buffering"] == "no"
        told = await stream.told()
        assert at(told, "data") == {"__typename": "Query"}
        assert at(told, "extensions.cost.requested") == 1
        assert await stream.frame() == b"event: complete\ndata:"
        assert await stream.frame() == b""


async def test_every_frame_of_a_feed_has_its_position_and_ends_in_line_feeds(edge: Edge) -> None:
    key = await edge.open()
    async with streaming(edge, WORKER, FEED, {"key": key, "after": 0}) as stream:
        frames = [await stream.frame() for _ in range(4)]
    assert all(frame.startswith(b"event: next\nid: ") for frame in frames)
    assert frames[-1] == (
        b"event: next\nid: %d\ndata: "
        b'{"data":{"settingsFeed":{"__typename":"Heartbeat","position":%d}}}' % (STAFFED, STAFFED)
    )
    assert not any(b"\r" in frame for frame in frames)


async def test_a_stream_is_taken_up_after_the_last_event_whatever_was_asked(edge: Edge) -> None:
    key = await edge.open()
    for on in (True, False):
        await edge.change(CARL, SwitchAssignedTasks(on=on), key=key)
    asked = {"key": key, "after": 0}
    last = {"last-event-id": str(STAFFED + 1)}
    async with streaming(edge, WORKER, FEED, asked, **last) as stream:
        first = at(await stream.told(), "data.settingsFeed")
        assert first == {"__typename": "ChangeSetAppended", "position": STAFFED + 2}
        assert at(await stream.told(), "data.settingsFeed.__typename") == "Heartbeat"
        await edge.change(CARL, SwitchAssignedTasks(on=True), key=key)
        assert at(await stream.told(), "data.settingsFeed.position") == STAFFED + 3


async def test_a_feed_comes_by_get_as_well(edge: Edge) -> None:
    async with edge.http.stream(
        "GET",
        "/graphql",
        params={"query": FEED, "variables": json.dumps({"key": KEY})},
        headers={**edge.authorization(WORKER), **EVENTS},
    ) as answer:
        stream = Stream(answer, answer.aiter_raw())
        assert at(await stream.told(), "data.settingsFeed.__typename") == "Heartbeat"


async def test_what_is_refused_while_it_runs_is_a_next_and_complete(edge: Edge) -> None:
    for person, key, code in ((BEN, KEY, "FORBIDDEN"), (WORKER, "missing", "BAD_USER_INPUT")):
        async with streaming(edge, person, FEED, {"key": key}) as stream:
            told = await stream.told()
            assert codes(told) == [code]
            assert await stream.frame() == b"event: complete\ndata:"
            assert await stream.frame() == b""
    async with streaming(edge, BEN, FEED, {"key": KEY}) as stream:
        told = await stream.told()
        assert at(told, "errors.0.extensions.needs") == "FOLLOW_FEED"
        roles = at(told, "errors.0.extensions.rolesThatMay")
        assert roles == ["SYSTEM_ADMINISTRATOR", "SYSTEM_CUSTOMIZER", "AUDITOR", "SYNC_WORKER"]


BAD = {
    "no token": ({}, {"query": "{ __typename }"}, 401, "UNAUTHENTICATED"),
    "not parsed": (None, {"query": "{"}, 400, "GRAPHQL_PARSE_FAILED"),
    "not valid": (None, {"query": "{ nobody }"}, 400, "GRAPHQL_VALIDATION_FAILED"),
    "no query": (None, {}, 400, "BAD_REQUEST"),
    "costly": (None, {"query": "{" + "__typename " * 60 + "}"}, 400, "TOO_COSTLY"),
    "no object": (None, [], 400, "BAD_REQUEST"),
    "after no position": ({"last-event-id": "x"}, {"query": "{ __typename }"}, 400, "BAD_REQUEST"),
    "after a negative position": (
        {"last-event-id": "-1"},
        {"query": "{ __typename }"},
        400,
        "BAD_REQUEST",
    ),
    "another type": (
        {"content-type": "text/plain"},
        {"query": "{ __typename }"},
        415,
        "BAD_REQUEST",
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_refused_before_it_runs_is_an_ordinary_answer(edge: Edge, name: str) -> None:
    headers, body, status, code = BAD[name]
    authorization = {} if headers == {} else edge.authorization(ADA)
    answer = await edge.http.post(
        "/graphql", json=body, headers={**authorization, **EVENTS, **(headers or {})}
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert codes(answer.json()) == [code]


async def test_after_a_position_beyond_the_end_the_feed_is_refused(edge: Edge) -> None:
    key = await edge.open()
    last = {"last-event-id": "999999999"}
    async with streaming(edge, WORKER, FEED, {"key": key}, **last) as stream:
        assert codes(await stream.told()) == ["BAD_USER_INPUT"]
        assert await stream.frame() == b"event: complete\ndata:"


async def test_a_head_and_a_mutation_by_get_have_no_stream(edge: Edge) -> None:
    mutation = 'mutation { archiveEnvironment(input: { environmentKey: "x" }) { __typename } }'
    for method, document in (("HEAD", "{ __typename }"), ("GET", mutation)):
        answer = await edge.http.request(
            method,
            "/graphql",
            params={"query": document},
            headers={**edge.authorization(ADA), **EVENTS},
        )
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]


async def test_a_mutation_streams_its_answer(edge: Edge) -> None:
    mutation = f"""mutation {{ changeSettings(input: {{ environmentKey: "{KEY}",
      changes: [{{ assignedTasks: {{ enabled: true }} }}] }}) {{ __typename }} }}"""
    async with streaming(edge, CARL, mutation) as stream:
        assert at(await stream.told(), "data.changeSettings.__typename") == "SettingsChanged"
        assert await stream.frame() == b"event: complete\ndata:"


async def test_a_comment_comes_at_once_and_whenever_nothing_else_does(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "SECONDS_BETWEEN_PINGS", 0.05)
    async with streaming(edge, WORKER, FEED, {"key": KEY}) as stream:
        chunks = stream.answer.aiter_raw()
        said = b""
        async with asyncio.timeout(PATIENCE):
            while said.count(b":\n\n") < 4:
                said += await anext(chunks)
    assert said.startswith(b":\n\n")
    assert said.count(b"event: next\n") == 1


async def test_a_stream_ends_without_complete_when_its_token_expires(edge: Edge) -> None:
    token = edge.issuer.token(WORKER.subject, lifetime=timedelta(seconds=2))
    bearer = {"authorization": f"Bearer {token}"}
    async with streaming(edge, WORKER, FEED, {"key": KEY}, **bearer) as stream:
        assert at(await stream.told(), "data.settingsFeed.__typename") == "Heartbeat"
        assert await stream.frame() == b""


async def test_a_right_that_is_lost_ends_the_stream_with_complete(edge: Edge) -> None:
    key = await edge.open()
    handle = (await edge.actor(WORKER)).handle
    async with streaming(edge, WORKER, FEED, {"key": key}) as stream:
        assert at(await stream.told(), "data.settingsFeed.__typename") == "Heartbeat"
        lost = RevokeRole(principal=handle, role=SecurityRole.SYNC_WORKER)
        await edge.change(ADA, lost, key=key)
        async with asyncio.timeout(1):
            kinds = [at(await stream.told(), "data.settingsFeed.__typename") for _ in range(2)]
            assert kinds == ["ChangeSetAppended", "AccessChanged"]
            assert await stream.frame() == b"event: complete\ndata:"


async def test_a_client_that_goes_leaves_nothing_behind(edge: Edge) -> None:
    running = edge.entrance.metrics.subscriptions._value
    before = running.get()
    async with streaming(edge, WORKER, FEED, {"key": KEY}) as stream:
        await stream.told()
        assert running.get() == before + 1
    await until(lambda: running.get() == before)
    await until(lambda: WORKER.subject not in edge.entrance.presence._streams)


async def test_a_principal_has_so_many_streams_and_sockets_together(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "MOST_STREAMS", 2)
    async with streaming(edge, WORKER, FEED, {"key": KEY}) as stream, edge.talk(WORKER):
        await stream.told()
        async with streaming(edge, WORKER, FEED, {"key": KEY}) as refused:
            assert refused.answer.status_code == 429
        async with edge.raw() as talk:
            await talk.say(type="connection_init", payload=edge.authorization(WORKER))
            assert (await talk.closed())[0] == 4429
        async with edge.talk(CARL):
            pass
    await until(lambda: WORKER.subject not in edge.entrance.presence._streams)
    async with edge.talk(WORKER):
        pass


async def test_a_client_that_is_gone_before_its_stream_begins_has_no_place(edge: Edge) -> None:
    """The server calls the response all the same; it is told of the end before it sends."""
    identity = await edge.entrance.identify(edge.authorization(WORKER)["authorization"])
    paid = edge.entrance.read(identity, {"query": "{ __typename }"})
    context = await edge.entrance.context(identity)
    answers = edge.entrance.answers(paid, context, {})
    places = edge.entrance.presence
    response = event_stream.EventStream(answers, places, identity)
    assert places._streams[WORKER.subject] == 1

    async def gone() -> MutableMapping[str, object]:
        return {"type": "http.disconnect"}

    async def send(_message: MutableMapping[str, object]) -> None:
        await asyncio.Event().wait()

    await response({"type": "http", "asgi": {"spec_version": "2.3"}}, gone, send)
    assert WORKER.subject not in places._streams
