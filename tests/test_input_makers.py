from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import strawberry
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryObjectDefinition

from api.schema import SCHEMA

TREE: dict[str, object] = {
    "operator": "OR",
    "conditions": [
        {"column": "name", "operator": "eq", "values": ["x", None]},
        {"column": "name", "operator": "null"},
    ],
    "groups": [{}, {"groups": [{"conditions": []}]}],
    "links": [{"table": "account", "fromColumn": "a", "toColumn": "b", "criteria": {}}],
}
VALUES: list[tuple[str, dict[str, object]]] = [
    ("EnvironmentFilter", {}),
    ("EnvironmentFilter", {"search": None, "assignedTasks": True}),
    ("PointInTime", {"position": 3}),
    ("ChangeFilter", {"by": "ada", "text": "x"}),
    ("CriteriaGroupInput", TREE),
    ("ChangeSettingsInput", {"environmentKey": "x", "changes": []}),
    (
        "ChangeSettingsInput",
        {
            "environmentKey": "x",
            "reason": None,
            "changes": [
                {"assignedTasks": {"enabled": True}},
                {"redefineFilter": {"filterKey": "x", "criteria": {"tree": TREE}}},
                {"syncDirection": {"mapping": "contact.notes", "direction": "NONE"}},
            ],
        },
    ),
]


def inputs() -> dict[str, StrawberryObjectDefinition]:
    definitions = [each.definition for each in SCHEMA.schema_converter.type_map.values()]
    return {
        each.name: each
        for each in definitions
        if isinstance(each, StrawberryObjectDefinition) and each.is_input
    }


@contextmanager
def as_strawberry_makes_them() -> Iterator[None]:
    ours = {name: each.from_input for name, each in inputs().items()}
    for each in inputs().values():
        each.from_input = None
    try:
        yield
    finally:
        for name, each in inputs().items():
            each.from_input = ours[name]


def made(name: str, value: dict[str, object]) -> object:
    registry = SCHEMA.schema_converter.scalar_registry
    return convert_argument(value, inputs()[name].origin, registry, SCHEMA.config)


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_an_input_is_made_as_strawberry_makes_it(name: str, value: dict[str, object]) -> None:
    ours = made(name, value)
    with as_strawberry_makes_them():
        theirs = made(name, value)
    assert type(ours) is type(theirs)
    assert strawberry.asdict(ours) == strawberry.asdict(theirs)


def test_every_input_of_the_schema_is_made_here() -> None:
    assert len(inputs()) > 10
    assert all(each.from_input is not None for each in inputs().values())
