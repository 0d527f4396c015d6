# ruff: noqa: S608 -- the statements are the tests' own
"""Tampering, by a superuser who has switched the triggers off: it is found, and where."""

import asyncio
from uuid import uuid4

import pytest
from conftest import Place, Process, ask, register
from given import ALICE, BEGUN, BOB, KEY

from domain.actor import SecurityRole
from domain.membership import GrantRole
from domain.switches import SwitchAppointmentAttachments, SwitchAssignedTasks
from eventstore import log, verify
from eventstore.verify import Report, Verifier
from projections import stored_standings
from projections.current_settings import Row
from projections.verify import environments
from projections.verify import verify as prove

OPEN = "ALTER TABLE syncledger.events DISABLE TRIGGER ALL"
OPEN_HEAD = "ALTER TABLE syncledger.log_head DISABLE TRIGGER ALL"
ROW = f"UPDATE syncledger.current_settings SET {{}} WHERE environment = '{KEY}'"
ON, OFF, TASKS, GRANT = range(BEGUN + 1, BEGUN + 5)
"""The positions after the registration; OFF and TASKS are of one change set."""
LENGTH = GRANT


async def write(process: Process, key: str = KEY) -> None:
    """A registration, one entry, two of one set with a reason, and one; the row at the end."""
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
    assert await found(process, "b") == [("b", BEGUN)]
    assert await found(process, "c") == []
    assert await found(process, "d") == [("d", BEGUN)]


KEPT = {"remarks", "requests", "current_settings", "changes", "stored_standings", "log_head"}


@pytest.mark.parametrize("left", sorted(KEPT))
async def test_an_environment_of_which_anything_is_left_is_found(
    place: Place, process: Process, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_standings, "STRIDE", LENGTH)
    monkeypatch.setattr(stored_standings, "SHARE", 10_000)
    await write(process)
    gone = {"events", *KEPT} - {left}
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
    "another payload": (entry("payload = '{\"on\":false}'", ON), [ON]),
    "an impossible payload": (entry("payload = '{}'", ON), [ON, ON]),
    "a payload spelled otherwise": (entry("payload = payload || ' '", ON), [ON, ON]),
    "another actor": (entry("actor = gen_random_uuid()", TASKS), [TASKS]),
    "a later time": (entry("recorded_at = recorded_at + interval '1 us'", OFF), [OFF, TASKS]),
    "an earlier time": (entry("recorded_at = recorded_at - interval '1 y'", OFF), [OFF, OFF]),
    "no time at all": (entry("recorded_at = 'infinity'", OFF), [OFF, OFF]),
    "no time at all, before": (entry("recorded_at = '-infinity'", OFF), [OFF, OFF]),
    "a time beyond reason": (entry("recorded_at = '20000-01-01'", OFF), [1, OFF, GRANT]),
    "another position": (entry(f"position = {LENGTH + 3}", GRANT), [GRANT, LENGTH + 3]),
    "another type": (entry("type = 'assigned_tasks_switched.v1'", ON), [ON]),
    "an unknown type": (entry("type = 'none_of_ours.v1'", ON), [ON, ON]),
    "no reason": (entry("reason = NULL", GRANT), [GRANT, GRANT]),
    "another reason": (entry("reason = sha256('')", ON), [ON]),
    "a change set parted": (entry(f"change_set = {TASKS}", TASKS), [TASKS]),
    "two change sets joined": (entry(f"change_set = {BEGUN}", ON), [ON, ON]),
    "a change set of another place": (entry("change_set = 1", TASKS), [TASKS, TASKS]),
    "another seal": (entry("seal = sha256('')", ON), [ON, OFF]),
    "the first one removed": (remove("position = 1"), [1, 2, 2, 2]),
    "one removed": (remove(f"position = {ON}"), [ON, OFF]),
    "the tail cut": (remove(f"position = {GRANT}"), [GRANT, GRANT]),
    "a long tail cut": (remove(f"position > {BEGUN}"), [ON, OFF, GRANT]),
    "all removed": (remove("true"), [1, OFF, GRANT, TASKS]),
    "one added": (copy(GRANT, LENGTH + 1), [LENGTH + 1, LENGTH + 1]),
    "one inserted": (
        "; ".join(
            [
                entry(f"position = {LENGTH + 1}", GRANT),
                entry(f"position = {LENGTH}, change_set = {LENGTH}", TASKS),
                copy(ON, TASKS),
                head(f"position = {LENGTH + 1}"),
            ]
        ),
        [TASKS, TASKS, LENGTH, LENGTH + 1],
    ),
    "an earlier head": (head(f"position = {LENGTH - 1}"), [LENGTH]),
    "a later head": (head(f"position = {LENGTH + 1}"), [LENGTH + 1]),
    "a head of another seal": (head("seal = sha256('')"), [LENGTH]),
    "a head of another time": (head("recorded_at = now()"), [LENGTH]),
    "no head": ("DELETE FROM syncledger.log_head WHERE environment = $KEY", [LENGTH]),
    "another remark": (remark("text = 'another'", OFF), [OFF]),
    "another salt": (remark("salt = sha256('')", GRANT), [GRANT]),
    "a remark moved": (remark(f"change_set = {ON}", GRANT), [ON]),
    "a remark beyond the end": (remark("change_set = 99", GRANT), [99]),
    "a request of another actor": (request("actor = gen_random_uuid()", f"= {OFF}"), [TASKS]),
    "a request that begins elsewhere": (
        request(f"first_position = {TASKS}", f"= {OFF}"),
        [TASKS],
    ),
    "a request that ends inside a set": (request(f"last_position = {OFF}", f"= {OFF}"), [OFF]),
    "a request that changed nothing inside a set": (
        request(f"last_position = {OFF}", "IS NULL"),
        [OFF],
    ),
    "a request beyond the end": (request(f"last_position = {LENGTH + 3}", "IS NULL"), [LENGTH + 3]),
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
    await place.as_superuser(OPEN, entry("change_set = 1", TASKS).replace("$KEY", f"'{KEY}'"))
    for size in range(1, LENGTH + 2):
        monkeypatch.setattr(log, "PAGE", size)
        steps = [step async for step in Verifier(process.database).verify(KEY)]
        report = steps[-1]
        assert isinstance(report, Report)
        assert report.findings[0].position == TASKS
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
    for position, positions in (
        (0, [0, LENGTH]),
        (OFF, [OFF, LENGTH]),
        (LENGTH + 1, [LENGTH + 1]),
    ):
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


