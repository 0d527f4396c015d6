"""`apply`, `import` and `export` by the real command line, on a real data folder."""

import asyncio
import json
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from click.testing import Result
from given import BEGUN
from pages import Terminal, blocks, masked
from programs import run, serving
from test_cli import dsn, good, on_a_terminal, say

from api.context import Rooms
from app.embedded_postgres import EmbeddedPostgres
from app.wiring import open_rooms
from domain.actor import Actor
from domain.environment import Command
from domain.lifecycle import ArchiveEnvironment, EnvironmentKind, RegisterEnvironment
from domain.plan import Ask
from domain.standing import Standing
from eventstore.transact import Applied, Request

pytestmark = pytest.mark.postgres
PAGE = "docs/moving.md"
ADA, BEN = "ada@contoso.example", "ben@contoso.example"
OPEN = (
    "<fetch><entity name='task'><filter><condition attribute='statecode' operator='eq' value='0'/>"
    "</filter></entity></fetch>"
)
SOME = "assignedTasks: true\nfieldMapping:contact.notes: NONE\n"
MUCH = f"""\
{SOME}mailingAddresses: ALL_THREE
defaultTemplate:ONLINE:task: NONE
filter:template.online.task.my-tasks: {{removed: true}}
filter:a:
  role: SYSTEM_FILTER
  kind: ONLINE
  table: task
  name: "Öffen [/b] ↔ 😀"
  description: "One,\\ntwo"
  active: false
  fetchXml: "{OPEN}"
"""
ACCEPT = ("--acknowledge", "ADDRESSES_CAN_LOSE_DATA")
MAY = "This needs the permission CHANGE_SETTINGS"


