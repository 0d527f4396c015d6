"""Cases of the sync rules, each with its line of the domain reference.

A case is read so: by this line, such an item is decided so, by these rules, under these settings.
Answers are in the order of the API: to Exchange, to Dynamics, attachments.
"""

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from deciding import (
    ADA,
    ALL_THREE,
    APPOINTMENT,
    ATTACHMENTS_ON,
    BEN,
    BOOKING,
    BOOKINGS_ON,
    CONTACT,
    FAX,
    KEPT,
    LETTER,
    MINE,
    OPEN,
    OPTED,
    PHONE_CALL,
    SERIES,
    SERVICE,
    TASK,
    TASKS_ON,
    TODAY,
    UNTOLD,
    USER,
    booking,
    decided,
    given_out,
    item,
    mine,
    off,
    others,
    owning,
    system,
    template,
    under,
    withheld,
)

from domain.environment import Event
from domain.field_mappings import SyncDirectionChosen
from domain.field_rules import FieldDecision, field_decisions
from domain.filters.state import FilterKind
from domain.mapping_table import MAPPINGS, SyncDirection
from domain.switches import AppointmentAttachmentsSwitched
from domain.sync_items import Assignment, Item, SyncItemType, User
from domain.sync_rules import Decision

USUAL = {"TRACKED_ITEMS", "ATTACHMENTS_TRAVEL_ALONG", "ASSIGNED_TASKS"}
"""Rules that nearly every decision names, or every one of a task; a case has them where it is about
them."""


@dataclass(frozen=True)
class Case:
    """`answers`: three words. `rules`: names of those that it comes of, without USUAL ones."""

    cites: str
    item: Item
    answers: str
    rules: str
    settings: tuple[Event, ...]
    user: User
    matched: str
    missing: str

    @property
    def decision(self) -> Decision:
        return decided(self.item, *self.settings, user=self.user)


CASES: list[Case] = []


def case(
    cites: str,
    of: Item,
    answers: str,
    rules: str,
    *settings: Event,
    user: User = USER,
    matched: str = "",
    missing: str = "",
) -> None:
    CASES.append(Case(cites, of, answers, rules, settings, user, matched, missing))


# fmt: off
ONE, TWO, COPIED = system("one"), system("two", group=OPEN), template("copied")
GIVEN = given_out(COPIED)
VAGUE = item(CONTACT, statecode="1")
"""Of which nobody knows who owns it."""

FILTERS, NO_FILTER = "FILTERS", "NO_ACTIVE_FILTER"
case("3.2, rule 3: empty set", mine(CONTACT), "NO NO NO", NO_FILTER)
case("3.2, rule 1: active", mine(CONTACT), "NO NO NO", NO_FILTER, ONE, off(ONE))
case("3.2, rule 1: record type", mine(TASK), "NO NO NO", NO_FILTER, ONE)
OFFLINE = system("one", online=FilterKind.OFFLINE)
case("3.2, rule 7: online ones", mine(CONTACT), "NO NO NO", NO_FILTER, OFFLINE)
case("3.2, rule 1: one system filter", mine(CONTACT), "YES NO NO", FILTERS, ONE, matched="one")
case("3.2, rule 1: one that says no", others(CONTACT), "NO NO NO", FILTERS, ONE)
OWN = "ownFilters[0]"
case("3.2, rule 1: own", mine(CONTACT), "YES NO NO", FILTERS, user=owning(MINE), matched=OWN)
case("3.2, rule 1: own, of another type", mine(TASK), "NO NO NO", NO_FILTER, user=owning(MINE))
ALL = "one two ownFilters[0] ownFilters[1]"
HERS = owning(MINE, OPEN)
case("3.2, rule 2: all", mine(CONTACT), "YES NO NO", FILTERS, TWO, ONE, user=HERS, matched=ALL)
case("3.2, rule 2: one", others(CONTACT), "YES NO NO", FILTERS, ONE, TWO, matched="two")
case("3.2, rule 2: none", others(CONTACT), "NO NO NO", FILTERS, ONE, user=owning(MINE, MINE))
case("3.2, rule 1: not known", VAGUE, "UNKNOWN NO NO", FILTERS, ONE, missing="ownerid")
case("3.2, rule 2: or not", VAGUE, "UNKNOWN NO NO", FILTERS, ONE, TWO, missing="ownerid")
KNOWN = item(CONTACT, statecode="0")
case("3.2, rule 2: or another", KNOWN, "YES NO NO", FILTERS, ONE, TWO, matched="two")
EMPTY = item(CONTACT, ownerid=None, statecode=None)
case("3.2, rule 1: empty is known", EMPTY, "NO NO NO", FILTERS, ONE, TWO)

