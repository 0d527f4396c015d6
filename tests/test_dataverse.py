import json
from collections.abc import Mapping

import pytest
from hypothesis import given as law
from hypothesis import strategies as st
from strategies import History, histories
from test_steps import FRESH, TASKS, after, brought, settled, shown

from app.dataverse import exported_id
from app.dataverse_export import exported
from app.dataverse_import import Import
from domain.environment import Environment
from domain.field_mappings import DirectionNotSettable
from domain.filters.refusals import FilterNameTaken, FilterNotValid
from domain.filters.state import FilterKind, FilterRole
from domain.mapping_table import SyncDirection
from domain.plan import Refused
from domain.steps import Steps, steps
from domain.switches import MailingAddresses
from domain.wanted import Wanted, WantedFilter

type Row = Mapping[str, object]

FRESH_ENVIRONMENT = settled(FRESH).environment
ONLINE, OFFLINE = FilterKind
SYSTEM, TEMPLATE = FilterRole
OPEN = (
    '<fetch><entity name="task"><filter><condition attribute="statecode" operator="eq" value="0"/>'
    "</filter></entity></fetch>"
)
QUERY: Row = {
    "savedqueryid": "4f0a4c39-9b0e-4f0a-8c39-9b0e3a1d5a2f",
    "name": "Open",
    "returnedtypecode": "task",
    "querytype": 256,
    "fetchxml": OPEN,
}
MY_TASKS: Row = {**QUERY, "name": "my  TASKS", "querytype": 131072}
MAPPING: Row = {"entitytypecode": 2, "mappingname": "notes", "syncdirection": 0}


def read(*rows: Row, of: Environment = FRESH_ENVIRONMENT) -> Import:
    """The rows, one a line from line 2 on."""
    found = Import(of)
    found.read("rows.json", "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]")
    return found


def wanted(*rows: Row, of: Environment = FRESH_ENVIRONMENT) -> Wanted:
    found = read(*rows, of=of)
    assert (found.wrong, found.unknown) == ([], {})
    return found.wanted()


def wrong(*rows: Row, of: Environment = FRESH_ENVIRONMENT) -> list[str]:
    return [f"{place.line} {message}" for place, message in read(*rows, of=of).wrong]


def imported(environment: Environment, of: Environment) -> Wanted:
    found = Import(of)
    for name, rows in exported(environment).items():
        found.read(f"{name}.json", json.dumps({"value": rows}, indent=1))
    assert (found.wrong, found.unknown) == ([], {})
    return found.wanted()


@law(histories)
def test_what_is_exported_imported_again_changes_nothing(history: History) -> None:
    environment = history.standing.environment
    assert steps(environment, imported(environment, environment)) == Steps((), ())


@law(histories)
def test_what_is_exported_makes_a_fresh_environment_the_same(history: History) -> None:
    environment, fresh = history.standing.environment, settled(FRESH)
    there = after(fresh, imported(environment, fresh.environment))
    assert shown(there) == shown(environment)


@law(histories)
def test_every_row_that_is_exported_is_taken_and_told(history: History) -> None:
    environment = history.standing.environment
    rows = [row for collection in exported(environment).values() for row in collection]
    found = read(*rows, of=environment)
    assert [taken.place.line for taken in found.taken] == [*range(2, len(rows) + 2)]


def test_each_column_of_the_organization_is_a_setting() -> None:
    assert wanted({"isappointmentattachmentsyncenabled": True}) == Wanted(
        switches={"appointmentAttachments": True}
    )
    assert wanted({"isassignedtaskssyncenabled": 1}) == Wanted(switches={"assignedTasks": True})
    assert wanted({"isresourcebookingexchangesyncenabled": 0}) == Wanted(
        switches={"resourceBookings": False}
    )
    for value in (True, 1):
        assert wanted({"iscontactmailingaddresssyncenabled": value}).addresses is (
            MailingAddresses.MAILING_ONLY
        )
    for value in (False, 0):
        assert wanted({"IsContactMailingAddressSyncEnabled": value}).addresses is (
            MailingAddresses.ALL_THREE
        )


