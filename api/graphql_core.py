"""Where graphql-core does more than our documents need: ours in place of its own.

Law: the same tokens, the same nodes, the same errors; only what they cost is less, and what was
read is gone as soon as nobody wants it: the collector, which stops every answer, has nothing to do.
"""

import re
from importlib import import_module

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    Lexer,
    Node,
    OperationDefinitionNode,
    ParallelVisitor,
    SelectionSetNode,
    Token,
    TokenKind,
    TypeInfoVisitor,
    ValidationContext,
    Visitor,
    VisitorKeyMap,
    visit,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.validation import validation_context
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validation_context import VariableUsage

NAME = re.compile("[0-9A-Za-z_]*")
VISITED = {
    kind: tuple(key for key in keys if key not in {"alias", "description", "name"})
    for kind, keys in QUERY_DOCUMENT_KEYS.items()
}
"""Names are looked at from the nodes that have them, and no rule visits one itself."""


class OneWayToken(Token):
    """Knows the next one and not the one before, so that a document holds nothing in a circle."""

    __slots__ = ()

    @property
    def prev(self) -> None:
        return None

    @prev.setter
    def prev(self, _token: Token | None) -> None: ...


class OurLexer(Lexer):
    """Reads a name at once instead of letter by letter."""

    def create_token(
        self, kind: TokenKind, start: int, end: int, value: str | None = None
    ) -> Token:
        return OneWayToken(kind, start, end, self.line, 1 + start - self.line_start, value)

    def read_name(self, start: int) -> Token:
        body = self.source.body
        found = NAME.match(body, start)
        end = start if found is None else found.end()
        return self.create_token(TokenKind.NAME, start, end, body[start:end])


class OurContext(ValidationContext):
    """Looks for variables only where a dollar sign is."""

    def get_variable_usages(
        self, node: OperationDefinitionNode | FragmentDefinitionNode
    ) -> list[VariableUsage]:
        where = node.loc
        if where is not None and "$" not in where.source.body[where.start : where.end]:
            return []
        return super().get_variable_usages(node)


def visited(root: Node, visitor: Visitor, keys: VisitorKeyMap | None = None) -> None:
    """Visits as rules want it. They are forgotten then: they and their context are a circle."""
    try:
        visit(root, visitor, keys)
    finally:
        rules = visitor.visitor if isinstance(visitor, TypeInfoVisitor) else visitor
        assert isinstance(rules, ParallelVisitor)  # noqa: S101 -- there is no other
        for each in (*rules.visitors, rules):
            vars(each).clear()


def place(node: Node) -> int:
    """As a hash: equal nodes stand at the same place. graphql-core would hash all that is in it."""
    return hash(node.loc)


def install() -> None:
    """Once, before anything is read."""
    vars(import_module("graphql.language.parser"))["Lexer"] = OurLexer
    validating = vars(import_module("graphql.validation.validate"))
    validating["ValidationContext"] = OurContext
    validating["visit"] = visited
    validating["query_document_keys_to_validate"] = VISITED
    for kind in (FieldNode, FragmentDefinitionNode, OperationDefinitionNode, SelectionSetNode):
        kind.__hash__ = place  # type: ignore[assignment]
    # How much the two rules that compare everything with everything may do.
    overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 2_000
    validation_context.MAX_FRAGMENT_WORK = 5_000
