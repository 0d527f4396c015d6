from collections.abc import Iterator
from dataclasses import replace

import pytest
import strategies  # noqa: F401 -- switches the deadline off
from filter_strategies import criteria, kept, xml_text
from hypothesis import given
from hypothesis import strategies as st

from domain.filters import elements
from domain.filters.criteria import Condition, Criteria, Group, GroupOperator, Kept, Link, LinkType
from domain.filters.elements import INCOMING, Caps, Element
from domain.filters.fetchxml import canonical, parsed, written
from domain.filters.problem import MOST_PROBLEMS, Problem, first

OWN_AND_ACTIVE = Criteria(
    table="contact",
    group=Group(
        conditions=(
            Condition(column="ownerid", operator="eq-userid"),
            Condition(column="statecode", operator="eq", values=("0",)),
        )
    ),
)


def read(text: str) -> Criteria:
    found = parsed(text)
    assert isinstance(found, Criteria), found
    return found


def problems(text: str) -> list[tuple[str, str]]:
    found = parsed(text)
    assert isinstance(found, tuple), found
    return [(each.path, each.message) for each in found]


def asked(inside: str, **fetch: str) -> str:
    words = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in fetch.items())
    return f'<fetch{words}><entity name="contact">{inside}</entity></fetch>'


@given(criteria())
def test_what_is_written_reads_as_what_was_written(found: Criteria) -> None:
    text = written(found, "contactid")
    assert read(text) == canonical(found)
    assert canonical(canonical(found)) == canonical(found)
    assert written(read(text), "contactid") == text


@given(
    st.tuples(kept("fetch"), kept("entity")),
    st.tuples(kept("filter"), kept("condition")),
    xml_text,
    st.lists(st.tuples(xml_text, kept("value")), min_size=1, max_size=3),
)
def test_any_text_and_what_means_nothing_here_come_back_as_they_were(
    roots: tuple[Kept, Kept],
    inside: tuple[Kept, Kept],
    text: str,
    listed: list[tuple[str, Kept]],
) -> None:
    (fetch, entity), (group, condition) = roots, inside
    of_values = tuple(attributes for _, attributes in listed)
    found = Criteria(
        table="contact",
        kept=fetch,
        kept_of_table=entity,
        group=Group(
            kept=group,
            conditions=(
                Condition(column="fullname", operator="eq", values=(text,), kept=condition),
                Condition(
                    column="fullname",
                    operator="in",
                    values=tuple(value for value, _ in listed),
                    kept_of_values=of_values if any(of_values) else (),
                ),
            ),
        ),
    )
    assert read(written(found, "contactid")) == found


@pytest.mark.parametrize(
    ("written_as", "told"),
    [
        ('<filter typ="or"/>', "<filter> has no attribute 'typ'. Did you mean type?"),
        (
            '<filter><condition attribute="a" operator="null" entitynam="b"/></filter>',
            "<condition> has no attribute 'entitynam'. Did you mean entityname?",
        ),
        (
            '<link-entity name="a" from="b" to="c" link-typ="outer"/>',
            "<link-entity> has no attribute 'link-typ'. Did you mean link-type?",
        ),
        (f'<filter {"x" * 90}="1"/>', f"<filter> has no attribute '{'x' * 79}…'."),
    ],
)
def test_an_attribute_that_is_none_may_be_a_slip_and_is_refused(written_as: str, told: str) -> None:
    found = parsed(f'<fetch><entity name="contact">{written_as}</entity></fetch>')
    assert isinstance(found, tuple)
    assert [problem.message for problem in found] == [told]


def test_the_default_of_contacts_is_written_as_the_product_has_it() -> None:
    assert written(OWN_AND_ACTIVE, "contactid") == asked(
        '<attribute name="contactid"/><filter type="and">'
        '<condition attribute="ownerid" operator="eq-userid"/>'
        '<condition attribute="statecode" operator="eq" value="0"/></filter>'
    )


def test_columns_order_and_old_names_are_left_out_and_what_is_false_asks_nothing() -> None:
    text = asked(
        '<all-attributes/><attribute name="fullname" alias="a"/><order attribute="fullname"/>'
        '<filter><condition attribute="statecode" operator="neq" value="1"/></filter>',
        distinct="false",
        aggregate="0",
        version="1.0",
    )
    found = canonical(read(text))
    assert found.kept == (("version", "1.0"),)
    assert found.group.conditions == (Condition(column="statecode", operator="ne", values=("1",)),)


