"""What is wrong with criteria, and where.

Law: a problem is told, never raised, and all of them at once where they can be found at once.
"""

from dataclasses import dataclass

WHOLE = "criteria"
"""The path of what is about all of it."""
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
