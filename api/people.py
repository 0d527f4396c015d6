"""Persons and services, as far as the schema shows them.

Law: the log knows a person by handle alone; whatever else is shown can be erased.
"""

from typing import Self
from uuid import UUID

import strawberry

from api.context import Info
from domain.membership import PREFIX as ROLE
from eventstore.principals import Principal as Known


@strawberry.type(
    description="Who did it: a person or a service. `id` is as the identity provider names it; "
    "both are null once the person was erased."
)
class Principal:
    handle: strawberry.ID = strawberry.field(description="Random; stands for them in the log.")
    id: str | None = strawberry.field(description="As the identity provider names them.")
    name: str | None = strawberry.field(description="As the identity provider calls them.")

    @classmethod
    def of(cls, known: Known) -> Self:
        return cls(handle=strawberry.ID(str(known.handle)), id=known.provider_id, name=known.name)

    @classmethod
    async def behind(cls, handle: UUID, info: Info) -> Self:
        return cls.of(await info.context.principals.load(handle))


def role_key(known: Known) -> str:
    """The key of somebody's roles as the API writes it: it names them, or their handle."""
    return f"{ROLE}{known.provider_id or known.handle}"


@strawberry.type(description="Who asks.")
class Viewer:
    @strawberry.field(description="The viewer as a principal.")
    def principal(self, info: Info) -> Principal:
        return Principal.of(info.context.viewer)

    @strawberry.field(
        description="Whether the token makes the viewer a platform administrator: one who manages "
        "every environment and its roles, and reads no settings by that."
    )
    def platform_administrator(self, info: Info) -> bool:
        return info.context.actor.platform_administrator
