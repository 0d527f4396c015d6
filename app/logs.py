"""How the process tells what happens to it: lines on standard error, for people or for machines.

Law: no token, no name and no reason of a person is ever logged; what looks like a secret is struck
out of a line before it is written, wherever in the line it stands.
"""

import logging
import re
import sys
from asyncio import CancelledError
from copy import copy
from datetime import UTC, datetime
from math import isfinite
from typing import Literal

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

type Form = Literal["auto", "json", "text"]

STRUCK_OUT = "[redacted]"
OF_CLIENTS = ("Invalid HTTP request", "Unsupported upgrade request")

_FIELDS = {
    "asctime": "time",
    "levelname": "level",
    "name": "logger",
    "message": "message",
    "exc_info": "traceback",
    "stack_info": "stack",
}
"""What the standard library calls the fields of every line, and what we do."""

# Atomic and possessive, so that each takes time in proportion to the text: some of it is clients'.
_WEB_TOKEN = re.compile(r"(?<![\w-])(?>[\w-]*?eyJ)[\w-]*+(?:(?:\.|%2[Ee])[\w-]*+){2,}", re.ASCII)
_BEARER = re.compile(r"(bearer)(?:[\s:=+]|%20|\\[nrt])++[^\s\"']+", re.IGNORECASE)
_USER_AND_PASSWORD = re.compile(r"://(?:([^\s:]*+:)\S*@|\S*+)")
_PASSWORD_OF_DSN = re.compile(r"([?&]password=)[^\s&\"']+", re.IGNORECASE)


def begin(level: str, form: Form) -> None:
    """Send all logs to standard error, from this level up. `auto`: a person has a terminal."""
    for_people = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(_text() if for_people else _Json())
    handler.addFilter(_Redaction())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    uvicorn = logging.getLogger("uvicorn.error")
    uvicorn.setLevel(max(logging.WARNING, logging.getLevelName(level)))
    uvicorn.addFilter(_is_ours)


def redacted(text: str) -> str:
    """Without web tokens, bearer tokens and passwords of a DSN."""
    text = _WEB_TOKEN.sub(STRUCK_OUT, text)
    text = _BEARER.sub(rf"\1 {STRUCK_OUT}", text)
    text = _USER_AND_PASSWORD.sub(_without_password, text)
    return _PASSWORD_OF_DSN.sub(rf"\1{STRUCK_OUT}", text)


def _without_password(found: re.Match[str]) -> str:
    user: str | None = found[1]
    return found[0] if user is None else f"://{user}{STRUCK_OUT}@"


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether somebody may have to mend it: what strangers send is no reason to write a line."""
    ended = record.exc_info is not None and record.exc_info[0] is CancelledError  # told to hurry
    return not (ended or record.getMessage().startswith(OF_CLIENTS))


class _Redaction(logging.Filter):
    """Hands on a copy of each record: words and numbers alone, and no secret among them."""

    def filter(self, record: logging.LogRecord) -> logging.LogRecord:
        try:
            return _copy(record)
        except Exception as error:  # noqa: BLE001 -- what is told of must not fail by the telling
            place = f"{record.module}:{record.lineno}"
            why = f"What {place} wants to log cannot be told: {type(error).__name__}."
            return logging.LogRecord(
                record.name, record.levelno, record.pathname, record.lineno, why, None, None
            )


def _copy(record: logging.LogRecord) -> logging.LogRecord:
    """The message is put together first: a secret may begin in it and end in its arguments."""
    told = copy(record)
    told.msg, told.args = redacted(record.getMessage()), None
    if record.exc_info:
        traceback = record.exc_text or logging.Formatter().formatException(record.exc_info)
        told.exc_info, told.exc_text = None, redacted(traceback)
    if record.stack_info:
        told.stack_info = redacted(record.stack_info)
    for name in vars(record).keys() - set(RESERVED_ATTRS):
        setattr(told, name, _plain(getattr(record, name)))
    return told


def _plain(value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case float() if isfinite(value):
            return value
        case _:
            return redacted(value if isinstance(value, str) else repr(value))


def _text() -> logging.Formatter:
    return logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")


class _Json(JsonFormatter):
    """One object a line. A field that is called like one of ours does not take its place."""

    def __init__(self) -> None:
        super().__init__(
            ["asctime", "levelname", "name", "message"],
            rename_fields=_FIELDS,
            reserved_attrs=[*RESERVED_ATTRS, *_FIELDS.values()],
        )

    def formatTime(  # noqa: N802 -- the standard library's name
        self,
        record: logging.LogRecord,
        datefmt: str | None = None,  # noqa: ARG002 -- likewise
    ) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
