"""Variables are read as graphql-core reads them, right or wrong."""

from collections.abc import Callable
from functools import cache

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    build_schema,
    get_variable_values,
    is_input_object_type,
    is_input_type,
    is_required_input_field,
    parse,
    type_from_ast,
)
from graphql import parse_type as parsed_type
from graphql.utilities import coerce_input_value
from hypothesis import given
from hypothesis import strategies as st

from api import coercion
from api.coercion import MOST_DEPTH, NESTED_TOO_DEEPLY, coerced
from api.schema import executable

SCHEMA = build_schema("""
  scalar Odd
  enum Colour { RED GREEN }
  input Point @oneOf { x: Int  y: Float }
  input Tree {
    id: ID!
    colour: Colour! = RED
    name: String = "a"
    odd: Odd
    flags: [Boolean!]! = [true]
    table: [[Int]]
    point: Point
    trees: [Tree!]
  }
  type Query { a(tree: Tree): Int }
""")


def odd(value: object) -> object:
    """Neither even numbers nor texts are."""
    if isinstance(value, str):
        raise TypeError(value)
    return value if isinstance(value, int) and value % 2 else Undefined


def as_tuple(value: dict[str, object]) -> object:
    return tuple(sorted(value.items(), key=str))


scalar, tree = SCHEMA.type_map["Odd"], SCHEMA.type_map["Tree"]
assert isinstance(scalar, GraphQLScalarType)
assert isinstance(tree, GraphQLInputObjectType)
scalar.coerce_input_value = odd
vars(tree)["out_type"] = as_tuple
tree.fields["name"].out_name = "inside"
coercion.install()

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(-1, 1)
    | st.sampled_from(["", "RED"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xi"), inner),
    max_leaves=4,
)


@cache
def values(kind: GraphQLInputType) -> st.SearchStrategy[object]:
    """Mostly such as the type wants."""
    found: st.SearchStrategy[object] = JSON
    if isinstance(kind, GraphQLNonNull):
        return values(kind.of_type)
    if isinstance(kind, GraphQLList):
        found = st.lists(values(kind.of_type), max_size=3)
    elif isinstance(kind, GraphQLEnumType):
        found = st.sampled_from([*kind.values])
    elif isinstance(kind, GraphQLScalarType) and kind.name in {"ID", "String"}:
        found = st.text(max_size=2)
    elif isinstance(kind, GraphQLInputObjectType):
        found = st.deferred(lambda: objects(kind))
    return st.one_of(found, found, found, JSON)


@cache
def objects(kind: GraphQLInputObjectType) -> st.SearchStrategy[object]:
    fields = {name: values(field.type) for name, field in kind.fields.items()}
    required = {
        name: each for name, each in fields.items() if is_required_input_field(kind.fields[name])
    }
    some = st.dictionaries(st.sampled_from([*fields]), st.none(), max_size=2)
    return some.flatmap(
        lambda names: st.fixed_dictionaries({**required, **{name: fields[name] for name in names}})
    )


def typed(schema: GraphQLSchema, text: str) -> GraphQLInputType:
    kind = type_from_ast(schema, parsed_type(text))
    assert is_input_type(kind)
    return kind


def theirs(value: object, kind: GraphQLInputType) -> object:
    if NESTED_TOO_DEEPLY(value, kind):
        raise RecursionError
    return coerce_input_value(value, kind)


def outcome(
    read: Callable[[object, GraphQLInputType], object], value: object, kind: GraphQLInputType
) -> object:
    try:
        found = read(value, kind)
    except Exception as error:  # noqa: BLE001 -- whatever it is
        return type(error), str(error)
    return found


KINDS = [
    *(typed(SCHEMA, text) for text in ("[Tree!]!", "Tree", "Point", "[[Int!]]", "Odd", "Colour!")),
    *(each for each in executable().type_map.values() if is_input_object_type(each)),
]


@given(st.data())
def test_what_is_read_is_what_graphql_core_reads(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    value = data.draw(values(kind))
    assert outcome(coerced, value, kind) == outcome(theirs, value, kind)


RIGHT: list[tuple[str, object]] = [
    ("Tree!", {"id": "1"}),
    ("Tree", None),
    ("[Tree!]!", [{"id": 1, "trees": [{"id": "2", "flags": [], "table": [[1, None], None]}]}]),
    ("Tree", {"id": "1", "colour": "GREEN", "name": None, "odd": 3, "point": {"x": 1}}),
    ("Odd", 5),
]
WRONG: list[tuple[str, object]] = [
    ("Tree!", None),
    ("Tree", {}),
    ("Tree", []),
    ("Tree", {"id": None}),
    ("Tree", {"id": "1", "colour": None}),
    ("Tree", {"id": "1", "colour": "BLUE"}),
    ("Tree", {"id": "1", "flags": [True, None]}),
    ("Tree", {"id": "1", "more": 1}),
    ("Tree", {"id": "1", "odd": 2}),
    ("Tree", {"id": "1", "odd": "a"}),
    ("Tree", {"id": "1", "point": {}}),
    ("Tree", {"id": "1", "point": {"x": None}}),
    ("Tree", {"id": "1", "point": {"x": 1, "y": 2}}),
]
SELDOM: list[tuple[str, object]] = [
    ("[[Int]]", 1),
    ("Tree", {"id": "1", "flags": True}),
    ("Tree", {"id": Undefined}),
]


@pytest.mark.parametrize(("text", "value"), RIGHT)
def test_graphql_core_is_not_asked_for_what_is_right(
    text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = typed(SCHEMA, text)
    expected = theirs(value, kind)
    monkeypatch.setattr(coercion, "coerce_input_value", None)
    assert coerced(value, kind) == expected


@pytest.mark.parametrize(("text", "value"), [*WRONG, *SELDOM])
def test_graphql_core_is_asked_for_all_else(text: str, value: object) -> None:
    kind = typed(SCHEMA, text)
    assert outcome(coerced, value, kind) == outcome(theirs, value, kind)
    assert (coerced(value, kind) is Undefined) is ((text, value) not in SELDOM[:2])


@pytest.mark.parametrize("depth", [1, MOST_DEPTH // 2 - 1, MOST_DEPTH, 2 * MOST_DEPTH, 500])
def test_what_is_deep_is_read_or_refused_as_graphql_core_does(depth: int) -> None:
    value: dict[str, object] = {"id": "1"}
    for _ in range(depth):
        value = {"id": "1", "trees": [value]}
    kind = typed(SCHEMA, "Tree")
    assert outcome(coerced, value, kind) == outcome(theirs, value, kind)


def test_variables_that_are_too_deep_are_refused() -> None:
    value: object = 1
    for _ in range(300):
        value = {"id": "1", "trees": [value]}
    (operation,) = parse("query ($a: Tree) { a(tree: $a) }").definitions
    assert isinstance(operation, OperationDefinitionNode)
    found = get_variable_values(SCHEMA, operation.variable_definitions or (), {"a": value})
    assert isinstance(found, list)
    assert [error.message for error in found] == ["Variable values are nested too deeply."]
