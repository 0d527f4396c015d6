from datetime import timedelta
from uuid import uuid4

import pytest
from given import ADMINISTRATOR, BEGUN, KEY, NOBODY, PLATFORM, REGISTER, START
from hypothesis import given
from hypothesis import strategies as st
from strategies import asks

from domain.actor import Actor
from domain.environment import Command
from domain.plan import Ask, Planned, Refused, plan
from domain.switches import SwitchAppointmentAttachments, SwitchAssignedTasks
from eventstore.log import Tip, fold
from eventstore.seal import GENESIS, Sealed, commitment, leaf, seal
from eventstore.transact import Applied, Draft, Outcome, Request, RequestIdReused

ON, OFF = SwitchAppointmentAttachments(on=True), SwitchAppointmentAttachments(on=False)


def request(*commands: Command, actor: Actor = ADMINISTRATOR, **more: object) -> Request:
    asked = Ask(environment=KEY, commands=commands, actor=actor)
    return Request(ask=asked, **more)  # type: ignore[arg-type]


def drafted(*requests: Request) -> tuple[Draft, list[Outcome]]:
    """A registration, and these requests on top of it."""
    draft = Draft(KEY, Tip(), Tip())
    draft.add(request(REGISTER, actor=PLATFORM), START)
    return draft, [draft.add(each, START) for each in requests]


@pytest.mark.parametrize("reason", ["", "x" * 2001, "a\0b", "\ud800"])
def test_a_reason_that_cannot_be_stored_is_refused_at_once(reason: str) -> None:
    with pytest.raises(ValueError, match="A reason"):
        request(ON, reason=reason)


def test_each_request_is_decided_on_what_the_one_before_left() -> None:
    draft, (on, again, off) = drafted(request(ON), request(ON), request(OFF, ON))

    assert isinstance(on, Applied)
    assert isinstance(again, Applied)
    assert isinstance(off, Applied)
    assert on.change_set is not None
    assert again.change_set is None
    assert off.standing.position == draft.tip.position == BEGUN + 3
    change_sets = [entry.change_set for entry in draft.entries]
    assert change_sets[:BEGUN] == [1] * BEGUN
    assert change_sets[BEGUN:] == [BEGUN + 1, BEGUN + 2, BEGUN + 2]


def test_a_refusal_leaves_no_trace() -> None:
    draft, (refused,) = drafted(request(ON, actor=NOBODY, request_id=uuid4(), reason="why"))

    assert isinstance(refused, Refused)
    assert draft.tip.position == BEGUN
    assert (draft.remarks, draft.requests) == ([], {})


def test_every_entry_is_sealed_over_the_one_before_it() -> None:
    draft, _ = drafted(request(ON, OFF), request(SwitchAssignedTasks(on=True)))

    before = GENESIS
    for entry in draft.entries:
        assert entry.seal == seal(before, leaf(Sealed(*entry[:8])))
        before = entry.seal
    assert draft.tip.seal == before


def test_a_reason_is_committed_to_in_every_entry_of_its_change_set_with_a_salt_of_its_own() -> None:
    draft, _ = drafted(request(ON, OFF, reason="why"), request(ON, reason="why"))

    first, second = draft.remarks
    assert first.salt != second.salt
    reasons = [entry.reason for entry in draft.entries]
    assert reasons[:BEGUN] == [None] * BEGUN
    assert reasons[BEGUN:] == [
        commitment(first.salt, "why"),
        commitment(first.salt, "why"),
        commitment(second.salt, "why"),
    ]
    assert [remark.change_set for remark in draft.remarks] == [BEGUN + 1, BEGUN + 3]


def test_one_request_id_is_one_request() -> None:
    request_id = uuid4()
    draft, (first, again, other) = drafted(
        request(ON, request_id=request_id),
        request(ON, request_id=request_id),
        request(OFF, request_id=request_id),
    )

    assert isinstance(first, Applied)
    assert again == Applied(change_set=first.change_set, standing=first.standing, replayed=True)
    assert other == RequestIdReused(request_id=request_id)
    assert draft.tip.position == BEGUN + 1


@given(st.lists(asks(), max_size=8))
def test_a_draft_is_what_plan_says_and_folds_to_its_tip(requests: list[Ask]) -> None:
    draft = Draft(KEY, Tip(), Tip())
    for minute, each in enumerate(requests):
        at = START + timedelta(minutes=minute)
        expected = plan(draft.tip.standing, each, at)
        outcome = draft.add(Request(ask=each), at)
        if isinstance(expected, Planned):
            assert isinstance(outcome, Applied)
            assert outcome.standing == expected.standing
            changes = () if outcome.change_set is None else outcome.change_set.changes
            assert changes == expected.changes
        else:
            assert outcome == expected

    standing = None
    for change_set, _ in draft.change_sets:
        one_set = [
            e for e in draft.entries if e.change_set == change_set.changes[0].recorded.position
        ]
        folded = fold(standing, one_set)
        assert folded == change_set
        standing = folded.standing
    assert draft.tip.standing == standing
