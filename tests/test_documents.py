import pytest
from graphql import OperationDefinitionNode, parse

from api import documents
from api.documents import RULES, Documents, describes
from api.rejected import Rejected
from api.schema import executable

GOOD = "{ viewer { platformAdministrator } }"


def test_a_document_is_parsed_once_however_often_it_comes() -> None:
    known = Documents(executable())
    first = known.document(GOOD)
    assert known.document(GOOD) is first


@pytest.mark.parametrize(
    "bad", ["{ viewer", "{ nobody }", '{ viewer(a: "\\u0000") { __typename } }']
)
def test_a_document_that_is_not_good_is_not_kept(bad: str) -> None:
    known = Documents(executable())
    for _ in range(2):
        with pytest.raises(Rejected):
            known.document(bad)
    assert not known._known


def test_the_documents_least_recently_used_are_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "MOST_KEPT", 3 * len("{a:__typename}"))
    known = Documents(executable())
    kept = {name: known.document(f"{{{name}:__typename}}") for name in "abc"}
    assert known.document("{a:__typename}") is kept["a"]
    known.document("{d:__typename}")
    assert list(known._known) == [f"{{{name}:__typename}}" for name in "cad"]


def test_a_document_larger_than_all_that_is_kept_is_read_and_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "MOST_KEPT", 10)
    known = Documents(executable())
    assert known.document(GOOD).points == {None: 1}
    assert not known._known


@pytest.mark.parametrize("text", ["#" * 20_001, "\n" * 2_000 + GOOD, "\r" * 2_000 + GOOD])
def test_a_long_document_is_not_even_read(text: str) -> None:
    with pytest.raises(Rejected, match="at most 20000 characters and 2000 lines"):
        Documents(executable()).document(text)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{ __schema { queryType { name } } }", True),
        ('query A { __type(name: "Query") { name } b: __schema { description } }', True),
        ("{ __typename }", False),
        ("{ __typename viewer { platformAdministrator } }", False),
        ("query ($n: String!) { __type(name: $n) { name } }", False),
        ("{ ...f } fragment f on Query { __typename }", False),
    ],
)
def test_what_only_describes_the_schema_is_the_same_for_everybody(
    document: str, said: bool
) -> None:
    operation = parse(document).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    assert describes(operation) is said


def test_no_rule_visits_what_is_left_out() -> None:
    kinds = ("name",)
    visitors = [name for rule in RULES for name in dir(rule) if name.startswith(("enter", "leave"))]
    assert visitors
    assert not [name for name in visitors if name.split("_", 1)[-1] in kinds]
