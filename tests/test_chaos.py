"""The only place that kills the running whole: followers, the server, Postgres, in any order.

Its law: every change set exactly once, whole, in order, positions without a gap; what was
acknowledged is there; `verify` finds nothing.
"""

import asyncio
import random
import signal
import statistics
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from programs import (
    SWITCH,
    Closed,
    Delivered,
    Served,
    await_ready,
    begin,
    feed,
    figures,
    finish,
    postmaster,
    run,
    serving,
)
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from app.embedded_postgres import EmbeddedPostgres, address
from app.issuer import Issuer

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.chaos,
    pytest.mark.unwatched,
    pytest.mark.timeout(300),
]

REGISTER = """mutation ($key: String!, $worker: String!) {
  registerEnvironment(input: {key: $key, name: "Contoso", kind: PRODUCTION}) { __typename }
  grantRole(input: {environmentKey: $key, principal: $worker, role: SYNC_WORKER}) { __typename }
}"""
POSITION = "query ($key: String!) { environment(key: $key) { position } }"
LOST = (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, Closed)
PATIENCE = 60.0


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--chaos") == "long")


@dataclass
class Work:
    """What was asked and what was answered, by all writers; when it is to stop."""

    ports: list[int]
    token: str
    key: str
    acknowledged: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    answered_at: dict[int, float] = field(default_factory=dict)
    retries: int = 0
    over: bool = False

    async def write(self, place: int) -> None:
        """Ask for one thing after the other, each until it is answered, of the server at place."""
        async with httpx.AsyncClient(timeout=15) as client:
            while not self.over:
                request_id = uuid4()
                change_set = await self._acknowledged(client, place, request_id)
                assert request_id not in self.acknowledged
                self.acknowledged[request_id] = change_set
                self.answered_at[change_set[1]] = time.monotonic()
                await asyncio.sleep(0.01)

    async def _acknowledged(
        self, client: httpx.AsyncClient, place: int, request_id: UUID
    ) -> tuple[int, int]:
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = await self._asked(client, place, request_id)
            if answer is not None:
                return answer
            self.retries += 1
            assert time.monotonic() < deadline, "no answer however often it was asked"
            await asyncio.sleep(0.05)

    async def _asked(
        self, client: httpx.AsyncClient, place: int, request_id: UUID
    ) -> tuple[int, int] | None:
        """The change set, None where the answer was lost, came too fast, or the log is away."""
        variables = {"key": self.key, "requestId": str(request_id)}
        try:
            answer = await client.post(
                f"http://127.0.0.1:{self.ports[place]}/graphql",
                content=orjson.dumps({"query": SWITCH, "variables": variables}),
                headers={
                    "Authorization": f"Bearer {self.token}",
                    "Content-Type": "application/json",
                },
            )
        except httpx.TransportError:
            return None
        told = answer.json()
        if "errors" in told:
            codes = {error["extensions"]["code"] for error in told["errors"]}
            assert codes <= {"SERVICE_UNAVAILABLE", "RATE_LIMITED"}, told
            return None
        change_set = told["data"]["changeSettings"]["changeSet"]
        return change_set["firstPosition"], change_set["position"]


@dataclass
class Follower:
    """A subscriber that takes up again where it was, as often as it is cut off."""

    port: int
    token: str
    key: str
    got: list[Delivered] = field(default_factory=list)
    connections: int = 0
    wanted: int | None = None

    @property
    def position(self) -> int:
        return self.got[-1].last if self.got else 0

    @property
    def is_done(self) -> bool:
        return self.wanted is not None and self.position >= self.wanted

    def something_new(self) -> Callable[[], bool]:
        """Whether more was delivered since this was asked for."""
        before = len(self.got)
        return lambda: len(self.got) > before

    async def follow(self) -> None:
        """Until it has what is wanted."""
        while not self.is_done:
            with suppress(*LOST):
                await self.stay()
            await asyncio.sleep(0.02)

    async def stay(self) -> None:
        """One connection, until it is lost or there is no more to want."""
        async with feed(self.port, self.token, self.key, self.position) as items:
            self.connections += 1
            async for item in items:
                if isinstance(item, Delivered):
                    self.got.append(item)
                else:
                    assert item == self.position, "told of a position before what leads to it"
                if self.is_done:
                    return


def everything_holds(work: Work, followers: list[Follower], end: int) -> None:
    """The law, of what each follower got and of what was acknowledged."""
    for follower in followers:
        assert follower.got[0].first == 1
        assert follower.got[-1].last == end
        for before, after in pairwise(follower.got):
            assert after.first == before.last + 1
        assert [(each.first, each.last, each.values) for each in follower.got] == [
            (each.first, each.last, each.values) for each in followers[0].got
        ]
    delivered = [(each.first, each.last) for each in followers[0].got if len(each.values) == 4]
    assert len(set(work.acknowledged.values())) == len(work.acknowledged), "one set for two asked"
    assert sorted(work.acknowledged.values()) == delivered


