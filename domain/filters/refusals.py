"""Why a filter cannot be as asked.

Law: every message names what stands against it and what would help.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar

from domain.filters.catalogue import CATALOGUE
from domain.filters.problem import LONGEST, Problem, shown
from domain.filters.state import ROLE_NAMES, Filter, FilterKind, fits
from domain.refusal import RefusalCode

MOST_FILTERS = 200
MOST_CHARACTERS = 1_000_000
"""Of FetchXML, of all filters of an environment together.

The product's own limit is its deployment's (domain reference 3.4, G11).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterNotFound:
    """`near`: keys that there are, and that begin alike."""

    key: str
    near: tuple[str, ...]

    code: ClassVar[RefusalCode] = RefusalCode.FILTER_NOT_FOUND

    @property
    def message(self) -> str:
        lists = "`systemFilters` and `filterTemplates` list them all."
        help_ = f"Did you mean {' or '.join(self.near)}?" if self.near else lists
        return f"There is no filter {self.key!r}. {help_}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotATemplate:
    key: str

    code: ClassVar[RefusalCode] = RefusalCode.FILTER_NOT_FOUND

    @property
    def message(self) -> str:
        return (
            f"There is no template {self.key!r}: that is a system filter, which applies to "
            "everybody already. `filterTemplates` lists what can be given."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterNotValid:
    """`problems`: at least one."""

    problems: tuple[Problem, ...]

    code: ClassVar[RefusalCode] = RefusalCode.FILTER_NOT_VALID

    @property
    def message(self) -> str:
        first, *rest = self.problems
        more = f" And {len(rest)} more: see `problems`." if rest else ""
        return f"The criteria are not valid. {first.path}: {first.message}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterNameTaken:
    """`by`: who has the name."""

    by: Filter

    code: ClassVar[RefusalCode] = RefusalCode.FILTER_NAME_TAKEN

    @property
    def message(self) -> str:
        what = f"{ROLE_NAMES[self.by.role].lower()} {self.by.key!r} ({self.by.kind.value.lower()})"
        return (
            f"The {what} of the table {self.by.table} is called {shown(self.by.name)} already. "
            "Redefine that one, or choose another name and key."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterKeyTaken:
    by: Filter

    code: ClassVar[RefusalCode] = RefusalCode.FILTER_NAME_TAKEN

    @property
    def message(self) -> str:
        return (
            f"The key {self.by.key!r} is taken by the {ROLE_NAMES[self.by.role].lower()} "
            f"{shown(self.by.name)} of the table {self.by.table}. Redefine that one, choose "
            "another key, or leave the key out."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultTemplateBlocked:
    """`by`: who has the key or the name of a default template that is to be restored."""

    template: Filter
    by: Filter

    code: ClassVar[RefusalCode] = RefusalCode.FILTER_NAME_TAKEN

    @property
    def message(self) -> str:
        why, remedy = "another filter has its key", "Remove"
        if self.by.key != self.template.key:
            name = shown(self.template.name)
            why, remedy = f"{self.by.key!r} is called {name}, too", "Rename or remove"
        return (
            f"The default template {self.template.key!r} cannot come back, since {why}. "
            f"{remedy} that filter first."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableNotSynchronized:
    table: str
    kind: FilterKind

    code: ClassVar[RefusalCode] = RefusalCode.TABLE_NOT_SYNCHRONIZED

    @property
    def message(self) -> str:
        tables = [name for name in CATALOGUE if fits(name, self.kind)]
        near = get_close_matches(self.table, tables, n=1) if len(self.table) < LONGEST else []
        hint = f" Did you mean {near[0]}?" if near else ""
        return (
            f"Records of a table {shown(self.table)} do not travel {self.kind.value.lower()}, so "
            f"no filter can choose them.{hint} These do: {', '.join(tables)}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateIsGiven:
    template: Filter

    code: ClassVar[RefusalCode] = RefusalCode.TEMPLATE_IS_GIVEN

    @property
    def message(self) -> str:
        given = self.template
        return (
            f"The template {given.key!r} is given to new users, so it cannot be removed. Give them "
            f"another {given.kind.value.lower()} template of {given.table}, or none, first."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyFilters:
    code: ClassVar[RefusalCode] = RefusalCode.TOO_MANY_FILTERS

    @property
    def message(self) -> str:
        return (
            f"An environment has at most {MOST_FILTERS} filters, with {MOST_CHARACTERS} characters "
            "of FetchXML in all of them. Remove one, or make one shorter."
        )


Refusal = (
    FilterNotFound
    | NotATemplate
    | FilterNotValid
    | FilterNameTaken
    | FilterKeyTaken
    | DefaultTemplateBlocked
    | TableNotSynchronized
    | TemplateIsGiven
    | TooManyFilters
)