NOT_TOLD = "OWN_FILTERS_FROM_TEMPLATES"
case("3.1, templates: applies to nobody", mine(CONTACT), "NO NO NO", NO_FILTER, COPIED, GIVEN)
COPY = f"{NOT_TOLD} {FILTERS}"
case("3.3, every default template", mine(CONTACT), "YES NO NO", COPY, COPIED, GIVEN, user=UNTOLD,
     matched="copied")
NOTHING = f"{NOT_TOLD} {NO_FILTER}"
case("3.3, default ones", mine(CONTACT), "NO NO NO", NOTHING, COPIED, user=UNTOLD)
GONE = withheld(COPIED)
case("3.3, default now", mine(CONTACT), "NO NO NO", NOTHING, COPIED, GIVEN, GONE, user=UNTOLD)
INACTIVE = off(COPIED)
case("3.1, statecode", mine(CONTACT), "NO NO NO", NOTHING, COPIED, GIVEN, INACTIVE, user=UNTOLD)
case("3.2, rule 1: both", mine(CONTACT), "YES NO NO", COPY, COPIED, GIVEN, ONE, user=UNTOLD,
     matched="one copied")

TRACKED = f"{FILTERS} TRACKED_ITEMS"
UNCHOSEN = f"{NO_FILTER} TRACKED_ITEMS"
case("4.2, not linked, matches: Create", mine(CONTACT), "YES NO NO", TRACKED, ONE, matched="one")
LINKED, LOST = mine(CONTACT, linked=True), others(CONTACT, linked=True)
case("4.2, linked, matches: Update", LINKED, "YES YES NO", TRACKED, ONE, matched="one")
case("4.2, linked, no longer matches: logical Delete", LOST, "NO YES NO", TRACKED, ONE)
case("4.2, the same where no filter is left", LOST, "NO YES NO", UNCHOSEN)
case("4.2, Exchange to Dynamics: only when tracked", others(CONTACT), "NO NO NO", TRACKED, ONE)
case("0, fact 9: filters only govern Dynamics to Exchange", LINKED, "NO YES NO", UNCHOSEN)

FROZEN = "FILTERS FROZEN_RECORDS"
for kind in (APPOINTMENT, SERIES):
    own = system("one", kind)
    for state, answer in {"0": "YES", "1": "NO", "2": "NO", "3": "YES"}.items():
        held = item(kind, linked=True, ownerid=ADA, statecode=state)
        case("4.3, frozen records", held, f"YES {answer} NO", FROZEN, own, matched="one")
    held = item(kind, linked=True, ownerid=ADA)
    case("4.3, frozen records: not known", held, "YES UNKNOWN NO", FROZEN, own, matched="one",
         missing="statecode")
    held = item(kind, linked=True, ownerid=ADA, statecode=None)
    case("4.3, frozen records: empty", held, "YES YES NO", FROZEN, own, matched="one")
    held = item(kind, ownerid=ADA)
    case("4.3, frozen records: of tracked ones", held, "YES NO NO", FILTERS, own, matched="one")
for kind in (CONTACT, FAX, LETTER, PHONE_CALL, TASK):
    done = item(kind, linked=True, ownerid=ADA, statecode="1")
    case("4.3, frozen records: only of appointments", done, "YES YES NO", FILTERS,
         system("one", kind), matched="one")

