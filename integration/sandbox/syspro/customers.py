"""ARSSCS: customers added and changed."""

from __future__ import annotations

import msgspec

from integration.sandbox.syspro.documents import Customer
from integration.sandbox.syspro.findings import DUPLICATE_KEY, INVALID_CHOICE, Reader
from integration.sandbox.syspro.posting import Outcome, Plan, Posting, run
from integration.sandbox.syspro.shapes import CUSTOMER_ITEM
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import Document, displayed, texts

_COLUMNS = frozenset(Customer.__struct_fields__) - {"Customer", "others"}
_RULED = ("Salesperson", "Branch", "TermsCode", "Currency")


def add_customers(posting: Posting, items: list[Document]) -> Outcome:
    """Add customers; Name, Salesperson, Branch and TermsCode are required."""
    posting.warnings_allowed("N Y")
    return run(posting, Plan("ARSSCS", CUSTOMER_ITEM, lambda item: _add(posting.store, item)), items)


def update_customer(posting: Posting, customer: Customer, item: Document) -> Outcome:
    """Change the elements sent and no others."""
    posting.warnings_allowed("N Y")
    plan = Plan("ARSSCS", CUSTOMER_ITEM, lambda reader: _update(posting.store, customer, reader))
    return run(posting, plan, [item])


def _add(store: Store, item: Reader) -> Document:
    key = item.child("Key")
    code = store.customer_key(key.required("Customer"))
    if code in store.customers:
        key.refuse("Customer", DUPLICATE_KEY, f"Duplicate key '{displayed(code)}' on 'ArCustomer'")
    for name in ("Name", "Salesperson", "Branch", "TermsCode"):
        item.required(name)
    return _store(store, item, Customer(code))


def _update(store: Store, customer: Customer, item: Reader) -> Document:
    named = item.child("Key").code("Customer")
    if named and store.customer_key(named) != customer.Customer:
        text = f"Customer '{named}' must be the customer in the path"
        item.child("Key").refuse("Customer", INVALID_CHOICE, text)
    currency = item.code("Currency", store.currency_of(customer))
    traded = store.invoices.keys_by("Customer", customer.Customer) or store.orders.keys_by(
        "Customer", customer.Customer
    )
    if traded and currency != store.currency_of(customer):
        item.refuse("Currency", INVALID_CHOICE, "Currency cannot be changed once transactions exist")
    return _store(store, item, customer)


def _store(store: Store, item: Reader, customer: Customer) -> Document:
    known = (store.salespersons, store.branches, store.terms, {c.Currency for c in store.currencies})
    for name, codes in zip(_RULED, known, strict=True):
        if item.code(name) and item.code(name) not in codes:
            item.not_found(name, name)
    item.choice("CustomerOnHold", "N Y", "N")
    item.choice("TaxStatus", "E N O", "N")
    if item.failed():
        return {}
    sent = texts(item.document)
    columns = {name: value for name, value in sent.items() if name in _COLUMNS}
    for name in _RULED:
        if name in columns:
            columns[name] = columns[name].upper()
    others = {**customer.others, **{n: v for n, v in sent.items() if n not in _COLUMNS and n != "eSignature"}}
    stored = msgspec.structs.replace(customer, others=others, **columns)
    store.customers.put(stored.Customer, stored)
    return {"Customer": stored.Customer}
