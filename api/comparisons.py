"""What the schema shows of two points beside each other: what differs, and who could have done it.

Law: both points are seen with the rights of now; of an environment that the viewer may not see
nothing is told, not even that it is there.
"""

from typing import NamedTuple
from uuid import UUID

import strawberry

from api.asking import PointInTime, environment_key, stood
from api.context import Context
from api.enums import Permission
from api.errors import bad_input, forbidden
from api.people import role_key
from domain.comparing import Difference, compared
from domain.lifecycle import EnvironmentNotFound
from domain.membership import PREFIX as ROLE
from domain.standing import Standing


@strawberry.type(description="A setting, or somebody's roles, that are not the same.")
class SettingDifference:
    setting: str = strawberry.field(description="Its key.")
    label: str = strawberry.field(description="What the tab calls it; of a filter, its name.")
    before: str | None = strawberry.field(
        description="What it holds at the first point, as a machine value; null for nothing."
    )
    after: str | None = strawberry.field(description="What it holds at the second point, likewise.")
    differences: list[str] = strawberry.field(
        description="Filters: what differs in all that a filter is, a line each."
    )
    summary: str = strawberry.field(description="The difference as a sentence.")


class Point(NamedTuple):
    """A standing to be, and when. `at`: None for now."""

    standing: Standing
    at: PointInTime | None


async def readable(context: Context, key: str) -> Standing:
    """Another environment whose history the viewer may read.

    BAD_USER_INPUT where it is not there for the viewer, FORBIDDEN where it may not be read.
    """
    found = await context.visible(environment_key(key))
    if found is None:
        raise bad_input(EnvironmentNotFound(key=key).message)
    if Permission.READ_HISTORY not in context.permissions(found):
        raise forbidden(Permission.READ_HISTORY)
    return found


async def differences(context: Context, one: Point, other: Point) -> list[SettingDifference] | None:
    """None where one of the two was not registered yet."""
    before, after = await stood(context, *one), await stood(context, *other)
    if before is None or after is None:
        return None
    for each in (before, after):
        context.weigh(each.environment.filters.size)
    found = compared(before.environment, after.environment)
    return [await _shown(context, each) for each in found]


async def _shown(context: Context, difference: Difference) -> SettingDifference:
    """The key as the API writes it: a role's names the principal, its handle once erased."""
    setting, summary = difference.setting, difference.summary
    if setting.startswith(ROLE):
        known = await context.principals.load(UUID(setting.removeprefix(ROLE)))
        setting = role_key(known)
        whose = known.name or known.provider_id or known.handle
        summary = f"{difference.label} of {whose}{summary.removeprefix(difference.label)}"
    return SettingDifference(
        setting=setting,
        label=difference.label,
        before=difference.before,
        after=difference.after,
        differences=list(difference.lines),
        summary=summary,
    )
