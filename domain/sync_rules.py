"""What a sync worker does with an item under these settings, and why (domain reference 4).

Law: a function of the settings, the item, the user and the time. An answer is yes, no, or not to
be known from what was given; then what is missing is named. The order of filters does not matter.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from domain import assigned_tasks, bookings
from domain.environment import Environment
from domain.field_rules import FieldDecision, field_decisions
from domain.filters.criteria import Criteria
from domain.filters.effort import Effort, effort, sizes
from domain.filters.matching import Matcher
from domain.filters.records import LEFT_OUT, Verdict, any_of
from domain.filters.state import FilterKind, given_setting, setting_of
from domain.filters.values import choice
from domain.filters.viewpoint import Viewpoint
from domain.filters.windows import Clock
from domain.finding import NO_SAY, Finding, all_of, listed
from domain.mapping_table import RecordType
from domain.rule_book import (
    ATTACHMENTS_OF_APPOINTMENTS,
    ATTACHMENTS_SWITCH,
    ATTACHMENTS_TRAVEL_ALONG,
    FILTERS,
    FROZEN_RECORDS,
    NO_ACTIVE_FILTER,
    OWN_FILTERS_FROM_TEMPLATES,
    RULES,
    SERVICE_ACTIVITIES,
    TRACKED_ITEMS,
    Reason,
    because,
)
from domain.switches import APPOINTMENT_ATTACHMENTS
from domain.sync_items import Item, SyncItemType, User

FROZEN = frozenset({"1", "2"})
"""Completed and canceled, as `statecode` has them."""
LEAVES = " It is linked, so for the mailbox it counts as deleted, though only logically."
"""What becomes of the item there is another rule's to say (domain reference 1.4, 4.2 and 4.3)."""
APPOINTMENTS = frozenset({SyncItemType.APPOINTMENT, SyncItemType.RECURRING_APPOINTMENT})
YEARS = range(1800, 9000)
"""Those that `now` can be of: no relative date leads out of the calendar from there."""
ORDER = {name: place for place, name in enumerate(RULES)}


class Decision(NamedTuple):
    """`matched`: keys of filters, and `ownFilters[0]` and so on for the user's own.

    `reasons`: in the order applied. `missing`: what would tell where an answer is not known.
    """

    to_exchange: Verdict
    to_crm: Verdict
    attachments: Verdict
    reasons: tuple[Reason, ...]
    matched: tuple[str, ...]
    missing: tuple[str, ...]
    fields: tuple[FieldDecision, ...]


class _Chooser(NamedTuple):
    """An active filter. `settings`: those that make it one."""

    name: str
    says: str
    settings: tuple[str, ...]
    matcher: Matcher
    effort: Effort


class _Choosers(NamedTuple):
    """Of a table. `before`: what stands for the user's own filters where they are not told."""

    active: tuple[_Chooser, ...]
    before: tuple[Reason, ...]


