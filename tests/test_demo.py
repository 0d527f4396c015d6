from collections import Counter

import pytest
from conftest import Place
from given import BEGUN

from app import demo
from app.demo import ENVIRONMENTS, HISTORY, PEOPLE, open_demo
from app.wiring import open_rooms
from domain.actor import Actor, SecurityRole
from domain.lifecycle import EnvironmentKind, RegisterEnvironment
from domain.plan import Ask
from eventstore.transact import Applied, Request
from projections.projector import PATIENCE
from projections.verify import verify


async def test_it_is_made_once(place: Place) -> None:
    async with open_rooms(place.dsn) as rooms:
        assert await open_demo(rooms)
        made = await rooms.log.heads()
        assert await open_demo(rooms)
        assert await rooms.log.heads() == made
    assert {head.environment for head in made} == {key for key, _, _ in ENVIRONMENTS}


async def test_it_is_not_made_where_there_is_anything(place: Place) -> None:
    async with open_rooms(place.dsn) as rooms:
        ada = (await rooms.principals.meet("ada@fabrikam.example", "Ada")).handle
        register = RegisterEnvironment(
            key="fabrikam", name="Fabrikam", kind=EnvironmentKind.TRIAL, administrator=ada
        )
        actor = Actor(handle=ada, platform_administrator=True)
        ask = Ask(environment="fabrikam", commands=(register,), actor=actor)
        assert isinstance(await rooms.appender.transact(Request(ask=ask)), Applied)
        assert not await open_demo(rooms)
        assert [head.environment for head in await rooms.log.heads()] == ["fabrikam"]


async def test_what_it_makes_is_whole(place: Place) -> None:
    async with open_rooms(place.dsn) as rooms:
        await open_demo(rooms)
        await rooms.projector.catch_up(wait=PATIENCE)
        for key, _, _ in ENVIRONMENTS:
            report = await verify(rooms.database, key)
            assert report.findings == []
            assert report.entries > BEGUN + 4


async def test_there_is_one_person_for_each_role_and_a_platform_administrator(
    place: Place,
) -> None:
    assert Counter(person.role for person in PEOPLE) == dict.fromkeys([None, *SecurityRole], 1)
    async with open_rooms(place.dsn) as rooms:
        await open_demo(rooms)
        for key, _, _ in ENVIRONMENTS:
            standing = (await rooms.standings.current(key)).standing
            assert standing is not None
            for person in PEOPLE:
                met = await rooms.principals.meet(person.subject, person.name)
                held = standing.environment.roles(met.handle)
                assert held == ({person.role} if person.role else frozenset())


async def test_every_step_of_its_history_has_changed_something(place: Place) -> None:
    async with open_rooms(place.dsn) as rooms:
        await open_demo(rooms)
        sets = [
            change_set
            for key, _, _ in ENVIRONMENTS
            async for change_set in rooms.standings.since(key, 0)
        ]
    assert len(sets) == 2 * len(ENVIRONMENTS) + len(HISTORY)


async def test_a_step_that_is_refused_is_an_accident(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "HISTORY", [HISTORY[0]._replace(environment="nowhere")])
    async with open_rooms(place.dsn) as rooms:
        with pytest.raises(TypeError, match=r"was refused: .*EnvironmentNotFound"):
            await open_demo(rooms)
