"""Standings along one log, so that a past point is folded from near by and not from the beginning.

Law: never more than a few, evenly spread however long the log is; each stands where a change set
ends.
"""

from bisect import bisect_right
from datetime import datetime
from operator import attrgetter

from eventstore.log import Tip

MOST = 64
STRIDE = 64


class Milestones:
    def __init__(self) -> None:
        self._tips = [Tip()]
        self._stride = STRIDE

    def pass_by(self, tip: Tip) -> None:
        """Keep this one if it is far enough from the last."""
        if tip.position < self._tips[-1].position + self._stride:
            return
        self._tips.append(tip)
        if len(self._tips) > MOST:
            del self._tips[1::2]
            self._stride *= 2

    def before(self, position: int) -> Tip:
        """The nearest at this position or earlier."""
        return self._tips[bisect_right(self._tips, position, key=attrgetter("position")) - 1]

    def before_time(self, at: datetime) -> Tip:
        """The nearest at this time or earlier."""
        return self._tips[bisect_right(self._tips[1:], at, key=_time)]


def _time(tip: Tip) -> datetime:
    if tip.standing is None:
        raise ValueError("Nothing stands before the first entry.")
    return tip.standing.as_of
