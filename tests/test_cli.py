import asyncio
import fcntl
import json
import logging
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import jwt
import pytest
from click.testing import CliRunner, Result
from given import BEGUN
from programs import PROGRAM, environment, run

from app import logs
from app.cli import announce, main
from app.config import Config, variables
from app.data_folder import running
from app.embedded_postgres import EmbeddedPostgres, address

VERBS = (
    *("serve", "migrate", "rebuild", "verify", "replay", "schema", "token"),
    *("import", "export", "apply", "privacy"),
)
DISTURBANCES = {
    "a changed payload": (
        "UPDATE syncledger.events SET payload = '{\"on\":false}' WHERE environment = 'contoso-prod'"
        " AND position = (SELECT max(position) FROM syncledger.events"
        " WHERE environment = 'contoso-prod')"
    ),
    "a removed entry": (
        "DELETE FROM syncledger.events WHERE environment = 'contoso-prod' AND position = 3"
    ),
    "a row that differs": (
        "UPDATE syncledger.current_settings SET resource_bookings = false"
        " WHERE environment = 'contoso-prod'"
    ),
}


@pytest.fixture(scope="module")
def used(demonstration: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(demonstration, tmp_path_factory.mktemp("used") / "data")


@pytest.fixture(scope="module")
def data(used: Path) -> Iterator[Path]:
    """The same while a server runs on it, to attach to."""
    server = EmbeddedPostgres.start(used)
    yield used
    server.stop()


@pytest.fixture
def disturbed(tmp_path: Path, used: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A copy in which a superuser has changed something, with the triggers off."""
    copy = tmp_path / "data"
    shutil.copytree(used, copy, ignore=shutil.ignore_patterns(".s.*", "postmaster.pid"))
    server = EmbeddedPostgres.start(copy)

    async def work() -> None:
        connection = await asyncpg.connect(dsn(copy))
        await connection.execute("ALTER TABLE syncledger.events DISABLE TRIGGER USER")
        assert await connection.execute(request.param) in {"UPDATE 1", "DELETE 1"}
        await connection.close()

    asyncio.run(work())
    yield copy
    server.stop()


def dsn(data: Path, user: str = "postgres") -> str:
    folder = running(data)
    assert folder is not None
    return address(folder, user=user, database="postgres")


def say(*words: str, **environment: str) -> Result:
    known: dict[str, str | None] = {name: None for name, _, _ in variables()}
    ours = {f"SYNCLEDGER_{name}": text for name, text in environment.items()}
    return CliRunner().invoke(main, words, env={**known, **ours})


def good(*words: str, **environment: str) -> str:
    said = say(*words, **environment)
    assert said.exit_code == 0, said.output
    assert not said.stderr or said.stderr.startswith("A new key was made in "), said.stderr
    return said.stdout


def test_help_names_every_verb_and_every_variable() -> None:
    text = good("--help")
    assert all(f"\n  {verb} " in text for verb in VERBS)
    for name, default, _ in variables():
        assert name in text
        assert f"[{default}]" in " ".join(text.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str) -> None:
    assert f"Usage: main {verb}" in good(verb, "--help")


def test_the_version_is_told() -> None:
    assert good("--version").startswith("syncledger, version ")


def test_the_schema_is_the_one_that_is_kept() -> None:
    assert good("schema") == Path("schema.graphql").read_text()


def test_verify_tells_of_every_environment_in_words_and_for_machines(data: Path) -> None:
    lines = good("verify", DATA=str(data)).splitlines()
    assert len(lines) == 4
    assert all(line.endswith(" entries, whole") for line in lines[:3])
    assert lines[3] == "3 of 3 whole"
    reports = json.loads(good("verify", "--json", DATA=str(data)))
    assert [report["environment"] for report in reports] == [
        "contoso-dev",
        "contoso-prod",
        "contoso-test",
    ]
    assert all(report["entries"] > BEGUN + 3 and report["findings"] == [] for report in reports)


def test_verify_of_one_environment(data: Path) -> None:
    [report] = json.loads(good("verify", "--json", "--environment", "contoso-prod", DATA=str(data)))
    assert report["environment"] == "contoso-prod"
    said = say("verify", "--environment", "nowhere", DATA=str(data))
    assert said.exit_code == 1
    assert said.stderr == "Error: There is no environment 'nowhere' in the log.\n"


@pytest.mark.parametrize("disturbed", DISTURBANCES.values(), indirect=True, ids=DISTURBANCES.keys())
def test_verify_finds_tampering_and_where(disturbed: Path) -> None:
    said = say("verify", DATA=str(disturbed))
    assert said.exit_code == 1
    assert "contoso-dev: " in said.stdout
    assert "NOT whole\n  at " in said.stdout
    said = say("verify", "--json", DATA=str(disturbed))
    assert said.exit_code == 1
    found = {report["environment"]: report["findings"] for report in json.loads(said.stdout)}
    assert [environment for environment, findings in found.items() if findings] == ["contoso-prod"]
    assert all({"position", "message"} == set(each) for each in found["contoso-prod"])


NOW = "now"


@pytest.mark.parametrize(
    ("words", "position", "attachments"),
    [
        ((), BEGUN + 8, "false"),
        (("--position", str(BEGUN + 7)), BEGUN + 7, "true"),
        (("--time", NOW), BEGUN + 8, "false"),
    ],
)
def test_replay_tells_each_setting_and_member_in_a_line(
    data: Path, words: tuple[str, ...], position: int, attachments: str
) -> None:
    words = tuple(datetime.now(UTC).isoformat() if word == NOW else word for word in words)
    said = good("replay", "--environment", "contoso-test", *words, DATA=str(data))
    cells = [line.split("\t") for line in said.splitlines()]
    told = {key: value for key, value, _ in cells}
    changed = [key for key, _, mark in cells if mark]
    assert told["position"] == str(position)
    assert told["appointmentAttachments"] == attachments
    assert told["fieldMapping:contact.notes"] == "BOTH"
    assert told["role:audrey@contoso.example"] == "AUDITOR"
    assert changed == ["appointmentAttachments"] * (attachments == "true") + ["resourceBookings"]


def test_replay_before_the_beginning_has_nothing(data: Path) -> None:
    words = ("replay", "--environment", "contoso-test", "--time", "2020-01-01T00:00:00Z", "--json")
    assert json.loads(good(*words, DATA=str(data))) == {
        "environment": "contoso-test",
        "position": 0,
    }


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--environment", "nowhere"), 1, "There is no environment 'nowhere' in the log."),
        (
            ("--environment", "contoso-test", "--position", "99"),
            1,
            f"Position 99 is beyond the end of the log, which is {BEGUN + 8}.",
        ),
        (("--environment", "contoso-test", "--time", "soon"), 1, "with an offset"),
        (("--environment", "contoso-test", "--time", "2026-01-01"), 1, "with an offset"),
        (
            ("--environment", "contoso-test", "--time", "2999-01-01T00:00:00Z"),
            1,
            "2999-01-01T00:00:00.000000Z has not come yet.",
        ),
        (
            ("--environment", "contoso-test", "--time", "2026-01-01T00:00Z", "--position", "1"),
            1,
            "Give --position or --time, not both.",
        ),
    ],
)
def test_replay_of_what_is_not_there(
    data: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    said = say("replay", *words, DATA=str(data))
    assert said.exit_code == code
    assert told in said.stderr


def test_a_person_sees_a_table_and_how_far_it_is(data: Path) -> None:
    words = ("replay", "--environment", "contoso-test", "--position", str(BEGUN + 7))
    said = on_a_terminal(*words, DATA=str(data))
    assert "entries replayed" in said
    lines = [line.split() for line in said.splitlines()]
    assert ["setting", "value"] in lines
    assert ["appointmentAttachments", "true", "changed"] in lines
    assert "entries verified" in on_a_terminal("verify", DATA=str(data))
    assert "entries folded" in on_a_terminal("rebuild", DATA=str(data))


def on_a_terminal(*words: str, **variables: str) -> str:
    """What a terminal shows, without its colours and moves."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
    with subprocess.Popen(
        [PROGRAM, *words],
        env={**environment(**variables), "TERM": "xterm", "NO_COLOR": "1"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        said = b""
        with suppress(OSError):  # Linux says EIO when nobody has the other end any more
            while more := os.read(ours, 65536):
                said += more
        os.close(ours)
        assert process.wait(30) == 0, said
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode())


@pytest.mark.parametrize("disturbed", [DISTURBANCES["a row that differs"]], indirect=True)
def test_rebuild_mends_a_row_that_differs(disturbed: Path) -> None:
    assert json.loads(good("rebuild", "--json", DATA=str(disturbed))) == {"rebuilt": 3}
    assert "NOT whole" not in good("verify", DATA=str(disturbed))


def test_rebuild_tells_how_many(data: Path) -> None:
    assert good("rebuild", DATA=str(data)) == "rebuilt 3 environments\n"


def test_migrate_tells_what_it_applied_and_later_nothing(tmp_path: Path) -> None:
    applied = good("migrate", DATA=str(tmp_path))
    assert "applied 0001_log.sql" in applied
    assert good("migrate", DATA=str(tmp_path)) == "nothing to apply\n"
    assert json.loads(good("migrate", "--json", DATA=str(tmp_path))) == {"applied": []}


def test_a_token_says_who_and_until_when(tmp_path: Path) -> None:
    token = good(
        "token",
        "--as",
        "ada",
        "--name",
        "Ada",
        "--platform-administrator",
        "--hours",
        "1.5",
        DATA=str(tmp_path),
    ).strip()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["sub"], claims["name"]) == ("ada", "Ada")
    assert claims["platform_administrator"] is True
    expires = datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC)
    assert timedelta(minutes=89) < expires <= timedelta(minutes=90)


def test_a_token_for_machines_and_without_extras(tmp_path: Path) -> None:
    [(_, token)] = json.loads(good("token", "--as", "ada", "--json", DATA=str(tmp_path))).items()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert "name" not in claims
    assert claims["platform_administrator"] is False


@pytest.mark.parametrize(
    "words",
    [
        ("--as", ""),
        ("--as", "x" * 256),
        ("--as", "a", "--name", ""),
        ("--as", "a", "--hours", "0"),
        ("--as", "a", "--hours", "-1"),
        ("--as", "a", "--hours", "nan"),
        ("--as", "a", "--hours", "inf"),
        ("--as", "a", "--hours", "1e300"),
    ],
)
def test_no_token_is_made_that_would_not_be_taken(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = say("token", *words, DATA=str(tmp_path / "data"))
    assert result.exit_code == 1
    assert "Invalid value" in result.stderr
    assert not (tmp_path / "data").exists()


def test_no_token_is_made_where_a_provider_makes_them(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text('{"keys": []}')
    said = say(
        "token",
        "--as",
        "ada",
        DATA=str(tmp_path),
        ISSUER="https://login.example.com",
        AUDIENCE="syncledger",
        JWKS=str(keys),
    )
    assert said.exit_code == 1
    assert said.stderr == (
        "Error: Tokens come from https://login.example.com. "
        "Unset SYNCLEDGER_ISSUER to use the own issuer.\n"
    )


@pytest.mark.parametrize(
    ("variable", "value"), [("PORT", "0"), ("DSN", "mysql://x"), ("PROT", "1"), ("DEMO", "perhaps")]
)
@pytest.mark.parametrize("verb", ["serve", "verify"])
def test_a_bad_variable_is_named_in_one_line(verb: str, variable: str, value: str) -> None:
    said = say(verb, **{variable: value})
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr.startswith(f"Error: SYNCLEDGER_{variable} is ")
    assert said.stderr.count("\n") == 1


def test_a_key_that_others_could_read_is_refused_in_one_line(tmp_path: Path) -> None:
    good("token", "--as", "ada", DATA=str(tmp_path))
    (tmp_path / "identity.key").chmod(0o644)
    said = say("token", "--as", "ada", DATA=str(tmp_path))
    assert said.exit_code == 1
    assert "is open to others" in said.stderr
    assert said.stderr.count("\n") == 1


@pytest.mark.parametrize("words", ["", "dance", "token", "token --as", "import", "serve --x"])
def test_what_no_verb_knows_is_a_wrong_use_and_ends_with_1(words: str) -> None:
    said = say(*words.split())
    assert said.exit_code == 1
    assert said.stderr.startswith(("Usage: ", "Error: "))


def test_the_program_and_the_module_are_the_same_and_warn_of_nothing() -> None:
    ended = run("--version")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("syncledger, version ")
    module = [sys.executable, "-m", "app", "--version"]
    assert subprocess.check_output(module, env=environment(), text=True) == ended.stdout


def test_logs_go_to_standard_error_from_their_level_up(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        logs.begin("WARNING", "text")
        logging.getLogger("syncledger").info("hidden")
        logging.getLogger("syncledger").warning("told")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    said = capsys.readouterr()
    assert said.out == ""
    assert "WARNING syncledger: told" in said.err
    assert "hidden" not in said.err


def test_tokens_for_demo_persons_are_printed_only_where_their_environments_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Config(data=tmp_path)
    announce(config, demo_is_there=True)
    assert "Paula Platform, platform administrator\neyJ" in capsys.readouterr().out
    announce(config, demo_is_there=False)
    assert "eyJ" not in capsys.readouterr().out
