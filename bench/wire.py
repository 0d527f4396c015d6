"""HTTP and WebSocket over bare asyncio: a client that costs little beside the server it asks.

Law: loopback only; an answer that is not the good one ends the run.
"""

import asyncio
import base64
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from typing import Self

HOST = "127.0.0.1"
PATH = "/graphql"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
FINAL, MASKED = 0x80, 0x80


class Refused(Exception):
    """The server did not answer as it should."""


class Http(asyncio.Protocol):
    """One connection kept alive, one request at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.WriteTransport | None = None

    @classmethod
    async def connect(cls, port: int) -> Self:
        loop = asyncio.get_running_loop()
        transport, made = await loop.create_connection(cls, HOST, port)
        made.begin(transport)
        return made

    def begin(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Refused(f"The connection was lost: {exc}"))

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        head, found, body = bytes(received).partition(b"\r\n\r\n")
        if not found or self._answer is None:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        received.clear()
        answer, self._answer = self._answer, None
        if head.startswith(b"HTTP/1.1 200"):
            answer.set_result(body)
        else:
            answer.set_exception(Refused(bytes(head + b" " + body).decode()))

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """The body of a good answer; Refused for any other."""
        assert self._transport is not None
        self._answer = self._loop.create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def post(body: bytes, token: str = "", path: str = PATH) -> bytes:
    """A whole request."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: application/json",
        "Accept: application/json",
        f"Authorization: Bearer {token}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def https(port: int, count: int) -> AsyncIterator[list[Http]]:
    """That many connections."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(await Http.connect(port))) for _ in range(count)]


class Socket(asyncio.Protocol):
    """One WebSocket; what it is told is awaited one by one, or taken by `on_text` as it comes."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._open = False
        self._texts: deque[bytes] = deque()
        self._told = asyncio.Event()
        self._lost: str | None = None
        self._transport: asyncio.WriteTransport | None = None
        self.on_text: Callable[[bytes], None] = self._keep

    @classmethod
    async def connect(cls, port: int, subprotocol: str) -> Self:
        """Open: the server has agreed."""
        loop = asyncio.get_running_loop()
        transport, made = await loop.create_connection(cls, HOST, port)
        await made.begin(transport, subprotocol)
        return made

    async def begin(self, transport: asyncio.WriteTransport, subprotocol: str) -> None:
        """Shake hands. Refused when the server does not want to."""
        self._transport = transport
        lines = [
            f"GET {PATH} HTTP/1.1",
            f"Host: {HOST}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {subprotocol}",
        ]
        transport.write("\r\n".join([*lines, "", ""]).encode())
        await self._until(lambda: self._open)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = self._lost or f"The socket was lost: {exc}"
        self._told.set()

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        if not self._open:
            head, found, _ = bytes(received).partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._end(f"No upgrade: {head.decode()}")
                return
            self._open = True
            self._told.set()
            del received[: len(head) + 4]
        while (frame := _frame(received)) is not None:
            self._take(*frame)

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == TEXT:
            self.on_text(payload)
        elif kind == CLOSE:
            self._end(f"The server closed the socket: {payload[2:].decode()}")
        elif kind == PING:
            self._send(PONG, payload)

    def _keep(self, text: bytes) -> None:
        self._texts.append(text)
        self._told.set()

    def _end(self, reason: str) -> None:
        self._lost = reason
        self.close()

    async def text(self) -> bytes:
        """The next text; Refused when there will be none."""
        await self._until(lambda: bool(self._texts))
        return self._texts.popleft()

    async def _until(self, there: Callable[[], bool]) -> None:
        while not there():
            if self._lost is not None:
                raise Refused(self._lost)
            self._told.clear()
            await self._told.wait()

    def send(self, text: bytes) -> None:
        self._send(TEXT, text)

    def _send(self, kind: int, payload: bytes) -> None:
        """A client masks its frames; a mask of zeros leaves the bytes as they are."""
        assert self._transport is not None
        size = len(payload)
        short = bytes([MASKED | size]) if size < 126 else b"\xfe" + size.to_bytes(2)
        self._transport.write(bytes([FINAL | kind]) + short + bytes(4) + payload)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _frame(received: bytearray) -> tuple[int, bytes] | None:
    """Take a whole, unfragmented frame of a server off the front, if it is there."""
    if len(received) < 2:
        return None
    size, start = received[1], 2
    if size >= 126:
        start = 4 if size == 126 else 10
        if len(received) < start:
            return None
        size = int.from_bytes(received[2:start])
    if len(received) < start + size:
        return None
    kind, payload = received[0] & 0x0F, bytes(received[start : start + size])
    del received[: start + size]
    return kind, payload
