from base64 import urlsafe_b64encode

import asyncpg
import pytest
import pytest_asyncio
from edge import ADA, BEN, CARL, NOBODY, PAULA, Edge, Person, at, codes, list_at, opened, text_at
from given import BEGUN
from hypothesis import given, settings
from hypothesis import strategies as st

from api.pages import cursor
from domain.actor import SecurityRole
from domain.lifecycle import ArchiveEnvironment, EnvironmentKind, RenameEnvironment
from domain.membership import GrantRole
from domain.switches import (
    ChooseMailingAddresses,
    MailingAddresses,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.warning import WarningCode
from projections.statements import SQL

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

PAGE = """query (
  $first: Int, $after: String, $last: Int, $before: String, $filter: EnvironmentFilter
) {
  environments(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    edges { cursor node { key } } nodes { key } totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


async def page(edge: Edge, person: Person, **asked: object) -> object:
    return at(await edge.data(person, PAGE, asked), "environments")


def keys(page: object) -> list[object]:
    return [at(node, "key") for node in list_at(page, "nodes")]


async def test_pages_forwards_and_backwards_give_every_environment_once_in_order(
    edge: Edge,
) -> None:
    person = Person("pager@contoso.example")
    for name in "cadbe":
        await edge.register(f"page-{name}", administrator=person)
    first = await page(edge, person, first=2)
    assert keys(first) == ["page-a", "page-b"]
    assert at(first, "totalCount") == 5
    assert [at(edge, "node.key") for edge in list_at(first, "edges")] == keys(first)
    assert at(first, "pageInfo") == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": cursor("page-a"),
        "endCursor": cursor("page-b"),
    }
    await edge.register("page-aa", administrator=person)
    await edge.register("page-bb", administrator=person)
    second = await page(edge, person, first=2, after=at(first, "pageInfo.endCursor"))
    assert keys(second) == ["page-bb", "page-c"]
    assert at(second, "pageInfo.hasPreviousPage") is True
    last = await page(edge, person, last=2)
    assert keys(last) == ["page-d", "page-e"]
    assert at(last, "pageInfo.hasNextPage") is False
    assert at(last, "pageInfo.hasPreviousPage") is True
    before = await page(edge, person, last=200, before=at(last, "pageInfo.startCursor"))
    assert keys(before) == ["page-a", "page-aa", "page-b", "page-bb", "page-c"]
    assert at(before, "pageInfo.hasNextPage") is True
    assert at(before, "pageInfo.hasPreviousPage") is False
    between = await page(edge, person, after=cursor("page-a"), before=cursor("page-c"))
    assert keys(between) == ["page-aa", "page-b", "page-bb"]
    beyond = await page(edge, person, after=cursor("page-e"))
    assert keys(beyond) == []
    assert at(beyond, "pageInfo.startCursor") is None
    assert at(beyond, "pageInfo.endCursor") is None


PAGED = Person("hypothesis@contoso.example")
KEYS = st.text("ab-1", min_size=1, max_size=5).map("h-{}".format)


async def walked(edge: Edge, size: int, *, backwards: bool, new: list[str]) -> list[object]:
    """Every key by walking the pages, while environments are registered between two pages."""
    found: list[object] = []
    place: object = None
    while True:
        if backwards:
            one = await page(edge, PAGED, last=size, before=place)
            found = [*keys(one), *found]
            more, place = at(one, "pageInfo.hasPreviousPage"), at(one, "pageInfo.startCursor")
        else:
            one = await page(edge, PAGED, first=size, after=place)
            found += keys(one)
            more, place = at(one, "pageInfo.hasNextPage"), at(one, "pageInfo.endCursor")
        if not more:
            return found
        if new:
            await edge.register(new.pop(), administrator=PAGED)


async def test_walking_pages_of_any_size_under_inserts_is_walking_the_plain_list(
    edge: Edge,
) -> None:
    """Whoever was there at the beginning is seen exactly once, in order, whoever is registered."""
    known: set[str] = set()
    cases: list[tuple[set[str], list[str], int, bool]] = []

    @settings(max_examples=20, deadline=None, database=None, derandomize=True)
    @given(st.sets(KEYS, max_size=6), st.lists(KEYS, max_size=4), st.integers(1, 4), st.booleans())
    def collect(start: set[str], new: list[str], size: int, backwards: bool) -> None:
        cases.append((start, new, size, backwards))

    collect()
    for start, new, size, backwards in cases:
        for key in start - known:
            await edge.register(key, administrator=PAGED)
        known |= start
        coming = [key for key in dict.fromkeys(new) if key not in known]
        waiting = list(coming)
        found = await walked(edge, size, backwards=backwards, new=waiting)
        registered = set(coming) - set(waiting)
        assert found == sorted(set(map(str, found)))
        assert known <= set(map(str, found)) <= known | registered
        known |= registered
        assert await walked(edge, size, backwards=backwards, new=[]) == sorted(known)


ALL_THREE = ChooseMailingAddresses(
    choice=MailingAddresses.ALL_THREE,
    acknowledged=frozenset({WarningCode.ADDRESSES_CAN_LOSE_DATA}),
)


async def test_each_filter_narrows_by_its_own_setting_and_together_by_all(edge: Edge) -> None:
    person = Person("filter@contoso.example")
    for key, kind in (("f-1", EnvironmentKind.TRIAL), ("f-2", EnvironmentKind.SANDBOX)):
        await edge.register(key, kind=kind, administrator=person)
    for command in (
        SwitchAppointmentAttachments(on=True),
        SwitchAssignedTasks(on=True),
        SwitchResourceBookings(on=True),
        ALL_THREE,
        ArchiveEnvironment(),
    ):
        await edge.change(person, command, key="f-2")
    for name, of_first, of_second in (
        ("kind", "TRIAL", "SANDBOX"),
        ("state", "ACTIVE", "ARCHIVED"),
        ("appointmentAttachments", False, True),
        ("assignedTasks", False, True),
        ("resourceBookings", False, True),
        ("mailingAddresses", "MAILING_ONLY", "ALL_THREE"),
        ("search", "F-1", "f-2"),
    ):
        for value, key in ((of_first, "f-1"), (of_second, "f-2")):
            found = await page(edge, person, filter={name: value})
            assert keys(found) == [key], name
            assert at(found, "totalCount") == 1, name
    crossed = {"assignedTasks": True, "kind": "TRIAL"}
    assert keys(await page(edge, person, filter=crossed)) == []
    assert keys(await page(edge, person, filter={})) == ["f-1", "f-2"]
    assert keys(await page(edge, person, filter={"kind": None})) == ["f-1", "f-2"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("100%", ["s-1"]),
        ("%", ["s-1"]),
        ("_", ["s-2"]),
        ("\\", ["s-3"]),
        ("über", ["s-3"]),
        ("ÜBER", ["s-3"]),
        ("S-", ["s-1", "s-2", "s-3"]),
        ("'", []),
    ],
)
async def test_a_search_takes_every_character_as_itself(
    edge: Edge, search: str, found: list[str]
) -> None:
    person = Person("search@contoso.example")
    if not keys(await page(edge, person)):
        for key, name in (("s-1", "100% done"), ("s-2", "snake_case"), ("s-3", "Back\\slash Über")):
            await edge.register(key, name=name, administrator=person)
    assert keys(await page(edge, person, filter={"search": search})) == found


async def test_what_one_has_just_written_is_in_the_next_list_at_once(edge: Edge) -> None:
    person = Person("own-writes@contoso.example")
    key = await edge.open()
    assert keys(await page(edge, person)) == []
    role = SecurityRole.BASIC_USER
    await edge.change(
        ADA, GrantRole(principal=(await edge.actor(person)).handle, role=role), key=key
    )
    assert keys(await page(edge, person)) == [key]
    for on in (True, False, True):
        await edge.change(CARL, SwitchAssignedTasks(on=on), key=key)
        assert keys(await page(edge, person, filter={"assignedTasks": on})) == [key]
        assert keys(await page(edge, person, filter={"assignedTasks": not on})) == []


async def test_platform_administrators_see_every_environment_and_nobody_none(edge: Edge) -> None:
    every = sorted(head.environment for head in await edge.heads())
    assert at(await page(edge, PAULA, first=1), "totalCount") == len(every)
    assert keys(await page(edge, PAULA, first=200)) == every[:200]
    assert await page(edge, NOBODY) == {
        "edges": [],
        "nodes": [],
        "totalCount": 0,
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
    }


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"first": 1, "last": 1}, "not for both"),
        ({"first": -1}, "not -1"),
        ({"last": 201}, "0 to 200 entries, not 201"),
        ({"first": 2**31}, "32-bit"),
        ({"after": "nonsense"}, "'nonsense' is no cursor"),
        ({"after": ""}, "'' is no cursor"),
        ({"before": "ÄÖ"}, "'ÄÖ' is no cursor"),
        ({"after": urlsafe_b64encode(b"2:contoso").decode()}, "is no cursor"),
        ({"after": urlsafe_b64encode(b"\xff1:").decode()}, "is no cursor"),
        ({"before": cursor("con\0toso")}, "is no cursor"),
        ({"filter": {"search": ""}}, "1 to 200 characters, not 0"),
        ({"filter": {"search": "x" * 201}}, "1 to 200 characters, not 201"),
        ({"filter": {"search": "\0"}}, "U+0000"),
        ({"filter": {"colour": "red"}}, "colour"),
        ({"filter": {"kind": "OFFICE"}}, "OFFICE"),
    ],
)
async def test_a_page_that_cannot_be_is_refused_with_the_reason(
    edge: Edge, asked: dict[str, object], says: str
) -> None:
    body = await edge.ask(BEN, PAGE, asked)
    assert codes(body) == ["BAD_USER_INPUT"]
    assert says in text_at(body, "errors.0.message")


async def test_rows_that_another_process_makes_anew_hold_up_no_list_and_no_other_history(
    edge: Edge,
) -> None:
    held, other = await edge.open(), await edge.open()
    await edge.data(ADA, PAGE)
    connection = await asyncpg.connect(
        edge.place.owner_dsn, server_settings={"search_path": "syncledger"}
    )
    try:
        async with connection.transaction():
            await connection.fetch(SQL["lock"], held)
            await edge.change(ADA, RenameEnvironment(name="Meanwhile"), key=held)
            listed = keys(await page(edge, ADA, first=200))
            history = "query ($key: String!) { environment(key: $key) { history { totalCount } } }"
            told = await edge.data(ADA, history, {"key": other})
    finally:
        await connection.close()
    assert {held, other} <= set(listed)
    assert at(told, "environment.history.totalCount") == BEGUN + 4
