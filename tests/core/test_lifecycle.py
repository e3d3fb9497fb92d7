"""The lifecycle: what may follow what, and that no event moves a payment backwards."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.lifecycle import (
    IN_LEDGER,
    MOVES,
    POSTING_MOVES,
    POSTING_REPLAYS,
    REPLAYS,
    SETTLED,
    WAITING,
    IllegalMove,
    PaymentState,
    PostingState,
    can_move,
    can_replay,
    move,
    rank,
    replay,
    replay_targets,
)


def test_a_payment_walks_the_road_to_its_end() -> None:
    road = ["received", "validated", "mapped", "cleared", "posted", "confirmed", "reconciled"]

    state = PaymentState.RECEIVED
    for target in road[1:]:
        state = move(state, PaymentState(target))

    assert state == "reconciled"
    assert state in SETTLED


def test_a_held_payment_is_released_or_rejected_by_a_person() -> None:
    assert move(PaymentState.HELD, PaymentState.CLEARED) == "cleared"
    assert move(PaymentState.HELD, PaymentState.REJECTED) == "rejected"
    assert not can_move(PaymentState.REJECTED, PaymentState.CLEARED)


def test_nothing_is_posted_that_was_not_cleared() -> None:
    assert [state for state in PaymentState if can_move(state, PaymentState.POSTED)] == [PaymentState.CLEARED]


def test_every_state_has_its_row_in_the_table() -> None:
    assert set(MOVES) == set(PaymentState)
    assert set(POSTING_MOVES) == set(PostingState)


def test_what_waits_for_a_person_can_be_replayed_and_nothing_else_can() -> None:
    assert set(REPLAYS) == WAITING
    assert [state for state in PostingState if replay_targets(state)] == [PostingState.REFUSED]


@given(st.lists(st.sampled_from(list(PaymentState)), max_size=40))
def test_no_sequence_of_events_moves_a_payment_backwards(events: list[PaymentState]) -> None:
    state = PaymentState.RECEIVED
    for event in events:
        before = state
        try:
            state = move(state, event)
        except IllegalMove:
            assert state is before
        assert rank(state) >= rank(before)
        assert not (before in IN_LEDGER and state not in IN_LEDGER)


@given(st.sampled_from(list(PaymentState)), st.sampled_from(list(PaymentState)))
def test_a_replay_goes_back_and_never_forgets_that_something_is_in_the_ledger(
    state: PaymentState, target: PaymentState
) -> None:
    if not can_replay(state, target):
        with pytest.raises(IllegalMove):
            replay(state, target)
        return

    assert rank(replay(state, target)) <= rank(state)
    assert not can_move(state, target) or state in WAITING
    if state in IN_LEDGER:
        assert rank(target) >= rank(PaymentState.CLEARED)


def test_staying_in_place_is_no_move() -> None:
    for state in PaymentState:
        with pytest.raises(IllegalMove, match=f"a payment that is {state} cannot become {state}"):
            move(state, state)


def test_an_illegal_move_of_a_posting_says_that_it_is_a_posting() -> None:
    with pytest.raises(IllegalMove, match="a posting that is confirmed cannot become sent") as caught:
        move(PostingState.CONFIRMED, PostingState.SENT)

    assert (caught.value.state, caught.value.target) == ("confirmed", "sent")


def test_an_ambiguous_posting_is_never_sent_again_without_proof() -> None:
    assert POSTING_MOVES[PostingState.AMBIGUOUS] == {PostingState.CONFIRMED, PostingState.PREPARED}


def test_a_confirmed_posting_is_final_and_a_refused_one_returns_only_by_a_person() -> None:
    assert not POSTING_MOVES[PostingState.CONFIRMED]
    assert not POSTING_MOVES[PostingState.REFUSED]
    assert replay(PostingState.REFUSED, PostingState.PREPARED) == "prepared"


@pytest.mark.parametrize("state", [PostingState.PREPARED, PostingState.SENT])
def test_a_posting_may_be_parked_and_comes_back_to_be_sent_anew(state: PostingState) -> None:
    assert move(move(state, PostingState.PARKED), PostingState.PREPARED) == "prepared"


def _reached(start: PaymentState, tables: list[Mapping[PaymentState, frozenset[PaymentState]]]) -> set[str]:
    seen = {start}
    queue = [start]
    while queue:
        state = queue.pop()
        for table in tables:
            fresh = table.get(state, frozenset()) - seen
            seen |= fresh
            queue.extend(fresh)
    return set(seen)


def test_every_state_can_be_reached_and_every_unsettled_one_left() -> None:
    assert _reached(PaymentState.RECEIVED, [MOVES]) == set(PaymentState)
    for state in PaymentState:
        assert state in SETTLED or _reached(state, [MOVES, REPLAYS]) & SETTLED


def test_replays_and_moves_name_only_postings_that_exist() -> None:
    named = {
        state for table in (POSTING_MOVES, POSTING_REPLAYS) for targets in table.values() for state in targets
    }
    assert named <= set(PostingState)
