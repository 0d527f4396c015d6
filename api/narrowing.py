"""What narrows a history, as clients ask for it and as the projections are asked.

Law: what cannot be is refused; a setting is known where one of the environments asked knows it.
"""

from collections.abc import Sequence
from uuid import UUID

from api.asking import ChangeFilter
from api.errors import bad_input, input_checked
from domain.environment import EVENT_TYPES
from domain.filters.state import GIVEN_PREFIX as GIVEN
from domain.filters.state import PREFIX as FILTER
from domain.lifecycle import NAME, STATE
from domain.membership import PREFIX as ROLE
from domain.source import SOURCE
from domain.standing import Standing
from domain.tab import TAB
from domain.text import checked_text
from eventstore.principals import Principals
from projections.sources import Filter

NOBODY = UUID(int=0)
"""No principal has this handle."""


async def narrowed_by(
    principals: Principals, standings: Sequence[Standing], asked: ChangeFilter | None
) -> Filter:
    """The filter of a history of these environments. BAD_USER_INPUT for what is unknown there."""
    if asked is None:
        return Filter()
    with input_checked():
        for text, what in ((asked.by, "A principal"), (asked.text, "A text")):
            if text is not None:
                checked_text(text, what, 1, 255)
    if asked.type is not None and asked.type not in EVENT_TYPES:
        raise bad_input(
            f"There is no event {asked.type[:80]!r}. There are {', '.join(sorted(EVENT_TYPES))}."
        )
    return Filter(
        by=None if asked.by is None else await _handle(principals, asked.by),
        setting=await _setting(principals, standings, asked.setting),
        type=asked.type,
        since=asked.since,
        until=asked.until,
        text=asked.text,
    )


async def _handle(principals: Principals, text: str) -> UUID:
    known = await principals.known(text)
    if known is not None:
        return known.handle
    try:
        return UUID(text)
    except ValueError:
        return NOBODY


async def _setting(
    principals: Principals, standings: Sequence[Standing], key: str | None
) -> str | None:
    """The key as the log has it: the edge names a principal, the log a handle."""
    if key is None:
        return None
    if key.startswith(ROLE) and key != ROLE:
        return f"{ROLE}{await _handle(principals, key.removeprefix(ROLE))}"
    places = (
        (*TAB, NAME, STATE, SOURCE, ROLE, FILTER, GIVEN),
        *(each.last_changes for each in standings),
    )
    beginning = key.endswith((":", "."))
    if not any(
        key in known or (beginning and any(each.startswith(key) for each in known))
        for known in places
    ):
        raise bad_input(
            f"There is no setting {key[:80]!r}. `settings {{ all {{ key }} }}` lists those of the "
            f"tab; besides them there are {NAME}, {STATE}, {SOURCE}, {ROLE}<principal id>, and "
            "what filters that were removed had."
        )
    return key
