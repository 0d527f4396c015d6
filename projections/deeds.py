"""What can happen, each once: the type, the setting and the sentence that many changes share.

Law: a deed's number is a function of its texts, so nobody needs to be asked for it.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from eventstore.database import Database, columns
from projections.statements import SQL

type Deed = tuple[str, str, str]
"""Its type, its setting, its sentence."""


def number(deed: Deed) -> int:
    """Eight bytes of a hash; two deeds of one number would be found by `verify`."""
    return int.from_bytes(sha256("\0".join(deed).encode()).digest()[:8], signed=True)


async def keep(database: Database, deeds: Iterable[Deed]) -> Mapping[Deed, int]:
    """Add those that are not there, at once and whatever becomes of who asks. Their numbers.

    In no transaction of the caller's: two that add the same deed would wait for each other.
    """
    numbers = {deed: number(deed) for deed in deeds}
    rows = [(each, *deed) for deed, each in numbers.items()]
    await database.fetch(SQL["keep_deeds"], *columns(rows, 4))
    return numbers