def test_several_filters_hold_together_and_a_join_is_no_alternative() -> None:
    either = '<filter type="or"><condition attribute="fullname" operator="null"/></filter>'
    also = '<filter><condition attribute="lastname" operator="null"/></filter>'
    join = '<link-entity name="account" from="accountid" to="parentcustomerid"/>'
    one, other = (
        Condition(column="fullname", operator="null"),
        Condition(column="lastname", operator="null"),
    )
    link = Link(
        table="account",
        from_column="accountid",
        to_column="parentcustomerid",
        type=LinkType.INNER,
    )
    alternatives = Group(operator=GroupOperator.OR, conditions=(one,))
    assert read(asked(either)).group == alternatives
    assert read(asked(either + also)).group == Group(
        groups=(alternatives, Group(conditions=(other,)))
    )
    assert read(asked(either + join)).group == Group(groups=(alternatives,), links=(link,))
    assert read(asked(also + join)).group == Group(conditions=(other,), links=(link,))
    assert read(asked(join)).group == Group(links=(link,))
    assert read(asked("")).group == Group()


@pytest.mark.parametrize(
    "attribute",
    ["aggregate", "distinct", "page", "count", "top", "paging-cookie", "datasource"],
)
def test_a_query_that_is_no_filter_is_refused_by_name(attribute: str) -> None:
    [(path, message)] = problems(asked("", **{attribute: "true"}))
    assert path == "fetch"
    assert f"leave out {attribute}='true'" in message


