"""Our references in the ERP: one payment each, and what was found under them is nobody else's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integration.canonical.documents import Stored
from integration.errors import Rejected
from service.flow.recovery import failed
from service.flow.stage import Stage
from service.flow.trip import Trip
from service.store import payment_views


async def refuse_used_references(trips: Sequence[Trip], stage: Stage) -> None:
    """A reference belongs to one payment: a second one that maps to it stops, and holds nobody up."""
    wanted = [(posting.kind, posting.reference) for trip in trips for posting in trip.payment.postings]
    async with stage.reads.connect() as connection:
        owners = await payment_views.reference_owners(connection, stage.lane.pair, wanted)
    for trip in trips:
        payment = trip.payment
        used = [
            posting.reference
            for posting in payment.postings
            if owners.setdefault((posting.kind, posting.reference), payment.payment_id) != payment.payment_id
        ]
        if used and trip.moving:
            payment.postings = [posting for posting in payment.postings if posting.reference not in used]
            title = f"Another payment has the reference {used[0]} already"
            hint = "Give each payment an order number of its own, or correct the mapping; then replay it."
            failed(trip, Rejected(title, code="posting.reference-used", hint=hint), stage)


def _of_customers(inferred: Sequence[Stored]) -> set[tuple[str, str]]:
    return {
        (each.receipt.kind, each.receipt.key)
        for each in inferred
        if each.receipt.kind not in ("credit_note", "order_invoice")
    }


async def without_others(
    found: Mapping[str, tuple[Stored, ...]], stage: Stage
) -> dict[str, tuple[Stored, ...]]:
    """What was found, less inferred documents that are recorded for another payment."""
    inferred = [each for stored in found.values() for each in stored if not each.certain]
    if not inferred:
        return dict(found)
    pair = stage.lane.pair
    numbers = sorted({each.receipt.details.get("UnappliedInvoice", "") for each in inferred} - {""})
    # Invoice numbers may repeat between customers; orders' numbers, and those of their invoices, do not.
    keys = sorted({(each.receipt.kind, each.receipt.key) for each in inferred} - _of_customers(inferred))
    async with stage.reads.connect() as connection:
        cash = await payment_views.documents_taken(connection, pair, numbers)
        others = await payment_views.keys_taken(connection, pair, keys)

    def ours(reference: str, each: Stored) -> bool:
        kept = (getattr(each.document, "customer", ""), each.receipt.details.get("UnappliedInvoice", ""))
        same = (each.receipt.kind, each.receipt.key)
        owners = {cash.get(kept, reference), others.get(same, reference)}
        return each.certain or owners == {reference}

    return {
        reference: tuple(each for each in stored if ours(reference, each))
        for reference, stored in found.items()
    }
