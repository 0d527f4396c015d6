"""What was asked for and refused: noted beside the log, and read back.

Law: noting delays nobody, and takes as long for a log that is not there; who reads waits until all
that was noted before is written.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from domain.asked import kind, words
from domain.plan import Ask
from domain.refusal import RefusalCode
from eventstore.background import background
from eventstore.codec import text
from eventstore.database import Database, Unavailable
from eventstore.log import SQL

logger = logging.getLogger(__name__)

MOST_WAITING = 1_000
"""While the database is away; what comes then is lost, and said to be."""
PAUSE = 0.5
"""Seconds until it is tried again."""


class Attempt(NamedTuple):
    """`about`: whose roles were asked for, if they are known there. `more`: how many are like it.

    Those were of the same actor, or else of anybody without a role, and are not kept.
    """

    number: int
    at: datetime
    actor: UUID
    asked: str
    about: UUID | None
    refusals: list[str]
    more: int


class Stretch(NamedTuple):
    """Numbers strictly between two, at most that many, from the newest back or the oldest on."""

    above: int
    below: int
    newest_first: bool
    limit: int


class Attempts:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[dict[str, object]] = deque()
        self._noted = asyncio.Event()
        self._writing = asyncio.Lock()

    def note(
        self,
        ask: Ask,
        refusals: Iterable[RefusalCode],
        *,
        about: UUID | None = None,
        stranger: bool = False,
    ) -> None:
        """To be written soon. Whoever asks for a log that is not there leaves no trace.

        `about`: whose roles were asked for, if they are known there. `stranger`: whether the actor
        may not even know of the environment.
        """
        if len(self._waiting) >= MOST_WAITING:
            logger.warning("a refused attempt in %s is not noted", ask.environment)
            return
        self._waiting.append(
            {
                "environment": ask.environment,
                "at": datetime.now(UTC),
                "actor": ask.actor.handle,
                "kind": kind(ask),
                "asked": words(ask),
                "about": about,
                "refusals": [*dict.fromkeys(refusals)],
                "stranger": stranger,
            }
        )
        self._noted.set()

    async def page(self, environment: str, stretch: Stretch) -> list[Attempt]:
        """In the order walked. Unavailable while something noted before cannot be written."""
        await self._write()
        rows = await self._database.fetch(SQL["attempts"], environment, *stretch)
        return [Attempt(*row) for row in rows]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Attempts"]:
        """Writes while the block lasts; what is waiting at its end is still written."""
        try:
            async with background(self._run(), "attempts"):
                yield self
        finally:
            with suppress(Unavailable):
                await self._write()

    async def _run(self) -> None:
        while True:
            await self._noted.wait()
            self._noted.clear()
            try:
                await self._write()
            except Unavailable as error:
                logger.warning("refused attempts cannot be noted for now: %s", error)
                await asyncio.sleep(PAUSE)
                self._noted.set()

    async def _write(self) -> None:
        async with self._writing:
            if not self._waiting:
                return
            some = list(self._waiting)
            await self._database.fetch(SQL["note_attempts"], text(some))
            for _ in some:
                self._waiting.popleft()
