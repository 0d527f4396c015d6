"""Two points beside each other, through GraphQL: what differs, who could, and for whom."""

import pytest
import pytest_asyncio
from edge import (
    ADA,
    AUDREY,
    BEN,
    CARL,
    MEMBERS,
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

from domain.actor import GRANTS, Permission, SecurityRole
from domain.filters.commands import DeactivateFilter
from domain.membership import GrantRole, RevokeRole
from domain.switches import SwitchAssignedTasks, SwitchResourceBookings

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

TASKS = "template.online.task.my-tasks"
TOLD = "setting label before after differences summary"
COMPARE = f"""query ($key: String!, $from: PointInTime!, $to: PointInTime) {{
  environment(key: $key) {{ compare(from: $from, to: $to) {{ {TOLD} }} }} }}"""
WITH = f"""query ($key: String!, $other: String!, $at: PointInTime, $otherAt: PointInTime) {{
  environment(key: $key) {{
    compareWith(environmentKey: $other, at: $at, otherAt: $otherAt) {{ {TOLD} }} }} }}"""
COULD = """query ($key: String!, $permission: Permission!, $at: PointInTime) {
  environment(key: $key) {
    whoCould(permission: $permission, at: $at) { principal { id } roles } } }"""
READERS = [ADA, AUDREY, CARL]
OTHERS = [BEN, WORKER, PAULA]


async def compared(edge: Edge, key: str, since: int, until: int | None = None) -> list[object]:
    variables = {"key": key, "from": {"position": since}, "to": until and {"position": until}}
    return list_at(await edge.data(AUDREY, COMPARE, variables), "environment.compare")


async def changed(edge: Edge) -> str:
    """An environment in which four things happened, one of them undone."""
    key = await edge.open()
    await edge.change(ADA, SwitchAssignedTasks(on=True), key=key)
    await edge.change(ADA, DeactivateFilter(key=TASKS), key=key)
    handle = (await edge.actor(BEN)).handle
    grant = GrantRole(principal=handle, role=SecurityRole.SYSTEM_ADMINISTRATOR)
    await edge.change(ADA, grant, key=key)
    await edge.change(ADA, SwitchResourceBookings(on=True), key=key)
    await edge.change(ADA, SwitchResourceBookings(on=False), key=key)
    return key


async def test_what_differs_between_two_points_is_told_setting_by_setting(edge: Edge) -> None:
    key = await changed(edge)
    found = await compared(edge, key, STAFFED)
    assert [text_at(each, "setting") for each in found] == [
        f"filter:{TASKS}",
        "assignedTasks",
        f"role:{BEN.subject}",
    ]
    assert at(found, "0.differences") == ["no longer active"]
    assert (at(found, "1.before"), at(found, "1.after")) == ("false", "true")
    told = "Roles of ben@contoso.example: BASIC_USER → SYSTEM_ADMINISTRATOR,BASIC_USER"
    assert at(found, "2.summary") == told
    assert at(found, "2.after") == "SYSTEM_ADMINISTRATOR,BASIC_USER"
    assert [
        text_at(each, "setting") for each in await compared(edge, key, STAFFED, STAFFED + 1)
    ] == ["assignedTasks"]
    (bookings,) = await compared(edge, key, STAFFED + 3, STAFFED + 4)
    assert text_at(bookings, "summary").endswith("false → true")
    assert await compared(edge, key, STAFFED, STAFFED) == []


async def test_before_an_environment_was_there_nothing_can_be_compared(edge: Edge) -> None:
    variables = {"key": "contoso", "from": {"position": 0}}
    data = await edge.data(AUDREY, COMPARE, variables)
    assert at(data, "environment.compare") is None
    could = {"key": "contoso", "permission": "READ_SETTINGS", "at": {"position": 0}}
    assert at(await edge.data(AUDREY, COULD, could), "environment.whoCould") is None
    body = await edge.ask(AUDREY, COMPARE, {"key": "contoso", "from": {"position": 10_000}})
    assert codes(body) == ["BAD_USER_INPUT"]


async def test_two_environments_are_compared_each_at_a_point_of_its_own(edge: Edge) -> None:
    one, other = await changed(edge), await edge.open()
    variables = {"key": one, "other": other}
    found = list_at(await edge.data(AUDREY, WITH, variables), "environment.compareWith")
    assert (at(found, "1.before"), at(found, "1.after")) == ("true", "false")
    past = {**variables, "at": {"position": STAFFED}, "otherAt": {"position": STAFFED}}
    assert list_at(await edge.data(AUDREY, WITH, past), "environment.compareWith") == []


@pytest.mark.parametrize("person", OTHERS, ids=lambda person: person.subject)
async def test_who_may_not_read_history_compares_nothing(edge: Edge, person: Person) -> None:
    for document, variables in (
        (COMPARE, {"from": {"position": 1}}),
        (WITH, {"other": "contoso"}),
        (COULD, {"permission": "READ_SETTINGS"}),
    ):
        body = await edge.ask(person, document, {"key": "contoso", **variables})
        assert codes(body) == ["FORBIDDEN"]
        assert at(body, "errors.0.extensions.needs") == "READ_HISTORY"


@pytest.mark.parametrize("person", READERS, ids=lambda person: person.subject)
async def test_an_environment_that_is_hidden_is_like_one_that_is_not_there(
    edge: Edge, person: Person
) -> None:
    hidden = await edge.open()
    boss = (await edge.actor(BEN)).handle
    grant = GrantRole(principal=boss, role=SecurityRole.SYSTEM_ADMINISTRATOR)
    assert person.role is not None
    gone = RevokeRole(principal=(await edge.actor(person)).handle, role=person.role)
    await edge.change(PAULA, grant, gone, key=hidden)
    told = []
    for key in (hidden, "nowhere-at-all"):
        body = await edge.ask(person, WITH, {"key": "contoso", "other": key})
        assert codes(body) == ["BAD_USER_INPUT"]
        told.append(text_at(body, "errors.0.message").replace(key, "…"))
    assert told[0] == told[1]


async def test_an_environment_whose_history_may_not_be_read_is_not_compared_with(
    edge: Edge,
) -> None:
    other = await edge.open()
    handle = (await edge.actor(AUDREY)).handle
    assert AUDREY.role is not None
    assert BEN.role is not None
    await edge.change(
        ADA,
        RevokeRole(principal=handle, role=AUDREY.role),
        GrantRole(principal=handle, role=BEN.role),
        key=other,
    )
    assert codes(await edge.ask(AUDREY, WITH, {"key": "contoso", "other": other})) == ["FORBIDDEN"]


@pytest.mark.parametrize("permission", Permission)
async def test_who_could_is_whoever_holds_a_role_that_grants_it(
    edge: Edge, permission: Permission
) -> None:
    key = await edge.open()
    variables = {"key": key, "permission": permission.value}
    found = list_at(await edge.data(CARL, COULD, variables), "environment.whoCould")
    wanted = {
        member.subject: [member.role.value]
        for member in MEMBERS
        if member.role is not None and permission in GRANTS[member.role]
    }
    assert {text_at(each, "principal.id"): at(each, "roles") for each in found} == wanted
    for person in MEMBERS:
        standing = (await edge.rooms.standings.current(key)).standing
        assert standing is not None
        may = permission in standing.environment.permissions(await edge.actor(person))
        assert may is (person.subject in wanted)


async def test_who_could_then_is_told_by_the_roles_of_then(edge: Edge) -> None:
    key = await edge.open()
    handle = (await edge.actor(CARL)).handle
    assert CARL.role is not None
    await edge.change(ADA, RevokeRole(principal=handle, role=CARL.role), key=key)
    for point, could in ((STAFFED, True), (STAFFED + 1, False)):
        variables = {"key": key, "permission": "CHANGE_SETTINGS", "at": {"position": point}}
        found = list_at(await edge.data(AUDREY, COULD, variables), "environment.whoCould")
        assert (CARL.subject in {text_at(each, "principal.id") for each in found}) is could


async def test_a_stranger_sees_no_environment_to_compare(edge: Edge) -> None:
    data = await edge.data(NOBODY, COMPARE, {"key": "contoso", "from": {"position": 1}})
    assert at(data, "environment") is None
