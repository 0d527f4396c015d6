from uuid import uuid4

import pytest
from conftest import Place, Process

from eventstore import principals
from eventstore.principals import Principal, Principals


@pytest.fixture
def people(process: Process) -> Principals:
    """Without a doorbell: one that was just hung up makes them forget."""
    return Principals(process.database)


async def test_a_principal_is_made_at_first_sight_and_known_from_then_on(
    people: Principals, other_process: Process
) -> None:
    met = await people.meet("ada@contoso.example", "Ada")

    assert (met.provider_id, met.name) == ("ada@contoso.example", "Ada")
    assert await people.meet("ada@contoso.example", "Ada") is met
    assert await people.meet("ada@contoso.example") is met
    assert await other_process.principals.meet("ada@contoso.example") == met
    assert await other_process.principals.of([met.handle]) == [met]


async def test_a_name_given_replaces_the_one_kept(
    people: Principals, other_process: Process
) -> None:
    nameless = await people.meet("ada@contoso.example")
    named = await people.meet("ada@contoso.example", "Ada")

    assert nameless.name is None
    assert named == Principal(nameless.handle, "ada@contoso.example", "Ada")
    assert await people.of([named.handle]) == [named]
    assert (await other_process.principals.meet("ada@contoso.example")).name == "Ada"


async def test_handles_are_answered_in_their_order_and_an_erased_one_is_only_its_handle(
    place: Place, people: Principals, process: Process
) -> None:
    ada = await people.meet("ada@contoso.example", "Ada")
    bo = await people.meet("bo@contoso.example")
    unknown = uuid4()
    await place.as_superuser("DELETE FROM syncledger.principals WHERE provider_id LIKE 'bo@%'")

    restarted = Principals(process.database)
    found = await restarted.of([bo.handle, ada.handle, unknown, ada.handle])

    assert found == [
        Principal(bo.handle, None, None),
        ada,
        Principal(unknown, None, None),
        ada,
    ]
    assert await restarted.of([]) == []


async def test_one_met_by_two_processes_at_once_has_one_handle(
    people: Principals, other_process: Process
) -> None:
    one = await people.meet("ada@contoso.example")
    other = await other_process.principals.meet("ada@contoso.example", "Ada")
    assert one.handle == other.handle


async def test_looking_somebody_up_makes_nobody_known(
    people: Principals, other_process: Process
) -> None:
    assert await people.known("ada@contoso.example") is None
    met = await other_process.principals.meet("ada@contoso.example", "Ada")
    found = await people.known("ada@contoso.example")
    assert found == met
    assert await people.known("ada@contoso.example") is found


async def test_the_one_met_longest_ago_is_forgotten_first_and_looked_up_again(
    place: Place, people: Principals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(principals, "MOST_REMEMBERED", 2)
    ada, bo, cy = [await people.meet(name) for name in ("ada", "bo", "cy")]
    await place.as_superuser("DELETE FROM syncledger.principals")

    assert [await people.known(name) for name in ("ada", "bo", "cy")] == [None, bo, cy]
    assert await people.of([ada.handle, bo.handle, cy.handle]) == [
        Principal(ada.handle, None, None),
        bo,
        cy,
    ]
