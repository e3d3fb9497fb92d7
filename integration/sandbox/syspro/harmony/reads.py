"""The single-document reads of the JSON face."""

from __future__ import annotations

from integration.sandbox.syspro import shapes
from integration.sandbox.syspro.asgi import Response
from integration.sandbox.syspro.documents import ArInvoice, Customer, SalesOrder, WarehouseItem
from integration.sandbox.syspro.harmony.answers import HarmonyError
from integration.sandbox.syspro.harmony.call import Call
from integration.sandbox.syspro.harmony.check import flat
from integration.sandbox.syspro.ledger_documents import Journal
from integration.sandbox.syspro.store import Store, document_key
from integration.sandbox.syspro.values import ZERO, displayed, plain, rendered

Shown = dict[str, object]

_STATUSES = {
    "0": "In process", "1": "Open order", "2": "Open back order", "3": "Released back order",
    "4": "In warehouse", "8": "Ready to invoice", "9": "Complete", "F": "Forward order",
    "S": "In suspense", "*": "Cancelled during entry", "\\": "Cancelled",
}  # fmt: skip
_CUSTOMER_COLUMNS = [
    "CustomerType",
    "MasterAccount",
    "StoreNumber",
    "CreditStatus",
    "CreditCheckFlag",
    "InvoiceCount",
    "Salesperson1",
    "Salesperson2",
    "Salesperson3",
    "PriceCode",
    "CustomerClass",
    "InvDiscCode",
    "LineDiscCode",
    "TaxExemptNumber",
    "SpecialInstrs",
    "PriceCategoryTable",
    "DateLastSale",
    "DateLastPay",
    "OutstOrdVal",
    "NumOutstOrd",
    "Telephone",
    "Contact",
    "AddTelephone",
    "Fax",
    "TelephoneExtn",
    "UserField1",
    "UserField2",
    "BuyingGroup1",
    "BuyingGroup2",
    "BuyingGroup3",
    "BuyingGroup4",
    "BuyingGroup5",
    "StatementReqd",
    "BackOrdReqd",
    "ShippingInstrs",
    "ShippingInstrsCod",
    "StateCode",
    "DateCustAdded",
    "IbtCustomer",
    "SoDefaultDoc",
    "CounterSlsOnly",
    "PaymentStatus",
    "Nationality",
    "HighestBalance",
    "InvCommentCode",
    "EdiSenderCode",
    "RelOrdOsValue",
    "EdiFlag",
    "SoDefaultType",
    "ApplyOrdDisc",
    "ApplyLineDisc",
    "FaxInvoices",
    "FaxStatements",
    "SoldToAddr1",
    "SoldToAddr2",
    "SoldToAddr3",
    "SoldToAddr3Loc",
    "SoldToAddr4",
    "SoldToAddr5",
    "SoldPostalCode",
    "SoldToGpsLat",
    "SoldToGpsLong",
    "ShipToAddr1",
    "ShipToAddr2",
    "ShipToAddr3",
    "ShipToAddr3Loc",
    "ShipToAddr4",
    "ShipToAddr5",
    "ShipPostalCode",
    "ShipToGpsLat",
    "ShipToGpsLong",
    "State",
    "CountyZip",
    "City",
    "DefaultOrdType",
    "CompanyTaxNumber",
    "DeliveryTerms",
    "QuotesAllowed",
    "QueryAllowed",
    "SalesWarehouse",
    "LanguageCode",
    "DetailMoveReqd",
    "WholeOrderShipFlag",
    "MinimumOrderValue",
    "UkVatFlag",
    "UkCurrency",
]


def order_header(order: SalesOrder) -> Shown:
    """A sales order as lists show it."""
    shown: Shown = dict(rendered(order))
    shown["SalesOrderDisplay"] = displayed(order.SalesOrder)
    shown["OrderStatusDesc"] = _STATUSES.get(order.OrderStatus, "")
    return shown


def sales_order(call: Call) -> Response:
    """Row 6: one sales order with its lines."""
    call.allow_query()
    order = call.store.orders.get(call.store.order_key(call.args[0]))
    if order is None:
        raise HarmonyError("NOT_FOUND", f"Sales order '{call.args[0]}' not found")
    lines = [{**rendered(line), "QtyInvoiced": plain(line.invoiced)} for line in order.lines]
    return Response(200, {**order_header(order), "SalesOrderLine": lines})


def customer_columns(store: Store, customer: Customer) -> Shown:
    """Every ArCustomer column; those never set are blank."""
    shown: Shown = dict.fromkeys(_CUSTOMER_COLUMNS, "")
    shown.update(rendered(customer))
    shown.update(customer.others)
    shown["Currency"] = store.currency_of(customer)
    return shown


