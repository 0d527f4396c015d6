import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from api import traces
from api.metrics import Metrics, told_apart
from api.observation import observed

KEYS = 'query Keys { environment(key: "contoso-secret") { position } }'
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = {"traceparent": f"00-{TRACE}-{SPAN}-01"}


def collected(
    kind: str = "query",
    name: str | None = "Keys",
    headers: Mapping[str, str] | None = None,
    code: str | None = None,
) -> tuple[ReadableSpan, ...]:
    """What a collector gets of one operation."""
    exporter = InMemorySpanExporter()
    with (
        traces.collected_by(exporter),
        traces.operation(kind, name, KEYS, headers or {}) as operation,
    ):
        if code is not None:
            operation.outcome(code)
    return exporter.get_finished_spans()


def test_an_operation_has_one_span_that_says_which_it_is_and_not_what_it_asks() -> None:
    (span,) = collected()
    assert (span.name, span.kind) == ("query Keys", SpanKind.SERVER)
    assert span.attributes == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Keys",
        "graphql.document.hash": told_apart("Keys", KEYS)[1],
    }
    assert span.status.status_code is StatusCode.UNSET
    assert "secret" not in span.to_json()
    assert span.events == ()


def test_an_operation_without_a_name_is_known_by_its_type() -> None:
    (span,) = collected("subscription", None)
    assert span.name == "subscription"
    assert span.attributes is not None
    assert "graphql.operation.name" not in span.attributes


def test_a_span_has_the_code_of_what_went_wrong() -> None:
    (span,) = collected(code="FORBIDDEN")
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "FORBIDDEN"


def test_a_span_is_the_child_of_whoever_sent_the_request() -> None:
    (span,) = collected(headers=PARENT)
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}-{span.parent.span_id:016x}" == f"{TRACE}-{SPAN}"
    assert span.context.trace_id == span.parent.trace_id


@pytest.mark.parametrize("text", ["", "00", f"00-{'0' * 32}-{SPAN}-01", "x" * 5000, "00-é-1-01"])
def test_a_parent_that_cannot_be_is_none(text: str) -> None:
    (span,) = collected(headers={"traceparent": text})
    assert span.parent is None


def test_what_the_sender_does_not_follow_is_not_sent() -> None:
    assert collected(headers={"traceparent": f"00-{TRACE}-{SPAN}-00"}) == ()


def test_an_operation_that_is_broken_off_has_its_span_and_no_words_of_the_accident() -> None:
    exporter = InMemorySpanExporter()
    with (
        traces.collected_by(exporter),
        pytest.raises(ValueError, match="secret"),
        traces.operation("query", "Keys", KEYS, {}),
    ):
        raise ValueError("secret")
    (span,) = exporter.get_finished_spans()
    assert "secret" not in span.to_json()


def test_nothing_is_collected_before_or_after() -> None:
    exporter = InMemorySpanExporter()
    with traces.operation("query", "Before", KEYS, {}):
        pass
    with traces.collected_by(exporter):
        pass
    with traces.operation("query", "After", KEYS, {}) as operation:
        operation.outcome("FORBIDDEN")
    assert exporter.get_finished_spans() == ()


def test_an_operation_is_counted_and_traced_together() -> None:
    metrics, exporter = Metrics(), InMemorySpanExporter()
    with (
        traces.collected_by(exporter),
        observed(metrics, "query", "Keys", KEYS, PARENT) as both,
    ):
        both.outcome("TOO_COSTLY")
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.status.description) == ("query Keys", "TOO_COSTLY")
    assert span.parent is not None
    document = told_apart("Keys", KEYS)[1]
    assert (
        f'syncledger_operations_total{{document="{document}",name="Keys",outcome="TOO_COSTLY",'
        'type="query"} 1.0\n'
    ).encode() in metrics.exposition()


@pytest.fixture
def exporter_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the extra's distribution makes its exporter known, but this one keeps what it gets."""
    known = tmp_path / "exporter_of_a_test-1.dist-info"
    known.mkdir()
    (known / "METADATA").write_text("Name: exporter-of-a-test\nVersion: 1\n")
    (known / "entry_points.txt").write_text(
        "[opentelemetry_traces_exporter]\notlp_proto_http = exporter_of_a_test:Exporter\n"
    )
    (tmp_path / "exporter_of_a_test.py").write_text(
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "kept = InMemorySpanExporter()\n"
        "def Exporter(): return kept\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


def test_spans_are_sent_where_the_standard_variables_say_and_flushed_at_the_end(
    exporter_is_installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(traces.ENDPOINT, "http://127.0.0.1:4318")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "settings")
    with traces.begin(), traces.operation("mutation", "Change", KEYS, {}):
        pass
    (span,) = sys.modules["exporter_of_a_test"].kept.get_finished_spans()
    assert span.name == "mutation Change"
    assert span.resource.attributes["service.name"] == "settings"
    with traces.operation("mutation", "Late", KEYS, {}):
        pass
    assert len(sys.modules["exporter_of_a_test"].kept.get_finished_spans()) == 1


def test_without_an_endpoint_nothing_is_sent(
    exporter_is_installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(traces.ENDPOINT, raising=False)
    monkeypatch.delitem(sys.modules, "exporter_of_a_test", raising=False)
    with traces.begin(), traces.operation("query", "Keys", KEYS, {}):
        pass
    assert "exporter_of_a_test" not in sys.modules


def test_an_endpoint_without_the_extra_is_told_and_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(traces.ENDPOINT, "http://127.0.0.1:4318")
    with (
        caplog.at_level(logging.WARNING),
        traces.begin(),
        traces.operation("query", "Keys", KEYS, {}) as operation,
    ):
        operation.outcome("FORBIDDEN")
    assert caplog.messages == [
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, but nothing can send there: install syncledger[otel]"
    ]


PROGRAM = """
import sys
sys.modules["opentelemetry"] = None  # as where it is not installed
from api import traces
from api.metrics import Metrics
from api.observation import observed
with traces.begin(), observed(Metrics(), "query", None, "{ a }", {}) as operation:
    operation.outcome("FORBIDDEN")
print(sorted(name for name in sys.modules if name.startswith("opentelemetry.")))
"""


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:4318"])
def test_where_opentelemetry_is_not_installed_nothing_is_missed(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(traces.ENDPOINT, endpoint)
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"
