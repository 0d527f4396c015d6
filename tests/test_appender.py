import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from sys import getrefcount
from time import monotonic
from uuid import uuid4

import asyncpg
import pytest
from cable import Cable, Fault
from conftest import Cluster, Place, Process, ask, enter_process, register, until
from given import ADMINISTRATOR, BEGUN, BOB, KEY, NOBODY, PLATFORM, REGISTER

from app.embedded_postgres import address
from domain.actor import Actor, SecurityRole
from domain.environment import Command
from domain.lifecycle import EnvironmentExists, EnvironmentNotFound, RenameEnvironment
from domain.membership import GrantRole, RevokeRole
from domain.plan import Ask, BeyondTheEnd, ChangedMeanwhile, Refused, RefusedChange
from domain.plan import plan as real_plan
from domain.standing import ChangeSet, Standing
from domain.switches import SwitchAppointmentAttachments, SwitchAssignedTasks
from eventstore import answered, appender, transact
from eventstore import database as database_module
from eventstore.appender import Appender
from eventstore.clock import Clock
from eventstore.codec import NotOurs
from eventstore.database import Database, Unavailable
from eventstore.log import Log, Tip
from eventstore.seal import Entry
from eventstore.transact import Applied, Outcome, Request, RequestIdReused
from eventstore.verify import Report, Verifier
from projections.standings import Standings

ON, OFF = SwitchAppointmentAttachments(on=True), SwitchAppointmentAttachments(on=False)
FLICKER = (ON, OFF)
"""Two changes, every time: what tells a request that was written twice from one written once."""
APPENDER = (
    "FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'syncledger' AND query LIKE '%append(%'"
)
KILL = f"SELECT pg_terminate_backend(pid) {APPENDER}"


async def applied(outcome: Awaitable[Outcome]) -> Applied:
    told = await outcome
    assert isinstance(told, Applied), told
    return told


async def entries(process: Process, environment: str = KEY) -> list[Entry]:
    return [entry async for page in process.log.pages(environment) for entry in page]


async def findings(process: Process, environment: str = KEY) -> Report:
    report = [step async for step in Verifier(process.database).verify(environment)][-1]
    assert isinstance(report, Report)
    return report


async def assert_sound(process: Process, environment: str = KEY) -> int:
    """The log is whole, sealed and as long as its head says; returns its length."""
    report = await findings(process, environment)
    assert report.findings == []
    head = await process.log.head(environment)
    assert head is not None
    assert head.position == report.entries
    return report.entries


# One log, many writers


class Watch:
    """A reader on a connection of its own that looks all the time, and believes nothing."""

    def __init__(self, dsn: str, environments: list[str]) -> None:
        self.looks = 0
        self._dsn = dsn
        self._seen: dict[str, list[asyncpg.Record]] = {each: [] for each in environments}
        self._enough = asyncio.Event()
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            last = False
            while not last:
                last = self._enough.is_set()
                for environment, seen in self._seen.items():
                    new = await connection.fetch(
                        "SELECT position, change_set, recorded_at FROM syncledger.events "
                        "WHERE environment = $1 AND position > $2",
                        environment,
                        len(seen),
                    )
                    self._check(seen, sorted(new, key=lambda row: row["position"]))
                self.looks += 1
                await asyncio.sleep(0.001)
        finally:
            await connection.close()

    def _check(self, seen: list[asyncpg.Record], new: list[asyncpg.Record]) -> None:
        for row in new:
            assert row["position"] == len(seen) + 1
            assert row["change_set"] in {row["position"], seen[-1]["change_set"] if seen else 1}
            if seen and row["change_set"] == seen[-1]["change_set"]:
                assert row["recorded_at"] == seen[-1]["recorded_at"]
            elif seen:
                assert row["recorded_at"] >= seen[-1]["recorded_at"]
            seen.append(row)
        if new:
            # Every change set here but the first has two entries, and is seen whole or not at all.
            first, last = new[-1]["change_set"], new[-1]["position"]
            assert last % 2 == 0
            assert last == (BEGUN if first == 1 else first + 1)

    async def end(self) -> dict[str, int]:
        """The length of every log. What the watch found wrong is raised here."""
        self._enough.set()
        await self._task
        return {environment: len(seen) for environment, seen in self._seen.items()}


async def write(process: Process, environment: str, times: int) -> None:
    for _ in range(times):
        await applied(ask(process, *FLICKER, environment=environment))


