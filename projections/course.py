"""One environment in memory: where it stands, how it came there, and who waits for it to move.

Law: change sets are taken over in order; what is known is skipped, and nothing is taken over a gap.
"""

import asyncio
from bisect import bisect_left, bisect_right
from collections import deque
from itertools import islice

from domain.standing import ChangeSet
from eventstore.log import Tip
from projections.waiting import Waiting

KEPT = 2_048
"""Change sets kept in memory, so that who follows or projects a busy log rarely reads it."""
KEPT_OF_THE_PAST = 64
"""Of those that were read from the log and not lived through."""
FEWEST, WEIGHT = 64, 65_536
"""Each remembers the last change of every setting, and of every member: of so many together."""
MOST_CHARACTERS = 8_000_000
"""Of what their settings held before and after: criteria of filters can be long."""


class Course:
    def __init__(self) -> None:
        self.tip: Tip | None = None
        self.whole = False
        """Whether the tip once was the end of the log: not while it is read for the first time."""
        self.reading = asyncio.Lock()
        self._recent: deque[ChangeSet] = deque()
        self._characters = 0
        self.waiting = Waiting()

    def move(self, change_set: ChangeSet, seal: bytes) -> bool:
        """False for a change set that does not follow: the log must be read first."""
        position = 0 if self.tip is None else self.tip.position
        first = change_set.changes[0].recorded.position
        if first > position + 1:
            return False
        if first == position + 1:
            self.tip = Tip(change_set.standing, seal)
            self._recent.append(change_set)
            self._characters += _characters(change_set)
            weight = len(change_set.standing.last_changes)
            self._keep(min(KEPT, max(FEWEST, WEIGHT // weight)))
            self.waiting.wake()
        return True

    def settle(self) -> None:
        """The log was read to its end. What was read is past, and can be read again."""
        self.whole = True
        self._keep(KEPT_OF_THE_PAST)

    def _keep(self, most: int) -> None:
        while len(self._recent) > most or (
            self._characters > MOST_CHARACTERS and len(self._recent) > 1
        ):
            self._characters -= _characters(self._recent.popleft())

    def recent_after(self, position: int) -> list[ChangeSet] | None:
        """The change sets after a position, None where memory does not go back that far."""
        if self.tip is not None and position >= self.tip.position:
            return []
        start = bisect_right(self._recent, position, key=_position)
        after = list(islice(self._recent, start, None))
        whole = after and after[0].changes[0].recorded.position <= position + 1
        return after if whole else None

    def recent_at(self, position: int) -> ChangeSet | None:
        """The change set that ends at a position, if memory goes back that far."""
        place = bisect_left(self._recent, position, key=_position)
        if place == len(self._recent) or _position(self._recent[place]) != position:
            return None
        return self._recent[place]


def _position(change_set: ChangeSet) -> int:
    return change_set.standing.position


def _characters(change_set: ChangeSet) -> int:
    return sum(len(each.before or "") + len(each.after or "") for each in change_set.changes)
