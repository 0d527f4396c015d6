"""Python clients that others wrote: one that is generated from our schema, and `gql` over HTTP."""

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
import pytest_asyncio
from edge import CARL, KEY, STAFFED, Edge, opened
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from pages import ROOT

CLIENTS = ROOT / ".venv-clients"
"""An environment of its own, since ariadne-codegen wants another graphql-core than we do."""
PROJECT = ROOT / "tests" / "clients" / "ariadne"
SLOWEST = 60.0

pytestmark = pytest.mark.asyncio(loop_scope="module")
edge = pytest_asyncio.fixture(opened, scope="module", loop_scope="module")


async def run(program: str, *words: str | Path, folder: Path, said: object = None) -> str:
    """A program of the clients' environment, to its good end; what it printed."""
    process = await asyncio.create_subprocess_exec(
        CLIENTS / "bin" / program, *words, cwd=folder, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(SLOWEST):
            printed, complained = await process.communicate(json.dumps(said).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complained.decode()
    return printed.decode()


@pytest.mark.skipif(
    not (CLIENTS / "ready").exists(), reason="`make test` sets .venv-clients up, and is needed once"
)
async def test_a_client_generated_from_the_schema_asks_changes_and_follows(
    edge: Edge, tmp_path: Path
) -> None:
    folder = shutil.copytree(PROJECT, tmp_path / "project")
    shutil.copy(ROOT / "schema.graphql", folder)
    await run("ariadne-codegen", "--config", "codegen.toml", "client", folder=folder)
    key = await edge.open()
    asked = {"address": f"{edge.address}/graphql", "token": edge.token(CARL), "key": key}
    seen = json.loads(await run("python", "program.py", folder=folder, said=asked))
    assert seen == {
        "registered": "UTC",
        "may_change": True,
        "before": False,
        "heartbeat": ["Heartbeat", STAFFED],
        "changed": STAFFED + 2,
        "appended": ["assignedTasks", "fieldMapping:contact.notes"],
        "previewed": [],
        "after": True,
    }


async def test_gql_reads_the_schema_asks_and_changes_over_http(edge: Edge) -> None:
    transport = HTTPXAsyncTransport(url=f"{edge.address}/graphql", headers=edge.authorization(CARL))
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        asked = gql("query ($key: String!) { environment(key: $key) { key } }")
        asked.variable_values = {"key": KEY}
        assert await session.execute(asked) == {"environment": {"key": KEY}}
        asked.variable_values = {"key": "NO KEY"}
        with pytest.raises(TransportQueryError, match="BAD_USER_INPUT"):
            await session.execute(asked)
        made = await session.execute(
            gql(f"""mutation {{ changeSettings(input: {{ environmentKey: "{KEY}",
              changes: [{{ assignedTasks: {{ enabled: true }} }}] }}) {{ __typename }} }}""")
        )
        assert made == {"changeSettings": {"__typename": "SettingsChanged"}}
