# ruff: noqa: S608 -- the statements are the tests' own
"""Tampering, by a superuser who has switched the triggers off: it is found, and where."""

import asyncio
from uuid import uuid4

import pytest
from conftest import Place, Process, ask, register
from given import ALICE, BOB, KEY

from domain.actor import SecurityRole
from domain.membership import GrantRole
from domain.switches import SwitchAppointmentAttachments, SwitchAssignedTasks
from eventstore import log, verify
from eventstore.verify import Report, Verifier
from projections.current_settings import Row
from projections.verify import environments
from projections.verify import verify as prove

OPEN = "ALTER TABLE syncledger.events DISABLE TRIGGER ALL"
OPEN_HEAD = "ALTER TABLE syncledger.log_head DISABLE TRIGGER ALL"
ROW = f"UPDATE syncledger.current_settings SET {{}} WHERE environment = '{KEY}'"
LENGTH = 6


async def write(process: Process, key: str = KEY) -> None:
    """Two entries, one, two of one change set with a reason, and one: six, the row at the end."""
    await register(process, key)
    await ask(process, SwitchAppointmentAttachments(on=True), environment=key)
    await ask(
        process,
        SwitchAppointmentAttachments(on=False),
        SwitchAssignedTasks(on=True),
        environment=key,
        reason="a reason",
        request_id=uuid4(),
    )
    await ask(process, SwitchAssignedTasks(on=True), environment=key, request_id=uuid4())
    grant = GrantRole(principal=BOB, role=SecurityRole.AUDITOR)
    await ask(process, grant, environment=key, reason="for the audit")
    await process.projector.catch_up()


async def found(process: Process, key: str = KEY) -> list[tuple[str, int]]:
    report = await prove(process.database, key)
    return [(finding.environment, finding.position) for finding in report.findings]


async def test_an_untouched_log_has_no_finding(process: Process) -> None:
    await write(process)

    report = await prove(process.database, KEY)

    assert report.findings == []
    assert report.entries == LENGTH
    assert report.standing is not None
    tip = process.standings.tip(KEY)
    assert tip is not None
    assert report.standing == tip.standing


async def test_every_environment_is_found_also_one_that_has_lost_its_head_or_its_entries(
    place: Place, process: Process
) -> None:
    await register(process, "a", "b", "c", "d")
    await place.as_superuser(
        OPEN,
        OPEN_HEAD,
        "DELETE FROM syncledger.events WHERE environment = 'a'",
        "DELETE FROM syncledger.log_head WHERE environment IN ('b', 'd')",
    )

    assert await environments(process.database) == ["a", "b", "c", "d"]
    assert await found(process, "a") == [("a", 1)]
    assert await found(process, "b") == [("b", 2)]
    assert await found(process, "c") == []
    assert await found(process, "d") == [("d", 2)]


@pytest.mark.parametrize("left", ["remarks", "requests", "current_settings", "changes", "log_head"])
async def test_an_environment_of_which_anything_is_left_is_found(
    place: Place, process: Process, left: str
) -> None:
    await write(process)
    gone = {"events", "log_head", "remarks", "requests", "current_settings", "changes"} - {left}
    await place.as_superuser(
        OPEN, OPEN_HEAD, *(f"DELETE FROM syncledger.{table}" for table in gone)
    )

    assert await environments(process.database) == [KEY]
    assert await found(process)


async def test_a_head_that_stands_at_nothing_is_found(place: Place, process: Process) -> None:
    await write(process)
    await place.as_superuser(
        OPEN_HEAD,
        "INSERT INTO syncledger.log_head VALUES ('empty', 0, sha256(''), now())",
    )

    assert await environments(process.database) == [KEY, "empty"]
    assert await found(process, "empty") == [("empty", 0)]


async def test_an_untouched_log_has_no_finding_while_writers_are_writing(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "PAGE", 7)
    await write(process)
    stop = asyncio.Event()

    async def keep_writing() -> None:
        while not stop.is_set():
            on = (SwitchAppointmentAttachments(on=True), SwitchAppointmentAttachments(on=False))
            await ask(process, *on, reason="because", request_id=uuid4())
            await process.projector.catch_up()

    writing = [asyncio.create_task(keep_writing()) for _ in range(4)]
    reports = [await prove(process.database, KEY) for _ in range(10)]
    while reports[-1].entries < LENGTH + 20:
        reports.append(await prove(process.database, KEY))
    stop.set()
    await asyncio.gather(*writing)

    assert [finding for report in reports for finding in report.findings] == []


def entry(change: str, position: int) -> str:
    return (
        f"UPDATE syncledger.events SET {change} WHERE environment = $KEY AND position = {position}"
    )


def head(change: str) -> str:
    return f"UPDATE syncledger.log_head SET {change} WHERE environment = $KEY"


def remark(change: str, change_set: int) -> str:
    return (
        f"UPDATE syncledger.remarks SET {change} "
        f"WHERE environment = $KEY AND change_set = {change_set}"
    )


