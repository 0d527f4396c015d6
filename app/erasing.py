"""Erasing a person from everything: a fact in each log concerned, and then what names them.

Law: all is planned before anything is written, and the names go last, so that whatever ends it
midway is mended by doing it again; no fact is written twice.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from api.context import Rooms
from app.wiring import Postgres, open_rooms
from domain.actor import Actor, SecurityRole
from domain.membership import ErasePrincipal
from domain.plan import Ask, Planned, Refused, plan
from eventstore.database import Unavailable
from eventstore.erasure import Erasure, Gone, Person, Traces, mentions
from eventstore.transact import Applied, Outcome, Request


class CannotErase(Exception):
    """Who is meant, or who asks, is not known; or something stands against it."""


class Concerned(NamedTuple):
    """A log in which the person is to be found, and the roles they hold there.

    `due`: whether the fact is still to be written. `refused`: why it cannot be.
    """

    environment: str
    roles: frozenset[SecurityRole]
    due: bool
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Whom to erase, by the provider's id or by handle; by whom; and why.

    `remark`: the reason as it is kept.
    """

    principal: str
    by: str
    reason: str | None
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What there is of a person, as of now."""

    person: Person
    logs: Sequence[Concerned]
    traces: Traces

    @property
    def nothing(self) -> bool:
        """Whether all of it is done already."""
        due = any(each.due for each in self.logs)
        return not (due or self.person.names or self.traces.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """`environments`: where a fact was written now."""

    handle: UUID
    environments: Sequence[str]
    gone: Gone


async def foreseen(postgres: Postgres, order: Order) -> Outlook:
    """What erasing would do. CannotErase where it cannot be done, with all that is against it."""
    async with AsyncExitStack() as stack:
        erasing = await _Erasing.begun(stack, postgres, order)
        return await erasing.outlook()


async def erased(postgres: Postgres, order: Order) -> Done:
    """Done, or CannotErase, which says how far it came."""
    async with AsyncExitStack() as stack:
        erasing = await _Erasing.begun(stack, postgres, order)
        return await erasing.done()


@dataclass(slots=True, kw_only=True)
class _Erasing:
    """One order under way. `written`: the environments with a fact until now."""

    rooms: Rooms
    erasure: Erasure
    person: Person
    actor: Actor
    remark: str
    written: list[str]

    @classmethod
    async def begun(cls, stack: AsyncExitStack, postgres: Postgres, order: Order) -> "_Erasing":
        rooms = await stack.enter_async_context(open_rooms(postgres.dsn))
        erasure = await stack.enter_async_context(Erasure.by_owner(postgres.owner_dsn))
        person = await erasure.person(order.principal)
        if person is None:
            raise CannotErase(
                f"Nobody called {order.principal!r} is known here, by the provider's id or by a "
                "handle. Who was erased is known by handle alone."
            )
        by = await rooms.principals.known(order.by)
        if by is None:
            raise CannotErase(
                f"Nobody called {order.by!r} was ever seen here. Say with --as who asks, as the "
                "identity provider names them."
            )
        if order.reason is not None and mentions(order.reason, person.names):
            raise CannotErase("The reason names the person, and is kept. Give one that does not.")
        return cls(
            rooms=rooms,
            erasure=erasure,
            person=person,
            actor=Actor(handle=by.handle, platform_administrator=True),
            remark=order.remark,
            written=[],
        )

    async def outlook(self) -> Outlook:
        traces = await self.erasure.traces(self.person)
        logs = [found for key in traces.logs if (found := await self._concerned(key)) is not None]
        against = [f"{each.environment}: {each.refused}" for each in logs if each.refused]
        if against:
            raise self._stopped("\n".join(against))
        return Outlook(person=self.person, logs=logs, traces=traces)

    async def done(self) -> Done:
        """The facts first; then all is looked for again, as somebody may have written meanwhile."""
        outlook = await self.outlook()
        while due := [each.environment for each in outlook.logs if each.due]:
            for environment in due:
                await self._write(environment)
            outlook = await self.outlook()
        gone = await self.erasure.erase(self.person, outlook.traces.reasons)
        return Done(handle=self.person.handle, environments=self.written, gone=gone)

    async def _concerned(self, environment: str) -> Concerned | None:
        standing = (await self.rooms.standings.catch_up(environment)).standing
        if standing is None:
            return None
        roles = standing.environment.roles(self.person.handle)
        if self.person.handle in standing.environment.erased:
            return Concerned(environment, roles, due=False)
        planned = plan(standing, self._ask(environment), datetime.now(UTC))
        return Concerned(environment, roles, due=True, refused=_against(planned))

    async def _write(self, environment: str) -> None:
        request = Request(ask=self._ask(environment), reason=self.remark)
        try:
            outcome = await self.rooms.appender.transact(request)
        except Unavailable as error:
            raise self._stopped(str(error)) from error
        against = _against(outcome)
        if against is not None:
            raise self._stopped(f"{environment}: {against}")
        self.written.append(environment)

    def _ask(self, environment: str) -> Ask:
        command = ErasePrincipal(principal=self.person.handle)
        return Ask(environment=environment, commands=(command,), actor=self.actor)

    def _stopped(self, why: str) -> CannotErase:
        if not self.written:
            return CannotErase(f"{why}\nNothing was written.")
        return CannotErase(
            f"{why}\nThe fact was written in {', '.join(self.written)}, and nothing was deleted "
            "yet. Once that is mended, run this again: it goes on."
        )


def _against(outcome: Planned | Outcome) -> str | None:
    """Why not, in words."""
    match outcome:
        case Planned() | Applied():
            return None
        case Refused(refusals=refusals):
            return " ".join(each.refusal.message for each in refusals)
        case _:
            return outcome.message
