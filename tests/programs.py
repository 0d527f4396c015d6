"""The real `syncledger`, as a process: started, awaited, killed, and gone with all it started."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path

import httpx
import orjson
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

PROGRAM = Path(sys.executable).with_name("syncledger")
GRAPHQL_WS = Subprotocol("graphql-transport-ws")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FEED = """subscription ($key: String!, $after: Int) {
  settingsFeed(environmentKey: $key, after: $after) {
    __typename
    position
    ... on ChangeSetAppended {
      changeSet { firstPosition position changes { position setting after } }
    }
  }
}"""
# Four changes each time, whoever was there before: what is switched on is switched off again.
SWITCH = """mutation ($key: String!, $requestId: ID) {
  changeSettings(input: {
    environmentKey: $key
    requestId: $requestId
    changes: [
      {assignedTasks: {enabled: true}}
      {deactivateFilter: {filterKey: "template.offline.account.my-accounts"}}
      {assignedTasks: {enabled: false}}
      {activateFilter: {filterKey: "template.offline.account.my-accounts"}}
    ]
  }) {
    __typename
    ... on SettingsChanged { changeSet { firstPosition position } }
  }
}"""


def environment(**variables: str) -> dict[str, str]:
    """Our own environment without any SYNCLEDGER_ variable but these; warnings are errors."""
    others = {name: text for name, text in os.environ.items() if not name.startswith("SYNCLEDGER_")}
    ours = {f"SYNCLEDGER_{name}": text for name, text in variables.items()}
    return {**others, **ours, "PYTHONWARNINGS": "error"}


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """One verb, to its end."""
    return subprocess.run(
        [PROGRAM, *words],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def eventually(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def postmaster(data: Path) -> psutil.Process | None:
    """The server of a data folder, where one runs."""
    with suppress(OSError, psutil.Error, IndexError, ValueError):
        pid = int((data / "pgdata" / "postmaster.pid").read_text().split()[0])
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


@dataclass
class Served:
    """A running `serve`. `tokens` by the principal's name, as it printed them."""

    process: subprocess.Popen[str]
    port: int
    data: Path
    output: Path
    errors: Path
    seconds: float
    tokens: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    def family(self) -> list[psutil.Process]:
        """It and everything it started."""
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]

    def end(self, number: int = signal.SIGTERM, seconds: float = 20) -> int:
        """Signal it and give its exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def ask(self, token: str, query: str, **variables: object) -> dict[str, object]:
        """The data of an answer, which must have no errors."""
        answer = httpx.post(
            self.url,
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        ).json()
        assert "errors" not in answer, answer
        data: dict[str, object] = answer["data"]
        return data


_starts = count()


@contextmanager
def serving(
    folder: Path, *, port: int | None = None, before: tuple[str, ...] = (), **variables: str
) -> Iterator[Served]:
    """`serve` in a process of its own, until the block ends. The data folder is folder/data."""
    served = begin(folder, port=port, before=before, **variables)
    try:
        await_ready(served)
        yield served
    finally:
        finish(served)


def begin(
    folder: Path, *, port: int | None = None, before: tuple[str, ...] = (), **variables: str
) -> Served:
    """Start it and do not wait. `finish` it. `before`: words before the command."""
    port = port or free_port()
    data = Path(variables.pop("DATA", folder / "data"))
    start = next(_starts)
    output, errors = (folder / f"{start}.{name}" for name in ("output", "errors"))
    with output.open("w") as out, errors.open("w") as err:
        process = subprocess.Popen(
            [*before, PROGRAM, "serve"],
            env=environment(PORT=str(port), DATA=str(data), **variables),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
        )
    return Served(process, port, data, output, errors, time.monotonic())


def await_ready(served: Served) -> None:
    """Until it answers. AssertionError with what it said when it ends instead."""

    def answers() -> bool:
        assert served.process.poll() is None, served.errors.read_text()
        if "Ctrl-C ends" not in served.output.read_text():
            return False
        with suppress(httpx.TransportError):
            return httpx.get(served.url, timeout=5).status_code == 401
        return False

    eventually(answers, 60)
    served.seconds = time.monotonic() - served.seconds
    lines = served.output.read_text().splitlines()
    served.tokens = {
        before.split(",")[0]: line for before, line in pairwise(lines) if line.startswith("ey")
    }


def figures(request: pytest.FixtureRequest, text: str) -> None:
    """Measured, for the report of the test (pytest -rA), never for its verdict."""
    request.node.add_report_section("call", "figures", text)


def finish(served: Served) -> None:
    """End it, whatever has become of it, and see that its Postgres goes too."""
    if served.process.poll() is None:
        served.process.terminate()
        try:
            served.process.wait(20)
        except subprocess.TimeoutExpired:
            served.process.kill()
            served.process.wait()
            raise
    eventually(lambda: postmaster(served.data) is None)


@dataclass(frozen=True)
class Delivered:
    """A change set as a follower got it. `values`: setting and value of each change."""

    first: int
    last: int
    values: tuple[tuple[str, str | None], ...]
    at: float


class Closed(Exception):
    """The server ended the operation; the message is what it said."""


@asynccontextmanager
async def feed(
    port: int, token: str, key: str, after: int | None
) -> AsyncIterator[AsyncIterator[Delivered | int]]:
    """Follow: change sets, and the position of whatever comes between them."""
    async with connect(
        f"ws://127.0.0.1:{port}/graphql",
        subprotocols=[GRAPHQL_WS],
        open_timeout=10,
        close_timeout=0.1,
        ping_interval=None,
        max_size=None,
    ) as websocket:
        await _say(
            websocket, {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
        )
        assert (await _hear(websocket))["type"] == "connection_ack"
        variables = {"key": key, "after": after}
        payload = {"query": FEED, "variables": variables}
        await _say(websocket, {"id": "1", "type": "subscribe", "payload": payload})
        yield _items(websocket)


async def _items(websocket: ClientConnection) -> AsyncIterator[Delivered | int]:
    while True:
        message = await _hear(websocket)
        if message["type"] != "next":
            raise Closed(str(message))
        payload = message["payload"]
        assert isinstance(payload, dict)
        assert "errors" not in payload, payload
        item = payload["data"]["settingsFeed"]
        match item["__typename"]:
            case "ChangeSetAppended":
                yield _delivered(item["changeSet"])
            case "Heartbeat" | "AccessChanged":
                yield item["position"]
            case other:
                raise Closed(other)


def _delivered(change_set: dict[str, object]) -> Delivered:
    changes = change_set["changes"]
    assert isinstance(changes, list)
    first, last = change_set["firstPosition"], change_set["position"]
    assert isinstance(first, int)
    assert isinstance(last, int)
    assert [change["position"] for change in changes] == list(range(first, last + 1)), changes
    return Delivered(
        first=first,
        last=last,
        values=tuple((change["setting"], change["after"]) for change in changes),
        at=time.monotonic(),
    )


async def _say(websocket: ClientConnection, message: Mapping[str, object]) -> None:
    await websocket.send(orjson.dumps(message).decode())


async def _hear(websocket: ClientConnection) -> dict[str, object]:
    async with asyncio.timeout(30):
        heard: dict[str, object] = orjson.loads(await websocket.recv())
    return heard
