"""Settings as a YAML file, read: a line for each setting, by its key.

Law: whatever is not understood is told with its line, and never passed over. Nothing is made of a
file but what is looked for in it: no tag is followed, and nothing is merged.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode
from ruamel.yaml.reader import ReaderError

from domain import field_mappings
from domain.filters import state
from domain.filters.problem import LONGEST, shown
from domain.filters.state import FilterKind, FilterRole, checked_filter_key
from domain.filters.templates import DEFAULTS
from domain.mapping_table import SyncDirection
from domain.switches import MAILING_ADDRESSES, MailingAddresses
from domain.tab import TAB
from domain.wanted import SWITCHES, Wanted, WantedFilter

NONE = "NONE"
"""In place of a template's key: that new users are given none."""
REMOVED, FETCH_XML = "removed", "fetchXml"
"""Of a filter: in place of all else, that there is none; and what it chooses."""
TEXTS = ("table", "name", "description", FETCH_XML)
OF_A_FILTER = (REMOVED, "role", "kind", "active", *TEXTS)
CORE = "tag:yaml.org,2002:"
TEXT, BOOLEAN, NOTHING, MAPPING, MERGE = (
    f"{CORE}{name}" for name in ("str", "bool", "null", "map", "merge")
)
"""Tags, which YAML finds for what has none."""
DEEPEST = 20
DIRECTIVE = re.compile("^%", re.MULTILINE)
NO_CHARACTER = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")
"""Beyond the last one."""


class Misread(NamedTuple):
    """What a file says that cannot be, and where. Lines count from 1."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Reading:
    """`lines`: of each setting, by its key. `criteria`: of each filter's."""

    wanted: Wanted
    lines: dict[str, int]
    criteria: dict[str, int]
    misread: list[Misread]


class _Entry(NamedTuple):
    """Of a mapping."""

    key: str
    line: int
    value: Node


def read(text: str) -> Reading:
    """What a file wants, with everything that is wrong with it."""
    reader = _Reader()
    try:
        reader.settings(_composed(text))
    except MaxDepthExceededError as error:
        reader.wrong(_marked(error), "It is nested too deeply.")
    except MarkedYAMLError as error:
        told = ", ".join(each for each in (error.context, error.problem) if each)
        reader.wrong(_marked(error), f"{told[:1].upper()}{told[1:]}.")
    except ReaderError as error:
        reader.wrong(_at(text, error.position), f"A file cannot contain U+{error.character:04X}.")
    except ValueError:
        beyond = NO_CHARACTER.search(text)
        at = 0 if beyond is None else beyond.start()
        reader.wrong(_at(text, at), f"There is no character {text[at : at + 10]}.")
    directive = DIRECTIVE.search(text)
    if directive is not None:
        reader.wrong(_at(text, directive.start()), "Leave this out: nothing is directed here.")
    return reader.reading()


