"""The one way to observe an operation: counted and traced together.

Law: an operation is observed from outside, once; nothing is hooked into its fields.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from api import traces
from api.metrics import Metrics, Observed


@contextmanager
def observed(
    metrics: Metrics, kind: str, name: str | None, text: str, headers: Mapping[str, str]
) -> Iterator[Observed]:
    """Around the run of one validated operation. `headers`: those of its request."""
    with (
        metrics.operation(kind, name, text) as counted,
        traces.operation(kind, name, text, headers) as traced,
    ):
        yield _Both(counted, traced)


@dataclass(frozen=True, slots=True)
class _Both:
    counted: Observed
    traced: Observed

    def outcome(self, code: str) -> None:
        self.counted.outcome(code)
        self.traced.outcome(code)
