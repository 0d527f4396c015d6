"""How much a client may send, and which characters, before anything is made of it.

Law: every limit is told in the refusal, and is checked before the work that it limits.
"""

import re
from collections.abc import Iterable, Iterator

from graphql import DocumentNode, TokenKind

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
HOLDERS = (list, dict)
TEXTS = frozenset({TokenKind.STRING, TokenKind.BLOCK_STRING})

type Trail = tuple[Trail, object] | None
"""How a value is reached: the way to what holds it, and the key or index in there."""


class TooLarge(Exception):
    """A body over the limit."""

    def __init__(self) -> None:
        super().__init__(f"A request body has at most {MOST_BYTES} bytes.")


def refuse_unstorable_literals(document: DocumentNode) -> None:
    """BAD_USER_INPUT for a literal that no field could take, wherever in the text it stands."""
    token = document.loc and document.loc.start_token
    while token:
        value = token.value or ""
        if token.kind in TEXTS:
            refuse_unstorable(value, "A string in the document")
        elif token.kind is TokenKind.INT and len(value) > MOST_DIGITS:
            raise bad_input(
                f"A number in the document has {len(value)} digits; at most {MOST_DIGITS}."
            )
        token = token.next


def refuse_unstorable_values(variables: dict[str, object]) -> None:
    """Walks without recursion, and looks for a place only where something is wrong.

    TOO_COSTLY for too many.
    """
    waiting: list[list[object] | dict[str, object]] = [variables]
    seen, texts = 1, list[str]()
    for holder in waiting:  # it grows meanwhile
        seen += len(holder)
        if seen > MOST_VARIABLE_VALUES:
            raise Problem(
                ErrorCode.TOO_COSTLY,
                f"Variables have at most {MOST_VARIABLE_VALUES} values. Ask for less at once.",
            )
        values: Iterable[object] = holder
        if isinstance(holder, dict):
            seen += OBJECT
            texts += holder
            values = holder.values()
        for value in values:
            if isinstance(value, str):
                texts.append(value)
            elif isinstance(value, HOLDERS):
                waiting.append(value)
    if UNSTORABLE.search("".join(texts)):
        text, what, trail = next(filter(_is_unstorable, [*_texts(variables)]))
        refuse_unstorable(text, f"{what}{_worded(trail)}")


def _is_unstorable(found: tuple[str, str, Trail]) -> bool:
    return UNSTORABLE.search(found[0]) is not None


def _texts(variables: dict[str, object]) -> Iterator[tuple[str, str, Trail]]:
    """Each text, what it is, and how it is reached."""
    waiting: list[tuple[Trail, object]] = [(None, variables)]
    while waiting:
        trail, value = waiting.pop()
        if isinstance(value, str):
            yield value, "", trail
        elif isinstance(value, dict):
            yield "".join(value), "A key in ", trail
            waiting += [((trail, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((trail, index), inner) for index, inner in enumerate(value)]


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
