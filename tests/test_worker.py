"""The worker that others start from, killed and cut off: its work and its place stay one."""

import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from programs import Served, await_ready, begin, environment, eventually, finish, free_port, serving

WORKER = Path(__file__).parents[1] / "examples" / "worker.py"
KEY = "contoso-prod"
NAMES = ("assignedTasks", "resourceBookings", "appointmentAttachments")
CHANGE = """mutation ($changes: [SettingChange!]!) {
  changeSettings(input: {environmentKey: "contoso-prod", changes: $changes}) { __typename }
}"""
REVOKE = """mutation {
  revokeRole(input: {
    environmentKey: "contoso-prod", principal: "worker@contoso.example", role: SYNC_WORKER
  }) { __typename }
}"""
HISTORY = """{ environment(key: "contoso-prod") {
  position history(first: 200, order: OLDEST_FIRST) { nodes { setting after } }
} }"""

pytestmark = [pytest.mark.postgres, pytest.mark.chaos]


def test_it_is_as_short_as_it_is_said_to_be() -> None:
    assert len(WORKER.read_text().splitlines()) < 80


def test_killed_and_cut_off_it_does_every_change_once_and_knows_where_it_is(tmp_path: Path) -> None:
    place, port, rounds = tmp_path / "worker.db", free_port(), 12
    served = begin(tmp_path, port=port, DEMO="true")
    try:
        await_ready(served)
        token = served.tokens["Sync Worker"]
        first = _position(served)
        for number in range(rounds):
            with working(place, port, token) as worker:
                _change(served, on=bool(number % 2))
                if number % 3 == 0:
                    eventually(lambda: _place(place) > first)
                worker.kill()
        with working(place, port, token):
            served.process.kill()
            finish(served)
            served = begin(tmp_path, port=port, DEMO="true")
            await_ready(served)
            _change(served, on=False)
            end = _position(served)
            eventually(lambda: _place(place) == end, 30)
            assert _settings(place) == _expected(served)
    finally:
        finish(served)


def test_it_ends_when_it_may_no_longer_follow_and_when_it_never_might(tmp_path: Path) -> None:
    with serving(tmp_path, DEMO="true") as served:
        token = served.tokens["Sync Worker"]
        with working(tmp_path / "a.db", served.port, token) as worker:
            end = _position(served)
            eventually(lambda: _place(tmp_path / "a.db") == end)
            served.ask(served.tokens["Ada Administrator"], REVOKE)
            assert worker.wait(15) == 1
            assert worker.stderr is not None
            assert worker.stderr.read().startswith("refused: ")
        with working(tmp_path / "b.db", served.port, "nonsense") as worker:
            assert worker.wait(15) == 1


@contextmanager
def working(place: Path, port: int, token: str) -> Iterator[subprocess.Popen[str]]:
    """The worker as a process of its own, killed at the end of the block."""
    url = f"ws://127.0.0.1:{port}/graphql"
    with subprocess.Popen(
        [sys.executable, WORKER, KEY, place],
        env={**environment(), "URL": url, "TOKEN": token},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _change(served: Served, *, on: bool) -> None:
    changes = [{name: {"enabled": on}} for name in NAMES]
    answer = served.ask(served.tokens["Ada Administrator"], CHANGE, changes=changes)
    assert answer == {"changeSettings": {"__typename": "SettingsChanged"}}


def _environment(served: Served) -> dict[str, Any]:
    answer = served.ask(served.tokens["Ada Administrator"], HISTORY)["environment"]
    assert isinstance(answer, dict)
    return answer


def _position(served: Served) -> int:
    position: int = _environment(served)["position"]
    return position


def _expected(served: Served) -> dict[str, tuple[str, int]]:
    """The last value of every setting that was ever changed, and how often it was."""
    changes = _environment(served)["history"]["nodes"]
    count = Counter(change["setting"] for change in changes)
    last = {change["setting"]: change["after"] for change in changes if change["setting"]}
    return {setting: (after, count[setting]) for setting, after in last.items()}


def _place(path: Path) -> int:
    """Where the worker is; 0 before it has begun."""
    with closing(sqlite3.connect(path)) as database:
        try:
            row = database.execute("SELECT position FROM place").fetchone()
        except sqlite3.OperationalError:
            return 0
    return row[0] if row else 0


def _settings(path: Path) -> dict[str, tuple[str, int]]:
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT key, value, changes FROM settings").fetchall()
    return {key: (value, changes) for key, value, changes in rows}
