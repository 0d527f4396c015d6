"""Sentences for decisions: given these facts, when this is asked, then that happens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.actor import Actor, SecurityRole
from domain.environment import Command, Event, evolve
from domain.filters.lifecycle import beginning
from domain.lifecycle import EnvironmentKind, EnvironmentRegistered, RegisterEnvironment
from domain.membership import RoleGranted
from domain.plan import Ask, BeyondTheEnd, Planned, Refusal, Refused, plan
from domain.standing import Recorded, Standing, advance

KEY = "contoso-prod"
START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
ALICE = UUID("a11ce000-0000-4000-8000-000000000000")
BOB = UUID("b0b00000-0000-4000-8000-000000000000")
CAROL = UUID("ca401000-0000-4000-8000-000000000000")
PLATFORM = Actor(handle=CAROL, platform_administrator=True)
ADMINISTRATOR = Actor(handle=ALICE)
NOBODY = Actor(handle=BOB)

REGISTER = RegisterEnvironment(
    key=KEY, name="Contoso", kind=EnvironmentKind.PRODUCTION, administrator=ALICE
)
REGISTERED: tuple[Event, ...] = (
    EnvironmentRegistered(key=KEY, name="Contoso", kind=EnvironmentKind.PRODUCTION, catalogue=1),
    RoleGranted(principal=ALICE, role=SecurityRole.SYSTEM_ADMINISTRATOR),
)

BEGINNING: tuple[Event, ...] = (*REGISTERED, *beginning())
"""What a registration brings: `REGISTERED`, and twelve templates, each given to new users."""
BEGUN = 26
"""Where a log stands once its environment is registered."""

ROLE_TABLE = {
    "none": (),
    "SYSTEM_ADMINISTRATOR": (
        "READ_SETTINGS",
        "CHANGE_SETTINGS",
        "READ_HISTORY",
        "FOLLOW_FEED",
        "MANAGE_ROLES",
        "MANAGE_ENVIRONMENT",
    ),
    "SYSTEM_CUSTOMIZER": ("READ_SETTINGS", "CHANGE_SETTINGS", "READ_HISTORY", "FOLLOW_FEED"),
    "AUDITOR": ("READ_SETTINGS", "READ_HISTORY", "FOLLOW_FEED"),
    "SYNC_WORKER": ("READ_SETTINGS", "FOLLOW_FEED"),
    "BASIC_USER": ("READ_SETTINGS",),
    "platform administrator": ("MANAGE_ROLES", "MANAGE_ENVIRONMENT", "REGISTER_ENVIRONMENT"),
}
"""Who may do what, as promised. Written out on its own, not taken from the code."""


def may(roles: Iterable[SecurityRole], *, platform: bool) -> set[str]:
    """What the table promises to somebody with these roles."""
    rows = [role.value for role in roles] + ["platform administrator"] * platform
    return {permission for row in rows for permission in ROLE_TABLE[row]}


def facts(events: Sequence[Event], actor: UUID = ALICE) -> list[Recorded]:
    """The events at positions 1, 2, 3 …, a minute apart, each a change set of its own."""
    return [
        Recorded(
            position=position,
            change_set=position,
            at=START + timedelta(minutes=position),
            actor=actor,
            event=event,
        )
        for position, event in enumerate(events, 1)
    ]


def fold(events: Sequence[Event]) -> Standing | None:
    standing: Standing | None = None
    for fact in facts(events):
        standing = advance(standing, fact)
    return standing


@dataclass(frozen=True)
class Given:
    standing: Standing | None
    actor: Actor = ADMINISTRATOR
    expected_position: int | None = None
    outcome: Planned | Refused | BeyondTheEnd | None = None

    def by(self, actor: Actor) -> "Given":
        return replace(self, actor=actor)

    def expecting(self, position: int) -> "Given":
        return replace(self, expected_position=position)

    def when(self, *commands: Command) -> "Given":
        ask = Ask(
            environment=KEY,
            commands=commands,
            actor=self.actor,
            expected_position=self.expected_position,
        )
        return replace(self, outcome=plan(self.standing, ask, START + timedelta(days=1)))

    def then(self, *events: Event) -> Planned:
        assert isinstance(self.outcome, Planned), self.outcome
        assert tuple(change.recorded.event for change in self.outcome.changes) == events
        return self.outcome

    def events(self) -> tuple[Event, ...]:
        """What would happen."""
        assert isinstance(self.outcome, Planned), self.outcome
        return tuple(change.recorded.event for change in self.outcome.changes)

    def refusals(self) -> tuple[Refusal, ...]:
        """Why nothing would."""
        assert isinstance(self.outcome, Refused), self.outcome
        return tuple(each.refusal for each in self.outcome.refusals)

    def refused(self, *refusals: Refusal) -> Refused:
        assert isinstance(self.outcome, Refused), self.outcome
        assert tuple(each.refusal for each in self.outcome.refusals) == refusals
        return self.outcome

    def refused_at(self, refusals: dict[int | None, Refusal]) -> None:
        """The refusals by the index of what was asked; None: the whole request."""
        assert isinstance(self.outcome, Refused), self.outcome
        assert [(each.index, each.refusal) for each in self.outcome.refusals] == [*refusals.items()]

    def beyond(self, end: int) -> None:
        assert self.outcome == BeyondTheEnd(asked=self.expected_position or 0, position=end)


def given(*events: Event) -> Given:
    """A registered environment of which Alice is system administrator, and then these facts."""
    return Given(fold((*REGISTERED, *events)))


NEW = evolve(None, REGISTERED[0])
"""An environment in which nothing happened yet."""


def nothing() -> Given:
    """No such environment yet."""
    return Given(None)
