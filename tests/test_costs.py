import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    get_introspection_query,
    get_nullable_type,
    is_introspection_type,
    parse,
)

from api.costs import (
    AT_MOST,
    CONNECTIONS,
    LENGTHS,
    MOST_VALUES,
    MOST_WRITTEN,
    WEIGHED,
    measured,
)
from api.errors import Problem
from api.schema import executable

PAGES = {"nodes", "edges"}
"""Counted with the connection, or the ids, that they are of."""


def test_every_list_of_the_schema_has_a_length() -> None:
    lists = {
        name
        for kind in executable().type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        and not is_introspection_type(kind)
        for name, field in kind.fields.items()
        if isinstance(get_nullable_type(field.type), GraphQLList)
    }
    assert lists == LENGTHS.keys() | WEIGHED | PAGES
    elsewhere = {"history", "refusedAttempts"}
    assert set(executable().type_map["Query"].fields) >= CONNECTIONS - elsewhere  # type: ignore[attr-defined]


def test_no_type_is_described_at_greater_length_than_is_counted() -> None:
    schema = executable()
    kinds = schema.type_map.values()
    composite = [k for k in kinds if isinstance(k, GraphQLObjectType | GraphQLInterfaceType)]
    longest = {
        "fields": max(len(kind.fields) for kind in composite),
        "args": max(len(field.args) for kind in composite for field in kind.fields.values()),
        "interfaces": max(len(kind.interfaces) for kind in composite),
        "enumValues": max(len(kind.values) for kind in kinds if isinstance(kind, GraphQLEnumType)),
        "inputFields": max(
            len(kind.fields) for kind in kinds if isinstance(kind, GraphQLInputObjectType)
        ),
        "possibleTypes": max(
            len(schema.get_possible_types(kind))
            for kind in kinds
            if isinstance(kind, GraphQLInterfaceType)
        ),
    }
    assert {name: length for name, length in longest.items() if length > AT_MOST[name]} == {}


def points(document: str) -> int:
    return measured(parse(document))[None]


def test_an_editor_may_look_at_the_whole_schema() -> None:
    for everything in (False, True):
        query = get_introspection_query(
            specified_by_url=everything,
            directive_is_repeatable=everything,
            schema_description=everything,
            input_value_deprecation=everything,
        )
        assert measured(parse(query))["IntrospectionQuery"] < MOST_VALUES / 100


@pytest.mark.parametrize(
    ("document", "least"),
    [
        ("{ __typename }", 1),
        ('{ __type(name: "X") { enumValues { name } } }', 1),
        (
            "{" + " ".join(f'a{n}: __type(name: "X") {{ ...v }}' for n in range(28)) + "}"
            "fragment v on __Type { enumValues { a: name b: name c: name d: name } }",
            28,
        ),
        ("{ __schema { types { fields { name } } } }", 6),
        ('{ environment(key: "x") { history(first: 200) { nodes { position } } } }', 4),
        ('{ environment(key: "x") { history { nodes { position } } } }', 1),
        ('{ environment(key: "x") { history(first: 200) } }', 1),
        ('{ environment(key: "x") { history(first: -100000000) { nodes { position } } } }', 1),
    ],
)
def test_an_operation_costs_what_it_may_answer_with(document: str, least: int) -> None:
    assert least <= points(document) < 2 * least + 2


def test_what_is_written_counts_once_wherever_it_is_spread() -> None:
    fields = " ".join(f"a{number}: name" for number in range(MOST_WRITTEN - 5))
    fragment = f"fragment f on __Type {{ {fields} }}"
    assert points(f"{{ __schema {{ queryType {{ ...f }} }} }} {fragment}") > 1
    with pytest.raises(Problem, match=f"at most {MOST_WRITTEN} fields in its text"):
        points(f"{{ __typename }} fragment f on __Type {{ {fields} b: name c: name {fields} }}")


@pytest.mark.parametrize("depth", [4, 5, 10])
def test_a_circle_through_the_description_of_the_schema_is_refused(depth: int) -> None:
    inner = "fields { type { " * depth + "name" + " } }" * depth
    for document in (
        f"{{ __schema {{ types {{ {inner} }} }} }}",
        f'{{ __type(name: "X") {{ {inner} }} }}',
    ):
        with pytest.raises(Problem, match="values"):
            measured(parse(document))
