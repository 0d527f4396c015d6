"""What goes wrong at the edge: every error has a public code, and an accident only an id.

Law: nothing that was not written for a reader leaves the process; what is masked is in the log
under the id that the reader got.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from uuid import uuid4

from graphql import GraphQLError, GraphQLFormattedError

from domain.actor import NotPermitted, Permission
from eventstore.database import Unavailable

logger = logging.getLogger(__name__)

LONGEST_MESSAGE = 1_000
"""Characters; what is quoted in it may be long."""


class ErrorCode(StrEnum):
    """`extensions.code` of every error."""

    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
    BAD_REQUEST = "BAD_REQUEST"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    POSITION_NOT_REACHED = "POSITION_NOT_REACHED"
    TOO_COSTLY = "TOO_COSTLY"
    RATE_LIMITED = "RATE_LIMITED"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


class Problem(GraphQLError):
    """An error meant for the reader. `details` go beside its code, for programs."""

    def __init__(self, code: ErrorCode, message: str, **details: object) -> None:
        super().__init__(message, extensions={"code": code.value, **details})


def bad_input(message: str) -> Problem:
    return Problem(ErrorCode.BAD_USER_INPUT, message)


def forbidden(needs: Permission) -> Problem:
    """What is missing, and which roles grant it."""
    refusal = NotPermitted(needs=needs)
    roles = [role.value for role in refusal.roles_that_may]
    return Problem(ErrorCode.FORBIDDEN, refusal.message, needs=needs.value, rolesThatMay=roles)


@contextmanager
def input_checked() -> Iterator[None]:
    """A ValueError of the domain is the asker's mistake: its message is for the reader."""
    try:
        yield
    except ValueError as error:
        raise bad_input(str(error)) from error


def keys_unavailable(error: Exception) -> Problem:
    """What a client is told where nobody can say whether a token is good."""
    logger.warning("nobody can be identified: %s", error)
    return Problem(
        ErrorCode.SERVICE_UNAVAILABLE,
        "The identity provider's keys cannot be read now. Try again in a moment.",
    )


def first_code(errors: object) -> str:
    """The code of the first of some errors that are ready to be sent."""
    match errors:
        case [{"extensions": {"code": str(code)}}, *_]:
            return code
        case _:
            return ErrorCode.INTERNAL_SERVER_ERROR


def told(
    errors: Iterable[GraphQLError], otherwise: ErrorCode = ErrorCode.BAD_USER_INPUT
) -> list[GraphQLFormattedError]:
    """The errors as they leave the process. `otherwise`: the code of GraphQL's own errors."""
    return [_told(error, otherwise) for error in errors]


def _told(error: GraphQLError, otherwise: ErrorCode) -> GraphQLFormattedError:
    formatted = error.formatted
    if len(formatted["message"]) > LONGEST_MESSAGE:
        formatted["message"] = f"{formatted['message'][:LONGEST_MESSAGE]}…"
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if "code" in (error.extensions or {}):
        return formatted
    if cause is None or isinstance(cause, GraphQLError):
        return {**formatted, "extensions": {"code": otherwise.value}}
    return {**formatted, **_masked(cause)}


def accident(cause: BaseException) -> GraphQLFormattedError:
    """An error that stopped a whole request, as it leaves the process."""
    return _masked(cause)


def _masked(cause: BaseException) -> GraphQLFormattedError:
    if isinstance(cause, Unavailable):
        logger.warning("the log is out of reach: %s", cause)
        return {
            "message": "The settings store cannot be reached now. Try again in a moment.",
            "extensions": {"code": ErrorCode.SERVICE_UNAVAILABLE.value},
        }
    if isinstance(cause, RecursionError):
        return {
            "message": "The operation is nested too deeply to be run. Ask for less at once.",
            "extensions": {"code": ErrorCode.BAD_USER_INPUT.value},
        }
    error_id = uuid4().hex
    logger.error("accident %s", error_id, exc_info=cause, extra={"errorId": error_id})
    return {
        "message": f"Something went wrong on our side. Quote {error_id} when you report it.",
        "extensions": {"code": ErrorCode.INTERNAL_SERVER_ERROR.value, "errorId": error_id},
    }
