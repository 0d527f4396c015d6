from itertools import pairwise
from uuid import uuid4

import pytest
from conftest import Place, Process, ask, register
from given import BEGUN, KEY

from domain.switches import SwitchAppointmentAttachments, SwitchAssignedTasks
from eventstore import log
from eventstore.codec import NotOurs
from eventstore.log import StoredChange, Tip, fold

FLICKER = (SwitchAppointmentAttachments(on=True), SwitchAppointmentAttachments(on=False))


async def write(process: Process, times: int = 3) -> None:
    """The registration, then change sets of two entries, and one entry, in turn."""
    await register(process)
    for number in range(times):
        await ask(process, *FLICKER)
        await ask(process, SwitchAssignedTasks(on=number % 2 == 0))


async def test_pages_never_split_a_change_set_whatever_their_size(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(process)
    for size in range(1, BEGUN + 12):
        monkeypatch.setattr(log, "PAGE", size)
        pages = [page async for page in process.log.pages(KEY)]
        entries = [entry for page in pages for entry in page]

        assert [entry.position for entry in entries] == list(range(1, BEGUN + 10))
        for page, following in pairwise(pages):
            assert page[-1].change_set != following[0].change_set
        assert len(pages[0]) < size + (BEGUN if size <= BEGUN else 2)
        assert all(len(page) < size + 2 for page in pages[1:])


async def test_a_reading_begins_and_ends_where_it_is_asked_to(process: Process) -> None:
    await write(process)
    pages = [page async for page in process.log.pages(KEY, after=BEGUN, upto=BEGUN + 5)]
    assert [entry.position - BEGUN for page in pages for entry in page] == [1, 2, 3, 4, 5]

    after = [change_set async for change_set in process.log.since(KEY, BEGUN + 3)]
    assert [change_set.standing.position - BEGUN for change_set in after] == [5, 6, 8, 9]
    assert after[-1].standing == (await process.log.tip(KEY)).standing


async def test_a_log_that_does_not_exist_has_nothing_in_it(process: Process) -> None:
    assert [page async for page in process.log.pages("unheard-of")] == []
    assert await process.log.tip("unheard-of") == Tip()
    assert await process.log.head("unheard-of") is None
    assert await process.log.heads() == []
    assert await process.log.pulse() == (0, 0)
    assert await process.log.stored([("unheard-of", 1)]) == {}
    assert await process.log.stored([]) == {}


async def test_the_pulse_changes_exactly_when_a_log_has_grown(process: Process) -> None:
    await register(process)
    before = await process.log.pulse()
    await ask(process, SwitchAssignedTasks(on=False), request_id=uuid4())
    assert await process.log.pulse() == before == (1, BEGUN)
    await ask(process, SwitchAssignedTasks(on=True))
    assert await process.log.pulse() == (1, BEGUN + 1)
    await register(process, "another")
    assert await process.log.pulse() == (2, 2 * BEGUN + 1)


async def test_heads_are_where_the_logs_end(process: Process) -> None:
    await register(process, "b", "a")
    heads = await process.log.heads()
    assert [(head.environment, head.position) for head in heads] == [("a", BEGUN), ("b", BEGUN)]
    for head in heads:
        assert await process.log.head(head.environment) == head
        assert (await process.log.tip(head.environment)).seal == head.seal


async def test_what_only_the_log_knows_of_a_change(place: Place, process: Process) -> None:
    await register(process)
    request_id = uuid4()
    await ask(process, *FLICKER, reason="to try it", request_id=request_id)

    last = BEGUN + 2
    stored = await process.log.stored([(KEY, 1), (KEY, last), (KEY, last + 5)])

    seal = (await process.log.tip(KEY)).seal
    assert stored[KEY, last] == StoredChange('{"on":false}', seal, "to try it", request_id)
    assert set(stored) == {(KEY, 1), (KEY, last)}
    await place.as_superuser("DELETE FROM syncledger.remarks")
    assert (await process.log.stored([(KEY, last)]))[KEY, last].reason is None


async def test_an_entry_that_is_not_ours_stops_the_fold(place: Place, process: Process) -> None:
    await register(process)
    await place.as_superuser(
        "ALTER TABLE syncledger.events DISABLE TRIGGER ALL",
        "UPDATE syncledger.events SET type = 'newer.v1' WHERE position = 2",
    )
    with pytest.raises(NotOurs, match=r"newer\.v1"):
        await process.log.tip(KEY)


def test_a_change_set_without_entries_is_none() -> None:
    with pytest.raises(ValueError, match="at least one"):
        fold(None, [])
