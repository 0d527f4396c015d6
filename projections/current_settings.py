"""The current settings as a table, one row an environment: for search across environments.

Law: a row is a function of the standing at its position, and never read to decide anything.
"""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from domain.lifecycle import EnvironmentKind, EnvironmentState
from domain.standing import Standing
from domain.switches import MailingAddresses
from eventstore.database import Borrowed, Database
from projections.statements import SQL


class Row(NamedTuple):
    environment: str
    position: int
    name: str
    kind: str
    state: str
    appointment_attachments: bool
    assigned_tasks: bool
    resource_bookings: bool
    mailing_addresses: str
    members: list[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What narrows a search; None leaves it open. `search` looks in key and name."""

    search: str | None = None
    kind: EnvironmentKind | None = None
    state: EnvironmentState | None = None
    appointment_attachments: bool | None = None
    assigned_tasks: bool | None = None
    resource_bookings: bool | None = None
    mailing_addresses: MailingAddresses | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        return (
            self.search,
            self.kind,
            self.state,
            self.appointment_attachments,
            self.assigned_tasks,
            self.resource_bookings,
            self.mailing_addresses,
        )


class Stretch(NamedTuple):
    """Keys strictly between two, at most that many, from the first on or from the last back.

    None: without an end, without a limit.
    """

    after: str | None
    before: str | None
    backwards: bool
    limit: int | None


def row(standing: Standing) -> Row:
    """The row of an environment at this standing."""
    profile, switches = standing.environment.profile, standing.environment.switches
    return Row(
        profile.key,
        standing.position,
        profile.name,
        profile.kind.value,
        profile.state.value,
        switches.appointment_attachments,
        switches.assigned_tasks,
        switches.resource_bookings,
        switches.mailing_addresses.value,
        sorted(standing.environment.members),
    )


async def keep(connection: Borrowed, rows: list[Row]) -> None:
    """Write these rows, leaving alone those that are further already."""
    if not rows:
        return
    members = [(each.environment, handle) for each in rows for handle in each.members]
    await connection.execute(
        SQL["keep"],
        *(list(column) for column in list(zip(*rows, strict=True))[:-1]),
        [environment for environment, _ in members],
        [handle for _, handle in members],
    )


async def stored(database: Database, environment: str) -> Row | None:
    rows = await database.fetch(SQL["row"], environment)
    return Row(*rows[0]) if rows else None


async def search(
    database: Database,
    *,
    member: UUID | None,
    narrowed: Filter,
    stretch: Stretch,
) -> list[str]:
    """Keys of environments of which `member` holds a role (None: all), in the order walked."""
    found = await database.fetch(SQL["search"], member, *stretch, *narrowed.arguments)
    return [each["environment"] for each in found]


async def count(database: Database, *, member: UUID | None, narrowed: Filter) -> int:
    (found,) = await database.fetch(SQL["count"], member, *narrowed.arguments)
    total: int = found["total"]
    return total
