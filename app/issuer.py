"""The only place that signs tokens: the own issuer of a default with no identity provider.

Law: the private key never leaves `identity.key`, and a key that others could have read is not used.
"""

import hashlib
import json
import os
import stat
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import time
from typing import Self
from uuid import uuid4

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app import unprivileged

ISSUER = "syncledger:local"
AUDIENCE = "syncledger"
KEY_FILE = "identity.key"


class UnusableKey(Exception):
    """The key file cannot be trusted or understood; the message says what to do."""


@dataclass(frozen=True, slots=True, repr=False)
class Issuer:
    _key: Ed25519PrivateKey

    @classmethod
    def open(cls, data: Path) -> Self:
        """Read the key of a data folder; the first one to ask makes it."""
        path = data / KEY_FILE
        try:
            if not path.exists():
                _create(path)
            return cls(_read(path))
        except OSError as error:
            raise UnusableKey(f"{path} cannot be used: {error.strerror}.") from error

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Publish the public half."""
        public = _public(self._key)
        return {"keys": [{**public, "kid": _thumbprint(public), "alg": "EdDSA", "use": "sig"}]}

    def token(
        self,
        subject: str,
        *,
        name: str | None = None,
        platform_administrator: bool = False,
        lifetime: timedelta = timedelta(hours=12),
    ) -> str:
        now = int(time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
            "platform_administrator": platform_administrator,
        }
        if name is not None:
            claims["name"] = name
        key_id = _thumbprint(_public(self._key))
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": key_id})


def _create(path: Path) -> None:
    """Write the whole key aside and link it into place: of several starters, one key wins."""
    unprivileged.make_folder(path.parent)
    text = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    aside = path.with_name(f"{path.name}.{uuid4()}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unprivileged.give([aside], unprivileged.owner(path.parent))
        with suppress(FileExistsError):
            path.hardlink_to(aside)
    finally:
        aside.unlink(missing_ok=True)


def _read(path: Path) -> Ed25519PrivateKey:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise UnusableKey(
                f"{path} is open to others (mode {mode:04o}): remove it to get a new key, "
                f"or, if nobody can have read it, run chmod 600 {path}."
            )
        text = file.read()
    try:
        key = serialization.load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UnusableKey(f"{path} is not an Ed25519 key: remove it to get a new key.")
    return key


def _public(key: Ed25519PrivateKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64(key.public_key().public_bytes_raw())}


def _thumbprint(public: dict[str, str]) -> str:
    """Name a key by its content (RFC 7638): required members, in order, without spaces."""
    text = json.dumps(public, sort_keys=True, separators=(",", ":"))
    return _base64(hashlib.sha256(text.encode()).digest())


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
