"""GraphQL over HTTP as a table: what is sent, the status, the media type, the codes."""

import json
from typing import NamedTuple

import pytest
import pytest_asyncio
from edge import ADA, KEY, Edge, at, codes, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"
PAGE = "text/html; charset=utf-8"
OK: list[object] = []

TYPENAME = '{"query":"{ __typename }"}'
NOT_PARSED = '{"query":"{"}'
NOT_VALID = '{"query":"{ nobody }"}'
NOT_COERCED = '{"query":"query ($k: String!) { environment(key: $k) { key } }"}'
NOT_CHOSEN = '{"query":"query A { __typename } query B { __typename }"}'
COSTLY = '{"query":"{' + "__typename " * 60 + '}"}'
ARCHIVE = 'mutation { archiveEnvironment(input: { environmentKey: "none" }) { __typename } }'
MUTATION = json.dumps({"query": ARCHIVE})
SUBSCRIPTION = (
    '{"query":"subscription { settingsFeed(environmentKey: \\"' + KEY + '\\") { position } }"}'
)
PARTIAL = '{"query":"{ environment(key: \\"BAD KEY\\") { key } viewer { platformAdministrator } }"}'


class Case(NamedTuple):
    """`codes`: of the errors. `data`: whether there is any."""

    status: int
    media: str
    codes: list[object]
    data: bool
    body: str | None = TYPENAME
    accept: str | None = GRAPHQL
    method: str = "POST"
    query: str = ""
    headers: dict[str, str] = {}  # noqa: RUF012 -- a table is read only


def refused(status: int, code: str, **more: object) -> Case:
    return Case(status, more.pop("media", GRAPHQL), [code], False, **more)  # type: ignore[arg-type]


def answered(media: str = GRAPHQL, **more: object) -> Case:
    return Case(200, media, OK, True, **more)  # type: ignore[arg-type]


def typed(content_type: str | None, **more: str) -> dict[str, str]:
    return {**({} if content_type is None else {"content-type": content_type}), **more}


