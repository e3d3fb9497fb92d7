"""Validate: is the payment complete and lawful to post?"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from integration.canonical.money import Money
from service.core.lifecycle import PaymentState
from service.core.validation import PaymentFacts, as_error, leads_to
from service.core.validation import validate as broken_rules
from service.flow.facts import order_of, transaction_of
from service.flow.recovery import failed
from service.flow.stage import Stage
from service.flow.trip import Trip


async def validate(trips: Sequence[Trip], stage: Stage) -> None:
    """Hold each payment against the rules; broken ones lead to dead letters, or say that no money moved."""
    for trip in trips:
        payment = trip.payment
        findings = broken_rules(
            PaymentFacts(
                transaction=transaction_of(payment),
                order=order_of(payment),
                order_required=payment.flow == "order_to_cash",
                currencies=frozenset(stage.pair.currencies),
                recorded=Money(payment.amount_minor, payment.currency),
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
