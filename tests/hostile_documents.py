"""GraphQL requests made to cost much: of every kind that is known, over a limit or just within it.

Law: pure; each is made only when it is its turn, was never seen before under another mark, and
changes nothing.
"""

from collections.abc import Iterator, Mapping
from math import isqrt
from typing import NamedTuple

import orjson
from graphql import Lexer, Source, TokenKind, get_introspection_query

from api.costs import MOST_FRAGMENTS, MOST_OPERATIONS, MOST_ROOT_FIELDS, MOST_WRITTEN
from api.limits import (
    MOST_BYTES,
    MOST_CHARACTERS,
    MOST_LINES,
    MOST_TOKENS,
    MOST_VARIABLE_VALUES,
    OBJECT,
)

PARSE = "GRAPHQL_PARSE_FAILED"
VALIDATION = "GRAPHQL_VALIDATION_FAILED"
INPUT = "BAD_USER_INPUT"
REQUEST = "BAD_REQUEST"
COSTLY = "TOO_COSTLY"
ANSWERED = None
"""In place of a code."""

BYTES = MOST_BYTES - 2_000
CHARACTERS = MOST_CHARACTERS - 200
TOKENS = MOST_TOKENS - 60
FIELDS = MOST_WRITTEN - 5
"""For what fills a request; the words around it need the rest."""


class Hostile(NamedTuple):
    """`code`: of its first error. `variables`: JSON as it is sent."""

    name: str
    code: str | None
    document: str
    variables: str = "null"

    def body(self, mark: str) -> bytes:
        query = orjson.dumps(f"#{mark}\n{self.document}")
        return b'{"query": ' + query + b', "variables": ' + self.variables.encode() + b"}"


def numbered(piece: str, count: int) -> str:
    """That many, one after the other: `~` becomes the number of each, `^` the one after it."""
    return " ".join(
        piece.replace("~", str(number)).replace("^", str(number + 1)) for number in range(count)
    )


