# ruff: noqa: S608 -- the statements are the tests' own
"""What the database itself forbids, to the application and to a superuser."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from conftest import Place, Process, ask, register
from given import ALICE, BEGUN, KEY, REGISTERED, fold

from domain.switches import SwitchAppointmentAttachments
from eventstore.append import arguments
from eventstore.database import Database
from eventstore.log import SQL, Tip
from eventstore.migrate import migrate
from eventstore.seal import GENESIS, Entry
from eventstore.transact import Applied, Draft, Remark, Seen
from projections.projector import SCHEMA

OTHER = "another"
LAST = BEGUN + 1
"""Where the log of KEY stands; that of OTHER stands at BEGUN."""
NEXT = LAST + 1
INSERT_EVENT = (
    "INSERT INTO syncledger.events SELECT environment, position + 1, change_set, type, payload, "
    f"actor, reason, recorded_at, seal FROM syncledger.events WHERE position = {LAST}"
)
TAMPERING = [
    "UPDATE syncledger.events SET payload = '{}'",
    "UPDATE syncledger.events SET actor = gen_random_uuid()",
    "UPDATE syncledger.events SET recorded_at = now()",
    "UPDATE syncledger.events SET position = position + 100",
    INSERT_EVENT,
    "DELETE FROM syncledger.events WHERE position = 2",
    f"DELETE FROM syncledger.events WHERE position = {LAST}",
    "DELETE FROM syncledger.events WHERE false",
    "TRUNCATE syncledger.events",
    "TRUNCATE syncledger.log_head",
    "DELETE FROM syncledger.log_head",
    f"UPDATE syncledger.log_head SET position = {BEGUN}",
    "UPDATE syncledger.log_head SET seal = decode(repeat('00', 32), 'hex')",
    "UPDATE syncledger.log_head SET recorded_at = now()",
    "INSERT INTO syncledger.log_head VALUES ('more', 1, decode(repeat('00', 32), 'hex'), now())",
]


@pytest.fixture
async def written(place: Place, process: Process) -> AsyncIterator[list[asyncpg.Record]]:
    """Entries with a reason and a request id. They must all be there in the end."""
    await register(process, KEY, OTHER)
    await ask(process, SwitchAppointmentAttachments(on=True), reason="why", request_id=ALICE)
    before = await everything(process.database)
    yield before
    assert await everything(process.database) == before


async def everything(database: Database) -> list[asyncpg.Record]:
    return [
        row
        for table in ("events", "log_head", "remarks", "requests", "principals")
        for row in await database.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")
    ]


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "syncledger"})
    try:
        yield connection
    finally:
        await connection.close()


FORBIDDEN = [
    *TAMPERING,
    "DELETE FROM syncledger.remarks",
    "UPDATE syncledger.remarks SET text = 'another'",
    "INSERT INTO syncledger.remarks SELECT environment, 1, text, salt FROM syncledger.remarks",
    "TRUNCATE syncledger.remarks",
    "DELETE FROM syncledger.requests",
    "UPDATE syncledger.requests SET first_position = 1",
    "INSERT INTO syncledger.requests SELECT * FROM syncledger.requests",
    "TRUNCATE syncledger.requests",
    "INSERT INTO syncledger.principals (provider_id) VALUES ('mallory')",
    "UPDATE syncledger.principals SET name = 'Mallory'",
    "DELETE FROM syncledger.principals",
    "UPDATE syncledger.migrations SET name = 'none'",
    "SELECT FROM syncledger.log_head FOR UPDATE",
    "LOCK TABLE syncledger.events IN EXCLUSIVE MODE",
    "ALTER TABLE syncledger.events DISABLE TRIGGER ALL",
    "ALTER TABLE syncledger.events ADD COLUMN more int",
    "DROP TABLE syncledger.events",
    "DROP TRIGGER events_stay ON syncledger.events",
    "DROP FUNCTION syncledger.refuse_change CASCADE",
    "DROP SCHEMA syncledger CASCADE",
    "CREATE TABLE syncledger.more ()",
    "CREATE TABLE public.more ()",
    "CREATE SCHEMA more",
    "CREATE TEMP TABLE events ()",
    "CREATE FUNCTION syncledger.append() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION syncledger.refuse_change RENAME TO other",
    "CREATE TRIGGER mine BEFORE INSERT ON syncledger.events EXECUTE FUNCTION now()",
    "CREATE RULE mine AS ON UPDATE TO syncledger.events DO INSTEAD NOTHING",
    "SELECT syncledger.refuse_change()",
    "SET ROLE syncledger_owner",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "GRANT syncledger_owner TO syncledger_app",
    "ALTER ROLE syncledger_app SUPERUSER",
    "CREATE ROLE more",
    "COPY syncledger.events TO PROGRAM 'cat'",
    "COPY syncledger.events FROM PROGRAM 'echo'",
    "COPY syncledger.events TO '/tmp/events'",
    "COPY syncledger.events FROM STDIN",
    "CREATE EXTENSION dblink",
    "DO LANGUAGE plpgsql $$BEGIN DELETE FROM syncledger.events; END$$",
]


async def allowed(
    connection: "asyncpg.Connection[asyncpg.Record]", statements: list[str], preamble: str = ""
) -> list[str]:
    """Those of the statements that are not refused for lack of a right. Nothing of it stays."""
    found = []
    for statement in statements:
        transaction = connection.transaction()
        await transaction.start()
        if preamble:
            await connection.execute(preamble)
        try:
            await connection.execute(statement)
        except asyncpg.InsufficientPrivilegeError:
            pass
        else:
            found.append(statement)
        finally:
            await transaction.rollback()
    return found


async def test_the_application_may_do_nothing_but_append(
    place: Place, written: list[asyncpg.Record]
) -> None:
    await migrate(place.owner_dsn, SCHEMA)  # what a database grants is not cloned with it
    async with connected(place.dsn) as connection:
        assert await allowed(connection, FORBIDDEN) == []


@pytest.mark.parametrize("preamble", ["", "SET LOCAL session_replication_role = replica"])
async def test_not_even_a_superuser_may_change_history(
    place: Place, written: list[asyncpg.Record], preamble: str
) -> None:
    async with connected(place.owner_dsn) as connection:
        assert await allowed(connection, TAMPERING, preamble) == []


@pytest.mark.parametrize(
    "disguise",
    [
        "EXECUTE E'/*\\n{frame}*/ UPDATE syncledger.log_head SET position = 1'",
        "UPDATE syncledger.log_head /*\n{frame}*/ SET position = 1",
        "EXECUTE E'/*\\n{frame}*/ {insert}'",
    ],
)
@pytest.mark.parametrize("role", ["postgres", "syncledger_owner"])
async def test_who_only_quotes_append_is_not_it(
    place: Place, written: list[asyncpg.Record], disguise: str, role: str
) -> None:
    signature = "append(timestamp with time zone,jsonb,jsonb,jsonb,jsonb)"
    frame = f"PL/pgSQL function {signature} line 1 at SQL statement"
    statement = disguise.format(frame=frame, insert=INSERT_EVENT)
    async with connected(place.owner_dsn) as connection:
        await connection.execute(f"SET ROLE {role}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="alone"):
            await connection.execute(f"DO $$BEGIN {statement}; END$$")


async def test_a_refusal_says_why(place: Place, written: list[asyncpg.Record]) -> None:
    async with connected(place.owner_dsn) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="history is never changed"):
            await connection.execute("UPDATE syncledger.events SET payload = '{}'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"by append\(\) alone"):
            await connection.execute(f"UPDATE syncledger.log_head SET position = {BEGUN}")


async def test_a_function_that_only_looks_like_append_is_not_it(
    place: Place, written: list[asyncpg.Record]
) -> None:
    async with connected(place.owner_dsn) as connection:
        await connection.execute(
            "CREATE SCHEMA other; CREATE FUNCTION other.append_more() RETURNS void "
            f"LANGUAGE plpgsql AS $$BEGIN {INSERT_EVENT}; END$$"
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="alone"):
            await connection.execute("SELECT other.append_more()")


# append() itself


def entry(position: int, change_set: int, environment: str = KEY) -> Entry:
    at = datetime(2026, 3, 3, tzinfo=UTC)
    payload = '{"on":true}'
    kind = "assigned_tasks_switched.v1"
    return Entry(environment, position, change_set, kind, payload, ALICE, None, at, GENESIS)


async def append(
    database: Database,
    entries: list[Entry],
    *,
    expected: int = LAST,
    tip: int,
    environment: str = KEY,
    off: timedelta = timedelta(),
    at: datetime | None = None,
) -> None:
    moves = {environment: (expected, tip)}
    await append_moves(database, entries, moves, off=off, at=at)


async def append_moves(
    database: Database,
    entries: list[Entry],
    moves: dict[str, tuple[int, int]],
    *,
    off: timedelta = timedelta(),
    at: datetime | None = None,
    remarks: list[Remark] | None = None,
    requests: list[Seen] | None = None,
) -> None:
    """Ask for heads to move from where to where, and for what is to come with that."""
    (now,) = await database.fetch(SQL["clock"])
    drafts = [
        Draft(
            environment, Tip(), Tip(), [each for each in entries if each.environment == environment]
        )
        for environment in moves
    ]
    drafts[0].entries += [each for each in entries if each.environment not in moves]
    drafts[0].remarks += remarks or []
    standing = fold(REGISTERED)
    assert standing is not None
    nothing = Applied(change_set=None, standing=standing)
    drafts[0].requests |= {seen.request_id: (seen, nothing) for seen in requests or []}
    time, heads, *rows = arguments(drafts, at or now["now"] + off)
    moved = [
        {**head, "expected": expected, "tip": tip}
        for head, (expected, tip) in zip(json.loads(heads), moves.values(), strict=True)
    ]
    await database.fetch(SQL["append"], time, json.dumps(moved), *rows)


DO_NOT_FILL = [
    ([entry(NEXT, NEXT), entry(NEXT + 2, NEXT)], NEXT + 2),  # a gap
    ([entry(NEXT + 1, NEXT + 1)], NEXT + 1),
    ([entry(NEXT, NEXT)], NEXT + 1),  # too few
    ([], NEXT),
    ([entry(NEXT, NEXT), entry(NEXT + 1, NEXT)], NEXT + 2),
    ([entry(NEXT, NEXT, "unheard-of")], NEXT),  # another log's
]


async def test_append_refuses_entries_that_do_not_fill_the_way(
    process: Process, written: list[asyncpg.Record]
) -> None:
    for entries, tip in DO_NOT_FILL:
        with pytest.raises(asyncpg.CheckViolationError, match="entries fill the way"):
            await append(process.database, entries, tip=tip)


async def test_append_moves_no_head_back_and_none_at_the_cost_of_another(
    process: Process, written: list[asyncpg.Record]
) -> None:
    """What one head would go back must not pay for what another goes on without entries."""
    for entries, moves in [
        ([], {KEY: (LAST, LAST - 1)}),
        ([], {KEY: (LAST, NEXT), OTHER: (BEGUN, BEGUN - 1)}),
        (
            [entry(NEXT, NEXT), entry(NEXT + 2, NEXT + 2)],
            {KEY: (LAST, NEXT + 2), OTHER: (BEGUN, BEGUN - 1)},
        ),
        ([entry(NEXT, NEXT)], {KEY: (LAST, NEXT + 1), OTHER: (BEGUN, BEGUN + 1)}),
    ]:
        with pytest.raises(asyncpg.CheckViolationError):
            await append_moves(process.database, entries, moves)


async def test_append_refuses_a_remark_that_is_on_nothing_it_appends(
    process: Process, written: list[asyncpg.Record]
) -> None:
    for environment, change_set in [
        (KEY, LAST),
        (KEY, NEXT + 1),
        (KEY, NEXT + 5),
        (OTHER, 1),
        ("unheard-of", 1),
    ]:
        remark = Remark(environment, change_set, "why", bytes(32))
        with pytest.raises(asyncpg.CheckViolationError, match="belong to no change set"):
            await append_moves(
                process.database, [entry(NEXT, NEXT)], {KEY: (LAST, NEXT)}, remarks=[remark]
            )


async def test_append_refuses_a_request_that_these_heads_were_not_asked(
    process: Process, written: list[asyncpg.Record]
) -> None:
    for environment, first, last in [
        (KEY, None, LAST - 1),
        (KEY, None, NEXT + 1),
        (KEY, LAST, NEXT),
        (KEY, NEXT + 1, NEXT),
        (OTHER, None, BEGUN),
        ("unheard-of", None, 0),
    ]:
        seen = Seen(environment, uuid4(), bytes(32), ALICE, first, last)
        with pytest.raises(asyncpg.CheckViolationError, match="were not asked of these heads"):
            await append_moves(
                process.database, [entry(NEXT, NEXT)], {KEY: (LAST, NEXT)}, requests=[seen]
            )


async def test_append_refuses_an_entry_of_an_impossible_form(
    process: Process, written: list[asyncpg.Record]
) -> None:
    for wrong in (
        entry(NEXT, NEXT + 1),
        entry(NEXT, 0),
        entry(NEXT, NEXT)._replace(payload="x" * 1_048_577),
        entry(NEXT, NEXT)._replace(seal=b"short"),
        entry(NEXT, NEXT)._replace(reason=b"short"),
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await append(process.database, [wrong], tip=NEXT)


async def test_append_refuses_two_entries_for_one_position(
    process: Process, written: list[asyncpg.Record]
) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await append(process.database, [entry(NEXT, NEXT), entry(NEXT, NEXT)], tip=NEXT + 1)


async def test_append_refuses_a_time_that_is_not_now(
    process: Process, written: list[asyncpg.Record]
) -> None:
    for seconds in (-6, 2, 3600, -3600):
        with pytest.raises(asyncpg.PostgresError, match="cannot be recorded") as caught:
            await append(
                process.database, [entry(NEXT, NEXT)], tip=NEXT, off=timedelta(seconds=seconds)
            )
        assert caught.value.sqlstate == "SL001"


async def test_append_refuses_a_time_that_is_not_after_the_last(
    process: Process, written: list[asyncpg.Record]
) -> None:
    head = await process.log.head(KEY)
    assert head is not None
    with pytest.raises(asyncpg.PostgresError, match="cannot be recorded"):
        await append(process.database, [entry(NEXT, NEXT)], tip=NEXT, at=head.recorded_at)


async def test_append_leaves_a_log_alone_that_is_elsewhere(
    process: Process, written: list[asyncpg.Record]
) -> None:
    await append(process.database, [entry(LAST, LAST)], expected=BEGUN, tip=LAST)
    await append(process.database, [entry(NEXT + 1, NEXT + 1)], expected=NEXT, tip=NEXT + 1)


async def test_append_refuses_a_key_that_cannot_be(
    process: Process, written: list[asyncpg.Record]
) -> None:
    for key in ("", "UPPER", "with space", "x" * 64, "ümlaut"):
        with pytest.raises(asyncpg.CheckViolationError):
            await append(process.database, [entry(1, 1, key)], expected=0, tip=1, environment=key)
