"""graphql-transport-ws as a table: what is said on a socket, and what is heard."""

import json
from typing import NamedTuple

import pytest
import pytest_asyncio
from edge import ADA, KEY, WORKER, Edge, Talk, at, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

TYPENAME = "{ __typename }"
FEED = f'subscription {{ settingsFeed(environmentKey: "{KEY}") {{ position }} }}'
TOKEN = "…"
"""Stands for a good one."""

type Said = str | bytes | dict[str, object]
type Heard = list[dict[str, object]]

INIT: Said = {"type": "connection_init", "payload": {"authorization": TOKEN}}
ACK: dict[str, object] = {"type": "connection_ack"}
PONG: dict[str, object] = {"type": "pong"}


class Case(NamedTuple):
    """`closed`: the code of the close that follows; None where the socket stays open."""

    said: list[Said]
    heard: Heard
    closed: int | None = None


def subscribing(payload: object, operation: object = "1") -> Said:
    return {"type": "subscribe", "id": operation, "payload": payload}


def asking(document: str = TYPENAME, operation: object = "1", **more: object) -> Said:
    return subscribing({"query": document, **more}, operation)


def answering(operation: str = "1") -> Heard:
    return [
        {"type": "next", "id": operation, "payload": {"data": {"__typename": "Query"}}},
        {"type": "complete", "id": operation},
    ]


def failing(code: str, operation: str = "1") -> Heard:
    return [{"type": "error", "id": operation, "payload": [{"extensions": {"code": code}}]}]


def after_init(*said: Said, heard: Heard | None = None, closed: int | None = None) -> Case:
    return Case([INIT, *said], [ACK, *(heard or [])], closed)


DEEP = "[" * 300 + "]" * 300
NO_JSON: dict[str, Said] = {
    "a list": "[]",
    "a text": '"ping"',
    "a number": "1",
    "null": "null",
    "true": "true",
    "nothing": "",
    "cut off": '{"type":"ping"',
    "two": '{"type":"ping"}{"type":"ping"}',
    "NaN": '{"type":"ping","payload":{"a":NaN}}',
    "too deep": '{"type":"ping","payload":{"a":' + "[" * 2000 + "]" * 2000 + "}}",
    "a lone surrogate": '{"type":"ping","payload":{"a":"\\ud800"}}',
    "bytes": b'{"type":"ping"}',
}
NO_MESSAGE: dict[str, Said] = {
    "without a type": {},
    "a type that is null": {"type": None},
    "a type that is a list": {"type": ["ping"]},
    "a type in capitals": {"type": "PING"},
    "of the older protocol, start": {"type": "start", "id": "1", "payload": {"query": TYPENAME}},
    "of the older protocol, stop": {"type": "stop", "id": "1"},
    "of the older protocol, terminate": {"type": "connection_terminate"},
    "a server's, ack": {"type": "connection_ack"},
    "a server's, next": {"type": "next", "id": "1", "payload": {"data": {}}},
    "a server's, error": {"type": "error", "id": "1", "payload": []},
    "ping with a list": {"type": "ping", "payload": []},
    "ping with a text": {"type": "ping", "payload": "x"},
    "ping too deep to be sent back": '{"type":"ping","payload":{"a":' + DEEP + "}}",
    "pong with a number": {"type": "pong", "payload": 1},
    "complete without an id": {"type": "complete"},
    "complete with a number": {"type": "complete", "id": 1},
    "complete with an empty id": {"type": "complete", "id": ""},
    "subscribe without an id": {"type": "subscribe", "payload": {"query": TYPENAME}},
    "subscribe with a number as id": asking(operation=1),
    "subscribe with an empty id": asking(operation=""),
    "subscribe with a list as id": asking(operation=["1"]),
    "subscribe with null as id": asking(operation=None),
    "subscribe without a payload": {"type": "subscribe", "id": "1"},
    "subscribe to null": subscribing(None),
    "subscribe to a list": subscribing([TYPENAME]),
    "subscribe to a text": subscribing(TYPENAME),
    "subscribe without a query": subscribing({}),
    "subscribe with a query that is null": subscribing({"query": None}),
    "subscribe with a query that is a number": subscribing({"query": 1}),
    "subscribe with a numbered operation": asking(operationName=1),
    "subscribe with variables that are a list": asking(variables=[]),
    "subscribe with variables that are a text": asking(variables="{}"),
    "subscribe with extensions that are a text": asking(extensions="x"),
}
NO_TOKEN: dict[str, object] = {
    "nothing": None,
    "an empty object": {},
    "null": {"authorization": None},
    "a number": {"authorization": 7},
    "another scheme": {"authorization": "Basic YTpi"},
    "no token": {"authorization": "Bearer x.y.z"},
    "another name": {"token": TOKEN},
}
CASES = {
    **{f"no JSON: {name}": Case([said], [], 4400) for name, said in NO_JSON.items()},
    **{f"no message: {name}": after_init(said, closed=4400) for name, said in NO_MESSAGE.items()},
    **{
        f"no token: {name}": Case([{"type": "connection_init", "payload": payload}], [], 4403)
        for name, payload in NO_TOKEN.items()
    },
    # The beginning
    "init": after_init(),
    "init in capitals": Case(
        [{"type": "connection_init", "payload": {"AUTHORIZATION": TOKEN}}], [ACK]
    ),
    "init with more": Case(
        [{"type": "connection_init", "payload": {"authorization": TOKEN, "a": [1]}, "b": 2}], [ACK]
    ),
    "init without a payload": Case([{"type": "connection_init"}], [], 4403),
    "init with a list": Case([{"type": "connection_init", "payload": []}], [], 4400),
    "init with a text": Case([{"type": "connection_init", "payload": "x"}], [], 4400),
    "init twice": after_init(INIT, closed=4429),
    "init twice while something runs": after_init(asking(FEED), INIT, closed=4429),
    "subscribe first": Case([asking()], [], 4401),
    "subscribe before the ack": Case([INIT, asking()], [ACK, *answering()]),
    "ping first": Case([{"type": "ping"}, INIT], [PONG, ACK]),
    "pong first": Case([{"type": "pong"}, INIT], [ACK]),
    "complete first": Case([{"type": "complete", "id": "1"}, INIT], [ACK]),
    # Signs of life
    "ping": after_init({"type": "ping"}, heard=[PONG]),
    "ping with null": after_init({"type": "ping", "payload": None}, heard=[PONG]),
    "ping with an object": after_init(
        {"type": "ping", "payload": {"a": ["ä", None, 1.5]}},
        heard=[{**PONG, "payload": {"a": ["ä", None, 1.5]}}],
    ),
    "pong": after_init({"type": "pong", "payload": {"a": 1}}),
    # Operations
    "ask": after_init(asking(), heard=answering()),
    "ask by a name": after_init(
        asking("query A { __typename } query B { nobody: __typename }", operationName="A"),
        heard=answering(),
    ),
    "ask with null for the rest": after_init(
        asking(operationName=None, variables=None, extensions=None), heard=answering()
    ),
    "ask with extensions": after_init(asking(extensions={"a": 1}), heard=answering()),
    "ask with more in the message": after_init(
        {**asking(), "more": 1},  # type: ignore[dict-item] # asking() gives an object
        heard=answering(),
    ),
    "ask under a long id": after_init(asking(operation="ä" * 500), heard=answering("ä" * 500)),
    "ask under an id of other letters": after_init(
        asking(operation='"\\\n'), heard=answering('"\\\n')
    ),
    "ask twice, one after the other": Case(
        [INIT, asking(), "…", asking()], [ACK, *answering(), *answering()]
    ),
    "ask under an id in use": after_init(asking(FEED), asking(), closed=4409),
    "complete, and ask under its id": after_init(
        {"type": "complete", "id": "1"}, asking(), heard=answering()
    ),
    "complete what is unknown": after_init({"type": "complete", "id": "x"}),
    "complete twice": after_init(
        {"type": "complete", "id": "1"},
        {"type": "complete", "id": "1"},
        asking(),
        heard=answering(),
    ),
    # Errors belong to their operations
    "not parsed": after_init(asking("{"), heard=failing("GRAPHQL_PARSE_FAILED")),
    "not valid": after_init(asking("{ nobody }"), heard=failing("GRAPHQL_VALIDATION_FAILED")),
    "an empty query": after_init(asking(""), heard=failing("BAD_REQUEST")),
    "not chosen": after_init(
        asking(operationName="B"), heard=failing("OPERATION_RESOLUTION_FAILURE")
    ),
    "not coerced": after_init(
        asking("query ($k: String!) { environment(key: $k) { key } }"),
        heard=failing("BAD_USER_INPUT"),
    ),
    "costly": after_init(asking("{" + "__typename " * 60 + "}"), heard=failing("TOO_COSTLY")),
    "a feed of nothing": after_init(
        asking(FEED.replace(KEY, "missing")), heard=failing("BAD_USER_INPUT")
    ),
    "after an error the id is free": Case(
        [INIT, asking("{"), "…", asking()], [ACK, *failing("GRAPHQL_PARSE_FAILED"), *answering()]
    ),
}


