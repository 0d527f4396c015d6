"""Which way each field of an item is written, and why (cases: tests/sync_cases.py)."""

import pytest
import strategies  # noqa: F401 -- switches the deadline off
from deciding import (
    ADA,
    ALL_THREE,
    APPOINTMENT,
    ATTACHMENTS_ON,
    CONTACT,
    TODAY,
    USER,
    decided,
    item,
    mine,
    under,
)
from hypothesis import given
from hypothesis import strategies as st
from sync_cases import FIELD_CASES, FieldCase, chosen, may_not

from domain.environment import Event
from domain.field_mappings import SyncDirectionRestored, effective, mappings, setting_of
from domain.field_rules import field_decisions
from domain.mapping_table import MAPPINGS, TABLES, FieldMapping, RecordType, SyncDirection
from domain.rule_book import RULES
from domain.switches import MAILING_ADDRESSES
from domain.sync_items import SyncItemType, User

SECURABLE = {
    f"{TABLES[mapping.record_type]}.{column}"
    for mapping in MAPPINGS.values()
    for column in mapping.crm_fields
}
SIDES = {
    SyncDirection.NONE: set[str](),
    SyncDirection.TO_EXCHANGE: {"Exchange"},
    SyncDirection.TO_CRM: {"Dynamics"},
    SyncDirection.BOTH: {"Exchange", "Dynamics"},
}


@pytest.mark.parametrize("case", FIELD_CASES, ids=lambda case: case.cites)
def test_every_field_is_decided_by_its_line(case: FieldCase) -> None:
    found = case.decided
    assert found.direction is case.direction
    assert [each.rule.name for each in found.reasons] == case.rules.split()


def message(case: FieldCase) -> str:
    return " ".join(each.message for each in case.decided.reasons)


def field_of(mapping: str, *settings: Event, user: User = USER, frozen: bool = False) -> FieldCase:
    return FieldCase("", mapping, SyncDirection.NONE, "", settings, user, frozen)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (
            field_of("contact.notes"),
            "Notes is set to travel both ways, as by default.",
        ),
        (
            field_of("contact.notes", chosen("contact.notes", SyncDirection.NONE)),
            "Notes is set not to travel, as chosen.",
        ),
        (
            field_of("contact.notes", user=may_not("contact.description")),
            (
                "Notes is set to travel both ways, as by default. "
                "The user may not read contact.description."
            ),
        ),
        (
            field_of("task.importance"),
            "Importance is set to travel both ways, always.",
        ),
        (
            field_of("serviceappointment.subject"),
            "Subject is set to travel to Exchange only, as everything of a service activity.",
        ),
        (
            field_of("appointment.attachments", ATTACHMENTS_ON, frozen=True),
            "appointmentAttachments is on. The appointment is completed or canceled.",
        ),
        (
            field_of("contact.parentRegarding"),
            (
                "Parent (Regarding) is set to travel both ways, always. "
                "Nothing says that the user allows the company in Outlook to be set."
            ),
        ),
        (
            field_of("contact.homeAddress"),
            (
                "Home Address is set to travel both ways, as by default. Home Address waits, since "
                f"mailingAddresses is MAILING_ONLY. {RULES['ADDRESSES'].reading}"
            ),
        ),
        (
            field_of("contact.otherAddress", ALL_THREE),
            (
                "Other Address is set to travel both ways, as by default. Other Address may "
                f"travel, since mailingAddresses is ALL_THREE. {RULES['ADDRESSES'].reading}"
            ),
        ),
    ],
    ids=lambda case: case.mapping if isinstance(case, FieldCase) else "",
)
def test_why_a_field_is_written_so_is_told_in_words(case: FieldCase, told: str) -> None:
    assert message(case) == told


def test_the_first_address_is_told_with_what_it_is_paired_with() -> None:
    mailing = message(field_of("contact.mailingOrBusinessAddress"))
    business = message(field_of("contact.mailingOrBusinessAddress", ALL_THREE))
    assert "Address 1 is paired with MailingAddressStreet, " in mailing
    assert "Address 1 is paired with BusinessAddressStreet, " in business


