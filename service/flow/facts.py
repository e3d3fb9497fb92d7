"""What is known of a payment, as the pure core takes it."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

import msgspec

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.documents import DOCUMENT_TYPES, DocumentKind, ErpDocument
from integration.canonical.money import Money
from integration.canonical.order import Order
from integration.canonical.payment import GatewayTransaction
from service.core.aggregation import carrying
from service.core.circumstances import Circumstances, Original, SubscriptionFacts
from service.core.exchange import Conversion
from service.core.expressions import Facts
from service.core.posting import PlanInput
from service.core.shipment import OpenInvoice, allocated
from service.flow.trip import Trip
from service.store.payments import Payment, Posting

JsonObject = dict[str, object]


def transaction_of(payment: Payment) -> GatewayTransaction:
    """The transaction as last read from Opayo."""
    known = payment.parsed.get("gateway")
    # A document is never changed, only replaced: the same object was read already.
    if known is not None and known[0] is payment.gateway:
        return cast(GatewayTransaction, known[1])
    read = msgspec.convert(payment.gateway, GatewayTransaction)
    payment.parsed["gateway"] = (payment.gateway, read)
    return read


def order_of(payment: Payment) -> Order | None:
    """The order as read from the shop, if there is one."""
    if payment.order is None:
        return None
    known = payment.parsed.get("order")
    if known is not None and known[0] is payment.order:
        return cast(Order, known[1])
    read = msgspec.convert(payment.order, Order)
    payment.parsed["order"] = (payment.order, read)
    return read


def looked_up(payment: Payment) -> JsonObject:
    """What `look_up` found; empty before it."""
    found = payment.findings.get("look_up")
    return found if isinstance(found, dict) else {}


def arrived(payment: Payment) -> JsonObject:
    """What came with the message that made the payment: a chargeback's notice, a subscription's plan."""
    found = payment.findings.get("arrived")
    return found if isinstance(found, dict) else {}


def notice_of(payment: Payment) -> ChargebackNotice | None:
    """The notice of a chargeback."""
    found = arrived(payment).get("chargeback")
    return msgspec.convert(found, ChargebackNotice) if found else None


def original_of(payment: Payment) -> Original | None:
    """The payment that a refund or chargeback is about, once `look_up` has read it."""
    found = looked_up(payment).get("original")
    return msgspec.convert(found, Original) if found else None


def circumstances_of(payment: Payment, accounts: dict[str, str]) -> Circumstances:
    """What belongs to the source document besides transaction, order and pair."""
    plan = arrived(payment).get("subscription")
    return Circumstances(
        original=original_of(payment),
        chargeback=notice_of(payment),
        subscription=msgspec.convert(plan, SubscriptionFacts) if plan else None,
        accounts=accounts,
    )


def _of_branches(payment: Payment) -> dict[str, str | bool]:
    """The facts of refunds, chargebacks and subscriptions; empty for other payments."""
    notice, original, found = notice_of(payment), original_of(payment), looked_up(payment)
    return {
        "original_known": original is not None,
        "refund_form": original.form if original is not None else "",
        "refund_pattern": str(found.get("refund_pattern", "")),
        "credit_exists": original is not None and bool(original.credit_note),
        "stage": notice.stage if notice is not None else "",
        "won": notice is not None and bool(notice.won),
        "chargeback_posts": notice.step.posts if notice is not None and notice.step is not None else "",
        "has_subscription": "subscription" in arrived(payment),
    }


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
        **_of_branches(payment),
    }


def document_of(posting: Posting) -> ErpDocument:
    """The ERP document of a posting, as it was planned."""
    known = posting.parsed.get("document")
    if known is not None and known[0] is posting.document:
        return cast(ErpDocument, known[1])
    read = msgspec.convert(posting.document, DOCUMENT_TYPES[msgspec.convert(posting.kind, DocumentKind)])
    posting.parsed["document"] = (posting.document, read)
    return read


def open_invoices(payment: Payment) -> tuple[OpenInvoice, ...]:
    """The open invoices of the payment's order, once it waited for them."""
    found = payment.findings.get("shipment")
    invoices = found.get("invoices") if isinstance(found, dict) else None
    return msgspec.convert(invoices or (), tuple[OpenInvoice, ...])


def plan_input(trip: Trip, carried: Money | None = None) -> PlanInput:
    """What the plan of a payment's postings is made from; `carried` is the amount of the group it leads."""
    payment, found = trip.payment, looked_up(trip.payment)
    documents = trip.node.settings.get("documents", ["ar_payment"])
    conversion = found.get("conversion")
    amount = Money(payment.amount_minor, payment.currency)
    mapped = msgspec.convert(payment.mapped, dict[DocumentKind, dict[str, object]])
    if invoices := open_invoices(payment):
        # Invoices have rates of their own: converted money stays unapplied, for a person to set against them.
        mapped |= {} if conversion else {"ar_payment": allocated(mapped.get("ar_payment", {}), invoices)}
    if carried is not None:
        amount, mapped = carried, {**mapped, "ar_payment": carrying(mapped["ar_payment"], carried)}
    return PlanInput(
        transaction_id=payment.transaction_id,
        kind=payment.kind,
        amount=amount,
        documents=msgspec.convert(documents, tuple[DocumentKind, ...]),
        mapped=mapped,
        conversion=msgspec.convert(conversion, Conversion) if conversion else None,
        on_hold=bool(found.get("on_hold")),
    )