def test_what_a_row_does_not_say_is_as_it_is() -> None:
    organization = {"organizationid": "x", "@odata.etag": "W/1"}
    assert wanted(organization) == Wanted()
    assert wanted(MY_TASKS) == Wanted(
        filters={
            TASKS: WantedFilter(
                role=TEMPLATE, kind=ONLINE, table="task", name="my  TASKS", criteria=OPEN
            )
        }
    )
    there = after(settled(FRESH), wanted(MY_TASKS))
    assert there.filters.given == FRESH_ENVIRONMENT.filters.given
    said = {**MY_TASKS, "description": "Mine", "statecode": 1, "isdefault": False}
    there = after(settled(FRESH), wanted(said))
    again = wanted(MY_TASKS, of=there)
    assert steps(there, again) == Steps((), ())


def test_what_a_row_says_is_taken_null_for_an_empty_description() -> None:
    there = after(settled(FRESH), wanted({**MY_TASKS, "description": "Mine"}))
    assert there.filters.by_key[TASKS].description == "Mine"
    emptied = after(settled(FRESH), wanted({**MY_TASKS, "description": None}))
    assert emptied.filters.by_key[TASKS].description == ""
    for state in ({"statecode": 1}, {"statuscode": 2}, {"statecode": 1, "statuscode": 2}):
        (off,) = wanted({**QUERY, **state}).filters.values()
        assert off is not None
        assert off.active is False
    (on,) = wanted({**QUERY, "statuscode": 1}).filters.values()
    assert on is not None
    assert on.active is True


@pytest.mark.parametrize(
    ("code", "role", "kind"),
    [
        (256, SYSTEM, ONLINE),
        (16, SYSTEM, OFFLINE),
        (131072, TEMPLATE, ONLINE),
        (8192, TEMPLATE, OFFLINE),
    ],
)
def test_the_query_type_is_role_and_kind(code: int, role: FilterRole, kind: FilterKind) -> None:
    ((key, found),) = wanted({**QUERY, "querytype": code}).filters.items()
    assert found is not None
    assert (found.role, found.kind) == (role, kind)
    words = {SYSTEM: "system", TEMPLATE: "template"}
    assert key == f"{words[role]}.{kind.lower()}.task.open"


def test_a_row_is_about_the_filter_of_its_key_or_of_its_name_or_a_new_one() -> None:
    assert [*wanted(MY_TASKS).filters] == [TASKS]
    assert [*wanted({**MY_TASKS, "@syncledger.filterKey": "mine"}).filters] == ["mine"]
    assert [*wanted({**MY_TASKS, "@Syncledger.FILTERKEY": TASKS}).filters] == [TASKS]
    alike = {**QUERY, "name": "open!"}
    assert [*wanted(QUERY, alike).filters] == [
        "system.online.task.open",
        "system.online.task.open-2",
    ]


def test_two_new_rows_of_one_name_are_refused_where_all_is_decided() -> None:
    refused = brought(settled(FRESH), wanted(QUERY, QUERY))
    assert isinstance(refused, Refused)
    assert [type(each.refusal) for each in refused.refusals] == [FilterNameTaken]


def test_another_name_is_another_filter_unless_its_key_is_told() -> None:
    other = {**MY_TASKS, "name": "Tasks of mine"}
    there = after(settled(FRESH), wanted(other))
    assert there.filters.by_key[TASKS] == FRESH_ENVIRONMENT.filters.by_key[TASKS]
    told = {**other, "@syncledger.filterKey": TASKS}
    assert after(settled(FRESH), wanted(told)).filters.by_key[TASKS].name == "Tasks of mine"


def test_the_old_name_of_an_operator_comes_as_todays() -> None:
    text = OPEN.replace('operator="eq"', 'operator="neq"')
    there = after(settled(FRESH), wanted({**QUERY, "fetchxml": text}))
    stored = there.filters.by_key["system.online.task.open"].fetch_xml
    assert 'operator="ne"' in stored
    assert steps(there, wanted({**QUERY, "fetchxml": text}, of=there)) == Steps((), ())


def test_what_only_shapes_an_answer_is_left_out_and_what_means_nothing_is_carried() -> None:
    text = (
        '<fetch version="1.0" mapping="logical"><entity name="task"><attribute name="subject"/>'
        '<order attribute="subject"/><filter><condition attribute="ownerid" operator="eq-userid" '
        'uiname="Ada"/></filter></entity></fetch>'
    )
    there = after(settled(FRESH), wanted({**QUERY, "fetchxml": text}))
    (row,) = (row for row in exported(there)["savedqueries"] if row["name"] == "Open")
    assert row["fetchxml"] == (
        '<fetch mapping="logical" version="1.0"><entity name="task"><attribute name="activityid"/>'
        '<filter type="and"><condition attribute="ownerid" operator="eq-userid" uiname="Ada"/>'
        "</filter></entity></fetch>"
    )