async def test_sixteen_writers_to_one_environment_leave_no_gap_no_doubling_no_reordering(
    place: Place, process: Process
) -> None:
    await register(process)
    watch = Watch(place.dsn, [KEY])

    await asyncio.gather(*(write(process, KEY, 30) for _ in range(16)))

    assert await watch.end() == {KEY: await assert_sound(process)}
    assert await assert_sound(process) == BEGUN + 16 * 30 * 2
    assert watch.looks > 3


async def test_sixteen_writers_to_their_own_environments_do_not_disturb_each_other(
    place: Place, process: Process
) -> None:
    keys = [f"place-{number}" for number in range(16)]
    await register(process, *keys)
    watch = Watch(place.dsn, keys)

    await asyncio.gather(*(write(process, key, 20) for key in keys))

    await watch.end()
    assert {await assert_sound(process, key) for key in keys} == {BEGUN + 20 * 2}


async def test_what_was_answered_is_let_go_of_when_the_next_one_comes(process: Process) -> None:
    await register(process)
    asked = [
        Request(ask=Ask(environment=KEY, commands=(each,), actor=ADMINISTRATOR))
        for each in FLICKER * 3
    ]
    held = [getrefcount(request) for request in asked]
    for request in asked:
        await applied(process.appender.transact(request))
    del request
    await applied(ask(process, ON))
    assert [getrefcount(request) for request in asked] == held


async def test_two_processes_write_one_environment_as_if_they_were_one(
    place: Place, process: Process, other_process: Process
) -> None:
    await register(process, KEY, "shared")
    watch = Watch(place.dsn, [KEY, "shared"])

    await asyncio.gather(
        *(
            write(each, key, 8)
            for each in (process, other_process)
            for key in (KEY, "shared")
            for _ in range(8)
        )
    )

    lengths = await watch.end()
    expected = BEGUN + 2 * 8 * 8 * 2
    assert {key: await assert_sound(other_process, key) for key in lengths} == {
        KEY: expected,
        "shared": expected,
    }


# What is decided is decided on the log's true end


async def test_a_role_revoked_by_another_process_is_gone_at_once(
    process: Process, other_process: Process
) -> None:
    await register(process)
    customizer = SecurityRole.SYSTEM_CUSTOMIZER
    for number in range(5):
        await applied(ask(process, GrantRole(principal=BOB, role=customizer)))
        await applied(ask(other_process, SwitchAssignedTasks(on=number % 2 == 0), actor=NOBODY))
        before = other_process.standings.tip(KEY)
        await applied(ask(process, RevokeRole(principal=BOB, role=customizer)))
        refused = await ask(other_process, ON, actor=NOBODY)
        assert refused == Refused(refusals=(RefusedChange(refusal=EnvironmentNotFound(key=KEY)),))
        assert before is not None


async def test_what_seems_to_hold_already_is_looked_at_again_in_the_log(
    process: Process, other_process: Process
) -> None:
    await register(process)
    await applied(ask(other_process, ON))
    await applied(ask(process, OFF))

    outcome = await applied(ask(other_process, ON))

    assert outcome.change_set is not None
    assert outcome.standing.environment.switches.appointment_attachments


async def test_what_seems_to_be_refused_is_looked_at_again_in_the_log(
    process: Process, other_process: Process
) -> None:
    await register(process)
    refused = await ask(other_process, ON, actor=NOBODY)
    assert isinstance(refused, Refused)
    await ask(process, GrantRole(principal=BOB, role=SecurityRole.SYSTEM_CUSTOMIZER))

    await applied(ask(other_process, ON, actor=NOBODY))


async def test_an_environment_is_registered_once_whoever_registers_it(
    process: Process, other_process: Process
) -> None:
    outcomes = await asyncio.gather(
        *(ask(each, REGISTER, actor=PLATFORM) for each in (process, other_process) * 5)
    )

    exists = Refused(refusals=(RefusedChange(refusal=EnvironmentExists(key=KEY), index=0),))
    assert sum(isinstance(outcome, Applied) for outcome in outcomes) == 1
    assert [each for each in outcomes if not isinstance(each, Applied)] == [exists] * 9
    assert await assert_sound(process) == BEGUN


