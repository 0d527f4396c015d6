"""Events, standings and requests as canonical text, rows as any: the only place of msgspec.

Law: what decodes, encodes to the same bytes again; anything else is not one of our entries.
Canonical: JSON in UTF-8, members of an event sorted by name, no white space.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import msgspec

from domain.environment import EVENT_TYPES, Environment, Event, value
from domain.plan import Ask
from domain.standing import Change, Recorded, Standing


class NotOurs(ValueError):
    """A stored text that this version cannot have written."""


FORM = 1
"""Of the text of standings: a new one for every change of what it holds, or of what that means."""

SHORT = 1_000
"""A payload of so many characters or less is likely to come again, as that of a switch, or of a
template that every environment starts with."""

_encoder = msgspec.json.Encoder(order="sorted")
_decoders = {name: msgspec.json.Decoder(event) for name, event in EVENT_TYPES.items()}


def encode(event: Event) -> tuple[str, str]:
    """The wire name and the canonical text."""
    return event.wire_name, _encoder.encode(event).decode()


def decode(wire_name: str, payload: str) -> Event:
    """The event. NotOurs for an unknown name, an unknown or missing field, another spelling."""
    return (_decode_often if len(payload) <= SHORT else _decode)(wire_name, payload)


def _decode(wire_name: str, payload: str) -> Event:
    decoder = _decoders.get(wire_name)
    if decoder is None:
        raise NotOurs(f"The event {wire_name!r} is not known to this version.")
    try:
        event: Event = decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise NotOurs(f"{payload!r} is no {wire_name}: {error}") from error
    if _encoder.encode(event).decode() != payload:
        raise NotOurs(f"{payload!r} is not the canonical text of a {wire_name}.")
    return event


_decode_often = lru_cache(maxsize=4_096)(_decode)


class _LastChange(NamedTuple):
    """What it touched and left, the event and the environment tell."""

    position: int
    change_set: int
    at: datetime
    actor: UUID
    wire_name: str
    payload: msgspec.Raw
    before: str | None


class _Standing(NamedTuple):
    position: int
    as_of: datetime
    registered_at: datetime
    environment: Environment
    last_changes: list[_LastChange]


_as_it_is = msgspec.json.Encoder()
_standings = msgspec.json.Decoder(_Standing)


def encode_standing(standing: Standing) -> str:
    """The canonical text, of the form FORM."""
    position, as_of, registered_at, environment, last_changes = standing
    changes = [_last_change(change) for change in last_changes.values()]
    content = (position, as_of, registered_at, _ordered(environment), changes)
    return _as_it_is.encode(content).decode()


def decode_standing(text: str) -> Standing:
    """The standing, its mappings in their order. NotOurs for anything but its canonical text."""
    try:
        position, as_of, registered_at, environment, kept = _standings.decode(text)
        changes = [_change(environment, last) for last in kept]
    except (msgspec.MsgspecError, ValueError, LookupError) as error:
        raise NotOurs(f"It is the text of no standing: {str(error)[:200]}") from error
    last_changes = {change.setting: change for change in changes}
    standing = Standing(position, as_of, registered_at, environment, last_changes)
    if encode_standing(standing) != text:
        raise NotOurs("It is not the canonical text of a standing.")
    return standing


def _ordered(held: object) -> object:
    """A mapping keeps its order, which readers see; a set has none, and gets one."""
    if isinstance(held, Mapping):
        return {key: _ordered(each) for key, each in held.items()}
    if isinstance(held, frozenset):
        return sorted(held)
    return [_ordered(each) for each in held] if isinstance(held, tuple) else held


def _last_change(change: Change) -> _LastChange:
    position, change_set, at, actor, event = change.recorded
    payload = msgspec.Raw(_encoder.encode(event))
    return _LastChange(position, change_set, at, actor, event.wire_name, payload, change.before)


def _change(environment: Environment, last: _LastChange) -> Change:
    position, change_set, at, actor, wire_name, payload, before = last
    event = decode(wire_name, bytes(payload).decode())
    recorded = Recorded(position, change_set, at, actor, event)
    return Change(recorded, event.setting, before, value(environment, event.setting))


def text(rows: list[dict[str, object]]) -> str:
    """Rows as JSON for Postgres; UUIDs as text."""
    return msgspec.json.encode(rows).decode()


def digest(request_id: UUID, ask: Ask, reason: str | None) -> bytes:
    """What a request asks for, as 32 bytes: equal for equal requests of the same id."""
    commands = [(type(command).__name__, command) for command in ask.commands]
    content = (request_id, ask.environment, commands, ask.expected_position, reason)
    bringing = ask.bringing
    if bringing is None:
        return sha256(_encoder.encode(content)).digest()
    brought = (bringing.source, bringing.at, bringing.settings, bringing.acknowledged)
    return sha256(_encoder.encode((*content, brought))).digest()
