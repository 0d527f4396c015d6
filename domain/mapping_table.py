"""The 98 field mappings that every environment starts from: data, no logic.

Law: exactly the default table of the product (domain reference 2.3, `catalogue: 1`). It never
changes, or every past fold would; another table is another catalogue.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import NamedTuple


class RecordType(StrEnum):
    """What is synchronized, by the table that holds it (domain reference 2.2)."""

    APPOINTMENT = "APPOINTMENT"
    CONTACT = "CONTACT"
    FAX = "FAX"
    LETTER = "LETTER"
    PHONE_CALL = "PHONE_CALL"
    RECURRING_APPOINTMENT = "RECURRING_APPOINTMENT"
    SERVICE_ACTIVITY = "SERVICE_ACTIVITY"
    TASK = "TASK"


class SyncDirection(StrEnum):
    """Which side is written (domain reference 2.1). BOTH: the later change wins on the other."""

    NONE = "NONE"
    TO_EXCHANGE = "TO_EXCHANGE"
    TO_CRM = "TO_CRM"
    BOTH = "BOTH"


TABLES: Mapping[RecordType, str] = {
    RecordType.APPOINTMENT: "appointment",
    RecordType.CONTACT: "contact",
    RecordType.FAX: "fax",
    RecordType.LETTER: "letter",
    RecordType.PHONE_CALL: "phonecall",
    RecordType.RECURRING_APPOINTMENT: "recurringappointmentmaster",
    RecordType.SERVICE_ACTIVITY: "serviceappointment",
    RecordType.TASK: "task",
}
"""The logical name of each record type's table."""
NAMES: Mapping[RecordType, str] = {
    RecordType.APPOINTMENT: "Appointment",
    RecordType.CONTACT: "Contact",
    RecordType.FAX: "Fax",
    RecordType.LETTER: "Letter",
    RecordType.PHONE_CALL: "Phone Call",
    RecordType.RECURRING_APPOINTMENT: "Recurring Appointment",
    RecordType.SERVICE_ACTIVITY: "Service Activity",
    RecordType.TASK: "Task",
}
"""What people call each record type."""


class FieldMapping(NamedTuple):
    """One row. `key`: table and name, e.g. `contact.notes`. `outlook`, `crm`: the captions.

    A mapping that is not settable stays at its default; a computed one comes of other columns.
    `note`: what to know about it, in one sentence or none.
    """

    key: str
    record_type: RecordType
    outlook: str
    outlook_fields: tuple[str, ...]
    crm: str
    crm_fields: tuple[str, ...]
    default: SyncDirection
    settable: bool
    computed: bool
    note: str


NOTHING = ""
ONE_TIME = "Start, end, duration and all-day travel as one."
ONE_NAME = "The parts of the name travel as one."
ONE_PATTERN = "The whole pattern of a series travels as one."
ATTACHMENTS = "Never for recurring appointments and service activities."
PLAIN = "An Outlook body loses formatting, links and pictures on its way to the plain text."
PRIVATE = f"NONE keeps personal notes private. {PLAIN}"
IMPORTANCE = "Low, normal and high mean the same on both sides."
REGARDING = "Outlook shows the name of the regarding record once it was synchronized."
STATUS = "It comes of the record's status and status reason."
REMINDER = "Date and time; it can set a reminder in Outlook, and a reminder never travels back."
ORGANIZER = "Only the organizer's synchronization sends invitations."
SYNCING_USER = "In Exchange, the organizer is the user whose mailbox is synchronized."
COMPANY = "It replaces the company in Outlook, unless the user has forbidden that."
PERCENT = "100 in Exchange completes the task."
PAIRED = (
    "Paired with Outlook's mailing address, or with the business address where all three "
    "addresses are synchronized."
)
GATED = "It travels only where all three addresses are synchronized."


def _address(name: str) -> str:
    parts = ("Street", "City", "State", "PostalCode", "Country")
    return " ".join(f"{name}Address{part}" for part in parts)


def _columns(name: str) -> str:
    parts = ("line1", "line2", "line3", "city", "stateorprovince", "postalcode", "country")
    return " ".join(f"{name}_{part}" for part in parts)


