from itertools import pairwise
from uuid import uuid4

import pytest
from conftest import Place, Process, ask, register
from given import KEY

from domain.switches import SwitchAppointmentAttachments, SwitchAssignedTasks
from eventstore import log
from eventstore.codec import NotOurs
from eventstore.log import StoredChange, Tip, fold

FLICKER = (SwitchAppointmentAttachments(on=True), SwitchAppointmentAttachments(on=False))


async def write(process: Process, times: int = 3) -> None:
    """Change sets of two entries, and one entry, in turn."""
    await register(process)
    for number in range(times):
        await ask(process, *FLICKER)
        await ask(process, SwitchAssignedTasks(on=number % 2 == 0))


async def test_pages_never_split_a_change_set_whatever_their_size(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(process)
    for size in range(1, 14):
        monkeypatch.setattr(log, "PAGE", size)
        pages = [page async for page in process.log.pages(KEY)]
        entries = [entry for page in pages for entry in page]

        assert [entry.position for entry in entries] == list(range(1, 12))
        for page, following in pairwise(pages):
            assert page[-1].change_set != following[0].change_set
        assert all(len(page) <= size + 1 for page in pages)


async def test_a_reading_begins_and_ends_where_it_is_asked_to(process: Process) -> None:
    await write(process)
    pages = [page async for page in process.log.pages(KEY, after=2, upto=7)]
    assert [entry.position for page in pages for entry in page] == [3, 4, 5, 6, 7]

    after = [change_set async for change_set in process.log.since(KEY, 5)]
    assert [change_set.standing.position for change_set in after] == [7, 8, 10, 11]
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
    assert await process.log.pulse() == before == (1, 2)
    await ask(process, SwitchAssignedTasks(on=True))
    assert await process.log.pulse() == (1, 3)
    await register(process, "another")
    assert await process.log.pulse() == (2, 5)


async def test_heads_are_where_the_logs_end(process: Process) -> None:
    await register(process, "b", "a")
    heads = await process.log.heads()
    assert [(head.environment, head.position) for head in heads] == [("a", 2), ("b", 2)]
    for head in heads:
        assert await process.log.head(head.environment) == head
        assert (await process.log.tip(head.environment)).seal == head.seal


async def test_what_only_the_log_knows_of_a_change(place: Place, process: Process) -> None:
    await register(process)
    request_id = uuid4()
    await ask(process, *FLICKER, reason="to try it", request_id=request_id)

    stored = await process.log.stored([(KEY, 1), (KEY, 4), (KEY, 9)])

    seal = (await process.log.tip(KEY)).seal
    assert stored[KEY, 4] == StoredChange('{"on":false}', seal, "to try it", request_id)
    assert set(stored) == {(KEY, 1), (KEY, 4)}
    await place.as_superuser("DELETE FROM syncledger.remarks")
    assert (await process.log.stored([(KEY, 4)]))[KEY, 4].reason is None


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
