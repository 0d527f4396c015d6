"""What was refused: noted beside the log, bounded, and read by those who may read history."""

from dataclasses import replace
from uuid import UUID

import pytest
import pytest_asyncio
from cable import Cable
from conftest import Place, Process, register
from edge import (
    ADA,
    AUDREY,
    BEN,
    CARL,
    NOBODY,
    PAULA,
    STAFFED,
    WORKER,
    Edge,
    Person,
    at,
    codes,
    list_at,
    opened,
    until,
)
from given import ADMINISTRATOR, ALICE, BEGUN, KEY
from given import NOBODY as STRANGER

from api.pages import cursor
from app.embedded_postgres import address
from domain.actor import Actor
from domain.lifecycle import ArchiveEnvironment
from domain.plan import Ask
from domain.refusal import RefusalCode
from domain.switches import SwitchAssignedTasks
from eventstore import attempts as module
from eventstore.attempts import Attempt, Attempts, Stretch
from eventstore.database import Database, Unavailable
from eventstore.log import END

edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")
on_the_edge = pytest.mark.asyncio(loop_scope="module")

NEWEST = Stretch(0, END, newest_first=True, limit=100)
NOT_PERMITTED = [RefusalCode.NOT_PERMITTED]
TRY = Ask(environment=KEY, commands=(SwitchAssignedTasks(on=True),), actor=ADMINISTRATOR)
ATTEMPTS = """query ($key: String!, $first: Int, $after: String, $last: Int, $before: String) {
  environment(key: $key) {
    refusedAttempts(first: $first, after: $after, last: $last, before: $before) {
      nodes { at by { id } asked about { id } refusals more }
      edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } } }"""
CHANGE = """mutation ($input: ChangeSettingsInput!) { changeSettings(input: $input) {
  ... on SettingsRefused { refusals { code } } } }"""
GRANT = """mutation ($input: GrantRoleInput!) { grantRole(input: $input) {
  ... on EnvironmentRefused { refusals { code } } } }"""
BRING = """mutation ($input: BringSettingsInput!) { bringSettings(input: $input) {
  ... on SettingsRefused { refusals { code } } } }"""


async def kept(attempts: Attempts, key: str = KEY) -> list[Attempt]:
    return await attempts.page(key, NEWEST)


async def test_what_was_refused_is_read_newest_first_by_every_process(
    process: Process, other_process: Process
) -> None:
    await register(process)
    async with Attempts(process.database).running() as attempts:
        attempts.note(TRY, NOT_PERMITTED * 2)
        attempts.note(TRY, [RefusalCode.CHANGED_MEANWHILE])
        found = await kept(attempts)
        assert await kept(Attempts(other_process.database)) == found
    assert [(each.number, each.refusals) for each in found] == [
        (2, ["CHANGED_MEANWHILE"]),
        (1, ["NOT_PERMITTED"]),
    ]
    assert (found[1].actor, found[1].asked) == (ALICE, "Switch assigned tasks (on: yes)")
    assert (await process.log.head(KEY)).position == BEGUN  # type: ignore[union-attr]


async def test_what_is_waiting_when_a_process_ends_is_still_written(process: Process) -> None:
    await register(process)
    async with Attempts(process.database).running() as attempts:
        attempts.note(TRY, NOT_PERMITTED)
    assert len(await kept(Attempts(process.database))) == 1


async def test_of_each_kind_twenty_an_hour_are_kept_and_the_rest_is_counted(
    place: Place, process: Process
) -> None:
    await register(process)
    attempts = Attempts(process.database)
    for _ in range(23):
        attempts.note(TRY, NOT_PERMITTED)
    attempts.note(replace(TRY, actor=STRANGER), NOT_PERMITTED)
    attempts.note(replace(TRY, commands=(ArchiveEnvironment(),)), NOT_PERMITTED)
    found = await kept(attempts)
    assert [(each.asked.split()[0], each.more) for each in found[:3]] == [
        ("Archive", 0),
        ("Switch", 0),
        ("Switch", 3),
    ]
    assert len(found) == 22
    await place.as_superuser("UPDATE syncledger.attempts SET at = at - interval '1 hour'")
    attempts.note(TRY, NOT_PERMITTED)
    later, *_ = await kept(attempts)
    assert (later.number, later.more) == (23, 0)


