"""Operations that schemathesis generates from the promised schema, for every field of its roots."""

import asyncio
import logging
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
import schemathesis
from edge import ADA, KEY, PATIENCE, Edge, Person, codes, opened, text_at
from graphql import (
    REMOVE,
    ArgumentNode,
    ObjectFieldNode,
    StringValueNode,
    Visitor,
    parse,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from api.errors import ErrorCode
from api.media import Media

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")

EXAMPLES = 10
MASTER = Person(ADA.subject, platform_administrator=True)
ACCIDENTS = {ErrorCode.INTERNAL_SERVER_ERROR, ErrorCode.SERVICE_UNAVAILABLE}
PROMISE = schemathesis.graphql.from_path(Path(__file__).parents[1] / "schema.graphql")
ROOTS = (PROMISE.client_schema.query_type, PROMISE.client_schema.mutation_type)
FIELDS = [f"{root.name}.{field}" for root in ROOTS if root for field in root.fields]

instants = st.datetimes(timezones=st.timezones()).map(lambda instant: instant.isoformat())
schemathesis.graphql.scalar("DateTime", instants.map(nodes.String))


class Known(Visitor):
    """Puts what there is in place of what nobody ever gave out; None: leaves it out."""

    def __init__(self, known: dict[str, str | None]) -> None:
        super().__init__()
        self._known = known

    def enter_argument(self, node: ArgumentNode, *_: object) -> object:
        return self._replaced(node)

    def enter_object_field(self, node: ObjectFieldNode, *_: object) -> object:
        return self._replaced(node)

    def _replaced(self, node: ArgumentNode | ObjectFieldNode) -> object:
        if node.name.value not in self._known:
            return None
        value = self._known[node.name.value]
        return (
            REMOVE
            if value is None
            else type(node)(name=node.name, value=StringValueNode(value=value))
        )


@pytest.mark.parametrize("field", FIELDS)
async def test_no_generated_operation_is_an_accident(
    edge: Edge, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    answer = await edge.data(ADA, f'{{ environment(key: "{KEY}") {{ id }} }}')
    known = Known(
        {
            "key": KEY,
            "environmentKey": KEY,
            "id": text_at(answer, "environment.id"),
            "requestId": str(UUID(int=1)),
            **dict.fromkeys(("after", "before", "last", "atLeastPosition")),
        }
    )
    operation = PROMISE.find_operation_by_label(field)
    assert operation is not None
    documents = operation.as_strategy().map(lambda case: str(case.body))

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(document=documents, as_known=st.sampled_from([False, True, True]))
    def conforms(document: str, as_known: bool) -> None:
        asked = print_ast(visit(parse(document), known)) if as_known else document
        answer = httpx.post(
            f"{edge.address}/graphql",
            json={"query": asked},
            headers={**edge.authorization(MASTER), "accept": Media.GRAPHQL},
            timeout=PATIENCE,
        )
        body = answer.json()
        assert answer.status_code == (200 if "data" in body else 400), (asked, body)
        assert body.keys() <= {"data", "errors", "extensions"}, (asked, body)
        assert set(codes(body)) <= set(ErrorCode) - ACCIDENTS, (asked, body)

    await asyncio.to_thread(conforms)
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
