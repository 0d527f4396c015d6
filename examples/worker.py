"""A sync worker to start from: it follows an environment, whatever happens to it or to the server.

    TOKEN=… [URL=ws://…/graphql] python examples/worker.py contoso-prod [contoso-prod.db]

A change set and its place are one transaction of its own database, so it can be killed at any
moment; what to do with its items it asks. It stops when the log was restored to before its place.
"""

import contextlib
import json
import os
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from typing import Any

from decisions import TABLE, URL, decide
from websockets import Subprotocol, WebSocketException
from websockets.sync.client import connect

FEED = """subscription ($key: String!, $after: Int!) {
  settingsFeed(environmentKey: $key, after: $after) { ... on ChangeSetAppended {
    changeSet { changes { position setting after summary seal } } } } }"""
TABLES = f"""CREATE TABLE IF NOT EXISTS place (one PRIMARY KEY, position INTEGER, seal TEXT);
CREATE TABLE IF NOT EXISTS changes (position INTEGER, setting TEXT, value TEXT); {TABLE}"""
RESTORED = """refused: The log was restored to an earlier point, or is of another environment.
Compare what was done with the settings as they are, remove this database, and start again."""


def follow(environment: str, after: int) -> Iterator[list[dict[str, Any]]]:
    """The changes of each item of the feed, none of a heartbeat, until it or the line ends."""
    token = {"authorization": f"Bearer {os.environ['TOKEN']}"}
    query = {"query": FEED, "variables": {"key": environment, "after": after}}
    with connect(URL, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": token}))
        socket.send(json.dumps({"type": "subscribe", "id": "feed", "payload": query}))
        while (message := json.loads(socket.recv(45)))["type"] != "complete":  # three heartbeats
            payload = message.get("payload", {})
            if errors := payload if message["type"] == "error" else payload.get("errors"):
                code, says = errors[0]["extensions"]["code"], errors[0]["message"]
                if code in {"FORBIDDEN", "BAD_USER_INPUT"}:
                    sys.exit(RESTORED if "beyond the end" in says else f"refused: {says}")
                raise OSError(says)
            if message["type"] == "next":
                yield payload["data"]["settingsFeed"].get("changeSet", {"changes": []})["changes"]


def work(database: sqlite3.Connection, told: list[dict[str, Any]]) -> None:
    """A real worker keeps nothing of this but its place; here it is a list of what happened."""
    with database:
        database.executemany("INSERT INTO changes VALUES (:position, :setting, :after)", told)
        print(*(f"{told[-1]['position']}  {c['summary']}" for c in told), sep="\n", flush=True)
        database.execute("INSERT OR REPLACE INTO place VALUES (1, :position, :seal)", told[-1])


def main(environment: str, path: str | None = None) -> None:
    database, patience = sqlite3.connect(path or f"{environment}.db"), 0.5
    database.executescript(TABLES)
    while True:
        done = database.execute("SELECT position, seal FROM place").fetchone()
        try:  # what was done last comes again first, and must have the same seal
            for changes in follow(environment, done[0] - 1 if done else 0):
                if done and not (changes and changes[-1]["seal"] == done[1]):
                    sys.exit(RESTORED)
                if changes and not done:
                    work(database, changes)
                done, patience = None, 0.5
                decide(database, environment)
        except (OSError, WebSocketException) as error:
            if (closed := getattr(error, "rcvd", None)) and closed.code in {4401, 4403}:
                sys.exit(f"refused: {closed.reason}")
            print("lost the service, asking again:", error, file=sys.stderr)
        time.sleep(random.random() * (patience := min(2 * patience, 30.0)))


with contextlib.suppress(KeyboardInterrupt):
    main(*(sys.argv[1:] if sys.argv[1:] and "TOKEN" in os.environ else sys.exit(__doc__)))
