"""The running service: the web server, the embedded Postgres beside it, and their end.

Law: the signals are ours, so that everything opened is closed, in order, and nothing stays behind.
"""

import asyncio
import logging
import math
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

import uvicorn

from api.entrance import Entrance
from api.limits import MOST_BYTES
from api.metrics import Metrics
from api.operations import DEADLINE
from api.presence import Presence
from api.web import application
from app import collector, demo, wiring
from app.bounds import Requests, Sockets, bounded
from app.bundled_postgres import PostgresFailed
from app.config import Config
from app.embedded_postgres import EmbeddedPostgres
from app.wiring import Postgres
from eventstore.migrate import MayNotMigrate, migrate
from projections.projector import SCHEMA

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WATCH = 0.1
"""Seconds between two looks at whether Postgres still runs."""
PAUSE = 1.0
"""Seconds until Postgres is started again after it could not be."""
DRAIN = math.ceil(DEADLINE) + 1
"""Seconds that requests are given at the end: none takes as long."""
PING = 12.0
"""Seconds between two pings on a socket, and until one must be answered."""


class AddressTaken(Exception):
    """Another program listens there."""

    def __init__(self, host: str, port: int, variable: str, error: OSError) -> None:
        super().__init__(
            f"{host}:{port} cannot be listened on ({error.strerror}): stop what listens there, or "
            f"choose a port with SYNCLEDGER_{variable} and an address of this machine with "
            "SYNCLEDGER_HOST."
        )


@contextmanager
def until_told_to_end() -> Iterator[None]:
    """Every signal ends the block, from the first moment on. Told so, to end is what was asked."""
    for each in SIGNALS:
        if each is signal.SIGINT or signal.getsignal(each) is not signal.SIG_IGN:  # nohup
            signal.signal(each, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        yield


class Server(uvicorn.Server):
    """uvicorn, but for its signals: it would raise them again and skip our own closing.

    At its end it sends away those who stay for long, and answers everybody else.
    """

    def __init__(self, config: uvicorn.Config, presence: Presence) -> None:
        super().__init__(config)
        self._presence = presence

    async def on_tick(self, counter: int) -> bool:
        collector.adjust(self._presence.streams)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        leaving = asyncio.create_task(self._presence.leave(DRAIN), name="leaving")
        while not (leaving.done() or self.force_exit):
            await asyncio.wait((leaving,), timeout=WATCH)
        leaving.cancel()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        caught = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
        for each in caught:
            signal.signal(each, self._end)
        yield
        for each in caught:
            signal.signal(each, signal.SIG_IGN)  # we are ending, and it is short

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


async def serve(config: Config, postgres: Postgres, announce: Callable[[bool], None]) -> None:
    """Serve until a signal.

    `announce` is called when requests are answered, with whether the demo environments are there.

    Raises PostgresFailed where the data folder is removed under us.
    """
    with _listen(config) as listener:
        verifier = wiring.verifier(config)
        await verifier.ready()
        await _bring_forward(postgres)
        async with wiring.open_rooms(postgres.dsn) as rooms:
            shown = config.opens_demo and await demo.open_demo(rooms)
            entrance = wiring.entrance(config, rooms, verifier)
            server = web_server(config, entrance)
            watch = asyncio.create_task(_watch(postgres.embedded, server))
            collector.spare_what_is_there()
            try:
                with _scraped(config, entrance.metrics):
                    announce(shown)
                    await server.serve(sockets=[listener])
            finally:
                watch.cancel()
                with suppress(asyncio.CancelledError):
                    await watch


def web_server(config: Config, entrance: Entrance) -> Server:
    """What answers on a listener, over an entrance."""
    return Server(
        uvicorn.Config(
            application(entrance, config.origins),
            http=Requests,
            ws=Sockets,
            ws_max_size=MOST_BYTES,
            ws_ping_interval=PING,
            ws_ping_timeout=PING,
            ws_per_message_deflate=False,  # it would compress the same words for each follower
            proxy_headers=bool(config.proxies),
            forwarded_allow_ips=list(config.proxies),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN,
        ),
        entrance.presence,
    )


async def _bring_forward(postgres: Postgres) -> None:
    """Migrate, unless the only DSN is the application's: then it must have been done before."""
    try:
        await migrate(postgres.owner_dsn, SCHEMA)
    except MayNotMigrate:
        if postgres.owner_dsn != postgres.dsn:
            raise


@contextmanager
def _scraped(config: Config, metrics: Metrics) -> Iterator[None]:
    with ExitStack() as stack:
        if config.metrics_port is not None:
            try:
                stack.enter_context(metrics.serve(config.metrics_port, config.host))
            except OSError as error:
                raise AddressTaken(
                    config.host, config.metrics_port, "METRICS_PORT", error
                ) from error
        yield


def _listen(config: Config) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        address = (config.host, config.port)
        return bounded(socket.create_server(address, family=family, backlog=2048))
    except OSError as error:
        raise AddressTaken(config.host, config.port, "PORT", error) from error


async def _watch(embedded: EmbeddedPostgres | None, server: Server) -> None:
    """Start Postgres again when it ends unasked. On the main thread, as the launcher wants."""
    while embedded is not None:
        await asyncio.sleep(WATCH)
        if embedded.gone():
            embedded.abandon()
            server.should_exit = server.force_exit = True
            raise PostgresFailed("the data folder was removed while it was served: start again")
        if embedded.ended():
            logger.warning("Postgres ended unasked; starting it again")
            try:
                await embedded.restart()
            except PostgresFailed:
                logger.exception("Postgres did not start again; trying once more")
                await asyncio.sleep(PAUSE)
