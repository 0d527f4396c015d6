"""The only place that decides who is asking: bearer JSON Web Tokens, verified the same way always.

Law: nobody is identified before algorithm, key, signature, issuer, audience, times and names have
all been checked; expiry is checked every time; no message ever repeats a token.
"""

import asyncio
import json
import unicodedata
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time
from typing import Protocol
from urllib.parse import urlsplit

import jwt

DEFAULT_ALGORITHMS = ("EdDSA", "ES256", "ES384", "RS256", "PS256")
ASYMMETRIC = (*DEFAULT_ALGORITHMS, "ES512", "RS384", "RS512", "PS384", "PS512")

_LONGEST_TOKEN = 8192  # characters
_LONGEST_SUBJECT = 255  # characters
_LONGEST_NAME = 200  # characters
_LATEST_MOMENT = 2.0**40  # unix seconds; also keeps infinity and not-a-number out
_REMEMBERED_TOKENS = 1000
_REMEMBERED_SECONDS = 300.0  # so that a key withdrawn from its set does not outlive it by more
_KEY_SET_SECONDS = 300.0
_BETWEEN_REQUESTS_SECONDS = 30.0
_REQUEST_SECONDS = 5.0


class NotAuthenticated(Exception):
    """The token does not say who is asking; the message says why, never the token."""


class KeysUnavailable(Exception):
    """The key set cannot be read, so nobody knows whether a token is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    subject: str
    name: str | None
    platform_administrator: bool
    expires_at: float  # unix seconds


class Keys(Protocol):
    async def key(self, key_id: str) -> jwt.PyJWK:
        """Find the public key, or raise NotAuthenticated or KeysUnavailable."""
        ...


class Verifier:
    """Turns the value of an Authorization header into an identity."""

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS,
        keys: Keys,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._algorithms = asymmetric(algorithms)
        self._keys = keys
        self._remembered: OrderedDict[str, tuple[Identity, float]] = OrderedDict()

    async def identify(self, authorization: str | None) -> Identity:
        token = _bearer(authorization)
        identity = self._recall(token)
        if identity is None:
            identity = self._verify(token, await self._keys.key(self._key_id(token)))
            self._remember(token, identity)
        if identity.expires_at <= time():
            raise NotAuthenticated("The token has expired: get a new one.")
        return identity

    def _key_id(self, token: str) -> str:
        try:
            header: Mapping[str, object] = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise NotAuthenticated(f"The token is not a JSON Web Token: {error}.") from None
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in self._algorithms:
            named, accepted = _shown(algorithm), ", ".join(self._algorithms)
            raise NotAuthenticated(f"The token's algorithm is {named}; accepted: {accepted}.")
        if not isinstance(key_id, str) or not key_id:
            raise NotAuthenticated("The token's header must name its key (kid).")
        return key_id

    def _verify(self, token: str, key: jwt.PyJWK) -> Identity:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "require": ["iss", "aud", "exp", "sub"],
                    "verify_exp": False,  # checked on every use by `identify`
                    "verify_iat": False,  # a provider's clock may be a little ahead of ours
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.PyJWTError as error:
            raise NotAuthenticated(self._reason(error, key)) from None
        return _identity(claims)

    def _reason(self, error: jwt.PyJWTError, key: jwt.PyJWK) -> str:
        match error:
            case jwt.InvalidSignatureError():
                return f"The token was not signed with its key {_shown(key.key_id)}."
            case jwt.InvalidIssuerError():
                return f"The token's issuer must be {self._issuer!r}."
            case jwt.InvalidAudienceError():
                return f"The token's audience must be {self._audience!r}."
            case jwt.ImmatureSignatureError():
                return "The token is not valid yet (nbf): use it later, or correct the clocks."
            case jwt.MissingRequiredClaimError():
                return f"The token lacks the claim {error.claim}."
            case _:
                return f"The token is refused: {str(error).rstrip('.')}."

    def _recall(self, token: str) -> Identity | None:
        identity, until = self._remembered.get(token, (None, 0.0))
        if until <= monotonic():
            return None
        self._remembered.move_to_end(token)
        return identity

    def _remember(self, token: str, identity: Identity) -> None:
        self._remembered[token] = identity, monotonic() + _REMEMBERED_SECONDS
        self._remembered.move_to_end(token)
        if len(self._remembered) > _REMEMBERED_TOKENS:
            self._remembered.popitem(last=False)


class FixedKeys:
    """A key set that never changes: the own issuer's."""

    def __init__(self, jwks: Mapping[str, object]) -> None:
        self._keys = _by_id(jwks, "of the own issuer")

    async def key(self, key_id: str) -> jwt.PyJWK:
        return _found(self._keys, key_id)


class FileKeys:
    """A key set in a file, read again whenever the file has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._seen: tuple[int, int, int] | None = None

    async def key(self, key_id: str) -> jwt.PyJWK:
        try:
            status = self._path.stat()
            seen = status.st_mtime_ns, status.st_ino, status.st_size
            if seen != self._seen:
                self._keys = _by_id(json.loads(self._path.read_bytes()), str(self._path))
                self._seen = seen
        except (OSError, ValueError) as error:
            raise KeysUnavailable(f"The key set {self._path} cannot be read: {error}.") from error
        return _found(self._keys, key_id)


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


def asymmetric(algorithms: tuple[str, ...]) -> tuple[str, ...]:
    """Return what was given, or raise ValueError: a shared secret or no signature never will do."""
    unknown = [name for name in algorithms if name not in ASYMMETRIC]
    if unknown or not algorithms:
        problem = f"{unknown[0]!r} is not among" if unknown else "name at least one of"
        raise ValueError(f"{problem} the accepted algorithms: {', '.join(ASYMMETRIC)}")
    return algorithms


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        problem = "The scheme is not Bearer" if token else "There is no bearer token"
        raise NotAuthenticated(f"{problem}: send Authorization: Bearer <token>.")
    if len(token) > _LONGEST_TOKEN:
        raise NotAuthenticated(
            f"The token has {len(token)} characters; at most {_LONGEST_TOKEN} are accepted."
        )
    if not token.isascii():
        raise NotAuthenticated("The token is not a JSON Web Token: it is not ASCII.")
    return token


def _identity(claims: Mapping[str, object]) -> Identity:
    administrator = claims.get("platform_administrator", False)
    if not isinstance(administrator, bool):
        raise NotAuthenticated(
            f"The claim platform_administrator is {_shown(administrator)}; it must be a boolean."
        )
    expires_at = claims["exp"]
    if not isinstance(expires_at, int | float) or not 0 < expires_at < _LATEST_MOMENT:
        raise NotAuthenticated(f"The claim exp is {_shown(expires_at)}; it must be unix seconds.")
    named = claims.get("name") not in (None, "")
    return Identity(
        subject=_text(claims, "sub", _LONGEST_SUBJECT),
        name=_text(claims, "name", _LONGEST_NAME) if named else None,
        platform_administrator=administrator,
        expires_at=float(expires_at),
    )


def _text(claims: Mapping[str, object], claim: str, longest: int) -> str:
    text = claims[claim]
    if (
        not isinstance(text, str)
        or not 1 <= len(text) <= longest
        or any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
    ):
        raise NotAuthenticated(
            f"The claim {claim} is {_shown(text)}; it must be a text of 1 to {longest} characters "
            "without control characters."
        )
    return text


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
        raise NotAuthenticated(f"The token's key {_shown(key_id)} is not in the key set.") from None


def _shown(value: object) -> str:
    return repr(value)[:80]
