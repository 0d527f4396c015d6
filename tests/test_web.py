from pathlib import Path

import pytest
import pytest_asyncio
from edge import ADA, Edge, opened, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

CONSOLE = "https://console.example.com"
ASKED = {"query": "{ __typename }"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/graphql"),
        ("GET", "/graphql"),
        ("PUT", "/graphql"),
        ("GET", "/nowhere"),
        ("GET", "/"),
        ("GET", "/health/live"),
        ("GET", "/graphiql/graphiql.js"),
    ],
)
async def test_every_answer_may_not_be_sniffed_framed_or_read_as_a_page(
    edge: Edge, method: str, path: str
) -> None:
    answer = await edge.http.request(method, path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] in {"no-store", "no-cache"}
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers


async def test_answers_are_not_kept_by_anybody_on_the_way(edge: Edge) -> None:
    answer = await edge.send(ADA, "{ __typename }")
    assert answer.headers["cache-control"] == "no-store"


async def test_over_tls_of_a_named_proxy_browsers_are_told_to_stay_there(
    edge: Edge, tmp_path: Path
) -> None:
    forwarded = {"x-forwarded-proto": "https"}
    answer = await edge.http.get("/health/live", headers=forwarded)
    assert "strict-transport-security" not in answer.headers
    async with serving(edge.place, tmp_path, proxies=("127.0.0.1",)) as other:
        answer = await other.http.get("/health/live", headers=forwarded)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_pages_of_listed_origins_may_ask_and_no_others(edge: Edge, tmp_path: Path) -> None:
    preflight = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, last-event-id",
    }
    async with serving(edge.place, tmp_path, origins=(CONSOLE,)) as other:
        for origin, status in ((CONSOLE, 200), ("https://evil.example", 400)):
            asked = await other.http.options("/graphql", headers={**preflight, "origin": origin})
            assert asked.status_code == status
            answer = await other.http.post(
                "/graphql", json=ASKED, headers={**other.authorization(ADA), "origin": origin}
            )
            allowed = answer.headers.get("access-control-allow-origin")
            assert allowed == (CONSOLE if origin == CONSOLE else None)
            assert "access-control-allow-credentials" not in answer.headers
            assert "RateLimit" in answer.headers["access-control-expose-headers"]
    asked = await edge.http.options("/graphql", headers={**preflight, "origin": CONSOLE})
    assert asked.status_code == 405
    assert "access-control-allow-origin" not in asked.headers


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
async def test_what_another_site_may_send_without_asking_first_is_refused(
    edge: Edge, media_type: str
) -> None:
    answer = await edge.http.post(
        "/graphql",
        content='{"query":"{ __typename }"}',
        headers={**edge.authorization(ADA), "content-type": media_type},
    )
    assert answer.status_code == 415
