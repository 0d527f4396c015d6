"""Instants as the API writes and reads them."""

from datetime import UTC, datetime

import strawberry


def written(instant: datetime) -> str:
    """ISO 8601 in UTC with microseconds, e.g. 2026-03-03T09:00:00.000000Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(text: object) -> datetime:
    """An instant. TypeError or ValueError for anything but ISO 8601 with a time zone."""
    if not isinstance(text, str):
        raise TypeError(f"An instant is a string such as 2026-03-03T09:00:00Z, not {text!r}.")
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone. Write Z or an offset at its end.")
    return instant


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="An instant, ISO 8601 in UTC with microseconds.",
    serialize=written,
    parse_value=read,
)
