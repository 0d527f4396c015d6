"""Who is connected for long: sockets and event streams, by principal, until the end.

Law: nobody has more than their share; at the end everybody is sent away, not all at once.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import uniform

MOST_STREAMS = 100
"""Sockets and event streams of one principal."""
JITTER = 1.0
"""Seconds over which clients are sent away, so that they do not come back all at once."""


class TooManyStreams(Exception):
    """The message says what there are too many of, and what to do."""


class Presence:
    def __init__(self) -> None:
        self._streams: Counter[str] = Counter()
        self._ends: set[Callable[[], None]] = set()
        self._nobody = asyncio.Event()
        self._nobody.set()
        self.leaving = False
        """Whether the process is about to end."""

    @property
    def streams(self) -> int:
        """How many there are."""
        return len(self._ends)

    @contextmanager
    def stream(self, subject: str, end: Callable[[], None]) -> Iterator[None]:
        """A place while the block lasts; `end` is called when it should end. TooManyStreams."""
        if self._streams[subject] >= MOST_STREAMS:
            raise TooManyStreams(
                f"At most {MOST_STREAMS} sockets and event streams for each principal. Close some."
            )
        self._streams[subject] += 1
        self._ends.add(end)
        self._nobody.clear()
        if self.leaving:
            self._send_away(end)
        try:
            yield
        finally:
            self._ends.discard(end)
            if not self._ends:
                self._nobody.set()
            self._streams[subject] -= 1
            if not self._streams[subject]:
                del self._streams[subject]

    async def leave(self, patience: float) -> None:
        """Send everybody away and wait until they have gone, for so many seconds at most.

        For some of them even where nobody is there: who asks for our health may see that we go.
        """
        self.leaving = True
        for end in tuple(self._ends):
            self._send_away(end)
        await asyncio.sleep(JITTER)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._nobody.wait()

    def _send_away(self, end: Callable[[], None]) -> None:
        def still_there() -> None:
            if end in self._ends:
                end()

        asyncio.get_running_loop().call_later(uniform(0, JITTER), still_there)
