"""graphql-sse as a table: what is sent, and the frames or the refusal that come."""

import json
from typing import NamedTuple

import pytest
import pytest_asyncio
from edge import BEN, KEY, STAFFED, WORKER, Edge, Person, at, codes, opened
from test_event_stream import Stream

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

EVENTS = "text/event-stream"
JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
TYPENAME = "{ __typename }"
FEED = """subscription ($key: String!, $after: Int) {
  settingsFeed(environmentKey: $key, after: $after) { __typename position } }"""
PARTIAL = '{ environment(key: "BAD KEY") { key } viewer { platformAdministrator } }'
MUTATION = 'mutation { archiveEnvironment(input: { environmentKey: "none" }) { __typename } }'


class Case(NamedTuple):
    """`frames`: of the first `next` events, the codes of their errors; None: an ordinary answer.

    `status` and `code`: of an ordinary answer. `place`: the id of the first event.
    """

    frames: list[list[str]] | None = None
    status: int = 200
    code: str | None = None
    complete: bool = True
    place: int | None = None
    document: object = TYPENAME
    variables: object = None
    accept: str = EVENTS
    method: str = "POST"
    person: Person | None = WORKER
    headers: dict[str, str] = {}  # noqa: RUF012 -- a table is read only
    body: str | None = None


def once(*codes: str, **more: object) -> Case:
    return Case([list(codes)], **more)  # type: ignore[arg-type]


def refused(status: int, code: str, **more: object) -> Case:
    return Case(status=status, code=code, **more)  # type: ignore[arg-type]


def plain(**more: object) -> Case:
    return Case(**more)  # type: ignore[arg-type]


def feed(place: int = STAFFED, **more: object) -> Case:
    more = {"document": FEED, "variables": {"key": KEY}, **more}
    return Case([[]], complete=False, place=place, **more)  # type: ignore[arg-type]


def not_followed(code: str, **more: object) -> Case:
    return once(code, **{"document": FEED, "variables": {"key": KEY}, **more})


def after(last: str) -> dict[str, str]:
    return {"last-event-id": last}


