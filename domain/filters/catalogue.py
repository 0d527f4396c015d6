"""The tables that filters are about and their columns, as the product ships them: data, no logic.

Law: `catalogue: 1` never changes (domain reference 3.2, 3.5 and 2.3). Organizations have columns of
their own, so a column that is not here is unverified, not wrong.
"""

from collections.abc import Mapping
from typing import NamedTuple

from domain.filters.columns import Column
from domain.filters.operators import ColumnType
from domain.mapping_table import TABLES, RecordType

CHOICE = ColumnType.CHOICE
DATE = ColumnType.DATE_TIME
ID = ColumnType.UNIQUE_ID
NUMBER = ColumnType.NUMBER
OWNER = ColumnType.OWNER
PARTIES = ColumnType.PARTY_LIST
TEXT = ColumnType.STRING
TREE = ColumnType.HIERARCHICAL


class Table(NamedTuple):
    """`plural`: what a sentence calls its records; `states`: the words for `statecode`."""

    name: str
    label: str
    plural: str
    online: bool
    offline: bool
    columns: Mapping[str, Column]
    states: Mapping[str, str]


def _columns(*columns: Column) -> Mapping[str, Column]:
    return {column.name: column for column in columns}


_ACTIVITY = (
    Column("subject", "Subject", TEXT),
    Column("description", "Description", TEXT),
    Column("ownerid", "Owner", OWNER),
    Column("owningbusinessunit", "Owning Business Unit", ID),
    Column("regardingobjectid", "Regarding", ID),
    Column("statecode", "Activity Status", CHOICE),
    Column("statuscode", "Status Reason", CHOICE),
    Column("prioritycode", "Priority", CHOICE),
    Column("scheduledstart", "Start", DATE),
    Column("scheduledend", "Due / End", DATE),
    Column("actualstart", "Actual Start", DATE),
    Column("actualend", "Actual End", DATE),
    Column("createdon", "Created On", DATE),
    Column("modifiedon", "Modified On", DATE),
    Column("createdby", "Created By", ID),
    Column("modifiedby", "Modified By", ID),
    Column("category", "Category", TEXT),
    Column("subcategory", "Sub-Category", TEXT),
    Column("activityid", "Activity", ID),
)
_ATTENDEES = (
    Column("requiredattendees", "Required Attendees", PARTIES),
    Column("optionalattendees", "Optional Attendees", PARTIES),
    Column("organizer", "Organizer", PARTIES),
)
_ADDRESS = {
    "line1": "Street 1",
    "line2": "Street 2",
    "line3": "Street 3",
    "city": "City",
    "stateorprovince": "State/Province",
    "postalcode": "ZIP/Postal Code",
    "country": "Country/Region",
}
_CONTACT = (
    Column("contactid", "Contact", ID),
    Column("fullname", "Full Name", TEXT),
    Column("firstname", "First Name", TEXT),
    Column("middlename", "Middle Name", TEXT),
    Column("lastname", "Last Name", TEXT),
    Column("salutation", "Salutation", TEXT),
    Column("suffix", "Suffix", TEXT),
    Column("nickname", "Nickname", TEXT),
    Column("yomifirstname", "Yomi First Name", TEXT),
    Column("yomilastname", "Yomi Last Name", TEXT),
    Column("jobtitle", "Job Title", TEXT),
    Column("department", "Department", TEXT),
    Column("company", "Company Phone", TEXT),
    Column("governmentid", "Government", TEXT),
    Column("emailaddress1", "Email", TEXT),
    Column("emailaddress2", "Email Address 2", TEXT),
    Column("emailaddress3", "Email Address 3", TEXT),
    Column("telephone1", "Business Phone", TEXT),
    Column("telephone2", "Home Phone", TEXT),
    Column("telephone3", "Telephone 3", TEXT),
    Column("business2", "Business Phone 2", TEXT),
    Column("home2", "Home Phone 2", TEXT),
    Column("mobilephone", "Mobile Phone", TEXT),
    Column("callback", "Callback Number", TEXT),
    Column("fax", "Fax", TEXT),
    Column("pager", "Pager", TEXT),
    Column("websiteurl", "Website", TEXT),
    Column("ftpsiteurl", "FTP Site", TEXT),
    Column("assistantname", "Assistant", TEXT),
    Column("assistantphone", "Assistant Phone", TEXT),
    Column("managername", "Manager", TEXT),
    Column("spousesname", "Spouse/Partner Name", TEXT),
    Column("childrensnames", "Children's Names", TEXT),
    Column("description", "Description", TEXT),
    Column("parentcustomerid", "Company Name", ID, tree=True),
    *(
        Column(f"address{number}_{part}", f"Address {number}: {label}", TEXT)
        for number in (1, 2, 3)
        for part, label in _ADDRESS.items()
    ),
    Column("birthdate", "Birthday", DATE, date_only=True),
    Column("anniversary", "Anniversary", DATE, date_only=True),
    Column("ownerid", "Owner", OWNER),
    Column("owningbusinessunit", "Owning Business Unit", ID),
    Column("statecode", "Status", CHOICE),
    Column("statuscode", "Status Reason", CHOICE),
    Column("donotemail", "Do not allow Emails", CHOICE),
    Column("customertypecode", "Relationship Type", CHOICE),
    Column("createdon", "Created On", DATE),
    Column("modifiedon", "Modified On", DATE),
)
_MASTER = (
    Column("location", "Location", TEXT),
    Column("isalldayevent", "All Day Event", CHOICE),
    *_ATTENDEES,
    Column("recurrencepatterntype", "Recurrence Pattern", CHOICE),
    Column("effectivestartdate", "Effective Start Date", DATE, date_only=True),
    Column("effectiveenddate", "Effective End Date", DATE),
    Column("patternstartdate", "Pattern Start", DATE, date_only=True),
    Column("patternenddate", "Pattern End", DATE, date_only=True),
    Column("patternendtype", "Pattern End Type", CHOICE),
    Column("occurrences", "Occurrences", NUMBER),
    Column("interval", "Interval", NUMBER),
    Column("dayofmonth", "Day of Month", NUMBER),
    Column("daysofweekmask", "Days of Week", NUMBER),
    Column("firstdayofweek", "First Day of Week", NUMBER),
    Column("instance", "Instance", CHOICE),
    Column("monthofyear", "Month of Year", CHOICE),
    Column("isnthmonthly", "Nth Monthly", CHOICE),
    Column("isnthyearly", "Nth Yearly", CHOICE),
    Column("isweekdaypattern", "Every Weekday", CHOICE),
    Column("starttime", "Start Time", DATE),
    Column("endtime", "End Time", DATE),
    Column("duration", "Duration", NUMBER),
)
_DONE = {"0": "Open", "1": "Completed", "2": "Canceled"}
_PLANNED = {**_DONE, "3": "Scheduled"}
_IN_USE = {"0": "Active", "1": "Inactive"}