def test_a_default_yields_to_another_one_whichever_row_comes_first() -> None:
    mine = {**MY_TASKS, "isdefault": False}
    other = {**QUERY, "querytype": 131072, "isdefault": True}
    for rows in ((mine, other), (other, mine)):
        asked = wanted(*rows)
        assert asked.given == {(ONLINE, "task"): "template.online.task.open"}
        there = after(settled(FRESH), asked)
        assert there.filters.given["defaultTemplate:ONLINE:task"] == "template.online.task.open"
    assert [*read(other, mine).taken][1].also == ("defaultTemplate:ONLINE:task",)


def test_a_template_that_is_no_default_any_more_is_given_no_longer() -> None:
    assert wanted({**MY_TASKS, "isdefault": False}).given == {(ONLINE, "task"): None}
    assert wanted({**MY_TASKS, "isdefault": True}).given == {(ONLINE, "task"): TASKS}
    assert wanted({**QUERY, "querytype": 131072, "isdefault": False}).given == {}


@pytest.mark.parametrize("state", [2, 3])
def test_a_query_that_is_deleted_goes_and_is_given_no_longer(state: int) -> None:
    gone = {**MY_TASKS, "componentstate": state, "fetchxml": None}
    assert wanted(gone) == Wanted(filters={TASKS: None}, given={(ONLINE, "task"): None})
    there = after(settled(FRESH), wanted(gone))
    assert TASKS not in there.filters.by_key
    (row,) = exported(there)["savedqueries-removed"]
    assert "fetchxml" not in row
    assert (row["@syncledger.filterKey"], row["componentstate"]) == (TASKS, 2)
    unheard = {**QUERY, "componentstate": state}
    assert steps(FRESH_ENVIRONMENT, wanted(unheard)) == Steps((), ())


@pytest.mark.parametrize(
    "row",
    [
        {**QUERY, "@syncledger.filterKey": TASKS},
        {**QUERY, "@syncledger.filterKey": TASKS, "querytype": 8192},
        {**MY_TASKS, "@syncledger.filterKey": TASKS, "returnedtypecode": "fax"},
    ],
)
def test_a_key_comes_to_be_another_filter_only_by_an_export_and_is_not_given_as_it_was(
    row: Row,
) -> None:
    row = {**row, "fetchxml": OPEN.replace("task", str(row["returnedtypecode"]))}
    for stray in (row, {**row, "componentstate": 2}):
        assert [each.rpartition(": ")[2] for each in wrong(stray)] == [
            f"the key {TASKS!r} is that of an online template of task."
        ]
    row |= {"savedqueryid": str(exported_id(TASKS))}
    there = after(settled(FRESH), wanted(row))
    assert there.filters.by_key[TASKS].table == row["returnedtypecode"]
    assert "defaultTemplate:ONLINE:task" not in there.filters.given


def test_a_mapping_is_taken_by_its_number() -> None:
    shape = {"EntityTypeCode": 2, "MappingName": "Notes", "ComputedProperties": ["x"]}
    for number, direction in enumerate(SyncDirection):
        assert wanted({**MAPPING, "syncdirection": number}).directions == {
            "contact.notes": direction
        }
        assert wanted({**shape, "SyncDirection": number}).directions == {"contact.notes": direction}


def test_a_fixed_mapping_may_say_what_it_is_and_nothing_else() -> None:
    fixed = {"@syncledger.mapping": "task.regarding", "syncdirection": 3}
    assert wanted(fixed).directions == {}
    refused = brought(settled(FRESH), wanted({**fixed, "syncdirection": 1}))
    assert isinstance(refused, Refused)
    assert refused.refusals[0].refusal == DirectionNotSettable(mapping="task.regarding")


