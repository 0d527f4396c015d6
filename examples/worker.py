"""A sync worker to start from: it follows an environment, whatever happens to it or to the server.

    TOKEN=… [URL=ws://…/graphql] python examples/worker.py contoso-prod [contoso-prod.db]

What it does with a change set, and the position it has come to, are one transaction of its own
database: killed at any moment, it goes on after the last change set that it has done.
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

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

URL = os.environ.get("URL", "ws://127.0.0.1:8000/graphql")
SILENCE = 45.0  # seconds; a heartbeat comes every 15
FEED = """subscription ($environment: String!, $after: Int!) {
  settingsFeed(environmentKey: $environment, after: $after) { position
    ... on ChangeSetAppended { changeSet { changes { setting after summary } } } } }"""
TABLES = """CREATE TABLE IF NOT EXISTS place (one PRIMARY KEY, position INTEGER);
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT, changes INTEGER);"""
CHANGED = """INSERT INTO settings VALUES (?, ?, 1)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, changes = changes + 1"""


def follow(environment: str, after: int) -> Iterator[dict[str, Any]]:
    """Every item of the feed after a position, until the feed or the connection ends."""
    token = {"authorization": f"Bearer {os.environ['TOKEN']}"}
    query = {"query": FEED, "variables": {"environment": environment, "after": after}}
    with connect(URL, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": token}))
        socket.send(json.dumps({"type": "subscribe", "id": "feed", "payload": query}))
        while (message := json.loads(socket.recv(SILENCE)))["type"] != "complete":
            payload = message.get("payload", {})
            if errors := payload if message["type"] == "error" else payload.get("errors"):
                if errors[0]["extensions"]["code"] in {"FORBIDDEN", "BAD_USER_INPUT"}:
                    sys.exit(f"refused: {errors[0]['message']}")
                raise OSError(errors[0]["message"])
            if message["type"] == "next":
                yield payload["data"]["settingsFeed"]


def work(database: sqlite3.Connection, item: dict[str, Any]) -> None:
    """Here a real worker acts. This one keeps a copy of the settings, and says what happened."""
    with database:
        for change in item["changeSet"]["changes"] if "changeSet" in item else ():
            if change["setting"] is not None:
                database.execute(CHANGED, (change["setting"], change["after"]))
            print(item["position"], change["summary"], sep="  ", flush=True)
        database.execute("INSERT OR REPLACE INTO place VALUES (1, ?)", (item["position"],))


def main(environment: str, path: str | None = None) -> None:
    database, patience = sqlite3.connect(path or f"{environment}.db"), 1.0
    database.executescript(TABLES)
    while True:
        (after,) = database.execute("SELECT coalesce(max(position), 0) FROM place").fetchone()
        try:
            for item in follow(environment, after):
                work(database, item)
                patience = 1.0
        except (OSError, WebSocketException) as error:
            if (closed := getattr(error, "rcvd", None)) and closed.code in {4401, 4403}:
                sys.exit(f"refused: {closed.reason}")
            print("lost the service, asking again:", error, file=sys.stderr)
        time.sleep(patience * random.random())
        patience = min(2 * patience, 30.0)


with contextlib.suppress(KeyboardInterrupt):
    main(*sys.argv[1:])
