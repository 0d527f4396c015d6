"""Relay's specifications to the letter: nodes, connections, and mutations that a store can follow.

What test_nodes.py, test_connections.py and test_history.py tell by example is not told again.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import batched
from typing import NamedTuple

import pytest
import pytest_asyncio
from conftest import Cluster
from edge import AUDREY, CARL, NOBODY, Edge, Person, at, codes, list_at, opened, text_at
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_required_argument,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from api import schema
from api.context import MOST_PAST_POINTS
from api.errors import Problem
from api.nodes import NodeId
from api.pages import cursor as cursor_at
from api.pages import opened as place_of
from domain.switches import SwitchAssignedTasks, SwitchResourceBookings

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "relay"
READER = Person("reader@contoso.example")
DEFINE = """mutation { changeSettings(input: {environmentKey: "relay", changes: [
  {defineFilter: {role: SYSTEM_FILTER, kind: ONLINE, table: "contact", name: "Ours", criteria: {
    tree: {conditions: [{column: "statecode", operator: "eq", values: ["0"]}]}}}}
]}) { ... on SettingsChanged { replayed } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """An environment with a history, and somebody who reads seven others."""
    async for made in opened(cluster, tmp_path_factory):
        await made.open(KEY)
        for on in (True, False, True):
            both = SwitchAssignedTasks(on=on), SwitchResourceBookings(on=on)
            await made.change(CARL, *both, key=KEY)
        await made.data(CARL, DEFINE)
        for letter in "dafcbge":
            await made.register(f"relay-{letter}", administrator=READER)
        yield made


PROMISE = build_schema(schema.text())
COMPOSITES = {
    name: kind
    for name, kind in PROMISE.type_map.items()
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__")
}
NODE = COMPOSITES["Node"]
NODES = [
    name
    for name, kind in COMPOSITES.items()
    if isinstance(kind, GraphQLObjectType) and NODE in kind.interfaces
]


def fields(of: str) -> dict[str, str]:
    return {name: str(field.type) for name, field in COMPOSITES[of].fields.items()}


def arguments(of: str, field: str) -> dict[str, str]:
    args = COMPOSITES[of].fields[field].args
    return {name: str(argument.type) for name, argument in args.items()}


async def test_a_node_has_an_id_and_nothing_else_and_is_asked_for_by_it() -> None:
    assert fields("Node") == {"id": "ID!"}
    assert fields("Query")["node"] == "Node"
    assert arguments("Query", "node") == {"id": "ID!"}
    assert fields("Query")["nodes"] == "[Node]!"
    assert arguments("Query", "nodes") == {"ids": "[ID!]!"}


async def test_whatever_has_an_id_of_its_own_is_a_node() -> None:
    """But for principals, whose id is the identity provider's, and who have a handle beside it."""
    known = {name for name in COMPOSITES if fields(name).get("id") == "ID!"}
    assert known == {*NODES, "Node", "Setting"}


async def test_every_connection_has_edges_with_cursors_and_tells_what_lies_beyond() -> None:
    connections = [name for name in COMPOSITES if name.endswith("Connection")]
    assert {f"{name.removesuffix('Connection')}Edge" for name in connections} == {
        name for name in COMPOSITES if name.endswith("Edge")
    }
    for name in connections:
        edge = f"{name.removesuffix('Connection')}Edge"
        assert fields(name)["edges"] == f"[{edge}!]!"
        assert fields(name)["pageInfo"] == "PageInfo!"
        assert fields(edge)["cursor"] == "String!"
        assert not is_list_type(get_nullable_type(COMPOSITES[edge].fields["node"].type))
    assert fields("PageInfo") == {
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
        "endCursor": "String",
    }


async def test_every_connection_is_asked_for_from_either_end() -> None:
    found = 0
    for name, kind in COMPOSITES.items():
        for field, described in kind.fields.items():
            if get_named_type(described.type).name.endswith("Connection"):
                found += 1
                asked = arguments(name, field)
                assert {one: asked[one] for one in ("first", "after", "last", "before")} == {
                    "first": "Int",
                    "after": "String",
                    "last": "Int",
                    "before": "String",
                }
    assert found == 4


async def test_every_mutation_has_one_input_of_its_own_and_answers_with_a_node_or_refusals() -> (
    None
):
    """So a store finds by its id whatever a mutation has changed."""
    for name, field in COMPOSITES["Mutation"].fields.items():
        own = f"{name[0].upper()}{name[1:]}Input!"
        assert arguments("Mutation", name) == {"input": own}
        answer = get_named_type(field.type)
        assert isinstance(answer, GraphQLUnionType)
        for outcome in answer.types:
            nodes = [key for key, kind in fields(outcome.name).items() if kind[:-1] in NODES]
            assert nodes or fields(outcome.name)["refusals"] == "[Refusal!]!"


def leaves(of: GraphQLObjectType) -> Iterator[str]:
    """Everything that a type says without being asked for more; of the nodes in it, their ids.

    With the type's name, since fields of one name are not of one type in all of them.
    """
    for name, field in of.fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        kind = get_named_type(field.type)
        if isinstance(kind, GraphQLScalarType | GraphQLEnumType):
            yield f"{of.name}_{name}: {name}"
        elif kind.name in NODES and not is_list_type(get_nullable_type(field.type)):
            yield f"{of.name}_{name}: {name} {{ id }}"


def whole(*kinds: str) -> str:
    """A selection of everything that objects of these types say."""
    told = {kind: PROMISE.type_map[kind] for kind in kinds}
    return "__typename id " + " ".join(
        f"... on {name} {{ {' '.join(leaves(kind))} }}"
        for name, kind in told.items()
        if isinstance(kind, GraphQLObjectType)
    )


SETTINGS = [name for name in NODES if PROMISE.type_map["Setting"] in COMPOSITES[name].interfaces]
TAB = f"{whole('SynchronizationSettings')} all {{ {whole(*SETTINGS)} }}"
ENTRIES = f"history(first: 200) {{ nodes {{ {whole('Change')} }} }}"
FOUND = [
    f'{{ environment(key: "relay") {{ {asked} }} }}'
    for asked in (
        f"{whole('Environment')} {ENTRIES}",
        f"settings {{ {TAB} }}",
        f"settings(at: {{position: 32}}) {{ {TAB} }}",
    )
]


def objects(answer: object) -> Iterator[dict[str, object]]:
    """Every object of an answer that says what it is, without the lists that it holds."""
    if isinstance(answer, dict):
        if "__typename" in answer:
            yield {key: value for key, value in answer.items() if key not in {"all", "history"}}
        for value in answer.values():
            yield from objects(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from objects(value)


async def again(edge: Edge, person: Person, ids: list[str]) -> list[object]:
    document = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ {whole(*NODES)} }} }}"
    return [
        node
        for some in batched(ids, MOST_PAST_POINTS, strict=False)
        for node in list_at(await edge.data(person, document, {"ids": some}), "nodes")
    ]


