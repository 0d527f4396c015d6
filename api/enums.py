"""The domain's words as GraphQL enums, with a description for each value.

Law: names and values are the domain's own; only descriptions are added. A value without one stops
the start. The schema's other modules take the words from here, so that they are described first.
"""

from enum import Enum, StrEnum

import strawberry
from strawberry.types.enum import has_enum_definition

from domain.actor import Permission, SecurityRole
from domain.filters.criteria import GroupOperator, LinkType
from domain.filters.state import FilterKind, FilterRole
from domain.lifecycle import EnvironmentKind, EnvironmentState
from domain.mapping_table import RecordType, SyncDirection
from domain.refusal import RefusalCode
from domain.switches import MailingAddresses
from domain.sync_items import SyncItemType
from domain.tab import Section
from domain.warning import WarningCode

__all__ = [
    "Answer",
    "ChangeMode",
    "ChangeOrder",
    "EnvironmentKind",
    "EnvironmentState",
    "FilterKind",
    "FilterRole",
    "GroupOperator",
    "LinkType",
    "MailingAddresses",
    "Permission",
    "RecordType",
    "RefusalCode",
    "Section",
    "SecurityRole",
    "SyncDirection",
    "SyncItemType",
    "WarningCode",
]


class Answer(StrEnum):
    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


class ChangeMode(StrEnum):
    APPLY = "APPLY"
    PREVIEW = "PREVIEW"


class ChangeOrder(StrEnum):
    NEWEST_FIRST = "NEWEST_FIRST"
    OLDEST_FIRST = "OLDEST_FIRST"


def described(words: type[Enum], meaning: str, **meanings: str) -> None:
    """Give an enum and each of its values a description in the schema."""
    strawberry.enum(words, description=meaning)
    if has_enum_definition(words):
        for value in words.__strawberry_definition__.values:
            value.description = meanings[value.name]


