"""The web application: which path is which entrance.

Law: a list that can be read; nothing is registered elsewhere.
"""

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import Route, WebSocketRoute

from api import graphiql
from api.context import Rooms
from api.entrance import Entrance
from api.http import HttpEntrance, refused
from api.identity import Verifier
from api.operations import Documents
from api.websocket import WebSocketEntrance


def application(rooms: Rooms, verifier: Verifier, origins: Iterable[str] = ()) -> Starlette:
    """An ASGI application over running rooms."""
    entrance = Entrance(rooms=rooms, verifier=verifier, documents=Documents())
    return Starlette(
        routes=[
            WebSocketRoute("/graphql", WebSocketEntrance(entrance, frozenset(origins)).converse),
            Route("/graphql", HttpEntrance(entrance).answer, methods=["GET", "POST"]),
            Route("/", lambda _request: RedirectResponse("/graphql")),
            *graphiql.routes(),
        ],
        exception_handlers={HTTPException: refused},
    )
