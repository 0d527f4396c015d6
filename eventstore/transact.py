"""From a request to entries: decide on the tip, number, encode and seal.

Law: no I/O. Everything that a commit writes for one environment is drafted here, each request on
what the one before left.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, NamedTuple, Protocol
from uuid import UUID

from domain.plan import Ask, BeyondTheEnd, Planned, Refused, plan
from domain.refusal import RefusalCode
from domain.standing import ChangeSet, Standing
from domain.text import checked_text
from eventstore.codec import digest, encode
from eventstore.log import Tip
from eventstore.seal import Entry, Sealed, commitment, leaf, seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks of one environment. ValueError for a reason that cannot be stored."""

    ask: Ask
    reason: str | None = None
    request_id: UUID | None = None

    def __post_init__(self) -> None:
        if self.reason is not None:
            checked_text(self.reason, "A reason", 1, 2000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """`change_set` is None where everything already was as asked. `replayed`: told before."""

    change_set: ChangeSet | None
    standing: Standing
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestIdReused:
    request_id: UUID
    code: ClassVar[RefusalCode] = RefusalCode.REQUEST_ID_REUSED

    @property
    def message(self) -> str:
        return (
            f"The request id {self.request_id} was used for something else. "
            "Make a new one for every new request."
        )


Outcome = Applied | Refused | BeyondTheEnd | RequestIdReused


class Tips(Protocol):
    """Where each log ends, in memory. The projections above implement it."""

    def tip(self, environment: str) -> Tip | None:
        """What memory has, None before the first look."""

    async def catch_up(self, environment: str) -> Tip:
        """Read on to the end of the log."""

    def move(self, environment: str, change_sets: list[tuple[ChangeSet, bytes]]) -> None:
        """Take over what was just committed, each set with its seal; known ones are skipped."""

    async def change_set(self, environment: str, end: int) -> ChangeSet:
        """The change set that ends at a position. LookupError where there is none."""


class Seen(NamedTuple):
    """A request that was answered before. `first` is None where nothing had to change."""

    environment: str
    request_id: UUID
    digest: bytes
    actor: UUID
    first: int | None
    last: int

    def same(self, request: Request) -> bool:
        """Whether this is the same content by the same actor."""
        return self.actor == request.ask.actor.handle and self.digest == digest(
            self.request_id, request.ask, request.reason
        )


class Remark(NamedTuple):
    environment: str
    change_set: int
    text: str
    salt: bytes


@dataclass(slots=True)
class Draft:
    """What one commit is to write for one environment."""

    environment: str
    start: Tip
    tip: Tip
    entries: list[Entry] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    requests: dict[UUID, tuple[Seen, Applied]] = field(default_factory=dict)
    change_sets: list[tuple[ChangeSet, bytes]] = field(default_factory=list)

    def add(self, request: Request, at: datetime) -> Outcome:
        """Decide one request on the tip, and write down what it makes happen at that time."""
        earlier = self._earlier(request)
        if earlier is not None:
            return earlier
        planned = plan(self.tip.standing, request.ask, at)
        if not isinstance(planned, Planned):
            return planned
        change_set = self._write(planned, request.reason) if planned.changes else None
        applied = Applied(change_set=change_set, standing=planned.standing)
        if request.request_id is not None:
            seen = Seen(
                self.environment,
                request.request_id,
                digest(request.request_id, request.ask, request.reason),
                request.ask.actor.handle,
                planned.changes[0].recorded.position if planned.changes else None,
                planned.standing.position,
            )
            self.requests[request.request_id] = (seen, applied)
        return applied

    def _earlier(self, request: Request) -> Outcome | None:
        if request.request_id is None or request.request_id not in self.requests:
            return None
        seen, applied = self.requests[request.request_id]
        if not seen.same(request):
            return RequestIdReused(request_id=request.request_id)
        return Applied(change_set=applied.change_set, standing=applied.standing, replayed=True)

    def _write(self, planned: Planned, reason: str | None) -> ChangeSet:
        first = planned.changes[0].recorded
        committed = None
        if reason is not None:
            salt = secrets.token_bytes(32)
            committed = commitment(salt, reason)
            self.remarks.append(Remark(self.environment, first.change_set, reason, salt))
        last_seal = self.tip.seal
        for change in planned.changes:
            fact = change.recorded
            kind, payload = encode(fact.event)
            sealed = Sealed(
                self.environment,
                fact.position,
                fact.change_set,
                kind,
                payload,
                fact.actor,
                committed,
                fact.at,
            )
            last_seal = seal(last_seal, leaf(sealed))
            self.entries.append(Entry(*sealed, last_seal))
        change_set = ChangeSet(changes=planned.changes, standing=planned.standing)
        self.change_sets.append((change_set, last_seal))
        self.tip = Tip(planned.standing, last_seal)
        return change_set
