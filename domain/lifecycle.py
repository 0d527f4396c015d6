"""An environment's own life: registered, renamed, archived, restored.

Law: a key is given once and never changes; archiving freezes name and settings, and loses nothing.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple, assert_never
from uuid import UUID

from domain.refusal import RefusalCode
from domain.text import checked_text


class EnvironmentKind(StrEnum):
    PRODUCTION = "PRODUCTION"
    SANDBOX = "SANDBOX"
    DEVELOPER = "DEVELOPER"
    TRIAL = "TRIAL"
    DEFAULT = "DEFAULT"


class EnvironmentState(StrEnum):
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


NAME = "environment.name"
STATE = "environment.state"
CATALOGUE = 1
"""The released catalogue of defaults that new environments start from."""

KEY_FORM = re.compile(r"[a-z0-9-]{1,63}")


def checked_key(key: str) -> str:
    """The key itself: 1 to 63 of a-z, 0-9 and hyphen. ValueError for anything else."""
    if not KEY_FORM.fullmatch(key):
        raise ValueError(f"An environment key is 1 to 63 of a-z, 0-9 and '-', not {key[:80]!r}.")
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterEnvironment:
    """`administrator` becomes the first one. ValueError for a key or name that cannot be."""

    settings: ClassVar[tuple[str, ...]] = (STATE,)
    key: str
    name: str
    kind: EnvironmentKind
    administrator: UUID

    def __post_init__(self) -> None:
        checked_key(self.key)
        checked_text(self.name, "An environment's name", 1, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameEnvironment:
    """ValueError for a name that cannot be."""

    settings: ClassVar[tuple[str, ...]] = (NAME,)
    name: str

    def __post_init__(self) -> None:
        checked_text(self.name, "An environment's name", 1, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEnvironment:
    settings: ClassVar[tuple[str, ...]] = (STATE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreEnvironment:
    settings: ClassVar[tuple[str, ...]] = (STATE,)


Command = RenameEnvironment | ArchiveEnvironment | RestoreEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRegistered:
    wire_name: ClassVar[str] = "environment_registered.v1"
    setting: ClassVar[str] = STATE
    key: str
    name: str
    kind: EnvironmentKind
    catalogue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRenamed:
    wire_name: ClassVar[str] = "environment_renamed.v1"
    setting: ClassVar[str] = NAME
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentArchived:
    wire_name: ClassVar[str] = "environment_archived.v1"
    setting: ClassVar[str] = STATE


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRestored:
    wire_name: ClassVar[str] = "environment_restored.v1"
    setting: ClassVar[str] = STATE


Event = EnvironmentRenamed | EnvironmentArchived | EnvironmentRestored


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentNotFound:
    key: str

    code: ClassVar[RefusalCode] = RefusalCode.ENVIRONMENT_NOT_FOUND

    @property
    def message(self) -> str:
        return f"There is no environment {self.key!r} that you may see."


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentExists:
    key: str

    code: ClassVar[RefusalCode] = RefusalCode.ENVIRONMENT_EXISTS

    @property
    def message(self) -> str:
        return f"The environment {self.key!r} is registered already. Choose another key."


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentIsArchived:
    key: str

    code: ClassVar[RefusalCode] = RefusalCode.ENVIRONMENT_ARCHIVED

    @property
    def message(self) -> str:
        return f"The environment {self.key!r} is archived. Restore it before changing it."


Refusal = EnvironmentNotFound | EnvironmentExists | EnvironmentIsArchived


class Profile(NamedTuple):
    """What an environment is, apart from its settings and members."""

    key: str
    name: str
    kind: EnvironmentKind
    state: EnvironmentState
    catalogue: int


def begin(event: EnvironmentRegistered) -> Profile:
    """The profile that a registration makes."""
    return Profile(
        key=event.key,
        name=event.name,
        kind=event.kind,
        state=EnvironmentState.ACTIVE,
        catalogue=event.catalogue,
    )


def evolve(profile: Profile, event: Event) -> Profile:
    """Apply one fact. No checks: what is recorded has already been decided."""
    match event:
        case EnvironmentRenamed(name=name):
            return profile._replace(name=name)
        case EnvironmentArchived():
            return profile._replace(state=EnvironmentState.ARCHIVED)
        case EnvironmentRestored():
            return profile._replace(state=EnvironmentState.ACTIVE)
        case _:
            assert_never(event)


def decide(profile: Profile, command: Command) -> tuple[Event, ...] | Refusal:
    match command:
        case RenameEnvironment(name=name):
            if profile.state is EnvironmentState.ARCHIVED:
                return EnvironmentIsArchived(key=profile.key)
            return () if name == profile.name else (EnvironmentRenamed(name=name),)
        case ArchiveEnvironment():
            archived = profile.state is EnvironmentState.ARCHIVED
            return () if archived else (EnvironmentArchived(),)
        case RestoreEnvironment():
            active = profile.state is EnvironmentState.ACTIVE
            return () if active else (EnvironmentRestored(),)
        case _:
            assert_never(command)


def value(profile: Profile, key: str) -> str:
    """What a setting key of this topic holds, as a machine value."""
    return profile.name if key == NAME else profile.state.value


def sentence(event: EnvironmentRegistered | Event) -> str:
    match event:
        case EnvironmentRegistered(name=name):
            return f"Environment registered as “{name}”"
        case EnvironmentRenamed(name=name):
            return f"Environment renamed to “{name}”"
        case EnvironmentArchived():
            return "Environment archived"
        case EnvironmentRestored():
            return "Environment restored"
        case _:
            assert_never(event)