async def test_all_strangers_together_have_two_hundred_an_hour(
    place: Place, process: Process
) -> None:
    await register(process)
    attempts = Attempts(process.database)
    attempts.note(TRY, NOT_PERMITTED)
    for number in range(203):
        somebody = Actor(handle=UUID(int=number + 1))
        attempts.note(
            replace(TRY, actor=somebody), [RefusalCode.ENVIRONMENT_NOT_FOUND], stranger=True
        )
    found = await attempts.page(KEY, NEWEST._replace(limit=300))
    assert len(found) == 201
    assert (found[0].more, found[-1].refusals) == (3, ["NOT_PERMITTED"])


@pytest.mark.parametrize(("stranger", "most"), [("false", 10_000), ("true", 2_000)])
async def test_of_one_environment_the_newest_are_kept(
    place: Place, process: Process, stranger: str, most: int
) -> None:
    await register(process)
    await place.as_superuser(
        f"""INSERT INTO syncledger.attempts
            (environment, number, at, actor, kind, asked, refusals, stranger)
            SELECT '{KEY}', number, now() - interval '2 hours', gen_random_uuid(), '', '', '{{}}',
                number = 1 OR {stranger}
            FROM generate_series(1, {most} + 1) AS number"""  # noqa: S608 -- ours
    )
    attempts = Attempts(process.database)
    attempts.note(TRY, NOT_PERMITTED, stranger=stranger == "true")
    oldest_first = Stretch(0, END, newest_first=False, limit=2)
    oldest = [3, 4] if stranger == "true" else [1, 3]
    assert [each.number for each in await attempts.page(KEY, oldest_first)] == oldest
    assert (await kept(attempts))[0].number == most + 2


async def test_of_an_environment_that_is_not_there_nothing_is_kept(process: Process) -> None:
    attempts = Attempts(process.database)
    attempts.note(TRY, [RefusalCode.ENVIRONMENT_NOT_FOUND])
    assert await kept(attempts) == []
    await register(process)
    assert await kept(attempts) == []


