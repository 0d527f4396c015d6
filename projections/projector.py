"""The one way the tables move: find what is behind, fold, keep.

Law: live and rebuild are the same path; a row's position is its checkpoint, so the tables heal
themselves.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from eventstore.database import Database, Unavailable
from eventstore.log import Tip
from projections.current_settings import SQL, keep, row

logger = logging.getLogger(__name__)

SCHEMA = Path(__file__).with_name("schema.sql")
PAUSE = 0.2
"""Seconds from one catching up to the next, unless somebody asks for it."""


class Projector:
    """`fold` gives the standing of an environment: from memory, or from the log alone."""

    def __init__(self, database: Database, fold: Callable[[str], Awaitable[Tip]]) -> None:
        self._database = database
        self._fold = fold
        self._one_at_a_time = asyncio.Lock()
        self._broken: set[str] = set()

    async def catch_up(self) -> int:
        """Bring every row to the end of its log. Returns how many were behind."""
        behind = await self._database.fetch(SQL["behind"])
        if not behind:
            return 0
        async with self._one_at_a_time:
            return await self._keep([found["environment"] for found in behind], forget=False)

    async def rebuild(self) -> int:
        """Forget every row and make it anew, in one transaction. Returns how many were made."""
        async with self._one_at_a_time:
            logs = await self._database.fetch(SQL["logs"])
            return await self._keep([found["environment"] for found in logs], forget=True)

    async def _keep(self, environments: list[str], *, forget: bool) -> int:
        """Folds first: a transaction that idles meanwhile would hold up the others."""
        tips = await self._tips(environments)
        rows = [row(tip.standing) for tip in tips.values() if tip.standing is not None]
        gone = [environment for environment, tip in tips.items() if tip.standing is None]
        async with self._database.transaction() as connection:
            if forget:
                await connection.execute(SQL["forget"])
            if rows:
                await keep(connection, rows)
            if gone:
                await connection.execute(SQL["forget_one"], gone)
        return len(environments)

    async def _tips(self, environments: list[str]) -> dict[str, Tip]:
        """Folds of the logs that can be folded: a broken one holds up no other."""
        tips: dict[str, Tip] = {}
        for environment in environments:
            try:
                tips[environment] = await self._fold(environment)
            except ValueError:
                if environment not in self._broken:
                    logger.exception("%s cannot be folded; verify tells where", environment)
                self._broken.add(environment)
        return tips

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
            try:
                await self.catch_up()
            except Unavailable as error:
                logger.warning("the projections wait for the database: %s", error)
            except Exception:  # the tables may be made anew under us; the next look finds them
                logger.exception("the projections are behind")
            await asyncio.sleep(PAUSE)
