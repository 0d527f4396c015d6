"""Listens to everything that the service logs while it is tested, and remembers what it must not.

What is struck out on the way to a log is looked at before that, so that nothing relies on it.
"""

import logging
import re
from typing import NamedTuple

OURS = ("api", "app", "domain", "eventstore", "projections")
SERVERS = ("uvicorn", "starlette", "asyncio", "asyncpg")
SECRET = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a token
    r"|bearer\s+[^\s\"']+"
    r"|authorization\W+\w+"
    r"|://[^\s:/@]+:[^\s@/]+@"  # a password in an address
    r"|password\W*=\W*\w+",
    re.IGNORECASE,
)


class Slip(NamedTuple):
    logger: str
    secret: str


class Ear(logging.Handler):
    """Of every line of the service and its server, from DEBUG up."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.slips: list[Slip] = []
        self.heard = 0

    def listen(self) -> None:
        """At each logger itself: who sets logging up anew takes all handlers of the root away."""
        for name in (*OURS, *SERVERS):
            logging.getLogger(name).addHandler(self)
        for name in OURS:
            logging.getLogger(name).setLevel(logging.DEBUG)
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # as the service does

    def emit(self, record: logging.LogRecord) -> None:
        self.heard += 1
        found = SECRET.search(f"{self.format(record)} {vars(record)}")
        if found:
            self.slips.append(Slip(record.name, found[0]))

    def take(self) -> list[Slip]:
        """What was heard since the last time."""
        slips, self.slips = self.slips, []
        return slips


EAR = Ear()
