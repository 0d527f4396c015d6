"""A request that is not run, and why.

Law: its errors are ready to be sent, each with a code.
"""

from graphql import GraphQLFormattedError

from api.errors import ErrorCode, Problem, told


class Rejected(Exception):
    """It is understood, and refused."""

    def __init__(self, errors: list[GraphQLFormattedError]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors

    @classmethod
    def because(cls, code: ErrorCode, message: str) -> "Rejected":
        return cls(told([Problem(code, message)]))


class Malformed(Rejected):
    """What came is no GraphQL request at all."""
