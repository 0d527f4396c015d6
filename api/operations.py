"""One operation, from a client's words to its answer: parsed, validated, chosen, run.

Law: a document is parsed and validated once, however often it comes; only good ones are kept.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from dataclasses import dataclass
from inspect import isawaitable

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLFormattedError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    ValuesOfCorrectTypeRule,
    execute,
    parse,
    specified_rules,
    subscribe,
    validate,
)

from api.context import Context
from api.costs import refuse_costly
from api.errors import ErrorCode, Problem, accident, told
from api.limits import (
    MOST_TOKENS,
    MOST_VALIDATION_ERRORS,
    refuse_unstorable_literals,
    refuse_unstorable_values,
)
from api.schema import executable

MOST_KEPT = 500_000
"""Characters of documents, some hundreds of usual ones; parsed, each may be 200 bytes."""
SHAPE = [rule for rule in specified_rules if rule is not ValuesOfCorrectTypeRule]
VALUES = [ValuesOfCorrectTypeRule]
"""Apart from the other rules, so that a bad value has one code wherever it stands."""

type Answer = dict[str, object]


class Rejected(Exception):
    """A request that is not run. Its errors are ready to be sent."""

    def __init__(self, errors: list[GraphQLFormattedError]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors

    @classmethod
    def because(cls, code: ErrorCode, message: str) -> "Rejected":
        return cls(told([Problem(code, message)]))


@dataclass(frozen=True, slots=True)
class Operation:
    document: DocumentNode
    kind: OperationType
    name: str | None
    variables: dict[str, object]


class Documents:
    """Parsed and validated documents by their text, the least recently used forgotten first."""

    def __init__(self) -> None:
        self._schema = executable()
        self._known: OrderedDict[str, DocumentNode] = OrderedDict()
        self._kept = 0

    def operation(self, params: Mapping[str, object]) -> Operation:
        """The operation that a client's parameters ask for. Rejected when they are not good."""
        text, name = params.get("query"), params.get("operationName")
        variables = params.get("variables")
        if not isinstance(text, str) or not text:
            raise Rejected.because(ErrorCode.BAD_REQUEST, "`query` is a non-empty string.")
        if not isinstance(name, str | None):
            raise Rejected.because(ErrorCode.BAD_REQUEST, "`operationName` is a string or null.")
        if not isinstance(variables, dict | None):
            raise Rejected.because(ErrorCode.BAD_REQUEST, "`variables` is an object or null.")
        if not isinstance(params.get("extensions"), dict | None):
            raise Rejected.because(ErrorCode.BAD_REQUEST, "`extensions` is an object or null.")
        try:
            refuse_unstorable_values(variables or {})
            document = self._document(text)
        except Problem as error:
            raise Rejected(told([error])) from error
        chosen = _chosen(document, name)
        return Operation(document, chosen.operation, name, variables or {})

    def _document(self, text: str) -> DocumentNode:
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        try:
            document = parse(text, max_tokens=MOST_TOKENS)
        except GraphQLSyntaxError as error:
            raise Rejected(told([error], ErrorCode.GRAPHQL_PARSE_FAILED)) from error
        refuse_unstorable_literals(document)
        refuse_costly(document)
        for rules, code in (
            (SHAPE, ErrorCode.GRAPHQL_VALIDATION_FAILED),
            (VALUES, ErrorCode.BAD_USER_INPUT),
        ):
            errors = validate(self._schema, document, rules, MOST_VALIDATION_ERRORS)
            if errors:
                raise Rejected(told(errors, code))
        self._known[text] = document
        self._kept += len(text)
        while self._kept > MOST_KEPT:
            oldest, _ = self._known.popitem(last=False)
            self._kept -= len(oldest)
        return document

    async def execute(self, operation: Operation, context: Context) -> Answer:
        """The answer to a query or mutation; it has no `data` where it was not run."""
        try:
            result = execute(
                self._schema,
                operation.document,
                context_value=context,
                variable_values=operation.variables,
                operation_name=operation.name,
            )
            return answer(await result if isawaitable(result) else result)
        except Exception as error:  # noqa: BLE001 -- the edge: told with an id, and logged
            return {"errors": [accident(error)]}

    async def subscribe(self, operation: Operation, context: Context) -> AsyncGenerator[Answer]:
        """The answers of a subscription. An answer without `data` is the last."""
        try:
            result = subscribe(
                self._schema,
                operation.document,
                context_value=context,
                variable_values=operation.variables,
                operation_name=operation.name,
            )
            source = await result if isawaitable(result) else result
            if isinstance(source, AsyncIterable):
                async for event in source:
                    yield answer(event)
            else:
                yield {"errors": told(source.errors or [])}
        except GraphQLError as error:
            yield {"errors": told([error])}
        except Exception as error:  # noqa: BLE001 -- the edge: told with an id, and logged
            yield {"errors": [accident(error)]}


def _chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run, as the specification chooses it."""
    operations = [
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    if name is None and len(operations) == 1:
        return operations[0]
    for operation in operations:
        if operation.name is not None and operation.name.value == name:
            return operation
    raise Rejected.because(
        ErrorCode.OPERATION_RESOLUTION_FAILURE,
        f"The document has no operation {name[:80]!r}."
        if name is not None
        else f"The document has {len(operations)} operations. Name one in `operationName`.",
    )


def answer(result: ExecutionResult) -> Answer:
    """A result as it is sent. A request that GraphQL itself refused to run has no `data`."""
    if not result.errors:
        return {"data": result.data}
    errors = told(result.errors)
    refused = result.data is None and all(error.path is None for error in result.errors)
    return {"errors": errors} if refused else {"data": result.data, "errors": errors}
