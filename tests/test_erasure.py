"""A person is erased: nothing that names them is left anywhere, and every log stays whole."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import asyncpg
import pytest
from conftest import Place, Process, ask, register, until
from edge import ADA, AUDREY, BEN, CARL, PAULA, Edge, Person, at, codes, list_at, serving
from given import BOB

from api.broadcast import FRESH
from app import erasing
from app.bundled_postgres import program
from app.dataverse_export import exported
from app.erasing import CannotErase, Done, Order, Outlook, erased, foreseen
from app.settings_text import written
from app.wiring import Postgres
from domain.actor import SecurityRole
from domain.lifecycle import ArchiveEnvironment
from domain.membership import GrantRole, RevokeRole
from domain.switches import SwitchAssignedTasks
from eventstore import archive
from eventstore.attempts import Attempt, Stretch
from eventstore.erasure import Erasure, MayNotErase, mentions
from eventstore.erasure import Person as Somebody
from eventstore.log import END
from eventstore.principals import Principals
from projections.projector import PATIENCE
from projections.verify import environments, verify

ZERLINA = Person("Zerlina.Quux@contoso.example")
NAME = "Zerlina Quúx"
LOUDLY = "ask ZERLINA QUÚX, zerlina.quux@CONTOSO.example"
ADMINISTRATOR, AUDITOR = SecurityRole.SYSTEM_ADMINISTRATOR, SecurityRole.AUDITOR

ROLE = """mutation ($input: GrantRoleInput!) { grantRole(input: $input) {
  __typename ... on EnvironmentRefused { refusals { code } } } }"""
REGISTER = """mutation ($input: RegisterEnvironmentInput!) {
  registerEnvironment(input: $input) { __typename } }"""
CHANGE = """mutation ($input: ChangeSettingsInput!) { changeSettings(input: $input) {
  __typename ... on SettingsRefused { refusals { code } } } }"""
EVERYTHING = """query ($key: String!) { environment(key: $key) {
  key name members { principal { handle id name } roles }
  before: members(at: {position: 30}) { principal { handle id name } roles }
  whoCould(permission: CHANGE_SETTINGS, at: {position: 30}) { principal { id name } }
  compare(from: {position: 30}) { setting label before after summary }
  settings { all { key lastChange { by { id name } reason } } }
  history(first: 100) { nodes {
    by { handle id name } setting before after summary reason payload differences } }
} }"""
CLIENTS = ("httpx", "httpcore", "websockets")
"""Of the test, which tell what they hear."""
WHO = "{ viewer { principal { handle id name } } environments { nodes { key } } }"


@pytest.fixture
async def edge(place: Place, tmp_path: Path) -> AsyncIterator[Edge]:
    async with serving(place, tmp_path / "issuer") as edge:
        yield edge


class World(NamedTuple):
    """Where Zerlina is to be found, and where not."""

    edge: Edge
    handle: UUID

    @property
    def postgres(self) -> Postgres:
        return Postgres(dsn=self.edge.place.dsn, owner_dsn=self.edge.place.owner_dsn)

    async def told(self, document: str, **variables: object) -> dict[str, object]:
        """What Zerlina is answered, whose token says her name."""
        token = self.edge.issuer.token(ZERLINA.subject, name=NAME)
        response = await self.edge.http.post(
            "/graphql",
            json={"query": document, "variables": variables},
            headers={"authorization": f"Bearer {token}"},
        )
        body: dict[str, object] = response.json()
        return body

    async def foreseen(self, principal: str, reason: str | None = None) -> Outlook:
        return await foreseen(self.postgres, order(principal, reason))

    async def erased(self, principal: str, by: str = PAULA.subject) -> Done:
        return await erased(self.postgres, order(principal, by=by))

    async def heads(self) -> dict[str, int]:
        return {head.environment: head.position for head in await self.edge.heads()}


def order(principal: str, reason: str | None = None, by: str = PAULA.subject) -> Order:
    remark = f"{reason or ''} (by `syncledger privacy erase`)".strip()
    return Order(principal=principal, by=by, reason=reason, remark=remark)


async def attempted(edge: Edge) -> list[Attempt]:
    """What is noted as refused, once it is written."""
    return await edge.rooms.attempts.page("other", Stretch(0, END, newest_first=True, limit=1))


@pytest.fixture
async def world(edge: Edge) -> World:
    """`acts`: she administers it, with Ada. `left`: she was a member, and it is archived.

    `named`: only others speak of her. `other`: nothing of hers.
    """
    for key in ("acts", "left", "named", "other"):
        await edge.open(key)
    first = World(edge, uuid4())
    handle = UUID(str(at(await first.told(WHO), "data.viewer.principal.handle")))
    world = World(edge, handle)
    who = {"principal": ZERLINA.subject, "reason": f"{NAME} joins us"}
    for role in (ADMINISTRATOR, AUDITOR):
        await edge.data(ADA, ROLE, {"input": {**who, "environmentKey": "acts", "role": role.value}})
    await world.told(
        CHANGE,
        input={
            "environmentKey": "acts",
            "changes": [{"assignedTasks": {"enabled": True}}],
            "requestId": str(uuid4()),
            "reason": f"I, {ZERLINA.subject}, want it",
        },
    )
    await world.told(
        CHANGE,
        input={
            "environmentKey": "acts",
            "changes": [{"assignedTasks": {"enabled": True}}],
            "requestId": str(uuid4()),
            "reason": f"again, {NAME}",
        },
    )
    refused = await world.told(
        CHANGE,
        input={
            "environmentKey": "other",
            "changes": [
                {"syncDirection": {"mapping": f"{ZERLINA.subject.lower()}.x", "direction": "NONE"}}
            ],
        },
    )
    assert at(refused, "data.changeSettings.refusals.0.code") == "ENVIRONMENT_NOT_FOUND"
    await edge.change(ADA, GrantRole(principal=handle, role=AUDITOR), key="left")
    await edge.change(ADA, RevokeRole(principal=handle, role=AUDITOR), key="left")
    await edge.change(ADA, ArchiveEnvironment(), key="left", reason="As everybody knows")
    await edge.change(CARL, SwitchAssignedTasks(on=True), key="named", reason=LOUDLY)
    await edge.change(CARL, SwitchAssignedTasks(on=False), key="named", reason="For the pilot")
    assert await attempted(edge)
    return world


async def stored(place: Place) -> list[str]:
    """Every row of every table, view of statistics and sequence of ours, as text."""
    connection = await asyncpg.connect(place.owner_dsn)
    try:
        tables = await connection.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class"
            " WHERE relkind IN ('r', 'p', 'm', 'S') AND relnamespace = 'syncledger'::regnamespace"
        )
        names = [*(table["name"] for table in tables), "pg_stats", "pg_description"]
        assert len(names) > 8
        whole = "SELECT whole::text AS text FROM {} AS whole"
        rows = [row for name in names for row in await connection.fetch(whole.format(name))]
        return sorted(row["text"] for row in rows)
    finally:
        await connection.close()


async def shown(edge: Edge) -> list[str]:
    """Everything that GraphQL tells of every environment, to those who may read it."""
    said = [
        str(await edge.data(person, EVERYTHING, {"key": key}))
        for person in (ADA, AUDREY)
        for key in ("acts", "left", "named", "other")
    ]
    assert all("history" in each for each in said)
    async with edge.talk(ADA) as talk:
        document = """subscription { settingsFeed(environmentKey: "acts", after: 0) {
          position ... on ChangeSetAppended { changeSet { reason by { id name handle }
            changes { setting by { id name } } } } } }"""
        await talk.subscribe("1", document)
        end = (await edge.rooms.standings.current("acts")).position
        while True:
            message = await talk.hear()
            said.append(str(message))
            if at(message, "payload.data.settingsFeed.position") == end:
                return said


def naming(texts: list[str]) -> list[str]:
    """Those that name her."""
    return [text for text in texts if mentions(text, (ZERLINA.subject, NAME))]


async def findings(edge: Edge) -> list[object]:
    await edge.rooms.projector.catch_up(wait=PATIENCE)
    keys = await environments(edge.rooms.database)
    return [each for key in keys for each in (await verify(edge.rooms.database, key)).findings]


async def test_nothing_names_who_was_erased_and_every_log_is_whole(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    edge, handle = world.edge, world.handle
    caplog.set_level(logging.DEBUG)
    await edge.rooms.projector.catch_up(wait=PATIENCE)
    await edge.place.as_superuser("ANALYZE")
    assert len(naming(await stored(edge.place))) == 6  # her row, four reasons, and what she tried
    assert len(naming(await shown(edge))) > 4

    outlook = await world.foreseen(ZERLINA.subject)
    own = [each.own for each in outlook.traces.reasons]
    assert (own.count(True), own.count(False)) == (1, 3)
    done = await world.erased(ZERLINA.subject)

    assert done.environments == ["acts", "left", "named"]
    assert (done.handle, done.gone.persons) == (handle, 1)
    assert naming(await stored(edge.place)) == []
    archive.dump(edge.place.owner_dsn, program, tmp_path / "after.backup")
    assert naming([said(tmp_path / "after.backup")]) == []

    async def forgotten() -> bool:
        return not naming(await shown(edge))

    await until(forgotten, seconds=FRESH + 5)
    assert naming(await exported_as_files(edge)) == []
    logged = [
        f"{record.getMessage()} {vars(record)}"
        for record in caplog.records
        if record.name.partition(".")[0] not in CLIENTS
    ]
    assert naming(logged) == []
    assert naming([edge.entrance.metrics.exposition().decode()]) == []
    assert await findings(edge) == []
    await edge.place.as_superuser("ANALYZE")
    assert naming(await stored(edge.place)) == []


async def exported_as_files(edge: Edge) -> list[str]:
    """Settings as YAML and as rows, of every environment."""
    tips = [await edge.rooms.standings.current(head.environment) for head in await edge.heads()]
    standings = [tip.standing for tip in tips if tip.standing is not None]
    assert len(standings) == 4
    return [
        text
        for standing in standings
        for text in (written(standing, whole=True), str(exported(standing.environment)))
    ]


def said(backup: Path) -> str:
    """All that is in a backup, as SQL."""
    return archive._said([program("pg_restore"), "--file=-", str(backup)])


async def test_the_history_says_erased_and_everything_of_others_stays(world: World) -> None:
    edge, handle = world.edge, world.handle
    await world.erased(ZERLINA.subject)

    found = await edge.data(
        AUDREY,
        """query ($who: String!, $role: String!) { environment(key: "acts") {
          members { principal { handle } }
          by: history(first: 9, filter: {by: $who}) { nodes { by { handle id name } reason type } }
          of: history(first: 9, filter: {setting: $role}) {
            nodes { type setting before after summary } } } }""",
        {"who": str(handle), "role": f"role:{handle}"},
    )
    (hers,) = list_at(found, "environment.by.nodes")
    assert at(hers, "by") == {"handle": str(handle), "id": None, "name": None}
    assert (at(hers, "type"), at(hers, "reason")) == ("assigned_tasks_switched.v1", None)
    latest = at(found, "environment.of.nodes.0")
    assert latest == {
        "type": "principal_erased.v1",
        "setting": f"role:{handle}",
        "before": "SYSTEM_ADMINISTRATOR,AUDITOR",
        "after": "ERASED",
        "summary": "A person was erased",
    }
    members = list_at(found, "environment.members")
    assert len(members) == 5
    assert str(handle) not in str(members)
    kept = " ".join(await stored(edge.place))
    assert all(reason in kept for reason in ("As everybody knows", "For the pilot"))
    assert all(person.subject in kept for person in (ADA, AUDREY, BEN, CARL, PAULA))
    assert "other" not in {each for each, end in (await world.heads()).items() if end != 30}


async def test_a_second_time_changes_nothing(world: World) -> None:
    await world.erased(ZERLINA.subject)
    await world.edge.rooms.projector.catch_up(wait=PATIENCE)
    heads, rows = await world.heads(), await stored(world.edge.place)

    assert (await world.foreseen(str(world.handle))).nothing
    done = await world.erased(str(world.handle))
    with pytest.raises(CannotErase, match="known by handle alone"):
        await world.erased(ZERLINA.subject)

    assert (done.environments, done.gone) == ([], (0, 0))
    assert await world.heads() == heads
    assert await stored(world.edge.place) == rows


async def test_what_ended_between_the_facts_and_the_deletion_is_gone_on_with(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_everything: object) -> None:
        raise RuntimeError("power is lost")

    with monkeypatch.context() as patch:
        patch.setattr(Erasure, "erase", crash)
        with pytest.raises(RuntimeError):
            await world.erased(ZERLINA.subject)
    heads = await world.heads()
    assert naming(await stored(world.edge.place))

    assert not (await world.foreseen(ZERLINA.subject)).nothing
    done = await world.erased(ZERLINA.subject)

    assert (done.environments, done.gone.persons) == ([], 1)
    assert await world.heads() == heads
    assert naming(await stored(world.edge.place)) == []


async def test_where_a_log_would_lose_its_last_administrator_nothing_is_written_anywhere(
    world: World,
) -> None:
    edge = world.edge
    ada = (await edge.actor(ADA)).handle
    await edge.change(PAULA, RevokeRole(principal=ada, role=ADMINISTRATOR), key="acts")
    await edge.rooms.projector.catch_up(wait=PATIENCE)
    heads, rows = await world.heads(), await stored(edge.place)

    for attempt in (world.foreseen, world.erased):
        with pytest.raises(CannotErase, match=r"^acts: .*Grant SYSTEM_ADMINISTRATOR to somebody"):
            await attempt(ZERLINA.subject)

    assert await world.heads() == heads
    assert await stored(edge.place) == rows


async def test_one_that_is_refused_midway_says_how_far_it_came(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ada leaves in `named` in the very moment."""
    edge = world.edge
    await edge.change(ADA, GrantRole(principal=world.handle, role=ADMINISTRATOR), key="named")
    leave = RevokeRole(principal=(await edge.actor(ADA)).handle, role=ADMINISTRATOR)
    write = erasing._Erasing._write

    async def meanwhile(self: erasing._Erasing, environment: str) -> None:
        if environment == "named":
            await edge.change(PAULA, leave, key="named")
        await write(self, environment)

    with monkeypatch.context() as patch:
        patch.setattr(erasing._Erasing, "_write", meanwhile)
        with pytest.raises(CannotErase, match=r"(?s)^named: .*written in acts, left.*it goes on"):
            await world.erased(ZERLINA.subject)
    assert naming(await stored(edge.place))

    back = GrantRole(principal=(await edge.actor(ADA)).handle, role=ADMINISTRATOR)
    await edge.change(PAULA, back, key="named")
    assert (await world.erased(ZERLINA.subject)).environments == ["named"]