BUSINESS_ADDRESS = tuple(_address("Business").split())
"""What Address 1 is paired with where all three addresses are synchronized."""
RECURRENCE = (
    "recurrencepatterntype interval dayofmonth daysofweekmask instance monthofyear firstdayofweek "
    "isnthmonthly isnthyearly isweekdaypattern patternstartdate patternenddate patternendtype "
    "occurrences starttime endtime duration"
)


class _Kind(Enum):
    SETTABLE = "settable"
    FIXED = "fixed"
    COMPUTED = "computed"


SETTABLE, FIXED, COMPUTED = _Kind

type _Row = tuple[str, _Kind, str, str, str, str, str]
"""Name, kind, Outlook's caption and fields, Dynamics's caption and columns, note."""
type _Rows = tuple[_Row, ...]

# fmt: off
_APPOINTMENT: _Rows = (
    ("appointmentTime", FIXED, "Appointment Time", "Start End Duration AllDayEvent", "Appointment Time", "scheduledstart scheduledend scheduleddurationminutes isalldayevent", ONE_TIME),
    ("attachments", COMPUTED, "Attachments", "Attachments", "Attachments", "activitymimeattachment", ATTACHMENTS),
    ("body", SETTABLE, "Body", "Body", "Description", "description", PLAIN),
    ("importance", FIXED, "Importance", "Importance", "Priority", "prioritycode", IMPORTANCE),
    ("location", SETTABLE, "Location", "Location", "Location", "location", NOTHING),
    ("optionalAttendees", FIXED, "Optional Attendees", "OptionalAttendees", "Optional Attendees", "optionalattendees", NOTHING),
    ("organizer", FIXED, "Organizer", "Organizer", "Organizer", "organizer", ORGANIZER),
    ("regarding", FIXED, "Regarding", "Regarding", "Regarding", "regardingobjectid regardingobjecttypecode", REGARDING),
    ("requiredAttendees", FIXED, "Required Attendees", "RequiredAttendees", "Required Attendees", "requiredattendees", NOTHING),
    ("showTimeAs", FIXED, "Show Time As", "BusyStatus", "Appointment Status", "statecode statuscode", STATUS),
    ("subject", SETTABLE, "Subject", "Subject", "Subject", "subject", NOTHING),
)

