"""FetchXML that is no filter of contacts: malformed, hostile, or asking what cannot be asked.

Law: each is refused with its place. What is large is made only when its text is asked for.
"""

from collections.abc import Callable, Iterator
from itertools import islice, permutations
from typing import NamedTuple

from domain.filters.operators import OPERATORS, ColumnType, Operator, ValueType


class Hostile(NamedTuple):
    """`path`: that of the first problem."""

    name: str
    made: str | Callable[[], str]
    path: str

    @property
    def text(self) -> str:
        return self.made if isinstance(self.made, str) else self.made()


WHOLE = "criteria"
ENTITY = "fetch/entity[1]"
FILTER = f"{ENTITY}/filter[1]"
CONDITION = f"{FILTER}/condition[1]"
VALUE = f"{CONDITION}/value[1]"
LINK = f"{ENTITY}/link-entity[1]"
FIRST = "conditions[0]"
JOIN = '<link-entity name="account" from="accountid" to="parentcustomerid"'
SOMEBODY = "a11ce000-0000-4000-8000-000000000000"


def asked(inside: str) -> str:
    return f'<fetch><entity name="contact">{inside}</entity></fetch>'


def filtered(inside: str) -> str:
    return asked(f"<filter>{inside}</filter>")


def condition(column: str, operator: str, *values: str, more: str = "") -> str:
    inside = "".join(f"<value>{value}</value>" for value in values)
    return f'<condition attribute="{column}" operator="{operator}"{more}>{inside}</condition>'


