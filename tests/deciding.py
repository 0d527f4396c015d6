"""Words for decisions about items: such an item of such a user, under such settings."""

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

from filter_strategies import PEOPLE
from given import NEW, START

from domain.environment import Environment, Event, evolve
from domain.filters.criteria import Condition, Criteria, Group
from domain.filters.facts import (
    FilterDeactivated,
    FilterDefined,
    TemplateGivenToNewUsers,
    TemplateWithheldFromNewUsers,
)
from domain.filters.lifecycle import About
from domain.filters.records import Record, Verdict
from domain.filters.state import FilterKind, FilterRole, canonical_text
from domain.switches import (
    AppointmentAttachmentsSwitched,
    AssignedTasksSwitched,
    MailingAddresses,
    MailingAddressesChosen,
    ResourceBookingsSwitched,
)
from domain.sync_items import Assignment, Item, SyncItemType, User
from domain.sync_rules import Decision, SyncRules

ADA, BEN, *_ = PEOPLE
NOW = START
"""Tuesday, 2026-03-03 09:00 UTC."""
USER = User(id=ADA, own_filters=())
UNTOLD = replace(USER, own_filters=None)
"""Whose own filters are not told."""
OPTED = replace(USER, booking_opt_in=True)
APPOINTMENT, CONTACT, FAX, LETTER, PHONE_CALL, SERIES, SERVICE, TASK, BOOKING = SyncItemType
"""SERIES: of appointments; SERVICE: a service activity; BOOKING: of a resource."""
VERDICTS: Mapping[str, Verdict] = {"YES": True, "NO": False, "UNKNOWN": None}

MINE = Group(conditions=(Condition(column="ownerid", operator="eq-userid"),))
OPEN = Group(conditions=(Condition(column="statecode", operator="eq", values=("0",)),))
ATTACHMENTS_ON = AppointmentAttachmentsSwitched(on=True)
TASKS_ON = AssignedTasksSwitched(on=True)
BOOKINGS_ON = ResourceBookingsSwitched(on=True)
ALL_THREE = MailingAddressesChosen(choice=MailingAddresses.ALL_THREE, acknowledged=())
KEPT = Assignment(
    recurring=False,
    recipients=1,
    same_organization=True,
    keeps_updated_copy=True,
    reports_status=True,
    tracked_offline=False,
)
"""An assignment that keeps every limit."""


def item(
    kind: SyncItemType,
    *,
    linked: bool = False,
    attached: bool = False,
    assignment: Assignment | None = None,
    **columns: str | None,
) -> Item:
    record = Record(columns=columns)
    return Item(
        type=kind, record=record, linked=linked, has_attachments=attached, assignment=assignment
    )


def mine(kind: SyncItemType, *, linked: bool = False, attached: bool = False) -> Item:
    """One that a filter `MINE` chooses; open, where that matters."""
    return item(kind, linked=linked, attached=attached, ownerid=ADA, statecode="0")


def others(kind: SyncItemType, *, linked: bool = False) -> Item:
    """One that it does not choose."""
    return item(kind, linked=linked, ownerid=BEN, statecode="0")


def booking(starts: str | None, ends: str | None, *, linked: bool = False) -> Item:
    return item(BOOKING, linked=linked, starttime=starts, endtime=ends)


TODAY = booking("2026-03-03T10:00:00Z", "2026-03-03T11:00:00Z")


def about(key: str, kind: SyncItemType, role: FilterRole, online: FilterKind) -> About:
    table = item(kind).table
    return {"filter_key": key, "role": role, "kind": online, "table": table, "name": key.upper()}


def system(
    key: str,
    kind: SyncItemType = CONTACT,
    group: Group = MINE,
    *,
    online: FilterKind = FilterKind.ONLINE,
) -> FilterDefined:
    """An active system filter."""
    names = about(key, kind, FilterRole.SYSTEM_FILTER, online)
    text = canonical_text(Criteria(table=names["table"], group=group))
    return FilterDefined(**names, description="", active=True, fetch_xml=text)


def template(key: str, kind: SyncItemType = CONTACT, group: Group = MINE) -> FilterDefined:
    """An active template, which is given to nobody yet."""
    return replace(system(key, kind, group), role=FilterRole.USER_FILTER_TEMPLATE)


def off(filter_: FilterDefined) -> FilterDeactivated:
    return FilterDeactivated(
        filter_key=filter_.filter_key,
        role=filter_.role,
        kind=filter_.kind,
        table=filter_.table,
        name=filter_.name,
    )


def given_out(filter_: FilterDefined) -> TemplateGivenToNewUsers:
    return TemplateGivenToNewUsers(
        kind=filter_.kind, table=filter_.table, filter_key=filter_.filter_key, name=filter_.name
    )


def withheld(filter_: FilterDefined) -> TemplateWithheldFromNewUsers:
    return TemplateWithheldFromNewUsers(
        kind=filter_.kind, table=filter_.table, filter_key=filter_.filter_key, name=filter_.name
    )


def owning(*groups: Group, kind: SyncItemType = CONTACT) -> User:
    """A user with these active filters."""
    table = item(kind).table
    return replace(USER, own_filters=tuple(Criteria(table=table, group=each) for each in groups))


def under(*events: Event) -> Environment:
    """An environment without templates, in which this happened."""
    return reduce(evolve, events, NEW)


def decided(of: Item, *events: Event, user: User = USER) -> Decision:
    return SyncRules(under(*events), user, NOW).decide(of)
