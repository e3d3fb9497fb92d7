"""Tell: the shop learns that its order is paid and in the ERP, or a person that something happened."""

from __future__ import annotations

from collections.abc import Sequence

from service.flow.stage import Stage
from service.flow.together import each
from service.flow.trip import Trip


async def tell(trips: Sequence[Trip], stage: Stage) -> None:
    """Tell whom the node names: the shop, by its order's status and a note; a person, by an alert."""
    await each(trips, stage, _one)


async def _one(trip: Trip, stage: Stage) -> None:
    payment = trip.payment
    words = str(trip.node.settings.get("note", ""))
    if trip.node.settings.get("whom") == "person":
        trip.alert(
            "flow.tells", f"Payment {payment.vendor_tx_code}: {words or payment.state}", severity="info"
        )
        trip.passed()
        return
    if stage.storefront is None or stage.pair.shop is None or not payment.order_reference:
        trip.passed()
        return
    status = str(trip.node.settings.get("status") or stage.pair.shop.paid_status)
    number = next((each.erp_key for each in payment.postings if each.kind == "sales_order"), "")
    note = f"{words} Opayo transaction {payment.transaction_id}".strip()
    if number:
        note += f"; SYSPRO order {number}"
    await stage.storefront.tell(payment.order_reference, status, note)
    trip.note("shop.told", status=status)
    trip.passed()
