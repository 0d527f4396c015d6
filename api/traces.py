"""The only place that knows OpenTelemetry: one span for each operation, where somebody collects.

Law: no span tells the text of a document or its variables; until `begin` finds a collector named,
nothing of OpenTelemetry is imported.
"""
# ruff: noqa: PLC0415 -- an extra is imported where it is wanted, and nowhere else

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from api.metrics import Observed, told_apart

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

logger = logging.getLogger(__name__)

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@contextmanager
def begin() -> Iterator[None]:
    """Send spans to the collector that OpenTelemetry's own variables name, if they name one."""
    exporter = _exporter()
    with nullcontext() if exporter is None else collected_by(exporter):
        yield


@contextmanager
def collected_by(exporter: "SpanExporter") -> Iterator[None]:
    """Send the spans of this process there, in batches, and the last of them at the end."""
    global _spans  # noqa: PLW0603 -- a process sends its spans to one place
    _spans = spans = _Spans(exporter)
    try:
        yield
    finally:
        _spans = None
        spans.end()


def operation(
    kind: str, name: str | None, text: str, headers: Mapping[str, str]
) -> AbstractContextManager[Observed]:
    """The span of one operation. `headers`: of its request, whose `traceparent` is the parent."""
    return _NOTHING if _spans is None else _spans.operation(kind, name, text, headers)


class _Spans:
    """Makes spans, with all of OpenTelemetry that an operation needs."""

    def __init__(self, exporter: "SpanExporter") -> None:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        self.end = provider.shutdown
        self._tracer = provider.get_tracer("syncledger")
        self._parent = TraceContextTextMapPropagator()
        self._kind = SpanKind.SERVER

    @contextmanager
    def operation(
        self, kind: str, name: str | None, text: str, headers: Mapping[str, str]
    ) -> Iterator[Observed]:
        name, document = told_apart(name, text)
        attributes = {"graphql.operation.type": kind, "graphql.document.hash": document}
        if name:
            attributes["graphql.operation.name"] = name
        span = self._tracer.start_span(
            f"{kind} {name}".rstrip(),
            context=self._parent.extract(headers),
            kind=self._kind,
            attributes=attributes,
        )
        try:
            yield _Traced(span)
        finally:
            span.end()


class _Traced:
    """Never the current span: nothing below the edge has spans of its own."""

    def __init__(self, span: "Span") -> None:
        self._span = span

    def outcome(self, code: str) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_status(StatusCode.ERROR, code)


class _Untraced:
    def outcome(self, code: str) -> None:
        pass


_NOTHING: AbstractContextManager[Observed] = nullcontext(_Untraced())
_spans: _Spans | None = None


def _exporter() -> "SpanExporter | None":
    if not os.environ.get(ENDPOINT):
        return None
    for found in entry_points(group="opentelemetry_traces_exporter", name="otlp_proto_http"):
        exporter: SpanExporter = found.load()()
        return exporter
    logger.warning("%s is set, but nothing can send there: install syncledger[otel]", ENDPOINT)
    return None
