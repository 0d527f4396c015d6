"""The rules that a sync worker applies, each with its source: data, no logic.

Law: every reason of a decision names one of these. A `source` is a section of the domain
reference, with the row or sentence of it that the rule comes from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Confidence(StrEnum):
    """How sure a rule is (domain reference, the marks of its introduction)."""

    STATED = "stated"
    INFERRED = "inferred"
    CONFLICT = "the sources disagree"
    OURS = "ours, where the sources are silent"


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """`inputs`: what it looks at, of the settings, the item and the user.

    `reading`: of sources that disagree, which is followed; empty where they do not.
    """

    name: str
    says: str
    inputs: tuple[str, ...]
    source: str
    confidence: Confidence = Confidence.STATED
    reading: str = ""


FILTERS = Rule(
    "FILTERS",
    "A record goes to Exchange when one active filter chooses it: a system filter, or one of the "
    "user's own. Filters add up; none takes away what another chooses. A linked record that none "
    "chooses any longer is a logical deletion for the mailbox; what follows is not decided here.",
    (
        "active system filters",
        "the user's own filters",
        "columns",
        "related records",
        "the user",
        "time",
    ),
    "3.2, rules 1 and 2; 4.2, the table of actions",
)
NO_ACTIVE_FILTER = Rule(
    "NO_ACTIVE_FILTER",
    "Where neither a system filter of the table nor a filter of the user's own is active, nothing "
    "of that type goes to Exchange.",
    ("active system filters", "the user's own filters"),
    "3.2, rule 3",
)
OWN_FILTERS_FROM_TEMPLATES = Rule(
    "OWN_FILTERS_FROM_TEMPLATES",
    "A user whose filters are not told holds a copy of the template that new users are given now, "
    "if it is active.",
    ("templates given to new users",),
    "3.3, a user's first subscription",
    Confidence.OURS,
)
TRACKED_ITEMS = Rule(
    "TRACKED_ITEMS",
    "An item of Exchange is written to Dynamics once it is linked or tracked; filters have no say "
    "in that.",
    ("whether it is linked or tracked",),
    "4.2, Exchange to Dynamics; fact 9 of section 0",
)
FROZEN_RECORDS = Rule(
    "FROZEN_RECORDS",
    "An appointment that is completed or canceled in Dynamics takes no changes from Exchange.",
    ("statecode",),
    "4.3, frozen records; 4.10, step 7",
)
SERVICE_ACTIVITIES = Rule(
    "SERVICE_ACTIVITIES",
    "Service activities are written to Exchange only.",
    ("type of the item",),
    "4.4; 4.10, step 1",
)
ASSIGNED_TASKS = Rule(
    "ASSIGNED_TASKS",
    "A task that is assigned in Outlook is synchronized only while the switch is on. Other tasks "
    "do not depend on it.",
    ("assignedTasks", "whether it is assigned in Outlook"),
    "1.2, setting 6; 4.7",
    Confidence.CONFLICT,
    "One page has every task of Outlook wait for the switch; the tab's own page, which is "
    "followed, only assigned ones.",
)
ASSIGNED_TASK_LIMITS = Rule(
    "ASSIGNED_TASK_LIMITS",
    "A task assigned in Outlook is synchronized when it does not recur, goes to one person of the "
    "same organization, is tracked as a task and not offline, keeps an updated copy and reports "
    "its status.",
    ("the assignment", "type of the item"),
    "4.7, limits",
    Confidence.CONFLICT,
    "Older pages have these limits for the Outlook add-in alone; the newer one, which is followed, "
    "for server-side synchronization too.",
)
BOOKING_GATES = Rule(
    "BOOKING_GATES",
    "Bookings reach a calendar when the switch is on, the user has opted in, and the mailbox uses "
    "server-side synchronization.",
    ("resourceBookings", "the user's opt-in", "server-side synchronization"),
    "1.2, setting 7; 4.8, gates",
)
BOOKING_WINDOW = Rule(
    "BOOKING_WINDOW",
    "Bookings are written from today through the next four weeks. The days are the user's, which "
    "is ours.",
    ("starttime", "endtime", "time", "time zone"),
    "4.8, rolling window, of a withdrawn article",
    Confidence.OURS,
)
BOOKINGS_ONE_WAY = Rule(
    "BOOKINGS_ONE_WAY",
    "Bookings are written to the calendar only.",
    ("type of the item",),
    "4.8, direction",
    Confidence.CONFLICT,
    "One sentence of a withdrawn article has the reverse, and is disputed; the rest of it is "
    "followed.",
)
ATTACHMENTS_OF_APPOINTMENTS = Rule(
    "ATTACHMENTS_OF_APPOINTMENTS",
    "Only attachments of plain appointments are synchronized, never those of recurring "
    "appointments and service activities.",
    ("type of the item",),
    "1.2, setting 4; 4.3, attachments; 4.4",
)
ATTACHMENTS_SWITCH = Rule(
    "ATTACHMENTS_SWITCH",
    "Attachments are synchronized, both ways, only while the switch is on.",
    ("appointmentAttachments",),
    "1.2, setting 4; 4.3, attachments; 4.10, step 3",
)
ATTACHMENTS_TRAVEL_ALONG = Rule(
    "ATTACHMENTS_TRAVEL_ALONG",
    "Attachments go where their appointment goes.",
    ("whether it has attachments",),
    "4.3, attachments",
    Confidence.INFERRED,
)
CHOSEN_DIRECTION = Rule(
    "CHOSEN_DIRECTION",
    "A field is written in the direction that an administrator chose, or in its default one.",
    ("fieldMapping:*",),
    "2.1; 4.10, step 2",
)
ADDRESSES = Rule(
    "ADDRESSES",
    "While only the mailing address is synchronized, the home and the other address are not; the "
    "directions chosen for them are kept.",
    ("mailingAddresses",),
    "2.4; 4.10, step 4",
    Confidence.CONFLICT,
    "The page of fields prints two-way as the default of these addresses and lets the switch make "
    "them so; the direction is taken as chosen, and the switch as a gate.",
)
FIRST_ADDRESS = Rule(
    "FIRST_ADDRESS",
    "The first address is paired with Outlook's mailing address, whichever that is, and with the "
    "business address where all three are synchronized.",
    ("mailingAddresses",),
    "2.4; 4.6",
    Confidence.INFERRED,
)
COMPANY = Rule(
    "COMPANY",
    "The company is written to Outlook only for users who allow it in their options.",
    ("the user's option synccontactcompany",),
    "1.3; 4.6, company; 4.10, step 5",
    Confidence.INFERRED,
)
FIELD_SECURITY = Rule(
    "FIELD_SECURITY",
    "A column that the user may not read is not sent to the mailbox; one that the user may not "
    "update is not written from there. Of a mapping of several columns, one such is enough, which "
    "is ours.",
    ("columns that the user may not read", "columns that the user may not update"),
    "4.9; 4.10, step 6",
)

RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        ASSIGNED_TASKS,
        ASSIGNED_TASK_LIMITS,
        OWN_FILTERS_FROM_TEMPLATES,
        FILTERS,
        NO_ACTIVE_FILTER,
        SERVICE_ACTIVITIES,
        TRACKED_ITEMS,
        FROZEN_RECORDS,
        BOOKING_GATES,
        BOOKING_WINDOW,
        BOOKINGS_ONE_WAY,
        ATTACHMENTS_OF_APPOINTMENTS,
        ATTACHMENTS_SWITCH,
        ATTACHMENTS_TRAVEL_ALONG,
        CHOSEN_DIRECTION,
        ADDRESSES,
        FIRST_ADDRESS,
        COMPANY,
        FIELD_SECURITY,
    )
}
"""By name, in the order in which they are applied: to an item, and then to each of its fields."""


class Reason(NamedTuple):
    """A rule as it was applied. `settings`: the keys of those that it read."""

    rule: Rule
    message: str
    settings: tuple[str, ...] = ()


def because(rule: Rule, message: str, *settings: str) -> Reason:
    """The reason, with what is followed where the sources disagree."""
    return Reason(rule, f"{message} {rule.reading}".strip(), settings)
