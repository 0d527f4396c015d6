"""The only place that serves GraphiQL, from this machine alone.

Law: every file is a file of ours or of an installed package, and the page may neither run an
inline script nor talk to another host. The package is found but never imported: that needs Django.
"""

import os
from pathlib import Path

from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_OURS = Path(__file__).parent / "static"
_PACKAGE = "graphene_django_graphiql_static"

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'self'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


def page() -> Response:
    """Answer a browser that asks for /graphql itself; other clients get other answers there."""
    return FileResponse(_OURS / "graphiql.html", headers={**_HEADERS, "Vary": "Accept"})


def routes() -> list[BaseRoute]:
    """List what the page loads."""
    files = _Files(directory=_OURS, packages=[(_PACKAGE, f"static/{_PACKAGE}")])
    return [Mount("/graphiql", files, name="graphiql")]


class _Files(StaticFiles):
    """The same headers everywhere, so that no file is a page with more rights than the page."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(_HEADERS)
        return response
