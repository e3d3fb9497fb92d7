"""From the answer to a posting to its receipt, or to the error that says why there is none."""

from __future__ import annotations

from collections.abc import Mapping

from integration.canonical.documents import (
    ArInvoice,
    ArPayment,
    ErpDocument,
    Receipt,
    SalesOrder,
    kind_of,
)
from integration.canonical.documents_money_out import (
    ArAdjustment,
    CashTransaction,
    CreditNoteOrder,
    MiscellaneousReceipt,
    OrderInvoice,
)
from integration.canonical.journal import GlJournal
from integration.errors import OutcomeUnknown
from integration.http import Answer
from integration.syspro.harmony.money_out_receipts import receipt_of_invoiced, receipt_of_made
from integration.syspro.harmony.schema import GlJournalState, PostedItem, PostingAnswer
from integration.syspro.harmony.values import journal_key
from integration.syspro.harmony.wire import Context, content, finding_of, was_replayed
from integration.syspro.keys import bare
from integration.syspro.refusals import refused

POSTED = "POSTED"


def receipt_of(answer: Answer, document: ErpDocument, context: Context) -> Receipt | None:
    """The receipt of a posting; `None` when SYSPRO took a sales order and did not say its number.

    Raises:
        IntegrationError: SYSPRO refused it, or the answer leaves open whether it did.
    """
    if isinstance(document, OrderInvoice):
        return receipt_of_invoiced(answer, document, context)
    if isinstance(document, CreditNoteOrder | CashTransaction):
        return receipt_of_made(answer, document, context)
    told = content(answer, PostingAnswer, context)
    if len(told.items) != 1:
        raise _open(context, f"the answer tells of {len(told.items)} items, not of one")
    item = told.items[0]
    findings = [finding_of(error) for error in item.errors]
    if findings and item.status != POSTED:
        raise refused(findings, context.about, context.business_object, context.rules)
    if item.status != POSTED:
        raise _open(context, f"its item has the status {item.status or 'none'}")
    key = _key(document, item)
    if key is None and isinstance(document, SalesOrder):
        return None
    if key is None:
        raise _open(context, "it told no key")
    ledger = told.status_of_items.gl_journal
    return Receipt(
        kind=kind_of(document),
        reference=document.reference,
        key=key,
        details={**_details(item), **_ledger_details(ledger)},
        warnings=(*warnings_of(item), *_ledger_warnings(ledger)),
        adopted=was_replayed(answer),
    )


def warnings_of(item: PostedItem) -> tuple[str, ...]:
    """SYSPRO's warnings, as text."""
    texts = (warning.warning_description or warning.error_description for warning in item.warnings)
    return tuple(text for text in texts if text)


def _open(context: Context, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"SYSPRO answered that it took {context.about.what}, but {why}", code="syspro.outcome-unknown"
    )


def _key(document: ErpDocument, item: PostedItem) -> str | None:
    match document:
        case SalesOrder():
            return item.sales_order_display or bare(item.sales_order) if item.sales_order.strip() else None
        case ArPayment() | ArAdjustment() | MiscellaneousReceipt():
            return _joined(item.key.trn_year, item.key.trn_month, item.key.journal)
        case ArInvoice():
            return bare(item.invoice) if item.invoice.strip() else None
        case GlJournal():
            return _joined(item.key.gl_year, item.key.gl_period, item.key.gl_journal)
        case _:
            return None


def _joined(year: str, month: str, journal: str) -> str | None:
    return journal_key(year, month, journal) if journal.strip() else None


def _details(item: PostedItem) -> Mapping[str, str]:
    told = {
        "SalesOrder": item.sales_order,
        "Customer": item.customer,
        "DocumentType": item.document_type,
        "JnlStatus": item.jnl_status,
        "UnappliedInvoice": ",".join(each.invoice for each in item.unapplied_invoices),
    }
    return {name: value for name, value in told.items() if value}


def _ledger_details(ledger: GlJournalState) -> Mapping[str, str]:
    key = _joined(ledger.gl_year, ledger.gl_period, ledger.gl_journal)
    told = {
        "GlJournal": key or "",
        "GlJournalError": ledger.gl_journal_error,
        "GlJournalMessage": ledger.gl_journal_message,
    }
    return {name: value for name, value in told.items() if value}


def _ledger_warnings(ledger: GlJournalState) -> tuple[str, ...]:
    """AR is posted and the general ledger is not: the receipt stands, and somebody must finish the journal."""
    if not ledger.gl_journal_error and not ledger.gl_journal_message:
        return ()
    said = ledger.gl_journal_message or ledger.gl_journal_error
    return (f"The AR posting stands, but its GL journal failed: {said}. Post it in SYSPRO with ARSTGP.",)