FINE = asked("")
NULL = condition("fullname", "null")
SHAPES = {
    "alone": ("{}", WHOLE),
    "before": ("{}" + FINE, WHOLE),
    "behind": (FINE + "{}", WHOLE),
    "fetch": ("<fetch>{}</fetch>", "fetch"),
    "entity": ("<fetch>{}</fetch>", ENTITY),
    "declared": (f"<!DOCTYPE f [{{}}]>{asked('&a;')}", WHOLE),
    "inside": (asked("{}"), ENTITY),
    "root": (FINE.replace("fetch", "{}"), "{}"),
    "table": (FINE.replace("contact", "{}"), ENTITY),
    "type": (asked('<filter type="{}"/>'), FILTER),
    "join": (asked(JOIN + ' link-type="{}"/>'), LINK),
    "link": (filtered(JOIN + ' link-type="{}"/>'), f"{FILTER}/link-entity[1]"),
    "alias": (asked(JOIN + ' alias="{}"/>'), "links[0].alias"),
    "operator": (filtered(condition("fullname", "{}")), f"{FIRST}.operator"),
    "column": (filtered(condition("{}", "null")), f"{FIRST}.column"),
    "other": (filtered(condition("a", "eq", more=' valueof="{}"')), f"{FIRST}.comparedColumn"),
    "linked": (asked('<link-entity name="{}" from="a" to="b"/>'), "links[0].table"),
    "from": (asked('<link-entity name="a" from="{}" to="b"/>'), "links[0].fromColumn"),
    "to": (asked('<link-entity name="a" from="b" to="{}"/>'), "links[0].toColumn"),
}
"""What a row below is put into, and where the problem is then."""
ROWS = """
alone|| |all my contacts, please|{"fetch": {}}|<!-- fetch -->|<!DOCTYPE a>|<fetch top=0/>|<>|<1/>
alone|<fetch top/>|<fetch a="" a=""/>|<fetch a=""b=""/>|<fetch a="<"/>|<fetch a="&b;"/>|<fetch/
before|<!DOCTYPE fetch>|<!DOCTYPE fetch SYSTEM "file:///etc/passwd">|<!doctype fetch>|&lt;|x|\xa0
before|<!DOCTYPE fetch PUBLIC "-//W3C//DTD" "http://[::1]/">|<!-- a --><!DOCTYPE a>|<!--|</fetch>
before|<?xml version="1.0"?><!DOCTYPE fetch>|<!DOCTYPE fetch [|<!ENTITY a "b">|<![CDATA[]]>|<fetch/>
before|<?xml-stylesheet href="http://[::1]/"?>|<?php echo 1 ?>|<??>| <?xml version="1.0"?>
before|<?xml version="1.0" encoding=""?>|<?xml version="1.0" standalone="maybe"?>|<?xml?>
before|<?xml version="1.0"?><?xml version="1.0"?>|<?xml encoding="utf-8"?>|<?XML?>|\ufeff\ufeff
behind|<!DOCTYPE fetch>|<?php echo 1 ?>|<fetch/>|</fetch>|<!--|x|&amp;|<![CDATA[]]>
declared||<!ENTITY a "b">|<!ENTITY a "&b;"><!ENTITY b "&a;">|<!ENTITY a "&#38;a;">|<![INCLUDE[
declared|<!ENTITY a SYSTEM "file:///etc/passwd">|<!ENTITY a SYSTEM "http://[::1]/">|<!ELEMENT f ANY>
declared|<!ENTITY a PUBLIC "a" "http://[::1]/">|<!ENTITY a SYSTEM "a" NDATA gif>|<!ENTITY lt "x">
declared|<!ENTITY % b "<!ENTITY a 'c'>"> %b;|<!ENTITY % b SYSTEM "file:///b"> %b;|%b;
declared|<!ATTLIST entity name CDATA "a">|<!NOTATION n SYSTEM "calc">|<?php echo 1 ?>
inside|&nbsp;|a & b|]]>|<!-- -- -->|<!-->|<![CDATA[|<![cdata[x]]>|</fetch>|</Entity>|<|<a b=/>
inside|<!DOCTYPE fetch>|<!ENTITY a "b">|<?php echo 1 ?>|<?xml version="1.0"?>|<a b="" b=""/>
inside|&#0;|&#x1F;|&#xD800;|&#xFFFF;|&#x110000;|&#-1;|&#x;|&#999999999999;|&|&;|&#|&a
fetch||<entity name="contact"/><entity name="task"/>|<!DOCTYPE fetch>|<?php?>| <!-- |<entity
entity|<entity/>|<entity name="contact"></fetch>|<entity></entity >|<entity>|<entity name=""/>
root|query|FETCH|Fetch|savedquery|html|f:fetch|entity|filter|fetch.|fetch-xml|_
table||Contact|contacts|account|activityparty|nonsense| contact|contact;--|c\u043entact
type||xor|not|and |and or|\u0430nd
join||exists|in|left|natural|any|not any|all|not all|matchfirstrowusingcrossapply
link||inner|outer|INNER|exists|not  any
alias||1a|a b|a.b|\xe9|a;--|a-b|a\u200b
operator||EQ|eq | eq|=|==|Equal|NotEqual|equals|is|isnull|NotNull|like%|not|or|e\u0301q|exists
operator|contains|Contains|not-contain|does-not-contain|DoesNotContain|not-on|BeginsWith|begin-with
operator|starts-with|last-x-minutes|next-x-minutes|olderthan-x-seconds|eq-user|ne-userteams|not-eq
column||Fullname|full name|fullname;--|1name|\u0430|a.b|../a|%|a\u200b
other||Fullname|full name|fullname;--|1name|\u0430|a.b|../a|%
linked||Account|an account|account;--|1a|\u0430|a.b|../a|%
from||Accountid|account id|accountid;--|1a|\u0430|a.b|../a|%
to||Parentcustomerid|parent customer|1a|\u0430|a.b|../a|%
statecode eq||active|1.5| 0|0,1|0x1|\u0663|yes|--1|99999999999
statecode in||0,1|null
ownerid eq|+1111111111111111111111111111111|urn:uuid:a11ce000||me|a11ce000|{}
createdon eq||today|01.03.2026|2026-02-30|2026-13-01|1752-12-31|9999-01-01|2026-03-01T25:00:00Z
createdon eq|2026-W10-1|20260301|2026-03-01x09:00|0000-00-00| 2026-03-01|2026-03-01T09:00:00+25:00
birthdate on||yesterday|2026-02-29|26-01-01|2026/01/01
createdon last-x-days||0|-1|1.5|100001|three|\u0663|1e3
createdon in-fiscal-year||1969|2100|26|\xb2\u2070\xb2\u2076|FY26
createdon in-fiscal-period||0|14|-1|Q1|\xb2
parentcustomerid under||contoso
/link-entity[1]|<link-entity from="a" to="b"/>|<link-entity name="a" to="b"/>
/link-entity[1]|<link-entity name="a" from="b"/>
/attribute[1]|<attribute name="a" aggregate="count"/>|<attribute name="a" aggregate=""/>
/order[1]|<order aggregate="count"/>
/filter[1]/condition[1]|<filter><condition operator="null"/></filter>
/filter[1]/condition[1]|<filter><condition attribute="fullname"/></filter>
/filter[1]/condition[1]|<filter><condition attribute="a" operator="null" aggregate=""/></filter>
/filter[1]/condition[1]|<filter><condition attribute="a" operator="null" rowaggregate="a"/></filter>
conditions[0].linkAlias|<filter><condition attribute="a" operator="null" entityname=""/></filter>
conditions[0].linkAlias|<filter><condition attribute="a" operator="null" entityname="a"/></filter>
conditions[0].linkAlias|<filter><condition attribute="a" operator="null" entityname="contact"/>\
<link-entity name="contact" from="a" to="b" link-type="any" alias="contact"/></filter>
conditions[0].comparedColumn|<filter><condition attribute="fullname" operator="eq" \
valueof="createdon"/></filter>
conditions[0].operator|<filter><condition attribute="a" operator="in" valueof="b"/></filter>
conditions[0].values|<filter><condition attribute="a" operator="eq" valueof="b" value="c"/></filter>
"""
"""What a row begins with: one of those above, a column with its operator, or a path."""

