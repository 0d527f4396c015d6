"""What became of a request, in the schema: changed, previewed or refused.

Law: what is shown was decided elsewhere.
"""

from typing import Annotated

import strawberry

from api.changes import ChangeSet, setting_key, told_differences, weighed
from api.consequences import (
    Impact,
    Warning,  # noqa: A004 -- the glossary's word
)
from api.context import Info
from api.environments import Environment
from api.refusals import Refusal
from api.tab import SynchronizationSettings
from domain import standing as log
from domain.environment import sentence


@strawberry.type(description="The changes were made, or were there already.")
class SettingsChanged:
    change_set: ChangeSet | None = strawberry.field(
        description="Null when everything already was as asked."
    )
    settings: SynchronizationSettings = strawberry.field(description="As they stand after it.")
    warnings: list[Warning] = strawberry.field(description="What to know about these changes.")
    replayed: bool = strawberry.field(
        description="True when a request id was seen before and this is the first answer again."
    )


@strawberry.type(description="What one change would do.")
class PlannedChange:
    change: strawberry.Private[log.Change]

    @strawberry.field(description="The key of the setting.")
    async def setting(self, info: Info) -> str:
        return await setting_key(self.change, info)

    @strawberry.field(description="The event's wire name.")
    def type(self) -> str:
        return self.change.recorded.event.wire_name

    @strawberry.field(description="What it holds, as a machine value.")
    def before(self, info: Info) -> str | None:
        return weighed(self.change.before, info)

    @strawberry.field(description="What it would hold.")
    def after(self, info: Info) -> str | None:
        return weighed(self.change.after, info)

    @strawberry.field(description="Filters: what would differ in the criteria, a line each.")
    def differences(self, info: Info) -> list[str]:
        return told_differences(self.change, info)

    @strawberry.field(description="The change as a sentence.")
    def summary(self) -> str:
        return sentence(self.change.recorded.event)


@strawberry.type(
    description="What applying would do now. Nothing was written. A preview is refused exactly "
    "where applying would be, except that acknowledgements may still be missing: those warnings "
    "say `mustBeAcknowledged`."
)
class SettingsPreviewed:
    changes: list[PlannedChange] = strawberry.field(description="In order; empty for none.")
    impact: list[Impact] = strawberry.field(
        description="What starts, stops or changes direction, by record type. Users' own filters "
        "are not known here."
    )
    other_impact: list[str] = strawberry.field(
        description="The same of what is no record type: resource bookings, and tables that are "
        "only carried offline."
    )
    settings: SynchronizationSettings = strawberry.field(
        description="As they would stand. Nothing can be fetched by their ids."
    )
    warnings: list[Warning] = strawberry.field(description="What to know about these changes.")


@strawberry.type(description="Nothing was written.")
class SettingsRefused:
    refusals: list[Refusal] = strawberry.field(description="Everything that stands against it.")
    position: int = strawberry.field(
        description="Where the log ends; 0 where there is none that the viewer may see."
    )


ChangeSettingsResult = Annotated[
    SettingsChanged | SettingsPreviewed | SettingsRefused,
    strawberry.union("ChangeSettingsResult", description="What became of a request."),
]


@strawberry.type(description="The environment was changed, or was so already.")
class EnvironmentChanged:
    environment: Environment = strawberry.field(description="As it stands after it.")
    change_set: ChangeSet | None = strawberry.field(
        description="Null when everything already was as asked."
    )
    replayed: bool = strawberry.field(
        description="True when a request id was seen before and this is the first answer again."
    )


@strawberry.type(description="Nothing was written.")
class EnvironmentRefused:
    refusals: list[Refusal] = strawberry.field(description="Everything that stands against it.")


EnvironmentResult = Annotated[
    EnvironmentChanged | EnvironmentRefused,
    strawberry.union("EnvironmentResult", description="What became of a request."),
]