def test_attachments_say_what_their_switch_says() -> None:
    mapping = {"@syncledger.mapping": "appointment.attachments", "syncdirection": 3}
    on = {"isappointmentattachmentsyncenabled": True}
    for rows in ((mapping, on), (on, mapping)):
        assert wanted(*rows).directions == {}
    assert wanted(mapping).directions == {"appointment.attachments": SyncDirection.BOTH}
    there = after(settled(FRESH), wanted(on))
    assert wanted(mapping, of=there).directions == {}
    assert wanted({**mapping, "syncdirection": 0}).directions == {}


def test_columns_that_are_not_known_are_listed_once_and_annotations_passed_over() -> None:
    found = read(
        {"isassignedtaskssyncenabled": True, "maxUploadFileSize": 1, "@odata.etag": "W/1"},
        {**QUERY, "maxUploadFileSize": 1, "layoutxml": "<grid/>", "statecode@x.y": "Active"},
        {**MAPPING, "filter_key": "a", "mapping": "b"},
    )
    assert {name: place.line for name, place in found.unknown.items()} == {
        "The column 'maxUploadFileSize' is not known.": 2,
        "The column 'filter_key' is not known.": 4,
        "The column 'mapping' is not known.": 4,
    }
    assert len(found.taken) == 3
    assert [*found.wanted().filters] == ["system.online.task.open"]


TRUE_OR_FALSE = "true or false is needed"
WHOLE = "a whole number is needed"
CODES = (
    "appointment 4201, contact 2, fax 4204, letter 4207, phonecall 4210, "
    "recurringappointmentmaster 4251, serviceappointment 4214, task 4212"
)
ONLINE_TABLES = (
    "These do: contact, appointment, recurringappointmentmaster, serviceappointment, task, "
    "phonecall, letter, fax."
)
NO_ANNOTATION = "is no annotation of such a row."
NOTES_TWICE = "'fieldMapping:contact.notes' already."
WRONG: list[tuple[Row, list[str]]] = [
    ({}, ["It is no row of organizations, saved queries or mappings."]),
    ({"value": [{}]}, ["It is no row of organizations, saved queries or mappings."]),
    ({"fullname": "x"}, ["It is no row of organizations, saved queries or mappings."]),
    (
        {"isassignedtaskssyncenabled": None},
        [f"isassignedtaskssyncenabled: {TRUE_OR_FALSE}, not null."],
    ),
    (
        {"isassignedtaskssyncenabled": "true", "isresourcebookingexchangesyncenabled": 2},
        [
            f'isassignedtaskssyncenabled: {TRUE_OR_FALSE}, not "true".',
            f"isresourcebookingexchangesyncenabled: {TRUE_OR_FALSE}, not 2.",
        ],
    ),
    (
        {"iscontactmailingaddresssyncenabled": []},
        [f"iscontactmailingaddresssyncenabled: {TRUE_OR_FALSE}, not []."],
    ),
    (
        {"isassignedtaskssyncenabled": 1.0},
        [f"isassignedtaskssyncenabled: {TRUE_OR_FALSE}, not 1.0."],
    ),
    (
        {"isAssignedTasksSyncEnabled": True, "isassignedtaskssyncenabled": False},
        ["It has 'isAssignedTasksSyncEnabled' and 'isassignedtaskssyncenabled'."],
    ),
    (
        {"isassignedtaskssyncenabled": True, "@syncledger.filterKey": "a"},
        [
            "name: Field required.",
            "returnedtypecode: Field required.",
            "querytype: Field required.",
        ],
    ),
    (
        {"isassignedtaskssyncenabled": True, "x@syncledger.y": "a"},
        [f"'x@syncledger.y' {NO_ANNOTATION}"],
    ),
    (
        {**QUERY, "@syncledger.filterkye": "a"},
        [f"'@syncledger.filterkye' {NO_ANNOTATION}"],
    ),
    (
        {**QUERY, "@syncledger.mapping": "a"},
        [f"'@syncledger.mapping' {NO_ANNOTATION}"],
    ),
    (
        {**QUERY, "@syncledger.filterKey": 7},
        ["@syncledger.filterkey: Input should be a valid string, not 7."],
    ),
    (
        {**QUERY, "@syncledger.filterKey": "Ö"},
        [
            (
                "online system filter 'Open': A filter's key is 1 to 128 of a-z, 0-9, '.', '-' and "
                "'_', and begins and ends with a letter or digit, not 'Ö'."
            )
        ],
    ),
    ({**QUERY, "querytype": "256"}, [f'querytype: {WHOLE}, not "256".']),
    ({**QUERY, "querytype": 256.0}, [f"querytype: {WHOLE}, not 256.0."]),
    ({**QUERY, "querytype": 64}, ["querytype: Input should be 16, 256, 8192 or 131072, not 64."]),
    ({**QUERY, "querytype": None}, [f"querytype: {WHOLE}, not null."]),
    ({**QUERY, "statecode": True}, [f"statecode: {WHOLE}, not true."]),
    (
        {**QUERY, "statecode": 0, "statuscode": 2},
        ["statecode 0 and statuscode 2 are not of one state."],
    ),
    ({**QUERY, "isdefault": None}, [f"isdefault: {TRUE_OR_FALSE}, not null."]),
    ({**QUERY, "name": None}, ["name: Input should be a valid string, not null."]),
    ({**QUERY, "fetchxml": None}, ["online system filter 'Open': fetchxml is missing."]),
    (
        {**QUERY, "isdefault": True},
        ["online system filter 'Open': isdefault is of templates only."],
    ),
    (
        {**MY_TASKS, "isdefault": True, "componentstate": 2},
        ["online template 'my  TASKS': isdefault is not of a deleted one."],
    ),
    (
        {**QUERY, "name": "\ud800", "returnedtypecode": "em\x1bail"},
        [
            (
                "online system filter '\\ud800': Records of a table 'em\\x1bail' do not travel "
                f"online, so no filter can choose them. {ONLINE_TABLES}"
            )
        ],
    ),
    ({"mappingname": "notes"}, ["syncdirection: Field required."]),
    ({**MAPPING, "syncdirection": 4}, ["syncdirection: Input should be 0, 1, 2 or 3, not 4."]),
    ({**MAPPING, "syncdirection": "3"}, [f'syncdirection: {WHOLE}, not "3".']),
    (
        {**MAPPING, "componentstate": 2},
        ["A mapping that is deleted or not published says nothing here. Leave it out."],
    ),
    (
        {**MAPPING, "entitytypecode": "2"},
        [f"No fields of '2' are synchronized, only those of {CODES}."],
    ),
    (
        {**MAPPING, "entitytypecode": True},
        [
            "entitytypecode: Input should be a valid integer, not true.",
            "entitytypecode: Input should be a valid string, not true.",
        ],
    ),
]