async def test_whoever_comes_back_is_somebody_new_without_roles(world: World) -> None:
    await world.erased(ZERLINA.subject)

    async def forgotten() -> bool:
        viewer = at(await world.told(WHO), "data.viewer.principal.handle")
        return viewer != str(world.handle)

    await until(forgotten)
    answer = await world.told(WHO)
    assert at(answer, "data.environments.nodes") == []
    refused = await world.told(CHANGE, input={"environmentKey": "acts", "changes": []})
    assert at(refused, "data.changeSettings.refusals.0.code") == "ENVIRONMENT_NOT_FOUND"
    granted = {"environmentKey": "acts", "principal": ZERLINA.subject, "role": "AUDITOR"}
    assert codes(await world.edge.ask(ADA, ROLE, {"input": granted})) == []
    assert at(await world.told(WHO), "data.environments.nodes.0.key") == "acts"


async def test_the_handle_of_somebody_who_was_erased_is_nobody_new(world: World) -> None:
    await world.erased(ZERLINA.subject)
    await world.edge.change(ADA, SwitchAssignedTasks(on=True), key="other")
    wish = {"environmentKey": "left", "principal": str(world.handle), "role": "AUDITOR"}
    refused = await world.edge.data(ADA, ROLE, {"input": {**wish, "environmentKey": "acts"}})
    assert at(refused, "grantRole.refusals.0.code") == "PRINCIPAL_ERASED"
    handle = (await world.edge.actor(BEN)).handle
    await world.edge.change(
        ADA, RevokeRole(principal=handle, role=SecurityRole.BASIC_USER), key="named"
    )
    again = {**wish, "environmentKey": "named", "principal": str(handle)}
    granted = await world.edge.data(ADA, ROLE, {"input": again})
    assert at(granted, "grantRole.__typename") == "EnvironmentChanged"
    standing = (await world.edge.rooms.standings.current("named")).standing
    assert standing is not None
    assert AUDITOR in standing.environment.roles(handle)
    stranger = {**wish, "principal": str(uuid4())}
    assert codes(await world.edge.ask(ADA, ROLE, {"input": stranger})) == []


