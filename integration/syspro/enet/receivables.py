"""The receivables ledger as SYSPRO stored it: AR payments, invoices, debit notes and credit memos.

A payment is a set of movements (ArInvoicePay) under one reference in one AR cash journal. Unapplied cash is also
a document of its own (ArInvoice), `_CRD…`, which carries the order number but not our reference.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

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
from integration.syspro.enet.comfnd import Row
from integration.syspro.enet.parsing import amount, day
from integration.syspro.enet.values import ArType, ar_type, journal_key, unsigned
from integration.syspro.keys import as_sent, bare, same_key

UNAPPLIED = "_CRD"
MOVEMENT_COLUMNS = (
    "Customer",
    "Invoice",
    "DocumentType",
    "TrnType",
    "JournalDate",
    "Journal",
    "TrnYear",
    "TrnMonth",
    "Reference",
    "TrnValue",
    "DiscValue",
    "PostCurrency",
    "InvoiceNotation",
)
DOCUMENT_COLUMNS = (
    "Customer",
    "Invoice",
    "DocumentType",
    "InvoiceDate",
    "SalesOrder",
    "CustomerPoNumber",
    "Branch",
    "TermsCode",
    "CurrencyValue",
    "PostCurrency",
)
Place = tuple[str, str, str]


class Ledger(Struct, frozen=True, kw_only=True):
    """What a look-up of AR documents brought back.

    Attributes:
        movements: rows of ArInvoicePay under our references.
        documents: rows of ArInvoice under our order numbers, invoice numbers or customers.
        others: payments' references that the movements of a document name, by its place.
    """

    movements: Sequence[Row]
    documents: Sequence[Row]
    others: dict[Place, frozenset[str]] = {}


def place(row: Row) -> Place:
    """Which document a row is of, or moves: numbers repeat between customers and types."""
    return row["Customer"], row["Invoice"], row["DocumentType"]


def is_credit(row: Row) -> bool:
    """Whether a row concerns unapplied cash. `_CR` alone may also begin credit notes."""
    return row["Invoice"].startswith(UNAPPLIED)


# --- payments -------------------------------------------------------------------------------------


def payment_movements(movements: Sequence[Row], wanted: ArPayment) -> list[Row]:
    """The movements that a payment made."""
    return [row for row in movements if row["Reference"] == wanted.reference and row["TrnType"] in ("P", "")]


def stored_payments(ledger: Ledger, wanted: ArPayment, codes: CurrencyCodes) -> tuple[Stored, ...]:
    """A payment found: by our reference once per AR cash journal, so that a second posting shows; else inferred."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in payment_movements(ledger.movements, wanted):
        key = journal_key(row["TrnYear"], row["TrnMonth"], row["Journal"])
        groups.setdefault((bare(row["Customer"]), key), []).append(row)
    possible = [row for row in ledger.documents if could_be(row, wanted, codes)]
    if groups:
        return tuple(_certain(group, possible, wanted, codes) for group in groups.values())
    nobody_elses = [row for row in possible if not ledger.others.get(place(row), frozenset())]
    return tuple(_inferred(row, wanted, codes) for row in nobody_elses)


def could_be(row: Row, wanted: ArPayment, codes: CurrencyCodes) -> bool:
    """Whether a document could be the unapplied part of a payment: customer, prefix, order number and value."""
    if not is_credit(row) or not same_key(row["Customer"], wanted.customer):
        return False
    value: Money = amount(row["CurrencyValue"], codes.iso(row["PostCurrency"]))
    return any(
        part.customer_purchase_order == row["CustomerPoNumber"] and -part.gross_payment_value == value
        for part in wanted.unapplied
    )


def _certain(rows: Sequence[Row], possible: Sequence[Row], wanted: ArPayment, codes: CurrencyCodes) -> Stored:
    head = rows[0]
    currency = codes.iso(head["PostCurrency"])
    paid = tuple(_paid(row, wanted, currency) for row in rows if not is_credit(row))
    kept = _kept(rows, possible, currency)
    parts = [part.gross_payment_value - part.discount_value for part in paid]
    parts += [part.gross_payment_value for _, part in kept]
    document = ArPayment(
        reference=head["Reference"],
        customer=as_sent(head["Customer"], wanted.customer),
        payment_value=total(parts, currency),
        payment_date=day(head["JournalDate"]),
        journal_notation=None,
        payment_narration=head.told("InvoiceNotation"),
        bank=None,
        payment_type=None,
        invoices=paid,
        unapplied=tuple(part for _, part in kept),
    )
    credit_numbers = ",".join(number for number, _ in kept)
    receipt = Receipt(
        kind="ar_payment",
        reference=head["Reference"],
        key=journal_key(head["TrnYear"], head["TrnMonth"], head["Journal"]),
        details={"UnappliedInvoice": credit_numbers} if credit_numbers else {},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document)


