from itertools import chain, combinations

import pytest
from given import ALICE, ROLE_TABLE, may

from domain.actor import Actor, NotPermitted, Permission, SecurityRole, permissions
from domain.refusal import RefusalCode

EVERY_SET_OF_ROLES = [
    frozenset(roles)
    for roles in chain.from_iterable(combinations(SecurityRole, size) for size in range(6))
]


def test_the_table_speaks_of_every_role_and_every_permission() -> None:
    assert set(ROLE_TABLE) == {*SecurityRole, "none", "platform administrator"}
    assert set(chain.from_iterable(ROLE_TABLE.values())) == set(Permission)


@pytest.mark.parametrize("platform", [False, True])
def test_every_set_of_roles_grants_what_the_table_says_and_no_more(platform: bool) -> None:
    actor = Actor(handle=ALICE, platform_administrator=platform)
    for roles in EVERY_SET_OF_ROLES:
        assert permissions(actor, roles) == may(roles, platform=platform), roles


def test_an_actor_is_no_platform_administrator_unless_it_is_said() -> None:
    assert permissions(Actor(handle=ALICE), frozenset()) == frozenset()


def test_registering_comes_with_no_role_at_all() -> None:
    assert Permission.REGISTER_ENVIRONMENT not in permissions(
        Actor(handle=ALICE), frozenset(SecurityRole)
    )


@pytest.mark.parametrize("permission", Permission)
def test_a_missing_permission_names_the_roles_that_would_help(permission: Permission) -> None:
    helpful = [role for role in SecurityRole if permission in ROLE_TABLE[role]]
    refusal = NotPermitted(needs=permission)
    assert refusal.roles_that_may == tuple(helpful)
    assert refusal.code is RefusalCode.NOT_PERMITTED


def test_a_missing_permission_says_with_which_roles_it_comes() -> None:
    assert NotPermitted(needs=Permission.CHANGE_SETTINGS).message == (
        "This needs the permission CHANGE_SETTINGS, which comes with "
        "SYSTEM_ADMINISTRATOR or SYSTEM_CUSTOMIZER."
    )
    assert NotPermitted(needs=Permission.MANAGE_ROLES).message == (
        "This needs the permission MANAGE_ROLES, which comes with "
        "SYSTEM_ADMINISTRATOR or being a platform administrator."
    )
    assert NotPermitted(needs=Permission.REGISTER_ENVIRONMENT).message == (
        "This needs the permission REGISTER_ENVIRONMENT, which comes with "
        "being a platform administrator."
    )