async def test_a_setting_that_another_process_changed_meanwhile_is_a_conflict(
    process: Process, other_process: Process
) -> None:
    await register(process)
    await other_process.standings.current(KEY)
    await applied(ask(process, ON))

    other_setting = await ask(other_process, SwitchAssignedTasks(on=True), expected_position=BEGUN)
    same_setting = await ask(other_process, OFF, expected_position=BEGUN)
    unheard_of = await ask(other_process, OFF, expected_position=99)

    assert isinstance(other_setting, Applied)
    assert isinstance(same_setting, Refused)
    (refusal,) = [each.refusal for each in same_setting.refusals]
    assert isinstance(refusal, ChangedMeanwhile)
    assert [change.recorded.position for change in refusal.by] == [BEGUN + 1]
    assert unheard_of == BeyondTheEnd(asked=99, position=BEGUN + 2)


# Request ids


async def test_a_request_id_seen_before_gets_the_first_answer_again(process: Process) -> None:
    await register(process)
    request_id = uuid4()

    first = await applied(ask(process, *FLICKER, request_id=request_id, reason="a try"))
    await applied(ask(process, ON))
    again = await applied(ask(process, *FLICKER, request_id=request_id, reason="a try"))

    assert not first.replayed
    assert again == Applied(change_set=first.change_set, standing=first.standing, replayed=True)
    assert await assert_sound(process) == BEGUN + 3


async def test_also_when_nothing_had_changed(process: Process, other_process: Process) -> None:
    await register(process)
    request_id = uuid4()

    first = await applied(ask(process, OFF, request_id=request_id))
    await applied(ask(process, ON))
    again = await applied(ask(process, OFF, request_id=request_id))
    elsewhere = await applied(ask(other_process, OFF, request_id=request_id))

    assert first.change_set is None
    assert again == elsewhere
    assert again == Applied(change_set=None, standing=first.standing, replayed=True)
    assert await assert_sound(process) == BEGUN + 1


async def test_also_twice_in_one_group(process: Process) -> None:
    await register(process)
    request_id, nothing = uuid4(), uuid4()

    outcomes = await asyncio.gather(
        *(applied(ask(process, *FLICKER, request_id=request_id)) for _ in range(3)),
        ask(process, ON, request_id=request_id),
        ask(process, *FLICKER, request_id=request_id, actor=Actor(handle=BOB)),
        *(applied(ask(process, OFF, request_id=nothing)) for _ in range(2)),
    )

    first, second, third, other_content, other_actor, none, none_again = outcomes
    assert isinstance(first, Applied)
    assert second == third
    assert second == Applied(change_set=first.change_set, standing=first.standing, replayed=True)
    assert other_content == other_actor == RequestIdReused(request_id=request_id)
    assert none == Applied(change_set=None, standing=first.standing)
    assert none_again == Applied(change_set=None, standing=first.standing, replayed=True)
    assert await assert_sound(process) == BEGUN + 2


async def test_also_after_a_restart_and_from_another_process(
    place: Place, process: Process, other_process: Process
) -> None:
    await register(process)
    request_id = uuid4()
    first = await applied(ask(process, *FLICKER, request_id=request_id))

    elsewhere = await applied(ask(other_process, *FLICKER, request_id=request_id))
    async with AsyncExitStack() as stack:
        restarted = await enter_process(stack, place.dsn)
        later = await applied(ask(restarted, *FLICKER, request_id=request_id))

    assert elsewhere == later
    assert later == Applied(change_set=first.change_set, standing=first.standing, replayed=True)
    assert await assert_sound(process) == BEGUN + 2


@pytest.mark.parametrize(
    ("commands", "actor", "reason", "expected_position"),
    [
        ((ON,), ADMINISTRATOR, None, None),
        (FLICKER, PLATFORM, None, None),
        (FLICKER, ADMINISTRATOR, "a reason", None),
        (FLICKER, ADMINISTRATOR, None, BEGUN),
    ],
)
async def test_a_request_id_used_for_something_else_is_refused(  # noqa: PLR0917 -- examples
    process: Process,
    other_process: Process,
    commands: tuple[Command, ...],
    actor: Actor,
    reason: str | None,
    expected_position: int | None,
) -> None:
    await register(process)
    request_id = uuid4()
    await applied(ask(process, *FLICKER, request_id=request_id))

    for each in (process, other_process):
        told = await ask(
            each,
            *commands,
            actor=actor,
            reason=reason,
            expected_position=expected_position,
            request_id=request_id,
        )
        assert told == RequestIdReused(request_id=request_id)
        assert isinstance(told, RequestIdReused)
        assert str(request_id) in told.message
    assert await assert_sound(process) == BEGUN + 2


