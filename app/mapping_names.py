"""Which field mapping a row of Dataverse means.

Law: by our key, or by the entity and a name. The product's own names are not published, so the
captions of the tab and our names stand for them (domain reference G2), and no two of them are
alike. A row that says two things means neither.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from app.dataverse import TYPE_CODES
from app.dataverse_rows import AttributeMapping
from domain.filters.problem import LONGEST, shown
from domain.mapping_table import MAPPINGS, TABLES, FieldMapping, RecordType


class NotAMapping(ValueError):
    """There is no such mapping; says what there is."""


class UnknownName(NotAMapping):
    """The entity has mappings, and none that we know by this name."""


def mapping_of(row: AttributeMapping) -> FieldMapping:
    """NotAMapping where none could be meant, or two."""
    found = _named(row)
    column = row.attributecrmname
    if column is not None and column not in {*found.crm_fields, ",".join(found.crm_fields)}:
        columns = ", ".join(found.crm_fields)
        told = f"attributecrmname is {shown(column)}, and {found.key} is of {columns}."
        raise NotAMapping(f"The row says two things: {told}")
    return found


def _named(row: AttributeMapping) -> FieldMapping:
    record_type = _record_type(row)
    if row.mapping is not None:
        return _of_key(row.mapping, record_type)
    if record_type is None:
        raise NotAMapping("A mapping needs an entitytypecode or an entityname.")
    if row.mappingname is None:
        raise NotAMapping("A mapping needs a mappingname.")
    found = BY_NAME.get((record_type, row.mappingname.casefold()))
    if found is None:
        table = TABLES[record_type]
        near = _near(f"{table}.{row.mappingname}")
        raise UnknownName(f"There is no mapping {shown(row.mappingname)} of {table}.{near}")
    return found


def _of_key(key: str, record_type: RecordType | None) -> FieldMapping:
    """Whatever name the product has for it."""
    found = MAPPINGS.get(key)
    if found is None:
        raise NotAMapping(f"There is no field mapping {shown(key)}.{_near(key)}")
    if record_type is not None and record_type is not found.record_type:
        told = f"{key} is a mapping of {TABLES[found.record_type]}"
        raise NotAMapping(f"{told}, and the row is about {TABLES[record_type]}.")
    return found


def _record_type(row: AttributeMapping) -> RecordType | None:
    """What both of its columns say; None where they are empty."""
    said = [each for each in (row.entitytypecode, row.entityname) if each is not None]
    found = [BY_ENTITY.get(each.casefold() if isinstance(each, str) else each) for each in said]
    for each, record_type in zip(said, found, strict=True):
        if record_type is None:
            what = shown(each) if isinstance(each, str) else each
            codes = ", ".join(f"{TABLES[known]} {code}" for known, code in TYPE_CODES.items())
            raise NotAMapping(f"No fields of {what} are synchronized, only those of {codes}.")
    if len({*found}) > 1:
        raise NotAMapping(f"{said[0]} and {said[1]} are two entities.")
    return found[0] if found else None


def _names() -> Iterator[tuple[str, FieldMapping]]:
    for mapping in MAPPINGS.values():
        own = mapping.key.partition(".")[2]
        for name in dict.fromkeys((own, mapping.outlook, mapping.crm)):
            yield name.casefold(), mapping


def _near(key: str) -> str:
    near = get_close_matches(key, MAPPINGS, n=3) if len(key) < 2 * LONGEST else []
    return f" Did you mean {' or '.join(near)}?" if near else ""


BY_NAME: Mapping[tuple[RecordType, str], FieldMapping] = {
    (mapping.record_type, name): mapping for name, mapping in _names()
}
BY_ENTITY: Mapping[int | str, RecordType] = {
    **{code: record_type for record_type, code in TYPE_CODES.items()},
    **{table: record_type for record_type, table in TABLES.items()},
}
"""By the code and by the name: the product's shapes have the one or the other."""
