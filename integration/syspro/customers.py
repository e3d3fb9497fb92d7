"""Customers: ArCustomer's columns into our record, and the record into ARSSCS's elements, which share their names."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache

from msgspec import structs

from integration.canonical.erp_records import CustomerRecord
from integration.canonical.money import decimal_text
from integration.syspro.currency import CurrencyCodes
from integration.syspro.keys import as_sent
from integration.syspro.limits import fitted

Told = Callable[[str], str | None]
"""A column's value by its name; `None` when the answer does not hold it."""

_KEY = "Customer"
_FLAGS = frozenset(("CustomerOnHold", "PaymentsAllowed"))
# What business objects of set-up do not take.
_READ_ONLY = frozenset(("PaymentsAllowed",))


@cache
def customer_columns() -> tuple[str, ...]:
    """The columns of ArCustomer that the record holds."""
    return tuple(field.encode_name for field in structs.fields(CustomerRecord))


def customer_record(told: Told, codes: CurrencyCodes, asked: str = "") -> CustomerRecord:
    """A customer as read; its key in the spelling it was asked for, if it was.

    Raises:
        ValueError: its credit limit is no number.
        Misconfigured: its currency's code is unknown.
    """
    values: dict[str, str | bool | int | None] = {}
    for field in structs.fields(CustomerRecord):
        text = told(field.encode_name)
        values[field.name] = None if text is None else _value(field.encode_name, text.strip(), codes)
    stored = str(values["customer"] or "")
    values["customer"] = as_sent(stored, asked) if asked else stored
    return structs.replace(CustomerRecord(customer=stored), **values)


def _value(column: str, text: str, codes: CurrencyCodes) -> str | bool | int | None:
    if column == "PaymentsAllowed":
        return text != "N"
    if column in _FLAGS:
        return text == "Y"
    if column == "CreditLimit":
        return int(decimal_text(text or "0").to_integral_value())
    return codes.iso(text) if column == "Currency" else text


def customer_elements(record: CustomerRecord, codes: CurrencyCodes) -> list[tuple[str, str]]:
    """The elements to set up, without the key: those members that were given.

    Raises:
        UnmappedField: a value does not fit its element.
    """
    elements: list[tuple[str, str]] = []
    for field in structs.fields(CustomerRecord):
        name, value = field.encode_name, getattr(record, field.name)
        if name == _KEY or name in _READ_ONLY or value is None:
            continue
        text = _text(value)
        elements.append((name, codes.site(text) if name == "Currency" else fitted(name, text)))
    return elements


def _text(value: str | bool | int | Decimal) -> str:
    if isinstance(value, bool):
        return "Y" if value else "N"
    return str(value)