@pytest.fixture(scope="module")
def data(demonstration: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy while a server runs on it, to attach to."""
    copy = shutil.copytree(demonstration, tmp_path_factory.mktemp("moved") / "data")
    server = EmbeddedPostgres.start(copy)
    yield copy
    server.stop()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files are called by their names alone."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_rooms[Found](data: Path, work: Callable[[Rooms], Awaitable[Found]]) -> Found:
    async def inside() -> Found:
        async with open_rooms(dsn(data, "syncledger_app")) as rooms:
            return await work(rooms)

    return asyncio.run(inside())


def ask(data: Path, key: str, command: Command, *, platform: bool = False) -> None:
    """As Ada."""

    async def work(rooms: Rooms) -> None:
        ada = (await rooms.principals.meet(ADA)).handle
        actor = Actor(handle=ada, platform_administrator=platform)
        outcome = await rooms.appender.transact(
            Request(ask=Ask(environment=key, commands=(command,), actor=actor))
        )
        assert isinstance(outcome, Applied)

    in_rooms(data, work)


_numbers = count()


@pytest.fixture
def key(data: Path) -> str:
    """An environment of a test's own, which Ada administers."""
    return registered(data)


def registered(data: Path) -> str:
    key = f"own-{next(_numbers)}"

    async def ada(rooms: Rooms) -> RegisterEnvironment:
        who = (await rooms.principals.meet(ADA)).handle
        kind = EnvironmentKind.SANDBOX
        return RegisterEnvironment(key=key, name=key, kind=kind, administrator=who)

    ask(data, key, in_rooms(data, ada), platform=True)
    return key


def standing(data: Path, key: str) -> Standing:
    async def work(rooms: Rooms) -> Standing | None:
        return (await rooms.standings.catch_up(key)).standing

    found = in_rooms(data, work)
    assert found is not None
    return found


class Asking:
    """Of one environment, as Ada."""

    def __init__(self, data: Path, key: str) -> None:
        self.data = data
        self.key = key

    def say(self, verb: str, *words: str, **variables: str) -> Result:
        known = {"DATA": str(self.data), "PRINCIPAL": ADA, **variables}
        return say(*verb.split(), "--environment", self.key, *words, **known)

    def good(self, verb: str, *words: str) -> str:
        said = self.say(verb, *words)
        assert said.exit_code == 0, said.output
        return said.stdout

    def apply(self, text: str, *words: str, **variables: str) -> Result:
        """A file called f.yaml."""
        Path("f.yaml").write_text(text, encoding="utf-8")
        return self.say("apply", "f.yaml", *words, **variables)

    def rows(self, *rows: object, words: tuple[str, ...] = ()) -> Result:
        """A file called r.json, whose rows begin on line 2."""
        text = "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]"
        Path("r.json").write_text(text, encoding="utf-8")
        return self.say("import dataverse", "r.json", *words)

    @property
    def position(self) -> int:
        return standing(self.data, self.key).position


@pytest.fixture
def asking(data: Path, key: str, folder: Path) -> Asking:
    return Asking(data, key)


def lines(said: Result) -> list[str]:
    return said.stderr.splitlines()


def test_a_preview_would_change_something_and_an_applied_file_nothing_more(asking: Asking) -> None:
    preview = asking.apply(SOME, "--preview")
    assert (preview.exit_code, preview.stderr) == (2, "")
    told = preview.stdout.splitlines()
    assert told[:2] == ["Assigned tasks turned on", "Contact, Notes is not synchronized"]
    assert "effect: Notes: stops travelling to Dynamics and to Exchange." in told
    assert any(line.startswith("ASSIGNED_TASKS_HAVE_LIMITS: ") for line in told)
    assert told[-1] == f"2 would change at position {BEGUN}"

    applied = asking.apply(SOME)
    assert (applied.exit_code, applied.stderr) == (0, "")
    assert applied.stdout.splitlines()[-1] == f"2 changed at position {BEGUN + 2}"
    assert "effect: " not in applied.stdout

    for words, told_at_last in (((), "changed"), (("--preview",), "would change")):
        again = asking.apply(SOME, *words)
        assert (again.exit_code, again.stderr) == (0, "")
        assert again.stdout == f"nothing {told_at_last} at position {BEGUN + 2}\n"


def test_what_differs_of_a_filter_is_told_line_by_line(asking: Asking) -> None:
    said = asking.apply(
        f"filter:template.online.task.my-tasks:\n  name: Open\n  fetchXml: {json.dumps(OPEN)}\n"
    )
    assert said.stdout.splitlines()[:3] == [
        "Template “My Tasks” of tasks redefined as “Open”",
        "  name: “My Tasks” → “Open”",
        "  removed: owner is me",
    ]


def test_a_machine_is_told_the_same(asking: Asking) -> None:
    said = asking.apply(MUCH, "--preview", "--json")
    assert (said.exit_code, said.stderr) == (2, "")
    told = json.loads(said.stdout)
    assert told["position"] == asking.position == BEGUN
    assert [change["setting"] for change in told["changes"]] == [
        "assignedTasks",
        "mailingAddresses",
        "fieldMapping:contact.notes",
        "defaultTemplate:ONLINE:task",
        "filter:template.online.task.my-tasks",
        "filter:a",
    ]
    assert told["changes"][1] == {
        "setting": "mailingAddresses",
        "before": "MAILING_ONLY",
        "after": "ALL_THREE",
        "summary": "All three addresses are synchronized",
        "differences": [],
    }
    assert told["changes"][5]["differences"] == ["added: activity status is open"]
    given = "New users get no template any longer; “My Tasks” was given to them."
    assert told["impact"][0] == {"recordType": "TASK", "message": given}
    demanded = [each["code"] for each in told["warnings"] if each["mustBeAcknowledged"]]
    assert demanded == ["ADDRESSES_CAN_LOSE_DATA"]
    assert (told["rows"], told["troubles"]) == ([], [])

    said = asking.apply(MUCH, *ACCEPT, "--json")
    assert said.exit_code == 0
    applied = json.loads(said.stdout)
    assert applied["changes"] == told["changes"]
    assert applied["impact"] == []
    assert applied["position"] == asking.position == BEGUN + 6


def test_a_refusal_has_its_line_and_changes_nothing(asking: Asking) -> None:
    text = "assignedTasks: true\nfieldMapping:task.regarding: NONE\nassignedTask: true\n"
    said = asking.apply(text)
    assert (said.exit_code, said.stdout) == (1, "")
    told = [
        (
            "f.yaml:2: The direction of task.regarding cannot be set. The product synchronizes it "
            "both ways, always."
        ),
        "f.yaml:3: There is no setting 'assignedTask'. Did you mean assignedTasks?",
    ]
    assert lines(said) == [*told, "Nothing was changed."]
    said = asking.apply(text, "--preview", "--json")
    assert (said.exit_code, said.stderr) == (1, "")
    machine = json.loads(said.stdout)
    assert [f"{each['where']}: {each['message']}" for each in machine["troubles"]] == told
    assert (machine["changes"], asking.position) == ([], BEGUN)


def test_problems_of_criteria_have_the_line_of_the_criteria(asking: Asking) -> None:
    bad = OPEN.replace("'eq'", "'on'").replace("'0'", "'x'")
    said = asking.apply(MUCH.replace(OPEN, bad), *ACCEPT)
    assert lines(said)[0].startswith("f.yaml:13: conditions[0].operator: on does not fit statecode")


def test_all_three_addresses_are_acknowledged_or_refused(asking: Asking) -> None:
    text = "\nmailingAddresses: ALL_THREE\n"
    row = {"iscontactmailingaddresssyncenabled": False}
    for said, where in ((asking.apply(text), "f.yaml:2"), (asking.rows(row), "r.json:2")):
        assert said.exit_code == 1
        assert lines(said)[0].startswith(f"{where}: Synchronizing all three addresses pairs")
        assert lines(said)[0].endswith("Acknowledge ADDRESSES_CAN_LOSE_DATA to go on.")
    for words, needs in (((), " (must be acknowledged)"), (ACCEPT, "")):
        for said in (
            asking.apply(text, "--preview", *words),
            asking.rows(row, words=("--preview", *words)),
        ):
            assert said.exit_code == 2
            assert f"\nADDRESSES_CAN_LOSE_DATA{needs}: " in said.stdout
    assert asking.rows(row, words=ACCEPT).exit_code == 0
    assert asking.position == BEGUN + 1
    back = asking.apply("mailingAddresses: MAILING_ONLY")
    assert back.exit_code == 0
    assert "ADDRESSES_ARE_PAIRED_BACK: " in back.stdout


def test_what_was_changed_after_the_expected_position_is_not_changed(asking: Asking) -> None:
    assert asking.apply(SOME).exit_code == 0
    said = asking.apply("\nassignedTasks: false\n", "--expected-position", str(BEGUN))
    assert said.exit_code == 1
    assert lines(said)[0].startswith(f"f.yaml:2: assignedTasks was changed after position {BEGUN}.")
    said = asking.apply("assignedTasks: false\n", "--expected-position", str(BEGUN + 2))
    assert said.exit_code == 0
    said = asking.apply("assignedTasks: false\n", "--expected-position", "9999")
    assert said.exit_code == 1
    assert lines(said) == [
        f"Position 9999 is beyond the end of the log, which is {BEGUN + 3}.",
        "Nothing was changed.",
    ]


def test_somebody_has_to_ask_who_may(asking: Asking) -> None:
    said = asking.apply(SOME, PRINCIPAL="")
    assert said.exit_code == 1
    assert lines(said)[-1] == "Error: Say who asks with --as, or with SYNCLEDGER_PRINCIPAL."
    for who, told in (
        ("ada@contoso.exmaple", "Nobody called 'ada@contoso.exmaple' was ever seen here."),
        (BEN, f"There is no environment '{asking.key}' that you may see."),
        ("", "Invalid value for '--as': A principal's id has 1 to 255 characters, not 0."),
        ("\udcff", "Invalid value for '--as': A principal's id cannot contain U+DCFF."),
    ):
        said = asking.apply(SOME, "--as", who)
        assert said.exit_code == 1
        assert lines(said)[-1].startswith(f"Error: {told}")
    assert asking.apply(SOME, "--as", ADA, PRINCIPAL=BEN).exit_code == 0
    of_all = Asking(asking.data, "contoso-test")
    for said in (of_all.apply(SOME, "--as", BEN), of_all.apply(SOME, "--preview", PRINCIPAL=BEN)):
        assert said.exit_code == 1
        assert said.stderr.startswith(f"Error: {MAY}")


@pytest.mark.parametrize("who", ["x" * 256, "\udcff"])
def test_a_principal_that_cannot_be_is_a_bad_variable(asking: Asking, who: str) -> None:
    said = asking.apply(SOME, PRINCIPAL=who)
    assert said.exit_code == 1
    assert said.stderr.startswith("Error: SYNCLEDGER_PRINCIPAL is '")
    assert said.stderr.count("\n") == 1


def test_an_environment_that_is_not_there_or_cannot_be_is_told(asking: Asking) -> None:
    nowhere = Asking(asking.data, "nowhere")
    said = nowhere.apply(SOME)
    assert said.stderr == "Error: There is no environment 'nowhere' that you may see.\n"
    said = nowhere.say("export settings")
    assert said.stderr == "Error: There is no environment 'nowhere' in the log.\n"
    for verb in ("export settings", "export dataverse -o x", "apply f.yaml"):
        said = Asking(asking.data, "No where\udcff").say(verb)
        assert said.exit_code == 1
        assert "An environment key is 1 to 63 of a-z" in said.stderr


def test_the_file_is_one_change_set_with_its_reason(asking: Asking) -> None:
    assert asking.apply(MUCH, *ACCEPT, "--reason", "Ticket 4711").exit_code == 0

    async def work(rooms: Rooms) -> tuple[set[int], set[str | None]]:
        sets = [each async for each in rooms.log.since(asking.key, BEGUN)]
        positions = [(asking.key, BEGUN + number) for number in range(1, 7)]
        stored = await rooms.log.stored(positions)
        numbers = {change.recorded.change_set for each in sets for change in each.changes}
        return numbers, {each.reason for each in stored.values()}

    assert in_rooms(asking.data, work) == ({BEGUN + 1}, {"Ticket 4711 (by `syncledger apply`)"})
    said = good("verify", "--environment", asking.key, DATA=str(asking.data))
    assert said == f"{asking.key}: {BEGUN + 6} entries, whole\n"


def test_nothing_is_changed_in_an_archived_environment_and_that_is_told_once(
    asking: Asking,
) -> None:
    ask(asking.data, asking.key, ArchiveEnvironment())
    told = f"The environment '{asking.key}' is archived. Restore it before changing it."
    for words in ((), ("--preview",)):
        said = asking.apply(SOME, *words)
        assert said.exit_code == 1
        assert lines(said) == [told, "Nothing was changed."]
    assert asking.apply("assignedTasks: false").exit_code == 0
    assert asking.good("export settings").endswith("{}\n")


def test_a_file_may_begin_with_a_mark_and_end_lines_as_it_likes(asking: Asking) -> None:
    for encoded in (b"\xef\xbb\xbf" + SOME.encode(), SOME.replace("\n", "\r\n").encode()):
        Path("f.yaml").write_bytes(encoded)
        assert asking.say("apply", "f.yaml", "--preview").exit_code == 2
    Path("r.json").write_bytes(b'\xef\xbb\xbf[\r\n{"isassignedtaskssyncenabled":\r\nnull}]')
    said = asking.say("import dataverse", "r.json")
    assert lines(said)[0].startswith("r.json:2: isassignedtaskssyncenabled: ")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: ü".encode("utf-16"), 1),
        (b"\xef\xbb\xbfa: 1\r\n\r\n\xc3", 3),
        ("\n\nä".encode("latin-1"), 3),
        (b"a: 1\n" * 100_000 + b"\xff", 100_001),
    ],
)
def test_a_file_that_is_no_utf_8_is_told_with_the_line(
    asking: Asking, text: bytes, line: int
) -> None:
    for name, verb in (("f.yaml", "apply"), ("r.json", "import dataverse")):
        Path(name).write_bytes(text)
        said = asking.say(verb, name)
        assert said.exit_code == 1
        assert said.stderr == f"Error: {name}:{line}: This is no UTF-8.\n"


