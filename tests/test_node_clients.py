"""Clients that others wrote for Node, as `make test` installs them, against a real server."""

import asyncio
import json
import shutil
import subprocess
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from edge import CARL, STAFFED, WORKER, Edge, at, codes, list_at, opened, text_at, whole_at
from pages import ROOT

from domain.switches import SwitchAssignedTasks, SwitchResourceBookings

CLIENTS = ROOT / "tests" / "clients"
INSTALLED = shutil.which("node") and (CLIENTS / "node_modules" / "ready").exists()

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not INSTALLED, reason="`make test` installs these clients where Node is 20 or newer"
    ),
]
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

SLOWEST = 30.0
"""Seconds: Node starts while other tests run, and EventSource waits before it connects again."""
CUTS = 2
AUDITS = 61
"""As many as graphql-http has, so that none is passed by not being there."""


@dataclass(frozen=True)
class Script:
    """One of tests/clients/, running."""

    process: Process

    async def hear(self) -> object:
        """The next line that it says."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        async with asyncio.timeout(SLOWEST):
            line = await self.process.stdout.readline()
            assert line, (await self.process.stderr.read()).decode()
        said: object = json.loads(line)
        return said

    async def ends(self) -> None:
        """It has no more to say, and nothing keeps it from ending."""
        async with asyncio.timeout(SLOWEST):
            said, complained = await self.process.communicate()
        assert (self.process.returncode, said, complained) == (0, b"", b"")


@asynccontextmanager
async def running(name: str, **asked: object) -> AsyncIterator[Script]:
    """The script is told what to do on its standard input, which nobody else reads: a token too."""
    process = await asyncio.create_subprocess_exec(
        "node", CLIENTS / name, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(asked).encode())
        process.stdin.close()
        yield Script(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


class Wire:
    """What lies between a client and the server, so that a test can cut it."""

    def __init__(self, server: str) -> None:
        self._server = urlsplit(server)
        self._ends: set[StreamWriter] = set()
        self._is_cut = False
        self.lines = 0

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[str]:
        """The address at the client's end. It is taken up when every client has gone."""
        async with await asyncio.start_server(self._carry, "127.0.0.1", 0) as listener:
            yield "http://{}:{}/graphql".format(*listener.sockets[0].getsockname())

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Whoever is connected hears no more, and nobody gets through."""
        self._is_cut = True
        for end in self._ends:
            end.transport.abort()
        try:
            yield
        finally:
            self._is_cut = False

    async def _carry(self, from_client: StreamReader, to_client: StreamWriter) -> None:
        if self._is_cut:
            to_client.transport.abort()
            return
        from_server, to_server = await asyncio.open_connection(
            self._server.hostname, self._server.port
        )
        ends = {to_client, to_server}
        self._ends |= ends
        self.lines += 1
        await asyncio.gather(_pass(from_client, to_server), _pass(from_server, to_client))
        self._ends -= ends


async def _pass(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while said := await reader.read(65_536):
            writer.write(said)
    writer.close()


def address(edge: Edge) -> str:
    return f"{edge.address}/graphql"


async def test_every_audit_of_graphql_over_http_passes(edge: Edge) -> None:
    asked = {"address": address(edge), "token": edge.token(CARL)}
    async with running("audits.mjs", **asked) as script:
        audits = await script.hear()
        await script.ends()
    assert isinstance(audits, list)
    failing = [
        "{id} {name}: {reason}".format_map(audit) for audit in audits if audit["status"] != "ok"
    ]
    assert not failing, "\n".join(failing)
    assert len(audits) == AUDITS


ENABLED = "settings.assignedTasks.enabled"


@pytest.mark.parametrize("client", ["graphql_ws", "graphql_sse", "urql_ws", "urql_fetch", "apollo"])
async def test_a_client_asks_follows_and_changes(edge: Edge, client: str) -> None:
    key = await edge.open()
    asked = {"client": client, "address": address(edge), "token": edge.token(CARL), "key": key}
    async with running("asking.mjs", **asked) as script:
        said = await script.hear()
        await script.ends()
    assert at(said, f"before.data.environment.{ENABLED}") is False
    assert at(said, "changed.data.changeSettings.changeSet.position") == STAFFED + 1
    assert [at(item, "__typename") for item in list_at(said, "fed")] == [
        "Heartbeat",
        "ChangeSetAppended",
    ]
    assert at(said, "fed.1.position") == STAFFED + 1
    assert at(said, f"after.data.environment.{ENABLED}") is True
    # Apollo looks into its cache first, where the ids alone have told it what the change touched.
    position = STAFFED if client == "apollo" else STAFFED + 1
    assert at(said, "after.data.environment.position") == position
    assert codes(at(said, "refused")) == ["BAD_USER_INPUT"]


async def told_until(script: Script, end: int) -> list[int]:
    """The positions of the changes that it is told of, until it is told that it is at the end."""
    told: list[int] = []
    here = 0
    while here < end:
        item = await script.hear()
        here = whole_at(item, "position")
        if at(item, "__typename") == "ChangeSetAppended":
            told += range(whole_at(item, "changeSet.firstPosition"), here + 1)
    return told


@pytest.mark.parametrize(
    "client", ["graphql_ws", "graphql_sse", "graphql_sse_by_id", "event_source"]
)
async def test_a_client_that_is_cut_off_misses_nothing_and_is_told_nothing_twice(
    edge: Edge, client: str
) -> None:
    key = await edge.open()
    turns = cycle([True, False])

    async def change() -> int:
        on = next(turns)
        both = SwitchAssignedTasks(on=on), SwitchResourceBookings(on=on)
        return (await edge.change(CARL, *both, key=key)).standing.position

    told: list[int] = []
    end = STAFFED + CUTS * 3 * 2
    asked = {"client": client, "token": edge.token(WORKER), "key": key, "until": end}
    wire = Wire(edge.address)
    async with wire.laid() as near, running("following.mjs", address=near, **asked) as script:
        heartbeat = await script.hear()
        assert (at(heartbeat, "__typename"), at(heartbeat, "position")) == ("Heartbeat", STAFFED)
        for _ in range(CUTS):
            told += await told_until(script, await change())
            with wire.cut():
                await change()
                await change()
        told += await told_until(script, end)
        await script.ends()
    assert told == list(range(STAFFED + 1, end + 1))
    assert wire.lines > CUTS


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An application on Relay, compiled against the printed schema."""
    folder = shutil.copytree(CLIENTS / "relay", tmp_path / "application")
    shutil.copy(ROOT / "schema.graphql", folder)
    folder.joinpath("operations.json").write_text("{}")
    compiler = CLIENTS / "node_modules" / "relay-compiler" / "cli.js"
    done = subprocess.run(
        ["node", compiler, "--noWatchman"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SLOWEST,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def artifacts(project: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in project.glob("__generated__/*.graphql.js")}


async def test_relay_compiles_pages_refetching_a_mutation_and_a_subscription(project: Path) -> None:
    assert artifacts(project) == {
        "HistoryQuery",
        "HistoryPaginationQuery",
        "History_environment",
        "SettingsQuery",
        "SettingsRefetchQuery",
        "SettingsChangeMutation",
        "SettingsFeedSubscription",
        "Settings_settings",
    }


async def test_what_relay_compiled_is_answered(edge: Edge, project: Path) -> None:
    texts: dict[str, str] = json.loads(project.joinpath("operations.json").read_text())
    operations = {text.split("(")[0].split()[1]: text for text in texts.values()}
    key = await edge.open()

    page = await edge.data(CARL, operations["HistoryQuery"], {"key": key})
    environment = text_at(page, "environment.id")
    cursor = text_at(page, "environment.history.pageInfo.endCursor")
    rest = await edge.data(
        CARL, operations["HistoryPaginationQuery"], {"id": environment, "cursor": cursor}
    )
    edges = list_at(page, "environment.history.edges") + list_at(rest, "node.history.edges")
    assert [at(each, "node.position") for each in edges] == list(range(1, STAFFED + 1))
    assert at(rest, "node.history.pageInfo.hasNextPage") is False

    now = await edge.data(CARL, operations["SettingsQuery"], {"key": key})
    asked = {"environmentKey": key, "changes": [{"assignedTasks": {"enabled": True}}]}
    await edge.data(CARL, operations["SettingsChangeMutation"], {"input": asked})
    settings = {"id": text_at(now, "environment.settings.id")}
    again = await edge.data(CARL, operations["SettingsRefetchQuery"], settings)
    assert at(now, "environment.settings.assignedTasks.enabled") is False
    assert at(again, "node.assignedTasks.enabled") is True
    async with edge.talk(WORKER) as talk:
        variables = {"key": key, "after": STAFFED}
        await talk.subscribe("1", operations["SettingsFeedSubscription"], variables)
        told = at(await talk.hear(), "payload.data.settingsFeed")
    assert at(told, "settings.assignedTasks.enabled") is True
