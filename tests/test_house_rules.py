"""The rules of the house that no linter knows."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from generate_events_page import page
from generate_operators_page import page as operators_page
from generate_rules_page import page as rules_page

from api import schema
from api.errors import ErrorCode
from app.cli import main
from app.config import variables
from domain.environment import EVENT_TYPES
from domain.refusal import RefusalCode
from eventstore.codec import decode, encode

ROOT = Path(__file__).parents[1]
ROOMS = ("api", "app", "domain", "eventstore", "projections")
MODULES = sorted(
    path for room in ROOMS for path in (ROOT / room).rglob("*.py") if path.name != "__init__.py"
)
PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]

LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
TABLES_OF_DATA: frozenset[str] = frozenset()
"""Modules that may be longer, since they are data and no logic."""

LONG_FUNCTIONS: dict[str, str] = {}
"""Functions that may be longer: `room/module.py:name`, and why."""

RELEASED = {
    "appointment_attachments_switched.v1": '{"on":true}',
    "assigned_tasks_switched.v1": '{"on":false}',
    "environment_archived.v1": "{}",
    "environment_registered.v1": (
        '{"catalogue":1,"key":"contoso-prod","kind":"PRODUCTION","name":"Contoso"}'
    ),
    "environment_renamed.v1": '{"name":"Contoso Europe"}',
    "environment_restored.v1": "{}",
    "filter_activated.v1": (
        '{"filter_key":"system.offline.account.key-accounts","kind":"OFFLINE","name":"Key Acc'
        'ounts","role":"SYSTEM_FILTER","table":"account"}'
    ),
    "filter_deactivated.v1": (
        '{"filter_key":"system.offline.account.key-accounts","kind":"OFFLINE","name":"Key Acc'
        'ounts","role":"SYSTEM_FILTER","table":"account"}'
    ),
    "filter_defined.v1": (
        '{"active":true,"description":"For the sales team","fetch_xml":"<fetch><entity name=\\'
        '"account\\"><attribute name=\\"accountid\\"/><filter type=\\"and\\"><condition attribute='
        '\\"address1_city\\" operator=\\"eq\\" value=\\"Berlin\\"/></filter></entity></fetch>","fil'
        'ter_key":"system.offline.account.key-accounts","kind":"OFFLINE","name":"Key Accounts'
        '","role":"SYSTEM_FILTER","table":"account"}'
    ),
    "filter_redefined.v1": (
        '{"description":null,"fetch_xml":"<fetch><entity name=\\"account\\"><attribute name=\\"a'
        'ccountid\\"/><filter type=\\"and\\"><condition attribute=\\"address1_city\\" operator=\\"e'
        'q\\" value=\\"Berlin\\"/></filter></entity></fetch>","filter_key":"system.offline.accou'
        'nt.key-accounts","former_name":"Accounts","kind":"OFFLINE","name":"Key Accounts","ro'
        'le":"SYSTEM_FILTER","table":"account"}'
    ),
    "filter_removed.v1": (
        '{"active":true,"filter_key":"system.offline.account.key-accounts","kind":"OFFLINE","'
        'name":"Key Accounts","role":"SYSTEM_FILTER","table":"account"}'
    ),
    "mailing_addresses_chosen.v1": (
        '{"acknowledged":["ADDRESSES_CAN_LOSE_DATA"],"choice":"ALL_THREE"}'
    ),
    "principal_erased.v1": '{"principal":"0d1b9c52-6a39-4c6e-9a55-0f0c8a7f2b11"}',
    "resource_bookings_switched.v1": '{"on":true}',
    "role_granted.v1": (
        '{"principal":"0d1b9c52-6a39-4c6e-9a55-0f0c8a7f2b11","role":"SYSTEM_ADMINISTRATOR"}'
    ),
    "role_revoked.v1": '{"principal":"0d1b9c52-6a39-4c6e-9a55-0f0c8a7f2b11","role":"AUDITOR"}',
    "settings_brought.v1": '{"environment":"contoso-test","position":31}',
    "sync_direction_chosen.v1": '{"direction":"NONE","mapping":"contact.notes"}',
    "sync_direction_restored.v1": '{"direction":"BOTH","mapping":"contact.notes"}',
    "template_withheld_from_new_users.v1": (
        '{"filter_key":"template.online.task.my-tasks","kind":"ONLINE","name":"My Tasks",'
        '"table":"task"}'
    ),
    "template_given_to_new_users.v1": (
        '{"filter_key":"template.online.task.my-tasks","kind":"ONLINE","name":"My Tasks","tab'
        'le":"task"}'
    ),
}
"""Every event that was ever released, as it was stored then. This list only grows."""

SQL = re.compile(
    r"\b(SELECT\b.+\bFROM|SELECT\s+\S+\(|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM"
    r"|TRUNCATE\b|NOTIFY\b|LISTEN\b|(?:CREATE|ALTER|DROP|LOCK)\s+(?:TABLE|ROLE|SCHEMA|FUNCTION"
    r"|DATABASE|TRIGGER|INDEX)|GRANT\s+\w+\s+(?:ON|TO)\b|SET\s+(?:ROLE|LOCAL)\b)",
    re.DOTALL,
)

WATCHED_IMPORT = """
import importlib, json, os, pkgutil, sys

