"""The only place that finds public keys: sets of them, fixed, in a file, or behind an address.

Law: a set that cannot be read is `KeysUnavailable`, a key that is not in it `NotAuthenticated`;
keys already known outlast an outage of where they come from.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Protocol
from urllib.parse import urlsplit

import jwt

logger = logging.getLogger(__name__)

_KEY_SET_SECONDS = 300.0
_BETWEEN_REQUESTS_SECONDS = 30.0
_REQUEST_SECONDS = 5.0


class NotAuthenticated(Exception):
    """The token does not say who is asking; the message says why, never the token."""


class KeysUnavailable(Exception):
    """The key set cannot be read, so nobody knows whether a token is good."""


class Keys(Protocol):
    async def ready(self) -> None:
        """Look whether the keys can be had. KeysUnavailable where they never will by themselves."""

    async def key(self, key_id: str) -> jwt.PyJWK:
        """Find the public key, or raise NotAuthenticated or KeysUnavailable."""
        ...


class FixedKeys:
    """A key set that never changes: the own issuer's."""

    def __init__(self, jwks: Mapping[str, object]) -> None:
        self._keys = _by_id(jwks, "of the own issuer")

    async def ready(self) -> None:
        """They are here."""

    async def key(self, key_id: str) -> jwt.PyJWK:
        return _found(self._keys, key_id)


class FileKeys:
    """A key set in a file, read again whenever the file has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._seen: tuple[int, int, int] | None = None

    async def ready(self) -> None:
        self._read()

    async def key(self, key_id: str) -> jwt.PyJWK:
        self._read()
        return _found(self._keys, key_id)

    def _read(self) -> None:
        try:
            status = self._path.stat()
            seen = status.st_mtime_ns, status.st_ino, status.st_size
            if seen != self._seen:
                self._keys = _by_id(json.loads(self._path.read_bytes()), str(self._path))
                self._seen = seen
        except (OSError, ValueError) as error:
            raise KeysUnavailable(f"The key set {self._path} cannot be read: {error}.") from error


class AddressKeys:
    """A key set behind an address, asked again when it is old or lacks a key, but not too often.

    Keys already known outlast an outage of their address.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if not parts.hostname or parts.scheme not in {"https", "http" if loopback else "https"}:
            raise ValueError(f"{address!r} is not an https address (or http on this machine)")
        self._address = address
        self._client = jwt.PyJWKClient(address, cache_jwk_set=False, timeout=_REQUEST_SECONDS)
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._asked_at = float("-inf")
        self._failure: str | None = None
        self._asking = asyncio.Lock()

    async def ready(self) -> None:
        """An address that does not answer now may answer later."""
        await self._ask()
        if self._failure is not None:
            logger.warning("%s Until then nobody can sign in.", self._failure)

    async def key(self, key_id: str) -> jwt.PyJWK:
        if self._is_due(key_id):
            async with self._asking:
                if self._is_due(key_id):
                    await self._ask()
        if key_id not in self._keys and self._failure is not None:
            raise KeysUnavailable(self._failure)
        return _found(self._keys, key_id)

    def _is_due(self, key_id: str) -> bool:
        patience = _KEY_SET_SECONDS if key_id in self._keys else _BETWEEN_REQUESTS_SECONDS
        return monotonic() - self._asked_at >= patience

    async def _ask(self) -> None:
        try:
            document: object = await asyncio.to_thread(self._client.fetch_data)
            self._keys = _by_id(document, self._address)
            self._failure = None
        except (jwt.PyJWTError, OSError, ValueError, KeysUnavailable) as error:
            self._failure = f"The key set {self._address} cannot be read: {error}."
        finally:
            self._asked_at = monotonic()


def keys_at(place: str) -> Keys:
    """Name a key set by its address (anything with `://`) or by its file."""
    return AddressKeys(place) if "://" in place else FileKeys(Path(place))


def _by_id(document: object, place: str) -> Mapping[str, jwt.PyJWK]:
    if not isinstance(document, dict):
        raise KeysUnavailable(f"The key set {place} is not a JSON object.")
    try:
        keys = jwt.PyJWKSet.from_dict(document).keys
    except jwt.PyJWTError as error:
        raise KeysUnavailable(f"The key set {place} cannot be used: {error}.") from error
    return {key.key_id: key for key in keys if key.key_id and key.public_key_use in {None, "sig"}}


def _found(keys: Mapping[str, jwt.PyJWK], key_id: str) -> jwt.PyJWK:
    try:
        return keys[key_id]
    except KeyError:
        raise NotAuthenticated(
            f"The token's key {shown(key_id)} is not in the key set: it was made elsewhere, or "
            "with another data folder. Take one that was made for this service."
        ) from None


def shown(value: object) -> str:
    return repr(value)[:80]
