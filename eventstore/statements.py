"""SQL by name, from the .sql file of a room.

Law: SQL is written in .sql files and nowhere else, so that it can be read, prepared and explained.
"""

from collections.abc import Mapping
from pathlib import Path

MARK = "-- name: "


def statements(file: Path) -> Mapping[str, str]:
    """Every statement of the file by the name in the `-- name: …` line above it."""
    found: dict[str, str] = {}
    for part in file.read_text(encoding="utf-8").split(MARK)[1:]:
        name, _, text = part.partition("\n")
        found[name.strip()] = text.strip().rstrip(";")
    return found
