from uuid import uuid4

import pytest
from conftest import Place, Process

from eventstore import principals
from eventstore.principals import Principal, Principals


async def test_a_principal_is_made_at_first_sight_and_known_from_then_on(
    process: Process, other_process: Process
) -> None:
    met = await process.principals.meet("ada@contoso.example", "Ada")

    assert (met.provider_id, met.name) == ("ada@contoso.example", "Ada")
    assert await process.principals.meet("ada@contoso.example", "Ada") is met
    assert await process.principals.meet("ada@contoso.example") is met
    assert await other_process.principals.meet("ada@contoso.example") == met
    assert await other_process.principals.of([met.handle]) == [met]


async def test_a_name_given_replaces_the_one_kept(process: Process, other_process: Process) -> None:
    nameless = await process.principals.meet("ada@contoso.example")
    named = await process.principals.meet("ada@contoso.example", "Ada")

    assert nameless.name is None
    assert named == Principal(nameless.handle, "ada@contoso.example", "Ada")
    assert await process.principals.of([named.handle]) == [named]
    assert (await other_process.principals.meet("ada@contoso.example")).name == "Ada"


async def test_handles_are_answered_in_their_order_and_an_erased_one_is_only_its_handle(
    place: Place, process: Process
) -> None:
    ada = await process.principals.meet("ada@contoso.example", "Ada")
    bo = await process.principals.meet("bo@contoso.example")
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
    process: Process, other_process: Process
) -> None:
    one = await process.principals.meet("ada@contoso.example")
    other = await other_process.principals.meet("ada@contoso.example", "Ada")
    assert one.handle == other.handle


async def test_looking_somebody_up_makes_nobody_known(
    process: Process, other_process: Process
) -> None:
    assert await process.principals.known("ada@contoso.example") is None
    met = await other_process.principals.meet("ada@contoso.example", "Ada")
    found = await process.principals.known("ada@contoso.example")
    assert found == met
    assert await process.principals.known("ada@contoso.example") is found


async def test_the_one_met_longest_ago_is_forgotten_first_and_looked_up_again(
    place: Place, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(principals, "MOST_REMEMBERED", 2)
    ada, bo, cy = [await process.principals.meet(name) for name in ("ada", "bo", "cy")]
    await place.as_superuser("DELETE FROM syncledger.principals")

    assert [await process.principals.known(name) for name in ("ada", "bo", "cy")] == [None, bo, cy]
    assert await process.principals.of([ada.handle, bo.handle, cy.handle]) == [
        Principal(ada.handle, None, None),
        bo,
        cy,
    ]
