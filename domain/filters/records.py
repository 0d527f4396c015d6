"""Records as they are asked about, and answers that may be unknown.

Law: three-valued, as SQL is: what is not known stays unknown unless the rest decides.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

type Verdict = bool | None
"""None: not to be known."""


class _Absent(Enum):
    LEFT_OUT = auto()


LEFT_OUT = _Absent.LEFT_OUT
"""What a column holds that the record does not have."""

type Columns = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`related`: records that links may find, by table; a table that is left out is unknown.

    A related record without any of its own shares those of the first.

    `joined`: what stands beside it, by the alias of its link.
    """

    columns: Columns
    related: "Mapping[str, Sequence[Record]]" = field(default_factory=dict)
    joined: "Mapping[str, Record]" = field(default_factory=dict)


type Predicate = Callable[[Record], Verdict]
"""ValueError for text that is no value of its column."""


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Yes where one says yes, no where all say no, otherwise not to be known."""
    unknown = False
    for verdict in verdicts:
        if verdict is True:
            return True
        unknown = unknown or verdict is None
    return None if unknown else False


def both(one: Verdict, other: Verdict) -> Verdict:
    """No where one says no, yes where both say yes, otherwise not to be known."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def opposite(verdict: Verdict) -> Verdict:
    return None if verdict is None else not verdict
