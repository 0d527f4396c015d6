"""Connections that never come to a request, or read nothing: by bytes, on a plain socket."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from edge import ADA, PATIENCE, Edge, opened

from api import http
from app import bounds
from app.bounds import MOST_HEAD

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

HEAD = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"


@asynccontextmanager
async def plain(edge: Edge) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    where = urlsplit(edge.address)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    yield reader, writer
    writer.close()


async def rest(reader: StreamReader) -> bytes:
    """Everything until the server closes."""
    async with asyncio.timeout(PATIENCE):
        return await reader.read()


@pytest.mark.parametrize("said", [b"", b"G", HEAD, HEAD + b"X: "])
async def test_a_head_that_does_not_come_to_its_end_is_not_waited_for(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(bounds, "SLOWEST_HEAD", 0.2)
    began = monotonic()
    async with plain(edge) as (reader, writer):
        writer.write(said)
        assert await rest(reader) == b""
    assert monotonic() - began >= 0.2


async def test_a_head_that_comes_in_pieces_is_heard_and_so_is_the_next(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "SLOWEST_HEAD", 1.0)
    async with plain(edge) as (reader, writer):
        for _ in range(2):
            for piece in (HEAD[:10], HEAD[10:], b"\r\n"):
                writer.write(piece)
                await asyncio.sleep(0.05)
            async with asyncio.timeout(PATIENCE):
                answer = await reader.readuntil(b'{"status":"live"}')
            assert answer.startswith(b"HTTP/1.1 200 OK")
        await asyncio.sleep(1.1)
        writer.write(HEAD + b"\r\n")
        async with asyncio.timeout(PATIENCE):
            assert await reader.readuntil(b'{"status":"live"}')


@pytest.mark.parametrize("endless", [b"X: " + b"a" * 1000, b"X: a\r\n" * 200])
async def test_a_head_that_is_too_large_is_refused(edge: Edge, endless: bytes) -> None:
    async with plain(edge) as (reader, writer):
        writer.write(HEAD)
        for _ in range(MOST_HEAD // len(endless) + 1):
            writer.write(endless)
        answer = await rest(reader)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")


async def test_a_large_head_is_refused_though_it_comes_at_once_and_whole(edge: Edge) -> None:
    async with plain(edge) as (reader, writer):
        writer.write(HEAD + b"X: " + b"a" * (MOST_HEAD + 1) + b"\r\n\r\n")
        assert (await rest(reader)).startswith(b"HTTP/1.1 400 Bad Request")


async def test_a_body_that_does_not_come_to_its_end_is_not_waited_for(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "SLOWEST_BODY", 0.2)
    async with plain(edge) as (reader, writer):
        authorization = edge.authorization(ADA)["authorization"]
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\nAuthorization: " + authorization.encode() + b"\r\n\r\n{"
        )
        answer = await rest(reader)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout")
    assert b"BAD_REQUEST" in answer


async def test_trailers_are_not_kept(edge: Edge) -> None:
    async with plain(edge) as (reader, writer):
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        )
        for number in range(1000):
            writer.write(b"X-%d: a\r\n" % number)
        writer.write(b"\r\n" + HEAD + b"Connection: close\r\n\r\n")
        answers = await rest(reader)
    assert answers.count(b"HTTP/1.1 ") == 2
    assert answers.endswith(b'{"status":"live"}')


async def test_a_body_that_was_answered_before_its_end_is_not_waited_for(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "SLOWEST_HEAD", 0.3)
    async with plain(edge) as (reader, writer):
        writer.write(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            assert (await reader.readline()).startswith(b"HTTP/1.1 401")
        writer.write(b"x")
        await rest(reader)


UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
)


async def test_an_upgrade_that_the_protocol_refuses_is_not_left_open(edge: Edge) -> None:
    async with plain(edge) as (reader, writer):
        writer.write(UPGRADE + b"".join(b"X-%d: a\r\n" % n for n in range(200)) + b"\r\n")
        assert await rest(reader) == b""


async def test_pings_are_not_read_faster_than_their_answers_are(edge: Edge) -> None:
    ping = b"\x89\xfd" + bytes(4) + b"x" * 125
    async with plain(edge) as (reader, writer):
        writer.write(UPGRADE + b"\r\n")
        async with asyncio.timeout(PATIENCE):
            assert b"101" in await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined] # we read nothing more
        sent = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                while sent < 50_000_000:
                    writer.write(ping * 100)
                    await writer.drain()
                    sent += 100 * len(ping)
        assert sent < 50_000_000
        writer.transport.abort()