def customer(call: Call) -> Response:
    """Row 16: one customer with its balances."""
    call.allow_query()
    store = call.store
    held = store.customers.get(store.customer_key(call.args[0]))
    if held is None:
        raise HarmonyError("NOT_FOUND", f"Customer '{call.args[0]}' not found")
    total = store.balances.get(held.Customer) or ZERO
    credit = store.credits.get(held.Customer) or ZERO
    balance = {
        "CurrentBalance1": plain(total), "CurrentBalance2": "0.00", "CurrentBalance3": "0.00",
        "ValCreditsInv": plain(credit), "ValCurrentInv": plain(total - credit),
        "Val30daysInv": "0.00", "Val60daysInv": "0.00", "Val90daysInv": "0.00", "Val120daysInv": "0.00",
        "ValFutureInv": "0.00",
    }  # fmt: skip
    return Response(200, {**customer_columns(store, held), "Balance": balance})


def stock_item(call: Call) -> Response:
    """Row 18: one stock code with its warehouses."""
    wanted = call.allow_query("Warehouse").get("Warehouse", "").strip().upper()
    store = call.store
    code = call.args[0].strip().upper()
    stock = store.stock.get(code)
    if stock is None:
        raise HarmonyError("NOT_FOUND", f"Stock code '{call.args[0]}' not found")
    items = [item for item in store.warehouse_items.by("StockCode", code) if wanted in {"", item.Warehouse}]
    return Response(
        200, {"StockItem": rendered(stock), "WarehouseItem": [_warehouse(store, item) for item in items]}
    )


def _warehouse(store: Store, item: WarehouseItem) -> Shown:
    return {
        **rendered(item),
        "Description": store.warehouses.get(item.Warehouse, ""),
        "AvailableQty": plain(item.QtyOnHand - item.QtyAllocated),
    }


def ar_journal(call: Call) -> Response:
    """Row 9: the movements of one AR cash journal."""
    call.allow_query()
    year, month, number = call.args
    key = f"{year}|{month.zfill(2)}|{number.zfill(10)}"
    rows = call.store.movements.by("Journal", key)
    shown = [rendered(row) for row in rows if row.TrnType in {"P", "A"}]
    if not shown:
        raise HarmonyError("NOT_FOUND", f"AR cash journal '{year}/{month}/{number}' not found")
    ident = {"TrnYear": year, "TrnMonth": month.zfill(2), "Journal": number.zfill(10)}
    return Response(200, {"Key": ident, "Items": shown, "RowsReturned": len(shown), "NextStartAt": None})


def invoice_item(store: Store, invoice: ArInvoice) -> Shown:
    """An AR document with its movements."""
    key = document_key(invoice.Customer, invoice.Invoice, invoice.DocumentType)
    payments = [rendered(row) for row in store.movements.by("Document", key)]
    return {**rendered(invoice), "CreditedInvoice": invoice.credited_invoice, "Payments": payments}


def journal_item(journal: Journal) -> Shown:
    """A general journal with its lines, each with the signed twin of its value."""
    shown: Shown = dict(rendered(journal))
    shown["Key"] = {name: shown.pop(name) for name in ("GlYear", "GlPeriod", "GlJournal")}
    shown["JournalDetails"] = [
        {**rendered(line), "EntryAmount": plain(line.amount)} for line in journal.lines
    ]
    return shown


def gl_journal(call: Call) -> Response:
    """Row 14: one journal."""
    call.allow_query()
    year, period, number = call.args
    journal = call.store.journals.get(f"{year}|{period.zfill(2)}|{number.zfill(10)}")
    if journal is None:
        raise HarmonyError("NOT_FOUND", f"Journal '{year}/{period}/{number}' not found")
    return Response(200, journal_item(journal))


def gl_account(call: Call) -> Response:
    """Row 15: one ledger account."""
    call.allow_query()
    account = call.store.gl_accounts.get(call.args[0].strip().upper())
    if account is None:
        raise HarmonyError("NOT_FOUND", f"Ledger code '{call.args[0]}' not found")
    year, period = call.store.month_of("C").split("-")
    return Response(200, {**rendered(account), "GlYear": year, "GlPeriod": period})


def validate_account(call: Call) -> Response:
    """Row 15: whether a ledger account may be posted to or queried."""
    asked = flat(call.request.body, shapes.VALIDATE_ACCOUNT)
    code = str(asked.get("LedgerCode", "")).strip().upper()
    account = call.store.gl_accounts.get(code)
    if account is None:
        raise HarmonyError("VALIDATION_FAILED", f"Ledger code '{code}' not found")
    if asked.get("ValidateFlags", "Y") != "N" and account.AccOnHldFlag == "Y":
        raise HarmonyError("BUSINESS_REJECTED", f"Ledger code '{code}' is on hold")
    return Response(200, rendered(account))


def currency(call: Call) -> Response:
    """Row 20: one currency with its book rates."""
    call.allow_query()
    held = call.store.currencies.get(call.args[0].strip().upper())
    if held is None:
        raise HarmonyError("NOT_FOUND", f"Currency '{call.args[0]}' not found")
    return Response(200, rendered(held))
