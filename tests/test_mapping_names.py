from collections.abc import Callable

import pytest
from hypothesis import given as law
from hypothesis import strategies as st

from app.dataverse import TYPE_CODES
from app.dataverse_rows import AttributeMapping, understood
from app.mapping_names import BY_NAME, NotAMapping, mapping_of
from domain.mapping_table import MAPPINGS, TABLES, FieldMapping

every_mapping = st.sampled_from([*MAPPINGS.values()])


def row(**columns: object) -> AttributeMapping:
    named = {name.replace("key", "@syncledger.mapping"): value for name, value in columns.items()}
    known = understood({"syncdirection": 0, **named}).row
    assert isinstance(known, AttributeMapping)
    return known


def refusal(**columns: object) -> str:
    with pytest.raises(NotAMapping) as refused:
        mapping_of(row(**columns))
    return str(refused.value)


def names(mapping: FieldMapping) -> list[str]:
    return [mapping.key.partition(".")[2], mapping.outlook, mapping.crm]


def test_no_name_means_two_mappings_of_an_entity() -> None:
    different = [
        (mapping.record_type, name)
        for mapping in MAPPINGS.values()
        for name in {name.casefold() for name in names(mapping)}
    ]
    assert len(BY_NAME) == len(different) == len({*different})


@law(every_mapping, st.integers(0, 2), st.sampled_from([str, str.upper, str.lower, str.title]))
def test_a_mapping_is_meant_by_its_entity_and_any_of_its_names_in_any_case(
    mapping: FieldMapping, which: int, case: Callable[[str], str]
) -> None:
    name, table = case(names(mapping)[which]), TABLES[mapping.record_type]
    code = TYPE_CODES[mapping.record_type]
    entities: tuple[dict[str, object], ...] = (
        {"entitytypecode": code},
        {"entityname": table},
        {"entitytypecode": table},  # as the table has it, and not the function
        {"entityname": case(table)},
        {"entitytypecode": code, "entityname": table},
    )
    for entity in entities:
        assert mapping_of(row(mappingname=name, **entity)) is mapping


@law(every_mapping, st.text())
def test_a_key_means_its_mapping_whatever_the_product_calls_it(
    mapping: FieldMapping, name: str
) -> None:
    code = TYPE_CODES[mapping.record_type]
    assert mapping_of(row(key=mapping.key)) is mapping
    assert mapping_of(row(key=mapping.key, mappingname=name, entitytypecode=code)) is mapping


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (
            {"key": "contact.note"},
            (
                "There is no field mapping 'contact.note'. Did you mean contact.notes or "
                "contact.jobTitle or contact.mobile?"
            ),
        ),
        ({"key": ""}, "There is no field mapping ''."),
        ({"key": "x" * 1_000_000}, f"There is no field mapping '{'x' * 79}…'."),
        (
            {"key": "contact.notes", "entitytypecode": 4212},
            "contact.notes is a mapping of contact, and the row is about task.",
        ),
        ({"mappingname": "notes"}, "A mapping needs an entitytypecode or an entityname."),
        ({"entityname": "contact"}, "A mapping needs a mappingname."),
        (
            {"entityname": "contact", "mappingname": "Note"},
            (
                "There is no mapping 'Note' of contact. Did you mean contact.notes or "
                "contact.jobTitle or contact.mobile?"
            ),
        ),
        (
            {"entityname": "fax", "mappingname": "\ud800\n" * 9},
            f"There is no mapping '{'\\ud800\\n' * 9}' of fax.",
        ),
        (
            {"entitytypecode": 2, "entityname": "task", "mappingname": "notes"},
            "2 and task are two entities.",
        ),
    ],
)
def test_what_means_no_mapping_is_told(columns: dict[str, object], told: str) -> None:
    assert refusal(**columns) == told


@pytest.mark.parametrize(
    ("entity", "shown"), [(4202, "4202"), (-1, "-1"), ("4212", "'4212'"), ("email\n", "'email\\n'")]
)
def test_another_entity_has_no_fields_that_are_synchronized(entity: int | str, shown: str) -> None:
    told = refusal(entitytypecode=entity, mappingname="subject")
    assert told.startswith(f"No fields of {shown} are synchronized, only those of appointment 4201")
    assert told.endswith("task 4212.")
