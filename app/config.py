"""The only place that reads our variables of the environment: one frozen object, read once.

Law: every variable is documented here; an unknown or bad one stops the program with one line that
names it; no line shows more of a DSN than its scheme.
"""

import difflib
import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.identity import LONGEST_SUBJECT, asymmetric
from api.key_sets import keys_at
from domain.text import checked_text

PREFIX = "SYNCLEDGER_"
_SECRET = ("dsn", "owner_dsn")
_PLACE = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:\[\]]*)(:[0-9]{1,5})?")
_PROVIDER = ("issuer", "audience", "jwks")

Secret = Annotated[str | None, Field(repr=False)]
Port = Annotated[int, Field(ge=1, le=65535)]
Rate = Annotated[int, Field(ge=0, le=1_000_000)]
Words = Annotated[tuple[str, ...], NoDecode]  # separated by commas, not JSON


class BadConfig(Exception):
    """One line: which variable, its value, and what is accepted."""


class Config(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    dsn: Secret = None
    """Postgres 15 or newer for the application; unset: the embedded server"""
    owner_dsn: Secret = None
    """the same database for `migrate` and `privacy erase`, as a role that may create roles and
    schemas; unset: the same as SYNCLEDGER_DSN"""
    data: Path = Path(".data")
    """the folder of the embedded server and of the own issuer's key"""
    host: str = "127.0.0.1"
    """the address to listen on"""
    port: Port = 8000
    """the port to listen on, 1 to 65535"""
    issuer: str | None = None
    """production's identity provider: the `iss` of its tokens; set SYNCLEDGER_ISSUER,
    SYNCLEDGER_AUDIENCE and SYNCLEDGER_JWKS, or none of them for the own issuer"""
    audience: str | None = None
    """production's identity provider: the `aud` of the tokens meant for us"""
    jwks: str | None = None
    """production's identity provider: its key set, a file or an https address"""
    algorithms: Words = ("EdDSA", "ES256", "RS256")
    """the signature algorithms accepted from the provider, separated by commas"""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """how much is logged: DEBUG, INFO, WARNING or ERROR"""
    log_form: Literal["auto", "json", "text"] = "auto"
    """json: an object a line; text: for people; auto: text where standard error is a terminal"""
    metrics_port: Port | None = None
    """the port on which Prometheus may scrape, on SYNCLEDGER_HOST; unset: none"""
    rate: Rate = 200
    """points a second that each principal may ask for, ten times as many at once; an operation
    costs at least one; 0: any number"""
    address_rate: Rate = 1000
    """requests and connections a second from each address, ten times as many at once; 0: any
    number"""
    proxies: Words = ()
    """addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed,
    separated by commas"""
    demo: bool = True
    """open the demo environments when the log is empty; only with the embedded server
    and the own issuer"""
    principal: str | None = None
    """who asks where a verb changes something and has no --as: a principal's id, such as
    ada@contoso.example"""
    origins: Words = ()
    """other origins whose pages may ask and open a WebSocket, separated by commas,
    such as https://console.example.com"""

    @property
    def opens_demo(self) -> bool:
        return self.demo and self.dsn is None and self.issuer is None

    @classmethod
    def read(cls) -> Self:
        """Read the environment once, or raise BadConfig."""
        _refuse_unknown(list(os.environ))
        try:
            return cls()
        except ValidationError as error:
            bad = error.errors(include_url=False)[0]
            reason = str(bad.get("ctx", {}).get("error") or bad["msg"])
            line = _line(str(bad["loc"][0]), bad["input"], reason) if bad["loc"] else reason
        raise BadConfig(line)

    @field_validator("algorithms", "origins", "proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(word.strip() for word in value.split(",") if word.strip())

    @field_validator("log_level", mode="before")
    @classmethod
    def _shout(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator(*_SECRET)
    @classmethod
    def _is_postgres(cls, value: str | None) -> str | None:
        if value is None:
            return None
        scheme, _, rest = value.partition("://")
        places = re.split("[/?]", rest)[0].rpartition("@")[2].split(",")
        if scheme in {"postgresql", "postgres"} and all(map(_PLACE.fullmatch, places)):
            return value
        raise ValueError("accepted: postgresql://role:password@host:port/database")

    @field_validator("principal")
    @classmethod
    def _is_a_principals_id(cls, value: str | None) -> str | None:
        return value and checked_text(value, "A principal's id", 1, LONGEST_SUBJECT)

    @field_validator("jwks")
    @classmethod
    def _is_place(cls, value: str | None) -> str | None:
        if value is not None:
            keys_at(value)
        return value

    @field_validator("algorithms")
    @classmethod
    def _are_asymmetric(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return asymmetric(value)

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https?://[^/?#@\s]+", origin):
                raise ValueError(f"{origin!r} is no origin; accepted: https://host or with :port")
        return tuple(origin.lower() for origin in value)

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in value:
            try:
                ip_network(proxy)
            except ValueError as error:
                raise ValueError(
                    f"{proxy!r} is no address; accepted: 10.0.0.7 or a network, 10.0.0.0/24"
                ) from error
        return value

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        missing = [name for name in _PROVIDER if getattr(self, name) is None]
        if 0 < len(missing) < len(_PROVIDER):
            raise ValueError(
                f"{_variable(missing[0])} is not set: set all of "
                f"{', '.join(map(_variable, _PROVIDER))}, or none of them"
            )
        return self


def variables() -> list[tuple[str, str, str]]:
    """List every variable with its default and its meaning."""
    return [
        (_variable(name), _text(field.default), " ".join((field.description or "").split()))
        for name, field in Config.model_fields.items()
    ]


def _refuse_unknown(names: list[str]) -> None:
    known = [_variable(name) for name in Config.model_fields]
    for name in sorted(names):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            nearest = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0)[0]
            raise BadConfig(f"{name} is not a variable of Syncledger; the nearest is {nearest}")


def _variable(field: str) -> str:
    return PREFIX + field.upper()


def _text(default: object) -> str:
    match default:
        case None | ():
            return "unset"
        case tuple():
            return ",".join(map(str, default))
        case bool():
            return str(default).lower()
        case _:
            return str(default)


def _line(field: str, value: object, reason: str) -> str:
    shown = repr(value)
    if field in _SECRET:
        scheme, colon, _ = str(value).partition("://")
        shown = f"'{scheme}://…'" if colon and scheme.isalnum() else "'…'"
    return f"{_variable(field)} is {shown}: {reason}"
