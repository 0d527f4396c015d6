"""The tours are run as they are printed, and what they show is what happens."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
TOURS = ("README.md", "docs/tour.md")
END = "-- end of what was typed"
FENCE = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)\s#]*)(?:#([^)\s]*))?\)")
VOLATILE = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z": "<time>",
    r"\b[0-9a-f]{64}\b": "<seal>",
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "<uuid>",
    r"\beyJ\S+": "<token>",
}


class Block(NamedTuple):
    """A fenced block: what it is written in, and what the test does with it."""

    page: str
    language: str
    mark: str
    text: str


def blocks() -> list[Block]:
    return [
        Block(page, *(part or "" for part in fence.groups()))
        for page in TOURS
        for fence in FENCE.finditer((ROOT / page).read_text(encoding="utf-8"))
    ]


def masked(text: str) -> str:
    for pattern, mask in VOLATILE.items():
        text = re.sub(pattern, mask, text)
    return text.strip()


class Terminal:
    """A shell of a newcomer, in a folder with our virtual environment and the examples."""

    def __init__(self, folder: Path, port: int, *command: str) -> None:
        settled = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("SYNCLEDGER_") and not name.lower().endswith("_proxy")
        }
        self._port = port
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={
                **settled,
                "SYNCLEDGER_PORT": str(port),
                "URL": f"ws://127.0.0.1:{port}/graphql",  # the worker's, which types no address
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            bufsize=1,
        )

    def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.replace("8000", str(self._port)))
        self.process.stdin.flush()

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"ended with {self.process.wait(10)}"
        return line.rstrip("\n").replace(str(self._port), "8000")

    def answer(self, typed: str) -> str:
        """What a command prints. It must succeed."""
        self.type(f"{typed}\nprintf '\\n%s %s\\n' '{END}' $?\n")
        said: list[str] = []
        while not (said and said[-1].startswith(END)):
            said.append(self.line())
        assert said.pop() == f"{END} 0", said
        return "\n".join(said)

    def end(self, number: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


@pytest.fixture
def port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        found: int = listener.getsockname()[1]
    return found


@pytest.fixture
def server(folder: Path, port: int) -> Iterator[Terminal]:
    terminal = Terminal(folder, port, ".venv/bin/syncledger", "serve")
    yield terminal
    assert terminal.end(signal.SIGINT) == 0


@pytest.fixture
def shell(folder: Path, port: int) -> Iterator[Terminal]:
    terminal = Terminal(folder, port, "bash")
    yield terminal
    terminal.end(signal.SIGTERM)


@pytest.fixture
def follower(folder: Path, port: int) -> Iterator[Terminal]:
    terminal = Terminal(folder, port, "bash")
    yield terminal
    terminal.end(signal.SIGTERM)


@pytest.mark.timeout(300)  # some thirty programs, one after the other
def test_the_tours_work_as_printed(server: Terminal, shell: Terminal, follower: Terminal) -> None:
    done, answer = 0, ""
    for block in blocks():
        shown = block.text.strip().split("\n")
        match block.mark:
            case "announced":
                assert [masked(server.line()) for _ in shown] == [masked(line) for line in shown]
            case "run":
                assert not answer, f"not shown: {answer}"
                answer = masked(shell.answer(block.text))
                done += 1
            case "answer":
                assert answer == masked(block.text)
                answer = ""
            case "follow":
                follower.type(f"exec bash -c {quoted(block.text)}\n")
            case "followed":
                assert [follower.line() for _ in shown] == shown
            case _:
                assert block.text == "make run\nmake test\n"
    assert not answer
    assert done > len(TOURS)


def quoted(command: str) -> str:
    return "'" + command.replace("'", "'\\''") + "'"


@pytest.mark.parametrize(
    "page",
    sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")),
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, heading in LINK.findall(text):
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), target
        if heading:
            assert heading in headings(there)


def headings(page: Path) -> set[str]:
    """The anchors of a page, as they are made of its headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
