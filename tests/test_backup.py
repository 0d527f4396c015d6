"""Backups come back whole, from and to every Postgres; the commands of the page are typed."""

import asyncio
import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner
from conftest import enter_process, fill, register, unsynced
from given import BEGUN
from older import MAJOR, older_postgres, program, programs
from pages import Terminal, blocks, masked
from programs import run

from app import backups
from app.bundled_postgres import PostgresFailed
from app.bundled_postgres import program as embedded_program
from app.cli import main
from app.embedded_postgres import EmbeddedPostgres, address
from app.wiring import open_rooms
from eventstore import archive
from eventstore import migrate as migrations
from eventstore.archive import ArchiveFailed, Kept
from eventstore.migrate import migrate
from projections.projector import PATIENCE, SCHEMA
from projections.verify import environments, verify

pytestmark = pytest.mark.postgres
PAGE = "docs/operations.md"
DEMO = Kept(3, 3 * BEGUN + 27)
"""Three environments, and what is asked of them once they are registered."""
EVENTS = "SELECT * FROM syncledger.events ORDER BY environment, position"


def owner(server: EmbeddedPostgres, database: str = "postgres") -> str:
    return address(server.socket_folder, user="postgres", database=database)


def application(server: EmbeddedPostgres, database: str = "postgres") -> str:
    return address(server.socket_folder, user="syncledger_app", database=database)


async def rows(dsn: str, query: str = EVENTS) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def is_whole(dsn: str) -> bool:
    async with open_rooms(dsn) as rooms:
        await rooms.projector.catch_up(wait=PATIENCE)
        keys = await environments(rooms.database)
        reports = [await verify(rooms.database, key) for key in keys]
    assert Kept(len(reports), sum(report.entries for report in reports)) == DEMO
    return not any(report.findings for report in reports)


@pytest.fixture
def used(demonstration: Path, tmp_path: Path) -> Path:
    """Where `.data` is a data folder with the demonstration, at rest."""
    shutil.copytree(demonstration, tmp_path / "used" / ".data")
    return tmp_path / "used"


