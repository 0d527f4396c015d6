"""Instants as the API writes and reads them.

Law: one form for every instant that is written, so that the texts sort as the instants do; what is
read says its offset from UTC.
"""

from datetime import UTC, datetime

import strawberry

from api.errors import bad_input


def written(instant: datetime) -> str:
    """ISO 8601 in UTC with microseconds, e.g. 2026-03-03T09:00:00.000000Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(text: object) -> datetime:
    """ISO 8601 with an offset. BAD_USER_INPUT for anything else."""
    try:
        instant = datetime.fromisoformat(text) if isinstance(text, str) else None
        if instant is not None and instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise bad_input(
        f"An instant is ISO 8601 with an offset, e.g. 2026-03-03T09:00:00Z, not {str(text)[:80]!r}."
    )


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="An instant, ISO 8601 in UTC with microseconds. Any offset is read.",
    serialize=written,
    parse_value=read,
)
