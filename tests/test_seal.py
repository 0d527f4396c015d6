import re
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from given import ALICE, KEY
from hypothesis import given
from hypothesis import strategies as st

from eventstore.seal import GENESIS, Sealed, commitment, leaf, seal

PAGE = Path(__file__).parents[1] / "docs" / "log-format.md"
ENTRY = Sealed(
    environment=KEY,
    position=7,
    change_set=6,
    type="role_granted.v1",
    payload='{"on":true}',
    actor=ALICE,
    reason=None,
    recorded_at=datetime(2026, 3, 3, 9, 0, 0, 5, UTC),
)


def vectors() -> list[dict[str, str]]:
    """The test vectors as the page tells them: tables of a field and its value."""
    _, *sections = re.split(r"^### Vector ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [
        dict(re.findall(r"^\| ([a-z ]+?) \| `(.*)` \|$", each, re.MULTILINE)) for each in sections
    ]


def by_the_page(vector: dict[str, str]) -> tuple[str, str]:
    """Leaf and seal in hexadecimal, computed as the page's words say and by nothing else."""

    def number(value: int) -> bytes:
        return (8).to_bytes(4, "big") + value.to_bytes(8, "big", signed=True)

    def text(value: bytes) -> bytes:
        return len(value).to_bytes(4, "big") + value

    instant = datetime.fromisoformat(vector["recorded at"])
    microseconds = round((instant - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    content = (
        b"\x00"
        + number(int(vector["position"]))
        + number(int(vector["change set"]))
        + number(microseconds)
        + text(bytes.fromhex(vector["actor"].replace("-", "")))
        + text(vector["environment"].encode())
        + text(vector["type"].encode())
        + text(vector["payload"].encode())
        + text(bytes.fromhex(vector["reason"]))
    )
    leaf_hash = sha256(content).digest()
    chained = sha256(b"\x01" + bytes.fromhex(vector["seal before"]) + leaf_hash)
    return leaf_hash.hex(), chained.hexdigest()


def test_the_page_has_vectors_that_follow_one_another() -> None:
    found = vectors()
    assert len(found) == 3
    before = ["00" * 32, *(each["seal"] for each in found)]
    assert [each["seal before"] for each in found] == before[:-1]


@pytest.mark.parametrize("number", range(3))
def test_the_words_of_the_page_lead_to_its_vectors(number: int) -> None:
    vector = vectors()[number]
    assert by_the_page(vector) == (vector["leaf"], vector["seal"])


@pytest.mark.parametrize("number", range(3))
def test_the_code_leads_to_the_vectors_of_the_page(number: int) -> None:
    vector = vectors()[number]
    entry = Sealed(
        environment=vector["environment"],
        position=int(vector["position"]),
        change_set=int(vector["change set"]),
        type=vector["type"],
        payload=vector["payload"],
        actor=UUID(vector["actor"]),
        reason=bytes.fromhex(vector["reason"]) or None,
        recorded_at=datetime.fromisoformat(vector["recorded at"]),
    )
    assert leaf(entry).hex() == vector["leaf"]
    assert seal(bytes.fromhex(vector["seal before"]), leaf(entry)).hex() == vector["seal"]
    if "text" in vector:
        salt = bytes.fromhex(vector["salt"])
        assert commitment(salt, vector["text"]) == entry.reason
        assert sha256(salt + vector["text"].encode()).hexdigest() == vector["reason"]


def test_a_reason_is_among_the_vectors() -> None:
    assert ["text" in vector for vector in vectors()] == [True, True, False]


@pytest.mark.parametrize(
    "other",
    [
        {"environment": "contoso-test"},
        {"position": 8},
        {"change_set": 7},
        {"type": "role_revoked.v1"},
        {"payload": '{"on":false}'},
        {"actor": UUID(int=0)},
        {"reason": bytes(32)},
        {"recorded_at": ENTRY.recorded_at + timedelta(microseconds=1)},
        {"recorded_at": ENTRY.recorded_at - timedelta(days=40_000)},
    ],
)
def test_every_field_is_sealed(other: dict[str, object]) -> None:
    assert leaf(Sealed(**{**ENTRY._asdict(), **other})) != leaf(ENTRY)


def test_a_character_cannot_move_from_one_field_to_the_next() -> None:
    moved = ENTRY._replace(type=ENTRY.type[:-1], payload=ENTRY.type[-1] + ENTRY.payload)
    assert leaf(moved) != leaf(ENTRY)


def test_the_time_zone_that_an_instant_is_told_in_does_not_matter() -> None:
    elsewhere = ENTRY.recorded_at.astimezone(timezone(timedelta(hours=-7)))
    assert leaf(ENTRY._replace(recorded_at=elsewhere)) == leaf(ENTRY)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_seal_depends_on_the_one_before_it(one: bytes, other: bytes) -> None:
    assert (seal(one, leaf(ENTRY)) == seal(other, leaf(ENTRY))) is (one == other)


def test_a_leaf_is_never_a_seal() -> None:
    assert seal(GENESIS, leaf(ENTRY)) not in {leaf(ENTRY), GENESIS}


@given(st.binary(min_size=32, max_size=32), st.text(), st.text())
def test_a_commitment_binds_its_text(salt: bytes, one: str, other: str) -> None:
    assert (commitment(salt, one) == commitment(salt, other)) is (one == other)
