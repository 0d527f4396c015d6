"""`export history` by the real command line, on a data folder with the demonstration."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_cli import say

from app.embedded_postgres import EmbeddedPostgres

pytestmark = pytest.mark.postgres
ADA = "ada@contoso.example"


@pytest.fixture(scope="module")
def data(demonstration: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = shutil.copytree(demonstration, tmp_path_factory.mktemp("history") / "data")
    server = EmbeddedPostgres.start(data)
    yield data
    server.stop()


def history(data: Path, *words: str) -> str:
    said = say("export", "history", *words, DATA=str(data))
    assert said.exit_code == 0, said.output
    return said.stdout


def test_everything_that_happened_is_written_in_order_of_time(data: Path) -> None:
    rows = [json.loads(line) for line in history(data, "--form", "jsonl").splitlines()]
    assert {row["environment"] for row in rows} == {"contoso-dev", "contoso-prod", "contoso-test"}
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    backwards = history(data, "--form", "jsonl", "--newest-first").splitlines()
    assert [json.loads(line) for line in backwards] == rows[::-1]


def test_it_is_narrowed_as_in_the_service(data: Path) -> None:
    text = history(
        data,
        *("--environment", "contoso-prod", "--environment", "contoso-test"),
        *("--by", ADA, "--setting", "fieldMapping:", "--type", "sync_direction_chosen.v1"),
        *("--since", "2026-01-01T00:00:00Z", "--text", "WORKS council"),
    )
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["environment"], row["setting"], row["byId"]) == (
        "contoso-prod",
        "fieldMapping:contact.notes",
        ADA,
    )
    assert history(data, "--until", "2026-01-01T00:00:00Z").count("\n") == 1


def test_a_file_has_its_name_when_it_is_whole(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "prod.csv"
    said = say(
        "export", "history", "--environment", "contoso-prod", "-o", str(file), DATA=str(data)
    )
    assert (said.exit_code, said.stdout, said.stderr) == (0, "", f"wrote {file}\n")
    shown = say("export", "history", "--environment", "contoso-prod", DATA=str(data))
    assert file.read_bytes() == shown.stdout_bytes
    assert [each.name for each in tmp_path.iterdir()] == ["prod.csv"]
    assert file.stat().st_mode & 0o777 == 0o600
    dash = say("export", "history", "--environment", "contoso-prod", "-o", "-", DATA=str(data))
    assert dash.stdout_bytes == shown.stdout_bytes
    assert (
        say("export", "history", "--until", "2999-01-01T00:00:00Z", DATA=str(data)).exit_code == 0
    )
    nowhere = tmp_path / "no" / "folder.csv"
    assert say("export", "history", "-o", str(nowhere), DATA=str(data)).exit_code == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--environment", "nowhere"), "There is no environment 'nowhere' in the log."),
        (("--setting", "nowhere"), "There is no setting 'nowhere'"),
        (("--type", "nothing.v1"), "There is no event 'nothing.v1'"),
        (("--since", "soon"), "An instant is ISO 8601"),
        (("--form", "xml"), "'xml' is not one of"),
        (("--text", ""), "A text has 1 to 255 characters"),
    ],
)
def test_what_is_unknown_is_told_in_one_line(data: Path, words: tuple[str, ...], told: str) -> None:
    said = say("export", "history", *words, DATA=str(data))
    assert said.exit_code == 1
    assert told in said.stderr
    assert said.stdout == ""
