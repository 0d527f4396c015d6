"""Operators, tables and columns are the facts, a copy of which stands in `facts/filters.json`."""

import json
from pathlib import Path

import pytest

from domain.filters.catalogue import CATALOGUE, RECORD_TYPES
from domain.filters.columns import Column
from domain.filters.operators import ALIASES, COMPARES_COLUMNS, OPERATORS, ColumnType
from domain.mapping_table import MAPPINGS, TABLES, RecordType

FACTS = json.loads((Path(__file__).parent / "facts" / "filters.json").read_text("utf-8"))


def test_there_are_83_operators_as_the_facts_have_them() -> None:
    assert len(OPERATORS) == 83
    for fact, (name, operator) in zip(FACTS["operators"], OPERATORS.items(), strict=True):
        assert name == operator.name == fact["name"]
        assert operator.label == fact["label"]
        assert {each.value for each in operator.types} == set(fact["types"])
        assert (operator.fewest, operator.most) == (fact["minValues"], fact["maxValues"])
        assert operator.values.value == fact["valueType"]
        assert operator.date_only is (fact["dateOnlyAllowed"] is not False)
        assert " + ".join(operator.needs) == (fact["contextual"] or "")
    assert ALIASES.keys() | set(ALIASES.values()) | COMPARES_COLUMNS <= OPERATORS.keys()


@pytest.mark.parametrize("fact", FACTS["recordTypes"], ids=lambda fact: fact["recordType"])
def test_every_table_has_the_columns_of_the_facts(fact: dict[str, object]) -> None:
    table = CATALOGUE[str(fact["recordType"])]
    assert (table.online, table.offline, table.states) == (
        fact["online"],
        fact["offline"],
        fact["states"],
    )
    attributes = fact["attributes"]
    assert isinstance(attributes, list)
    for known in attributes:
        column = table.columns[known["name"]]
        assert column.type.value == known["type"]
        assert column.date_only is (known.get("format") == "DateOnly")
        if not known["name"].startswith("address1_"):
            assert column.label == known["label"]


def test_only_what_is_synchronized_is_online_and_the_columns_of_the_mappings_are_known() -> None:
    assert {name for name, table in CATALOGUE.items() if table.online} == set(TABLES.values())
    assert {RECORD_TYPES[TABLES[each]] for each in RecordType} == set(RecordType)
    not_columns = {"activitymimeattachment", "regardingobjecttypecode", "timezone"}
    for mapping in MAPPINGS.values():
        columns = CATALOGUE[TABLES[mapping.record_type]].columns
        assert set(mapping.crm_fields) - not_columns <= columns.keys(), mapping.key


def test_what_fits_a_column() -> None:
    def names(column: Column) -> set[str]:
        return {each.name for each in column.operators}

    contact, account = CATALOGUE["contact"].columns, CATALOGUE["account"].columns
    assert {"eq-userid", "eq-userteams", "eq-businessid"} <= names(contact["ownerid"])
    assert {"under", "eq-businessid"} <= names(contact["parentcustomerid"])
    assert {"under", "eq-userid"} <= names(account["parentaccountid"])
    assert "last-x-hours" in names(contact["createdon"]) - names(contact["birthdate"])
    assert "last-x-days" in names(contact["birthdate"])
    assert names(CATALOGUE["appointment"].columns["organizer"]) == set()
    assert "like" not in names(contact["statecode"])
    assert ColumnType.PARTY_LIST not in {each for row in OPERATORS.values() for each in row.types}
