"""The database's time, carried on by our monotonic clock: no call for each commit.

Law: the database checks every time it is given; this only has to be near.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from time import monotonic

from eventstore.database import Connection, Unavailable, reaching
from eventstore.log import SQL

TICK = timedelta(microseconds=1)


class Clock:
    def __init__(self) -> None:
        self._read_at = 0.0
        self._read: datetime | None = None

    async def read(self, connection: Connection) -> None:
        """Set it by the database."""
        with reaching():
            rows = await connection.fetch(SQL["clock"])
        self._read, self._read_at = rows[0]["now"], monotonic()

    def now(self) -> datetime:
        """Unavailable until it was read."""
        if self._read is None:
            raise Unavailable("The database's clock was not read yet.")
        return self._read + timedelta(seconds=monotonic() - self._read_at)

    def after(self, times: Iterable[datetime]) -> datetime:
        """Now, or a microsecond after the latest of these times."""
        return max([self.now(), *(time + TICK for time in times)])
