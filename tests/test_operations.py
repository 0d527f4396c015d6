import pytest

from api import operations
from api.operations import Documents, Rejected

GOOD = {"query": "{ viewer { platformAdministrator } }"}


def test_a_document_is_parsed_once_however_often_it_comes() -> None:
    documents = Documents()
    first = documents.operation(GOOD)
    assert documents.operation(GOOD).document is first.document


@pytest.mark.parametrize(
    "bad", ["{ viewer", "{ nobody }", '{ viewer(a: "\\u0000") { __typename } }']
)
def test_a_document_that_is_not_good_is_not_kept(bad: str) -> None:
    documents = Documents()
    for _ in range(2):
        with pytest.raises(Rejected):
            documents.operation({"query": bad})
    assert not documents._known


def test_the_documents_least_recently_used_are_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operations, "MOST_KEPT", 3 * len("{a:__typename}"))
    documents = Documents()
    kept = {name: documents.operation({"query": f"{{{name}:__typename}}"}) for name in "abc"}
    assert documents.operation({"query": "{a:__typename}"}).document is kept["a"].document
    documents.operation({"query": "{d:__typename}"})
    assert list(documents._known) == [f"{{{name}:__typename}}" for name in "cad"]


def test_a_document_larger_than_all_that_is_kept_is_run_and_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operations, "MOST_KEPT", 10)
    documents = Documents()
    assert documents.operation(GOOD).name is None
    assert not documents._known
