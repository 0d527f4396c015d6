import asyncio

from projections.waiting import GROUP, Waiting


async def test_who_came_first_is_woken_first_and_others_have_a_turn_between_two_groups() -> None:
    waiting, told = Waiting(), list[object]()

    async def follow(number: int) -> None:
        await waiting.join().wait()
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
    early = waiting.join()
    waiting.wake()
    late = waiting.join()
    assert early.is_set()
    assert not late.is_set()
    waiting.wake()
    assert late.is_set()
    waiting.wake()
