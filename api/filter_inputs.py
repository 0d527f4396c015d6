"""What clients send about filters, and the commands it stands for.

Law: what types and scalars can refuse is refused here, as BAD_USER_INPUT; whether criteria make
sense is the domain's to say.
"""

import strawberry

from api.enums import FilterKind, FilterRole, GroupOperator, LinkType
from api.errors import bad_input, input_checked
from domain.filters.commands import (
    ActivateFilter,
    Asked,
    DeactivateFilter,
    DefineFilter,
    GiveTemplateToNewUsers,
    RedefineFilter,
    RemoveFilter,
    RestoreDefaultTemplates,
    WithholdTemplateFromNewUsers,
)
from domain.filters.criteria import Condition, Group, Link

FILTER_KEY = "Its filterKey, e.g. template.online.task.my-tasks."


@strawberry.input(description="A test of one column.")
class ConditionInput:
    column: str = strawberry.field(description="The logical name of the column.")
    operator: str = strawberry.field(description="As FetchXML names it, e.g. eq-userid.")
    values: list[str] = strawberry.field(default_factory=list, description="What it compares with.")
    compared_column: str | None = strawberry.field(
        default=None, description="The column that it compares with, in place of values."
    )
    link_alias: str | None = strawberry.field(
        default=None,
        description="Tests a column of the table that is joined by the link with this alias.",
    )

    @property
    def condition(self) -> Condition:
        return Condition(
            column=self.column,
            operator=self.operator,
            values=tuple(self.values),
            compared_column=self.compared_column,
            link_alias=self.link_alias,
        )


@strawberry.input(description="Conditions, groups and links of which all or one must hold.")
class CriteriaGroupInput:
    operator: GroupOperator = strawberry.field(
        default=GroupOperator.AND, description="Whether all must hold, or one."
    )
    conditions: list[ConditionInput] = strawberry.field(
        default_factory=list, description="Tests of columns."
    )
    groups: list["CriteriaGroupInput"] = strawberry.field(
        default_factory=list, description="Groups within."
    )
    links: list["LinkedCriteriaInput"] = strawberry.field(
        default_factory=list, description="Tests of related records."
    )

    @property
    def group(self) -> Group:
        return Group(
            operator=self.operator,
            conditions=tuple(each.condition for each in self.conditions),
            groups=tuple(each.group for each in self.groups),
            links=tuple(each.link for each in self.links),
        )


@strawberry.input(description="A test of the records of another table that are related.")
class LinkedCriteriaInput:
    table: str = strawberry.field(description="The logical name of the other table.")
    from_column: str = strawberry.field(description="The column of the other table.")
    to_column: str = strawberry.field(description="The column here that it equals.")
    type: LinkType = strawberry.field(default=LinkType.ANY, description="What is asked of them.")
    alias: str | None = strawberry.field(
        default=None, description="By which conditions can name it."
    )
    criteria: CriteriaGroupInput | None = strawberry.field(
        default=None, description="What they must be; anything when left out."
    )

    @property
    def link(self) -> Link:
        return Link(
            table=self.table,
            from_column=self.from_column,
            to_column=self.to_column,
            type=self.type,
            alias=self.alias,
            criteria=None if self.criteria is None else self.criteria.group,
        )


@strawberry.input(one_of=True, description="What a filter chooses: exactly one of these.")
class FilterCriteriaInput:
    tree: CriteriaGroupInput | None = strawberry.field(
        default=strawberry.UNSET, description="As a tree."
    )
    fetch_xml: str | None = strawberry.field(
        default=strawberry.UNSET, description="As FetchXML about the filter's table."
    )

    @property
    def asked(self) -> Asked:
        if self.tree:
            return self.tree.group
        if isinstance(self.fetch_xml, str):
            return self.fetch_xml
        raise bad_input("Criteria are either a tree or FetchXML.")


@strawberry.input(
    description="A new filter. `filterKey` is made from role, kind, table and name when left out. "
    "Names are unique within the same four, whatever their case."
)
class DefineFilterInput:
    role: FilterRole = strawberry.field(description="For everybody, or to be copied.")
    kind: FilterKind = strawberry.field(description="About Exchange, or about going offline.")
    table: str = strawberry.field(description="The logical name of the table, e.g. contact.")
    name: str = strawberry.field(description="1 to 200 characters.")
    criteria: FilterCriteriaInput = strawberry.field(description="What it chooses.")
    filter_key: str | None = strawberry.field(
        default=None,
        description="1 to 128 of a-z, 0-9, '.', '-' and '_', a letter or digit at either end; it "
        "never changes.",
    )
    description: str | None = strawberry.field(default=None, description="Up to 2000 characters.")
    active: bool = strawberry.field(default=True, description="Whether it chooses anything.")

    @property
    def command(self) -> DefineFilter:
        with input_checked():
            return DefineFilter(
                role=self.role,
                kind=self.kind,
                table=self.table,
                name=self.name,
                criteria=self.criteria.asked,
                key=self.filter_key,
                description=self.description or "",
                active=self.active,
            )


@strawberry.input(description="What is to be different about a filter; the rest stays.")
class RedefineFilterInput:
    filter_key: str = strawberry.field(description=FILTER_KEY)
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    description: str | None = strawberry.field(
        default=None, description="Up to 2000 characters; empty for none."
    )
    criteria: FilterCriteriaInput | None = strawberry.field(
        default=None, description="What it chooses."
    )

    @property
    def command(self) -> RedefineFilter:
        with input_checked():
            return RedefineFilter(
                key=self.filter_key,
                name=self.name,
                description=self.description,
                criteria=None if self.criteria is None else self.criteria.asked,
            )


type AboutFilter = (
    ActivateFilter
    | DeactivateFilter
    | RemoveFilter
    | GiveTemplateToNewUsers
    | WithholdTemplateFromNewUsers
)


@strawberry.input(description="A filter by its key.")
class FilterReference:
    filter_key: str = strawberry.field(description=FILTER_KEY)

    def command[C: AboutFilter](self, kind: type[C]) -> C:
        with input_checked():
            return kind(key=self.filter_key)


@strawberry.input(
    description="The templates that every environment starts with, as they were then, and given to "
    "new users; with a kind, those of that kind."
)
class RestoreDefaultTemplatesInput:
    kind: FilterKind | None = strawberry.field(default=None, description="Only this kind.")

    @property
    def command(self) -> RestoreDefaultTemplates:
        return RestoreDefaultTemplates(kind=self.kind)