@pytest.mark.parametrize(("row", "told"), WRONG, ids=range(len(WRONG)))
def test_what_a_row_cannot_say_is_told_with_its_line(row: Row, told: list[str]) -> None:
    fine: Row = {"isresourcebookingexchangesyncenabled": True}
    assert wrong(fine, row) == [f"3 {each}" for each in told]


TWICE: list[tuple[Row, Row, str]] = [
    (
        {"isassignedtaskssyncenabled": True},
        {"isassignedtaskssyncenabled": True},
        "organization: the row at rows.json:2 is about 'assignedTasks' already.",
    ),
    (
        MAPPING,
        {**MAPPING, "@syncledger.mapping": "contact.notes"},
        f"mapping contact.notes: the row at rows.json:2 is about {NOTES_TWICE}",
    ),
    (
        MY_TASKS,
        {**MY_TASKS, "@syncledger.filterKey": TASKS, "name": "Other"},
        (
            "online template 'Other' of task: the row at rows.json:2 is about "
            f"'filter:{TASKS}' already."
        ),
    ),
    (
        {**MY_TASKS, "isdefault": True},
        {**QUERY, "querytype": 131072, "isdefault": True},
        (
            "online template 'Open' of task: the row at rows.json:2 is about "
            "'defaultTemplate:ONLINE:task' already."
        ),
    ),
]


@pytest.mark.parametrize(("one", "other", "told"), TWICE, ids=range(len(TWICE)))
def test_a_setting_is_in_one_row_only(one: Row, other: Row, told: str) -> None:
    assert wrong(one, other) == [f"3 {told}"]


def test_rows_of_one_line_are_told_apart() -> None:
    found = Import(FRESH_ENVIRONMENT)
    found.read("a.json", json.dumps([MAPPING, MAPPING]))
    found.read("b.json", json.dumps(MAPPING))
    told = f"mapping contact.notes: the row at a.json:1 is about {NOTES_TWICE}"
    assert [(*place, message) for place, message in found.wrong] == [
        ("a.json", 1, told),
        ("b.json", 1, told),
    ]


