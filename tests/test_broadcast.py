import asyncio
from collections.abc import Iterator

import pytest
import pytest_asyncio
from edge import ADA, CARL, STAFFED, WORKER, Edge, Talk, at, opened
from graphql import (
    GraphQLObjectType,
    OperationDefinitionNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse,
)

from api import broadcast
from api.broadcast import Broadcast, Made, words
from api.schema import executable
from domain.actor import SecurityRole
from domain.membership import GrantRole
from domain.switches import SwitchAssignedTasks

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

FEED = """subscription ($key: String!, $from: Int, $full: Boolean = true) {
  settingsFeed(environmentKey: $key, after: $from) { __typename position
    ... on ChangeSetAppended {
      changeSet { by { id } changes { setting after } }
      settings { environment { viewerRoles viewerCan }
        assignedTasks @include(if: $full) { enabled } }
    } } }"""


def always() -> bool:
    return True


class Count:
    """Makes answers, and counts them."""

    def __init__(self, answer: dict[str, object]) -> None:
        self.made = 0
        self._answer = answer

    async def make(self) -> dict[str, object]:
        await asyncio.sleep(0)
        self.made += 1
        return self._answer


async def test_who_asks_for_the_same_at_the_same_time_gets_what_is_made_once() -> None:
    shared, count = Broadcast(), Count({"data": {"a": 1}})
    answers = await asyncio.gather(*(shared.answer("key", count.make, always) for _ in range(50)))
    assert {made.body for made, _ in answers} == {b'{"data":{"a":1}}'}
    assert [mine for _, mine in answers] == [True] + [False] * 49
    assert await shared.answer("key", count.make, always) == (answers[0][0], False)
    assert count.made == 1
    await shared.answer("other", count.make, always)
    assert count.made == 2


async def test_an_answer_with_errors_is_shared_with_nobody_later() -> None:
    shared, count = Broadcast(), Count({"data": None, "errors": [{"message": "no"}]})
    asked = [shared.answer("key", count.make, always) for _ in range(3)]
    for made, mine in await asyncio.gather(*asked):
        assert made == Made(b'{"data":null,"errors":[{"message":"no"}]}', None, whole=False)
        assert mine
    assert count.made == 3


async def test_an_answer_that_the_maker_may_see_more_of_meanwhile_is_the_makers_alone() -> None:
    """The key says what everybody may see; the maker has become an administrator."""
    shared, theirs, ours = Broadcast(), Count({"data": "all"}), Count({"data": "little"})
    first = asyncio.create_task(shared.answer("key", theirs.make, lambda: False))
    await asyncio.sleep(0)
    second = await shared.answer("key", ours.make, always)
    assert (second[0].body, second[1]) == (b'{"data":"little"}', True)
    assert (await first)[0].body == b'{"data":"all"}'
    assert (await shared.answer("key", ours.make, always))[0].body == b'{"data":"little"}'


async def test_an_accident_is_its_makers_alone() -> None:
    shared, ours = Broadcast(), Count({"data": 1})

    async def fail() -> dict[str, object]:
        await asyncio.sleep(0)
        raise RuntimeError

    first = asyncio.create_task(shared.answer("key", fail, always))
    await asyncio.sleep(0)
    made, mine = await shared.answer("key", ours.make, always)
    assert (made.body, mine) == (b'{"data":1}', True)
    with pytest.raises(RuntimeError):
        await first


async def test_an_answer_is_forgotten_after_some_seconds_and_above_some_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared, count = Broadcast(), Count({"data": "x" * 100})
    monkeypatch.setattr(broadcast, "MOST_KEPT", 250)
    for key in "abc":
        await shared.answer(key, count.make, always)
    assert list(shared._made) == ["b", "c"]
    assert shared._kept == 2 * len('{"data":""}' + "x" * 100)
    monkeypatch.setattr(broadcast, "FRESH", -1.0)
    await shared.answer("c", count.make, always)
    assert count.made == 4
    assert (list(shared._made), shared._kept) == ([], 0)


