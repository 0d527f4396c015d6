"""graphql-core with ours in it reads and refuses as it does alone, for less."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
from graphql import (
    GraphQLError,
    Lexer,
    Node,
    Source,
    Token,
    TokenKind,
    ValidationContext,
    parse,
    validate,
    visit,
)
from hostile_documents import hostile_documents
from hypothesis import example, given
from hypothesis import strategies as st

from api.documents import RULES, Documents
from api.graphql_core import OurLexer
from api.limits import MOST_ERRORS, MOST_TOKENS
from api.rejected import Rejected
from api.schema import executable

PIECES = st.lists(
    st.sampled_from([*'{}()[]:$!@|&=.,#"\\\n\r\t -é', "...", "a", "_b9", "12", "1.5e3", '"""'])
)
DOCUMENTS = [each.document for each in hostile_documents() if not each.name.startswith("variable")]


@contextmanager
def as_graphql_core_alone() -> Iterator[None]:
    parsing = vars(import_module("graphql.language.parser"))
    validating = vars(import_module("graphql.validation.validate"))
    ours = parsing["Lexer"], validating["ValidationContext"], validating["visit"]
    parsing["Lexer"], validating["ValidationContext"], validating["visit"] = (
        Lexer,
        ValidationContext,
        visit,
    )
    try:
        yield
    finally:
        parsing["Lexer"], validating["ValidationContext"], validating["visit"] = ours


def tokens(lexer: type[Lexer], text: str) -> list[object]:
    """Each with its place, and how it ends."""
    reading, found = lexer(Source(text)), list[object]()
    try:
        while reading.token.kind is not TokenKind.EOF:
            token = reading.advance()
            found.append(
                (token.kind, token.start, token.end, token.line, token.column, token.value)
            )
    except GraphQLError as error:
        found.append(str(error))
    return found


def errors(text: str) -> list[object]:
    try:
        found = validate(executable(), parse(text, max_tokens=MOST_TOKENS), RULES, MOST_ERRORS)
    except GraphQLError as error:
        found = [error]
    return [error.formatted for error in found]


@given(PIECES)
@example(["a", "é"])
def test_the_tokens_are_those_of_graphql_core(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert tokens(OurLexer, text) == tokens(Lexer, text)


@pytest.mark.unwatched
@pytest.mark.parametrize("alike", [errors, lambda text: parse(text, max_tokens=MOST_TOKENS)])
def test_nodes_and_errors_are_those_of_graphql_core(alike: Callable[[str], object]) -> None:
    for text in DOCUMENTS:
        try:
            ours = alike(text)
        except GraphQLError:
            continue
        with as_graphql_core_alone():
            assert ours == alike(text)


def test_equal_nodes_have_one_hash() -> None:
    text = "query ($a: ID!) { node(id: $a) { ...f } } fragment f on Node { id }"
    one, other = parse(text), parse(text)
    assert one == other
    assert hash(one) == hash(other)


def test_the_tokens_of_a_document_lead_one_way() -> None:
    document = parse("{ a }")
    assert document.loc
    token: Token | None = document.loc.start_token
    kinds = []
    while token:
        assert token.prev is None
        kinds.append(token.kind.value)
        token = token.next
    assert kinds == ["<SOF>", "{", "Name", "}", "<EOF>"]


@pytest.mark.parametrize("text", ["{ viewer { a } }", "{ viewer", '{ viewer(a: "\\u0000") { b } }'])
def test_what_is_refused_is_gone_without_the_collector(text: str) -> None:
    documents = Documents(executable())
    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(each, Node | Token) for each in gc.get_objects())
        with pytest.raises(Rejected):
            documents.document(text)
        after = sum(isinstance(each, Node | Token) for each in gc.get_objects())
    finally:
        gc.enable()
    assert after == before
