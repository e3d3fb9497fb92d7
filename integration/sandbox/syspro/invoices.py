"""ARSTIN: invoices, debit notes and credit notes posted straight to the receivables ledger."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from integration.sandbox.syspro.documents import Customer
from integration.sandbox.syspro.findings import DUPLICATE_KEY, INVALID_CHOICE, REFUSED, Reader
from integration.sandbox.syspro.posting import Outcome, Plan, Posting, run
from integration.sandbox.syspro.receivables import Receivable, note_on, raise_document
from integration.sandbox.syspro.shapes import INVOICE_ITEM
from integration.sandbox.syspro.store import document_key
from integration.sandbox.syspro.values import ZERO, Document, displayed, money


def post_invoices(posting: Posting, items: list[Document]) -> Outcome:
    """Post each item; values are never negative, the type decides the sign."""
    posting.warnings_allowed("N Y")
    return run(posting, Plan("ARSTIN", INVOICE_ITEM, lambda item: _post(posting, item)), items)


def _post(posting: Posting, item: Reader) -> Document:
    kind = item.required("TransactionType")
    if kind:
        item.choice("TransactionType", "I D C", "I")
    customer = _customer(posting, item, kind)
    value = _value(item)
    tax = money(item.number("TaxValue"))
    product_class = item.required("ProductClass")
    if product_class and product_class not in posting.store.product_classes:
        item.not_found("ProductClass", "Product class")
    _check_codes(posting, item)
    posting.check_period(posting.month, item)
    date = item.date("InvoiceDate", posting.store.accounting_date().isoformat())
    if customer is None or item.failed():
        return {}
    exempt = customer.TaxStatus == "E"
    wanted = Receivable(
        customer.Customer, kind, value, ZERO if exempt else tax, date, posting.month,
        branch=item.code("Branch", customer.Branch), terms=item.code("InvoiceTerms", customer.TermsCode),
        reference=item.text("Reference"), rate=_rate(posting, item, customer),
    )  # fmt: skip
    if item.choice("PostToExistingInvoice", "N Y", "N") == "Y":
        return _post_to_existing(posting, item, wanted)
    return _post_new(posting, item, wanted)


def _customer(posting: Posting, item: Reader, kind: str) -> Customer | None:
    code = item.required("Customer")
    customer = posting.store.customers.get(posting.store.customer_key(code))
    if customer is None:
        if code:
            item.not_found("Customer", "Customer")
        return None
    if (kind == "C" and customer.CrNotesAllowed == "N") or (kind == "D" and customer.DrNotesAllowed == "N"):
        name = "Credit" if kind == "C" else "Debit"
        item.refuse("Customer", REFUSED, f"{name} notes are not allowed for customer '{customer.Customer}'")
    return customer


def _value(item: Reader) -> Decimal:
    if not item.text("InvoiceValue"):
        item.required("InvoiceValue")
    value = money(item.number("InvoiceValue"))
    if value < 0:
        item.refuse("InvoiceValue", REFUSED, "Invoice value cannot be negative")
    elif value == 0:
        item.warn("InvoiceValue", "Document value is zero")
    if item.number("TaxValue") > value:
        item.refuse("TaxValue", REFUSED, "Tax value cannot be more than the invoice value")
    return value


def _check_codes(posting: Posting, item: Reader) -> None:
    store = posting.store
    for name, kind, known in (
        ("Branch", "Branch", store.branches), ("TaxCode", "Tax code", store.tax_rates),
        ("InvoiceTerms", "Terms code", store.terms), ("Salesperson", "Salesperson", store.salespersons),
    ):  # fmt: skip
        if item.code(name) and item.code(name) not in known:
            item.not_found(name, kind)


def _rate(posting: Posting, item: Reader, customer: Customer) -> Decimal:
    currency = posting.store.currency_of(customer)
    book, _ = posting.store.rate_of(currency)
    wanted = item.number("ExchangeRate", book)
    held = posting.store.currencies.get(currency)
    if currency == posting.store.config.local_currency or wanted <= 0:
        return book
    if held is not None and held.FixedRate == "Y" and wanted != book:
        item.refuse("ExchangeRate", REFUSED, f"Exchange rate must be the fixed rate {book}")
    return wanted


def _post_to_existing(posting: Posting, item: Reader, wanted: Receivable) -> Document:
    if wanted.kind == "I":
        item.refuse("PostToExistingInvoice", INVALID_CHOICE, "An invoice cannot be posted to another")
        return {}
    number = item.required("Invoice")
    key = document_key(wanted.customer, posting.store.invoice_key(number), "I")
    document = posting.store.invoices.get(key)
    if document is None:
        if number:
            item.not_found("Invoice", "Invoice")
        return {}
    raised = note_on(posting, document, wanted)
    return _result(wanted, raised.invoice, "I")


def _post_new(posting: Posting, item: Reader, wanted: Receivable) -> Document:
    own = item.choice("GenerateInvoiceNumber", "Y N", "N" if item.text("Invoice") else "Y") == "N"
    number = posting.store.invoice_key(item.required("Invoice")) if own else ""
    if number and document_key(wanted.customer, number, wanted.kind) in posting.store.invoices:
        item.refuse("Invoice", DUPLICATE_KEY, f"Duplicate key '{displayed(number)}' on 'ArInvoice'")
    if item.failed():
        return {}
    raised = raise_document(posting, msgspec.structs.replace(wanted, invoice=number))
    return _result(wanted, raised.invoice, wanted.kind)


def _result(wanted: Receivable, invoice: str, document_type: str) -> Document:
    return {
        "Customer": wanted.customer,
        "Invoice": invoice,
        "DocumentType": document_type,
        "TransactionType": wanted.kind,
    }