async def test_while_the_database_is_away_they_wait_and_nobody_else_does(
    place: Place,
    cable: Cable,
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    await register(process)
    dsn = address(cable.folder, user="syncledger_app", database=place.name)
    async with Database(dsn) as database, Attempts(database).running() as attempts:
        await cable.pull()
        for _ in range(3):
            attempts.note(TRY, NOT_PERMITTED)
        assert "is not noted" in caplog.text
        with pytest.raises(Unavailable):
            await kept(attempts)
        await until(lambda: "cannot be noted for now" in caplog.text)
        await cable.mend()
        assert len(await kept(attempts)) == 2


async def refused(edge: Edge, person: Person, document: str, wish: object) -> None:
    data = await edge.data(person, document, {"input": wish})
    assert isinstance(data, dict)
    assert all(list_at(outcome, "refusals") for outcome in data.values())


@on_the_edge
async def test_every_way_of_being_refused_is_listed_and_a_preview_is_none(edge: Edge) -> None:
    key = await edge.open()
    wish = {"environmentKey": key, "changes": [{"assignedTasks": {"enabled": True}}]}
    await refused(edge, BEN, CHANGE, {**wish, "mode": "PREVIEW"})
    await refused(edge, BEN, CHANGE, wish)
    await refused(edge, NOBODY, CHANGE, wish)
    grant = {"environmentKey": key, "principal": BEN.subject, "role": "SYSTEM_ADMINISTRATOR"}
    await refused(edge, BEN, GRANT, grant)
    await refused(edge, BEN, GRANT, {**grant, "principal": "nobody-has-met@contoso.example"})
    await refused(
        edge, ADA, BRING, {"environmentKey": key, "from": {"environmentKey": "hidden-from-ada"}}
    )
    data = await edge.data(AUDREY, ATTEMPTS, {"key": key})
    found = list_at(data, "environment.refusedAttempts.nodes")
    told = [(at(each, "by.id"), at(each, "asked"), at(each, "refusals")) for each in found]
    assert told == [
        (ADA.subject, "Bring settings (from: hidden-from-ada)", ["ENVIRONMENT_NOT_FOUND"]),
        (BEN.subject, "Grant role (role: SYSTEM_ADMINISTRATOR)", ["NOT_PERMITTED"]),
        (BEN.subject, "Grant role (role: SYSTEM_ADMINISTRATOR)", ["NOT_PERMITTED"]),
        (NOBODY.subject, "Switch assigned tasks (on: yes)", ["ENVIRONMENT_NOT_FOUND"]),
        (BEN.subject, "Switch assigned tasks (on: yes)", ["NOT_PERMITTED"]),
    ]
    assert [at(each, "about") for each in found] == [
        None,
        None,
        {"id": BEN.subject},
        None,
        None,
    ]


@on_the_edge
async def test_noise_hides_no_grant_and_nobody_from_elsewhere_is_told(edge: Edge) -> None:
    key = await edge.open()
    elsewhere = Person("elsewhere@contoso.example")
    handle = str((await edge.actor(elsewhere)).handle)
    wish = {"environmentKey": key, "principal": "nobody-met@contoso.example", "role": "AUDITOR"}
    for _ in range(22):
        await refused(edge, CARL, GRANT, wish)
    for principal in (elsewhere.subject, handle):
        await refused(edge, CARL, GRANT, {**wish, "principal": principal})
    source = {"environmentKey": key, "from": {"environmentKey": "hidden-from-carl"}}
    await refused(edge, CARL, BRING, source)
    await refused(edge, CARL, GRANT, {**wish, "principal": CARL.subject})
    await refused(edge, CARL, GRANT, {**wish, "role": "SYSTEM_ADMINISTRATOR"})
    data = await edge.data(AUDREY, ATTEMPTS, {"key": key})
    found = list_at(data, "environment.refusedAttempts.nodes")
    told = [(at(each, "asked"), at(each, "about"), at(each, "more")) for each in found[:4]]
    assert told == [
        ("Grant role (role: SYSTEM_ADMINISTRATOR)", None, 0),
        ("Grant role (role: AUDITOR)", {"id": CARL.subject}, 0),
        ("Bring settings (from: hidden-from-carl)", None, 0),
        ("Grant role (role: AUDITOR)", None, 4),
    ]
    assert len(found) == 23


@on_the_edge
async def test_pages_go_both_ways(edge: Edge) -> None:
    key = await edge.open()
    wish = {"environmentKey": key, "changes": [{"assignedTasks": {"enabled": True}}]}
    for _ in range(3):
        await refused(edge, BEN, CHANGE, wish)

    async def page(**variables: object) -> object:
        data = await edge.data(CARL, ATTEMPTS, {"key": key, **variables})
        return at(data, "environment.refusedAttempts")

    first = await page(first=2)
    assert at(first, "pageInfo.hasNextPage") is True
    rest = await page(after=at(first, "pageInfo.endCursor"))
    assert at(rest, "pageInfo") == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "endCursor": at(rest, "edges.0.cursor"),
    }
    cursors = [at(each, "cursor") for one in (first, rest) for each in list_at(one, "edges")]
    assert len(set(map(str, cursors))) == 3
    last = await page(last=2, before=cursors[2])
    assert [at(each, "cursor") for each in list_at(last, "edges")] == cursors[:2]
    body = await edge.ask(CARL, ATTEMPTS, {"key": key, "after": cursor("3")})
    assert codes(body) == ["BAD_USER_INPUT"]


@on_the_edge
@pytest.mark.parametrize("person", [BEN, WORKER, PAULA], ids=lambda person: person.subject)
async def test_who_may_not_read_history_reads_no_attempts(edge: Edge, person: Person) -> None:
    body = await edge.ask(person, ATTEMPTS, {"key": "contoso"})
    assert codes(body) == ["FORBIDDEN"]
    assert at(body, "errors.0.extensions.needs") == "READ_HISTORY"


@on_the_edge
async def test_nothing_refused_moves_the_log(edge: Edge) -> None:
    key = await edge.open()
    await refused(
        edge,
        BEN,
        CHANGE,
        {"environmentKey": key, "changes": [{"assignedTasks": {"enabled": True}}]},
    )
    head = await edge.rooms.log.head(key)
    assert head is not None
    assert head.position == STAFFED