def test_a_reason_names_the_setting_that_it_read() -> None:
    def settings(case: FieldCase) -> list[tuple[str, ...]]:
        return [each.settings for each in case.decided.reasons]

    assert settings(field_of("contact.notes")) == [(setting_of("contact.notes"),)]
    assert settings(field_of("task.importance")) == [()]
    assert settings(field_of("serviceappointment.subject")) == [()]
    assert settings(field_of("appointment.attachments")) == [("appointmentAttachments",)]
    for mapping in ("contact.homeAddress", "contact.mailingOrBusinessAddress"):
        found = settings(field_of(mapping))
        assert found == [(setting_of(mapping),), (MAILING_ADDRESSES,)]


@pytest.mark.parametrize("kind", RecordType)
def test_an_item_has_every_field_of_its_record_type_in_the_order_of_the_tab(
    kind: RecordType,
) -> None:
    found = decided(mine(SyncItemType(kind.value)))
    assert [each.mapping for each in found.fields] == [*mappings(kind)]


@pytest.mark.parametrize(("read", "verb"), [(True, "read"), (False, "update")])
def test_columns_that_the_user_may_not_touch_are_all_named(read: bool, verb: str) -> None:
    user = may_not("contact.address2_city", "contact.address2_line1", read=read)
    every = field_decisions(under(ALL_THREE), RecordType.CONTACT, user, frozen=False)
    [home] = [each for each in every if each.mapping.key == "contact.homeAddress"]
    told = [each.message for each in home.reasons if each.rule.name == "FIELD_SECURITY"]
    both = "contact.address2_line1, contact.address2_city"
    assert told == [f"The user may not {verb} {both}."]


def test_a_booking_has_no_fields() -> None:
    assert decided(TODAY).fields == ()


@pytest.mark.parametrize("state", ["1", "2"])
def test_the_fields_of_an_item_know_whether_it_is_frozen(state: str) -> None:
    frozen, free, vague = (
        {each.mapping.key: each.direction for each in decided(of).fields}
        for of in (
            item(APPOINTMENT, statecode=state),
            item(APPOINTMENT, statecode="0"),
            item(APPOINTMENT),
        )
    )
    assert free == vague
    assert {*frozen.values()} == {SyncDirection.TO_EXCHANGE, SyncDirection.NONE}
    done = {each.direction for each in decided(item(CONTACT, statecode=state)).fields}
    assert SyncDirection.BOTH in done


settable = st.sampled_from([each.key for each in MAPPINGS.values() if each.settable])
changes = st.builds(chosen, settable, st.sampled_from(SyncDirection)) | st.sampled_from(
    [ATTACHMENTS_ON, ALL_THREE]
)
settings = st.lists(changes)
columns = st.frozensets(st.sampled_from(sorted(SECURABLE)), max_size=60)
users = st.builds(
    lambda unreadable, locked, allows: User(
        id=ADA, unreadable=unreadable, locked=locked, allows_company=allows
    ),
    columns,
    columns,
    st.booleans(),
)


@given(settings, st.sampled_from(RecordType), users, st.booleans())
def test_rules_take_sides_away_from_what_the_settings_say_and_add_none(
    events: list[Event], kind: RecordType, user: User, frozen: bool
) -> None:
    environment = under(*events)
    for each in field_decisions(environment, kind, user, frozen=frozen):
        held = {f"{TABLES[kind]}.{column}" for column in each.mapping.crm_fields}
        sides = set(SIDES[effective(environment.directions, environment.switches, each.mapping)])
        company = each.mapping.key == "contact.parentRegarding" and not user.allows_company
        if held & user.unreadable or company:
            sides -= {"Exchange"}
        if held & user.locked or frozen:
            sides -= {"Dynamics"}
        assert SIDES[each.direction] == sides


@given(settings, st.sampled_from(RecordType), users, changes)
def test_what_a_field_depends_on_is_named(
    events: list[Event], kind: RecordType, user: User, change: Event
) -> None:
    before = field_decisions(under(*events), kind, user, frozen=False)
    after = field_decisions(under(*events, change), kind, user, frozen=False)
    for one, other in zip(before, after, strict=True):
        if one.direction is not other.direction:
            assert change.setting in {name for each in one.reasons for name in each.settings}


@given(st.sampled_from([*MAPPINGS.values()]), users)
def test_a_restored_direction_is_the_default_again(mapping: FieldMapping, user: User) -> None:
    back = SyncDirectionRestored(mapping=mapping.key, direction=mapping.default)
    there = under(chosen(mapping.key, SyncDirection.NONE), back)
    now, before = (
        field_decisions(environment, mapping.record_type, user, frozen=False)
        for environment in (there, under())
    )
    assert now == before
