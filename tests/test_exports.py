"""Histories as files over HTTP: the same as the schema tells, for whom, and to which end."""

import asyncio
import csv
import io
import json
from collections.abc import Mapping

import httpx
import pytest
import pytest_asyncio
from edge import (
    ADA,
    AUDREY,
    BEN,
    CARL,
    MEMBERS,
    NOBODY,
    PAULA,
    STAFFED,
    Edge,
    Person,
    at,
    codes,
    list_at,
    opened,
)

from api import change_rows, exporting, exports
from api.change_rows import COLUMNS, FORMULAS, Form, text
from domain.actor import SecurityRole
from domain.filters.commands import DefineFilter, RedefineFilter
from domain.filters.criteria import Condition, Group
from domain.filters.state import FilterKind, FilterRole
from domain.membership import GrantRole, RevokeRole
from domain.switches import SwitchAssignedTasks

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

HISTORY = """query ($key: String!, $filter: ChangeFilter) { environment(key: $key) {
  history(first: 200, order: OLDEST_FIRST, filter: $filter) { nodes {
    environment { key } position at by { handle id name } reason type setting before after summary
    payload seal } } } }"""
TASKS = "template.online.task.my-tasks"
READERS = [ADA, CARL, AUDREY]
Params = Mapping[str, str | list[str]]


async def fetched(edge: Edge, person: Person, form: str, params: Params) -> httpx.Response:
    return await edge.http.get(
        f"/export/changes.{form}", params=params, headers=edge.authorization(person)
    )


async def lines(edge: Edge, person: Person, **params: str | list[str]) -> list[dict[str, object]]:
    response = await fetched(edge, person, "jsonl", params)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/jsonl"
    return [json.loads(line) for line in response.text.splitlines()]


async def rows(edge: Edge, person: Person, **params: str | list[str]) -> list[dict[str, str]]:
    response = await fetched(edge, person, "csv", params)
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"] == 'attachment; filename="changes.csv"'
    assert response.headers["content-type"].startswith("text/csv; header=present")
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


async def changed(edge: Edge) -> str:
    key = await edge.open()
    for on in (True, False):
        await edge.change(ADA, SwitchAssignedTasks(on=on), key=key, reason=f"=Because {on}")
    await edge.change(CARL, SwitchAssignedTasks(on=True), key=key)
    return key


async def test_a_file_says_what_the_schema_says(edge: Edge) -> None:
    key = await changed(edge)
    found = await edge.data(AUDREY, HISTORY, {"key": key})
    told = list_at(found, "environment.history.nodes")
    exported = await lines(edge, AUDREY, environmentKeys=key)
    assert len(exported) == STAFFED + 3
    for one, row in zip(told, exported, strict=True):
        assert [*row] == list(COLUMNS)
        same = ("position", "at", "reason", "type", "setting", "before", "after", "summary")
        assert {name: row[name] for name in (*same, "payload", "seal")} == {
            name: at(one, name) for name in (*same, "payload", "seal")
        }
        by = {"handle": row["byHandle"], "id": row["byId"], "name": row["byName"]}
        assert (row["environment"], by) == (key, at(one, "by"))
    assert [row["changeSet"] for row in exported][:3] == [1, 1, 1]
    newest = await lines(edge, AUDREY, environmentKeys=key, order="NEWEST_FIRST")
    assert newest == exported[::-1]


async def test_csv_says_the_same_and_is_no_formula_anywhere(edge: Edge) -> None:
    key = await changed(edge)
    exact = await lines(edge, AUDREY, environmentKeys=key)
    harmless = await rows(edge, AUDREY, environmentKeys=key)
    for one, other in zip(exact, harmless, strict=True):
        texts = {name: "" if value is None else str(value) for name, value in one.items()}
        assert {name: cell.removeprefix("'") for name, cell in other.items()} == texts
    assert [row["reason"] for row in harmless][-3:] == ["'=Because True", "'=Because False", ""]


@pytest.mark.parametrize("sign", FORMULAS)
async def test_what_a_spreadsheet_would_run_is_preceded_by_an_apostrophe(sign: str) -> None:
    command = f"{sign}cmd|' /C calc'!A0"
    row = dict.fromkeys(COLUMNS, f"{command};{command}\t{command}\n{command}") | {"position": -1}
    (made,) = csv.DictReader(io.StringIO(text(Form.CSV, [row]).decode(), newline=""), COLUMNS)
    harmless = f"'{command};'{command}\t'{command}\n'{command}"
    assert {cell for name, cell in made.items() if name != "position"} == {harmless}
    assert made["position"] == "-1"