async def test_a_request_id_belongs_to_one_environment(process: Process) -> None:
    await register(process, KEY, "another")
    request_id = uuid4()

    for environment in (KEY, "another"):
        outcome = await applied(ask(process, ON, environment=environment, request_id=request_id))
        assert not outcome.replayed


async def test_a_refusal_is_not_remembered(process: Process) -> None:
    request_id = uuid4()
    refused = await ask(process, ON, request_id=request_id)
    await register(process)

    outcome = await applied(ask(process, OFF, request_id=request_id))

    assert isinstance(refused, Refused)
    assert not outcome.replayed


async def test_one_request_id_in_two_processes_at_once_is_one_append(
    process: Process, other_process: Process
) -> None:
    await register(process)
    await other_process.standings.current(KEY)
    for number in range(1, 11):
        changing, idle = uuid4(), uuid4()
        outcomes = await asyncio.gather(
            *(
                applied(ask(each, *FLICKER, request_id=changing))
                for each in (process, other_process) * 2
            )
        )
        idlers = await asyncio.gather(
            *(applied(ask(each, OFF, request_id=idle)) for each in (process, other_process) * 2)
        )
        assert sorted(each.replayed for each in outcomes) == [False, True, True, True]
        assert len({each.standing.position for each in outcomes}) == 1
        assert sorted(each.replayed for each in idlers) == [False, True, True, True]
        assert await assert_sound(process) == BEGUN + 2 * number


async def test_a_process_remembers_only_so_many_requests_and_finds_the_others_in_the_log(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answered, "MOST_REMEMBERED", 2)
    await register(process)
    ids = [uuid4() for _ in range(5)]
    for each in ids:
        await applied(ask(process, *FLICKER, request_id=each))

    outcomes = [await applied(ask(process, *FLICKER, request_id=each)) for each in ids]

    assert all(outcome.replayed for outcome in outcomes)
    assert [outcome.standing.position for outcome in outcomes] == [
        BEGUN + 2 * number for number in range(1, 6)
    ]


async def test_a_remembered_request_whose_log_is_gone_is_an_error_and_no_answer(
    place: Place, process: Process, other_process: Process
) -> None:
    await register(process)
    request_id = uuid4()
    await applied(ask(process, ON, request_id=request_id))
    await place.as_superuser(
        "ALTER TABLE syncledger.events DISABLE TRIGGER ALL; DELETE FROM syncledger.events"
    )

    with pytest.raises(LookupError, match=f"no change set that ends at {BEGUN + 1}"):
        await ask(other_process, ON, request_id=request_id)


# Faults


async def test_the_appenders_backend_killed_again_and_again_under_load_loses_and_doubles_nothing(
    place: Place, process: Process
) -> None:
    keys = ["one", "two", "three"]
    await register(process, *keys)
    stop = asyncio.Event()
    killed = 0

    async def kill() -> None:
        nonlocal killed
        connection = await asyncpg.connect(place.owner_dsn)
        try:
            while not stop.is_set():
                killed += len(await connection.fetch(KILL))
                await asyncio.sleep(0.03)
        finally:
            await connection.close()

    async def write_with_ids(environment: str) -> int:
        positions: list[int] = []
        while len(positions) < 25 or killed < 5:
            outcome = await applied(
                ask(process, *FLICKER, environment=environment, request_id=uuid4())
            )
            assert outcome.change_set is not None
            positions.append(outcome.change_set.changes[0].recorded.position)
        assert len(set(positions)) == len(positions)
        return len(positions)

    killer = asyncio.create_task(kill())
    try:
        told = await asyncio.gather(*(write_with_ids(key) for key in keys for _ in range(4)))
    finally:
        stop.set()
        await killer

    for index, key in enumerate(keys):
        assert await assert_sound(process, key) == BEGUN + 2 * sum(told[4 * index : 4 * index + 4])


@pytest.mark.parametrize("request_id", [uuid4(), None])
@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_QUESTION])
async def test_when_the_answer_to_a_commit_is_lost_the_caller_gets_the_truth(
    far_process: Process, cable: Cable, fault: Fault, request_id: None
) -> None:
    await register(far_process)
    cable.fault = fault

    outcome = await applied(ask(far_process, *FLICKER, request_id=request_id))

    assert cable.faults == 1
    assert outcome.change_set is not None
    assert [each.recorded.position for each in outcome.change_set.changes] == [
        BEGUN + 1,
        BEGUN + 2,
    ]
    assert not outcome.replayed
    assert await assert_sound(far_process) == BEGUN + 2


