"""XML as a small tree of elements, read with expat, hostile or not.

Law: nothing is built that the caps do not allow, no entity is ever declared, and no address is
ever opened.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.parsers import expat

from domain.filters.problem import WHOLE, Problem, shown


class Caps(NamedTuple):
    """How much is read at most. `depth`: elements within each other; `attributes`: of one."""

    characters: int
    depth: int
    elements: int
    attributes: int


INCOMING = Caps(200_000, 40, 3_000, 24)
"""Of what anybody may send."""
STORED = Caps(2_000_000, 100, 50_000, 100)
"""Of what was checked when it was stored: far more, so that no later cap makes it unreadable."""
LONGEST_NAME = 80
"""Characters of an element's name that are shown."""
PIECE = 16_384
"""Characters that are read before what was found in them is looked at."""


@dataclass(slots=True, kw_only=True)
class Element:
    """`place`: which of its parent's children of that name, from 1. No parent: the document."""

    name: str
    attributes: Mapping[str, str]
    parent: "Element | None" = None
    place: int = 1
    children: "list[Element]" = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own, without that of its children."""
        return "".join(self.pieces)

    @property
    def path(self) -> str:
        """E.g. `fetch/entity[1]/filter[2]`."""
        if self.parent is None:
            return WHOLE
        if self.parent.parent is None:
            return self.name[:LONGEST_NAME]
        return f"{self.parent.path}/{self.name[:LONGEST_NAME]}[{self.place}]"

    @property
    def tag(self) -> str:
        """E.g. `<filter>`."""
        return f"<{self.name[:LONGEST_NAME]}>"

    def named(self, name: str) -> "list[Element]":
        return [child for child in self.children if child.name == name]


class _Stop(Exception):
    """Ends the reading at once."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(path=path, message=message)


def read(text: str, caps: Caps) -> Element | Problem:
    """The root element, or why it is no document that may be read."""
    if len(text) > caps.characters:
        return Problem(
            path=WHOLE,
            message=f"FetchXML has at most {caps.characters} characters here, not {len(text)}.",
        )
    if "\0" in text:
        return Problem(path=WHOLE, message="FetchXML cannot contain U+0000.")
    reading = _Reading(caps)
    try:
        for start in range(0, len(text), PIECE):
            reading.feed(text[start : start + PIECE])
        return reading.close()
    except _Stop as stop:
        return stop.problem
    except UnicodeEncodeError as error:
        character = f"U+{ord(error.object[error.start]):04X}"
        return Problem(path=reading.path, message=f"FetchXML cannot contain {character}.")
    except expat.ExpatError as error:
        where = f"line {error.lineno}, column {error.offset + 1}"
        why = expat.errors.messages.get(error.code, "not well-formed")
        return Problem(path=reading.path, message=f"This is no XML: {why} at {where}.")


class _Reading:
    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._document = Element(name="", attributes={})
        self._open = [(self._document, Counter[str]())]
        self._count = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.ProcessingInstructionHandler = self._instruction

    @property
    def path(self) -> str:
        return self._open[-1][0].path

    def feed(self, piece: str) -> None:
        self._parser.Parse(piece.encode(), False)

    def close(self) -> Element:
        self._parser.Parse(b"", True)
        return self._document.children[0]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > self._caps.elements:
            raise _Stop(self.path, f"FetchXML has at most {self._caps.elements} elements here.")
        if len(self._open) > self._caps.depth:
            raise _Stop(self.path, f"Elements stand at most {self._caps.depth} deep here.")
        if len(attributes) > self._caps.attributes:
            has = f"<{name[:LONGEST_NAME]}> has {len(attributes)} attributes"
            raise _Stop(self.path, f"{has}; here an element has at most {self._caps.attributes}.")
        parent, places = self._open[-1]
        places[name] += 1
        element = Element(name=name, attributes=attributes, parent=parent, place=places[name])
        parent.children.append(element)
        self._open.append((element, Counter[str]()))

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1][0].pieces.append(text)

    def _doctype(self, *_: object) -> None:
        raise _Stop(WHOLE, "A DOCTYPE is not read here. Leave it out.")

    def _instruction(self, target: str, _: str) -> None:
        raise _Stop(self.path, f"The instruction {shown(target)} is not read here. Leave it out.")
