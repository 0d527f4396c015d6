"""What the schema shows of what follows from a change: warnings, and what starts or stops.

Law: the words are the domain's; nothing is worded here.
"""

from typing import Self

import strawberry

from api.enums import RecordType, WarningCode
from domain.warning import Warning as Consequence


@strawberry.type(description="A consequence worth knowing. Those that must be acknowledged say so.")
class Warning:  # noqa: A001 -- the glossary's word
    code: WarningCode = strawberry.field(description="Which consequence.")
    message: str = strawberry.field(description="The consequence in words.")
    setting: str | None = strawberry.field(description="The key of the setting it is about.")
    must_be_acknowledged: bool = strawberry.field(
        description="Whether applying is refused until the code is acknowledged."
    )

    @classmethod
    def of(cls, consequence: Consequence) -> Self:
        return cls(
            code=consequence.code,
            message=consequence.message,
            setting=consequence.setting,
            must_be_acknowledged=consequence.must_be_acknowledged,
        )


@strawberry.type(description="What will start or stop travelling, in words.")
class Impact:
    record_type: RecordType = strawberry.field(description="Of which records.")
    message: str = strawberry.field(description="What starts or stops.")
