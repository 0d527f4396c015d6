"""The cable between a process and Postgres, so that a test can pull it, at the moment it wants."""

import asyncio
import shutil
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto
from pathlib import Path
from typing import Self

SOCKET = ".s.PGSQL.5432"
READY = b"Z\x00\x00\x00\x05I"
"""What the server says last, when everything asked for is committed."""
EXECUTE = b"B"
"""How a client's question begins once the statement is prepared."""


class Fault(Enum):
    NONE = auto()
    LOSE_ANSWER = auto()
    """The next question on a marked line reaches the server; its answer is lost."""
    LOSE_QUESTION = auto()
    """The next question on a marked line does not even reach the server."""
    SILENCE = auto()
    """Nothing comes through any more, and nothing says so."""


class Line:
    """One connection."""

    def __init__(self, near: StreamWriter, far: StreamWriter) -> None:
        self.near, self.far = near, far
        self.marked = False
        self.doomed = False

    def cut(self) -> None:
        for end in (self.near, self.far):
            end.transport.abort()


class Cable:
    """`mark`: what a client must have said for a fault to concern its line."""

    def __init__(self, server: Path, mark: bytes) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cable-"))
        self.fault = Fault.NONE
        self.faults = 0
        self._server = server / SOCKET
        self._mark = mark
        self._lines: set[Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    @classmethod
    @asynccontextmanager
    async def laid(cls, server: Path, mark: bytes = b"append(") -> AsyncIterator[Self]:
        cable = cls(server, mark)
        await cable.mend()
        try:
            yield cable
        finally:
            await cable.pull()
            shutil.rmtree(cable.folder)

    async def mend(self) -> None:
        self.fault = Fault.NONE
        self._listener = await asyncio.start_unix_server(self._serve, self.folder / SOCKET)

    async def pull(self) -> None:
        """Every line is cut, and nobody gets through."""
        if self._listener is not None:
            self._listener.close()
            (self.folder / SOCKET).unlink(missing_ok=True)
            self._listener = None
        for line in tuple(self._lines):
            line.cut()
        while self._tasks:
            await asyncio.gather(*tuple(self._tasks), return_exceptions=True)

    async def _serve(self, from_client: StreamReader, to_client: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        from_server, to_server = await asyncio.open_unix_connection(self._server)
        line = Line(to_client, to_server)
        self._lines.add(line)
        if self._listener is None:  # pulled while this line was being laid
            line.cut()
        try:
            await asyncio.gather(
                self._ask(line, from_client, to_server), self._answer(line, from_server, to_client)
            )
        finally:
            line.cut()
            self._lines.discard(line)

    async def _ask(self, line: Line, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError):
            while said := await reader.read(65_536):
                if self.fault is Fault.SILENCE:
                    continue
                if line.marked and self.fault is not Fault.NONE and said.startswith(EXECUTE):
                    self.faults += 1
                    if self.fault is Fault.LOSE_QUESTION:
                        self.fault = Fault.NONE
                        break
                    self.fault = Fault.NONE
                    line.doomed = True
                writer.write(said)
                line.marked = line.marked or self._mark in said
        if not line.doomed:
            line.cut()

    async def _answer(self, line: Line, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError):
            while said := await reader.read(65_536):
                if line.doomed and said.endswith(READY):
                    break
                if not line.doomed and self.fault is not Fault.SILENCE:
                    writer.write(said)
        line.cut()
