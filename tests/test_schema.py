from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
    validate_schema,
)

from api import enums, schema
from api.enums import described
from domain.refusal import RefusalCode

PROMISE = Path(__file__).parents[1] / "schema.graphql"


def test_the_promise_in_the_repository_is_what_the_schema_prints() -> None:
    assert PROMISE.read_bytes() == schema.text().encode()


def test_the_printed_schema_is_a_schema() -> None:
    assert validate_schema(build_schema(schema.text())) == []


def descriptions() -> Iterator[tuple[str, str | None]]:
    """Everything in the schema that can be described, with its description."""
    for name, kind in schema.executable().type_map.items():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        yield name, kind.description
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{name}.{key}", value.description) for key, value in kind.values.items())
        elif isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{name}.{key}", field.description) for key, field in kind.fields.items())
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for key, field in kind.fields.items():
                yield f"{name}.{key}", field.description
                for argument, value in field.args.items():
                    yield f"{name}.{key}({argument})", value.description


def test_everything_in_the_schema_is_described() -> None:
    found = list(descriptions())
    assert len(found) > 250
    assert [place for place, words in found if not words or not words.strip()] == []


def test_an_enum_value_without_a_description_stops_the_start() -> None:
    with pytest.raises(KeyError, match="NOT_PERMITTED"):
        described(RefusalCode, "Why.")


def test_every_enum_is_the_domains_own() -> None:
    for name in enums.__all__:
        shown = schema.executable().type_map[name]
        assert isinstance(shown, GraphQLEnumType)
        assert [value.value for value in getattr(enums, name)] == list(shown.values)
