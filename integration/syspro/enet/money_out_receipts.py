"""From the answers to postings of money out to their keys and details."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from integration.canonical.documents import MoneyOut
from integration.canonical.documents_money_out import (
    ArAdjustment,
    CashTransaction,
    CreditNoteOrder,
    MiscellaneousReceipt,
    OrderInvoice,
)
from integration.syspro.enet.parsing import first, text_of
from integration.syspro.enet.values import journal_key
from integration.syspro.keys import bare

_CREDIT_NOTE = ("CreditNoteCreated", "InvoiceNumber", "SalesOrder", "Customer", "DispatchNote")
_ORDER_INVOICE = ("InvoiceNumber", "SalesOrder", "TrnYear", "TrnMonth", "Register")
# The whole key: the only handle for reconciling the transaction later.
_CASH = ("Bank", "CbTrnYear", "CbTrnMonth", "Journal", "EntryNumber", "CbTrnDate", "CbTrnTime")


def key_of(document: MoneyOut, root: etree._Element) -> str | None:
    """SYSPRO's key of what was posted; `None` when the answer tells none."""
    key = first(root, "Key")
    match document:
        case CreditNoteOrder():
            return _number(text_of(key, "CreditNoteCreated"))
        case OrderInvoice():
            return _number(text_of(key, "InvoiceNumber"))
        case ArAdjustment() | MiscellaneousReceipt():
            return _journal(key, "TrnYear", "TrnMonth")
        case CashTransaction():
            journal = _journal(key, "CbTrnYear", "CbTrnMonth")
            return f"{text_of(key, 'Bank') or document.bank}/{journal}" if journal else None


def details_of(document: MoneyOut, root: etree._Element) -> Mapping[str, str]:
    """Every part of the key by SYSPRO's name, as text, and the GL journal that was made."""
    key = first(root, "Key")
    told = {name: text_of(key, name) for name in _names(document)}
    journal = text_of(first(root, "GlJournal"), "GlJournal")
    if journal:
        ledger = first(root, "GlJournal")
        told["GlJournal"] = journal_key(text_of(ledger, "GlYear"), text_of(ledger, "GlPeriod"), journal)
    return {name: value for name, value in told.items() if value}


def _names(document: MoneyOut) -> tuple[str, ...]:
    match document:
        case CreditNoteOrder():
            return _CREDIT_NOTE
        case OrderInvoice():
            return _ORDER_INVOICE
        case CashTransaction():
            return _CASH
        case ArAdjustment() | MiscellaneousReceipt():
            return ()


def _number(text: str) -> str | None:
    return bare(text) if text else None


def _journal(key: etree._Element | None, year: str, month: str) -> str | None:
    number = text_of(key, "Journal")
    return journal_key(text_of(key, year), text_of(key, month), number) if number else None
