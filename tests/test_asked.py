from dataclasses import replace
from datetime import UTC, datetime

import pytest
from given import ADMINISTRATOR, BEGINNING, BOB, KEY, fold
from hypothesis import given as law
from strategies import asks, commands
from test_steps import settled

from domain.actor import SecurityRole
from domain.asked import LONGEST, MOST_TOLD, about, kind, words
from domain.bringing import Bringing
from domain.environment import Command
from domain.filters.commands import DefineFilter, RedefineFilter
from domain.filters.criteria import Group
from domain.filters.state import FilterKind, FilterRole
from domain.lifecycle import ArchiveEnvironment, RenameEnvironment
from domain.membership import GrantRole
from domain.plan import Ask
from domain.switches import ChooseMailingAddresses, MailingAddresses, SwitchAssignedTasks

FRESH = settled(fold(BEGINNING))
DEFINE = DefineFilter(
    role=FilterRole.SYSTEM_FILTER,
    kind=FilterKind.ONLINE,
    table="task",
    name="One",
    criteria=Group(),
    active=False,
)
DEFINED = "Define filter (role: SYSTEM_FILTER, kind: ONLINE, table: {}, active: no)"


def ask(*asked: Command) -> Ask:
    return Ask(environment=KEY, commands=asked, actor=ADMINISTRATOR)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (SwitchAssignedTasks(on=True), "Switch assigned tasks (on: yes)"),
        (ArchiveEnvironment(), "Archive environment"),
        (
            ChooseMailingAddresses(choice=MailingAddresses.ALL_THREE),
            "Choose mailing addresses (choice: ALL_THREE)",
        ),
        (GrantRole(principal=BOB, role=SecurityRole.AUDITOR), "Grant role (role: AUDITOR)"),
        (DEFINE, DEFINED.format("task")),
        (RedefineFilter(key="mine", criteria="<fetch/>"), "Redefine filter (key: mine)"),
        (RenameEnvironment(name="Ada"), "Rename environment"),
        (
            replace(DEFINE, table="a\nb"),
            DEFINED.format("a b"),
        ),
        (
            replace(DEFINE, table="x" * LONGEST),
            DEFINED.format("x" * LONGEST),
        ),
        (
            replace(DEFINE, table="x" * (LONGEST + 1)),
            DEFINED.format("201 characters"),
        ),
    ],
)
def test_a_command_is_told_in_words(command: Command, said: str) -> None:
    assert words(ask(command)) == said


def test_of_many_the_first_are_told_and_the_rest_is_counted() -> None:
    some = [SwitchAssignedTasks(on=True)] * MOST_TOLD
    told = "; ".join(["Switch assigned tasks (on: yes)"] * MOST_TOLD)
    assert words(ask(*some)) == told
    assert words(ask(*some, *some)) == f"{told}; and {MOST_TOLD} more"
    assert kind(ask(*some, ArchiveEnvironment())) == "Switch assigned tasks"
    assert (kind(ask()), words(ask())) == ("", "")
    grant = GrantRole(principal=BOB, role=SecurityRole.AUDITOR)
    assert kind(ask(grant)) == "Grant role AUDITOR"


@pytest.mark.parametrize(
    ("at", "settings", "said"),
    [
        (None, None, ""),
        (31, ("assignedTasks", "x"), ", at: 31, settings: assignedTasks, x"),
        (datetime(2026, 3, 3, tzinfo=UTC), None, ", at: 2026-03-03 00:00:00+00:00"),
        (None, ("a",) * MOST_TOLD, f", settings: {', '.join('a' * MOST_TOLD)}"),
        (None, ("a",) * 12, f", settings: {', '.join('a' * MOST_TOLD)}, and 2 more"),
    ],
)
def test_what_is_to_be_brought_is_told_with_where_from(
    at: int | datetime | None, settings: tuple[str, ...] | None, said: str
) -> None:
    bringing = Bringing(source="contoso-test", at=at, origin=FRESH, settings=settings)
    whole = Ask(environment=KEY, commands=(), actor=ADMINISTRATOR, bringing=bringing)
    assert words(whole) == f"Bring settings (from: contoso-test{said})"
    assert kind(whole) == "Bring settings"


@law(asks())
def test_words_are_short_one_line_and_name_nobody(asked: Ask) -> None:
    told = words(asked)
    assert len(told) < MOST_TOLD * 8 * LONGEST
    assert told.isprintable()
    assert str(about(asked)) not in told


@law(commands)
def test_only_roles_are_about_somebody(command: Command) -> None:
    assert about(ask(command)) == getattr(command, "principal", None)