def test_a_file_may_be_called_whatever_the_system_allows(asking: Asking) -> None:
    name = "\udcff [b].yaml"
    Path(name).write_text("assignedTask: true", encoding="utf-8")
    said = asking.say("apply", name)
    assert said.exit_code == 1
    assert lines(said)[0].startswith("\ufffd [b].yaml:1: There is no setting 'assignedTask'.")
    assert asking.say("export settings", "-o", name).stderr == "wrote \ufffd [b].yaml\n"


def test_a_wrong_use_ends_with_1_since_2_tells_of_a_preview(asking: Asking, folder: Path) -> None:
    Path("f.yaml").write_text(SOME, encoding="utf-8")
    for verb in (
        "apply",
        "apply nothing.yaml",
        "apply .",
        "apply f.yaml --acknowledge EVERYTHING",
        "apply f.yaml --expected-position -1",
        "apply f.yaml --expected-position soon",
        "apply f.yaml --dance",
        "import dataverse",
        "import dataverse nothing.json",
        "import",
        "import outlook",
        "export",
        "export dataverse",
        "export dataverse -o f.yaml",
        "export settings -o .",
    ):
        assert asking.say(verb).exit_code == 1, verb
    assert asking.apply(SOME, "--reason", "").exit_code == 1
    assert asking.apply(SOME, "--reason", "x" * 2_001).exit_code == 1
    assert asking.position == BEGUN


