"""What a worker does with its items is asked of the service, which knows the rules and says why.

An item is a row of `items` with its user and itself as JSON: a SyncUserInput and a SyncItemInput.
Whoever finds one puts it there, e.g. by

    INSERT INTO items (user, item) VALUES ('{"id": "a11ce000-0000-4000-8000-000000000000"}',
      '{"type": "TASK", "linked": true, "columns": [{"column": "statecode", "value": "0"}]}');

and within seconds, at the feed's next sign of life, what was decided, or why it cannot be, is
written beside it. It is decided anew once the settings have changed, and every hour, since filters
can look at the time.
"""

import json
import os
import sqlite3
import sys
import urllib.request
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError

URL = os.environ.get("URL", "ws://127.0.0.1:8000/graphql")
TABLE = """CREATE TABLE IF NOT EXISTS items
  (id INTEGER PRIMARY KEY, user TEXT, item TEXT, decision TEXT, position INTEGER, at INTEGER);"""
RULES = """query ($key: String!, $at: Int, $user: SyncUserInput!, $items: [SyncItemInput!]!) {
  environment(key: $key, atLeastPosition: $at) { settings {
    position
    syncDecisions(user: $user, items: $items) {
      toExchange toCrm attachments matchedFilters missingColumns
      reasons { rule message }
      fields { mapping { mapping } direction }
    } } } }"""
WAITING = (
    """position IS NULL OR position < (SELECT position FROM place) OR at < unixepoch() - 3600"""
)
DONE = "UPDATE items SET decision = ?, position = ?, at = unixepoch() WHERE id = ?"
MOST = 100


def decide(database: sqlite3.Connection, environment: str) -> None:
    """Every item that waits, those of one user at once. OSError when the service is away."""
    most = MOST
    while waiting := database.execute(f"SELECT user FROM items WHERE {WAITING}").fetchone():
        chosen = f"SELECT id, item FROM items WHERE user = ? AND ({WAITING}) LIMIT {most}"
        rows = database.execute(chosen, waiting).fetchall()
        (at,) = database.execute("SELECT max(position) FROM place").fetchone()
        items = [json.loads(item) for _, item in rows]
        variables = {"key": environment, "at": at, "user": json.loads(waiting[0]), "items": items}
        decisions = _asked(variables)
        if not decisions and most > 1:
            most = max(1, len(rows) // 2)
            continue
        with database:
            for (item, _), decision in zip(rows, decisions or [TOO_MUCH], strict=True):
                # Here a real worker acts.
                print(f"item {item}:", decision.get("toExchange", decision), flush=True)
                database.execute(DONE, (json.dumps(decision), at, item))


TOO_MUCH: dict[str, Any] = {"refused": "It is too large, or takes too long."}


def _asked(variables: dict[str, Any]) -> list[dict[str, Any]]:
    """A decision for each item, or why there is none. Nothing where it was too much at once."""
    request = urllib.request.Request(
        URL.replace("ws", "http", 1),
        json.dumps({"query": RULES, "variables": variables}).encode(),
        {
            "authorization": f"Bearer {os.environ['TOKEN']}",
            "content-type": "application/json",
            "accept": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
    except HTTPError as error:
        if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return []
        raise
    told = {error["extensions"]["code"]: error for error in answer.get("errors", ())}
    settings = ((answer.get("data") or {}).get("environment") or {}).get("settings")
    if settings is None and "TOO_COSTLY" in told:
        return []
    if settings is None and "BAD_USER_INPUT" not in told:
        if "FORBIDDEN" in told:
            sys.exit(f"refused: {told['FORBIDDEN']['message']}")
        raise OSError(f"no decisions: {answer}")
    found = [None] * len(variables["items"]) if settings is None else settings["syncDecisions"]
    why = [error["message"] for error in answer.get("errors", ())]
    return [each or {"refused": why} for each in found]