_CONTACT: _Rows = (
    ("anniversary", SETTABLE, "Anniversary", "Anniversary", "Anniversary", "anniversary", NOTHING),
    ("assistantsName", SETTABLE, "Assistant's Name", "AssistantName", "Assistant", "assistantname", NOTHING),
    ("assistantsPhone", SETTABLE, "Assistant's Phone", "AssistantTelephoneNumber", "Assistant Phone", "assistantphone", NOTHING),
    ("birthday", SETTABLE, "Birthday", "Birthday", "Birthday", "birthdate", NOTHING),
    ("businessFax", SETTABLE, "Business Fax", "BusinessFaxNumber", "Fax", "fax", NOTHING),
    ("businessPhone", SETTABLE, "Business Phone", "BusinessTelephoneNumber", "Business Phone", "telephone1", NOTHING),
    ("businessPhone2", SETTABLE, "Business Phone 2", "Business2TelephoneNumber", "Business Phone 2", "business2", NOTHING),
    ("callback", SETTABLE, "Callback", "CallbackTelephoneNumber", "Callback Number", "callback", NOTHING),
    ("children", SETTABLE, "Children", "Children", "Children's Names", "childrensnames", NOTHING),
    ("companyMainPhone", SETTABLE, "Company Main Phone", "CompanyMainTelephoneNumber", "Company Phone", "company", NOTHING),
    ("department", SETTABLE, "Department", "Department", "Department", "department", NOTHING),
    ("email1", SETTABLE, "E-mail", "Email1Address", "Email", "emailaddress1", NOTHING),
    ("email2", SETTABLE, "E-mail 2", "Email2Address", "Email Address 2", "emailaddress2", NOTHING),
    ("email3", SETTABLE, "E-mail 3", "Email3Address", "Email Address 3", "emailaddress3", NOTHING),
    ("ftpSite", SETTABLE, "FTP Site", "FTPSite", "FTP Site", "ftpsiteurl", NOTHING),
    ("fullName", FIXED, "Full Name", "FirstName MiddleName LastName Suffix Title FullName", "Full Name", "firstname middlename lastname suffix salutation fullname", ONE_NAME),
    ("governmentIDNumber", SETTABLE, "Government ID Number", "GovernmentIDNumber", "Government", "governmentid", NOTHING),
    ("homeAddress", SETTABLE, "Home Address", _address("Home"), "Address 2", _columns("address2"), GATED),
    ("homePhone", SETTABLE, "Home Phone", "HomeTelephoneNumber", "Home Phone", "telephone2", NOTHING),
    ("homePhone2", SETTABLE, "Home Phone 2", "Home2TelephoneNumber", "Home Phone 2", "home2", NOTHING),
    ("jobTitle", SETTABLE, "Job Title", "JobTitle", "Job Title", "jobtitle", NOTHING),
    ("mailingOrBusinessAddress", SETTABLE, "Mailing Address/Business Address", _address("Mailing"), "Address 1", _columns("address1"), PAIRED),
    ("managersName", SETTABLE, "Manager's Name", "ManagerName", "Manager", "managername", NOTHING),
    ("mobile", SETTABLE, "Mobile", "MobileTelephoneNumber", "Mobile Phone", "mobilephone", NOTHING),
    ("nickname", SETTABLE, "Nickname", "NickName", "Nickname", "nickname", NOTHING),
    ("notes", SETTABLE, "Notes", "Body", "Description", "description", PRIVATE),
    ("otherAddress", SETTABLE, "Other Address", _address("Other"), "Address 3", _columns("address3"), GATED),
    ("otherPhone", SETTABLE, "Other Phone", "OtherTelephoneNumber", "Telephone 3", "telephone3", NOTHING),
    ("pager", SETTABLE, "Pager", "PagerNumber", "Pager", "pager", NOTHING),
    ("parentRegarding", FIXED, "Parent (Regarding)", "CompanyName", "Company Name (Regarding)", "parentcustomerid", COMPANY),
    ("spousePartner", SETTABLE, "Spouse/Partner", "Spouse", "Spouse/Partner Name", "spousesname", NOTHING),
    ("webPage", SETTABLE, "Web Page", "WebPage", "Website", "websiteurl", NOTHING),
    ("yomiFirstName", SETTABLE, "Yomi First Name", "YomiFirstName", "Yomi First Name", "yomifirstname", NOTHING),
    ("yomiLastName", SETTABLE, "Yomi Last Name", "YomiLastName", "Yomi Last Name", "yomilastname", NOTHING),
)

_TASK_LIKE: _Rows = (
    ("dateCompleted", SETTABLE, "Date Completed", "DateCompleted", "Actual End", "actualend", NOTHING),
    ("dueDate", SETTABLE, "Due Date", "DueDate", "Due Date", "scheduledend", REMINDER),
    ("importance", FIXED, "Importance", "Importance", "Priority", "prioritycode", IMPORTANCE),
    ("notes", SETTABLE, "Notes", "Body", "Description", "description", PLAIN),
    ("regarding", FIXED, "Regarding", "Regarding", "Regarding", "regardingobjectid regardingobjecttypecode", REGARDING),
    ("startDate", SETTABLE, "Start Date", "StartDate", "Start Date", "scheduledstart", NOTHING),
    ("status", COMPUTED, "Status", "Status", "Status", "statecode statuscode", STATUS),
    ("subject", SETTABLE, "Subject", "Subject", "Subject", "subject", NOTHING),
)

_RECURRING_APPOINTMENT: _Rows = (
    ("body", SETTABLE, "Body", "Body", "Description", "description", PLAIN),
    ("importance", FIXED, "Importance", "Importance", "Priority", "prioritycode", IMPORTANCE),
    ("location", SETTABLE, "Location", "Location", "Location", "location", NOTHING),
    ("optionalAttendees", FIXED, "Optional Attendees", "OptionalAttendees", "Optional Attendees", "optionalattendees", NOTHING),
    ("organizer", FIXED, "Organizer", "Organizer", "Organizer", "organizer", ORGANIZER),
    ("recurrencePattern", FIXED, "Recurrence Pattern", "RecurrencePattern", "Recurrence Pattern", RECURRENCE, ONE_PATTERN),
    ("regarding", FIXED, "Regarding", "Regarding", "Regarding", "regardingobjectid regardingobjecttypecode", REGARDING),
    ("requiredAttendees", FIXED, "Required Attendees", "RequiredAttendees", "Required Attendees", "requiredattendees", NOTHING),
    ("showTimeAs", COMPUTED, "Show Time As", "BusyStatus", "Appointment Status", "statecode statuscode", STATUS),
    ("subject", SETTABLE, "Subject", "Subject", "Subject", "subject", NOTHING),
)