def test_a_file_that_cannot_be_read_is_told_in_one_line(asking: Asking) -> None:
    said = asking.say("apply", "/proc/self/mem", "--preview")
    assert said.exit_code == 1
    assert said.stderr == "Error: Could not open file '/proc/self/mem': Input/output error\n"


@pytest.mark.parametrize("verb", ["export settings", "export dataverse"])
def test_what_cannot_be_written_is_told_in_one_line(asking: Asking, verb: str) -> None:
    said = asking.say(verb, "-o", "/proc/nothing/here")
    assert said.exit_code == 1
    assert said.stderr.startswith("Error: Could not open file '/proc/nothing/here")
    assert said.stderr.count("\n") == 1


KEY_ACCOUNTS = {
    "name": "Key [accounts]",
    "returnedtypecode": "task",
    "querytype": 256,
    "fetchxml": OPEN,
}


def test_an_import_tells_row_by_row(asking: Asking) -> None:
    rows = (
        {"organizationid": "x"},
        {"isassignedtaskssyncenabled": True, "isresourcebookingexchangesyncenabled": False},
        KEY_ACCOUNTS,
        {"entitytypecode": 2, "mappingname": "Notes", "syncdirection": 3},
    )
    said = asking.rows(*rows, words=("--preview",))
    assert (said.exit_code, said.stderr) == (2, "")
    report = [line.split("\t") for line in said.stdout.splitlines()[:4]]
    assert report == [
        ["r.json:2", "organization", "passed over"],
        ["r.json:3", "organization", "Assigned tasks turned on"],
        [
            "r.json:4",
            "online system filter 'Key [accounts]' of task",
            "System filter “Key [accounts]” of tasks defined",
        ],
        ["r.json:5", "mapping contact.notes", "as it is"],
    ]
    told = json.loads(asking.rows(*rows, words=("--json",)).stdout)
    assert [list(row.values()) for row in told["rows"]] == report
    assert asking.position == BEGUN + 2


