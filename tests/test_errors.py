"""Every error code, where it comes from; and what ends an operation before its time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from edge import ADA, BEN, KEY, PATIENCE, WORKER, Edge, at, codes, opened, serving, text_at, until

from api import operations, queries
from api.errors import LONGEST_MESSAGE, ErrorCode

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

SLOW = f'{{ environment(key: "{KEY}", atLeastPosition: 100000) {{ key }} }}'

type Reach = Callable[[Edge, Path, pytest.MonkeyPatch], Awaitable[object]]


def asking(document: str) -> Reach:
    return lambda edge, _path, _patch: edge.ask(BEN, document)


async def without_a_query(edge: Edge, _path: Path, _patch: pytest.MonkeyPatch) -> object:
    answer = await edge.http.post("/graphql", json={}, headers=edge.authorization(ADA))
    return answer.json()


async def without_a_token(edge: Edge, _path: Path, _patch: pytest.MonkeyPatch) -> object:
    return (await edge.http.post("/graphql", json={"query": "{ __typename }"})).json()


async def too_fast(edge: Edge, path: Path, _patch: pytest.MonkeyPatch) -> object:
    async with serving(edge.place, path, rate=1) as other:
        answers = [await other.ask(ADA, "{ __typename }") for _ in range(12)]
    return answers[-1]


async def not_reached(edge: Edge, _path: Path, patch: pytest.MonkeyPatch) -> object:
    patch.setattr(queries, "PATIENCE", 0.05)
    return await edge.ask(ADA, SLOW)


async def too_slow(edge: Edge, _path: Path, patch: pytest.MonkeyPatch) -> object:
    patch.setattr(operations, "DEADLINE", 0.05)
    return await edge.ask(ADA, SLOW)


async def broken(edge: Edge, _path: Path, patch: pytest.MonkeyPatch) -> object:
    patch.setattr(queries, "PATIENCE", "not a number")
    return await edge.ask(ADA, SLOW)


REACHED: dict[ErrorCode, Reach] = {
    ErrorCode.GRAPHQL_PARSE_FAILED: asking("{"),
    ErrorCode.GRAPHQL_VALIDATION_FAILED: asking("{ nobody }"),
    ErrorCode.OPERATION_RESOLUTION_FAILURE: asking("query A { __typename } query B { __typename }"),
    ErrorCode.BAD_REQUEST: without_a_query,
    ErrorCode.BAD_USER_INPUT: asking('{ environment(key: "BAD KEY") { key } }'),
    ErrorCode.UNAUTHENTICATED: without_a_token,
    ErrorCode.FORBIDDEN: asking(f'{{ environment(key: "{KEY}") {{ history {{ totalCount }} }} }}'),
    ErrorCode.POSITION_NOT_REACHED: not_reached,
    ErrorCode.TOO_COSTLY: asking("{" + "__typename " * 60 + "}"),
    ErrorCode.RATE_LIMITED: too_fast,
    ErrorCode.SERVICE_UNAVAILABLE: too_slow,
    ErrorCode.INTERNAL_SERVER_ERROR: broken,
}


async def test_no_code_is_without_a_way_to_it() -> None:
    assert set(REACHED) == set(ErrorCode)


@pytest.mark.parametrize("code", ErrorCode)
async def test_every_code_is_reached(
    edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: ErrorCode
) -> None:
    body = await REACHED[code](edge, tmp_path, monkeypatch)
    assert codes(body) == [code]


async def test_a_denial_says_what_is_missing_and_who_grants_it(edge: Edge) -> None:
    body = await edge.ask(BEN, f'{{ environment(key: "{KEY}") {{ history {{ totalCount }} }} }}')
    extensions = at(body, "errors.0.extensions")
    assert at(extensions, "needs") == "READ_HISTORY"
    roles = at(extensions, "rolesThatMay")
    assert roles == ["SYSTEM_ADMINISTRATOR", "SYSTEM_CUSTOMIZER", "AUDITOR"]


async def test_a_position_that_is_not_reached_says_which_one_is(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = await not_reached(edge, Path(), monkeypatch)
    end = at(await edge.data(ADA, f'{{ environment(key: "{KEY}") {{ position }} }}'), "environment")
    assert at(body, "errors.0.extensions.position") == at(end, "position")


async def test_what_takes_too_long_is_stopped_and_says_so_on_every_way_in(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "DEADLINE", 0.05)
    answer = await edge.send(ADA, SLOW)
    assert answer.status_code == 503
    assert "stopped after 0.05 s" in text_at(answer.json(), "errors.0.message")
    async with edge.talk(ADA) as talk:
        await talk.subscribe("1", SLOW)
        said = await talk.hear()
        assert at(said, "payload.0.extensions.code") == "SERVICE_UNAVAILABLE"


def running(name: str) -> bool:
    return any(task.get_name() == name for task in asyncio.all_tasks())


async def test_what_is_done_for_a_client_ends_when_the_client_leaves(edge: Edge) -> None:
    async def leave() -> None:
        async with httpx.AsyncClient(base_url=edge.address, timeout=0.3) as impatient:
            with suppress(httpx.ReadTimeout):
                await impatient.post(
                    "/graphql", json={"query": SLOW}, headers=edge.authorization(WORKER)
                )

    leaving = asyncio.create_task(leave())
    await until(lambda: running("watch"))
    await leaving
    async with asyncio.timeout(PATIENCE / 4):  # long before the query would end by itself
        await until(lambda: not running("watch"))


async def test_a_message_that_quotes_what_was_sent_is_not_longer_than_it_must_be(
    edge: Edge,
) -> None:
    body = await edge.ask(ADA, f"{{ {'nobody' * 1000} }}")
    assert codes(body) == ["GRAPHQL_VALIDATION_FAILED"]
    message = text_at(body, "errors.0.message")
    assert len(message) == LONGEST_MESSAGE + 1
    assert message.endswith("…")


async def test_what_the_schema_is_comes_again_as_it_was_with_a_cost_of_its_own(edge: Edge) -> None:
    looks = [f'{{ __type(name: "Query") {{ name }} }}{" " * count}' for count in range(6)]
    first = [await edge.ask(ADA, look) for look in looks]
    again = [await edge.ask(BEN, look) for look in looks]
    assert first == again
    assert at(first[0], "data") == {"__type": {"name": "Query"}}
    assert at(first[0], "extensions.cost.requested") == 1
