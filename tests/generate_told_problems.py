"""Writes tests/facts/told-problems.txt: `python tests/generate_told_problems.py`, or `make told`.

What is told of every kind of wrong criteria, word by word, as tests/generate_told_reasons.py does.
"""

import sys
from collections.abc import Iterator

from test_fetchxml import MALFORMED, problems
from test_filter_checking import WRONG, of, told


def lines() -> Iterator[str]:
    for name, (condition, *_) in WRONG.items():
        table = "task" if condition.column == "percentcomplete" else "contact"
        yield f"a condition: {name}"
        yield from (f"    {path}: {message}" for path, message in told(of(condition, table=table)))
    for name, (text, *_) in MALFORMED.items():
        yield f"FetchXML: {name}"
        yield from (f"    {path}: {message}" for path, message in problems(text))


def page() -> str:
    return "".join(f"{line}\n" for line in lines())


if __name__ == "__main__":
    sys.stdout.write(page())
