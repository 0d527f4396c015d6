"""Requests that were answered before: the same question gets the first answer again.

Law: the log's own record decides, and memory only saves the look at it; nobody is shown again what
they may not see any more.
"""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from domain.actor import Actor, NotPermitted, Permission
from domain.lifecycle import EnvironmentNotFound
from domain.plan import Refused, RefusedChange
from domain.standing import Standing
from eventstore.database import Database, columns
from eventstore.log import SQL
from eventstore.transact import Applied, Outcome, Request, RequestIdReused, Seen, Tips

MOST_REMEMBERED = 10_000


class Answered:
    def __init__(self, database: Database, tips: Tips) -> None:
        self._database = database
        self._tips = tips
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

    def seen(self, request: Request) -> Seen | None:
        """What is known of a request that was looked up; None for a new one."""
        return self._seen.get((request.ask.environment, request.request_id))

    async def answer(self, seen: Seen, request: Request) -> Outcome:
        """The first answer again, or why not."""
        if not seen.same(request):
            return RequestIdReused(request_id=seen.request_id)
        last = await self._tips.change_set(seen.environment, seen.last)
        tip = self._tips.tip(seen.environment)
        now = last.standing if tip is None or tip.standing is None else tip.standing
        refused = _lost(last.standing, now, request.ask.actor)
        return refused or Applied(
            change_set=None if seen.first is None else last, standing=last.standing, replayed=True
        )


def _lost(then: Standing, now: Standing, actor: Actor) -> Refused | None:
    """Why the actor may not see any more what the first answer showed."""
    held = now.environment.permissions(actor)
    lost = then.environment.permissions(actor) - held
    if not lost:
        return None
    needs = next(permission for permission in Permission if permission in lost)
    refusal = (
        NotPermitted(needs=needs) if held else EnvironmentNotFound(key=now.environment.profile.key)
    )
    return Refused(refusals=(RefusedChange(refusal=refusal),))
