"""What is wrong with criteria, and where.

Law: a problem is told, never raised, and all of them at once where they can be found at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

WHOLE = "criteria"
"""The path of what is about all of it."""
MOST_PROBLEMS = 100
"""That are told of one filter."""
LONGEST = 80
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`path`: in the tree, e.g. `groups[0].conditions[2].values`; in FetchXML, its elements."""

    path: str
    message: str


def shown(text: str) -> str:
    """A value as a message shows it: quoted, and cut where it is long."""
    return repr(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def first(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """So many as are told; nobody looks for the rest."""
    found = tuple(islice(problems, MOST_PROBLEMS + 1))
    if len(found) <= MOST_PROBLEMS:
        return found
    more = f"There are more problems than these {MOST_PROBLEMS}; nobody looked for the rest."
    return (*found[:MOST_PROBLEMS], Problem(path=WHOLE, message=more))
