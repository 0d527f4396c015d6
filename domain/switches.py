"""The four switches of the tab (seed page; domain reference 1.2 and 4.6).

Law: each always has a value; synchronizing all three addresses can lose data, so it is refused
until that warning is acknowledged by its code, and the event says that it was.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple, assert_never

from domain.refusal import RefusalCode
from domain.warning import Warning, WarningCode  # noqa: A004 -- see domain/warning.py


class MailingAddresses(StrEnum):
    """Which addresses of an Outlook contact are synchronized."""

    MAILING_ONLY = "MAILING_ONLY"
    ALL_THREE = "ALL_THREE"


APPOINTMENT_ATTACHMENTS = "appointmentAttachments"
ASSIGNED_TASKS = "assignedTasks"
RESOURCE_BOOKINGS = "resourceBookings"
MAILING_ADDRESSES = "mailingAddresses"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchAppointmentAttachments:
    settings: ClassVar[tuple[str, ...]] = (APPOINTMENT_ATTACHMENTS,)
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchAssignedTasks:
    settings: ClassVar[tuple[str, ...]] = (ASSIGNED_TASKS,)
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchResourceBookings:
    settings: ClassVar[tuple[str, ...]] = (RESOURCE_BOOKINGS,)
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseMailingAddresses:
    """`acknowledged`: the codes of all warnings that the asker accepts."""

    settings: ClassVar[tuple[str, ...]] = (MAILING_ADDRESSES,)
    choice: MailingAddresses
    acknowledged: frozenset[WarningCode] = frozenset()


Command = (
    SwitchAppointmentAttachments
    | SwitchAssignedTasks
    | SwitchResourceBookings
    | ChooseMailingAddresses
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentAttachmentsSwitched:
    wire_name: ClassVar[str] = "appointment_attachments_switched.v1"
    setting: ClassVar[str] = APPOINTMENT_ATTACHMENTS
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedTasksSwitched:
    wire_name: ClassVar[str] = "assigned_tasks_switched.v1"
    setting: ClassVar[str] = ASSIGNED_TASKS
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceBookingsSwitched:
    wire_name: ClassVar[str] = "resource_bookings_switched.v1"
    setting: ClassVar[str] = RESOURCE_BOOKINGS
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingAddressesChosen:
    """`acknowledged`: the warnings that had to be, in this case."""

    wire_name: ClassVar[str] = "mailing_addresses_chosen.v1"
    setting: ClassVar[str] = MAILING_ADDRESSES
    choice: MailingAddresses
    acknowledged: tuple[WarningCode, ...]


Event = (
    AppointmentAttachmentsSwitched
    | AssignedTasksSwitched
    | ResourceBookingsSwitched
    | MailingAddressesChosen
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningNotAcknowledged:
    warning: Warning

    code: ClassVar[RefusalCode] = RefusalCode.WARNING_NOT_ACKNOWLEDGED

    @property
    def message(self) -> str:
        return f"{self.warning.message} Acknowledge {self.warning.code} to go on."


Refusal = WarningNotAcknowledged

ADDRESSES_CAN_LOSE_DATA = Warning(
    code=WarningCode.ADDRESSES_CAN_LOSE_DATA,
    setting=MAILING_ADDRESSES,
    message=(
        "Synchronizing all three addresses pairs the addresses of contacts that are already "
        "tracked anew, and can overwrite or empty them on either side. Try it in-house first; "
        "hold the complete data on one side and synchronize towards the other."
    ),
    must_be_acknowledged=True,
)
ADDRESSES_ARE_PAIRED_BACK = Warning(
    code=WarningCode.ADDRESSES_ARE_PAIRED_BACK,
    setting=MAILING_ADDRESSES,
    message=(
        "The first address is paired with Outlook's mailing address again: where a contact's "
        "mailing address is not the business one, it changes meaning."
    ),
)
ATTACHMENTS_USE_DATABASE_SPACE = Warning(
    code=WarningCode.ATTACHMENTS_USE_DATABASE_SPACE,
    setting=APPOINTMENT_ATTACHMENTS,
    message="Attachments take up database space, and synchronizing them takes longer.",
)
ATTACHMENTS_SKIP_RECURRING_AND_SERVICE = Warning(
    code=WarningCode.ATTACHMENTS_SKIP_RECURRING_AND_SERVICE,
    setting=APPOINTMENT_ATTACHMENTS,
    message="Attachments of recurring appointments and service activities stay where they are.",
)
ASSIGNED_TASKS_HAVE_LIMITS = Warning(
    code=WarningCode.ASSIGNED_TASKS_HAVE_LIMITS,
    setting=ASSIGNED_TASKS,
    message=(
        "A task assigned in Outlook is synchronized when it is not recurring and goes to one "
        "person of the same organization, who keeps an updated copy and reports its status."
    ),
)
BOOKINGS_NEED_USER_OPT_IN = Warning(
    code=WarningCode.BOOKINGS_NEED_USER_OPT_IN,
    setting=RESOURCE_BOOKINGS,
    message=(
        "Bookings reach a calendar only for users who have opted in themselves and whose "
        "mailbox uses server-side synchronization."
    ),
)


class Switches(NamedTuple):
    """The defaults are the product's (domain reference 1.2)."""

    appointment_attachments: bool = False
    assigned_tasks: bool = False
    resource_bookings: bool = False
    mailing_addresses: MailingAddresses = MailingAddresses.MAILING_ONLY


