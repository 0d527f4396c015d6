"""The only place that knows what lies in a data folder, and whose it is at the moment.

Law: one folder has one owner and one server. `owner.lock` is held by the application, `server.lock`
is inherited by Postgres and so held for as long as any process of it lives: only who gets it may
touch what a dead server left behind.
"""

import fcntl
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from app import unprivileged
from app.unprivileged import Identity

OWNER_LOCK, SERVER_LOCK, LOG, CLUSTER = "owner.lock", "server.lock", "postgres.log", "pgdata"
SOCKET, SOCKET_LOCK = ".s.PGSQL.5432", ".s.PGSQL.5432.lock"
SOCKET_LINK, SOCKET_PREFIX = "socket", "syncledger-"  # where the data folder cannot hold the socket
LONGEST_SOCKET = 103  # bytes; macOS allows the shortest
OWNER_PATIENCE, STEP = 0.2, 0.005  # seconds; `running` may hold a lock for a moment


class DataFolderInUse(Exception):
    """Another process owns the folder; `pid` is that process."""

    def __init__(self, data: Path, pid: int) -> None:
        advice = "stop it, or choose another folder with SYNCLEDGER_DATA"
        super().__init__(f"{data} is in use by process {pid}: {advice}")
        self.pid = pid


class Announcement(NamedTuple):
    """What a server says of itself in postmaster.pid, which outlives a killed one."""

    pid: int
    socket_folder: Path
    ready: bool


def running(data: Path) -> Path | None:
    """Give the socket folder of a server that a live process owns on this folder, to attach to."""
    data = data.resolve()
    if not (_is_held(data / OWNER_LOCK) and _is_held(data / SERVER_LOCK)):
        return None
    announced = announcement(data)
    return announced.socket_folder if announced is not None and announced.ready else None


def own(data: Path) -> int:
    """Take the owner's lock, or raise DataFolderInUse."""
    lock = open_file(data / OWNER_LOCK)
    if within(OWNER_PATIENCE, lambda: locked(lock)):
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        return lock
    pid = int(os.pread(lock, 20, 0) or b"0")
    os.close(lock)
    raise DataFolderInUse(data, pid)


def open_file(path: Path, flags: int = 0) -> int:
    """Open without following links: root may be at work in another user's folder."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)


def locked(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_held(path: Path) -> bool:
    with suppress(FileNotFoundError, NotADirectoryError), path.open("rb") as file:
        return not locked(file.fileno(), fcntl.LOCK_SH)
    return False


def announcement(data: Path) -> Announcement | None:
    """Read it; None where no server has said anything whole."""
    try:
        lines = os.fsdecode((data / CLUSTER / "postmaster.pid").read_bytes()).splitlines()
        pid, _, _, _, socket_folder, _, _, status, *_ = lines + [""] * 8
        return Announcement(int(pid), Path(socket_folder), status.strip() == "ready")
    except (FileNotFoundError, ValueError):  # none, or not yet written
        return None


def signal_announced(data: Path, number: int) -> None:
    """Signal the server of this folder. A pid in a file may be another process by now."""
    announced = announcement(data)
    with suppress(OSError):  # it has just ended
        if announced and os.fsencode(data / CLUSTER) in command_line(announced.pid):
            os.kill(announced.pid, number)


def command_line(pid: int) -> bytes:
    if Path("/proc/self/cmdline").exists():  # a slim container has no ps
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, check=False).stdout  # noqa: S603 our words


def sweep(data: Path, socket_folder: Path) -> None:
    """Forget a killed server, whose pid may live on as a zombie or as another process."""
    (data / CLUSTER / "postmaster.pid").unlink(missing_ok=True)
    (socket_folder / SOCKET_LOCK).unlink(missing_ok=True)


def make_socket_folder(data: Path, identity: Identity) -> Path:
    """Choose the data folder, unless its path is too long for a socket or reads as two hosts."""
    if len(os.fsencode(data / SOCKET)) <= LONGEST_SOCKET and "," not in str(data):
        return data
    folder = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir="/tmp"))  # $TMPDIR may be as long
    (data / SOCKET_LINK).symlink_to(folder)
    unprivileged.give([folder], identity)
    return folder


def forget_socket_folder(data: Path) -> None:
    link = data / SOCKET_LINK
    if not link.is_symlink():
        return
    folder = link.readlink()
    if folder.match(f"/tmp/{SOCKET_PREFIX}*"):  # noqa: S108 whoever owns the data wrote this link
        with suppress(OSError):
            (folder / SOCKET).unlink(missing_ok=True)
            (folder / SOCKET_LOCK).unlink(missing_ok=True)
            folder.rmdir()
    link.unlink()


def log_tail(data: Path) -> str:
    return "\n".join((data / LOG).read_text(errors="replace").splitlines()[-10:])


def within(patience: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(STEP)
    return True
