"""What a client may say by graphql-transport-ws, read from the text of one message.

Law: a message of a type or shape that the protocol does not have closes the socket with 4400.
"""

from typing import NamedTuple

from api.decoding import json_object
from api.rejected import Rejected


class Close(Exception):
    """The protocol wants the socket closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Init(NamedTuple):
    """`authorization`: the value under that name, whatever its case, if it is a text."""

    authorization: str | None


class Ping(NamedTuple):
    payload: dict[str, object] | None


class Pong(NamedTuple):
    pass


class Subscribe(NamedTuple):
    id: str
    payload: dict[str, object]


class Complete(NamedTuple):
    id: str


type Message = Init | Ping | Pong | Subscribe | Complete


def read(text: str) -> Message:
    """What a client says, or Close."""
    try:
        message = json_object(text)
    except Rejected as error:
        raise bad("A message is a JSON object.") from error
    match message.get("type"):
        case "connection_init":
            return Init(_authorization(_object(message, "connection_init") or {}))
        case "ping":
            return Ping(_object(message, "ping"))
        case "pong":
            _object(message, "pong")
            return Pong()
        case "subscribe":
            return Subscribe(_id(message), _request(message.get("payload")))
        case "complete":
            return Complete(_id(message))
        case unknown:
            raise bad(f"There is no message type {str(unknown)[:40]!r}.")


def bad(reason: str) -> Close:
    return Close(4400, reason)


def _object(message: dict[str, object], kind: str) -> dict[str, object] | None:
    payload = message.get("payload")
    if not isinstance(payload, dict | None):
        raise bad(f"The payload of {kind} is an object.")
    return payload


def _authorization(payload: dict[str, object]) -> str | None:
    given = {key.lower(): value for key, value in payload.items()}
    found = given.get("authorization")
    return found if isinstance(found, str) else None


def _id(message: dict[str, object]) -> str:
    found = message.get("id")
    if not isinstance(found, str) or not found:
        raise bad("The id of an operation is a non-empty string.")
    return found


def _request(payload: object) -> dict[str, object]:
    if not isinstance(payload, dict):
        raise bad("The payload of subscribe is an object.")
    if not isinstance(payload.get("query"), str):
        raise bad("The query of subscribe is a string.")
    if not isinstance(payload.get("operationName"), str | None):
        raise bad("The operationName of subscribe is a string or null.")
    for name in ("variables", "extensions"):
        if not isinstance(payload.get(name), dict | None):
            raise bad(f"The {name} of subscribe are an object or null.")
    return payload
