"""What the schema shows of what happened: changes, and the sets they were asked for in.

Law: what was recorded is shown as it was; only who and why are looked up, since they can be erased.
"""

from datetime import datetime

import strawberry

from api.context import Info
from api.environments import Environment, now
from api.nodes import Node, NodeId
from api.people import Principal, role_key
from domain import membership
from domain import standing as log
from domain.environment import differences, sentence
from domain.standing import Standing
from eventstore.log import StoredChange


@strawberry.type(description="One event: who, when, what, from, to, why.")
class Change(Node):
    change: strawberry.Private[log.Change]
    standing: strawberry.Private[Standing]

    @strawberry.field(description="Opaque, and the same every time.")
    def id(self) -> strawberry.ID:
        key = self.standing.environment.profile.key
        return NodeId("Change", key, str(self.change.recorded.position)).opaque

    @strawberry.field(description="Where it happened.")
    def environment(self, info: Info) -> Environment:
        return now(self.standing, info)

    @strawberry.field(description="Its place in the log.")
    def position(self) -> int:
        return self.change.recorded.position

    @strawberry.field(description="When it was recorded.")
    def at(self) -> datetime:
        return self.change.recorded.at

    @strawberry.field(description="Who did it.")
    async def by(self, info: Info) -> Principal:
        return await Principal.behind(self.change.recorded.actor, info)

    @strawberry.field(description="Why, as they said; null without a reason or once erased.")
    async def reason(self, info: Info) -> str | None:
        return (await self._stored(info)).reason

    @strawberry.field(description="The event's wire name, e.g. mailing_addresses_chosen.v1.")
    def type(self) -> str:
        return self.change.recorded.event.wire_name

    @strawberry.field(description="The key of the setting it touched.")
    async def setting(self, info: Info) -> str:
        return await setting_key(self.change, info)

    @strawberry.field(
        description="What the setting held before, as a machine value; of a filter its FetchXML: "
        "whether it is active and what it is called, the event and `differences` tell."
    )
    def before(self, info: Info) -> str | None:
        return weighed(self.change.before, info)

    @strawberry.field(
        description="What it holds after, as a machine value; of a filter its FetchXML."
    )
    def after(self, info: Info) -> str | None:
        return weighed(self.change.after, info)

    @strawberry.field(description="Filters: what differs in the criteria, a line each.")
    def differences(self, info: Info) -> list[str]:
        return told_differences(self.change, info)

    @strawberry.field(description="The change as a sentence.")
    def summary(self) -> str:
        return sentence(self.change.recorded.event)

    @strawberry.field(description="The event as stored, canonical JSON.")
    async def payload(self, info: Info) -> str:
        return weighed((await self._stored(info)).payload, info)

    @strawberry.field(description="The seal of its entry in the log, in hex.")
    async def seal(self, info: Info) -> str:
        return (await self._stored(info)).seal.hex()

    async def _stored(self, info: Info) -> StoredChange:
        key = self.standing.environment.profile.key
        return await info.context.stored.load((key, self.change.recorded.position))


def weighed[T: (str, str | None)](text: T, info: Info) -> T:
    """The text itself, which may be FetchXML or have it."""
    info.context.weigh(len(text or ""))
    return text


def told_differences(change: log.Change, info: Info) -> list[str]:
    info.context.weigh(len(change.before or "") + len(change.after or ""))
    return list(differences(change.recorded.event, change.before, change.after))


async def setting_key(change: log.Change, info: Info) -> str:
    """The key as the API writes it: a role's names the principal, its handle once erased."""
    event = change.recorded.event
    if not isinstance(event, membership.Event):
        return change.setting
    return role_key(await info.context.principals.load(event.principal))


@strawberry.type(description="The events of one request, in order, never split.")
class ChangeSet:
    change_set: strawberry.Private[log.ChangeSet]

    @strawberry.field(description="Where it happened.")
    def environment(self, info: Info) -> Environment:
        return now(self.change_set.standing, info)

    @strawberry.field(description="The position of its first change.")
    def first_position(self) -> int:
        return self._first.position

    @strawberry.field(description="The position of its last change.")
    def position(self) -> int:
        return self.change_set.standing.position

    @strawberry.field(description="When it was recorded.")
    def at(self) -> datetime:
        return self._first.at

    @strawberry.field(description="Who asked for it.")
    async def by(self, info: Info) -> Principal:
        return await Principal.behind(self._first.actor, info)

    @strawberry.field(description="Why, as they said; null without a reason or once erased.")
    async def reason(self, info: Info) -> str | None:
        return (await self._stored(info)).reason

    @strawberry.field(description="The id that the request came with.")
    async def request_id(self, info: Info) -> strawberry.ID | None:
        request_id = (await self._stored(info)).request_id
        return None if request_id is None else strawberry.ID(str(request_id))

    @strawberry.field(description="Its changes.")
    def changes(self) -> list[Change]:
        standing = self.change_set.standing
        return [Change(change=each, standing=standing) for each in self.change_set.changes]

    @property
    def _first(self) -> log.Recorded:
        return self.change_set.changes[0].recorded

    async def _stored(self, info: Info) -> StoredChange:
        key = self.change_set.standing.environment.profile.key
        return await info.context.stored.load((key, self._first.position))