CASES = {
    # When there is a stream
    "asked for": once(),
    "asked for in capitals": once(accept="Text/Event-Stream"),
    "with a parameter": once(accept=f"{EVENTS}; charset=utf-8"),
    "preferred to json": once(accept=f"{JSON};q=0.9, {EVENTS}"),
    "preferred to both": once(accept=f"{JSON};q=0.5, {GRAPHQL};q=0.5, {EVENTS};q=0.6"),
    "preferred to anything": once(accept=f"{EVENTS}, */*;q=0.1"),
    "named beside anything": once(accept=f"{EVENTS}, */*"),
    "liked as much as json": plain(accept=f"{EVENTS}, {JSON}"),
    "liked as much as graphql": plain(accept=f"{GRAPHQL}, {EVENTS}"),
    "liked less": plain(accept=f"{EVENTS};q=0.5, {JSON};q=0.6"),
    "refused": plain(accept=f"{EVENTS};q=0, {JSON}"),
    "only that, and refused": refused(406, "BAD_REQUEST", accept=f"{EVENTS};q=0"),
    "texts in general": refused(406, "BAD_REQUEST", accept="text/*"),
    # Operations
    "a query by its name": once(
        document="query A { __typename } query B { nobody: __typename }",
        body='{"query":"query A { __typename } query B { b: __typename }","operationName":"A"}',
    ),
    "a query by GET": once(method="GET"),
    "a query with extensions": once(body='{"query":"{ __typename }","extensions":{"a":1}}'),
    "a mutation": once(document=MUTATION),
    "a mutation by GET": refused(405, "BAD_REQUEST", document=MUTATION, method="GET"),
    "a head": refused(405, "", method="HEAD"),
    "partly wrong": once("BAD_USER_INPUT", document=PARTIAL),
    "all wrong": once("BAD_USER_INPUT", document="{ environments(first: -1) { totalCount } }"),
    # The feed
    "a feed": feed(),
    "a feed by GET": feed(method="GET"),
    "a feed from the beginning": feed(26, variables={"key": KEY, "after": 0}),
    "a feed from its end": feed(variables={"key": KEY, "after": STAFFED}),
    "a feed that is preferred": feed(accept=f"{JSON};q=0.5, {EVENTS}"),
    "a feed as json": refused(
        400, "BAD_REQUEST", document=FEED, variables={"key": KEY}, accept=JSON
    ),
    "a feed as graphql": refused(
        400, "BAD_REQUEST", document=FEED, variables={"key": KEY}, accept=GRAPHQL
    ),
    "a feed as anything": refused(
        400, "BAD_REQUEST", document=FEED, variables={"key": KEY}, accept="*/*"
    ),
    "a feed without a right": not_followed("FORBIDDEN", person=BEN),
    "a feed of nothing": not_followed("BAD_USER_INPUT", variables={"key": "missing"}),
    "a feed of a bad key": not_followed("BAD_USER_INPUT", variables={"key": "NO KEY"}),
    "a feed without a key": not_followed("BAD_USER_INPUT", variables={}),
    "a feed of another type": not_followed("BAD_USER_INPUT", variables={"key": 1}),
    "a feed from before the beginning": not_followed(
        "BAD_USER_INPUT", variables={"key": KEY, "after": -1}
    ),
    "a feed from beyond its end": not_followed(
        "BAD_USER_INPUT", variables={"key": KEY, "after": 999_999}
    ),
    # Taken up again
    "after a position": feed(STAFFED, headers=after("26"), variables={"key": KEY, "after": 0}),
    "after the beginning": feed(26, headers=after("0")),
    "after the end": feed(headers=after(str(STAFFED)), variables={"key": KEY, "after": 0}),
    "after nothing": feed(26, headers=after(""), variables={"key": KEY, "after": 0}),
    "after beyond the end": not_followed("BAD_USER_INPUT", headers=after("999999")),
    "after the last of all positions": not_followed("BAD_USER_INPUT", headers=after("9" * 18)),
    "after too high a position": refused(400, "BAD_REQUEST", headers=after("9" * 19)),
    "after a word": refused(400, "BAD_REQUEST", headers=after("first")),
    "after a negative position": refused(400, "BAD_REQUEST", headers=after("-1")),
    "after half a position": refused(400, "BAD_REQUEST", headers=after("1.5")),
    "after a spelled position": refused(400, "BAD_REQUEST", headers=after("0x1")),
    "after two positions": refused(400, "BAD_REQUEST", headers=after("1, 2")),
    "a query after a position": once(headers=after("1")),
    # What is refused before it runs
    "no token": refused(401, "UNAUTHENTICATED", person=None),
    "a bad token": refused(
        401, "UNAUTHENTICATED", person=None, headers={"authorization": "Bearer x.y.z"}
    ),
    "not parsed": refused(400, "GRAPHQL_PARSE_FAILED", document="{"),
    "not parsed, a feed": refused(400, "GRAPHQL_PARSE_FAILED", document=FEED[:-1]),
    "not valid": refused(400, "GRAPHQL_VALIDATION_FAILED", document="{ nobody }"),
    "not valid, a feed": refused(
        400, "GRAPHQL_VALIDATION_FAILED", document="subscription { nobody }"
    ),
    "two feeds at once": refused(
        400,
        "GRAPHQL_VALIDATION_FAILED",
        document='subscription { a: settingsFeed(environmentKey: "x") { position } '
        'b: settingsFeed(environmentKey: "x") { position } }',
    ),
    "not chosen": refused(
        400,
        "OPERATION_RESOLUTION_FAILURE",
        document="query A { __typename } query B { __typename }",
    ),
    "costly": refused(400, "TOO_COSTLY", document="{" + "__typename " * 60 + "}"),
    "no query": refused(400, "BAD_REQUEST", body="{}"),
    "an empty query": refused(400, "BAD_REQUEST", document=""),
    "a query that is a number": refused(400, "BAD_REQUEST", document=1),
    "variables that are a list": refused(400, "BAD_REQUEST", variables=[]),
    "no body": refused(400, "BAD_REQUEST", body=""),
    "no object": refused(400, "BAD_REQUEST", body="[]"),
    "cut off": refused(400, "BAD_REQUEST", body='{"query":'),
    "a lone surrogate": refused(400, "BAD_USER_INPUT", body='{"query":"\\ud800"}'),
    "another type": refused(415, "BAD_REQUEST", headers={"content-type": "text/plain"}),
    "no type": refused(415, "BAD_REQUEST", headers={"content-type": ""}),
    "another method": refused(405, "BAD_REQUEST", method="PUT"),
}


async def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
async def test_a_stream_is_as_the_table_says(edge: Edge, name: str) -> None:
    case = CASES[name]
    by_address = case.method in {"GET", "HEAD"}
    asked = {"query": case.document, "variables": case.variables}
    headers = {
        **({} if case.person is None else edge.authorization(case.person)),
        "content-type": JSON,
        "accept": case.accept,
        **case.headers,
    }
    async with edge.http.stream(
        case.method,
        "/graphql",
        params={"query": str(case.document), "variables": json.dumps(case.variables or {})}
        if by_address
        else None,
        content=None if by_address else (json.dumps(asked) if case.body is None else case.body),
        headers=headers,
    ) as answer:
        if case.frames is None:
            assert answer.status_code == case.status
            assert EVENTS not in answer.headers["content-type"]
            body = await answer.aread()
            if case.code:
                assert codes(json.loads(body)) == [case.code]
            return
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(EVENTS)
        stream = Stream(answer, answer.aiter_raw())
        for expected in case.frames:
            frame = await stream.frame()
            assert frame.startswith(b"event: next\n")
            assert b"\r" not in frame
            if case.place is not None:
                assert f"\nid: {case.place}\n".encode() in frame
                assert at(json.loads(frame.partition(b"data: ")[2]), "data.settingsFeed.position")
            assert codes(json.loads(frame.partition(b"data: ")[2])) == expected
        if case.complete:
            assert await stream.frame() == b"event: complete\ndata:"
            assert await stream.frame() == b""
