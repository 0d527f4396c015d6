"""Who comes in: a token becomes a viewer, and a viewer a fresh context for each operation.

Law: one way in for every transport; without a good token nothing is run.
"""

from dataclasses import dataclass

from api.context import Context, Rooms
from api.identity import Identity, Verifier
from api.operations import Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    rooms: Rooms
    verifier: Verifier
    documents: Documents

    async def identify(self, authorization: str | None) -> Identity:
        """Raises NotAuthenticated or KeysUnavailable."""
        return await self.verifier.identify(authorization)

    async def context(self, identity: Identity) -> Context:
        """A context for one operation. Unavailable where the viewer is new and nobody can look."""
        viewer = await self.rooms.principals.meet(identity.subject, identity.name)
        return Context(self.rooms, viewer, platform_administrator=identity.platform_administrator)
