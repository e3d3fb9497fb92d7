"""The sandbox's books as its control interface shows them: for counting, not part of any SYSPRO face."""

from __future__ import annotations

from integration.sandbox.syspro.documents import ArPayment
from integration.sandbox.syspro.order_lines import order_value
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import plain, rendered

Row = dict[str, object]


def ledger(store: Store) -> dict[str, list[Row]]:
    """Everything posted: orders, AR payments and documents, journals, cash book, accounts; money as text.

    ``minor`` on a payment is its value in minor units; all currencies of the sandbox have two decimals.
    """
    return {
        "sales_orders": [_order(store, key) for key in store.orders.keys_after("")],
        "ar_payments": [_payment(row) for row in store.payments if row.Kind == "Payment"],
        "ar_others": [_payment(row) for row in store.payments if row.Kind != "Payment"],
        "invoices": [dict(rendered(invoice)) for invoice in store.invoices],
        "journals": [
            {**rendered(journal), "JournalDetails": [rendered(line) for line in journal.lines]}
            for journal in store.journals
        ],
        "cash_book": [dict(rendered(row)) for row in store.cash_book],
        "gl_accounts": [dict(rendered(account)) for account in store.gl_accounts],
    }


def _order(store: Store, key: str) -> Row:
    order = store.orders[key]
    net, tax = order_value(store, order)
    return {
        "SalesOrder": order.SalesOrder,
        "CustomerPoNumber": order.CustomerPoNumber,
        "Customer": order.Customer,
        "OrderStatus": order.OrderStatus,
        "CancelledFlag": order.CancelledFlag,
        "Currency": order.Currency,
        "OrderDate": order.OrderDate,
        "Value": plain(net),
        "TaxValue": plain(tax),
        "lines": len(order.lines),
    }


def _payment(payment: ArPayment) -> Row:
    shown: Row = dict(rendered(payment))
    shown["minor"] = int(payment.PaymentValue.scaleb(2))
    shown["Invoices"] = list(payment.invoices)
    return shown