for kind in (APPOINTMENT, CONTACT, FAX, LETTER, PHONE_CALL, SERIES, SERVICE, TASK):
    own, more = system("one", kind), system("two", kind, OPEN)
    back = " SERVICE_ACTIVITIES" if kind is SERVICE else ""
    then = " FROZEN_RECORDS" if kind in (APPOINTMENT, SERIES) else back
    answer = "NO" if kind is SERVICE else "YES"
    dim = item(kind, statecode="1")
    held = mine(kind, linked=True)
    case("3.2, rule 3: empty set", mine(kind), "NO NO NO", f"{NO_FILTER}{back}")
    case("3.2, rule 1: one", mine(kind), "YES NO NO", f"{FILTERS}{back}", own, matched="one")
    case("3.2, rule 1: one", others(kind), "NO NO NO", f"{FILTERS}{back}", own)
    case("3.2, rule 2: many", others(kind), "YES NO NO", f"{FILTERS}{back}", own, more,
         matched="two")
    case("3.2, rule 1: unknown", dim, "UNKNOWN NO NO", f"{FILTERS}{back}", own, more,
         missing="ownerid")
    case("4.2, linked: Update", held, f"YES {answer} NO", f"{FILTERS}{then}", own, matched="one")
    case("4.2, linked: Delete", held, f"NO {answer} NO", f"{NO_FILTER}{then}")
ONE_WAY = "FILTERS SERVICE_ACTIVITIES"
VISIT = system("one", SERVICE)
case("4.4, to Exchange only", mine(SERVICE), "YES NO NO", ONE_WAY, VISIT, matched="one")
HELD = mine(SERVICE, linked=True)
case("4.4, to Exchange only", HELD, "YES NO NO", ONE_WAY, VISIT, matched="one")

SWITCHED, BARRED = "ATTACHMENTS_SWITCH", "ATTACHMENTS_OF_APPOINTMENTS"
MEETING = system("one", APPOINTMENT)
FILED = mine(APPOINTMENT, linked=True, attached=True)
HOW = f"{FROZEN} {SWITCHED}"
case("1.2, setting 4: off by default", FILED, "YES YES NO", HOW, MEETING, matched="one")
case("1.2, setting 4: on", FILED, "YES YES YES", HOW, MEETING, ATTACHMENTS_ON, matched="one")
OFF_AGAIN = AppointmentAttachmentsSwitched(on=False)
case("1.2, setting 4: turning it off", FILED, "YES YES NO", HOW, MEETING, ATTACHMENTS_ON, OFF_AGAIN,
     matched="one")
WITHOUT = mine(APPOINTMENT, linked=True)
case("4.3, attachments: it has none", WITHOUT, "YES YES NO", FROZEN, MEETING, ATTACHMENTS_ON,
     matched="one")
case("4.3, attachments: to Exchange", mine(APPOINTMENT, attached=True), "YES NO YES",
     f"{FILTERS} {SWITCHED}", MEETING, ATTACHMENTS_ON, matched="one")
case("4.3, attachments: to Dynamics", FILED, "NO YES YES", f"{NO_FILTER} FROZEN_RECORDS {SWITCHED}",
     ATTACHMENTS_ON)
case("4.3, attachments: nowhere", mine(APPOINTMENT, attached=True), "NO NO NO",
     f"{NO_FILTER} {SWITCHED}", ATTACHMENTS_ON)
case("4.3, attachments: perhaps", item(APPOINTMENT, attached=True), "UNKNOWN NO UNKNOWN",
     f"{FILTERS} {SWITCHED}", MEETING, ATTACHMENTS_ON, missing="ownerid")
case("4.3, attachments: perhaps, but off", item(APPOINTMENT, attached=True), "UNKNOWN NO NO",
     f"{FILTERS} {SWITCHED}", MEETING, missing="ownerid")
for kind in (SERIES, SERVICE, CONTACT, FAX, LETTER, PHONE_CALL, TASK):
    case("4.3, attachments: only plain appointments", mine(kind, attached=True), "YES NO NO",
         f"{ONE_WAY if kind is SERVICE else FILTERS} {BARRED}", system("one", kind), ATTACHMENTS_ON,
         matched="one")

GATE, LIMITS = "ASSIGNED_TASKS", "ASSIGNED_TASKS ASSIGNED_TASK_LIMITS"
MY_TASKS = system("one", TASK)