async def test_every_filter_narrows_as_in_the_schema(edge: Edge) -> None:
    key = await changed(edge)
    whole = await lines(edge, AUDREY, environmentKeys=key)
    since = str(whole[-2]["at"])
    for params in (
        {"by": CARL.subject},
        {"setting": "assignedTasks"},
        {"setting": f"role:{BEN.subject}"},
        {"setting": "filter:"},
        {"type": "role_granted.v1"},
        {"since": since},
        {"since": since.replace("Z", "+00:00")},
        {"until": since},
        {"text": "BECAUSE true"},
        {"text": "ROLE:ben@con"},
        {"by": ADA.subject, "setting": "assignedTasks", "since": since},
    ):
        found = await edge.data(AUDREY, HISTORY, {"key": key, "filter": params})
        positions = [at(each, "position") for each in list_at(found, "environment.history.nodes")]
        exported = await lines(edge, AUDREY, environmentKeys=key, **params)
        assert [row["position"] for row in exported] == positions, params
        assert positions, params


async def test_a_long_one_comes_in_pieces_and_none_is_lost_or_twice(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "FEWEST", 2)
    monkeypatch.setattr(exporting, "MOST", 3)
    one, other = await changed(edge), await changed(edge)
    found = await lines(edge, AUDREY, environmentKeys=[one, other])
    assert len(found) == 2 * (STAFFED + 3)
    assert found == sorted(found, key=lambda row: (row["at"], row["environment"], row["position"]))
    backwards = await lines(edge, AUDREY, environmentKeys=[one, other], order="NEWEST_FIRST")
    assert backwards == found[::-1]
    assert len(await rows(edge, AUDREY, environmentKeys=[one, other])) == len(found)
    nothing = await rows(edge, AUDREY, environmentKeys=one, text="nobody said this")
    assert nothing == []


@pytest.mark.parametrize("person", [*MEMBERS, PAULA, NOBODY], ids=lambda person: person.subject)
async def test_only_what_may_be_read_is_in_it_and_nothing_tells_of_the_rest(
    edge: Edge, person: Person
) -> None:
    key = await changed(edge)
    hidden = "contoso-hidden"
    if hidden not in {head.environment for head in await edge.heads()}:
        await edge.register(hidden, administrator=NOBODY)
    mine = {row["environment"] for row in await lines(edge, person)}
    assert (key in mine) == (person in READERS)
    assert (hidden in mine) == (person is NOBODY)
    named = await fetched(edge, person, "csv", {"environmentKeys": key})
    if person in READERS:
        assert named.status_code == 200
    elif person is NOBODY:
        assert (named.status_code, codes(named.json())) == (400, ["BAD_USER_INPUT"])
    else:
        assert (named.status_code, codes(named.json())) == (403, ["FORBIDDEN"])
        assert at(named.json(), "errors.0.extensions.needs") == "READ_HISTORY"
    if person not in {NOBODY, PAULA}:
        there = await fetched(edge, person, "csv", {"environmentKeys": hidden})
        nowhere = await fetched(edge, person, "csv", {"environmentKeys": "nowhere"})
        assert there.status_code == nowhere.status_code == 400
        assert there.text.replace(hidden, "nowhere") == nowhere.text


