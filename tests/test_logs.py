import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from eavesdropping import EAR

from app import logs
from app.logs import STRUCK_OUT, redacted

SECRET = "xYzZy-Secret"
TOKEN = f"eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEifQ.{SECRET}_0"
ENCRYPTED = f"eyJlbmMiOiJBMjU2R0NNIn0.a.b.c.{SECRET}"
DSN = f"postgresql://application:{SECRET}@database/syncledger"

logger = logging.getLogger("syncledger")


class Careless:
    """Something that tells its secret to whoever looks at it."""

    def __repr__(self) -> str:
        return f"<Careless {TOKEN}>"


class Mute:
    def __repr__(self) -> str:
        raise RuntimeError(SECRET)


@pytest.fixture(autouse=True)
def _no_secret_is_logged() -> Iterator[None]:
    """Here they are, on purpose."""
    yield
    EAR.take()


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn.error")
    handlers, levels = root.handlers[:], (root.level, uvicorn.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    uvicorn.setLevel(levels[1])


def raising(message: str, *notes: str, cause: Exception | None = None) -> None:
    try:
        error = ValueError(message)
        for note in notes:
            error.add_note(note)
        raise error from cause
    except ValueError:
        logger.exception("accident")


PLACES: dict[str, Callable[[], None]] = {
    "the message": lambda: logger.info(f"got {TOKEN}"),  # noqa: G004 -- a place, if a bad one
    "an argument": lambda: logger.info("got %s", TOKEN),
    "an argument with a name": lambda: logger.info("got %(it)s", {"it": TOKEN}),
    "between message and argument": lambda: logger.info("Authorization: Bearer %s", SECRET),
    "between two arguments": lambda: logger.info("%s://a:%s@b", "postgresql", SECRET),
    "a list of arguments": lambda: logger.info("got %r", [("authorization", f"Bearer {SECRET}")]),
    "headers as bytes": lambda: logger.info("got %r", {b"authorization": TOKEN.encode()}),
    "an object": lambda: logger.info("got %s", Careless()),
    "no text at all": lambda: logger.info({"authorization": f"Bearer {SECRET}"}),
    "what does not fit": lambda: logger.info("got %d", TOKEN),
    "what cannot be shown": lambda: logger.info("got %s", Mute()),
    "an exception": lambda: raising(f"could not connect to {DSN}"),
    "the cause of an exception": lambda: raising("accident", cause=OSError(DSN)),
    "the note of an exception": lambda: raising("accident", f"while reading {TOKEN}"),
    "the stack": lambda: logger.info("here", stack_info=bool("Bearer xYzZy-Secret")),
    "a field": lambda: logger.info("got it", extra={"token": TOKEN}),
    "a field of a field": lambda: logger.info("got it", extra={"headers": {"x": [DSN]}}),
    "an object as a field": lambda: logger.info("got it", extra={"it": Careless()}),
    "a field that cannot be shown": lambda: logger.info("got it", extra={"it": Mute()}),
    "the log of the web server": lambda: logging.getLogger("uvicorn.error").error("> %s", TOKEN),
}


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_written_wherever_it_stands(
    place: str, form: Literal["json", "text"], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.begin("INFO", form)
    PLACES[place]()
    said = capsys.readouterr().err
    assert said
    assert SECRET not in said


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        ENCRYPTED,
        f"_{TOKEN}",
        repr(f"a line\n{TOKEN}"),
        json.dumps({"token": TOKEN}),
        f"/graphql?access_token={TOKEN}&x=1",
        TOKEN.replace(".", "%2E"),
        f"{TOKEN}.{TOKEN}",
        f"bearer {SECRET}",
        f"BEARER \t {SECRET}",
        f"Authorization:Bearer\n{SECRET}",
        f"Bearer%20{SECRET}",
        f"bearer+{SECRET}",
        f"bearer={SECRET}",
        repr(f"Bearer\t{SECRET}"),
        f"Bearer {SECRET}==, Bearer {SECRET}~+/",
        f"'{DSN}'",
        f"postgres://:{SECRET}@database",
        f"postgres://a:p@{SECRET}@database",
        f"postgres://a:p/{SECRET}@database",
        f"postgres://a:p:{SECRET}@[::1]:5432,other:5432/x",
        f"postgres://a:p?{SECRET}#@database",
        f"{DSN},{DSN}",
        f"jdbc:postgresql://a:{SECRET}@b",
        f"postgresql:///x?user=a&PASSWORD={SECRET}&host=b",
    ],
)
def test_what_looks_like_a_secret_is_struck_out(text: str) -> None:
    assert STRUCK_OUT in redacted(text)
    assert SECRET not in redacted(text)


def test_what_stands_around_a_secret_stays() -> None:
    assert redacted(f"connecting to {DSN} now") == (
        f"connecting to postgresql://application:{STRUCK_OUT}@database/syncledger now"
    )
    assert redacted(f'"Bearer {SECRET}" of {TOKEN}, refused') == (
        f'"Bearer {STRUCK_OUT}" of {STRUCK_OUT}, refused'
    )