def assigned(kept: Assignment, kind: SyncItemType = TASK) -> Item:
    """Chosen and linked, so that the assignment alone decides."""
    return item(kind, linked=True, ownerid=ADA, assignment=kept)


case("1.2, setting 6: off", assigned(KEPT), "NO NO NO", GATE, MY_TASKS, matched="one")
case("4.7, when on", assigned(KEPT), "YES YES NO", f"{LIMITS} {FILTERS}", MY_TASKS, TASKS_ON,
     matched="one")
case("4.7, when on: chosen by none, and perhaps taken back", item(TASK, linked=True, ownerid=BEN,
     assignment=replace(KEPT, recurring=None)), "NO UNKNOWN NO", f"{LIMITS} {FILTERS}", MY_TASKS,
     TASKS_ON, missing="assignment.recurring")
case("1.2, setting 6: ordinary tasks regardless", mine(TASK, linked=True), "YES YES NO",
     f"{GATE} {FILTERS}", MY_TASKS, matched="one")
case("1.2, setting 6: ordinary tasks", mine(TASK, linked=True), "YES YES NO", FILTERS, MY_TASKS,
     TASKS_ON, matched="one")
BROKEN = (
    ("recurring tasks", "recurring", replace(KEPT, recurring=True), replace(KEPT, recurring=None)),
    (
        "same organization",
        "sameOrganization",
        replace(KEPT, same_organization=False),
        replace(KEPT, same_organization=None),
    ),
    ("one recipient", "recipients", replace(KEPT, recipients=2), replace(KEPT, recipients=None)),
    (
        "keep an updated copy",
        "keepsUpdatedCopy",
        replace(KEPT, keeps_updated_copy=False),
        replace(KEPT, keeps_updated_copy=None),
    ),
    (
        "request a status report",
        "reportsStatus",
        replace(KEPT, reports_status=False),
        replace(KEPT, reports_status=None),
    ),
    (
        "cannot be tracked offline",
        "trackedOffline",
        replace(KEPT, tracked_offline=True),
        replace(KEPT, tracked_offline=None),
    ),
)
for line, gap, broken, vague in BROKEN:
    case(f"4.7, {line}", assigned(broken), "NO NO NO", LIMITS, MY_TASKS, TASKS_ON, matched="one")
    case(f"4.7, {line}: not known", assigned(vague), "UNKNOWN UNKNOWN NO", f"{LIMITS} {FILTERS}",
         MY_TASKS, TASKS_ON, matched="one", missing=f"assignment.{gap}")
for kind in (FAX, LETTER, PHONE_CALL):
    own = system("one", kind)
    told = assigned(KEPT, kind)
    case("4.7, tracked as task", told, "NO NO NO", LIMITS, own, TASKS_ON, matched="one")
    case("4.5, they become Exchange tasks", told, "NO NO NO", GATE, own, matched="one")
BOTH = assigned(Assignment(recurring=True))
case("4.7, one broken, others not known", BOTH, "NO NO NO", LIMITS, MY_TASKS, TASKS_ON,
     matched="one")
STRAY = item(TASK, ownerid=BEN, assignment=Assignment())
case("4.7 and 3.2, no filter, limits not known", STRAY, "NO NO NO", FILTERS, MY_TASKS, TASKS_ON)

GATES, WINDOW = "BOOKING_GATES", "BOOKING_GATES BOOKING_WINDOW"
BACK = "BOOKINGS_ONE_WAY"
REACHES = f"{WINDOW} {BACK}"
case("4.8, all required: all open", TODAY, "YES NO NO", REACHES, BOOKINGS_ON, user=OPTED)
case("4.8, all required: organization flag", TODAY, "NO NO NO", f"{GATES} {BACK}", user=OPTED)
case("4.8, all required: user flag", TODAY, "NO NO NO", f"{GATES} {BACK}", BOOKINGS_ON)
ELSEWHERE = replace(OPTED, server_side_synchronization=False)
case("4.8, all required: mailbox on SSS", TODAY, "NO NO NO", f"{GATES} {BACK}", BOOKINGS_ON,
     user=ELSEWHERE)
