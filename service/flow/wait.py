"""Wait: the payment rests on this node, for a while or until its order is shipped or invoiced in SYSPRO, then goes on.

A payment that waits for its order costs its lane nothing: it is due when its longest wait is over, and the poll of
SYSPRO's changes makes it due before that, when the order has come so far (`service.flow.changes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from integration.canonical.erp_records import OrderState, ReceivablesQuery
from integration.errors import Rejected
from service.core.lifecycle import PostingState
from service.core.shipment import OpenInvoice, Until, has_come, is_cancelled
from service.flow.stage import Stage
from service.flow.together import each
from service.flow.trip import Trip
from service.store.payments import Posting

_LONGEST_DAYS = 30


async def wait(trips: Sequence[Trip], stage: Stage) -> None:
    """Let each payment rest as long as its node says."""
    for trip in trips:
        if "until" not in trip.node.settings:
            _for_some_time(trip, stage)
    await each([trip for trip in trips if "until" in trip.node.settings], stage, _for_its_order)


def _begun(trip: Trip) -> datetime | None:
    """When the payment came to rest on this node; `None` on its first arrival."""
    waited = trip.payment.findings.get("wait")
    if not isinstance(waited, dict) or waited.get("node") != trip.node.id:
        return None
    return datetime.fromisoformat(str(waited["since"]))


def _for_some_time(trip: Trip, stage: Stage) -> None:
    if _begun(trip) is not None:
        trip.find("wait", {})
        trip.passed()
        return
    minutes = trip.node.settings.get("minutes", 0)
    trip.find("wait", {"node": trip.node.id, "since": stage.clock().isoformat()})
    trip.note("payment.waiting", minutes=minutes)
    trip.waits(stage.clock() + timedelta(minutes=int(str(minutes))) / stage.pace)


# --- for an order ---------------------------------------------------------------------------------


async def _for_its_order(trip: Trip, stage: Stage) -> None:
    posting = _order_of(trip)
    until = msgspec.convert(trip.node.settings["until"], Until)
    order = await stage.session.sales_order(posting.erp_key)
    if order is not None and has_come(order, until):
        await _goes_on(trip, stage, order, until)
        return
    if order is None or is_cancelled(order, stage.pair.syspro.cancelled_statuses):
        raise _given_up(trip, "order.cancelled", f"SYSPRO order {posting.erp_key} was cancelled")
    now = stage.clock()
    begun = _begun(trip)
    days = int(str(trip.node.settings.get("days", _LONGEST_DAYS)))
    over = (begun or now) + timedelta(days=days) / stage.pace
    if now >= over:
        title = f"SYSPRO order {posting.erp_key} was not {until} within {days} days"
        raise _given_up(trip, f"order.not-{until}", title)
    if begun is None:
        trip.find("wait", {"node": trip.node.id, "since": now.isoformat(), "until": until})
        trip.note("payment.waiting", until=until, sales_order=posting.erp_key, days=days)
    trip.waits(over)


def _order_of(trip: Trip) -> Posting:
    for posting in trip.payment.postings:
        if posting.kind == "sales_order" and posting.state == PostingState.CONFIRMED:
            return posting
    raise Rejected(
        f"Payment {trip.payment.vendor_tx_code} waits for an order that SYSPRO does not have",
        code="order.none",
        hint="Where the customer is on hold, release it in SYSPRO; then replay the payment from `post`.",
    )


async def _goes_on(trip: Trip, stage: Stage, order: OrderState, until: Until) -> None:
    documents = (
        await stage.session.receivables(ReceivablesQuery(sales_order=order.sales_order))
        if order.last_invoice
        else ()
    )
    invoices = [
        OpenInvoice(invoice=each.invoice, balance=each.invoice_balance)
        for each in documents
        if each.document_type == "I" and not each.is_unapplied_cash and each.invoice_balance.minor > 0
    ]
    trip.find("wait", {})
    trip.find("shipment", {"status": order.order_status, "invoices": msgspec.to_builtins(invoices)})
    trip.note(f"order.{until}", sales_order=order.sales_order, invoices=[each.invoice for each in invoices])
    trip.passed()


def _given_up(trip: Trip, code: str, title: str) -> Rejected:
    trip.find("wait", {})
    trip.alert(
        code, f"{title}; payment {trip.payment.vendor_tx_code} is not posted to the customer's account"
    )
    return Rejected(
        title,
        code=code,
        hint="Ship or invoice the order, or correct it, in SYSPRO; then replay the payment from `post`.",
        evidence={"payment": trip.payment.vendor_tx_code},
    )
