"""What is told, word by word. Made by `make told`; what differs is to be read before it is kept."""

from pathlib import Path

import generate_told_problems
import generate_told_reasons

FOLDER = Path(__file__).with_name("facts")


def kept(name: str) -> list[str]:
    return (FOLDER / name).read_text(encoding="utf-8").splitlines()


def test_every_case_of_the_sync_rules_is_told_in_these_words() -> None:
    assert generate_told_reasons.page().splitlines() == kept("told-reasons.txt")


def test_everything_wrong_with_criteria_is_told_in_these_words() -> None:
    assert generate_told_problems.page().splitlines() == kept("told-problems.txt")
