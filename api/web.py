"""The web application: which path is which entrance, and what is around all of them.

Law: a list that can be read; nothing is registered elsewhere.
"""

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from api import graphiql
from api.entrance import Entrance
from api.exports import Exports
from api.health import Health
from api.http import HttpEntrance
from api.security_headers import SecurityHeaders
from api.websocket import WebSocketEntrance

ASKED_HEADERS = ("Authorization", "Content-Type", "Last-Event-ID", "traceparent")
TOLD_HEADERS = ("RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate")


def application(entrance: Entrance, origins: Iterable[str] = ()) -> ASGIApp:
    """An ASGI application over running rooms. `origins`: other sites whose pages may ask."""
    others, over_http = frozenset(origins), HttpEntrance(entrance)
    cors = Middleware(
        CORSMiddleware,
        allow_origins=sorted(others),
        allow_methods=("GET", "POST"),
        allow_headers=ASKED_HEADERS,
        expose_headers=TOLD_HEADERS,
    )
    routed = Starlette(
        routes=[
            WebSocketRoute("/graphql", WebSocketEntrance(entrance, others).converse),
            Route("/graphql", over_http.answer, methods=["GET", "POST"]),
            Route("/", lambda _request: RedirectResponse("/graphql")),
            *Exports(entrance).routes(),
            *Health(entrance.rooms, entrance.presence).routes(),
            *graphiql.routes(),
        ],
        middleware=[cors] if others else [],
        exception_handlers={HTTPException: over_http.refused},
    )
    return SecurityHeaders(routed)
