"""One operation, from a client's parameters to its answer: chosen, run, followed.

Law: nothing is run that was not read as a whole first, and nothing runs longer than its deadline.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from inspect import isawaitable
from typing import NamedTuple

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    Executor,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    execute,
    print_ast,
)

from api import coercion
from api.broadcast import Answer, Broadcast, Made, scope, words
from api.context import Context
from api.documents import Document, Documents, describes
from api.errors import ErrorCode, Problem, accident, told
from api.limits import MOST_ERRORS, refuse_unstorable_values
from api.rejected import Malformed, Rejected
from api.schema import executable
from api.subscriptions import FeedItem

DEADLINE = 12.0
"""Seconds that a query or mutation may take; a statement of the database may take less."""

MOST_DESCRIPTIONS = 4
"""Answers that only say what the schema is, the same for everybody: editors ask in few ways."""

coercion.install()


class Told(NamedTuple):
    """An answer, what it tells of where there is a feed, and whether it was made for this one.

    `weighed`: points for what was weighed while it was made.
    """

    item: FeedItem | None
    made: Made
    mine: bool = True
    weighed: int = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """`points`: what it costs at most, known before it is run."""

    text: str
    document: Document
    chosen: OperationDefinitionNode
    name: str | None
    variables: dict[str, object]

    @property
    def kind(self) -> OperationType:
        return self.chosen.operation

    @property
    def points(self) -> int:
        return self.document.points[self.name]


class Operations:
    """Reads what clients ask for, and runs it."""

    def __init__(self) -> None:
        self._schema = executable()
        self._documents = Documents(self._schema)
        self._broadcast = Broadcast()
        self._described: dict[str | None, Answer] = {}

    def operation(self, params: Mapping[str, object]) -> Operation:
        """The operation that a client's parameters ask for. Rejected when they are not good."""
        text, name = params.get("query"), params.get("operationName")
        variables = params.get("variables")
        if not isinstance(text, str) or not text:
            raise Malformed.because(ErrorCode.BAD_REQUEST, "`query` is a non-empty string.")
        if not isinstance(name, str | None):
            raise Malformed.because(ErrorCode.BAD_REQUEST, "`operationName` is a string or null.")
        if not isinstance(variables, dict | None):
            raise Malformed.because(ErrorCode.BAD_REQUEST, "`variables` is an object or null.")
        if not isinstance(params.get("extensions"), dict | None):
            raise Malformed.because(ErrorCode.BAD_REQUEST, "`extensions` is an object or null.")
        try:
            refuse_unstorable_values(variables or {})
        except Problem as error:
            raise Rejected(told([error])) from error
        document = self._documents.document(text)
        chosen = _chosen(document.node, name)
        called = chosen.name.value if chosen.name else None
        return Operation(text, document, chosen, called, variables or {})

    async def execute(self, operation: Operation, context: Context) -> Answer:
        """The answer to a query or mutation; it has no `data` where it was not run."""
        asked = _described(operation)
        if asked in self._described:
            return {**self._described[asked]}
        try:
            async with asyncio.timeout(DEADLINE):
                answered = await self._run(operation, context, None)
        except TimeoutError:
            return {"errors": told([_late()])}
        except Exception as error:  # noqa: BLE001 -- the edge: told with an id, and logged
            return {"errors": [accident(error)]}
        if asked is not None:
            if len(self._described) == MOST_DESCRIPTIONS:
                self._described.clear()
            self._described[asked] = {**answered}
        return answered

    async def _run(self, operation: Operation, context: Context, root: object) -> Answer:
        result = execute(
            self._schema,
            operation.document.node,
            root,
            context,
            operation.variables,
            operation.name,
            max_coercion_errors=MOST_ERRORS,
        )
        return answer(await result if isawaitable(result) else result)

    async def subscribe(self, operation: Operation, context: Context) -> AsyncGenerator[Told]:
        """What is told and its answer, again and again. An answer with `errors` is the last."""
        try:
            source = await self._source(operation, context)
            if not isinstance(source, AsyncGenerator):
                yield Told(None, Made.of(answer(source)))
                return
            asked = _asked(operation)
            async with aclosing(source) as items:
                async for item in items:
                    async with asyncio.timeout(DEADLINE):
                        answered = await self._told(operation, context, item, asked)
                    yield answered
        except GraphQLError as error:
            yield Told(None, Made.of({"errors": told([error])}))
        except TimeoutError:
            yield Told(None, Made.of({"errors": told([_late()])}))
        except Exception as error:  # noqa: BLE001 -- the edge: told with an id, and logged
            yield Told(None, Made.of({"errors": [accident(error)]}))

    async def _told(
        self, operation: Operation, context: Context, item: FeedItem, asked: bytes
    ) -> Told:
        made_from = scope(item, context)
        contexts: list[Context] = []

        def make() -> Awaitable[Answer]:
            contexts.append(context.anew())
            return self._run(operation, contexts[-1], item)

        made, mine = (
            (Made.of(await make()), True)
            if made_from is None
            else await self._broadcast.answer(
                (operation.text, operation.name, asked, made_from),
                make,
                lambda: scope(item, context) == made_from,
            )
        )
        return Told(item, made, mine, sum(each.weighed for each in contexts))

    async def _source(
        self, operation: Operation, context: Context
    ) -> AsyncGenerator[FeedItem] | ExecutionResult:
        executor = Executor.build(
            self._schema,
            operation.document.node,
            None,
            context,
            operation.variables,
            operation.name,
            max_coercion_errors=MOST_ERRORS,
        )
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        made = create_source_event_stream(executor)
        source = await made if isawaitable(made) else made
        assert isinstance(source, AsyncGenerator | ExecutionResult)  # noqa: S101 -- strawberry's
        return source


def _described(operation: Operation) -> str | None:
    """A key for what only describes the schema, whatever stands between its words."""
    if not describes(operation.chosen):
        return None
    return f"{operation.name} {print_ast(operation.document.node)}"


def _late() -> Problem:
    return Problem(
        ErrorCode.SERVICE_UNAVAILABLE,
        f"The operation was stopped after {DEADLINE:g} s. Ask for less at once; a mutation may "
        "have been done: send it again with the same requestId.",
    )


def _asked(operation: Operation) -> bytes:
    """The variables that answers are made from, as a key."""
    names = words(operation.document.node, operation.chosen)
    used = {name: value for name, value in operation.variables.items() if name in names}
    return orjson.dumps(used, option=orjson.OPT_SORT_KEYS)


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
