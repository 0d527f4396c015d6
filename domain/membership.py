"""Who holds which security role in an environment.

Law: there is always a system administrator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, assert_never
from uuid import UUID

from domain.actor import GRANTS, Permission, SecurityRole
from domain.refusal import RefusalCode

PREFIX = "role:"


def role_of(principal: UUID) -> str:
    """The setting key of a principal's roles; the edge shows their id for the handle."""
    return f"{PREFIX}{principal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole:
    principal: UUID
    role: SecurityRole

    @property
    def settings(self) -> tuple[str, ...]:
        return (role_of(self.principal),)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRole:
    principal: UUID
    role: SecurityRole

    @property
    def settings(self) -> tuple[str, ...]:
        return (role_of(self.principal),)


Command = GrantRole | RevokeRole


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted:
    wire_name: ClassVar[str] = "role_granted.v1"
    principal: UUID
    role: SecurityRole

    @property
    def setting(self) -> str:
        return role_of(self.principal)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked:
    wire_name: ClassVar[str] = "role_revoked.v1"
    principal: UUID
    role: SecurityRole

    @property
    def setting(self) -> str:
        return role_of(self.principal)


Event = RoleGranted | RoleRevoked


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAdministrator:
    code: ClassVar[RefusalCode] = RefusalCode.LAST_ADMINISTRATOR

    @property
    def message(self) -> str:
        return (
            "This is the environment's last system administrator. "
            "Grant SYSTEM_ADMINISTRATOR to somebody else first."
        )


Refusal = LastAdministrator

type Members = Mapping[UUID, frozenset[SecurityRole]]
"""The roles of everyone who holds at least one."""


def evolve(members: Members, event: Event) -> Members:
    """Apply one fact. No checks: what is recorded has already been decided."""
    held = members.get(event.principal, frozenset())
    match event:
        case RoleGranted(role=role):
            return {**members, event.principal: held | {role}}
        case RoleRevoked(role=role):
            rest = {who: roles for who, roles in members.items() if who != event.principal}
            return {**rest, event.principal: held - {role}} if held - {role} else rest
        case _:
            assert_never(event)


def decide(members: Members, command: Command) -> tuple[Event, ...] | Refusal:
    held = members.get(command.principal, frozenset())
    match command:
        case GrantRole(principal=principal, role=role):
            return () if role in held else (RoleGranted(principal=principal, role=role),)
        case RevokeRole(principal=principal, role=role):
            if role not in held:
                return ()
            if role is SecurityRole.SYSTEM_ADMINISTRATOR and _administrators(members) == 1:
                return LastAdministrator()
            return (RoleRevoked(principal=principal, role=role),)
        case _:
            assert_never(command)


def _administrators(members: Members) -> int:
    return sum(SecurityRole.SYSTEM_ADMINISTRATOR in roles for roles in members.values())


def who_could(members: Members, permission: Permission) -> Members:
    """Those whose roles grant it, with these roles alone."""
    held = {
        who: frozenset(role for role in roles if permission in GRANTS[role])
        for who, roles in members.items()
    }
    return {who: roles for who, roles in held.items() if roles}


def value(members: Members, key: str) -> str | None:
    """The roles that a `role:<handle>` key holds, as a machine value; None for no role."""
    roles = members.get(UUID(key.removeprefix(PREFIX)), frozenset())
    return ",".join(role.value for role in SecurityRole if role in roles) or None


def sentence(event: Event) -> str:
    """Names the role, never the person: sentences must survive an erasure."""
    match event:
        case RoleGranted(role=role):
            return f"Role {role} granted"
        case RoleRevoked(role=role):
            return f"Role {role} revoked"
        case _:
            assert_never(event)
