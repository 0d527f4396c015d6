"""The seal of one entry over the one before it. docs/log-format.md has the exact bytes.

Law: pure; the seal of an entry covers everything stored about it and every entry before it.
"""

from datetime import UTC, datetime
from hashlib import sha256
from struct import Struct
from typing import NamedTuple
from uuid import UUID

GENESIS = bytes(32)
"""What stands before the first entry of every log."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIXED = Struct(">cIQIQIqI16s")
_LENGTH = Struct(">I")


class Sealed(NamedTuple):
    """What is stored of an entry but for its seal. `reason` is a commitment, None without one."""

    environment: str
    position: int
    change_set: int
    type: str
    payload: str
    actor: UUID
    reason: bytes | None
    recorded_at: datetime


class Entry(NamedTuple):
    """One row of the log, as stored."""

    environment: str
    position: int
    change_set: int
    type: str
    payload: str
    actor: UUID
    reason: bytes | None
    recorded_at: datetime
    seal: bytes


def leaf(entry: Sealed | Entry) -> bytes:
    """sha256 over 0x00 and every field with its length before it: 32 bytes."""
    since = entry.recorded_at - _EPOCH
    instant = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    environment, kind = entry.environment.encode(), entry.type.encode()
    payload, reason = entry.payload.encode(), entry.reason or b""
    fields = (
        _FIXED.pack(
            b"\x00", 8, entry.position, 8, entry.change_set, 8, instant, 16, entry.actor.bytes
        ),
        _LENGTH.pack(len(environment)),
        environment,
        _LENGTH.pack(len(kind)),
        kind,
        _LENGTH.pack(len(payload)),
        payload,
        _LENGTH.pack(len(reason)),
        reason,
    )
    return sha256(b"".join(fields)).digest()


def seal(previous: bytes, leaf_hash: bytes) -> bytes:
    """sha256 over 0x01, the seal before and the leaf: 32 bytes."""
    return sha256(b"\x01" + previous + leaf_hash).digest()


def commitment(salt: bytes, text: str) -> bytes:
    """What an entry keeps of a reason: it binds the text, and says nothing once that is erased."""
    return sha256(salt + text.encode()).digest()
