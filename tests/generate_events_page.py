"""Writes docs/events.md: `python -m tests.generate_events_page`, or `make docs`."""

import sys
from dataclasses import fields
from enum import StrEnum
from types import GenericAlias, NoneType, UnionType
from typing import get_args
from uuid import UUID

from domain.actor import SecurityRole
from domain.environment import EVENT_TYPES, Event, sentence
from domain.field_mappings import SyncDirectionChosen, SyncDirectionRestored
from domain.filters.criteria import Condition, Criteria, Group
from domain.filters.facts import (
    FilterActivated,
    FilterDeactivated,
    FilterDefined,
    FilterRedefined,
    FilterRemoved,
    TemplateGivenToNewUsers,
    TemplateWithheldFromNewUsers,
)
from domain.filters.lifecycle import About
from domain.filters.state import FilterKind, FilterRole, canonical_text
from domain.lifecycle import (
    CATALOGUE,
    EnvironmentArchived,
    EnvironmentKind,
    EnvironmentRegistered,
    EnvironmentRenamed,
    EnvironmentRestored,
)
from domain.mapping_table import SyncDirection
from domain.membership import PrincipalErased, RoleGranted, RoleRevoked
from domain.source import SettingsBrought
from domain.switches import (
    AppointmentAttachmentsSwitched,
    AssignedTasksSwitched,
    MailingAddresses,
    MailingAddressesChosen,
    ResourceBookingsSwitched,
)
from domain.warning import WarningCode
from eventstore.codec import encode

KEY_ACCOUNTS: About = {
    "filter_key": "system.offline.account.key-accounts",
    "role": FilterRole.SYSTEM_FILTER,
    "kind": FilterKind.OFFLINE,
    "table": "account",
    "name": "Key Accounts",
}
BERLIN = canonical_text(
    Criteria(
        table="account",
        group=Group(
            conditions=(Condition(column="address1_city", operator="eq", values=("Berlin",)),)
        ),
    )
)
HANDLE = UUID("0d1b9c52-6a39-4c6e-9a55-0f0c8a7f2b11")

EXAMPLES: dict[type[Event], tuple[str, Event]] = {
    type(event): (meaning, event)
    for meaning, event in (
        (
            "The environment begins. `catalogue` names the defaults that it starts from.",
            EnvironmentRegistered(
                key="contoso-prod",
                name="Contoso",
                kind=EnvironmentKind.PRODUCTION,
                catalogue=CATALOGUE,
            ),
        ),
        ("It has another name.", EnvironmentRenamed(name="Contoso Europe")),
        ("Name and settings are frozen from here on.", EnvironmentArchived()),
        ("It can be changed again.", EnvironmentRestored()),
        (
            "Somebody holds a security role.",
            RoleGranted(principal=HANDLE, role=SecurityRole.SYNC_WORKER),
        ),
        (
            "Somebody holds a security role no longer.",
            RoleRevoked(principal=HANDLE, role=SecurityRole.SYNC_WORKER),
        ),
        (
            "Somebody is forgotten: their roles end, and nobody knows any more whose handle it is.",
            PrincipalErased(principal=HANDLE),
        ),
        (
            "Appointment attachments are synchronized, or not any more.",
            AppointmentAttachmentsSwitched(on=True),
        ),
        (
            "Tasks assigned in Outlook are synchronized, or not any more.",
            AssignedTasksSwitched(on=True),
        ),
        (
            "Resource bookings are synchronized, or not any more.",
            ResourceBookingsSwitched(on=True),
        ),
        (
            "Which addresses travel. `acknowledged` has the warnings that had to be, and were.",
            MailingAddressesChosen(
                choice=MailingAddresses.ALL_THREE,
                acknowledged=(WarningCode.ADDRESSES_CAN_LOSE_DATA,),
            ),
        ),
        (
            "An administrator chose the direction of a field mapping.",
            SyncDirectionChosen(mapping="contact.notes", direction=SyncDirection.NONE),
        ),
        (
            "A field mapping is back at its default, which is told.",
            SyncDirectionRestored(mapping="contact.notes", direction=SyncDirection.BOTH),
        ),
        (
            "There is a system filter or a template. `fetch_xml` is what it chooses.",
            FilterDefined(
                **KEY_ACCOUNTS, description="For the sales team", active=True, fetch_xml=BERLIN
            ),
        ),
        (
            "It is called or described otherwise, or chooses something else; null is what stays.",
            FilterRedefined(
                **KEY_ACCOUNTS, former_name="Accounts", description=None, fetch_xml=BERLIN
            ),
        ),
        (
            "What follows in its change set was brought from this position of this environment.",
            SettingsBrought(environment="contoso-test", position=31),
        ),
        ("It chooses again.", FilterActivated(**KEY_ACCOUNTS)),
        ("It chooses nothing, and is kept.", FilterDeactivated(**KEY_ACCOUNTS)),
        (
            "It is gone. `active` is whether it chose anything.",
            FilterRemoved(**KEY_ACCOUNTS, active=True),
        ),
        (
            "New users are given this template, and not the one before.",
            TemplateGivenToNewUsers(
                kind=FilterKind.ONLINE,
                table="task",
                filter_key="template.online.task.my-tasks",
                name="My Tasks",
            ),
        ),
        (
            "New users are given no template of this kind and table any longer.",
            TemplateWithheldFromNewUsers(
                kind=FilterKind.ONLINE,
                table="task",
                filter_key="template.online.task.my-tasks",
                name="My Tasks",
            ),
        ),
    )
}
"""What each event means, and one that could have happened."""

OPENING = """\
# Events

Every event that a log can hold.
An entry stores the wire name as its type, and the payload as canonical JSON.
That is UTF-8 with the members sorted by name and no white space.
A released event never changes its shape; what is new gets a new name.
This page is written by `make docs`.
"""


def page() -> str:
    return "\n".join([OPENING, *(_section(event) for event in EVENT_TYPES.values())])


def _section(event_type: type[Event]) -> str:
    meaning, example = EXAMPLES[event_type]
    wire_name, payload = encode(example)
    rows = [f"| `{field.name}` | {_kind(field.type)} |" for field in fields(event_type)]
    table = ["| field | holds |", "|---|---|", *rows, ""] if rows else ["It has no fields.", ""]
    return "\n".join(
        [
            f"## {wire_name}",
            "",
            meaning,
            f"It touches the setting `{example.setting.replace(str(HANDLE), '<handle>')}`.",
            f"In words: *{sentence(example)}.*",
            "",
            *table,
            "```json",
            payload,
            "```",
            "",
        ]
    )


def _kind(annotation: object) -> str:
    match annotation:
        case GenericAlias():
            return f"a list of: {_kind(get_args(annotation)[0])}"
        case UnionType():
            return " or ".join(map(_kind, get_args(annotation)))
        case type() if annotation is NoneType:
            return "null"
        case type() if issubclass(annotation, StrEnum):
            return " or ".join(f"`{word}`" for word in annotation)
        case type() if annotation is UUID:
            return "a principal's handle, a UUID"
        case type():
            return {str: "text", bool: "true or false", int: "a whole number"}[annotation]
        case _:
            raise TypeError(f"No words for the type {annotation!r}.")


if __name__ == "__main__":
    sys.stdout.write(page())
