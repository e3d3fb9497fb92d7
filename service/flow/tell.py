"""Tell: the shop learns that its order is paid and in the ERP."""

from __future__ import annotations

from collections.abc import Sequence

from service.flow.stage import Stage
from service.flow.together import each
from service.flow.trip import Trip


async def tell(trips: Sequence[Trip], stage: Stage) -> None:
    """Set the status of each payment's order in the shop and leave a note with SYSPRO's order number."""
    await each(trips, stage, _one)


async def _one(trip: Trip, stage: Stage) -> None:
    payment = trip.payment
    if stage.storefront is None or stage.pair.shop is None or not payment.order_reference:
        trip.passed()
        return
    status = str(trip.node.settings.get("status") or stage.pair.shop.paid_status)
    number = next((each.erp_key for each in payment.postings if each.kind == "sales_order"), "")
    note = f"Paid by Opayo transaction {payment.transaction_id}"
    if number:
        note += f"; SYSPRO order {number}"
    await stage.storefront.tell(payment.order_reference, status, note)
    trip.note("shop.told", status=status)
    trip.passed()
