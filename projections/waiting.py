"""Those who wait for a log to move, woken in groups.

Law: who came first is woken first; between two groups everybody else has a turn, so that thousands
who follow one environment hold up nobody who follows another.
"""

import asyncio

GROUP = 50
"""As many are told in some milliseconds."""


class Waiting:
    def __init__(self) -> None:
        self._groups: list[asyncio.Event] = []
        self._room = 0
        """How many more the last group takes."""

    def join(self) -> asyncio.Event:
        """What is set when something has moved."""
        if not self._room:
            self._groups.append(asyncio.Event())
            self._room = GROUP
        self._room -= 1
        return self._groups[-1]

    def wake(self) -> None:
        """Whoever waits looks again; who comes from now on waits for the next time."""
        groups, self._groups, self._room = self._groups, [], 0
        if groups:
            _wake(groups[::-1])


def _wake(groups: list[asyncio.Event]) -> None:
    groups.pop().set()
    if groups:
        asyncio.get_running_loop().call_soon(_wake, groups)
