"""The receivables ledger as SYSPRO stored it: AR payments, invoices, debit notes and credit memos.

A payment is a set of movements under one reference in one AR cash journal. Unapplied cash is also a document of
its own, `_CRD…`, which carries the order number but not our reference.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from integration.canonical.documents import (
    ArInvoice,
    ArPayment,
    InvoiceToPay,
    Receipt,
    Stored,
    UnappliedPayment,
)
from integration.canonical.money import Money, total
from integration.syspro.currency import CurrencyCodes
from integration.syspro.harmony.schema import InvoiceRow, MovementRow
from integration.syspro.harmony.values import ArType, amount, ar_type, day, journal_key, unsigned
from integration.syspro.keys import as_sent, bare

UNAPPLIED = "_CRD"


class Ledger(Struct, frozen=True):
    """What a look-up of payments brought back.

    Attributes:
        movements: rows of ArInvoicePay under our references.
        credits: ArInvoice rows under the order numbers of unapplied cash.
    """

    movements: Sequence[MovementRow]
    credits: Sequence[InvoiceRow]


def stored_payments(ledger: Ledger, wanted: ArPayment, codes: CurrencyCodes) -> tuple[Stored, ...]:
    """A payment found: by our reference once per AR cash journal, so that a second posting shows; else inferred."""
    groups: dict[tuple[str, str], list[MovementRow]] = {}
    for row in ledger.movements:
        if row.reference == wanted.reference and row.trn_type in ("P", ""):
            key = journal_key(row.trn_year, row.trn_month, row.journal)
            groups.setdefault((bare(row.customer), key), []).append(row)
    possible = [row for row in ledger.credits if _could_be(row, wanted, codes)]
    if not groups:
        return tuple(_inferred(row, wanted, codes) for row in possible)
    return tuple(_certain(group, possible, wanted, codes) for group in groups.values())


def _certain(
    rows: Sequence[MovementRow], possible: Sequence[InvoiceRow], wanted: ArPayment, codes: CurrencyCodes
) -> Stored:
    first = rows[0]
    currency = codes.iso(first.post_currency)
    paid = tuple(_paid(row, wanted, currency) for row in rows if not _is_credit(row.invoice))
    kept = _kept(rows, possible, currency)
    parts = [part.gross_payment_value - part.discount_value for part in paid]
    parts += [part.gross_payment_value for _, part in kept]
    document = ArPayment(
        reference=first.reference,
        customer=as_sent(first.customer, wanted.customer),
        payment_value=total(parts, currency),
        payment_date=day(first.journal_date),
        journal_notation=None,
        payment_narration=first.invoice_notation,
        bank=None,
        payment_type=None,
        invoices=paid,
        unapplied=tuple(part for _, part in kept),
    )
    credit_numbers = ",".join(number for number, _ in kept)
    receipt = Receipt(
        kind="ar_payment",
        reference=first.reference,
        key=journal_key(first.trn_year, first.trn_month, first.journal),
        details={"UnappliedInvoice": credit_numbers} if credit_numbers else {},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document)


def _is_credit(invoice: str) -> bool:
    return invoice.startswith(UNAPPLIED)


def _paid(row: MovementRow, wanted: ArPayment, currency: str) -> InvoiceToPay:
    sent = next((part.invoice for part in wanted.invoices if bare(part.invoice) == bare(row.invoice)), None)
    return InvoiceToPay(
        invoice=sent or bare(row.invoice),
        gross_payment_value=unsigned(amount(row.trn_value, currency)),
        discount_value=unsigned(amount(row.disc_value, currency)),
        transaction_type=ar_type(row.document_type),
    )


def _kept(
    rows: Sequence[MovementRow], possible: Sequence[InvoiceRow], currency: str
) -> list[tuple[str, UnappliedPayment]]:
    """The unapplied parts with their document numbers; sites that leave no movement show the documents only."""
    orders = {row.invoice: row.customer_po_number for row in possible}
    moved = [row for row in rows if _is_credit(row.invoice)]
    if not moved:
        return [(row.invoice, _unapplied(row, currency)) for row in possible]
    return [
        (
            row.invoice,
            UnappliedPayment(
                gross_payment_value=unsigned(amount(row.trn_value, currency)),
                customer_purchase_order=orders.get(row.invoice, ""),
            ),
        )
        for row in moved
    ]


def _unapplied(row: InvoiceRow, currency: str) -> UnappliedPayment:
    return UnappliedPayment(
        gross_payment_value=unsigned(amount(row.currency_value, currency)),
        customer_purchase_order=row.customer_po_number,
    )


def _inferred(row: InvoiceRow, wanted: ArPayment, codes: CurrencyCodes) -> Stored:
    """An unapplied payment seen only as the document SYSPRO made of it: probable, not certain."""
    part = _unapplied(row, codes.iso(row.post_currency))
    document = ArPayment(
        reference=wanted.reference,
        customer=as_sent(row.customer, wanted.customer),
        payment_value=part.gross_payment_value,
        payment_date=day(row.invoice_date),
        journal_notation=None,
        payment_narration=None,
        bank=None,
        payment_type=None,
        unapplied=(part,),
    )
    receipt = Receipt(
        kind="ar_payment",
        reference=wanted.reference,
        key=row.invoice,
        details={"UnappliedInvoice": row.invoice},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document, certain=False)


def _could_be(row: InvoiceRow, wanted: ArPayment, codes: CurrencyCodes) -> bool:
    """Whether a credit document could be of this payment: same customer, order number, prefix and value.

    One whose movement names another payment is that one's.
    """
    if not _is_credit(row.invoice) or bare(row.customer) != bare(wanted.customer):
        return False
    named = {movement.reference for movement in row.payments if movement.trn_type == "P"} - {""}
    if named and wanted.reference not in named:
        return False
    value: Money = amount(row.currency_value, codes.iso(row.post_currency))
    return any(
        part.customer_purchase_order == row.customer_po_number and -part.gross_payment_value == value
        for part in wanted.unapplied
    )


def matched_invoice(row: InvoiceRow, wanted: ArInvoice, codes: CurrencyCodes) -> Stored | None:
    """The AR document, if a row of its customer is it: by our reference, by its number, or by inference.

    An invoice that SYSPRO numbered keeps no reference of ours in AR; one of equal date and value without a sales
    order may be it, which only a person can tell.
    """
    if bare(row.customer) != bare(wanted.customer):
        return None
    if any(movement.reference == wanted.reference for movement in row.payments):
        return stored_invoice(row, wanted, codes)
    if wanted.transaction_type != "I" or row.document_type != "I" or row.invoice.startswith(UNAPPLIED):
        return None
    if wanted.invoice:
        return stored_invoice(row, wanted, codes) if bare(row.invoice) == bare(wanted.invoice) else None
    same_value = amount(row.currency_value, codes.iso(row.post_currency)) == wanted.invoice_value
    same_day = wanted.invoice_date is None or day(row.invoice_date) == wanted.invoice_date
    if not (same_value and same_day) or row.sales_order.strip():
        return None
    return msgspec.structs.replace(stored_invoice(row, wanted, codes), certain=False)


def stored_invoice(row: InvoiceRow, wanted: ArInvoice, codes: CurrencyCodes) -> Stored:
    """An AR document found under our reference; a note against an invoice is read from its movement."""
    currency = codes.iso(row.post_currency)
    movement = next((each for each in row.payments if each.reference == wanted.reference), None)
    value = amount(row.currency_value, currency)
    if movement is not None and wanted.post_to_existing:
        value = amount(movement.trn_value, currency)
    document = ArInvoice(
        reference=wanted.reference,
        transaction_type=_noted_type(row, movement, wanted),
        customer=as_sent(row.customer, wanted.customer),
        invoice_value=unsigned(value),
        invoice=as_sent(row.invoice, wanted.invoice) if wanted.invoice else bare(row.invoice),
        post_to_existing=None,
        invoice_date=day(movement.journal_date if movement and wanted.post_to_existing else row.invoice_date),
        tax_code=None,
        product_class=None,
        invoice_terms=row.terms_code,
        salesperson=None,
        branch=row.branch,
    )
    receipt = Receipt(
        kind="ar_invoice",
        reference=wanted.reference,
        key=bare(row.invoice),
        details={"Customer": row.customer, "DocumentType": row.document_type},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document)


def _noted_type(row: InvoiceRow, movement: MovementRow | None, wanted: ArInvoice) -> ArType:
    if movement is not None and wanted.post_to_existing:
        return ar_type(movement.trn_type)
    return ar_type(row.document_type)
