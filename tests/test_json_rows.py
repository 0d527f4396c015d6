import json

import pytest
from hypothesis import given as law
from hypothesis import strategies as st

from app.json_rows import LONGEST_NUMBER, NotRows, Placed, rows

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**38), 10**38)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
a_row = st.dictionaries(st.text(st.characters(exclude_characters="vA")), json_values, max_size=4)
"""None of its names is that of a collection."""
some_rows = st.lists(a_row, max_size=4)
indents = st.sampled_from([None, 0, 1, "\t"])


def refusal(text: str) -> tuple[int, str]:
    with pytest.raises(NotRows) as refused:
        rows(text)
    return refused.value.line, str(refused.value)


@law(some_rows, indents, st.sampled_from(["", "\n", "\r\n \t"]))
def test_a_list_an_answer_and_a_row_alone_read_as_they_were_written(
    wanted: list[dict[str, object]], indent: int | str | None, around: str
) -> None:
    def read(document: object) -> list[object]:
        return [
            placed.row for placed in rows(around + json.dumps(document, indent=indent) + around)
        ]

    assert read(wanted) == wanted
    assert read({"@odata.context": "https://x/$metadata", "value": wanted}) == wanted
    assert read({"AttributeMappings": wanted, "@odata.count": 3}) == wanted
    for row in wanted:
        assert read(row) == [row]


@law(some_rows, indents, st.integers(0, 3))
def test_each_row_has_the_line_on_which_it_begins(
    wanted: list[dict[str, object]], indent: int | str | None, blank: int
) -> None:
    text = "\n" * blank + "[" + ",\n\n".join(json.dumps(row, indent=indent) for row in wanted) + "]"
    lines = text.split("\n")
    for line, _ in rows(text):
        assert "{" in lines[line - 1]
    assert [line for line, _ in rows(text)] == sorted(line for line, _ in rows(text))


def test_lines_are_those_of_the_rows_whatever_breaks_them() -> None:
    assert rows('[\r\n{"a": 1},\r\n\r\n{"b":\r\n2}]') == [
        Placed(2, {"a": 1}),
        Placed(4, {"b": 2}),
    ]
    assert rows('{"value"\n:\n[\n{}]}') == [Placed(4, {})]
    assert rows('\n{"\\u0076alue": [ {} , {} ] }') == [Placed(2, {}), Placed(2, {})]
    assert rows('{"value": []}') == rows("[]") == []


@law(st.text() | st.lists(st.sampled_from('{}[],:"value@odata.nextLink 1')).map("".join))
def test_any_text_is_rows_or_is_told_with_a_line(text: str) -> None:
    found: list[Placed] | None = None
    refused: NotRows | None = None
    try:
        found = rows(text)
    except NotRows as error:
        refused = error
    if refused is None:
        assert all(isinstance(row, dict) for _, row in found or ())
    else:
        assert 1 <= refused.line <= text.count("\n") + 1
        assert str(refused).isprintable()


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "Expecting value."),
        ('[\n{"a": 1,\n"b" 2}]', 3, "Expecting ':' delimiter."),
        ('[\n{"a": 1}\n]\nand more', 4, "Extra data."),
        ('[{"a": "\t"}]', 1, "Invalid control character at."),
        ("\n5", 2, "A file is a row, a list of rows, or an object with them in `value`."),
        ('"x"', 1, "A file is a row, a list of rows, or an object with them in `value`."),
        ("[\n{},\n[{}]]", 3, "A row is an object, not '[{}]'."),
        ('[\n"\\ud800"]', 2, "A row is an object, not '\"\\\\ud800\"'."),
        ('{"value": [null]}', 1, "A row is an object, not 'null'."),
        ('[{},\n{"a": 1, "b": 2, "a": 1}]', 2, "A row has 'a' more than once."),
        ('[{},\n{"a": {"b": 1,\n "b": 2}}]', 2, "A row has 'b' more than once."),
        ('\n{"\\u001b": 1, "\\u001b": 2}', 2, "A row has '\\x1b' more than once."),
        ('[{},\n{"a": NaN}]', 2, "NaN is no number of JSON."),
        ('[{},\n{"a": -Infinity}]', 2, "-Infinity is no number of JSON."),
        (
            f'[{{}},\n{{"a": {"9" * 5_000}}}]',
            2,
            f"A number has at most {LONGEST_NUMBER} digits, not 5000.",
        ),
        ("[" * 100_000, 1, "It is nested too deeply."),
        (
            '{"value": [{}],\n"@odata.nextLink": "https://x/?$skiptoken=2"}',
            2,
            (
                "By '@odata.nextLink' the answer goes on elsewhere. Fetch the rest of it too, and "
                "put all rows into one list."
            ),
        ),
        ('{"value": [{}],\n"more": 1}', 2, "Beside its rows, an answer has no 'more'."),
        ('{"value": [{}],\n"value": [{}]}', 2, "Beside its rows, an answer has no 'value'."),
        (
            '{"value": [],\n"AttributeMappings": []}',
            2,
            "Beside its rows, an answer has no 'AttributeMappings'.",
        ),
    ],
)
def test_what_is_no_rows_is_told_with_its_line(text: str, line: int, told: str) -> None:
    assert refusal(text) == (line, told)


@pytest.mark.parametrize("value", ["null", '"x"', '{"value": []}', "7"])
def test_a_value_that_is_no_list_makes_no_answer(value: str) -> None:
    text = f'{{"value": {value}}}'
    assert rows(text) == [Placed(1, json.loads(text))]
