"""What the schema shows of what was refused: who tried what in an environment, and why it was not.

Law: newest first; a cursor is the number of the attempt.
"""

from datetime import datetime

import strawberry

from api.context import Context, Info
from api.pages import Page, PageInfo, cursor, cut, numbered, page_info
from api.people import Principal
from domain.standing import Standing
from eventstore.attempts import Attempt, Stretch
from eventstore.log import END

KIND = "attempt:"
"""So that no cursor of another list is taken for one of these."""


@strawberry.type(description="Something that was asked for and refused. Nothing was written.")
class RefusedAttempt:
    attempt: strawberry.Private[Attempt]

    @strawberry.field(description="When.")
    def at(self) -> datetime:
        return self.attempt.at

    @strawberry.field(description="Who.")
    async def by(self, info: Info) -> Principal:
        return await Principal.behind(self.attempt.actor, info)

    @strawberry.field(
        description="What was asked for, in words. Persons, and what somebody has written freely, "
        "are left out."
    )
    def asked(self) -> str:
        return self.attempt.asked

    @strawberry.field(
        description="Whose roles were asked for; null where it was not about roles, or about "
        "somebody who never held one here."
    )
    async def about(self, info: Info) -> Principal | None:
        whom = self.attempt.about
        return None if whom is None else await Principal.behind(whom, info)

    @strawberry.field(description="Why it was not done, by code, as the asker was told.")
    def refusals(self) -> list[str]:
        return self.attempt.refusals

    @strawberry.field(
        description="How many like it followed within an hour, and are only counted: of theirs; of "
        "anybody without a role here, where they have none."
    )
    def more(self) -> int:
        return self.attempt.more


@strawberry.type(description="A refused attempt in a list.")
class RefusedAttemptEdge:
    cursor: str = strawberry.field(description="Its place in the list.")
    node: RefusedAttempt = strawberry.field(description="The attempt.")


@strawberry.type(description="Refused attempts, newest first.")
class RefusedAttemptConnection:
    edges: list[RefusedAttemptEdge] = strawberry.field(description="The page, with cursors.")
    page_info: PageInfo = strawberry.field(description="What lies beyond.")

    @strawberry.field(description="The page, without cursors.")
    def nodes(self) -> list[RefusedAttempt]:
        return [edge.node for edge in self.edges]


async def refused_attempts(
    context: Context, standing: Standing, asked: Page
) -> RefusedAttemptConnection:
    """A page of what was refused in an environment."""
    above, below = _number(asked.before), _number(asked.after)
    stretch = Stretch(
        above=0 if above is None else above,
        below=END if below is None else below,
        newest_first=not asked.backwards,
        limit=asked.size + 1,
    )
    found = await context.rooms.attempts.page(standing.environment.profile.key, stretch)
    kept, more = cut(asked, found)
    edges = [
        RefusedAttemptEdge(cursor=cursor(f"{KIND}{each.number}"), node=RefusedAttempt(attempt=each))
        for each in kept
    ]
    return RefusedAttemptConnection(
        edges=edges, page_info=page_info(asked, [edge.cursor for edge in edges], more=more)
    )


def _number(place: str | None) -> int | None:
    if place is None:
        return None
    named = place.removeprefix(KIND)
    return numbered(named if named != place else "", "refused attempts")
