"""GraphQL over HTTP: queries and mutations by POST, queries by GET, anything as an event stream.

Law: every answer is GraphQL JSON or an event stream of it, and every error has a code; what is
done for a client ends when the client leaves.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import mimeparse
import orjson
from graphql import OperationType
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from api import graphiql
from api.broadcast import Answer
from api.decoding import json_object
from api.entrance import Entrance
from api.errors import ErrorCode, Problem, first_code, told
from api.event_stream import EventStream, resumed_after
from api.limits import MOST_BYTES, TooLarge
from api.media import Media, preferred
from api.rejected import Malformed
from api.stopped import OURS, stopped

SLOWEST_BODY = 10.0
"""Seconds until all of a body must be here."""

ADVICE = {
    "Not Found": (
        "There is nothing here: GraphQL is at /graphql, and what happened at /export/changes.csv "
        "and /export/changes.jsonl."
    ),
    "Method Not Allowed": "This method is not for this address; Allow has those that are.",
}
"""In place of what Starlette says."""


class HttpEntrance:
    """The endpoint for GET and POST."""

    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance

    async def answer(self, request: Request) -> Response:
        media = Media.JSON
        try:
            self._entrance.rates.address(request.client.host if request.client else None)
            accept = ", ".join(request.headers.getlist("accept"))
            media = preferred(accept, page=_is_bare(request))
            if media is Media.PAGE:
                return graphiql.page()
            return await self._answered(request, media)
        except HTTPException:
            raise
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 -- the edge: told with an id, and logged
            why = stopped(error, _refused(media))
            self._entrance.metrics.refused("http", first_code(why.errors))
            return _json({"errors": why.errors}, media, why.status, why.headers)

    def refused(self, _request: Request, error: Exception) -> Response:
        """What is refused by its path, method or type, as GraphQL JSON."""
        if not isinstance(error, HTTPException):
            raise error
        refusal = Problem(ErrorCode.BAD_REQUEST, ADVICE.get(error.detail, error.detail))
        self._entrance.metrics.refused("http", ErrorCode.BAD_REQUEST)
        return _json({"errors": told([refusal])}, Media.JSON, error.status_code, error.headers)

    async def _answered(self, request: Request, media: Media) -> Response:
        identity = await self._entrance.identify(request.headers.get("authorization"))
        paid = self._entrance.read(identity, await _params(request))
        operation = paid.operation
        if operation.kind is OperationType.SUBSCRIPTION and media is not Media.EVENTS:
            raise Malformed.because(
                ErrorCode.BAD_REQUEST,
                "Subscribe over a WebSocket (graphql-transport-ws), or accept text/event-stream.",
            )
        if request.method != "POST" and operation.kind is OperationType.MUTATION:
            raise HTTPException(405, "A GET only asks. Send mutations by POST.", {"Allow": "POST"})
        if request.method == "HEAD" and media is Media.EVENTS:
            raise HTTPException(405, "A stream has no head.", {"Allow": "GET, POST"})
        if media is Media.EVENTS:
            context = await self._entrance.context(identity, resumed_after(request.headers))
            answers = self._entrance.answers(paid, context, request.headers)
            return EventStream(answers, self._entrance.presence, identity)
        context = await self._entrance.context(identity)
        async with _while_there(request):
            answer, left = await self._entrance.execute(paid, context, request.headers)
        status = 200
        if "data" not in answer:
            status = OURS.get(first_code(answer["errors"]), _refused(media))
        return _json(answer, media, status, None if left is None else left.headers)


@asynccontextmanager
async def _while_there(request: Request) -> AsyncIterator[None]:
    """Ends the block when the client leaves, as ClientDisconnect."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        patience.reschedule(asyncio.get_running_loop().time())

    try:
        async with asyncio.timeout(None) as patience:
            watching = asyncio.create_task(watch(), name="watch")
            try:
                yield
            finally:
                watching.cancel()
    except TimeoutError:
        raise ClientDisconnect from None


def _is_bare(request: Request) -> bool:
    """Whether somebody looks at the address itself."""
    return request.method == "GET" and "query" not in request.query_params


def _refused(media: Media) -> int:
    """The status of a good request whose operation is refused; older clients want 200."""
    return 200 if media is Media.JSON else 400


async def _params(request: Request) -> Mapping[str, object]:
    if request.method != "POST":
        return _query_params(request)
    _refuse_unreadable(request.headers)
    return json_object(await _body(request))


def _refuse_unreadable(headers: Mapping[str, str]) -> None:
    """415 for a body that is not JSON in UTF-8, as it is."""
    media_type = headers.get("content-type", "")
    try:
        *kind, parameters = mimeparse.parse_mime_type(media_type.lower())
    except mimeparse.MimeTypeParseException:
        kind, parameters = [], {}
    if kind != ["application", "json"]:
        raise HTTPException(415, f"The body is application/json, not {media_type[:80]!r}.")
    charset = parameters.get("charset", "utf-8").strip('"')
    if charset not in {"utf-8", "utf8"}:
        raise HTTPException(415, f"The body is in UTF-8, not in {charset[:80]!r}.")
    encoding = headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise HTTPException(415, f"The body is sent as it is, not as {encoding[:80]!r}.")


def _query_params(request: Request) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, text in request.query_params.multi_items():
        if name in found:
            raise Malformed.because(ErrorCode.BAD_REQUEST, f"{name[:40]!r} is given twice.")
        found[name] = text
    for name in ("variables", "extensions"):
        given = request.query_params.get(name)
        if given is not None:
            found[name] = json_object(given) if given else None
    return found


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST_BODY):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise TooLarge
    except TimeoutError as error:
        late = f"The whole body has to come within {SLOWEST_BODY:g} s."
        raise HTTPException(408, late, {"Connection": "close"}) from error
    return bytes(body)


def _json(
    answer: Answer, media: Media, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    body = orjson.dumps(answer)
    media_type = Media.GRAPHQL if media is Media.GRAPHQL else Media.JSON
    return Response(body, status, {"Vary": "Accept", **(headers or {})}, media_type)
