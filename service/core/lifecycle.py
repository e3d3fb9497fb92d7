"""The states of a payment and of a posting, and the only table of legal moves.

A payment walks `received → validated → mapped → cleared → posted → confirmed → reconciled`. Beside the road
lie `held` (screening stopped it), `dead_letter` (it cannot move), `exception` (it is in the ledger, and needs
a person), `ignored` (no money moved) and `rejected` (a person refused a held payment).

A posting walks `prepared → sent → confirmed`. When an answer is lost it is `ambiguous` until the ledger was
searched for our reference: found, it is `confirmed`; proved absent, it is `prepared` again.

Events never move a payment backwards. Only a person does, by a replay, and replays have a table of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class PaymentState(StrEnum):
    """Where a payment is on its road."""

    RECEIVED = "received"
    VALIDATED = "validated"
    MAPPED = "mapped"
    HELD = "held"
    CLEARED = "cleared"
    POSTED = "posted"
    CONFIRMED = "confirmed"
    EXCEPTION = "exception"
    RECONCILED = "reconciled"
    DEAD_LETTER = "dead_letter"
    IGNORED = "ignored"
    REJECTED = "rejected"


class PostingState(StrEnum):
    """What is known about one document on its way into the ERP."""

    PREPARED = "prepared"
    PARKED = "parked"
    SENT = "sent"
    AMBIGUOUS = "ambiguous"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class IllegalMove(ValueError):
    """A move that is in no table: a defect of the caller, never a matter of data.

    Attributes:
        state, target: where the payment or posting is, and where it was to go.
    """

    def __init__(self, state: PaymentState | PostingState, target: PaymentState | PostingState) -> None:
        what = "payment" if isinstance(state, PaymentState) else "posting"
        super().__init__(f"a {what} that is {state} cannot become {target}; nothing was changed")
        self.state = state
        self.target = target


_P = PaymentState
_S = PostingState

MOVES: Mapping[PaymentState, frozenset[PaymentState]] = {
    _P.RECEIVED: frozenset({_P.VALIDATED, _P.IGNORED, _P.DEAD_LETTER}),
    _P.VALIDATED: frozenset({_P.MAPPED, _P.IGNORED, _P.DEAD_LETTER}),
    _P.MAPPED: frozenset({_P.CLEARED, _P.HELD, _P.IGNORED, _P.DEAD_LETTER}),
    # `cleared` after `held` is a release: a person let it go.
    _P.HELD: frozenset({_P.CLEARED, _P.REJECTED, _P.IGNORED}),
    # `exception` straight from `cleared`: one document is in the ledger and another was refused.
    _P.CLEARED: frozenset({_P.POSTED, _P.EXCEPTION, _P.IGNORED, _P.DEAD_LETTER}),
    _P.POSTED: frozenset({_P.CONFIRMED, _P.EXCEPTION}),
    _P.CONFIRMED: frozenset({_P.RECONCILED, _P.EXCEPTION}),
    # `confirmed` and `reconciled` after `exception`: a person accepted what was found.
    _P.EXCEPTION: frozenset({_P.CONFIRMED, _P.RECONCILED}),
    _P.RECONCILED: frozenset(),
    # The gateway says the money never moved, or was voided, while the payment waited for a person.
    _P.DEAD_LETTER: frozenset({_P.IGNORED}),
    _P.IGNORED: frozenset(),
    _P.REJECTED: frozenset(),
}
"""Every move an event or a step may make, and the two a person makes forwards: release and accept."""

REPLAYS: Mapping[PaymentState, frozenset[PaymentState]] = {
    _P.DEAD_LETTER: frozenset({_P.RECEIVED, _P.VALIDATED, _P.MAPPED, _P.CLEARED}),
    _P.HELD: frozenset({_P.RECEIVED, _P.VALIDATED, _P.MAPPED}),
    # Never before `cleared`: part of it is in the ledger, and its postings say which part.
    _P.EXCEPTION: frozenset({_P.CLEARED, _P.POSTED}),
}
"""Where a person may send a waiting payment back to; the step after that state is done anew."""

POSTING_MOVES: Mapping[PostingState, frozenset[PostingState]] = {
    # `confirmed` straight from `prepared`: our reference was already in the ledger and is adopted.
    _S.PREPARED: frozenset({_S.SENT, _S.CONFIRMED, _S.PARKED, _S.REFUSED}),
    _S.PARKED: frozenset({_S.PREPARED}),
    # `prepared` and `parked` after `sent` need a definite answer that nothing was changed.
    _S.SENT: frozenset({_S.CONFIRMED, _S.AMBIGUOUS, _S.REFUSED, _S.PREPARED, _S.PARKED}),
    _S.AMBIGUOUS: frozenset({_S.CONFIRMED, _S.PREPARED}),
    _S.CONFIRMED: frozenset(),
    _S.REFUSED: frozenset(),
}
"""Every move of a posting. An ambiguous one can be neither sent nor refused: it is looked up first."""

POSTING_REPLAYS: Mapping[PostingState, frozenset[PostingState]] = {
    _S.REFUSED: frozenset({_S.PREPARED}),
}
"""A refused posting that a person sends again, after the cause was corrected."""

_RANKS: Mapping[PaymentState, int] = {
    _P.RECEIVED: 0,
    _P.VALIDATED: 1,
    _P.MAPPED: 2,
    _P.HELD: 2,
    _P.CLEARED: 3,
    _P.DEAD_LETTER: 3,
    _P.POSTED: 4,
    _P.CONFIRMED: 5,
    _P.EXCEPTION: 5,
    _P.RECONCILED: 6,
    _P.IGNORED: 6,
    _P.REJECTED: 6,
}

IN_LEDGER: frozenset[PaymentState] = frozenset({_P.POSTED, _P.CONFIRMED, _P.EXCEPTION, _P.RECONCILED})
"""States in which at least one document of the payment is in the ERP."""

WAITING: frozenset[PaymentState] = frozenset({_P.HELD, _P.DEAD_LETTER, _P.EXCEPTION})
"""States that only a person (or, for money that never moved, the gateway) ends."""

SETTLED: frozenset[PaymentState] = frozenset(state for state, targets in MOVES.items() if not targets)
"""States that nothing leaves."""

_State = TypeVar("_State", PaymentState, PostingState)


def rank(state: PaymentState) -> int:
    """How far the money has come, 0 to 6; no event lowers it."""
    return _RANKS[state]


def targets(state: _State) -> frozenset[_State]:
    """The states that may follow `state` without a replay."""
    if isinstance(state, PaymentState):
        return MOVES[state]
    return POSTING_MOVES[state]


def can_move(state: _State, to: _State) -> bool:
    """Whether the table holds this move."""
    return to in targets(state)


def move(state: _State, to: _State) -> _State:
    """The state after a legal move.

    Raises:
        IllegalMove: the table does not hold the move; staying in place is no move either.
    """
    if not can_move(state, to):
        raise IllegalMove(state, to)
    return to


def replay_targets(state: _State) -> frozenset[_State]:
    """The states a person may send this one back to; empty when it is not waiting for a person."""
    if isinstance(state, PaymentState):
        return REPLAYS.get(state, frozenset())
    return POSTING_REPLAYS.get(state, frozenset())


def can_replay(state: _State, to: _State) -> bool:
    """Whether a person may send a payment or posting back to `to`."""
    return to in replay_targets(state)


def replay(state: _State, to: _State) -> _State:
    """The state after a person sent it back.

    Raises:
        IllegalMove: it does not wait for a person, or may not go back so far.
    """
    if not can_replay(state, to):
        raise IllegalMove(state, to)
    return to
