"""The rows of Dataverse's Web API that are settings here (domain reference 2.5 and 7.1).

Law: a row is one of these, or is refused; what it has besides is listed, and never guessed at; what
it does not say is not made up.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from app.dataverse import (
    FILTER_KEY,
    GONE,
    MAPPING_COLUMNS_WITHOUT_MEANING,
    MAPPING_KEY,
    OURS,
    QUERY_COLUMNS_WITHOUT_MEANING,
    UNPUBLISHED,
)
from app.json_rows import Row
from domain.filters.problem import shown


def _flag(value: object) -> object:
    """0 and 1 are taken too; null is no value of such a column."""
    if isinstance(value, int) and value in {0, 1}:
        return bool(value)
    raise ValueError("true or false is needed")


def _whole(value: object) -> object:
    """What JSON knows besides whole numbers is none, even where Python takes it for one."""
    if type(value) is int:
        return value
    raise ValueError("a whole number is needed")


Flag = Annotated[bool, BeforeValidator(_flag)]
State = Annotated[Literal[0, 1], BeforeValidator(_whole)]
Status = Annotated[Literal[1, 2], BeforeValidator(_whole)]
QueryType = Annotated[Literal[16, 256, 8192, 131072], BeforeValidator(_whole)]
ComponentState = Annotated[Literal[0, 1, 2, 3], BeforeValidator(_whole)]
Direction = Annotated[Literal[0, 1, 2, 3], BeforeValidator(_whole)]


class _Row(BaseModel):
    """What a row does not say is not in `model_fields_set`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Organization(_Row):
    """The one row of an environment."""

    organizationid: str | None = None
    isappointmentattachmentsyncenabled: Flag = False
    isassignedtaskssyncenabled: Flag = False
    isresourcebookingexchangesyncenabled: Flag = False
    iscontactmailingaddresssyncenabled: Flag = True


class SavedQuery(_Row):
    """A system filter or a template."""

    filter_key: str | None = Field(None, validation_alias=FILTER_KEY.casefold())
    savedqueryid: str | None = None
    name: str
    description: str | None = None
    returnedtypecode: str
    querytype: QueryType
    isdefault: Flag = False
    fetchxml: str | None = None
    statecode: State = 0
    statuscode: Status = 1
    componentstate: ComponentState = 0

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        both = {"statecode", "statuscode"} <= self.model_fields_set
        if both and self.statuscode != self.statecode + 1:
            told = f"statecode {self.statecode} and statuscode {self.statuscode}"
            raise ValueError(f"{told} are not of one state")
        if self.componentstate == UNPUBLISHED:
            raise ValueError("What is not published says nothing here. Leave it out")
        if self.savedqueryid is not None:
            UUID(self.savedqueryid)
        return self

    @property
    def active(self) -> bool | None:
        """None where the row does not say."""
        said = {"statecode", "statuscode"} & self.model_fields_set
        return self.statecode == 0 and self.statuscode == 1 if said else None

    @property
    def given(self) -> bool | None:
        """Whether new users get a copy; None where the row does not say."""
        if self.gone:
            return False
        return self.isdefault if "isdefault" in self.model_fields_set else None

    @property
    def gone(self) -> bool:
        return self.componentstate in GONE


class AttributeMapping(_Row):
    """A field mapping, by our key or by its entity and name."""

    mapping: str | None = Field(None, validation_alias=MAPPING_KEY.casefold())
    mappingname: str | None = None
    entitytypecode: int | str | None = None
    entityname: str | None = None
    syncdirection: Direction
    componentstate: ComponentState = 0
    attributecrmname: str | None = None
    allowedsyncdirection: int | None = None
    parentsyncattributemappingid: str | None = None
    parent: str | None = Field(None, validation_alias="_parentsyncattributemappingid_value")

    @model_validator(mode="after")
    def _is_there(self) -> Self:
        if self.componentstate != 0:
            raise ValueError(
                "A mapping that is deleted or not published says nothing here. Leave it out"
            )
        if self.allowedsyncdirection and not self.allowedsyncdirection & 4 << self.syncdirection:
            told = f"syncdirection {self.syncdirection} is none of"
            raise ValueError(f"{told} allowedsyncdirection {self.allowedsyncdirection}")
        return self

    @property
    def child(self) -> bool:
        """Whether it follows another mapping, of which it is a part."""
        return self.parentsyncattributemappingid is not None or self.parent is not None


type Known = Organization | SavedQuery | AttributeMapping

KINDS: tuple[tuple[type[Known], frozenset[str], frozenset[str]], ...] = (
    (
        SavedQuery,
        frozenset({"fetchxml", "querytype", FILTER_KEY.casefold()}),
        QUERY_COLUMNS_WITHOUT_MEANING,
    ),
    (
        AttributeMapping,
        frozenset({"syncdirection", "mappingname", MAPPING_KEY.casefold()}),
        MAPPING_COLUMNS_WITHOUT_MEANING,
    ),
    (Organization, frozenset(Organization.model_fields), frozenset()),
)
"""Each with the columns by which it is known, and those that mean nothing here."""


class Understood(NamedTuple):
    """`unknown`: columns that mean something elsewhere. `wrong`: what is the matter with others."""

    row: Known | None
    unknown: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


def understood(row: Row) -> Understood:
    """A row by what it has; names in any case, as both of the product's shapes write them."""
    times = Counter(map(str.casefold, row))
    twice = [name for name in row if times[name.casefold()] > 1]
    if twice:
        return Understood(None, wrong=(f"It has {' and '.join(map(shown, twice))}.",))
    named = {name.casefold(): value for name, value in row.items()}
    for kind, marks, meaningless in KINDS:
        if marks.isdisjoint(named):
            continue
        fields = {str(field.validation_alias or name) for name, field in kind.model_fields.items()}
        meant = {name: value for name, value in named.items() if name in fields}
        rest = [name for name in row if name.casefold() not in fields | meaningless]
        unknown = tuple(name for name in rest if "@" not in name)
        wrong = [f"{shown(name)} is no annotation of such a row." for name in rest if _ours(name)]
        try:
            known = kind.model_validate(meant)
        except ValidationError as error:
            return Understood(None, unknown, (*wrong, *_worded(error)))
        return Understood(None if wrong else known, unknown, tuple(wrong))
    return Understood(None, wrong=("It is no row of organizations, saved queries or mappings.",))


def _ours(name: str) -> bool:
    """Whether this is an annotation that we are to understand."""
    return OURS in name.casefold()


def _worded(error: ValidationError) -> Iterator[str]:
    for each in error.errors():
        name = "".join(f"{step}: " for step in each["loc"][:1])
        told = each["msg"].removeprefix("Value error, ")
        known = each["type"] == "missing" or not name
        yield f"{name}{told}." if known else f"{name}{told}, not {json.dumps(each['input'])[:80]}."
