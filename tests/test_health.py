import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from cable import Cable
from conftest import Cluster
from edge import ADA, PATIENCE, WORKER, Edge, at, opened, serving

from api import health

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")


async def state(edge: Edge) -> tuple[int, object]:
    answer = await edge.http.get("/health/ready")
    return answer.status_code, answer.json()


async def test_who_answers_lives_and_who_can_work_is_ready(edge: Edge) -> None:
    live = await edge.http.get("/health/live")
    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert await state(edge) == (200, {"status": "ready"})


async def test_while_the_database_is_away_nobody_should_ask(
    edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FRESH", -1.0)
    async with Cable.laid(edge.place.cluster.folder) as cable:
        far = replace(edge.place, cluster=Cluster(cable.folder))
        async with serving(far, tmp_path) as other:
            assert (await state(other))[0] == 200
            await cable.pull()
            why = {"status": "not ready", "reason": "the database is away"}
            assert await state(other) == (503, why)
            assert (await other.http.get("/health/live")).status_code == 200
            await cable.mend()
            for _ in range(200):
                if (await state(other))[0] == 200:
                    break
                await asyncio.sleep(0.05)
            assert await state(other) == (200, {"status": "ready"})


async def test_memory_that_does_not_follow_the_logs_is_not_ready(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "MOST_BEHIND", 0.0)
    monkeypatch.setattr(health, "FRESH", -1.0)
    status, why = await state(edge)
    assert status == 503
    assert "behind the logs" in str(why)


async def test_a_process_that_ends_is_not_ready_and_sends_its_followers_away(
    edge: Edge, tmp_path: Path
) -> None:
    feed = 'subscription { settingsFeed(environmentKey: "contoso") { position } }'
    async with serving(edge.place, tmp_path) as other:
        async with (
            other.talk(WORKER) as talk,
            other.http.stream(
                "POST",
                "/graphql",
                json={"query": feed},
                headers={**other.authorization(ADA), "accept": "text/event-stream"},
            ) as stream,
        ):
            await talk.subscribe("1", feed)
            await talk.hear()
            chunks = stream.aiter_raw()
            await anext(chunks)
            leaving = asyncio.create_task(other.entrance.presence.leave(PATIENCE))
            await asyncio.sleep(0)
            why = {"status": "not ready", "reason": "the process is about to end"}
            assert await state(other) == (503, why)
            assert (await talk.closed())[0] == 1012
            assert b"complete" not in b"".join([chunk async for chunk in chunks])
            async with other.raw() as late:
                await late.say(type="connection_init", payload=other.authorization(WORKER))
                assert (await late.closed())[0] == 1012
            await leaving
        assert "errors" not in await other.ask(ADA, "{ __typename }")


async def test_what_is_being_answered_on_a_socket_is_answered_before_it_is_closed(
    edge: Edge, tmp_path: Path
) -> None:
    """As after a signal: the feed beside it ends at once, the query when it is done."""
    slow = 'query { environment(key: "contoso", atLeastPosition: 100000) { key } }'
    feed = 'subscription { settingsFeed(environmentKey: "contoso") { position } }'
    async with serving(edge.place, tmp_path) as other, other.talk(WORKER) as talk:
        await talk.subscribe("feed", feed)
        await talk.hear()
        await talk.subscribe("slow", slow)
        await asyncio.sleep(0.1)
        ending = asyncio.create_task(other.server.shutdown())
        said = await talk.hear()
        assert at(said, "id") == "slow"
        assert "POSITION_NOT_REACHED" in str(said)
        assert (await talk.closed())[0] == 1012
        await ending


async def test_a_second_signal_waits_for_nobody(edge: Edge, tmp_path: Path) -> None:
    slow = 'query { environment(key: "contoso", atLeastPosition: 100000) { key } }'
    async with serving(edge.place, tmp_path) as other, other.talk(WORKER) as talk:
        await talk.subscribe("slow", slow)
        await asyncio.sleep(0.1)
        ending = asyncio.create_task(other.server.shutdown())
        await asyncio.sleep(0.1)
        other.server.force_exit = True
        async with asyncio.timeout(2):
            await ending
