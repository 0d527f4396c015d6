"""How much a client may send, and which characters, before anything is made of it.

Law: every limit is told in the refusal, and is checked before the work that it limits.
"""

import re
from collections.abc import Iterator

from graphql import DocumentNode, IntValueNode, StringValueNode, Visitor, visit

from api.errors import ErrorCode, Problem, bad_input

MOST_BYTES = 262_144
"""Of one request body or one WebSocket message."""
MOST_CHARACTERS = 20_000
MOST_LINES = 2_000
MOST_TOKENS = 500
"""The last three of a document."""
MOST_DIGITS = 20
"""Of a number written in a document; a longer one cannot even be read."""
MOST_ERRORS = 5
MOST_VARIABLE_VALUES, OBJECT = 5_100, 5
"""In all variables of an operation; how many more an object counts: it takes longest to make."""
MOST_OPERATIONS_ON_A_SOCKET = 100
MOST_MESSAGES_A_SECOND = 500
"""On one socket, whatever they ask for."""
SECONDS_TO_CONNECTION_INIT = 3.0
UNSTORABLE = re.compile("[\0\ud800-\udfff]")

type Trail = tuple[Trail, object] | None
"""How a value is reached: the way to what holds it, and the key or index in there."""


class TooLarge(Exception):
    """A body over the limit."""

    def __init__(self) -> None:
        super().__init__(f"A request body has at most {MOST_BYTES} bytes.")


class _Literals(Visitor):
    def enter_string_value(self, node: StringValueNode, *_args: object) -> None:
        refuse_unstorable(node.value, "A string in the document")

    def enter_int_value(self, node: IntValueNode, *_args: object) -> None:
        if len(node.value) > MOST_DIGITS:
            raise bad_input(
                f"A number in the document has {len(node.value)} digits; at most {MOST_DIGITS}."
            )


def refuse_unstorable_literals(document: DocumentNode) -> None:
    """BAD_USER_INPUT for a literal that no field could take."""
    visit(document, _Literals())


def refuse_unstorable_values(variables: dict[str, object]) -> None:
    """Walks without recursion, and words a place only where something is wrong there.

    TOO_COSTLY for too many.
    """
    waiting: list[tuple[Trail, object]] = [(None, variables)]
    seen = 1
    while waiting:
        trail, value = waiting.pop()
        if isinstance(value, str):
            if UNSTORABLE.search(value):
                refuse_unstorable(value, _worded(trail))
        elif isinstance(value, list | dict):
            seen += len(value)
            if seen > MOST_VARIABLE_VALUES:
                raise Problem(
                    ErrorCode.TOO_COSTLY,
                    f"Variables have at most {MOST_VARIABLE_VALUES} values. Ask for less at once.",
                )
            if isinstance(value, dict):
                seen += OBJECT
                refuse_unstorable("".join(value), f"A key in {_worded(trail)}")
            steps = enumerate(value) if isinstance(value, list) else value.items()
            waiting += [((trail, step), inner) for step, inner in steps]


def refuse_unstorable(text: str, where: str) -> None:
    """BAD_USER_INPUT for a text that Postgres or UTF-8 cannot give back unchanged."""
    found = UNSTORABLE.search(text)
    if found:
        raise bad_input(f"{where} contains U+{ord(found[0]):04X}, which cannot be stored.")


def _worded(trail: Trail) -> str:
    return ".".join(["variables", *reversed([str(step) for step in _steps(trail)])])[:200]


def _steps(trail: Trail) -> Iterator[object]:
    while trail is not None:
        trail, step = trail
        yield step
