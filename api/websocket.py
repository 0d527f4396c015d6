"""GraphQL over WebSocket by the graphql-transport-ws protocol, and by no other.

Law: an error belongs to its operation, never to the socket, except where the protocol says close;
every operation has a context of its own; nothing is sent faster than the client reads.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing, suppress
from time import time

import orjson
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from api.entrance import Entrance
from api.errors import accident, keys_unavailable
from api.identity import Identity, KeysUnavailable, NotAuthenticated
from api.limits import MOST_BYTES, MOST_OPERATIONS_ON_A_SOCKET, SECONDS_TO_CONNECTION_INIT
from api.operations import Answer, Rejected

PROTOCOL = "graphql-transport-ws"
TOO_LATE = (4408, "Connection initialisation timeout")
EXPIRED = (4403, "The token has expired: get a new one and connect again.")


class Close(Exception):
    """The protocol wants the socket closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class WebSocketEntrance:
    """The endpoint for sockets. `origins`: other sites whose pages may open one."""

    def __init__(self, entrance: Entrance, origins: frozenset[str]) -> None:
        self._entrance = entrance
        self._origins = origins

    async def converse(self, websocket: WebSocket) -> None:
        if not self._welcome(websocket):
            await websocket.close(4403, "This origin may not open a socket here.")
            return
        if PROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(4406, f"Speak {PROTOCOL}.")
            return
        await websocket.accept(PROTOCOL)
        await _Socket(websocket, self._entrance).run()

    def _welcome(self, websocket: WebSocket) -> bool:
        origin = websocket.headers.get("origin")
        host = websocket.headers.get("host", "")
        own = {f"http://{host}", f"https://{host}"}
        return origin is None or origin in own or origin in self._origins


class _Socket:
    """One connection: its operations by id, each a task."""

    def __init__(self, websocket: WebSocket, entrance: Entrance) -> None:
        self._websocket = websocket
        self._entrance = entrance
        self._identity: Identity | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        now = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(SECONDS_TO_CONNECTION_INIT) as patience:
                while self._identity is None:
                    await self._take(await self._message())
                patience.reschedule(now() + self._identity.expires_at - time())
                while True:
                    await self._take(await self._message())
        except TimeoutError:
            await self._close(*(TOO_LATE if self._identity is None else EXPIRED))
        except Close as close:
            await self._close(close.code, close.reason)
        except WebSocketDisconnect:
            pass
        finally:
            running = list(self._operations.values())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _message(self) -> dict[str, object]:
        try:
            text = await self._websocket.receive_text()
        except KeyError as error:
            raise Close(4400, "A message is text.") from error
        if len(text.encode()) > MOST_BYTES:
            raise Close(4400, f"A message has at most {MOST_BYTES} bytes.")
        try:
            message = orjson.loads(text)
        except json.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            raise Close(4400, "A message is a JSON object.")
        return message

    async def _take(self, message: dict[str, object]) -> None:
        payload = message.get("payload")
        match message.get("type"):
            case "connection_init":
                await self._initialise(payload)
            case "ping" | "pong" if not isinstance(payload, dict | None):
                raise Close(4400, "The payload of a ping or pong is an object.")
            case "ping":
                await self._pong(payload)
            case "pong":
                pass
            case "subscribe":
                self._subscribe(message.get("id"), payload)
            case "complete":
                self._complete(message.get("id"))
            case unknown:
                raise Close(4400, f"There is no message type {str(unknown)[:40]!r}.")

    async def _pong(self, payload: object) -> None:
        try:
            await self._send({"type": "pong", **({} if payload is None else {"payload": payload})})
        except orjson.JSONEncodeError as error:
            raise Close(4400, "The payload of the ping is nested too deeply.") from error

    async def _initialise(self, payload: object) -> None:
        if self._identity is not None:
            raise Close(4429, "Too many initialisation requests")
        if not isinstance(payload, dict | None):
            raise Close(4400, "The payload of connection_init is an object.")
        given = {str(key).lower(): value for key, value in (payload or {}).items()}
        authorization = given.get("authorization")
        try:
            self._identity = await self._entrance.identify(
                authorization if isinstance(authorization, str) else None
            )
        except NotAuthenticated as error:
            raise Close(4403, str(error)) from error
        except KeysUnavailable as error:
            raise Close(4500, keys_unavailable(error).message) from error
        await self._send({"type": "connection_ack"})

    def _subscribe(self, operation_id: object, payload: object) -> None:
        if self._identity is None:
            raise Close(4401, "Unauthorized")
        if not isinstance(operation_id, str) or not operation_id:
            raise Close(4400, "The id of an operation is a non-empty string.")
        if not isinstance(payload, dict):
            raise Close(4400, "The payload of subscribe is an object.")
        if operation_id in self._operations:
            raise Close(4409, f"Subscriber for {operation_id} already exists")
        if len(self._operations) >= MOST_OPERATIONS_ON_A_SOCKET:
            raise Close(4429, f"At most {MOST_OPERATIONS_ON_A_SOCKET} operations on a socket.")
        work = self._run(operation_id, payload, self._identity)
        task = asyncio.create_task(work, name=f"operation {operation_id}")
        self._operations[operation_id] = task
        task.add_done_callback(lambda done: self._forget(operation_id, done))

    def _complete(self, operation_id: object) -> None:
        task = self._operations.pop(str(operation_id), None)
        if task is not None:
            task.cancel()

    def _forget(self, operation_id: str, done: asyncio.Task[None]) -> None:
        if self._operations.get(operation_id) is done:
            del self._operations[operation_id]

    async def _run(
        self, operation_id: str, payload: Mapping[str, object], identity: Identity
    ) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            errors = await self._stream(operation_id, payload, identity)
            self._operations.pop(operation_id, None)
            if errors is None:
                await self._send({"type": "complete", "id": operation_id})
            else:
                await self._send({"type": "error", "id": operation_id, "payload": errors})

    async def _stream(
        self, operation_id: str, payload: Mapping[str, object], identity: Identity
    ) -> object:
        """Send what the operation gives; the errors that ended it, None for a good end."""
        try:
            operation = self._entrance.documents.operation(payload)
            context = await self._entrance.context(identity)
        except Rejected as error:
            return error.errors
        except Exception as error:  # noqa: BLE001 -- the edge: told with an id, and logged
            return [accident(error)]
        documents = self._entrance.documents
        if operation.kind is not OperationType.SUBSCRIPTION:
            answer = await documents.execute(operation, context)
            return await self._next(operation_id, answer)
        async with aclosing(documents.subscribe(operation, context)) as answers:
            async for answer in answers:
                if errors := await self._next(operation_id, answer):
                    return errors
        return None

    async def _next(self, operation_id: str, answer: Answer) -> object:
        if "data" not in answer:
            return answer["errors"]
        await self._send({"type": "next", "id": operation_id, "payload": answer})
        return None

    async def _send(self, message: Mapping[str, object]) -> None:
        await self._websocket.send_text(orjson.dumps(message).decode())

    async def _close(self, code: int, reason: str) -> None:
        if self._websocket.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._websocket.close(code, _short(reason))


def _short(reason: str) -> str:
    """A close reason has at most 123 bytes."""
    return reason.encode()[:120].decode(errors="ignore")
