"""How often Python looks for garbage that counting references does not find.

Law: a collection stops every answer, so it is short, or seldom, and never looks at what stays.
"""

import gc

COLLECTED, OF_A_STREAM = 10_000, 8
"""New objects that make the collector look: five times as many in cycles take it 100 ms at once.

More where many follow: what is under way to thousands is no garbage, and is looked at in vain.
"""


def spare_what_is_there() -> None:
    """What was made until now stays until the end, and is not looked at again."""
    gc.collect()
    gc.freeze()


def adjust(streams: int) -> None:
    """Look as often as so many open streams allow."""
    gc.set_threshold(COLLECTED + OF_A_STREAM * streams, 10, 10)
