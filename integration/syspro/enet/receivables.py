"""Rows of ArInvoicePay and ArInvoice as COMFND answers them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import structs

from integration.syspro.enet.comfnd import Row, Term
from integration.syspro.enet.parsing import day, number
from integration.syspro.enet.values import journal_key
from integration.syspro.ledger_rows import Document, Movement, Place

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
    "InvoiceBal1",
)


def movement_of(row: Row) -> Movement:
    """A row of ArInvoicePay.

    Raises:
        ValueError: a number or date in it is none.
    """
    return Movement(
        customer=row["Customer"],
        invoice=row["Invoice"],
        document_type=row["DocumentType"],
        trn_type=row["TrnType"],
        journal=journal_key(row["TrnYear"], row["TrnMonth"], row["Journal"]),
        reference=row["Reference"],
        value=number(row["TrnValue"]),
        discount=number(row["DiscValue"]),
        currency=row["PostCurrency"],
        made_on=day(row["JournalDate"]),
        notation=row.told("InvoiceNotation"),
    )


def document_of(row: Row) -> Document:
    """A row of ArInvoice, its movements not read.

    Raises:
        ValueError: a number or date in it is none.
    """
    return Document(
        customer=row["Customer"],
        invoice=row["Invoice"],
        document_type=row["DocumentType"],
        value=number(row["CurrencyValue"]),
        currency=row["PostCurrency"],
        order_number=row["CustomerPoNumber"],
        sales_order=row["SalesOrder"],
        dated=day(row["InvoiceDate"]),
        branch=row.told("Branch"),
        terms=row.told("TermsCode"),
        balance=number(row["InvoiceBal1"]) if row["InvoiceBal1"] else None,
    )


def with_movements(documents: Sequence[Document], movements: Iterable[Movement]) -> list[Document]:
    """Documents, each once, with those of the movements that moved them."""
    made: dict[Place, list[Movement]] = {}
    for movement in movements:
        made.setdefault(movement.place, []).append(movement)
    once = {document.place: document for document in documents}
    return [structs.replace(each, movements=tuple(made.get(each.place, ()))) for each in once.values()]


def place_terms(row: Document | Movement) -> tuple[Term, ...]:
    """How to find a document by its stored keys, so that padding cannot hide it."""
    return (("Customer", "EQ", row.customer), ("Invoice", "EQ", row.invoice))
