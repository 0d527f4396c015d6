"""How the process tells what happens to it: lines on standard error.

Law: no token, no name and no reason of a person is ever logged.
"""

import logging


def begin(level: str) -> None:
    """Send all logs to standard error, from this level up."""
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.getLevelName(level)))
