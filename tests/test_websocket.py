import asyncio
import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from edge import ADA, CARL, KEY, STAFFED, WORKER, Edge, Talk, at, opened, serving, until
from gql import gql
from gql.transport.exceptions import TransportQueryError
from websockets.exceptions import InvalidStatus

from api import websocket
from api.limits import MOST_BYTES, MOST_OPERATIONS_ON_A_SOCKET, SECONDS_TO_CONNECTION_INIT

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

VIEWER = "{ viewer { principal { id } } }"
FEED = f'subscription {{ settingsFeed(environmentKey: "{KEY}") {{ __typename position }} }}'


async def test_another_protocol_or_none_is_closed_4406(edge: Edge) -> None:
    for subprotocol in (None, "graphql-ws"):
        if subprotocol is None:
            async with edge.raw(None) as talk:
                assert (await talk.closed())[0] == 4406
            continue
        async with edge.raw(subprotocol) as talk:
            assert await talk.closed() == (4406, "Speak graphql-transport-ws.")


async def test_who_says_nothing_is_closed_4408(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SECONDS_TO_CONNECTION_INIT == 3
    monkeypatch.setattr(websocket, "SECONDS_TO_CONNECTION_INIT", 0.1)
    async with edge.raw() as talk:
        await talk.say(type="ping")
        assert await talk.hear() == {"type": "pong"}
        assert await talk.closed() == (4408, "Connection initialisation timeout")
    async with edge.talk(ADA) as talk:
        await talk.subscribe("1", FEED)
        assert at(await talk.hear(), "payload.data.settingsFeed.__typename") == "Heartbeat"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(talk.connection.recv(), 0.2)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"payload": None},
        {"payload": {}},
        {"payload": {"authorization": None}},
        {"payload": {"authorization": 7}},
        {"payload": {"authorization": "Basic YTpi"}},
        {"payload": {"authorization": "Bearer x.y.z"}},
    ],
)
async def test_without_a_good_token_the_socket_is_closed_4403(
    edge: Edge, payload: dict[str, object]
) -> None:
    async with edge.raw() as talk:
        await talk.say(type="connection_init", **payload)
        code, reason = await talk.closed()
        assert code == 4403
        assert reason


async def test_the_name_of_the_authorization_counts_whatever_its_case(edge: Edge) -> None:
    async with edge.raw() as talk:
        token = edge.authorization(ADA)["authorization"]
        await talk.say(type="connection_init", payload={"Authorization": token})
        assert await talk.hear() == {"type": "connection_ack"}


async def test_a_socket_is_closed_when_its_token_expires(edge: Edge) -> None:
    token = edge.issuer.token(ADA.subject, lifetime=timedelta(seconds=2))
    async with edge.raw() as talk:
        await talk.say(type="connection_init", payload={"authorization": f"Bearer {token}"})
        assert await talk.hear() == {"type": "connection_ack"}
        code, reason = await talk.closed()
        assert code == 4403
        assert "expired" in str(reason)


async def test_an_id_in_use_is_closed_4409_and_is_free_again_after_its_end(edge: Edge) -> None:
    async with edge.talk(WORKER) as talk:
        for _ in range(2):
            await talk.subscribe("1", VIEWER)
            assert at(await talk.hear(), "type") == "next"
            assert await talk.hear() == {"type": "complete", "id": "1"}
        await talk.subscribe("ä" * 200, FEED)
        assert at(await talk.hear(), "type") == "next"
        await talk.subscribe("ä" * 200, FEED)
        assert (await talk.closed())[0] == 4409


async def test_one_operation_too_many_on_a_socket_is_refused_alone(edge: Edge) -> None:
    async with edge.talk(WORKER) as talk:
        for number in range(MOST_OPERATIONS_ON_A_SOCKET):
            await talk.subscribe(str(number), FEED)
        assert await fails(talk, "more", {"query": VIEWER}, skipping=True) == "RATE_LIMITED"
        await talk.say(type="complete", id="0")
        await talk.subscribe("again", VIEWER)
        while at(said := await talk.hear(), "id") != "again":
            pass
        assert at(said, "payload.data.viewer.principal.id") == WORKER.subject


@pytest.mark.parametrize("payload", [None, {}, {"a": ["ä", None, 1.5]}])
async def test_a_ping_is_answered_with_its_payload_at_any_time(edge: Edge, payload: object) -> None:
    more = {} if payload is None else {"payload": payload}
    async with edge.raw() as talk:
        await talk.say(type="ping", **more)
        assert await talk.hear() == {"type": "pong", **more}
        await talk.say(type="pong", **more)
        await talk.say(type="complete", id="unknown")
        await talk.say(type="ping", payload=None)
        assert await talk.hear() == {"type": "pong"}


async def test_queries_and_mutations_run_over_the_socket(edge: Edge) -> None:
    async with edge.client(CARL) as session:
        assert await session.execute(gql(VIEWER)) == {"viewer": {"principal": {"id": CARL.subject}}}
        made = await session.execute(
            gql(f"""mutation {{ changeSettings(input: {{ environmentKey: "{KEY}",
              changes: [{{ assignedTasks: {{ enabled: false }} }}] }}) {{ __typename }} }}""")
        )
        assert made == {"changeSettings": {"__typename": "SettingsChanged"}}
        with pytest.raises(TransportQueryError, match="BAD_USER_INPUT"):
            await session.execute(gql('{ environment(key: "BAD KEY") { key } }'))


