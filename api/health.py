"""Whether the process lives, and whether it should be sent requests.

Law: live is who answers; ready is who has a database, follows what others append, and stays.
"""

import asyncio
from time import monotonic

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from api.context import Rooms
from api.presence import Presence
from eventstore.database import Unavailable

PATIENCE = 1.0
"""Seconds that the database may take to answer."""
FRESH = 0.25
"""Seconds for which one look is good, however many ask: nobody has to say who they are."""
MOST_BEHIND = 3.0
"""Seconds since the standings last agreed with every log."""


class Health:
    def __init__(self, rooms: Rooms, presence: Presence) -> None:
        self._rooms = rooms
        self._presence = presence
        self._looking = asyncio.Lock()
        self._seen: tuple[float, str | None] = (0.0, None)

    def routes(self) -> list[BaseRoute]:
        return [Route("/health/live", self.live), Route("/health/ready", self.ready)]

    async def live(self, _request: Request) -> JSONResponse:
        return JSONResponse({"status": "live"})

    async def ready(self, _request: Request) -> JSONResponse:
        """503 with a reason where another process should be asked."""
        why = await self._why_not()
        if why is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": why}, 503)

    async def _why_not(self) -> str | None:
        if self._presence.leaving:
            return "the process is about to end"
        async with self._looking:
            when, why = self._seen
            if when < monotonic() - FRESH:
                why = await self._look()
                self._seen = monotonic(), why
        return why

    async def _look(self) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._rooms.log.pulse()
        except (Unavailable, TimeoutError):
            return "the database is away"
        behind = self._rooms.standings.behind
        return None if behind < MOST_BEHIND else f"the standings are {behind:.0f} s behind the logs"
