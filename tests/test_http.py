import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic, time
from urllib.parse import urlsplit

import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from edge import (
    ADA,
    CARL,
    KEY,
    NOBODY,
    PATIENCE,
    Edge,
    Person,
    at,
    codes,
    opened,
    serving,
    text_at,
    until,
)
from graphql import get_introspection_query

from api.limits import MOST_BYTES, MOST_ERRORS, MOST_TOKENS
from app.issuer import AUDIENCE, ISSUER, Issuer

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

VIEWER = "{ viewer { principal { id } } }"
CHANGE = f"""mutation {{ changeSettings(input: {{ environmentKey: "{KEY}",
  changes: [{{ assignedTasks: {{ enabled: true }} }}] }}) {{ __typename }} }}"""
JSON = {"content-type": "application/json"}


async def post(edge: Edge, content: bytes | str, **headers: str) -> tuple[int, object]:
    """The status and the body, which is GraphQL JSON whatever was sent."""
    before = await edge.heads()
    answer = await edge.http.post(
        "/graphql", content=content, headers={**edge.authorization(ADA), **JSON, **headers}
    )
    assert await edge.heads() == before
    return answer.status_code, answer.json()


async def test_queries_come_by_post_or_get_and_mutations_by_post(edge: Edge) -> None:
    headers = edge.authorization(ADA)
    data = {"data": {"viewer": {"principal": {"id": ADA.subject}}}}
    by_get = await edge.http.get("/graphql", params={"query": VIEWER}, headers=headers)
    assert (by_get.status_code, {"data": by_get.json()["data"]}) == (200, data)
    named = {
        "query": "query A($k: String!) { environment(key: $k) { key } } query B { __typename }",
        "operationName": "A",
        "variables": f'{{"k": "{KEY}"}}',
        "extensions": "",
    }
    answer = await edge.http.get("/graphql", params=named, headers=headers)
    assert at(answer.json(), "data") == {"environment": {"key": KEY}}
    head = await edge.http.head("/graphql", params={"query": VIEWER}, headers=headers)
    assert (head.status_code, head.content) == (200, b"")
    before = await edge.heads()
    for method in ("GET", "HEAD"):
        refused = await edge.http.request(
            method, "/graphql", params={"query": CHANGE}, headers=headers
        )
        assert refused.status_code == 405
        assert refused.headers["allow"] == "POST"
    assert await edge.heads() == before


async def test_a_subscription_is_sent_to_the_socket(edge: Edge) -> None:
    feed = f'subscription {{ settingsFeed(environmentKey: "{KEY}") {{ position }} }}'
    answer = await edge.send(ADA, feed)
    assert answer.status_code == 400
    assert codes(answer.json()) == ["BAD_REQUEST"]
    assert "WebSocket" in text_at(answer.json(), "errors.0.message")


async def test_an_answer_is_of_the_media_type_that_was_asked_for(edge: Edge) -> None:
    for accept, media_type in (
        (
            "application/graphql-response+json, application/json",
            "application/graphql-response+json",
        ),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
    ):
        answer = await edge.http.post(
            "/graphql",
            json={"query": VIEWER},
            headers={**edge.authorization(ADA), "accept": accept},
        )
        assert answer.headers["content-type"] == media_type


async def test_a_browser_that_asks_for_the_address_itself_gets_the_page(edge: Edge) -> None:
    page = await edge.http.get("/graphql", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    home = await edge.http.get("/", follow_redirects=True, headers={"accept": "text/html"})
    assert home.content == page.content


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/graphql", 405),
        ("DELETE", "/graphql", 405),
        ("GET", "/nowhere", 404),
        ("POST", "/graphql/more", 404),
    ],
)
async def test_an_unknown_path_or_method_is_refused_as_graphql_json(
    edge: Edge, method: str, path: str, status: int
) -> None:
    answer = await edge.http.request(method, path, headers=edge.authorization(ADA))
    assert answer.status_code == status
    assert codes(answer.json()) == ["BAD_REQUEST"]
    if status == 405:
        assert set(answer.headers["allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "query",
        "{",
        "[]",
        '[{"query": "{ __typename }"}]',
        "1",
        "true",
        "null",
        '"{ __typename }"',
        b'{"query": "\xff"}',
        b'{"query": "\xed\xa0\x80"}',
        '{"query": NaN}',
        '{"query": "{ __typename }", "variables": {"a": Infinity}}',
        '{"query": "{ __typename }", "variables": {"a": 1e999}}',
        '{"query": "{ __typename }", "variables": {"a": ' + "9" * 6000 + "}}",
        '{"query": "{ __typename }", "variables": {"a": ' + "[" * 5000 + "]" * 5000 + "}}",
        "[" * 100_000,
        "{}",
        '{"query": null}',
        '{"query": ""}',
        '{"query": 1}',
        '{"query": "{ __typename }", "operationName": 1}',
        '{"query": "{ __typename }", "variables": "x"}',
        '{"query": "{ __typename }", "variables": [1]}',
        '{"query": "{ __typename }", "extensions": 1}',
    ],
)
async def test_a_body_that_is_no_request_is_a_bad_request(edge: Edge, content: bytes | str) -> None:
    status, body = await post(edge, content)
    assert (status, codes(body)) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize("name", ["variables", "extensions"])