case("4.8, direction", replace(TODAY, linked=True), "YES NO NO", REACHES, BOOKINGS_ON, user=OPTED)
case("4.3, attachments: never of bookings", replace(TODAY, has_attachments=True), "YES NO NO",
     f"{REACHES} {BARRED}", BOOKINGS_ON, ATTACHMENTS_ON, user=OPTED)
BERLIN = replace(OPTED, zone=ZoneInfo("Europe/Berlin"))
WINDOWS = (
    ("from today", "2026-03-02T22:00:00Z", "2026-03-03T00:00:01Z", OPTED, "YES"),
    ("not before today", "2026-03-02T22:00:00Z", "2026-03-03T00:00:00Z", OPTED, "NO"),
    ("through four weeks", "2026-03-31T23:59:59Z", "2026-04-01T08:00:00Z", OPTED, "YES"),
    ("not after four weeks", "2026-04-01T00:00:00Z", "2026-04-01T08:00:00Z", OPTED, "NO"),
    ("around it all", "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z", OPTED, "YES"),
    ("the user's days", "2026-03-02T22:00:00Z", "2026-03-02T23:30:00Z", BERLIN, "YES"),
    ("the user's days", "2026-03-31T22:00:00Z", "2026-03-31T23:00:00Z", BERLIN, "NO"),
    ("the user's times", "2026-04-01T00:00:00", "2026-04-01T01:00:00", BERLIN, "NO"),
    ("without a beginning", None, "2026-03-03T11:00:00Z", OPTED, "NO"),
    ("without an end", "2026-03-03T10:00:00Z", None, OPTED, "NO"),
)
for line, starts, ends, whose, answer in WINDOWS:
    case(f"4.8, rolling window: {line}", booking(starts, ends), f"{answer} NO NO", REACHES,
         BOOKINGS_ON, user=whose)
STARTS = item(BOOKING, starttime="2026-03-03T10:00:00Z")
case("4.8, rolling window: not known", STARTS, "UNKNOWN NO NO", REACHES, BOOKINGS_ON, user=OPTED,
     missing="endtime")
case("4.8, rolling window: not known", item(BOOKING), "UNKNOWN NO NO", REACHES, BOOKINGS_ON,
     user=OPTED, missing="endtime starttime")
LATER = item(BOOKING, starttime="2026-04-01T00:00:00Z")
case("4.8, rolling window: one time tells", LATER, "NO NO NO", REACHES, BOOKINGS_ON, user=OPTED)
case("4.8, gates: they tell alone", item(BOOKING), "NO NO NO", f"{GATES} {BACK}", user=OPTED)
# fmt: on


@dataclass(frozen=True)
class FieldCase:
    """`rules`: the names of all that it comes of, in order."""

    cites: str
    mapping: str
    direction: SyncDirection
    rules: str
    settings: tuple[Event, ...]
    user: User
    frozen: bool

    @property
    def decided(self) -> FieldDecision:
        kind = MAPPINGS[self.mapping].record_type
        every = field_decisions(under(*self.settings), kind, self.user, frozen=self.frozen)
        (found,) = [each for each in every if each.mapping.key == self.mapping]
        return found


FIELD_CASES: list[FieldCase] = []
BOTH_WAYS, NEITHER = SyncDirection.BOTH, SyncDirection.NONE
TO_EXCHANGE, TO_CRM = SyncDirection.TO_EXCHANGE, SyncDirection.TO_CRM


def field(
    cites: str,
    mapping: str,
    direction: SyncDirection,
    rules: str,
    *settings: Event,
    user: User = USER,
    frozen: bool = False,
) -> None:
    FIELD_CASES.append(FieldCase(cites, mapping, direction, rules, settings, user, frozen))


def chosen(mapping: str, direction: SyncDirection) -> SyncDirectionChosen:
    return SyncDirectionChosen(mapping=mapping, direction=direction)


def may_not(*columns: str, read: bool = True) -> User:
    """A user who may not read these columns, or not update them."""
    some = frozenset(columns)
    return replace(USER, unreadable=some) if read else replace(USER, locked=some)