def test_every_change_of_a_row_is_told_at_the_row(asking: Asking) -> None:
    row = {**KEY_ACCOUNTS, "name": "My Tasks", "querytype": 131072}
    said = asking.rows({**row, "statecode": 1, "isdefault": False})
    assert said.stdout.splitlines()[0].split("\t")[2] == (
        "Template “My Tasks” of tasks redefined; Template “My Tasks” of tasks deactivated; "
        "New users are no longer given the template “My Tasks” for tasks"
    )


def test_columns_that_are_not_known_are_passed_over_only_where_that_is_said(
    asking: Asking,
) -> None:
    row = {"isassignedtaskssyncenabled": True, "blockedattachments": "exe", "\x1b[2J": 1}
    said = asking.rows(row)
    assert said.exit_code == 1
    leave = "is not known. Leave it out, or pass over it with --skip-unknown."
    assert lines(said) == [
        f"r.json:2: The column 'blockedattachments' {leave}",
        f"r.json:2: The column '\\x1b[2J' {leave}",
        "Nothing was changed.",
    ]
    machine = json.loads(asking.rows(row, words=("--json",)).stdout)
    assert [each["outcome"] for each in machine["rows"]] == ["nothing was changed"]
    assert [each["where"] for each in machine["troubles"]] == ["r.json:2", "r.json:2"]
    said = asking.rows(row, words=("--skip-unknown",))
    assert said.exit_code == 0
    assert [line.split("\t")[1:] for line in said.stdout.splitlines()[:3]] == [
        ["The column 'blockedattachments' is not known.", "passed over"],
        ["The column '\\x1b[2J' is not known.", "passed over"],
        ["organization", "Assigned tasks turned on"],
    ]