async def test_parameters_of_an_address_that_are_no_objects_are_a_bad_request(
    edge: Edge, name: str
) -> None:
    for text in ("{", "[]", "1"):
        answer = await edge.http.get(
            "/graphql", params={"query": VIEWER, name: text}, headers=edge.authorization(ADA)
        )
        assert (answer.status_code, codes(answer.json())) == (400, ["BAD_REQUEST"])


async def test_variables_may_be_nested_as_deeply_as_json_may(edge: Edge) -> None:
    for depth in (300, 1000, 1015):
        deep = "[" * depth + '"x"' + "]" * depth
        content = f'{{"query": "{{ __typename }}", "variables": {{"a": {deep}}}}}'
        status, body = await post(edge, content)
        assert (status, at(body, "data")) == (200, {"__typename": "Query"})
        status, body = await post(edge, content.replace("x", "\\u0000"))
        assert (status, codes(body)) == (400, ["BAD_USER_INPUT"])


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/jsonx", "multipart/form-data; boundary=x"]
)
async def test_a_body_of_another_media_type_is_refused(edge: Edge, media_type: str) -> None:
    status, body = await post(edge, '{"query": "{ __typename }"}', **{"content-type": media_type})
    assert (status, codes(body)) == (415, ["BAD_REQUEST"])


async def test_the_media_type_counts_whatever_its_case_and_parameters(edge: Edge) -> None:
    media_type = {"content-type": "Application/JSON; charset=utf-8"}
    assert (await post(edge, '{"query": "{ __typename }"}', **media_type))[0] == 200


async def pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 4096 + 1):
        yield b" " * 4096


async def test_a_body_over_the_limit_is_refused_with_and_without_its_length(edge: Edge) -> None:
    start = '{"query": "{ __typename }", "a": "'
    whole = start + "x" * (MOST_BYTES - len(start) - 2) + '"}'
    assert len(whole) == MOST_BYTES
    assert (await post(edge, whole))[0] == 200
    status, body = await post(edge, whole + " ")
    assert (status, codes(body)) == (413, ["BAD_REQUEST"])
    assert str(MOST_BYTES) in text_at(body, "errors.0.message")
    answer = await edge.http.post(
        "/graphql", content=pieces(MOST_BYTES), headers={**edge.authorization(ADA), **JSON}
    )
    assert "content-length" not in answer.request.headers
    assert answer.status_code == 413


async def test_a_document_of_too_many_tokens_is_not_even_parsed(edge: Edge) -> None:
    fits = await edge.ask(ADA, f"{{ {'a ' * (MOST_TOKENS - 2)} }}")
    assert codes(fits) == ["TOO_COSTLY"]
    body = await edge.ask(ADA, f"{{ {'a ' * (MOST_TOKENS - 1)} }}")
    assert codes(body) == ["GRAPHQL_PARSE_FAILED"]
    assert str(MOST_TOKENS) in text_at(body, "errors.0.message")


def doubling(levels: int) -> str:
    """Fields under different names: every level executes twice what the next one does."""
    inner = "settings {{ environment {{ ...F{} }} }}"
    fragments = "".join(
        f"fragment F{n} on Environment {{ a: {inner.format(n + 1)} b: {inner.format(n + 1)} }} "
        for n in range(levels)
    )
    return f'{{ environment(key: "{KEY}") {{ ...F0 }} }} {fragments} {LAST.format(levels)}'


LAST = "fragment F{} on Environment {{ key }}"
FANS = "".join(f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }} " for i in range(30))
TAB_OF_ALL = """fragment t on Environment { settings { all {
  key label description section isDefault warnings { code message } } } }"""
