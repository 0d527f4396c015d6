from itertools import combinations

import pytest
from given import ADMINISTRATOR, ALICE, BOB, CAROL, KEY, NEW, NOBODY, PLATFORM, REGISTER, given

from domain import environment
from domain.actor import Actor, NotPermitted, Permission, SecurityRole
from domain.environment import Command
from domain.lifecycle import (
    EnvironmentArchived,
    EnvironmentExists,
    EnvironmentNotFound,
    RenameEnvironment,
)
from domain.membership import (
    ErasePrincipal,
    GrantRole,
    LastAdministrator,
    PrincipalErased,
    PrincipalIsErased,
    RevokeRole,
    RoleGranted,
    RoleRevoked,
    role_of,
    value,
)
from domain.refusal import RefusalCode

ADMINISTRATES = SecurityRole.SYSTEM_ADMINISTRATOR
AUDITOR = SecurityRole.AUDITOR
BOB_AUDITS = RoleGranted(principal=BOB, role=AUDITOR)
BOB_ADMINISTRATES = RoleGranted(principal=BOB, role=ADMINISTRATES)


@pytest.mark.parametrize("actor", [ADMINISTRATOR, PLATFORM])
@pytest.mark.parametrize("role", SecurityRole)
def test_every_role_can_be_granted_and_revoked(role: SecurityRole, actor: Actor) -> None:
    granted = given().by(actor).when(GrantRole(principal=BOB, role=role))
    planned = granted.then(RoleGranted(principal=BOB, role=role))
    assert planned.standing.environment.roles(BOB) == {role}

    revoked = (
        given(RoleGranted(principal=BOB, role=role))
        .by(actor)
        .when(RevokeRole(principal=BOB, role=role))
    )
    planned = revoked.then(RoleRevoked(principal=BOB, role=role))
    assert planned.standing.environment.roles(BOB) == frozenset()


def test_granting_what_is_held_changes_nothing() -> None:
    given(BOB_AUDITS).when(GrantRole(principal=BOB, role=AUDITOR)).then()


def test_revoking_what_is_not_held_changes_nothing() -> None:
    given(BOB_AUDITS).when(
        RevokeRole(principal=CAROL, role=AUDITOR),
        RevokeRole(principal=BOB, role=SecurityRole.BASIC_USER),
        RevokeRole(principal=CAROL, role=ADMINISTRATES),
    ).then()


def test_whoever_holds_no_role_is_no_member() -> None:
    planned = (
        given(BOB_AUDITS)
        .when(RevokeRole(principal=BOB, role=AUDITOR))
        .then(RoleRevoked(principal=BOB, role=AUDITOR))
    )
    assert planned.standing.environment.members == {ALICE: {ADMINISTRATES}}


def test_somebody_may_hold_several_roles_and_loses_one_alone() -> None:
    worker = SecurityRole.SYNC_WORKER
    planned = (
        given(BOB_AUDITS, RoleGranted(principal=BOB, role=worker))
        .when(RevokeRole(principal=BOB, role=AUDITOR))
        .then(RoleRevoked(principal=BOB, role=AUDITOR))
    )
    assert planned.standing.environment.members == {ALICE: {ADMINISTRATES}, BOB: {worker}}


@pytest.mark.parametrize("actor", [ADMINISTRATOR, PLATFORM])
def test_the_last_administrator_stays_whoever_asks(actor: Actor) -> None:
    given(BOB_AUDITS).by(actor).when(RevokeRole(principal=ALICE, role=ADMINISTRATES)).refused(
        LastAdministrator()
    )


def test_the_last_but_one_administrator_can_go() -> None:
    given(BOB_ADMINISTRATES).when(RevokeRole(principal=BOB, role=ADMINISTRATES)).then(
        RoleRevoked(principal=BOB, role=ADMINISTRATES)
    )


def test_of_three_administrators_two_can_go_and_the_third_cannot() -> None:
    given(BOB_ADMINISTRATES, RoleGranted(principal=CAROL, role=ADMINISTRATES)).when(
        *(RevokeRole(principal=person, role=ADMINISTRATES) for person in (BOB, CAROL, ALICE))
    ).refused_at({2: LastAdministrator()})


def test_administrators_may_hand_over_in_one_request() -> None:
    given().when(
        GrantRole(principal=BOB, role=ADMINISTRATES),
        RevokeRole(principal=ALICE, role=ADMINISTRATES),
    ).then(BOB_ADMINISTRATES, RoleRevoked(principal=ALICE, role=ADMINISTRATES))


def test_another_role_of_the_last_administrator_can_be_revoked() -> None:
    given(RoleGranted(principal=ALICE, role=AUDITOR)).when(
        RevokeRole(principal=ALICE, role=AUDITOR)
    ).then(RoleRevoked(principal=ALICE, role=AUDITOR))


def test_a_right_given_away_is_gone_for_the_rest_of_the_request() -> None:
    give_up = RevokeRole(principal=ALICE, role=ADMINISTRATES)
    rename = RenameEnvironment(name="Fabrikam")
    given(BOB_ADMINISTRATES).when(give_up, rename).refused_at({1: EnvironmentNotFound(key=KEY)})
    given(BOB_ADMINISTRATES, RoleGranted(principal=ALICE, role=AUDITOR)).when(
        give_up, rename
    ).refused_at({1: NotPermitted(needs=Permission.MANAGE_ENVIRONMENT)})


def test_nobody_makes_themselves_an_administrator() -> None:
    given(BOB_AUDITS).by(NOBODY).when(GrantRole(principal=BOB, role=ADMINISTRATES)).refused(
        NotPermitted(needs=Permission.MANAGE_ROLES)
    )


