"""A message about a payment we have: often nothing is new, sometimes it is captured now, or its money has gone back."""

from __future__ import annotations

import msgspec

from integration.canonical.money import Money
from service.core.lifecycle import IN_LEDGER, PaymentState, can_move, move
from service.core.own_messages import REVERSAL, reversal_of
from service.flow.facts import notice_of, transaction_of
from service.flow.found import Changes, Found
from service.flow.recorded import is_recorded
from service.flow.stage import Stage
from service.store.alerts import Alert
from service.store.audit import Line
from service.store.inbox import Delivery
from service.store.payments import Payment

# Money may still come of these; the payment rests at its start until Opayo says more.
_WAITING = frozenset({"pending", "held", "authenticated", "unknown"})


def read_into(payment: Payment, each: Found, stage: Stage) -> None:
    """Put what was read on the payment, and on its way if there is money to post."""
    transaction = each.transaction
    assert transaction is not None
    payment.gateway = msgspec.to_builtins(transaction)
    if each.order is not None:
        payment.order = msgspec.to_builtins(each.order)
        payment.order_reference = each.order.reference
        payment.customer = each.order.customer.reference.replace("\0", "")
    plan = each.arrived.get("subscription")
    if isinstance(plan, dict):
        payment.customer = str(plan["customer"])
    if (notice := notice_of(payment)) is not None and notice.step is not None:
        payment.customer = notice.step.customer
    payment.customer = payment.customer or stage.pair.defaults.get("customer", "")
    if transaction.state == "captured":
        payment.lane, payment.due_at, payment.final_at = stage.lane.lane, stage.clock(), None
    elif transaction.state not in _WAITING:
        payment.state = str(move(PaymentState(payment.state), PaymentState.IGNORED))
        payment.lane, payment.due_at, payment.final_at = None, None, stage.clock()


def changed(payment: Payment, each: Found, stage: Stage, changes: Changes) -> None:
    """A message about a payment we have: often nothing is new, sometimes the money has gone back."""
    transaction, state = each.transaction, PaymentState(payment.state)
    assert transaction is not None
    before = str(payment.gateway.get("state", ""))
    if before == transaction.state:
        return
    changes.changed.append(payment)
    line = Line(
        pair=payment.pair,
        payment_id=payment.payment_id or None,
        action="payment.changed_at_gateway",
        detail={"transaction_id": payment.transaction_id, "from": before, "to": transaction.state},
    )
    changes.lines.append(line)
    if state == PaymentState.RECEIVED and payment.lane is None:
        payment.amount_minor = transaction.amount.minor
        read_into(payment, each, stage)
        return
    payment.gateway = msgspec.to_builtins(transaction)
    if transaction.state == "captured" or transaction.state in _WAITING:
        return
    gathered = "lead" in msgspec.convert(payment.findings.get("aggregate", {}), dict[str, object])
    posting_may_run = gathered or any(
        posting.state in ("sent", "ambiguous", "confirmed") for posting in payment.postings
    )
    if state not in IN_LEDGER and not posting_may_run and can_move(state, PaymentState.IGNORED):
        payment.state = PaymentState.IGNORED.value
        payment.lane, payment.due_at, payment.final_at = None, None, stage.clock()
        return
    if state == PaymentState.IGNORED and not is_recorded(payment):
        return
    if state != PaymentState.IGNORED and _is_reversed(payment, stage):
        _reverse(payment, changes)
        return
    title = f"Opayo says {payment.vendor_tx_code} is {transaction.state}, and its money is in SYSPRO"
    changes.alerts.append(
        Alert(
            pair=payment.pair,
            code="opayo.money-went-back",
            subject=f"payment {payment.vendor_tx_code}",
            title=title,
            severity="critical",
        )
    )


def _is_reversed(payment: Payment, stage: Stage) -> bool:
    voided = payment.gateway.get("state") == "voided" and payment.kind not in ("refund", "chargeback")
    return voided and stage.pair.refunds.on_void == "reverse"


def _reverse(payment: Payment, changes: Changes) -> None:
    """Take a voided payment out of the ledger again: a refund of all of it, told by ourselves to our inbox."""
    posted = Money(payment.amount_minor, payment.currency)
    reversal = reversal_of(msgspec.structs.replace(transaction_of(payment), amount=posted))
    changes.messages.append(
        Delivery(
            pair=payment.pair,
            source="road",
            event_id=f"reversal/{payment.transaction_id}",
            kind=REVERSAL,
            transaction_id=reversal.transaction_id,
            vendor_tx_code=reversal.vendor_tx_code,
            body=msgspec.json.encode(reversal),
        )
    )
    changes.lines.append(
        Line(
            pair=payment.pair,
            payment_id=payment.payment_id or None,
            action="payment.reversal_begun",
            detail={"transaction_id": payment.transaction_id, "reversal": reversal.vendor_tx_code},
        )
    )