_SERVICE_ACTIVITY: _Rows = (
    ("appointmentTime", FIXED, "Appointment Time", "Start End Duration AllDayEvent", "Appointment Time", "scheduledstart scheduledend scheduleddurationminutes isalldayevent", ONE_TIME),
    ("importance", FIXED, "Importance", "Importance", "Priority", "prioritycode", IMPORTANCE),
    ("location", FIXED, "Location", "Location", "Location", "location", NOTHING),
    ("notes", FIXED, "Notes", "Body", "Description", "description", PLAIN),
    ("optionalAttendees", FIXED, "Optional Attendees", "OptionalAttendees", "Optional Attendees", "optionalattendees", NOTHING),
    ("organizer", FIXED, "Organizer", "Organizer", "Organizer", "organizer", SYNCING_USER),
    ("regarding", FIXED, "Regarding", "Regarding", "Regarding", "regardingobjectid regardingobjecttypecode", REGARDING),
    ("requiredAttendees", FIXED, "Required Attendees", "RequiredAttendees", "Required Attendees", "requiredattendees customers resources", NOTHING),
    ("showTimeAs", COMPUTED, "Show Time As", "BusyStatus", "Appointment Status", "statecode statuscode", STATUS),
    ("subject", FIXED, "Subject", "Subject", "Subject", "subject", NOTHING),
)

_TASK: _Rows = (
    ("percentComplete", SETTABLE, "% Complete", "PercentComplete", "Percent Complete", "percentcomplete", PERCENT),
    ("dateCompleted", SETTABLE, "Date Completed", "DateCompleted", "Actual End", "actualend", NOTHING),
    ("dueDate", SETTABLE, "Due Date", "DueDate", "Due Date", "scheduledend", REMINDER),
    ("importance", FIXED, "Importance", "Importance", "Priority", "prioritycode", IMPORTANCE),
    ("notes", SETTABLE, "Notes", "Body", "Description", "description", PLAIN),
    ("regarding", FIXED, "Regarding", "Regarding", "Regarding", "regardingobjectid regardingobjecttypecode", REGARDING),
    ("startDate", SETTABLE, "Start Date", "StartDate", "Start Date", "scheduledstart", REMINDER),
    ("status", COMPUTED, "Status", "Status", "Status", "statecode statuscode", STATUS),
    ("subject", SETTABLE, "Subject", "Subject", "Subject", "subject", NOTHING),
)
# fmt: on

_ROWS = {
    RecordType.APPOINTMENT: _APPOINTMENT,
    RecordType.CONTACT: _CONTACT,
    RecordType.FAX: _TASK_LIKE,
    RecordType.LETTER: _TASK_LIKE,
    RecordType.PHONE_CALL: _TASK_LIKE,
    RecordType.RECURRING_APPOINTMENT: _RECURRING_APPOINTMENT,
    RecordType.SERVICE_ACTIVITY: _SERVICE_ACTIVITY,
    RecordType.TASK: _TASK,
}


def _mapping(record_type: RecordType, row: _Row) -> FieldMapping:
    name, kind, outlook, outlook_fields, crm, crm_fields, note = row
    default = SyncDirection.BOTH
    if record_type is RecordType.SERVICE_ACTIVITY:
        default = SyncDirection.TO_EXCHANGE
    elif name == "attachments":
        default = SyncDirection.NONE
    return FieldMapping(
        key=f"{TABLES[record_type]}.{name}",
        record_type=record_type,
        outlook=outlook,
        outlook_fields=tuple(outlook_fields.split()),
        crm=crm,
        crm_fields=tuple(crm_fields.split()),
        default=default,
        settable=kind is SETTABLE,
        computed=kind is COMPUTED,
        note=note,
    )


MAPPINGS: Mapping[str, FieldMapping] = {
    mapping.key: mapping
    for record_type, rows in _ROWS.items()
    for mapping in (_mapping(record_type, row) for row in rows)
}
"""Every mapping by its key, in the product's order."""
