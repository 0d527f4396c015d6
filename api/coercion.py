"""Values of variables as graphql-core reads them, by functions that are put together once.

Law: what is read here is what graphql-core reads of the same value; whatever is not plainly right
is left to it, and with it every message.
"""

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    is_required_input_field,
)
from graphql.utilities import coerce_input_value
from graphql.utilities.coerce_input_value import coerce_default_value

MOST_DEPTH = 50
"""Of lists and objects in each other."""
VALUES = vars(import_module("graphql.execution.values"))
NESTED_TOO_DEEPLY = VALUES["input_is_nested_too_deeply"]

type Read = Callable[[object, int], object]
"""What is read of a value that is not null, at a depth."""
type Field = tuple[str, bool, Read]
"""How it is called inside, whether it may be null, and how it is read."""


class NotPlain(Exception):
    """Wrong, or right in a way that is seldom meant."""


READERS: dict[GraphQLInputObjectType, Read] = {}
"""One for each input type, when it is first wanted: some have themselves among their fields."""


def coerced(value: object, kind: GraphQLInputType) -> object:
    """In place of graphql-core's; Undefined for what is wrong."""
    with suppress(Exception):  # scalars raise what they like
        nullable, read = _reader(kind)
        return _null(nullable=nullable) if value is None else read(value, 0)
    if NESTED_TOO_DEEPLY(value, kind):
        raise RecursionError
    return coerce_input_value(value, kind)


def install() -> None:
    """Let graphql-core coerce variables here. Whether they are too deep is only asked here too."""
    VALUES["coerce_input_value"] = coerced
    VALUES["input_is_nested_too_deeply"] = lambda _value, _kind: False


def _null(*, nullable: bool) -> object:
    if nullable:
        return None
    raise NotPlain


def _reader(kind: GraphQLInputType) -> tuple[bool, Read]:
    """Whether it may be null, and how it is read."""
    if isinstance(kind, GraphQLNonNull):
        return False, _reader(kind.of_type)[1]
    if isinstance(kind, GraphQLList):
        return True, _of_list(*_reader(kind.of_type))
    if isinstance(kind, GraphQLInputObjectType):
        return True, READERS.get(kind) or _of_object(kind)
    # Of an enum it says that it takes text, and refuses all else like any other.
    coerce: Callable[[object], object] = kind.coerce_input_value  # type: ignore[assignment]

    def read(value: object, _depth: int) -> object:
        found = coerce(value)
        if found is Undefined:
            raise NotPlain
        return found

    return True, read


def _of_list(nullable: bool, each: Read) -> Read:
    def read(value: object, depth: int) -> object:
        if not isinstance(value, list) or depth > MOST_DEPTH or not (nullable or None not in value):
            raise NotPlain
        depth += 1
        return [None if item is None else each(item, depth) for item in value]

    return read


def _of_object(kind: GraphQLInputObjectType) -> Read:
    fields: dict[str, Field] = {}
    defaults: dict[str, object] = {}
    required: set[str] = set()
    out_type, one_of = kind.out_type, kind.is_one_of

    def read(value: object, depth: int) -> object:
        if not isinstance(value, dict) or depth > MOST_DEPTH or not required <= value.keys():
            raise NotPlain
        if one_of and (len(value) != 1 or None in value.values()):
            raise NotPlain
        depth += 1
        found = {**defaults}
        for name, inner in value.items():
            inside, nullable, within = fields[name]
            found[inside] = _null(nullable=nullable) if inner is None else within(inner, depth)
        return out_type(found)

    READERS[kind] = read
    for name, field in kind.fields.items():
        inside, default = field.out_name or name, coerce_default_value(field)
        fields[name] = inside, *_reader(field.type)
        if is_required_input_field(field):
            required.add(name)
        elif default is not Undefined:
            defaults[inside] = default
    return read