def request(change: str, first: str) -> str:
    return (
        f"UPDATE syncledger.requests SET {change} "
        f"WHERE environment = $KEY AND first_position {first}"
    )


def copy(position: int, to: int) -> str:
    return (
        f"INSERT INTO syncledger.events SELECT environment, {to}, {to}, type, payload, actor, "
        "reason, recorded_at, seal FROM syncledger.events "
        f"WHERE environment = $KEY AND position = {position}"
    )


def remove(what: str) -> str:
    return f"DELETE FROM syncledger.events WHERE environment = $KEY AND {what}"


TAMPERED = {
    "another payload": (entry("payload = '{\"on\":false}'", 3), [3]),
    "an impossible payload": (entry("payload = '{}'", 3), [3, 3]),
    "a payload spelled otherwise": (entry("payload = payload || ' '", 3), [3, 3]),
    "another actor": (entry("actor = gen_random_uuid()", 5), [5]),
    "a later time": (entry("recorded_at = recorded_at + interval '1 us'", 4), [4, 5]),
    "an earlier time": (entry("recorded_at = recorded_at - interval '1 y'", 4), [4, 4]),
    "no time at all": (entry("recorded_at = 'infinity'", 4), [4, 4]),
    "no time at all, before": (entry("recorded_at = '-infinity'", 4), [4, 4]),
    "a time beyond reason": (entry("recorded_at = '20000-01-01'", 4), [1, 4, 6]),
    "another position": (entry("position = 9", 6), [6, 9]),
    "another type": (entry("type = 'assigned_tasks_switched.v1'", 3), [3]),
    "an unknown type": (entry("type = 'none_of_ours.v1'", 3), [3, 3]),
    "no reason": (entry("reason = NULL", 6), [6, 6]),
    "another reason": (entry("reason = sha256('')", 3), [3]),
    "a change set parted": (entry("change_set = 5", 5), [5]),
    "two change sets joined": (entry("change_set = 2", 3), [3, 3]),
    "a change set of another place": (entry("change_set = 1", 5), [5, 5]),
    "another seal": (entry("seal = sha256('')", 3), [3, 4]),
    "the first one removed": (remove("position = 1"), [1, 2, 2, 2]),
    "one removed": (remove("position = 3"), [3, 4]),
    "the tail cut": (remove("position = 6"), [6, 6]),
    "a long tail cut": (remove("position > 2"), [3, 4, 6]),
    "all removed": (remove("true"), [1, 4, 6, 5]),
    "one added": (copy(6, 7), [7, 7]),
    "one inserted": (
        "; ".join(
            [
                entry("position = 7", 6),
                entry("position = 6, change_set = 6", 5),
                copy(3, 5),
                head("position = 7"),
            ]
        ),
        [5, 5, 6, 7],
    ),
    "an earlier head": (head("position = 5"), [6]),
    "a later head": (head("position = 7"), [7]),
    "a head of another seal": (head("seal = sha256('')"), [6]),
    "a head of another time": (head("recorded_at = now()"), [6]),
    "no head": ("DELETE FROM syncledger.log_head WHERE environment = $KEY", [6]),
    "another remark": (remark("text = 'another'", 4), [4]),
    "another salt": (remark("salt = sha256('')", 6), [6]),
    "a remark moved": (remark("change_set = 3", 6), [3]),
    "a remark beyond the end": (remark("change_set = 99", 6), [99]),
    "a request of another actor": (request("actor = gen_random_uuid()", "= 4"), [5]),
    "a request that begins elsewhere": (request("first_position = 5", "= 4"), [5]),
    "a request that ends inside a set": (request("last_position = 4", "= 4"), [4]),
    "a request that changed nothing inside a set": (request("last_position = 4", "IS NULL"), [4]),
    "a request beyond the end": (request("last_position = 9", "IS NULL"), [9]),
}


async def test_tampering_is_found_and_located(place: Place, process: Process) -> None:
    keys = {f"case-{number}": name for number, name in enumerate(TAMPERED)}
    await asyncio.gather(*(write(process, key) for key in keys))
    statements = [TAMPERED[name][0].replace("$KEY", f"'{key}'") for key, name in keys.items()]
    await place.as_superuser(OPEN, OPEN_HEAD, "; ".join(statements))

    # Where it shows first; what follows from it is told as well.
    located = {
        name: (await found(process, key))[: len(TAMPERED[name][1])] for key, name in keys.items()
    }

    assert located == {
        name: [(key, position) for position in TAMPERED[name][1]] for key, name in keys.items()
    }


async def test_a_removed_remark_is_an_erasure_and_no_finding(
    place: Place, process: Process
) -> None:
    await write(process)
    await place.as_superuser("DELETE FROM syncledger.remarks; DELETE FROM syncledger.principals")

    assert await found(process) == []


