"""What a changed row of SYSPRO means: the events that tell it to others.

Each row is compared with what was last seen of it. What we posted ourselves is recognised by its reference and told
by the road, so here it makes no event, unless somebody in SYSPRO did something with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from integration.canonical.erp_records import Change
from service.core.shipment import SHIPPED_STATUSES
from service.core.source_document import Json

_STATUS_NAMES: Mapping[str, str] = {
    "1": "open",
    "2": "back_order",
    "3": "released_back_order",
    "4": "in_warehouse",
    "8": "ready_to_invoice",
    "9": "complete",
    "F": "forward",
    "S": "suspense",
    "*": "cancelled",
    "\\": "cancelled",
}


class Ours(Struct, frozen=True, kw_only=True):
    """The payment of ours that a row belongs to; `kind` is that of the document we posted."""

    kind: str
    payment_id: int
    transaction_id: str
    vendor_tx_code: str
    order_reference: str


class Look(Struct, frozen=True, kw_only=True):
    """One look at a row.

    Attributes:
        before: what was last seen of it; `None` for a row that is new to us.
        ours: the payment it belongs to.
        made_by_us: we posted this very row.
        silent: the row was there before we began to look, so that it is new to us and to nobody else.
        cancelled_statuses, unapplied_prefix: the site's habits.
        currency: ISO 4217 of the row's money, where it has any and it is known.
    """

    now: Change
    before: Mapping[str, str] | None
    ours: Ours | None = None
    made_by_us: bool = False
    silent: bool = False
    cancelled_statuses: tuple[str, ...] = ("*", "\\")
    unapplied_prefix: str = "_CRD"
    currency: str = ""


class Told(Struct, frozen=True):
    """An event that a look gave rise to."""

    type: str
    subject: str
    data: dict[str, Json]


def digest(change: Change) -> str:
    """The hash of a row: equal for equal rows."""
    written = msgspec.json.encode(dict(change.values), order="sorted")
    return hashlib.sha256(written).hexdigest()[:32]


def bare(key: str) -> str:
    """A key of SYSPRO without its padding, as people know it."""
    text = key.strip()
    return text.lstrip("0") or "0" if text.isdigit() else text


def events_of(look: Look) -> tuple[Told, ...]:
    """What a look at a row tells others."""
    match look.now.kind:
        case "sales_order":
            return tuple(_of_order(look))
        case "ar_invoice":
            return tuple(_of_document(look))
        case "ar_payment":
            return tuple(_of_movement(look))
        case _:
            return ()


# --- sales orders ---------------------------------------------------------------------------------


def _of_order(look: Look) -> Iterator[Told]:
    now, before = look.now.values, look.before
    if now.get("DocumentType", "O") == "C" or (before is None and look.silent):
        return
    status = now.get("OrderStatus", "")
    if before is None:
        if look.ours is None:
            yield _order(look, "order.created")
        # What we posted was open when we posted it.
        before = {"OrderStatus": "1" if look.ours is not None else status, "LastInvoice": ""}
    was = before.get("OrderStatus", "")
    if status != was:
        yield _order(look, "order.status_changed", previous_status=was)
    if _cancelled(look, now) and not _cancelled(look, before):
        yield _order(look, "order.cancelled")
    left = status in SHIPPED_STATUSES and (was not in SHIPPED_STATUSES or look.before is None)
    invoiced = bool(now.get("LastInvoice")) and now.get("LastInvoice") != before.get("LastInvoice")
    if left or (invoiced and was not in SHIPPED_STATUSES):
        yield _order(look, "order.dispatched")


def _cancelled(look: Look, values: Mapping[str, str]) -> bool:
    return values.get("CancelledFlag") == "Y" or values.get("OrderStatus", "") in look.cancelled_statuses


def _order(look: Look, type_: str, **more: Json) -> Told:
    now = look.now.values
    status = now.get("OrderStatus", "")
    data: dict[str, Json] = {
        "sales_order": bare(now.get("SalesOrder", "")),
        "customer": now.get("Customer", ""),
        "customer_order": now.get("CustomerPoNumber", ""),
        "status": status,
        "status_name": _STATUS_NAMES.get(status, ""),
        "requested_ship_date": now.get("ReqShipDate", ""),
        "last_invoice": bare(now.get("LastInvoice", "")),
        **more,
        **_payment(look.ours),
    }
    return Told(type_, _about("order", now.get("SalesOrder", "")), data)


def _about(what: str, key: str) -> str:
    return f"{what}/{bare(key)}"


def _payment(ours: Ours | None) -> dict[str, Json]:
    if ours is None:
        return {}
    return {
        "payment_id": ours.payment_id,
        "transaction_id": ours.transaction_id,
        "vendor_tx_code": ours.vendor_tx_code,
        "order_reference": ours.order_reference,
    }


# --- receivables ----------------------------------------------------------------------------------


def _of_document(look: Look) -> Iterator[Told]:
    now, before = look.now.values, look.before
    kind = now.get("DocumentType", "I")
    cash = now.get("Invoice", "").startswith(look.unapplied_prefix)
    if before is None:
        if look.silent:
            return
        yield from _new_document(look, kind, cash)
        before = {"InvoiceBal1": now.get("CurrencyValue", "")}
    open_before, open_now = _is_open(before), _is_open(now)
    if kind == "I" and not cash and open_before and not open_now:
        yield _document(look, "invoice.paid")


def _new_document(look: Look, kind: str, cash: bool) -> Iterator[Told]:
    if cash:
        if not look.made_by_us:
            yield _document(look, "payment.posted")
    elif kind == "C":
        if not look.made_by_us:
            yield _document(look, "credit_note.raised")
    elif look.now.values.get("SalesOrder"):
        yield _document(look, "order.invoiced")
    elif not look.made_by_us:
        yield _document(look, "invoice.raised")


def _is_open(values: Mapping[str, str]) -> bool:
    return values.get("InvoiceBal1", "").strip("-0. ") != ""


def _document(look: Look, type_: str) -> Told:
    now = look.now.values
    data: dict[str, Json] = {
        "invoice": bare(now.get("Invoice", "")),
        "document_type": now.get("DocumentType", ""),
        "customer": now.get("Customer", ""),
        "customer_order": now.get("CustomerPoNumber", ""),
        "sales_order": bare(now.get("SalesOrder", "")),
        "invoice_date": now.get("InvoiceDate", ""),
        "value": now.get("CurrencyValue", ""),
        "balance": now.get("InvoiceBal1", ""),
        "currency": look.currency,
        **_payment(look.ours),
    }
    return Told(type_, _subject(look), data)


def _subject(look: Look) -> str:
    """An order's own documents are told with it, in order; others by themselves."""
    now = look.now.values
    order = now.get("SalesOrder", "")
    return _about("order", order) if order else _about("invoice", now.get("Invoice", ""))


_MOVED: Mapping[str, str] = {
    "P": "payment.applied",
    "C": "credit_note.raised",
    "A": "adjustment.posted",
    "D": "adjustment.posted",
}


def _of_movement(look: Look) -> Iterator[Told]:
    now = look.now.values
    type_ = _MOVED.get(now.get("TrnType", ""))
    # What moved unapplied cash is told by the document it is, or by the invoice it went to.
    cash = now.get("Invoice", "").startswith(look.unapplied_prefix)
    if type_ is None or look.before is not None or look.silent or cash:
        return
    if look.made_by_us and type_ != "payment.applied":
        return
    data: dict[str, Json] = {
        "invoice": bare(now.get("Invoice", "")),
        "document_type": now.get("DocumentType", ""),
        "customer": now.get("Customer", ""),
        "sales_order": bare(now.get("SalesOrder", "")),
        "reference": now.get("Reference", ""),
        "journal": now.get("Journal", ""),
        "date": now.get("JournalDate", ""),
        "value": now.get("TrnValue", ""),
        "currency": look.currency,
        "ours": look.made_by_us,
        **_payment(look.ours),
    }
    yield Told(type_, _subject(look), data)
