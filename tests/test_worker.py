"""The worker that others start from, killed and cut off: its work and its place stay one."""

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import pytest
from programs import (
    Served,
    await_ready,
    begin,
    environment,
    eventually,
    finish,
    run,
    serving,
)

WORKER = Path(__file__).parents[1] / "examples" / "worker.py"
DECISIONS = WORKER.with_name("decisions.py")
KEY = "contoso-prod"
ROUNDS = 8
MANY = 130
"""Items, more than can be asked about at once."""
ADA = "aaaaaaaa-0000-4000-8000-000000000001"
USER = {"id": ADA}
MINE = [{"column": "ownerid", "value": ADA}, {"column": "statecode", "value": "0"}]
KEPT = {"recurring": False, "recipients": 1, "sameOrganization": True, "keepsUpdatedCopy": True}
ASSIGNED = {
    "type": "TASK",
    "assignedInOutlook": True,
    "assignment": {**KEPT, "reportsStatus": True, "trackedOffline": False},
}
NAMES = ("assignedTasks", "resourceBookings", "appointmentAttachments")
CHANGE = """mutation ($changes: [SettingChange!]!) {
  changeSettings(input: {environmentKey: "contoso-prod", changes: $changes}) { __typename }
}"""
REVOKE = """mutation {
  revokeRole(input: {
    environmentKey: "contoso-dev", principal: "worker@contoso.example", role: SYNC_WORKER
  }) { __typename }
}"""
HISTORY = """query ($key: String!, $after: String) { environment(key: $key) {
  position history(first: 200, after: $after, order: OLDEST_FIRST) {
    nodes { position setting after } pageInfo { endCursor hasNextPage }
} } }"""
BEGINS = "    with database:\n"
A_MOMENT_LATER = f"    time.sleep(0.2)\n{BEGINS}"
KEEPS_ITS_PLACE = '        database.execute("INSERT OR REPLACE INTO place'

pytestmark = [pytest.mark.postgres, pytest.mark.chaos, pytest.mark.unwatched]


class Done(NamedTuple):
    """One change as a worker has done it, or as the log has it."""

    position: int
    setting: str
    after: str | None


