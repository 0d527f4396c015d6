"""Those who wait for a log to move, woken in groups.

Law: who came first is woken first; between two groups everybody else has a turn, so that thousands
who follow one environment hold up nobody who follows another; who gives up leaves nothing behind.
"""

import asyncio

GROUP = 50
"""As many are told in some milliseconds."""


class _Group:
    def __init__(self) -> None:
        self.moved = asyncio.Event()
        self.members = 0


class Waiting:
    def __init__(self) -> None:
        self._groups: dict[_Group, None] = {}
        """In the order of their coming; the last one takes whoever comes."""

    async def wait(self) -> None:
        """Until something has moved."""
        group = next(reversed(self._groups), None)
        if group is None or group.members >= GROUP:
            group = _Group()
            self._groups[group] = None
        group.members += 1
        try:
            await group.moved.wait()
        finally:
            group.members -= 1
            if not group.members:
                self._groups.pop(group, None)

    def wake(self) -> None:
        """Whoever waits looks again; who comes from now on waits for the next time."""
        groups, self._groups = list(self._groups), {}
        if groups:
            _wake(groups[::-1])


def _wake(groups: list[_Group]) -> None:
    groups.pop().moved.set()
    if groups:
        asyncio.get_running_loop().call_soon(_wake, groups)
