import json
from dataclasses import replace
from pathlib import Path

import pytest
from given import ADMINISTRATOR, NEW, REGISTERED, fold, given
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.environment import Event, decide, sentence, warnings
from domain.field_mappings import (
    DIRECTION_AFFECTS_SYNC_TIME,
    ChooseSyncDirection,
    DirectionNotSettable,
    RestoreSyncDirections,
    SyncDirectionChosen,
    SyncDirectionRestored,
    UnknownMapping,
    configured,
    effective,
    explanation,
    mappings,
    outlook_fields,
)
from domain.mapping_table import MAPPINGS, NAMES, TABLES, RecordType, SyncDirection
from domain.plan import ChangedMeanwhile
from domain.switches import MailingAddresses, Switches

FACTS = json.loads((Path(__file__).parent / "facts" / "field-mappings.json").read_text("utf-8"))
"""The documented defaults, as data. BIDIRECTIONAL there is BOTH here."""
TO_EXCHANGE, BOTH, NONE = SyncDirection.TO_EXCHANGE, SyncDirection.BOTH, SyncDirection.NONE
MAILING_ONLY, ALL_THREE = (Switches(mailing_addresses=choice) for choice in MailingAddresses)
SETTABLE = [fact["key"] for fact in FACTS if fact["editable"]]
FIXED = [fact["key"] for fact in FACTS if not fact["editable"]]


FACTS_COMPARED = (
    "key",
    "entity",
    "outlookLabel",
    "outlookFields",
    "crmLabel",
    "crmFields",
    "editable",
    "computed",
)


def direction(name: str) -> SyncDirection:
    return SyncDirection("BOTH" if name == "BIDIRECTIONAL" else name)


def chosen(mapping: str, direction: SyncDirection) -> SyncDirectionChosen:
    return SyncDirectionChosen(mapping=mapping, direction=direction)


def choose(mapping: str, direction: SyncDirection) -> ChooseSyncDirection:
    return ChooseSyncDirection(mapping=mapping, direction=direction)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: str(fact["key"]))
def test_every_row_is_as_documented(fact: dict[str, object]) -> None:
    mapping = MAPPINGS[str(fact["key"])]
    assert {
        "key": mapping.key,
        "entity": TABLES[mapping.record_type],
        "outlookLabel": mapping.outlook,
        "outlookFields": list(mapping.outlook_fields),
        "crmLabel": mapping.crm,
        "crmFields": list(mapping.crm_fields),
        "editable": mapping.settable,
        "computed": mapping.computed,
    } == {key: fact[key] for key in fact if key in {*FACTS_COMPARED}}
    assert mapping.default is direction(str(fact["defaultDirection"]))


def test_there_are_98_rows_in_the_documented_order_and_59_can_be_set() -> None:
    assert [*MAPPINGS] == [fact["key"] for fact in FACTS]
    assert len(MAPPINGS) == 98
    assert len(SETTABLE) == 59
    assert {len([*mappings(record_type)]) for record_type in RecordType} == {11, 34, 8, 10, 9}
    assert set(NAMES) == set(TABLES) == set(RecordType)


@pytest.mark.parametrize("switches", [MAILING_ONLY, ALL_THREE], ids=["mailing-only", "all-three"])
def test_the_address_switch_gates_and_pairs_as_documented(switches: Switches) -> None:
    mode = switches.mailing_addresses.value
    for fact in FACTS:
        mapping = MAPPINGS[fact["key"]]
        documented = fact.get("modes", {}).get(mode)
        if documented is None:
            assert outlook_fields(switches, mapping) == mapping.outlook_fields
            assert effective({}, switches, mapping) is mapping.default
        elif documented["effective"] == "NONE":
            assert effective({}, switches, mapping) is NONE
            assert explanation({}, switches, mapping) is not None
        else:
            assert outlook_fields(switches, mapping) == tuple(documented["outlookFields"])
            for each in SyncDirection:
                assert effective({mapping.key: each}, switches, mapping) is each
                assert explanation({mapping.key: each}, switches, mapping) is None


