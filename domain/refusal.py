"""Why not: the public codes. The refusals themselves stand with the topic that refuses.

Law: a refusal is a value with a code, a sentence and what would help. It is never raised.
"""

from enum import StrEnum


class RefusalCode(StrEnum):
    NOT_PERMITTED = "NOT_PERMITTED"
    ENVIRONMENT_NOT_FOUND = "ENVIRONMENT_NOT_FOUND"
    ENVIRONMENT_ARCHIVED = "ENVIRONMENT_ARCHIVED"
    ENVIRONMENT_EXISTS = "ENVIRONMENT_EXISTS"
    NOTHING_ASKED = "NOTHING_ASKED"
    TOO_MANY_CHANGES = "TOO_MANY_CHANGES"
    WARNING_NOT_ACKNOWLEDGED = "WARNING_NOT_ACKNOWLEDGED"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    LAST_ADMINISTRATOR = "LAST_ADMINISTRATOR"
