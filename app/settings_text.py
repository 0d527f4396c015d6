"""Settings as a YAML file, written: each with a comment that explains it, in the order of the tab.

Law: what is written reads as what was written.
"""

import re
from collections.abc import Iterator
from io import StringIO
from textwrap import wrap

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from app.settings_file import FETCH_XML, NONE, REMOVED
from domain import field_mappings
from domain.filters import state
from domain.filters.catalogue import CATALOGUE
from domain.filters.templates import TEMPLATES
from domain.filters.words import sentence
from domain.standing import Standing
from domain.switches import MAILING_ADDRESSES
from domain.tab import TAB, keys
from domain.wanted import Wanted, WantedFilter, held

WIDTH = 96
ENDLESS = 1_000_000
"""Characters of a line, so that none is folded."""
BETWEEN_TAGS = re.compile("(?<=>)(?=<)")


def written(standing: Standing, *, whole: bool) -> str:
    """What differs from the defaults; the whole: everything that can be chosen."""
    environment = standing.environment
    wanted = held(environment, whole=whole)
    file = CommentedMap()
    for key in (*keys(environment.filters), *_gone(wanted)):
        value = _value(wanted, key)
        if value is not None:
            file[key] = value
            comment = "\n".join(_comment(standing, key))
            file.yaml_set_comment_before_after_key(key, before=f"\n{comment}")
    key = environment.profile.key
    what = "All settings that can be chosen" if whole else "What differs from the defaults"
    file.yaml_set_start_comment(
        f"{what}: {key}, at position {standing.position}.\n"
        f"`syncledger apply FILE --environment {key} --preview` tells what would change; what is\n"
        "not named here is not touched."
    )
    text = StringIO()
    yaml = YAML()
    yaml.width = ENDLESS
    yaml.dump(file, text)
    return text.getvalue()


def _gone(wanted: Wanted) -> Iterator[str]:
    """The settings of what every environment starts with, and this one no longer has."""
    yield from (state.setting_of(key) for key, each in wanted.filters.items() if each is None)
    yield from (state.given_setting(*at) for at, each in wanted.given.items() if each is None)


def _value(wanted: Wanted, key: str) -> object:
    """What a file says of a setting; None for nothing."""
    if key == MAILING_ADDRESSES:
        return None if wanted.addresses is None else wanted.addresses.value
    if key.startswith(field_mappings.PREFIX):
        direction = wanted.directions.get(key.removeprefix(field_mappings.PREFIX))
        return None if direction is None else direction.value
    if key.startswith(state.PREFIX):
        name = key.removeprefix(state.PREFIX)
        return _filter(wanted.filters[name]) if name in wanted.filters else None
    if key.startswith(state.GIVEN_PREFIX):
        about = state.given_of(key)
        return (wanted.given[about] or NONE) if about in wanted.given else None
    return wanted.switches.get(key)


def _filter(wanted: WantedFilter | None) -> CommentedMap:
    if wanted is None:
        return CommentedMap({REMOVED: True})
    return CommentedMap(
        {
            "role": str(wanted.role),
            "kind": str(wanted.kind),
            "table": wanted.table,
            "name": _escaped(str(wanted.name)),
            "description": _escaped(str(wanted.description)),
            "active": wanted.active,
            FETCH_XML: _laid_out(str(wanted.criteria)),
        }
    )


def _escaped(text: str) -> str:
    """With escapes where a character cannot stand there as it is: line feeds would be folded."""
    escaped: str = text if text.isprintable() else DoubleQuotedScalarString(text)
    return escaped


def _laid_out(fetch_xml: str) -> str:
    """A tag on each line, where every character can stand there as it is."""
    lines: list[str] = []
    depth, opened = 0, False
    for piece in BETWEEN_TAGS.split(fetch_xml):
        closes = piece.startswith("</")
        depth -= closes
        if closes and opened:
            lines[-1] += piece  # an empty text, which a line feed would fill
        else:
            lines.append("  " * depth + piece)
        opened = not closes and not piece.endswith("/>") and "</" not in piece
        depth += opened
    if not all(line.isprintable() for line in lines):
        return _escaped(fetch_xml)
    block: str = LiteralScalarString("\n".join([*lines, ""]))
    return block


def _comment(standing: Standing, key: str) -> Iterator[str]:
    """The lines that explain a setting."""
    filters = standing.environment.filters
    place = TAB.get(key)
    if place is not None:
        told = f"{place.label}. {place.description}"
    elif key.startswith(state.PREFIX):
        name = key.removeprefix(state.PREFIX)
        there = filters.by_key.get(name)
        told = (
            f"The default template “{TEMPLATES[name].name}” was removed."
            if there is None
            else f"{state.ROLE_NAMES[there.role]} “{there.name}”: {sentence(there.criteria)}."
        )
    else:
        _, table = state.given_of(key)
        told = f"{CATALOGUE[table].label}: the template that new users are given."
    plain = "".join(each if each.isprintable() else " " for each in told)
    yield from wrap(plain, WIDTH, break_on_hyphens=False)
