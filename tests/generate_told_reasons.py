"""Writes tests/facts/told-reasons.txt: `python tests/generate_told_reasons.py`, or `make docs`.

What every case of the sync rules is told, word by word, so that a changed word is a change to read.
"""

import sys
from collections.abc import Iterable, Iterator

from deciding import USER, under
from sync_cases import CASES, FIELD_CASES

from domain.field_rules import field_decisions
from domain.mapping_table import RecordType
from domain.rule_book import Reason


def lines() -> Iterator[str]:
    for case in CASES:
        yield f"{case.cites} ({case.answers})"
        yield from _told(case.decision.reasons)
    for kind in RecordType:
        yield f"the fields of {kind}"
        for field in field_decisions(under(), kind, USER, frozen=False):
            yield from _told(field.reasons)
    for one in FIELD_CASES:
        yield f"{one.cites} ({one.mapping}: {one.direction})"
        yield from _told(one.decided.reasons)


def _told(reasons: Iterable[Reason]) -> Iterator[str]:
    for reason in reasons:
        yield f"    {reason.rule.name}: {reason.message}"


def page() -> str:
    return "".join(f"{line}\n" for line in lines())


if __name__ == "__main__":
    sys.stdout.write(page())