_TABLES = (
    Table("contact", "Contact", "Contacts", True, True, _columns(*_CONTACT), _IN_USE),
    Table(
        "appointment",
        "Appointment",
        "Appointments",
        True,
        True,
        _columns(
            *_ACTIVITY,
            Column("location", "Location", TEXT),
            Column("isalldayevent", "All Day Event", CHOICE),
            Column("scheduleddurationminutes", "Duration", NUMBER),
            Column("instancetypecode", "Appointment Type", CHOICE),
            *_ATTENDEES,
        ),
        _PLANNED,
    ),
    Table(
        "recurringappointmentmaster",
        "Recurring Appointment",
        "Recurring appointments",
        True,
        True,
        _columns(*_ACTIVITY, *_MASTER),
        _PLANNED,
    ),
    Table(
        "serviceappointment",
        "Service Activity",
        "Service activities",
        True,
        True,
        _columns(
            *_ACTIVITY,
            Column("location", "Delivery Location", TEXT),
            Column("isalldayevent", "All Day Event", CHOICE),
            Column("scheduleddurationminutes", "Duration", NUMBER),
            Column("serviceid", "Service", ID),
            Column("siteid", "Site", ID),
            Column("customers", "Customers", PARTIES),
            Column("resources", "Resources", PARTIES),
            *_ATTENDEES,
        ),
        {"0": "Open", "1": "Closed", "2": "Canceled", "3": "Scheduled"},
    ),
    Table(
        "task",
        "Task",
        "Tasks",
        True,
        True,
        _columns(*_ACTIVITY, Column("percentcomplete", "Percent Complete", NUMBER)),
        _DONE,
    ),
    Table(
        "phonecall",
        "Phone Call",
        "Phone calls",
        True,
        True,
        _columns(
            *_ACTIVITY,
            Column("phonenumber", "Phone Number", TEXT),
            Column("directioncode", "Direction", CHOICE),
        ),
        _DONE,
    ),
    Table("letter", "Letter", "Letters", True, True, _columns(*_ACTIVITY), _DONE),
    Table(
        "fax",
        "Fax",
        "Faxes",
        True,
        True,
        _columns(*_ACTIVITY, Column("faxnumber", "Fax Number", TEXT)),
        _DONE,
    ),
    Table(
        "account",
        "Account",
        "Accounts",
        False,
        True,
        _columns(
            Column("accountid", "Account", ID),
            Column("name", "Account Name", TEXT),
            Column("ownerid", "Owner", OWNER),
            Column("parentaccountid", "Parent Account", TREE),
            Column("statecode", "Status", CHOICE),
            Column("statuscode", "Status Reason", CHOICE),
            Column("address1_city", "Address 1: City", TEXT),
            Column("createdon", "Created On", DATE),
            Column("modifiedon", "Modified On", DATE),
        ),
        _IN_USE,
    ),
    Table(
        "activityparty",
        "Activity Party",
        "Activity parties",
        False,
        False,
        _columns(
            Column("activitypartyid", "Activity Party", ID),
            Column("activityid", "Activity", ID),
            Column("partyid", "Party", ID),
            Column("participationtypemask", "Participation Type", CHOICE),
            Column("addressused", "Address Used", TEXT),
        ),
        {},
    ),
)

CATALOGUE: Mapping[str, Table] = {table.name: table for table in _TABLES}
"""Every known table by its logical name. What is neither online nor offline can only be linked."""


def known_column(table: str, name: str) -> Column | None:
    """What is known of a column. None: it cannot be verified."""
    return CATALOGUE[table].columns.get(name) if table in CATALOGUE else None


RECORD_TYPES: Mapping[str, RecordType] = {table: kind for kind, table in TABLES.items()}
"""What is synchronized, by the logical name of its table."""

PARTICIPATION: Mapping[str, str] = {
    "1": "sender",
    "2": "recipient",
    "3": "CC recipient",
    "4": "BCC recipient",
    "5": "required attendee",
    "6": "optional attendee",
    "7": "organizer",
    "8": "regarding",
    "9": "owner",
    "10": "resource",
    "11": "customer",
    "12": "chat participant",
}
"""The words for `participationtypemask` of an activity party."""
