"""Requests made to cost much are refused with their code, in few words, or are answered."""

import pytest
import pytest_asyncio
from edge import ADA, Edge, at, codes, opened
from hostile_documents import ANSWERED, REQUEST, hostile_documents

from api.decoding import MOST_OBJECTS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.unwatched]
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

LONGEST_REFUSAL = 20_000
"""Bytes."""


async def test_each_has_a_name_of_its_own() -> None:
    names = [document.name for document in hostile_documents()]
    assert len(set(names)) == len(names)


async def test_each_is_refused_with_its_code_in_few_words_or_answered(edge: Edge) -> None:
    found, long = {}, {}
    headers = {**edge.authorization(ADA), "content-type": "application/json"}
    for document in hostile_documents():
        answer = await edge.http.post("/graphql", content=document.body("1"), headers=headers)
        assert answer.status_code in {200, 400}, document.name
        found[document.name] = next(iter(codes(answer.json())), ANSWERED)
        if found[document.name] and len(answer.content) > LONGEST_REFUSAL:
            long[document.name] = len(answer.content)
    assert found == {document.name: document.code for document in hostile_documents()}
    assert long == {}


async def test_a_socket_survives_them_all(edge: Edge) -> None:
    async with edge.talk(ADA) as talk:
        for document in hostile_documents():
            if document.code == REQUEST or document.body("2").count(b"{") > MOST_OBJECTS - 2:
                continue  # what cannot be read closes it
            head = f'{{"type": "subscribe", "id": "{document.name}", "payload": '
            await talk.connection.send(f"{head}{document.body('2').decode()}}}")
            said = await talk.hear()
            assert at(said, "id") == document.name
            if at(said, "type") == "next":
                assert await talk.hear() == {"type": "complete", "id": document.name}
