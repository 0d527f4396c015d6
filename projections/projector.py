"""The one way the tables move: find what is behind, fold, keep.

Law: live and rebuild are the same path; the position of an environment's row is the checkpoint of
everything kept of it, so the tables heal themselves.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import batched
from math import inf
from pathlib import Path
from time import monotonic

from domain.standing import ChangeSet, Standing
from eventstore.background import background
from eventstore.database import Borrowed, Database, Unavailable
from projections import changes, current_settings, stored_standings
from projections.statements import SQL

logger = logging.getLogger(__name__)

SCHEMA = Path(__file__).with_name("schema.sql")
PAUSE = 0.2
"""Seconds from one catching up to the next, unless somebody asks for it."""
PATIENCE = 5.0
"""Seconds that a reader waits for the rows of one environment."""
POLL = 0.02
"""Seconds from one look at rows that somebody else moves to the next."""
MOST_AT_ONCE = 100
"""Environments in one transaction."""
MANY_ENTRIES = 5_000
"""With so many entries to fold, an environment has a transaction to itself."""
LANES = 2
"""Transactions of one process at once: a short log need not wait for a long one."""

type Since = Callable[[str, int], AsyncIterator[ChangeSet]]


class Projector:
    """`since` gives the change sets after a position: from memory, or from the log alone."""

    def __init__(self, database: Database, since: Since) -> None:
        self._database = database
        self._since = since
        self._lanes = asyncio.Semaphore(LANES)
        self._broken: set[str] = set()

    async def catch_up(self, environments: Sequence[str] | None = None, wait: float = 0.0) -> int:
        """Bring every row, or these environments', to where `since` goes. Gives how many moved.

        Rows that somebody else is moving are left to them; `wait`: seconds that they are given.
        """
        moved, end = 0, monotonic() + wait
        while True:
            found = await self._database.fetch(SQL["behind"], environments)
            brought = 0
            for some in _portions({row["environment"]: row["entries"] for row in found}):
                brought += await self._bring(some, anew=False)
            moved += brought
            if brought == len(found) or monotonic() >= end:
                return moved
            await asyncio.sleep(POLL)

    async def reach(self, *environments: str) -> None:
        """Bring their rows to the ends of their logs. Unavailable if it takes too long."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.catch_up(environments, wait=inf)
        except TimeoutError:
            which = ", ".join(environments)
            why = f"The rows of {which} did not come to the end within {PATIENCE:g} s"
            raise Unavailable(why) from None

    async def rebuild(self) -> int:
        """Make every row anew, an environment at a time. Returns how many there are."""
        known = [found["environment"] for found in await self._database.fetch(SQL["known"])]
        for environment in known:
            await self._bring([environment], anew=True)
        return len(known)

    async def _bring(self, environments: Sequence[str], *, anew: bool) -> int:
        """In one transaction, to the end of their logs from where they are, or from nothing."""
        async with self._lanes, self._database.transaction() as connection:
            await connection.execute(SQL["patience"])
            locked = (
                await connection.fetch(SQL["lock"], *environments)
                if anew
                else await connection.fetch(SQL["lock_free"], environments)
            )
            free = [row["environment"] for row in locked]
            found = await connection.fetch(SQL["places"], free)
            places = {row["environment"]: 0 if anew else row["position"] for row in found}
            await connection.execute(SQL["forget"], [key for key in places if places[key] == 0])
            await _forget(connection, places)
            ends = [await self._write(connection, *place) for place in places.items()]
            rows = [current_settings.row(end) for end in ends if end is not None]
            await current_settings.keep(connection, rows)
        return len(free)

    async def _write(
        self, connection: Borrowed, environment: str, position: int
    ) -> Standing | None:
        """Write what comes after a position. Gives where it ends, None where there is nothing."""
        end: Standing | None = None
        gathered: list[stored_standings.Row] = []
        try:
            async with changes.Copying(self._database, connection) as copying:
                async for change_set in self._since(environment, position):
                    end = change_set.standing
                    await copying.add(changes.row(environment, each) for each in change_set.changes)
                    gathered += stored_standings.due(environment, change_set)
                    if len(gathered) >= stored_standings.TOGETHER:
                        await copying.settle()
                        await stored_standings.keep(connection, gathered)
                        gathered.clear()
            await stored_standings.keep(connection, gathered)
        except ValueError:  # a broken log holds up no other
            if environment not in self._broken:
                logger.exception("%s cannot be folded; verify tells where", environment)
            self._broken.add(environment)
            await _forget(connection, {environment: position})
            return None
        self._broken.discard(environment)
        return end

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Projector"]:
        """Catches up now and then while the block lasts."""
        async with background(self._run(), "projector"):
            yield self

    async def _run(self) -> None:
        told = ""
        while True:
            try:
                await self.catch_up()
                told = ""
            except Exception as error:  # the tables may be made anew under us; it may be mended
                if repr(error) != told:
                    logger.warning("the projections are behind", exc_info=error)
                told = repr(error)
            await asyncio.sleep(PAUSE)


async def _forget(connection: Borrowed, places: Mapping[str, int]) -> None:
    """Leave nothing beyond these positions of these environments."""
    for statement in ("forget_changes", "forget_stored_standings"):
        await connection.execute(SQL[statement], [*places], [*places.values()])


def _portions(behind: Mapping[str, int]) -> Iterator[Sequence[str]]:
    """What goes into one transaction each, the short ones first."""
    yield from batched((key for key in behind if behind[key] < MANY_ENTRIES), MOST_AT_ONCE)
    yield from ([key] for key in behind if behind[key] >= MANY_ENTRIES)
