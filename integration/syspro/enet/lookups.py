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
    Reading,
    journal_place,
    stored_journal,
    stored_order,
)
from integration.syspro.enet.reading import Reader
from integration.syspro.enet.receivables import (
    DOCUMENT_COLUMNS,
    MOVEMENT_COLUMNS,
    document_of,
    movement_of,
    place_terms,
    with_movements,
)
from integration.syspro.ledger_rows import Document, Movement, Site
from integration.syspro.receivables import (
    could_hold,
    movements_of,
    refuse_overpayment,
    stored_invoice,
    stored_payments,
    surest,
)
from integration.syspro.site import SiteConfig

Found = dict[str, tuple[Stored, ...]]
Groups = tuple[tuple[Term, ...], ...]


class Lookups:
    """Looks for documents in one operator's session."""

    def __init__(self, site: SiteConfig, reader: Reader, widths: KeyWidths) -> None:
        self._site = site
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
        return [row for row in rows if row["CustomerPoNumber"] in wanted and not self._is_cancelled(row)]

    def _is_cancelled(self, order: Row) -> bool:
        """Whether an order was cancelled, on entry or later: then it is as if it were not there."""
        return order["CancelledFlag"] == "Y" or order["OrderStatus"] in self._site.cancelled_statuses

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
        kinds = Reading(codes=codes, line_types=self._site.kinds_of_lines)
        found: dict[str, list[Stored]] = {}
        for head in heads:
            lines = [line for line in details if line["SalesOrder"] == head["SalesOrder"]]
            stored = stored_order(head, lines, wanted[head["CustomerPoNumber"]], kinds)
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
        site = self._ledger(codes)
        movements = await self._movements(any_of("Reference", [payment.reference for payment in payments]))
        # Which order unapplied cash waits for is told by the credit document alone.
        orders = sorted({part.customer_purchase_order for payment in payments for part in payment.unapplied})
        documents = await self._documents(any_of("CustomerPoNumber", orders))
        doubtful = [payment for payment in payments if not movements_of(payment, movements)]
        cash = [each for each in documents if any(could_hold(each, payment, site) for payment in doubtful)]
        # A document whose movements name another payment is that one's.
        named = await self._movements(tuple(map(place_terms, cash)))
        documents = with_movements(documents, named)
        found = {each.reference: stored_payments(movements, documents, each, site) for each in payments}
        return {reference: hits for reference, hits in found.items() if hits}

    def _ledger(self, codes: CurrencyCodes) -> Site:
        return Site(codes=codes, unapplied_prefix=self._site.unapplied_prefix)

    async def _movements(self, where: Groups) -> list[Movement]:
        return [movement_of(row) for row in await self._rows("ArInvoicePay", MOVEMENT_COLUMNS, where)]

    async def _documents(self, where: Groups) -> list[Document]:
        return [document_of(row) for row in await self._rows("ArInvoice", DOCUMENT_COLUMNS, where)]

    async def check_balances(self, payment: ArPayment, codes: CurrencyCodes) -> None:
        """Look whether the invoices of a payment have so much open.

        Raises:
            Rejected: one has less.
        """
        numbers = await self._widths.spellings([part.invoice for part in payment.invoices], "Invoice")
        documents = await self._documents(any_of("Invoice", numbers))
        refuse_overpayment(payment, documents, self._ledger(codes))

    async def _invoices(self, invoices: Sequence[ArInvoice], codes: CurrencyCodes) -> Found:
        if not invoices:
            return {}
        site = self._ledger(codes)
        movements = await self._movements(any_of("Reference", [invoice.reference for invoice in invoices]))
        noted = tuple(dict.fromkeys(place_terms(movement) for movement in movements))
        numbers = await self._widths.spellings(
            [invoice.invoice for invoice in invoices if invoice.invoice], "Invoice"
        )
        where = (*noted, *any_of("Invoice", numbers), *await self._unnumbered(invoices))
        documents = with_movements(await self._documents(where), movements)
        found: dict[str, list[Stored]] = {}
        for invoice in invoices:
            hits = (stored_invoice(document, invoice, site) for document in documents)
            found[invoice.reference] = [hit for hit in hits if hit is not None]
        return {reference: surest(hits) for reference, hits in found.items() if hits}

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
