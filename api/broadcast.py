"""What many followers are told at the same moment, made once.

Law: two followers share an answer only where nothing it was made from can differ: the words they
asked with, the change set, where its log ends, and what they may see; an answer with errors, or of
some seconds ago, is shared with nobody.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from time import monotonic
from typing import NamedTuple

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)

from api.context import Context
from api.subscriptions import ChangeSetAppended, FeedItem

FRESH = 5.0
"""Seconds. What is shown of people may be erased meanwhile."""
MOST_KEPT = 8_000_000
"""Bytes of answers."""

type Answer = dict[str, object]


class Made(NamedTuple):
    """An answer as JSON. `errors` where it has no data, which ends a subscription.

    `whole`: whether others may have it too.
    """

    body: bytes
    errors: object = None
    whole: bool = True

    @classmethod
    def of(cls, answer: Answer) -> "Made":
        refused = None if "data" in answer else answer["errors"]
        return cls(orjson.dumps(answer), refused, "errors" not in answer)


class Broadcast:
    """Answers of the last moments, by what they were made from; the oldest first."""

    def __init__(self) -> None:
        self._making: dict[Hashable, asyncio.Task[Made]] = {}
        self._made: OrderedDict[Hashable, tuple[float, Made]] = OrderedDict()
        self._kept = 0

    async def answer(
        self, key: Hashable, make: Callable[[], Awaitable[Answer]], still: Callable[[], bool]
    ) -> tuple[Made, bool]:
        """What somebody else got a moment ago, or one that is made now, and whether it was made.

        `still`: whether the key is what an answer of ours would be made from, once it is made.
        """
        found = self._made.get(key)
        if found is not None and found[0] > monotonic() - FRESH:
            return found[1], False
        task = self._making.get(key)
        if task is not None:
            with suppress(Exception):  # theirs: told to them, and not to us
                made = await asyncio.shield(task)
                if made.whole:
                    return made, False
            return Made.of(await make()), True
        task = asyncio.create_task(self._make(key, make, still), name="broadcast")
        self._making[key] = task  # of its own: who asked first may leave while others wait
        return await asyncio.shield(task), True

    async def _make(
        self, key: Hashable, make: Callable[[], Awaitable[Answer]], still: Callable[[], bool]
    ) -> Made:
        try:
            made = Made.of(await make())
        finally:
            del self._making[key]
        if not still():  # what the maker may see has changed meanwhile
            return made._replace(whole=False)
        if made.whole:
            self._keep(key, made)
        return made

    def _keep(self, key: Hashable, made: Made) -> None:
        self._forget(key)
        self._made[key] = monotonic(), made
        self._kept += len(made.body)
        for old, (since, _) in list(self._made.items()):
            if since > monotonic() - FRESH and self._kept <= MOST_KEPT:
                break
            self._forget(old)

    def _forget(self, key: Hashable) -> None:
        _, made = self._made.pop(key, (0.0, None))
        if made is not None:
            self._kept -= len(made.body)


def scope(item: FeedItem, context: Context) -> Hashable:
    """What an answer is made from beside the words; None where it is the viewer's own."""
    if not isinstance(item, ChangeSetAppended):
        return None
    standing = item.settings.standing
    latest = context.latest(standing)
    return (
        standing.environment.profile.key,
        standing.position,
        latest.position,
        latest.environment.roles(context.actor.handle),
        context.actor.platform_administrator,
    )


def words(document: DocumentNode, operation: OperationDefinitionNode) -> frozenset[str]:
    """The names of the variables that an answer is made from.

    Where to begin and how often to give a sign of life are arguments of the root field, and no
    part of the answer.
    """
    found = _Variables()
    for definition in document.definitions:
        if definition is not operation:
            visit(definition, found)
    for selection in operation.selection_set.selections:
        if isinstance(selection, FieldNode):
            for node in (*(selection.directives or ()), selection.selection_set):
                if node is not None:
                    visit(node, found)
        else:
            visit(selection, found)
    return frozenset(found.names)


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_args: object) -> None:
        self.names.add(node.name.value)
