"""What a connection may cost before its request is known, and when nobody reads it.

Law: the bounds are uvicorn's protocols' and the kernel's; nothing here looks into a request.
"""

import socket
from asyncio import BaseTransport, TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.protocol import State

MOST_HEAD = 65_536
"""Bytes of a request before its body: the address and the headers."""
SLOWEST_HEAD = 10.0
"""Seconds until all of it must be here."""
UNREAD = 30_000
"""Milliseconds until a connection whose client reads nothing is given up."""
KEPT, KEPT_BY_SYSTEM = 1_024, 4_096
"""Bytes that are not on their way to a client yet, before what follows has to wait."""


def bounded(listener: socket.socket) -> socket.socket:
    """A listener whose connections keep little, and end when their client reads nothing."""
    for option, bound in (("TCP_USER_TIMEOUT", UNREAD), ("TCP_NOTSENT_LOWAT", KEPT_BY_SYSTEM)):
        if hasattr(socket, option):  # Linux has both
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), bound)
    return listener


class Sockets(WebSocketsSansIOProtocol):
    """uvicorn's sockets, but for how much is kept for a client that reads slowly."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=KEPT)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.transport.is_closing():
            self.transport.close()  # a request that the protocol refused never came to the service

    def send_receive_event_to_app(self) -> None:
        """A text that is none closes the socket: the client's mistake, and no reason to log."""
        if self.curr_msg_data_type == "bytes" or self.close_sent or _is_text(self.frames):
            super().send_receive_event_to_app()
            return
        self.frames = []
        if self.conn.state is State.OPEN:
            self.conn.send_close(CloseCode.INVALID_DATA)
        self.handle_parser_exception()

    def handle_ping(self) -> None:
        """What is answered by itself is not read any faster than its answers are."""
        super().handle_ping()
        if not self.writable.is_set() and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self.transport.resume_reading()


def _is_text(frames: list[bytes]) -> bool:
    try:
        b"".join(frames).decode()
    except UnicodeDecodeError:
        return False
    return True


class Requests(HttpToolsProtocol):
    """uvicorn's requests, but for one that never comes to its end, or is all head."""

    _head = _headers = 0
    _late: TimerHandle | None = None
    """Runs until the head is here."""
    _rest: TimerHandle | None = None
    """Runs until a body that was answered before its end is here."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as above it
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_head()
        self._have_rest()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._have_head()
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._late is None:  # after the head, it is a trailer, and nobody reads it
            return
        self._headers += len(name) + len(value)
        if self._headers > MOST_HEAD:
            raise ValueError(f"The head of a request has at most {MOST_HEAD} bytes.")
        super().on_header(name, value)

    def on_message_complete(self) -> None:
        self._have_rest()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.more_body and self._rest is None:
            self._rest = self.loop.call_later(SLOWEST_HEAD, self.transport.close)

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        super().data_received(data)
        if self._late is not None and self._head > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response(f"The head of a request has at most {MOST_HEAD} bytes.")

    def _await_head(self) -> None:
        if self._late is None:
            self._head = self._headers = 0
            self._late = self.loop.call_later(SLOWEST_HEAD, self.transport.close)

    def _have_head(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _have_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
