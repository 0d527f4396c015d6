"""How much a document asks for, counted before it is validated or run.

Law: one pass, in which every fragment is measured once however often it is spread.
"""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
)

from api.errors import ErrorCode, Problem
from api.pages import MOST as LONGEST_PAGE
from api.pages import MOST_IDS
from api.pages import USUAL as PAGE
from domain.filters.catalogue import CATALOGUE
from domain.filters.operators import OPERATORS
from domain.filters.refusals import MOST_FILTERS
from domain.mapping_table import MAPPINGS
from domain.tab import TAB

MOST_FIELDS = 5_000
MOST_DEPTH = 50
MOST_FRAGMENTS = 50
MOST_REPEATS = 20
"""Of one name in one selection: comparing them takes the square of it."""
MOST_VALUES = 50_000
"""In an answer, if every list is as long as it may be."""
LENGTHS = {
    "all": len(TAB) + 2 * MOST_FILTERS,
    "fieldMappings": len(MAPPINGS),
    "members": PAGE,
    "systemFilters": MOST_FILTERS,
    "filterTemplates": MOST_FILTERS,
    "tables": len(CATALOGUE),
    "columns": max(len(table.columns) for table in CATALOGUE.values()),
    "operators": len(OPERATORS),
}
"""How long a list is, or is taken to be. What is in criteria is weighed when it is read."""
CONNECTIONS = frozenset({"environments", "history"})
"""Lists in pages."""


class Measure(NamedTuple):
    """Fields of the document, levels of them, and the values that an answer may have."""

    fields: int = 0
    depth: int = 0
    values: int = 0


@dataclass(slots=True)
class _Fragments:
    definitions: dict[str, FragmentDefinitionNode]
    measured: dict[str, Measure]

    def measure(self, name: str) -> Measure:
        """Nothing for a fragment that is missing or spreads itself: validation refuses it."""
        if name not in self.measured:
            self.measured[name] = Measure()
            definition = self.definitions.get(name)
            if definition is not None:
                self.measured[name] = self.selections(definition.selection_set)
        return self.measured[name]

    def selections(self, selection_set: SelectionSetNode | None) -> Measure:
        if selection_set is None:
            return Measure()
        fields, depth, values, names = 0, 0, 0, Counter[str]()
        for selection in selection_set.selections:
            own = length = 0
            match selection:
                case FragmentSpreadNode():
                    inner, length = self.measure(selection.name.value), 1
                case FieldNode():
                    inner, own = self.selections(selection.selection_set), 1
                    length = _length(selection)
                    names[(selection.alias or selection.name).value] += 1
                case InlineFragmentNode():
                    inner, length = self.selections(selection.selection_set), 1
                case _:
                    continue
            fields += inner.fields + own
            values += (inner.values + own) * length
            depth = max(depth, inner.depth + own)
        _refuse(fields, MOST_FIELDS, "fields, fragments spread out")
        _refuse(depth, MOST_DEPTH, "levels")
        _refuse(max(names.values(), default=0), MOST_REPEATS, "fields of one name in a selection")
        _refuse(values, MOST_VALUES, "values, lists as long as they may be")
        return Measure(fields, depth, values)


def _length(field: FieldNode) -> int:
    """How many times what is selected of a field is answered, at most."""
    arguments = {argument.name.value: argument.value for argument in field.arguments or ()}
    if field.name.value == "nodes" and "ids" in arguments:
        return MOST_IDS
    if field.selection_set is None:
        return 1
    if field.name.value not in CONNECTIONS:
        return LENGTHS.get(field.name.value, 1)
    sizes = [_size(arguments[name]) for name in ("first", "last") if name in arguments]
    return max(sizes, default=PAGE)


def _size(asked: ValueNode) -> int:
    """Of a page; the longest there is where it is a variable."""
    return min(int(asked.value), LONGEST_PAGE) if isinstance(asked, IntValueNode) else LONGEST_PAGE


def refuse_costly(document: DocumentNode) -> None:
    """TOO_COSTLY for a document that asks for too much at once."""
    definitions = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    _refuse(len(definitions), MOST_FRAGMENTS, "fragments")
    fragments = _Fragments(definitions, {})
    for name in definitions:
        fragments.measure(name)
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            fragments.selections(node.selection_set)


def _refuse(asked: int, most: int, what: str) -> None:
    if asked > most:
        raise Problem(
            ErrorCode.TOO_COSTLY,
            f"A document asks for at most {most} {what}, not {asked}. Ask for less at once.",
        )