QUERIES = (
    *("aggregate", "aggregatelimit", "distinct", "page", "count", "top", "paging-cookie"),
    *("returntotalrecordcount", "datasource"),
)
OPENED = (
    *(("<fetch>", "fetch"), ('<entity name="contact">', ENTITY), ("<filter>", FILTER)),
    *(('<condition attribute="statecode" operator="in">', CONDITION), ("<value>", VALUE)),
    *(("</value>", CONDITION), ("</condition>", FILTER), ("</filter>", ENTITY)),
    ("</entity>", "fetch"),
)
"""A document piece by piece, and what is open behind each."""
CHARACTERS = "\0\x01\x08\x0b\x0c\x1f\ufffe\uffff\ud800\udbff\udc00\udfff"


def _small() -> Iterator[Hostile]:
    for row in ROWS.strip("\n").split("\n"):
        kind, *items = row.split("|")
        column, _, operator = kind.partition(" ")
        shape, path = SHAPES.get(kind, (asked("{}"), kind.replace("/", f"{ENTITY}/", 1)))
        if operator:
            shape, path = filtered(condition(column, operator, "{}")), f"{FIRST}.values[0]"
        for item in items:
            name = f"{kind} {item!a}"
            yield Hostile(name, shape.replace("{}", item), path.replace("{}", item))
    for name in QUERIES:
        for value in ("true", "1", ""):
            asks = f'{name}="{value}"'
            yield Hostile(f"query {asks}", FINE.replace("<fetch", f"<fetch {asks}"), "fetch")