async def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 60


async def say(talk: Talk, said: Said, authorization: str) -> None:
    text = said if isinstance(said, str | bytes) else json.dumps(said)
    if isinstance(text, str):
        text = text.replace(json.dumps(TOKEN), json.dumps(authorization))
    await talk.connection.send(text)


@pytest.mark.parametrize("name", CASES)
async def test_a_socket_is_answered_as_the_table_says(edge: Edge, name: str) -> None:
    case, heard = CASES[name], list(CASES[name].heard)
    authorization = edge.authorization(WORKER)["authorization"]
    async with edge.raw() as talk:
        for said in case.said:
            if said == "…":  # wait for all that was to be heard of one operation
                while heard and at(heard[0], "type") not in {"complete", "error"}:
                    assert matches(await talk.hear(), heard.pop(0))
                assert matches(await talk.hear(), heard.pop(0))
            else:
                await say(talk, said, authorization)
        for expected in heard:
            assert matches(await talk.hear(), expected)
        if case.closed is not None:
            assert (await talk.closed())[0] == case.closed
        else:
            await talk.say(type="ping", payload={"alive": True})
            assert await talk.hear() == {"type": "pong", "payload": {"alive": True}}


def matches(heard: object, expected: object) -> bool:
    """Whether everything expected is there; errors have more than their codes."""
    match heard, expected:
        case dict(), dict():
            return all(key in heard and matches(heard[key], expected[key]) for key in expected)
        case list(), list():
            return len(heard) == len(expected) and all(map(matches, heard, expected))
        case _:
            return heard == expected


@pytest.mark.parametrize("subprotocol", [None, "graphql-ws", "graphql-transport-wss", "soap"])
async def test_another_protocol_is_closed_4406(edge: Edge, subprotocol: str | None) -> None:
    async with edge.raw(subprotocol) as talk:
        assert await talk.closed() == (4406, "Speak graphql-transport-ws.")


async def test_everything_that_runs_ends_with_its_socket_however_it_is_closed(edge: Edge) -> None:
    running = edge.entrance.metrics.subscriptions
    async with edge.talk(ADA) as talk:
        await say(talk, asking(FEED), "")
        assert at(await talk.hear(), "type") == "next"
        assert running._value.get() == 1
        await say(talk, "[]", "")
        assert (await talk.closed())[0] == 4400
    assert running._value.get() == 0
