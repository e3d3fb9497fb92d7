"""Finding our own documents in SYSPRO again, by our references, many in one call.

This is what exactly-once rests on over e.net: there is no other key. A search never names a key in
one spelling that might be stored in another; what it brings too much is left out here.
"""

from __future__ import annotations

from collections.abc import Sequence

from integration.canonical.documents import ArInvoice, ArPayment, ErpDocument, SalesOrder, Stored
from integration.canonical.journal import GlJournal
from integration.syspro.currency import CurrencyCodes
from integration.syspro.enet.comfnd import Find, Row, Term, any_of
from integration.syspro.enet.key_widths import KeyWidths
from integration.syspro.enet.read_back import (
    ENTRY_COLUMNS,
    JOURNAL_COLUMNS,
    LINE_COLUMNS,
    ORDER_COLUMNS,
    is_cancelled,
    journal_place,
    stored_journal,
    stored_order,
)
from integration.syspro.enet.reading import Reader
from integration.syspro.enet.receivables import (
    DOCUMENT_COLUMNS,
    MOVEMENT_COLUMNS,
    Ledger,
    Place,
    could_be,
    payment_movements,
    place,
    stored_invoice,
    stored_payments,
)

Found = dict[str, tuple[Stored, ...]]
Groups = tuple[tuple[Term, ...], ...]


