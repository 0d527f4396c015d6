"""docs/examples.md is asked as it is printed, in order, and shows every use of the schema."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import Place
from edge import EVERYBODY, Edge, Person, at, serving
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLType,
    ObjectFieldNode,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    is_introspection_type,
    parse,
    type_from_ast,
    validate,
    visit,
)
from pages import blocks

from api import schema
from app.demo import open_demo

PAGE = "docs/examples.md"
PROMISE = build_schema(schema.text())
PEOPLE = {person.subject.partition("@")[0]: person for person in EVERYBODY}
LEFT_OUT = "…"


@dataclass(frozen=True)
class Example:
    """One operation of the page: who asks, with which variables, and what is answered."""

    person: Person
    text: str
    variables: dict[str, object] = field(default_factory=dict)
    answers: list[object] = field(default_factory=list)

    @property
    def document(self) -> DocumentNode:
        return parse(self.text)

    @property
    def operation(self) -> OperationDefinitionNode:
        (operation,) = self.document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        return operation

    @property
    def name(self) -> str:
        assert self.operation.name is not None, self.text
        return self.operation.name.value


def examples() -> list[Example]:
    found: list[Example] = []
    for block in blocks(PAGE):
        match block.language, block.mark:
            case "graphql", person:
                found.append(Example(PEOPLE[person], block.text))
            case "json", "variables":
                found[-1].variables.update(json.loads(block.text))
            case "json", "answer":
                found[-1].answers.append(json.loads(block.text))
            case kind:
                raise ValueError(f"No test knows what a block {kind} is.")
    return found


EXAMPLES = examples()


async def asked(edge: Edge, example: Example) -> list[object]:
    """What the server says to it: one answer, or as many as are shown of a feed."""
    if example.operation.operation is not OperationType.SUBSCRIPTION:
        payload = {"query": example.text, "operationName": example.name}
        answer = await edge.http.post(
            "/graphql",
            json={**payload, "variables": example.variables},
            headers=edge.authorization(example.person),
        )
        return [without_extensions(answer.json())]
    async with edge.talk(example.person) as talk:
        await talk.subscribe("1", example.text, example.variables)
        return [without_extensions(at(await talk.hear(), "payload")) for _ in example.answers]


def without_extensions(answer: object) -> object:
    """An answer without its own extensions, which the page leaves out."""
    assert isinstance(answer, dict), answer
    return {key: value for key, value in answer.items() if key != "extensions"}


def unlike(shown: object, said: object, place: str = "") -> Iterator[str]:
    """Where an answer is not as shown. `…` is any value, the rest of a list, or of a text."""
    if isinstance(shown, dict) and isinstance(said, dict) and shown.keys() == said.keys():
        for key, value in shown.items():
            yield from unlike(value, said[key], f"{place}.{key}")
    elif isinstance(shown, list) and isinstance(said, list):
        more = shown[-1:] == [LEFT_OUT]
        kept = shown[:-1] if more else shown
        if len(said) <= len(kept) if more else len(said) != len(kept):
            yield f"{place}: {len(said)} entries, not {len(kept)}{' and more' * more}"
        for number, (one, other) in enumerate(zip(kept, said, strict=False)):
            yield from unlike(one, other, f"{place}.{number}")
    elif not matches(shown, said):
        yield f"{place}: {json.dumps(said, ensure_ascii=False)}"


def matches(shown: object, said: object) -> bool:
    if not isinstance(shown, str) or LEFT_OUT not in shown:
        return type(shown) is type(said) and shown == said
    pattern = ".+".join(map(re.escape, shown.split(LEFT_OUT)))
    return said is not None and re.fullmatch(pattern, str(said), re.DOTALL) is not None


async def test_every_example_is_answered_as_shown(place: Place, tmp_path: Path) -> None:
    async with serving(place, tmp_path) as edge:
        assert await open_demo(edge.rooms)
        for example in EXAMPLES:
            said = await asked(edge, example)
            assert [*unlike(example.answers, said, example.name)] == []


@pytest.mark.parametrize(
    ("shown", "said", "place"),
    [
        ({"a": 1}, {"a": 2}, ".a"),
        ({"a": 1}, {"a": True}, ".a"),
        ({"a": 1}, {"a": 1, "b": 1}, ""),
        ({"a": "…"}, {"a": None}, ".a"),
        ({"a": "2026-…Z"}, {"a": "2025-01-01Z"}, ".a"),
        ([1, 2], [1, 2, 3], ""),
        ([1, "…"], [1], ""),
        ([1, "…"], [2, 1], ".0"),
        ([1, 2], [1], ""),
        ("a", ["a"], ""),
    ],
)
def test_an_answer_that_is_not_as_shown_is_found(shown: object, said: object, place: str) -> None:
    (found,) = unlike(shown, said)
    assert found.partition(":")[0] == place


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ({"a": "…", "b": [1, "…"]}, {"a": 1, "b": [1, 2, 3]}),
        ("<fetch>…</fetch>", "<fetch>\n</fetch>"),
        (["…"], [{"a": 1}]),
        (None, None),
    ],
)
def test_what_is_left_out_may_be_anything(shown: object, said: object) -> None:
    assert [*unlike(shown, said)] == []


def test_every_example_is_one_valid_operation_with_a_name_of_its_own() -> None:
    assert max(Counter(example.name for example in EXAMPLES).values()) == 1
    for example in EXAMPLES:
        assert validate(PROMISE, example.document) == []
        assert example.answers, example.name
        declared = {
            each.variable.name.value for each in example.operation.variable_definitions or ()
        }
        assert example.variables.keys() <= declared, example.name


class Uses(Visitor):
    """Collects what an example asks with: fields, arguments, and fields of what it sends."""

    def __init__(self, example: Example) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._types = TypeInfo(PROMISE)
        visit(example.document, TypeInfoVisitor(self._types, self))
        for each in example.operation.variable_definitions or ():
            sent = example.variables.get(each.variable.name.value)
            self.found.update(sent_fields(type_from_ast(PROMISE, each.type), sent))

    def enter_field(self, node: FieldNode, *_args: object) -> None:
        place = f"{self._types.get_parent_type()}.{node.name.value}"
        self.found |= {place, *(f"{place}({each.name.value})" for each in node.arguments or ())}

    def enter_object_field(self, node: ObjectFieldNode, *_args: object) -> None:
        self.found.add(f"{get_named_type(self._types.get_parent_input_type())}.{node.name.value}")


def sent_fields(kind: GraphQLType | None, sent: object) -> Iterator[str]:
    named = get_named_type(kind)
    if isinstance(sent, list):
        for each in sent:
            yield from sent_fields(named, each)
    elif isinstance(sent, dict) and isinstance(named, GraphQLInputObjectType):
        for key, value in sent.items():
            yield f"{named}.{key}"
            yield from sent_fields(named.fields[key].type, value)


def askable() -> Iterator[str]:
    """Every operation of the schema, every argument, and every field of what is sent."""
    for name, kind in PROMISE.type_map.items():
        if isinstance(kind, GraphQLInputObjectType):
            yield from (f"{name}.{key}" for key in kind.fields)
        elif isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind):
            for key, of in kind.fields.items():
                yield from (f"{name}.{key}({argument})" for argument in of.args)
                if name in {"Query", "Mutation", "Subscription"}:
                    yield f"{name}.{key}"


def test_everything_that_can_be_asked_is_in_some_example() -> None:
    used = {use for example in EXAMPLES for use in Uses(example).found}
    assert sorted(set(askable()) - used) == []


def test_what_no_example_asks_is_missed() -> None:
    who = Example(PEOPLE["ada"], "query Who { viewer { principal { name } } }", {})
    assert Uses(who).found == {"Query.viewer", "Viewer.principal", "Principal.name"}
    assert len(set(askable()) - Uses(who).found) > 100
