"""Documents of money out in the façade's form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

from integration.canonical.documents import MoneyOut
from integration.canonical.documents_money_out import (
    ArAdjustment,
    CashTransaction,
    CreditNoteOrder,
    MiscellaneousReceipt,
    OrderInvoice,
)
from integration.syspro.harmony.endpoints import ADJUSTMENT, CASH, CREDIT_NOTE, RECEIPT, Endpoint, invoicing
from integration.syspro.limits import fitted, money_text
from integration.syspro.sent_values import refuse_undistributed

Json: TypeAlias = Mapping[str, "str | Json | list[Json]"]


def money_out_endpoint(document: MoneyOut) -> Endpoint:
    """Where a document is posted."""
    match document:
        case CreditNoteOrder():
            return CREDIT_NOTE
        case OrderInvoice():
            return invoicing(fitted("SalesOrder", document.sales_order))
        case ArAdjustment():
            return ADJUSTMENT
        case MiscellaneousReceipt():
            return RECEIPT
        case CashTransaction():
            return CASH


def money_out_request(document: MoneyOut, period: str) -> Json:
    """The request that posts a document; `period` is the site's relative one, where the document names none.

    Raises:
        UnmappedField: a value does not fit its element, or a transaction is not distributed.
    """
    if not isinstance(document, CreditNoteOrder):
        period = document.posting_period or period
    match document:
        case CreditNoteOrder():
            return _posting({"PostingPeriod": period}, _credit_note(document))
        case OrderInvoice():
            invoiced = {"OrderType": document.order_type, "PostingPeriod": period}
            return _filled({**invoiced, "InvoiceDate": _day(document.invoice_date)})
        case ArAdjustment():
            return _posting(_payment_parameters(period), {"Adjustments": _adjustments(document)})
        case MiscellaneousReceipt():
            parameters = _payment_parameters(period)
            if document.is_money_out:
                # SYSPRO warns of every negative receipt, and a warning would refuse it.
                parameters["IgnoreWarnings"] = "Y"
            return _posting(parameters, {"MiscellaneousReceipt": _receipt(document)})
        case CashTransaction():
            return _posting(
                {"PostingPeriod": period, "IgnoreAnalysis": "Y"}, {"AddTransaction": _cash(document)}
            )


def _posting(parameters: Mapping[str, str], item: Json) -> Json:
    common = {"IgnoreWarnings": "N", "ApplyIfEntireDocumentValid": "Y", "ValidateOnly": "N"}
    return {"Parameters": {**common, **parameters}, "Items": [item]}


def _payment_parameters(period: str) -> dict[str, str]:
    return {
        "PostingPeriod": period,
        "AutoCorrectPaymentValue": "N",
        "IntegrateToCashBookInDetail": "N",
        "AutoCalculateTax": "N",
        "IgnoreAnalysis": "Y",
    }


def _filled(elements: Json) -> Json:
    return {name: value for name, value in elements.items() if value}


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


def _credit_note(note: CreditNoteOrder) -> Json:
    lines: list[Json] = [
        _filled(
            {
                "LineNumber": str(line.line_number),
                "DispatchNote": fitted("DispatchNote", line.dispatch_note),
                "DispatchLineNumber": str(line.dispatch_line_number or ""),
            }
        )
        for line in note.lines or ()
    ]
    return _filled(
        {
            "CreditNoteNumber": fitted("CreditNoteNumber", note.credit_note_number),
            "InvoiceNumber": fitted("InvoiceNumber", note.invoice_number),
            "Customer": fitted("Customer", note.customer),
            "SalesOrder": fitted("SalesOrder", note.sales_order),
            "CreditReason": fitted("CreditReason", note.credit_reason),
            "Lines": lines,
        }
    )


def _adjustments(adjustment: ArAdjustment) -> Json:
    invoices: list[Json] = [
        _filled(
            {
                "TransactionType": each.transaction_type,
                "Invoice": fitted("Invoice", each.invoice),
                "AdjustmentValue": money_text("AdjustmentValue", each.adjustment_value),
                "Reference": fitted("Reference", adjustment.reference),
                "AdjustmentLedgerCode": fitted("AdjustmentLedgerCode", each.adjustment_ledger_code),
                "JournalNotation": fitted("JournalNotation", each.journal_notation or adjustment.reference),
            }
        )
        for each in adjustment.invoices
    ]
    return _filled(
        {
            "Customer": fitted("Customer", adjustment.customer),
            "Bank": fitted("Bank", adjustment.bank),
            "PaymentType": adjustment.payment_type or "",
            "InvoiceToAdjust": invoices,
        }
    )


def _receipt(receipt: MiscellaneousReceipt) -> Json:
    value = money_text("MiscellaneousReceiptValue", receipt.miscellaneous_receipt_value)
    return _filled(
        {
            "Bank": fitted("Bank", receipt.bank),
            "Branch": fitted("Branch", receipt.branch),
            "MiscellaneousReceiptValue": value,
            "Reference": fitted("Reference", receipt.reference),
            "MiscellaneousReceiptDate": _day(receipt.miscellaneous_receipt_date),
            "DebitLedgerCode": fitted("DebitLedgerCode", receipt.debit_ledger_code),
            "CreditLedgerCode": fitted("CreditLedgerCode", receipt.credit_ledger_code),
            "JournalNotation": fitted("JournalNotation", receipt.journal_notation or receipt.reference),
            "PaymentType": receipt.payment_type or "",
        }
    )


def _cash(transaction: CashTransaction) -> Json:
    refuse_undistributed(transaction)
    parts: list[Json] = [
        _filled(
            {
                "LedgerCode": fitted("LedgerCode", part.ledger_code),
                "LedgerTaxCode": fitted("LedgerTaxCode", part.ledger_tax_code),
                "LedgerNotation": fitted("LedgerNotation", part.ledger_notation),
                "LedgerValue": money_text("LedgerValue", part.ledger_value),
            }
        )
        for part in transaction.ledger_distribution or ()
    ]
    withdrawn = transaction.deposit_or_withdrawal == "W"
    return _filled(
        {
            "Bank": fitted("Bank", transaction.bank),
            "DepositOrWithdrawal": transaction.deposit_or_withdrawal,
            "Reconciled": "N",
            "Reference": fitted("Reference", transaction.reference),
            "TransactionValue": money_text("TransactionValue", transaction.transaction_value),
            "TransactionDate": _day(transaction.transaction_date),
            "Narration": fitted("Narration", transaction.narration),
            "WithdrawalType": (transaction.withdrawal_type or "") if withdrawn else "",
            # Inclusive: the parts are what was distributed, tax in them, so nothing is added to them.
            "TaxBasis": "I",
            "LedgerDistribution": parts,
        }
    )
