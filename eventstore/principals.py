"""Persons and services by handle: the only place that knows who is meant.

Law: the log holds handles; what a handle stands for can be erased without touching the log.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from eventstore.database import Database
from eventstore.log import SQL

MOST_REMEMBERED = 10_000
FRESH = 60.0
"""Seconds after which who was erased is erased in memory too, where nobody could say so."""


@dataclass(frozen=True, slots=True)
class Principal:
    """`provider_id` is the identity provider's; it and the name are None once erased."""

    handle: UUID
    provider_id: str | None
    name: str | None


class Principals:
    """Remembers for a while whom it has met: a known one costs no look into the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_handle: Remembered[UUID] = Remembered()
        self._by_provider_id: Remembered[str] = Remembered()
        self._times_forgotten = 0

    def forget(self) -> None:
        """Remember nobody any more: somebody was erased."""
        self._by_handle, self._by_provider_id = Remembered(), Remembered()
        self._times_forgotten += 1

    async def meet(self, provider_id: str, name: str | None = None) -> Principal:
        """The principal of this id, made at first sight. A name given replaces the one kept."""
        known = self._by_provider_id.get(provider_id)
        if known is not None and name in {None, known.name}:
            return known
        (met,) = await self._look(SQL["principal"], provider_id, name)
        return met

    async def known(self, provider_id: str) -> Principal | None:
        """The principal of this id, None where nobody has met it."""
        known = self._by_provider_id.get(provider_id)
        if known is not None:
            return known
        found = await self._look(SQL["principal_known"], provider_id)
        return found[0] if found else None

    async def of(self, handles: Iterable[UUID]) -> list[Principal]:
        """The principals of these handles, in their order; an erased one is only its handle."""
        wanted = list(handles)
        found = {handle: self._by_handle.get(handle) for handle in wanted}
        unknown = [handle for handle, known in found.items() if known is None]
        if unknown:
            for principal in await self._look(SQL["principals"], unknown):
                found[principal.handle] = principal
        return [found[handle] or Principal(handle, None, None) for handle in wanted]

    async def _look(self, sql: str, *arguments: object) -> list[Principal]:
        """Look, and remember, unless somebody was erased meanwhile: it may be one of these."""
        times_forgotten = self._times_forgotten
        rows = await self._database.fetch(sql, *arguments)
        found = [Principal(*row) for row in rows]
        if times_forgotten == self._times_forgotten:
            for row, principal in zip(rows, found, strict=True):
                self._by_handle.keep(row["handle"], principal)
                self._by_provider_id.keep(row["provider_id"], principal)
        return found


class Remembered[Key]:
    """Principals by a key, the oldest forgotten first, and each after a while."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[Principal, float]] = OrderedDict()

    def get(self, key: Key) -> Principal | None:
        principal, until = self._kept.get(key, (None, 0.0))
        return principal if until > monotonic() else None

    def keep(self, key: Key, principal: Principal) -> None:
        self._kept[key] = principal, monotonic() + FRESH
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_REMEMBERED:
            self._kept.popitem(last=False)
