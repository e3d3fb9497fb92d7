"""Where each kind of document lives on the façade."""

from __future__ import annotations

from urllib.parse import quote

from msgspec import Struct


class Endpoint(Struct, frozen=True):
    """Where a kind of document lives, and which business object SYSPRO does the work with."""

    path: str
    business_object: str
    noun: str


SALES_ORDER = Endpoint("/SalesOrder", "SORTOI", "sales order")
PAYMENT = Endpoint("/AccountsReceivable/Payment", "ARSTPY", "AR payment")
INVOICE = Endpoint("/AccountsReceivable/Invoice", "ARSTIN", "AR document")
JOURNAL = Endpoint("/GeneralLedger/JournalEntry", "GENTJL", "GL journal")
CREDIT_NOTE = Endpoint("/AccountsReceivable/CreditNote", "SORTCI", "credit note")
ADJUSTMENT = Endpoint(PAYMENT.path, PAYMENT.business_object, "AR adjustment")
RECEIPT = Endpoint(PAYMENT.path, PAYMENT.business_object, "miscellaneous receipt")
CASH = Endpoint("/CashBook/Transaction", "CSHTWD", "cash-book transaction")
BANK = Endpoint("/CashBook/Bank", "CSHQ45", "bank")
CUSTOMER = Endpoint("/Customer", "ARSSCS", "customer")


def order_path(number: str, action: str = "") -> str:
    """The path of one sales order, or of something to be done with it."""
    path = f"{SALES_ORDER.path}/{quote(number, safe='')}"
    return f"{path}/{action}" if action else path


def invoicing(number: str) -> Endpoint:
    """Where one sales order is invoiced."""
    return Endpoint(order_path(number, "Invoice"), "SORTIC", "invoice of the order")


def order_status(number: str) -> Endpoint:
    """Where one sales order is moved on."""
    return Endpoint(order_path(number, "Status"), "SORTOS", "order status")
