from dataclasses import replace
from uuid import UUID

import pytest
from conftest import Process, ask, register
from given import ALICE, BEGUN, BOB, PLATFORM, REGISTER

from domain.actor import SecurityRole
from domain.lifecycle import ArchiveEnvironment, EnvironmentKind, EnvironmentState
from domain.membership import GrantRole, RevokeRole
from domain.switches import (
    ChooseMailingAddresses,
    MailingAddresses,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.warning import WarningCode
from projections.current_settings import Filter, Row, Stretch, count, row, search, stored

ALL = Stretch(None, None, backwards=False, limit=100)
NOTHING = Filter()
KEYS = ["alpha", "beta", "delta", "gamma"]


@pytest.fixture
async def four(process: Process) -> Process:
    """Four environments that differ in everything that may be searched for."""
    await register(process, "alpha", "beta", "gamma")
    sandbox = replace(
        REGISTER, key="delta", name="100% Größe_", kind=EnvironmentKind.SANDBOX, administrator=BOB
    )
    await ask(process, sandbox, actor=PLATFORM, environment="delta")
    await ask(process, SwitchAppointmentAttachments(on=True), environment="alpha")
    await ask(process, SwitchAssignedTasks(on=True), environment="beta")
    await ask(process, SwitchResourceBookings(on=True), environment="beta")
    choose = ChooseMailingAddresses(
        choice=MailingAddresses.ALL_THREE,
        acknowledged=frozenset({WarningCode.ADDRESSES_CAN_LOSE_DATA}),
    )
    await ask(process, choose, environment="gamma")
    await ask(process, ArchiveEnvironment(), environment="gamma")
    grant = GrantRole(principal=BOB, role=SecurityRole.AUDITOR)
    await ask(process, grant, environment="alpha")
    await process.projector.catch_up()
    return process


async def found(
    process: Process, narrowed: Filter = NOTHING, stretch: Stretch = ALL, member: UUID | None = None
) -> list[str]:
    keys = await search(process.database, member=member, narrowed=narrowed, stretch=stretch)
    if stretch == ALL:
        assert await count(process.database, member=member, narrowed=narrowed) == len(keys)
    return keys


async def test_a_row_says_where_the_environment_stands(four: Process) -> None:
    assert await stored(four.database, "alpha") == Row(
        environment="alpha",
        position=BEGUN + 2,
        name="Contoso",
        kind="PRODUCTION",
        state="ACTIVE",
        appointment_attachments=True,
        assigned_tasks=False,
        resource_bookings=False,
        mailing_addresses="MAILING_ONLY",
        members=[ALICE, BOB],
    )
    assert await stored(four.database, "unheard-of") is None


async def test_a_row_is_a_function_of_the_standing(four: Process) -> None:
    for key in KEYS:
        standing = (await four.log.tip(key)).standing
        assert standing is not None
        assert await stored(four.database, key) == row(standing)


async def test_every_filter_narrows_and_leaves_open_what_it_does_not_name(four: Process) -> None:
    for narrowed, expected in [
        (NOTHING, KEYS),
        (Filter(search="LPH"), ["alpha"]),
        (Filter(search="contoso"), ["alpha", "beta", "gamma"]),
        (Filter(search="größe"), ["delta"]),
        (Filter(search="%"), ["delta"]),
        (Filter(search="_"), ["delta"]),
        (Filter(search="nowhere"), []),
        (Filter(kind=EnvironmentKind.SANDBOX), ["delta"]),
        (Filter(state=EnvironmentState.ARCHIVED), ["gamma"]),
        (Filter(state=EnvironmentState.ACTIVE), ["alpha", "beta", "delta"]),
        (Filter(appointment_attachments=True), ["alpha"]),
        (Filter(appointment_attachments=False), ["beta", "delta", "gamma"]),
        (Filter(assigned_tasks=True), ["beta"]),
        (Filter(resource_bookings=True), ["beta"]),
        (Filter(resource_bookings=False), ["alpha", "delta", "gamma"]),
        (Filter(mailing_addresses=MailingAddresses.ALL_THREE), ["gamma"]),
        (Filter(assigned_tasks=True, appointment_attachments=True), []),
        (Filter(assigned_tasks=True, search="et", kind=EnvironmentKind.PRODUCTION), ["beta"]),
    ]:
        assert await found(four, narrowed) == expected


async def test_a_member_finds_only_where_he_holds_a_role(four: Process) -> None:
    assert await found(four, member=ALICE) == ["alpha", "beta", "gamma"]
    assert await found(four, member=BOB) == ["alpha", "delta"]
    assert await found(four, member=UUID(int=0)) == []
    revoke = RevokeRole(principal=BOB, role=SecurityRole.AUDITOR)
    await ask(four, revoke, environment="alpha")
    await four.projector.catch_up()
    assert await found(four, member=BOB) == ["delta"]


async def test_a_stretch_is_walked_from_either_end(four: Process) -> None:
    for stretch, expected in [
        (Stretch(None, None, backwards=False, limit=2), ["alpha", "beta"]),
        (Stretch("beta", None, backwards=False, limit=2), ["delta", "gamma"]),
        (Stretch("gamma", None, backwards=False, limit=2), []),
        (Stretch(None, None, backwards=True, limit=2), ["gamma", "delta"]),
        (Stretch(None, "delta", backwards=True, limit=1), ["beta"]),
        (Stretch("alpha", "gamma", backwards=False, limit=9), ["beta", "delta"]),
        (Stretch("alpha", "gamma", backwards=True, limit=9), ["delta", "beta"]),
        (Stretch(None, None, backwards=False, limit=0), []),
    ]:
        assert await found(four, stretch=stretch) == expected
