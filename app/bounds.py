"""What a connection may cost before its request is known, and when nobody reads it.

Law: the bounds are uvicorn's protocols' and the kernel's; nothing here looks into a request.
"""

import socket
from asyncio import BaseTransport, TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

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


class Requests(HttpToolsProtocol):
    """uvicorn's requests, but for one that never comes to its end, or is all head."""

    _head = 0
    _late: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as above it
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._have_head()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        super().data_received(data)
        if self._late is not None and self._head > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response(f"The head of a request has at most {MOST_HEAD} bytes.")

    def _await_head(self) -> None:
        if self._late is None:
            self._head = 0
            self._late = self.loop.call_later(SLOWEST_HEAD, self.transport.close)

    def _have_head(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
