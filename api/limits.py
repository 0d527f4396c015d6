"""How much a client may send, and which characters, before anything is made of it.

Law: every limit is told in the refusal, and is checked before the work that it limits.
"""

from collections.abc import Iterator

from graphql import DocumentNode, StringValueNode, Visitor, visit

from api.errors import bad_input

MOST_BYTES = 262_144
"""Of one request body or one WebSocket message."""
MOST_TOKENS = 2_000
MOST_VALIDATION_ERRORS = 20
MOST_OPERATIONS_ON_A_SOCKET = 100
SECONDS_TO_CONNECTION_INIT = 3.0


class TooLarge(Exception):
    """A body over the limit."""

    def __init__(self) -> None:
        super().__init__(f"A request body has at most {MOST_BYTES} bytes.")


class _Texts(Visitor):
    def enter_string_value(self, node: StringValueNode, *_args: object) -> None:
        refuse_unstorable(node.value, "A string in the document")


def refuse_unstorable_literals(document: DocumentNode) -> None:
    visit(document, _Texts())


def refuse_unstorable_values(value: object, path: str) -> None:
    """Walks decoded JSON, whose depth the decoder has bounded."""
    for place, text in _texts(value, path):
        refuse_unstorable(text, place)


def refuse_unstorable(text: str, where: str) -> None:
    """BAD_USER_INPUT for a text that Postgres or UTF-8 cannot give back unchanged."""
    for character in text:
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise bad_input(f"{where} contains U+{ord(character):04X}, which cannot be stored.")


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield f"A key in {path}", key
            yield from _texts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{index}]")