async def test_one_erases_oneself_and_stays_away(world: World) -> None:
    done = await world.erased(ZERLINA.subject, by=ZERLINA.subject)
    assert done.environments == ["acts", "left", "named"]
    assert naming(await stored(world.edge.place)) == []
    assert await findings(world.edge) == []


async def test_who_is_not_known_and_a_reason_that_names_are_refused(world: World) -> None:
    await world.edge.rooms.projector.catch_up(wait=PATIENCE)
    heads, rows = await world.heads(), await stored(world.edge.place)
    for nobody in ("nobody@contoso.example", str(uuid4())):
        with pytest.raises(CannotErase, match="Nobody called"):
            await world.erased(nobody)
    with pytest.raises(CannotErase, match=r"Nobody called 'nobody@.*' was ever seen"):
        await world.erased(ZERLINA.subject, by="nobody@contoso.example")
    with pytest.raises(CannotErase, match="The reason names the person"):
        await world.foreseen(ZERLINA.subject, reason=f"{NAME.upper()} asked for it")
    assert (await world.heads(), await stored(world.edge.place)) == (heads, rows)


async def test_what_is_sealed_is_told_of(world: World) -> None:
    await world.edge.register("sealed", name=f"The one of {NAME}")
    outlook = await world.foreseen(ZERLINA.subject)
    assert outlook.traces.sealed == {"sealed": 1}


