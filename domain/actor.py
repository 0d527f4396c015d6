"""Who asks, and the one table of who may do what.

Law: a right comes from a security role held in that environment, or from being a platform
administrator. There is no other way in.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import ClassVar
from uuid import UUID

from domain.refusal import RefusalCode


class SecurityRole(StrEnum):
    """Held per environment. The first two may change the tab (seed page; domain reference 5.1)."""

    SYSTEM_ADMINISTRATOR = "SYSTEM_ADMINISTRATOR"
    SYSTEM_CUSTOMIZER = "SYSTEM_CUSTOMIZER"
    AUDITOR = "AUDITOR"
    SYNC_WORKER = "SYNC_WORKER"
    BASIC_USER = "BASIC_USER"


class Permission(StrEnum):
    READ_SETTINGS = "READ_SETTINGS"
    CHANGE_SETTINGS = "CHANGE_SETTINGS"
    READ_HISTORY = "READ_HISTORY"
    FOLLOW_FEED = "FOLLOW_FEED"
    MANAGE_ROLES = "MANAGE_ROLES"
    MANAGE_ENVIRONMENT = "MANAGE_ENVIRONMENT"
    REGISTER_ENVIRONMENT = "REGISTER_ENVIRONMENT"


GRANTS: dict[SecurityRole, frozenset[Permission]] = {
    SecurityRole.SYSTEM_ADMINISTRATOR: frozenset(Permission) - {Permission.REGISTER_ENVIRONMENT},
    SecurityRole.SYSTEM_CUSTOMIZER: frozenset(
        {
            Permission.READ_SETTINGS,
            Permission.CHANGE_SETTINGS,
            Permission.READ_HISTORY,
            Permission.FOLLOW_FEED,
        }
    ),
    SecurityRole.AUDITOR: frozenset(
        {Permission.READ_SETTINGS, Permission.READ_HISTORY, Permission.FOLLOW_FEED}
    ),
    SecurityRole.SYNC_WORKER: frozenset({Permission.READ_SETTINGS, Permission.FOLLOW_FEED}),
    SecurityRole.BASIC_USER: frozenset({Permission.READ_SETTINGS}),
}

PLATFORM_GRANTS = frozenset(
    {Permission.MANAGE_ROLES, Permission.MANAGE_ENVIRONMENT, Permission.REGISTER_ENVIRONMENT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks. The handle stands for the person in the log; it is random and says nothing."""

    handle: UUID
    platform_administrator: bool = False


def permissions(actor: Actor, roles: frozenset[SecurityRole]) -> frozenset[Permission]:
    """What this actor may do while holding these roles."""
    return _granted(actor.platform_administrator, roles)


@cache
def _granted(platform: bool, roles: frozenset[SecurityRole]) -> frozenset[Permission]:
    granted = PLATFORM_GRANTS if platform else frozenset[Permission]()
    return granted.union(*(GRANTS[role] for role in roles))


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPermitted:
    needs: Permission

    code: ClassVar[RefusalCode] = RefusalCode.NOT_PERMITTED

    @property
    def roles_that_may(self) -> tuple[SecurityRole, ...]:
        """The roles that would help. Empty where only a platform administrator may."""
        return tuple(role for role in SecurityRole if self.needs in GRANTS[role])

    @property
    def message(self) -> str:
        helpers = [role.value for role in self.roles_that_may]
        if self.needs in PLATFORM_GRANTS:
            helpers.append("being a platform administrator")
        return f"This needs the permission {self.needs}, which comes with {' or '.join(helpers)}."
