"""The ERP documents by which money leaves again: credit notes of orders, adjustments, cash-book transactions.

Members carry SYSPRO's element names in snake case, as in `integration.canonical.documents`. `reference` is
ours, at most 30 characters, and no other document's: two steps of one refund have two references, or one would be
found for the other. Where the business object has no element for it, the document says by what it is found.
`None` appears only in documents read back, for members the transport does not tell.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from integration.canonical.money import Money, total


class CreditedLine(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A line of the invoice whose goods come back, whole: SORTCI knows no part of a line.

    Attributes:
        line_number: the sales-order line as SYSPRO numbers it (`SalesOrderLine` of the order read back).
        dispatch_note, dispatch_line_number: for sites that invoice from dispatch notes.
    """

    line_number: int
    dispatch_note: str | None = ""
    dispatch_line_number: int | None = None


class CreditNoteOrder(Struct, frozen=True, kw_only=True, rename="pascal"):
    """SORTCI: a credit-note *order* for goods of an invoice that come back; `OrderInvoice` makes it an AR credit.

    SORTCI has no element for a reference of ours, so a note that SYSPRO numbered is found by inference
    (`Stored.certain` is false): a live order of the customer, of type C, that credits exactly these lines of the
    order. Only one with a `credit_note_number` of our own is found for certain.

    Attributes:
        reference: ours; it is not sent.
        invoice_number: of the invoice that is credited.
        sales_order: the order the invoice was made from; empty is looked up.
        lines: empty credits the whole invoice.
        credit_note_number: only where the site lets numbers be chosen; empty lets SYSPRO number it.
        document_date: the earliest day the note can be of; it bounds the look-back, and e.net sends it.
    """

    reference: str
    customer: str
    invoice_number: str
    sales_order: str | None = ""
    credit_reason: str | None = ""
    lines: tuple[CreditedLine, ...] | None = ()
    credit_note_number: str | None = ""
    document_date: date | None = None


class OrderInvoice(Struct, frozen=True, kw_only=True, rename="pascal"):
    """SORTIC: completes an order that is ready (status 8), or a credit-note order, into an AR document.

    SORTIC has no element for a reference of ours; the order's number is the natural key, since an order at
    status 8 was not invoiced, and one that is complete names its last invoice. An order that left status 8 without
    being complete was invoiced in part: its last invoice is found by inference.

    Attributes:
        reference: ours; it is not sent.
        order_type: `I` an invoice, `C` the credit note of a credit-note order, `D` a debit note.
        posting_period: the relative period (current, previous, before); `None` is the site's.
    """

    reference: str
    sales_order: str
    order_type: Literal["I", "C", "D"] = "I"
    invoice_date: date | None = None
    posting_period: Literal["C", "P", "B"] | None = None


class InvoiceToAdjust(Struct, frozen=True, kw_only=True, rename="pascal"):
    """One document to adjust.

    Attributes:
        transaction_type: the document's own type; unapplied cash (`_CRD…`) is `I`.
        adjustment_value: signed, not zero, in the customer's currency, added to the balance: a credit of −12.00 is
            brought to zero by 12.00.
        adjustment_ledger_code: the other side; empty is SYSPRO's payments interface.
        journal_notation: empty sends the document's reference, for SYSPRO wants one.
    """

    invoice: str
    adjustment_value: Money
    transaction_type: Literal["I", "C", "D"] = "I"
    adjustment_ledger_code: str | None = ""
    journal_notation: str | None = ""


class ArAdjustment(Struct, frozen=True, kw_only=True, rename="pascal"):
    """ARSTPY `Adjustments`: changes balances of one customer's documents; refused while the customer is on hold.

    Attributes:
        reference: ours, `InvoiceToAdjust/Reference` of every line, kept in `ArInvoicePay`.
        bank: SYSPRO's bank code, empty for the operator's; no money moves.
        posting_period: the relative period (current, previous, before); `None` is the site's.
    """

    reference: str
    customer: str
    invoices: tuple[InvoiceToAdjust, ...]
    bank: str | None = ""
    payment_type: str | None = "O"
    posting_period: Literal["C", "P", "B"] | None = None


class MiscellaneousReceipt(Struct, frozen=True, kw_only=True, rename="pascal"):
    """ARSTPY `MiscellaneousReceipt`: money with no customer. Negative is money out: SYSPRO warns, and takes it.

    It is looked for under our reference in the general ledger, then in the cash book of its bank. A site that
    integrates AR to both in summary shows it in neither.

    Attributes:
        reference: ours.
        bank: SYSPRO's bank code.
        miscellaneous_receipt_value: signed, not zero; local currency.
        credit_ledger_code: the account credited by a positive value, debited by a negative one.
        debit_ledger_code: the other side; empty is the bank's own account.
        posting_period: the relative period (current, previous, before); `None` is the site's.
    """

    reference: str
    bank: str
    miscellaneous_receipt_value: Money
    credit_ledger_code: str
    debit_ledger_code: str | None = ""
    miscellaneous_receipt_date: date | None = None
    journal_notation: str | None = ""
    branch: str | None = ""
    payment_type: str | None = "O"
    posting_period: Literal["C", "P", "B"] | None = None

    @property
    def is_money_out(self) -> bool:
        """Whether SYSPRO will warn of a negative value."""
        return self.miscellaneous_receipt_value.minor < 0


class LedgerDistribution(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A part of a cash-book transaction on a ledger account; positive, whatever the direction."""

    ledger_code: str
    ledger_value: Money
    ledger_notation: str = ""
    ledger_tax_code: str = ""


class CashTransaction(Struct, frozen=True, kw_only=True, rename="pascal"):
    """CSHTWD: a deposit into a bank, or a withdrawal from it, distributed over ledger accounts.

    Found by `CSHQRY`: the bank's rows of our reference. The cash book does not tell the distribution.

    Attributes:
        reference: ours, at most 30 characters.
        deposit_or_withdrawal: `D` or `W`.
        transaction_value: positive, in the bank's currency; the distribution must sum to it.
        withdrawal_type: `M` manual, `E` by EFT, `N` none; withdrawals only.
        posting_period: the relative period (current, previous, before); `None` is the site's.
    """

    reference: str
    bank: str
    deposit_or_withdrawal: Literal["D", "W"]
    transaction_value: Money
    ledger_distribution: tuple[LedgerDistribution, ...] | None
    transaction_date: date | None = None
    narration: str | None = ""
    withdrawal_type: str | None = "M"
    posting_period: Literal["C", "P", "B"] | None = None

    def undistributed(self) -> Money:
        """What the distribution leaves of the value; zero in a transaction that may be posted.

        Raises:
            ValueError: a part is in another currency.
        """
        parts = [part.ledger_value for part in self.ledger_distribution or ()]
        return self.transaction_value - total(parts, self.transaction_value.currency)
