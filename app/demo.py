"""Three environments with a history worth looking at, and one person for each role.

Law: made by the ordinary commands, like anybody's; never into a log that has anything.
"""

from collections.abc import Sequence
from typing import NamedTuple

from api.context import Rooms
from app.issuer import Issuer
from domain.actor import Actor, SecurityRole
from domain.environment import Command
from domain.field_mappings import ChooseSyncDirection, RestoreSyncDirections
from domain.lifecycle import EnvironmentKind, RegisterEnvironment, RenameEnvironment
from domain.mapping_table import RecordType, SyncDirection
from domain.membership import GrantRole
from domain.plan import Ask
from domain.switches import (
    ChooseMailingAddresses,
    MailingAddresses,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.warning import WarningCode
from eventstore.transact import Applied, Request


class Person(NamedTuple):
    """`role` None: a platform administrator without any role."""

    subject: str
    name: str
    role: SecurityRole | None


PEOPLE = (
    Person("paula@contoso.example", "Paula Platform", None),
    Person("ada@contoso.example", "Ada Administrator", SecurityRole.SYSTEM_ADMINISTRATOR),
    Person("carl@contoso.example", "Carl Customizer", SecurityRole.SYSTEM_CUSTOMIZER),
    Person("audrey@contoso.example", "Audrey Auditor", SecurityRole.AUDITOR),
    Person("worker@contoso.example", "Sync Worker", SecurityRole.SYNC_WORKER),
    Person("ben@contoso.example", "Ben Basic", SecurityRole.BASIC_USER),
)
PAULA, ADA, CARL, *_ = PEOPLE

ENVIRONMENTS = (
    ("contoso-dev", "Contoso Development", EnvironmentKind.DEVELOPER),
    ("contoso-test", "Contoso Test", EnvironmentKind.SANDBOX),
    ("contoso-prod", "Contoso", EnvironmentKind.PRODUCTION),
)

ACCEPTED = frozenset({WarningCode.ADDRESSES_CAN_LOSE_DATA})


class Step(NamedTuple):
    """What one person asked of one environment, and why."""

    person: Person
    environment: str
    commands: Sequence[Command]
    reason: str


HISTORY = (
    Step(
        CARL,
        "contoso-dev",
        [
            SwitchAppointmentAttachments(on=True),
            SwitchAssignedTasks(on=True),
            ChooseMailingAddresses(choice=MailingAddresses.ALL_THREE, acknowledged=ACCEPTED),
        ],
        "Trying everything at once",
    ),
    Step(
        CARL,
        "contoso-dev",
        [ChooseMailingAddresses(choice=MailingAddresses.MAILING_ONLY)],
        "Home addresses were overwritten, as the warning said",
    ),
    Step(
        CARL,
        "contoso-test",
        [SwitchAppointmentAttachments(on=True), SwitchResourceBookings(on=True)],
        "Pilot with field service, ticket 4711",
    ),
    Step(
        ADA,
        "contoso-test",
        [RenameEnvironment(name="Contoso Acceptance Test")],
        "The name that everybody uses",
    ),
    Step(CARL, "contoso-test", [SwitchAppointmentAttachments(on=False)], "Pilot is over"),
    Step(
        CARL,
        "contoso-dev",
        [
            ChooseSyncDirection(mapping="contact.notes", direction=SyncDirection.NONE),
            ChooseSyncDirection(mapping="contact.jobTitle", direction=SyncDirection.TO_EXCHANGE),
            ChooseSyncDirection(mapping="task.subject", direction=SyncDirection.TO_CRM),
        ],
        "How directions behave",
    ),
    Step(
        CARL,
        "contoso-dev",
        [RestoreSyncDirections(record_type=RecordType.CONTACT)],
        "Contacts as they were",
    ),
    Step(
        ADA,
        "contoso-prod",
        [ChooseSyncDirection(mapping="contact.notes", direction=SyncDirection.NONE)],
        "Personal notes stay private, works council",
    ),
    Step(
        ADA, "contoso-prod", [SwitchResourceBookings(on=True)], "Field service goes live, change 88"
    ),
)


def tokens(issuer: Issuer) -> list[tuple[Person, str]]:
    """A bearer token for each demo person, good for 12 hours."""
    return [
        (
            person,
            issuer.token(
                person.subject, name=person.name, platform_administrator=person.role is None
            ),
        )
        for person in PEOPLE
    ]


async def open_demo(rooms: Rooms) -> bool:
    """Make the demo environments if no log has anything. Returns whether they are there."""
    known = {head.environment for head in await rooms.log.heads()}
    if known:
        return known.issuperset(key for key, _, _ in ENVIRONMENTS)
    actors = {
        person: Actor(
            handle=(await rooms.principals.meet(person.subject, person.name)).handle,
            platform_administrator=person.role is None,
        )
        for person in PEOPLE
    }
    for key, name, kind in ENVIRONMENTS:
        register = RegisterEnvironment(
            key=key, name=name, kind=kind, administrator=actors[ADA].handle
        )
        await _ask(rooms, key, actors[PAULA], [register], "Opened for the demonstration")
        grants = [
            GrantRole(principal=actors[person].handle, role=person.role)
            for person in PEOPLE
            if person.role is not None and person is not ADA
        ]
        await _ask(rooms, key, actors[ADA], grants, "The team")
    for step in HISTORY:
        await _ask(rooms, step.environment, actors[step.person], step.commands, step.reason)
    return True


async def _ask(
    rooms: Rooms, key: str, actor: Actor, commands: Sequence[Command], reason: str
) -> None:
    ask = Ask(environment=key, commands=tuple(commands), actor=actor)
    outcome = await rooms.appender.transact(Request(ask=ask, reason=reason))
    if not isinstance(outcome, Applied):
        raise TypeError(f"The demonstration was refused: {outcome}")
