"""Changes across environments, for each role, where one environment is hidden."""

from collections.abc import Awaitable, Callable
from itertools import cycle

import pytest
import pytest_asyncio
from edge import (
    ADA,
    AUDREY,
    BEN,
    CARL,
    NOBODY,
    PAULA,
    WORKER,
    Edge,
    Person,
    at,
    codes,
    list_at,
    opened,
    text_at,
)

from api.pages import cursor
from domain.actor import SecurityRole
from domain.lifecycle import RenameEnvironment
from domain.membership import GrantRole, RevokeRole
from domain.switches import SwitchAssignedTasks

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

CHANGES = """query (
  $first: Int, $after: String, $last: Int, $before: String,
  $order: ChangeOrder! = NEWEST_FIRST, $keys: [String!], $filter: ChangeFilter
) {
  changes(
    first: $first, after: $after, last: $last, before: $before, order: $order,
    environmentKeys: $keys, filter: $filter
  ) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { id position at summary reason environment { key position } } }
  }
}"""
OLDEST = "OLDEST_FIRST"


async def page(edge: Edge, person: Person, **asked: object) -> object:
    return at(await edge.data(person, CHANGES, asked), "changes")


def places(page: object) -> list[tuple[object, object]]:
    """Environment and position of each."""
    return [
        (at(edge, "node.environment.key"), at(edge, "node.position"))
        for edge in list_at(page, "edges")
    ]


async def logged(edge: Edge, *keys: str) -> list[tuple[object, object]]:
    """The same, oldest first, from the logs themselves."""
    found = []
    for key in keys:
        async for change_set in edge.rooms.log.since(key, 0):
            found += [
                (each.recorded.at, key, each.recorded.position) for each in change_set.changes
            ]
    return [(key, position) for _, key, position in sorted(found)]


async def begin(edge: Edge, key: str, administrator: Person) -> None:
    await edge.register(key, administrator=administrator)
    await edge.change(administrator, RenameEnvironment(name=f"The {key}"), key=key, reason="Moved")


@pytest.mark.parametrize("person", [ADA, CARL, AUDREY, WORKER, BEN, PAULA, NOBODY])
async def test_each_role_reads_what_its_histories_have_and_nothing_tells_of_the_hidden(
    edge: Edge, person: Person
) -> None:
    open_one = await edge.open()
    hidden = f"hidden-{open_one}"
    stranger = Person(f"stranger-{hidden}@contoso.example")
    await begin(edge, hidden, stranger)
    reads = person in (ADA, CARL, AUDREY)

    async def answers() -> list[object]:
        return [
            await edge.ask(person, CHANGES, asked)
            for asked in (
                {"first": 200, "filter": {"by": ADA.subject}},
                {"first": 3, "keys": [open_one]},
                {"last": 3, "keys": [open_one], "order": OLDEST},
                {"keys": [open_one], "filter": {"text": "hidden"}},
                {"keys": [open_one], "filter": {"by": stranger.subject}},
                {"keys": [open_one], "filter": {"setting": "filter:unheard-of"}},
                {"keys": [open_one, hidden]},
                {"filter": {"text": hidden}},
                {"filter": {"text": "Moved"}},
            )
        ]

    before = await answers()
    for number in range(3):
        await edge.change(stranger, RenameEnvironment(name=f"Hidden {number}"), key=hidden)
    assert await answers() == before

    alone = [(key, position) for key, position in await logged(edge, open_one)]
    named = await edge.ask(person, CHANGES, {"keys": [open_one], "first": 200, "order": OLDEST})
    if reads:
        assert places(at(named, "data.changes")) == alone
        assert at(named, "data.changes.totalCount") is None
    else:
        assert codes(named) == ["BAD_USER_INPUT" if person is NOBODY else "FORBIDDEN"]
    everywhere = places(await page(edge, person, first=200, order=OLDEST))
    assert [each for each in everywhere if each[0] == open_one] == (alone if reads else [])
    assert hidden not in {key for key, _ in everywhere}


@pytest.mark.parametrize("person", [ADA, WORKER, NOBODY])
async def test_a_hidden_environment_is_refused_as_one_that_does_not_exist(
    edge: Edge, person: Person
) -> None:
    hidden = f"h-{person.subject.partition('@')[0]}"
    await begin(edge, hidden, Person("someone@contoso.example"))
    for key in (hidden, "unheard-of"):
        body = await edge.ask(person, CHANGES, {"keys": [key]})
        assert codes(body) == ["BAD_USER_INPUT"]
        message = f"There is no environment {key!r} that you may see."
        assert text_at(body, "errors.0.message") == message


async def test_a_platform_administrator_sees_that_it_is_there_and_not_what_happened(
    edge: Edge,
) -> None:
    await begin(edge, "managed", Person("someone@contoso.example"))
    assert codes(await edge.ask(PAULA, CHANGES, {"keys": ["managed"]})) == ["FORBIDDEN"]
    assert places(await page(edge, PAULA)) == []


