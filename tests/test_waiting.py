import asyncio

import pytest

from projections.waiting import GROUP, Waiting


async def test_who_came_first_is_woken_first_and_others_have_a_turn_between_two_groups() -> None:
    waiting, told = Waiting(), list[object]()

    async def follow(number: int) -> None:
        await waiting.wait()
        told.append(number)

    async def other() -> None:
        while len(told) < 3 * GROUP:
            told.append("other")
            await asyncio.sleep(0)

    followers = [asyncio.create_task(follow(number)) for number in range(3 * GROUP)]
    await asyncio.sleep(0)
    waiting.wake()
    await asyncio.gather(other(), *followers)
    numbers = [each for each in told if each != "other"]
    assert numbers == sorted(range(3 * GROUP))
    first, last = told.index(0), told.index(3 * GROUP - 1)
    assert told[first:last].count("other") >= 2


async def test_who_comes_after_the_bell_waits_for_the_next_one() -> None:
    waiting = Waiting()
    early = asyncio.create_task(waiting.wait())
    await asyncio.sleep(0)
    waiting.wake()
    late = asyncio.create_task(waiting.wait())
    await asyncio.sleep(0)
    await early
    await asyncio.sleep(0)
    assert not late.done()
    waiting.wake()
    await late
    waiting.wake()


async def test_who_gives_up_leaves_nothing_behind() -> None:
    waiting = Waiting()
    for _ in range(3 * GROUP):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting.wait(), 0)
    tasks = [asyncio.create_task(waiting.wait()) for _ in range(GROUP + 1)]
    await asyncio.sleep(0)
    assert len(waiting._groups) == 2
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not waiting._groups
