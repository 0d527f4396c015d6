import pytest
from given import (
    ADMINISTRATOR,
    ALICE,
    BEGINNING,
    BOB,
    CAROL,
    KEY,
    NEW,
    NOBODY,
    PLATFORM,
    REGISTER,
    given,
    nothing,
)

from domain import environment
from domain.actor import NotPermitted, Permission, SecurityRole
from domain.environment import Command, Event
from domain.lifecycle import (
    ArchiveEnvironment,
    EnvironmentArchived,
    EnvironmentExists,
    EnvironmentIsArchived,
    EnvironmentKind,
    EnvironmentNotFound,
    EnvironmentRenamed,
    EnvironmentRestored,
    EnvironmentState,
    Profile,
    RegisterEnvironment,
    RenameEnvironment,
    RestoreEnvironment,
    checked_key,
)
from domain.membership import GrantRole, RevokeRole, RoleGranted, RoleRevoked
from domain.refusal import RefusalCode
from domain.switches import (
    ChooseMailingAddresses,
    MailingAddresses,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)

ARCHIVED = EnvironmentArchived()
RESTORED = EnvironmentRestored()
AUDITOR = SecurityRole.AUDITOR
RENAME = RenameEnvironment(name="Fabrikam")
RENAMED = EnvironmentRenamed(name="Fabrikam")


def test_a_platform_administrator_registers_an_environment_with_its_first_administrator() -> None:
    planned = nothing().by(PLATFORM).when(REGISTER).then(*BEGINNING)
    assert planned.standing.environment.roles(ALICE) == {SecurityRole.SYSTEM_ADMINISTRATOR}
    assert planned.standing.environment.profile == Profile(
        key=KEY,
        name="Contoso",
        kind=EnvironmentKind.PRODUCTION,
        state=EnvironmentState.ACTIVE,
        catalogue=1,
    )


def test_nobody_else_registers_an_environment() -> None:
    refusal = NotPermitted(needs=Permission.REGISTER_ENVIRONMENT)
    nothing().by(ADMINISTRATOR).when(REGISTER).refused(refusal)
    given().by(ADMINISTRATOR).when(REGISTER).refused(refusal)


def test_a_key_is_given_once() -> None:
    given().by(PLATFORM).when(REGISTER).refused(EnvironmentExists(key=KEY))


def test_a_key_is_given_once_within_a_request_too() -> None:
    nothing().by(PLATFORM).when(REGISTER, REGISTER).refused_at({1: EnvironmentExists(key=KEY)})


def test_a_platform_administrator_may_register_and_go_on_with_what_is_permitted() -> None:
    nothing().by(PLATFORM).when(REGISTER, RENAME, ArchiveEnvironment()).then(
        *BEGINNING, RENAMED, ARCHIVED
    )


def test_registering_gives_no_right_to_change_settings() -> None:
    nothing().by(PLATFORM).when(REGISTER, SwitchAssignedTasks(on=True)).refused_at(
        {1: NotPermitted(needs=Permission.CHANGE_SETTINGS)}
    )


def test_nothing_can_be_asked_of_an_environment_before_it_is_registered() -> None:
    nothing().by(PLATFORM).when(RENAME, REGISTER).refused_at({0: EnvironmentNotFound(key=KEY)})


@pytest.mark.parametrize("key", ["a", "0", "-", "contoso-prod-2", "a" * 63])
def test_a_good_key_is_given_back(key: str) -> None:
    assert checked_key(key) == key
    assert (
        RegisterEnvironment(key=key, name="x", kind=EnvironmentKind.TRIAL, administrator=BOB).key
        == key
    )


@pytest.mark.parametrize("key", ["", "A", "contoso_prod", "contoso prod", "é", "a\n", "a" * 64])
def test_a_bad_key_is_told_what_a_key_is(key: str) -> None:
    with pytest.raises(ValueError, match=r"^An environment key is 1 to 63 of a-z, 0-9 ") as told:
        RegisterEnvironment(key=key, name="x", kind=EnvironmentKind.TRIAL, administrator=BOB)
    assert str(told.value).endswith(f" and '-', not {key!r}.")


def test_only_the_beginning_of_an_endless_key_is_repeated() -> None:
    with pytest.raises(ValueError, match=r"'é{80}'\.$"):
        checked_key("é" * 1000)


@pytest.mark.parametrize("name", ["x", "x" * 200])
def test_a_name_has_up_to_two_hundred_characters(name: str) -> None:
    given().when(RenameEnvironment(name=name)).then(EnvironmentRenamed(name=name))
    registered = RegisterEnvironment(
        key=KEY, name=name, kind=EnvironmentKind.DEFAULT, administrator=BOB
    )
    assert registered.name == name


@pytest.mark.parametrize("name", ["", "x" * 201])
def test_an_empty_or_endless_name_is_told_its_length(name: str) -> None:
    told = f"^An environment's name has 1 to 200 characters, not {len(name)}\\.$"
    with pytest.raises(ValueError, match=told):
        RenameEnvironment(name=name)
    with pytest.raises(ValueError, match=told):
        RegisterEnvironment(key=KEY, name=name, kind=EnvironmentKind.DEFAULT, administrator=BOB)


