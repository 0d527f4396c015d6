"""What clients send along with a question: what narrows it, and when it is about.

Law: what cannot be is refused as BAD_USER_INPUT before anything is looked for.
"""

from datetime import UTC, datetime

import strawberry

from api.context import Context
from api.enums import EnvironmentKind, EnvironmentState, MailingAddresses
from api.errors import bad_input, input_checked
from api.scalars import written
from domain.lifecycle import checked_key
from domain.standing import Standing
from domain.text import checked_text
from projections.current_settings import Filter


def argument(description: str) -> object:
    return strawberry.argument(description=description)


@strawberry.input(description="Narrows a list of environments; what is left out does not.")
class EnvironmentFilter:
    search: str | None = strawberry.field(
        default=None, description="Part of the key or name, whatever its case."
    )
    kind: EnvironmentKind | None = strawberry.field(default=None, description="What it is for.")
    state: EnvironmentState | None = strawberry.field(
        default=None, description="Whether it can be changed."
    )
    appointment_attachments: bool | None = strawberry.field(
        default=None, description="Whether appointment attachments are synchronized."
    )
    assigned_tasks: bool | None = strawberry.field(
        default=None, description="Whether assigned tasks are synchronized."
    )
    resource_bookings: bool | None = strawberry.field(
        default=None, description="Whether resource bookings are synchronized."
    )
    mailing_addresses: MailingAddresses | None = strawberry.field(
        default=None, description="Which addresses are synchronized."
    )

    @property
    def narrowed(self) -> Filter:
        if self.search is not None:
            with input_checked():
                checked_text(self.search, "A search", 1, 200)
        return Filter(
            search=self.search,
            kind=self.kind,
            state=self.state,
            appointment_attachments=self.appointment_attachments,
            assigned_tasks=self.assigned_tasks,
            resource_bookings=self.resource_bookings,
            mailing_addresses=self.mailing_addresses,
        )


@strawberry.input(description="Narrows a history; what is left out does not.")
class ChangeFilter:
    by: str | None = strawberry.field(
        default=None,
        description="A principal, by id, exactly as the identity provider writes it, or by handle. "
        "Of somebody who did nothing there, nothing is found.",
    )
    setting: str | None = strawberry.field(
        default=None,
        description="The key of a setting, or the beginning of keys where it ends in a colon or "
        "dot, e.g. fieldMapping:contact.",
    )
    type: str | None = strawberry.field(
        default=None, description="The wire name of an event, e.g. mailing_addresses_chosen.v1."
    )
    since: datetime | None = strawberry.field(default=None, description="Recorded then or later.")
    until: datetime | None = strawberry.field(default=None, description="Recorded before then.")
    text: str | None = strawberry.field(
        default=None,
        description="Part of the sentence, of the key or of the reason, whatever its case.",
    )


@strawberry.input(one_of=True, description="Exactly one of a position or an instant.")
class PointInTime:
    position: int | None = strawberry.field(
        default=strawberry.UNSET, description="A position of the log; 0 is before everything."
    )
    time: datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="An instant that has passed. For some seconds after it, a change that was "
        "under way may still join the answer.",
    )


def environment_key(text: str) -> str:
    with input_checked():
        return checked_key(text)


def position(number: int | None, what: str) -> int | None:
    if number is not None and number < 0:
        raise bad_input(f"{what} is a position, 0 or more, not {number}.")
    return number


async def stood(context: Context, standing: Standing, at: PointInTime | None) -> Standing | None:
    """The standing at a past point, which is the given one where no point is asked for.

    None before the registration. BAD_USER_INPUT for a point that has not come yet.
    """
    if at is None:
        return standing
    key = standing.environment.profile.key
    if at.time:
        if at.time > max(datetime.now(UTC), standing.as_of):
            raise bad_input(f"{written(at.time)} has not come yet.")
        return (await context.past.load((key, at.time))).standing
    wanted = position(at.position or 0, "position")
    if wanted is None or wanted > standing.position:
        raise bad_input(
            f"position is {wanted}, which is beyond the end of the log at {standing.position}."
        )
    return (await context.past.load((key, wanted))).standing
