import asyncio
from time import monotonic

import pytest
from conftest import Place, Process, ask, register, until
from given import ADMINISTRATOR, KEY, PLATFORM, REGISTER, START

from domain.plan import Ask
from domain.standing import ChangeSet
from domain.switches import SwitchAppointmentAttachments, SwitchAssignedTasks
from eventstore.log import Tip
from eventstore.transact import Draft, Request
from projections import standings as module
from projections.standings import NotReached, Standings

FLICKER = (SwitchAppointmentAttachments(on=True), SwitchAppointmentAttachments(on=False))
LONG = 10.0


async def after(standings: Standings, position: int) -> list[ChangeSet]:
    return [change_set async for change_set in standings.since(KEY, position)]


def positions(change_sets: list[ChangeSet]) -> list[int]:
    return [change.recorded.position for each in change_sets for change in each.changes]


def drafted(*requests: Request) -> Draft:
    draft = Draft(KEY, Tip(), Tip())
    for each in requests:
        draft.add(each, START)
    return draft


REGISTRATION = Request(ask=Ask(environment=KEY, commands=(REGISTER,), actor=PLATFORM))
CHANGE = Request(ask=Ask(environment=KEY, commands=FLICKER, actor=ADMINISTRATOR))


async def test_memory_has_nothing_before_the_first_look_and_the_end_of_the_log_after_it(
    process: Process, other_process: Process
) -> None:
    await register(process)
    assert other_process.standings.tip(KEY) is None
    tip = await other_process.standings.current(KEY)
    assert tip == await process.log.tip(KEY) == process.standings.tip(KEY)
    assert await other_process.standings.current(KEY) is tip


async def test_an_environment_without_a_log_is_not_kept_in_memory(process: Process) -> None:
    assert await process.standings.current("unheard-of") == Tip()
    assert process.standings.tip("unheard-of") is None
    assert process.standings._courses == {}


async def test_what_is_appended_while_somebody_looks_is_not_forgotten(process: Process) -> None:
    standings = Standings(process.log)
    first, second = (asyncio.create_task(standings.catch_up(KEY)) for _ in range(2))
    await first
    draft = drafted(REGISTRATION)
    standings.move(KEY, draft.change_sets)

    await second

    assert standings.tip(KEY) == draft.tip


async def test_moving_takes_what_follows_and_skips_what_is_known(process: Process) -> None:
    standings = Standings(process.log)
    draft = drafted(REGISTRATION, CHANGE, CHANGE)
    standings.move(KEY, draft.change_sets[:2])
    standings.move(KEY, draft.change_sets)
    standings.move(KEY, draft.change_sets[:1])

    assert standings.tip(KEY) == draft.tip
    assert positions(await after(standings, 0)) == [1, 2, 3, 4, 5, 6]


async def test_moving_over_a_gap_is_an_accident(process: Process) -> None:
    standings = Standings(process.log)
    draft = drafted(REGISTRATION, CHANGE, CHANGE)
    standings.move(KEY, draft.change_sets[:1])
    with pytest.raises(ValueError, match="Position 2 is followed by 5"):
        standings.move(KEY, draft.change_sets[2:])


@pytest.mark.parametrize("kept", [1, 2, 2_048])
async def test_past_and_live_are_the_same_whether_memory_or_the_log_has_them(
    process: Process, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(module, "KEPT", kept)
    await register(process)
    for _ in range(3):
        await ask(process, *FLICKER)
    whole = [change_set async for change_set, _ in process.log.change_sets(KEY, Tip())]

    for position in range(10):
        found = await after(process.standings, position)
        assert found == [each for each in whole if each.standing.position > position]
    assert await after(Standings(process.log), 2) == whole[1:]


async def test_a_position_to_come_is_waited_for(process: Process, other_process: Process) -> None:
    await register(process)
    reaching = asyncio.create_task(other_process.standings.reach(KEY, 4, LONG))
    await other_process.standings.current(KEY)
    await ask(process, *FLICKER)

    assert (await reaching).position == 4
    assert (await other_process.standings.reach(KEY, 3, 0)).position == 4


async def test_a_position_that_does_not_come_in_time_is_told(process: Process) -> None:
    await register(process)
    with pytest.raises(
        NotReached, match=r"contoso-prod is at position 2 and did not reach 9 within 0\.05 s"
    ):
        await process.standings.reach(KEY, 9, 0.05)


async def test_waiting_ends_with_a_move_or_with_patience(process: Process) -> None:
    await register(process)
    assert await process.standings.moved(KEY, 1, 0)
    assert not await process.standings.moved(KEY, 2, 0.01)

    waiting = [asyncio.create_task(process.standings.moved(KEY, 2, LONG)) for _ in range(3)]
    await asyncio.sleep(0)
    await ask(process, *FLICKER)

    assert await asyncio.gather(*waiting) == [True] * 3


async def test_the_distance_is_counted_in_positions(process: Process) -> None:
    assert process.standings.distance(KEY, 0) == 0
    await register(process)
    assert process.standings.distance(KEY, 0) == 2


async def test_what_others_append_is_known_within_a_quarter_of_a_second(
    process: Process, other_process: Process
) -> None:
    await register(process, KEY, "not-looked-at")
    await other_process.standings.current(KEY)
    times = []
    for position in range(2, 12):
        await ask(process, SwitchAssignedTasks(on=position % 2 == 0))
        began = monotonic()
        assert await other_process.standings.moved(KEY, position, LONG)
        times.append(monotonic() - began)
    assert sorted(times)[5] < 0.25
    assert other_process.standings.tip("not-looked-at") is None


async def test_a_log_that_cannot_be_read_does_not_keep_the_others_back(
    place: Place, process: Process, other_process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    await register(process, "a-newer-one", KEY)
    await other_process.standings.current("a-newer-one")
    await other_process.standings.current(KEY)
    await place.as_superuser(
        "ALTER TABLE syncledger.events DISABLE TRIGGER ALL",
        "ALTER TABLE syncledger.log_head DISABLE TRIGGER ALL",
        "INSERT INTO syncledger.events SELECT environment, 3, 3, 'newer.v1', payload, actor, "
        "reason, recorded_at, seal FROM syncledger.events "
        "WHERE environment = 'a-newer-one' AND position = 2",
        "UPDATE syncledger.log_head SET position = 3 WHERE environment = 'a-newer-one'",
    )
    for position in (2, 3):
        await ask(process, SwitchAssignedTasks(on=position == 2))
        assert await other_process.standings.moved(KEY, position, LONG)

    async def told() -> bool:
        return "a-newer-one cannot be followed" in caplog.text

    await until(told)
