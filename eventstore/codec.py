"""Events and requests as canonical text, rows as any: the only place that knows msgspec.

Law: what decodes, encodes to the same bytes again; anything else is not one of our entries.
Canonical: JSON in UTF-8, members sorted by name, no white space.
"""

from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import msgspec

from domain.environment import EVENT_TYPES, Event
from domain.plan import Ask


class NotOurs(ValueError):
    """A stored entry that this version cannot have written."""


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
