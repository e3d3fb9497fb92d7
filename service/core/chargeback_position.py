"""Where the money of a chargeback lies, by everything that was told of it: the order of telling does not matter."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from integration.canonical.chargeback import ChargebackNotice
from service.core.chargeback_rules import RANK, ChargebackRules

State = Literal["open", "won", "lost"]


class Position(Struct, frozen=True, kw_only=True):
    """Where the disputed money lies, in minor units: nothing, in suspense, or lost.

    Attributes:
        clearing: what the clearing bank is short of, negative or zero: the other two with the opposite sign.
    """

    suspense: int = 0
    loss: int = 0
    state: State = "open"

    @property
    def taken(self) -> int:
        """What the acquirer has of ours."""
        return self.suspense + self.loss

    @property
    def clearing(self) -> int:
        """What that leaves in the clearing bank."""
        return -self.taken

    def at(self, rate: Fraction) -> Position:
        """The position in the ledger's currency; each part rounded half to even."""
        return replace(self, suspense=round(self.suspense * rate), loss=round(self.loss * rate))


def in_order(told: Sequence[ChargebackNotice]) -> list[ChargebackNotice]:
    """Notices as the acquirer made them: by day, and on one day in the order of the stages."""
    return sorted(told, key=lambda notice: (notice.received_on, RANK[notice.stage]))


def position(told: Sequence[ChargebackNotice], rules: ChargebackRules) -> Position:
    """Where the money of a case lies, by everything told so far. The order in which it was told does not matter."""
    now, returned = Position(), 0
    for notice in in_order(told):
        now, returned = _after(now, returned, notice, rules)
    return now


def _after(
    before: Position, returned: int, notice: ChargebackNotice, rules: ChargebackRules
) -> tuple[Position, int]:
    """The position after a notice, and what of the money came back since it was last taken."""
    rule, held, amount = rules.rule(notice), before.taken, notice.amount.minor
    state: State = rule.ends or "open"
    if state == "won":
        # What does not come back of a case that is won is lost all the same.
        return Position(loss=max(0, held - amount), state=state), 0
    if rule.money == "returned":
        back = min(held, amount)
        return Position(suspense=held - back, state=state), returned + back
    if rule.money == "unchanged" and state == "open":
        return Position(suspense=held, state=state), returned
    # A notice that comes after the money did takes that much again; otherwise it restates what is disputed.
    taken = held + min(amount, returned) if returned else max(held, amount)
    lost = state == "lost"
    return Position(suspense=0 if lost else taken, loss=taken if lost else 0, state=state), 0
