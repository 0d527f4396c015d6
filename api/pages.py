"""Lists in pages: cursors, `first` or `last`, and what lies beyond the page.

Law: a cursor names a place, not a count, so it stays right under inserts.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import NamedTuple

import strawberry

from api.errors import bad_input

USUAL = 50
MOST = 200
FIRST = f"At most that many, from the first on; {USUAL} when left out, at most {MOST}."
LAST = f"At most that many, from the last back; at most {MOST}."
MOST_IDS = 100
"""Of one `nodes`."""
MOST_DIGITS = 19
"""A number with as many may be too large."""
CURSOR = "1:"
"""The version of the cursors' form."""


@strawberry.type(description="What lies beyond a page.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows.")
    has_previous_page: bool = strawberry.field(description="Whether more goes before.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge.")


class Page(NamedTuple):
    """Which part of a list is asked for; the cursors opened."""

    size: int
    backwards: bool
    after: str | None
    before: str | None


def page(first: int | None, after: str | None, last: int | None, before: str | None) -> Page:
    """BAD_USER_INPUT for both ends at once, a size out of range, or a cursor that is not ours."""
    if first is not None and last is not None:
        raise bad_input("Ask for first or for last, not for both.")
    size = next((asked for asked in (first, last) if asked is not None), USUAL)
    if not 0 <= size <= MOST:
        raise bad_input(f"A page has 0 to {MOST} entries, not {size}.")
    return Page(size, last is not None, opened(after), opened(before))


def cursor(place: str) -> str:
    return urlsafe_b64encode(f"{CURSOR}{place}".encode()).decode().rstrip("=")


def opened(text: str | None) -> str | None:
    """The place a cursor names."""
    if text is None:
        return None
    try:
        place = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        place = ""
    named = place.removeprefix(CURSOR)
    if cursor(named) != text or "\0" in named:
        raise bad_input(f"{text[:80]!r} is no cursor. Take one from a page's edges.")
    return named


def numbered(place: str | None, of: str) -> int | None:
    """The number that a cursor names, in a list whose places are numbers."""
    if place is None:
        return None
    if not (place.isascii() and place.isdecimal() and len(place) < MOST_DIGITS):
        raise bad_input(f"This is no cursor of {of}. Take one from a page's edges.")
    return int(place)


def cut[Entry](asked: Page, walked: Sequence[Entry]) -> tuple[list[Entry], bool]:
    """The page out of a walk that went one further than it, and whether there is more."""
    kept = list(walked[: asked.size])
    if asked.backwards:
        kept.reverse()
    return kept, len(walked) > asked.size


def page_info(asked: Page, cursors: Sequence[str], *, more: bool) -> PageInfo:
    """`more`: whether the list goes on where the page was walked to."""
    return PageInfo(
        has_next_page=asked.before is not None if asked.backwards else more,
        has_previous_page=more if asked.backwards else asked.after is not None,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
