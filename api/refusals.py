"""Why not, in the schema: each refusal of the domain as a type of its own where it has details.

Law: the code and the sentence are the domain's; nothing is worded here.
"""

import strawberry

from api.changes import Change
from api.consequences import (
    Warning,  # noqa: A004 -- the glossary's word
)
from api.enums import Permission, RefusalCode, SecurityRole, SyncDirection
from domain import actor, field_mappings, plan, source, switches
from domain.filters import refusals
from domain.plan import RefusedChange
from domain.standing import Standing
from eventstore.transact import RequestIdReused


@strawberry.interface(description="Why something was not done.")
class Refusal:
    code: RefusalCode = strawberry.field(description="Why, by code.")
    message: str = strawberry.field(description="Why, in words, and what would help.")
    change: int | None = strawberry.field(
        description="Which of the changes, counted from 0; null when it is about the whole request."
    )


@strawberry.type(description="The viewer's roles do not allow it.")
class NotPermitted(Refusal):
    needs: Permission = strawberry.field(description="The permission that is missing.")
    roles_that_may: list[SecurityRole] = strawberry.field(description="Roles that grant it.")


@strawberry.type(description="A warning must be acknowledged by its code first.")
class WarningNotAcknowledged(Refusal):
    warning: Warning = strawberry.field(description="The warning to acknowledge.")


@strawberry.type(description="A setting was changed after the expected position.")
class ChangedMeanwhile(Refusal):
    position: int = strawberry.field(description="Where the log ends now.")
    by: list[Change] = strawberry.field(description="What was changed after that position.")


@strawberry.type(description="The direction of this mapping is fixed.")
class DirectionNotSettable(Refusal):
    settable: list[SyncDirection] = strawberry.field(description="What can be chosen.")


@strawberry.type(description="Where in the criteria, and what is wrong.")
class FilterProblem:
    path: str = strawberry.field(
        description="In a tree e.g. groups[0].conditions[2]; in FetchXML its elements, where that "
        "cannot be read as criteria."
    )
    message: str = strawberry.field(description="What is wrong, and what would help.")


@strawberry.type(description="The criteria do not make sense.")
class FilterNotValid(Refusal):
    problems: list[FilterProblem] = strawberry.field(description="Everything that is wrong.")


@strawberry.type(description="A setting cannot be as it stands where it is to come from.")
class CannotBeRestored(Refusal):
    setting: str = strawberry.field(description="The key of the setting.")


@strawberry.type(description="A refusal without details of its own.")
class Refused(Refusal):
    pass


def shown(refused: RefusedChange, standing: Standing | None) -> Refusal:
    """A refusal as the schema shows it; `standing` is where the log ends, if it exists."""
    why, index = refused.refusal, refused.index
    match why:
        case actor.NotPermitted(needs=needs):
            return NotPermitted(
                code=why.code,
                message=why.message,
                change=index,
                needs=needs,
                roles_that_may=list(why.roles_that_may),
            )
        case switches.WarningNotAcknowledged(warning=warning):
            return WarningNotAcknowledged(
                code=why.code, message=why.message, change=index, warning=Warning.of(warning)
            )
        case plan.ChangedMeanwhile(position=position, by=by) if standing is not None:
            changes = [Change(change=each, standing=standing) for each in by]
            return ChangedMeanwhile(
                code=why.code, message=why.message, change=index, position=position, by=changes
            )
        case field_mappings.DirectionNotSettable(settable=settable):
            return DirectionNotSettable(
                code=why.code, message=why.message, change=index, settable=list(settable)
            )
        case refusals.FilterNotValid(problems=problems):
            told = [FilterProblem(path=each.path, message=each.message) for each in problems]
            return FilterNotValid(code=why.code, message=why.message, change=index, problems=told)
        case source.CannotBeRestored(setting=setting):
            return CannotBeRestored(
                code=why.code, message=why.message, change=index, setting=setting
            )
        case _:
            return Refused(code=why.code, message=why.message, change=index)


def reused(refusal: RequestIdReused) -> Refusal:
    return Refused(code=refusal.code, message=refusal.message, change=None)
