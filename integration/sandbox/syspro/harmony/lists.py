"""The lists of the JSON face: which filters each has, and how its rows are shown."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from integration.sandbox.syspro.asgi import Response
from integration.sandbox.syspro.documents import ArInvoicePay
from integration.sandbox.syspro.harmony.answers import HarmonyError
from integration.sandbox.syspro.harmony.call import Call
from integration.sandbox.syspro.harmony.listing import Listing, listed
from integration.sandbox.syspro.harmony.reads import (
    Shown,
    customer_columns,
    invoice_item,
    journal_item,
    order_header,
)
from integration.sandbox.syspro.ledger_documents import Journal
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import rendered


def _columns(names: str) -> dict[str, Callable[[object], str]]:
    return {name: attrgetter(name) for name in names.split()}


def _upper(value: str) -> str:
    return value.strip().upper()


def _show(row: object) -> Shown:
    return dict(rendered(row))  # type: ignore[arg-type]


def sales_orders(call: Call) -> Response:
    """Row 7: sales orders by customer, purchase order number, status, date, branch."""
    store = call.store
    listing = Listing(
        store.orders, order_header, _columns("Customer CustomerPoNumber OrderStatus Branch"),
        {"Customer": store.customer_key, "StartAt": store.order_key},
        {"OrderDateFrom": attrgetter("OrderDate"), "OrderDateTo": attrgetter("OrderDate")},
    )  # fmt: skip
    return Response(200, listed(listing, call.request.query))


def payments(call: Call) -> Response:
    """Row 9: payments by customer, reference, invoice, date; unapplied ones with their ``_CRD`` document."""
    store = call.store
    listing = Listing(
        store.movements, _show, _columns("Customer Reference Invoice"),
        {"Customer": store.customer_key, "Invoice": store.invoice_key},
        {"PaymentDateFrom": attrgetter("JournalDate"), "PaymentDateTo": attrgetter("JournalDate")},
        only=_is_payment,
    )  # fmt: skip
    page = listed(listing, call.request.query)
    if store.config.quirks.unapplied_without_reference and page["NextStartAt"] is None:
        _add_unreferenced(store, call, page)
    return Response(200, page)


def _is_payment(row: ArInvoicePay) -> bool:
    return row.TrnType == "P"


def _add_unreferenced(store: Store, call: Call, page: dict[str, object]) -> None:
    """Show ``_CRD`` documents that left no movement: they can be found by customer, never by reference."""
    asked = {name: value for name, value in call.request.query if value.strip()}
    items = page["Items"]
    if "Reference" in asked or "Customer" not in asked or not isinstance(items, list):
        return
    for customer in asked["Customer"].split(","):
        for row in store.invoices.by("Customer", store.customer_key(customer)):
            key = f"{row.Customer}|{row.Invoice}|{row.DocumentType}"
            if row.Invoice.startswith(store.config.quirks.unapplied_prefix) and not store.movements.keys_by(
                "Document", key
            ):
                items.append({
                    **rendered(row), "EntryNumber": "00000", "TrnType": "P", "JournalDate": row.InvoiceDate,
                    "Reference": "", "TrnValue": str(-row.CurrencyValue),
                })  # fmt: skip
    page["RowsReturned"] = len(items)


def invoices(call: Call) -> Response:
    """Row 12: AR documents; ``OpenOnly=Y`` those with a balance."""
    store = call.store
    query = [(name, value) for name, value in call.request.query if name != "OpenOnly"]
    open_only = dict(call.request.query).get("OpenOnly", "N").strip().upper() == "Y"
    listing = Listing(
        store.invoices, lambda row: invoice_item(store, row),
        _columns("Customer Invoice SalesOrder CustomerPoNumber"),
        {"Customer": store.customer_key, "Invoice": store.invoice_key, "SalesOrder": store.order_key},
        only=(lambda row: row.InvoiceBal1 != 0) if open_only else None,
    )  # fmt: skip
    return Response(200, listed(listing, query))


def journals(call: Call) -> Response:
    """Row 14: journals by reference (of the journal or one of its lines), source, year and period."""
    references = [
        value.strip() for name, value in call.request.query if name == "Reference" and value.strip()
    ]
    query = [(name, value) for name, value in call.request.query if name != "Reference"]
    store = call.store
    columns: dict[str, Callable[[Journal], str]] = {
        "SourceCode": attrgetter("JournalSource"),
        **_columns("GlYear GlPeriod"),
    }
    stored = {"GlPeriod": lambda value: value.zfill(2)}
    if not references:
        return Response(200, listed(Listing(store.journals, journal_item, columns, stored), query))
    if any("*" in value or "," in value for value in references):
        columns["Reference"] = attrgetter("Reference")
        listing = Listing(store.journals, journal_item, columns, stored)
        return Response(200, listed(listing, call.request.query))
    keys = set(store.journals.keys_by("Reference", references[0]))
    found = Listing(
        store.journals, journal_item, columns, stored,
        only=lambda row: f"{row.GlYear}|{row.GlPeriod}|{row.GlJournal}" in keys,
    )  # fmt: skip
    return Response(200, listed(found, query))


def customers(call: Call) -> Response:
    """Row 16: customers by name, short name, e-mail."""
    store = call.store
    listing = Listing(
        store.customers, lambda row: customer_columns(store, row), _columns("Name ShortName Email"),
        {"StartAt": store.customer_key},
    )  # fmt: skip
    return Response(200, listed(listing, call.request.query))


def stock_items(call: Call) -> Response:
    """Row 18: stock codes by pattern."""
    listing = Listing(
        call.store.stock, _show, _columns("StockCode"), {"StockCode": _upper, "StartAt": _upper}
    )
    return Response(200, listed(listing, _upper_values(call.request.query)))


def _upper_values(query: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value.upper() if name == "StockCode" else value) for name, value in query]


def banks(call: Call) -> Response:
    """Row 19: every bank with its balances."""
    listing = Listing(call.store.banks, _show, _columns("Bank"), {"Bank": _upper})
    return Response(200, listed(listing, call.request.query))


def cash_transactions(call: Call) -> Response:
    """Row 19: the transactions of a bank."""
    store = call.store
    if not dict(call.request.query).get("Bank", "").strip():
        raise HarmonyError("MALFORMED", "Bank is required to list cash-book transactions")
    columns = {"Bank": attrgetter("Bank"), "Reference": attrgetter("TrnReference")}
    return Response(
        200, listed(Listing(store.cash_book, _show, columns, {"Bank": _upper}), call.request.query)
    )
