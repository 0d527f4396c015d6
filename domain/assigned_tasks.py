"""Whether a task that was assigned in Outlook is synchronized (domain reference 1.2 and 4.7).

Law: what was not assigned there does not depend on the switch; what is not known of an assignment
is named.
"""

from collections.abc import Iterator
from typing import NamedTuple

from domain.environment import Environment
from domain.filters.records import Verdict, opposite
from domain.finding import NO_SAY, Finding
from domain.rule_book import ASSIGNED_TASK_LIMITS, ASSIGNED_TASKS, because
from domain.switches import ASSIGNED_TASKS as SWITCH
from domain.sync_items import Assignment, Item, SyncItemType


class _Limit(NamedTuple):
    """`kept`: whether it is; `broken`: what to say where it is not."""

    name: str
    kept: Verdict
    broken: str


NOT_ASSIGNED = Finding(
    True, (because(ASSIGNED_TASKS, "It is not assigned, so assignedTasks may be off.", SWITCH),)
)


def gate(environment: Environment, item: Item) -> Finding:
    """Whether it may travel at all."""
    on = environment.switches.assigned_tasks
    if item.assignment is None:
        return NO_SAY if on or item.type is not SyncItemType.TASK else NOT_ASSIGNED
    told = f"It is assigned in Outlook, and assignedTasks is {'on' if on else 'off'}."
    switched = because(ASSIGNED_TASKS, told, SWITCH)
    if not on:
        return Finding(False, (switched,))
    limits = [*_limits(item, item.assignment)]
    broken = [each.broken for each in limits if each.kept is False]
    if broken:
        told = " ".join(f"{each}." for each in broken)
        return Finding(False, (switched, because(ASSIGNED_TASK_LIMITS, told)))
    missing = tuple(f"assignment.{each.name}" for each in limits if each.kept is None)
    unknown = f"Whether it keeps every limit depends on {', '.join(missing)}."
    told = unknown if missing else "It keeps every limit."
    verdict = None if missing else True
    return Finding(verdict, (switched, because(ASSIGNED_TASK_LIMITS, told)), missing)


def _limits(item: Item, assignment: Assignment) -> Iterator[_Limit]:
    """The names are those of the API."""
    task, people = item.type is SyncItemType.TASK, assignment.recipients
    yield _Limit("type", task, f"It is tracked as {item.type}, not as a task")
    yield _Limit("recurring", opposite(assignment.recurring), "It recurs")
    one = None if people is None else people == 1
    yield _Limit("recipients", one, f"It goes to {people} people, not to one")
    yield _Limit("sameOrganization", assignment.same_organization, "It leaves the organization")
    kept, told = assignment.keeps_updated_copy, "No updated copy of it is kept"
    yield _Limit("keepsUpdatedCopy", kept, told)
    yield _Limit("reportsStatus", assignment.reports_status, "It does not report its status")
    yield _Limit("trackedOffline", opposite(assignment.tracked_offline), "It was tracked offline")
