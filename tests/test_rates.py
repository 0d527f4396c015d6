from pathlib import Path
from time import monotonic

import pytest
import pytest_asyncio
from edge import (
    ADA,
    CARL,
    KEY,
    STAFFED,
    Edge,
    at,
    codes,
    list_at,
    opened,
    serving,
    text_at,
    whole_at,
)

from api import context, rates, websocket
from api.context import CHARACTERS_OF_A_POINT
from api.rates import RateLimited, Rates, cost

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

NAMES = [f"a{number}" for number in range(15)]
ALIASES = " ".join(f"{name}: fetchXml" for name in NAMES)
TEMPLATE = "filter:template.online.appointment.my-appointments"
VIEWER = "{ viewer { platformAdministrator } }"
SETTING = "key label description section"
TAB = f'{{ environment(key: "{KEY}") {{ settings {{ all {{ {SETTING} }} }} }} }}'


async def test_a_bucket_is_its_owners_alone_and_says_what_is_left() -> None:
    buckets = Rates(principal=2, address=1)
    left = [buckets.principal("ada", 5), buckets.principal("ada", 10), buckets.principal("carl", 1)]
    assert [each and (each.maximum, each.remaining) for each in left] == [
        (20, 15),
        (20, 5),
        (20, 19),
    ]
    with pytest.raises(RateLimited, match=r"This principal asks too fast\. Come again in 3 s"):
        buckets.principal("ada", 10)
    for _ in range(10):
        buckets.address("203.0.113.7")
    with pytest.raises(RateLimited, match="This address") as limited:
        buckets.address("203.0.113.7")
    assert limited.value.headers["Retry-After"] == "1"
    buckets.address("203.0.113.8")
    buckets.address(None)


async def test_what_was_only_known_afterwards_is_taken_as_far_as_there_is_anything_left() -> None:
    buckets = Rates(principal=2)
    left = [buckets.charge("ada", points) for points in (5, 100, 1)]
    assert [each and each.remaining for each in left] == [15, 0, 0]
    assert Rates().charge("ada", 5) is None


async def test_criteria_that_are_read_cost_by_their_length(edge: Edge, tmp_path: Path) -> None:
    async with serving(edge.place, tmp_path, rate=100) as other:
        text = (
            f'{{ environment(key: "{KEY}") {{ settings {{ filterTemplates {{ fetchXml }} }} }} }}'
        )
        plain = await other.ask(ADA, text.replace("fetchXml", "filterKey"))
        read = await other.ask(ADA, text.replace("{ fetchXml }", f"{{ {ALIASES} }}"))
        asked = whole_at(read, "extensions.cost.requested")
        length = sum(
            len(text_at(each, name))
            for each in list_at(read, "data.environment.settings.filterTemplates")
            for name in NAMES
        )
        assert length >= CHARACTERS_OF_A_POINT
        before = asked - length // CHARACTERS_OF_A_POINT
        assert before >= whole_at(plain, "extensions.cost.requested")
        (again,) = [await other.ask(ADA, text.replace("{ fetchXml }", f"{{ {ALIASES} }}"))]
        assert whole_at(again, "extensions.cost.available") < 1000 - asked


async def test_what_is_weighed_is_taken_from_whoever_it_was_made_for(
    edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "CHARACTERS_OF_A_POINT", 100)
    weighed = f'setting(key: "{TEMPLATE}") {{ ... on SyncFilter {{ {ALIASES} }} }}'
    feed = f"""subscription {{ settingsFeed(environmentKey: "{KEY}", after: {STAFFED - 1}) {{
      ... on ChangeSetAppended {{ settings {{ {weighed} }} }} }} }}"""
    async with serving(edge.place, tmp_path, rate=10) as other:
        text = f'{{ environment(key: "{KEY}") {{ settings {{ {weighed} }} }} }}'
        answer = await other.send(ADA, text)
        available = whole_at(answer.json(), "extensions.cost.available")
        assert available < 70
        assert f";r={available};" in answer.headers["ratelimit"]
        async with other.talk(CARL) as talk:
            await talk.subscribe("1", feed)
            assert at(await talk.hear(), "type") == "next"
            left = whole_at(await other.ask(CARL, VIEWER), "extensions.cost.available")
            assert left < 80


async def test_an_address_of_version_six_counts_as_its_network() -> None:
    buckets = Rates(address=1)
    for number in range(10):
        buckets.address(f"2001:db8:0:1::{number}")
    with pytest.raises(RateLimited):
        buckets.address("2001:db8:0:1:ffff::1")
    buckets.address("2001:db8:0:2::1")
    for number in range(20):
        buckets.address(f"::ffff:203.0.113.{number}")
    buckets.address("a socket")


async def test_where_nothing_is_counted_anybody_may_ask_as_fast_as_they_like() -> None:
    buckets = Rates()
    assert buckets.principal("ada", 10**9) is None
    buckets.address("203.0.113.7")
    assert cost(3, None) == {"requested": 3}