def _paid(row: Row, wanted: ArPayment, currency: str) -> InvoiceToPay:
    sent = next((part.invoice for part in wanted.invoices if same_key(part.invoice, row["Invoice"])), None)
    return InvoiceToPay(
        invoice=sent or bare(row["Invoice"]),
        gross_payment_value=unsigned(amount(row["TrnValue"], currency)),
        discount_value=unsigned(amount(row["DiscValue"], currency)),
        transaction_type=ar_type(row["DocumentType"]),
    )


def _kept(rows: Sequence[Row], possible: Sequence[Row], currency: str) -> list[tuple[str, UnappliedPayment]]:
    """The unapplied parts with their document numbers; sites that leave no movement show the documents only."""
    orders = {row["Invoice"]: row["CustomerPoNumber"] for row in possible}
    moved = [row for row in rows if is_credit(row)]
    if not moved:
        return [(row["Invoice"], _unapplied(row, currency)) for row in possible]
    return [
        (
            row["Invoice"],
            UnappliedPayment(
                gross_payment_value=unsigned(amount(row["TrnValue"], currency)),
                customer_purchase_order=orders.get(row["Invoice"], ""),
            ),
        )
        for row in moved
    ]


def _unapplied(row: Row, currency: str) -> UnappliedPayment:
    return UnappliedPayment(
        gross_payment_value=unsigned(amount(row["CurrencyValue"], currency)),
        customer_purchase_order=row["CustomerPoNumber"],
    )


def _inferred(row: Row, wanted: ArPayment, codes: CurrencyCodes) -> Stored:
    """An unapplied payment seen only as the document SYSPRO made of it: probable, not certain."""
    part = _unapplied(row, codes.iso(row["PostCurrency"]))
    document = ArPayment(
        reference=wanted.reference,
        customer=as_sent(row["Customer"], wanted.customer),
        payment_value=part.gross_payment_value,
        payment_date=day(row["InvoiceDate"]),
        journal_notation=None,
        payment_narration=None,
        bank=None,
        payment_type=None,
        unapplied=(part,),
    )
    receipt = Receipt(
        kind="ar_payment",
        reference=wanted.reference,
        key=row["Invoice"],
        details={"UnappliedInvoice": row["Invoice"]},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document, certain=False)


# --- invoices, debit notes, credit memos ----------------------------------------------------------


def stored_invoice(row: Row, ledger: Ledger, wanted: ArInvoice, codes: CurrencyCodes) -> Stored | None:
    """The AR document, if a row of its customer is it: by our reference, by its number, or by inference.

    An invoice that SYSPRO numbered keeps no reference of ours in AR; one of equal date and value without a sales
    order may be it, which only a person can tell.
    """
    if not same_key(row["Customer"], wanted.customer):
        return None
    movement = next((each for each in ledger.movements if _notes(each, row, wanted)), None)
    if movement is not None:
        return _document(row, movement, wanted, codes)
    if wanted.transaction_type != "I" or row["DocumentType"] != "I" or is_credit(row):
        return None
    found = _document(row, None, wanted, codes)
    if wanted.invoice:
        return found if same_key(row["Invoice"], wanted.invoice) else None
    same_value = amount(row["CurrencyValue"], codes.iso(row["PostCurrency"])) == wanted.invoice_value
    same_day = wanted.invoice_date is None or day(row["InvoiceDate"]) == wanted.invoice_date
    if not (same_value and same_day) or row["SalesOrder"]:
        return None
    return structs.replace(found, certain=False)


def _notes(movement: Row, row: Row, wanted: ArInvoice) -> bool:
    mine = movement["Reference"] == wanted.reference and movement["TrnType"] in (wanted.transaction_type, "")
    return mine and place(movement) == place(row)


def _document(row: Row, movement: Row | None, wanted: ArInvoice, codes: CurrencyCodes) -> Stored:
    """An AR document; a note against an invoice is read from its movement."""
    note = movement if wanted.post_to_existing else None
    value = note["TrnValue"] if note else row["CurrencyValue"]
    kind: ArType = ar_type(note["TrnType"] if note else row["DocumentType"])
    document = ArInvoice(
        reference=wanted.reference,
        transaction_type=kind,
        customer=as_sent(row["Customer"], wanted.customer),
        invoice_value=unsigned(amount(value, codes.iso(row["PostCurrency"]))),
        invoice=as_sent(row["Invoice"], wanted.invoice) if wanted.invoice else bare(row["Invoice"]),
        post_to_existing=None,
        invoice_date=day(note["JournalDate"] if note else row["InvoiceDate"]),
        tax_code=None,
        product_class=None,
        invoice_terms=row.told("TermsCode"),
        salesperson=None,
        branch=row.told("Branch"),
    )
    receipt = Receipt(
        kind="ar_invoice",
        reference=wanted.reference,
        key=bare(row["Invoice"]),
        details={"Customer": row["Customer"], "DocumentType": row["DocumentType"]},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document)