class SyncRules:
    """The rules under these settings, for one user at one time. Filters are compiled once."""

    def __init__(self, environment: Environment, user: User, now: datetime) -> None:
        """ValueError for a time so early or late that nobody means it."""
        if now.year not in YEARS:
            span = f"{YEARS[0]} to {YEARS[-1]}"
            raise ValueError(f"`now` is a time of the years {span}, not of {now.year}.")
        self._environment = environment
        self._user = user
        self._viewpoint = Viewpoint(
            user=user.id,
            clock=Clock(now, user.zone),
            teams=user.teams,
            business_unit=user.business_unit,
            language=user.language,
        )
        self._choosers: dict[str, _Choosers] = {}
        self._fields: dict[tuple[RecordType, bool], tuple[FieldDecision, ...]] = {}

    def effort(self, item: Item) -> int:
        """How long its filters take at most, in characters of criteria read meanwhile."""
        related = sizes(item.record)
        return sum(each.effort.of(item.record, related) for each in self._of(item.table).active)

    def decide(self, item: Item) -> Decision:
        """What is done with it. ValueError for text that is no value of its column."""
        matched: tuple[str, ...] = ()
        record_type = item.record_type
        if record_type is None:
            going = bookings.to_exchange(self._environment, item, self._user, self._viewpoint.clock)
            coming = bookings.to_crm()
        else:
            assigned = assigned_tasks.gate(self._environment, item)
            chosen, matched = self._filters(item)
            going = all_of(assigned, chosen)
            coming = all_of(assigned, *_written_back(item))
        attachments = self._attachments(item, any_of((going.verdict, coming.verdict)))
        found = (going, coming, attachments)
        return Decision(
            to_exchange=going.verdict,
            to_crm=coming.verdict,
            attachments=attachments.verdict,
            reasons=_in_order(reason for each in found for reason in each.reasons),
            matched=matched,
            missing=tuple(sorted({name for each in found for name in each.missing})),
            fields=() if record_type is None else self._directions(item, record_type),
        )

    def _filters(self, item: Item) -> tuple[Finding, tuple[str, ...]]:
        """Whether one chooses it, and the names of those that do."""
        choosers, before = self._of(item.table)
        verdicts = [each.matcher.matches(item.record) for each in choosers]
        verdict = any_of(verdicts)
        that = [each for each, one in zip(choosers, verdicts, strict=True) if one is verdict]
        settings = dict.fromkeys(setting for each in that for setting in each.settings)
        missing: tuple[str, ...] = ()
        rule = FILTERS if choosers else NO_ACTIVE_FILTER
        if verdict:
            told = f"Chosen by {listed([each.says for each in that])}."
        elif verdict is None:
            missing = _missing(that, item)
            told = f"Whether a filter chooses it depends on {listed(missing)}."
        else:
            told = _not_chosen(len(choosers), item)
        reasons = (*before, because(rule, told, *settings))
        return Finding(verdict, reasons, missing), tuple(each.name for each in that if verdict)

    def _of(self, table: str) -> _Choosers:
        if table not in self._choosers:
            active = (*self._system(table), *self._own(table))
            self._choosers[table] = _Choosers(active, self._stand_in(table))
        return self._choosers[table]

    def _system(self, table: str) -> Iterator[_Chooser]:
        active = self._environment.filters.active(FilterKind.ONLINE, table)
        for each in sorted(active, key=lambda each: each.key):
            says = f"the system filter “{each.name}”"
            yield self._chooser(each.key, says, each.criteria, setting_of(each.key))

    def _own(self, table: str) -> Iterator[_Chooser]:
        filters, own = self._environment.filters, self._user.own_filters
        if own is None:
            setting = given_setting(FilterKind.ONLINE, table)
            template = filters.offered(FilterKind.ONLINE, table)
            if template is not None:
                says = f"the user's copy of the template “{template.name}”"
                settings = setting, setting_of(template.key)
                yield self._chooser(template.key, says, template.criteria, *settings)
            return
        for index, criteria in enumerate(own):
            if criteria.table == table:
                name = f"ownFilters[{index}]"
                yield self._chooser(name, f"the user's own filter {name}", criteria)

    def _chooser(self, name: str, says: str, criteria: Criteria, *settings: str) -> _Chooser:
        matcher = Matcher(criteria, self._viewpoint)
        return _Chooser(name, says, settings, matcher, effort(criteria.group))

    def _stand_in(self, table: str) -> tuple[Reason, ...]:
        if self._user.own_filters is not None:
            return ()
        setting = given_setting(FilterKind.ONLINE, table)
        template = self._environment.filters.offered(FilterKind.ONLINE, table)
        given = "no template" if template is None else f"“{template.name}”"
        told = f"The user's own filters are not told; new users are given {given}."
        return (because(OWN_FILTERS_FROM_TEMPLATES, told, setting),)

    def _attachments(self, item: Item, goes: Verdict) -> Finding:
        if not item.has_attachments:
            return Finding(False, (because(ATTACHMENTS_TRAVEL_ALONG, "The item has none."),))
        if item.type is not SyncItemType.APPOINTMENT:
            told = "It is no plain appointment, so its attachments stay where they are."
            return Finding(False, (because(ATTACHMENTS_OF_APPOINTMENTS, told),))
        on = self._environment.switches.appointment_attachments
        told = f"appointmentAttachments is {'on' if on else 'off'}."
        switched = because(ATTACHMENTS_SWITCH, told, APPOINTMENT_ATTACHMENTS)
        told = {
            True: "They go where the appointment goes.",
            False: "The appointment itself goes nowhere.",
            None: "Whether the appointment goes anywhere is not known.",
        }[goes]
        along = because(ATTACHMENTS_TRAVEL_ALONG, told)
        return all_of(Finding(on, (switched,)), Finding(goes, (along,)))

    def _directions(self, item: Item, record_type: RecordType) -> tuple[FieldDecision, ...]:
        asked = record_type, _frozen(item).verdict is False
        if asked not in self._fields:
            self._fields[asked] = field_decisions(
                self._environment, record_type, self._user, frozen=asked[1]
            )
        return self._fields[asked]


def _in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each once, as the rules come in the book."""
    return tuple(sorted(dict.fromkeys(reasons), key=lambda each: ORDER[each.rule.name]))


def _not_chosen(active: int, item: Item) -> str:
    """By none of so many active filters, and what that means for the mailbox."""
    match active:
        case 0:
            told = f"No filter of {item.table} is active for the user."
        case 1:
            told = "The only active filter does not choose it."
        case _:
            told = f"None of the {active} active filters chooses it."
    return told + LEAVES if item.linked else told


def _missing(choosers: Sequence[_Chooser], item: Item) -> tuple[str, ...]:
    """What would tell whether they choose it."""
    gaps = (each.matcher.explain(item.record).missing for each in choosers)
    return tuple(sorted({name for gap in gaps for name in gap}))


def _written_back(item: Item) -> Iterable[Finding]:
    """Whether Dynamics takes what happens in Exchange, an assignment not considered."""
    if item.type is SyncItemType.SERVICE_ACTIVITY:
        told = "A service activity is written to Exchange only."
        return (Finding(False, (because(SERVICE_ACTIVITIES, told),)),)
    told = "It is linked or tracked." if item.linked else "It is neither linked nor tracked."
    return Finding(item.linked, (because(TRACKED_ITEMS, told),)), _frozen(item)


def _frozen(item: Item) -> Finding:
    """No for an appointment that takes no changes any longer."""
    if item.type not in APPOINTMENTS:
        return NO_SAY
    state = item.record.columns.get("statecode", LEFT_OUT)
    if state is LEFT_OUT:
        told = "Whether the appointment is completed or canceled depends on statecode."
        return Finding(None, (because(FROZEN_RECORDS, told),), ("statecode",))
    try:
        frozen = state is not None and choice(state) in FROZEN
    except ValueError as error:
        raise ValueError(f"{item.table}.statecode is {error}, not {state!r}.") from None
    told = f"The appointment is {'completed or' if frozen else 'neither completed nor'} canceled."
    return Finding(not frozen, (because(FROZEN_RECORDS, told),))
