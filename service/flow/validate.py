"""Validate: is the payment complete and lawful to post?"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from integration.canonical.money import Money
from integration.errors import Unreachable
from service.core.flows import ORDER_FLOWS
from service.core.lifecycle import PaymentState
from service.core.validation import PaymentFacts, as_error, leads_to
from service.core.validation import validate as broken_rules
from service.flow.facts import order_of, transaction_of
from service.flow.recovery import failed
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.store import payments, refunds
from service.store.payments import Payment


async def validate(trips: Sequence[Trip], stage: Stage) -> None:
    """Hold each payment against the rules; broken ones lead to dead letters, or say that no money moved."""
    originals = await _originals(trips, stage)
    for trip in trips:
        payment = trip.payment
        original = originals.get(payment.payment_id)
        if payment.kind == "refund" and original is None and _is_young(payment, stage):
            title = f"The payment that {payment.vendor_tx_code} gives back has not arrived yet"
            failed(trip, Unreachable(title, code="refund.payment-not-there-yet"), stage)
            continue
        findings = broken_rules(
            PaymentFacts(
                transaction=transaction_of(payment),
                order=order_of(payment),
                order_required=payment.flow in ORDER_FLOWS,
                currencies=frozenset(stage.pair.currencies),
                recorded=Money(payment.amount_minor, payment.currency),
                original=original[0] if original else None,
                refunded=original[1] if original else None,
            )
        )
        match leads_to(findings):
            case "valid":
                trip.passed(PaymentState.VALIDATED)
            case "ignored":
                trip.ended(PaymentState.IGNORED, stage.clock(), reason=findings[0].message)
            case "dead_letter":
                trip.find("validate", {"findings": msgspec.to_builtins(findings)})
                failed(trip, as_error(findings), stage)


async def _originals(trips: Sequence[Trip], stage: Stage) -> dict[int, tuple[Money, Money]]:
    """For each refund what its payment took, and what earlier refunds gave back of that."""
    wanted = [trip.payment for trip in trips if trip.payment.kind == "refund"]
    found: dict[int, tuple[Money, Money]] = {}
    if not wanted:
        return found
    async with stage.reads.connect() as connection:
        for refund in wanted:
            related = refund.related_transaction_id
            row = await payments.of_transaction(connection, refund.pair, related) if related else None
            if row is not None:
                before = await refunds.refunded_before(connection, refund)
                taken = Money(row.amount_minor, row.currency)
                found[refund.payment_id] = taken, Money(before, row.currency)
    return found


def _is_young(payment: Payment, stage: Stage) -> bool:
    """Whether what it is about may still arrive: messages overtake each other."""
    waited = (stage.clock() - payment.created_at).total_seconds() * stage.pace / 60
    return waited < stage.pair.order_wait_minutes
