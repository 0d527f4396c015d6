"""Where settings were brought from: another environment, or an earlier point of the same one.

Law: the fact comes first in the change set of what was brought, and only where anything was.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from domain.lifecycle import checked_key
from domain.refusal import RefusalCode

SOURCE = "environment.source"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsBrought:
    """`position`: of that environment's log. ValueError for a place that cannot be."""

    wire_name: ClassVar[str] = "settings_brought.v1"
    setting: ClassVar[str] = SOURCE
    environment: str
    position: int

    def __post_init__(self) -> None:
        checked_key(self.environment)
        if self.position < 1:
            raise ValueError(f"Settings stand at position 1 or later, not {self.position}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownSetting:
    """`near`: keys that there are, and that read alike."""

    setting: str
    near: tuple[str, ...] = ()

    code: ClassVar[RefusalCode] = RefusalCode.UNKNOWN_SETTING

    @property
    def message(self) -> str:
        lists = "`compare` and `compareWith` tell the keys of what differs."
        help_ = f"Did you mean {' or '.join(self.near)}?" if self.near else lists
        return (
            f"The tab has no setting {self.setting[:200]!r}, neither here nor where it is to come "
            f"from. {help_}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotBeRestored:
    """`because`: what stands against it today, and what would help."""

    setting: str
    because: str

    code: ClassVar[RefusalCode] = RefusalCode.CANNOT_BE_RESTORED

    @property
    def message(self) -> str:
        return f"{self.setting} cannot be brought as it is there. {self.because}"


class Source(NamedTuple):
    environment: str
    position: int


def evolve(event: SettingsBrought) -> Source:
    return Source(event.environment, event.position)


def value(source: Source | None) -> str | None:
    """As a machine value: environment@position; None where nothing was ever brought."""
    return None if source is None else f"{source.environment}@{source.position}"


def sentence(event: SettingsBrought) -> str:
    return f"Settings brought from {event.environment} at position {event.position}"
