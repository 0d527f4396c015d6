"""Which way each field of an item is written, and why (domain reference 4.10).

Law: a rule only takes a side away from what was chosen; none adds one but the attachments' switch.
"""

from collections.abc import Iterator
from typing import NamedTuple

from domain import field_mappings
from domain.environment import Environment
from domain.mapping_table import TABLES, FieldMapping, RecordType, SyncDirection
from domain.rule_book import (
    ADDRESSES,
    ATTACHMENTS_SWITCH,
    CHOSEN_DIRECTION,
    COMPANY,
    FIELD_SECURITY,
    FIRST_ADDRESS,
    FROZEN_RECORDS,
    SERVICE_ACTIVITIES,
    Reason,
    because,
)
from domain.switches import APPOINTMENT_ATTACHMENTS, MAILING_ADDRESSES, MailingAddresses
from domain.sync_items import User

SET_TO = {
    SyncDirection.NONE: "is set not to travel",
    SyncDirection.TO_EXCHANGE: "is set to travel to Exchange only",
    SyncDirection.TO_CRM: "is set to travel to Dynamics only",
    SyncDirection.BOTH: "is set to travel both ways",
}
"""Whether it does, the rules after that tell."""
COMPANY_OF_CONTACT = "contact.parentRegarding"
WITHOUT_EXCHANGE = {
    SyncDirection.NONE: SyncDirection.NONE,
    SyncDirection.TO_EXCHANGE: SyncDirection.NONE,
    SyncDirection.TO_CRM: SyncDirection.TO_CRM,
    SyncDirection.BOTH: SyncDirection.TO_CRM,
}
WITHOUT_CRM = {
    SyncDirection.NONE: SyncDirection.NONE,
    SyncDirection.TO_EXCHANGE: SyncDirection.TO_EXCHANGE,
    SyncDirection.TO_CRM: SyncDirection.NONE,
    SyncDirection.BOTH: SyncDirection.TO_EXCHANGE,
}


class FieldDecision(NamedTuple):
    """`direction`: where the item itself goes there."""

    mapping: FieldMapping
    direction: SyncDirection
    reasons: tuple[Reason, ...]


def field_decisions(
    environment: Environment, record_type: RecordType, user: User, *, frozen: bool
) -> tuple[FieldDecision, ...]:
    """Every field of the record type, in the order of the tab.

    `frozen`: whether the record takes no changes from Exchange.
    """
    return tuple(
        _decided(environment, mapping, user, frozen=frozen)
        for mapping in field_mappings.mappings(record_type)
    )


def _decided(
    environment: Environment, mapping: FieldMapping, user: User, *, frozen: bool
) -> FieldDecision:
    direction = field_mappings.effective(environment.directions, environment.switches, mapping)
    reasons = [*_of_settings(environment, mapping)]
    taken = [(WITHOUT_EXCHANGE, each) for each in _not_to_exchange(mapping, user)]
    taken += [(WITHOUT_CRM, each) for each in _not_to_crm(mapping, user, frozen=frozen)]
    for without, reason in taken:
        if without[direction] is not direction:
            direction = without[direction]
            reasons.append(reason)
    return FieldDecision(mapping, direction, tuple(reasons))


def _of_settings(environment: Environment, mapping: FieldMapping) -> Iterator[Reason]:
    setting = field_mappings.setting_of(mapping.key)
    chosen = field_mappings.configured(environment.directions, mapping)
    words = f"{mapping.outlook} {SET_TO[chosen]}"
    if mapping.key == field_mappings.ATTACHMENTS:
        state = "on" if environment.switches.appointment_attachments else "off"
        yield because(
            ATTACHMENTS_SWITCH, f"appointmentAttachments is {state}.", APPOINTMENT_ATTACHMENTS
        )
    elif mapping.record_type is RecordType.SERVICE_ACTIVITY:
        yield because(SERVICE_ACTIVITIES, f"{words}, as everything of a service activity.")
    elif mapping.settable:
        how = "as chosen" if mapping.key in environment.directions else "as by default"
        yield because(CHOSEN_DIRECTION, f"{words}, {how}.", setting)
    else:
        yield because(CHOSEN_DIRECTION, f"{words}, always.")
    if mapping.key in field_mappings.GATED_ADDRESSES:
        addresses = environment.switches.mailing_addresses
        does = "may travel" if addresses is MailingAddresses.ALL_THREE else "waits"
        told = f"{mapping.outlook} {does}, since mailingAddresses is {addresses}."
        yield because(ADDRESSES, told, MAILING_ADDRESSES)
    if mapping.key == field_mappings.FIRST_ADDRESS:
        paired = field_mappings.outlook_fields(environment.switches, mapping)
        told = f"Address 1 is paired with {', '.join(paired)}."
        yield because(FIRST_ADDRESS, told, MAILING_ADDRESSES)


def _not_to_exchange(mapping: FieldMapping, user: User) -> Iterator[Reason]:
    if mapping.key == COMPANY_OF_CONTACT and not user.allows_company:
        yield because(
            COMPANY, "Nothing says that the user allows the company in Outlook to be set."
        )
    hidden = [each for each in _columns(mapping) if each in user.unreadable]
    if hidden:
        yield because(FIELD_SECURITY, f"The user may not read {', '.join(hidden)}.")


def _not_to_crm(mapping: FieldMapping, user: User, *, frozen: bool) -> Iterator[Reason]:
    locked = [each for each in _columns(mapping) if each in user.locked]
    if locked:
        yield because(FIELD_SECURITY, f"The user may not update {', '.join(locked)}.")
    if frozen:
        yield because(FROZEN_RECORDS, "The appointment is completed or canceled.")


def _columns(mapping: FieldMapping) -> list[str]:
    return [f"{TABLES[mapping.record_type]}.{column}" for column in mapping.crm_fields]