async def test_the_application_may_not_erase(process: Process) -> None:
    for statement in (
        "SELECT erase(gen_random_uuid(), '{}', '{}')",
        "DELETE FROM principals",
        "DELETE FROM remarks",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await process.database.fetch(statement)


async def test_erasing_needs_a_role_that_may_become_the_owner(place: Place) -> None:
    with pytest.raises(MayNotErase, match="SYNCLEDGER_OWNER_DSN"):
        async with Erasure.by_owner(place.dsn):
            pass


async def test_the_digest_of_a_request_goes_with_its_reason(place: Place, process: Process) -> None:
    """It would prove a guess of it."""
    await register(process)
    request, tasks = uuid4(), SwitchAssignedTasks(on=True)
    await ask(process, tasks, request_id=request, reason="For Bob")
    digests = "SELECT digest FROM requests"
    (before,) = await process.database.fetch(digests)

    async with Erasure.by_owner(place.owner_dsn) as erasure:
        bob = Somebody(BOB, ("bob",))
        traces = await erasure.traces(bob)
        assert (await erasure.erase(bob, traces.reasons)).reasons == 1

    (after,) = await process.database.fetch(digests)
    assert before != after


async def test_whoever_was_erased_while_they_were_looked_up_is_not_remembered(
    process: Process,
) -> None:
    principals = Principals(process.database)
    met = await principals.meet("zerlina", NAME)
    assert await principals.known("zerlina") is met
    principals.forget()
    looking = asyncio.create_task(principals.known("zerlina"))
    await asyncio.sleep(0)
    principals.forget()
    assert await looking == met
    assert await principals.known("zerlina") is not await looking


async def test_a_process_forgets_when_the_bell_says_so(place: Place, process: Process) -> None:
    met = await process.principals.meet("zerlina", NAME)
    async with Erasure.by_owner(place.owner_dsn) as erasure:
        assert await erasure.person("zerlina") == Somebody(met.handle, ("zerlina", NAME))
        assert await erasure.person(str(met.handle)) == Somebody(met.handle, ("zerlina", NAME))
        await erasure.erase(Somebody(met.handle), [])
        assert await erasure.person(str(met.handle)) is None

    async def forgotten() -> bool:
        return await process.principals.known("zerlina") is None

    await until(forgotten)
    (nobody,) = await process.principals.of([met.handle])
    assert (nobody.provider_id, nobody.name) == (None, None)


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("ask zerlina quúx now", (NAME,), True),
        ("ask ZERLINA QUU\u0301X now", (NAME,), True),
        ("ask Zerlina", (NAME,), False),
        ("Straße", ("STRASSE",), True),
        ("whatever", (), False),
    ],
)
def test_a_name_is_found_whatever_its_case(text: str, names: tuple[str, ...], found: bool) -> None:
    assert mentions(text, names) is found