def flood(piece: str, share: int = 1) -> str:
    """As many as a document may have tokens, or a share of that."""
    lexer, size = Lexer(Source(piece.replace("~", "0"))), 0
    while lexer.advance().kind is not TokenKind.EOF:
        size += 1
    return numbered(piece, TOKENS // size // share)


def long(piece: str) -> str:
    """As many as a document may have characters."""
    return piece * (CHARACTERS // len(piece))


def wide(piece: str) -> str:
    """As many as a body may have bytes."""
    return piece * (BYTES // (len(orjson.dumps(piece)) - 2))


def nested(opening: str, inner: str, closing: str, depth: int) -> str:
    return opening * depth + inner + closing * depth


def asked(inside: str) -> str:
    return "{ " + inside + " }"


NAMES = {
    "name": (VALIDATION, "{ … }"),
    "alias": (ANSWERED, "{ …: __typename }"),
    "name of an argument": (VALIDATION, "{ viewer(…: 1) { __typename } }"),
    "name of a directive": (VALIDATION, "{ __typename @… }"),
    "name of a type": (VALIDATION, "{ ... on … { __typename } }"),
    "name of a fragment": (VALIDATION, "{ ...… }"),
    "name of an operation": (ANSWERED, "query … { __typename }"),
    "name of a variable": (VALIDATION, "query ($…: Int) { __typename }"),
    "string": (INPUT, '{ environment(key: "…") { key } }'),
    "block of text": (INPUT, '{ environment(key: """…""") { key } }'),
    "string without an end": (PARSE, '{ environment(key: "…'),
    "block without an end": (PARSE, '{ environment(key: """…'),
    "comment": (ANSWERED, "#…\n{ __typename }"),
}


def named() -> Iterator[Hostile]:
    """Single tokens as long as a document may be, and as a body may be."""
    for what, (code, around) in NAMES.items():
        yield Hostile(f"a long {what}", code, around.replace("…", long("a")))
        yield Hostile(f"a huge {what}", COSTLY, around.replace("…", wide("a")))


def enormous() -> Mapping[str, str]:
    """More characters or lines than a document may have."""
    return {
        "20 huge names": asked(numbered("a" * (BYTES // 21) + "~", 20)),
        "10,000 aliases": asked(numbered("a~: __typename", 10_000)),
        "3,000 times one alias": asked("a: __typename " * 3_000),
        "5,000 fragments": asked("__typename") + numbered("fragment f~ on Query { a }", 5_000),
        "5,000 operations": numbered("query q~ { __typename }", 5_000),
        "5,000 variables": f"query ({numbered('$a~: Int', 5_000)}) {{ __typename }}",
        "a list of 100,000": asked(f"nodes(ids: [{'1 ' * 100_000}]) {{ id }}"),
        "a huge string of escapes": asked(f'environment(key: "{wide("\\u0041")}") {{ key }}'),
        "a huge block of lines": asked(f'environment(key: """{wide("\n ")}""") {{ key }}'),
        "a huge block of quotes": asked(f'environment(key: """{wide('\\"""')}""") {{ key }}'),
        "a huge number": asked(f"environments(first: {wide('1')}) {{ totalCount }}"),
        "a huge fraction": asked(f"environments(first: 1.{wide('1')}) {{ totalCount }}"),
        "80,000 comments": wide("#\n") + asked("__typename"),
        "250,000 commas": wide(",") + asked("__typename"),
        "80,000 byte order marks": wide("\ufeff") + asked("__typename"),
        "130,000 lines": wide("\n") + asked("__typename"),
        "130,000 returns": wide("\r") + asked("__typename"),
        "errors behind 100,000 lines": "\n" * 100_000 + asked(flood("a~", 3)),
        "conflicts behind 100,000 lines": "\n" * 100_000 + asked("a: viewer a: node " * 10),
        "endless lists": "{ nodes(ids: " + wide("["),
        "endless selections": wide("{ a"),
    }


def unreadable() -> Mapping[str, str]:
    """More tokens than a document may have, or more levels than can be read."""
    return {
        "1,500 fields that conflict": asked("a: viewer a: node " * 750),
        "1,300 aliases": asked(numbered("a~: x", 1_300)),
        "9,000 numbers": asked(f"nodes(ids: [{'1 ' * 9_000}]) {{ id }}"),
        "comments": "#\n" * (MOST_LINES - 10) + asked("__typename"),
        "lists in lists": asked(f"nodes(ids: {nested('[', '', ']', 450)}) {{ id }}"),
        "objects in objects": asked(f"environments(filter: {nested('{a: ', '1', '}', 230)})"),
        "selections in selections": nested("{ a ", "", "}", 300),
        "inline fragments in each other": asked(nested("... {", "__typename", "}", 300)),
        "a type in lists": f"query ($a: {nested('[', 'Int', ']', 450)}) {{ __typename }}",
        "lists without an end": "{ nodes(ids: " + long("["),
        "selections without an end": long("{ a"),
    }


def costly() -> Mapping[str, str]:
    """What would be much to compare, to run or to answer."""
    count = isqrt(TOKENS) - 4
    later = (
        f"fragment f{one} on Query {{ __typename "
        + "".join(f" ...f{other}" for other in range(one + 1, count))
        + "}"
        for one in range(count)
    )
    return {
        "fragments that double 30 times": "{ ...f0 } fragment f30 on Query { __typename }"
        + numbered("fragment f~ on Query { ...f^ ...f^ }", 30),
        "fragments that double in fields": "{ node(id: 1) { ...f0 } } fragment f16 on Change { at }"
        + numbered(
            "fragment f~ on Change { environment { a: settings { environment { ...f^ } } "
            "b: settings { environment { ...f^ } } } }",
            16,
        ),
        "fragments that spread every later one": "{ ...f0 }" + "".join(later),
        "types that double": "{ __schema { types { ...f0 } } } fragment f20 on __Type { name }"
        + numbered("fragment f~ on __Type { a: ofType { ...f^ } b: ofType { ...f^ } }", 20),
        "more fragments than may be": asked("__typename")
        + flood("fragment f~ on Query { __typename }"),
        "a fragment, again and again": asked(flood("...f")) + "fragment f on Query { __typename }",
        "fields of the root": asked(flood("a~: __typename")),
        "more fields than may be written": asked(f"viewer {{ {flood('a~')} }}"),
        "one alias again and again": asked(flood("a: __typename")),
        "inline fragments that conflict": asked(flood("... { a: viewer } ... { a: node }")),
        "inline fragments alike": asked(flood("... { viewer { __typename } }")),
        "operations": flood("query q~ { __typename }"),
        "operations of one name": flood("query q { __typename }"),
        "operations without a name": flood("{ __typename }"),
        "directives that nobody knows": asked("__typename" + flood("@d~")),
        "one directive again and again": asked("__typename" + flood("@skip(if: true)")),
        "selections in selections, less deep": nested("{ a ", "", "}", 150),
        "environments in environments": "{ environments { nodes "
        + nested("{ settings { environment ", "{ key }", "} }", 30)
        + "} }",
        "introspection, 30 levels": "{ __schema { types "
        + nested("{ fields { type ", "{ name }", "} }", 15)
        + "} }",
        "types and fields, many times": asked(
            "__schema { types {" + flood("a~: fields { name }") + "} }"
        ),
        "the schema, many times": asked(flood("a~: __schema { types { fields { name } } }")),
        "every column, many times": asked(
            flood("a~: filterCatalogue { tables { columns { column operators } } }")
        ),
        "pages of environments": asked(flood("a~: environments(first: 200) { nodes { ...t } }"))
        + " fragment t on Environment { a: key b: key c: key d: key e: key f: key g: key h: key }",
    }


def invalid() -> Mapping[str, str]:
    """What the schema does not have, and what the specification does not allow."""
    return {
        "fragments doubling into nothing": "{ ...f0 }"
        + numbered("fragment f~ on Query { ...f^ ...f^ }", 30),
        "fragments in a circle": "{ ...f0 } fragment f40 on Query { ...f0 }"
        + numbered("fragment f~ on Query { ...f^ }", 40),
        "fragments that nobody spreads": "{ __typename }"
        + numbered("fragment f~ on Query { __typename }", MOST_FRAGMENTS),
        "fragments of one name": "{ __typename }" + flood("fragment f on Query { __typename }"),
        "fragments that are missing": asked(flood("...f~")),
        "fragments that overlap": "{ viewer {"
        + numbered("...f~", 24)
        + "} }"
        + numbered("fragment f~ on Viewer { principal { a: id b: id } }", 24),
        "a type that spreads itself": '{ __type(name: "Query") { ...f } }'
        "fragment f on __Type { name fields { type { ...f } } }",
        "operations that lack variables": numbered("query q~ { ...f }", MOST_OPERATIONS)
        + "fragment f on Query { viewer { "
        + flood("a~: platformAdministrator @skip(if: $x~)", 2)
        + "} }",
        "variables that nobody uses": f"query ({flood('$a~: Int')}) {{ __typename }}",
        "variables of one name": f"query ({flood('$a: Int')}) {{ __typename }}",
        "variables of unknown types": f"query ({flood('$a~: SyncFiltr~')}) {{ __typename }}",
        "fields that are missing": asked(f"viewer {{ {numbered('a~', FIELDS)} }}"),
        "fields that are nearly there": asked(f"viewer {{ {numbered('principl~', FIELDS)} }}"),
        "types that are nearly there": asked(f"viewer {{ {flood('... on Viewr~ { a }')} }}"),
        "arguments that are missing": asked(f"environments({flood('a~: 1')}) {{ totalCount }}"),
        "arguments of one name": asked(f"environments({flood('first: 1')}) {{ totalCount }}"),
        "objects alike within objects alike": asked(
            ("viewer {" + "principal { a: id } " * 9 + "} ") * (TOKENS // 60)
        ),
    }


def ill_valued() -> Mapping[str, str]:
    """Values that do not fit, and answers that are errors."""
    return {
        "a list of many": asked(f"nodes(ids: [{flood('1')}]) {{ id }}"),
        "two lists that are compared": asked(f"nodes(ids: [{flood('1', 2)}]) {{ id }} " * 2),
        "a number of 5,000 digits": asked(f"environments(first: {'1' * 5_000}) {{ totalCount }}"),
        "an exponent of 5,000 digits": asked(
            f"environments(first: 1e{'1' * 5_000}) {{ totalCount }}"
        ),
        "lists in lists, less deep": asked(f"nodes(ids: {nested('[', '', ']', 150)}) {{ id }}"),
        "objects in objects, less deep": asked(
            f"environments(filter: {nested('{a: ', '1', '}', 100)}) {{ totalCount }}"
        ),
        "values of another type": asked(f"nodes(ids: [{flood('1.5')}]) {{ id }}"),
        "arguments of another type": asked(
            numbered("a~: environment(key: 1) { key }", MOST_ROOT_FIELDS)
        ),
        "changes without a key": 'mutation { changeSettings(input: { environmentKey: "contoso",'
        f"mode: PREVIEW, changes: [{flood('{}')}] }}) {{ __typename }} }}",
        "errors where they happen": asked(
            numbered('a~: environment(key: "?") { key }', MOST_ROOT_FIELDS)
        ),
        "a block of many lines": asked(
            f'environment(key: """{"\n " * (MOST_LINES - 9)}""") {{ key }}'
        ),
        "a string of escapes": asked(f'environment(key: "{long("\\u0041")}") {{ key }}'),
    }


def answered() -> Mapping[str, str]:
    """Much of what costs little."""
    return {
        "aliases": asked(f"viewer {{ {flood('a~: platformAdministrator')} }}"),
        "aliases of objects": asked(f"viewer {{ {flood('a~: principal { name }')} }}"),
        "environments that are not there": asked(
            numbered('a~: environment(key: "x~") { key }', MOST_ROOT_FIELDS)
        ),
        "nodes that are not there": asked(numbered("a~: node(id: 1) { id }", MOST_ROOT_FIELDS)),
        "directives on every field": asked(
            f"viewer {{ __typename {flood('a~: __typename @skip(if: true)')} }}"
        ),
        "lines before every field": "\n" * (MOST_LINES - 9)
        + asked(f"viewer {{ {flood('a~: __typename', 2)} }}"),
        "commas": long(",") + asked("__typename"),
        "byte order marks": long("\ufeff") + asked("__typename"),
        "what a type is made of, 40 levels": '{ __type(name: "Query") '
        + nested("{ ofType ", "{ name }", "}", 40)
        + "}",
        "the introspection of an editor": get_introspection_query(),
    }


IDS = "query ($value: [ID!]!) { nodes(ids: $value) { id } }"
FIRST = "query ($value: Int) { environments(first: $value) { totalCount } }"
SEARCH = "query ($value: String) { environments(filter: {search: $value}) { totalCount } }"
CHANGES = """mutation ($value: [SettingChange!]!) {
  changeSettings(input: {environmentKey: "contoso", changes: $value, mode: PREVIEW}) {
    __typename } }"""
CRITERIA = """mutation ($value: CriteriaGroupInput!) {
  changeSettings(input: {environmentKey: "contoso", mode: PREVIEW, changes: [{defineFilter: {
    role: SYSTEM_FILTER, kind: ONLINE, table: "contact", name: "a", criteria: {tree: $value}}}]}) {
    __typename } }"""


def listed(entry: str, count: int) -> str:
    return f"[{','.join([entry] * count)}]"


def keyed(count: int) -> str:
    return asked(",".join(f'"a{number}": 1' for number in range(count)))


def valued() -> Iterator[tuple[str, str | None, str, str]]:
    """A variable that is large, deep, or wrong in many places."""
    switch = '{"assignedTasks": {"enabled": true}}'
    condition = '{"column": "fullname", "operator": "null"}'
    most = MOST_VARIABLE_VALUES - 10
    yield "100,000 ids", COSTLY, IDS, listed("1", 100_000)
    yield "80,000 ids that are empty", COSTLY, IDS, listed('""', 80_000)
    yield "80,000 changes that are empty", COSTLY, CHANGES, listed("{}", 80_000)
    yield "7,000 changes", COSTLY, CHANGES, listed(switch, 7_000)
    yield "5,000 conditions", COSTLY, CRITERIA, f'{{"conditions": {listed(condition, 5_000)}}}'
    yield "80,000 groups", COSTLY, CRITERIA, f'{{"groups": {listed("{}", 80_000)}}}'
    yield "20,000 keys", COSTLY, FIRST, keyed(20_000)
    yield "ids", INPUT, IDS, listed("1", most)
    yield "ids that are none", INPUT, IDS, listed("{}", most // (1 + OBJECT))
    yield "ids of another type", INPUT, IDS, listed("1.5", most)
    yield "a huge id", ANSWERED, IDS, f'"{wide("a")}"'
    yield "changes", ANSWERED, CHANGES, listed(switch, most // (2 * (1 + OBJECT) + 1))
    yield "changes that are none", INPUT, CHANGES, listed('{"a": 1}', most // (2 + OBJECT))
    yield "changes that are empty", INPUT, CHANGES, listed("{}", most // (1 + OBJECT))
    yield "a change with many keys", INPUT, CHANGES, listed(keyed(most - 2), 1)
    yield (
        "conditions",
        ANSWERED,
        CRITERIA,
        f'{{"conditions": {listed(condition, most // (3 + OBJECT))}}}',
    )
    yield "groups", ANSWERED, CRITERIA, f'{{"groups": {listed("{}", most // (1 + OBJECT))}}}'
    yield "groups in groups", INPUT, CRITERIA, nested('{"groups": [', "{}", "]}", 200)
    yield "lists", INPUT, FIRST, nested("[", "", "]", 500)
    yield "too many lists", REQUEST, FIRST, nested("[", "", "]", 100_000)
    yield "objects", INPUT, FIRST, nested('{"a": ', "1", "}", 500)
    yield "keys", INPUT, FIRST, keyed(most)
    yield "many digits", REQUEST, FIRST, wide("1")
    yield "many digits of an exponent", REQUEST, FIRST, "1e" + wide("9")
    yield "a long text for a number", INPUT, FIRST, f'"{wide("a")}"'
    yield "a long text", INPUT, SEARCH, f'"{wide("a")}"'
    yield "a long text of accents", INPUT, SEARCH, f'"{wide("\u0301")}"'


def hostile_documents() -> Iterator[Hostile]:
    yield from named()
    for code, made in (
        (COSTLY, enormous),
        (PARSE, unreadable),
        (COSTLY, costly),
        (VALIDATION, invalid),
        (INPUT, ill_valued),
        (ANSWERED, answered),
    ):
        for name, document in made().items():
            yield Hostile(name, code, document)
    for name, code, document, value in valued():
        yield Hostile(f"variable: {name}", code, document, f'{{"value": {value}}}')
