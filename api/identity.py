"""The only place that decides who is asking: bearer JSON Web Tokens, verified the same way always.

Law: nobody is identified before algorithm, key, signature, issuer, audience, times and names have
all been checked; expiry is checked every time; no message ever repeats a token.
"""

import unicodedata
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic, time

import jwt

from api.key_sets import Keys, KeysUnavailable, NotAuthenticated, shown

__all__ = [  # what an entrance asks for, and what it must catch
    "Identity",
    "KeysUnavailable",
    "NotAuthenticated",
    "Verifier",
    "asymmetric",
]

DEFAULT_ALGORITHMS = ("EdDSA", "ES256", "ES384", "RS256", "PS256")
ASYMMETRIC = (*DEFAULT_ALGORITHMS, "ES512", "RS384", "RS512", "PS384", "PS512")

_LONGEST_TOKEN = 8192  # characters
LONGEST_SUBJECT = 255  # characters
LONGEST_NAME = 200  # characters
_LATEST_MOMENT = 2.0**40  # unix seconds; also keeps infinity and not-a-number out
_REMEMBERED_TOKENS = 1000
_REMEMBERED_SECONDS = 300.0  # so that a key withdrawn from its set does not outlive it by more


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    subject: str
    name: str | None
    platform_administrator: bool
    expires_at: float  # unix seconds


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

    async def ready(self) -> None:
        """Raises KeysUnavailable where the keys cannot be had, and will not by themselves."""
        await self._keys.ready()

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
            named, accepted = shown(algorithm), ", ".join(self._algorithms)
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
                return f"The token was not signed with its key {shown(key.key_id)}."
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
            f"The claim platform_administrator is {shown(administrator)}; it must be a boolean."
        )
    expires_at = claims["exp"]
    if not isinstance(expires_at, int | float) or not 0 < expires_at < _LATEST_MOMENT:
        raise NotAuthenticated(f"The claim exp is {shown(expires_at)}; it must be unix seconds.")
    named = claims.get("name") not in (None, "")
    return Identity(
        subject=_text(claims, "sub", LONGEST_SUBJECT),
        name=_text(claims, "name", LONGEST_NAME) if named else None,
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
            f"The claim {claim} is {shown(text)}; it must be a text of 1 to {longest} characters "
            "without control characters."
        )
    return text