def _cut() -> Iterator[Hostile]:
    before, was = "", WHOLE
    for piece, path in OPENED:
        yield Hostile(f"ends within {piece}", before + piece[: len(piece) // 2], was)
        yield Hostile(f"ends behind {piece}", before + piece, path)
        before, was = before + piece, path
    yield Hostile("UTF-16 as Latin", FINE.encode("utf-16").decode("latin-1"), WHOLE)
    yield Hostile("UTF-16, as if it were text", FINE.encode("utf-16-le").decode("latin-1"), WHOLE)


def _characters() -> Iterator[Hostile]:
    for character in CHARACTERS:
        places = {
            "text": (asked(character), ENTITY),
            "an attribute": (filtered(condition("fullname", character)), FILTER),
            "a value": (filtered(condition("fullname", "eq", character)), VALUE),
        }
        for place, (text, path) in places.items():
            at_once = character == "\0" or "\ud800" <= character <= "\udfff"
            known = WHOLE if at_once else path
            yield Hostile(f"U+{ord(character):04X} in {place}", text, known)


SHAPING = ("filter", "link-entity", "attribute", "all-attributes", "order")
PARENTS = {
    "fetch": ("<fetch>{}</fetch>", "fetch", ("entity",)),
    "entity": (asked("{}"), ENTITY, SHAPING),
    "filter": (filtered("{}"), FILTER, ("condition", "filter", "link-entity")),
    "condition": (filtered(NULL.replace("><", ">{}<")), CONDITION, ("value",)),
    "value": (filtered(condition("fullname", "eq", "{}")), VALUE, ()),
    "link": (asked(JOIN + ">{}</link-entity>"), LINK, SHAPING),
}
"""An element of each kind with room in it, its path, and what may stand there."""
CHILDREN = (*SHAPING, "fetch", "entity", "condition", "value", "where", "Filter")
STRAYS = ("x", "<![CDATA[x]]>", "&lt;")


def _misplaced() -> Iterator[Hostile]:
    for parent, (shape, path, allowed) in PARENTS.items():
        for child in (each for each in CHILDREN if each not in allowed):
            text = shape.replace("{}", f"<{child}/>")
            yield Hostile(f"{child} in {parent}", text, f"{path}/{child}[1]")
        for stray in () if parent == "value" else STRAYS:
            yield Hostile(f"{stray} in {parent}", shape.replace("{}", stray), path)


DEEP = ENTITY + "/filter[1]" * 37


def _deep(inside: str) -> str:
    return asked(f"{'<filter>' * 37}{inside}{'</filter>' * 37}")


def _laughs(names: int) -> str:
    told = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(names))
    return f'<!DOCTYPE f [<!ENTITY l0 "lol">{told}]>{asked(f"&l{names};")}'


def _blown_up(times: int) -> str:
    return f'<!DOCTYPE f [<!ENTITY a "{"a" * 50_000}">]>{asked("&a;" * times)}'


def _attributes(many: int) -> str:
    return f"<fetch {' '.join(f'a{n}=""' for n in range(many))}/>"


def _nearly(many: int) -> str:
    """Operators that are nearly one, each another."""
    names = islice(permutations("sdoirep"), many)
    return filtered("".join(condition("a", f"last-x-fiscal-{''.join(name)}") for name in names))


def _filtered(times: int, column: str, operator: str, *values: str) -> str:
    return filtered(condition(column, operator, *values) * times)


LARGE: tuple[Hostile, ...] = (
    Hostile("billion laughs", lambda: _laughs(9), WHOLE),
    Hostile("quadratic blow-up", lambda: _blown_up(30_000), WHOLE),
    Hostile("quadratic blow-up, too large", lambda: _blown_up(100_000), WHOLE),
    Hostile("10 MB of spaces", lambda: asked(" " * 10_000_000), WHOLE),
    Hostile("10 MB of conditions", lambda: _filtered(180_000, "fullname", "null"), WHOLE),
    Hostile("one character too many", lambda: FINE.ljust(200_001), WHOLE),
    Hostile("10,000 filters deep", lambda: asked("<filter>" * 10_000), f"{DEEP}/filter[1]"),
    Hostile("10,000 deep, of anything", lambda: "<a>" * 10_000, "a" + "/a[1]" * 39),
    Hostile("100,000 attributes", lambda: _attributes(100_000), WHOLE),
    Hostile("20,000 attributes", lambda: _attributes(20_000), WHOLE),
    Hostile("33 attributes", lambda: _attributes(33), WHOLE),
    Hostile("attribute of 5 MB", lambda: f'<fetch a="{"a" * 5_000_000}"/>', WHOLE),
    Hostile("operator of 190,000", lambda: _filtered(1, "a", "b" * 190_000), f"{FIRST}.operator"),
    Hostile("references in an attribute", lambda: f'<fetch a="{"&gt;" * 49_000}"/>', "fetch"),
    Hostile("element of 90,000", lambda: asked(f"<{'a' * 90_000}/>"), f"{ENTITY}/{'a' * 80}[1]"),
    Hostile("tag without end", lambda: f'<fetch a="{"a" * 199_000}', WHOLE),
    Hostile("comment without end", lambda: f"<fetch><!--{'a' * 199_000}", "fetch"),
    Hostile("surrogate far behind", lambda: asked("\n" * 20_000 + "\ud800"), ENTITY),
    Hostile("24,000 comments", lambda: asked("x<!---->" * 24_000), ENTITY),
    Hostile("39,000 references", lambda: asked("&#65;" * 39_000), ENTITY),
    Hostile("15,000 CDATA sections", lambda: asked("<![CDATA[x]]>" * 15_000), ENTITY),
    Hostile("100,000 elements", lambda: asked("<a/>" * 100_000), WHOLE),
    Hostile("5,001 elements", lambda: asked("<order/>" * 4_999), ENTITY),
    Hostile("2,900 pieces", lambda: asked(f"{'\U0001f600' * 26}<order/>" * 2_900), ENTITY),
    Hostile("2,900 elements that are none", lambda: asked("<b/>" * 2_900), f"{ENTITY}/b[1]"),
    Hostile("2,900 types", lambda: asked('<filter type=""/>' * 2_900), FILTER),
    Hostile("2,900 bare conditions", lambda: _deep("<condition/>" * 2_900), f"{DEEP}/condition[1]"),
    Hostile("2,900 bare links", lambda: asked("<link-entity/>" * 2_900), LINK),
    Hostile("2,900 values", lambda: _filtered(1, "statecode", "in", *"0" * 2_900), WHOLE),
    Hostile("2,900 groups of groups", lambda: asked("<filter><filter/></filter>" * 1_450), WHOLE),
    Hostile("2,500 links", lambda: asked(f"{JOIN}/>" * 2_500), WHOLE),
    Hostile("1,500 names", lambda: _filtered(1_500, "A", "null"), WHOLE),
    Hostile("1,500 operators that are none", lambda: _filtered(1_500, "a", "b"), WHOLE),
    Hostile("2,800 operators that do not fit", lambda: _filtered(2_800, "ownerid", "on"), WHOLE),
    Hostile("1,000 operators that nearly are", lambda: _nearly(1_000), WHOLE),
    Hostile("501 conditions", lambda: _filtered(501, "fullname", "null"), WHOLE),
    Hostile("a link too many", lambda: asked(f"<filter>{NULL * 500}</filter>{JOIN}/>"), WHOLE),
    Hostile("16 links", lambda: asked(f"{JOIN}/>" * 16), WHOLE),
    Hostile("alias twice", lambda: asked(f'{JOIN} alias="a"/>' * 2), WHOLE),
    Hostile("851 in a list", lambda: _filtered(1, "a", "in", "b" * 851), f"{FIRST}.values[0]"),
    Hostile("4,001 in a value", lambda: _filtered(1, "a", "eq", "b" * 4_001), f"{FIRST}.values[0]"),
    Hostile("column of 129", lambda: _filtered(1, "a" * 129, "null"), f"{FIRST}.column"),
    Hostile("alias of 65", lambda: asked(f'{JOIN} alias="{"a" * 65}"/>'), "links[0].alias"),
    Hostile(
        "11 groups", lambda: asked("<filter>" * 11 + "</filter>" * 11), ("groups[0]." * 10)[:-1]
    ),
    Hostile(
        "11 links deep",
        lambda: asked(f"{JOIN}>" * 11 + "</link-entity>" * 11),
        ("links[0].criteria." * 10)[:-1],
    ),
    Hostile(
        "a second value",
        lambda: _filtered(1, "createdon", "in-fiscal-period-and-year", "2", "1969"),
        f"{FIRST}.values[1]",
    ),
    Hostile(
        "a long name told 100 times",
        lambda: _filtered(1, "a" * 20_000, "contain-values", *"x" * 100),
        f"{FIRST}.column",
    ),
)

COLUMNS = {
    ColumnType.CHOICE: ("contact", "statecode", "0"),
    ColumnType.DATE_TIME: ("contact", "createdon", "2026-03-01"),
    ColumnType.HIERARCHICAL: ("account", "parentaccountid", SOMEBODY),
    ColumnType.NUMBER: ("task", "percentcomplete", "5"),
    ColumnType.OWNER: ("contact", "ownerid", SOMEBODY),
    ColumnType.STRING: ("contact", "fullname", "a"),
    ColumnType.UNIQUE_ID: ("contact", "owningbusinessunit", SOMEBODY),
    ColumnType.PARTY_LIST: ("appointment", "organizer", SOMEBODY),
}
"""A column of each type with a value of it."""
FITTING = {
    ValueType.NONE: (),
    ValueType.TEXT: ("a",),
    ValueType.CHOICE: ("0",),
    ValueType.RECORD: (SOMEBODY,),
    ValueType.DATE: ("2026-03-01",),
    ValueType.COUNT: ("3",),
    ValueType.FISCAL_YEAR: ("2026",),
    ValueType.FISCAL_PERIOD: ("2",),
    ValueType.FISCAL_PERIOD_AND_YEAR: ("2", "2026"),
}
DISTINCT = (ColumnType.DATE_TIME, ColumnType.STRING, ColumnType.CHOICE, ColumnType.PARTY_LIST)
"""Types whose columns are of no other as well."""


def _misused(operator: Operator) -> Iterator[Hostile]:
    """With too few values, too many, wrong ones, and on columns that it does not fit."""
    kinds = sorted(operator.types)
    fitting = FITTING.get(operator.values, (COLUMNS[kinds[0]][2],) * operator.fewest)
    most = 500 if operator.most is None else operator.most
    many = (fitting or ("0",)) * (most + 1)
    if fitting:
        yield _about(operator, kinds[0], fitting[:-1], "too few", "values")
    yield _about(operator, kinds[0], many[: most + 1], "too many", "values")
    for kind in kinds:
        if fitting and operator.values is not ValueType.TEXT and kind is not ColumnType.STRING:
            yield _about(operator, kind, ("wrong", *fitting[1:]), f"wrong {kind}", "values[0]")
    other = next(each for each in DISTINCT if each not in operator.types)
    yield _about(operator, other, fitting, f"on a {other}", "operator")
    if not operator.date_only:
        text = filtered(condition("birthdate", operator.name, *fitting))
        yield Hostile(f"{operator.name}: on a day", text, f"{FIRST}.operator")


def _about(
    operator: Operator, kind: ColumnType, values: tuple[str, ...], name: str, at: str
) -> Hostile:
    table, column, _ = COLUMNS[kind]
    inside, path = f"<filter>{condition(column, operator.name, *values)}</filter>", FIRST
    if table != "contact":
        link = f'<link-entity name="{table}" from="a" to="b" link-type="any">'
        inside, path = (
            f"<filter>{link}{inside}</link-entity></filter>",
            f"links[0].criteria.{FIRST}",
        )
    return Hostile(f"{operator.name}: {name}", asked(inside), f"{path}.{at}")


def _documents() -> Iterator[Hostile]:
    for part in (_small, _cut, _characters, _misplaced):
        yield from part()
    yield from LARGE
    for operator in OPERATORS.values():
        yield from _misused(operator)


DOCUMENTS = tuple(_documents())
