"""What clients send to bring settings back or over, and what is asked of the domain with it.

Law: what is read of the source is what the viewer may read there, at the moment of asking.
"""

from datetime import datetime

import strawberry

from api.asking import PointInTime, environment_key, position, stood
from api.context import Context
from api.enums import ChangeMode, Permission, WarningCode
from api.errors import bad_input, input_checked
from api.inputs import KEY, REASON, REQUEST_ID
from api.outcomes import LEAST, READ, refused
from api.results import SettingsRefused
from domain.actor import NotPermitted
from domain.bringing import Bringing
from domain.lifecycle import EnvironmentNotFound
from domain.plan import Ask, Refusal, Refused, RefusedChange
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
    expected_position: int | None = strawberry.field(
        default=None,
        description="Refuse if any setting touched here was changed after this position. Changes "
        "to other settings do not matter.",
    )
    acknowledge: list[WarningCode] = strawberry.field(
        default_factory=list, description="The warnings that the viewer accepts, by code."
    )
    reason: str | None = strawberry.field(default=None, description=REASON)
    request_id: strawberry.ID | None = strawberry.field(
        default=None, description=f"APPLY only. {REQUEST_ID}"
    )


async def asked(context: Context, wish: BringSettingsInput) -> Ask | SettingsRefused:
    """What is asked of the domain; a refusal where nothing may be read at the source."""
    key, source = environment_key(wish.environment_key), wish.source
    there = key if source.environment_key is None else environment_key(source.environment_key)
    if there == key and source.at is None:
        raise bad_input("`from` names neither another environment nor a past point of this one.")
    named = _named(wish.settings)
    here, standing = await context.visible(key), await context.visible(there)
    if here is None or standing is None:
        missing = EnvironmentNotFound(key=key if here is None else there)
        return await refused(context, key, _whole(missing))
    needs = Permission.READ_SETTINGS if source.at is None else Permission.READ_HISTORY
    if needs not in context.permissions(standing):
        return await refused(context, key, _whole(NotPermitted(needs=needs)))
    origin = await stood(context, standing, source.at)
    if origin is None:
        raise bad_input(f"{there} had no settings yet at that point.")
    _weigh(context, here, origin)
    preview = wish.mode is ChangeMode.PREVIEW
    return Ask(
        environment=key,
        commands=(),
        actor=context.actor,
        expected_position=position(wish.expected_position, "expectedPosition"),
        bringing=Bringing(
            source=there,
            at=_point(source.at),
            position=origin.position,
            origin=origin.environment,
            settings=named,
            acknowledged=frozenset(WarningCode if preview else wish.acknowledge),
        ),
    )


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
        return tuple(checked_text(each, what, 1, LONGEST_KEY) for each in settings)


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


def _whole(why: Refusal) -> Refused:
    return Refused(refusals=(RefusedChange(refusal=why),))