async def test_every_node_is_fetched_again_as_it_was_and_by_nobody_else(edge: Edge) -> None:
    found: dict[str, object] = {}
    for document in FOUND:
        for one in objects(await edge.data(AUDREY, document)):
            if one["__typename"] in NODES:
                assert found.setdefault(text_at(one, "id"), one) == one
    assert {at(one, "__typename") for one in found.values()} == set(NODES)
    assert await again(edge, AUDREY, [*found]) == [*found.values()]
    assert await again(edge, NOBODY, [*found]) == [None] * len(found)


IDS = [
    NodeId(kind, KEY, position, rest).opaque
    for kind, position, rest in (
        ("Environment", "", ""),
        ("Setting", "", "assignedTasks"),
        ("SynchronizationSettings", "32", ""),
        ("Change", "32", ""),
    )
]


def mangled(originals: Sequence[str]) -> st.SearchStrategy[str]:
    """One of these with something else at a place of it, or behind it."""
    others = st.text("Aa09-_=+/ \nä", max_size=5)
    return st.builds(
        lambda text, place, other: f"{text[:place]}{other}{text[place + 1 :]}",
        st.sampled_from(originals),
        st.integers(0, 60),
        others,
    )


@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(ids=st.lists(mangled(IDS), min_size=10, max_size=MOST_PAST_POINTS))
async def test_a_mangled_id_is_null_or_the_id_of_what_it_gives(edge: Edge, ids: list[str]) -> None:
    found = await again(edge, AUDREY, ids)
    assert [None if node is None else at(node, "id") for node in found] == [
        None if node is None else asked for node, asked in zip(found, ids, strict=True)
    ]
    assert None in found


