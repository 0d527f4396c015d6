"""The documents that clients send: read, weighed, and compared with the schema, in that order.

Law: nothing costs more than in proportion to what was sent; a document is parsed and validated
once, however often it comes, and only good ones are kept.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    ValuesOfCorrectTypeRule,
    parse,
    specified_rules,
    validate,
)

from api import graphql_core
from api.costs import DESCRIPTION, measured
from api.errors import ErrorCode, Problem, told
from api.limits import (
    MOST_CHARACTERS,
    MOST_ERRORS,
    MOST_LINES,
    MOST_TOKENS,
    refuse_unstorable_literals,
)
from api.rejected import Rejected

MOST_KEPT = 500_000
"""Characters of documents, some hundreds of usual ones; parsed, each may be 200 bytes."""

graphql_core.install()


class _Values(ValuesOfCorrectTypeRule):
    """A bad value has one code wherever it stands: in a document or in variables."""

    def report_error(self, error: GraphQLError) -> None:
        error.extensions = {"code": ErrorCode.BAD_USER_INPUT.value}
        super().report_error(error)


RULES = [_Values if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules]


class Document(NamedTuple):
    """`points`: what each operation costs at most, by its name."""

    node: DocumentNode
    points: Mapping[str | None, int]


class Documents:
    """Good documents by their text, the least recently used forgotten first."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._kept = 0

    def document(self, text: str) -> Document:
        """The document that a text is. Rejected where it is none, or not of our schema."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        found = self._document(text)
        self._known[text] = found
        self._kept += len(text)
        while self._kept > MOST_KEPT:
            oldest, _ = self._known.popitem(last=False)
            self._kept -= len(oldest)
        return found

    def _document(self, text: str) -> Document:
        _refuse_long(text)
        try:
            node = parse(text, max_tokens=MOST_TOKENS)
        except GraphQLSyntaxError as error:
            raise Rejected(told([error], ErrorCode.GRAPHQL_PARSE_FAILED)) from error
        try:
            document = Document(node, measured(node))
            refuse_unstorable_literals(node)
        except Problem as error:
            raise Rejected(told([error])) from error
        errors = validate(self._schema, node, RULES, MOST_ERRORS)
        if errors:
            raise Rejected(told(errors, ErrorCode.GRAPHQL_VALIDATION_FAILED))
        return document


def describes(operation: OperationDefinitionNode) -> bool:
    """Whether all that is asked is what the schema is, in words that say it whole."""
    plain = operation.operation is OperationType.QUERY and not operation.variable_definitions
    return plain and all(
        isinstance(each, FieldNode) and each.name.value in DESCRIPTION
        for each in operation.selection_set.selections
    )


def _refuse_long(text: str) -> None:
    lines = text.count("\n") + text.count("\r") + 1
    if len(text) > MOST_CHARACTERS or lines > MOST_LINES:
        raise Rejected.because(
            ErrorCode.TOO_COSTLY,
            f"A document has at most {MOST_CHARACTERS} characters and {MOST_LINES} lines, not "
            f"{len(text)} and {lines}. Send long values as variables.",
        )