def test_a_gated_address_keeps_what_was_chosen_and_says_why_it_waits() -> None:
    home, directions = MAPPINGS["contact.homeAddress"], {"contact.homeAddress": TO_EXCHANGE}
    assert configured(directions, home) is TO_EXCHANGE
    assert effective(directions, MAILING_ONLY, home) is NONE
    assert explanation(directions, MAILING_ONLY, home) == (
        "Only the mailing address is synchronized, so this one waits for all three to be."
    )
    assert effective(directions, ALL_THREE, home) is TO_EXCHANGE
    assert explanation({home.key: NONE}, MAILING_ONLY, home) is None


@pytest.mark.parametrize("on", [True, False])
def test_attachments_follow_their_switch_and_nothing_else(on: bool) -> None:
    switches = Switches(appointment_attachments=on)
    for mapping in MAPPINGS.values():
        follows = mapping.key == "appointment.attachments" and on
        if mapping.key not in {"contact.homeAddress", "contact.otherAddress"}:
            assert effective({}, switches, mapping) is (BOTH if follows else mapping.default)


@pytest.mark.parametrize("mapping", SETTABLE)
def test_what_can_be_set_can_be_set_in_every_direction(mapping: str) -> None:
    asked = given()
    for each in (NONE, TO_EXCHANGE, SyncDirection.TO_CRM, BOTH):
        asked = given(chosen(mapping, NONE if each is not NONE else BOTH))
        asked.when(choose(mapping, each)).then(chosen(mapping, each))
    asked.when(choose(mapping, NONE)).then()


@pytest.mark.parametrize("mapping", FIXED)
@pytest.mark.parametrize("each", SyncDirection)
def test_what_is_fixed_is_refused_even_as_it_is(mapping: str, each: SyncDirection) -> None:
    refusal = DirectionNotSettable(mapping=mapping)
    given().when(choose(mapping, each)).refused(refusal)
    assert refusal.settable == ()


REASONS = {
    "appointment.attachments": (
        "The direction of appointment.attachments cannot be set. "
        "It follows the switch appointmentAttachments; turn that on or off."
    ),
    "serviceappointment.subject": (
        "The direction of serviceappointment.subject cannot be set. "
        "Service activities are synchronized to Exchange only."
    ),
    "task.status": (
        "The direction of task.status cannot be set. "
        "It is computed from other columns, and always synchronized both ways."
    ),
    "contact.fullName": (
        "The direction of contact.fullName cannot be set. "
        "The product synchronizes it both ways, always."
    ),
}


@pytest.mark.parametrize("mapping", REASONS)
def test_a_refusal_says_why_and_so_does_the_setting(mapping: str) -> None:
    message = DirectionNotSettable(mapping=mapping).message
    assert message == REASONS[mapping]
    told = explanation({}, MAILING_ONLY, MAPPINGS[mapping])
    assert told is not None
    assert message.endswith(told)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            "contact.note",
            (
                "There is no field mapping 'contact.note'. "
                "Did you mean contact.notes or contact.jobTitle or contact.mobile?"
            ),
        ),
        ("xyz", "There is no field mapping 'xyz'. `fieldMappings` lists them all."),
    ],
)
def test_an_unknown_mapping_is_refused_with_the_nearest_ones(mapping: str, message: str) -> None:
    given().when(choose(mapping, BOTH)).refused(UnknownMapping(mapping=mapping))
    assert UnknownMapping(mapping=mapping).message == message


@pytest.mark.parametrize("mapping", ["", "x" * 81, "a\0b", "\ud800"])
def test_a_mapping_that_cannot_be_one_is_a_mistake(mapping: str) -> None:
    with pytest.raises(ValueError, match=r"^A mapping's key "):
        choose(mapping, BOTH)


def test_a_mapping_of_one_character_can_be_asked_for() -> None:
    given().when(choose("x", BOTH)).refused(UnknownMapping(mapping="x"))


