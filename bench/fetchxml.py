"""`fetchxml`: documents that are no filter, each refused through the door a request comes by.

Law: every refusal is checked and nothing is remembered; the slowest document is what counts.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from importlib import import_module
from itertools import product
from statistics import median
from time import perf_counter
from typing import Protocol
from xml.parsers import expat

from bench.ground import placed
from bench.measure import Figure, Goal, Options
from domain.filters.commands import DefineFilter
from domain.filters.lifecycle import _stored_text, decide
from domain.filters.refusals import FilterNotValid
from domain.filters.state import NO_FILTERS, FilterKind, FilterRole

MOST = 50.0
"""Milliseconds that refusing a document may take."""


class Document(Protocol):
    """As tests/hostile_fetchxml.py has them; `text` is made when asked for."""

    @property
    def name(self) -> str: ...
    @property
    def text(self) -> str: ...


async def fetchxml(options: Options) -> AsyncIterator[Figure]:
    documents: Sequence[Document] = import_module("tests.hostile_fetchxml").DOCUMENTS
    ours: dict[str, list[float]] = {document.name: [] for document in documents}
    beside: dict[str, list[float]] = {document.name: [] for document in documents}
    with placed("measured"):
        for turn, document in product(range(options.rounds + 1), documents):
            text = document.text
            taken = _refused(text), _read(text)
            if turn:
                ours[document.name].append(taken[0])
                beside[document.name].append(taken[1])
    medians = {name: median(times) for name, times in ours.items()}
    slowest = max(medians, key=medians.__getitem__)
    yield Figure(
        name=f"fetchxml, the slowest of {len(documents)} hostile documents ({slowest})",
        unit="ms",
        limit="expat alone over the same text, its handlers left out",
        ours=ours[slowest],
        beside=beside[slowest],
        goal=Goal("ours", "<=", MOST),
        more={
            "median_ms": round(median(medians.values()), 3),
            "slower": sum(each > MOST for each in medians.values()),
        },
    )


def _refused(text: str) -> float:
    """Milliseconds to a refusal."""
    asked = DefineFilter(
        role=FilterRole.SYSTEM_FILTER,
        kind=FilterKind.ONLINE,
        table="contact",
        name="Hostile",
        criteria=text,
    )
    _stored_text.cache_clear()
    before = perf_counter()
    answer = decide(NO_FILTERS, asked)
    taken = perf_counter() - before
    assert isinstance(answer, FilterNotValid), answer
    return taken * 1000


def _read(text: str) -> float:
    """Milliseconds until expat is through, or stops."""
    data, parser = text.encode(errors="surrogatepass"), expat.ParserCreate("utf-8")
    before = perf_counter()
    with suppress(expat.ExpatError):
        parser.Parse(data, True)
    return (perf_counter() - before) * 1000
