"""`match`: criteria asked of records, beside the same question written by hand.

Law: both give the same verdicts, yes for some records and no for others, before they are measured.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random

from bench.ground import placed
from bench.measure import Act, Figure, Goal, Options, drive, interleaved, rates
from domain.filters.checking import checked
from domain.filters.criteria import Condition, Criteria, Group, GroupOperator, parts
from domain.filters.matching import Matcher
from domain.filters.records import Record
from domain.filters.templates import TEMPLATES
from domain.filters.viewpoint import Viewpoint
from domain.filters.windows import Clock

type Row = Mapping[str, str | None]
type Hand = Callable[[Row], bool]

RECORDS = 2_000
USER = "a11ce000-0000-4000-8000-000000000000"
TEAM = "7ea40000-0000-4000-8000-000000000000"
OTHER = "b0b00000-0000-4000-8000-000000000000"
MINE = {USER, TEAM}
NOW = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
DEFAULT = TEMPLATES["template.online.contact.my-outlook-contacts"].criteria


def _is(column: str, operator: str, *values: str) -> Condition:
    return Condition(column=column, operator=operator, values=values)


def _address(number: int) -> Group:
    return Group(
        conditions=(
            _is(f"address{number}_country", "eq", "Germany"),
            _is(f"address{number}_city", "in", "Berlin", "Hamburg", "Munich"),
            _is(f"address{number}_postalcode", "like", "1____"),
            _is(f"address{number}_line1", "not-null"),
        )
    )


NAMES = Group(
    operator=GroupOperator.OR,
    conditions=(
        _is("fullname", "like", "%smith%"),
        _is("fullname", "begins-with", "Dr. "),
        _is("lastname", "eq", "Miller"),
        _is("lastname", "in", "Adams", "Baker", "Clark"),
        _is("firstname", "ends-with", "a"),
        _is("nickname", "not-null"),
        _is("jobtitle", "like", "%manager%"),
        _is("jobtitle", "like", "Head of%"),
        _is("department", "in", "Sales", "Marketing"),
        _is("suffix", "eq", "Jr."),
    ),
)
ADDRESSES = Group(operator=GroupOperator.OR, groups=tuple(map(_address, (1, 2, 3))))
WANTED = Group(
    conditions=(
        _is("fullname", "not-like", "%test%"),
        _is("lastname", "ne", "Doe"),
        _is("emailaddress1", "not-end-with", "@example.com"),
        _is("emailaddress1", "not-begin-with", "noreply"),
        _is("emailaddress2", "ne", "none@contoso.com"),
        _is("telephone1", "not-like", "%555-0%"),
        _is("department", "not-in", "Retired", "Former"),
        _is("jobtitle", "ne", "Intern"),
        _is("websiteurl", "not-like", "%.invalid"),
        _is("description", "not-like", "%do not sync%"),
    ),
)
DATES = Group(
    operator=GroupOperator.OR,
    conditions=(
        _is("birthdate", "between", "1960-01-01", "1979-12-31"),
        _is("birthdate", "on", "2000-01-01"),
        _is("anniversary", "on-or-before", "1999-12-31"),
        _is("modifiedon", "last-x-days", "30"),
        _is("modifiedon", "this-year"),
        _is("createdon", "last-month"),
        _is("createdon", "this-fiscal-year"),
        _is("createdon", "ge", "2025-06-01T00:00:00Z"),
        _is("createdon", "between", "2021-01-01T00:00:00Z", "2021-12-31T23:59:59Z"),
        _is("anniversary", "null"),
    ),
)
FIFTY = Criteria(
    table="contact",
    group=Group(
        conditions=(
            _is("ownerid", "eq-useroruserteams"),
            _is("statecode", "eq", "0"),
            _is("statuscode", "in", "1", "3"),
            _is("donotemail", "ne", "1"),
            _is("customertypecode", "not-in", "5", "6"),
            _is("emailaddress1", "not-null"),
            _is("createdon", "on-or-after", "2020-01-01"),
            _is("modifiedon", "olderthan-x-hours", "2"),
        ),
        groups=(NAMES, ADDRESSES, WANTED, DATES),
    ),
)


SIXTIES, SEVENTIES, MILLENNIUM = date(1960, 1, 1), date(1979, 12, 31), date(2000, 1, 1)
SINCE, SUMMER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)
JANUARY, FEBRUARY, MARCH = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
NEXT, LATELY = datetime(2027, 1, 1, tzinfo=UTC), NOW - timedelta(hours=2)


def template_by_hand(row: Row) -> bool:
    return row["ownerid"] == USER and row["statecode"] == "0"


def fifty_by_hand(row: Row) -> bool:
    return (
        row["ownerid"] in MINE
        and row["statecode"] == "0"
        and row["statuscode"] in {"1", "3"}
        and row["donotemail"] != "1"
        and row["customertypecode"] not in {"5", "6"}
        and row["emailaddress1"] is not None
        and _moment(row["createdon"]) >= SINCE
        and _moment(row["modifiedon"]) < LATELY
        and _named(row)
        and any(_lives(row, number) for number in (1, 2, 3))
        and _wanted(row)
        and _recent(row)
    )


def _moment(text: str | None) -> datetime:
    assert text is not None
    return datetime.fromisoformat(text)


def _low(text: str | None) -> str:
    return "" if text is None else text.casefold()


def _named(row: Row) -> bool:
    full, last, job = _low(row["fullname"]), _low(row["lastname"]), _low(row["jobtitle"])
    return (
        "smith" in full
        or full.startswith("dr. ")
        or last == "miller"
        or last in {"adams", "baker", "clark"}
        or _low(row["firstname"]).endswith("a")
        or row["nickname"] is not None
        or "manager" in job
        or job.startswith("head of")
        or _low(row["department"]) in {"sales", "marketing"}
        or _low(row["suffix"]) == "jr."
    )


def _lives(row: Row, number: int) -> bool:
    code = row[f"address{number}_postalcode"]
    return (
        _low(row[f"address{number}_country"]) == "germany"
        and _low(row[f"address{number}_city"]) in {"berlin", "hamburg", "munich"}
        and (code is not None and len(code) == 5 and code.startswith("1"))
        and row[f"address{number}_line1"] is not None
    )


def _wanted(row: Row) -> bool:
    mail = _low(row["emailaddress1"])
    return not (
        "test" in _low(row["fullname"])
        or _low(row["lastname"]) == "doe"
        or mail.endswith("@example.com")
        or mail.startswith("noreply")
        or _low(row["emailaddress2"]) == "none@contoso.com"
        or "555-0" in _low(row["telephone1"])
        or _low(row["department"]) in {"retired", "former"}
        or _low(row["jobtitle"]) == "intern"
        or _low(row["websiteurl"]).endswith(".invalid")
        or "do not sync" in _low(row["description"])
    )


def _recent(row: Row) -> bool:
    born, wed = row["birthdate"], row["anniversary"]
    birth = None if born is None else date.fromisoformat(born)
    made, changed = _moment(row["createdon"]), _moment(row["modifiedon"])
    return (
        (birth is not None and SIXTIES <= birth <= SEVENTIES)
        or birth == MILLENNIUM
        or (wed is not None and date.fromisoformat(wed) < MILLENNIUM)
        or FEBRUARY <= changed <= NOW
        or JANUARY <= changed < NEXT
        or FEBRUARY <= made < MARCH
        or JANUARY <= made < NEXT
        or made >= SUMMER
        or made.astimezone(UTC).year == 2021
        or wed is None
    )


MAILS = ("ann@contoso.com", "bob@fabrikam.com", "ida@proseware.com")
ADDRESS = {
    "country": (("Germany", "GERMANY"), ("France", None)),
    "city": (("Berlin", "Hamburg", "munich", "Paris", None), ()),
    "postalcode": (("10115", "12043", "13187", "80331", None), ("1011",)),
    "line1": (("Unter den Linden 1", "Am Markt 2"), (None,)),
}
HELD: Mapping[str, tuple[Sequence[str | None], Sequence[str | None]]] = {
    "ownerid": ((USER, USER, USER, TEAM), (OTHER,)),
    "statecode": (("0",), ("1",)),
    "statuscode": (("1", "3"), ("2",)),
    "donotemail": (("0", None), ("1",)),
    "customertypecode": (("1", "2", "3", None), ("5",)),
    "emailaddress1": (MAILS, ("Noreply@contoso.com", "eve@Example.com", None)),
    "emailaddress2": ((*MAILS, None), ("None@contoso.com",)),
    "fullname": (("Ann Smith", "Dr. Bob Doe", "Eve Miller", "Ida Baker", None), ("Test",)),
    "firstname": (("Ann", "Bob", "Eve", "Ida", None), ()),
    "lastname": (("Smith", "Miller", "Baker", None), ("Doe",)),
    "nickname": ((None,), ("Bobby",)),
    "jobtitle": (("Account Manager", "Head of Sales", "Engineer", None), ("Intern",)),
    "department": (("Sales", "Research", "Support", None), ("Retired",)),
    "suffix": ((None,), ("Jr.",)),
    "telephone1": (("+49 30 1234567", None), ("+1 425 555-0100",)),
    "websiteurl": (("https://contoso.com", None), ("https://contoso.invalid",)),
    "description": (("Met at the fair.", None), ("Do not sync, please.",)),
    "birthdate": (("1955-05-05", "1965-06-06", "1990-09-09", None), ("2000-01-01",)),
    "anniversary": (("2010-10-10", "2012-12-12", "2020-02-02"), ("1995-05-05", None)),
    **{f"address{number}_{part}": held for number in (1, 2, 3) for part, held in ADDRESS.items()},
}
"""What a column holds often, and what seldom."""


def _rows() -> Iterator[Row]:
    chance = Random(1)

    def moment(days: int) -> str:
        found = NOW + timedelta(hours=2) - timedelta(seconds=chance.randint(0, days * 86_400))
        return found.astimezone(timezone(timedelta(hours=chance.choice((0, 1, -8))))).isoformat()

    for _ in range(RECORDS):
        held = {
            column: chance.choice(seldom if seldom and chance.random() < 0.05 else often)
            for column, (often, seldom) in HELD.items()
        }
        yield {**held, "createdon": moment(2_200), "modifiedon": moment(300)}


async def match(options: Options) -> AsyncIterator[Figure]:
    rows = list(_rows())
    asked = {
        "the template of contacts": (DEFAULT, template_by_hand),
        "50 conditions of five groups": (FIFTY, fifty_by_hand),
    }
    for name, (criteria, by_hand) in asked.items():
        assert checked(criteria) == ((), ()), criteria
        with placed("measured"):
            yield await _beside(f"match, {name}", criteria, by_hand, rows, options)


async def _beside(
    name: str, criteria: Criteria, by_hand: Hand, rows: Sequence[Row], options: Options
) -> Figure:
    records = [Record(columns=row) for row in rows]
    viewpoint = Viewpoint(user=USER, clock=Clock(NOW), teams=frozenset({TEAM}))
    matches = Matcher(criteria, viewpoint).matches
    verdicts = list(map(matches, records))
    assert verdicts == list(map(by_hand, rows))
    assert {*verdicts} == {True, False}
    taken = await interleaved(
        options.rounds,
        {
            "ours": lambda: drive([_every(matches, records)], options.seconds),
            "hand": lambda: drive([_every(by_hand, rows)], options.seconds),
        },
    )
    return Figure(
        name=name,
        unit="records/s",
        limit="the same verdicts by a predicate in plain Python, written by hand",
        ours=[rate * RECORDS for rate in rates(taken["ours"])],
        beside=[rate * RECORDS for rate in rates(taken["hand"])],
        goal=Goal("ratio", ">=", 0.2),
        more={
            "conditions": sum(isinstance(part.node, Condition) for part in parts(criteria)),
            "matching": verdicts.count(True) / RECORDS,
        },
    )


def _every[Asked](asks: Callable[[Asked], object], of: Sequence[Asked]) -> Act:
    async def every() -> None:
        for each in of:
            asks(each)

    return every