described(
    Answer,
    "What is known of something.",
    YES="It is so.",
    NO="It is not so.",
    UNKNOWN="It depends on what was left out.",
)
described(
    ChangeMode,
    "Whether to make a change, or only to see what it would do.",
    APPLY="Make the change.",
    PREVIEW="Write nothing; tell what applying would do now.",
)
described(
    ChangeOrder,
    "From which end a history is read.",
    NEWEST_FIRST="The latest change first.",
    OLDEST_FIRST="The first change first.",
)
described(
    SecurityRole,
    "What lets a principal act in one environment.",
    SYSTEM_ADMINISTRATOR="Everything in the environment, roles and lifecycle included.",
    SYSTEM_CUSTOMIZER="Reads and changes settings, reads history, follows the feed.",
    AUDITOR="Reads settings, members and history, follows the feed.",
    SYNC_WORKER="Reads settings and follows the feed.",
    BASIC_USER="Reads settings.",
)
described(
    Permission,
    "What may be done in an environment. Roles grant permissions.",
    READ_SETTINGS="Read the synchronization settings.",
    CHANGE_SETTINGS="Change them, and preview changes.",
    READ_HISTORY="Read what happened, who did it, and who held which role.",
    FOLLOW_FEED="Follow the settings feed.",
    MANAGE_ROLES="Grant and revoke security roles.",
    MANAGE_ENVIRONMENT="Rename, archive and restore the environment.",
    REGISTER_ENVIRONMENT="Register new environments. Only platform administrators may.",
)
described(
    EnvironmentKind,
    "What an environment is for.",
    PRODUCTION="Where the organization works.",
    SANDBOX="A copy to try things in.",
    DEVELOPER="One developer's own.",
    TRIAL="Ends by itself.",
    DEFAULT="The one that every organization is given.",
)
described(
    EnvironmentState,
    "Whether an environment can be changed.",
    ACTIVE="In use.",
    ARCHIVED="Name and settings are frozen; nothing is lost.",
)
described(
    MailingAddresses,
    "Which addresses of an Outlook contact are synchronized.",
    MAILING_ONLY="The mailing address alone.",
    ALL_THREE="Business, Home and Other.",
)
described(
    RecordType,
    "What is synchronized.",
    APPOINTMENT="Appointments; meetings in Outlook.",
    CONTACT="Contacts.",
    FAX="Faxes; tasks in Outlook.",
    LETTER="Letters; tasks in Outlook.",
    PHONE_CALL="Phone calls; tasks in Outlook.",
    RECURRING_APPOINTMENT="Series of appointments.",
    SERVICE_ACTIVITY="Service activities; to Exchange only.",
    TASK="Tasks.",
)
described(
    SyncItemType,
    "What a sync worker has at hand: one of the record types, or a booking.",
    APPOINTMENT="An appointment; a meeting in Outlook.",
    CONTACT="A contact.",
    FAX="A fax; a task in Outlook.",
    LETTER="A letter; a task in Outlook.",
    PHONE_CALL="A phone call; a task in Outlook.",
    RECURRING_APPOINTMENT="A series of appointments.",
    SERVICE_ACTIVITY="A service activity; each user has a copy of it.",
    TASK="A task.",
    RESOURCE_BOOKING="A booking of a Field Service resource.",
)
described(
    SyncDirection,
    "Which side of a field mapping is written.",
    NONE="Neither side.",
    TO_EXCHANGE="Dynamics writes Exchange; what is edited there stays until it is overwritten.",
    TO_CRM="Exchange writes Dynamics.",
    BOTH="The later change on either side is written to the other.",
)
described(
    FilterKind,
    "What a filter is for.",
    ONLINE="What travels to Outlook or Exchange.",
    OFFLINE="What users of Dynamics 365 for Outlook carry offline.",
)
described(
    FilterRole,
    "How a filter comes to a user.",
    SYSTEM_FILTER="It applies to everybody.",
    USER_FILTER_TEMPLATE="It is copied to users, as filters of their own.",
)
described(
    GroupOperator,
    "How much of a group must hold.",
    AND="All of it.",
    OR="One of it.",
)
described(
    LinkType,
    "What is asked of related records.",
    INNER="One is there that fits; conditions can test its columns.",
    OUTER="Nothing; conditions can test the columns of those that fit.",
    ANY="One is there that fits.",
    NOT_ANY="None is there that fits.",
    ALL="None is there that does not fit.",
    NOT_ALL="One is there that does not fit.",
)
described(
    Section,
    "Where on the Synchronization tab a setting stands.",
    SYSTEM_FILTERS="Filters and templates of what travels.",
    SYNCHRONIZED_FIELDS="Which fields travel, and in which direction.",
    OFFLINE_FILTERS="Filters and templates of what is carried offline.",
    APPOINTMENTS="Attachments of appointments.",
    CONTACTS="Addresses of contacts.",
    TASKS="Tasks that were assigned in Outlook.",
    RESOURCE_BOOKINGS="Bookings of resources.",
)
described(
    WarningCode,
    "A consequence worth knowing before a change.",
    ADDRESSES_CAN_LOSE_DATA="Addresses of tracked contacts may be overwritten or emptied.",
    ADDRESSES_ARE_PAIRED_BACK="The first address is paired with the mailing address again.",
    ATTACHMENTS_USE_DATABASE_SPACE="Attachments take up database space.",
    ATTACHMENTS_SKIP_RECURRING_AND_SERVICE=(
        "Attachments of recurring appointments and service activities do not travel."
    ),
    ASSIGNED_TASKS_HAVE_LIMITS="Not every assigned task can be synchronized.",
    BOOKINGS_NEED_USER_OPT_IN="Bookings also need each user's consent.",
    DIRECTION_AFFECTS_SYNC_TIME="Synchronization may take longer or shorter.",
    LAST_ACTIVE_FILTER="No active system filter of the record type is left.",
    TEMPLATE_COPIES_STAY="Users who have a copy of the template keep it as it is.",
    TEMPLATE_IS_INACTIVE="The template that new users are to be given is not active.",
    UNVERIFIED_COLUMN="The catalogue does not know a column; the organization may have it.",
)
described(
    RefusalCode,
    "Why something was refused.",
    NOT_PERMITTED="The viewer's roles do not allow it.",
    ENVIRONMENT_NOT_FOUND="There is no such environment that the viewer may see.",
    ENVIRONMENT_ARCHIVED="The environment is archived.",
    ENVIRONMENT_EXISTS="The key is taken.",
    NOTHING_ASKED="The list of changes is empty.",
    TOO_MANY_CHANGES="The list of changes is too long.",
    WARNING_NOT_ACKNOWLEDGED="A warning must be acknowledged by its code first.",
    CHANGED_MEANWHILE="A setting was changed after the expected position.",
    REQUEST_ID_REUSED="The request id stands for another request.",
    UNKNOWN_MAPPING="There is no such field mapping.",
    DIRECTION_NOT_SETTABLE="The direction of this mapping is fixed.",
    UNKNOWN_SETTING="The tab has no such setting, neither here nor where it is to come from.",
    CANNOT_BE_RESTORED="A setting cannot be as it stands where it is to come from.",
    FILTER_NOT_FOUND="There is no such filter, or no such template.",
    FILTER_NOT_VALID="The criteria do not make sense; every problem is told with its place.",
    FILTER_NAME_TAKEN="Another filter of this role, kind and table has the name, or the key.",
    TABLE_NOT_SYNCHRONIZED="No filter of this kind can be about the table.",
    TEMPLATE_IS_GIVEN="New users are given this template.",
    TOO_MANY_FILTERS="The environment has as many filters as it may.",
    LAST_ADMINISTRATOR="The environment would be left without a system administrator.",
    PRINCIPAL_ERASED="Whoever is to hold the role, or whoever asks, was erased.",
)
