import re
import threading
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from programs import eventually, free_port
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import CONTENT_TYPE, LONGEST_NAME, MOST_TOLD_APART, Metrics

PAGE = Path(__file__).parents[1] / "docs" / "observability.md"
KEYS = "query Keys { environments { nodes { key } } }"
DOCUMENT = sha256(KEYS.encode()).hexdigest()[:12]
THIS = {"type": "query", "name": "Keys", "document": DOCUMENT}
OTHER = {"type": "query", "name": "other", "document": "other"}


def figure(metrics: Metrics, name: str, labels: Mapping[str, str] | None = None) -> float | None:
    """What the exposition says under this name with exactly these labels."""
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == (labels or {}):
                return sample.value
    return None


def run(metrics: Metrics, name: str | None = "Keys", text: str = KEYS) -> None:
    with metrics.operation("query", name, text):
        pass


def test_an_operation_that_nothing_is_said_of_went_well() -> None:
    metrics = Metrics()
    run(metrics)
    run(metrics)
    assert figure(metrics, "syncledger_operations_total", THIS | {"outcome": "ok"}) == 2
    assert figure(metrics, "syncledger_operation_seconds_count", THIS) == 2


def test_an_operation_that_went_wrong_is_counted_by_its_code() -> None:
    metrics = Metrics()
    with metrics.operation("query", "Keys", KEYS) as observed:
        observed.outcome("FORBIDDEN")
    assert figure(metrics, "syncledger_operations_total", THIS | {"outcome": "FORBIDDEN"}) == 1
    assert figure(metrics, "syncledger_operations_total", THIS | {"outcome": "ok"}) is None
    assert figure(metrics, "syncledger_operation_seconds_count", THIS) == 1


def test_an_operation_that_is_broken_off_is_counted_too() -> None:
    metrics = Metrics()
    with pytest.raises(KeyboardInterrupt), metrics.operation("query", "Keys", KEYS):
        raise KeyboardInterrupt
    assert figure(metrics, "syncledger_operations_total", THIS | {"outcome": "ok"}) == 1


def test_an_operation_is_counted_when_it_ends() -> None:
    metrics = Metrics()
    with metrics.operation("query", "Keys", KEYS):
        assert figure(metrics, "syncledger_operation_seconds_count", THIS) is None


def test_an_operation_without_a_name_has_an_empty_one() -> None:
    metrics = Metrics()
    run(metrics, None)
    assert figure(metrics, "syncledger_operation_seconds_count", THIS | {"name": ""}) == 1


def test_a_long_name_is_cut() -> None:
    metrics = Metrics()
    run(metrics, "x" * 100_000)
    labels = THIS | {"name": "x" * LONGEST_NAME}
    assert figure(metrics, "syncledger_operation_seconds_count", labels) == 1


def test_no_more_names_and_documents_are_told_apart_than_a_scraper_can_bear() -> None:
    metrics = Metrics()
    run(metrics)
    for number in range(MOST_TOLD_APART + 4):
        run(metrics, f"Operation{number % 2}", f"{KEYS} # {number}")
    run(metrics)
    assert figure(metrics, "syncledger_operation_seconds_count", OTHER) == 5
    assert figure(metrics, "syncledger_operations_total", OTHER | {"outcome": "ok"}) == 5
    assert figure(metrics, "syncledger_operation_seconds_count", THIS) == 2
    size = len(metrics.exposition())
    for number in range(1000):
        run(metrics, f"Another{number}")
    assert len(metrics.exposition()) < size + 100  # longer figures, and no more of them


def test_a_client_cannot_say_anything_in_the_exposition_by_a_name() -> None:
    metrics = Metrics()
    run(metrics, 'x"} 1\nsyncledger_open_sockets 7\n')
    assert figure(metrics, "syncledger_open_sockets") == 0


def test_what_is_refused_is_counted_by_its_way_in_and_code() -> None:
    metrics = Metrics()
    metrics.refused("http", "UNAUTHENTICATED")
    metrics.refused("websocket", "4403")
    metrics.refused("websocket", "4403")
    http = {"transport": "http", "code": "UNAUTHENTICATED"}
    assert figure(metrics, "syncledger_refused_total", http) == 1
    websocket = {"transport": "websocket", "code": "4403"}
    assert figure(metrics, "syncledger_refused_total", websocket) == 2


def test_sockets_and_subscriptions_are_counted_while_they_are_there() -> None:
    metrics = Metrics()
    with metrics.sockets.track_inprogress(), metrics.sockets.track_inprogress():
        with metrics.subscriptions.track_inprogress():
            assert figure(metrics, "syncledger_open_sockets") == 2
            assert figure(metrics, "syncledger_running_subscriptions") == 1
        assert figure(metrics, "syncledger_running_subscriptions") == 0
    assert figure(metrics, "syncledger_open_sockets") == 0


def test_each_application_counts_for_itself() -> None:
    one, other = Metrics(), Metrics()
    run(one)
    assert figure(other, "syncledger_operation_seconds_count", THIS) is None


def test_metrics_are_read_on_a_port_of_their_own_until_the_end() -> None:
    metrics, port, threads = Metrics(), free_port(), set(threading.enumerate())
    with metrics.serve(port, "127.0.0.1"):
        run(metrics)
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == CONTENT_TYPE
        assert answer.content == metrics.exposition()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")
    eventually(lambda: set(threading.enumerate()) <= threads)


def test_a_port_can_be_served_again_at_once_and_two_cannot_have_it() -> None:
    port = free_port()
    for _ in range(2):
        with Metrics().serve(port, "127.0.0.1"):
            assert httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 200
            with pytest.raises(OSError, match="in use"), Metrics().serve(port, "127.0.0.1"):
                pass


def test_every_metric_is_in_the_docs() -> None:
    metrics = Metrics()
    run(metrics)
    text, page = metrics.exposition().decode(), PAGE.read_text(encoding="utf-8")
    names = re.findall(r"^# TYPE (\S+?)(?:_created)? ", text, re.MULTILINE)
    assert len(names) >= 5
    told = re.findall(r"^\| `(syncledger_\w+)` \|", page, re.MULTILINE)
    assert {name.removesuffix("_total") for name in names} == {
        name.removesuffix("_total") for name in told
    }
