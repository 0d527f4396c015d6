"""The schema as a promise: printed, compared with what was released, and described."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    DEFAULT_DEPRECATION_REASON,
    REMOVE,
    BreakingChangeType,
    DangerousChangeType,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    GraphQLArgument,
    GraphQLDeprecatedDirective,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    InputValueDefinitionNode,
    Node,
    SchemaChange,
    Visitor,
    VisitorAction,
    build_ast_schema,
    build_schema,
    find_schema_changes,
    get_directive_values,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
    parse,
    validate_schema,
    visit,
)

from api import enums, schema
from api.enums import described
from domain.refusal import RefusalCode

pytestmark = pytest.mark.unwatched
PROMISE = Path(__file__).parents[1] / "schema.graphql"
RELEASED = Path(__file__).parent / "facts" / "released-schema.graphql"

OF_BRINGING = "Only bringSettings, which is new too, is refused by it."
ACCEPTED: dict[str, str] = {
    "Enum value RefusalCode.UNKNOWN_SETTING was added.": OF_BRINGING,
    "Enum value RefusalCode.CANNOT_BE_RESTORED was added.": OF_BRINGING,
    "Enum value RefusalCode.PRINCIPAL_ERASED was added.": (
        "Nobody could be erased before; who does not know the code has the sentence."
    ),
}
"""Dangerous changes since the release, as graphql-core words them, and why each is accepted."""

GO = {
    BreakingChangeType.FIELD_REMOVED,
    BreakingChangeType.ARG_REMOVED,
    BreakingChangeType.VALUE_REMOVED_FROM_ENUM,
}
"""How something goes that can be deprecated."""


def test_the_promise_in_the_repository_is_what_the_schema_prints() -> None:
    assert PROMISE.read_bytes() == schema.text().encode()


def test_the_printed_schema_is_a_schema() -> None:
    assert validate_schema(build_schema(schema.text())) == []


DEPRECABLE = FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode


class WithoutDeprecated(Visitor):
    """Leaves out of a schema whatever is deprecated there with a reason."""

    def enter(self, node: Node, *_args: object) -> VisitorAction:
        if isinstance(node, DEPRECABLE):
            deprecated = get_directive_values(GraphQLDeprecatedDirective, node)
            if deprecated and deprecated["reason"] != DEFAULT_DEPRECATION_REASON:
                return REMOVE
        return None


def changes(released: str, current: str) -> list[SchemaChange]:
    """What is different, but for what went after it had been released as deprecated."""
    document, now = parse(released), build_schema(current)
    rest = build_ast_schema(visit(document, WithoutDeprecated()), assume_valid_sdl=True)
    still = find_schema_changes(rest, now)
    return [
        change
        for change in find_schema_changes(build_ast_schema(document), now)
        if change.type not in GO or change in still
    ]


def breaking(released: str, current: str) -> list[str]:
    """What no longer works for a client of the released schema."""
    before, now = one_of(released), one_of(current)
    return [
        change.description
        for change in changes(released, current)
        if isinstance(change.type, BreakingChangeType)
    ] + [
        f"Input {name} became or ceased to be @oneOf."
        for name in before.keys() & now.keys()
        if before[name] != now[name]
    ]


def one_of(text: str) -> dict[str, bool]:
    """Whether an input takes exactly one of its fields, which graphql-core does not compare."""
    return {
        name: kind.is_one_of
        for name, kind in build_schema(text).type_map.items()
        if isinstance(kind, GraphQLInputObjectType)
    }


def dangerous(released: str, current: str) -> list[str]:
    """What still works, and may surprise a client of the released schema."""
    return [
        change.description
        for change in changes(released, current)
        if isinstance(change.type, DangerousChangeType)
    ]


def test_nothing_that_was_released_is_broken() -> None:
    assert breaking(RELEASED.read_text(encoding="utf-8"), schema.text()) == []


def test_every_dangerous_change_since_the_release_is_accepted_for_a_reason() -> None:
    found = dangerous(RELEASED.read_text(encoding="utf-8"), schema.text())
    assert sorted(found) == sorted(ACCEPTED)
    assert all(why.endswith(".") for why in ACCEPTED.values())


BARE = re.sub(r'""".*?"""\s*', "", schema.text(), flags=re.DOTALL)
"""The schema without descriptions, to make copies of."""


def copy(old: str, new: str) -> str:
    assert BARE.count(old) == 1, old
    return BARE.replace(old, new)


VIEWER, BEN = "viewer: Viewer!", "  BASIC_USER\n"
POSITION = "atLeastPosition: Int = null"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (VIEWER, "", "Field Query.viewer was removed."),
        (VIEWER, "viewer: Viewer", "Query.viewer changed type from Viewer! to Viewer."),
        (VIEWER, "viewer(by: ID!): Viewer!", "A required argument Query.viewer(by:) was added."),
        (POSITION, "", "Argument Query.environment(atLeastPosition:) was removed."),
        (POSITION, "atLeastPosition: Int!", "(atLeastPosition:) has changed type from Int to Int!"),
        (BEN, "", "Enum value SecurityRole.BASIC_USER was removed."),
        ("= SettingsChanged | ", "= ", "SettingsChanged was removed from union type"),
        ("search: String = null", "", "Field EnvironmentFilter.search was removed."),
        ("type Switch implements Setting & Node", "type Switch implements Node", "no longer impl"),
        (
            "input PointInTime @oneOf",
            "input PointInTime",
            "Input PointInTime became",
        ),
        (
            "input ChangeFilter",
            "input ChangeFilter @oneOf",
            "Input ChangeFilter became",
        ),
    ],
)
def test_a_copy_that_breaks_something_is_found(old: str, new: str, told: str) -> None:
    (found,) = breaking(BARE, copy(old, new))
    assert told in found


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (BEN, BEN + "  GUEST\n", "Enum value SecurityRole.GUEST was added."),
        (POSITION, "atLeastPosition: Int = 1", "has changed defaultValue from null to 1"),
        (POSITION, POSITION + " name: ID", "An optional argument Query.environment(name:)"),
        ("search: String = null", "search: String = null name: ID", "EnvironmentFilter.name"),
    ],
)
def test_a_copy_that_may_surprise_is_found(old: str, new: str, told: str) -> None:
    current = copy(old, new)
    (found,) = dangerous(BARE, current)
    assert told in found
    assert breaking(BARE, current) == []


OLD = '@deprecated(reason: "Ask for something else.")'


@pytest.mark.parametrize("going", [VIEWER, POSITION, BEN, "search: String = null"])
def test_what_was_deprecated_with_a_reason_in_a_release_may_go(going: str) -> None:
    current = copy(going, "")
    assert breaking(copy(going, f"{going.rstrip()} {OLD}\n"), current) == []
    assert len(breaking(copy(going, f"{going.rstrip()} @deprecated\n"), current)) == 1
    assert len(breaking(BARE, current)) == 1


def test_what_was_deprecated_may_go_and_not_become_something_else() -> None:
    current = copy(VIEWER, "viewer: Viewer")
    assert len(breaking(copy(VIEWER, f"{VIEWER} {OLD}"), current)) == 1


def test_a_copy_that_only_grows_breaks_nothing_and_surprises_nobody() -> None:
    current = copy(VIEWER, f"{VIEWER} again: Viewer!")
    assert breaking(BARE, current) == []
    assert dangerous(BARE, current) == []


type Descriptions = Iterator[tuple[str, str | None]]


def descriptions() -> Descriptions:
    """Everything in the schema that can be described, with its description."""
    for directive in schema.executable().directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description
            yield from arguments(f"@{directive.name}", directive.args)
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
                yield from arguments(f"{name}.{key}", field.args)


def arguments(of: str, described: dict[str, GraphQLArgument]) -> Descriptions:
    return ((f"{of}({name})", argument.description) for name, argument in described.items())


SENTENCES = re.compile(r"[A-Z0-9`“].*\.", re.DOTALL)
"""A range such as “1 to 200.” begins with its number."""


def unlike_sentences(described: Descriptions) -> list[str]:
    return [
        f"{place}: {words!r}"
        for place, words in described
        if not SENTENCES.fullmatch(words or "") or repeats(place, words or "")
    ]


def repeats(place: str, words: str) -> bool:
    """Whether the words only say the name of what is at `Type.field(argument)` again."""
    *_, name = re.findall(r"\w+", place)
    return plain(words) == plain(name)


def plain(words: str) -> str:
    return re.sub(r"[\W_]", "", words).lower()


def test_everything_in_the_schema_is_described_in_sentences() -> None:
    assert len(list(descriptions())) > 250
    assert unlike_sentences(descriptions()) == []


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("Query.viewer", None),
        ("Query.viewer", ""),
        ("Query.viewer", "Who asks"),
        ("Query.viewer", "who asks."),
        ("Query.viewer", " Who asks."),
        ("Query.viewer", "Viewer."),
        ("Environment.registeredAt", "Registered at."),
        ("SecurityRole.BASIC_USER", "Basic user."),
        ("Query.node(id)", "ID."),
    ],
)
def test_a_description_that_is_no_sentence_is_found(place: str, words: str | None) -> None:
    assert unlike_sentences(iter([(place, words)])) == [f"{place}: {words!r}"]


def test_an_enum_value_without_a_description_stops_the_start() -> None:
    with pytest.raises(KeyError, match="NOT_PERMITTED"):
        described(RefusalCode, "Why.")


def test_every_enum_is_the_domains_own() -> None:
    for name in enums.__all__:
        shown = schema.executable().type_map[name]
        assert isinstance(shown, GraphQLEnumType)
        assert [value.value for value in getattr(enums, name)] == list(shown.values)