def test_what_is_wrong_is_told_of_all_files_at_once(asking: Asking) -> None:
    Path("a.json").write_text('{"isassignedtaskssyncenabled": null}', encoding="utf-8")
    Path("b.json").write_text("[{},\n", encoding="utf-8")
    row = {**KEY_ACCOUNTS, "fetchxml": OPEN.replace("task", "contact")}
    Path("c.json").write_text(f"\n{json.dumps(row)}", encoding="utf-8")
    said = asking.say("import dataverse", "c.json", "a.json", "b.json")
    assert said.exit_code == 1
    assert lines(said) == [
        "a.json:1: isassignedtaskssyncenabled: true or false is needed, not null.",
        "b.json:2: Expecting value.",
        (
            "c.json:2: fetch/entity[1]: This is about the table 'contact', but the filter about "
            "task."
        ),
        "Nothing was changed.",
    ]


def test_a_second_default_of_one_table_and_kind_is_refused(asking: Asking) -> None:
    row = {**KEY_ACCOUNTS, "querytype": 131072, "isdefault": True}
    said = asking.rows(row, {**row, "name": "Other"})
    assert said.exit_code == 1
    assert lines(said)[0] == (
        "r.json:3: online template 'Other' of task: the row at r.json:2 is about "
        "'defaultTemplate:ONLINE:task' already."
    )


def exported(asking: Asking) -> dict[str, str]:
    """All that can be exported of it, but for what its head says of where it is from."""
    asking.good("export dataverse", "-o", "exported")
    texts = {file.name: file.read_text("utf-8") for file in Path("exported").iterdir()}
    for words in ((), ("--all",)):
        text = asking.good("export settings", *words)
        texts[f"settings{words}"] = text.partition("\n\n")[2]
    return texts


def test_what_is_exported_makes_another_environment_the_same_and_is_nothing_to_do_in_its_own(
    asking: Asking,
) -> None:
    assert asking.apply(MUCH, *ACCEPT).exit_code == 0
    texts = exported(asking)
    files = [f"exported/{name}" for name in texts if name.endswith(".json")]
    assert len(files) == 4
    asking.good("export settings", "-o", "some.yaml")
    asking.good("export settings", "--all", "-o", "all.yaml")
    verbs = (f"import dataverse {' '.join(files)}", "apply some.yaml", "apply all.yaml")
    for verb in verbs:
        assert asking.say(verb, "--preview").exit_code == 0
        assert asking.good(verb).endswith(f"nothing changed at position {BEGUN + 6}\n")
        other = Asking(asking.data, registered(asking.data))
        assert other.say(verb, *ACCEPT).exit_code == 0
        assert exported(other) == texts
        assert other.say(verb, *ACCEPT, "--preview").exit_code == 0
        own, its = (standing(asking.data, each.key).environment for each in (asking, other))
        assert (own.switches, own.directions, own.filters) == (
            its.switches,
            its.directions,
            its.filters,
        )


