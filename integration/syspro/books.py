"""Finding documents of money out in SYSPRO again: which books show them, whichever transport reads the books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from msgspec import structs

from integration.canonical.documents import ErpDocument, Stored
from integration.canonical.documents_money_out import (
    ArAdjustment,
    CashTransaction,
    CreditNoteOrder,
    MiscellaneousReceipt,
    OrderInvoice,
)
from integration.canonical.erp_records import ArDocument, CashBookEntry, OrderState, ReceivablesQuery
from integration.errors import Unreachable
from integration.syspro.found_money_out import (
    LedgerEntry,
    stored_adjustments,
    stored_cash_transactions,
    stored_credit_notes,
    stored_order_invoice,
    stored_receipts,
)
from integration.syspro.keys import bare, same_key
from integration.syspro.ledger_rows import Movement, Site

Kind = TypeVar("Kind")
Found = dict[str, tuple[Stored, ...]]


@contextmanager
def sensible() -> Iterator[None]:
    """Take a value that SYSPRO answered and that is none for an answer that makes no sense.

    Raises:
        Unreachable: in place of `ValueError`.
    """
    try:
        yield
    except ValueError as error:
        raise Unreachable(f"SYSPRO's answer makes no sense: {error}", code="syspro.unreachable") from error


class Books(Protocol):
    """What a transport can read. Several keys travel in as few calls as it allows."""

    async def orders(self, numbers: Sequence[str]) -> list[OrderState]:
        """Sales orders with their lines."""
        ...

    async def credit_note_orders(self, wanted: Sequence[CreditNoteOrder]) -> list[OrderState]:
        """Live credit-note orders that may be theirs, with their lines; each document names its sales order."""
        ...

    async def documents(self, queries: Sequence[ReceivablesQuery]) -> list[ArDocument]:
        """AR documents; movements may be left out."""
        ...

    async def adjustments(self, wanted: Sequence[ArAdjustment]) -> list[Movement]:
        """Movements of type `A` that may be theirs."""
        ...

    async def cash_entries(self, bank: str, references: Sequence[str]) -> list[CashBookEntry]:
        """Cash-book rows of a bank under these references."""
        ...

    async def ledger_entries(self, references: Sequence[str]) -> list[LedgerEntry]:
        """Entries of GL journals under these references."""
        ...


async def find_money_out(documents: Sequence[ErpDocument], books: Books, site: Site) -> Found:
    """What SYSPRO holds of these documents; documents of other kinds are left out."""
    found: Found = {}
    found |= await _credit_notes(_of(CreditNoteOrder, documents), books)
    found |= await _order_invoices(_of(OrderInvoice, documents), books)
    found |= await _adjustments(_of(ArAdjustment, documents), books, site)
    found |= await _receipts(_of(MiscellaneousReceipt, documents), books)
    found |= await _cash_transactions(_of(CashTransaction, documents), books)
    return {reference: hits for reference, hits in found.items() if hits}


def _of(kind: type[Kind], documents: Sequence[ErpDocument]) -> list[Kind]:
    return [each for each in documents if isinstance(each, kind)]


async def _credit_notes(notes: Sequence[CreditNoteOrder], books: Books) -> Found:
    if not notes:
        return {}
    named = [note for note in notes if note.credit_note_number]
    numbered = await books.orders([note.credit_note_number or "" for note in named]) if named else []
    notes = await _with_orders([note for note in notes if not note.credit_note_number], books)
    candidates = await books.credit_note_orders(notes) if notes else []
    whole = sorted({note.sales_order or "" for note in notes if not note.lines})
    sold = {bare(order.sales_order): order for order in (await books.orders(whole) if whole else [])}
    found = {note.reference: stored_credit_notes(note, numbered, None) for note in named}
    for note in notes:
        found[note.reference] = stored_credit_notes(note, candidates, sold.get(bare(note.sales_order or "")))
    return found


async def _with_orders(notes: Sequence[CreditNoteOrder], books: Books) -> list[CreditNoteOrder]:
    """The notes, each with the sales order of its invoice; one whose invoice has none can credit nothing."""
    queries = [
        ReceivablesQuery(customer=note.customer, invoice=note.invoice_number, open_only=False)
        for note in notes
        if not note.sales_order
    ]
    invoices = await books.documents(queries) if queries else []
    completed: list[CreditNoteOrder] = []
    for note in notes:
        orders = [note.sales_order] if note.sales_order else [
            each.sales_order
            for each in invoices
            if same_key(each.invoice, note.invoice_number) and same_key(each.customer, note.customer)
        ]  # fmt: skip
        completed += [structs.replace(note, sales_order=order) for order in orders if order]
    return completed


async def _order_invoices(wanted: Sequence[OrderInvoice], books: Books) -> Found:
    if not wanted:
        return {}
    orders = {
        bare(each.sales_order): each for each in await books.orders([one.sales_order for one in wanted])
    }
    invoiced = [order for order in orders.values() if order.last_invoice]
    queries = [ReceivablesQuery(sales_order=order.sales_order, open_only=False) for order in invoiced]
    documents = await books.documents(queries) if queries else []
    found: Found = {}
    for one in wanted:
        order = orders.get(bare(one.sales_order))
        found[one.reference] = stored_order_invoice(one, order, documents) if order else ()
    return found


async def _adjustments(wanted: Sequence[ArAdjustment], books: Books, site: Site) -> Found:
    movements = await books.adjustments(wanted) if wanted else []
    return {each.reference: stored_adjustments(each, movements, site) for each in wanted}


async def _receipts(wanted: Sequence[MiscellaneousReceipt], books: Books) -> Found:
    """In the ledger, which names the AR journal; what is not there may be in the cash book."""
    entries = await books.ledger_entries([each.reference for each in wanted]) if wanted else []
    found = {each.reference: stored_receipts(each, entries, ()) for each in wanted}
    for bank in sorted({each.bank for each in wanted if not found[each.reference]}):
        missing = [each for each in wanted if each.bank == bank and not found[each.reference]]
        cash = await books.cash_entries(bank, [each.reference for each in missing])
        found |= {each.reference: stored_receipts(each, (), cash) for each in missing}
    return found


async def _cash_transactions(wanted: Sequence[CashTransaction], books: Books) -> Found:
    found: Found = {}
    for bank in sorted({each.bank for each in wanted}):
        own = [each for each in wanted if each.bank == bank]
        cash = await books.cash_entries(bank, [each.reference for each in own])
        found |= {each.reference: stored_cash_transactions(each, cash) for each in own}
    return found