FIRST = Delivered(1, 1, (("environment.name", "Contoso"),), 0.0)
SECOND, THIRD = (
    Delivered(first, first + 3, (("assignedTasks", "true"),) * 4, 0.0) for first in (2, 6)
)
TOLD = {"second": (2, 5), "third": (6, 9)}


@pytest.mark.parametrize(
    ("got", "told"),
    [
        ([FIRST, THIRD], TOLD),
        ([FIRST, SECOND, SECOND, THIRD], TOLD),
        ([FIRST, THIRD, SECOND], TOLD),
        ([SECOND, THIRD], TOLD),
        ([FIRST, SECOND], TOLD),
        ([FIRST, SECOND, replace(THIRD, values=THIRD.values[:3])], TOLD),
        ([FIRST, SECOND, THIRD], {"second": (2, 5)}),
        ([FIRST, SECOND, THIRD], TOLD | {"fourth": (10, 13)}),
        ([FIRST, SECOND, THIRD], TOLD | {"fourth": (6, 9)}),
    ],
    ids=[
        "lost", "doubled", "reordered", "begun late", "ended early", "split", "not asked for",
        "acknowledged and not there", "one set for two",
    ],
)  # fmt: skip
def test_the_law_is_one_that_can_be_broken(
    got: list[Delivered], told: dict[str, tuple[int, int]]
) -> None:
    def law(got: list[Delivered], told: dict[str, tuple[int, int]]) -> None:
        work = Work([], "token", "key", {uuid4(): change_set for change_set in told.values()})
        everything_holds(work, [Follower(0, "token", "key", got)], 9)

    law([FIRST, SECOND, THIRD], TOLD)
    with pytest.raises(AssertionError):
        law(got, told)


def verified(key: str, end: int, **variables: str) -> None:
    ended = run("verify", "--json", "--environment", key, **variables)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert orjson.loads(ended.stdout) == [{"environment": key, "entries": end, "findings": []}]


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 -- processes set no asyncio.Event
            await asyncio.sleep(0.01)


async def under_load(
    work: Work, followers: list[Follower], writers: int, disturb: Coroutine[None, None, None]
) -> int:
    """Disturb while all write and follow; then let everybody come to the end, and give it."""
    async with asyncio.TaskGroup() as tasks:
        writing = [
            tasks.create_task(work.write(place % len(work.ports))) for place in range(writers)
        ]
        following = [tasks.create_task(follower.follow()) for follower in followers]
        await eventually(lambda: len(work.acknowledged) >= writers)
        await disturb
        work.over = True
        await asyncio.wait(writing)
        end = max(last for _, last in work.acknowledged.values())
        for follower in followers:
            follower.wanted = end
        await eventually(lambda: all(follower.is_done for follower in followers))
        for task in following:
            task.cancel()  # it may be waiting for a heartbeat
    return end


async def more(work: Work, count: int = 5) -> None:
    """Until some more were acknowledged: it works again."""
    enough = len(work.acknowledged) + count
    await eventually(lambda: len(work.acknowledged) >= enough)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served"), DEMO="false") as served:
        yield served


@pytest.fixture
def key() -> str:
    """Every test has an environment of its own."""
    return f"contoso-{uuid4()}"


def writers_and_follower(served: Served, key: str) -> tuple[Work, Follower]:
    """Of a new environment: its administrator writes, its sync worker follows."""
    issuer = Issuer.open(served.data)
    ada = issuer.token("ada@contoso.example", platform_administrator=True)
    worker = issuer.token("worker@contoso.example")
    served.ask(ada, REGISTER, key=key, worker="worker@contoso.example")
    return Work([served.port], ada, key), Follower(served.port, worker, key)


async def test_a_subscriber_killed_and_reconnected_many_times_misses_nothing(
    served: Served, key: str, long: bool, request: pytest.FixtureRequest
) -> None:
    work, steady = writers_and_follower(served, key)
    killed = replace(steady, got=[])
    times = 200 if long else 15

    async def disturb() -> None:
        for _ in range(times):
            following = asyncio.create_task(killed.follow())
            await eventually(killed.something_new())
            await asyncio.sleep(random.uniform(0, 0.05))  # anywhere in what is being sent
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    end = await under_load(work, [steady], 4, disturb())
    killed.wanted = end
    async with asyncio.timeout(PATIENCE):
        await killed.follow()
    assert killed.connections >= times
    everything_holds(work, [steady, killed], end)
    verified(key, end, DATA=str(served.data))
    figures(request, f"{killed.connections} connections, {len(work.acknowledged)} change sets")