root, rooms, found = sys.argv[1], sys.argv[2].split(","), []

def watch(event, arguments):
    if event in {"socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.fork"}:
        found.append(f"{event} {arguments[1:2]}")

class Watched(type(os.environ)):
    def __getitem__(self, name):
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith("<frozen"):
            frame = frame.f_back
        ours = frame is not None and frame.f_code.co_filename.startswith(
            tuple(f"{root}/{room}/" for room in rooms)
        )
        if ours or str(name).startswith("SYNCLEDGER_"):
            found.append(f"environment variable {name}")
        return super().__getitem__(name)

    def __iter__(self):
        found.append("every environment variable")
        return super().__iter__()

environment = os.environ
os.environ = Watched(
    environment._data,
    environment.encodekey, environment.decodekey, environment.encodevalue, environment.decodevalue,
)
sys.addaudithook(watch)
names = []
for room in rooms:
    for module in pkgutil.walk_packages([f"{root}/{room}"], f"{room}."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
            names.append(module.name)
print(json.dumps({"names": names, "found": found}))
"""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


@pytest.mark.parametrize("path", sorted((ROOT / "domain").rglob("*.py")), ids=name_of)
def test_nothing_in_the_domain_waits(path: Path) -> None:
    waiting = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    assert [node.lineno for node in ast.walk(tree(path)) if isinstance(node, waiting)] == []
    assert "asyncio" not in path.read_text(encoding="utf-8")


def texts(module: ast.Module) -> Iterator[ast.Constant]:
    """Every text of a module that is not a docstring or a note on an attribute."""
    notes = {
        id(node.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
            yield node


@pytest.mark.parametrize("path", MODULES, ids=name_of)  # an example is one file, its SQL included
def test_no_sql_in_python(path: Path) -> None:
    found = [text.value for text in texts(tree(path)) if SQL.search(str(text.value))]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "SELECT now()",
        "SELECT name FROM migrations",
        "UPDATE events SET seal = $1",
        "DELETE FROM events",
        "CREATE TABLE events ()",
        "NOTIFY syncledger",
        "SET ROLE syncledger_owner",
    ],
)
def test_sql_is_recognised(text: str) -> None:
    assert SQL.search(text)


def test_every_event_is_released_and_every_released_one_is_an_event() -> None:
    assert sorted(EVENT_TYPES) == sorted(RELEASED)


@pytest.mark.parametrize("wire_name", RELEASED)
def test_a_released_event_is_stored_as_it_was(wire_name: str) -> None:
    event = decode(wire_name, RELEASED[wire_name])
    assert encode(event) == (wire_name, RELEASED[wire_name])


def test_the_pages_that_programs_write_are_current() -> None:
    assert (ROOT / "docs" / "events.md").read_text(encoding="utf-8") == page()
    assert (ROOT / "docs" / "operators.md").read_text(encoding="utf-8") == operators_page()
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == rules_page()


def test_the_printed_schema_is_the_promise() -> None:
    assert (ROOT / "schema.graphql").read_bytes() == schema.text().encode()


class Imported(NamedTuple):
    """What was imported in a process of its own, and what that did."""

    names: list[str]
    found: list[str]


def imported(root: Path, *rooms: str) -> Imported:
    run = subprocess.run(
        [sys.executable, "-c", WATCHED_IMPORT, str(root), ",".join(rooms)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return Imported(**json.loads(run.stdout))


def test_importing_opens_nothing_and_reads_no_environment_variable() -> None:
    done = imported(ROOT, *ROOMS)
    assert done.found == []
    ours = {name_of(path)[:-3].replace("/", ".") for path in MODULES}
    assert set(done.names) >= ours - {"app.__main__"}  # which is not imported but run


@pytest.mark.parametrize(
    "line",
    [
        "import os; os.environ.get('PATH')",
        "import os; os.getenv('HOME')",
        "from os import environ; 'PATH' in environ",
        "import os; dict(os.environ)",
        "import socket; socket.create_server(('127.0.0.1', 0)).close()",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', ''])",
    ],
)
def test_an_import_that_does_something_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "kitchen").mkdir()
    (tmp_path / "kitchen" / "__init__.py").touch()
    (tmp_path / "kitchen" / "stove.py").write_text(line, encoding="utf-8")
    assert imported(tmp_path, "kitchen").found


class Promise(NamedTuple):
    """A name that somebody will look for in the docs."""

    kind: str
    name: str


def promises() -> list[Promise]:
    assert isinstance(main, click.Group)
    return [
        *(Promise("verb", f"syncledger {verb}") for verb in main.commands),
        *(Promise("variable", name) for name, _, _ in variables()),
        *(Promise("refusal", code) for code in RefusalCode),
        *(Promise("error", code) for code in ErrorCode),
    ]


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: promise.name)
def test_what_people_look_for_is_in_the_docs(promise: Promise) -> None:
    rows = [
        line
        for page in PAGES
        for line in page.read_text(encoding="utf-8").splitlines()
        if re.match(rf"\| `{re.escape(promise.name)}` \|", line)
    ]
    assert len(rows) == 1, f"{promise.kind} {promise.name} has {len(rows)} rows in the docs"


def test_the_documented_defaults_are_the_real_ones() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for name, default, _ in variables():
        if default != "unset":
            assert f"| `{name}` | `{default}` |" in text


@each_module
def test_every_module_says_what_it_is_for_and_its_law(path: Path) -> None:
    docstring = ast.get_docstring(tree(path)) or ""
    assert re.search(r"^Law: \S", docstring, re.MULTILINE)


@pytest.mark.parametrize("room", ROOMS)
def test_packages_say_nothing(room: str) -> None:
    packages = [ROOT / room / "__init__.py", *(ROOT / room).rglob("__init__.py")]
    assert [name_of(path) for path in packages if path.read_bytes()] == []


@each_module
def test_no_module_is_too_long_to_read(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_MODULE or name_of(path) in TABLES_OF_DATA


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name_of(path)}:{node.name}", (node.end_lineno or 0) - node.lineno + 1


@each_module
def test_no_function_is_too_long_to_read(path: Path) -> None:
    too_long = {name: lines for name, lines in functions(path) if lines > LONGEST_FUNCTION}
    assert too_long.keys() <= LONG_FUNCTIONS.keys()


def test_every_exemption_is_still_needed() -> None:
    lengths = dict(entry for path in MODULES for entry in functions(path))
    assert all(lengths[name] > LONGEST_FUNCTION for name in LONG_FUNCTIONS)
    assert {name_of(path) for path in MODULES} >= TABLES_OF_DATA
