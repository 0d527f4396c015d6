"""The tours are run as they are printed, and what they show is what happens."""

import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pages import ROOT, Terminal, blocks, masked

TOURS = ("README.md", "docs/tour.md", "docs/audit.md")
LINK = re.compile(r"\]\((?!https?://)([^)\s#]*)(?:#([^)\s]*))?\)")


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


@pytest.mark.unwatched
@pytest.mark.timeout(300)  # some thirty programs, one after the other
def test_the_tours_work_as_printed(server: Terminal, shell: Terminal, follower: Terminal) -> None:
    done, answer = 0, ""
    for block in blocks(*TOURS):
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
