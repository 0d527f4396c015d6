"""What clients send, and the commands it stands for.

Law: what types and scalars can refuse is refused here, as BAD_USER_INPUT; what needs the domain is
the domain's to refuse.
"""

from uuid import UUID

import strawberry

from api.enums import (
    ChangeMode,
    EnvironmentKind,
    MailingAddresses,
    RecordType,
    SecurityRole,
    SyncDirection,
    WarningCode,
)
from api.errors import Problem, bad_input, input_checked
from api.filter_inputs import (
    DefineFilterInput,
    FilterReference,
    RedefineFilterInput,
    RestoreDefaultTemplatesInput,
)
from domain.environment import Command
from domain.field_mappings import ChooseSyncDirection, RestoreSyncDirections
from domain.filters.commands import (
    ActivateFilter,
    DeactivateFilter,
    GiveTemplateToNewUsers,
    RemoveFilter,
    WithholdTemplateFromNewUsers,
)
from domain.switches import (
    ChooseMailingAddresses,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.text import checked_text

REASON = "Why, up to 2000 characters; kept beside the log, so that it can be erased."
REQUEST_ID = (
    "A UUID. The same id with the same content by the same principal answers with the first "
    "result; anything else is refused."
)
APPLIED_ONCE = f"APPLY only. {REQUEST_ID}"
EXPECTED = (
    "Refuse if any setting touched here was changed after this position. Changes to other settings "
    "do not matter."
)
ACCEPTED = "The warnings that the viewer accepts, by code."
KEY = "The key of the environment."


@strawberry.input(description="Turns a switch on or off.")
class SwitchInput:
    enabled: bool = strawberry.field(description="True for on.")


@strawberry.input(description="Chooses which addresses of contacts are synchronized.")
class MailingAddressesInput:
    choice: MailingAddresses = strawberry.field(description="Which addresses.")


@strawberry.input(description="Chooses the direction of a field mapping.")
class SyncDirectionInput:
    mapping: str = strawberry.field(description="Its key, e.g. contact.notes.")
    direction: SyncDirection = strawberry.field(description="Which direction.")


@strawberry.input(
    description="Every mapping back to its default; with a record type, those of that type. One "
    "change for each mapping that differs."
)
class RestoreSyncDirectionsInput:
    record_type: RecordType | None = strawberry.field(
        default=None, description="Only this record type."
    )


@strawberry.input(one_of=True, description="One change: exactly one of these.")
class SettingChange:
    appointment_attachments: SwitchInput | None = strawberry.field(
        default=strawberry.UNSET, description="Synchronize appointment attachments."
    )
    assigned_tasks: SwitchInput | None = strawberry.field(
        default=strawberry.UNSET, description="Synchronize tasks that are assigned in Outlook."
    )
    resource_bookings: SwitchInput | None = strawberry.field(
        default=strawberry.UNSET, description="Synchronize resource bookings."
    )
    mailing_addresses: MailingAddressesInput | None = strawberry.field(
        default=strawberry.UNSET, description="Choose which addresses are synchronized."
    )
    sync_direction: SyncDirectionInput | None = strawberry.field(
        default=strawberry.UNSET, description="Choose the direction of a field mapping."
    )
    restore_sync_directions: RestoreSyncDirectionsInput | None = strawberry.field(
        default=strawberry.UNSET, description="Restore the default directions."
    )
    define_filter: DefineFilterInput | None = strawberry.field(
        default=strawberry.UNSET, description="Define a system filter or a template."
    )
    redefine_filter: RedefineFilterInput | None = strawberry.field(
        default=strawberry.UNSET, description="Change what a filter is called or chooses."
    )
    activate_filter: FilterReference | None = strawberry.field(
        default=strawberry.UNSET, description="Let a filter choose again."
    )
    deactivate_filter: FilterReference | None = strawberry.field(
        default=strawberry.UNSET, description="Let a filter choose nothing, and keep it."
    )
    remove_filter: FilterReference | None = strawberry.field(
        default=strawberry.UNSET, description="Remove a filter; history keeps what it was."
    )
    give_template_to_new_users: FilterReference | None = strawberry.field(
        default=strawberry.UNSET,
        description="Give this template to new users, in place of the one before.",
    )
    withhold_template_from_new_users: FilterReference | None = strawberry.field(
        default=strawberry.UNSET,
        description="Give new users this template no longer, and none in its place.",
    )
    restore_default_templates: RestoreDefaultTemplatesInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Restore the default templates, or get them where there never were any.",
    )

    def command(self, acknowledged: frozenset[WarningCode]) -> Command:
        if self.appointment_attachments:
            return SwitchAppointmentAttachments(on=self.appointment_attachments.enabled)
        if self.assigned_tasks:
            return SwitchAssignedTasks(on=self.assigned_tasks.enabled)
        if self.resource_bookings:
            return SwitchResourceBookings(on=self.resource_bookings.enabled)
        if self.mailing_addresses:
            return ChooseMailingAddresses(
                choice=self.mailing_addresses.choice, acknowledged=acknowledged
            )
        if self.sync_direction:
            with input_checked():
                return ChooseSyncDirection(
                    mapping=self.sync_direction.mapping, direction=self.sync_direction.direction
                )
        if self.restore_sync_directions:
            return RestoreSyncDirections(record_type=self.restore_sync_directions.record_type)
        return self._of_filters()

    def _of_filters(self) -> Command:
        if self.define_filter:
            return self.define_filter.command
        if self.redefine_filter:
            return self.redefine_filter.command
        if self.activate_filter:
            return self.activate_filter.command(ActivateFilter)
        if self.deactivate_filter:
            return self.deactivate_filter.command(DeactivateFilter)
        if self.remove_filter:
            return self.remove_filter.command(RemoveFilter)
        if self.give_template_to_new_users:
            return self.give_template_to_new_users.command(GiveTemplateToNewUsers)
        if self.withhold_template_from_new_users:
            return self.withhold_template_from_new_users.command(WithholdTemplateFromNewUsers)
        if self.restore_default_templates:
            return self.restore_default_templates.command
        raise bad_input("A change names exactly one setting.")