def test_a_name_that_cannot_be_stored_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^An environment's name cannot contain U\+0000\.$"):
        RenameEnvironment(name="Con\0toso")


def test_an_administrator_renames() -> None:
    planned = given().when(RENAME).then(RENAMED)
    assert planned.standing.environment.profile.name == "Fabrikam"


def test_renaming_to_the_same_name_changes_nothing() -> None:
    given().when(RenameEnvironment(name="Contoso")).then()
    given(RENAMED).when(RENAME).then()


def test_an_administrator_archives() -> None:
    planned = given().when(ArchiveEnvironment()).then(ARCHIVED)
    assert planned.standing.environment.profile.state is EnvironmentState.ARCHIVED


def test_archiving_the_archived_changes_nothing() -> None:
    given(ARCHIVED).when(ArchiveEnvironment()).then()


def test_an_administrator_restores_what_is_archived() -> None:
    planned = given(ARCHIVED).when(RestoreEnvironment()).then(RESTORED)
    assert planned.standing.environment.profile.state is EnvironmentState.ACTIVE


def test_restoring_the_active_changes_nothing() -> None:
    given().when(RestoreEnvironment()).then()
    given(ARCHIVED, RESTORED).when(RestoreEnvironment()).then()


def test_archiving_and_restoring_lose_nothing() -> None:
    before = given(RENAMED, RoleGranted(principal=BOB, role=AUDITOR)).standing
    after = given(RENAMED, RoleGranted(principal=BOB, role=AUDITOR), ARCHIVED, RESTORED).standing
    assert before is not None
    assert after is not None
    assert after.environment == before.environment


@pytest.mark.parametrize(
    "command",
    [
        RENAME,
        RenameEnvironment(name="Contoso"),
        SwitchAppointmentAttachments(on=True),
        SwitchAppointmentAttachments(on=False),
        SwitchAssignedTasks(on=True),
        SwitchResourceBookings(on=True),
        ChooseMailingAddresses(choice=MailingAddresses.ALL_THREE),
    ],
)
def test_archiving_freezes_name_and_settings(command: Command) -> None:
    given(ARCHIVED).when(command).refused(EnvironmentIsArchived(key=KEY))


def test_an_archived_environment_can_be_restored_and_changed_in_one_request() -> None:
    given(ARCHIVED).when(RestoreEnvironment(), RENAME).then(RESTORED, RENAMED)


def test_archiving_freezes_the_rest_of_its_own_request() -> None:
    given().when(RENAME, ArchiveEnvironment(), SwitchAssignedTasks(on=True)).refused_at(
        {2: EnvironmentIsArchived(key=KEY)}
    )


def test_membership_stays_possible_while_archived() -> None:
    given(ARCHIVED).when(
        GrantRole(principal=BOB, role=AUDITOR), RevokeRole(principal=BOB, role=AUDITOR)
    ).then(RoleGranted(principal=BOB, role=AUDITOR), RoleRevoked(principal=BOB, role=AUDITOR))


@pytest.mark.parametrize("command", [RENAME, ArchiveEnvironment(), RestoreEnvironment()])
def test_a_customizer_does_not_manage_the_environment(command: Command) -> None:
    customizes = RoleGranted(principal=BOB, role=SecurityRole.SYSTEM_CUSTOMIZER)
    given(customizes).by(NOBODY).when(command).refused(
        NotPermitted(needs=Permission.MANAGE_ENVIRONMENT)
    )


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (BEGINNING[0], "Environment registered as “Contoso”"),
        (RENAMED, "Environment renamed to “Fabrikam”"),
        (ARCHIVED, "Environment archived"),
        (RESTORED, "Environment restored"),
    ],
)
def test_what_happened_to_an_environment_can_be_read(event: Event, sentence: str) -> None:
    assert environment.sentence(event) == sentence
    assert environment.warnings(NEW, event) == ()


def test_the_refusals_name_the_environment_and_what_to_do() -> None:
    missing, existing, archived = (
        EnvironmentNotFound(key="x"),
        EnvironmentExists(key="x"),
        EnvironmentIsArchived(key="x"),
    )
    assert missing.code is RefusalCode.ENVIRONMENT_NOT_FOUND
    assert missing.message == "There is no environment 'x' that you may see."
    assert existing.code is RefusalCode.ENVIRONMENT_EXISTS
    assert existing.message == "The environment 'x' is registered already. Choose another key."
    assert archived.code is RefusalCode.ENVIRONMENT_ARCHIVED
    assert archived.message == ("The environment 'x' is archived. Restore it before changing it.")


def test_the_platform_administrator_who_registers_is_no_member() -> None:
    standing = given().standing
    assert standing is not None
    assert standing.environment.roles(CAROL) == frozenset()
