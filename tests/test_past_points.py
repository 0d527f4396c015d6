"""Settings and members as they stood: by position and by time, through the API and by `replay`."""

import asyncio
import json

import pytest
import pytest_asyncio
from click.testing import CliRunner
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
    text_at,
)
from given import BEGUN
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import COMMANDS

from api.context import MOST_PAST_POINTS, MOST_SEARCHES, Context
from api.environments import require
from api.errors import Problem
from api.scalars import written
from app.cli import main
from app.config import variables
from app.wiring import open_rooms
from domain.actor import Permission, SecurityRole
from domain.environment import Command, value
from domain.field_mappings import ChooseSyncDirection, RestoreSyncDirections
from domain.lifecycle import RenameEnvironment
from domain.mapping_table import SyncDirection
from domain.membership import GrantRole, RevokeRole
from domain.plan import Ask
from domain.standing import Recorded, Standing, advance
from domain.switches import (
    ChooseMailingAddresses,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.tab import keys
from eventstore.clock import TICK
from eventstore.transact import Applied, Request

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

PAST = """query ($key: String!, $at: PointInTime!) { environment(key: $key) {
  settings(at: $at) { position asOf id all { __typename key isDefault
    ... on Switch { enabled }
    ... on MailingAddressesSetting { choice }
    ... on FieldMapping { direction }
    ... on SyncFilter { fetchXml }
    ... on DefaultTemplate { template { filterKey } }
    lastChange { position } } }
  members(at: $at) { principal { id } roles }
} }"""
ASKED = st.lists(
    st.lists(
        st.one_of(
            *(
                COMMANDS[kind]
                for kind in (
                    SwitchAppointmentAttachments,
                    SwitchAssignedTasks,
                    SwitchResourceBookings,
                    ChooseMailingAddresses,
                    ChooseSyncDirection,
                    RestoreSyncDirections,
                    RenameEnvironment,
                    GrantRole,
                    RevokeRole,
                )
            )
        ),
        min_size=1,
        max_size=4,
    ),
    min_size=3,
    max_size=10,
)


def shown(setting: object) -> str:
    """What a setting of the API holds, as a machine value."""
    match at(setting, "__typename"):
        case "Switch":
            return "true" if at(setting, "enabled") else "false"
        case "MailingAddressesSetting":
            return text_at(setting, "choice")
        case "SyncFilter":
            return text_at(setting, "fetchXml")
        case "DefaultTemplate":
            return text_at(setting, "template.filterKey")
        case _:
            return text_at(setting, "direction")


def machine_values(standing: Standing) -> dict[str, str | None]:
    """What every setting of the tab holds."""
    environment = standing.environment
    return {key: value(environment, key) for key in keys(environment.filters)}


async def past(edge: Edge, key: str, **point: object) -> object:
    return at(await edge.data(AUDREY, PAST, {"key": key, "at": point}), "environment")


async def ask(edge: Edge, key: str, *commands: Command) -> bool:
    ask = Ask(environment=key, commands=commands, actor=await edge.actor(ADA))
    return isinstance(await edge.rooms.appender.transact(Request(ask=ask)), Applied)


async def facts(edge: Edge, key: str) -> list[Recorded]:
    return [
        change.recorded
        async for change_set in edge.rooms.log.since(key, 0)
        for change in change_set.changes
    ]


async def replayed(edge: Edge, key: str, *words: str) -> object:
    known: dict[str, str | None] = {name: None for name, _, _ in variables()}
    said = await asyncio.to_thread(
        CliRunner().invoke,
        main,
        ["replay", "--environment", key, "--json", *words],
        env={**known, "SYNCLEDGER_DSN": edge.place.dsn},
    )
    assert said.exit_code == 0, said.output
    return json.loads(said.stdout)


async def assert_there(edge: Edge, found: object, standing: Standing) -> None:
    settings = at(found, "settings")
    assert at(settings, "position") == standing.position
    assert at(settings, "asOf") == written(standing.as_of)
    held = {at(each, "key"): shown(each) for each in list_at(settings, "all")}
    assert held == machine_values(standing)
    last = {at(each, "key"): at(each, "lastChange") for each in list_at(settings, "all")}
    for key in keys(standing.environment.filters):
        change = standing.last_changes.get(key)
        expected = None if change is None else {"position": change.recorded.position}
        assert last[key] == expected
    members = standing.environment.members
    people = await edge.rooms.principals.of(members)
    assert list_at(found, "members") == [
        {
            "principal": {"id": each.provider_id},
            "roles": [role.value for role in SecurityRole if role in members[each.handle]],
        }
        for each in people
    ]


@pytest.mark.unwatched
async def test_the_past_is_the_fold_up_to_it_for_any_history(edge: Edge) -> None:
    histories: list[list[list[Command]]] = []

    @settings(max_examples=6, deadline=None, database=None, derandomize=True)
    @given(ASKED)
    def collect(asked: list[list[Command]]) -> None:
        histories.append(asked)

    collect()
    for history in histories:
        key = await edge.open()
        for commands in history:
            await ask(edge, key, *commands)
        log, standing = await facts(edge, key), None
        for fact in log:
            standing = advance(standing, fact)
            await assert_there(edge, await past(edge, key, position=fact.position), standing)
        assert standing is not None
        middle = (BEGUN + len(log)) // 2
        there = await replayed(edge, key, "--position", str(middle))
        half = None
        for fact in log[:middle]:
            half = advance(half, fact)
        assert half is not None
        assert at(there, "position") == half.position
        assert at(there, "asOf") == written(half.as_of)
        assert at(there, "settings") == machine_values(half)
        now = await replayed(edge, key)
        assert at(now, "position") == len(log)


async def test_a_time_between_two_changes_is_the_change_before(edge: Edge) -> None:
    key = await edge.open()
    for on in (True, False, True):
        await edge.change(CARL, SwitchAssignedTasks(on=on), SwitchResourceBookings(on=on), key=key)
    standing: Standing | None = None
    ends: list[Standing] = []
    for fact in await facts(edge, key):
        standing = advance(standing, fact)
        if ends and ends[-1].as_of == fact.at:
            ends.pop()
        ends.append(standing)
    for index, end in enumerate(ends):
        for moment, expected in (
            (end.as_of, end),
            (end.as_of - TICK, ends[index - 1] if index else None),
        ):
            found = await past(edge, key, time=written(moment))
            told = await replayed(edge, key, "--time", written(moment))
            if expected is None:
                assert found == {"settings": None, "members": None}
                assert told == {"environment": key, "position": 0}
            else:
                await assert_there(edge, found, expected)
                assert at(told, "position") == expected.position


async def test_before_everything_there_was_nothing(edge: Edge) -> None:
    key = await edge.open()
    assert await past(edge, key, position=0) == {"settings": None, "members": None}
    assert await past(edge, key, time="1970-01-01T00:00:00Z") == {"settings": None, "members": None}


async def test_the_present_is_a_past_point_too_and_has_the_present_id(edge: Edge) -> None:
    key = await edge.open()
    document = "query ($key: String!) { environment(key: $key) { position settings { id } } }"
    now = await edge.data(AUDREY, document, {"key": key})
    end = at(now, "environment.position")
    assert at(await past(edge, key, position=end), "settings.id") == at(
        now, "environment.settings.id"
    )
    await edge.change(CARL, SwitchAssignedTasks(on=True), key=key)
    then = at(await past(edge, key, position=end), "settings.id")
    assert then != at(now, "environment.settings.id")
    node = "query ($id: ID!) { node(id: $id) { id ... on SynchronizationSettings { position } } }"
    assert await edge.data(AUDREY, node, {"id": then}) == {"node": {"id": then, "position": end}}


async def test_only_who_reads_the_history_sees_the_past(edge: Edge) -> None:
    key = await edge.open()
    asked = {"key": key, "at": {"position": BEGUN + 1}}
    for person in (ADA, CARL, AUDREY):
        told = await edge.data(person, PAST, asked)
        assert at(told, "environment.settings.position") == BEGUN + 1
    for person in (WORKER, BEN, PAULA):
        assert codes(await edge.ask(person, PAST, asked)) == ["FORBIDDEN", "FORBIDDEN"]
    assert await edge.data(NOBODY, PAST, asked) == {"environment": None}


@pytest.mark.parametrize(
    ("point", "says"),
    [
        (
            {"position": STAFFED + 1},
            f"position is {STAFFED + 1}, which is beyond the end of the log at {STAFFED}.",
        ),
        ({"position": -1}, "position is a position, 0 or more, not -1."),
        ({"position": 2**31}, "32-bit"),
        ({"time": "2999-01-01T00:00:00Z"}, "has not come yet"),
        ({"time": "2026-03-03"}, "with an offset"),
        ({"time": "noon"}, "An instant is ISO 8601"),
        ({"position": 1, "time": "2026-03-03T09:00:00Z"}, "xactly one"),
        ({}, "xactly one"),
        ({"position": None}, "must be non-null"),
    ],
)
async def test_a_point_that_cannot_be_is_refused(
    edge: Edge, point: dict[str, object], says: str
) -> None:
    key = await edge.open()
    body = await edge.ask(AUDREY, PAST, {"key": key, "at": point})
    assert set(codes(body)) == {"BAD_USER_INPUT"}
    assert says in text_at(body, "errors.0.message")


async def test_many_past_points_at_once_are_too_costly(edge: Edge) -> None:
    key = await edge.open()
    for number in range(MOST_PAST_POINTS):
        await edge.change(CARL, SwitchAssignedTasks(on=number % 2 == 0), key=key)

    def fields(count: int) -> str:
        return " ".join(
            f"p{number}: settings(at: {{ position: {BEGUN + number} }}) {{ position }}"
            for number in range(1, count + 1)
        )

    document = "query ($key: String!) {{ environment(key: $key) {{ {} }} }}"
    assert await edge.data(AUDREY, document.format(fields(MOST_PAST_POINTS)), {"key": key})
    body = await edge.ask(AUDREY, document.format(fields(MOST_PAST_POINTS + 1)), {"key": key})
    assert set(codes(body)) == {"TOO_COSTLY"}


SEARCHES = "query ($key: String!) {{ environment(key: $key) {{ {} }} }}"


async def test_many_narrowed_histories_at_once_are_too_costly_and_others_are_not(
    edge: Edge,
) -> None:
    key = await edge.open()

    def fields(count: int, asked: str) -> str:
        return SEARCHES.format(
            " ".join(f"h{number}: history{asked} {{ totalCount }}" for number in range(count))
        )

    narrowed = '(first: 1, filter: { text: "nowhere" })'
    assert await edge.data(AUDREY, fields(MOST_SEARCHES, narrowed), {"key": key})
    assert await edge.data(AUDREY, fields(MOST_SEARCHES + 1, "(first: 1)"), {"key": key})
    body = await edge.ask(AUDREY, fields(MOST_SEARCHES + 1, narrowed), {"key": key})
    assert set(codes(body)) == {"TOO_COSTLY"}


async def test_every_item_of_a_feed_may_look_at_past_points_anew(edge: Edge) -> None:
    key = await edge.open()
    for number in range(MOST_PAST_POINTS + 1):
        await edge.change(CARL, SwitchAssignedTasks(on=number % 2 == 0), key=key)
    document = """subscription ($key: String!, $after: Int, $then: Int!) {
      settingsFeed(environmentKey: $key, after: $after) {
        ... on ChangeSetAppended { changeSet { environment {
          members(at: { position: $then }) { roles } } } } } }"""
    async with edge.talk(AUDREY) as talk:
        asked = {"key": key, "after": STAFFED, "then": BEGUN + 1}
        await talk.subscribe("1", document, asked)
        for _ in range(MOST_PAST_POINTS + 1):
            item = at(await talk.hear(), "payload")
            assert codes(item) == []
            assert len(list_at(item, "data.settingsFeed.changeSet.environment.members")) == 2


async def test_rights_are_those_of_now_whatever_past_point_is_shown(edge: Edge) -> None:
    key = await edge.open()
    viewer = await edge.rooms.principals.meet(AUDREY.subject)
    context = Context(edge.rooms, viewer, platform_administrator=False)
    past = (await edge.rooms.log.tip(key)).standing
    assert past is not None
    require(context, past, Permission.READ_HISTORY)
    revoke = RevokeRole(principal=viewer.handle, role=SecurityRole.AUDITOR)
    await edge.change(ADA, revoke, key=key)

    assert context.permissions(past) == frozenset()
    with pytest.raises(Problem, match="READ_HISTORY"):
        require(context, past, Permission.READ_HISTORY)


async def test_one_who_came_later_sees_the_last_changes_of_before(edge: Edge) -> None:
    key, late = await edge.open(), Person("late@contoso.example")
    await edge.change(CARL, SwitchAssignedTasks(on=True), key=key)
    grant = GrantRole(principal=(await edge.actor(late)).handle, role=SecurityRole.AUDITOR)
    await edge.change(ADA, grant, key=key)

    told = await edge.data(late, PAST, {"key": key, "at": {"position": STAFFED + 1}})
    changes = {
        text_at(each, "key"): at(each, "lastChange")
        for each in list_at(told, "environment.settings.all")
    }
    assert changes["assignedTasks"] == {"position": STAFFED + 1}
    assert changes["resourceBookings"] is None


async def test_a_time_that_has_just_passed_has_what_another_process_committed(edge: Edge) -> None:
    key = await edge.open()
    async with open_rooms(edge.place.dsn) as elsewhere:
        for number in range(20):
            ask = Ask(
                environment=key,
                commands=(SwitchAssignedTasks(on=number % 2 == 0),),
                actor=await edge.actor(CARL),
            )
            done = await elsewhere.appender.transact(Request(ask=ask))
            assert isinstance(done, Applied)
            at_once = {"time": written(done.standing.as_of)}
            told = await edge.data(AUDREY, PAST, {"key": key, "at": at_once})
            assert at(told, "environment.settings.position") == done.standing.position


async def test_replay_in_words_and_what_it_refuses(edge: Edge) -> None:
    key = await edge.open()
    choose = ChooseSyncDirection(mapping="contact.notes", direction=SyncDirection.NONE)
    await edge.change(CARL, choose, key=key)

    def run(*words: str) -> tuple[int, str, str]:
        known: dict[str, str | None] = {name: None for name, _, _ in variables()}
        env = {**known, "SYNCLEDGER_DSN": edge.place.dsn}
        said = CliRunner().invoke(main, ["replay", *words], env=env)
        return said.exit_code, said.stdout, said.stderr

    status, lines, _ = await asyncio.to_thread(run, "--environment", key)
    assert status == 0
    assert "fieldMapping:contact.notes\tNONE\tchanged\n" in lines
    assert "assignedTasks\tfalse\t\n" in lines
    assert f"role:{ADA.subject}\tSYSTEM_ADMINISTRATOR\t\n" in lines
    for words, says in (
        (("--environment", "nowhere"), "no environment 'nowhere'"),
        (("--environment", key, "--position", "99"), "beyond the end of the log"),
        (("--environment", key, "--position", "-1"), "not in the range"),
        (("--environment", key, "--time", "noon"), "An instant is ISO 8601"),
        (("--environment", key, "--time", "2026-03-03T09:00Z", "--position", "1"), "not both"),
        ((), "Missing option '--environment'"),
    ):
        status, _, error = await asyncio.to_thread(run, *words)
        assert (status, says in error) == (1, True), error
