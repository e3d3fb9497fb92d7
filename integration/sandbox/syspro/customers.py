"""ARSSCS: customers added, changed and deleted."""

from __future__ import annotations

import msgspec

from integration.sandbox.syspro.documents import Customer
from integration.sandbox.syspro.findings import DUPLICATE_KEY, INVALID_CHOICE, REFUSED, Reader
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


def update_customers(posting: Posting, items: list[Document]) -> Outcome:
    """Change the customers named by each item's key, and of each the elements sent."""

    def post(item: Reader) -> Document:
        customer = _named(posting.store, item)
        return {} if customer is None else _update(posting.store, customer, item)

    posting.warnings_allowed("N Y")
    return run(posting, Plan("ARSSCS", CUSTOMER_ITEM, post), items)


def delete_customers(posting: Posting, items: list[Document]) -> Outcome:
    """Delete the customers named by each item's key; one with documents or orders stays."""

    def post(item: Reader) -> Document:
        customer = _named(posting.store, item)
        if customer is None:
            return {}
        if _traded(posting.store, customer):
            text = f"Customer '{customer.Customer}' cannot be deleted, transactions exist"
            item.child("Key").refuse("Customer", REFUSED, text)
            return {}
        posting.store.customers.remove(customer.Customer)
        return {"Customer": customer.Customer}

    posting.warnings_allowed("N Y")
    return run(posting, Plan("ARSSCS", CUSTOMER_ITEM, post), items)


def _named(store: Store, item: Reader) -> Customer | None:
    key = item.child("Key")
    code = key.required("Customer")
    customer = store.customers.get(store.customer_key(code)) if code else None
    if customer is None and code:
        key.not_found("Customer", "Customer")
    return customer


def _traded(store: Store, customer: Customer) -> bool:
    """Whether documents or sales orders of the customer exist."""
    documents = store.invoices.count_by("Customer", customer.Customer)
    return bool(documents or store.orders.count_by("Customer", customer.Customer))


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
    if _traded(store, customer) and currency != store.currency_of(customer):
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
