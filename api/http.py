"""GraphQL over HTTP: queries and mutations by POST, queries by GET.

Law: every answer is GraphQL JSON, and every error has a code.
"""

import json
from collections.abc import Mapping

import orjson
from graphql import OperationType
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from api import graphiql
from api.entrance import Entrance
from api.errors import ErrorCode, Problem, accident, keys_unavailable, told
from api.identity import KeysUnavailable, NotAuthenticated
from api.limits import MOST_BYTES, TooLarge
from api.operations import Answer, Rejected

GRAPHQL_JSON = "application/graphql-response+json"
OURS = {ErrorCode.INTERNAL_SERVER_ERROR: 500, ErrorCode.SERVICE_UNAVAILABLE: 503}
"""The status where nothing was run through no fault of the client's."""


class HttpEntrance:
    """The endpoint for GET and POST."""

    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance

    async def answer(self, request: Request) -> Response:
        if _wants_page(request):
            return graphiql.page()
        try:
            return await self._answered(request)
        except Rejected as error:
            return _json(request, {"errors": error.errors}, 400)
        except NotAuthenticated as error:
            refusal = Problem(ErrorCode.UNAUTHENTICATED, str(error))
            headers = {"WWW-Authenticate": "Bearer"}
            return _json(request, {"errors": told([refusal])}, 401, headers)
        except KeysUnavailable as error:
            return _json(request, {"errors": told([keys_unavailable(error)])}, 503)
        except TooLarge as error:
            refusal = Problem(ErrorCode.BAD_REQUEST, str(error))
            return _json(request, {"errors": told([refusal])}, 413)
        except HTTPException:
            raise
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 -- the edge: told with an id, and logged
            failures = [accident(error)]
            return _json(request, {"errors": failures}, _status(failures))

    async def _answered(self, request: Request) -> Response:
        identity = await self._entrance.identify(request.headers.get("authorization"))
        params = await _params(request)
        operation = self._entrance.documents.operation(params)
        if operation.kind is OperationType.SUBSCRIPTION:
            raise Rejected.because(
                ErrorCode.BAD_REQUEST, "Subscribe over a WebSocket (graphql-transport-ws)."
            )
        if request.method != "POST" and operation.kind is not OperationType.QUERY:
            raise HTTPException(405, "A GET only asks. Send mutations by POST.", {"Allow": "POST"})
        context = await self._entrance.context(identity)
        answer = await self._entrance.documents.execute(operation, context)
        return _json(request, answer, 200 if "data" in answer else _status(answer["errors"]))


def refused(request: Request, error: Exception) -> Response:
    """What Starlette refuses (paths, methods) as GraphQL JSON."""
    if not isinstance(error, HTTPException):
        raise error
    refusal = Problem(ErrorCode.BAD_REQUEST, error.detail)
    return _json(request, {"errors": told([refusal])}, error.status_code, error.headers)


def _wants_page(request: Request) -> bool:
    accepts = request.headers.get("accept", "")
    return (
        request.method == "GET" and "text/html" in accepts and "query" not in request.query_params
    )


def _status(errors: object) -> int:
    """The status of an answer without data."""
    text = orjson.dumps(errors)
    return next((ours for code, ours in OURS.items() if f'"code":"{code}"'.encode() in text), 400)


async def _params(request: Request) -> Mapping[str, object]:
    if request.method != "POST":
        return _query_params(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, f"The body is application/json, not {media_type[:80]!r}.")
    return _object(await _body(request))


def _query_params(request: Request) -> dict[str, object]:
    found: dict[str, object] = dict(request.query_params)
    for name in ("variables", "extensions"):
        text = found.get(name)
        if isinstance(text, str):
            found[name] = _object(text.encode()) if text else None
    return found


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise TooLarge
    return bytes(body)


def _object(text: bytes) -> dict[str, object]:
    """A JSON object. orjson refuses bad UTF-8, lone surrogates, NaN and deep nesting."""
    try:
        found = orjson.loads(text)
    except json.JSONDecodeError as error:
        lone = "surrogate in string" in str(error)
        code = ErrorCode.BAD_USER_INPUT if lone else ErrorCode.BAD_REQUEST
        raise Rejected.because(code, f"This cannot be read as JSON: {error}.") from error
    if not isinstance(found, dict):
        raise Rejected.because(ErrorCode.BAD_REQUEST, "The parameters are one JSON object.")
    return found


def _json(
    request: Request, answer: Answer, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    accepts = request.headers.get("accept", "")
    media_type = GRAPHQL_JSON if GRAPHQL_JSON in accepts else "application/json"
    return Response(orjson.dumps(answer), status, headers, media_type)
