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
    OperationDefinitionNode,
    SelectionSetNode,
)

from api.errors import ErrorCode, Problem

MOST_FIELDS = 5_000
MOST_DEPTH = 50
MOST_FRAGMENTS = 50
MOST_REPEATS = 20
"""Of one name in one selection: comparing them takes the square of it."""


class Measure(NamedTuple):
    fields: int = 0
    depth: int = 0


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
        fields, depth, names = 0, 0, Counter[str]()
        for selection in selection_set.selections:
            own = 0
            match selection:
                case FragmentSpreadNode():
                    inner = self.measure(selection.name.value)
                case FieldNode():
                    inner, own = self.selections(selection.selection_set), 1
                    names[(selection.alias or selection.name).value] += 1
                case InlineFragmentNode():
                    inner = self.selections(selection.selection_set)
                case _:
                    continue
            fields += inner.fields + own
            depth = max(depth, inner.depth + own)
        _refuse(fields, MOST_FIELDS, "fields, fragments spread out")
        _refuse(depth, MOST_DEPTH, "levels")
        _refuse(max(names.values(), default=0), MOST_REPEATS, "fields of one name in a selection")
        return Measure(fields, depth)


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
