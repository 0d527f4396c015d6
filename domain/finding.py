"""What one rule finds about an item, and what several come to.

Law: all must allow. One that forbids ends it, and what was not known before it no longer matters.
"""

from collections.abc import Sequence
from typing import NamedTuple

from domain.filters.records import Verdict
from domain.rule_book import Reason


class Finding(NamedTuple):
    """`missing`: what would tell, where the verdict is not known."""

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    missing: tuple[str, ...] = ()


MOST_TOLD = 5
NO_SAY = Finding(verdict=True)
"""Of a rule that is not about such an item."""


def all_of(*findings: Finding) -> Finding:
    """Of rules in the order in which they are applied."""
    allowed: list[Finding] = []
    for finding in findings:
        if finding.verdict is False:
            known = [reason for each in allowed if each.verdict for reason in each.reasons]
            return Finding(False, (*known, *finding.reasons))
        allowed.append(finding)
    unknown = any(each.verdict is None for each in allowed)
    return Finding(
        None if unknown else True,
        tuple(reason for each in allowed for reason in each.reasons),
        tuple(name for each in allowed for name in each.missing),
    )


def listed(names: Sequence[str]) -> str:
    """Some names in a sentence: the first few, and how many more."""
    more = len(names) - MOST_TOLD
    return ", ".join(names[:MOST_TOLD]) + (f" and {more} more" if more > 0 else "")
