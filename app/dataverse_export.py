"""Settings as rows of Dataverse's Web API (domain reference 7.1).

Law: what is exported, imported again, changes nothing.
"""

from collections.abc import Iterator, Mapping

from app.dataverse import (
    DIRECTIONS,
    EVERY_DIRECTION,
    FILTER_KEY,
    MAILING_ADDRESS_COLUMN,
    MAPPING_KEY,
    QUERY_TYPES,
    SWITCH_COLUMNS,
    TYPE_CODES,
    exported_id,
)
from app.json_rows import Row
from domain.environment import Environment, value
from domain.field_mappings import ATTACHMENTS, configured, effective, mappings
from domain.filters.state import Filter, Filters
from domain.filters.templates import TEMPLATES
from domain.mapping_table import FieldMapping
from domain.switches import MailingAddresses

NUMBERS = {about: number for number, about in QUERY_TYPES.items()}


def exported(environment: Environment) -> Mapping[str, list[Row]]:
    """The rows by the name of their collection."""
    return {
        "organizations": [_organization(environment)],
        "savedqueries": [*_queries(environment.filters)],
        "savedqueries-removed": [*_removed(environment.filters)],
        "syncattributemappings": [_mapping(environment, each) for each in mappings()],
    }


def _organization(environment: Environment) -> Row:
    only = environment.switches.mailing_addresses is MailingAddresses.MAILING_ONLY
    return {
        **{
            column: value(environment, setting) == "true"
            for column, setting in SWITCH_COLUMNS.items()
        },
        MAILING_ADDRESS_COLUMN: only,
    }


def _queries(filters: Filters) -> Iterator[Row]:
    for each in filters.listed():
        yield {
            **_named(each),
            "description": each.description,
            "isdefault": filters.gives(each),
            "fetchxml": each.fetch_xml,
            "statecode": 0 if each.active else 1,
            "statuscode": 1 if each.active else 2,
            "componentstate": 0,
        }


def _removed(filters: Filters) -> Iterator[Row]:
    """Default templates that are gone: for an import, and for nobody to create."""
    for key, each in TEMPLATES.items():
        if key not in filters.by_key:
            yield {**_named(each), "componentstate": 2}


def _named(filter_: Filter) -> Row:
    return {
        FILTER_KEY: filter_.key,
        "savedqueryid": str(exported_id(filter_.key)),
        "name": filter_.name,
        "returnedtypecode": filter_.table,
        "querytype": NUMBERS[filter_.role, filter_.kind],
    }


def _mapping(environment: Environment, mapping: FieldMapping) -> Row:
    """With both directions, as an import of a solution takes the default one."""
    direction = configured(environment.directions, mapping)
    if mapping.key == ATTACHMENTS:
        direction = effective(environment.directions, environment.switches, mapping)
    fixed = 4 << DIRECTIONS[mapping.default] | 4 << DIRECTIONS[direction]
    return {
        MAPPING_KEY: mapping.key,
        "mappingname": mapping.key.partition(".")[2],
        "entitytypecode": TYPE_CODES[mapping.record_type],
        "attributecrmname": ",".join(mapping.crm_fields),
        "attributeexchangename": ",".join(mapping.outlook_fields),
        "syncdirection": DIRECTIONS[direction],
        "defaultsyncdirection": DIRECTIONS[mapping.default],
        "allowedsyncdirection": EVERY_DIRECTION if mapping.settable else fixed,
        "iscomputed": mapping.computed,
    }