MANY_TABS = " ".join(
    f"t{n}: settings {{ all {{ key label description section }} }}" for n in range(38)
)
EXHAUSTING = {
    "nested": ("{ a" * 600 + "}" * 600, "GRAPHQL_PARSE_FAILED"),
    "nested list": (
        f"{{ environment(key: {'[' * 600}{']' * 600}) {{ key }} }}",
        "GRAPHQL_PARSE_FAILED",
    ),
    "deep": (
        f'{{ environment(key: "{KEY}") {"{ settings { environment " * 30}{{ key }}{"}}" * 30} }}',
        "TOO_COSTLY",
    ),
    "doubling": (doubling(15), "TOO_COSTLY"),
    "fans": (f"{{ ...f0 }} {FANS} fragment f30 on Query {{ a: __typename }}", "TOO_COSTLY"),
    "fragments": (
        "{ __typename } " + "".join(f"fragment f{n} on Query {{ __typename }} " for n in range(60)),
        "TOO_COSTLY",
    ),
    "repeated": ("{" + "viewer { platformAdministrator } " * 100 + "}", "TOO_COSTLY"),
    "repeated alias": ("{" + "a: viewer { platformAdministrator } " * 21 + "}", "TOO_COSTLY"),
    "lists": (f'{{ environment(key: "{KEY}") {{ {MANY_TABS} }} }}', "TOO_COSTLY"),
    "a number of many digits": (
        f"{{ environments(first: {'9' * 5_000}) {{ totalCount }} }}",
        "BAD_USER_INPUT",
    ),
    "lists of lists": (
        f"query ($n: Int) {{ environments(first: $n) {{ nodes {{ ...t }} }} }} {TAB_OF_ALL}",
        "TOO_COSTLY",
    ),
    "nodes": (
        f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ...t ... on Node {{ id }} }} }} {TAB_OF_ALL}",
        "TOO_COSTLY",
    ),
    "spreads itself": (
        "{ ...f } fragment f on Query { a: __typename ...f }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "spreads nothing": ("{ ...f }", "GRAPHQL_VALIDATION_FAILED"),
    "unknown": (
        "{" + " ".join(f"nobody{n}" for n in range(28)) + "}",
        "GRAPHQL_VALIDATION_FAILED",
    ),
}


@pytest.mark.parametrize("name", EXHAUSTING)
async def test_a_document_made_to_exhaust_is_refused_at_once(edge: Edge, name: str) -> None:
    document, code = EXHAUSTING[name]
    began = monotonic()
    answer = await edge.send(NOBODY, document)
    assert monotonic() - began < PATIENCE / 4
    assert answer.status_code == 400
    assert codes(answer.json())[0] == code
    assert len(codes(answer.json())) <= MOST_ERRORS + 1


async def test_what_fits_into_the_limits_is_answered(edge: Edge) -> None:
    assert "errors" not in await edge.ask(ADA, doubling(8))
    twenty = " ".join(["__typename"] * 20)
    assert await edge.data(ADA, f"{{ {twenty} }}") == {"__typename": "Query"}
    assert "errors" not in await edge.ask(ADA, get_introspection_query())


async def test_the_operation_is_chosen_by_its_name_where_there_are_several(edge: Edge) -> None:
    several = "query A { __typename } query B { viewer { platformAdministrator } }"
    for name, code in (
        (None, "OPERATION_RESOLUTION_FAILURE"),
        ("C", "OPERATION_RESOLUTION_FAILURE"),
    ):
        answer = await edge.http.post(
            "/graphql",
            json={"query": several, "operationName": name},
            headers=edge.authorization(ADA),
        )
        assert (answer.status_code, codes(answer.json())) == (400, [code])
    fragment = await edge.ask(ADA, "fragment f on Query { __typename }")
    assert "OPERATION_RESOLUTION_FAILURE" in codes(fragment) or codes(fragment) == [
        "GRAPHQL_VALIDATION_FAILED"
    ]


def unsigned(**changed: object) -> dict[str, object]:
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "eve", "exp": int(time()) + 60, **changed}


def key_id(issuer: Issuer) -> str:
    return issuer.jwks()["keys"][0]["kid"]


