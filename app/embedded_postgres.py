"""The only place that starts and stops a Postgres of our own.

Law: whoever is killed, in whatever order, the next start finds every committed row, and no process
outlives its owner for longer than until then.
"""

import asyncio
import functools
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

from app import unprivileged
from app.bundled_postgres import PostgresFailed, major, program
from app.data_folder import (
    CLUSTER,
    LOG,
    OWNER_LOCK,
    SERVER_LOCK,
    announcement,
    forget_socket_folder,
    locked,
    log_tail,
    make_socket_folder,
    open_file,
    own,
    signal_announced,
    sweep,
    within,
)
from app.unprivileged import Identity

LARGEST_LOG = 10_000_000  # bytes

# Seconds. Recovery after a kill may take its time.
SERVER_PATIENCE, READY_PATIENCE = 0.05, 120.0
ENDING = [(signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)]

INITDB = ["--username=postgres", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
INITDB += ["--builtin-locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject"]
SETTINGS = ["port=5432", "listen_addresses=", "unix_socket_permissions=0700"]
SETTINGS += ["shared_buffers=64MB", "max_connections=200"]


class EmbeddedPostgres:
    """One Postgres cluster in a data folder, owned by this process."""

    def __init__(self, data: Path, owner_lock: int) -> None:
        self._data = data
        self._owner_lock: int | None = owner_lock
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_folder = data
        self._cluster: tuple[int, int] | None = None

    @classmethod
    def start(cls, data: Path) -> Self:
        """Own the folder, made where it is missing, and run its cluster. From the main thread."""
        data = data.resolve()
        with _explained(data):
            unprivileged.make_folder(data)
            server = cls(data, own(data))
            try:
                server._launch()
            except BaseException:
                server.stop()
                raise
            return server

    @property
    def socket_folder(self) -> Path:
        """Where to connect. A restart does not change it."""
        return self._socket_folder

    def ended(self) -> bool:
        """Whether the server has ended unasked."""
        return self._process is not None and self._process.poll() is not None

    def gone(self) -> bool:
        """Whether the folder was removed or replaced under the running server."""
        try:
            return _inode(self._data / CLUSTER) != self._cluster
        except OSError:
            return True

    def abandon(self) -> None:
        """Kill the server at once: ending gently, it would write into what has its path now."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    async def restart(self) -> None:
        """Start a server that has ended unasked, else do nothing. From the main thread.

        Everything that takes long is waited for aside, so that others are answered meanwhile.
        """
        if self.ended():
            with _explained(self._data):
                lock = await asyncio.to_thread(_take_from_the_dead, self._data)
                process = self._begin(lock)
                await asyncio.to_thread(_await_ready, self._data, process)

    def stop(self) -> None:
        """End the server, gently if it lets us, and give the folder free. Twice is once."""
        if self._process is not None:
            _end_child(self._process)
            self._process = None
            forget_socket_folder(self._data)
        if self._owner_lock is not None:
            os.close(self._owner_lock)
            self._owner_lock = None

    def _launch(self) -> None:
        lock = _take_from_the_dead(self._data)
        _await_ready(self._data, self._begin(lock))

    def _begin(self, server_lock: int) -> subprocess.Popen[bytes]:
        try:
            if threading.current_thread() is not threading.main_thread():
                raise RuntimeError("start Postgres from the main thread: it ends with its thread")
            sweep(self._data, self._socket_folder)
            identity = _identity(self._data, server_lock)
            if not (self._data / CLUSTER).exists():
                _make_cluster(self._data, identity, server_lock)
            _refuse_another_major(self._data)
            if self._process is None:
                forget_socket_folder(self._data)
                self._socket_folder = make_socket_folder(self._data, identity)
            self._cluster = _inode(self._data / CLUSTER)
            command = _server_command(self._data, self._socket_folder)
            self._process = _spawn(self._data, command, identity, server_lock)
            return self._process
        finally:
            os.close(server_lock)


def address(socket_folder: Path, *, user: str, database: str) -> str:
    """Give the DSN of a database behind a Unix socket. The port keeps PGPORT out."""
    host, user, database = (quote(str(part), safe="") for part in (socket_folder, user, database))
    return f"postgresql://{user}@/{database}?host={host}&port=5432"


@contextmanager
def _explained(data: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        advice = "set it right, or choose another folder with SYNCLEDGER_DATA"
        raise PostgresFailed(f"cannot run Postgres in {data}: {error}: {advice}") from error


def _take_from_the_dead(data: Path) -> int:
    """Take the server's lock. If it is held although we own the folder, end the orphan first."""
    lock = open_file(data / SERVER_LOCK)
    free = functools.partial(locked, lock)
    if within(SERVER_PATIENCE, free) or _end(functools.partial(signal_announced, data), free):
        return lock
    os.close(lock)
    raise PostgresFailed(
        f"processes of an earlier Postgres still hold {data / SERVER_LOCK}: "
        "end them (fuser names them), or choose another folder with SYNCLEDGER_DATA"
    )


# The folder


def _inode(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _make_cluster(data: Path, identity: Identity, server_lock: int) -> None:
    """Make it beside its place, so that what stands in its place is whole."""
    half_made = data / "pgdata.new"
    if half_made.exists():
        shutil.rmtree(half_made)
    command = [program("initdb"), f"--pgdata={half_made}", *INITDB]
    process = _spawn(data, command, identity, server_lock)
    try:
        process.wait()
    finally:
        _end_child(process)  # or it would outlive us where we are interrupted
    if process.returncode != 0:
        raise PostgresFailed(f"initdb could not make {half_made}: {log_tail(data)}")
    half_made.rename(data / CLUSTER)
    folder = os.open(data, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _refuse_another_major(data: Path) -> None:
    made_by = (data / CLUSTER / "PG_VERSION").read_text().strip()
    if made_by != major():
        raise PostgresFailed(
            f"{data / CLUSTER} is of PostgreSQL {made_by}, and here is {major()}: run `syncledger "
            f"backup FILE` with the version that made it, then `syncledger restore FILE` with this "
            "one, into another folder by SYNCLEDGER_DATA"
        )


# Processes


def _server_command(data: Path, socket_folder: Path) -> list[str]:
    quoted = str(socket_folder).replace('"', '""')
    settings = [*SETTINGS, f'unix_socket_directories="{quoted}"']
    options = [option for setting in settings for option in ("-c", setting)]
    return [program("postgres"), "-D", str(data / CLUSTER), *options]


def _await_ready(data: Path, process: subprocess.Popen[bytes]) -> None:
    def settled() -> bool:
        announced = announcement(data)
        return process.poll() is not None or (announced is not None and announced.ready)

    late = not within(READY_PATIENCE, settled)
    if late:
        _end_child(process)
    if process.poll() is not None:
        reason = f"not ready within {READY_PATIENCE:g} s" if late else "it gave up"
        raise PostgresFailed(f"Postgres did not start ({reason}): {log_tail(data)}")


def _end_child(process: subprocess.Popen[bytes]) -> None:
    _end(process.send_signal, lambda: process.poll() is not None)


def _end(send: Callable[[int], None], ended: Callable[[], bool]) -> bool:
    for number, patience in ENDING:
        send(number)
        if within(patience, ended):
            return True
    return False


# Whom the server runs as


def _identity(data: Path, server_lock: int) -> Identity:
    """Choose the first user that Postgres runs as here, and give them the files."""
    reasons = []
    for identity in unprivileged.candidates(data, data / CLUSTER):
        reason = _obstacle(data, identity, server_lock)
        if reason is None:
            _give(data, identity)
            return identity
        reasons.append(f"as user {identity.uid}: {reason}")
    raise PostgresFailed(
        f"nobody can run Postgres on {data} ({'; '.join(reasons)}): choose another folder with "
        "SYNCLEDGER_DATA, run as an ordinary user, or name a server with SYNCLEDGER_DSN"
    )


def _obstacle(data: Path, identity: Identity, server_lock: int) -> str | None:
    """Say why Postgres does not run as this user; None if it does."""
    command = [program("postgres"), "--version"]
    try:
        status = _spawn(data, command, identity, server_lock).wait()
    except OSError as error:
        return str(error)
    except subprocess.SubprocessError:
        return f"cannot enter {data.parent}, or has no user namespace"
    return None if status == 0 else log_tail(data)


def _give(data: Path, identity: Identity) -> None:
    """What root makes must be usable by the server, and by its owner's own next start."""
    cluster = data / CLUSTER
    paths = [data, data / OWNER_LOCK, data / SERVER_LOCK, data / LOG]
    if cluster.exists() and unprivileged.owner(cluster).uid != identity.uid:
        paths += [*cluster.rglob("*"), cluster]  # itself last: half a gift is given again
    unprivileged.give(paths, identity)


def _spawn(
    data: Path, command: list[str], identity: Identity, server_lock: int
) -> subprocess.Popen[bytes]:
    log = open_file(data / LOG, os.O_APPEND)
    try:
        if os.fstat(log).st_size > LARGEST_LOG:
            os.ftruncate(log, 0)
        return unprivileged.spawn(
            command, identity, reaching=data.parent, output=log, inherited=server_lock
        )
    finally:
        os.close(log)