CASES = {
    # What is accepted
    "graphql-response+json": answered(),
    "json": answered(JSON, accept=JSON),
    "anything": answered(JSON, accept="*/*"),
    "any application": answered(JSON, accept="application/*"),
    "nothing said": answered(JSON, accept=None),
    "both, alike": answered(accept=f"{JSON}, {GRAPHQL}"),
    "both, json preferred": answered(JSON, accept=f"{GRAPHQL};q=0.5, {JSON}"),
    "both, graphql preferred": answered(accept=f"{JSON};q=0.9, {GRAPHQL};q=0.91"),
    "graphql refused": answered(JSON, accept=f"{GRAPHQL};q=0, */*;q=0.1"),
    "in capitals": answered(accept="Application/GraphQL-Response+JSON"),
    "with a charset": answered(accept=f"{GRAPHQL}; charset=utf-8"),
    "an event stream listed": answered(
        accept=f"{GRAPHQL}, application/graphql+json, {JSON}, {EVENTS}, multipart/mixed"
    ),
    "an event stream with q=0": answered(JSON, accept=f"{EVENTS};q=0, {JSON}"),
    "an event stream less liked": answered(JSON, accept=f"{EVENTS};q=0.5, {JSON};q=0.6"),
    "an event stream listed first, liked alike": answered(JSON, accept=f"{EVENTS}, {JSON}"),
    "a page by POST": answered(JSON, accept="text/html, */*;q=0.8"),
    "only a page by POST": refused(406, "BAD_REQUEST", media=JSON, accept="text/html"),
    "only pictures": refused(406, "BAD_REQUEST", media=JSON, accept="image/png"),
    "everything refused": refused(406, "BAD_REQUEST", media=JSON, accept="*/*;q=0"),
    "in two lines": answered(accept="text/html, " + JSON + ";q=0.1, " + GRAPHQL),
    "very long": refused(406, "BAD_REQUEST", media=JSON, accept=", ".join([JSON] * 100)),
    "nonsense": refused(406, "BAD_REQUEST", media=JSON, accept="nonsense"),
    "only parameters": refused(406, "BAD_REQUEST", media=JSON, accept=";q=1"),
    # What is refused after it was understood, new media type and old
    "not parsed": refused(400, "GRAPHQL_PARSE_FAILED", body=NOT_PARSED),
    "not parsed, json": refused(
        200, "GRAPHQL_PARSE_FAILED", body=NOT_PARSED, accept=JSON, media=JSON
    ),
    "not valid": refused(400, "GRAPHQL_VALIDATION_FAILED", body=NOT_VALID),
    "not valid, json": refused(
        200, "GRAPHQL_VALIDATION_FAILED", body=NOT_VALID, accept=JSON, media=JSON
    ),
    "not coerced": refused(400, "BAD_USER_INPUT", body=NOT_COERCED),
    "not coerced, json": refused(200, "BAD_USER_INPUT", body=NOT_COERCED, accept=JSON, media=JSON),
    "not chosen": refused(400, "OPERATION_RESOLUTION_FAILURE", body=NOT_CHOSEN),
    "not chosen, json": refused(
        200, "OPERATION_RESOLUTION_FAILURE", body=NOT_CHOSEN, accept=JSON, media=JSON
    ),
    "costly": refused(400, "TOO_COSTLY", body=COSTLY),
    "costly, json": refused(200, "TOO_COSTLY", body=COSTLY, accept=JSON, media=JSON),
    "partly wrong": Case(200, GRAPHQL, ["BAD_USER_INPUT"], True, body=PARTIAL),
    "partly wrong, json": Case(200, JSON, ["BAD_USER_INPUT"], True, body=PARTIAL, accept=JSON),
    "a refusal of the domain is data": answered(body=MUTATION),
    "a subscription": refused(400, "BAD_REQUEST", body=SUBSCRIPTION),
    "a subscription, json": refused(400, "BAD_REQUEST", body=SUBSCRIPTION, accept=JSON, media=JSON),
    # What is no request
    "no body": refused(400, "BAD_REQUEST", body=""),
    "no object": refused(400, "BAD_REQUEST", body="[]"),
    "a batch": refused(400, "BAD_REQUEST", body=f"[{TYPENAME}]"),
    "a number": refused(400, "BAD_REQUEST", body="1"),
    "cut off": refused(400, "BAD_REQUEST", body=TYPENAME[:-1]),
    "cut off, json": refused(400, "BAD_REQUEST", body=TYPENAME[:-1], accept=JSON, media=JSON),
    "more than one": refused(400, "BAD_REQUEST", body=TYPENAME * 2),
    "single quotes": refused(400, "BAD_REQUEST", body="{'query':'{ __typename }'}"),
    "a byte order mark": refused(400, "BAD_REQUEST", body="\ufeff" + TYPENAME),
    "NaN": refused(400, "BAD_REQUEST", body='{"query":"{ __typename }","variables":{"a":NaN}}'),
    "a lone surrogate": refused(400, "BAD_USER_INPUT", body='{"query":"\\ud800"}'),
    "no query": refused(400, "BAD_REQUEST", body="{}"),
    "no query, json": refused(400, "BAD_REQUEST", body="{}", accept=JSON, media=JSON),
    "an empty query": refused(400, "BAD_REQUEST", body='{"query":""}'),
    "a query that is a list": refused(400, "BAD_REQUEST", body='{"query":["{ __typename }"]}'),
    "variables that are a text": refused(
        400, "BAD_REQUEST", body='{"query":"{ __typename }","variables":"{}"}'
    ),
    "extensions that are a list": refused(
        400, "BAD_REQUEST", body='{"query":"{ __typename }","extensions":[]}'
    ),
    "null for what may be left out": answered(
        body='{"query":"{ __typename }","operationName":null,"variables":null,"extensions":null}'
    ),
    "extensions that are an object": answered(
        body='{"query":"{ __typename }","extensions":{"a":[1]}}'
    ),
    # What a body may be
    "with a charset of the body": answered(headers=typed("application/json; charset=UTF-8")),
    "with a quoted charset": answered(headers=typed('application/json; charset="utf-8"')),
    "another charset": refused(
        415, "BAD_REQUEST", media=JSON, headers=typed("application/json; charset=utf-16")
    ),
    "no type": refused(415, "BAD_REQUEST", media=JSON, headers=typed("")),
    "plain text": refused(415, "BAD_REQUEST", media=JSON, headers=typed("text/plain")),
    "a form": refused(
        415, "BAD_REQUEST", media=JSON, headers=typed("application/x-www-form-urlencoded")
    ),
    "parts": refused(
        415, "BAD_REQUEST", media=JSON, headers=typed("multipart/form-data; boundary=x")
    ),
    "nearly json": refused(415, "BAD_REQUEST", media=JSON, headers=typed("application/jsonx")),
    "a document": refused(415, "BAD_REQUEST", media=JSON, headers=typed("application/graphql")),
    "compressed": refused(
        415, "BAD_REQUEST", media=JSON, headers=typed(JSON, **{"content-encoding": "gzip"})
    ),
    "sent as it is": answered(headers=typed(JSON, **{"content-encoding": "identity"})),
    # Other methods
    "by GET": answered(method="GET", query="query={__typename}"),
    "by GET with everything": answered(
        method="GET",
        query="query=query A($a:Boolean!){__typename @skip(if:$a)}&operationName=A"
        '&variables={"a":false}&extensions={"a":1}',
    ),
    "by GET, nothing asked": refused(400, "BAD_REQUEST", method="GET"),
    "by GET, twice": refused(
        400, "BAD_REQUEST", method="GET", query="query={__typename}&query={__typename}"
    ),
    "by GET, variables that are none": refused(
        400, "BAD_REQUEST", method="GET", query="query={__typename}&variables=1"
    ),
    "by GET, a mutation": refused(
        405,
        "BAD_REQUEST",
        media=JSON,
        method="GET",
        query='query=mutation{archiveEnvironment(input:{environmentKey:"none"}){__typename}}',
    ),
    "by GET, not valid": refused(
        400, "GRAPHQL_VALIDATION_FAILED", method="GET", query="query={nobody}"
    ),
    "by GET, a page": Case(200, PAGE, OK, False, method="GET", accept="text/html"),
    "by GET, a page and a query": answered(
        JSON, method="GET", query="query={__typename}", accept="text/html, */*;q=0.8"
    ),
    "by PUT": refused(405, "BAD_REQUEST", media=JSON, method="PUT"),
    "by DELETE": refused(405, "BAD_REQUEST", media=JSON, method="DELETE"),
    "by PATCH": refused(405, "BAD_REQUEST", media=JSON, method="PATCH"),
    "by OPTIONS": refused(405, "BAD_REQUEST", media=JSON, method="OPTIONS"),
    # Only a stream is taken up again
    "after no position": answered(headers=typed(JSON, **{"last-event-id": "first"})),
    "after a position": answered(headers=typed(JSON, **{"last-event-id": "1"})),
}


async def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
async def test_a_request_is_answered_as_the_table_says(edge: Edge, name: str) -> None:
    case = CASES[name]
    before = await edge.heads()
    request = edge.http.build_request(
        case.method,
        f"/graphql?{case.query}" if case.query else "/graphql",
        content=None if case.method == "GET" else case.body,
        headers={
            **edge.authorization(ADA),
            **(typed(JSON) if not case.headers else case.headers),
            "accept": case.accept or "",
        },
    )
    if case.accept is None:
        del request.headers["accept"]
    answer = await edge.http.send(request)
    assert (answer.status_code, answer.headers["content-type"]) == (case.status, case.media)
    assert answer.headers["vary"] == "Accept"
    if case.status == 405:
        assert answer.headers["allow"]
    if case.media == PAGE:
        return
    body = answer.json()
    assert codes(body) == case.codes
    assert ("data" in body) is case.data
    if case.data:
        assert at(body, "extensions.cost.requested") == 1
    assert await edge.heads() == before
