"""From how settings should be to the commands that make them so, in an order in which they can be.

Law: what is so already is not asked for. Whether it may be is decided where every command is.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from domain import switches
from domain.environment import Command, Environment, value
from domain.field_mappings import ChooseSyncDirection, configured
from domain.field_mappings import setting_of as setting_of_mapping
from domain.filter_steps import Fault, Step, of_filters, step
from domain.mapping_table import MAPPINGS
from domain.switches import (
    ChooseMailingAddresses,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
    SwitchResourceBookings,
)
from domain.wanted import Wanted
from domain.warning import WarningCode

type Switch = type[SwitchAppointmentAttachments | SwitchAssignedTasks | SwitchResourceBookings]

SWITCH: Mapping[str, Switch] = {
    switches.APPOINTMENT_ATTACHMENTS: SwitchAppointmentAttachments,
    switches.ASSIGNED_TASKS: SwitchAssignedTasks,
    switches.RESOURCE_BOOKINGS: SwitchResourceBookings,
}


MOST_STEPS = 1_000
"""At once: more than every setting that there can be takes."""


class Steps(NamedTuple):
    """`faults`: what of the wanted cannot even be asked for."""

    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]

    @property
    def commands(self) -> tuple[Command, ...]:
        return tuple(each.command for each in self.steps)


def steps(
    environment: Environment, wanted: Wanted, acknowledged: frozenset[WarningCode] = frozenset()
) -> Steps:
    """From an environment as it is to one as it is wanted."""
    found = (
        *_of_switches(environment, wanted, acknowledged),
        *_of_directions(environment, wanted),
        *of_filters(environment.filters, wanted),
    )
    faults = tuple(each for each in found if isinstance(each, Fault))
    faulty = {each.setting for each in faults}
    possible = (each for each in found if isinstance(each, Step) and each.setting not in faulty)
    return Steps(tuple(possible), faults)


def _of_switches(
    environment: Environment, wanted: Wanted, acknowledged: frozenset[WarningCode]
) -> Iterator[Step]:
    for setting, on in wanted.switches.items():
        if on != (value(environment, setting) == "true"):
            yield Step(setting, SWITCH[setting](on=on))
    choice = wanted.addresses
    if choice is not None and choice is not environment.switches.mailing_addresses:
        command = ChooseMailingAddresses(choice=choice, acknowledged=acknowledged)
        yield Step(switches.MAILING_ADDRESSES, command)


def _of_directions(environment: Environment, wanted: Wanted) -> Iterator[Step | Fault]:
    """A fixed one is asked for even as it is, to be refused."""
    for key, direction in wanted.directions.items():
        mapping = MAPPINGS.get(key)
        so = (
            mapping is not None
            and mapping.settable
            and configured(environment.directions, mapping) is direction
        )
        if not so:
            command = partial(ChooseSyncDirection, mapping=key, direction=direction)
            yield step(setting_of_mapping(key), command)
