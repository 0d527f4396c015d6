"""What a filter editor needs: the domain's catalogue as the schema shows it.

Law: the same for every viewer and at every time.
"""

from typing import Self

import strawberry

from domain.filters import catalogue, columns, operators
from domain.filters.columns import Column
from domain.filters.operators import ColumnType


@strawberry.type(description="What a condition can say of a column.")
class FilterOperator:
    operator: str = strawberry.field(description="As FetchXML names it, e.g. eq-userid.")
    label: str = strawberry.field(description="What people call it.")
    value_count: str = strawberry.field(description="How many values it takes: 0, 1, 2 or 1..n.")
    types: list[str] = strawberry.field(description="The types of column that it fits.")
    depends_on: list[str] = strawberry.field(
        description="What decides besides the record, e.g. the clock or the user."
    )

    @classmethod
    def of(cls, operator: operators.Operator) -> Self:
        return cls(
            operator=operator.name,
            label=operator.label,
            value_count=operator.value_count,
            types=sorted(each.value for each in ColumnType if Column("", "", each).fits(operator)),
            depends_on=[each.value for each in operator.needs],
        )


@strawberry.type(description="A column of a table.")
class FilterColumn:
    column: str = strawberry.field(description="Its logical name, e.g. statecode.")
    label: str = strawberry.field(description="What people call it.")
    type: str = strawberry.field(description="What it holds.")
    operators: list[str] = strawberry.field(description="What can be said of it.")

    @classmethod
    def of(cls, column: columns.Column) -> Self:
        return cls(
            column=column.name,
            label=column.label,
            type=column.type.value,
            operators=[each.name for each in column.operators],
        )


@strawberry.type(description="A table that filters can be about, or link to.")
class FilterTable:
    table: str = strawberry.field(description="Its logical name, e.g. contact.")
    label: str = strawberry.field(description="What people call it.")
    online: bool = strawberry.field(description="Whether online filters can be about it.")
    offline: bool = strawberry.field(description="Whether offline filters can be about it.")
    columns: list[FilterColumn] = strawberry.field(
        description="A selection of those that the product ships. Others, an organization's own "
        "among them, are accepted, and warned of as UNVERIFIED_COLUMN."
    )

    @classmethod
    def of(cls, table: catalogue.Table) -> Self:
        return cls(
            table=table.name,
            label=table.label,
            online=table.online,
            offline=table.offline,
            columns=[FilterColumn.of(each) for each in table.columns.values()],
        )


@strawberry.type(
    description="What a filter editor needs: tables, their columns, and which operators fit."
)
class FilterCatalogue:
    tables: list[FilterTable] = strawberry.field(description="Every known table.")
    operators: list[FilterOperator] = strawberry.field(
        description="Every operator. `neq` is written as ne."
    )


CATALOGUE = FilterCatalogue(
    tables=[FilterTable.of(each) for each in catalogue.CATALOGUE.values()],
    operators=[FilterOperator.of(each) for each in operators.OPERATORS.values()],
)
"""All of it."""
