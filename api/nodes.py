"""Nodes and their opaque ids: what a thing is, where it is, and, for a past point, when.

Law: the id of a thing as it stands now never changes; the id of a thing at a past point says so;
a preview stands nowhere, so nothing is fetched by its id.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import Enum
from typing import NamedTuple

import strawberry

from domain.lifecycle import KEY_FORM
from domain.standing import Standing

PREVIEW = "preview"
BIGINT = 19
"""Digits that may be too many for a position."""


class When(Enum):
    """How a standing is meant: as things stand now, as they stood, or as they would stand."""

    NOW = "now"
    THEN = "then"
    PREVIEW = PREVIEW


class NodeId(NamedTuple):
    """`at` is empty for now, or a position. `rest`: what else the kind needs."""

    kind: str
    environment: str
    at: str = ""
    rest: str = ""

    @property
    def opaque(self) -> strawberry.ID:
        return strawberry.ID(urlsafe_b64encode(":".join(self).encode()).decode().rstrip("="))

    @property
    def position(self) -> int | None:
        """The past point, None for now."""
        return int(self.at) if self.at else None


def node_id(kind: str, standing: Standing, when: When, rest: str = "") -> strawberry.ID:
    """The id of something in an environment at this standing."""
    at = {When.NOW: "", When.THEN: str(standing.position), When.PREVIEW: PREVIEW}[when]
    return NodeId(kind, standing.environment.profile.key, at, rest).opaque


def parsed(opaque: str) -> NodeId | None:
    """What an id says; None for anything that is none of ours, and for a preview's."""
    try:
        text = urlsafe_b64decode(opaque + "=" * (-len(opaque) % 4)).decode()
        found = NodeId(*text.split(":", 3))
    except (ValueError, TypeError):
        return None
    placed = not found.at or (
        found.at.isascii() and found.at.isdecimal() and len(found.at) < BIGINT
    )
    return found if placed and KEY_FORM.fullmatch(found.environment) else None


@strawberry.interface(
    description="An object that can be fetched again by its opaque id. Ids of things as they stand "
    "now are stable; ids of things at a past point carry it."
)
class Node:
    @strawberry.field(description="Opaque, and the same every time.")
    def id(self) -> strawberry.ID:
        raise NotImplementedError
