"""The ERP documents a payment becomes: sales order, AR payment, AR invoice or credit memo; and their union.

Members carry SYSPRO's own element names in snake case (`customer_po_number` is `CustomerPoNumber`), because
that is what people look for on SYSPRO's screens; the values are typed, and no transport's habits are in them.
Text is empty when SYSPRO's default shall apply. `None` appears only in documents *read back*, for members the
transport does not tell, so that "not told" is never mistaken for "dropped".
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from integration.canonical.documents_money_out import (
    ArAdjustment,
    CashTransaction,
    CreditNoteOrder,
    MiscellaneousReceipt,
    OrderInvoice,
)
from integration.canonical.journal import GlJournal
from integration.canonical.money import Money

DocumentKind = Literal[
    "sales_order",
    "order_invoice",
    "ar_invoice",
    "ar_payment",
    "credit_note",
    "ar_adjustment",
    "misc_receipt",
    "cash_transaction",
    "gl_journal",
]


class SalesOrderLine(Struct, frozen=True, kw_only=True, rename="pascal"):
    """One line of a sales order, in its place among the others.

    Attributes:
        kind: `stock`, `freight`, `charge` (miscellaneous) or `comment`.
        customer_po_line: 1 to 9999; lines of all kinds share the numbering.
        order_qty: exact decimal, at most six decimals.
        price: net unit price in major units of the order's currency, at most five decimals.
        value: freight or miscellaneous charge, net; vouchers are negative.
        tax_code: SYSPRO's tax code, empty for the stock item's own.
        product_class: needed by miscellaneous charges without a charge code.
    """

    kind: Literal["stock", "freight", "charge", "comment"]
    customer_po_line: int
    stock_code: str | None = ""
    stock_description: str | None = ""
    warehouse: str | None = ""
    order_qty: Decimal | None = None
    order_uom: str | None = ""
    price: Decimal | None = None
    value: Money | None = None
    tax_code: str | None = ""
    not_taxable: bool | None = None
    product_class: str | None = ""
    description: str | None = ""


class SalesOrder(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A sales order; `customer_po_number` is our reference, at most 30 characters, unique per payment."""

    customer_po_number: str
    customer: str
    lines: tuple[SalesOrderLine, ...]
    order_date: date | None = None
    requested_ship_date: date | None = None
    currency: str | None = ""
    customer_name: str | None = ""
    ship_address1: str | None = ""
    ship_address2: str | None = ""
    ship_address3: str | None = ""
    ship_address3_locality: str | None = ""
    ship_address4: str | None = ""
    ship_address5: str | None = ""
    ship_postal_code: str | None = ""
    email: str | None = ""
    warehouse: str | None = ""
    branch: str | None = ""
    salesperson: str | None = ""
    area: str | None = ""
    special_instrs: str | None = ""
    invoice_terms: str | None = ""
    order_comments: tuple[str, ...] | None = ()

    @property
    def reference(self) -> str:
        """Our reference, by which the order is looked for."""
        return self.customer_po_number


class InvoiceToPay(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A part of a payment that pays an invoice; `discount_value` is taken off on top."""

    invoice: str
    gross_payment_value: Money
    discount_value: Money
    transaction_type: Literal["I", "C", "D"] = "I"


class UnappliedPayment(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A part of a payment that waits for its invoice; SYSPRO numbers it `_CRD…` per customer."""

    gross_payment_value: Money
    customer_purchase_order: str


class ArPayment(Struct, frozen=True, kw_only=True, rename="pascal"):
    """Money received from a customer, fully distributed.

    Attributes:
        reference: ours, at most 30 characters: the first 30 hex digits of the Opayo transaction id.
        payment_value: in the customer's currency; the parts must sum to it.
        payment_narration: the whole transaction id, at most 50 characters.
        bank: SYSPRO's bank code of the Opayo clearing account.
        payment_type: `C` cheque, `S` cash, `O` other.
        posting_period: the relative period (current, previous, before); `None` is the site's.
    """

    reference: str
    customer: str
    payment_value: Money
    payment_date: date | None = None
    journal_notation: str | None = ""
    payment_narration: str | None = ""
    bank: str | None = ""
    payment_type: str | None = "O"
    invoices: tuple[InvoiceToPay, ...] = ()
    unapplied: tuple[UnappliedPayment, ...] = ()
    posting_period: Literal["C", "P", "B"] | None = None


class ArInvoice(Struct, frozen=True, kw_only=True, rename="pascal"):
    """An AR invoice, debit note or credit memo. `invoice_value` is never negative: the type decides the sign.

    Attributes:
        reference: ours, at most 30 characters.
        invoice: number to post to or to use; empty lets SYSPRO generate one.
        post_to_existing: a credit or debit note against an invoice that exists.
        tax_value: part of `invoice_value`.
        posting_period: the relative period; `None` is the site's.
    """

    reference: str
    transaction_type: Literal["I", "D", "C"]
    customer: str
    invoice_value: Money
    invoice: str | None = ""
    post_to_existing: bool | None = False
    invoice_date: date | None = None
    tax_code: str | None = ""
    tax_value: Money | None = None
    product_class: str | None = ""
    invoice_terms: str | None = ""
    salesperson: str | None = ""
    branch: str | None = ""
    posting_period: Literal["C", "P", "B"] | None = None


MoneyOut = CreditNoteOrder | OrderInvoice | ArAdjustment | MiscellaneousReceipt | CashTransaction
ErpDocument = SalesOrder | ArPayment | ArInvoice | GlJournal | MoneyOut


DOCUMENT_TYPES: dict[DocumentKind, type[ErpDocument]] = {
    "sales_order": SalesOrder,
    "order_invoice": OrderInvoice,
    "ar_invoice": ArInvoice,
    "ar_payment": ArPayment,
    "credit_note": CreditNoteOrder,
    "ar_adjustment": ArAdjustment,
    "misc_receipt": MiscellaneousReceipt,
    "cash_transaction": CashTransaction,
    "gl_journal": GlJournal,
}
_KINDS: dict[type[ErpDocument], DocumentKind] = {kind: name for name, kind in DOCUMENT_TYPES.items()}


def kind_of(document: ErpDocument) -> DocumentKind:
    """The kind of a document, as rows and the API name it."""
    return _KINDS[type(document)]


class Receipt(Struct, frozen=True, kw_only=True):
    """SYSPRO's answer to a posting.

    Attributes:
        key: SYSPRO's own key, as its screens show it: an order number, or `2025/06/0000000166`.
        details: further keys by SYSPRO's name (`UnappliedInvoice`, `GlJournal`), as text.
        adopted: found already posted rather than posted now.
    """

    kind: DocumentKind
    reference: str
    key: str
    details: dict[str, str] = {}
    warnings: tuple[str, ...] = ()
    adopted: bool = False


class Stored(Struct, frozen=True, kw_only=True):
    """A document found in the ERP.

    Attributes:
        document: as stored; members the transport does not tell are `None`.
        certain: found under our own reference; `False` when inferred from customer, order number and value.
    """

    receipt: Receipt
    document: ErpDocument
    certain: bool = True
