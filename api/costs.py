"""How much a document asks for, counted before it is validated or run.

Law: one pass, in which every fragment is measured once however often it is spread.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
)

from api.errors import ErrorCode, Problem
from api.limits import MOST_DIGITS
from api.pages import MOST as LONGEST_PAGE
from api.pages import MOST_IDS
from api.pages import USUAL as PAGE
from api.sync_inputs import MOST_ITEMS
from domain.filters.catalogue import CATALOGUE
from domain.filters.operators import OPERATORS
from domain.filters.refusals import MOST_FILTERS
from domain.mapping_table import MAPPINGS
from domain.tab import TAB

MOST_OPERATIONS = 10
MOST_ROOT_FIELDS = 30
MOST_WRITTEN = 400
"""Fields in the text of a document: comparing each with the schema takes longest."""
MOST_FIELDS = 5_000
MOST_ALIASES = 1_000
MOST_DEPTH = 50
MOST_FRAGMENTS = 50
MOST_REPEATS = 20
"""Of one name in one selection: comparing them takes the square of it."""
MOST_DIRECTIVES = 5
"""At one place."""
MOST_VALUES = 50_000
"""In an answer, if every list is as long as it may be."""
MOST_DESCRIBED = 15_000
"""Of them that describe the schema; an editor that asks for everything is counted 11,400."""
VALUES_OF_A_POINT = 100
LENGTHS = {
    "all": len(TAB) + 2 * MOST_FILTERS,
    "fieldMappings": len(MAPPINGS),
    **dict.fromkeys(("compare", "compareWith"), len(TAB) + 2 * MOST_FILTERS + PAGE),
    **dict.fromkeys(("members", "whoCould"), PAGE),
    "systemFilters": MOST_FILTERS,
    "filterTemplates": MOST_FILTERS,
    "tables": len(CATALOGUE),
    "columns": max(len(table.columns) for table in CATALOGUE.values()),
    "operators": len(OPERATORS),
    "changes": 50,
    "impact": 20,
    "by": 20,
    "refusals": 20,
    "syncDecisions": MOST_ITEMS,
    "reasons": 6,
    "fields": max(Counter(each.record_type for each in MAPPINGS.values()).values()),
    **dict.fromkeys(
        (
            "crmFields",
            "dependsOn",
            "differences",
            "otherImpact",
            "outlookFields",
            "problems",
            "roles",
            "rolesThatMay",
            "rules",
            "settable",
            "settableDirections",
            "types",
            "viewerCan",
            "viewerRoles",
            "warnings",
        ),
        4,
    ),
}
"""How long a list is, or is taken to be."""
WEIGHED = frozenset(
    {"conditions", "groups", "links", "matchedFilters", "missingColumns", "settings", "values"}
)
"""Lists in criteria, and of names in decisions: they count as one, and are weighed when read."""
ON_AVERAGE = {
    "types": 110,
    "fields": 5,
    "args": 0.2,
    "inputFields": 1,
    "enumValues": 1.5,
    "ofType": 0.5,
}
"""Of the schema's own description, over all its types."""
AT_MOST = {
    "fields": 25,
    "args": 8,
    "inputFields": 16,
    "enumValues": 25,
    "possibleTypes": 12,
    "interfaces": 4,
}
"""Of one type of it, that somebody chose."""
DESCRIPTION: Mapping[str, Mapping[str, float]] = {"__schema": ON_AVERAGE, "__type": AT_MOST}
CONNECTIONS = frozenset({"changes", "environments", "history", "refusedAttempts"})
"""Lists in pages."""


class Measure(NamedTuple):
    """Fields of a selection, with fragments spread out, and the values an answer may have.

    `width`: those of its first level; `depth`: its levels; `aliases`: fields under another name.
    """

    fields: int = 0
    width: int = 0
    depth: int = 0
    aliases: int = 0
    values: float = 0


NOTHING = Measure()
LEAVES = Measure(1, 1, 1, 0, 1), Measure(1, 1, 1, 1, 1)
"""A field that has nothing below, without and with another name."""


