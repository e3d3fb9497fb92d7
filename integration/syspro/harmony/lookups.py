"""Finding our own documents in SYSPRO again: by our references, many in one call, whatever their number.

This is what exactly-once rests on; no answer of an idempotency store is needed for it. A look-up is a read: it
may fail and be tried again, but it never claims that nothing is there unless SYSPRO said so to the last page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

from msgspec import Struct

from integration.canonical.documents import ArInvoice, ArPayment, ErpDocument, SalesOrder, Stored
from integration.canonical.journal import GlJournal
from integration.http import Call
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.harmony.endpoints import INVOICE, JOURNAL, PAYMENT, SALES_ORDER, Endpoint
from integration.syspro.harmony.read_back import stored_journal, stored_order
from integration.syspro.harmony.read_receivables import document_of, movement_of
from integration.syspro.harmony.reading import Reader
from integration.syspro.harmony.schema import InvoiceRow, JournalRow, MovementRow, OrderRow, Page
from integration.syspro.harmony.session import HarmonySession
from integration.syspro.harmony.wire import Context, content, page
from integration.syspro.keys import in_lists
from integration.syspro.ledger_rows import Site
from integration.syspro.receivables import stored_invoice, stored_payments, surest
from integration.syspro.refusals import Concerning

Row = TypeVar("Row")
Found = dict[str, tuple[Stored, ...]]

_PAGE = "500"


class Query(Struct, frozen=True, kw_only=True):
    """One filter of a list, with as many values as there are; `also` holds further, single-valued ones."""

    endpoint: Endpoint
    name: str
    values: tuple[str, ...]
    also: Mapping[str, str] = {}


class Lookups:
    """Looks for documents in one operator's session."""

    def __init__(self, config: SysproConfig, session: HarmonySession) -> None:
        self._config = config
        self._session = session
        self._reader = Reader(config, session)

    async def find(self, documents: Sequence[ErpDocument]) -> Found:
        """What SYSPRO holds of these documents, by our references."""
        if not documents:
            return {}
        local_code = (await self._session.current()).local_currency_code
        codes = CurrencyCodes(self._config.currency_map, local_code)
        found: Found = {}
        found |= await self._orders([each for each in documents if isinstance(each, SalesOrder)], codes)
        found |= await self._payments([each for each in documents if isinstance(each, ArPayment)], codes)
        found |= await self._invoices([each for each in documents if isinstance(each, ArInvoice)], codes)
        found |= await self._journals([each for each in documents if isinstance(each, GlJournal)], codes)
        return found

    async def order_numbers(self, order: SalesOrder) -> list[OrderRow]:
        """The live orders under our order number."""
        return await self._live_orders([order])

    async def rows(self, query: Query, row: type[Row]) -> list[Row]:
        """All rows of a list that fit, to its last page."""
        rows: list[Row] = []
        for values in in_lists(query.values):
            start: str | None = ""
            while start is not None:
                params = {query.name: ",".join(values), **query.also, "Limit": _PAGE}
                if start:
                    params["StartAt"] = start
                part = await self._page(params, query.endpoint, row)
                rows += part.items
                # A page that ends where it began would be read for ever.
                start = None if part.next_start_at == start else part.next_start_at or None
        return rows

    async def _page(self, params: Mapping[str, str], endpoint: Endpoint, row: type[Row]) -> Page[Row]:
        context = self._context(endpoint)
        return await self._reader.fetch(
            self._call(endpoint.path, params, endpoint), lambda answer: page(answer, row, context)
        )

    def _call(self, path: str, params: Mapping[str, str], endpoint: Endpoint) -> Call:
        return Call(
            method="GET",
            path=path,
            params=params,
            about=f"the look-up of {endpoint.noun}s",
            timeout=self._config.query_timeout,
        )

    def _context(self, endpoint: Endpoint) -> Context:
        about = Concerning(what=f"the look-up of {endpoint.noun}s")
        return Context(about=about, business_object=endpoint.business_object, rules=self._config.all_rules)

    # --- sales orders -----------------------------------------------------------------------------

    async def _orders(self, orders: Sequence[SalesOrder], codes: CurrencyCodes) -> Found:
        if not orders:
            return {}
        wanted = {order.reference: order for order in orders}
        heads = await self._live_orders(orders)
        rows = await asyncio.gather(*map(self._whole_order, heads), return_exceptions=True)
        found: dict[str, list[Stored]] = {}
        for row in rows:
            if isinstance(row, BaseException):
                raise row
            stored = stored_order(row, wanted[row.customer_po_number], codes, self._config)
            found.setdefault(row.customer_po_number, []).append(stored)
        return _frozen(found)

    async def _live_orders(self, orders: Sequence[SalesOrder]) -> list[OrderRow]:
        wanted = {order.reference for order in orders}
        query = Query(endpoint=SALES_ORDER, name="CustomerPoNumber", values=tuple(wanted))
        rows = await self.rows(query, OrderRow)
        # SYSPRO compares as its collation does; only an exact match is ours, and a cancelled one is none.
        return [row for row in rows if row.customer_po_number in wanted and not self._is_cancelled(row)]

    def _is_cancelled(self, order: OrderRow) -> bool:
        """Whether an order was cancelled, on entry or later: then it is as if it were not there."""
        return order.cancelled_flag == "Y" or order.order_status in self._config.cancelled_statuses

    async def _whole_order(self, head: OrderRow) -> OrderRow:
        """The order with its lines, which lists may leave out."""
        if head.lines is not None:
            return head
        path = f"{SALES_ORDER.path}/{quote(head.sales_order, safe='')}"
        context = self._context(SALES_ORDER)
        return await self._reader.fetch(
            self._call(path, {}, SALES_ORDER), lambda answer: content(answer, OrderRow, context)
        )

    # --- AR payments ------------------------------------------------------------------------------

    async def _payments(self, payments: Sequence[ArPayment], codes: CurrencyCodes) -> Found:
        if not payments:
            return {}
        references = tuple(payment.reference for payment in payments)
        movements = await self.rows(Query(endpoint=PAYMENT, name="Reference", values=references), MovementRow)
        orders = {part.customer_purchase_order for payment in payments for part in payment.unapplied} - {""}
        # Which order unapplied cash waits for is told by the credit document alone.
        credits_made = await self.rows(
            Query(endpoint=INVOICE, name="CustomerPoNumber", values=tuple(sorted(orders))), InvoiceRow
        )
        moved, documents = list(map(movement_of, movements)), list(map(document_of, credits_made))
        site = self._ledger(codes)
        found = {each.reference: stored_payments(moved, documents, each, site) for each in payments}
        return {reference: hits for reference, hits in found.items() if hits}

    def _ledger(self, codes: CurrencyCodes) -> Site:
        return Site(codes=codes, unapplied_prefix=self._config.unapplied_prefix)

    # --- AR invoices and credit memos -------------------------------------------------------------

    async def _invoices(self, invoices: Sequence[ArInvoice], codes: CurrencyCodes) -> Found:
        if not invoices:
            return {}
        numbers = tuple(sorted({invoice.invoice for invoice in invoices if invoice.invoice}))
        customers = tuple(sorted({invoice.customer for invoice in invoices if not invoice.invoice}))
        rows = await self.rows(Query(endpoint=INVOICE, name="Invoice", values=numbers), InvoiceRow)
        rows += await self.rows(Query(endpoint=INVOICE, name="Customer", values=customers), InvoiceRow)
        rows = list({(row.customer, row.invoice, row.document_type): row for row in rows}.values())
        documents, site = list(map(document_of, rows)), self._ledger(codes)
        found: dict[str, list[Stored]] = {}
        for invoice in invoices:
            for document in documents:
                stored = stored_invoice(document, invoice, site)
                if stored is not None:
                    found.setdefault(invoice.reference, []).append(stored)
        return {reference: surest(hits) for reference, hits in found.items()}

    # --- journals ---------------------------------------------------------------------------------

    async def _journals(self, journals: Sequence[GlJournal], codes: CurrencyCodes) -> Found:
        if not journals:
            return {}
        wanted = {journal.reference: journal for journal in journals}
        query = Query(endpoint=JOURNAL, name="Reference", values=tuple(wanted))
        found: dict[str, list[Stored]] = {}
        for row in await self.rows(query, JournalRow):
            journal = wanted.get(row.reference)
            if journal is not None:
                stored = stored_journal(row, journal, self._config, codes.iso(""))
                found.setdefault(row.reference, []).append(stored)
        return _frozen(found)


def _frozen(found: Mapping[str, list[Stored]]) -> Found:
    return {reference: tuple(hits) for reference, hits in found.items()}
