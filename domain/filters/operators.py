"""The 83 operators of a condition: what each compares, how many values it takes, what it needs.

Law: data (domain reference 3.5, `catalogue: 1`), kept by name; numbers of the SDK are not kept,
since public copies of them disagree.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class ColumnType(StrEnum):
    """What a column holds, as far as an operator cares."""

    CHOICE = "choice"
    DATE_TIME = "dateTime"
    HIERARCHICAL = "hierarchical"
    NUMBER = "number"
    OWNER = "owner"
    STRING = "string"
    UNIQUE_ID = "uniqueId"
    PARTY_LIST = "partyList"


class ValueType(StrEnum):
    """What the values of a condition are."""

    NONE = "none"
    AS_COLUMN = "sameAsColumn"
    TEXT = "string"
    CHOICE = "choiceValue"
    RECORD = "recordId"
    DATE = "date"
    COUNT = "positiveInteger"
    FISCAL_YEAR = "fiscalYear"
    FISCAL_PERIOD = "fiscalPeriod"
    FISCAL_PERIOD_AND_YEAR = "fiscalPeriod,fiscalYear"


class Needs(StrEnum):
    """What besides the record decides whether a condition holds."""

    USER = "calling user"
    CLOCK = "clock"
    ZONE = "user time zone"
    FISCAL = "organization fiscal calendar"


class Operator(NamedTuple):
    """`most`: None is any number; `date_only`: whether it fits a column without time of day."""

    name: str
    label: str
    types: frozenset[ColumnType]
    fewest: int
    most: int | None
    values: ValueType
    needs: tuple[Needs, ...] = ()
    date_only: bool = True

    @property
    def value_count(self) -> str:
        """`0`, `1`, `2` or `1..n`."""
        return str(self.fewest) if self.fewest == self.most else f"{self.fewest}..n"


_LETTERS = {
    "C": ColumnType.CHOICE,
    "D": ColumnType.DATE_TIME,
    "H": ColumnType.HIERARCHICAL,
    "N": ColumnType.NUMBER,
    "O": ColumnType.OWNER,
    "S": ColumnType.STRING,
    "U": ColumnType.UNIQUE_ID,
}
_USER = (Needs.USER,)
_CLOCK = (Needs.CLOCK, Needs.ZONE)
_FISCAL_NOW = (Needs.CLOCK, Needs.FISCAL)
_FISCAL = (Needs.FISCAL,)
_ANY: int | None = None


def _types(letters: str) -> frozenset[ColumnType]:
    return frozenset(_LETTERS[letter] for letter in letters)


_EVERY = _types("CDHNOSU")
_LISTED = _types("CNOSU")
_ORDERED = _types("NDS")
_RANGED = _types("ND")
_TEXT = _types("S")
_CHOICE = _types("C")
_ID = _types("U")
_TREE = _types("H")
_DATE = _types("D")

_ROWS = (
    Operator("eq", "Equals", _EVERY, 1, 1, ValueType.AS_COLUMN),
    Operator("ne", "Does Not Equal", _EVERY, 1, 1, ValueType.AS_COLUMN),
    Operator("neq", "Does Not Equal", _EVERY, 1, 1, ValueType.AS_COLUMN),
    Operator("gt", "Is Greater Than", _ORDERED, 1, 1, ValueType.AS_COLUMN),
    Operator("ge", "Is Greater Than or Equal To", _ORDERED, 1, 1, ValueType.AS_COLUMN),
    Operator("lt", "Is Less Than", _ORDERED, 1, 1, ValueType.AS_COLUMN),
    Operator("le", "Is Less Than or Equal To", _ORDERED, 1, 1, ValueType.AS_COLUMN),
    Operator("between", "Is Between", _RANGED, 2, 2, ValueType.AS_COLUMN),
    Operator("not-between", "Is Not Between", _RANGED, 2, 2, ValueType.AS_COLUMN),
    Operator("in", "Equals (one of)", _LISTED, 1, _ANY, ValueType.AS_COLUMN),
    Operator("not-in", "Does Not Equal (any of)", _LISTED, 1, _ANY, ValueType.AS_COLUMN),
    Operator("null", "Does Not Contain Data", _EVERY, 0, 0, ValueType.NONE),
    Operator("not-null", "Contains Data", _EVERY, 0, 0, ValueType.NONE),
    Operator("like", "Contains / pattern", _TEXT, 1, 1, ValueType.TEXT),
    Operator("not-like", "Does Not Contain / pattern", _TEXT, 1, 1, ValueType.TEXT),
    Operator("begins-with", "Begins With", _TEXT, 1, 1, ValueType.TEXT),
    Operator("not-begin-with", "Does Not Begin With", _TEXT, 1, 1, ValueType.TEXT),
    Operator("ends-with", "Ends With", _TEXT, 1, 1, ValueType.TEXT),
    Operator("not-end-with", "Does Not End With", _TEXT, 1, 1, ValueType.TEXT),
    Operator("contain-values", "Contains Values", _CHOICE, 1, _ANY, ValueType.CHOICE),
    Operator("not-contain-values", "Does Not Contain Values", _CHOICE, 1, _ANY, ValueType.CHOICE),
    Operator("eq-userid", "Equals Current User", _ID, 0, 0, ValueType.NONE, _USER),
    Operator("ne-userid", "Does Not Equal Current User", _ID, 0, 0, ValueType.NONE, _USER),
    Operator(
        "eq-userteams", "Equals Current User's Teams", _types("O"), 0, 0, ValueType.NONE, _USER
    ),
    Operator(
        "eq-useroruserteams",
        "Equals Current User Or User's Teams",
        _types("O"),
        0,
        0,
        ValueType.NONE,
        _USER,
    ),
    Operator(
        "eq-useroruserhierarchy",
        "Equals Current User Or Their Reporting Hierarchy",
        _TREE,
        0,
        0,
        ValueType.NONE,
        _USER,
    ),
    Operator(
        "eq-useroruserhierarchyandteams",
        "Equals Current User And Their Teams Or Their Reporting Hierarchy And Their Teams",
        _TREE,
        0,
        0,
        ValueType.NONE,
        _USER,
    ),
    Operator("eq-userlanguage", "Equals User's Language", _types("N"), 0, 0, ValueType.NONE, _USER),
    Operator("eq-businessid", "Equals Current Business Unit", _ID, 0, 0, ValueType.NONE, _USER),
    Operator(
        "ne-businessid", "Does Not Equal Current Business Unit", _ID, 0, 0, ValueType.NONE, _USER
    ),
    Operator("above", "Above", _TREE, 1, 1, ValueType.RECORD),
    Operator("eq-or-above", "Above or Equal", _TREE, 1, 1, ValueType.RECORD),
    Operator("under", "Under", _TREE, 1, 1, ValueType.RECORD),
    Operator("eq-or-under", "Under or Equal", _TREE, 1, 1, ValueType.RECORD),
    Operator("not-under", "Not Under", _TREE, 1, 1, ValueType.RECORD),
    Operator("on", "On", _DATE, 1, 1, ValueType.DATE),
    Operator("on-or-after", "On or After", _DATE, 1, 1, ValueType.DATE),
    Operator("on-or-before", "On or Before", _DATE, 1, 1, ValueType.DATE),
    *(
        Operator(name, label, _DATE, 0, 0, ValueType.NONE, _CLOCK)
        for name, label in (
            ("yesterday", "Yesterday"),
            ("today", "Today"),
            ("tomorrow", "Tomorrow"),
            ("last-seven-days", "Last 7 Days"),
            ("next-seven-days", "Next 7 Days"),
            ("last-week", "Last Week"),
            ("this-week", "This Week"),
            ("next-week", "Next Week"),
            ("last-month", "Last Month"),
            ("this-month", "This Month"),
            ("next-month", "Next Month"),
            ("last-year", "Last Year"),
            ("this-year", "This Year"),
            ("next-year", "Next Year"),
        )
    ),
    *(
        Operator(
            f"{side}-x-{unit}",
            f"{side.capitalize()} X {unit.capitalize()}",
            _DATE,
            1,
            1,
            ValueType.COUNT,
            _CLOCK,
            unit != "hours",
        )
        for unit in ("hours", "days", "weeks", "months", "years")
        for side in ("last", "next")
    ),
    *(
        Operator(
            f"olderthan-x-{unit}",
            f"Older Than X {unit.capitalize()}",
            _DATE,
            1,
            1,
            ValueType.COUNT,
            _CLOCK,
            unit not in {"minutes", "hours"},
        )
        for unit in ("minutes", "hours", "days", "weeks", "months", "years")
    ),
    *(
        Operator(
            f"{side}-fiscal-{unit}",
            f"{side.capitalize()} Fiscal {unit.capitalize()}",
            _DATE,
            0,
            0,
            ValueType.NONE,
            _FISCAL_NOW,
        )
        for unit in ("period", "year")
        for side in ("last", "this", "next")
    ),
    *(
        Operator(
            f"{side}-x-fiscal-{unit}",
            f"{side.capitalize()} X Fiscal {unit.capitalize()}",
            _DATE,
            1,
            1,
            ValueType.COUNT,
            _FISCAL_NOW,
        )
        for unit in ("periods", "years")
        for side in ("last", "next")
    ),
    Operator("in-fiscal-year", "In Fiscal Year", _DATE, 1, 1, ValueType.FISCAL_YEAR, _FISCAL),
    Operator("in-fiscal-period", "In Fiscal Period", _DATE, 1, 1, ValueType.FISCAL_PERIOD, _FISCAL),
    *(
        Operator(
            f"{name}-fiscal-period-and-year",
            f"{label} Fiscal Period and Year",
            _DATE,
            2,
            2,
            ValueType.FISCAL_PERIOD_AND_YEAR,
            _FISCAL,
        )
        for name, label in (
            ("in", "In"),
            ("in-or-before", "In or Before"),
            ("in-or-after", "In or After"),
        )
    ),
)

OPERATORS: Mapping[str, Operator] = {row.name: row for row in _ROWS}
"""Every operator by the name FetchXML has for it."""

ALIASES: Mapping[str, str] = {"neq": "ne"}
"""Accepted, and written as the other from then on."""

COMPARES_COLUMNS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
"""Those that can compare with another column in place of a value (domain reference 3.4)."""
