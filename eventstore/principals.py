"""Persons and services by handle: the only place that knows who is meant.

Law: the log holds handles; what a handle stands for can be erased without touching the log.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from eventstore.database import Database
from eventstore.log import SQL


@dataclass(frozen=True, slots=True)
class Principal:
    """`provider_id` is the identity provider's; it and the name are None once erased."""

    handle: UUID
    provider_id: str | None
    name: str | None


class Principals:
    """Remembers whom it has met, so that a known one costs no look into the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_handle: dict[UUID, Principal] = {}
        self._by_provider_id: dict[str, Principal] = {}

    async def meet(self, provider_id: str, name: str | None = None) -> Principal:
        """The principal of this id, made at first sight. A name given replaces the one kept."""
        known = self._by_provider_id.get(provider_id)
        if known is not None and name in {None, known.name}:
            return known
        (row,) = await self._database.fetch(SQL["principal"], provider_id, name)
        return self._remember(*row)

    async def of(self, handles: Iterable[UUID]) -> list[Principal]:
        """The principals of these handles, in their order; an erased one is only its handle."""
        wanted = list(handles)
        unknown = [handle for handle in wanted if handle not in self._by_handle]
        if unknown:
            for row in await self._database.fetch(SQL["principals"], unknown):
                self._remember(*row)
        return [self._by_handle.get(handle) or Principal(handle, None, None) for handle in wanted]

    def _remember(self, handle: UUID, provider_id: str, name: str | None) -> Principal:
        principal = Principal(handle, provider_id, name)
        self._by_handle[handle] = self._by_provider_id[provider_id] = principal
        return principal