async def test_the_buckets_longest_unused_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_BUCKETS", 2)
    buckets = Rates(principal=1)
    for who in ("ada", "carl", "ben"):
        buckets.principal(who, 10)
    with pytest.raises(RateLimited):
        buckets.principal("ben", 1)
    buckets.principal("ada", 10)


async def test_what_an_operation_costs_is_told_and_taken(edge: Edge, tmp_path: Path) -> None:
    async with serving(edge.place, tmp_path, rate=5) as other:
        answer = await other.send(ADA, VIEWER)
        told = {"requested": 1, "available": 49, "maximum": 50, "restoredPerSecond": 5}
        assert at(answer.json(), "extensions.cost") == told
        assert answer.headers["ratelimit-policy"] == '"principal";q=50;w=10'
        assert answer.headers["ratelimit"] == '"principal";r=49;t=1'
        longer = await other.send(ADA, f"{VIEWER}#{' ' * 2000}")
        assert at(longer.json(), "extensions.cost.requested") == 3
        costly = await other.ask(ADA, TAB)
        assert whole_at(costly, "extensions.cost.requested") > 10
        limited = await other.send(ADA, TAB)
        while limited.status_code == 200:
            limited = await other.send(ADA, TAB)
        assert limited.status_code == 429
        assert codes(limited.json()) == ["RATE_LIMITED"]
        seconds = whole_at(limited.json(), "errors.0.extensions.retryAfter")
        assert limited.headers["retry-after"] == str(seconds)
        assert 1 <= seconds <= 10
        assert "ratelimit" in limited.headers
        async with other.talk(ADA) as talk:
            await talk.subscribe("1", TAB)
            said = await talk.hear()
            assert at(said, "type") == "error"
            assert at(said, "payload.0.extensions.code") == "RATE_LIMITED"
        assert "errors" not in await other.ask(CARL, VIEWER)


async def test_what_is_not_good_costs_too_and_a_new_document_by_its_length(
    edge: Edge, tmp_path: Path
) -> None:
    async with serving(edge.place, tmp_path, rate=5) as other:
        bad = "{ " + "nobody " * 100 + "}" + " " * 1000
        answers = [await other.send(ADA, bad) for _ in range(40)]
        assert [answer.status_code for answer in answers[:2]] == [400, 400]
        assert 429 in [answer.status_code for answer in answers]
        assert "errors" not in await other.ask(CARL, VIEWER)


async def test_what_is_dearer_than_ever_fits_is_not_told_to_come_again(
    edge: Edge, tmp_path: Path
) -> None:
    async with serving(edge.place, tmp_path, rate=1) as other:
        answer = await other.send(ADA, TAB)
        assert answer.status_code == 400
        assert codes(answer.json()) == ["TOO_COSTLY"]
        assert "at most 10 at once" in text_at(answer.json(), "errors.0.message")


async def test_a_feed_is_told_as_fast_as_it_can_be_paid(edge: Edge, tmp_path: Path) -> None:
    feed = """subscription ($key: String!) { settingsFeed(environmentKey: $key, after: 0) {
      position ... on ChangeSetAppended { settings { all { key label description } } } } }"""
    async with serving(edge.place, tmp_path, rate=3) as other, other.talk(ADA) as talk:
        await talk.subscribe("1", feed, {"key": KEY})
        began = monotonic()
        for _ in range(3):
            assert at(await talk.hear(), "type") == "next"
        assert monotonic() - began > 1
        await talk.say(type="ping")
        while at(await talk.hear(), "type") != "pong":
            pass


async def test_more_messages_a_second_than_a_socket_may_send_close_it(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MOST_MESSAGES_A_SECOND", 10)
    async with edge.talk(ADA) as talk:
        for _ in range(20):
            await talk.say(type="ping")
        assert await talk.closed() == (4429, "At most 10 messages a second.")


async def test_an_address_is_counted_before_anything_is_known_of_it(
    edge: Edge, tmp_path: Path
) -> None:
    async with serving(edge.place, tmp_path, address_rate=1) as other:
        answers = [await other.http.post("/graphql", json={}) for _ in range(12)]
        assert [answer.status_code for answer in answers[:10]] == [401] * 10
        assert answers[-1].status_code == 429
        assert codes(answers[-1].json()) == ["RATE_LIMITED"]
        async with other.raw() as talk:
            assert (await talk.closed())[0] == 4429
        assert (await other.http.get("/health/live")).status_code == 200


@pytest.mark.parametrize(("proxies", "limited"), [((), True), (("127.0.0.0/8",), False)])
async def test_forwarded_addresses_count_only_where_a_named_proxy_tells_them(
    edge: Edge, tmp_path: Path, proxies: tuple[str, ...], limited: bool
) -> None:
    async with serving(edge.place, tmp_path, address_rate=1, proxies=proxies) as other:
        statuses = [
            (
                await other.http.post(
                    "/graphql", json={}, headers={"x-forwarded-for": f"203.0.113.{number}"}
                )
            ).status_code
            for number in range(12)
        ]
    assert (429 in statuses) is limited
