"""Histories over HTTP, as files: /export/changes.csv and /export/changes.jsonl.

Law: the viewer's rights hold for every piece that is sent; a file that could not be sent to its end
is broken off, so that nobody takes it for whole.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, aclosing, contextmanager, suppress
from datetime import datetime
from time import time
from typing import NamedTuple

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from api.asking import ChangeFilter
from api.change_rows import Form, Rows
from api.context import Context
from api.entrance import Entrance
from api.enums import ChangeOrder, Permission
from api.errors import ErrorCode, bad_input, first_code, forbidden
from api.everywhere import readable_histories
from api.exporting import Export, pieces
from api.identity import Identity
from api.narrowing import narrowed_by
from api.presence import TooManyStreams
from api.scalars import read
from api.stopped import stopped
from domain.standing import Standing

logger = logging.getLogger(__name__)

PATH = "/export/changes"
MEDIA = {Form.CSV: "text/csv; header=present", Form.JSONL: "application/jsonl"}
KEYS, ORDER = "environmentKeys", "order"
NARROWING = ("by", "setting", "type", "since", "until", "text")
POINTS_TO_BEGIN, BYTES_OF_A_POINT = 10, 25_000
SLOWEST_READER = 60.0
"""Seconds for which nothing can be sent, until a client is given up."""
MOST_OF_ONE, MOST_AT_ONCE = 2, 10
"""Exports under way: of a principal, and of everybody. Each has up to 100 changes in memory."""


class Wish(NamedTuple):
    """What of which histories, in which order. `keys`: None for all that may be read."""

    keys: Sequence[str] | None
    narrowing: ChangeFilter
    order: ChangeOrder


def wished(params: QueryParams) -> Wish:
    """BAD_USER_INPUT for a parameter that is none, is given twice, or makes no sense."""
    for name in params:
        if name not in {KEYS, ORDER, *NARROWING}:
            known = ", ".join((KEYS, *NARROWING, ORDER))
            raise bad_input(f"There is no parameter {name[:40]!r}. There are {known}.")
        if name != KEYS and len(params.getlist(name)) > 1:
            raise bad_input(f"{name} is given twice.")
    order = params.get(ORDER, ChangeOrder.OLDEST_FIRST.value)
    if order not in ChangeOrder:
        raise bad_input(f"{ORDER} is {' or '.join(ChangeOrder)}, not {order[:40]!r}.")
    since, until = _instant(params, "since"), _instant(params, "until")
    narrowing = ChangeFilter(
        by=params.get("by"),
        setting=params.get("setting"),
        type=params.get("type"),
        since=since,
        until=until,
        text=params.get("text"),
    )
    return Wish(params.getlist(KEYS) or None, narrowing, ChangeOrder(order))


def _instant(params: QueryParams, name: str) -> datetime | None:
    """In an address a + stands for a space, unless it is written as %2B."""
    text = params.get(name)
    return None if text is None else read(text.replace(" ", "+"))


class Exports:
    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance
        self._running: Counter[str] = Counter()

    def routes(self) -> list[Route]:
        return [
            Route(f"{PATH}.csv", self._csv, methods=["GET"]),
            Route(f"{PATH}.jsonl", self._jsonl, methods=["GET"]),
        ]

    async def _csv(self, request: Request) -> Response:
        return await self._answer(request, Form.CSV)

    async def _jsonl(self, request: Request) -> Response:
        return await self._answer(request, Form.JSONL)

    async def _answer(self, request: Request, form: Form) -> Response:
        """What stands against it before the file begins is told as GraphQL tells it."""
        try:
            self._entrance.rates.address(request.client.host if request.client else None)
            return await self._begun(request, form)
        except HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 -- the edge: told with an id, and logged
            why = stopped(error, 400)
            code = first_code(why.errors)
            self._entrance.metrics.refused("http", code)
            status = 403 if code == ErrorCode.FORBIDDEN else why.status
            return JSONResponse({"errors": why.errors}, status, why.headers)

    async def _begun(self, request: Request, form: Form) -> Response:
        if request.method != "GET":
            raise HTTPException(
                405, "A file that is made on the way has no head.", {"Allow": "GET"}
            )
        identity = await self._entrance.identify(request.headers.get("authorization"))
        self._entrance.rates.principal(identity.subject, POINTS_TO_BEGIN)
        context = await self._entrance.context(identity)
        keys, narrowing, order = wished(request.query_params)
        standings = await readable_histories(context, keys)
        export = Export(
            form=form,
            ends={key: standing.position for key, standing in standings.items()},
            narrowed=await narrowed_by(context.rooms.principals, [*standings.values()], narrowing),
            newest_first=order is ChangeOrder.NEWEST_FIRST,
        )
        rooms = context.rooms
        await rooms.projector.reach(*standings)
        made = pieces(rooms.database, Rows(rooms.log, rooms.principals), export)
        sent = self._in_turn(identity, context, _while_readable(context, standings, made))
        file = _File(sent, form, identity.expires_at)
        with ExitStack() as place:
            place.enter_context(self._place(identity.subject))
            place.enter_context(self._entrance.presence.stream(identity.subject, file.end))
            file.place = place.pop_all()
        return file

    @contextmanager
    def _place(self, subject: str) -> Iterator[None]:
        if self._running[subject] >= MOST_OF_ONE:
            raise TooManyStreams(f"At most {MOST_OF_ONE} exports for each principal. Wait for one.")
        if self._running.total() >= MOST_AT_ONCE:
            raise TooManyStreams(f"{MOST_AT_ONCE} exports are under way. Come again in a minute.")
        self._running[subject] += 1
        try:
            yield
        finally:
            self._running[subject] -= 1
            if not self._running[subject]:
                del self._running[subject]

    async def _in_turn(
        self, identity: Identity, context: Context, made: AsyncIterator[bytes]
    ) -> AsyncGenerator[bytes]:
        """Read when it is its turn, and paid before the next."""
        while True:
            async with context.rooms.searching:
                piece = await anext(made, None)
            if piece is None:
                return
            yield piece
            for _ in range(1 + len(piece) // BYTES_OF_A_POINT):
                await self._entrance.pay_patiently(identity.subject, 1)


async def _while_readable(
    context: Context, standings: Mapping[str, Standing], made: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    async for piece in made:
        for standing in standings.values():
            if Permission.READ_HISTORY not in context.permissions(standing):
                raise forbidden(Permission.READ_HISTORY)
        yield piece


class _File(StreamingResponse):
    """Broken off when the token expires or the process ends. `place`: given back at its end."""

    def __init__(self, sent: AsyncGenerator[bytes], form: Form, expires_at: float) -> None:
        self._sent = sent
        self._patience: asyncio.Timeout | None = None
        self._left = expires_at - time()
        self.place = ExitStack()
        disposition = f'attachment; filename="changes.{form.value}"'
        headers = {"Content-Disposition": disposition, "X-Accel-Buffering": "no"}
        super().__init__(sent, headers=headers, media_type=MEDIA[form])

    def end(self) -> None:
        """Now, even where the client reads nothing."""
        self._left = 0.0
        if self._patience is not None:
            with suppress(RuntimeError):  # it has ended already
                self._patience.reschedule(asyncio.get_running_loop().time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The server hangs up where the answer is left without an end."""

        async def patient(message: Message) -> None:
            async with asyncio.timeout(SLOWEST_READER):
                await send(message)

        with self.place:
            try:
                async with asyncio.timeout(self._left) as self._patience, aclosing(self._sent):
                    await super().__call__(scope, receive, patient)
            except Exception as error:  # noqa: BLE001 -- the answer has begun: there is no other way
                logger.warning("an export was broken off: %r", error)
