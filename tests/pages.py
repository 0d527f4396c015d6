"""Pages that are run as they are printed: their fenced blocks, and a terminal to type them into."""

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
END = "-- end of what was typed"
FENCE = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VOLATILE = {
    r',"extensions":\{"cost":\{[^}]*\}\}': "",
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


def blocks(*pages: str) -> list[Block]:
    return [
        Block(page, *(part or "" for part in fence.groups()))
        for page in pages
        for fence in FENCE.finditer((ROOT / page).read_text(encoding="utf-8"))
    ]


def masked(text: str) -> str:
    for pattern, mask in VOLATILE.items():
        text = re.sub(pattern, mask, text)
    return text.strip()


class Terminal:
    """A shell of a newcomer, in a folder with our virtual environment and the examples."""

    def __init__(self, folder: Path, port: int, *command: str, **variables: str) -> None:
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
                **variables,
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