FAULTS: dict[str, Callable[[Issuer, Path], str | None]] = {
    "missing": lambda _issuer, _path: None,
    "empty": lambda _issuer, _path: "Bearer",
    "of another scheme": lambda _issuer, _path: "Basic YWRhOnB3",
    "garbage": lambda _issuer, _path: "Bearer garbage",
    "expired": lambda issuer, _path: (
        f"Bearer {issuer.token('ada', lifetime=timedelta(seconds=-1))}"
    ),
    "of a foreign key": lambda _issuer, path: f"Bearer {Issuer.open(path).token('ada')}",
    "signed by another key under our key's name": lambda issuer, _path: (
        "Bearer "
        + jwt.encode(
            unsigned(),
            Ed25519PrivateKey.generate(),
            algorithm="EdDSA",
            headers={"kid": key_id(issuer)},
        )
    ),
    "unsigned": lambda issuer, _path: f"Bearer {issuer.token('ada').rpartition('.')[0]}.",
    "signed with none": lambda issuer, _path: (
        "Bearer " + jwt.encode(unsigned(), "", algorithm="none", headers={"kid": key_id(issuer)})
    ),
    "signed with a shared secret": lambda issuer, _path: (
        "Bearer " + jwt.encode(unsigned(), "s" * 32, headers={"kid": key_id(issuer)})
    ),
    "for another audience": lambda issuer, _path: f"Bearer {resigned(issuer, aud='other')}",
    "not yet valid": lambda issuer, _path: f"Bearer {resigned(issuer, nbf=int(time()) + 600)}",
    "of another issuer": lambda issuer, _path: f"Bearer {resigned(issuer, iss='other')}",
    "without expiry": lambda issuer, _path: f"Bearer {resigned(issuer, exp=None)}",
}


def resigned(issuer: Issuer, **changed: object) -> str:
    claims = {name: value for name, value in unsigned(**changed).items() if value is not None}
    return jwt.encode(claims, issuer._key, algorithm="EdDSA", headers={"kid": key_id(issuer)})


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_a_good_token_nothing_is_answered_on_either_way_in(
    edge: Edge, tmp_path: Path, fault: str
) -> None:
    authorization = FAULTS[fault](edge.issuer, tmp_path)
    headers = {} if authorization is None else {"authorization": authorization}
    answer = await edge.http.post("/graphql", json={"query": VIEWER}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert codes(answer.json()) == ["UNAUTHENTICATED"]
    assert set(answer.json()) == {"errors"}
    async with edge.raw() as talk:
        await talk.say(type="connection_init", payload=headers)
        assert (await talk.closed())[0] == 4403
    for text in (authorization or "").split():
        assert len(text) < 10 or text not in answer.text


async def test_a_rotated_key_is_good_from_when_it_is_in_the_set_and_the_old_one_no_longer(
    edge: Edge, tmp_path: Path
) -> None:
    keys, new = tmp_path / "keys.json", Issuer.open(tmp_path / "new")
    keys.write_text(json.dumps(edge.issuer.jwks()))
    async with serving(edge.place, tmp_path, jwks=keys) as other:
        tokens = [edge.issuer.token(ADA.subject), new.token(ADA.subject)]

        async def statuses() -> list[int]:
            return [
                (
                    await other.http.post(
                        "/graphql",
                        json={"query": VIEWER},
                        headers={"authorization": f"Bearer {each}"},
                    )
                ).status_code
                for each in tokens
            ]

        assert await statuses() == [200, 401]
        keys.write_text(json.dumps(new.jwks()))
        other.entrance.verifier._remembered.clear()  # as five minutes do
        assert await statuses() == [401, 200]


async def test_a_role_that_is_merely_claimed_is_no_role(edge: Edge) -> None:
    headers = {
        **edge.authorization(Person("eve@contoso.example")),
        "x-role": "SYSTEM_ADMINISTRATOR",
        "x-platform-administrator": "true",
        "x-forwarded-user": ADA.subject,
    }
    asked = {"query": "{ viewer { principal { id } platformAdministrator } }"}
    body = (await edge.http.post("/graphql", json=asked, headers=headers)).json()
    assert at(body, "data.viewer") == {
        "principal": {"id": "eve@contoso.example"},
        "platformAdministrator": False,
    }


async def test_a_client_that_goes_away_in_its_request_is_no_accident(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    where = urlsplit(edge.address)
    _, writer = await asyncio.open_connection(where.hostname, where.port)
    before = len(asyncio.all_tasks())
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: {edge.authorization(CARL)['authorization']}\r\n"
        "Content-Length: 999\r\n\r\n{"
    )
    with caplog.at_level(logging.WARNING):
        writer.write(head.encode())
        await writer.drain()
        await until(lambda: len(asyncio.all_tasks()) > before)
        writer.close()
        await writer.wait_closed()
        await until(lambda: len(asyncio.all_tasks()) <= before)
    assert not caplog.records