# fmt: off
CHOICE = "CHOSEN_DIRECTION"
for mapping in ("contact.notes", "task.subject", "fax.dueDate", "appointment.subject"):
    field("4.10, step 2: or default", mapping, BOTH_WAYS, CHOICE)
    for direction in SyncDirection:
        field("4.10, step 2: the configured direction", mapping, direction, CHOICE,
              chosen(mapping, direction))
field("2.2, fixed: both", "task.importance", BOTH_WAYS, CHOICE)
VISITED = "serviceappointment.subject"
field("4.10, step 1: to Exchange (fixed)", VISITED, TO_EXCHANGE, "SERVICE_ACTIVITIES")

FILES, FILING = "appointment.attachments", "ATTACHMENTS_SWITCH"
field("4.10, step 3: else none", FILES, NEITHER, FILING)
field("4.10, step 3: both if attachment flag", FILES, BOTH_WAYS, FILING, ATTACHMENTS_ON)

PLACES = f"{CHOICE} ADDRESSES"
for mapping in ("contact.homeAddress", "contact.otherAddress"):
    field("2.4, mailing-only: effective none", mapping, NEITHER, PLACES)
    field("2.4, all three: default both", mapping, BOTH_WAYS, PLACES, ALL_THREE)
    arrow = chosen(mapping, TO_CRM)
    field("2.4, all three: configured direction", mapping, TO_CRM, PLACES, ALL_THREE, arrow)
    field("2.4, mailing-only: the same", mapping, NEITHER, PLACES, arrow)
ADDRESS = "contact.mailingOrBusinessAddress"
field("2.4, paired with the alias", ADDRESS, BOTH_WAYS, f"{CHOICE} FIRST_ADDRESS")
field("2.4, paired with Business", ADDRESS, BOTH_WAYS, f"{CHOICE} FIRST_ADDRESS", ALL_THREE)

COMPANY = "contact.parentRegarding"
field("4.10, step 5: drop to-Exchange", COMPANY, TO_CRM, f"{CHOICE} COMPANY")
ALLOWING = replace(USER, allows_company=True)
field("1.3, synccontactcompany", COMPANY, BOTH_WAYS, CHOICE, user=ALLOWING)

SECURED = f"{CHOICE} FIELD_SECURITY"
NUMBER = "contact.governmentIDNumber"
BLIND, BOUND = may_not("contact.governmentid"), may_not("contact.governmentid", read=False)
NEVER = replace(BLIND, locked=BOUND.locked)
field("4.9, cannot read", NUMBER, TO_CRM, SECURED, user=BLIND)
field("4.9, can read but not update", NUMBER, TO_EXCHANGE, SECURED, user=BOUND)
field("4.10, step 6: both", NUMBER, NEITHER, f"{SECURED} FIELD_SECURITY", user=NEVER)
field("4.10, step 6: nothing to drop", NUMBER, TO_CRM, CHOICE, chosen(NUMBER, TO_CRM), user=BLIND)
field("4.10, step 6: nothing to drop", NUMBER, TO_EXCHANGE, CHOICE, chosen(NUMBER, TO_EXCHANGE),
      user=BOUND)
field("4.9, of another column", "contact.notes", BOTH_WAYS, CHOICE, user=NEVER)
ONE_LINE = may_not("contact.address1_line2", read=False)
PAIRED = f"{CHOICE} FIRST_ADDRESS FIELD_SECURITY"
field("4.9, one column of several", ADDRESS, TO_EXCHANGE, PAIRED, user=ONE_LINE)
field("4.10, step 6: of a service activity", VISITED, NEITHER, "SERVICE_ACTIVITIES FIELD_SECURITY",
      user=may_not("serviceappointment.subject"))

STILL = f"{CHOICE} FROZEN_RECORDS"
field("4.10, step 7: drop to-CRM", "appointment.subject", TO_EXCHANGE, STILL, frozen=True)
field("4.10, steps 3 and 7", FILES, TO_EXCHANGE, f"{FILING} FROZEN_RECORDS", ATTACHMENTS_ON,
      frozen=True)
field("4.10, step 7: nothing to drop", FILES, NEITHER, FILING, frozen=True)
# fmt: on
