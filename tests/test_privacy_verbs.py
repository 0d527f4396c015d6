"""`privacy erase` by the real command line, on a real data folder with the demonstration."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_cli import dsn, good, say

from app import demo, privacy_verbs
from app.cli import main
from app.embedded_postgres import EmbeddedPostgres
from app.wiring import open_rooms
from eventstore.migrate import migrate
from projections.projector import SCHEMA

pytestmark = pytest.mark.postgres
ADA, BEN, CARL = (f"{name}@contoso.example" for name in ("ada", "ben", "carl"))
AUDREY, WORKER = (f"{name}@contoso.example" for name in ("audrey", "worker"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = tmp_path_factory.mktemp("privacy") / "data"
    server = EmbeddedPostgres.start(data)

    async def work() -> None:
        await migrate(dsn(data), SCHEMA)
        async with open_rooms(dsn(data, "syncledger_app")) as rooms:
            assert await demo.open_demo(rooms)

    try:
        asyncio.run(work())
        yield data
    finally:
        server.stop()


def erase(data: Path, whom: str, *words: str, by: str = ADA) -> Result:
    return say("privacy", "erase", "--principal", whom, "--as", by, *words, DATA=str(data))


def test_a_dry_run_tells_what_would_go_and_ends_with_2(data: Path) -> None:
    foretold = erase(data, CARL, "--dry-run")
    assert foretold.exit_code == 2
    assert "contoso-dev\tSYSTEM_CUSTOMIZER\tdue" in foretold.stdout
    assert "6 reasons of theirs, 0 of others that name them" in foretold.stdout
    assert CARL not in foretold.output
    found = json.loads(erase(data, CARL, "--dry-run", "--json").stdout)
    assert found["reasons"] == {"own": 6, "about": 0}
    assert found["environments"][0] == {
        "environment": "contoso-dev",
        "roles": ["SYSTEM_CUSTOMIZER"],
        "fact": "due",
    }
    assert "carl" in json.dumps(json.loads(_replayed(data)))  # nothing was written


def _replayed(data: Path) -> str:
    return good("replay", "--environment", "contoso-dev", "--json", DATA=str(data))


def test_who_was_erased_is_a_handle_everywhere_and_a_second_time_changes_nothing(
    data: Path,
) -> None:
    found = json.loads(erase(data, BEN, "--yes", "--json", "--reason", "Ticket 12").stdout)
    handle = found.pop("handle")
    assert found == {
        "environments": ["contoso-dev", "contoso-prod", "contoso-test"],
        "persons": 1,
        "reasons": 0,
        "sealed": {},
    }
    assert BEN not in _replayed(data)
    members = ("replay", "--environment", "contoso-dev", "--position", "31", "--json")
    assert json.loads(good(*members, DATA=str(data)))["members"][handle] == ["BASIC_USER"]
    assert "3 of 3 whole" in good("verify", DATA=str(data))

    again = erase(data, handle, "--dry-run", "--json")
    assert (again.exit_code, again.stderr) == (0, "")
    assert {each["fact"] for each in json.loads(again.stdout)["environments"]} == {"there"}
    assert f"nothing is left to erase of the handle {handle}" in erase(data, handle, "--yes").stdout


@pytest.mark.parametrize(
    ("whom", "words", "told"),
    [
        ("nobody@contoso.example", ("--yes",), "Error: Nobody called 'nobody@contoso.example'"),
        (AUDREY, ("--yes", "--reason", "AUDREY AUDITOR wants it"), "The reason names the person"),
        (ADA, ("--yes",), "contoso-dev: This is the environment's last system administrator."),
        (AUDREY, (), "Nobody can be asked here: say --yes"),
    ],
)
def test_what_is_refused_says_why_in_words(
    data: Path, whom: str, words: tuple[str, ...], told: str
) -> None:
    said = erase(data, whom, *words)
    assert said.exit_code == 1
    assert told in said.stderr
    assert AUDREY in _replayed(data)


def test_who_asks_must_be_said(data: Path) -> None:
    said = say("privacy", "erase", "--principal", AUDREY, "--yes", DATA=str(data))
    assert (said.exit_code, "SYNCLEDGER_PRINCIPAL" in said.stderr) == (1, True)
    named = {"DATA": str(data), "PRINCIPAL": ADA}
    said = say("privacy", "erase", "--principal", AUDREY, "--dry-run", **named)
    assert said.exit_code == 2


def test_only_the_owner_may_erase(data: Path) -> None:
    said = say(
        *("privacy", "erase", "--principal", AUDREY, "--as", ADA, "--dry-run"),
        DSN=dsn(data, "syncledger_app"),
    )
    assert said.exit_code == 1
    assert said.stderr.startswith("Error: Erasing is the owner's: ")


def test_a_person_at_a_terminal_is_asked(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed comes from the test, not from a terminal."""
    monkeypatch.setattr(privacy_verbs, "somebody_is_there", lambda: True)
    words = ("privacy", "erase", "--principal", WORKER, "--as", ADA)
    variables = {"SYNCLEDGER_DATA": str(data)}
    said = CliRunner().invoke(main, words, env=variables, input="n\n")
    assert (said.exit_code, "Erase all of it, for ever?" in said.stderr) == (1, True)
    assert "SYNC_WORKER" in said.stdout
    assert WORKER in _replayed(data)
    said = CliRunner().invoke(main, words, env=variables, input="y\n")
    assert said.exit_code == 0, said.output
    assert "a fact in 3 logs, 0 reasons gone" in said.stdout
    assert WORKER not in _replayed(data)