DEED = "id = (SELECT deed FROM syncledger.changes WHERE position = {})"
CHANGED = {
    "deed": (f"UPDATE syncledger.changes SET deed = 1 WHERE position = {ON}", [ON]),
    "setting": (f"UPDATE syncledger.deeds SET setting = 'x' WHERE {DEED.format(ON)}", [ON]),
    "type": (f"UPDATE syncledger.deeds SET type = 'x' WHERE {DEED.format(OFF)}", [OFF]),
    "summary": (f"UPDATE syncledger.deeds SET summary = 'x' WHERE {DEED.format(GRANT)}", [GRANT]),
    "deed gone": (f"DELETE FROM syncledger.deeds WHERE {DEED.format(GRANT)}", [GRANT]),
    "actor": (f"UPDATE syncledger.changes SET actor = '{BOB}' WHERE position = {ON}", [ON]),
    "change set": (f"UPDATE syncledger.changes SET change_set = 1 WHERE position = {ON}", [ON]),
    "time": (f"UPDATE syncledger.changes SET recorded_at = now() WHERE position = {ON}", [ON]),
    "before": (f"UPDATE syncledger.changes SET before = 'x' WHERE position = {ON}", [ON]),
    "after": (f"UPDATE syncledger.changes SET after = NULL WHERE position = {OFF}", [OFF]),
    "removed": (f"DELETE FROM syncledger.changes WHERE position = {ON}", [ON]),
    "removed tail": (f"DELETE FROM syncledger.changes WHERE position > {OFF}", [TASKS, GRANT]),
    "moved": (
        f"UPDATE syncledger.changes SET position = {LENGTH + 1} WHERE position = {GRANT}",
        [GRANT, LENGTH + 1],
    ),
    "added": (
        f"INSERT INTO syncledger.changes VALUES ('{KEY}', {LENGTH + 1}, 1, 1, '{BOB}', now())",
        [LENGTH + 1],
    ),
}


@pytest.mark.parametrize("name", CHANGED)
async def test_a_row_of_changes_that_differs_is_found_and_made_anew(
    place: Place, process: Process, name: str
) -> None:
    statement, positions = CHANGED[name]
    await write(process)
    await place.as_superuser(statement)

    there = dict.fromkeys(await found(process))
    assert [*there] == [(KEY, position) for position in positions]
    await process.projector.rebuild()
    assert await found(process) == []


AT = f"UPDATE syncledger.stored_standings SET {{}} WHERE environment = '{KEY}'"
STORED = {
    "another text": (AT.format("standing = replace(standing, 'Contoso', 'Fabrikam')"), ON),
    "no text": (AT.format("standing = ''"), ON),
    "another time": (AT.format("recorded_at = recorded_at - interval '1 us'"), ON),
    "of another position": (AT.format(f"position = {TASKS}"), TASKS),
    "inside a change set": (AT.format(f"position = {OFF}"), OFF),
    "beyond the end": (AT.format(f"position = {LENGTH + 1}"), LENGTH + 1),
    "of another environment": (
        (
            f"DELETE FROM syncledger.stored_standings WHERE environment = '{KEY}';"
            f"UPDATE syncledger.stored_standings SET environment = '{KEY}'"
        ),
        ON,
    ),
}


@pytest.mark.parametrize("name", STORED)
async def test_a_stored_standing_that_differs_is_found_and_made_anew(
    place: Place, process: Process, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_standings, "STRIDE", ON)
    monkeypatch.setattr(stored_standings, "SHARE", 10_000)
    statement, position = STORED[name]
    await write(process)
    await write(process, "other")
    assert await found(process) == []
    await place.as_superuser(statement)

    assert await found(process) == [(KEY, position)]
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
