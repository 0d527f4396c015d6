"""The running service: the web server, the embedded Postgres beside it, and their end.

Law: the signals are ours, so that everything opened is closed, in order, and nothing stays behind.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn

from api.limits import MOST_BYTES
from api.web import application
from app import demo, wiring
from app.config import Config
from app.embedded_postgres import EmbeddedPostgres
from app.wiring import Postgres
from eventstore.migrate import migrate
from projections.projector import SCHEMA

logger = logging.getLogger(__name__)

WATCH = 0.1
"""Seconds between two looks at whether Postgres still runs."""
DRAIN = 3
"""Seconds that open requests and sockets are given at the end."""


class AddressTaken(Exception):
    """Another program listens there."""


class Server(uvicorn.Server):
    """uvicorn, but for its signals: it would raise them again and skip our own closing."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        caught = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for each in caught:
            loop.add_signal_handler(each, self._end)
        try:
            yield
        finally:
            for each in caught:
                loop.remove_signal_handler(each)

    def _end(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


async def serve(config: Config, postgres: Postgres, announce: Callable[[], None]) -> None:
    """Serve until a signal. `announce` is called when requests are answered."""
    listener = _listen(config)
    await migrate(postgres.owner_dsn, SCHEMA)
    async with wiring.open_rooms(postgres.dsn) as rooms:
        if config.demo and postgres.embedded is not None:
            await demo.open_demo(rooms)
        web = application(rooms, wiring.verifier(config), config.origins)
        server = Server(
            uvicorn.Config(
                web,
                http="httptools",
                ws="websockets-sansio",
                ws_max_size=MOST_BYTES,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=DRAIN,
            )
        )
        watch = asyncio.create_task(_watch(postgres.embedded))
        try:
            announce()
            await server.serve(sockets=[listener])
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch


def _listen(config: Config) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        return socket.create_server((config.host, config.port), family=family, backlog=2048)
    except OSError as error:
        raise AddressTaken(
            f"{config.host}:{config.port} cannot be listened on ({error.strerror}): stop what "
            "listens there, or choose another port with SYNCLEDGER_PORT."
        ) from error


async def _watch(embedded: EmbeddedPostgres | None) -> None:
    """Start Postgres again when it ends unasked. On the main thread, as the launcher wants."""
    while embedded is not None:
        await asyncio.sleep(WATCH)
        if embedded.ended():
            logger.warning("Postgres ended unasked; starting it again")
            embedded.restart()
