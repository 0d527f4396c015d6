"""Servers in processes of their own: ours as anybody runs it, and the bare one beside it.

Law: on the measured core, on loopback, and ended with the block.
"""

import os
import socket
import subprocess
import sys
from asyncio import sleep
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import orjson
import psutil

from app.issuer import Issuer
from app.wiring import Postgres
from bench.ground import placed
from bench.wire import HOST, Http, Refused, https, post

PATIENCE = 60.0
POLL = 0.005
VIEWER = "{ viewer { platformAdministrator } }"


@dataclass(frozen=True, slots=True)
class Running:
    port: int
    process: subprocess.Popen[bytes]

    @property
    def resident(self) -> float:
        """Megabytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6


@dataclass(frozen=True, slots=True)
class Ours(Running):
    data: Path

    def token(self, subject: str, *, platform: bool = False) -> str:
        return Issuer.open(self.data).token(subject, platform_administrator=platform)


@asynccontextmanager
async def serving(data: Path, postgres: Postgres | None = None) -> AsyncIterator[Ours]:
    """`syncledger serve`, once it has answered its first query. Without Postgres it has its own."""
    settings = {"DATA": str(data), "PORT": str(_free_port()), "LOG_LEVEL": "WARNING"}
    settings |= {"RATE": "0", "ADDRESS_RATE": "0"}
    if postgres is not None:
        settings |= {"DSN": postgres.dsn, "OWNER_DSN": postgres.owner_dsn}
    token = Issuer.open(data).token("anybody")
    with _process(["app", "serve"], settings) as process:
        ours = Ours(int(settings["PORT"]), process, data)
        await _answering(ours, question(VIEWER, token))
        yield ours


@asynccontextmanager
async def bare() -> AsyncIterator[Running]:
    port = _free_port()
    with _process(["bench.bare", str(port)], {}) as process:
        running = Running(port, process)
        await _answering(running, post(b"{}"))
        yield running


def question(query: str, token: str, **variables: object) -> bytes:
    """A GraphQL request over HTTP."""
    return post(orjson.dumps({"query": query, "variables": variables}), token)


@contextmanager
def _process(module: Sequence[str], settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A Python of its own, with these settings of ours and no other."""
    inherited = {name: held for name, held in os.environ.items() if "SYNCLEDGER_" not in name}
    environment = inherited | {f"SYNCLEDGER_{name}": held for name, held in settings.items()}
    with placed("measured"):
        process = subprocess.Popen(
            [sys.executable, "-m", *module], env=environment, stdout=subprocess.DEVNULL
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _answering(running: Running, request: bytes) -> None:
    deadline = monotonic() + PATIENCE
    while running.process.poll() is None and monotonic() < deadline:
        with suppress(ConnectionError, Refused):
            async with https(running.port, 1) as (connection,):
                await connection.ask(request)
                return
        await sleep(POLL)
    raise Refused(f"{running.process.args!r} does not answer.")


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def answered(connection: Http, request: bytes, wanted: bytes = b'{"data":') -> bytes:
    """The body; Refused unless what is wanted stands in it."""
    body = await connection.ask(request)
    if wanted not in body or b'"errors"' in body:
        raise Refused(body.decode())
    return body