def _composed(text: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = DEEPEST
    yaml.composer.warn_double_anchors = False
    node: Node | None = yaml.compose(DIRECTIVE.sub("#", text))
    return node


def _marked(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return int(mark.line) + 1


def _at(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


@dataclass(slots=True)
class _Reader:
    """Gathers what is wanted, and everything that is wrong. `unread`: filters that are not."""

    switches: dict[str, bool] = field(default_factory=dict)
    addresses: MailingAddresses | None = None
    directions: dict[str, SyncDirection] = field(default_factory=dict)
    filters: dict[str, WantedFilter | None] = field(default_factory=dict)
    given: dict[tuple[FilterKind, str], str | None] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    criteria: dict[str, int] = field(default_factory=dict)
    misread: list[Misread] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)

    def reading(self) -> Reading:
        """Who is given a filter that was not read is not told that there is none."""
        given = {about: key for about, key in self.given.items() if key not in self.unread}
        wanted = Wanted(
            switches=self.switches,
            addresses=self.addresses,
            directions=self.directions,
            filters=self.filters,
            given=given,
        )
        return Reading(wanted, self.lines, self.criteria, self.misread)

    def wrong(self, line: int, message: str) -> None:
        self.misread.append(Misread(line, message))

    def settings(self, document: Node | None) -> None:
        if document is None or _is(document, NOTHING):
            return
        if not _is_mapping(document):
            told = "Settings are a mapping: each by its key, such as assignedTasks: true"
            self.wrong(_line(document), f"{told}, not {_shown(document)}.")
            return
        for key, line, value in self._entries(document):
            self.lines[key] = line
            self._setting(key, line, value)

    def _setting(self, key: str, line: int, value: Node) -> None:
        if key in SWITCHES:
            on = self._flag(line, key, value)
            if on is not None:
                self.switches[key] = on
        elif key == MAILING_ADDRESSES:
            self.addresses = self._word(MailingAddresses, line, key, value)
        elif key.startswith(field_mappings.PREFIX):
            direction = self._word(SyncDirection, line, _plain(key), value)
            if direction is not None:
                self.directions[key.removeprefix(field_mappings.PREFIX)] = direction
        elif key.startswith(state.PREFIX):
            self._filter(key, line, value)
        elif key.startswith(state.GIVEN_PREFIX):
            self._given(key, line, value)
        else:
            known = [*(each for each in TAB if ":" not in each)]
            known += [field_mappings.PREFIX, state.PREFIX, state.GIVEN_PREFIX]
            self._unknown(line, f"There is no setting {shown(key)}.", key, known)

    def _filter(self, key: str, line: int, value: Node) -> None:
        name = key.removeprefix(state.PREFIX)
        before = len(self.misread)
        found: WantedFilter | None = None
        try:
            checked_filter_key(name)
        except ValueError as error:
            self.wrong(line, str(error))
        if _is_mapping(value):
            entries = [*self._entries(value)]
            removed = [each for each in entries if each.key == REMOVED]
            if not removed:
                found = self._attributes(key, entries)
            elif len(entries) > 1 or not self._flag(removed[0].line, REMOVED, removed[0].value):
                told = f"{_plain(key)}: `{REMOVED}: true` stands alone, or is left out."
                self.wrong(removed[0].line, told)
        else:
            told = f"{_plain(key)} is a mapping of what it should be, or `{REMOVED}: true`"
            self.wrong(line, f"{told}, not {_shown(value)}.")
        if len(self.misread) == before:
            self.filters[name] = found
        else:
            self.unread.add(name)

    def _attributes(self, key: str, entries: list[_Entry]) -> WantedFilter:
        texts: dict[str, str] = {}
        role: FilterRole | None = None
        kind: FilterKind | None = None
        active: bool | None = None
        for name, line, value in entries:
            about = f"The {name} of {_plain(key)}"
            if name == "role":
                role = self._word(FilterRole, line, about, value)
            elif name == "kind":
                kind = self._word(FilterKind, line, about, value)
            elif name == "active":
                active = self._flag(line, about, value)
            elif name not in TEXTS:
                self._unknown(line, f"A filter has no {shown(name)}.", name, OF_A_FILTER)
            elif _is(value, TEXT):
                texts[name] = str(value.value)
                if name == FETCH_XML:
                    self.criteria[key] = line
            else:
                self.wrong(line, f"{about} is a text, not {_shown(value)}. Put it in quotes.")
        return WantedFilter(
            role=role,
            kind=kind,
            table=texts.get("table"),
            name=texts.get("name"),
            description=texts.get("description"),
            active=active,
            criteria=texts.get(FETCH_XML),
        )

    def _given(self, key: str, line: int, value: Node) -> None:
        kind, _, table = key.removeprefix(state.GIVEN_PREFIX).partition(":")
        if kind not in list(FilterKind) or not state.fits(table, FilterKind(kind)):
            near = [*DEFAULTS.given]
            self._unknown(line, f"New users are given nothing by {shown(key)}.", key, near)
        elif not _is(value, TEXT) or not value.value:
            told = f"{key} is the key of a template, or {NONE}, not {_shown(value)}."
            self.wrong(line, told)
        else:
            template = str(value.value)
            self.given[FilterKind(kind), table] = None if template == NONE else template

    def _flag(self, line: int, about: str, value: Node) -> bool | None:
        if _is(value, BOOLEAN) and value.value.lower() in {"true", "false"}:
            return bool(value.value.lower() == "true")
        self.wrong(line, f"{about} is true or false, not {_shown(value)}.")
        return None

    def _word[Word: StrEnum](
        self, words: type[Word], line: int, about: str, value: Node
    ) -> Word | None:
        if _is(value, TEXT) and value.value in list(words):
            return words(value.value)
        self.wrong(line, f"{about} is {' or '.join(words)}, not {_shown(value)}.")
        return None

    def _unknown(self, line: int, told: str, name: str, known: Iterable[str]) -> None:
        near = get_close_matches(name, known, n=3) if len(name) < 2 * LONGEST else []
        help_ = f"Did you mean {' or '.join(near)}?" if near else "Leave it out."
        self.wrong(line, f"{told} {help_}")

    def _entries(self, mapping: Node) -> Iterator[_Entry]:
        """Each once, by a key that is a word."""
        seen: dict[str, int] = {}
        for key, value in mapping.value:
            line = _line(key)
            if key.tag == MERGE:
                self.wrong(line, "Nothing is merged here: write out what `<<` stands for.")
            elif not isinstance(key, ScalarNode) or not str(key.tag).startswith(CORE):
                self.wrong(line, f"A key is a word, not {_shown(key)}.")
            elif key.value in seen:
                told = f"{shown(key.value)} stands on line {seen[key.value]} already."
                self.wrong(line, told)
            else:
                seen[key.value] = line
                yield _Entry(key.value, line, value)


def _is(node: Node, tag: str) -> bool:
    """A word of that kind: a tag alone makes nothing one."""
    return isinstance(node, ScalarNode) and node.tag == tag


def _is_mapping(node: Node) -> bool:
    return isinstance(node, MappingNode) and node.tag == MAPPING


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _shown(node: Node) -> str:
    """What stands there, in a word or two."""
    if not str(node.tag).startswith(CORE):
        return f"the tag {shown(str(node.tag))}"
    if not isinstance(node, ScalarNode):
        return "a mapping" if isinstance(node, MappingNode) else "a list"
    if node.tag == NOTHING:
        return "nothing"
    return shown(node.value) if node.tag == TEXT else _plain(node.value)


def _plain(text: str) -> str:
    """As it stands there, where that can be."""
    return text if text.isprintable() and len(text) <= LONGEST else shown(text)
