"""How long it takes at most to ask criteria of a record, known before they are asked.

Law: counted in characters of criteria that take as long to read; what grows by leaps (records
related to related ones, joined tables, long patterns on long texts) grows by leaps here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from domain.filters.conditions import NEGATED, PATTERNS
from domain.filters.criteria import JOINS, Condition, Group, Link
from domain.filters.matching import MOST_COMBINATIONS
from domain.filters.records import Record

CONDITION, RELATED = 20, 120
"""Of a condition or a group, and of one related record; to answer and to explain the answer."""
STEPS = 14
"""How often a letter of a text is compared with one of a pattern meanwhile."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of the related records of a table: how many, and the longest text of any."""

    count: int
    longest: int


type Sizes = Mapping[str, Size]


def sizes(record: Record) -> Sizes:
    """Of what a record is related to, by table."""
    return {table: _size(others) for table, others in record.related.items()}


def _size(others: Sequence[Record]) -> Size:
    texts = (text for each in others for text in each.columns.values())
    return Size(len(others), max((len(text) for text in texts if text), default=0))


@dataclass(frozen=True, slots=True)
class Effort:
    """Of criteria. `letters`: of the patterns that a column is compared with.

    `links`: what it leads to; `joined`: what is looked at together with the record, and
    `letters_of_joined` of the patterns that columns there are compared with.
    """

    base: int
    letters: tuple[tuple[str, int], ...]
    links: "tuple[tuple[str, Effort], ...]"
    joined: "tuple[tuple[str, Effort], ...]"
    letters_of_joined: int

    def of(self, record: Record, related: Sizes) -> int:
        """`related`: as `sizes` has it of the record."""
        compared = 0
        for column, letters in self.letters:
            text = record.columns.get(column)
            if text:
                compared += len(text) * letters
        return self.at_most(compared, related)

    def at_most(self, compared: int, related: Sizes) -> int:
        """`compared`: how many letters with letters."""
        found = self.base + compared // STEPS + _beside(self.links, related)
        if not self.joined:
            return found
        there = [related[table] for table, _ in self.joined if table in related]
        longest = max((size.longest for size in there), default=0)
        each = RELATED + found + longest * self.letters_of_joined // STEPS
        together = min(prod(size.count or 1 for size in there), MOST_COMBINATIONS)
        return each * together + _beside(self.joined, related)


def _beside(links: Iterable[tuple[str, Effort]], related: Sizes) -> int:
    found = 0
    for table, inner in links:
        size = related.get(table)
        if size is not None:
            compared = size.longest * sum(letters for _, letters in inner.letters)
            found += size.count * (RELATED + inner.at_most(compared, related))
    return found


def effort(group: Group) -> Effort:
    """Of the outermost group of criteria, or of that of a link."""
    groups = [group]
    for each in groups:
        groups += each.groups  # which come to be looked at, too
    conditions = [condition for each in groups for condition in each.conditions]
    named = {each.link_alias for each in conditions}
    joined = [each for each in group.links if each.type in JOINS and each.alias in named]
    letters = Counter[str]()
    for condition in conditions:
        if condition.link_alias is None:
            letters.update(dict.fromkeys(_columns(condition), _letters(condition)))
    return Effort(
        CONDITION * (len(conditions) + len(groups)),
        tuple(letters.items()),
        tuple(_leading(link) for each in groups for link in each.links if link not in joined),
        tuple(map(_leading, joined)),
        sum(_letters(each) for each in conditions if each.link_alias is not None),
    )


def _columns(condition: Condition) -> tuple[str, ...]:
    other = condition.compared_column
    return (condition.column,) if other is None else (condition.column, other)


def _leading(link: Link) -> tuple[str, Effort]:
    return link.table, effort(Group() if link.criteria is None else link.criteria)


def _letters(condition: Condition) -> int:
    """Those of a pattern; any other text is looked at once."""
    plain = NEGATED.get(condition.operator, condition.operator)
    return len(condition.values[0]) if plain in PATTERNS else 1
