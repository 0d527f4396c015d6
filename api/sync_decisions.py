"""What the schema shows of the sync rules: what is done with an item, and why.

Law: every answer is the domain's, made from the settings that are shown.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import strawberry

from api.context import Context, Info
from api.enums import Answer, SyncDirection
from api.errors import ErrorCode, Problem, bad_input, input_checked
from api.nodes import When
from api.settings import FieldMapping
from api.sync_inputs import MOST_ITEMS, SyncItemInput, SyncUserInput
from domain.field_mappings import setting_of
from domain.field_rules import FieldDecision as Field
from domain.filters.records import Verdict
from domain.filters.state import FilterKind
from domain.rule_book import Reason
from domain.standing import Standing
from domain.sync_items import Item, User
from domain.sync_rules import Decision, SyncRules

HEAVIER = 5
"""How much more comparing weighs than reading: what was read is remembered for the next time."""


ANSWERS: dict[Verdict, Answer] = {True: Answer.YES, False: Answer.NO, None: Answer.UNKNOWN}


@strawberry.type(description="A rule as it was applied; docs/rules.md has them all.")
class DecisionReason:
    rule: str = strawberry.field(description="Its name in the rule book, e.g. FILTERS.")
    message: str = strawberry.field(description="What it came to, in words.")
    settings: list[str] = strawberry.field(description="The keys of the settings that it read.")


@strawberry.type(description="Which way a field is written, where its item goes there.")
class FieldDecision:
    decided: strawberry.Private[Field]
    mapping: FieldMapping = strawberry.field(description="The field.")
    direction: SyncDirection = strawberry.field(
        description="What a sync worker does with it where the item itself goes there, settings "
        "and user considered."
    )

    @strawberry.field(description="The rules that were applied, by their names in the rule book.")
    def rules(self) -> list[str]:
        return [each.rule.name for each in self.decided.reasons]

    @strawberry.field(description="Why, in words.")
    def reason(self) -> str | None:
        return " ".join(each.message for each in self.decided.reasons)


@strawberry.type(description="What a sync worker does with an item.")
class SyncDecision:
    standing: strawberry.Private[Standing]
    when: strawberry.Private[When]
    decision: strawberry.Private[Decision]
    to_exchange: Answer = strawberry.field(
        description="Whether it is written to Exchange. A linked record that no filter chooses any "
        "longer is a logical deletion for the mailbox."
    )
    to_crm: Answer = strawberry.field(
        description="Whether what happens to it in Exchange is written to Dynamics."
    )
    attachments: Answer = strawberry.field(description="Whether its attachments go with it.")

    @strawberry.field(
        description="In the order applied; each names the rule and the settings it read."
    )
    def reasons(self, info: Info) -> list[DecisionReason]:
        return [_reason(each, info.context) for each in self.decision.reasons]

    @strawberry.field(
        description="Keys of the filters and templates that choose it, and `ownFilters[0]` and so "
        "on for the user's own."
    )
    def matched_filters(self, info: Info) -> list[str]:
        return _weighed(self.decision.matched, info.context)

    @strawberry.field(description="What would tell, where an answer is UNKNOWN.")
    def missing_columns(self, info: Info) -> list[str]:
        return _weighed(self.decision.missing, info.context)

    @strawberry.field(description="Every field of the record type, in the order of the tab.")
    def fields(self) -> list[FieldDecision]:
        return [self._field(each) for each in self.decision.fields]

    def _field(self, decided: Field) -> FieldDecision:
        setting = setting_of(decided.mapping.key)
        mapping = FieldMapping(standing=self.standing, when=self.when, setting=setting)
        return FieldDecision(decided=decided, mapping=mapping, direction=decided.direction)


class Asked(NamedTuple):
    """`now`: None for the present."""

    items: Sequence[SyncItemInput]
    user: SyncUserInput
    now: datetime | None


def sync_decisions(
    standing: Standing, when: When, asked: Asked, context: Context
) -> list[SyncDecision | Problem]:
    """A decision for each item, in their order, or what is wrong with it.

    BAD_USER_INPUT for a user who cannot be, or too many items; TOO_COSTLY.
    """
    if len(asked.items) > MOST_ITEMS:
        raise bad_input(f"At most {MOST_ITEMS} items at once, not {len(asked.items)}.")
    items = [_read(index, each) for index, each in enumerate(asked.items)]
    good = [each for each in items if isinstance(each, Item)]
    user = asked.user.user(context)
    context.weigh(_to_be_read(standing, good, user))
    with input_checked():
        rules = SyncRules(standing.environment, user, asked.now or datetime.now(UTC))
    _weigh(sum(map(rules.effort, good)), context)
    decide = partial(_decided, standing, when, rules)
    return [
        each if isinstance(each, Problem) else decide(at, each) for at, each in enumerate(items)
    ]


def _read(index: int, given: SyncItemInput) -> Item | Problem:
    try:
        return given.item
    except ValueError as error:
        return bad_input(f"items[{index}]: {error}")


def _decided(
    standing: Standing, when: When, rules: SyncRules, index: int, item: Item
) -> SyncDecision | Problem:
    try:
        return _shown(standing, when, rules.decide(item))
    except ValueError as error:
        return bad_input(f"items[{index}]: {error}")


def _shown(standing: Standing, when: When, decision: Decision) -> SyncDecision:
    return SyncDecision(
        standing=standing,
        when=when,
        decision=decision,
        to_exchange=ANSWERS[decision.to_exchange],
        to_crm=ANSWERS[decision.to_crm],
        attachments=ANSWERS[decision.attachments],
    )


def _to_be_read(standing: Standing, items: Sequence[Item], user: User) -> int:
    """Characters of the criteria that are read from the settings."""
    filters, total = standing.environment.filters, 0
    for table in {item.table for item in items}:
        total += sum(len(each.fetch_xml) for each in filters.active(FilterKind.ONLINE, table))
        offered = filters.offered(FilterKind.ONLINE, table)
        if user.own_filters is None and offered is not None:
            total += len(offered.fetch_xml)
    return total


def _weigh(effort: int, context: Context) -> None:
    try:
        context.weigh(HEAVIER * effort)
    except Problem:
        raise Problem(
            ErrorCode.TOO_COSTLY,
            "Comparing these items with the filters would take too long. Ask for fewer items at "
            "once, or give fewer related records and shorter texts.",
        ) from None


def _reason(reason: Reason, context: Context) -> DecisionReason:
    settings = _weighed(reason.settings, context)
    return DecisionReason(rule=reason.rule.name, message=reason.message, settings=settings)


def _weighed(names: Sequence[str], context: Context) -> list[str]:
    """Names, of which there may be many, counted as criteria that are read."""
    context.weigh(sum(map(len, names)))
    return list(names)
