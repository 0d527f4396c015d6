"""Instants as the API writes them.

Law: one form for every instant, so that the texts sort as the instants do.
"""

from datetime import UTC, datetime

import strawberry


def written(instant: datetime) -> str:
    """ISO 8601 in UTC with microseconds, e.g. 2026-03-03T09:00:00.000000Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="An instant, ISO 8601 in UTC with microseconds.",
    serialize=written,
)
