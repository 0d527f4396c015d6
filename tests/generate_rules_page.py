"""Writes docs/rules.md: `python -m tests.generate_rules_page`, or `make docs`."""

import sys

from domain.rule_book import RULES, Rule

HEAD = (
    "# Sync rules\n\n"
    "Written by `make docs` from `domain/rule_book.py`.\n"
    "`syncDecisions` answers by these rules, and every reason that it gives names one of them.\n"
    "They stand in the order in which they are applied: to an item, and then to each of its "
    "fields.\n\n"
    "An item goes to a side where every rule allows it; the first that forbids it ends that, and "
    "what was not known before no longer matters.\n"
    "An answer is `UNKNOWN` where it depends on what was left out, and `missingColumns` names "
    "that.\n"
    "A field is written in its direction where the item itself goes; rules only take a side away "
    "from it, but for the attachments' switch.\n\n"
    "A source is a section of the domain reference, in which the product's public pages are "
    "restated, with the row or sentence.\n"
    "How sure a rule is: *stated* by such a page; *inferred* from what they state; *the sources "
    "disagree*, and one reading is followed; or *ours, where the sources are silent*.\n\n"
    "| rule | what it says | what it looks at | source | how sure |\n"
    "|---|---|---|---|---|\n"
)
READINGS = (
    "\n## Where the sources disagree\n\n"
    "Every reason by one of these rules says so, too.\n\n"
    "| rule | which reading is followed |\n"
    "|---|---|\n"
)
REST = (
    "\n## What is not decided here\n\n"
    "- Whether a mailbox is synchronized at all: that it is approved, tested, enabled and no "
    "queue, and when its next cycle comes (4.1).\n"
    "- Whether an item counts as linked or tracked (4.2), and whether the user may read the record "
    "(3.2, rule 4): whoever asks says so, by `linked` and by what is asked about.\n"
    "- Deletions and cancellations, on either side, and invitations (4.3, 4.5, 4.6); so too the "
    "organization's settings that change them (1.4), such as the one by which a record that no "
    "filter chooses any longer stays in the mailbox.\n"
    "- Reminders (4.3, 4.5), whose wording in the sources is ambiguous.\n"
    "- How values are carried over: the status of an appointment, the percentage of a task (4.3, "
    "4.5), and what contacts lose when the addresses are paired anew (4.6).\n"
    "- The organization's fiscal calendar: relative dates of fiscal periods are answered for "
    "quarters from January on.\n"
    "- Hierarchies: who reports to the user, and which record is above which; a filter that asks "
    "for them answers `UNKNOWN` where only they would tell.\n"
)


def page() -> str:
    readings = (f"| `{each.name}` | {each.reading} |\n" for each in RULES.values() if each.reading)
    return "".join([HEAD, *map(_row, RULES.values()), READINGS, *readings, REST])


def _row(rule: Rule) -> str:
    inputs = ", ".join(rule.inputs)
    cells = (f"`{rule.name}`", rule.says, inputs, rule.source, rule.confidence)
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