async def test_who_leaves_while_an_answer_is_made_takes_it_from_nobody() -> None:
    shared, count = Broadcast(), Count({"data": 1})
    first = asyncio.create_task(shared.answer("key", count.make, always))
    await asyncio.sleep(0)
    second = asyncio.create_task(shared.answer("key", count.make, always))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second)[0].body == b'{"data":1}'
    assert count.made == 1


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ("subscription ($k: String! $a: Int) { f(k: $k after: $a) { position } }", set()),
        ("subscription ($k: String! $b: Int) { f(k: $k) { x(b: $b) } }", {"b"}),
        ("subscription ($k: String! $b: Boolean!) { f(k: $k) @skip(if: $b) { x } }", {"b"}),
        ("subscription ($k: Int) { ...g } fragment g on S { f(k: $k) { x } }", {"k"}),
        ("subscription ($k: Int) { f { ...g } } fragment g on I { x(k: $k) }", {"k"}),
    ],
)
async def test_the_variables_of_an_answer_are_those_of_its_selection(
    document: str, names: set[str]
) -> None:
    parsed = parse(document)
    operation = parsed.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    assert words(parsed, operation) == names


async def item(talk: Talk) -> object:
    return at(await talk.hear(), "payload.data.settingsFeed")


async def test_followers_are_told_what_is_theirs_to_know(edge: Edge) -> None:
    """The same document at the same moment: alike for the like, each role for who holds it."""
    key = await edge.open()
    people = (WORKER, CARL, WORKER, ADA)
    async with (
        edge.talk(WORKER) as one,
        edge.talk(CARL) as two,
        edge.talk(WORKER) as three,
        edge.talk(ADA) as four,
    ):
        talks = (one, two, three, four)
        for number, talk in enumerate(talks):
            asked = {"key": key, "from": STAFFED, "full": number != 2}
            await talk.subscribe(str(number), FEED, asked)
            assert at(await item(talk), "__typename") == "Heartbeat"
        await edge.change(CARL, SwitchAssignedTasks(on=True), key=key)
        told = [await item(talk) for talk in talks]
        for person, each in zip(people, told, strict=True):
            assert person.role is not None
            assert at(each, "settings.environment.viewerRoles") == [person.role.value]
            assert at(each, "changeSet.by.id") == CARL.subject
        shown = [at(each, "settings").keys() for each in told]  # type: ignore[attr-defined]
        assert ["assignedTasks" in each for each in shown] == [True, True, False, True]
        await edge.change(
            ADA,
            GrantRole(
                principal=(await edge.actor(WORKER)).handle, role=SecurityRole.SYSTEM_CUSTOMIZER
            ),
            key=key,
        )
        told = [await item(talk) for talk in talks]
        assert at(told[0], "settings.environment.viewerRoles") == [
            "SYSTEM_CUSTOMIZER",
            "SYNC_WORKER",
        ]
        assert at(told[1], "settings.environment.viewerRoles") == ["SYSTEM_CUSTOMIZER"]


def reached(root: str) -> Iterator[GraphQLObjectType]:
    """Every object type that a selection on this type can come to."""
    schema = executable()
    waiting, seen = [root], set[str]()
    while waiting:
        name = waiting.pop()
        found = schema.type_map[name]
        if name in seen or not is_composite_type(found):
            continue
        seen.add(name)
        if is_abstract_type(found):
            waiting += [each.name for each in schema.get_possible_types(found)]
        if isinstance(found, GraphQLObjectType):
            yield found
            waiting += [get_named_type(each.type).name for each in found.fields.values()]


async def test_nothing_in_reach_of_a_change_set_shows_more_of_the_viewer_than_roles() -> None:
    viewers = {
        (kind.name, name)
        for kind in reached("ChangeSetAppended")
        for name in kind.fields
        if "viewer" in name.lower() or kind.name == "Viewer"
    }
    assert viewers == {("Environment", "viewerRoles"), ("Environment", "viewerCan")}
