"""Writes tests/facts/told-reasons.txt: `python tests/generate_told_reasons.py`, or `make told`.

What the sync rules tell, word by word: each sentence once, under the first case that it is told of.
"""

import sys
from collections.abc import Iterable, Iterator

from deciding import USER, under
from sync_cases import CASES, FIELD_CASES

from domain.field_rules import field_decisions
from domain.mapping_table import RecordType
from domain.rule_book import Reason


def told() -> Iterator[tuple[str, Iterable[Reason]]]:
    for case in CASES:
        yield f"{case.cites} ({case.answers})", case.decision.reasons
    for kind in RecordType:
        for field in field_decisions(under(), kind, USER, frozen=False):
            yield f"the fields of {kind}", field.reasons
    for one in FIELD_CASES:
        yield f"{one.cites} ({one.mapping}: {one.direction})", one.decided.reasons


def lines() -> Iterator[str]:
    last, before = "", set[str]()
    for case, reasons in told():
        for reason in reasons:
            line = f"    {reason.rule.name}: {reason.message}"
            if line not in before:
                yield from (case,) if case != last else ()
                yield line
                last = case
                before.add(line)


def page() -> str:
    return "".join(f"{line}\n" for line in lines())


if __name__ == "__main__":
    sys.stdout.write(page())
