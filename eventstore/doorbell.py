"""Somebody appended, or was erased: rung after commit, told to other processes.

Law: the bell carries no news. Whoever hears it, or has waited long enough, reads the heads, and
forgets whom it remembers; a bell that is lost costs patience, never a change.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from eventstore.background import background
from eventstore.database import Connection, Database, Unavailable, reaching
from eventstore.log import SQL

logger = logging.getLogger(__name__)

CHANNEL = "syncledger"
ERASED = "syncledger_erased"
"""Rung by the database when a person was erased."""
STILLNESS = 15.0
"""Seconds without a ring after which the connection is tried, since it may be dead unnoticed."""
BREATH = 0.01
"""Seconds from one ring to the next: each is a commit, and more would slow the appends."""
PAUSE = 0.5


class Doorbell:
    """`forget` is called when somebody was erased, or may have been while the line was lost."""

    def __init__(self, database: Database, forget: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._forget = forget
        self._hung_up = asyncio.Event()
        self._rung = asyncio.Event()
        self._heard = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Doorbell"]:
        """Rings and is heard while the block lasts, which begins when it is hung up, or soon."""
        async with background(self._run(), "doorbell"):
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE):
                    await self._hung_up.wait()
            yield self

    def ring(self) -> None:
        """Tell the other processes, soon."""
        self._rung.set()

    async def heard(self, patience: float) -> None:
        """Return when somebody rang, at the latest after that many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._heard.wait()
        self._heard.clear()

    async def _run(self) -> None:
        while True:
            connection: Connection | None = None
            try:
                connection = await self._database.connect()
                await self._serve(connection)
            except Unavailable as error:
                logger.warning("the doorbell is silent, readers poll: %s", error)
                await asyncio.sleep(PAUSE)
            except Exception:  # whatever it is, it may be mended
                logger.exception("the doorbell is silent, readers poll")
                await asyncio.sleep(PAUSE)
            finally:
                if connection is not None:
                    connection.terminate()

    async def _serve(self, connection: Connection) -> None:
        own = connection.get_server_pid()

        def listen(_connection: object, sender: int, _channel: str, _payload: object) -> None:
            if sender != own:
                self._heard.set()

        with reaching():
            connection.add_termination_listener(lambda _connection: self._rung.set())
            await connection.add_listener(CHANNEL, listen)
            await connection.add_listener(ERASED, lambda *_erased: self._forget())
            self._forget()
            self._hung_up.set()
            self._heard.set()
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(STILLNESS):
                        await self._rung.wait()
                self._rung.clear()
                await connection.execute(SQL["ring"])
                await asyncio.sleep(BREATH)
