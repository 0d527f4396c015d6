"""Columns, and which operators can be used on them (domain reference 3.5 and its notes).

Law: an owner is compared like any record, and a lookup that points up a hierarchy in both ways.
"""

from typing import NamedTuple

from domain.filters.operators import OPERATORS, ColumnType, Operator


class Column(NamedTuple):
    """`date_only`: without a time of day; `tree`: a lookup that can also point up a hierarchy."""

    name: str
    label: str
    type: ColumnType
    date_only: bool = False
    tree: bool = False

    def fits(self, operator: Operator) -> bool:
        """Whether the operator can be used on it."""
        types = {self.type}
        if self.type in {ColumnType.OWNER, ColumnType.HIERARCHICAL}:
            types.add(ColumnType.UNIQUE_ID)
        if self.tree:
            types.add(ColumnType.HIERARCHICAL)
        return not types.isdisjoint(operator.types) and (operator.date_only or not self.date_only)

    @property
    def operators(self) -> tuple[Operator, ...]:
        return tuple(each for each in OPERATORS.values() if self.fits(each))