class Lookups:
    """Looks for documents in one operator's session."""

    def __init__(self, reader: Reader, widths: KeyWidths) -> None:
        self._reader = reader
        self._widths = widths

    async def find(self, documents: Sequence[ErpDocument], codes: CurrencyCodes) -> Found:
        """What SYSPRO holds of these documents, by our references."""
        found: Found = {}
        found |= await self._orders([each for each in documents if isinstance(each, SalesOrder)], codes)
        found |= await self._payments([each for each in documents if isinstance(each, ArPayment)], codes)
        found |= await self._invoices([each for each in documents if isinstance(each, ArInvoice)], codes)
        found |= await self._journals([each for each in documents if isinstance(each, GlJournal)], codes)
        return found

    async def live_orders(self, references: Sequence[str]) -> list[Row]:
        """The orders under our order numbers that were not cancelled."""
        wanted = frozenset(references)
        rows = await self._rows("SorMaster", ORDER_COLUMNS, any_of("CustomerPoNumber", references))
        # SYSPRO compares as its collation does; only an exact match is ours.
        return [row for row in rows if row["CustomerPoNumber"] in wanted and not is_cancelled(row)]

    async def _rows(self, table: str, columns: tuple[str, ...], where: Groups) -> list[Row]:
        if not where:
            return []
        return await self._reader.rows(
            Find(table=table, columns=columns, where=where), f"the look-up in {table}"
        )

    # --- sales orders and journals ----------------------------------------------------------------

    async def _orders(self, orders: Sequence[SalesOrder], codes: CurrencyCodes) -> Found:
        wanted = {order.reference: order for order in orders}
        heads = await self.live_orders(list(wanted))
        numbers = any_of("SalesOrder", [head["SalesOrder"] for head in heads])
        details = await self._rows("SorDetail", LINE_COLUMNS, numbers)
        found: dict[str, list[Stored]] = {}
        for head in heads:
            lines = [line for line in details if line["SalesOrder"] == head["SalesOrder"]]
            stored = stored_order(head, lines, wanted[head["CustomerPoNumber"]], codes)
            found.setdefault(head["CustomerPoNumber"], []).append(stored)
        return {reference: tuple(hits) for reference, hits in found.items()}

    async def _journals(self, journals: Sequence[GlJournal], codes: CurrencyCodes) -> Found:
        wanted = {journal.reference: journal for journal in journals}
        rows = await self._rows("GenJournalCtl", JOURNAL_COLUMNS, any_of("Reference", wanted))
        heads = [row for row in rows if row["Reference"] in wanted]
        entries = await self._rows("GenJournalDetail", ENTRY_COLUMNS, tuple(map(_entries_of, heads)))
        found: dict[str, list[Stored]] = {}
        for head in heads:
            at = journal_place(head, "GlJournal")
            own = [entry for entry in entries if journal_place(entry, "Journal") == at]
            stored = stored_journal(head, own, wanted[head["Reference"]], codes.iso(""))
            found.setdefault(head["Reference"], []).append(stored)
        return {reference: tuple(hits) for reference, hits in found.items()}

    # --- receivables ------------------------------------------------------------------------------

    async def _payments(self, payments: Sequence[ArPayment], codes: CurrencyCodes) -> Found:
        references = [payment.reference for payment in payments]
        movements = await self._rows("ArInvoicePay", MOVEMENT_COLUMNS, any_of("Reference", references))
        # Which order unapplied cash waits for is told by the credit document alone.
        orders = sorted({part.customer_purchase_order for payment in payments for part in payment.unapplied})
        documents = await self._rows("ArInvoice", DOCUMENT_COLUMNS, any_of("CustomerPoNumber", orders))
        doubtful = [payment for payment in payments if not payment_movements(movements, payment)]
        possible = [row for row in documents if any(could_be(row, each, codes) for each in doubtful)]
        ledger = Ledger(movements=movements, documents=documents, others=await self._named(possible))
        found = {payment.reference: stored_payments(ledger, payment, codes) for payment in payments}
        return {reference: hits for reference, hits in found.items() if hits}

    async def _named(self, cash: Sequence[Row]) -> dict[Place, frozenset[str]]:
        """Which payments the movements of unapplied documents name: such a document is theirs."""
        named: dict[Place, set[str]] = {}
        for row in await self._rows("ArInvoicePay", MOVEMENT_COLUMNS, tuple(map(_document_of, cash))):
            if row["TrnType"] == "P" and row["Reference"]:
                named.setdefault(place(row), set()).add(row["Reference"])
        return {where: frozenset(references) for where, references in named.items()}

    async def _invoices(self, invoices: Sequence[ArInvoice], codes: CurrencyCodes) -> Found:
        if not invoices:
            return {}
        references = [invoice.reference for invoice in invoices]
        movements = await self._rows("ArInvoicePay", MOVEMENT_COLUMNS, any_of("Reference", references))
        noted = tuple(dict.fromkeys(_document_of(row) for row in movements))
        numbers = await self._widths.spellings(
            [invoice.invoice for invoice in invoices if invoice.invoice], "Invoice"
        )
        where = (*noted, *any_of("Invoice", numbers), *await self._unnumbered(invoices))
        rows = await self._rows("ArInvoice", DOCUMENT_COLUMNS, where)
        ledger = Ledger(movements=movements, documents=list({place(row): row for row in rows}.values()))
        found: dict[str, list[Stored]] = {}
        for invoice in invoices:
            hits = (stored_invoice(row, ledger, invoice, codes) for row in ledger.documents)
            found[invoice.reference] = [hit for hit in hits if hit is not None]
        return {reference: _surest(hits) for reference, hits in found.items() if hits}

    async def _unnumbered(self, invoices: Sequence[ArInvoice]) -> Groups:
        """Groups for invoices that SYSPRO numbers: those of the customer and the day."""
        groups: list[tuple[Term, ...]] = []
        for invoice in invoices:
            if invoice.invoice or invoice.transaction_type != "I":
                continue
            on: tuple[Term, ...] = ()
            if invoice.invoice_date is not None:
                on = (("InvoiceDate", "EQ", invoice.invoice_date.isoformat()),)
            keys = await self._widths.spellings([invoice.customer], "Customer")
            groups += [(("Customer", "EQ", key), *on) for key in keys]
        return tuple(groups)


def _entries_of(head: Row) -> tuple[Term, ...]:
    return (
        ("GlYear", "EQ", head["GlYear"]),
        ("GlPeriod", "EQ", head["GlPeriod"]),
        ("Journal", "EQ", head["GlJournal"]),
    )


def _document_of(row: Row) -> tuple[Term, ...]:
    """A document by its stored keys, so that padding cannot hide it."""
    return (("Customer", "EQ", row["Customer"]), ("Invoice", "EQ", row["Invoice"]))


def _surest(hits: Sequence[Stored]) -> tuple[Stored, ...]:
    """The certain ones, or the inferred ones if there are no others."""
    return tuple(hit for hit in hits if hit.certain) or tuple(hits)
