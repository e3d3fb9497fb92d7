"""What a clerk does on SYSPRO's screens, for tests and demonstrations: ships, invoices, raises credit notes.

The work is done by SYSPRO's own business objects, so that the books stay sound.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from integration.sandbox.syspro.credit_notes import post_credit_notes
from integration.sandbox.syspro.documents import ArInvoice, OrderLine, SalesOrder
from integration.sandbox.syspro.invoices import post_invoices
from integration.sandbox.syspro.order_actions import invoice_order, set_status
from integration.sandbox.syspro.order_lines import move_stock
from integration.sandbox.syspro.posting import Outcome, Posting
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import Document, Value, displayed, parse_number, plain, quantity

CLERK = "CLERK"
READY = "8"


class Ship(msgspec.Struct, forbid_unknown_fields=True):
    """An order, by its number or ours, that leaves the warehouse.

    Attributes:
        Lines: quantity by line number; lines not named ship what they were allocated.
        OrderStatus: where the order goes: 8 is ready to invoice, 4 in the warehouse.
    """

    SalesOrder: str = ""
    CustomerPoNumber: str = ""
    Lines: dict[str, str] = {}
    OrderStatus: str = READY


class Invoice(msgspec.Struct, forbid_unknown_fields=True):
    """An order, by its number or ours, to invoice; one that has not shipped ships first."""

    SalesOrder: str = ""
    CustomerPoNumber: str = ""
    InvoiceDate: str = ""
    PostingPeriod: str = "C"


class RaiseCreditNote(msgspec.Struct, forbid_unknown_fields=True):
    """An invoice to credit, whole or in part.

    Attributes:
        Lines: of its sales order, to take back by line; all when neither lines nor a value are given.
        Value: with its tax, to credit by value instead; an invoice without an order is credited by value.
        OnInvoice: whether a credit by value is posted onto the invoice, or stands alone.
        CompleteOrder: whether a credit by lines becomes an AR document; otherwise its order waits at status 8.
    """

    Invoice: str
    Customer: str = ""
    Lines: list[str] = []
    Value: str = ""
    TaxValue: str = "0.00"
    Reference: str = ""
    OnInvoice: bool = True
    CompleteOrder: bool = True


def ship(store: Store, wanted: Ship) -> Document:
    """Ship an order.

    Raises:
        ValueError: there is none, or SYSPRO refused.
    """
    order = _order(store, wanted.SalesOrder, wanted.CustomerPoNumber)
    if wanted.Lines:
        lines = tuple(_shipped(store, line, wanted.Lines.get(line.SalesOrderLine)) for line in order.lines)
        order = msgspec.structs.replace(order, lines=lines)
        store.orders.put(order.SalesOrder, order)
        store.settle()
    moved: Document = {"NewOrderStatus": wanted.OrderStatus, "CreditAuthority": CLERK[:3]}
    return _done(set_status(_posting(store), order, moved))


def _shipped(store: Store, line: OrderLine, wanted: str | None) -> OrderLine:
    """A line of which another quantity ships; the rest goes on back order."""
    if wanted is None or line.LineType != "1":
        return line
    number = parse_number(wanted)
    if number is None or not 0 <= number <= line.MOrderQty:
        raise ValueError(f"Line {line.SalesOrderLine} cannot ship {wanted} of {plain(line.MOrderQty)}.")
    ships = quantity(Decimal(number))
    item = store.warehouse_items.get(f"{line.MStockCode}|{line.MWarehouse}")
    if line.allocates and item is not None:
        more = ships - line.MShipQty
        move_stock(store, item, allocated=more, back_order=-more)
    return msgspec.structs.replace(line, MShipQty=ships, MBackOrderQty=line.MOrderQty - ships)


def invoice(store: Store, wanted: Invoice) -> Document:
    """Invoice an order.

    Raises:
        ValueError: there is none, or SYSPRO refused.
    """
    order = _order(store, wanted.SalesOrder, wanted.CustomerPoNumber)
    if order.OrderStatus != READY:
        ship(store, Ship(SalesOrder=order.SalesOrder))
        order = store.orders[order.SalesOrder]
    kind = "C" if order.DocumentType == "C" else "I"
    posting = _posting(store, PostingPeriod=wanted.PostingPeriod)
    document: Document = {"InvoiceDate": wanted.InvoiceDate, "OrderType": kind}
    return _done(invoice_order(posting, order, document))


def raise_credit_note(store: Store, wanted: RaiseCreditNote) -> Document:
    """Credit an invoice.

    Raises:
        ValueError: there is none, or SYSPRO refused.
    """
    held = _invoice(store, wanted)
    if wanted.Value or not held.SalesOrder:
        return _credit_by_value(store, held, wanted)
    lines: list[Value] = [{"LineNumber": number} for number in wanted.Lines]
    item: Document = {"InvoiceNumber": held.Invoice, "Customer": held.Customer, "Lines": lines}
    made = _done(post_credit_notes(_posting(store), [item]))
    if not wanted.CompleteOrder:
        return made
    completed = invoice(store, Invoice(SalesOrder=str(made["CreditNoteCreated"])))
    return {**completed, **made, "CreditNote": completed["InvoiceNumber"]}


def _credit_by_value(store: Store, held: ArInvoice, wanted: RaiseCreditNote) -> Document:
    whole = plain(held.CurrencyValue)
    tax = wanted.TaxValue if wanted.Value else plain(held.TaxPortion)
    item: Document = {
        "TransactionType": "C", "Customer": held.Customer, "InvoiceValue": wanted.Value or whole,
        "TaxValue": tax, "ProductClass": "_OTH", "Branch": held.Branch,
        "Reference": wanted.Reference or f"CN {displayed(held.Invoice)}",
    }  # fmt: skip
    if wanted.OnInvoice:
        item |= {"PostToExistingInvoice": "Y", "GenerateInvoiceNumber": "N", "Invoice": held.Invoice}
    return _done(post_invoices(_posting(store), [item]))


def _invoice(store: Store, wanted: RaiseCreditNote) -> ArInvoice:
    key = store.invoice_key(wanted.Invoice)
    customer = store.customer_key(wanted.Customer) if wanted.Customer else ""
    for held in store.invoices.by("Invoice", key):
        if held.DocumentType == "I" and customer in {"", held.Customer}:
            return held
    raise ValueError(f"There is no invoice {wanted.Invoice}.")


def _order(store: Store, number: str, purchase_order: str) -> SalesOrder:
    order = store.orders.get(store.order_key(number)) if number else None
    if order is None and purchase_order:
        live = [o for o in store.orders.by("CustomerPoNumber", purchase_order) if o.CancelledFlag != "Y"]
        order = live[-1] if live else None
    if order is None:
        raise ValueError(f"There is no sales order {number or purchase_order}.")
    return order


def _posting(store: Store, **parameters: str) -> Posting:
    return Posting(store, {"IgnoreWarnings": "Y", **parameters}, CLERK)


def _done(outcome: Outcome) -> Document:
    item = outcome.items[0]
    if not outcome.posted:
        raise ValueError(
            "; ".join(finding.description for finding in item.findings.errors) or "Nothing posted"
        )
    return item.result
