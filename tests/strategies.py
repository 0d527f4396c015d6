"""What may be asked and what can have happened, generated.

Importing this file switches Hypothesis' deadline off: a busy machine is no fault.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from given import ALICE, BEGUN, BOB, CAROL, KEY, PLATFORM, REGISTER, START
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from domain.actor import Actor
from domain.bringing import Bringing
from domain.environment import Command, Event
from domain.field_mappings import (
    ChooseSyncDirection,
    RestoreSyncDirections,
    SyncDirectionChosen,
    SyncDirectionRestored,
)
from domain.filters.commands import (
    ActivateFilter,
    DeactivateFilter,
    DefineFilter,
    GiveTemplateToNewUsers,
    RedefineFilter,
    RemoveFilter,
    RestoreDefaultTemplates,
    WithholdTemplateFromNewUsers,
)
from domain.filters.criteria import Condition, Criteria, Group, GroupOperator
from domain.filters.facts import (
    FilterActivated,
    FilterDeactivated,
    FilterDefined,
    FilterRedefined,
    FilterRemoved,
    TemplateGivenToNewUsers,
    TemplateWithheldFromNewUsers,
)
from domain.filters.state import KEY_FORM as FILTER_KEY_FORM
from domain.filters.state import canonical_text
from domain.lifecycle import (
    KEY_FORM,
    ArchiveEnvironment,
    EnvironmentArchived,
    EnvironmentRegistered,
    EnvironmentRenamed,
    EnvironmentRestored,
    RegisterEnvironment,
    RenameEnvironment,
    RestoreEnvironment,
)
from domain.mapping_table import MAPPINGS
from domain.membership import (
    ErasePrincipal,
    GrantRole,
    PrincipalErased,
    RevokeRole,
    RoleGranted,
    RoleRevoked,
)
from domain.plan import Ask, Planned, plan
from domain.source import SettingsBrought
from domain.standing import Change, Recorded, Standing
from domain.switches import (
    AppointmentAttachmentsSwitched,
    AssignedTasksSwitched,
    ChooseMailingAddresses,
    MailingAddressesChosen,
    ResourceBookingsSwitched,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.warning import WarningCode

settings.register_profile("syncledger", deadline=None)
settings.register_profile("few", deadline=None, max_examples=10)
settings.load_profile("syncledger")

DAVE = UUID("da4e0000-0000-4000-8000-000000000000")
PEOPLE = (ALICE, BOB, CAROL, DAVE)

keys = st.from_regex(KEY_FORM, fullmatch=True)
names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200
)
people = st.sampled_from(PEOPLE)
positions = st.integers(min_value=1, max_value=2**53)
mappings = st.sampled_from([*MAPPINGS])
few_mappings = st.sampled_from(["contact.notes", "contact.homeAddress", "task.subject"])
actors = st.builds(Actor, handle=people, platform_administrator=st.booleans())

filter_keys = st.sampled_from(["a", "b", "template.online.contact.my-outlook-contacts"])
filter_names = st.sampled_from(["Mine", "MINE ", "Ours", "My Outlook Contacts"])
tables = st.sampled_from(["contact", "task", "account", "email"])
CITY = Condition(column="address1_city", operator="eq", values=("Berlin",))
OPEN = Condition(column="statecode", operator="eq", values=("0",))
trees = st.sampled_from(
    [
        Group(),
        Group(conditions=(OPEN,)),
        Group(operator=GroupOperator.OR, conditions=(OPEN, CITY)),
        Group(conditions=(Condition(column="statecode", operator="like", values=("0",)),)),
    ]
)
"""The last makes no sense."""
texts = st.builds(
    lambda table, group: canonical_text(Criteria(table=table, group=group)),
    st.sampled_from(["contact", "task", "account"]),
    trees,
)
asked_criteria = trees | texts | st.just("<fetch>")

COMMANDS: dict[type[Command], SearchStrategy[Command]] = {
    RegisterEnvironment: st.builds(RegisterEnvironment, key=st.just(KEY), name=names),
    RenameEnvironment: st.builds(
        RenameEnvironment, name=st.sampled_from(["Contoso", "Fabrikam"]) | names
    ),
    ArchiveEnvironment: st.builds(ArchiveEnvironment),
    RestoreEnvironment: st.builds(RestoreEnvironment),
    GrantRole: st.builds(GrantRole, principal=people),
    RevokeRole: st.builds(RevokeRole, principal=people),
    ErasePrincipal: st.builds(ErasePrincipal, principal=people),
    SwitchAppointmentAttachments: st.builds(SwitchAppointmentAttachments),
    SwitchAssignedTasks: st.builds(SwitchAssignedTasks),
    SwitchResourceBookings: st.builds(SwitchResourceBookings),
    ChooseMailingAddresses: st.builds(ChooseMailingAddresses),
    ChooseSyncDirection: st.builds(
        ChooseSyncDirection, mapping=few_mappings | mappings | st.just("contact.unheardOf")
    ),
    RestoreSyncDirections: st.builds(RestoreSyncDirections),
    DefineFilter: st.builds(
        DefineFilter,
        table=tables,
        name=filter_names,
        criteria=asked_criteria,
        key=st.none() | filter_keys,
        description=st.sampled_from(["", "Why"]),
    ),
    RedefineFilter: st.builds(
        RedefineFilter,
        key=filter_keys,
        name=filter_names,
        description=st.none() | st.sampled_from(["", "Why"]),
        criteria=st.none() | asked_criteria,
    ),
    ActivateFilter: st.builds(ActivateFilter, key=filter_keys),
    DeactivateFilter: st.builds(DeactivateFilter, key=filter_keys),
    RemoveFilter: st.builds(RemoveFilter, key=filter_keys),
    GiveTemplateToNewUsers: st.builds(GiveTemplateToNewUsers, key=filter_keys),
    WithholdTemplateFromNewUsers: st.builds(WithholdTemplateFromNewUsers, key=filter_keys),
    RestoreDefaultTemplates: st.builds(RestoreDefaultTemplates),
}
commands = st.one_of(*COMMANDS.values())

about_filter: dict[str, SearchStrategy[str]] = {
    "filter_key": st.from_regex(FILTER_KEY_FORM, fullmatch=True),
    "table": st.sampled_from(["contact", "task", "account"]),
    "name": names,
}

EVENTS: dict[type[Event], SearchStrategy[Event]] = {
    EnvironmentRegistered: st.builds(
        EnvironmentRegistered, key=keys, name=names, catalogue=st.integers(min_value=1, max_value=9)
    ),
    EnvironmentRenamed: st.builds(EnvironmentRenamed, name=names),
    EnvironmentArchived: st.builds(EnvironmentArchived),
    EnvironmentRestored: st.builds(EnvironmentRestored),
    RoleGranted: st.builds(RoleGranted),
    RoleRevoked: st.builds(RoleRevoked),
    PrincipalErased: st.builds(PrincipalErased),
    AppointmentAttachmentsSwitched: st.builds(AppointmentAttachmentsSwitched),
    AssignedTasksSwitched: st.builds(AssignedTasksSwitched),
    ResourceBookingsSwitched: st.builds(ResourceBookingsSwitched),
    MailingAddressesChosen: st.builds(MailingAddressesChosen),
    SyncDirectionChosen: st.builds(SyncDirectionChosen, mapping=mappings),
    SyncDirectionRestored: st.builds(SyncDirectionRestored, mapping=mappings),
    FilterDefined: st.builds(FilterDefined, **about_filter, description=names, fetch_xml=texts),
    FilterRedefined: st.builds(
        FilterRedefined,
        **about_filter,
        former_name=st.none() | names,
        description=st.none() | names,
        fetch_xml=st.none() | texts,
    ),
    FilterActivated: st.builds(FilterActivated, **about_filter),
    FilterDeactivated: st.builds(FilterDeactivated, **about_filter),
    FilterRemoved: st.builds(FilterRemoved, **about_filter),
    TemplateGivenToNewUsers: st.builds(TemplateGivenToNewUsers, **about_filter),
    TemplateWithheldFromNewUsers: st.builds(TemplateWithheldFromNewUsers, **about_filter),
    SettingsBrought: st.builds(SettingsBrought, environment=keys, position=positions),
}
events = st.one_of(*EVENTS.values())
"""Any event on its own, whether or not it can be reached."""


@dataclass(frozen=True, repr=False)
class History:
    """A log that commands can lead to, its changes and where it leads."""

    changes: tuple[Change, ...]
    standing: Standing

    def __repr__(self) -> str:
        """What followed the beginning, which is the same always."""
        return f"History({[each.event for each in self.facts[BEGUN:]]})"

    @property
    def facts(self) -> tuple[Recorded, ...]:
        return tuple(change.recorded for change in self.changes)


def asks(who: SearchStrategy[Actor] = actors, most: int = 6) -> SearchStrategy[Ask]:
    return st.builds(
        Ask,
        environment=st.just(KEY),
        commands=st.lists(commands, min_size=1, max_size=most).map(tuple),
        actor=who,
        expected_position=st.none() | st.integers(min_value=0, max_value=BEGUN + 10),
    )


@dataclass(frozen=True)
class Back:
    """Bring everything back to where one of the change sets so far has led."""

    number: int


def back(number: int, before: list[Standing]) -> Ask:
    there = before[number % len(before)]
    bringing = Bringing(
        source=KEY,
        at=there.position,
        origin=there,
        acknowledged=frozenset(WarningCode),
    )
    return Ask(environment=KEY, commands=(), actor=Actor(handle=ALICE), bringing=bringing)


def live(requests: list[Ask | Back]) -> History:
    """Register, then ask for one after the other: what is refused leaves no trace."""
    beginning = plan(None, Ask(environment=KEY, commands=(REGISTER,), actor=PLATFORM), START)
    assert isinstance(beginning, Planned)
    changes, standing = list(beginning.changes), beginning.standing
    before = [standing]
    for minute, request in enumerate(requests, 1):
        ask = back(request.number, before) if isinstance(request, Back) else request
        outcome = plan(standing, ask, START + timedelta(minutes=minute))
        if isinstance(outcome, Planned):
            changes += outcome.changes
            standing = outcome.standing
            before.append(standing)
    return History(tuple(changes), standing)


someone_who_may = st.sampled_from(
    [Actor(handle=ALICE), Actor(handle=ALICE, platform_administrator=True), PLATFORM]
)
single_asks = st.builds(
    Ask, environment=st.just(KEY), commands=st.tuples(commands), actor=someone_who_may | actors
)
backs = st.builds(Back, st.integers(min_value=0, max_value=20))
histories = st.lists(single_asks | asks(someone_who_may, most=3) | backs, max_size=20).map(live)
