"""Aggregate: gather payments that agree in some fields, and let one of them carry the sum into the ledger.

A payment comes here twice. First it waits: for the end of a time window, or until enough have come (a day at the
most). Then all that are due together are gathered; the oldest leads, and the others follow it (`following`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from integration.canonical.money import Money
from integration.errors import InvalidPayment, Rejected
from service.core.aggregation import Member, Operation, gather, key_of
from service.core.lifecycle import IN_LEDGER, PaymentState
from service.flow.facts import transaction_of
from service.flow.recovery import failed
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.store import payments
from service.store.payments import Payment

_LONGEST = timedelta(days=1)
_FOLLOW = timedelta(seconds=60)


async def aggregate(trips: Sequence[Trip], stage: Stage) -> None:
    """Let payments wait for their group, and gather those whose group is due."""
    for node in {trip.node.id: trip.node for trip in trips}.values():
        here = [trip for trip in trips if trip.node.id == node.id]
        waited = [trip for trip in here if _mark(trip.payment).get("node") == node.id]
        arrived = [trip for trip in here if trip not in waited]
        by = msgspec.convert(node.settings["by"], list[str])
        for trip in arrived:
            key = key_of(_member(trip.payment), by)
            trip.find("aggregate", {"node": node.id, "key": key})
            trip.waits(_due(trip, stage))
        if "count" in node.settings:
            await _wake(arrived, stage, int(str(node.settings["count"])))
        if waited:
            _gather(waited, by, stage)


def _mark(payment: Payment) -> dict[str, object]:
    found = payment.findings.get("aggregate")
    return found if isinstance(found, dict) else {}


def _member(payment: Payment) -> Member:
    transaction = transaction_of(payment)
    return Member(
        number=payment.payment_id,
        fields={
            "currency": payment.currency,
            "card_scheme": transaction.card.scheme,
            "customer": payment.customer,
            "kind": payment.kind,
        },
        amount=Money(payment.amount_minor, payment.currency),
    )


def _due(trip: Trip, stage: Stage) -> datetime:
    now = stage.clock()
    minutes = trip.node.settings.get("minutes")
    if minutes is None:
        return now + _LONGEST / stage.pace
    # Windows start at the same moments for all, so that a group is due at once.
    width = timedelta(minutes=int(str(minutes))) / stage.pace
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    return epoch + ((now - epoch) // width + 1) * width


async def _wake(arrived: Sequence[Trip], stage: Stage, count: int) -> None:
    """Make a group due when enough have come."""
    keys = sorted({str(_mark(trip.payment)["key"]) for trip in arrived})
    for key in keys:
        new = [trip for trip in arrived if _mark(trip.payment)["key"] == key]
        async with stage.engine.begin() as connection:
            woken = await payments.wake_group(connection, new[0].payment, key, count - len(new))
        for trip in new if woken else ():
            trip.waits(stage.clock())


def _gather(waited: Sequence[Trip], by: Sequence[str], stage: Stage) -> None:
    operation: Operation = msgspec.convert(waited[0].node.settings["operation"], Operation)
    if operation == "group":
        for trip in waited:
            trip.passed()
        return
    by_number = {trip.payment.payment_id: trip for trip in waited}
    try:
        groups = gather([_member(trip.payment) for trip in waited], by, operation)
    except InvalidPayment as error:
        for trip in waited:
            failed(trip, error, stage)
        return
    for group in groups:
        for number in group.members:
            trip = by_number[number]
            mark = {**_mark(trip.payment), "lead": group.lead}
            if number == group.lead:
                mark |= {"members": list(group.members), "amount": msgspec.to_builtins(group.amount)}
            trip.find("aggregate", mark)
            trip.note("payment.gathered", lead=group.lead, members=len(group.members))
            trip.passed()


def leads_to(payment: Payment) -> int | None:
    """The payment that carries this one into the ledger, or `None` when it carries itself."""
    lead = _mark(payment).get("lead")
    return lead if isinstance(lead, int) and lead != payment.payment_id else None


def insist_ungathered(payment: Payment, step: str, lead_state: str) -> None:
    """A gathered payment's money is in its lead's document: it is not gathered, mapped or rejected by itself.

    Raises:
        Rejected: it is gathered, and its lead is not gone.
    """
    mark = _mark(payment)
    if "lead" not in mark or step in ("look_up", "post", "confirm", "tell"):
        return
    if leads_to(payment) is not None and lead_state in (PaymentState.IGNORED, PaymentState.REJECTED):
        payment.findings = {name: found for name, found in payment.findings.items() if name != "aggregate"}
        return
    raise Rejected(
        f"Payment {payment.vendor_tx_code} is gathered with others into one posting",
        code="replay.gathered",
        hint="Replay it from the step `post`.",
    )


def carried(payment: Payment) -> Money | None:
    """What a lead's document carries, or `None` for a payment that is not gathered."""
    amount = _mark(payment).get("amount")
    return None if amount is None else msgspec.convert(amount, Money)


async def following(trips: Sequence[Trip], stage: Stage, to: PaymentState) -> list[Trip]:
    """Move the followers among some payments as far as their leads are; gives back those that go by themselves."""
    followers = {trip: lead for trip in trips if (lead := leads_to(trip.payment)) is not None}
    if followers:
        async with stage.reads.connect() as connection:
            leads = await payments.states(connection, stage.lane.pair, sorted(set(followers.values())))
        for trip, lead in followers.items():
            _follow(trip, lead, PaymentState(leads[lead]), to, stage)
    return [trip for trip in trips if trip not in followers]


def _follow(trip: Trip, lead: int, state: PaymentState, to: PaymentState, stage: Stage) -> None:
    there = state in IN_LEDGER and (to == PaymentState.POSTED or state != PaymentState.POSTED)
    if there:
        trip.passed(to, lead=lead)
    elif state in (PaymentState.IGNORED, PaymentState.REJECTED):
        failed(
            trip,
            Rejected(
                f"Payment {trip.payment.vendor_tx_code} was to go in with payment {lead}, which is {state}",
                code="aggregate.lead-gone",
                hint="Replay it from the step `map`, so that it is gathered anew.",
            ),
            stage,
        )
    else:
        trip.waits(stage.clock() + _FOLLOW / stage.pace)
