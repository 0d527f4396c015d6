"""GraphQL over Server-Sent Events: one operation, one stream (graphql-sse, distinct connections).

Law: lines end in line feeds; the id of an event is the position to resume after; only an operation
that ended says `complete`, so that a client takes up every other stream again.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, aclosing
from time import time

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.broadcast import Made
from api.errors import ErrorCode
from api.identity import Identity
from api.media import Media
from api.operations import Told
from api.presence import Presence
from api.rejected import Malformed
from api.subscriptions import FeedItem

PING = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
SECONDS_BETWEEN_PINGS = 12.0
LONGEST_POSITION = 18
"""Digits that fit into a position of the log."""


def resumed_after(headers: Mapping[str, str]) -> int | None:
    """The last position that a client has seen before its stream broke. Malformed if it is none."""
    text = headers.get("last-event-id")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_POSITION):
        raise Malformed.because(
            ErrorCode.BAD_REQUEST, f"Last-Event-ID is {text[:40]!r}; it is a position of the log."
        )
    return int(text)


class EventStream(StreamingResponse):
    """The answers as they come, until the token expires or the process ends. TooManyStreams."""

    media_type = Media.EVENTS

    def __init__(
        self, answers: AsyncGenerator[Told], presence: Presence, identity: Identity
    ) -> None:
        loop = asyncio.get_running_loop()
        ended = loop.create_future()

        def end() -> None:
            if not ended.done():
                ended.set_result(None)

        self._frames = _frames(answers, ended)
        self._place = ExitStack()
        self._place.enter_context(presence.stream(identity.subject, end))
        self._place.callback(loop.call_later(identity.expires_at - time(), end).cancel)
        super().__init__(self._frames, headers={"X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Gives the place back even where the client has gone before anything is sent."""
        with self._place:
            async with aclosing(self._frames):
                await super().__call__(scope, receive, send)


async def _frames(
    answers: AsyncGenerator[Told], ended: asyncio.Future[None]
) -> AsyncGenerator[bytes]:
    coming: asyncio.Future[Told | None] | None = None
    yield PING  # so that a client knows at once that it is being listened to
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(answers, None))
            await asyncio.wait(
                (coming, ended),
                timeout=SECONDS_BETWEEN_PINGS,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if ended.done():
                return
            if not coming.done():
                yield PING
                continue
            told, coming = coming.result(), None
            if told is not None:
                yield _frame(told.item, told.made)
            if told is None or told.made.errors is not None:
                yield COMPLETE
                return
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.wait((coming,))
        await answers.aclose()


def _frame(item: FeedItem | None, made: Made) -> bytes:
    place = b"" if item is None else b"id: %d\n" % item.position
    return b"event: next\n%bdata: %b\n\n" % (place, made.body)
