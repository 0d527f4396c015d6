import asyncio
import json
import re
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

import api.graphiql
from api.graphiql import page, routes

PAGE = Path(api.graphiql.__file__).with_name("static").joinpath("graphiql.html").read_text()
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'none'; "
    "frame-ancestors 'none'"
)
NAMESPACES_AND_DOCUMENTATION = {
    *("www.w3.org", "reactjs.org", "fb.me", "github.com", "codemirror.net", "commonmark.org"),
    *("en.wikipedia.org", "spec.graphql.org", "graphql.org"),
}


async def graphiql(request: Request) -> Response:
    return page()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/graphql", graphiql), *routes()])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncledger.test") as client:
        yield client


async def assets(client: httpx.AsyncClient) -> list[str]:
    return re.findall(r'(?:src|href)="(/[^"]+)"', (await client.get("/graphql")).text)


async def test_the_page_may_load_and_call_this_host_only(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["vary"] == "Accept"


async def test_every_asset_the_page_names_is_served_as_what_it_is(
    client: httpx.AsyncClient,
) -> None:
    named = await assets(client)
    assert len(named) == 7
    for path in named:
        answer = await client.get(path)
        kind = "text/css" if path.endswith(".css") else "text/javascript"
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8", path
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_neither_page_nor_assets_load_anything_from_another_host(
    client: httpx.AsyncClient,
) -> None:
    for path in ["/graphql", *await assets(client)]:
        text = (await client.get(path)).text
        hosts = set(re.findall(r"https?://([\w.-]+\w)", text))
        assert hosts <= NAMESPACES_AND_DOCUMENTATION, path
        assert not re.search(r"@import|url\((?!data:|#)", text), path
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text), path


async def test_the_page_has_no_more_rights_as_a_file(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphiql/graphiql.html")
    assert answer.headers["content-security-policy"] == POLICY


async def test_what_is_unchanged_is_not_sent_again(client: httpx.AsyncClient) -> None:
    etag = (await client.get("/graphiql/graphiql.js")).headers["etag"]
    again = await client.get("/graphiql/graphiql.js", headers={"If-None-Match": etag})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/graphiql/", "/graphiql/nothing.js", "/graphiql/%2e%2e/web.py"])
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


def test_the_package_is_found_but_not_imported() -> None:
    assert routes()
    assert "graphene_django_graphiql_static" not in sys.modules


# In a real browser. The page types a subscription and a token, presses the button, and reports what
# it sees; its picture is sent only then, so the browser waits with its dump.

DRIVE = """
const until = async (holds) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
};
const editor = (place) => document.querySelectorAll(".CodeMirror")[place].CodeMirror;
(async () => {
  await until(() => document.querySelectorAll(".CodeMirror").length === 4);
  const opened = { query: editor(0).getValue(), headers: editor(2).getValue() };
  editor(0).setValue("subscription { ticks }");
  editor(2).setValue('{"authorization": "Bearer typed"}');
  await new Promise((resolve) => setTimeout(resolve, 700));
  document.querySelector(".graphiql-execute-button").click();
  await until(() => editor(3).getValue().includes("ticks"));
  editor(0).setValue("{ hello }");
  await new Promise((resolve) => setTimeout(resolve, 700));
  document.querySelector(".graphiql-execute-button").click();
  await until(() => editor(3).getValue().includes("hello"));
  await new Promise((resolve) => setTimeout(resolve, 700));
  const stored = JSON.stringify(localStorage);
  await fetch("/report", { method: "POST", body: JSON.stringify({ ...opened, stored }) });
})();
"""


class Service:
    """Just enough GraphQL for the page, remembering who it was told is asking."""

    def __init__(self) -> None:
        self.over_http: list[str | None] = []
        self.over_socket: list[object] = []
        self.report: dict[str, str] = {}
        self._reported = asyncio.Event()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/graphql", graphiql),
                Route("/graphql", self._answer, methods=["POST"]),
                WebSocketRoute("/graphql", self._follow),
                Route("/drive", self._driven),
                Route("/drive.js", lambda _: Response(DRIVE, media_type="text/javascript")),
                Route("/report", self._report, methods=["POST"]),
                Route("/picture", self._picture),
                *routes(),
            ]
        )

    async def _answer(self, request: Request) -> Response:
        self.over_http.append(request.headers.get("authorization"))
        return JSONResponse({"data": {"hello": "world"}})

    async def _follow(self, websocket: WebSocket) -> None:
        await websocket.accept("graphql-transport-ws")
        self.over_socket.append((await websocket.receive_json())["payload"])
        await websocket.send_json({"type": "connection_ack"})
        subscription = await websocket.receive_json()
        following = {"id": subscription["id"], "type": "next", "payload": {"data": {"ticks": 1}}}
        await websocket.send_json(following)
        await websocket.send_json({"id": subscription["id"], "type": "complete"})

    async def _driven(self, _request: Request) -> Response:
        text = PAGE.replace("</head>", '<script defer src="/drive.js"></script></head>')
        text = text.replace("</body>", '<img src="/picture"></body>')
        return Response(text, media_type="text/html", headers={"Content-Security-Policy": POLICY})

    async def _report(self, request: Request) -> Response:
        self.report = json.loads(await request.body())
        self._reported.set()
        return Response()

    async def _picture(self, _request: Request) -> Response:
        await self._reported.wait()
        return Response(status_code=204)


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


async def dump(address: str, profile: Path) -> tuple[str, str]:
    flags = "headless no-sandbox disable-gpu disable-quic no-first-run disable-sync dump-dom"
    flags += " disable-background-networking disable-component-update enable-logging=stderr"
    browser = await asyncio.create_subprocess_exec(
        "chromium",
        *(f"--{flag}" for flag in flags.split()),
        f"--user-data-dir={profile}",
        address,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            shown, logged = await browser.communicate()
    except TimeoutError:
        browser.kill()
        await browser.wait()
        raise
    return shown.decode(), logged.decode(errors="replace")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium to show it in")
async def test_a_browser_shows_it_and_subscribes_as_the_person_in_the_headers(
    tmp_path: Path,
) -> None:
    service = Service()
    async with served(service.app()) as address:
        shown, logged = await dump(f"{address}/drive", tmp_path)
    assert "graphiql-container" in shown
    assert "Content Security Policy" not in logged
    assert "environments { nodes { key name } }" in service.report["query"]
    assert json.loads(service.report["headers"]) == {"Authorization": "Bearer "}
    assert service.over_socket == [{"authorization": "Bearer typed"}]
    assert service.over_http[-1] == "Bearer typed"
    assert "hello" in service.report["stored"]
    assert "typed" not in service.report["stored"]