@pytest.mark.parametrize("event", [SyncDirectionChosen, SyncDirectionRestored])
def test_no_fact_is_about_a_mapping_that_is_none(
    event: type[SyncDirectionChosen | SyncDirectionRestored],
) -> None:
    with pytest.raises(ValueError, match=r"There is no field mapping 'contact\.unheardOf'"):
        event(mapping="contact.unheardOf", direction=NONE)
    with pytest.raises(ValueError, match=f"mapping '{80 * 'x'}'"):
        event(mapping=81 * "x", direction=NONE)


def test_restoring_is_one_change_for_each_mapping_that_differs() -> None:
    asked = given(
        chosen("task.subject", NONE),
        chosen("contact.notes", TO_EXCHANGE),
        chosen("contact.pager", NONE),
        chosen("contact.pager", BOTH),
    )
    contact = SyncDirectionRestored(mapping="contact.notes", direction=BOTH)
    task = SyncDirectionRestored(mapping="task.subject", direction=BOTH)
    asked.when(RestoreSyncDirections()).then(contact, task)
    asked.when(RestoreSyncDirections(record_type=RecordType.CONTACT)).then(contact)
    asked.when(RestoreSyncDirections(record_type=RecordType.FAX)).then()
    asked.when(RestoreSyncDirections(), RestoreSyncDirections()).then(contact, task)


def test_restoring_names_every_mapping_of_its_type() -> None:
    asked = given(chosen("contact.notes", NONE))
    meanwhile = (
        asked.standing.last_changes["fieldMapping:contact.notes"] if asked.standing else None
    )
    assert meanwhile is not None
    conflict = ChangedMeanwhile(expected_position=2, position=3, by=(meanwhile,))
    asked.expecting(2).when(RestoreSyncDirections()).refused(conflict)
    asked.expecting(2).when(RestoreSyncDirections(record_type=RecordType.TASK)).then()
    assert conflict.message.startswith("fieldMapping:contact.notes was changed after position 2.")
    both = replace(conflict, by=(meanwhile, meanwhile._replace(setting="assignedTasks")))
    assert both.message.startswith("fieldMapping:contact.notes, assignedTasks were changed after")


@for_all(
    st.lists(
        st.builds(
            chosen, st.sampled_from(SETTABLE[:6] + SETTABLE[-3:]), st.sampled_from(SyncDirection)
        ),
        max_size=12,
    ),
    st.none() | st.sampled_from(RecordType),
)
def test_after_restoring_everything_asked_for_is_at_its_default(
    events: list[Event], record_type: RecordType | None
) -> None:
    standing = fold((*REGISTERED, *events))
    assert standing is not None
    command = RestoreSyncDirections(record_type=record_type)
    restored = decide(standing.environment, command, ADMINISTRATOR)
    assert isinstance(restored, tuple)
    after = fold((*REGISTERED, *events, *restored))
    assert after is not None
    before, directions = standing.environment.directions, after.environment.directions
    for mapping in MAPPINGS.values():
        asked = record_type in {None, mapping.record_type}
        kept = mapping.default if asked else configured(before, mapping)
        assert configured(directions, mapping) is kept


SENTENCES = {
    chosen("contact.notes", NONE): "Contact, Notes is not synchronized",
    chosen("contact.notes", TO_EXCHANGE): "Contact, Notes is synchronized to Exchange only",
    chosen(
        "recurringappointmentmaster.body", SyncDirection.TO_CRM
    ): "Recurring Appointment, Body is synchronized to Dynamics only",
    SyncDirectionRestored(
        mapping="phonecall.dueDate", direction=BOTH
    ): "Phone Call, Due Date is synchronized both ways again, as by default",
}


@pytest.mark.parametrize("event", SENTENCES)
def test_each_change_has_its_sentence_and_its_warning(event: Event) -> None:
    assert sentence(event) == SENTENCES[event]
    assert warnings(NEW, event) == (DIRECTION_AFFECTS_SYNC_TIME,)
