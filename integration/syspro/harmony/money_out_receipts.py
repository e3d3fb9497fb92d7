"""From the façade's answers to postings of money out to their receipts."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from integration.canonical.documents import MoneyOut, Receipt, kind_of
from integration.canonical.documents_money_out import CashTransaction, CreditNoteOrder, OrderInvoice
from integration.errors import OutcomeUnknown
from integration.http import Answer
from integration.syspro.harmony.schema import GlJournalState, ItemError, ItemWarning
from integration.syspro.harmony.values import journal_key
from integration.syspro.harmony.wire import Context, content, finding_of, was_replayed
from integration.syspro.keys import bare
from integration.syspro.refusals import refused

_POSTED = "POSTED"


class CashKey(Struct, frozen=True, kw_only=True, rename="pascal"):
    """SYSPRO's key of a cash-book transaction: the only handle for reconciling it later."""

    bank: str = ""
    cb_trn_year: str = ""
    cb_trn_month: str = ""
    journal: str = ""
    entry_number: str = ""
    cb_trn_date: str = ""
    cb_trn_time: str = ""
    gl_journal: GlJournalState = GlJournalState()


class MadeItem(Struct, frozen=True, kw_only=True, rename="pascal"):
    """What became of a credit note or a cash-book transaction."""

    status: str = ""
    errors: list[ItemError] = []
    warnings: list[ItemWarning] = []
    credit_note_created: str = ""
    invoice_number: str = ""
    sales_order: str = ""
    customer: str = ""
    key: CashKey = CashKey()


class Made(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The answer to a posting of one of them."""

    items: list[MadeItem]


class Invoiced(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The answer to the invoicing of an order, which has no items."""

    sales_order: str = ""
    invoice_number: str = ""
    trn_year: str = ""
    trn_month: str = ""
    register: str = ""
    gl_journal: GlJournalState = GlJournalState()


def receipt_of_made(answer: Answer, document: CreditNoteOrder | CashTransaction, context: Context) -> Receipt:
    """The receipt of a credit note or of a cash-book transaction.

    Raises:
        IntegrationError: SYSPRO refused it, or the answer leaves open whether it did.
    """
    told = content(answer, Made, context)
    item = told.items[0] if len(told.items) == 1 else MadeItem()
    if item.errors and item.status != _POSTED:
        findings = [finding_of(error) for error in item.errors]
        raise refused(findings, context.about, context.business_object, context.rules)
    key = _made_key(document, item) if item.status == _POSTED else ""
    if not key:
        raise _open(context)
    details = _made_details(document, item)
    warnings = [warning.warning_description or warning.error_description for warning in item.warnings]
    return _receipted(document, key, details, answer, tuple(text for text in warnings if text))


def receipt_of_invoiced(answer: Answer, document: OrderInvoice, context: Context) -> Receipt:
    """The receipt of an order's invoicing.

    Raises:
        IntegrationError: SYSPRO refused it, or the answer leaves open whether it did.
    """
    told = content(answer, Invoiced, context)
    if not told.invoice_number.strip():
        raise _open(context)
    details = {
        "InvoiceNumber": told.invoice_number,
        "SalesOrder": told.sales_order,
        "TrnYear": told.trn_year,
        "TrnMonth": told.trn_month,
        "Register": told.register,
        "GlJournal": _ledger(told.gl_journal),
    }
    return _receipted(document, bare(told.invoice_number), details, answer, ())


def _receipted(
    document: MoneyOut, key: str, details: Mapping[str, str], answer: Answer, warnings: tuple[str, ...]
) -> Receipt:
    return Receipt(
        kind=kind_of(document),
        reference=document.reference,
        key=key,
        details={name: value for name, value in details.items() if value},
        warnings=warnings,
        adopted=was_replayed(answer),
    )


def _made_key(document: MoneyOut, item: MadeItem) -> str:
    if isinstance(document, CreditNoteOrder):
        return bare(item.credit_note_created) if item.credit_note_created.strip() else ""
    key = item.key
    return f"{key.bank}/{journal_key(key.cb_trn_year, key.cb_trn_month, key.journal)}" if key.journal else ""


def _made_details(document: MoneyOut, item: MadeItem) -> Mapping[str, str]:
    if isinstance(document, CreditNoteOrder):
        return {
            "CreditNoteCreated": item.credit_note_created,
            "InvoiceNumber": item.invoice_number,
            "SalesOrder": item.sales_order,
            "Customer": item.customer,
        }
    key = item.key
    return {
        "Bank": key.bank,
        "CbTrnYear": key.cb_trn_year,
        "CbTrnMonth": key.cb_trn_month,
        "Journal": key.journal,
        "EntryNumber": key.entry_number,
        "CbTrnDate": key.cb_trn_date,
        "CbTrnTime": key.cb_trn_time,
        "GlJournal": _ledger(key.gl_journal),
    }


def _ledger(state: GlJournalState) -> str:
    return journal_key(state.gl_year, state.gl_period, state.gl_journal) if state.gl_journal else ""


def _open(context: Context) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"SYSPRO answered that it took {context.about.what}, but told no key",
        code="syspro.outcome-unknown",
    )
