"""A thousand exchanges that Hypothesis makes up, most of them wrong somewhere."""

import asyncio
import logging
from urllib.parse import urlsplit

import psutil
import pytest
import pytest_asyncio
from edge import ADA, PATIENCE, WORKER, Edge, opened, until
from fuzzing import Conversation, Request, cases, exchange
from hypothesis import HealthCheck, given, settings

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.unwatched]
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

CASES = 1_000


async def test_nothing_that_is_sent_does_harm(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    loop, heads, token = asyncio.get_running_loop(), await edge.heads(), edge.token(WORKER)
    tasks, sockets = len(asyncio.all_tasks()), len(psutil.Process().net_connections())
    port = urlsplit(edge.address).port or 0

    @settings(
        max_examples=CASES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def harmless(case: Request | Conversation) -> None:
        exchange(port, token, case)
        assert asyncio.run_coroutine_threadsafe(edge.heads(), loop).result(PATIENCE) == heads

    await asyncio.to_thread(harmless)
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
    await until(lambda: len(asyncio.all_tasks()) <= tasks)
    await until(lambda: len(psutil.Process().net_connections()) <= sockets)
    assert await edge.data(ADA, "{ __typename }") == {"__typename": "Query"}