def test_an_export_is_told_apart_from_what_it_says(asking: Asking) -> None:
    said = asking.say("export settings", "-o", "f.yaml", PRINCIPAL="")
    assert (said.exit_code, said.stdout, said.stderr) == (0, "", "wrote f.yaml\n")
    assert asking.good("export settings") == Path("f.yaml").read_text("utf-8")
    said = asking.say("export dataverse", "-o", "a/b")
    assert (said.stdout, said.stderr) == (
        "",
        (
            "wrote a/b/organizations.json\nwrote a/b/savedqueries.json\n"
            "wrote a/b/savedqueries-removed.json\nwrote a/b/syncattributemappings.json\n"
        ),
    )


def test_a_person_sees_a_table_with_names_as_they_are(asking: Asking) -> None:
    row = {**KEY_ACCOUNTS, "name": "[/b] :smile:"}
    assert asking.rows(row).exit_code == 0
    words = ("import", "dataverse", "r.json", "--environment", asking.key, "--as", ADA)
    said = on_a_terminal(*words, DATA=str(asking.data))
    assert ["where", "row", "outcome"] in [line.split() for line in said.splitlines()]
    assert "'[/b] :smile:'" in said


def test_a_running_service_shows_at_once_what_was_applied_beside_it(
    demonstration: Path, folder: Path
) -> None:
    shutil.copytree(demonstration, folder / "data")
    Path("f.yaml").write_text(MUCH, encoding="utf-8")
    words = ("apply", "f.yaml", "--environment", "contoso-dev", "--reason", "Beside it", *ACCEPT)
    with serving(folder) as served:
        ended = run(*words, DATA=str(served.data), PRINCIPAL=ADA)
        assert (ended.returncode, ended.stderr) == (0, "")
        answer = served.ask(
            served.tokens["Ada Administrator"],
            """query ($at: Int!) { environment(key: "contoso-dev", atLeastPosition: $at) {
              settings { position mailingAddresses { choice } }
              history(first: 1) { nodes { position by { name } reason } } } }""",
            at=44,
        )
        assert answer == {
            "environment": {
                "settings": {"position": 44, "mailingAddresses": {"choice": "ALL_THREE"}},
                "history": {
                    "nodes": [
                        {
                            "position": 44,
                            "by": {"name": "Ada Administrator"},
                            "reason": "Beside it (by `syncledger apply`)",
                        }
                    ]
                },
            }
        }
        ended = run(*words, "--preview", DATA=str(served.data), PRINCIPAL=ADA)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_where_no_service_runs_the_database_is_started_for_it(
    demonstration: Path, folder: Path
) -> None:
    data = str(shutil.copytree(demonstration, folder / "data"))
    Path("f.yaml").write_text(SOME, encoding="utf-8")
    words = ("apply", "f.yaml", "--environment", "contoso-test", "--as", ADA)
    assert run(*words, "--preview", DATA=data).returncode == 2
    assert run(*words, DATA=data).stdout.endswith("2 changed at position 36\n")
    ended = run("export", "settings", "--environment", "contoso-test", DATA=data)
    assert "\nassignedTasks: true\n" in ended.stdout


@pytest.fixture
def page(demonstration: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder as the page has it."""
    server = EmbeddedPostgres.start(shutil.copytree(demonstration, tmp_path / ".data"))
    (tmp_path / ".venv").symlink_to(sys.prefix)
    yield tmp_path
    server.stop()


@pytest.mark.unwatched
def test_the_page_works_as_printed(page: Path) -> None:
    shell = Terminal(page, 8000, "bash")
    answer, done = "", 0
    try:
        for block in blocks(PAGE):
            if block.mark == "moving":
                assert not answer, f"not shown: {answer}"
                answer, done = masked(shell.answer(block.text)), done + 1
            elif block.mark == "answer":
                assert answer == masked(block.text)
                answer = ""
    finally:
        shell.end(signal.SIGTERM)
    assert not answer
    assert done > 1
