"""What clients send to bring settings back or over, and what is asked of the domain with it.

Law: what is read of the source is what the viewer may read there, at the moment of asking.
"""

from datetime import datetime

import strawberry

from api.asking import PointInTime, environment_key, position, stood
from api.context import Context
from api.enums import ChangeMode, Permission, WarningCode
from api.errors import bad_input, input_checked
from api.inputs import ACCEPTED, APPLIED_ONCE, EXPECTED, KEY, REASON
from api.outcomes import LEAST, READ
from domain.actor import NotPermitted
from domain.bringing import Bringing, Unreadable
from domain.environment import closed
from domain.lifecycle import EnvironmentNotFound
from domain.plan import Ask
from domain.standing import Standing
from domain.text import checked_text

MOST_NAMED, LONGEST_KEY = 500, 200
"""More settings than an environment has, and characters than any key."""


@strawberry.input(
    description="Where settings come from: another environment, or this one when left out, now or "
    "at a past point."
)
class SettingsSourceInput:
    environment_key: str | None = strawberry.field(
        default=None, description="The key of another environment; this one when left out."
    )
    at: PointInTime | None = strawberry.field(default=None, description="When; now when left out.")


@strawberry.input(description="Settings to be as they stand elsewhere, all of them or none.")
class BringSettingsInput:
    environment_key: str = strawberry.field(description=KEY)
    source: SettingsSourceInput = strawberry.field(name="from", description="Where they come from.")
    settings: list[str] | None = strawberry.field(
        default=None,
        description="Only these settings of the tab, by key; all that differ when left out. Roles, "
        "and the environment's name and state, are never brought.",
    )
    mode: ChangeMode = strawberry.field(
        default=ChangeMode.APPLY, description="Whether to bring them or only to see what would be."
    )
    expected_position: int | None = strawberry.field(default=None, description=EXPECTED)
    acknowledge: list[WarningCode] = strawberry.field(default_factory=list, description=ACCEPTED)
    reason: str | None = strawberry.field(default=None, description=REASON)
    request_id: strawberry.ID | None = strawberry.field(default=None, description=APPLIED_ONCE)


async def asked(context: Context, wish: BringSettingsInput) -> Ask:
    """What is asked of the domain, with what stands at the source, or why that may not be read."""
    key, source = environment_key(wish.environment_key), wish.source
    there = key if source.environment_key is None else environment_key(source.environment_key)
    if there == key and source.at is None:
        raise bad_input("`from` names neither another environment nor a past point of this one.")
    named, preview = _named(wish.settings), wish.mode is ChangeMode.PREVIEW
    found = await _read(context, there, source.at)
    here = await context.visible(key)
    may = here is not None and closed(here.environment, context.permissions(here)) is None
    if here is not None and may and isinstance(found, Standing):
        _weigh(context, here, found)
    return Ask(
        environment=key,
        commands=(),
        actor=context.actor,
        expected_position=position(wish.expected_position, "expectedPosition"),
        bringing=Bringing(
            source=there,
            at=_point(source.at),
            origin=found,
            settings=named,
            acknowledged=frozenset(WarningCode if preview else wish.acknowledge),
        ),
    )


async def _read(context: Context, key: str, at: PointInTime | None) -> Standing | Unreadable:
    """BAD_USER_INPUT for a point that has not come yet, or is before everything."""
    standing = await context.visible(key)
    if standing is None:
        return EnvironmentNotFound(key=key)
    needs = Permission.READ_SETTINGS if at is None else Permission.READ_HISTORY
    if needs not in context.permissions(standing):
        return NotPermitted(needs=needs)
    found = await stood(context, standing, at)
    if found is None:
        raise bad_input(f"{key} had no settings yet at that point.")
    return found


def _named(settings: list[str] | None) -> tuple[str, ...] | None:
    if settings is None:
        return None
    if not 0 < len(settings) <= MOST_NAMED:
        raise bad_input(
            f"`settings` names 1 to {MOST_NAMED} settings, not {len(settings)}. Leave it out for "
            "all that differ."
        )
    what = "The key of a setting"
    with input_checked():
        named = {checked_text(each, what, 1, LONGEST_KEY) for each in settings}
    return tuple(sorted(named))


def _weigh(context: Context, here: Standing, origin: Standing) -> None:
    """Both are read to be compared, and of the source what differs again to be decided."""
    before, after = here.environment.filters, origin.environment.filters
    differing = sum(
        LEAST + READ * len(each.fetch_xml)
        for key, each in after.by_key.items()
        if before.by_key.get(key) != each
    )
    context.weigh(before.size + after.size + differing)


def _point(at: PointInTime | None) -> int | datetime | None:
    if at is None:
        return None
    return at.time or at.position or 0
