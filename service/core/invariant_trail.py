"""A payment's moves as its audit trail tells them, checked against the tables of the lifecycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from service.core.lifecycle import MOVES, REPLAYS, PaymentState, can_move

_HAND = {"payment.released": PaymentState.CLEARED, "payment.rejected": PaymentState.REJECTED}
_NAMES = frozenset(str(state) for state in PaymentState)
# The gateway may say that no money moved, and a message may be refused at the door: neither writes a line of a state.
_SILENT = frozenset({PaymentState.IGNORED, PaymentState.DEAD_LETTER})


def road_lines(lines: Sequence[tuple[str, Mapping[str, object]]]) -> list[PaymentState | None]:
    """The states that the lines of one payment name, in order; `None` where a person or a repair sent it round again."""
    steps: list[PaymentState | None] = []
    for action, _ in lines:
        name = action.removeprefix("payment.")
        if action in ("payment.replayed", "payment.repaired"):
            steps.append(None)
        elif action in _HAND:
            steps.append(_HAND[action])
        elif name != action and name in _NAMES:
            steps.append(PaymentState(name))
    return steps


def wrong_turns(steps: Sequence[PaymentState | None], now: PaymentState) -> Iterator[str]:
    """Each move that no table holds, and an end that the trail does not explain.

    Args:
        steps: as `road_lines` gives them.
        now: the state in which the payment's row is.
    """
    state = PaymentState.RECEIVED
    replayed = False
    for step in steps:
        if step is None:
            replayed = True
            continue
        if not _lawful(state, step, replayed=replayed):
            yield f"it moved from {state} to {step}"
        state, replayed = step, False
    if state != now and not (now in _SILENT and can_move(state, now)) and not replayed:
        yield f"its trail ends at {state}, and it is {now}"


def _lawful(state: PaymentState, step: PaymentState, *, replayed: bool) -> bool:
    if step == state and (not replayed or state in (PaymentState.RECEIVED, PaymentState.CLEARED)):
        # The first line of a payment tells that it was received; a release leaves it where the road finds it.
        return state in (PaymentState.RECEIVED, PaymentState.CLEARED)
    begins = REPLAYS.get(state, frozenset()) if replayed else frozenset({state})
    return any(step == begin or step in MOVES[begin] for begin in begins) or (
        replayed and step in MOVES[PaymentState.RECEIVED]
    )
