"""JSON that comes from outside: a request's body, its address, a socket's message.

Law: one strict way in; what cannot be read is refused before anything is made of it.
"""

import json

import orjson

from api.errors import ErrorCode
from api.rejected import Malformed

MOST_OBJECTS = 10_000
"""Counted by their braces, before they are made."""


def json_object(text: bytes | str) -> dict[str, object]:
    """A JSON object. orjson refuses bad UTF-8, lone surrogates, NaN and deep nesting.

    Malformed for anything else, and for more objects than anybody may send.
    """
    objects = text.count("{") if isinstance(text, str) else text.count(b"{")
    if objects > MOST_OBJECTS:
        most = f"What is sent has at most {MOST_OBJECTS} opening braces, not {objects}."
        raise Malformed.because(ErrorCode.TOO_COSTLY, f"{most} Ask for less at once.")
    try:
        found = orjson.loads(text)
    except json.JSONDecodeError as error:
        lone = "surrogate in string" in str(error)
        code = ErrorCode.BAD_USER_INPUT if lone else ErrorCode.BAD_REQUEST
        raise Malformed.because(code, f"This cannot be read as JSON: {error}.") from error
    if not isinstance(found, dict):
        raise Malformed.because(ErrorCode.BAD_REQUEST, "The parameters are one JSON object.")
    return found
