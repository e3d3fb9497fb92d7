"""Documents of money out in e.net's form: SORTCI, SORTIC, ARSTPY's other items, CSHTWD."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from integration.canonical.documents import ErpDocument, MoneyOut, SalesOrder
from integration.canonical.documents_money_out import (
    ArAdjustment,
    CashTransaction,
    CreditNoteOrder,
    MiscellaneousReceipt,
    OrderInvoice,
)
from integration.canonical.journal import GlJournal
from integration.syspro.enet.building import Part, Parts, filled
from integration.syspro.enet.key_widths import Widths
from integration.syspro.enet.objects import (
    ADJUSTMENT,
    CSHTWD,
    RECEIPT,
    SORTCI,
    SORTIC,
    BusinessObject,
)
from integration.syspro.limits import fitted, money_text
from integration.syspro.sent_values import refuse_undistributed

Pairs = Sequence[tuple[str, str]]


def object_of(document: MoneyOut) -> BusinessObject:
    """Which business object posts a document."""
    match document:
        case CreditNoteOrder():
            return SORTCI
        case OrderInvoice():
            return SORTIC
        case ArAdjustment():
            return ADJUSTMENT
        case MiscellaneousReceipt():
            return RECEIPT
        case CashTransaction():
            return CSHTWD


def own_parameters(kind: BusinessObject, period: str) -> Pairs:
    """The parameters of an object besides those that all have; `period` is the relative one."""
    if kind is SORTCI:
        return [("AddAttachedLines", "N"), ("AddZeroRemainingLines", "N")]
    if kind is SORTIC:
        return [("PostingPeriod", period), ("OrderType", "I"), ("InvoiceChgWithoutMerchLine", "Y")]
    return [("PostingPeriod", period), ("IgnoreAnalysis", "Y")]


def particular_parameters(document: ErpDocument) -> Pairs:
    """The parameters that a document itself decides; the site's settings do not overrule them."""
    own: tuple[tuple[str, str], ...]
    match document:
        case CreditNoteOrder():
            return _given(("DocumentDate", _day(document.document_date)))
        case SalesOrder() | GlJournal():
            return []
        case OrderInvoice():
            own = (("InvoiceDate", _day(document.invoice_date)), ("OrderType", document.order_type))
        case MiscellaneousReceipt() if document.is_money_out:
            # SYSPRO warns of every negative receipt, and a warning would refuse it.
            own = (("IgnoreWarnings", "Y"),)
        case _:
            own = ()
    return _given(*own, ("PostingPeriod", document.posting_period or ""))


def item_of(document: MoneyOut, widths: Widths) -> Parts:
    """The item of a document.

    Raises:
        UnmappedField: a value does not fit its element, or a transaction is not distributed.
    """
    match document:
        case CreditNoteOrder():
            return _credit_note(document, widths)
        case OrderInvoice():
            return [("SalesOrder", fitted("SalesOrder", document.sales_order))]
        case ArAdjustment():
            return [("Adjustments", _adjustments(document, widths))]
        case MiscellaneousReceipt():
            return [("MiscellaneousReceipt", _receipt(document))]
        case CashTransaction():
            return [("AddTransaction", _cash(document))]


def _given(*pairs: tuple[str, str]) -> Pairs:
    return [(name, value) for name, value in pairs if value]


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


def _credit_note(note: CreditNoteOrder, widths: Widths) -> Parts:
    parts: list[Part] = [
        ("CreditNoteNumber", fitted("CreditNoteNumber", note.credit_note_number)),
        ("InvoiceNumber", fitted("InvoiceNumber", widths.invoice(note.invoice_number))),
        ("Customer", fitted("Customer", widths.customer(note.customer))),
        ("SalesOrder", fitted("SalesOrder", note.sales_order)),
        ("CreditReason", fitted("CreditReason", note.credit_reason)),
    ]
    for line in note.lines or ():
        dispatched = line.dispatch_line_number
        value: Parts = filled(
            [
                ("LineNumber", str(line.line_number)),
                ("DispatchNote", fitted("DispatchNote", line.dispatch_note)),
                ("DispatchLineNumber", str(dispatched) if dispatched is not None else ""),
            ]
        )
        parts.append(("Lines", value))
    return filled(parts)


def _adjustments(adjustment: ArAdjustment, widths: Widths) -> Parts:
    parts: list[Part] = [
        ("Customer", fitted("Customer", widths.customer(adjustment.customer))),
        ("Bank", fitted("Bank", adjustment.bank)),
        ("PaymentType", adjustment.payment_type or ""),
    ]
    for each in adjustment.invoices:
        notation = each.journal_notation or adjustment.reference
        value: Parts = filled(
            [
                ("TransactionType", each.transaction_type),
                ("Invoice", fitted("Invoice", widths.invoice(each.invoice))),
                ("AdjustmentValue", money_text("AdjustmentValue", each.adjustment_value)),
                ("Reference", fitted("Reference", adjustment.reference)),
                ("AdjustmentLedgerCode", fitted("AdjustmentLedgerCode", each.adjustment_ledger_code)),
                ("JournalNotation", fitted("JournalNotation", notation)),
            ]
        )
        parts.append(("InvoiceToAdjust", value))
    return filled(parts)


def _receipt(receipt: MiscellaneousReceipt) -> Parts:
    value = money_text("MiscellaneousReceiptValue", receipt.miscellaneous_receipt_value)
    return filled(
        [
            ("Bank", fitted("Bank", receipt.bank)),
            ("Branch", fitted("Branch", receipt.branch)),
            ("MiscellaneousReceiptValue", value),
            ("Reference", fitted("Reference", receipt.reference)),
            ("MiscellaneousReceiptDate", _day(receipt.miscellaneous_receipt_date)),
            ("DebitLedgerCode", fitted("DebitLedgerCode", receipt.debit_ledger_code)),
            ("CreditLedgerCode", fitted("CreditLedgerCode", receipt.credit_ledger_code)),
            ("JournalNotation", fitted("JournalNotation", receipt.journal_notation or receipt.reference)),
            ("PaymentType", receipt.payment_type or ""),
        ]
    )


def _cash(transaction: CashTransaction) -> Parts:
    refuse_undistributed(transaction)
    withdrawn = transaction.deposit_or_withdrawal == "W"
    parts: list[Part] = [
        ("Bank", fitted("Bank", transaction.bank)),
        ("DepositOrWithdrawal", transaction.deposit_or_withdrawal),
        ("Reconciled", "N"),
        ("Reference", fitted("Reference", transaction.reference)),
        ("TransactionValue", money_text("TransactionValue", transaction.transaction_value)),
        ("TransactionDate", _day(transaction.transaction_date)),
        ("Narration", fitted("Narration", transaction.narration)),
        ("WithdrawalType", (transaction.withdrawal_type or "") if withdrawn else ""),
        # Inclusive: the parts are what was distributed, tax in them, so nothing is added to them.
        ("TaxBasis", "I"),
    ]
    for part in transaction.ledger_distribution or ():
        value: Parts = filled(
            [
                ("LedgerCode", fitted("LedgerCode", part.ledger_code)),
                ("LedgerTaxCode", fitted("LedgerTaxCode", part.ledger_tax_code)),
                ("LedgerNotation", fitted("LedgerNotation", part.ledger_notation)),
                ("LedgerValue", money_text("LedgerValue", part.ledger_value)),
            ]
        )
        parts.append(("LedgerDistribution", value))
    return filled(parts)