async def test_a_lost_registration_is_told_as_what_it_was(
    far_process: Process, cable: Cable
) -> None:
    await register(far_process, "before")
    cable.fault = Fault.LOSE_ANSWER

    outcome = await applied(ask(far_process, REGISTER, actor=PLATFORM))

    assert outcome.standing.position == BEGUN
    assert await assert_sound(far_process) == BEGUN


async def test_a_lost_answer_that_had_changed_nothing_is_asked_again(
    far_process: Process, cable: Cable
) -> None:
    await register(far_process)
    request_id = uuid4()
    cable.fault = Fault.LOSE_ANSWER

    outcomes = await asyncio.gather(
        ask(far_process, OFF, request_id=request_id), ask(far_process, ON, actor=NOBODY)
    )

    assert isinstance(outcomes[0], Applied)
    assert outcomes[0].change_set is None
    assert isinstance(outcomes[1], Refused)
    assert await assert_sound(far_process) == BEGUN


async def test_a_lost_commit_that_another_process_was_faster_than_is_decided_again(
    process: Process, far_process: Process, cable: Cable
) -> None:
    await register(process)
    await applied(ask(far_process, ON))
    await applied(ask(process, OFF))
    stale = far_process.standings.tip(KEY)
    cable.fault = Fault.LOSE_ANSWER

    outcome = await applied(ask(far_process, ON))

    assert stale is not None
    assert outcome.standing.position == BEGUN + 3
    assert await assert_sound(process) == BEGUN + 3


async def test_a_database_that_is_away_is_told_within_patience_and_comes_back_by_itself(
    far_process: Process, process: Process, cable: Cable
) -> None:
    await register(far_process)
    await cable.pull()
    began = monotonic()

    with pytest.raises(Unavailable, match="the same request id"):
        await ask(far_process, ON)

    assert monotonic() - began < 3
    assert await assert_sound(process) == BEGUN
    waiting = asyncio.create_task(ask(far_process, *FLICKER))
    await asyncio.sleep(0.1)
    await cable.mend()
    assert (await applied(waiting)).standing.position == BEGUN + 2
    assert await assert_sound(process) == BEGUN + 2


async def test_while_a_lost_commit_cannot_be_looked_at_the_caller_is_told_so_and_it_stands_once(
    far_process: Process, process: Process, cable: Cable
) -> None:
    await register(far_process)
    request_id = uuid4()
    cable.fault = Fault.LOSE_ANSWER
    asking = asyncio.create_task(ask(far_process, *FLICKER, request_id=request_id))

    async def lost() -> bool:
        return cable.faults == 1

    await until(lost)
    head = None
    while head is None or head.position < BEGUN + 2:
        head = await process.log.head(KEY)
    await cable.pull()
    with pytest.raises(Unavailable, match="may still succeed"):
        await asking
    await cable.mend()

    again = await applied(ask(far_process, *FLICKER, request_id=request_id))

    assert again.replayed
    assert await assert_sound(process) == BEGUN + 2