FILTER = "fetch/entity[1]/filter[1]"
CONDITION = f"{FILTER}/condition[1]"
MALFORMED = {
    "another root": ("<query/>", "query", "A filter is a <fetch>, not <query>."),
    "no entity": ("<fetch/>", "fetch", "A filter is about one <entity>, not 0."),
    "entities": (
        '<fetch><entity name="a"/><entity name="b"/></fetch>',
        "fetch",
        "A filter is about one <entity>, not 2.",
    ),
    "no name": ("<fetch><entity/></fetch>", "fetch/entity[1]", "needs the attribute name"),
    "another element": (asked("<where/>"), "fetch/entity[1]/where[1]", "cannot stand in <entity>"),
    "text": (asked("hello"), "fetch/entity[1]", "has no text, such as 'hello'"),
    "aggregate column": (
        asked('<attribute name="a" aggregate="count"/>'),
        "fetch/entity[1]/attribute[1]",
        "An aggregate query is no filter",
    ),
    "type": (asked('<filter type="xor"/>'), FILTER, "'and' or 'or', not 'xor'"),
    "condition": (asked("<filter><condition/></filter>"), CONDITION, "needs the attribute"),
    "row aggregate": (
        asked('<filter><condition attribute="a" operator="null" rowaggregate="sum"/></filter>'),
        f"{FILTER}/condition[1]",
        "leave out rowaggregate",
    ),
    "aggregate condition": (
        asked('<filter><condition attribute="a" operator="null" aggregate="sum"/></filter>'),
        CONDITION,
        "leave out aggregate",
    ),
    "two values": (
        asked(
            '<filter><condition attribute="a" operator="eq" value="1"><value>2</value>'
            "</condition></filter>"
        ),
        CONDITION,
        "a value or <value> elements, not both",
    ),
    "element in value": (
        asked(
            '<filter><condition attribute="a" operator="in"><value><b/></value>'
            "</condition></filter>"
        ),
        f"{CONDITION}/value[1]/b[1]",
        "<b> cannot stand in <value>.",
    ),
    "link type": (
        asked('<link-entity name="a" from="b" to="c" link-type="exists"/>'),
        "fetch/entity[1]/link-entity[1]",
        "A link's type is not 'exists'; it is one of inner, outer, any, not any, all, not all.",
    ),
    "join in filter": (
        asked('<filter><link-entity name="a" from="b" to="c"/></filter>'),
        f"{FILTER}/link-entity[1]",
        "type inner stands beside the filter",
    ),
    "any beside": (
        asked('<link-entity name="a" from="b" to="c" link-type="any"/>'),
        "fetch/entity[1]/link-entity[1]",
        "type any stands inside a filter",
    ),
    "doctype": (
        '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><fetch>&b;</fetch>',
        "criteria",
        "A DOCTYPE is not read here.",
    ),
    "external entity": (
        '<!DOCTYPE fetch SYSTEM "file:///etc/passwd"><fetch/>',
        "criteria",
        "A DOCTYPE is not read here.",
    ),
    "entity": (asked("&b;"), "fetch/entity[1]", "undefined entity at line 1"),
    "instruction": ("<?php echo 1 ?><fetch/>", "criteria", "The instruction 'php' is not read"),
    "nothing": ("", "criteria", "no element found"),
    "half": (asked("<filter>")[:40], FILTER, "This is no XML"),
    "large": ("<fetch>" + " " * INCOMING.characters, "criteria", "at most 200000 characters"),
    "surrogate": ("<fetch>\ud800", "criteria", "cannot contain U+D800"),
    "control": (asked("\x01"), "fetch/entity[1]", "invalid token"),
    "attributes": (
        f"<fetch {' '.join(f'a{n}=""' for n in range(33))}/>",
        "criteria",
        "<fetch> has 33 attributes",
    ),
    "elements": (asked("<order/>" * 5_000), "fetch/entity[1]", "at most 3000 elements"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_filter_is_refused_with_its_place(name: str) -> None:
    text, path, says = MALFORMED[name]
    found = problems(text)
    assert found[0][0] == path
    assert says in found[0][1]


def test_a_document_may_be_just_so_large() -> None:
    caps = Caps(characters=40, depth=3, elements=3, attributes=2)
    within = "<a x='1' y='2'><b/><b/></a>"
    root = elements.read(within + " " * (40 - len(within)), caps)
    assert isinstance(root, Element)
    assert [each.path for each in root.children] == ["a/b[1]", "a/b[2]"]
    for text, message in (
        (within + " " * (41 - len(within)), "FetchXML has at most 40 characters here, not 41."),
        ("<a><b/><b/><b/></a>", "FetchXML has at most 3 elements here."),
        ("<a x='' y='' z=''/>", "<a> has 3 attributes; here an element has at most 2."),
        ("<a>\0</a>", "FetchXML cannot contain U+0000."),
        ("<a\n>&b;</a>", "This is no XML: undefined entity at line 2, column 2."),
    ):
        found = elements.read(text, caps)
        assert isinstance(found, Problem), text
        assert found.message == message
    assert elements.read("\0", caps) == Problem(
        path="criteria", message="FetchXML cannot contain U+0000."
    )
    third = elements.read("<a><b/><b/><c/></a>", caps._replace(elements=4))
    assert isinstance(third, Element)
    assert [each.path for each in third.children] == ["a/b[1]", "a/b[2]", "a/c[1]"]
    many = elements.read("<a><b/><b/><b/></a>", caps._replace(elements=4))
    assert isinstance(many, Element)
    assert many.children[2].path == "a/b[3]"


@pytest.mark.parametrize(
    ("operator", "inside"),
    [
        ("eq", ' value="0"/>'),
        ("in", "><value>0</value></condition>"),
        ("anything", ' value="0"/>'),
    ],
)
def test_an_operator_that_takes_several_values_has_each_in_an_element(
    operator: str, inside: str
) -> None:
    one = Condition(column="statecode", operator=operator, values=("0",))
    text = written(Criteria(table="contact", group=Group(conditions=(one,))), "contactid")
    assert f'<condition attribute="statecode" operator="{operator}"{inside}' in text


def test_a_condition_names_the_join_that_it_asks() -> None:
    join = '<link-entity name="account" from="accountid" to="parentcustomerid" alias="a"/>'
    text = asked(
        '<filter><condition entityname="a" attribute="name" operator="null"/></filter>' + join
    )
    found = parsed(text)
    assert isinstance(found, Criteria)
    assert found.group.conditions[0].link_alias == "a"
    assert parsed(written(found, "contactid")) == found


@pytest.mark.parametrize(
    ("attribute", "help_"),
    [("operato", "Did you mean operator?"), ("valueo", "Did you mean valueof?"), ("zzz", "")],
)
def test_an_attribute_that_is_none_is_told_the_nearest(attribute: str, help_: str) -> None:
    text = asked(f'<filter><condition attribute="fax" operator="null" {attribute}="x"/></filter>')
    [(_, message)] = problems(text)
    assert message.endswith(f"<condition> has no attribute {attribute!r}. {help_}".rstrip())


def test_nobody_looks_for_more_problems_than_are_told() -> None:
    def endless() -> Iterator[Problem]:
        for number in range(MOST_PROBLEMS + 1):
            yield Problem(path=str(number), message="wrong")
        raise AssertionError

    assert len(first(endless())) == MOST_PROBLEMS + 1


def test_what_means_nothing_on_a_link_is_kept_too() -> None:
    text = asked(
        '<filter><link-entity name="account" from="accountid" to="parentcustomerid" '
        'link-type="any" visible="true"/></filter>'
    )
    found = parsed(text)
    assert isinstance(found, Criteria)
    assert found.group.links[0].kept == (("visible", "true"),)
    assert parsed(written(found, "contactid")) == found


def test_elements_stand_only_so_deep() -> None:
    deep = "<filter>" * 10_000
    [(path, message)] = problems(asked(deep))
    assert path.count("/") == INCOMING.depth - 1
    assert message == f"Elements stand at most {INCOMING.depth} deep here."


@pytest.mark.parametrize(("many", "told"), [(MOST_PROBLEMS, False), (MOST_PROBLEMS + 1, True)])
def test_of_more_problems_than_are_told_it_is_told_that_there_are_more(
    many: int, told: bool
) -> None:
    found = problems(asked("<filter>" + '<condition attribute="fax"/>' * many + "</filter>"))
    assert len(found) == MOST_PROBLEMS + told
    assert found[-1][1].startswith("There are more problems") is told


def test_every_problem_of_the_form_is_told_at_once() -> None:
    text = asked('<filter type="x"><condition/></filter>', top="1", page="2")
    found = problems(text)
    assert len(found) == 5
    assert parsed(text) == tuple(Problem(path=path, message=message) for path, message in found)
    assert replace(OWN_AND_ACTIVE, group=Group()) == read(asked(""))