@pytest.fixture(scope="module")
def served(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(fresh, folder / "data")
    with serving(folder, DEMO="true") as served:
        yield served


def test_it_is_as_short_as_it_is_said_to_be() -> None:
    assert len(WORKER.read_text().splitlines()) < 80


def test_killed_at_work_it_has_done_exactly_what_was_before_its_place(
    tmp_path: Path, served: Served
) -> None:
    place = tmp_path / "worker.db"
    with flowing(served):
        for _ in killings(served, place):
            assert _done(place) == _logged(served, _place(place))
    with working(place, served):
        _come_to_the_end(place, served)
    assert _done(place) == _logged(served, _position(served))


def test_the_same_kills_find_a_worker_that_does_a_change_twice(
    tmp_path: Path, served: Served
) -> None:
    """It commits its work, and its place a moment later."""
    mutant, place = tmp_path / "mutant.py", tmp_path / "worker.db"
    shutil.copy(DECISIONS, tmp_path)
    mutant.write_text(_instead(KEEPS_ITS_PLACE, f"{A_MOMENT_LATER}{KEEPS_ITS_PLACE}"))
    with flowing(served):
        assert any(_twice(_done(place)) for _ in killings(served, place, mutant))


def test_the_same_kills_find_a_worker_that_leaves_a_change_out(
    tmp_path: Path, served: Served
) -> None:
    """It commits its place, and its work a moment later."""
    mutant, place = tmp_path / "mutant.py", tmp_path / "worker.db"
    shutil.copy(DECISIONS, tmp_path)
    (kept,) = (line for line in WORKER.read_text().splitlines() if KEEPS_ITS_PLACE in line)
    mutant.write_text(_instead(BEGINS, f"{BEGINS}{kept}\n{A_MOMENT_LATER}"))
    with flowing(served):
        assert any(
            set(_logged(served, _place(place))) - set(_done(place))
            for _ in killings(served, place, mutant)
        )


def test_cut_off_from_the_service_it_goes_on_when_that_is_back(
    tmp_path: Path, served: Served
) -> None:
    place = tmp_path / "worker.db"
    with working(place, served) as worker:
        _come_to_the_end(place, served)
        served.process.kill()
        finish(served)
        again = begin(served.data.parent, port=served.port, DEMO="true")
        served.process = again.process
        await_ready(again)
        _change(served, on=True)
        _change(served, on=False)
        _come_to_the_end(place, served)
        assert worker.poll() is None
    assert _done(place) == _logged(served, _position(served))


def test_it_stops_when_the_log_was_restored_to_before_its_place(
    tmp_path: Path, served: Served
) -> None:
    place, older, backup = (tmp_path / name for name in ("worker.db", "older.db", "backup"))
    _change(served, on=False)
    with working(older, served):
        _come_to_the_end(older, served)
    kept = _place(older)
    assert run("backup", str(backup), DATA=str(served.data)).returncode == 0
    shutil.copy(older, place)
    _change(served, on=True)
    with working(place, served):
        _come_to_the_end(place, served)
    came, done, data = _place(place), _done(place), str(tmp_path / "restored")
    assert came == kept + 3
    assert run("restore", str(backup), DATA=data).returncode == 0
    with serving(tmp_path, DATA=data) as restored:
        # It ends long before the place, right before it, there, and beyond.
        for end, names in ((kept, ()), (came - 1, NAMES[:2]), (came, NAMES[2:]), (came + 3, NAMES)):
            _change(restored, on=end <= came, names=names)
            assert _position(restored) == end
            with working(place, restored) as worker:
                assert "restored to an earlier point" in _refusal(worker)
        assert (_place(place), _done(place)) == (came, done)
        with working(older, restored):
            _come_to_the_end(older, restored)
        assert _done(older) == _logged(restored, _position(restored))


def test_it_ends_when_it_may_no_longer_follow_and_when_it_never_might(
    tmp_path: Path, served: Served
) -> None:
    place, key = tmp_path / "worker.db", "contoso-dev"
    with working(tmp_path / "never.db", served, token="nonsense") as worker:
        assert _refusal(worker)
    with working(place, served, key=key) as worker:
        _come_to_the_end(place, served, key)
        served.ask(served.tokens["Ada Administrator"], REVOKE)
        assert "no environment 'contoso-dev'" in _refusal(worker)
    assert _place(place) == _position(served, key)


def test_what_to_do_with_each_item_is_asked_and_asked_anew_once_settings_have_changed(
    tmp_path: Path, served: Served
) -> None:
    place = tmp_path / "worker.db"
    with working(place, served):
        _come_to_the_end(place, served)
        _change(served, on=False)
        with closing(sqlite3.connect(place, timeout=10)) as database, database:
            for number in range(MANY):
                item = {**ASSIGNED, "columns": MINE if number % 2 else []}
                row = json.dumps(USER), json.dumps(item)
                database.execute("INSERT INTO items (user, item) VALUES (?, ?)", row)
        _change(served, on=True)
        _come_to_the_end(place, served)
        eventually(partial(_decided, place, {"YES", "UNKNOWN"}), 30)
        _change(served, on=False)
        eventually(partial(_decided, place, {"NO"}), 30)


def test_an_item_that_cannot_be_is_told_and_does_not_stop_the_others(
    tmp_path: Path, served: Served
) -> None:
    place = tmp_path / "worker.db"
    with working(place, served):
        _come_to_the_end(place, served)
    columns = [{"column": "subject", "value": "x" * 150_000}]
    large = {**ASSIGNED, "columns": columns}
    bad = {"type": "TASK", "columns": [{"column": "statecode", "value": "x"}]}
    rows = [
        (USER, bad),
        (USER, ASSIGNED),
        (USER, large),
        (USER, {**large, "linked": True}),
        (USER, {"type": "TASK", "columns": columns * 2}),
        ({"id": "nobody"}, ASSIGNED),
    ]
    with closing(sqlite3.connect(place)) as database, database:
        texts = [(json.dumps(user), json.dumps(item)) for user, item in rows]
        database.executemany("INSERT INTO items (user, item) VALUES (?, ?)", texts)
    with working(place, served):
        eventually(lambda: None not in _decisions(place), 30)
    told = [json.loads(decision) for decision in _decisions(place)]
    assert "statecode" in str(told[0]["refused"])
    assert [each["toExchange"] for each in told[1:4]] == ["NO"] * 3
    assert told[4] == {"refused": "It is too large, or takes too long."}
    assert "user.id is a UUID" in str(told[5]["refused"])


def _decisions(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [row[0] for row in database.execute("SELECT decision FROM items ORDER BY id")]


def _decided(path: Path, wanted: set[str]) -> bool:
    """Whether every item was decided at the worker's place, and in which ways."""
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT decision, position FROM items").fetchall()
    told = {json.loads(decision)["toExchange"] for decision, _ in rows if decision}
    return all(position == _place(path) for _, position in rows) and told == wanted


def killings(served: Served, place: Path, program: Path = WORKER) -> Iterator[None]:
    """Again and again a worker is killed, milliseconds after it has come on from where it was."""
    for _ in range(ROUNDS):
        begun = _place(place)
        with working(place, served, program) as worker:
            eventually(partial(_is_beyond, place, begun))
            time.sleep(random.uniform(0, 0.03))
            assert worker.poll() is None
        yield


@contextmanager
def flowing(served: Served) -> Iterator[None]:
    """Changes, one set after the other, until the end of the block."""
    enough = Event()

    def flow() -> None:
        for on in cycle((True, False)):
            _change(served, on=on)
            if enough.wait(0.02):
                return

    with ThreadPoolExecutor(1) as pool:
        flows = pool.submit(flow)
        try:
            yield
        finally:
            enough.set()
            flows.result()


@contextmanager
def working(
    place: Path, served: Served, program: Path = WORKER, *, key: str = KEY, token: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """The worker as a process of its own, killed at the end of the block."""
    url = f"ws://127.0.0.1:{served.port}/graphql"
    token = token or served.tokens["Sync Worker"]
    with subprocess.Popen(
        [sys.executable, program, key, place],
        env={**environment(), "URL": url, "TOKEN": token},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _refusal(worker: subprocess.Popen[str]) -> str:
    """What it says when it ends by itself."""
    assert worker.wait(15) == 1
    assert worker.stderr is not None
    said = worker.stderr.read()
    assert said.startswith("refused: "), said
    return said


def _change(served: Served, *, on: bool, names: tuple[str, ...] = NAMES) -> None:
    if names:
        changes = [{name: {"enabled": on}} for name in names]
        answer = served.ask(served.tokens["Ada Administrator"], CHANGE, changes=changes)
        assert answer == {"changeSettings": {"__typename": "SettingsChanged"}}


def _environment(served: Served, key: str = KEY, after: str | None = None) -> dict[str, Any]:
    answer = served.ask(served.tokens["Ada Administrator"], HISTORY, key=key, after=after)
    assert isinstance(answer["environment"], dict)
    return answer["environment"]


def _position(served: Served, key: str = KEY) -> int:
    position: int = _environment(served, key)["position"]
    return position


def _logged(served: Served, end: int) -> list[Done]:
    """Every change up to a position, in order."""
    logged: list[Done] = []
    more, after = True, None
    while more:
        page = _environment(served, after=after)["history"]
        logged += [Done(**change) for change in page["nodes"]]
        more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
    return [change for change in logged if change.position <= end]


def _instead(old: str, new: str) -> str:
    """The worker's text, with one thing in it other than it is."""
    text = WORKER.read_text()
    assert text.count(old) == 1
    return text.replace(old, new)


def _come_to_the_end(place: Path, served: Served, key: str = KEY) -> None:
    end = _position(served, key)
    eventually(lambda: _place(place) == end, 30)


def _is_beyond(place: Path, position: int) -> bool:
    return _place(place) > position


def _twice(done: list[Done]) -> bool:
    return len(done) > len(set(done))


def _place(path: Path) -> int:
    """Where the worker is; 0 before it has begun."""
    with closing(sqlite3.connect(path)) as database:
        try:
            row = database.execute("SELECT position FROM place").fetchone()
        except sqlite3.OperationalError:
            return 0
    return row[0] if row else 0


def _done(path: Path) -> list[Done]:
    """Everything the worker has done, in order."""
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT position, setting, value FROM changes ORDER BY rowid")
        return [Done(*row) for row in rows]