@pytest.mark.parametrize(
    "command", [GrantRole(principal=CAROL, role=AUDITOR), RevokeRole(principal=BOB, role=AUDITOR)]
)
def test_a_customizer_does_not_manage_roles(command: Command) -> None:
    customizes = RoleGranted(principal=BOB, role=SecurityRole.SYSTEM_CUSTOMIZER)
    given(customizes).by(NOBODY).when(command).refused(NotPermitted(needs=Permission.MANAGE_ROLES))


def test_the_roles_of_a_member_are_one_setting_with_one_value() -> None:
    key = f"role:{BOB}"
    basic = SecurityRole.BASIC_USER
    planned = (
        given()
        .when(
            GrantRole(principal=BOB, role=basic),
            GrantRole(principal=BOB, role=AUDITOR),
            RevokeRole(principal=BOB, role=AUDITOR),
            RevokeRole(principal=BOB, role=basic),
        )
        .then(
            RoleGranted(principal=BOB, role=basic),
            BOB_AUDITS,
            RoleRevoked(principal=BOB, role=AUDITOR),
            RoleRevoked(principal=BOB, role=basic),
        )
    )
    assert [(each.setting, each.before, each.after) for each in planned.changes] == [
        (key, None, "BASIC_USER"),
        (key, "BASIC_USER", "AUDITOR,BASIC_USER"),
        (key, "AUDITOR,BASIC_USER", "BASIC_USER"),
        (key, "BASIC_USER", None),
    ]


def test_what_happened_to_a_member_names_the_role_and_nobody() -> None:
    assert environment.sentence(BOB_AUDITS) == "Role AUDITOR granted"
    assert environment.sentence(RoleRevoked(principal=BOB, role=AUDITOR)) == "Role AUDITOR revoked"
    assert environment.warnings(NEW, BOB_AUDITS) == ()


def test_the_refusal_says_what_to_do_first() -> None:
    assert LastAdministrator().code is RefusalCode.LAST_ADMINISTRATOR
    assert LastAdministrator().message == (
        "This is the environment's last system administrator. "
        "Grant SYSTEM_ADMINISTRATOR to somebody else first."
    )


BOB_IS_ERASED = PrincipalErased(principal=BOB)


@pytest.mark.parametrize("actor", [ADMINISTRATOR, PLATFORM])
def test_whoever_is_erased_loses_every_role_and_is_remembered_by_handle_alone(actor: Actor) -> None:
    planned = (
        given(BOB_AUDITS, RoleGranted(principal=BOB, role=SecurityRole.SYNC_WORKER))
        .by(actor)
        .when(ErasePrincipal(principal=BOB))
        .then(BOB_IS_ERASED)
    )
    (change,) = planned.changes
    after = planned.standing.environment
    assert (change.setting, change.before, change.after) == (
        f"role:{BOB}",
        "AUDITOR,SYNC_WORKER",
        "ERASED",
    )
    assert after.members == {ALICE: {ADMINISTRATES}}
    assert after.erased == {BOB}
    assert environment.sentence(BOB_IS_ERASED) == "A person was erased"


def test_somebody_without_a_role_can_be_erased_and_nobody_twice() -> None:
    given().when(ErasePrincipal(principal=BOB), ErasePrincipal(principal=BOB)).then(BOB_IS_ERASED)
    given(BOB_IS_ERASED).when(ErasePrincipal(principal=BOB)).then()


def test_somebody_is_erased_from_an_archived_environment_too() -> None:
    given(BOB_AUDITS, EnvironmentArchived()).when(ErasePrincipal(principal=BOB)).then(BOB_IS_ERASED)


@pytest.mark.parametrize("actor", [ADMINISTRATOR, PLATFORM])
def test_the_last_administrator_is_not_erased(actor: Actor) -> None:
    erase = ErasePrincipal(principal=ALICE)
    given(BOB_AUDITS).by(actor).when(erase).refused(LastAdministrator())
    given(BOB_ADMINISTRATES).by(actor).when(erase).then(PrincipalErased(principal=ALICE))


def test_erasing_needs_the_right_to_manage_roles() -> None:
    given(BOB_AUDITS).by(NOBODY).when(ErasePrincipal(principal=CAROL)).refused(
        NotPermitted(needs=Permission.MANAGE_ROLES)
    )


def test_nothing_is_granted_to_a_handle_that_was_erased() -> None:
    given(BOB_IS_ERASED).when(
        RevokeRole(principal=BOB, role=AUDITOR), GrantRole(principal=BOB, role=AUDITOR)
    ).refused_at({1: PrincipalIsErased()})
    assert PrincipalIsErased().code is RefusalCode.PRINCIPAL_ERASED
    assert "somebody new" in PrincipalIsErased().message


def test_nobody_does_anything_by_a_handle_that_was_erased() -> None:
    """Nor begins the log anew."""
    rename, erase = RenameEnvironment(name="Fabrikam"), ErasePrincipal(principal=CAROL)
    erased = given(PrincipalErased(principal=CAROL)).by(PLATFORM)
    erased.when(rename).refused(PrincipalIsErased())
    erased.when(ErasePrincipal(principal=BOB)).refused(PrincipalIsErased())
    erased.when(REGISTER).refused(EnvironmentExists(key=KEY))
    erased.when(erase).then()
    given().by(PLATFORM).when(erase, rename).refused_at({1: PrincipalIsErased()})


@pytest.mark.parametrize("count", range(len(SecurityRole) + 1))
def test_any_roles_are_told_in_the_order_of_the_table(count: int) -> None:
    for roles in combinations(SecurityRole, count):
        told = value({BOB: frozenset(roles)}, frozenset(), role_of(BOB))
        assert told == (",".join(roles) or None)
