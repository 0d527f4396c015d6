"""`python -m bench.bare PORT`: what the stack itself can do, without us on top.

Law: uvicorn with the options of `app/server.py` and nothing else of ours; it answers with the bytes
it was given last, and sends what it is told to send to every socket there is.
"""

import asyncio
import sys
from asyncio import Task, create_task

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


class Bare:
    def __init__(self) -> None:
        self._answer = b"{}"
        self._sockets: set[WebSocket] = set()
        self._telling: set[Task[None]] = set()

    async def keep(self, request: Request) -> Response:
        """From now on, this is the answer."""
        self._answer = await request.body()
        return Response()

    async def answer(self, request: Request) -> Response:
        await request.body()
        return Response(self._answer, media_type="application/json")

    async def broadcast(self, request: Request) -> Response:
        """Acknowledge, and send it to everybody."""
        telling = create_task(self._tell((await request.body()).decode()))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)
        return Response()

    async def _tell(self, text: str) -> None:
        for websocket in list(self._sockets):
            await websocket.send_text(text)

    async def listen(self, websocket: WebSocket) -> None:
        await websocket.accept(websocket.scope["subprotocols"][0])
        self._sockets.add(websocket)
        await websocket.send_text("{}")
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            self._sockets.discard(websocket)


def main() -> None:
    bare = Bare()
    web = Starlette(
        routes=[
            Route("/graphql", bare.answer, methods=["POST"]),
            Route("/keep", bare.keep, methods=["POST"]),
            Route("/broadcast", bare.broadcast, methods=["POST"]),
            WebSocketRoute("/graphql", bare.listen),
        ]
    )
    config = uvicorn.Config(
        web,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
