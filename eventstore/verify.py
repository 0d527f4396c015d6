"""Proof that a log is whole and unchanged, as far as the log itself can prove it.

Law: every leaf and seal is computed anew from the stored columns; nothing stored is believed.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from domain.standing import ChangeSet, Standing
from eventstore.codec import NotOurs
from eventstore.database import Database
from eventstore.log import SQL, Head, Log, fold
from eventstore.seal import GENESIS, Entry, commitment, leaf, seal

MOST_FINDINGS = 20
"""Told for each environment: after the first broken seal the rest follows from it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and the first place where it shows."""

    environment: str
    position: int
    message: str


@dataclass(slots=True)
class Report:
    """`standing`: the fold of what was read, None where it could not be folded."""

    environment: str
    entries: int = 0
    standing: Standing | None = None
    findings: list[Finding] = field(default_factory=list)

    def found(self, position: int, message: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(self.environment, position, message))


class _Walk:
    """One log, entry by entry."""

    def __init__(self, environment: str) -> None:
        self.report = Report(environment)
        self.last: Entry | None = None
        self.foldable = True
        self.commitments: dict[int, bytes] = {}

    @property
    def position(self) -> int:
        return 0 if self.last is None else self.last.position

    def take(self, page: list[Entry]) -> Iterator[ChangeSet]:
        """Check a page of whole change sets; gives each of them, as far as it can be folded."""
        for _, one_set in groupby(page, key=attrgetter("change_set")):
            entries = list(one_set)
            for entry in entries:
                self._check(entry)
            folded = self._fold(entries)
            if folded is not None:
                yield folded

    def _check(self, entry: Entry) -> None:
        last, found, position = self.last, self.report.found, self.position
        if entry.position != position + 1:
            found(position + 1, f"position {position} is followed by {entry.position}")
        if seal(GENESIS if last is None else last.seal, leaf(entry)) != entry.seal:
            found(entry.position, "the seal does not fit the entry and the seal before it")
        if entry.change_set != entry.position and (
            last is None or entry.change_set != last.change_set
        ):
            found(entry.position, f"change set {entry.change_set} does not begin here")
        if last is not None and entry.recorded_at < last.recorded_at:
            found(entry.position, f"recorded at {entry.recorded_at}, before the entry before it")
        if entry.reason is not None:
            self.commitments[entry.change_set] = entry.reason
        self.last = entry
        self.report.entries += 1

    def _fold(self, entries: list[Entry]) -> ChangeSet | None:
        if not self.foldable:
            return None
        try:
            folded = fold(self.report.standing, entries)
        except (NotOurs, ValueError) as error:
            self.foldable = False
            self.report.found(entries[0].position, str(error))
            return None
        self.report.standing = folded.standing
        return folded

    def end(self, head: Head | None) -> None:
        """Compare the last entry with the head."""
        last, found = self.last, self.report.found
        end = self.position
        if head is None:
            found(end, f"there are {end} entries but no head")
        elif head.position == 0:
            found(0, "the head stands at 0, where no append leaves one")
        elif head.position != end:
            found(min(end, head.position) + 1, f"the head says {head.position}, the log {end}")
        elif last is not None and head.seal != last.seal:
            found(end, "the head's seal is not the last entry's")
        elif last is not None and head.recorded_at != last.recorded_at:
            found(end, "the head's time is not the last entry's")


class Verifier:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = Log(database)

    async def environments(self) -> list[str]:
        """Every environment with a head, an entry, a remark or a request."""
        return [row["environment"] for row in await self._database.fetch(SQL["environments"])]

    async def verify(self, environment: str) -> AsyncIterator[ChangeSet | Report]:
        """Every change set, as far as it can be folded; last the report."""
        walk = _Walk(environment)
        # Remarks before entries: what they belong to is in the log by then, whoever is writing.
        remarks = await self._database.fetch(SQL["remarks"], environment)
        try:
            async for change_set in self._walk(walk):
                yield change_set
        except (OverflowError, TypeError) as error:
            walk.report.found(walk.position + 1, f"a time here or after cannot be read: {error}")
        for row in remarks:
            if walk.commitments.get(row["change_set"]) != commitment(row["salt"], row["text"]):
                message = "the reason is not the one that was sealed"
                walk.report.found(row["change_set"], message)
        astray = await self._database.fetch(SQL["requests_astray"], environment)
        for row in astray:
            message = f"the request {row['request_id']} is not answered by what is recorded here"
            walk.report.found(row["last_position"], message)
        yield walk.report

    async def _walk(self, walk: _Walk) -> AsyncIterator[ChangeSet]:
        """Read on until the head is reached, or nothing more comes; then compare the two."""
        while True:
            before = walk.position
            async for page in self._log.pages(walk.report.environment, before):
                for change_set in walk.take(page):
                    yield change_set
            head = await self._log.head(walk.report.environment)
            if head is None or head.position <= walk.position or walk.position == before:
                break
        walk.end(head)
