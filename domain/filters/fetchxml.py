"""Criteria as FetchXML and back (domain reference 3.4).

Law: what is written reads as what was written. What only shapes an answer (columns, order) is left
out; what would change which records are meant, and is not criteria, is refused by name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from xml.sax.saxutils import escape, quoteattr

from domain.filters.criteria import (
    JOINS,
    Condition,
    Criteria,
    Group,
    GroupOperator,
    Kept,
    Link,
    LinkType,
)
from domain.filters.elements import INCOMING, Caps, Element, read
from domain.filters.operators import ALIASES, OPERATORS
from domain.filters.problem import LONGEST, MOST_PROBLEMS, Problem, first, shown
from domain.filters.vocabulary import (
    GROUPS,
    LINK_TYPES,
    LINK_WORDS,
    MEANINGLESS,
    NOT_SO,
    QUERIES,
    SHAPES,
)


def parsed(text: str, caps: Caps = INCOMING) -> Criteria | tuple[Problem, ...]:
    """The criteria of a document, or everything that is wrong with its form, the first hundred."""
    root = read(text, caps)
    if isinstance(root, Problem):
        return (root,)
    reading = _Reading()
    criteria = reading.fetch(root)
    return first(reading.problems) or criteria


def canonical(criteria: Criteria) -> Criteria:
    """The same as it reads once written: today's names, joins after the other links."""
    return replace(criteria, group=_canonical(criteria.group))


def _canonical(group: Group) -> Group:
    links = [
        replace(link, criteria=None if link.criteria is None else _canonical(link.criteria))
        for link in group.links
    ]
    return replace(
        group,
        conditions=tuple(
            replace(each, operator=ALIASES.get(each.operator, each.operator))
            for each in group.conditions
        ),
        groups=tuple(map(_canonical, group.groups)),
        links=tuple(sorted(links, key=lambda link: link.type in JOINS)),
    )


