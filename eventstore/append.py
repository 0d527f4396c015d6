"""One call of append(): what was drafted, as rows in JSON, in one commit.

Law: the database is told everything at once, and answers with what it left alone.
"""

from collections.abc import Iterable
from datetime import datetime

from eventstore.codec import text
from eventstore.database import Connection
from eventstore.log import SQL
from eventstore.seal import Entry
from eventstore.transact import Draft, Remark, Seen

type Row = dict[str, object]


async def append(connection: Connection, drafts: Iterable[Draft], at: datetime) -> set[str]:
    """Write the drafts, all at that time.

    Gives the environments that were elsewhere, for which nothing was written.
    """
    ((elsewhere,),) = await connection.fetch(SQL["append"], *arguments(drafts, at))
    return set(elsewhere or ())


def arguments(drafts: Iterable[Draft], at: datetime) -> tuple[datetime, str, str, str, str]:
    """The time, and the rows of heads, entries, remarks and requests."""
    drafts = list(drafts)
    return (
        at,
        text([_head(draft) for draft in drafts]),
        text([_entry(entry) for draft in drafts for entry in draft.entries]),
        text([_remark(remark) for draft in drafts for remark in draft.remarks]),
        text([_seen(seen) for draft in drafts for seen, _ in draft.requests.values()]),
    )


def _head(draft: Draft) -> Row:
    return {
        "environment": draft.environment,
        "expected": draft.start.position,
        "tip": draft.tip.position,
        "seal": _bytea(draft.tip.seal),
    }


def _entry(entry: Entry) -> Row:
    return {
        "environment": entry.environment,
        "position": entry.position,
        "change_set": entry.change_set,
        "type": entry.type,
        "payload": entry.payload,
        "actor": entry.actor,
        "reason": None if entry.reason is None else _bytea(entry.reason),
        "seal": _bytea(entry.seal),
    }


def _remark(remark: Remark) -> Row:
    return {**remark._asdict(), "salt": _bytea(remark.salt)}


def _seen(seen: Seen) -> Row:
    return {**seen._asdict(), "digest": _bytea(seen.digest)}


def _bytea(content: bytes) -> str:
    """As Postgres reads it."""
    return f"\\x{content.hex()}"