async def test_who_loses_the_right_meanwhile_gets_no_more_of_it(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in (("FEWEST", 2), ("MOST", 2), ("PIECE", 1)):
        monkeypatch.setattr(exporting, name, value)
    key = await changed(edge)
    handle = (await edge.actor(AUDREY)).handle
    revoke = RevokeRole(principal=handle, role=SecurityRole.AUDITOR)
    got: list[bytes] = []

    async def read_on() -> None:
        async with edge.http.stream(
            "GET",
            "/export/changes.jsonl",
            params={"environmentKeys": key},
            headers=edge.authorization(AUDREY),
        ) as response:
            async for piece in response.aiter_bytes():
                if not got:
                    await edge.change(ADA, revoke, key=key)
                got.append(piece)

    with pytest.raises(httpx.RemoteProtocolError):
        await read_on()
    assert 0 < b"".join(got).count(b"\n") < STAFFED + 3
    assert "an export was broken off" in caplog.text


async def begun(edge: Edge, person: Person, key: str) -> httpx.Response:
    """An export of which nothing is read yet."""
    request = edge.http.build_request(
        "GET",
        "/export/changes.jsonl",
        params={"environmentKeys": key},
        headers=edge.authorization(person),
    )
    return await edge.http.send(request, stream=True)


async def test_rows_that_are_being_made_anew_break_a_file_off(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in (("FEWEST", 2), ("MOST", 2), ("PIECE", 1)):
        monkeypatch.setattr(exporting, name, value)
    key = await changed(edge)
    response = await begun(edge, AUDREY, key)
    pieces = response.aiter_bytes()
    assert await anext(pieces)
    await edge.place.as_superuser(
        f"DELETE FROM syncledger.current_settings WHERE environment = '{key}'"  # noqa: S608 -- ours
    )
    with pytest.raises(httpx.RemoteProtocolError):
        async for _piece in pieces:
            pass
    assert "are being made anew" in caplog.text
    assert len(await lines(edge, AUDREY, environmentKeys=key)) == STAFFED + 3


async def test_only_so_many_are_under_way_at_once(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FEWEST", 2), ("MOST", 2), ("PIECE", 1)):
        monkeypatch.setattr(exporting, name, value)
    held = asyncio.Event()

    async def slowly(*_: object) -> list[str]:
        await held.wait()
        return []

    monkeypatch.setattr(exporting, "short_of", slowly)
    monkeypatch.setattr(exports, "MOST_AT_ONCE", 3)
    key = await changed(edge)
    responses = [await begun(edge, person, key) for person in (AUDREY, AUDREY, AUDREY, CARL, ADA)]
    assert [each.status_code for each in responses] == [200, 200, 429, 200, 429]
    assert b"At most 2 exports for each principal" in await responses[2].aread()
    assert b"3 exports are under way" in await responses[4].aread()
    held.set()
    for each in responses:
        await each.aclose()


async def test_a_file_that_comes_to_a_halt_ends_when_everybody_is_sent_away(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def halt(*_: object) -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(exporting, "short_of", halt)
    response = await begun(edge, AUDREY, await changed(edge))
    for end in tuple(edge.entrance.presence._ends):
        end()
    with pytest.raises(httpx.RemoteProtocolError):
        await response.aread()
    assert "an export was broken off: TimeoutError()" in caplog.text


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"environment": "contoso"}, "There is no parameter 'environment'"),
        ({"by": ["a", "b"]}, "by is given twice"),
        ({"order": "SIDEWAYS"}, "not 'SIDEWAYS'"),
        ({"since": "yesterday"}, "An instant is ISO 8601"),
        ({"type": "nothing.v1"}, "There is no event 'nothing.v1'"),
        ({"setting": "nowhere"}, "There is no setting 'nowhere'"),
        ({"environmentKeys": "Not A Key"}, "An environment key is"),
        ({"text": ""}, "A text has 1 to"),
    ],
)
async def test_what_is_unknown_is_refused_before_the_file_begins(
    edge: Edge, params: Params, told: str
) -> None:
    response = await fetched(edge, AUDREY, "csv", params)
    assert response.status_code == 400
    assert codes(response.json()) == ["BAD_USER_INPUT"]
    assert told in response.text


async def test_a_token_is_needed_and_only_get_is_taken(edge: Edge) -> None:
    nobody = await edge.http.get("/export/changes.csv")
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"] == "Bearer"
    head = await edge.http.head("/export/changes.csv", headers=edge.authorization(AUDREY))
    assert (head.status_code, head.headers["allow"]) == (405, "GET")
    posted = await edge.http.post("/export/changes.csv", headers=edge.authorization(AUDREY))
    assert posted.status_code == 405


async def test_what_differs_in_a_filter_is_told_unless_it_is_long(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await edge.open()
    open_ones = Condition(column="statecode", operator="eq", values=("0",))
    redefine = RedefineFilter(key=TASKS, criteria=Group(conditions=(open_ones,)))
    await edge.change(CARL, redefine, key=key)
    (row,) = await lines(edge, AUDREY, environmentKeys=key, type="filter_redefined.v1")
    assert row["differences"] == "removed: owner is me"
    monkeypatch.setattr(change_rows, "LONGEST_COMPARED", 1)
    (row,) = await lines(edge, AUDREY, environmentKeys=key, type="filter_redefined.v1")
    assert row["differences"] == "The criteria are long: compare before and after."


async def test_texts_with_quotes_and_lines_come_back_as_they_are(edge: Edge) -> None:
    key = await edge.open()
    define = DefineFilter(
        role=FilterRole.SYSTEM_FILTER,
        kind=FilterKind.ONLINE,
        table="task",
        name='+Ours, "and" yours',
        description="Of one line,\r\nand another",
        criteria=Group(),
    )
    await edge.change(CARL, define, key=key, reason='Said "so",\nand signed')
    row = (await rows(edge, AUDREY, environmentKeys=key))[-1]
    assert json.loads(row["payload"])["description"] == define.description
    assert row["reason"] == 'Said "so",\nand signed'
    handle = (await edge.actor(NOBODY)).handle
    await edge.change(ADA, GrantRole(principal=handle, role=SecurityRole.AUDITOR), key=key)
    granted = (await rows(edge, AUDREY, environmentKeys=key))[-1]
    assert granted["setting"] == f"role:{NOBODY.subject}"
