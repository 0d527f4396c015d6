"""Matching agrees with the same criteria run as SQL, over random records."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import pytest_asyncio
import strategies  # noqa: F401 -- switches the deadline off
from conftest import Cluster
from filter_strategies import FILTERED, NOW, PEOPLE, criteria, of_column, values
from filters_in_sql import statement
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, DrawFn

from domain.filters.catalogue import CATALOGUE
from domain.filters.columns import Column
from domain.filters.criteria import Condition, Criteria, Group, LinkType
from domain.filters.matching import Matcher
from domain.filters.operators import OPERATORS
from domain.filters.records import Record
from domain.filters.viewpoint import Viewpoint
from domain.filters.windows import Clock
from eventstore.database import Connection

ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]


@st.composite
def viewpoints(draw: DrawFn) -> tuple[Viewpoint, str]:
    zone = draw(st.sampled_from(ZONES))
    now = NOW + timedelta(minutes=15 * draw(st.integers(-200, 200)))
    some = st.frozensets(st.sampled_from(PEOPLE), max_size=2)
    parents: dict[str, str | None] = dict.fromkeys(PEOPLE)
    for place, person in enumerate(PEOPLE[1:]):
        parents[person] = draw(st.none() | st.sampled_from(PEOPLE[: place + 1]))
    found = Viewpoint(
        user=draw(st.sampled_from(PEOPLE)),
        clock=Clock(now, ZoneInfo(zone)),
        teams=draw(some),
        business_unit=draw(st.sampled_from(PEOPLE)),
        language=draw(st.integers(-3, 3)),
        reports=draw(some),
        report_teams=draw(some),
        parents=parents,
    )
    return found, zone


@st.composite
def columns(draw: DrawFn, table: str) -> dict[str, str | None]:
    known = [each for each in CATALOGUE[table].columns.values() if each.operators]
    return {each.name: draw(st.none() | of_column(each)) for each in known}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def postgres(cluster: Cluster) -> AsyncIterator[Connection]:
    connection: Connection = await asyncpg.connect(cluster.dsn("postgres"))
    yield connection
    await connection.close()


def zoned(found: Mapping[str, str | None], table: str, zone: str) -> dict[str, str | None]:
    """As SQL reads it: a day in a column of times is its beginning there."""
    dated = {
        name: column
        for name, column in CATALOGUE[table].columns.items()
        if column.type == "dateTime" and not column.date_only
    }
    return {
        name: f"{text} 00:00 {zone}" if text and name in dated and "T" not in text else text
        for name, text in found.items()
    }


async def in_sql(
    postgres: Connection,
    asked: Criteria,
    seen: tuple[Viewpoint, str],
    records: list[dict[str, str | None]],
    parties: list[dict[str, str | None]],
) -> list[bool]:
    viewpoint, zone = seen
    rows = await postgres.fetch(
        statement(asked),
        viewpoint.clock.now,
        zone,
        viewpoint.user,
        [*viewpoint.teams],
        viewpoint.business_unit,
        viewpoint.language,
        [*(viewpoint.reports or ())],
        [*viewpoint.report_teams],
        json.dumps([{"child": child, "parent": of} for child, of in viewpoint.parents.items()]),
        json.dumps(
            [{"number": at, **zoned(each, asked.table, zone)} for at, each in enumerate(records)]
        ),
        json.dumps([zoned(each, "activityparty", zone) for each in parties]),
    )
    return [row["matches"] for row in rows]


@st.composite
def with_aliases(draw: DrawFn) -> Criteria:
    """Criteria, some of which ask a column of a joined table."""
    found = draw(criteria())
    joins = [link for link in found.group.links if link.type in {LinkType.INNER, LinkType.OUTER}]
    if not joins or draw(st.booleans()):
        return found
    named = replace(joins[0], alias="party")
    asked = draw(
        st.sampled_from(
            [
                Condition(column="partyid", operator="null", link_alias="party"),
                Condition(
                    column="participationtypemask",
                    operator="ne",
                    values=("1",),
                    link_alias="party",
                ),
                Condition(
                    column="partyid",
                    operator="eq",
                    compared_column="activityid",
                    link_alias="party",
                ),
            ]
        )
    )
    links = tuple(named if link is joins[0] else link for link in found.group.links)
    conditions = (*found.group.conditions, asked)
    return replace(found, group=replace(found.group, links=links, conditions=conditions))


@pytest.mark.unwatched
@pytest.mark.asyncio(loop_scope="module")
async def test_matching_is_what_sql_says(postgres: Connection) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=150)
    @given(st.data(), with_aliases(), viewpoints())
    def agrees(data: DataObject, asked: Criteria, seen: tuple[Viewpoint, str]) -> None:
        records = data.draw(st.lists(columns(asked.table), min_size=1, max_size=3))
        parties = data.draw(st.lists(columns("activityparty"), max_size=3))
        related = {"activityparty": [Record(columns=each) for each in parties]}
        matcher = Matcher(asked, seen[0])
        ours = [matcher.matches(Record(columns=each, related=related)) for each in records]
        theirs = in_sql(postgres, asked, seen, records, parties)
        assert ours == asyncio.run_coroutine_threadsafe(theirs, loop).result()

    await asyncio.to_thread(agrees)


FITTING = {
    name: [
        (table, column)
        for table in FILTERED
        for column in CATALOGUE[table].columns.values()
        if column.fits(operator)
    ]
    for name, operator in OPERATORS.items()
}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.asyncio(loop_scope="module")
async def test_every_operator_is_what_sql_says(postgres: Connection, name: str) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=12)
    @given(st.data(), st.sampled_from(FITTING[name]), viewpoints())
    def agrees(data: DataObject, place: tuple[str, Column], seen: tuple[Viewpoint, str]) -> None:
        table, column = place
        condition = Condition(
            column=column.name, operator=name, values=data.draw(values(OPERATORS[name], column))
        )
        asked = Criteria(table=table, group=Group(conditions=(condition,)))
        held = data.draw(st.lists(of_column(column), min_size=24, max_size=24))
        records = [{column.name: each} for each in (None, *held)]
        matcher = Matcher(asked, seen[0])
        ours = [matcher.matches(Record(columns=each)) for each in records]
        theirs = in_sql(postgres, asked, seen, records, [])
        assert ours == asyncio.run_coroutine_threadsafe(theirs, loop).result()

    await asyncio.to_thread(agrees)