@pytest.mark.parametrize(
    "text",
    [
        "GraphQL at http://127.0.0.1:8000/graphql, keys at https://login.example.com/keys?v=2.0",
        "somebody@contoso.example is in contoso-prod since 2026-07-01T12:30:00+00:00",
        "postgresql://application@database:5432/syncledger?sslmode=require",
        "app.server.serve: eyJ alone, and eyJhbGciOiJFZERTQSJ9.half",
        'File "server.py", line 1, in serve',
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("part", ["eyJ", "eyJ.", "eyJ-a ", "://", "://a:", "bearer", "?password="])
def test_no_text_is_too_long_to_be_looked_through(part: str) -> None:
    assert redacted(part * 200_000)  # it would not end within hours if the time were squared


def told(said: str) -> dict[str, object]:
    line, *rest = said.splitlines()
    assert rest == []
    found: dict[str, object] = json.loads(line)
    return found


def test_a_line_for_machines_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin("INFO", "json")
    logger.warning("two\nlines of %s", "Zoë")
    line = told(capsys.readouterr().err)
    at = datetime.fromisoformat(str(line.pop("time")))
    assert at.tzinfo == UTC
    assert timedelta(0) <= datetime.now(UTC) - at < timedelta(minutes=1)
    assert line == {"level": "WARNING", "logger": "syncledger", "message": "two\nlines of Zoë"}


def test_the_time_has_microseconds_even_where_they_are_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.begin("INFO", "json")
    record = logging.makeLogRecord({"levelno": logging.INFO, "created": 1_750_000_000.0})
    logger.handle(record)
    assert told(capsys.readouterr().err)["time"] == "2025-06-15T15:06:40.000000+00:00"


def test_a_traceback_is_one_field(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin("INFO", "json")
    raising("no such thing")
    line = told(capsys.readouterr().err)
    assert line["message"] == "accident"
    assert str(line["traceback"]).startswith("Traceback (most recent call last):\n")
    assert str(line["traceback"]).endswith("ValueError: no such thing")


def test_a_traceback_follows_its_line_where_people_read(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin("INFO", "text")
    raising("no such thing")
    first, second, *_, last = capsys.readouterr().err.splitlines()
    assert first.endswith("ERROR syncledger: accident")
    assert second == "Traceback (most recent call last):"
    assert last == "ValueError: no such thing"


def test_fields_of_a_record_are_fields_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin("INFO", "json")
    fields = {"position": 7, "ratio": 0.5, "whole": True, "nobody": None, "key": "contoso"}
    logger.info("told", extra={**fields, "more": ["a", 1], "nan": float("nan")})
    line = told(capsys.readouterr().err)
    assert {name: line[name] for name in fields} == fields
    assert (line["more"], line["nan"]) == ("['a', 1]", "nan")


def test_no_field_takes_the_place_of_one_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin("INFO", "json")
    logger.info("told", extra={"level": "x", "time": "x", "logger": "x", "traceback": "x"})
    line = told(capsys.readouterr().err)
    assert (line["level"], line["logger"], line["message"]) == ("INFO", "syncledger", "told")
    assert line["time"] != "x"
    assert "traceback" not in line


@pytest.mark.parametrize("form", ["json", "text"])
def test_what_cannot_be_told_is_told_of_and_stops_nobody(
    form: Literal["json", "text"], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.begin("INFO", form)
    logger.info("got %d", "seven")
    said = capsys.readouterr().err
    assert "What test_logs:" in said
    assert "wants to log cannot be told: TypeError." in said
    assert said.count("\n") == 1


def test_a_record_that_others_read_too_is_left_as_it_is(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.begin("INFO", "json")
    logging.getLogger().addHandler(caplog.handler)
    logger.info("got %s", TOKEN, extra={"token": TOKEN})
    (record,) = caplog.records
    assert (record.msg, record.args) == ("got %s", (TOKEN,))
    assert vars(record)["token"] == TOKEN


def test_the_web_server_tells_only_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin("INFO", "json")
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application")
    line = told(capsys.readouterr().err)
    assert (line["logger"], line["level"]) == ("uvicorn.error", "ERROR")


PROGRAM = """
import logging
from app import logs
logs.begin("INFO", "auto")
logging.getLogger("syncledger").info("told")
"""


def test_machines_are_told_where_no_terminal_is() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert told(ended.stderr)["message"] == "told"


def test_people_are_told_at_a_terminal() -> None:
    ours, its = pty.openpty()
    with closing(os.fdopen(ours, "rb", buffering=0)) as terminal:
        subprocess.run([sys.executable, "-c", PROGRAM], stderr=its, check=True)
        os.close(its)
        assert terminal.read(1000).endswith(b"INFO syncledger: told\r\n")