def test_a_text_that_is_no_rows_is_told_with_its_line() -> None:
    found = Import(FRESH_ENVIRONMENT)
    found.read("a.json", "[{},\n")
    found.read("b.json", "[]")
    assert [(*place, message) for place, message in found.wrong] == [
        ("a.json", 2, "Expecting value.")
    ]


@pytest.mark.parametrize(
    "text",
    ["", "<fetch", OPEN.replace("task", "contact"), OPEN.replace("eq", "contains"), "\ud800", "\0"],
)
def test_criteria_are_checked_where_every_filter_is(text: str) -> None:
    refused = brought(settled(FRESH), wanted({**QUERY, "fetchxml": text}))
    assert isinstance(refused, Refused)
    assert isinstance(refused.refusals[0].refusal, FilterNotValid)


def test_what_can_be_no_name_is_a_fault_of_the_row() -> None:
    for name in ("", " ", "a\nb", "\ud800", "\0", "x" * 201):
        found = steps(FRESH_ENVIRONMENT, wanted({**QUERY, "name": name}))
        assert len(found.faults) == 1
        assert found.faults[0].setting.startswith("filter:system.online.task.")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 140_000) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
ANNOTATIONS = ("@syncledger.filterKey", "@syncledger.mapping")
STATES = ("isdefault", "statecode", "statuscode", "componentstate")
OTHERS = ("entityname", "isassignedtaskssyncenabled", "filter_key")
columns = st.sampled_from([*QUERY, *MAPPING, *STATES, *ANNOTATIONS, *OTHERS])
some_values = st.sampled_from([0, 1, 2, 3, 16, 256, 8192, 131072, "task", "contact", OPEN, TASKS])


@law(st.lists(st.dictionaries(columns | st.text(), some_values | json_values), max_size=3))
def test_any_rows_are_taken_or_told(rows: list[dict[str, object]]) -> None:
    found = read(*rows) if rows else Import(FRESH_ENVIRONMENT)
    assert steps(FRESH_ENVIRONMENT, found.wanted())
    told = {place.line for place, _ in found.wrong} | {each.place.line for each in found.taken}
    assert told == {*range(2, len(rows) + 2)} or len(found.wrong) == 1
    assert all(message.isprintable() for _, message in found.wrong)


def test_an_export_is_known_by_its_id_where_its_annotation_was_lost() -> None:
    row = {**MY_TASKS, "savedqueryid": str(exported_id(TASKS)), "name": "Renamed there"}
    assert [*wanted(row).filters] == [TASKS]
    assert [*wanted({**row, "returnedtypecode": "fax"}).filters] != [TASKS]
    assert "savedqueryid" not in wrong(row)
    (told,) = wrong({**row, "savedqueryid": "mine"})
    assert told.startswith("2 badly formed")


def test_what_is_not_published_yet_is_refused() -> None:
    for row in ({**MY_TASKS, "componentstate": 1}, {**MAPPING, "componentstate": 1}):
        (told,) = wrong(row)
        assert "not published" in told


def test_a_mapping_that_says_two_things_is_refused() -> None:
    assert wrong({**MAPPING, "attributecrmname": "description"}) == []
    assert wrong({**MAPPING, "attributecrmname": "fax"}) == [
        "2 The row says two things: attributecrmname is 'fax', and contact.notes is of description."
    ]
    assert wrong({**MAPPING, "syncdirection": 1, "allowedsyncdirection": 4}) == [
        "2 syncdirection 1 is none of allowedsyncdirection 4."
    ]


def test_a_part_of_a_mapping_follows_it_and_is_passed_over() -> None:
    for name in ("parentsyncattributemappingid", "_parentsyncattributemappingid_value"):
        found = read({**MAPPING, name: str(exported_id("x"))})
        assert (found.wrong, found.wanted().directions) == ([], {})
        assert [(each.about, each.settings) for each in found.taken] == [
            ("part of mapping contact.notes", ())
        ]


def test_a_name_of_the_products_own_can_be_passed_over() -> None:
    found = read({**MAPPING, "mappingname": "ContactNotes_1"})
    assert (found.wrong, found.wanted().directions) == ([], {})
    (told,) = found.unknown
    assert told.startswith("There is no mapping 'ContactNotes_1' of contact.")
