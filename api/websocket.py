"""GraphQL over WebSocket by the graphql-transport-ws protocol, and by no other.

Law: an error belongs to its operation, never to the socket, except where the protocol says close;
every operation has a context of its own; nothing is sent faster than the client reads.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import ExitStack, aclosing, suppress
from time import time

import orjson
from graphql import GraphQLFormattedError, OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from api.entrance import Entrance
from api.errors import ErrorCode, Problem, accident, first_code, keys_unavailable, told
from api.identity import Identity, KeysUnavailable, NotAuthenticated
from api.limits import (
    MOST_MESSAGES_A_SECOND,
    MOST_OPERATIONS_ON_A_SOCKET,
    SECONDS_TO_CONNECTION_INIT,
)
from api.messages import Close, Complete, Init, Message, Ping, Pong, Subscribe, bad, read
from api.presence import TooManyStreams
from api.rates import RateLimited
from api.rejected import Rejected

PROTOCOL = "graphql-transport-ws"
TOO_LATE = (4408, "Connection initialisation timeout")
EXPIRED = (4403, "The token has expired: get a new one and connect again.")
LEAVING = (1012, "The service restarts: connect again.")
TOO_MANY = 4429
PATIENCE = 5.0
"""Seconds that a client may take to read the end of what it was sent, before the close."""


class WebSocketEntrance:
    """The endpoint for sockets. `origins`: other sites whose pages may open one."""

    def __init__(self, entrance: Entrance, origins: frozenset[str]) -> None:
        self._entrance = entrance
        self._origins = origins

    async def converse(self, websocket: WebSocket) -> None:
        if not self._welcome(websocket):
            self._refused(4403)
            await websocket.close(4403, "This origin may not open a socket here.")
            return
        speaks = PROTOCOL in websocket.scope["subprotocols"]
        await websocket.accept(PROTOCOL if speaks else None)
        try:
            self._entrance.rates.address(websocket.client.host if websocket.client else None)
        except RateLimited as error:
            self._refused(TOO_MANY)
            await websocket.close(TOO_MANY, _short(str(error)))
            return
        if not speaks:
            self._refused(4406)
            await websocket.close(4406, f"Speak {PROTOCOL}.")
            return
        with self._entrance.metrics.sockets.track_inprogress():
            await _Socket(websocket, self._entrance).run()

    def _welcome(self, websocket: WebSocket) -> bool:
        origin = websocket.headers.get("origin")
        host = websocket.headers.get("host", "")
        own = {f"http://{host}", f"https://{host}"}
        return origin is None or origin in own or origin in self._origins

    def _refused(self, code: int) -> None:
        self._entrance.metrics.refused("websocket", str(code))


class _Socket:
    """One connection: its operations by id, each a task."""

    def __init__(self, websocket: WebSocket, entrance: Entrance) -> None:
        self._websocket = websocket
        self._entrance = entrance
        self._identity: Identity | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """Those of the operations, and those that only have to send their end."""
        self._feeds: set[asyncio.Task[None] | None] = set()
        self._messages, self._since = 0, 0.0
        self._place = ExitStack()
        self._patience = asyncio.timeout(SECONDS_TO_CONNECTION_INIT)
        self._sent_away = False

    async def run(self) -> None:
        with self._place:
            try:
                async with self._patience:
                    while True:
                        await self._take(await self._message())
            except TimeoutError:
                await self._finish()
                await self._close(*self._why())
            except Close as close:
                await self._close(close.code, close.reason)
            except WebSocketDisconnect:
                pass
            finally:
                await _ended(self._tasks)

    def _why(self) -> tuple[int, str]:
        if self._sent_away:
            return LEAVING
        return TOO_LATE if self._identity is None else EXPIRED

    async def _finish(self) -> None:
        """Feeds end; what else is under way is answered, and has a deadline."""
        short = self._tasks - self._feeds
        await _ended(self._tasks & self._feeds)
        if short:
            await asyncio.wait(short)

    def _send_away(self) -> None:
        self._sent_away = True
        with suppress(RuntimeError):  # it goes already
            self._patience.reschedule(asyncio.get_running_loop().time())

    async def _message(self) -> Message:
        try:
            text = await self._websocket.receive_text()
        except KeyError as error:
            raise bad("A message is text.") from error
        return read(text)

    async def _take(self, message: Message) -> None:
        self._count()
        match message:
            case Init():
                await self._initialise(message.authorization)
            case Ping():
                await self._pong(message.payload)
            case Pong():
                pass
            case Subscribe():
                self._subscribe(message)
            case Complete():
                self._complete(message.id)

    def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._since + 1:
            self._messages, self._since = 0, now
        self._messages += 1
        if self._messages > MOST_MESSAGES_A_SECOND:
            raise Close(TOO_MANY, f"At most {MOST_MESSAGES_A_SECOND} messages a second.")

    async def _pong(self, payload: dict[str, object] | None) -> None:
        try:
            pong = orjson.dumps(
                {"type": "pong", **({} if payload is None else {"payload": payload})}
            )
        except orjson.JSONEncodeError as error:
            raise bad("The payload of the ping is nested too deeply.") from error
        await self._send(pong)

    async def _initialise(self, authorization: str | None) -> None:
        if self._identity is not None:
            raise Close(TOO_MANY, "Too many initialisation requests")
        try:
            identity = await self._entrance.identify(authorization)
            place = self._entrance.presence.stream(identity.subject, self._send_away)
            self._place.enter_context(place)
        except NotAuthenticated as error:
            raise Close(4403, str(error)) from error
        except KeysUnavailable as error:
            raise Close(4500, keys_unavailable(error).message) from error
        except TooManyStreams as error:
            raise Close(TOO_MANY, str(error)) from error
        self._identity = identity
        now = asyncio.get_running_loop().time()
        if not self._sent_away:
            self._patience.reschedule(now + identity.expires_at - time())
        await self._send(b'{"type":"connection_ack"}')

    def _subscribe(self, message: Subscribe) -> None:
        if self._identity is None:
            raise Close(4401, "Unauthorized: send connection_init first.")
        if message.id in self._operations:
            raise Close(4409, f"Subscriber for {message.id} already exists")
        if len(self._tasks) >= 2 * MOST_OPERATIONS_ON_A_SOCKET:
            raise Close(TOO_MANY, "Too many operations whose end was not read.")
        work = self._run(message, self._identity, len(self._operations))
        task = asyncio.create_task(work, name=f"operation {message.id}")
        self._operations[message.id] = task
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(message.id, done))

    def _complete(self, operation_id: str) -> None:
        task = self._operations.pop(operation_id, None)
        if task is not None:
            task.cancel()

    def _forget(self, operation_id: str, done: asyncio.Task[None]) -> None:
        self._tasks.discard(done)
        self._feeds.discard(done)
        if self._operations.get(operation_id) is done:
            del self._operations[operation_id]

    async def _run(self, message: Subscribe, identity: Identity, others: int) -> None:
        with suppress(WebSocketDisconnect):
            errors = await self._stream(message, identity, others)
            self._operations.pop(message.id, None)
            end: Mapping[str, object] = (
                {"type": "complete", "id": message.id}
                if errors is None
                else {"type": "error", "id": message.id, "payload": errors}
            )
            await self._send(orjson.dumps(end))

    async def _stream(self, message: Subscribe, identity: Identity, others: int) -> object:
        """Send what the operation gives; the errors that ended it, None for a good end."""
        if others >= MOST_OPERATIONS_ON_A_SOCKET:
            most = f"At most {MOST_OPERATIONS_ON_A_SOCKET} operations at once on a socket."
            return self._refuse(told([Problem(ErrorCode.RATE_LIMITED, most)]))
        try:
            paid = self._entrance.read(identity, message.payload)
            if paid.operation.kind is OperationType.SUBSCRIPTION:
                self._feeds.add(asyncio.current_task())
            context = await self._entrance.context(identity)
        except Rejected as error:
            return self._refuse(error.errors)
        except RateLimited as error:
            return self._refuse(told([error.problem]))
        except Problem as error:
            return self._refuse(told([error]))
        except Exception as error:  # noqa: BLE001 -- the edge: told with an id, and logged
            return [accident(error)]
        head = b'{"type":"next","id":%b,"payload":' % orjson.dumps(message.id)
        answers = self._entrance.answers(paid, context, self._websocket.headers)
        async with aclosing(answers):
            async for each in answers:
                if each.made.errors is not None:
                    return each.made.errors
                await self._send(head + each.made.body + b"}")
        return None

    def _refuse(self, errors: list[GraphQLFormattedError]) -> list[GraphQLFormattedError]:
        self._entrance.metrics.refused("websocket", first_code(errors))
        return errors

    async def _send(self, message: bytes) -> None:
        try:
            await self._websocket.send_text(message.decode())
        except RuntimeError as error:  # the server under us has closed the socket meanwhile
            raise WebSocketDisconnect(1006) from error

    async def _close(self, code: int, reason: str) -> None:
        self._entrance.metrics.refused("websocket", str(code))
        if self._websocket.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._websocket.close(code, _short(reason))


async def _ended(tasks: Collection[asyncio.Task[None]]) -> None:
    """Tasks that nobody wants any more."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


def _short(reason: str) -> str:
    """A close reason has at most 123 bytes."""
    return reason.encode()[:120].decode(errors="ignore")
