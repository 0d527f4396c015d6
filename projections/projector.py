"""The one way the tables move: find what is behind, fold, keep.

Law: live and rebuild are the same path; a row's position is its checkpoint, so the tables heal
themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from eventstore.database import Borrowed, Database, Unavailable
from eventstore.log import Tip
from projections.current_settings import SQL, keep, row

SCHEMA = Path(__file__).with_name("schema.sql")
PAUSE = 0.2
"""Seconds from one catching up to the next, unless somebody asks for it."""


class Projector:
    """`fold` gives the standing of an environment: from memory, or from the log alone."""

    def __init__(self, database: Database, fold: Callable[[str], Awaitable[Tip]]) -> None:
        self._database = database
        self._fold = fold
        self._one_at_a_time = asyncio.Lock()

    async def catch_up(self) -> int:
        """Bring every row to the end of its log. Returns how many were behind."""
        behind = await self._database.fetch(SQL["behind"])
        if not behind:
            return 0
        async with self._one_at_a_time, self._database.transaction() as connection:
            return await self._catch_up(connection)

    async def rebuild(self) -> int:
        """Forget every row and catch up, in one transaction. Returns how many were made."""
        async with self._one_at_a_time, self._database.transaction() as connection:
            await connection.execute(SQL["forget"])
            return await self._catch_up(connection)

    async def _catch_up(self, connection: Borrowed) -> int:
        behind = [found["environment"] for found in await connection.fetch(SQL["behind"])]
        tips = {environment: await self._fold(environment) for environment in behind}
        rows = [row(tip.standing) for tip in tips.values() if tip.standing is not None]
        if rows:
            await keep(connection, rows)
        gone = [environment for environment, tip in tips.items() if tip.standing is None]
        if gone:
            await connection.execute(SQL["forget_one"], gone)
        return len(behind)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Projector"]:
        """Catches up now and then while the block lasts."""
        task = asyncio.create_task(self._run(), name="projector")
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            with suppress(Unavailable):
                await self.catch_up()
            await asyncio.sleep(PAUSE)
