"""Files that want something of a real environment, in real rooms."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Place
from given import BEGUN, KEY, PLATFORM

from api.context import Rooms
from app.dataverse_export import exported
from app.dataverse_import import Import
from app.moving import CannotAsk, Order, Result, Told, Trouble, carried_out
from app.settings_file import read
from app.settings_text import written
from app.wiring import open_rooms
from domain.actor import Actor, SecurityRole
from domain.environment import Command, Environment
from domain.filters.refusals import MOST_FILTERS
from domain.lifecycle import ArchiveEnvironment, EnvironmentKind, RegisterEnvironment
from domain.membership import GrantRole, RevokeRole
from domain.plan import Ask
from domain.standing import Standing
from domain.switches import SwitchAssignedTasks, SwitchResourceBookings
from domain.warning import WarningCode
from eventstore.transact import Applied, Request
from projections.projector import PATIENCE
from projections.verify import verify

ADA, BEN, PAULA, NOBODY = (f"{name}@contoso.example" for name in ("ada", "ben", "paula", "nobody"))
LOSES = WarningCode.ADDRESSES_CAN_LOSE_DATA
OPEN = (
    "<fetch><entity name='task'><filter><condition attribute='statecode' operator='eq' value='0'/>"
    "</filter></entity></fetch>"
)
START = BEGUN + 1
"""Where the environment stands: registered, and Ben is in it."""
ARCHIVED = "The environment 'contoso-prod' is archived. Restore it before changing it."


@pytest.fixture
async def rooms(place: Place) -> AsyncIterator[Rooms]:
    """Ada administers, Ben may only read, Paula manages every environment."""
    async with open_rooms(place.dsn) as opened:
        ada, ben, _ = [await opened.principals.meet(who) for who in (ADA, BEN, PAULA)]
        for key in (KEY, "contoso-test"):
            register = RegisterEnvironment(
                key=key, name=key, kind=EnvironmentKind.SANDBOX, administrator=ada.handle
            )
            await ask(opened, PLATFORM, register, key=key)
        await ask(
            opened,
            Actor(handle=ada.handle),
            GrantRole(principal=ben.handle, role=SecurityRole.BASIC_USER),
        )
        yield opened


async def ask(rooms: Rooms, actor: Actor, *commands: Command, key: str = KEY) -> Applied:
    outcome = await rooms.appender.transact(
        Request(ask=Ask(environment=key, commands=commands, actor=actor))
    )
    assert isinstance(outcome, Applied), outcome
    return outcome


async def by(rooms: Rooms, who: str, *commands: Command) -> Applied:
    return await ask(rooms, Actor(handle=(await rooms.principals.meet(who)).handle), *commands)


async def standing(rooms: Rooms, key: str = KEY) -> Standing:
    found = (await rooms.standings.catch_up(key)).standing
    assert found is not None
    return found


def file(text: str) -> Callable[[Environment], Told]:
    """A settings file called f."""
    reading = read(text)

    def told(_: Environment) -> Told:
        return Told(
            wanted=reading.wanted,
            where={setting: f"f:{line}" for setting, line in reading.lines.items()},
            criteria={setting: f"f:{line}" for setting, line in reading.criteria.items()},
            troubles=[Trouble(f"f:{line}", message) for line, message in reading.misread],
        )

    return told


async def apply(
    rooms: Rooms,
    text: str,
    *,
    who: str = ADA,
    preview: bool = False,
    acknowledged: frozenset[WarningCode] = frozenset(),
    expected: int | None = None,
) -> Result:
    order = Order(
        environment=KEY,
        principal=who,
        preview=preview,
        acknowledged=acknowledged,
        expected_position=expected,
        reason="As the file has it",
    )
    return await carried_out(rooms, order, file(text))


def new_filter(key: str, name: str, fetch_xml: str = OPEN) -> str:
    return (
        f"filter:{key}:\n  role: SYSTEM_FILTER\n  kind: ONLINE\n  table: task\n"
        f"  name: {name}\n  fetchXml: {json.dumps(fetch_xml)}\n"
    )


SOME = """\
assignedTasks: true
fieldMapping:contact.notes: NONE
filter:template.online.task.my-tasks:
  active: false
  description: "Off for now"