@dataclass(slots=True)
class _Fragments:
    definitions: dict[str, FragmentDefinitionNode]
    measured: dict[tuple[str, str], Measure]
    written: int = 0
    described: float = 0

    def measure(self, name: str, within: str) -> Measure:
        """Nothing for a fragment that is missing or spreads itself: validation refuses it."""
        key = name, within
        if key not in self.measured:
            self.measured[key] = NOTHING
            definition = self.definitions.get(name)
            if definition is not None:
                _refuse_directives(definition.directives)
                self.measured[key] = self.selections(definition.selection_set, within)
        return self.measured[key]

    def selections(self, selection_set: SelectionSetNode, within: str = "") -> Measure:
        """`within`: the field of the root by which the schema's own description is selected."""
        fields = width = depth = aliases = 0
        values = 0.0
        names: dict[str, int] = {}
        for selection in selection_set.selections:
            _refuse_directives(selection.directives)
            if isinstance(selection, FieldNode):
                self.written += 1
                _refuse(self.written, MOST_WRITTEN, "fields in its text")
                name = (selection.alias or selection.name).value
                names[name] = names.get(name, 0) + 1
                each = self._field(selection, within)
            else:
                each = self._fragment(selection, within)
            fields += each.fields
            width += each.width
            depth = max(depth, each.depth)
            aliases += each.aliases
            values += each.values
        _refuse(fields, MOST_FIELDS, "fields, fragments spread out")
        _refuse(aliases, MOST_ALIASES, "fields under another name, fragments spread out")
        _refuse(depth, MOST_DEPTH, "levels")
        _refuse(max(names.values(), default=0), MOST_REPEATS, "fields of one name in a selection")
        _refuse(int(values), MOST_VALUES, "values, lists as long as they may be")
        return Measure(fields, width, depth, aliases, values)

    def _fragment(self, selection: SelectionNode, within: str) -> Measure:
        if isinstance(selection, FragmentSpreadNode):
            return self.measure(selection.name.value, within)
        assert isinstance(selection, InlineFragmentNode)  # noqa: S101 -- there is no other
        return self.selections(selection.selection_set, within)

    def _field(self, field: FieldNode, within: str) -> Measure:
        name, aliased = field.name.value, int(field.alias is not None)
        if field.selection_set is None and not (field.arguments or within or name in DESCRIPTION):
            return LEAVES[aliased]
        inner = NOTHING
        if field.selection_set is not None:
            below = name if name in DESCRIPTION and not within else within
            inner = self.selections(field.selection_set, below)
        length = DESCRIPTION[within].get(name, 1) if within else _length(field)
        if name in DESCRIPTION:
            self.described += inner.values
            _refuse(int(self.described), MOST_DESCRIBED, "values of the schema itself")
        return Measure(
            inner.fields + 1,
            1,
            inner.depth + 1,
            inner.aliases + aliased,
            (inner.values + 1) * length,
        )


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
    """Of a page; the longest there is where it is a variable, or too long to be a number."""
    if isinstance(asked, IntValueNode) and len(asked.value) <= MOST_DIGITS:
        return max(0, min(int(asked.value), LONGEST_PAGE))
    return LONGEST_PAGE


def measured(document: DocumentNode) -> Mapping[str | None, int]:
    """What each operation costs, in points, by its name.

    TOO_COSTLY for a document that asks for too much at once.
    """
    named = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    operations = [
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    _refuse(len(named), MOST_FRAGMENTS, "fragments")
    _refuse(len(operations), MOST_OPERATIONS, "operations")
    fragments = _Fragments(named, {})
    costs: dict[str | None, int] = {}
    for operation in operations:
        _refuse_directives(operation.directives)
        found = fragments.selections(operation.selection_set)
        _refuse(found.width, MOST_ROOT_FIELDS, "fields of the root")
        costs[operation.name.value if operation.name else None] = (
            1 + int(found.values) // VALUES_OF_A_POINT
        )
    spread = {name for name, _ in fragments.measured}
    for name in named.keys() - spread:  # nobody asks for them, but they are validated too
        fragments.measure(name, "")
    return costs


def _refuse_directives(directives: Sequence[DirectiveNode] | None) -> None:
    if directives:
        _refuse(len(directives), MOST_DIRECTIVES, "directives at one place")


def _refuse(asked: int, most: int, what: str) -> None:
    if asked > most:
        raise Problem(
            ErrorCode.TOO_COSTLY,
            f"A document asks for at most {most} {what}, not {asked}. Ask for less at once: fewer "
            "fields, or shorter pages with `first`.",
        )
