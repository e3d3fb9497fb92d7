"""History: transactions that another way posted before go-live are kept, so that they are known, and not posted."""

from __future__ import annotations

from service.core.lifecycle import PaymentState, move
from service.flow.found import Found
from service.flow.stage import Stage
from service.store.payments import Payment

JsonObject = dict[str, object]
_REASON = "It is from before go-live, or was read as history: it is recorded and not posted."


def record_only(payment: Payment, each: Found, stage: Stage) -> None:
    """Lay a new payment aside if its money was taken; one that is only promised waits, and posts when it is taken."""
    if payment.gateway.get("state") != "captured":
        return
    each.error = None
    each.arrived["recorded"] = {"reason": _REASON, "event": each.event.event_id}
    payment.findings = {**payment.findings, "arrived": dict(each.arrived)}
    payment.state = str(move(PaymentState(payment.state), PaymentState.IGNORED))
    payment.lane, payment.due_at, payment.final_at = None, None, stage.clock()


def is_recorded(payment: Payment) -> bool:
    """Whether a payment was laid aside as history."""
    arrived = payment.findings.get("arrived")
    return isinstance(arrived, dict) and "recorded" in arrived