async def fails(
    talk: Talk, operation: str, payload: dict[str, object], *, skipping: bool = False
) -> object:
    await talk.say(type="subscribe", id=operation, payload=payload)
    said = await talk.hear()
    while skipping and at(said, "id") != operation:
        said = await talk.hear()
    assert at(said, "id") == operation
    assert at(said, "type") == "error"
    return at(said, "payload.0.extensions.code")


SEVERAL = "query A { __typename } query B { __typename }"
BAD: list[tuple[dict[str, object], str]] = [
    ({"query": "{ viewer"}, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ nobody }"}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": SEVERAL}, "OPERATION_RESOLUTION_FAILURE"),
    ({"query": SEVERAL, "operationName": "C"}, "OPERATION_RESOLUTION_FAILURE"),
    ({"query": ""}, "BAD_REQUEST"),
    ({"query": VIEWER, "variables": {"a": "\0"}}, "BAD_USER_INPUT"),
    (
        {"query": "query ($k: String!) { environment(key: $k) { key } }"},
        "BAD_USER_INPUT",
    ),
    (
        {
            "query": "subscription ($k: String!) "
            + FEED.split(maxsplit=1)[1].replace(f'"{KEY}"', "$k")
        },
        "BAD_USER_INPUT",
    ),
    (
        {"query": FEED.replace(KEY, "UPPER")},
        "BAD_USER_INPUT",
    ),
]


async def test_an_error_ends_its_operation_and_leaves_the_others_alive(edge: Edge) -> None:
    key = await edge.open()
    feed = FEED.replace(KEY, key)
    async with edge.talk(WORKER) as talk:
        await talk.subscribe("feed", feed)
        assert at(await talk.hear(), "id") == "feed"
        for payload, code in BAD:
            assert await fails(talk, "bad", payload) == code
        await talk.say(type="subscribe", id="B", payload={"query": SEVERAL, "operationName": "B"})
        assert at(await talk.hear(), "payload.data") == {"__typename": "Query"}
        assert await talk.hear() == {"type": "complete", "id": "B"}
        await edge.data(
            CARL,
            f"""mutation {{ changeSettings(input: {{ environmentKey: "{key}",
              changes: [{{ assignedTasks: {{ enabled: true }} }}] }}) {{ __typename }} }}""",
        )
        said = await talk.hear()
        assert at(said, "id") == "feed"
        assert at(said, "payload.data.settingsFeed.position") == STAFFED + 1


async def test_complete_stops_the_operation_and_frees_its_id(edge: Edge) -> None:
    def running() -> bool:
        return any(task.get_name() == "operation followed" for task in asyncio.all_tasks())

    async with edge.talk(WORKER) as talk:
        await talk.subscribe("followed", FEED)
        assert at(await talk.hear(), "type") == "next"
        assert running()
        await talk.say(type="complete", id="followed")
        await until(lambda: not running())
        await talk.subscribe("followed", VIEWER)
        assert at(await talk.hear(), "payload.data.viewer.principal.id") == WORKER.subject


async def test_a_page_of_another_origin_may_not_open_a_socket(edge: Edge, tmp_path: Path) -> None:
    for origin in ("https://evil.example", "null", f"{edge.address}.evil.example"):
        with pytest.raises(InvalidStatus) as refused:
            async with edge.raw(origin=origin):
                pass
        assert refused.value.response.status_code == 403
    async with edge.raw(origin=edge.address) as talk:
        await talk.say(type="ping")
        assert await talk.hear() == {"type": "pong"}
    async with (
        serving(edge.place, tmp_path, origins=("https://console.example",)) as other,
        other.raw(origin="https://console.example") as talk,
    ):
        await talk.say(type="ping")
        assert await talk.hear() == {"type": "pong"}


async def test_a_message_over_the_limit_closes_the_socket(edge: Edge) -> None:
    text = json.dumps({"type": "ping", "payload": {"a": "x" * MOST_BYTES}})
    async with edge.raw() as talk:
        await talk.connection.send(text)
        assert (await talk.closed())[0] == 1009


async def test_sockets_that_vanish_leave_no_task_behind(edge: Edge) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(3):
        async with edge.talk(WORKER) as talk:
            for operation in "abc":
                await talk.subscribe(operation, FEED)
                assert at(await talk.hear(), "type") == "next"
            talk.connection.transport.abort()
    async with edge.raw() as talk:
        talk.connection.transport.abort()
    await until(lambda: len(asyncio.all_tasks()) <= before)


async def test_a_socket_to_another_path_is_refused(edge: Edge) -> None:
    headers = {"connection": "upgrade", "upgrade": "websocket"}
    key = {"sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}
    async with httpx.AsyncClient(base_url=edge.address) as http:
        answer = await http.get("/nowhere", headers={**headers, **key})
    assert answer.status_code == 403
