"""Who looks at a record, and when: what a condition may depend on besides the record.

Law: what is not known of the viewer makes an answer unknown, never a no.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from domain.filters.records import Verdict
from domain.filters.values import identifier, number
from domain.filters.windows import Clock

type Test = Callable[[str | None], Verdict]
"""Of the text of a column, None where it is empty."""

NEEDS = {
    "eq-useroruserhierarchy": "the user's reports",
    "eq-useroruserhierarchyandteams": "the user's reports",
    "eq-userlanguage": "the user's language",
    "eq-businessid": "the user's business unit",
    "above": "the hierarchy",
    "eq-or-above": "the hierarchy",
    "under": "the hierarchy",
    "eq-or-under": "the hierarchy",
}
"""What an operator needs to know that may not be given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewpoint:
    """Whose filter it is, and when. Ids are UUIDs; None: not known.

    `reports`: who reports to the user, directly or not; `report_teams`: their teams; `parents`:
    each record of a hierarchy with the one above it.
    """

    user: str
    clock: Clock
    teams: frozenset[str] = frozenset()
    business_unit: str | None = None
    language: int | None = None
    reports: frozenset[str] | None = None
    report_teams: frozenset[str] = frozenset()
    parents: Mapping[str, str | None] = field(default_factory=dict)


def of_viewpoint(operator: str, values: tuple[str, ...], viewpoint: Viewpoint) -> Test:
    """Operators that depend on who asks, or on a hierarchy."""
    user, teams, reports = viewpoint.user, viewpoint.teams, viewpoint.reports
    match operator:
        case "eq-userid":
            return _one_of(frozenset({user}))
        case "eq-userteams":
            return _one_of(teams)
        case "eq-useroruserteams":
            return _one_of(teams | {user})
        case "eq-useroruserhierarchy":
            return _one_of((reports or frozenset()) | {user}, whole=reports is not None)
        case "eq-useroruserhierarchyandteams":
            known = (reports or frozenset()) | teams | viewpoint.report_teams | {user}
            return _one_of(known, whole=reports is not None)
        case "eq-businessid":
            unit = viewpoint.business_unit
            return _one_of(frozenset({unit} if unit else ()), whole=unit is not None)
        case "eq-userlanguage":
            language = viewpoint.language
            return lambda text: (
                text is not None and (None if language is None else number(text) == language)
            )
        case _:
            return _in_tree(operator, identifier(values[0]), viewpoint.parents)


def _one_of(known: frozenset[str], *, whole: bool = True) -> Test:
    """`whole`: whether nobody else can be meant."""
    wanted = frozenset(map(identifier, known))

    def one_of(text: str | None) -> Verdict:
        if text is None:
            return False
        return True if text in wanted or identifier(text) in wanted else False if whole else None

    return one_of


def _in_tree(operator: str, place: str, parents: Mapping[str, str | None]) -> Test:
    includes, above = operator.startswith("eq-or-"), operator.endswith("above")

    def in_tree(text: str | None) -> Verdict:
        if text is None:
            return False
        found = identifier(text)
        if found == place:
            return includes
        low, high = (place, found) if above else (found, place)
        for higher in _upwards(low, parents):
            if higher is None or higher == high:
                return None if higher is None else True
        return False

    return in_tree


def _upwards(record: str, parents: Mapping[str, str | None]) -> Iterator[str | None]:
    """Those above, and None at last where it is not known who is next."""
    seen = {record}
    while record in parents:
        parent = parents[record]
        if parent is None or parent in seen:
            return
        seen.add(parent)
        yield parent
        record = parent
    yield None
