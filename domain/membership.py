"""Who holds which security role in an environment, and who was erased from it.

Law: there is always a system administrator; whoever was erased holds no role, and never will.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, assert_never
from uuid import UUID

from domain.actor import GRANTS, Permission, SecurityRole
from domain.refusal import RefusalCode

PREFIX = "role:"
ERASED = "ERASED"
"""What the roles of somebody who was erased come to, as a machine value."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePrincipal:
    """Take all roles from somebody who is to be forgotten; the names go elsewhere."""

    principal: UUID

    @property
    def settings(self) -> tuple[str, ...]:
        return (role_of(self.principal),)


Command = GrantRole | RevokeRole | ErasePrincipal


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalErased:
    wire_name: ClassVar[str] = "principal_erased.v1"
    principal: UUID

    @property
    def setting(self) -> str:
        return role_of(self.principal)


Event = RoleGranted | RoleRevoked | PrincipalErased


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAdministrator:
    code: ClassVar[RefusalCode] = RefusalCode.LAST_ADMINISTRATOR

    @property
    def message(self) -> str:
        return (
            "This is the environment's last system administrator. "
            "Grant SYSTEM_ADMINISTRATOR to somebody else first."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalIsErased:
    code: ClassVar[RefusalCode] = RefusalCode.PRINCIPAL_ERASED

    @property
    def message(self) -> str:
        return (
            "This person was erased: nobody holds a role or does anything by that handle again. "
            "If they came back, they are somebody new: ask again in a minute."
        )


Refusal = LastAdministrator | PrincipalIsErased

type Members = Mapping[UUID, frozenset[SecurityRole]]
"""The roles of everyone who holds at least one."""


type Erased = frozenset[UUID]
"""Everyone who was erased, by handle."""


def evolve(members: Members, event: Event) -> Members:
    """Apply one fact. No checks: what is recorded has already been decided."""
    held = members.get(event.principal, frozenset())
    match event:
        case RoleGranted(role=role):
            return {**members, event.principal: held | {role}}
        case RoleRevoked(role=role):
            rest = _without(members, event.principal)
            return {**rest, event.principal: held - {role}} if held - {role} else rest
        case PrincipalErased(principal=principal):
            return _without(members, principal)
        case _:
            assert_never(event)


def _without(members: Members, principal: UUID) -> Members:
    return {who: roles for who, roles in members.items() if who != principal}


def decide(members: Members, erased: Erased, command: Command) -> tuple[Event, ...] | Refusal:
    held = members.get(command.principal, frozenset())
    match command:
        case GrantRole(principal=principal) if principal in erased:
            return PrincipalIsErased()
        case GrantRole(principal=principal, role=role):
            return () if role in held else (RoleGranted(principal=principal, role=role),)
        case RevokeRole(principal=principal, role=role):
            if role not in held:
                return ()
            if _is_last_administrator(members, frozenset({role})):
                return LastAdministrator()
            return (RoleRevoked(principal=principal, role=role),)
        case ErasePrincipal(principal=principal):
            if principal in erased:
                return ()
            if _is_last_administrator(members, held):
                return LastAdministrator()
            return (PrincipalErased(principal=principal),)
        case _:
            assert_never(command)


def _is_last_administrator(members: Members, lost: frozenset[SecurityRole]) -> bool:
    """Whether nobody would be one if a member lost these of their roles."""
    administrator = SecurityRole.SYSTEM_ADMINISTRATOR
    return administrator in lost and sum(administrator in held for held in members.values()) == 1


def who_could(members: Members, permission: Permission) -> Members:
    """Those whose roles grant it, with these roles alone."""
    held = {
        who: frozenset(role for role in roles if permission in GRANTS[role])
        for who, roles in members.items()
    }
    return {who: roles for who, roles in held.items() if roles}


def value(members: Members, erased: Erased, key: str) -> str | None:
    """The roles that a `role:<handle>` key holds, as a machine value; None for no role."""
    principal = UUID(key.removeprefix(PREFIX))
    if principal in erased:
        return ERASED
    return _written(members.get(principal, frozenset()))


@cache
def _written(roles: frozenset[SecurityRole]) -> str | None:
    return ",".join(role.value for role in SecurityRole if role in roles) or None


def sentence(event: Event) -> str:
    """Names the role, never the person: sentences must survive an erasure."""
    match event:
        case RoleGranted(role=role):
            return f"Role {role} granted"
        case RoleRevoked(role=role):
            return f"Role {role} revoked"
        case PrincipalErased():
            return "A person was erased"
        case _:
            assert_never(event)
