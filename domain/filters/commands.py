"""What may be asked of filters: define, redefine, activate, deactivate, remove, give, restore.

Law: a command that can be made has a key and texts that can be stored; the rest is decided.
"""

from dataclasses import dataclass

from domain.filters.criteria import Condition, Criteria, Group, parts
from domain.filters.state import (
    FilterKind,
    FilterRole,
    checked_description,
    checked_filter_key,
    checked_name,
    given_setting,
    setting_of,
)
from domain.filters.templates import templates

type Asked = Group | str
"""Criteria as they are asked for: the tree, or FetchXML."""


def size(asked: Asked) -> int:
    """How many characters these criteria have as FetchXML, roughly."""
    if isinstance(asked, str):
        return len(asked)
    nodes = [part.node for part in parts(Criteria(table="", group=asked))]
    values = [value for node in nodes if isinstance(node, Condition) for value in node.values]
    return USUAL * (len(nodes) + len(values)) + sum(map(len, values))


USUAL = 60
"""Characters of an element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineFilter:
    """`key`: made from the rest where it is None. ValueError for texts that cannot be."""

    role: FilterRole
    kind: FilterKind
    table: str
    name: str
    criteria: Asked
    key: str | None = None
    description: str = ""
    active: bool = True

    def __post_init__(self) -> None:
        checked_name(self.name)
        checked_description(self.description)
        if self.key is not None:
            checked_filter_key(self.key)

    @property
    def settings(self) -> tuple[str, ...]:
        return () if self.key is None else (setting_of(self.key),)


@dataclass(frozen=True, slots=True, kw_only=True)
class _AboutFilter:
    """ValueError for a key that cannot be."""

    key: str

    def __post_init__(self) -> None:
        checked_filter_key(self.key)

    @property
    def settings(self) -> tuple[str, ...]:
        return (setting_of(self.key),)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedefineFilter(_AboutFilter):
    """None: what stays as it is. ValueError for texts that cannot be, or where nothing is asked."""

    name: str | None = None
    description: str | None = None
    criteria: Asked | None = None

    def __post_init__(self) -> None:
        checked_filter_key(self.key)
        if self.name is None and self.description is None and self.criteria is None:
            raise ValueError("Redefining a filter takes a name, a description or criteria.")
        if self.name is not None:
            checked_name(self.name)
        if self.description is not None:
            checked_description(self.description)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateFilter(_AboutFilter):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeactivateFilter(_AboutFilter):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFilter(_AboutFilter):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveTemplateToNewUsers(_AboutFilter):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WithholdTemplateFromNewUsers(_AboutFilter):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreDefaultTemplates:
    """The templates of the catalogue as they are there, given to new users. None: of both kinds.

    Environments that were registered before there were filters come by them this way.
    """

    kind: FilterKind | None = None

    @property
    def settings(self) -> tuple[str, ...]:
        own = (setting_of(each.key) for each in templates(self.kind))
        return (*own, *(given_setting(each.kind, each.table) for each in templates(self.kind)))


CommandAboutFilter = (
    RedefineFilter
    | ActivateFilter
    | DeactivateFilter
    | RemoveFilter
    | GiveTemplateToNewUsers
    | WithholdTemplateFromNewUsers
)
Command = DefineFilter | CommandAboutFilter | RestoreDefaultTemplates
