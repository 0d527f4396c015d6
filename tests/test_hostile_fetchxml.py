"""What is no filter is refused with its place, and in little memory that is given back."""

import gc
import sys
import tracemalloc
from collections.abc import Iterator

import pytest
from hostile_fetchxml import DOCUMENTS, Hostile

from domain.filters.commands import DefineFilter
from domain.filters.lifecycle import _stored_text, decide
from domain.filters.operators import OPERATORS
from domain.filters.refusals import FilterNotValid
from domain.filters.state import NO_FILTERS, FilterKind, FilterRole

MEGABYTE = 1_000_000
MOST = 8 * MEGABYTE
"""Above the document itself."""
GROWTH = MEGABYTE // 10
"""In a round over all documents."""


def refused(text: str) -> FilterNotValid:
    asked = DefineFilter(
        role=FilterRole.SYSTEM_FILTER,
        kind=FilterKind.ONLINE,
        table="contact",
        name="Hostile",
        criteria=text,
    )
    found = decide(NO_FILTERS, asked)
    assert isinstance(found, FilterNotValid), found
    return found


def test_there_are_documents_of_every_kind() -> None:
    assert len({each.name for each in DOCUMENTS}) == len(DOCUMENTS)
    assert len({each.text for each in DOCUMENTS}) == len(DOCUMENTS)
    for name in OPERATORS:
        assert sum(each.name.startswith(f"{name}: ") for each in DOCUMENTS) >= 2


@pytest.mark.parametrize("document", DOCUMENTS, ids=[each.name for each in DOCUMENTS])
def test_a_document_that_is_no_filter_is_refused_with_its_place(document: Hostile) -> None:
    found = refused(document.text)
    assert found.problems[0].path == document.path
    assert all(each.path and each.message for each in found.problems)
    assert found.problems[0].message in found.message


@pytest.fixture
def warm() -> Iterator[None]:
    """After a round over what is small, memory is counted, and only what is new is collected."""
    for document in DOCUMENTS:
        if isinstance(document.made, str):
            refused(document.made)
    held()
    gc.freeze()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.unfreeze()


def held() -> int:
    """Bytes that are in use once nothing is remembered."""
    _stored_text.cache_clear()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def most(document: Hostile) -> int:
    """Bytes in use at most while the document is refused, the document itself aside."""
    text, before = document.text, held()
    tracemalloc.reset_peak()
    refused(text)
    return tracemalloc.get_traced_memory()[1] - before


@pytest.mark.unwatched
def test_refusing_takes_little_memory_and_gives_it_back(warm: None) -> None:
    before = held()
    taken = {document.name: most(document) for document in DOCUMENTS}
    assert {name: size for name, size in taken.items() if size > MOST} == {}
    assert held() - before - sys.getsizeof(taken) < GROWTH
