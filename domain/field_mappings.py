"""Sync directions: which side of a field mapping is written (domain reference 2 and 4.10).

Law: only what is settable can be set, and a fixed direction is refused even where it is asked for
as it is; what a worker does is derived, and a switch never rewrites what an administrator chose.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar, assert_never

from domain.mapping_table import (
    BUSINESS_ADDRESS,
    MAPPINGS,
    NAMES,
    FieldMapping,
    RecordType,
    SyncDirection,
)
from domain.refusal import RefusalCode
from domain.switches import MailingAddresses, Switches
from domain.text import checked_text
from domain.warning import Warning, WarningCode  # noqa: A004 -- see domain/warning.py

PREFIX = "fieldMapping:"
ATTACHMENTS = "appointment.attachments"
FIRST_ADDRESS = "contact.mailingOrBusinessAddress"
GATED_ADDRESSES = frozenset({"contact.homeAddress", "contact.otherAddress"})
WORDS = {
    SyncDirection.NONE: "is not synchronized",
    SyncDirection.TO_EXCHANGE: "is synchronized to Exchange only",
    SyncDirection.TO_CRM: "is synchronized to Dynamics only",
    SyncDirection.BOTH: "is synchronized both ways",
}


def setting_of(mapping: str) -> str:
    """The setting key of a mapping, e.g. `fieldMapping:contact.notes`."""
    return f"{PREFIX}{mapping}"


def _known(mapping: str) -> None:
    if mapping not in MAPPINGS:
        raise ValueError(f"There is no field mapping {mapping[:80]!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseSyncDirection:
    """ValueError for a mapping's key that cannot be one."""

    mapping: str
    direction: SyncDirection

    def __post_init__(self) -> None:
        checked_text(self.mapping, "A mapping's key", 1, 80)

    @property
    def settings(self) -> tuple[str, ...]:
        return (setting_of(self.mapping),)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSyncDirections:
    """Every mapping back to its default; with a record type, those of that type."""

    record_type: RecordType | None = None

    @property
    def settings(self) -> tuple[str, ...]:
        return tuple(setting_of(mapping.key) for mapping in mappings(self.record_type))


Command = ChooseSyncDirection | RestoreSyncDirections


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncDirectionChosen:
    """ValueError for a mapping that is none."""

    wire_name: ClassVar[str] = "sync_direction_chosen.v1"
    mapping: str
    direction: SyncDirection

    def __post_init__(self) -> None:
        _known(self.mapping)

    @property
    def setting(self) -> str:
        return setting_of(self.mapping)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncDirectionRestored:
    """`direction`: the default that holds again. ValueError for a mapping that is none."""

    wire_name: ClassVar[str] = "sync_direction_restored.v1"
    mapping: str
    direction: SyncDirection

    def __post_init__(self) -> None:
        _known(self.mapping)

    @property
    def setting(self) -> str:
        return setting_of(self.mapping)


Event = SyncDirectionChosen | SyncDirectionRestored


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownMapping:
    mapping: str

    code: ClassVar[RefusalCode] = RefusalCode.UNKNOWN_MAPPING

    @property
    def message(self) -> str:
        near = get_close_matches(self.mapping, MAPPINGS, n=3)
        help_ = f"Did you mean {' or '.join(near)}?" if near else "`fieldMappings` lists them all."
        return f"There is no field mapping {self.mapping!r}. {help_}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionNotSettable:
    """`settable`: what could be chosen instead; nothing, since a direction is fixed or free."""

    mapping: str

    code: ClassVar[RefusalCode] = RefusalCode.DIRECTION_NOT_SETTABLE
    settable: ClassVar[tuple[SyncDirection, ...]] = ()

    @property
    def message(self) -> str:
        return f"The direction of {self.mapping} cannot be set. {fixed(MAPPINGS[self.mapping])}"


Refusal = UnknownMapping | DirectionNotSettable

DIRECTION_AFFECTS_SYNC_TIME = Warning(
    code=WarningCode.DIRECTION_AFFECTS_SYNC_TIME,
    setting=None,
    message=(
        "What is synchronized, and in which direction, changes how long synchronization takes. "
        "Try it with a few users first."
    ),
)

