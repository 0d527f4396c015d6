"""The names and numbers that Dataverse has for what is a setting here: data, no logic.

Domain reference 1.2, 2.5, 3.1 and 7.1.

Law: one table for both ways, so that what is exported is what is imported.
"""

from collections.abc import Mapping
from uuid import UUID, uuid5

from domain.filters.state import FilterKind, FilterRole
from domain.mapping_table import RecordType, SyncDirection
from domain.switches import APPOINTMENT_ATTACHMENTS, ASSIGNED_TASKS, RESOURCE_BOOKINGS

MAILING_ADDRESS_COLUMN = "iscontactmailingaddresssyncenabled"
"""True means the mailing address only."""
SWITCH_COLUMNS: Mapping[str, str] = {
    "isappointmentattachmentsyncenabled": APPOINTMENT_ATTACHMENTS,
    "isassignedtaskssyncenabled": ASSIGNED_TASKS,
    "isresourcebookingexchangesyncenabled": RESOURCE_BOOKINGS,
}

QUERY_TYPES: Mapping[int, tuple[FilterRole, FilterKind]] = {
    256: (FilterRole.SYSTEM_FILTER, FilterKind.ONLINE),
    16: (FilterRole.SYSTEM_FILTER, FilterKind.OFFLINE),
    131072: (FilterRole.USER_FILTER_TEMPLATE, FilterKind.ONLINE),
    8192: (FilterRole.USER_FILTER_TEMPLATE, FilterKind.OFFLINE),
}
OURS = "@syncledger."
"""How our annotations begin, which readers of the Web API pass over."""
FILTER_KEY = f"{OURS}filterKey"
_QUERY_COLUMNS_WITHOUT_MEANING = (
    "advancedgroupby canbedeleted columnsetxml conditionalformatting createdon "
    "enablecrosspartition introducedversion iscustom iscustomizable ismanaged isprivate "
    "isquickfindquery isuserdefined layoutjson layoutxml modifiedon offlinesqlquery overwritetime "
    "organizationtaborder queryapi queryappusage roledisplayconditionsxml savedqueryidunique "
    "solutionid supportingsolutionid versionnumber _createdby_value _createdonbehalfby_value "
    "_modifiedby_value _modifiedonbehalfby_value _organizationid_value"
)
QUERY_COLUMNS_WITHOUT_MEANING = frozenset(_QUERY_COLUMNS_WITHOUT_MEANING.split())
"""What a saved query has besides, none of which chooses records."""
UNPUBLISHED, GONE = 1, frozenset({2, 3})
"""States of a component: that nobody uses yet, and those that are deleted."""
IDS = UUID("73796e63-6c65-4467-8572-66696c746572")
"""A filter that is exported has the same id everywhere, made from its key."""


def exported_id(key: str) -> UUID:
    """The id that a filter of this key is exported with."""
    return uuid5(IDS, key)


TYPE_CODES: Mapping[RecordType, int] = {
    RecordType.APPOINTMENT: 4201,
    RecordType.CONTACT: 2,
    RecordType.FAX: 4204,
    RecordType.LETTER: 4207,
    RecordType.PHONE_CALL: 4210,
    RecordType.RECURRING_APPOINTMENT: 4251,
    RecordType.SERVICE_ACTIVITY: 4214,
    RecordType.TASK: 4212,
}
DIRECTIONS: Mapping[SyncDirection, int] = {
    SyncDirection.NONE: 0,
    SyncDirection.TO_EXCHANGE: 1,
    SyncDirection.TO_CRM: 2,
    SyncDirection.BOTH: 3,
}
EVERY_DIRECTION = sum(4 << number for number in DIRECTIONS.values())
"""As a mask of directions that are allowed."""
MAPPING_KEY = f"{OURS}mapping"
_MAPPING_COLUMNS_WITHOUT_MEANING = (
    "attributecrmdisplayname attributeexchangedisplayname attributeexchangename "
    "attributemappingid computedproperties defaultsyncdirection iscomputed ismanaged "
    "overwritetime solutionid supportingsolutionid syncattributemappingid "
    "syncattributemappingidunique syncattributemappingprofileid "
    "_syncattributemappingprofileid_value"
)
MAPPING_COLUMNS_WITHOUT_MEANING = frozenset(_MAPPING_COLUMNS_WITHOUT_MEANING.split())
"""What a mapping has besides: what it is here by itself, and bookkeeping of solutions."""
