"""Which of our media types answers a client, by its Accept header.

Law: quality values decide; what only lists an event stream or a page, and prefers something else,
does not get one; who accepts anything gets application/json.
"""

from enum import StrEnum

import mimeparse


class Media(StrEnum):
    """In the order of what wins where a client likes several as much."""

    PAGE = "text/html"
    EVENTS = "text/event-stream"
    JSON = "application/json"
    GRAPHQL = "application/graphql-response+json"


LONGEST_ACCEPT = 1_000
"""Characters; comparing takes time for each of them."""


class NotAcceptable(Exception):
    """Nothing that we have is accepted."""

    def __init__(self, accept: str) -> None:
        super().__init__(
            f"Nothing here is {accept[:200]!r}. Accept {Media.GRAPHQL}, {Media.JSON} or, for a "
            f"stream, {Media.EVENTS}."
        )


def preferred(accept: str | None, *, page: bool) -> Media:
    """What a client likes best. `page`: whether there is a page to show. Or NotAcceptable."""
    if not accept:
        return Media.JSON
    if len(accept) > LONGEST_ACCEPT:
        raise NotAcceptable(accept)
    named = accept.lower()
    offered = [
        media
        for media in Media
        if media is Media.JSON or (media in named and (page or media is not Media.PAGE))
    ]
    try:
        best: str = mimeparse.best_match(offered, named)
    except mimeparse.MimeTypeParseException as error:
        raise NotAcceptable(accept) from error
    if not best:
        raise NotAcceptable(accept)
    return Media(best)