type Directions = Mapping[str, SyncDirection]
"""The directions that were set, by mapping. Every other mapping is at its default."""


def evolve(directions: Directions, event: Event) -> Directions:
    """Apply one fact. No checks: what is recorded has already been decided."""
    match event:
        case SyncDirectionChosen(mapping=mapping, direction=direction):
            return {**directions, mapping: direction}
        case SyncDirectionRestored(mapping=mapping):
            return {key: kept for key, kept in directions.items() if key != mapping}
        case _:
            assert_never(event)


def decide(directions: Directions, command: Command) -> tuple[Event, ...] | Refusal:
    match command:
        case ChooseSyncDirection(mapping=key, direction=direction):
            mapping = MAPPINGS.get(key)
            if mapping is None:
                return UnknownMapping(mapping=key)
            if not mapping.settable:
                return DirectionNotSettable(mapping=key)
            if direction is configured(directions, mapping):
                return ()
            return (SyncDirectionChosen(mapping=key, direction=direction),)
        case RestoreSyncDirections(record_type=record_type):
            return tuple(
                SyncDirectionRestored(mapping=mapping.key, direction=mapping.default)
                for mapping in mappings(record_type)
                if configured(directions, mapping) is not mapping.default
            )
        case _:
            assert_never(command)


def mappings(record_type: RecordType | None = None) -> Iterator[FieldMapping]:
    """All of them, or those of one record type, in the product's order."""
    return (mapping for mapping in MAPPINGS.values() if record_type in {None, mapping.record_type})


def configured(directions: Directions, mapping: FieldMapping) -> SyncDirection:
    """What an administrator chose, or the default."""
    return directions.get(mapping.key, mapping.default)


def effective(directions: Directions, switches: Switches, mapping: FieldMapping) -> SyncDirection:
    """What a sync worker does, the switches considered (domain reference 2.4 and 4.10)."""
    if mapping.key == ATTACHMENTS and switches.appointment_attachments:
        return SyncDirection.BOTH
    if mapping.key in GATED_ADDRESSES and _mailing_only(switches):
        return SyncDirection.NONE
    return configured(directions, mapping)


def outlook_fields(switches: Switches, mapping: FieldMapping) -> tuple[str, ...]:
    """What a mapping is paired with: the address switch re-pairs the first address."""
    if mapping.key == FIRST_ADDRESS and not _mailing_only(switches):
        return BUSINESS_ADDRESS
    return mapping.outlook_fields


def explanation(directions: Directions, switches: Switches, mapping: FieldMapping) -> str | None:
    """Why it cannot be set, or why a worker does something else than was chosen."""
    if not mapping.settable:
        return fixed(mapping)
    if effective(directions, switches, mapping) is not configured(directions, mapping):
        return "Only the mailing address is synchronized, so this one waits for all three to be."
    return None


def fixed(mapping: FieldMapping) -> str:
    """Why a direction cannot be set, and what would help."""
    if mapping.key == ATTACHMENTS:
        return "It follows the switch appointmentAttachments; turn that on or off."
    if mapping.record_type is RecordType.SERVICE_ACTIVITY:
        return "Service activities are synchronized to Exchange only."
    if mapping.computed:
        return "It is computed from other columns, and always synchronized both ways."
    return "The product synchronizes it both ways, always."


def _mailing_only(switches: Switches) -> bool:
    return switches.mailing_addresses is MailingAddresses.MAILING_ONLY


def value(directions: Directions, key: str) -> str:
    """What a setting key of this topic holds, as a machine value. KeyError for any other."""
    return configured(directions, MAPPINGS[key.removeprefix(PREFIX)]).value


def sentence(event: Event) -> str:
    mapping = MAPPINGS[event.mapping]
    name = f"{NAMES[mapping.record_type]}, {mapping.outlook}"
    match event:
        case SyncDirectionChosen(direction=direction):
            return f"{name} {WORDS[direction]}"
        case SyncDirectionRestored(direction=direction):
            return f"{name} {WORDS[direction]} again, as by default"
        case _:
            assert_never(event)
