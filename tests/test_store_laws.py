"""The laws of the log and the projections, for random histories, on a real database.

Hypothesis is synchronous: one database, and one loop that lives as long as the test, serve all the
histories of a law, each in an environment of its own.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import count, groupby
from operator import attrgetter
from random import Random

import pytest
from conftest import Cluster, Process, ask, enter_process
from given import PLATFORM, REGISTER
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import asks

from domain.plan import Ask, Planned, plan
from domain.standing import Standing, advance
from eventstore import log as log_module
from eventstore.log import Log, recorded
from eventstore.migrate import migrate
from eventstore.seal import Entry
from eventstore.transact import Applied, Request
from projections import course, stored_standings
from projections.current_settings import row, stored
from projections.projector import SCHEMA, Projector
from projections.standings import Standings
from projections.verify import verify

LIFE = st.lists(asks(most=3), max_size=8)
DELETE = "DELETE FROM stored_standings WHERE environment = $1 AND position = ANY ($2::bigint[])"
LAW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class World:
    """One process on one database, and the loop that it lives in."""

    process: Process
    runner: asyncio.Runner
    keys: Iterator[int]

    def live(self, life: list[Ask], law: Callable[[str], Awaitable[None]]) -> None:
        """Ask for all of it in a new environment, then look at the law there."""
        key = f"life-{next(self.keys)}"

        async def both() -> None:
            await ask(self.process, replace(REGISTER, key=key), actor=PLATFORM, environment=key)
            for each in life:
                await self.process.appender.transact(Request(ask=replace(each, environment=key)))
            await law(key)

        self.runner.run(both())


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[World]:
    name = "laws"
    with asyncio.Runner() as runner:
        runner.run(cluster.run(f"CREATE DATABASE {name}"))
        runner.run(migrate(cluster.dsn(name), SCHEMA))
        stack = AsyncExitStack()
        process = runner.run(enter_process(stack, cluster.dsn(name, "syncledger_app")))
        yield World(process, runner, count(1))
        runner.run(stack.aclose())
        runner.run(cluster.run(f"DROP DATABASE {name} WITH (FORCE)"))


async def entries(log: Log, key: str, upto: int = log_module.END) -> list[Entry]:
    return [entry async for page in log.pages(key, upto=upto) for entry in page]


def fold(facts: list[Entry]) -> Standing | None:
    standing: Standing | None = None
    for entry in facts:
        standing = advance(standing, recorded(entry))
    return standing


@LAW
@given(LIFE)
def test_a_standing_is_the_fold_of_the_log(world: World, life: list[Ask]) -> None:
    process = world.process

    async def law(key: str) -> None:
        facts = await entries(process.log, key)
        tip = process.standings.tip(key)
        assert tip is not None
        assert tip.standing == fold(facts)
        assert tip == await process.log.tip(key)
        assert [entry.position for entry in facts] == list(range(1, len(facts) + 1))

    world.live(life, law)


@LAW
@given(LIFE)
def test_a_tip_up_to_a_position_is_the_fold_up_to_it(world: World, life: list[Ask]) -> None:
    async def law(key: str) -> None:
        facts = await entries(world.process.log, key)
        for position in range(len(facts) + 2):
            tip = await world.process.log.tip(key, upto=position)
            assert tip.standing == fold(facts[:position])
            assert tip.position == min(position, len(facts))

    world.live(life, law)


@LAW
@given(LIFE, st.integers(1, 9))
def test_pages_never_split_a_change_set(world: World, life: list[Ask], size: int) -> None:
    async def law(key: str) -> None:
        facts = await entries(world.process.log, key)
        sets = [list(one) for _, one in groupby(facts, key=lambda entry: entry.change_set)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(log_module, "PAGE", size)
            pages = [page async for page in world.process.log.pages(key)]
        assert [entry for page in pages for entry in page] == facts
        ends = {one_set[-1].position for one_set in sets}
        assert {page[-1].position for page in pages} <= ends

    world.live(life, law)


@LAW
@given(LIFE)
def test_a_rebuild_is_what_live_has_made_and_the_proof_finds_nothing(
    world: World, life: list[Ask]
) -> None:
    database = world.process.database

    async def law(key: str) -> None:
        await world.process.projector.catch_up()
        live = await stored(database, key)
        await Projector(database, Log(database).since).rebuild()
        rebuilt = await stored(database, key)
        standing = (await world.process.log.tip(key)).standing
        assert standing is not None
        assert live == rebuilt == row(standing)
        assert (await verify(database, key)).findings == []

    world.live(life, law)


@LAW
@given(LIFE, st.integers(1, 9), st.sampled_from([1, 10_000]), st.randoms())
def test_a_past_point_is_the_fold_up_to_it_whichever_standings_are_stored(
    world: World, life: list[Ask], stride: int, share: int, chance: Random
) -> None:
    database, log = world.process.database, world.process.log

    async def law(key: str) -> None:
        await Projector(database, log.since).catch_up([key])
        assert (await verify(database, key)).findings == []
        facts = await entries(log, key)
        folds = [fold(facts[:position]) for position in range(len(facts) + 1)]
        gone = [position for position in range(1, len(facts)) if chance.random() < 0.3]
        await database.fetch(DELETE, key, gone)
        standings = Standings(log, database)
        for position in chance.sample(range(len(facts)), 12):
            at = facts[position].recorded_at
            assert (await standings.past(key, position)).standing == folds[position]
            until = bisect_right(facts, at, key=attrgetter("recorded_at"))
            assert (await standings.past_time(key, at)).standing == folds[until]
            after = [each async for each in standings.since(key, position)]
            assert after == [each async for each in log.since(key, position)]
        assert (await verify(database, key)).findings == []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_standings, "STRIDE", stride)
        patch.setattr(stored_standings, "SHARE", share)
        patch.setattr(stored_standings, "TOGETHER", 2)
        patch.setattr(course, "KEPT_OF_THE_PAST", 1)
        world.live(life, law)


@LAW
@given(LIFE, asks())
def test_what_is_answered_is_what_plan_says_on_the_log_as_it_was(
    world: World, life: list[Ask], last: Ask
) -> None:
    process = world.process

    async def law(key: str) -> None:
        before = (await process.log.tip(key)).standing
        assert before is not None
        asked = replace(last, environment=key)
        outcome = await process.appender.transact(Request(ask=asked))
        if isinstance(outcome, Applied):
            planned = plan(before, asked, outcome.standing.as_of)
            assert isinstance(planned, Planned)
            changes = () if outcome.change_set is None else outcome.change_set.changes
            assert changes == planned.changes
            assert outcome.standing == planned.standing
        else:
            assert outcome == plan(before, asked, before.as_of)
            assert await process.log.tip(key) == process.standings.tip(key)
            assert (await process.log.tip(key)).standing == before

    world.live(life, law)
