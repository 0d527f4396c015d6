import pytest
from conftest import Place, Process, ask, register
from given import KEY

from domain.switches import SwitchAppointmentAttachments, SwitchAssignedTasks
from eventstore.log import END
from projections import projector, stored_standings
from projections.stored_standings import before, before_time

BOTH_ON = (SwitchAppointmentAttachments(on=True), SwitchAssignedTasks(on=True))
BOTH_OFF = (SwitchAppointmentAttachments(on=False), SwitchAssignedTasks(on=False))
ENDS = [26, 28, 32, 36]
"""Where the first change set ends that comes to a multiple of four: after 0, 26, 28, 30 …"""


@pytest.fixture(autouse=True)
def _strides_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_standings, "STRIDE", 4)
    monkeypatch.setattr(stored_standings, "SHARE", 10_000)


async def write(process: Process, *, often: bool = False) -> None:
    """A registration and five change sets of two; projected after each, or once at the end."""
    await register(process)
    for number in range(5):
        await ask(process, *(BOTH_OFF if number % 2 else BOTH_ON))
        if often:
            await process.projector.catch_up()
    await process.projector.catch_up()


async def positions(process: Process) -> list[int]:
    rows = await process.database.fetch("SELECT position FROM stored_standings ORDER BY position")
    return [row["position"] for row in rows]


@pytest.mark.parametrize("often", [True, False])
async def test_one_is_stored_where_a_stride_ends_however_the_log_is_cut(
    process: Process, often: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_standings, "TOGETHER", 2)
    await write(process, often=often)
    live = await process.database.fetch("SELECT * FROM stored_standings ORDER BY position")
    await process.projector.rebuild()

    assert await positions(process) == ENDS
    assert await process.database.fetch("SELECT * FROM stored_standings ORDER BY position") == live


async def test_long_texts_are_stored_less_often(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_standings, "SHARE", 1_200)
    await write(process)
    assert await positions(process) == [26, 32]


CHANGE = "UPDATE syncledger.stored_standings SET {}"
BROKEN = {
    "no text": "standing = ''",
    "another place": "standing = replace(standing, 'contoso-prod', 'contoso-test')",
    "another position": "position = position + 1",
    "another time": "recorded_at = recorded_at - interval '1 us'",
}


@pytest.mark.parametrize("name", BROKEN)
async def test_one_that_cannot_be_read_is_passed_over_and_told(
    place: Place, process: Process, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    await write(process)
    await place.as_superuser(CHANGE.format(BROKEN[name]) + " WHERE position = 36")
    end = (await process.log.tip(KEY)).standing
    assert end is not None

    for found in (
        await before(process.database, KEY, END),
        await before_time(process.database, KEY, end.as_of),
    ):
        assert found == (await process.log.tip(KEY, upto=ENDS[2])).standing
    told = [record for record in caplog.records if "is passed over" in record.message]
    assert len(told) == 2
    await place.as_superuser(CHANGE.format(BROKEN["no text"]))
    assert await before(process.database, KEY, END) is None


async def test_one_of_another_form_is_not_looked_at(
    place: Place, process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    await write(process)
    await place.as_superuser(
        "UPDATE syncledger.stored_standings SET form = form + 1, standing = 'newer'"
    )
    assert await before(process.database, KEY, END) is None
    assert "passed over" not in caplog.text


async def test_a_log_that_cannot_be_folded_leaves_none_beyond_what_could_be(
    place: Place, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_standings, "TOGETHER", 1)
    await write(process)
    await place.as_superuser(
        "ALTER TABLE syncledger.events DISABLE TRIGGER ALL",
        "UPDATE syncledger.events SET type = 'newer.v1' WHERE position = 36",
    )
    await projector.Projector(process.database, process.log.since).rebuild()
    assert await positions(process) == []