"""


async def test_a_file_is_one_change_set_by_somebody_for_a_reason(rooms: Rooms) -> None:
    result = await apply(rooms, SOME)
    assert result.position == START + 4
    assert [change.setting for change in result.changes] == [
        "assignedTasks",
        "fieldMapping:contact.notes",
        "filter:template.online.task.my-tasks",
        "filter:template.online.task.my-tasks",
    ]
    ada = await rooms.principals.meet(ADA)
    for change in result.changes:
        assert (change.recorded.change_set, change.recorded.actor) == (START + 1, ada.handle)
    stored = await rooms.log.stored([(KEY, START + number) for number in range(1, 5)])
    assert {each.reason for each in stored.values()} == {"As the file has it"}
    assert {warning.code for warning in result.warnings} >= {
        WarningCode.ASSIGNED_TASKS_HAVE_LIMITS,
        WarningCode.DIRECTION_AFFECTS_SYNC_TIME,
        WarningCode.TEMPLATE_IS_INACTIVE,
    }
    assert (result.impact, result.troubles) == ((), ())


async def test_a_preview_tells_the_same_and_writes_nothing(rooms: Rooms) -> None:
    preview = await apply(rooms, SOME, preview=True)
    assert (await standing(rooms)).position == preview.position == START
    assert preview.impact
    applied = await apply(rooms, SOME)
    assert [change.recorded.event for change in preview.changes] == [
        change.recorded.event for change in applied.changes
    ]
    assert preview.warnings == applied.warnings


async def test_what_is_so_already_is_not_written_again(rooms: Rooms) -> None:
    await apply(rooms, SOME)
    for preview in (True, False):
        again = await apply(rooms, SOME, preview=preview)
        assert again == Result(position=START + 4)
    assert await apply(rooms, "") == Result(position=START + 4)


async def test_all_three_addresses_have_to_be_acknowledged_where_they_are_applied(
    rooms: Rooms,
) -> None:
    text = "\nmailingAddresses: ALL_THREE\nassignedTasks: true\n"
    preview = await apply(rooms, text, preview=True)
    assert len(preview.changes) == 2
    assert any(each.must_be_acknowledged for each in preview.warnings)
    refused = await apply(rooms, text)
    ((where, message),) = refused.troubles
    assert where == "f:2"
    assert message.endswith("Acknowledge ADDRESSES_CAN_LOSE_DATA to go on.")
    assert (await standing(rooms)).position == refused.position == START
    applied = await apply(rooms, text, acknowledged=frozenset({LOSES}))
    assert len(applied.changes) == 2


async def test_everything_that_stands_against_it_is_told_at_once_with_its_place(
    rooms: Rooms,
) -> None:
    bad = "<fetch><entity name='task'><filter><condition attribute='subject' operator='on'/>"
    bad += "<condition attribute='statecode' operator='eq'/></filter></entity></fetch>"
    text = (
        "assignedTask: true\n"
        "fieldMapping:task.regarding: BOTH\n"
        "fieldMapping:task.subject: LEFT\n"
        "fieldMapping:task.nothing: NONE\n"
        + new_filter("bad", "Bad", bad)
        + new_filter("worse", "Worse", "<fetch>")
        + "filter:half:\n  name: Half\n"
        "defaultTemplate:ONLINE:task: nowhere\n"
        "assignedTasks: true\n"
    )
    result = await apply(rooms, text)
    assert {(where, message.partition(".")[0]) for where, message in result.troubles} == {
        ("f:1", "There is no setting 'assignedTask'"),
        ("f:2", "The direction of task"),
        (
            "f:3",
            "fieldMapping:task",
        ),
        ("f:4", "There is no field mapping 'task"),
        ("f:10", "conditions[0]"),
        ("f:10", "conditions[1]"),
        ("f:16", "fetch: This is no XML: no element found at line 1, column 8"),
        ("f:17", "There is no such filter yet; a new one also needs role, kind, table, fetchXml"),
        ("f:19", "There is no filter 'nowhere'"),
    }
    assert (await standing(rooms)).position == START


@pytest.mark.parametrize(
    ("who", "told"),
    [
        (
            NOBODY,
            (
                "Nobody called 'nobody@contoso.example' was ever seen here. Name somebody who has "
                "a role in the environment, as the identity provider does."
            ),
        ),
        (PAULA, "There is no environment 'contoso-prod' that you may see."),
        (
            BEN,
            (
                "This needs the permission CHANGE_SETTINGS, which comes with SYSTEM_ADMINISTRATOR "
                "or SYSTEM_CUSTOMIZER."
            ),
        ),
    ],
)
async def test_who_may_not_is_told_before_anything_is_looked_at(
    rooms: Rooms, who: str, told: str
) -> None:
    for text in (SOME, ""):
        for preview in (True, False):
            with pytest.raises(CannotAsk) as refused:
                await apply(rooms, text, who=who, preview=preview)
            assert str(refused.value) == told


async def test_an_environment_that_is_not_there_is_none_that_one_may_see(rooms: Rooms) -> None:
    with pytest.raises(CannotAsk, match="There is no environment 'nowhere' that you may see"):
        await carried_out(rooms, Order(environment="nowhere", principal=ADA), file(SOME))


async def test_that_an_environment_is_archived_is_told_once(rooms: Rooms) -> None:
    await by(rooms, ADA, ArchiveEnvironment())
    for preview in (True, False):
        result = await apply(rooms, SOME, preview=preview)
        assert result.troubles == (Trouble("", ARCHIVED),)
    nothing = await apply(rooms, "assignedTasks: false\n")
    assert nothing == Result(position=START + 1)


async def test_what_was_changed_meanwhile_is_told_with_its_place(rooms: Rooms) -> None:
    await by(rooms, ADA, SwitchAssignedTasks(on=True))
    text = "\nassignedTasks: false\nresourceBookings: true\n"
    refused = await apply(rooms, text, expected=START)
    assert refused.troubles == (
        Trouble(
            "f:2",
            f"assignedTasks was changed after position {START}. Look at the settings at position "
            f"{START + 1} and ask again.",
        ),
    )
    assert (await apply(rooms, "resourceBookings: true", expected=START)).position == START + 2


@pytest.mark.parametrize("text", [SOME, ""])
async def test_a_position_that_was_not_reached_is_a_mistake_even_where_nothing_is_asked(
    rooms: Rooms, text: str
) -> None:
    refused = await apply(rooms, text, expected=99)
    told = f"Position 99 is beyond the end of the log, which is {START}."
    assert refused.troubles == (Trouble("", told),)
    assert (await apply(rooms, text, expected=START)).troubles == ()


async def test_what_others_do_between_the_plan_and_the_change_is_told(
    rooms: Rooms, place: Place
) -> None:
    async def meanwhile() -> None:
        async with open_rooms(place.dsn) as others:
            await by(others, ADA, ArchiveEnvironment())

    def told(environment: Environment) -> Told:
        with ThreadPoolExecutor() as thread:
            thread.submit(lambda: asyncio.run(meanwhile())).result()
        return file(SOME)(environment)

    result = await carried_out(rooms, Order(environment=KEY, principal=ADA), told)
    assert result.troubles == (Trouble("", ARCHIVED),)
    assert (await standing(rooms)).position == START + 1


async def test_as_many_filters_as_there_can_be_come_and_go_in_one_change_set(rooms: Rooms) -> None:
    text = "".join(
        new_filter(f"f{number}", f"No. {number}") + "  active: false\n"
        for number in range(MOST_FILTERS - 12)
    )
    result = await apply(rooms, text)
    assert len(result.changes) == MOST_FILTERS - 12
    full = await standing(rooms)
    whole = written(full, whole=True)
    turned = whole.replace("active: false", "active: true").replace("name: No.", "name: Number")
    turned = turned.replace("\n  description: ''", "\n  description: Why")
    result = await apply(rooms, turned)
    assert len(result.changes) == 2 * MOST_FILTERS - 12
    first, *others = (change.recorded.change_set for change in result.changes)
    assert {first} == {*others}
    removed = "".join(f"filter:f{number}: {{removed: true}}\n" for number in range(200))
    assert len((await apply(rooms, removed)).changes) == MOST_FILTERS - 12
    await rooms.projector.catch_up(wait=PATIENCE)
    assert (await verify(rooms.database, KEY)).findings == []


async def test_one_filter_too_many_is_told_where_it_stands(rooms: Rooms) -> None:
    text = "".join(new_filter(f"f{number}", f"No. {number}") for number in range(MOST_FILTERS - 11))
    ((where, message),) = (await apply(rooms, text)).troubles
    assert where == f"f:{6 * (MOST_FILTERS - 12) + 1}"
    assert message.startswith("An environment has at most 200 filters")


async def test_more_than_can_be_asked_at_once_is_told(rooms: Rooms) -> None:
    text = "".join(new_filter(f"f{number}", f"No. {number}") for number in range(1_001))
    result = await apply(rooms, text)
    told = "1001 changes are asked for at once. Ask for 1 to 1000."
    assert result.troubles == (Trouble("", told),)


async def test_an_export_makes_another_environment_the_same(rooms: Rooms) -> None:
    await apply(rooms, SOME + "mailingAddresses: ALL_THREE\n" + new_filter("open", "Öffen ↔ “[x]”"))
    await by(rooms, ADA, SwitchResourceBookings(on=True))
    there = (await standing(rooms)).environment

    def told(environment: Environment) -> Told:
        found = Import(environment)
        rows: Mapping[str, list[dict[str, object]]] = exported(there)
        for name, collection in rows.items():
            found.read(name, json.dumps(collection))
        assert (found.wrong, found.unknown) == ([], {})
        return Told(wanted=found.wanted(), where={})

    accepted = frozenset({LOSES})
    order = Order(environment="contoso-test", principal=ADA, acknowledged=accepted)
    assert (await carried_out(rooms, order, told)).troubles == ()
    other = (await standing(rooms, "contoso-test")).environment
    assert (other.switches, other.directions) == (there.switches, there.directions)
    assert other.filters.by_key == there.filters.by_key
    assert (await carried_out(rooms, order, told)).changes == ()


async def test_a_right_that_is_lost_is_lost_here_too(rooms: Rooms) -> None:
    ben = (await rooms.principals.meet(BEN)).handle
    customizer = SecurityRole.SYSTEM_CUSTOMIZER
    await by(rooms, ADA, GrantRole(principal=ben, role=customizer))
    assert (await apply(rooms, "assignedTasks: true", who=BEN)).changes
    await by(rooms, ADA, RevokeRole(principal=ben, role=customizer))
    with pytest.raises(CannotAsk, match="CHANGE_SETTINGS"):
        await apply(rooms, "assignedTasks: false", who=BEN)