async def test_a_killed_server_loses_nothing_acknowledged(
    tmp_path: Path, key: str, long: bool, request: pytest.FixtureRequest
) -> None:
    current = begin(tmp_path, DEMO="false")
    away: list[float] = []

    async def disturb() -> None:
        nonlocal current
        for _ in range(5 if long else 1):
            await more(work, 50 if long else 5)
            current.process.send_signal(signal.SIGKILL)
            begun = time.monotonic()
            await asyncio.to_thread(current.process.wait)
            current = begin(tmp_path, port=current.port, DEMO="false")
            await asyncio.to_thread(await_ready, current)
            away.append(time.monotonic() - begun)
            await more(work, 50 if long else 5)

    try:
        await_ready(current)
        work, follower = writers_and_follower(current, key)
        end = await under_load(work, [follower], 4, disturb())
        everything_holds(work, [follower], end)
        verified(key, end, DATA=str(current.data))
    finally:
        finish(current)
    figures(
        request,
        f"{len(work.acknowledged)} change sets, {work.retries} retries, away at most "
        f"{max(away):.2f} s",
    )


async def test_a_killed_postgres_loses_nothing_acknowledged_and_comes_back_by_itself(
    served: Served, key: str, long: bool, request: pytest.FixtureRequest
) -> None:
    work, follower = writers_and_follower(served, key)
    away: list[float] = []

    async def disturb() -> None:
        for _ in range(3 if long else 1):
            await more(work, 50 if long else 5)
            killed = postmaster(served.data)
            assert killed is not None
            begun = time.monotonic()
            killed.kill()
            await asyncio.to_thread(killed.wait, PATIENCE)
            await more(work, 50 if long else 5)
            away.append(time.monotonic() - begun)

    end = await under_load(work, [follower], 4, disturb())
    everything_holds(work, [follower], end)
    verified(key, end, DATA=str(served.data))
    figures(
        request,
        f"{len(work.acknowledged)} change sets, {work.retries} retries, away at most "
        f"{max(away):.2f} s",
    )


@dataclass
class Behind:
    """How long after a change was acknowledged by one process the other one tells of it."""

    seconds: list[float] = field(default_factory=list)

    def look(self, work: Work, followers: list[Follower]) -> None:
        for follower in followers:
            self.seconds += [
                each.at - work.answered_at[each.last]
                for each in follower.got
                if each.last in work.answered_at
            ]

    def __str__(self) -> str:
        return (
            f"{1000 * statistics.median(self.seconds):.1f} ms behind in the median, "
            f"{1000 * max(self.seconds):.1f} ms at worst, of {len(self.seconds)}"
        )


@dataclass(frozen=True)
class Two:
    """Two servers on one database, by DSN, with one issuer's key."""

    one: Served
    other: Served
    dsn: str


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    elsewhere = EmbeddedPostgres.start(folder / "elsewhere")
    try:
        dsn = address(elsewhere.socket_folder, user="postgres", database="postgres")
        with serving(folder, DSN=dsn) as one, serving(folder, DSN=dsn) as other:
            yield Two(one, other, dsn)
    finally:
        elsewhere.stop()


async def test_two_servers_on_one_database_keep_the_same_law(
    two: Two, key: str, long: bool, request: pytest.FixtureRequest
) -> None:
    work, follower = writers_and_follower(two.one, key)
    work.ports.append(two.other.port)
    followers = [follower, replace(follower, port=two.other.port, got=[])]

    async def disturb() -> None:
        await more(work, 1000 if long else 100)

    end = await under_load(work, followers, 4, disturb())
    everything_holds(work, followers, end)
    verified(key, end, DSN=two.dsn)
    figures(request, f"{len(work.acknowledged)} change sets")


async def test_reads_of_one_server_are_hardly_behind_what_another_wrote(
    two: Two, key: str, long: bool, request: pytest.FixtureRequest
) -> None:
    """Nearly idle, so that it is the way between the processes that is measured, not a queue."""
    work, reads = writers_and_follower(two.one, key)
    reads.port = two.other.port
    queried, told = Behind(), Behind()

    async def read_until(client: httpx.AsyncClient, position: int) -> float:
        while True:
            answer = await client.post(
                two.other.url,
                json={"query": POSITION, "variables": {"key": key}},
                headers={"Authorization": f"Bearer {work.token}"},
            )
            if answer.json()["data"]["environment"]["position"] >= position:
                return time.monotonic()

    async def disturb() -> None:
        async with httpx.AsyncClient(timeout=15) as client:
            for _ in range(300 if long else 60):
                await more(work, 1)
                position, at = list(work.answered_at.items())[-1]
                queried.seconds.append(await read_until(client, position) - at)

    end = await under_load(work, [reads], 1, disturb())
    everything_holds(work, [reads], end)
    verified(key, end, DSN=two.dsn)
    told.look(work, [reads])
    figures(request, f"queries: {queried}\nsubscriptions: {told}")
    assert statistics.median(queried.seconds) < 1
    assert statistics.median(told.seconds) < 1