async def test_a_role_that_is_gone_takes_its_histories_along(edge: Edge) -> None:
    person = Person("short@contoso.example")
    key = await edge.open()
    handle = (await edge.actor(person)).handle
    await edge.change(ADA, GrantRole(principal=handle, role=SecurityRole.AUDITOR), key=key)
    first = await page(edge, person, first=2)
    assert len(places(first)) == 2
    await edge.change(ADA, RevokeRole(principal=handle, role=SecurityRole.AUDITOR), key=key)
    after = at(first, "pageInfo.endCursor")
    assert places(await page(edge, person, first=2, after=after)) == []
    body = await edge.ask(person, CHANGES, {"keys": [key]})
    assert codes(body) == ["BAD_USER_INPUT"]


async def walked(
    edge: Edge,
    person: Person,
    order: str,
    *,
    backwards: bool,
    write: Callable[[], Awaitable[None]] | None = None,
) -> list[tuple[object, object]]:
    found: list[tuple[object, object]] = []
    place: object = None
    while True:
        asked = {"last": 7, "before": place} if backwards else {"first": 7, "after": place}
        one = await page(edge, person, order=order, **asked)
        found = [*places(one), *found] if backwards else [*found, *places(one)]
        more = at(one, f"pageInfo.has{'Previous' if backwards else 'Next'}Page")
        if not more:
            return found
        place = at(one, f"pageInfo.{'start' if backwards else 'end'}Cursor")
        if write is not None:
            await write()
            write = None


@pytest.mark.parametrize("order", ["NEWEST_FIRST", OLDEST])
@pytest.mark.parametrize("backwards", [False, True])
async def test_pages_give_everything_by_time_once_whatever_is_appended(
    edge: Edge, order: str, backwards: bool
) -> None:
    person = Person(f"walker-{order}-{backwards}@contoso.example")
    keys = [f"walk-{order[:3].lower()}-{'b' if backwards else 'f'}-{name}" for name in "ab"]
    for key in keys:
        await begin(edge, key, person)
    on = cycle([True, False])

    async def write() -> None:
        for key in keys:
            await edge.change(person, SwitchAssignedTasks(on=next(on)), key=key)
            await edge.change(person, SwitchAssignedTasks(on=next(on)), key=key)

    await write()
    before = await logged(edge, *keys)
    found = await walked(edge, person, order, backwards=backwards, write=write)
    in_order = found if order == OLDEST else found[::-1]
    after = await logged(edge, *keys)
    assert in_order == after[: len(in_order)]
    assert in_order[: len(before)] == before


async def test_what_was_just_written_is_listed_at_once_and_a_change_is_a_node(edge: Edge) -> None:
    key = await edge.open()
    done = await edge.change(CARL, SwitchAssignedTasks(on=True), key=key, reason="At once")
    one = await page(edge, AUDREY, first=1, keys=[key, key], filter={"text": "at ONCE"})
    assert places(one) == [(key, done.standing.position)]
    assert at(one, "edges.0.node.reason") == "At once"
    document = "query ($id: ID!) { node(id: $id) { ... on Change { position } } }"
    node = await edge.data(AUDREY, document, {"id": at(one, "edges.0.node.id")})
    assert at(node, "node.position") == done.standing.position


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"keys": ["NOT A KEY"]}, "key"),
        ({"keys": [f"k-{number}" for number in range(101)]}, "1 to 100 environments, not 101"),
        ({"keys": []}, "Leave the list out for every"),
        ({"first": 201}, "0 to 200"),
        ({"first": 1, "last": 1}, "not for both"),
        ({"after": "garbage"}, "no cursor"),
        ({"after": cursor("100")}, "no cursor of changes"),
        ({"after": cursor("1:2:NO")}, "no cursor of changes"),
        ({"after": cursor("01:2:contoso")}, "no cursor of changes"),
        ({"before": cursor(f"{10**17}:2:contoso")}, "no cursor of changes"),
        ({"filter": {"setting": "unheardOf"}}, "There is no setting"),
        ({"filter": {"type": "unheard_of.v1"}}, "There is no event"),
        ({"filter": {"text": ""}}, "A text has 1 to 255"),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    edge: Edge, asked: dict[str, object], says: str
) -> None:
    body = await edge.ask(AUDREY, CHANGES, asked)
    assert codes(body) == ["BAD_USER_INPUT"]
    assert says in text_at(body, "errors.0.message")


async def test_an_operation_searches_so_often_and_no_more(edge: Edge) -> None:
    fields = " ".join(f"c{number}: changes(first: 1) {{ totalCount }}" for number in range(11))
    assert "TOO_COSTLY" in codes(await edge.ask(AUDREY, f"{{ {fields} }}"))