@asynccontextmanager
async def heads_held(place: Place) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Nobody can append while the block lasts. Gives what waits until an append is waiting."""
    holder = await asyncpg.connect(place.owner_dsn)

    async def waiting() -> bool:
        return bool(await holder.fetch(f"SELECT {APPENDER} AND wait_event_type = 'Lock'"))

    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM syncledger.log_head FOR UPDATE")
            yield lambda: until(waiting)
    finally:
        await holder.close()


async def test_an_append_killed_while_it_waits_for_a_head_is_made_once(
    place: Place, process: Process
) -> None:
    await register(process)
    async with heads_held(place) as append_waits:
        asking = asyncio.create_task(ask(process, *FLICKER))
        await append_waits()
        await place.as_superuser(KILL)

    assert (await applied(asking)).standing.position == BEGUN + 2
    assert await assert_sound(process) == BEGUN + 2


async def test_a_request_that_cannot_be_planned_fails_alone(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(process, KEY, "another")

    def broken(standing: Standing | None, asked: Ask, at: datetime) -> object:
        if asked.environment == KEY and asked.commands == (OFF,):
            raise ZeroDivisionError
        return real_plan(standing, asked, at)

    monkeypatch.setattr(transact, "plan", broken)

    outcomes = await asyncio.gather(
        ask(process, ON),
        ask(process, OFF),
        ask(process, SwitchAssignedTasks(on=True)),
        ask(process, ON, environment="another"),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [Applied, ZeroDivisionError, Applied, Applied]
    assert await assert_sound(process) == BEGUN + 2
    assert await assert_sound(process, "another") == BEGUN + 1


async def test_what_the_database_refuses_fails_alone(place: Place, process: Process) -> None:
    await register(process, KEY, "another")
    await place.as_superuser(
        "ALTER TABLE syncledger.events ADD CHECK (payload NOT LIKE '%refused%')"
    )

    outcomes = await asyncio.gather(
        ask(process, ON),
        ask(process, RenameEnvironment(name="to be refused"), request_id=uuid4(), reason="why"),
        ask(process, SwitchAssignedTasks(on=True)),
        ask(process, ON, environment="another"),
        return_exceptions=True,
    )

    assert [isinstance(outcome, Applied) for outcome in outcomes] == [True, False, True, True]
    assert isinstance(outcomes[1], asyncpg.CheckViolationError)
    assert await assert_sound(process) == BEGUN + 2
    assert await process.database.fetch("SELECT * FROM requests") == []
    assert await process.database.fetch("SELECT * FROM remarks") == []


async def test_a_caller_that_goes_away_leaves_a_known_append_behind(process: Process) -> None:
    await register(process)
    request_id = uuid4()
    asking = [
        asyncio.create_task(ask(process, *FLICKER, request_id=request_id if not number else None))
        for number in range(5)
    ]
    await asyncio.sleep(0)
    asking[3].cancel()
    asking[4].cancel()
    for _ in range(20):
        if await process.log.pulse() != (1, BEGUN):
            break
    asking[0].cancel()

    rest = await asyncio.gather(*asking, return_exceptions=True)
    again = await applied(ask(process, *FLICKER, request_id=request_id))

    length = await assert_sound(process)
    assert isinstance(rest[3], asyncio.CancelledError)
    assert length == BEGUN + 2 * sum(isinstance(each, Applied) for each in rest[1:]) + 2
    assert again.standing.position <= length


async def test_a_cancelled_commit_under_way_is_written_all_the_same(
    place: Place, process: Process
) -> None:
    await register(process)
    async with heads_held(place) as append_waits:
        asking = asyncio.create_task(ask(process, *FLICKER))
        await append_waits()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    await process.standings.reach(KEY, BEGUN + 2, 5)

    assert await assert_sound(process) == BEGUN + 2


async def test_what_is_waiting_when_the_appender_ends_is_still_written(place: Place) -> None:
    async with AsyncExitStack() as stack:
        process = await enter_process(stack, place.dsn)
        await register(process)
        asking = [asyncio.create_task(ask(process, *FLICKER)) for _ in range(20)]
        await asyncio.sleep(0)

    assert [type(await each) for each in asking] == [Applied] * 20


async def test_more_than_a_group_may_hold_is_written_in_several(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appender, "MOST_IN_A_GROUP", 3)
    await register(process)

    await asyncio.gather(*(applied(ask(process, *FLICKER)) for _ in range(20)))

    times = {entry.recorded_at for entry in (await entries(process))[BEGUN:]}
    assert len(times) >= 20 / 6
    assert await assert_sound(process) == BEGUN + 20 * 2


async def test_a_group_is_bounded_by_what_it_must_decide_not_by_how_many_ask(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appender, "MOST_IN_A_GROUP", 100)
    await register(process)

    await asyncio.gather(*(applied(ask(process, *FLICKER * 30)) for _ in range(10)))

    times = [entry.recorded_at for entry in (await entries(process))[BEGUN:]]
    assert len(set(times)) == 5
    assert await assert_sound(process) == BEGUN + 10 * 60


# The time


async def test_a_log_that_ends_in_the_future_is_told_so_and_holds_up_no_other(
    place: Place, other_process: Process
) -> None:
    await register(other_process, KEY, "another")
    ahead = "recorded_at = clock_timestamp() + interval '60 s'"
    await place.as_superuser(
        "ALTER TABLE syncledger.log_head DISABLE TRIGGER ALL",
        "ALTER TABLE syncledger.events DISABLE TRIGGER ALL",
        f"UPDATE syncledger.log_head SET {ahead} WHERE environment = '{KEY}'",  # noqa: S608 -- ours
        f"UPDATE syncledger.events SET {ahead} WHERE environment = '{KEY}'",  # noqa: S608 -- ours
        "ALTER TABLE syncledger.log_head ENABLE ALWAYS TRIGGER log_head_moves_with_append",
        "ALTER TABLE syncledger.events ENABLE ALWAYS TRIGGER events_come_from_append",
    )
    async with AsyncExitStack() as stack:
        process = await enter_process(stack, place.dsn)
        began = monotonic()
        late, *others = await asyncio.gather(
            ask(process, ON),
            *(ask(process, *FLICKER, environment="another") for _ in range(5)),
            return_exceptions=True,
        )
        assert monotonic() - began < 2
        assert isinstance(late, Unavailable)
        assert "it must have been set back" in str(late)
        assert all(isinstance(each, Applied) for each in others)


async def test_a_first_answer_that_must_be_looked_for_holds_up_nobody(
    place: Place, process: Process, other_process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id, released = uuid4(), asyncio.Event()
    await register(process, KEY, "another")
    first = await applied(ask(process, ON, request_id=request_id))
    real = other_process.standings.change_set

    async def change_set(environment: str, end: int) -> ChangeSet:
        await released.wait()
        return await real(environment, end)

    monkeypatch.setattr(other_process.standings, "change_set", change_set)
    again = asyncio.create_task(ask(other_process, ON, request_id=request_id))
    await applied(ask(other_process, ON, environment="another"))
    assert not again.done()
    released.set()
    assert (await applied(again)).change_set == first.change_set


async def test_a_clock_that_was_not_read_tells_no_time() -> None:
    with pytest.raises(Unavailable, match="was not read"):
        Clock().after([])


@pytest.mark.parametrize("wrong", [timedelta(seconds=30), timedelta(seconds=-30)])
async def test_a_process_whose_clock_went_wrong_reads_it_again(
    process: Process, wrong: timedelta
) -> None:
    await register(process)
    clock = process.appender._writer._clock
    assert clock._read is not None
    clock._read += wrong

    outcome = await applied(ask(process, ON))

    (row,) = await process.database.fetch("SELECT clock_timestamp() AS now")
    assert timedelta() <= row["now"] - outcome.standing.as_of < timedelta(seconds=1)
    assert await assert_sound(process) == BEGUN + 1


async def test_entries_of_one_log_are_never_recorded_at_an_earlier_time(process: Process) -> None:
    await register(process)
    clock = process.appender._writer._clock
    for _ in range(3):
        assert clock._read is not None
        clock._read -= timedelta(seconds=1)
        await applied(ask(process, *FLICKER))

    times = [entry.recorded_at for entry in await entries(process)]
    assert times == sorted(times)
    assert len(set(times)) == 4


async def test_a_line_lost_while_the_clock_is_read_is_a_database_that_is_away(
    cluster: Cluster, place: Place
) -> None:
    async with AsyncExitStack() as stack:
        cable = await stack.enter_async_context(Cable.laid(cluster.folder, b"clock_timestamp"))
        dsn = address(cable.folder, user="syncledger_app", database=place.name)
        process = await enter_process(stack, dsn)
        cable.fault = Fault.LOSE_QUESTION

        await register(process)

        assert cable.faults == 1
        assert await assert_sound(process) == BEGUN


class Forgetful(Standings):
    """Standings whose database is away once, at the worst moment: when another was faster."""

    away = False

    async def catch_up(self, environment: str) -> Tip:
        if self.away:
            self.away = False
            raise Unavailable("away for a moment")
        return await super().catch_up(environment)


async def test_a_conflict_that_cannot_be_read_at_once_does_not_double_the_request(
    process: Process, place: Place
) -> None:
    await register(process)
    async with Database(place.dsn) as database:
        standings = Forgetful(Log(database), database)
        await standings.current(KEY)
        await applied(ask(process, ON))
        standings.away = True
        async with Appender(database, standings, lambda: None).running() as slower:
            request = Request(ask=Ask(environment=KEY, commands=FLICKER, actor=ADMINISTRATOR))
            outcome = await applied(slower.transact(request))
            await applied(slower.transact(request))

    assert not standings.away
    assert outcome.standing.position == BEGUN + 2
    assert await assert_sound(process) == BEGUN + 4


async def test_a_registration_lost_on_its_way_to_the_commit_is_told_as_what_it_was(
    place: Place, far_process: Process, cable: Cable
) -> None:
    await register(far_process, "before")
    holder = await asyncpg.connect(place.owner_dsn)

    async def waiting() -> bool:
        return bool(await holder.fetch(f"SELECT {APPENDER} AND wait_event_type = 'Lock'"))

    async with holder.transaction():
        await holder.execute("LOCK TABLE syncledger.remarks IN EXCLUSIVE MODE")
        asking = asyncio.create_task(ask(far_process, REGISTER, actor=PLATFORM, reason="new"))
        await until(waiting)
        await cable.pull()
        await cable.mend()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(asking), 0.3)
    await holder.close()

    outcome = await applied(asking)

    assert outcome.standing.position == BEGUN
    assert await assert_sound(far_process) == BEGUN


async def test_a_line_that_falls_silent_is_given_up(
    place: Place, cable: Cable, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "SILENCE", 0.3)
    await register(process)
    async with AsyncExitStack() as stack:
        dsn = address(cable.folder, user="syncledger_app", database=place.name)
        far = await enter_process(stack, dsn)
        await applied(ask(far, *FLICKER))
        cable.fault = Fault.SILENCE
        asking = asyncio.create_task(ask(far, *FLICKER))
        await process.standings.reach(KEY, BEGUN + 2, 5)
        await asyncio.wait([asking], timeout=0.1)
        cable.fault = Fault.NONE

        assert (await applied(asking)).standing.position == BEGUN + 4
    assert await assert_sound(process) == BEGUN + 4


async def test_a_request_that_is_refused_by_the_database_all_alone_fails_and_the_next_does_not(
    place: Place, process: Process
) -> None:
    await register(process)
    await place.as_superuser(
        "ALTER TABLE syncledger.events ADD CHECK (payload NOT LIKE '%refused%')"
    )

    with pytest.raises(asyncpg.CheckViolationError):
        await ask(process, RenameEnvironment(name="to be refused"))

    assert (await applied(ask(process, ON))).standing.position == BEGUN + 1


async def test_a_log_that_cannot_be_read_any_more_fails_alone(
    place: Place, process: Process
) -> None:
    await register(process, KEY, "newer")
    await place.as_superuser(
        "ALTER TABLE syncledger.events DISABLE TRIGGER ALL",
        "ALTER TABLE syncledger.log_head DISABLE TRIGGER ALL",
        "INSERT INTO syncledger.events SELECT environment, position + 1, position + 1, 'newer.v1', "
        "payload, actor, reason, recorded_at, seal FROM syncledger.events "
        "WHERE environment = 'newer' ORDER BY position DESC LIMIT 1",
        "UPDATE syncledger.log_head SET position = position + 1 WHERE environment = 'newer'",
    )

    unreadable, readable = await asyncio.gather(
        ask(process, ON, environment="newer"), ask(process, *FLICKER), return_exceptions=True
    )

    assert isinstance(unreadable, NotOurs)
    assert isinstance(readable, Applied)
    assert (await applied(ask(process, ON))).standing.position == BEGUN + 3


async def test_a_bad_request_under_load_doubles_none_of_its_neighbours(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(process)

    def broken(standing: Standing | None, asked: Ask, at: datetime) -> object:
        if asked.commands == (OFF,):
            raise ZeroDivisionError
        return real_plan(standing, asked, at)

    monkeypatch.setattr(transact, "plan", broken)

    asking = []
    for number in range(300):
        commands = (OFF,) if number % 5 == 0 else FLICKER
        asking.append(asyncio.create_task(ask(process, *commands)))
        await asyncio.sleep(0.0003)
    outcomes = await asyncio.gather(*asking, return_exceptions=True)

    assert sum(isinstance(outcome, Applied) for outcome in outcomes) == 240
    assert sum(isinstance(outcome, ZeroDivisionError) for outcome in outcomes) == 60
    assert await assert_sound(process) == BEGUN + 240 * 2


async def test_an_appender_that_has_ended_takes_nothing_more(process: Process) -> None:
    await register(process)
    ended = Appender(process.database, process.standings, process.doorbell.ring)
    async with ended.running():
        pass

    with pytest.raises(Unavailable, match="This process is ending"):
        await ended.transact(Request(ask=Ask(environment=KEY, commands=(ON,), actor=ADMINISTRATOR)))