@pytest.fixture
def server(used: Path) -> Iterator[EmbeddedPostgres]:
    """It, running."""
    server = EmbeddedPostgres.start(used / ".data")
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def long_ago(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same by an older Postgres."""
    data = tmp_path_factory.mktemp("older") / "data"
    with older_postgres(data) as server:
        asyncio.run(fill(server))
    return unsynced(data)


@pytest.fixture
def older(long_ago: Path, tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """It, running."""
    with older_postgres(shutil.copytree(long_ago, tmp_path / "older")) as server:
        yield server


def restored(file: Path, data: Path) -> Kept:
    """What a restore has proved."""
    said = run("restore", str(file), "--json", DATA=str(data))
    assert (said.returncode, said.stderr) == (0, "")
    reports = json.loads(said.stdout)
    return Kept(len(reports), sum(report["entries"] for report in reports))


def dumped(server: EmbeddedPostgres, file: Path, *words: str) -> Path:
    """A file that somebody has made with pg_dump."""
    command = [embedded_program("pg_dump"), "--format=custom", f"--file={file}", *words]
    subprocess.run([*command, owner(server)], check=True)
    return file


def typed(shell: Terminal, mark: str) -> None:
    """Type the blocks of the page that are marked so; what they answer must be what is shown."""
    answer, done = "", 0
    for block in blocks(PAGE):
        if block.mark == mark:
            assert not answer, f"not shown: {answer}"
            answer, done = masked(shell.answer(block.text)), done + 1
        elif block.mark == "answer" and answer:
            assert answer == masked(block.text)
            answer = ""
    assert not answer
    assert done > 1


def shell(folder: Path, **variables: str) -> Terminal:
    (folder / ".venv").symlink_to(sys.prefix)
    return Terminal(folder, 8000, "bash", **variables)


def test_the_embedded_server_as_the_page_has_it(used: Path) -> None:
    terminal = shell(used)
    try:
        typed(terminal, "embedded")
    finally:
        terminal.end(signal.SIGTERM)
    assert stat.S_IMODE((used / "monday.backup").stat().st_mode) == 0o600


def test_a_database_by_dsn_as_the_page_has_it(tmp_path: Path, older: EmbeddedPostgres) -> None:
    with older_postgres(tmp_path / "another") as another:
        terminal = shell(
            tmp_path,
            PATH=os.pathsep.join([str(programs()), os.environ["PATH"]]),
            OWNER=owner(older),
            NEW=owner(another),
        )
        try:
            typed(terminal, "dsn")
        finally:
            terminal.end(signal.SIGTERM)
        assert asyncio.run(rows(owner(another))) == asyncio.run(rows(owner(older)))


def test_an_older_postgres_serves_as_well(older: EmbeddedPostgres) -> None:
    (found,) = asyncio.run(rows(owner(older), "SHOW server_version_num"))
    assert int(found[0]) // 10_000 == MAJOR
    assert asyncio.run(is_whole(application(older)))


def test_a_backup_of_an_older_postgres_is_restored_into_the_one_that_comes_along(
    tmp_path: Path, older: EmbeddedPostgres
) -> None:
    before = asyncio.run(rows(owner(older)))
    archive.dump(owner(older), program, tmp_path / "older.backup")
    older.stop()

    with pytest.raises(
        PostgresFailed, match=f"is of PostgreSQL {MAJOR}, and here is .*restore FILE"
    ):
        EmbeddedPostgres.start(tmp_path / "older")
    said = run("restore", str(tmp_path / "older.backup"), DATA=str(tmp_path / "newer"))
    assert (said.returncode, said.stderr) == (0, "")
    server = EmbeddedPostgres.start(tmp_path / "newer")
    try:
        assert asyncio.run(rows(owner(server))) == before
        assert asyncio.run(is_whole(application(server)))
    finally:
        server.stop()


def test_a_log_of_the_first_schema_is_brought_forward_and_not_an_entry_changes(
    tmp_path: Path, used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of a log of today, as they would have come by the first schema's own append."""
    server = EmbeddedPostgres.start(used / ".data")
    try:
        first = tmp_path / "migrations"
        first.mkdir()
        (first / "0001_log.sql").write_text((migrations.MIGRATIONS / "0001_log.sql").read_text())
        asyncio.run(execute(owner(server), "CREATE DATABASE first"))
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "MIGRATIONS", first)
            asyncio.run(migrate(owner(server, "first"), SCHEMA))
        _copy(server, "events", "log_head", "principals", "remarks", "requests")
        before = asyncio.run(rows(owner(server, "first")))
        assert before == asyncio.run(rows(owner(server)))

        since = sorted(file.name for file in migrations.MIGRATIONS.glob("*.sql"))[1:]
        assert asyncio.run(migrate(owner(server, "first"), SCHEMA)) == since

        assert asyncio.run(rows(owner(server, "first"))) == before
        assert asyncio.run(is_whole(application(server, "first")))
    finally:
        server.stop()


def _copy(server: EmbeddedPostgres, *tables: str) -> None:
    """Rows from one database to the other, with the triggers off there."""
    for table in tables:
        away = f"ALTER TABLE syncledger.{table} DISABLE TRIGGER USER"
        asyncio.run(execute(owner(server, "first"), away))
        dump = [embedded_program("pg_dump"), "--data-only", f"--table=syncledger.{table}"]
        sql = subprocess.run([*dump, owner(server)], capture_output=True, check=True).stdout
        load = [
            embedded_program("psql"),
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            owner(server, "first"),
        ]
        subprocess.run(load, input=sql, capture_output=True, check=True)


def test_a_file_is_never_overwritten(used: Path) -> None:
    (used / "there").write_text("something")
    said = run("backup", str(used / "there"), DATA=str(used / ".data"))
    assert said.returncode == 1
    assert "there exists already" in said.stderr
    assert (used / "there").read_text() == "something"


def test_a_file_that_appears_during_a_backup_is_not_overwritten(
    used: Path, server: EmbeddedPostgres
) -> None:
    def program(name: str) -> str:
        (used / "a").write_text("something")
        return embedded_program(name)

    with pytest.raises(ArchiveFailed, match="a exists already"):
        archive.dump(owner(server), program, used / "a")
    assert (used / "a").read_text() == "something"
    assert sorted(path.name for path in used.iterdir()) == [".data", "a"]