def evolve(switches: Switches, event: Event) -> Switches:
    """Apply one fact. No checks: what is recorded has already been decided."""
    attachments, tasks, bookings, addresses = switches
    match event:
        case AppointmentAttachmentsSwitched(on=on):
            attachments = on
        case AssignedTasksSwitched(on=on):
            tasks = on
        case ResourceBookingsSwitched(on=on):
            bookings = on
        case MailingAddressesChosen(choice=choice):
            addresses = choice
        case _:
            assert_never(event)
    return Switches(attachments, tasks, bookings, addresses)


def decide(switches: Switches, command: Command) -> tuple[Event, ...] | Refusal:
    match command:
        case SwitchAppointmentAttachments(on=on):
            same = on == switches.appointment_attachments
            return () if same else (AppointmentAttachmentsSwitched(on=on),)
        case SwitchAssignedTasks(on=on):
            return () if on == switches.assigned_tasks else (AssignedTasksSwitched(on=on),)
        case SwitchResourceBookings(on=on):
            return () if on == switches.resource_bookings else (ResourceBookingsSwitched(on=on),)
        case ChooseMailingAddresses(choice=choice, acknowledged=acknowledged):
            if choice is switches.mailing_addresses:
                return ()
            if choice is MailingAddresses.MAILING_ONLY:
                return (MailingAddressesChosen(choice=choice, acknowledged=()),)
            if ADDRESSES_CAN_LOSE_DATA.code not in acknowledged:
                return WarningNotAcknowledged(warning=ADDRESSES_CAN_LOSE_DATA)
            demanded = (ADDRESSES_CAN_LOSE_DATA.code,)
            return (MailingAddressesChosen(choice=choice, acknowledged=demanded),)
        case _:
            assert_never(command)


def warnings(event: Event) -> tuple[Warning, ...]:
    """What to know about this change, before it or after."""
    match event:
        case MailingAddressesChosen(choice=MailingAddresses.ALL_THREE):
            return (ADDRESSES_CAN_LOSE_DATA,)
        case MailingAddressesChosen():
            return (ADDRESSES_ARE_PAIRED_BACK,)
        case AppointmentAttachmentsSwitched(on=True):
            return (ATTACHMENTS_USE_DATABASE_SPACE, ATTACHMENTS_SKIP_RECURRING_AND_SERVICE)
        case AssignedTasksSwitched(on=True):
            return (ASSIGNED_TASKS_HAVE_LIMITS,)
        case ResourceBookingsSwitched(on=True):
            return (BOOKINGS_NEED_USER_OPT_IN,)
        case _:
            return ()


def value(switches: Switches, key: str) -> str:
    """What a setting key of this topic holds, as a machine value. KeyError for any other."""
    match key:
        case "appointmentAttachments":
            return _on_or_off(switches.appointment_attachments)
        case "assignedTasks":
            return _on_or_off(switches.assigned_tasks)
        case "resourceBookings":
            return _on_or_off(switches.resource_bookings)
        case "mailingAddresses":
            return switches.mailing_addresses.value
        case _:
            raise KeyError(key)


def _on_or_off(on: bool) -> str:
    return "true" if on else "false"


def sentence(event: Event) -> str:
    match event:
        case AppointmentAttachmentsSwitched(on=on):
            return f"Appointment attachments turned {'on' if on else 'off'}"
        case AssignedTasksSwitched(on=on):
            return f"Assigned tasks turned {'on' if on else 'off'}"
        case ResourceBookingsSwitched(on=on):
            return f"Resource bookings turned {'on' if on else 'off'}"
        case MailingAddressesChosen(choice=MailingAddresses.ALL_THREE):
            return "All three addresses are synchronized"
        case MailingAddressesChosen():
            return "Only the mailing address is synchronized"
        case _:
            assert_never(event)