async def test_a_log_with_much_wrong_is_told_in_few_words(place: Place, process: Process) -> None:
    await write(process)
    for _ in range(10):
        await ask(process, SwitchAppointmentAttachments(on=True))
        await ask(process, SwitchAppointmentAttachments(on=False))
    await place.as_superuser(OPEN, "UPDATE syncledger.events SET seal = sha256(seal)")

    assert len(await found(process)) == verify.MOST_FINDINGS


async def test_tampering_is_located_wherever_the_pages_begin(
    place: Place, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(process)
    await place.as_superuser(OPEN, entry("change_set = 1", 5).replace("$KEY", f"'{KEY}'"))
    for size in range(1, 8):
        monkeypatch.setattr(log, "PAGE", size)
        steps = [step async for step in Verifier(process.database).verify(KEY)]
        report = steps[-1]
        assert isinstance(report, Report)
        assert report.findings[0].position == 5
        assert report.entries == LENGTH


# The row against the log


DIFFERENT = [
    ("name", "'Fabrikam'"),
    ("kind", "'TRIAL'"),
    ("state", "'ARCHIVED'"),
    ("appointment_attachments", "true"),
    ("assigned_tasks", "false"),
    ("resource_bookings", "true"),
    ("mailing_addresses", "'ALL_THREE'"),
    ("members", "'{}'"),
    ("members", f"ARRAY['{BOB}', '{ALICE}']::uuid[]"),
]


async def test_a_row_that_differs_is_found_by_its_column(place: Place, process: Process) -> None:
    assert {column for column, _ in DIFFERENT} == set(Row._fields) - {"environment", "position"}
    await write(process)
    for column, value in DIFFERENT:
        await place.as_superuser(ROW.format(f"{column} = {value}"))

        report = await prove(process.database, KEY)

        (finding,) = report.findings
        assert (finding.environment, finding.position) == (KEY, LENGTH)
        assert f" has {column} " in finding.message
        await process.projector.rebuild()
        assert await found(process) == []


async def test_a_row_at_a_position_where_no_change_set_ends_is_found(
    place: Place, process: Process
) -> None:
    await write(process)
    for position, positions in ((0, [0, 6]), (4, [4, 6]), (7, [7])):
        await place.as_superuser(ROW.format(f"position = {position}"))

        assert await found(process) == [(KEY, position) for position in positions]


async def test_a_row_that_is_behind_is_compared_at_its_own_position(
    place: Place, process: Process
) -> None:
    await write(process)
    await ask(process, SwitchAppointmentAttachments(on=True))
    assert await found(process) == []

    await place.as_superuser(ROW.format("assigned_tasks = false"))
    assert await found(process) == [(KEY, LENGTH)]


async def test_a_missing_row_is_found(place: Place, process: Process) -> None:
    await write(process)
    await place.as_superuser("DELETE FROM syncledger.current_settings")

    assert await found(process) == [(KEY, LENGTH)]


async def test_what_nobody_has_folded_yet_is_no_fault(place: Place, process: Process) -> None:
    await write(process)
    await place.as_superuser(
        "DELETE FROM syncledger.current_settings", "DELETE FROM syncledger.changes"
    )

    assert await found(process) == []


CHANGED = {
    "setting": ("UPDATE syncledger.changes SET setting = 'x' WHERE position = 3", [3]),
    "before": ("UPDATE syncledger.changes SET before = 'x' WHERE position = 3", [3]),
    "after": ("UPDATE syncledger.changes SET after = NULL WHERE position = 4", [4]),
    "summary": ("UPDATE syncledger.changes SET summary = 'x' WHERE position = 6", [6]),
    "removed": ("DELETE FROM syncledger.changes WHERE position = 3", [3]),
    "removed tail": ("DELETE FROM syncledger.changes WHERE position > 4", [5, 6]),
    "moved": ("UPDATE syncledger.changes SET position = 7 WHERE position = 6", [6, 7]),
    "added": (
        f"INSERT INTO syncledger.changes VALUES ('{KEY}', 7, 'setting', NULL, NULL, 'summary')",
        [7],
    ),
}


@pytest.mark.parametrize("name", CHANGED)
async def test_a_row_of_changes_that_differs_is_found_and_made_anew(
    place: Place, process: Process, name: str
) -> None:
    statement, positions = CHANGED[name]
    await write(process)
    await place.as_superuser(statement)

    assert await found(process) == [(KEY, position) for position in positions]
    await process.projector.rebuild()
    assert await found(process) == []


async def test_a_row_of_an_unknown_log_is_found(place: Place, process: Process) -> None:
    await write(process)
    await place.as_superuser(ROW.format("environment = 'unheard-of'"))

    assert await environments(process.database) == [KEY, "unheard-of"]
    assert ("unheard-of", LENGTH) in await found(process, "unheard-of")
    assert await found(process) == [(KEY, LENGTH)]


async def test_an_environment_that_does_not_exist_has_no_row_and_is_told_so(
    process: Process,
) -> None:
    report = await prove(process.database, "unheard-of")

    assert [finding.message for finding in report.findings] == ["there are 0 entries but no head"]
