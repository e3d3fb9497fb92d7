"""SORTCI: a credit-note order made from an invoice; SORTIC with OrderType C turns it into an AR credit."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from integration.sandbox.syspro.documents import SalesOrder
from integration.sandbox.syspro.findings import DUPLICATE_KEY, Reader
from integration.sandbox.syspro.orders import next_order_number
from integration.sandbox.syspro.posting import Outcome, Plan, Posting, run
from integration.sandbox.syspro.shapes import CREDIT_NOTE_ITEM
from integration.sandbox.syspro.values import Document, displayed


def post_credit_notes(posting: Posting, items: list[Document]) -> Outcome:
    """Make one credit-note order per item, of the invoice's lines named or of all."""
    return run(posting, Plan("SORTCI", CREDIT_NOTE_ITEM, lambda item: _post(posting, item)), items)


def _post(posting: Posting, item: Reader) -> Document:
    store = posting.store
    number = item.required("InvoiceNumber")
    sold = _sold(posting, item, store.invoice_key(number))
    if sold is None:
        if number:
            item.not_found("InvoiceNumber", "Invoice")
        return {}
    wanted = {displayed(line.text("LineNumber")) for line in item.children("Lines")}
    date = posting.parameters.date("DocumentDate", store.accounting_date().isoformat())
    none = Decimal("0.000000")
    lines = tuple(
        msgspec.structs.replace(
            line,
            MOrderQty=line.MShipQty,
            MBackOrderQty=none,
            allocates=False,
            invoiced=none,
            MCreditOrderNo=sold.SalesOrder,
            MCreditOrderLine=line.SalesOrderLine,
        )
        for line in sold.lines
        if not wanted or line.SalesOrderLine in wanted
    )
    for name in sorted(wanted - {line.SalesOrderLine for line in lines}):
        item.refuse("Lines", "900002", f"Sales order line '{name}' not found")
    if item.failed():
        return {}
    key = _number(posting, item)
    if item.failed():
        return {}
    note = msgspec.structs.replace(
        sold, SalesOrder=key, DocumentType="C", OrderStatus="8", LastInvoice="", DateLastInvPrt="",
        CustomerPoNumber=f"CN {displayed(key)}", lines=lines, OrderDate=date,
        credited_invoice=store.invoice_key(number),
    )  # fmt: skip
    store.orders.put(key, note)
    return {
        "CreditNoteCreated": key,
        "InvoiceNumber": store.invoice_key(number),
        "SalesOrder": sold.SalesOrder,
        "Customer": sold.Customer,
    }


def _number(posting: Posting, item: Reader) -> str:
    """The note's number: the one asked for, or the next sales order number."""
    wanted = item.code("CreditNoteNumber")
    if not wanted:
        return next_order_number(posting.store)
    key = posting.store.order_key(wanted)
    if key in posting.store.orders:
        item.refuse("CreditNoteNumber", DUPLICATE_KEY, f"Duplicate key '{displayed(key)}' on 'SorMaster'")
    return key


def _sold(posting: Posting, item: Reader, invoice: str) -> SalesOrder | None:
    """The sales order an invoice was raised from, held against the customer and order the item names."""
    store = posting.store
    customer = store.customer_key(item.code("Customer")) if item.code("Customer") else ""
    order = store.order_key(item.code("SalesOrder")) if item.code("SalesOrder") else ""
    for held in store.invoices.by("Invoice", invoice):
        if customer in {"", held.Customer} and order in {"", held.SalesOrder}:
            return store.orders.get(held.SalesOrder)
    return None