@given(mangled([cursor_at("relay-a"), cursor_at("32"), cursor_at("7")]))
async def test_a_cursor_names_a_place_only_as_it_was_given(text: str) -> None:
    try:
        place = place_of(text)
    except Problem:
        return
    assert place is not None
    assert cursor_at(place) == text


class Asked(NamedTuple):
    """What is asked of a list; the cursors by their places in it, or none."""

    size: int
    backwards: bool
    after: int | None
    before: int | None


PLACES = st.none() | st.integers(0, 60)
ASKED = st.builds(Asked, st.sampled_from([0, 1, 2, 3, 5, 8, 200]), st.booleans(), PLACES, PLACES)
PASSED = "first: $first, after: $after, last: $last, before: $before"
PAGE = """{ edges { cursor node { id } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"""


def history(narrowed: str) -> tuple[Person, str]:
    return AUDREY, f'{{ of: environment(key: "relay") {{ found: history({narrowed}) {PAGE} }} }}'


LISTS = {
    "environments": (READER, f"{{ found: environments({PASSED}) {PAGE} }}"),
    "newest": history(PASSED),
    "oldest": history(f"{PASSED}, order: OLDEST_FIRST"),
    "narrowed": history(f'{PASSED}, filter: {{text: "turned"}}'),
}
each_list = pytest.mark.parametrize("name", LISTS)


async def ask(edge: Edge, name: str, **asked: object) -> dict[str, object]:
    person, document = LISTS[name]
    head = "query ($first: Int, $after: String, $last: Int, $before: String)"
    return await edge.ask(person, f"{head} {document}", asked)


async def page(edge: Edge, name: str, **asked: object) -> object:
    answer = await ask(edge, name, **asked)
    return at(answer, "data.found" if name == "environments" else "data.of.found")


def promised(edges: list[object], asked: Asked) -> object:
    """The page as the specification's algorithm makes it of all edges."""
    start = 0 if asked.after is None else asked.after + 1
    end = len(edges) if asked.before is None else asked.before
    between = edges[start:end]
    beyond = max(0, len(between) - asked.size)
    here = between[beyond:] if asked.backwards else between[: asked.size]
    cursors = [at(edge, "cursor") for edge in here] or [None]
    return {
        "edges": here,
        "pageInfo": {
            "hasNextPage": end < len(edges) if asked.backwards else beyond > 0,
            "hasPreviousPage": beyond > 0 if asked.backwards else start > 0,
            "startCursor": cursors[0],
            "endCursor": cursors[-1],
        },
    }


@each_list
@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(asked=ASKED)
async def test_a_page_is_what_the_specification_makes_of_the_whole(
    edge: Edge, name: str, asked: Asked
) -> None:
    edges = list_at(await page(edge, name, first=200), "edges")
    assert len(edges) > 5
    after, before = (
        None if place is None else place % len(edges) for place in (asked.after, asked.before)
    )
    found = await page(
        edge,
        name,
        **{"last" if asked.backwards else "first": asked.size},
        after=None if after is None else at(edges[after], "cursor"),
        before=None if before is None else at(edges[before], "cursor"),
    )
    assert found == promised(edges, asked._replace(after=after, before=before))


@each_list
@pytest.mark.parametrize("size", [1, 2, 3, 200])
async def test_walked_by_its_cursors_a_list_is_whole_from_either_end(
    edge: Edge, name: str, size: int
) -> None:
    whole = await page(edge, name, first=200)
    there: list[object] = []
    back: list[object] = []
    cursor: object = None
    while not there or cursor is not None:
        one = await page(edge, name, first=size, after=cursor)
        there += list_at(one, "edges")
        cursor = at(one, "pageInfo.endCursor") if at(one, "pageInfo.hasNextPage") else None
    while not back or cursor is not None:
        one = await page(edge, name, last=size, before=cursor)
        back = list_at(one, "edges") + back
        cursor = at(one, "pageInfo.startCursor") if at(one, "pageInfo.hasPreviousPage") else None
    assert there == back == list_at(whole, "edges")


@each_list
@pytest.mark.parametrize("asked", [{"first": -1}, {"last": -1}])
async def test_a_size_below_zero_is_an_error(
    edge: Edge, name: str, asked: dict[str, object]
) -> None:
    assert codes(await ask(edge, name, **asked)) == ["BAD_USER_INPUT"]
