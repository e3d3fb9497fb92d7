"""Screen: would a careful clerk let this through? Cleared, or held with reasons until a person decides.

The holder of the pair's screening lane owns what is remembered of each customer. The memory is rebuilt from the
event log when the lane is taken over, and an event enters the log in the transaction that writes the decision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.party import PostalAddress
from integration.canonical.payment import GatewayTransaction
from service import resources
from service.core.lifecycle import PaymentState
from service.core.screening import Held, Rules, decide, load_rules
from service.core.screening_memory import WINDOW, Candidate, Memory, ScreeningEvent
from service.flow.disputed_payment import paid_back_twice
from service.flow.facts import order_of, transaction_of
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.store import features
from service.store.payments import Payment

# What went back at Opayo, or at the bank, is held only when it goes back twice: the money has gone.
_MONEY_OUT = frozenset({"refund", "chargeback"})


async def screen(trips: Sequence[Trip], stage: Stage) -> None:
    """Decide about each payment, in the order in which they were made."""
    if not stage.remembered:
        await _rebuild(stage)
    rules = _rules()
    money_in = [trip for trip in trips if trip.payment.kind not in _MONEY_OUT]
    for trip in trips:
        if trip.payment.kind in _MONEY_OUT:
            _decided(trip, await paid_back_twice(trip.payment, stage), stage)
    candidates = [(_candidate(trip.payment), trip) for trip in money_in]
    candidates.sort(key=lambda pair: (pair[0].event.at, pair[0].event.event_id))
    for candidate, trip in candidates:
        decision = decide(stage.memory.facts_for(candidate), rules)
        stage.memory.observe(candidate.event)
        trip.screened = candidate.event
        if isinstance(decision, Held):
            reasons = [reason.sentence for reason in decision.reasons]
            trip.find("screen", {"rules": [reason.rule for reason in decision.reasons], "reasons": reasons})
            trip.alert("screening.held", f"Payment {trip.payment.vendor_tx_code} is held: {reasons[0]}")
            trip.ended(PaymentState.HELD, stage.clock(), reasons=reasons)
        else:
            trip.passed(PaymentState.CLEARED)


def _decided(trip: Trip, reasons: list[str], stage: Stage) -> None:
    if not reasons:
        trip.passed(PaymentState.CLEARED)
        return
    trip.find("screen", {"rules": ["paid-back-twice"], "reasons": reasons})
    trip.alert("screening.held", f"{trip.payment.vendor_tx_code} is held: {reasons[0]}", severity="critical")
    trip.ended(PaymentState.HELD, stage.clock(), reasons=reasons)


@cache
def _rules() -> Rules:
    return load_rules(resources.text("templates/screening_rules.yaml"))


async def _rebuild(stage: Stage) -> None:
    async with stage.reads.connect() as connection:
        events = await features.since(connection, stage.lane.pair, stage.clock() - WINDOW)
    stage.memory = Memory()
    for event in events:
        stage.memory.observe(event)
    stage.remembered = True


async def remember(connection: AsyncConnection, trips: Sequence[Trip], stage: Stage) -> None:
    """Put the screened payments of a batch into the event log, with the decisions about them."""
    events = [trip.screened for trip in trips if trip.screened is not None]
    await features.record(connection, stage.lane.pair, events)
    for trip in trips:
        trip.screened = None


def _candidate(payment: Payment) -> Candidate:
    transaction, order = transaction_of(payment), order_of(payment)
    checks = transaction.checks
    return Candidate(
        event=_event(payment),
        avs_result=checks.address or checks.postcode,
        cv2_result=checks.security_code,
        three_d_secure=checks.three_d_secure,
        fraud_action=checks.fraud_action,
        shipping_differs=order is not None and _place(order.shipping) != _place(order.billing),
    )


def _event(payment: Payment) -> ScreeningEvent:
    transaction = transaction_of(payment)
    return ScreeningEvent(
        at=transaction.created_at or payment.created_at,
        event_id=payment.transaction_id,
        customer=_customer(payment, transaction),
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        card=f"{transaction.card.scheme} {transaction.card.last_four}".strip(),
    )


def _customer(payment: Payment, transaction: GatewayTransaction) -> str:
    """A key of the person who pays, which is no name and no address: the log is kept long."""
    order = order_of(payment)
    who = (order.customer.email if order else "") or transaction.customer_email or payment.customer
    return hashlib.sha256(f"{payment.pair}|{who.strip().casefold()}".encode()).hexdigest()[:32]


def _place(address: PostalAddress) -> tuple[str, str]:
    return address.postcode.replace(" ", "").casefold(), " ".join(address.lines).casefold()
