"""What is polled of SYSPRO, which pushes nothing: per kind its table, its key, its date, and a few telling columns.

Values take one form whatever the transport and its habits of padding, so that equal rows have equal hashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from integration.canonical.erp_records import Change, ChangeKind
from integration.canonical.money import decimal_text
from integration.syspro.customers import Told, customer_columns

SEPARATOR = "|"
_BLANK_DATE = frozenset("0-/. ")


class Polled(Struct, frozen=True, kw_only=True):
    """What is read of a kind.

    Attributes:
        keys: the table's primary key, in order.
        dated: the column of the day that a row is of; empty when rows have none.
    """

    table: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    dated: str = ""
    amounts: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()


POLLED: Mapping[ChangeKind, Polled] = {
    "sales_order": Polled(
        table="SorMaster",
        keys=("SalesOrder",),
        columns=(
            "SalesOrder",
            "DocumentType",
            "Customer",
            "CustomerPoNumber",
            "OrderStatus",
            "CancelledFlag",
            "OrderDate",
            "ReqShipDate",
            "LastInvoice",
            "DateLastInvPrt",
        ),
        dated="OrderDate",
        dates=frozenset(("OrderDate", "ReqShipDate", "DateLastInvPrt")),
    ),
    "ar_invoice": Polled(
        table="ArInvoice",
        keys=("Customer", "Invoice", "DocumentType"),
        columns=(
            "Customer",
            "Invoice",
            "DocumentType",
            "InvoiceDate",
            "SalesOrder",
            "CustomerPoNumber",
            "CurrencyValue",
            "InvoiceBal1",
            "PostCurrency",
        ),
        dated="InvoiceDate",
        amounts=frozenset(("CurrencyValue", "InvoiceBal1")),
        dates=frozenset(("InvoiceDate",)),
    ),
    "ar_payment": Polled(
        table="ArInvoicePay",
        keys=("Customer", "Invoice", "DocumentType", "EntryNumber"),
        columns=(
            "Customer",
            "Invoice",
            "DocumentType",
            "EntryNumber",
            "TrnType",
            "JournalDate",
            "TrnYear",
            "TrnMonth",
            "Journal",
            "Reference",
            "TrnValue",
            "DiscValue",
            "PostCurrency",
        ),
        dated="JournalDate",
        amounts=frozenset(("TrnValue", "DiscValue")),
        dates=frozenset(("JournalDate",)),
    ),
    "customer": Polled(table="ArCustomer", keys=("Customer",), columns=customer_columns()),
}


def change_of(kind: ChangeKind, told: Told) -> Change:
    """A row as a change.

    Raises:
        ValueError: an amount or a date in it is none.
    """
    polled = POLLED[kind]
    values = {column: _plain(polled, column, told(column)) for column in polled.columns}
    return Change(kind=kind, key=SEPARATOR.join(values[key] for key in polled.keys), values=values)


def is_since(change: Change, since: date | None) -> bool:
    """Whether a row is of a day or a later one; a row of no day always is."""
    dated = POLLED[change.kind].dated
    return since is None or not change.values.get(dated) or change.values[dated] >= since.isoformat()


def _plain(polled: Polled, column: str, text: str | None) -> str:
    value = (text or "").strip()
    if column in polled.amounts:
        return plain_number(value)
    if column in polled.dates:
        return (
            date.fromisoformat(value[:10].replace("/", "-")).isoformat() if set(value) - _BLANK_DATE else ""
        )
    return value


def plain_number(text: str) -> str:
    """Money in major units with two decimals: `12.50-` is `-12.50`, blank is `0.00`."""
    value = f"-{text[:-1].strip()}" if text.endswith("-") else text
    # A zero has no sign: rows that are equal must look so.
    return f"{decimal_text(value or '0') + 0:.2f}"
