"""Rows of a JSON file, each with the line on which it begins.

Law: a file is one row, a list of rows, or what the Web API answers with; an answer that goes on
elsewhere, and a name that stands twice, are refused, since something would be passed over.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from domain.filters.problem import shown

type Row = dict[str, object]

COLLECTIONS = ("value", "AttributeMappings")
"""What the Web API calls a list of rows; the second, where a function answers."""
LONGEST_NUMBER = 40
"""Digits and signs."""


class NotRows(ValueError):
    """Text that is no rows."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Placed(NamedTuple):
    """`line` counts from 1."""

    line: int
    row: Row


class _Member(NamedTuple):
    """Of an object: its name and its value, and where both begin."""

    name: str
    at: int
    value: object
    value_at: int


def rows(text: str) -> list[Placed]:
    """Each row with its line. NotRows for anything else."""
    try:
        document = _LENIENT.decode(text)
    except json.JSONDecodeError as error:
        raise NotRows(error.lineno, f"{error.msg}.") from error
    except RecursionError as error:
        raise NotRows(1, "It is nested too deeply.") from error
    lines = _Lines(text)
    start = _blank(text, 0)
    collection = _collection(text, start, lines) if isinstance(document, dict) else None
    if isinstance(document, dict) and collection is None:
        return [_row(text, start, lines)]
    if not isinstance(document, dict | list):
        told = f"an object with them in `{COLLECTIONS[0]}`"
        raise NotRows(lines.of(start), f"A file is a row, a list of rows, or {told}.")
    return [_row(text, at, lines) for at in _elements(text, collection or start)]


class _Lines:
    """Which line a place is on, found quickly for many."""

    def __init__(self, text: str) -> None:
        self._ends = [at for at, character in enumerate(text) if character == "\n"]

    def of(self, at: int) -> int:
        return bisect_left(self._ends, at) + 1


def _row(text: str, at: int, lines: _Lines) -> Placed:
    """The row at this place, read strictly."""
    line = lines.of(at)
    try:
        row, _ = _STRICT.raw_decode(text, at)
    except ValueError as error:
        raise NotRows(line, str(error)) from error
    if not isinstance(row, dict):
        raise NotRows(line, f"A row is an object, not {shown(json.dumps(row))}.")
    return Placed(line, row)


def _collection(text: str, at: int, lines: _Lines) -> int | None:
    """Where the list of rows begins that an answer is around; None where it is a row itself."""
    members = [*_members(text, at)]
    found = [each for each in members if each.name in COLLECTIONS and isinstance(each.value, list)]
    if not found:
        return None
    for each in members:
        if each.name.casefold().endswith("@odata.nextlink"):
            told = f"By {shown(each.name)} the answer goes on elsewhere. Fetch the rest of it too,"
            raise NotRows(lines.of(each.at), f"{told} and put all rows into one list.")
        if each is not found[0] and "@" not in each.name:
            told = f"Beside its rows, an answer has no {shown(each.name)}."
            raise NotRows(lines.of(each.at), told)
    return found[0].value_at


def _once(members: list[tuple[str, object]]) -> Row:
    row = dict(members)
    if len(row) < len(members):
        times = Counter(name for name, _ in members)
        twice = next(name for name in times if times[name] > 1)
        raise ValueError(f"A row has {shown(twice)} more than once.")
    return row


def _number(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"A number has at most {LONGEST_NUMBER} digits, not {len(text)}.")
    return int(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON.")


_LENIENT = json.JSONDecoder(parse_int=float)
"""Finds where everything is, whatever it says."""
_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_int=_number, parse_constant=_no_number)


def _blank(text: str, at: int) -> int:
    """Where what stands behind white space begins."""
    while text[at] in " \t\r\n":
        at += 1
    return at


def _members(text: str, at: int) -> Iterator[_Member]:
    """What the object at this place has."""
    at = _blank(text, at + 1)
    while text[at] != "}":
        name, end = _LENIENT.raw_decode(text, at)
        value_at = _blank(text, _blank(text, end) + 1)
        value, end = _LENIENT.raw_decode(text, value_at)
        yield _Member(name, at, value, value_at)
        at = _next(text, end)


def _elements(text: str, at: int) -> Iterator[int]:
    """Where what the list at this place holds begins."""
    at = _blank(text, at + 1)
    while text[at] != "]":
        yield at
        _, end = _LENIENT.raw_decode(text, at)
        at = _next(text, end)


def _next(text: str, end: int) -> int:
    """Where the next one begins, or the end of them all is."""
    at = _blank(text, end)
    return _blank(text, at + 1) if text[at] == "," else at
