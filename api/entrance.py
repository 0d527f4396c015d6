"""Who comes in: a token becomes a viewer, and a viewer a fresh context for each operation.

Law: one way in for every transport; without a good token nothing is run; what is run is paid for
and counted, the same way everywhere.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from graphql import OperationType

from api.broadcast import Answer, Made
from api.context import Context, Rooms
from api.errors import first_code
from api.identity import Identity, Verifier
from api.metrics import Metrics
from api.observation import observed
from api.operations import Operation, Operations, Told
from api.presence import Presence
from api.rates import Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    rooms: Rooms
    verifier: Verifier
    rates: Rates
    metrics: Metrics
    operations: Operations = field(default_factory=Operations)
    presence: Presence = field(default_factory=Presence)

    async def identify(self, authorization: str | None) -> Identity:
        """Raises NotAuthenticated or KeysUnavailable."""
        return await self.verifier.identify(authorization)

    async def context(self, identity: Identity, resume_after: int | None = None) -> Context:
        """A context for one operation. Unavailable where the viewer is new and nobody can look."""
        viewer = await self.rooms.principals.meet(identity.subject, identity.name)
        return Context(
            self.rooms,
            viewer,
            platform_administrator=identity.platform_administrator,
            resume_after=resume_after,
        )

    async def execute(
        self, operation: Operation, context: Context, headers: Mapping[str, str]
    ) -> Answer:
        """The answer to a query or mutation. `headers`: of its request, for traces."""
        with observed(
            self.metrics, operation.kind.value, operation.name, operation.text, headers
        ) as seen:
            answer = await self.operations.execute(operation, context)
            if "errors" in answer:
                seen.outcome(first_code(answer["errors"]))
            return answer

    async def answers(
        self, operation: Operation, context: Context, headers: Mapping[str, str]
    ) -> AsyncGenerator[Told]:
        """The answers to any operation, as they come."""
        if operation.kind is not OperationType.SUBSCRIPTION:
            yield None, Made.of(await self.execute(operation, context, headers))
            return
        with (
            self.metrics.subscriptions.track_inprogress(),
            observed(
                self.metrics, operation.kind.value, operation.name, operation.text, headers
            ) as seen,
        ):
            async with aclosing(self.operations.subscribe(operation, context)) as answers:
                async for item, made in answers:
                    if made.errors is not None:
                        seen.outcome(first_code(made.errors))
                    yield item, made
