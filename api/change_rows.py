"""Changes as rows of files: CSV for people and their spreadsheets, JSON Lines for programs.

Law: a row says what the schema says of the change; a spreadsheet runs nothing of what is in it.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from uuid import UUID

import orjson

from api.people import role_key
from api.scalars import written
from domain.environment import differences, sentence
from domain.membership import Event as RoleEvent
from domain.standing import Change
from eventstore.log import Log, StoredChange
from eventstore.principals import Principal, Principals
from projections.history import Happened

type Row = Mapping[str, str | int | None]

COLUMNS = (
    "environment",
    "position",
    "changeSet",
    "at",
    "byHandle",
    "byId",
    "byName",
    "reason",
    "requestId",
    "type",
    "setting",
    "before",
    "after",
    "summary",
    "differences",
    "payload",
    "seal",
)
LONGEST_COMPARED = 10_000
"""Characters of criteria before and after: it takes some milliseconds to compare as many."""
FORMULAS = "=+-@＝＋－＠"  # noqa: RUF001 -- wide ones
DANGEROUS = re.compile(rf"(^|[;\t\r\n])(?=[{re.escape(FORMULAS)}])")
"""Where a cell begins, by any separator, with what a spreadsheet takes for a formula."""


class Form(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Rows:
    """Looks up what may have been erased."""

    log: Log
    principals: Principals

    async def of(self, found: Sequence[Happened]) -> Iterator[Row]:
        """Rows of changes, in their order, each made when it is asked for."""
        places = [(each.environment, each.change.recorded.position) for each in found]
        stored = await self.log.stored(places)
        people = {handle for each in found for handle in _people(each.change)}
        known = {each.handle: each for each in await self.principals.of(people)}
        return (_row(each, stored[place], known) for each, place in zip(found, places, strict=True))


def _people(change: Change) -> Iterator[UUID]:
    yield change.recorded.actor
    if isinstance(change.recorded.event, RoleEvent):
        yield change.recorded.event.principal


def _row(happened: Happened, stored: StoredChange, known: Mapping[UUID, Principal]) -> Row:
    (position, change_set, at, actor, event), setting, before, after = happened.change
    by = known[actor]
    if isinstance(event, RoleEvent):
        setting = role_key(known[event.principal])
    values = (
        happened.environment,
        position,
        change_set,
        written(at),
        str(by.handle),
        by.provider_id,
        by.name,
        stored.reason,
        None if stored.request_id is None else str(stored.request_id),
        event.wire_name,
        setting,
        before,
        after,
        sentence(event),
        _differences(happened.change),
        stored.payload,
        stored.seal.hex(),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _differences(change: Change) -> str:
    if len(change.before or "") + len(change.after or "") > LONGEST_COMPARED:
        return "The criteria are long: compare before and after."
    return "; ".join(differences(change.recorded.event, change.before, change.after))


def heading(form: Form) -> bytes:
    """What a file begins with."""
    return _csv([COLUMNS]) if form is Form.CSV else b""


def text(form: Form, rows: Iterable[Row]) -> bytes:
    """Rows as a part of a file, in UTF-8."""
    if form is Form.JSONL:
        return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    return _csv([_harmless(value) for value in row.values()] for row in rows)


def _harmless(value: str | int | None) -> str | int | None:
    """What would be a formula is preceded by an apostrophe."""
    return DANGEROUS.sub(r"\1'", value) if isinstance(value, str) else value


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    """As RFC 4180 has it."""
    made = StringIO(newline="")
    csv.writer(made).writerows(rows)
    return made.getvalue().encode()