def test_of_two_backups_to_one_name_at_once_one_is_made_and_it_is_whole(
    used: Path, server: EmbeddedPostgres
) -> None:
    """Of two databases, so that a mixture of both would show."""
    asyncio.run(execute(owner(server), "CREATE DATABASE other"))
    asyncio.run(migrate(owner(server, "other"), SCHEMA))
    together = threading.Barrier(2, timeout=60)

    def program(name: str) -> str:
        together.wait()
        return embedded_program(name)

    def attempt(database: str) -> Kept | str:
        try:
            return archive.dump(owner(server, database), program, used / "a")
        except ArchiveFailed as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(attempt, ["postgres", "other"]))
    (made,) = (end for end in ends if isinstance(end, Kept))
    (refused,) = (end for end in ends if isinstance(end, str))
    assert "a exists already" in refused
    assert sorted(path.name for path in used.iterdir()) == [".data", "a"]
    assert restored(used / "a", used / "new") == made


def test_a_backup_goes_through_no_link_and_takes_no_mode_from_what_is_there(
    used: Path, server: EmbeddedPostgres
) -> None:
    (used / "precious").write_text("something")
    (used / "a.partial").symlink_to("precious")
    (used / "b.partial").touch(0o644)
    (used / "c").symlink_to("elsewhere")

    for name in ("a", "b"):
        archive.dump(owner(server), embedded_program, used / name)
        status = (used / name).lstat()
        assert stat.S_ISREG(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert status.st_nlink == 1
    with pytest.raises(ArchiveFailed, match="c exists already"):
        archive.dump(owner(server), embedded_program, used / "c")

    assert (used / "precious").read_text() == "something"
    assert (used / "b.partial").read_bytes() == b""
    assert not (used / "elsewhere").exists()


def test_a_backup_is_on_the_disk_before_it_has_its_name_and_then_the_name_is(
    used: Path, server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, bool]] = []
    really = os.fsync

    def fsync(file: int) -> None:
        synced.append((os.fstat(file).st_ino, (used / "a").exists()))
        really(file)

    monkeypatch.setattr(os, "fsync", fsync)
    archive.dump(owner(server), embedded_program, used / "a")
    assert synced == [((used / "a").stat().st_ino, False), (used.stat().st_ino, True)]


