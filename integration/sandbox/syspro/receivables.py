"""Documents and movements of the receivables ledger, and the journals they make."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from integration.sandbox.syspro.documents import ArInvoice, ArInvoicePay, Customer
from integration.sandbox.syspro.gl import Entry, JournalHead, journal_key, write_journal
from integration.sandbox.syspro.posting import Posting
from integration.sandbox.syspro.store import Store, document_key, to_local
from integration.sandbox.syspro.values import ZERO, Document


class Receivable(msgspec.Struct, frozen=True):
    """A document to raise: ``kind`` I, D or C; ``value`` in the customer's currency, never negative."""

    customer: str
    kind: str
    value: Decimal
    tax: Decimal
    date: str
    month: str
    invoice: str = ""
    sales_order: str = ""
    purchase_order: str = ""
    branch: str = ""
    terms: str = ""
    reference: str = ""
    rate: Decimal | None = None
    credited_invoice: str = ""


class Raised(msgspec.Struct, frozen=True):
    """The document as numbered, and the register and journal it was posted by."""

    invoice: str
    register: str
    gl_journal: Document


class Movement(msgspec.Struct, frozen=True):
    """One movement on a document: ``change`` is added to its balance, ``local`` to its local balance."""

    kind: str
    change: Decimal
    local: Decimal
    date: str
    month: str
    journal: str
    reference: str
    rate: Decimal
    discount: Decimal = ZERO
    notation: str = ""


def control_account(store: Store, branch: str) -> str:
    """The AR control account of a branch; unknown branches use the operator's."""
    return store.branches.get(branch) or store.branches[store.config.branch]


def put_document(store: Store, document: ArInvoice) -> None:
    """Store a new document and move its customer's balance."""
    key = document_key(document.Customer, document.Invoice, document.DocumentType)
    store.invoices.put(key, document)
    store.add_balance(document.Customer, ZERO, document.InvoiceBal1)


def move_document(
    store: Store, document: ArInvoice, movement: Movement, *, recorded: bool = True
) -> ArInvoice:
    """Change a document's balance and leave an ArInvoicePay row unless ``recorded`` is false."""
    key = document_key(document.Customer, document.Invoice, document.DocumentType)
    moved = msgspec.structs.replace(
        document,
        InvoiceBal1=document.InvoiceBal1 + movement.change,
        local_balance=document.local_balance + movement.local,
    )
    store.invoices.put(key, moved)
    store.add_balance(document.Customer, document.InvoiceBal1, moved.InvoiceBal1)
    if recorded:
        record_movement(store, moved, movement, abs(movement.change))
    return moved


def record_movement(store: Store, document: ArInvoice, movement: Movement, value: Decimal) -> None:
    """Write one ArInvoicePay row of ``value`` on a document."""
    key = document_key(document.Customer, document.Invoice, document.DocumentType)
    year, month = movement.month.split("-")
    entry = f"{len(store.movements.keys_by('Document', key)) + 1:05}"
    row = ArInvoicePay(
        document.Customer, document.Invoice, document.DocumentType, entry, movement.kind,
        movement.date, movement.journal, year, month, movement.reference, value, movement.discount,
        value, document.PostCurrency, movement.rate, document.MulDiv, document.Branch,
        movement.notation[:50],
    )  # fmt: skip
    store.movements.put(f"{key}|{entry}", row)


def raise_document(posting: Posting, wanted: Receivable) -> Raised:
    """Raise an invoice, debit or credit note and post it to the ledger."""
    store = posting.store
    customer = store.customers[wanted.customer]
    currency = store.currency_of(customer)
    rate, mul_div = store.rate_of(currency)
    rate = wanted.rate or rate
    sign = -1 if wanted.kind == "C" else 1
    number = wanted.invoice or next_invoice_number(store, wanted.customer)
    register = f"{store.next_number('Register'):010}"
    document = ArInvoice(
        wanted.customer, number, wanted.kind, wanted.date, wanted.sales_order, wanted.purchase_order,
        wanted.branch or customer.Branch, wanted.terms or customer.TermsCode, sign * wanted.value,
        currency, rate, mul_div, sign * wanted.value, sign * wanted.tax, ZERO,
        local_balance=sign * to_local(wanted.value, rate, mul_div),
        register=f"{wanted.month}-{register}", credited_invoice=wanted.credited_invoice,
    )  # fmt: skip
    put_document(store, document)
    if wanted.kind != "I":
        movement = Movement(
            wanted.kind, ZERO, ZERO, wanted.date, wanted.month, register, wanted.reference, rate
        )
        record_movement(store, document, movement, wanted.value)
    tax = sign * to_local(wanted.tax, rate, mul_div)
    journal = _sales_journal(posting, document, wanted, document.local_balance, tax)
    return Raised(number, register, journal)


def note_on(posting: Posting, document: ArInvoice, wanted: Receivable) -> Raised:
    """Post a debit or credit note onto an existing document, at that document's rate."""
    store = posting.store
    register = f"{store.next_number('Register'):010}"
    sign = -1 if wanted.kind == "C" else 1
    local = sign * to_local(wanted.value, document.ConvRate, document.MulDiv)
    movement = Movement(
        wanted.kind, sign * wanted.value, local, wanted.date, wanted.month, register, wanted.reference,
        document.ConvRate,
    )  # fmt: skip
    moved = move_document(store, document, movement)
    tax = sign * to_local(wanted.tax, document.ConvRate, document.MulDiv)
    return Raised(document.Invoice, register, _sales_journal(posting, moved, wanted, local, tax))


def next_invoice_number(store: Store, customer: str) -> str:
    """The next free invoice number, as stored."""
    while True:
        number = store.invoice_key(str(store.next_number("Invoice", store.config.next_invoice)))
        if not any(document_key(customer, number, kind) in store.invoices for kind in "IDC"):
            return number


def next_credit_number(store: Store, customer: Customer) -> str:
    """The ``_CRD`` number of the customer's next unapplied payment."""
    quirks = store.config.quirks
    sequence = "_CRD" if quirks.credit_numbers_shared else f"_CRD|{customer.Customer}"
    return f"{quirks.unapplied_prefix}{store.next_number(sequence):07}"


def _sales_journal(
    posting: Posting, document: ArInvoice, wanted: Receivable, gross: Decimal, tax: Decimal
) -> Document:
    accounts = posting.store.accounts
    head = JournalHead(
        wanted.month, wanted.date, "SA", wanted.reference, f"Invoice {document.Invoice}", posting.operator
    )
    entries = [
        Entry(control_account(posting.store, document.Branch), gross),
        Entry(accounts.sales, tax - gross),
        Entry(accounts.tax, -tax),
    ]
    return journal_key(write_journal(posting.store, head, entries))
