"""What the schema shows of filters: what each chooses, as a tree, as FetchXML and as a sentence.

Law: every field is a function of a standing; criteria are shown as they are kept.
"""

from typing import Self

import strawberry

from api.context import Info
from api.enums import FilterKind, FilterRole, GroupOperator, LinkType, RecordType
from api.settings import Setting
from domain.filters import criteria, state, words
from domain.filters.catalogue import RECORD_TYPES


@strawberry.type(
    description="A test of one column. `operator` is a FetchXML operator name, e.g. eq-userid."
)
class Condition:
    column: str = strawberry.field(description="The logical name of the column.")
    operator: str = strawberry.field(description="As FetchXML names it.")
    values: list[str] = strawberry.field(description="What it compares with.")
    compared_column: str | None = strawberry.field(
        description="The column that it compares with, in place of values."
    )
    link_alias: str | None = strawberry.field(
        description="Tests a column of the table that is joined by the link with this alias."
    )

    @classmethod
    def of(cls, condition: criteria.Condition) -> Self:
        return cls(
            column=condition.column,
            operator=condition.operator,
            values=list(condition.values),
            compared_column=condition.compared_column,
            link_alias=condition.link_alias,
        )


@strawberry.type(description="Conditions, groups and links of which all or one must hold.")
class CriteriaGroup:
    group: strawberry.Private[criteria.Group]

    @strawberry.field(description="Whether all must hold, or one.")
    def operator(self) -> GroupOperator:
        return self.group.operator

    @strawberry.field(description="Tests of columns.")
    def conditions(self) -> list[Condition]:
        return [Condition.of(each) for each in self.group.conditions]

    @strawberry.field(description="Groups within.")
    def groups(self) -> "list[CriteriaGroup]":
        return [CriteriaGroup(group=each) for each in self.group.groups]

    @strawberry.field(description="Tests of related records.")
    def links(self) -> "list[LinkedCriteria]":
        return [LinkedCriteria(link=each) for each in self.group.links]


@strawberry.type(description="A test of the records of another table that are related.")
class LinkedCriteria:
    link: strawberry.Private[criteria.Link]

    @strawberry.field(description="The logical name of the other table.")
    def table(self) -> str:
        return self.link.table

    @strawberry.field(description="The column of the other table.")
    def from_column(self) -> str:
        return self.link.from_column

    @strawberry.field(description="The column here that it equals.")
    def to_column(self) -> str:
        return self.link.to_column

    @strawberry.field(description="What is asked of them.")
    def type(self) -> LinkType:
        return self.link.type

    @strawberry.field(description="By which conditions can name it.")
    def alias(self) -> str | None:
        return self.link.alias

    @strawberry.field(description="What they must be; null for anything.")
    def criteria(self) -> CriteriaGroup | None:
        return None if self.link.criteria is None else CriteriaGroup(group=self.link.criteria)


@strawberry.type(
    description="A system filter or a template. `key` is filter:<filterKey>; `label` is its name."
)
class SyncFilter(Setting):
    @property
    def _filter(self) -> state.Filter:
        by_key = self.standing.environment.filters.by_key
        return by_key[self.setting.removeprefix(state.PREFIX)]

    @strawberry.field(description="Stable, the same in every environment it is brought to.")
    def filter_key(self) -> str:
        return self._filter.key

    @strawberry.field(description="Whether it applies to everybody, or is copied to users.")
    def role(self) -> FilterRole:
        return self._filter.role

    @strawberry.field(description="Whether it is about Exchange, or about going offline.")
    def kind(self) -> FilterKind:
        return self._filter.kind

    @strawberry.field(description="The logical name of the table, e.g. contact.")
    def table(self) -> str:
        return self._filter.table

    @strawberry.field(description="What is synchronized; null for a table that is carried only.")
    def record_type(self) -> RecordType | None:
        return RECORD_TYPES.get(self._filter.table)

    @strawberry.field(description="Whether it chooses anything now.")
    def active(self) -> bool:
        return self._filter.active

    @strawberry.field(description="Templates only: given to every new user, while it is active.")
    def given_to_new_users(self) -> bool:
        return self.standing.environment.filters.gives(self._filter)

    @strawberry.field(description="What it chooses, as a tree.")
    def criteria(self, info: Info) -> CriteriaGroup:
        return CriteriaGroup(group=self._weighed(info).criteria.group)

    @strawberry.field(description="What it chooses, as FetchXML.")
    def fetch_xml(self, info: Info) -> str:
        return self._weighed(info).fetch_xml

    @strawberry.field(description="What it chooses, as a sentence; “I” is the user.")
    def summary(self, info: Info) -> str:
        return words.sentence(self._weighed(info).criteria)

    def _weighed(self, info: Info) -> state.Filter:
        """The filter, its criteria counted as read."""
        info.context.weigh(len(self._filter.fetch_xml))
        return self._filter


@strawberry.type(description="Which template new users are given, for a kind and a table.")
class DefaultTemplate(Setting):
    @property
    def _about(self) -> tuple[str, str]:
        kind, table = self.setting.removeprefix(state.GIVEN_PREFIX).split(":")
        return kind, table

    @strawberry.field(description="Whether it is about Exchange, or about going offline.")
    def kind(self) -> FilterKind:
        return FilterKind(self._about[0])

    @strawberry.field(description="The logical name of the table, e.g. contact.")
    def table(self) -> str:
        return self._about[1]

    @strawberry.field(description="What is synchronized; null for a table that is carried only.")
    def record_type(self) -> RecordType | None:
        return RECORD_TYPES.get(self._about[1])

    @strawberry.field(description="The template.")
    def template(self) -> SyncFilter:
        key = self.standing.environment.filters.given[self.setting]
        return SyncFilter(standing=self.standing, when=self.when, setting=state.setting_of(key))
