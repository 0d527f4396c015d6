"""The only place that counts: operations, refusals, open sockets, running subscriptions.

Law: every application has a registry of its own; what clients may name is bounded, in number and
in length.
"""
# ruff: noqa: PLC0415 -- to import Prometheus's library reads the whole environment, by wsgiref

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from time import perf_counter
from typing import Literal, Protocol

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_TOLD_APART = 200
"""Pairs of a name and a document that have labels of their own."""
LONGEST_NAME = 100  # characters
OTHER = ("other", "other")
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
OK = "ok"


class Observed(Protocol):
    """One operation, while it is run."""

    def outcome(self, code: str) -> None:
        """The first error's code. Called once, or not at all where nothing went wrong."""


@dataclass(slots=True)
class _Counted:
    code: str = OK

    def outcome(self, code: str) -> None:
        self.code = code


def told_apart(name: str | None, text: str) -> tuple[str, str]:
    """What an operation is known by: its name, and the hash of its document in twelve digits."""
    return (name or "")[:LONGEST_NAME], sha256(text.encode()).hexdigest()[:12]


class Metrics:
    """What one application counts. `sockets` and `subscriptions` have `track_inprogress()`."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry = CollectorRegistry()
        self._pairs: set[tuple[str, str]] = set()
        labels = ("type", "name", "document")
        operations = Counter(
            "syncledger_operations_total",
            "Operations that ended, by their first error's code or ok.",
            (*labels, "outcome"),
            registry=self._registry,
        )
        seconds = Histogram(
            "syncledger_operation_seconds",
            "Seconds from a validated document to the end of its operation.",
            labels,
            buckets=SECONDS,
            registry=self._registry,
        )
        # What is remembered is bounded as the labels are.
        self._ended, self._took = cache(operations.labels), cache(seconds.labels)
        self._refused = Counter(
            "syncledger_refused_total",
            "Requests that were refused before they were run, and sockets that were closed.",
            ("transport", "code"),
            registry=self._registry,
        )
        self.sockets = Gauge(
            "syncledger_open_sockets", "WebSockets that are open.", registry=self._registry
        )
        self.subscriptions = Gauge(
            "syncledger_running_subscriptions",
            "Subscriptions that are running.",
            registry=self._registry,
        )

    @contextmanager
    def operation(self, kind: str, name: str | None, text: str) -> Iterator[Observed]:
        """Count one operation. Only what was validated may come here: it can take labels."""
        name_and_document = self._bounded(told_apart(name, text))
        counted, begun = _Counted(), perf_counter()
        try:
            yield counted
        finally:
            self._took(kind, *name_and_document).observe(perf_counter() - begun)
            self._ended(kind, *name_and_document, counted.code).inc()

    def refused(self, transport: Literal["http", "websocket"], code: str) -> None:
        """Count what is not run: by the code of its error, or the code that closed its socket."""
        self._refused.labels(transport, code).inc()

    def exposition(self) -> bytes:
        """Everything as Prometheus reads it, of CONTENT_TYPE."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)

    @contextmanager
    def serve(self, port: int, host: str) -> Iterator[None]:
        """Answer scrapes on a port of their own. OSError where it cannot be listened on."""
        from prometheus_client import start_http_server

        server, thread = start_http_server(port, host, self._registry)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _bounded(self, pair: tuple[str, str]) -> tuple[str, str]:
        if pair not in self._pairs:
            if len(self._pairs) >= MOST_TOLD_APART:
                return OTHER
            self._pairs.add(pair)
        return pair