def test_a_file_system_without_hard_links_is_told_and_gets_no_file(
    used: Path, server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_paths: object, **_options: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(ArchiveFailed, match=r"a cannot be linked: .* no hard links, name"):
        archive.dump(owner(server), embedded_program, used / "a")
    assert sorted(path.name for path in used.iterdir()) == [".data"]


def test_what_is_told_of_a_backup_is_what_is_in_it_though_others_write_meanwhile(
    used: Path, server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes before each step: after whatever was counted before, and after the dump."""
    newcomers = count(1)

    async def write() -> None:
        async with AsyncExitStack() as stack:
            process = await enter_process(stack, application(server))
            await register(process, f"newcomer-{next(newcomers)}")

    def program(name: str) -> str:
        asyncio.run(write())
        return embedded_program(name)

    monkeypatch.setattr(backups, "program", program)
    words = ["backup", str(used / "a"), "--json"]
    said = CliRunner().invoke(main, words, env={"SYNCLEDGER_DATA": str(used / ".data")})
    assert said.exit_code == 0
    told = json.loads(said.stdout)
    kept = Kept(DEMO.environments + 1, DEMO.entries + BEGUN)
    assert told == {"file": str(used / "a"), **kept._asdict()}
    assert restored(used / "a", used / "new") == kept
    assert next(newcomers) > 2


def test_what_is_told_to_machines(used: Path) -> None:
    said = run("backup", str(used / "a"), "--json", DATA=str(used / ".data"))
    told = {"file": str(used / "a"), "environments": DEMO.environments, "entries": DEMO.entries}
    assert json.loads(said.stdout) == told
    said = run("restore", str(used / "a"), "--json", DATA=str(used / "new"))
    assert '"findings": []' in said.stdout


def test_a_backup_that_fails_leaves_no_file(used: Path) -> None:
    server = EmbeddedPostgres.start(used / ".data")
    try:
        with pytest.raises(ArchiveFailed, match='database "nowhere" does not exist'):
            archive.dump(owner(server, "nowhere"), embedded_program, used / "file")
        assert sorted(path.name for path in used.iterdir()) == [".data"]
    finally:
        server.stop()
    with pytest.raises(ArchiveFailed, match="There is no folder"):
        archive.dump("", embedded_program, used / "nowhere" / "file")
    with pytest.raises(ArchiveFailed, match="cannot be written"):
        archive.dump("", embedded_program, Path("/proc/file"))


def test_nothing_is_restored_of_what_is_no_backup_or_not_whole(used: Path) -> None:
    assert run("backup", str(used / "a"), DATA=str(used / ".data")).returncode == 0
    whole = (used / "a").read_bytes()
    for content, told in (
        (b"nonsense", "valid archive"),
        (whole[: len(whole) // 2], "end of file"),
    ):
        (used / "b").write_bytes(content)
        said = run("restore", str(used / "b"), DATA=str(used / "new"))
        assert said.returncode == 1
        assert told in said.stderr
    assert run("restore", str(used / "a"), DATA=str(used / "new")).returncode == 0


def test_a_file_that_is_not_of_our_schema_alone_is_not_restored(
    used: Path, server: EmbeddedPostgres
) -> None:
    asyncio.run(execute(owner(server), "CREATE TABLE cats (name text)"))
    ours = "--schema=syncledger"
    for file, told in (
        (dumped(server, used / "cats", "--table=cats"), "it lacks 'SCHEMA - syncledger'"),
        (dumped(server, used / "everything"), "EXTENSION - pg_trgm ' as well"),
        (
            dumped(server, used / "no events", ours, "--exclude-table-data=syncledger.events"),
            "it lacks 'TABLE DATA syncledger events'",
        ),
        (
            dumped(server, used / "no migrations", ours, "--exclude-table=syncledger.migrations"),
            "it lacks 'TABLE DATA syncledger migrations'",
        ),
    ):
        with pytest.raises(ArchiveFailed, match=rf"{file.name} is no backup .* {told}"):
            archive.check(embedded_program, file)
    archive.check(embedded_program, dumped(server, used / "ours", ours))
    said = run("restore", str(used / "cats"), DATA=str(used / "new"))
    assert (said.returncode, said.stdout) == (1, "")
    assert "cats is no backup of the schema syncledger alone" in said.stderr
    assert not (used / "new").exists()


def test_an_older_pg_restore_tells_ours_from_others_as_well(
    tmp_path: Path, older: EmbeddedPostgres
) -> None:
    assert archive.dump(owner(older), program, tmp_path / "a") == DEMO
    archive.check(program, tmp_path / "a")
    asyncio.run(execute(owner(older), "CREATE TABLE cats (name text)"))
    command = [program("pg_dump"), "--format=custom", f"--file={tmp_path / 'b'}"]
    subprocess.run([*command, owner(older)], check=True)
    with pytest.raises(ArchiveFailed, match="TABLE public cats postgres' as well"):
        archive.check(program, tmp_path / "b")


def test_a_restore_that_ended_before_its_proof_is_proved_by_verify(
    used: Path, server: EmbeddedPostgres
) -> None:
    archive.dump(owner(server), embedded_program, used / "a")
    new = EmbeddedPostgres.start(used / "new")
    try:
        asyncio.run(archive.load(owner(new), embedded_program, used / "a"))
    finally:
        new.stop()
    said = run("restore", str(used / "a"), DATA=str(used / "new"))
    assert said.returncode == 1
    assert "`syncledger verify` gives it" in said.stderr
    said = run("verify", DATA=str(used / "new"))
    assert (said.returncode, said.stdout.splitlines()[-1]) == (0, "3 of 3 whole")


def test_a_tampered_backup_is_told_by_the_restore(used: Path) -> None:
    server = EmbeddedPostgres.start(used / ".data")
    try:
        asyncio.run(
            execute(
                owner(server),
                "ALTER TABLE syncledger.events DISABLE TRIGGER USER;"
                " UPDATE syncledger.events SET actor = gen_random_uuid()"
                " WHERE environment = 'contoso-prod' AND position = 5",
            )
        )
        archive.dump(owner(server), embedded_program, used / "a")
    finally:
        server.stop()
    said = run("restore", str(used / "a"), DATA=str(used / "new"))
    assert said.returncode == 1
    assert f"contoso-prod: {BEGUN + 6} entries, NOT whole" in said.stdout
    assert "2 of 3 whole" in said.stdout


def test_logs_are_restored_only_where_there_are_none(used: Path) -> None:
    assert run("backup", str(used / "a"), DATA=str(used / ".data")).returncode == 0
    said = run("restore", str(used / "a"), DATA=str(used / ".data"))
    assert said.returncode == 1
    assert "There are logs already" in said.stderr


@pytest.mark.parametrize("verb", ["backup", "restore"])
def test_a_database_by_dsn_has_its_own_tools(verb: str, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    said = run(verb, str(tmp_path / "a"), DSN="postgresql://a@b/c")
    assert said.returncode == 1
    assert "This is for the embedded server." in said.stderr
