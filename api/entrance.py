"""Who comes in: a token becomes a viewer, and a viewer a fresh context for each operation.

Law: one way in for every transport; without a good token nothing is run; what is run is paid for
and counted, the same way everywhere.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import OperationType

from api.broadcast import Answer, Made
from api.context import Context, Rooms
from api.errors import first_code
from api.identity import Identity, Verifier
from api.metrics import Metrics
from api.observation import observed
from api.operations import Operation, Operations, Told
from api.presence import Presence
from api.rates import Allowance, RateLimited, Rates, cost

CHARACTERS_OF_A_POINT = 1_000
"""Of a document. The same for one that is known: who asks must not learn what others have asked."""


class Paid(NamedTuple):
    """An operation, by whom, what it cost, and what is left where that is counted."""

    operation: Operation
    subject: str
    points: int
    left: Allowance | None


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

    def read(self, identity: Identity, params: Mapping[str, object]) -> Paid:
        """The operation that is asked for, paid: the reading before it is read. RateLimited.

        Rejected where there is none.
        """
        text = params.get("query")
        reading = 1 + (len(text) if isinstance(text, str) else 0) // CHARACTERS_OF_A_POINT
        left = self.rates.principal(identity.subject, reading)
        operation = self.operations.operation(params)
        answering = operation.points - 1
        if answering:
            left = self.rates.principal(identity.subject, answering)
        return Paid(operation, identity.subject, reading + answering, left)

    async def execute(
        self, paid: Paid, context: Context, headers: Mapping[str, str]
    ) -> tuple[Answer, Allowance | None]:
        """The answer to a query or mutation, and what is left. `headers`: of its request."""
        operation = paid.operation
        with observed(
            self.metrics, operation.kind.value, operation.name, operation.text, headers
        ) as seen:
            answer = await self.operations.execute(operation, context)
            if "errors" in answer:
                seen.outcome(first_code(answer["errors"]))
        left = self.rates.charge(paid.subject, context.weighed) if context.weighed else paid.left
        answer["extensions"] = {"cost": cost(paid.points + context.weighed, left)}
        return answer, left

    async def answers(
        self, paid: Paid, context: Context, headers: Mapping[str, str]
    ) -> AsyncGenerator[Told]:
        """The answers to any operation, as they come; those of a feed as they can be paid."""
        operation = paid.operation
        if operation.kind is not OperationType.SUBSCRIPTION:
            answer, _ = await self.execute(paid, context, headers)
            yield Told(None, Made.of(answer))
            return
        with (
            self.metrics.subscriptions.track_inprogress(),
            observed(
                self.metrics, operation.kind.value, operation.name, operation.text, headers
            ) as seen,
        ):
            async with aclosing(self.operations.subscribe(operation, context)) as answers:
                async for told in answers:
                    if told.made.errors is not None:
                        seen.outcome(first_code(told.made.errors))
                    yield told
                    if told.weighed:
                        self.rates.charge(paid.subject, told.weighed)
                    if told.mine:
                        await self.pay_patiently(paid.subject, operation.points)

    async def pay_patiently(self, subject: str, points: int) -> None:
        """Pay, as soon as there is as much."""
        while True:
            try:
                self.rates.principal(subject, points)
            except RateLimited as limited:
                await asyncio.sleep(limited.seconds)
            else:
                return
