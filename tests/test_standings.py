import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest
from conftest import Place, Process, ask, register, until
from given import ADMINISTRATOR, BEGUN, KEY, PLATFORM, REGISTER, START

from domain.plan import Ask
from domain.standing import ChangeSet
from domain.switches import SwitchAppointmentAttachments, SwitchAssignedTasks
from eventstore.clock import TICK
from eventstore.database import Unavailable
from eventstore.log import END, Tip
from eventstore.transact import Draft, Request
from projections import course, stored_standings
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
    tip = await other_process.standings.catch_up(KEY)
    assert tip == await process.log.tip(KEY) == process.standings.tip(KEY)
    assert await other_process.standings.current(KEY) is tip


async def test_nobody_is_told_of_a_log_that_is_read_halfway(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(process)
    await ask(process, *FLICKER)
    read, halfway, go_on = process.log.change_sets, asyncio.Event(), asyncio.Event()

    async def slowly(*arguments: object) -> AsyncIterator[tuple[ChangeSet, bytes]]:
        async for change_set in read(*arguments):  # type: ignore[arg-type]
            yield change_set
            halfway.set()
            await go_on.wait()

    monkeypatch.setattr(process.log, "change_sets", slowly)
    standings = Standings(process.log, process.database)
    first = asyncio.create_task(standings.catch_up(KEY))
    await halfway.wait()
    second = asyncio.create_task(standings.current(KEY))
    await asyncio.sleep(0)
    assert standings.tip(KEY) is None
    assert not second.done()
    go_on.set()
    assert await second == await first == process.standings.tip(KEY)


async def test_what_was_read_before_an_outage_is_read_on_after_it(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(process)
    await ask(process, *FLICKER)
    read = process.log.change_sets

    async def broken(*arguments: object) -> AsyncIterator[tuple[ChangeSet, bytes]]:
        async for change_set in read(*arguments):  # type: ignore[arg-type]
            yield change_set
            raise Unavailable("Nobody is there.")

    standings = Standings(process.log, process.database)
    with monkeypatch.context() as outage:
        outage.setattr(process.log, "change_sets", broken)
        with pytest.raises(Unavailable):
            await standings.current(KEY)
        assert standings.tip(KEY) is None
    assert await standings.current(KEY) == process.standings.tip(KEY) == standings.tip(KEY)


async def test_an_environment_without_a_log_is_not_kept_in_memory(process: Process) -> None:
    assert await process.standings.current("unheard-of") == Tip()
    assert process.standings.tip("unheard-of") is None
    assert process.standings._courses == {}


async def test_what_is_appended_while_somebody_looks_is_not_forgotten(process: Process) -> None:
    standings = Standings(process.log, process.database)
    first, second = (asyncio.create_task(standings.catch_up(KEY)) for _ in range(2))
    await first
    draft = drafted(REGISTRATION)
    standings.move(KEY, draft.change_sets)

    await second

    assert standings.tip(KEY) == draft.tip


async def test_moving_takes_what_follows_and_skips_what_is_known(process: Process) -> None:
    standings = Standings(process.log, process.database)
    draft = drafted(REGISTRATION, CHANGE, CHANGE)
    standings.move(KEY, draft.change_sets[:2])
    standings.move(KEY, draft.change_sets)
    standings.move(KEY, draft.change_sets[:1])

    assert standings.tip(KEY) == draft.tip
    assert positions(await after(standings, 0)) == list(range(1, BEGUN + 5))


async def test_what_does_not_follow_is_forgotten_and_read_from_the_log(
    process: Process, other_process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    await register(process)
    await ask(process, *FLICKER)
    standings = Standings(process.log, process.database)
    draft = drafted(REGISTRATION, CHANGE, CHANGE)
    standings.move(KEY, draft.change_sets[:1])
    waiting = asyncio.create_task(standings.moved(KEY, BEGUN, LONG))
    await asyncio.sleep(0)

    standings.move(KEY, draft.change_sets[2:])

    assert await waiting
    assert standings.tip(KEY) is None
    assert "the memory of contoso-prod had a gap" in caplog.text
    assert await standings.current(KEY) == await process.log.tip(KEY)


async def test_who_waited_for_a_log_that_was_missing_finds_it_once_it_is_there(
    process: Process, other_process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One reader is still told that there is no log, while another process registers it."""
    real, read, release = process.log.change_sets, asyncio.Event(), asyncio.Event()
    slow = iter([True])

    async def change_sets(
        environment: str, tip: Tip, upto: int = END
    ) -> AsyncIterator[tuple[ChangeSet, bytes]]:
        found = [each async for each in real(environment, tip, upto)]
        if next(slow, False):
            read.set()
            await release.wait()
        for each in found:
            yield each

    monkeypatch.setattr(process.log, "change_sets", change_sets)
    reader = asyncio.create_task(process.standings.catch_up(KEY))
    await read.wait()
    await register(other_process)
    asking = [asyncio.create_task(ask(process, *FLICKER)) for _ in range(3)]
    await asyncio.sleep(0.05)
    release.set()

    assert (await reader).position == 0
    assert [type(each).__name__ for each in await asyncio.gather(*asking)] == ["Applied"] * 3
    assert (await process.log.tip(KEY)).position == BEGUN + 3 * 2
    assert await process.standings.current(KEY) == await process.log.tip(KEY)


async def test_a_missing_environment_is_known_to_be_missing_without_a_look(
    place: Place, process: Process, other_process: Process
) -> None:
    await register(process)
    await until(lambda: _knows(other_process))
    await place.as_superuser("REVOKE SELECT ON syncledger.events FROM syncledger_app")

    assert await other_process.standings.current("unheard-of") == Tip()


async def _knows(process: Process) -> bool:
    return KEY in (process.standings._known or ())


async def test_whatever_the_database_says_the_others_are_followed_again(
    place: Place, process: Process, other_process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    await register(process)
    await other_process.standings.catch_up(KEY)
    await place.as_superuser("REVOKE SELECT ON syncledger.log_head FROM syncledger_app")

    async def told() -> bool:
        return "other processes cannot be followed" in caplog.text

    await until(told)
    await place.as_superuser("GRANT SELECT ON syncledger.log_head TO syncledger_app")
    await ask(process, SwitchAssignedTasks(on=True))
    assert await other_process.standings.moved(KEY, BEGUN, LONG)


async def test_the_past_is_the_fold_stopped_early_wherever_it_is_folded_from(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "KEPT", 2)
    monkeypatch.setattr(stored_standings, "STRIDE", 3)
    monkeypatch.setattr(stored_standings, "SHARE", 10_000)
    await register(process)
    for number in range(12):
        await ask(process, *FLICKER[: 1 + number % 2], SwitchAssignedTasks(on=number % 3 == 0))
    end = (await process.log.tip(KEY)).position
    await process.projector.catch_up()
    assert await stored_standings.last(process.database, KEY) > end - 3

    for standings in (process.standings, Standings(process.log, process.database)):
        for position in range(end + 1):
            expected = await process.log.tip(KEY, upto=position)
            assert (await standings.past(KEY, position)).standing == expected.standing
        whole = [each async for each, _ in process.log.change_sets(KEY, Tip())]
        for change_set in whole:
            at, position = change_set.standing.as_of, change_set.standing.position
            assert await standings.change_set(KEY, position) == change_set
            for moment, index in ((at, 0), (at - TICK, -1)):
                before = whole.index(change_set) + index
                expected_there = whole[before].standing if before >= 0 else None
                assert (await standings.past_time(KEY, moment)).standing == expected_there
    with pytest.raises(LookupError):
        await process.standings.change_set(KEY, end + 1)
    assert await process.standings.past("unheard-of", 3) == Tip()
    assert await process.standings.past_time("unheard-of", START) == Tip()


@pytest.mark.parametrize("kept", [1, 2, 2_048])
async def test_past_and_live_are_the_same_whether_memory_or_the_log_has_them(
    process: Process, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(course, "KEPT", kept)
    await register(process)
    for _ in range(3):
        await ask(process, *FLICKER)
    whole = [change_set async for change_set, _ in process.log.change_sets(KEY, Tip())]

    for position in range(BEGUN + 8):
        found = await after(process.standings, position)
        assert found == [each for each in whole if each.standing.position > position]
    assert await after(Standings(process.log, process.database), BEGUN) == whole[1:]


async def test_a_position_to_come_is_waited_for(process: Process, other_process: Process) -> None:
    await register(process)
    await other_process.standings.catch_up(KEY)
    reaching = asyncio.create_task(other_process.standings.reach(KEY, BEGUN + 2, LONG))
    await ask(process, *FLICKER)

    assert (await reaching).position == BEGUN + 2
    assert (await other_process.standings.reach(KEY, BEGUN + 1, 0)).position == BEGUN + 2


async def test_a_position_that_does_not_come_in_time_is_told(process: Process) -> None:
    await register(process)
    told = rf"contoso-prod is at position {BEGUN} and did not reach {BEGUN + 7} within 0\.05 s"
    with pytest.raises(NotReached, match=told):
        await process.standings.reach(KEY, BEGUN + 7, 0.05)


async def test_waiting_ends_with_a_move_or_with_patience(process: Process) -> None:
    await register(process)
    assert await process.standings.moved(KEY, BEGUN - 1, 0)
    assert not await process.standings.moved(KEY, BEGUN, 0.01)

    waiting = [asyncio.create_task(process.standings.moved(KEY, BEGUN, LONG)) for _ in range(3)]
    await asyncio.sleep(0)
    await ask(process, *FLICKER)

    assert await asyncio.gather(*waiting) == [True] * 3


async def test_the_distance_is_counted_in_positions(process: Process) -> None:
    assert process.standings.distance(KEY, 0) == 0
    await register(process)
    assert process.standings.distance(KEY, 0) == BEGUN


async def test_what_others_append_is_known_within_a_quarter_of_a_second(
    process: Process, other_process: Process
) -> None:
    await register(process, KEY, "not-looked-at")
    await other_process.standings.catch_up(KEY)
    times = []
    for position in range(BEGUN, BEGUN + 10):
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
    await other_process.standings.catch_up("a-newer-one")
    await other_process.standings.catch_up(KEY)
    await place.as_superuser(
        "ALTER TABLE syncledger.events DISABLE TRIGGER ALL",
        "ALTER TABLE syncledger.log_head DISABLE TRIGGER ALL",
        "INSERT INTO syncledger.events SELECT environment, position + 1, position + 1, 'newer.v1', "
        "payload, actor, reason, recorded_at, seal FROM syncledger.events "
        "WHERE environment = 'a-newer-one' ORDER BY position DESC LIMIT 1",
        "UPDATE syncledger.log_head SET position = position + 1 WHERE environment = 'a-newer-one'",
    )
    for position in (BEGUN, BEGUN + 1):
        await ask(process, SwitchAssignedTasks(on=position == BEGUN))
        assert await other_process.standings.moved(KEY, position, LONG)

    async def told() -> bool:
        return "a-newer-one cannot be followed" in caplog.text

    await until(told)


async def test_memory_keeps_fewer_change_sets_of_many_settings_and_of_what_it_only_read(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "FEWEST", 2)
    monkeypatch.setattr(course, "WEIGHT", 4 * (BEGUN + 1))
    monkeypatch.setattr(course, "KEPT_OF_THE_PAST", 1)
    await register(process)
    for _ in range(5):
        await ask(process, *FLICKER)
    whole = [change_set async for change_set, _ in process.log.change_sets(KEY, Tip())]
    read = Standings(process.log, process.database)
    await read.catch_up(KEY)

    def kept(standings: Standings) -> list[ChangeSet]:
        return list(standings._courses[KEY]._recent)

    assert len(whole[-1].standing.last_changes) == BEGUN + 1
    assert kept(process.standings) == whole[-4:]
    assert kept(read) == whole[-1:]
    assert await after(read, BEGUN) == whole[1:]
    monkeypatch.setattr(course, "WEIGHT", 1)
    await ask(process, *FLICKER)
    assert len(kept(process.standings)) == 2


async def test_memory_keeps_fewer_change_sets_of_long_criteria_but_always_the_last(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(process)
    for _ in range(5):
        await ask(process, *FLICKER)
    whole = [change_set async for change_set, _ in process.log.change_sets(KEY, Tip())]

    def kept() -> list[ChangeSet]:
        return list(process.standings._courses[KEY]._recent)

    assert kept() == whole
    size = sum(len(each.before or "") + len(each.after or "") for each in whole[-1].changes)
    monkeypatch.setattr(course, "MOST_CHARACTERS", 3 * size)
    await ask(process, *FLICKER)
    assert len(kept()) == 3
    monkeypatch.setattr(course, "MOST_CHARACTERS", 0)
    await ask(process, *FLICKER)
    assert len(kept()) == 1
    assert len(await after(process.standings, BEGUN)) == 7
