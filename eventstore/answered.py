"""Requests that were answered before: the same question gets the first answer again.

Law: the log's own record decides; memory only saves the look at it.
"""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from domain.standing import ChangeSet
from eventstore.database import Database, columns
from eventstore.log import SQL, Log, Tip
from eventstore.transact import Applied, Outcome, Request, RequestIdReused, Seen

MOST_REMEMBERED = 10_000


class Answered:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = Log(database)
        self._seen: OrderedDict[tuple[str, UUID | None], Seen] = OrderedDict()

    def remember(self, requests: Iterable[Seen]) -> None:
        for seen in requests:
            self._seen[seen.environment, seen.request_id] = seen
        while len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)

    async def look_up(self, requests: Iterable[Request]) -> None:
        """Have in memory what the log knows of these requests."""
        asked = {
            (request.ask.environment, request.request_id)
            for request in requests
            if request.request_id is not None
        }
        unknown = [key for key in asked if key not in self._seen]
        if unknown:
            rows = await self._database.fetch(SQL["requests"], *columns(unknown, 2))
            self.remember(map(Seen._make, rows))

    async def answer(self, request: Request) -> Outcome | None:
        """The first answer again, or why not; None for a request that was not looked up."""
        seen = self._seen.get((request.ask.environment, request.request_id))
        if seen is None:
            return None
        if not seen.same(request):
            return RequestIdReused(request_id=seen.request_id)
        last: ChangeSet | None = None
        async for change_set, _ in self._log.change_sets(seen.environment, Tip(), seen.last):
            last = change_set
        if last is None:
            raise ValueError(f"{seen.environment} has no entries up to {seen.last}.")
        return Applied(
            change_set=None if seen.first is None else last, standing=last.standing, replayed=True
        )
