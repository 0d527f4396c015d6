"""What stops a request over HTTP, as it is told: errors, a status, headers.

Law: every way to fail has its row here; what has none is an accident.
"""

from collections.abc import Mapping
from typing import NamedTuple

from graphql import GraphQLFormattedError

from api.errors import ErrorCode, Problem, accident, first_code, keys_unavailable, told
from api.identity import KeysUnavailable, NotAuthenticated
from api.limits import TooLarge
from api.media import NotAcceptable
from api.presence import TooManyStreams
from api.rates import RateLimited
from api.rejected import Malformed, Rejected

OURS = {ErrorCode.INTERNAL_SERVER_ERROR.value: 500, ErrorCode.SERVICE_UNAVAILABLE.value: 503}
"""The status where nothing was run through no fault of the client's."""


class Stopped(NamedTuple):
    errors: list[GraphQLFormattedError]
    status: int
    headers: Mapping[str, str]

    @classmethod
    def because(
        cls, code: ErrorCode, why: object, status: int, headers: Mapping[str, str] | None = None
    ) -> "Stopped":
        return cls(told([Problem(code, str(why))]), status, headers or {})


def stopped(error: Exception, refused: int) -> Stopped:
    """How a failure is told. `refused`: the status of a good request that is not run."""
    match error:
        case Malformed():
            return Stopped(error.errors, 400, {})
        case Rejected():
            return Stopped(error.errors, refused, {})
        case NotAuthenticated():
            headers = {"WWW-Authenticate": "Bearer"}
            return Stopped.because(ErrorCode.UNAUTHENTICATED, error, 401, headers)
        case KeysUnavailable():
            return Stopped(told([keys_unavailable(error)]), 503, {})
        case NotAcceptable():
            return Stopped.because(ErrorCode.BAD_REQUEST, error, 406)
        case TooLarge():
            return Stopped.because(ErrorCode.BAD_REQUEST, error, 413)
        case TooManyStreams():
            return Stopped.because(ErrorCode.RATE_LIMITED, error, 429)
        case RateLimited():
            return Stopped(told([error.problem]), 429, error.headers)
        case Problem():
            return Stopped(told([error]), refused, {})
        case _:
            masked = accident(error)
            return Stopped([masked], OURS.get(first_code([masked]), 400), {})