@strawberry.input(
    description="One press of OK: applied in order, all or nothing, stored and delivered as one "
    "change set."
)
class ChangeSettingsInput:
    environment_key: str = strawberry.field(description=KEY)
    changes: list[SettingChange] = strawberry.field(description="1 to 200.")
    mode: ChangeMode = strawberry.field(
        default=ChangeMode.APPLY, description="Whether to make the changes or only to see them."
    )
    expected_position: int | None = strawberry.field(default=None, description=EXPECTED)
    acknowledge: list[WarningCode] = strawberry.field(default_factory=list, description=ACCEPTED)
    reason: str | None = strawberry.field(default=None, description=REASON)
    request_id: strawberry.ID | None = strawberry.field(default=None, description=APPLIED_ONCE)

    def commands(self) -> tuple[Command, ...]:
        """In a preview every warning counts as accepted, and is told instead of demanded."""
        preview = self.mode is ChangeMode.PREVIEW
        acknowledged = frozenset(WarningCode if preview else self.acknowledge)
        return tuple(_placed(index, each, acknowledged) for index, each in enumerate(self.changes))


def _placed(index: int, change: SettingChange, acknowledged: frozenset[WarningCode]) -> Command:
    """The command of a change. What is wrong with it is told with its place in the list."""
    try:
        return change.command(acknowledged)
    except Problem as problem:
        raise bad_input(f"changes[{index}]: {problem.message}") from problem


@strawberry.input(description="A new environment.")
class RegisterEnvironmentInput:
    key: str = strawberry.field(description="1 to 63 of a-z, 0-9 and hyphen; never changes.")
    name: str = strawberry.field(description="1 to 200 characters.")
    kind: EnvironmentKind = strawberry.field(description="What it is for.")
    administrator: str | None = strawberry.field(
        default=None,
        description="The principal id of its first system administrator; the one who registers "
        "when left out.",
    )
    reason: str | None = strawberry.field(default=None, description=REASON)
    request_id: strawberry.ID | None = strawberry.field(default=None, description=REQUEST_ID)


@strawberry.input(description="A new name for an environment.")
class RenameEnvironmentInput:
    environment_key: str = strawberry.field(description=KEY)
    name: str = strawberry.field(description="1 to 200 characters.")
    reason: str | None = strawberry.field(default=None, description=REASON)
    request_id: strawberry.ID | None = strawberry.field(default=None, description=REQUEST_ID)


@strawberry.input(description="The environment to archive.")
class ArchiveEnvironmentInput:
    environment_key: str = strawberry.field(description=KEY)
    reason: str | None = strawberry.field(default=None, description=REASON)
    request_id: strawberry.ID | None = strawberry.field(default=None, description=REQUEST_ID)


@strawberry.input(description="The environment to restore.")
class RestoreEnvironmentInput:
    environment_key: str = strawberry.field(description=KEY)
    reason: str | None = strawberry.field(default=None, description=REASON)
    request_id: strawberry.ID | None = strawberry.field(default=None, description=REQUEST_ID)


@strawberry.input(description="A role to grant.")
class GrantRoleInput:
    environment_key: str = strawberry.field(description=KEY)
    principal: str = strawberry.field(description="As the identity provider names them.")
    role: SecurityRole = strawberry.field(description="Which role.")
    reason: str | None = strawberry.field(default=None, description=REASON)
    request_id: strawberry.ID | None = strawberry.field(default=None, description=REQUEST_ID)


@strawberry.input(description="A role to revoke.")
class RevokeRoleInput:
    environment_key: str = strawberry.field(description=KEY)
    principal: str = strawberry.field(description="As the identity provider names them.")
    role: SecurityRole = strawberry.field(description="Which role.")
    reason: str | None = strawberry.field(default=None, description=REASON)
    request_id: strawberry.ID | None = strawberry.field(default=None, description=REQUEST_ID)


def principal_id(text: str) -> str:
    with input_checked():
        return checked_text(text, "A principal's id", 1, 255)


def request_id(text: str | None) -> UUID | None:
    """BAD_USER_INPUT for anything but a UUID as it is usually written."""
    if text is None:
        return None
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text.lower():
        raise bad_input(f"A request id is a UUID, not {text[:80]!r}.")
    return found