class _Reading:
    """Gathers every problem; what it returns counts only if there is none."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def fetch(self, root: Element) -> Criteria:
        if root.name != "fetch":
            self._wrong(root, f"A filter is a <fetch>, not {root.tag}.")
            return Criteria(table="")
        for name, asked in QUERIES.items():
            value = root.attributes.get(name)
            if value is not None and value.lower() not in NOT_SO:
                self._wrong(root, f"{asked} is no filter: leave out {name}={shown(value)}.")
        self._only(root, {"entity"})
        entities = root.named("entity")
        if len(entities) != 1:
            self._wrong(root, f"A filter is about one <entity>, not {len(entities)}.")
            return Criteria(table="")
        (entity,) = entities
        return Criteria(
            table=self._needed(entity, "name"),
            group=self._criteria(entity) or Group(),
            kept=self._kept(root, QUERIES),
            kept_of_table=self._kept(entity, {"name"}),
        )

    def _criteria(self, element: Element) -> Group | None:
        """What an entity or a link asks. None: nothing."""
        self._only(element, SHAPES | {"filter", "link-entity"})
        for shape in element.children:
            if shape.name in SHAPES:
                self._only(shape, ())
                if "aggregate" in shape.attributes:
                    self._wrong(shape, "An aggregate query is no filter: leave out the aggregate.")
        filters = [self._group(each) for each in element.named("filter")]
        joins = [self._link(each, joins=True) for each in element.named("link-entity")]
        if not filters and not joins:
            return None
        group = filters[0] if len(filters) == 1 else Group(groups=tuple(filters))
        if joins and group.operator is GroupOperator.OR:
            group = Group(groups=(group,))
        return replace(group, links=(*group.links, *joins))

    def _group(self, element: Element) -> Group:
        self._only(element, {"condition", "filter", "link-entity"})
        kind = element.attributes.get("type", "and").lower()
        if kind not in GROUPS:
            self._wrong(element, f"A filter's type is 'and' or 'or', not {shown(kind)}.")
        return Group(
            operator=GROUPS.get(kind, GroupOperator.AND),
            conditions=tuple(map(self._condition, element.named("condition"))),
            groups=tuple(map(self._group, element.named("filter"))),
            links=tuple(self._link(each, joins=False) for each in element.named("link-entity")),
            kept=self._kept(element, {"type"}),
        )

    def _link(self, element: Element, *, joins: bool) -> Link:
        known = element.attributes.get("link-type", "inner").lower()
        kind = LINK_TYPES.get(known, LinkType.INNER)
        if known not in LINK_TYPES:
            words = ", ".join(LINK_TYPES)
            self._wrong(element, f"A link's type is not {shown(known)}; it is one of {words}.")
        elif (kind in JOINS) is not joins:
            where = "beside the filter" if kind in JOINS else "inside a filter"
            self._wrong(element, f"A link of type {known} stands {where}.")
        return Link(
            table=self._needed(element, "name"),
            from_column=self._needed(element, "from"),
            to_column=self._needed(element, "to"),
            type=kind,
            alias=element.attributes.get("alias"),
            criteria=self._criteria(element),
            kept=self._kept(element, {"name", "from", "to", "link-type", "alias"}),
        )

    def _condition(self, element: Element) -> Condition:
        self._only(element, {"value"})
        for name in ("aggregate", "rowaggregate"):
            if name in element.attributes:
                self._wrong(element, f"An aggregate query is no filter: leave out {name}.")
        inside = element.named("value")
        for value in inside:
            self._only(value, set(), text=True)
        values = tuple(value.text for value in inside)
        kept_of_values = tuple(self._kept(value, ()) for value in inside)
        if "value" in element.attributes:
            if inside:
                self._wrong(element, "A condition has a value or <value> elements, not both.")
            values, kept_of_values = (element.attributes["value"],), ()
        return Condition(
            column=self._needed(element, "attribute"),
            operator=self._needed(element, "operator"),
            values=values,
            compared_column=element.attributes.get("valueof"),
            link_alias=element.attributes.get("entityname"),
            kept=self._kept(element, {"attribute", "operator", "value", "valueof", "entityname"}),
            kept_of_values=kept_of_values if any(kept_of_values) else (),
        )

    def _only(self, element: Element, names: Iterable[str], *, text: bool = False) -> None:
        allowed = set(names)
        for child in element.children:
            if child.name not in allowed:
                self._wrong(child, f"{child.tag} cannot stand in {element.tag}.")
        if not text and element.text.strip():
            stray = shown(element.text.strip())
            self._wrong(element, f"{element.tag} has no text, such as {stray}.")

    def _kept(self, element: Element, known: Iterable[str]) -> Kept:
        """What means nothing here. Anything else may be a slip that means a lot."""
        names = set(known)
        kept = sorted(each for each in element.attributes.items() if each[0] not in names)
        for name, _ in kept:
            if name not in MEANINGLESS[element.name]:
                near = get_close_matches(name, names, n=1) if len(name) < LONGEST else []
                help_ = f" Did you mean {near[0]}?" if near else ""
                self._wrong(element, f"{element.tag} has no attribute {shown(name)}.{help_}")
        return tuple(kept)

    def _needed(self, element: Element, name: str) -> str:
        value = element.attributes.get(name)
        if value is None:
            self._wrong(element, f"{element.tag} needs the attribute {name}.")
        return value or ""

    def _wrong(self, element: Element, message: str) -> None:
        if len(self.problems) <= MOST_PROBLEMS:
            self.problems.append(Problem(path=element.path, message=message))


def written(criteria: Criteria, identifier: str) -> str:
    """The criteria as one line of FetchXML that answers with the column `identifier`."""
    return "".join(_fetch(canonical(criteria), identifier))


def _fetch(criteria: Criteria, identifier: str) -> Iterator[str]:
    yield _opened("fetch", kept=criteria.kept)
    yield _opened("entity", name=criteria.table, kept=criteria.kept_of_table)
    yield _opened("attribute", name=identifier, end="/>")
    yield from _criteria(criteria.group, bare=True)
    yield "</entity></fetch>"


def _criteria(group: Group, *, bare: bool) -> Iterator[str]:
    """`bare`: a group that asks nothing needs no filter."""
    joins = tuple(link for link in group.links if link.type in JOINS)
    inside = replace(group, links=tuple(link for link in group.links if link.type not in JOINS))
    if inside != Group() or not (bare or joins):
        yield from _group(inside)
    for link in joins:
        yield from _link(link)


def _group(group: Group) -> Iterator[str]:
    yield _opened("filter", type=group.operator.value.lower(), kept=group.kept)
    for condition in group.conditions:
        yield from _condition(condition)
    for inner in group.groups:
        yield from _group(inner)
    for link in group.links:
        yield from _link(link)
    yield "</filter>"


def _link(link: Link) -> Iterator[str]:
    yield _opened(
        "link-entity",
        name=link.table,
        from_=link.from_column,
        to=link.to_column,
        link_type=LINK_WORDS[link.type],
        alias=link.alias,
        kept=link.kept,
    )
    if link.criteria is not None:
        yield from _criteria(link.criteria, bare=False)
    yield "</link-entity>"


def _condition(condition: Condition) -> Iterator[str]:
    operator = OPERATORS.get(condition.operator)
    values, kept = condition.values, condition.kept_of_values
    single = len(values) == 1 and not kept and (operator is None or operator.most == 1)
    inside = "" if single else "".join(_values(values, kept or ((),) * len(values)))
    yield _opened(
        "condition",
        attribute=condition.column,
        operator=condition.operator,
        value=values[0] if single else None,
        valueof=condition.compared_column,
        entityname=condition.link_alias,
        kept=condition.kept,
        end=">" if inside else "/>",
    )
    if inside:
        yield f"{inside}</condition>"


def _values(values: Iterable[str], kept: Iterable[Kept]) -> Iterator[str]:
    for value, attributes in zip(values, kept, strict=True):
        yield f"{_opened('value', kept=attributes)}{escape(value, {'\r': '&#13;'})}</value>"


def _opened(tag: str, kept: Kept = (), end: str = ">", **attributes: str | None) -> str:
    known = (
        (name.rstrip("_").replace("_", "-"), value)
        for name, value in attributes.items()
        if value is not None
    )
    words = (f" {name}={quoteattr(value)}" for name, value in (*known, *kept))
    return f"<{tag}{''.join(words)}{end}"
