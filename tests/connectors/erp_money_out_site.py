"""Documents of money out for the company of `erp_site`, and what must be there before they can be posted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from integration.canonical.documents import ErpDocument
from integration.canonical.documents_money_out import (
    ArAdjustment,
    CashTransaction,
    CreditedLine,
    CreditNoteOrder,
    InvoiceToAdjust,
    LedgerDistribution,
    MiscellaneousReceipt,
    OrderInvoice,
)
from integration.canonical.money import Money
from integration.ports import ERP
from integration.sandbox.syspro import clerk
from integration.sandbox.syspro.invariants import broken_invariants
from tests.connectors.erp_site import TODAY, Site, gbp, order

REFUND_CLEARING = "00-2300"
CLEARING_BANK = "OC"


def credit_note(invoice: str, *lines: int, reference: str = "CN1") -> CreditNoteOrder:
    """Goods of an invoice come back: some lines, or all."""
    return CreditNoteOrder(
        reference=reference,
        customer="0000001",
        invoice_number=invoice,
        lines=tuple(CreditedLine(line_number=line) for line in lines),
        document_date=TODAY,
    )


def completion(number: str, kind: str = "I", reference: str = "SOI1") -> OrderInvoice:
    """An order, or a credit-note order, becomes an AR document."""
    return OrderInvoice(
        reference=reference,
        sales_order=number,
        order_type="C" if kind == "C" else "I",
        invoice_date=TODAY,
    )


def adjustment(invoice: str, minor: int, kind: str = "C", reference: str = "ADJ1") -> ArAdjustment:
    """A balance moves to refund-clearing."""
    part = InvoiceToAdjust(
        invoice=invoice,
        adjustment_value=gbp(minor),
        transaction_type="C" if kind == "C" else "I",
        adjustment_ledger_code=REFUND_CLEARING,
        journal_notation="Refund of WEB-1",
    )
    return ArAdjustment(reference=reference, customer="0000001", invoices=(part,), bank=CLEARING_BANK)


def receipt(minor: int = -2_500, reference: str = "MISC1") -> MiscellaneousReceipt:
    """Money out of the clearing bank, the negative way."""
    return MiscellaneousReceipt(
        reference=reference,
        bank=CLEARING_BANK,
        miscellaneous_receipt_value=gbp(minor),
        credit_ledger_code=REFUND_CLEARING,
        miscellaneous_receipt_date=TODAY,
        journal_notation="Refund of WEB-1",
    )


def withdrawal(minor: int = 2_500, reference: str = "CASH1", fee: int = 0) -> CashTransaction:
    """Money out of the clearing bank, with a fee where there is one."""
    parts = [
        LedgerDistribution(ledger_code=REFUND_CLEARING, ledger_value=gbp(minor), ledger_notation="Refund")
    ]
    if fee:
        parts.append(LedgerDistribution(ledger_code="30-6200", ledger_value=gbp(fee)))
    return CashTransaction(
        reference=reference,
        bank=CLEARING_BANK,
        deposit_or_withdrawal="W",
        transaction_value=gbp(minor + fee),
        ledger_distribution=tuple(parts),
        transaction_date=TODAY,
        narration="Refund of WEB-1",
    )


# --- what must be there first ---------------------------------------------------------------------


async def an_invoiced_order(site: Site, erp: ERP) -> tuple[str, str]:
    """An order that was shipped and invoiced by a clerk: its number and its invoice's, as stored."""
    posted = await erp.post(order(), "o")
    made = clerk.invoice(site.sandbox.store, clerk.Invoice(SalesOrder=posted.key))
    return str(made["SalesOrder"]), str(made["InvoiceNumber"])


async def a_shipped_order(site: Site, erp: ERP) -> ErpDocument:
    posted = await erp.post(order(), "o")
    clerk.ship(site.sandbox.store, clerk.Ship(SalesOrder=posted.key))
    return completion(posted.key)


async def a_credited_invoice(site: Site, erp: ERP) -> ErpDocument:
    _, invoice = await an_invoiced_order(site, erp)
    return credit_note(invoice, 1)


async def a_credit_to_adjust(site: Site, erp: ERP) -> ErpDocument:
    _, invoice = await an_invoiced_order(site, erp)
    made = clerk.raise_credit_note(
        site.sandbox.store, clerk.RaiseCreditNote(Invoice=invoice, Value="12.00", OnInvoice=False)
    )
    return adjustment(str(made["Invoice"]), 1_200)


async def nothing(site: Site, erp: ERP) -> ErpDocument:
    return withdrawal()


async def nothing_either(site: Site, erp: ERP) -> ErpDocument:
    return receipt()


PREPARED: dict[str, Callable[[Site, ERP], Awaitable[ErpDocument]]] = {
    "order_invoice": a_shipped_order,
    "credit_note": a_credited_invoice,
    "ar_adjustment": a_credit_to_adjust,
    "cash_transaction": nothing,
    "misc_receipt": nothing_either,
}
"""By kind: makes what a document needs in the company, and the document."""


# --- the books ------------------------------------------------------------------------------------


def balance(site: Site, account: str) -> Money:
    """A ledger account's balance, debits positive."""
    row = next(each for each in site.books("gl_accounts") if each["LedgerCode"] == account)
    return Money.parse(str(row["CurrentBalance"]), "GBP")


def sound(site: Site) -> bool:
    """Whether every invariant of the company's books holds."""
    assert broken_invariants(site.sandbox.store) == []
    return True
