"""What is known of a payment, as the pure core takes it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from integration.canonical.documents import DOCUMENT_TYPES, DocumentKind, ErpDocument
from integration.canonical.money import Money
from integration.canonical.order import Order
from integration.canonical.payment import GatewayTransaction
from service.core.aggregation import carrying
from service.core.exchange import Conversion
from service.core.expressions import Facts
from service.core.posting import PlanInput
from service.flow.trip import Trip
from service.store.payments import Payment, Posting

JsonObject = dict[str, object]


def transaction_of(payment: Payment) -> GatewayTransaction:
    """The transaction as last read from Opayo."""
    return msgspec.convert(payment.gateway, GatewayTransaction)


def order_of(payment: Payment) -> Order | None:
    """The order as read from the shop, if there is one."""
    return None if payment.order is None else msgspec.convert(payment.order, Order)


def looked_up(payment: Payment) -> JsonObject:
    """What `look_up` found; empty before it."""
    found = payment.findings.get("look_up")
    return found if isinstance(found, dict) else {}


def facts_of(payment: Payment, now: datetime, time_zone: str) -> Facts:
    """The facts that a flow's conditions may read (`flow_steps.VARIABLES`)."""
    transaction, order, found = transaction_of(payment), order_of(payment), looked_up(payment)
    lines = order.lines if order is not None else ()
    return {
        "kind": transaction.kind,
        "state": transaction.state,
        "status": transaction.status,
        "currency": payment.currency,
        "amount_minor": payment.amount_minor,
        "card_scheme": transaction.card.scheme,
        "country": (order.billing if order else transaction.billing).country,
        "has_order": order is not None,
        "order_status": order.status if order else "",
        "line_count": len(lines),
        "stock_codes": [line.stock_code for line in lines if line.kind == "stock"],
        "customer": payment.customer,
        "customer_on_hold": bool(found.get("on_hold")),
        "customer_currency": str(found.get("currency", "")),
        "hour": now.astimezone(ZoneInfo(time_zone)).hour,
    }


def document_of(posting: Posting) -> ErpDocument:
    """The ERP document of a posting, as it was planned."""
    return msgspec.convert(posting.document, DOCUMENT_TYPES[msgspec.convert(posting.kind, DocumentKind)])


def plan_input(trip: Trip, carried: Money | None = None) -> PlanInput:
    """What the plan of a payment's postings is made from; `carried` is the amount of the group it leads."""
    payment, found = trip.payment, looked_up(trip.payment)
    documents = trip.node.settings.get("documents", ["ar_payment"])
    conversion = found.get("conversion")
    amount = Money(payment.amount_minor, payment.currency)
    mapped = msgspec.convert(payment.mapped, dict[DocumentKind, dict[str, object]])
    if carried is not None:
        amount, mapped = carried, {**mapped, "ar_payment": carrying(mapped["ar_payment"], carried)}
    return PlanInput(
        transaction_id=payment.transaction_id,
        amount=amount,
        documents=msgspec.convert(documents, tuple[DocumentKind, ...]),
        mapped=mapped,
        conversion=msgspec.convert(conversion, Conversion) if conversion else None,
        on_hold=bool(found.get("on_hold")),
    )
