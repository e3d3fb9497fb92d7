"""The company's books over the façade: orders, AR documents, the cash book and the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

from integration.canonical.documents_money_out import ArAdjustment, CreditNoteOrder
from integration.canonical.erp_records import ArDocument, CashBookEntry, OrderState, ReceivablesQuery
from integration.errors import Rejected
from integration.http import Call
from integration.syspro.books import sensible
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.found_money_out import LedgerEntry
from integration.syspro.harmony.book_rows import (
    ArRow,
    BankRow,
    CashRow,
    LedgerJournalRow,
    OrderStateRow,
    adjustments_of,
    ar_document,
    cash_entry,
    ledger_entries,
    order_state,
)
from integration.syspro.harmony.endpoints import BANK, CASH, INVOICE, JOURNAL, SALES_ORDER, order_path
from integration.syspro.harmony.lookups import Lookups, Query
from integration.syspro.harmony.reading import Reader
from integration.syspro.harmony.wire import Context, content_or_none
from integration.syspro.keys import same_key
from integration.syspro.ledger_rows import Movement

# Most telling first: what one filter names, the others only narrow.
_FILTERS = ("Invoice", "SalesOrder", "CustomerPoNumber", "Customer")
_A_DAY = timedelta(days=1)


class HarmonyBooks:
    """Reads the books in one operator's session; the transport is one of these, and `Books` of look-ups."""

    _config: SysproConfig
    _reader: Reader
    _lookups: Lookups

    async def _codes(self) -> CurrencyCodes:
        raise NotImplementedError

    def _context(self, what: str) -> Context:
        raise NotImplementedError

    # --- sales orders -----------------------------------------------------------------------------

    async def sales_order(self, number: str) -> OrderState | None:
        """A sales order, or a credit-note order, as it is now; or `None`."""
        about = f"sales order {number}"
        call = Call(method="GET", path=order_path(number), about=about)
        context = self._context(about)
        row = await self._reader.fetch(call, lambda answer: content_or_none(answer, OrderStateRow, context))
        if row is None:
            return None
        codes = await self._codes()
        with sensible():
            return order_state(row, codes, self._config)

    async def orders(self, numbers: Sequence[str]) -> list[OrderState]:
        """Sales orders with their lines: the façade tells lines of one order at a time."""
        found = await asyncio.gather(*map(self.sales_order, dict.fromkeys(numbers)), return_exceptions=True)
        orders: list[OrderState] = []
        for each in found:
            if isinstance(each, BaseException):
                raise each
            if each is not None:
                orders.append(each)
        return orders

    async def credit_note_orders(self, wanted: Sequence[CreditNoteOrder]) -> list[OrderState]:
        """Live credit-note orders of the same customers, since the earliest day that they can be of."""
        found: list[OrderState] = []
        for customer in sorted({note.customer for note in wanted}):
            also = _since([note.document_date for note in wanted if note.customer == customer])
            query = Query(endpoint=SALES_ORDER, name="Customer", values=(customer,), also=also)
            rows = await self._lookups.rows(query, OrderStateRow)
            notes = [row.sales_order for row in rows if row.document_type == "C"]
            found += [order for order in await self.orders(notes) if not order.cancelled]
        return found

    # --- receivables ------------------------------------------------------------------------------

    async def receivables(self, query: ReceivablesQuery) -> tuple[ArDocument, ...]:
        """AR documents with their movements."""
        query.terms()
        return tuple(await self.documents([query]))

    async def documents(self, queries: Sequence[ReceivablesQuery]) -> list[ArDocument]:
        """AR documents with their movements."""
        rows = await self._documents(queries)
        codes = await self._codes()
        with sensible():
            return [ar_document(row, codes, self._config) for row in rows]

    async def _documents(self, queries: Sequence[ReceivablesQuery]) -> list[ArRow]:
        """Rows for all queries, those alike but for one filter's value in one list."""
        alike: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
        for query in queries:
            terms = query.terms()
            name = next(each for each in _FILTERS if each in terms)
            value = terms.pop(name)
            also = (*terms.items(), *([("OpenOnly", "Y")] if query.open_only else []))
            alike.setdefault((name, also), []).append(value)
        rows: list[ArRow] = []
        for (name, also), values in alike.items():
            wanted = Query(endpoint=INVOICE, name=name, values=tuple(values), also=dict(also))
            rows += await self._lookups.rows(wanted, ArRow)
        return list({(row.customer, row.invoice, row.document_type): row for row in rows}.values())

    async def adjustments(self, wanted: Sequence[ArAdjustment]) -> list[Movement]:
        """Movements of type `A` on the documents that were to be adjusted: the list of payments leaves them out."""
        queries = [
            ReceivablesQuery(customer=each.customer, invoice=part.invoice, open_only=False)
            for each in wanted
            for part in each.invoices
        ]
        return [movement for row in await self._documents(queries) for movement in adjustments_of(row)]

    # --- cash book and ledger ---------------------------------------------------------------------

    async def cash_book(self, bank: str, since: date, until: date) -> tuple[CashBookEntry, ...]:
        """The deposits and withdrawals of a bank, both days included: SYSPRO tells all, and they are chosen here."""
        entries = await self._cash(bank, Query(endpoint=CASH, name="Bank", values=(bank,)))
        return tuple(each for each in entries if each.trn_date and since <= each.trn_date <= until)

    async def cash_entries(self, bank: str, references: Sequence[str]) -> list[CashBookEntry]:
        """Cash-book rows of a bank under these references."""
        query = Query(endpoint=CASH, name="Reference", values=tuple(references), also={"Bank": bank})
        return await self._cash(bank, query)

    async def _cash(self, bank: str, query: Query) -> list[CashBookEntry]:
        banks = await self._lookups.rows(Query(endpoint=BANK, name="Bank", values=(bank,)), BankRow)
        code = next((each.currency for each in banks if same_key(each.bank, bank)), None)
        if code is None:
            raise Rejected(f"SYSPRO does not know bank {bank}", code="syspro.validation-failed")
        currency = (await self._codes()).iso(code)
        rows = await self._lookups.rows(query, CashRow)
        with sensible():
            return [cash_entry(row, currency) for row in rows]

    async def ledger_entries(self, references: Sequence[str]) -> list[LedgerEntry]:
        """Entries of other modules' journals: the façade looks into lines for one reference at a time."""
        local = (await self._codes()).iso("")
        entries: list[LedgerEntry] = []
        for reference in dict.fromkeys(references):
            query = Query(endpoint=JOURNAL, name="Reference", values=(reference,))
            for row in await self._lookups.rows(query, LedgerJournalRow):
                entries += ledger_entries(row, self._config, local)
        return entries


def _since(days: Sequence[date | None]) -> dict[str, str]:
    """The filter for orders of the earliest day or later; none when some may be of any day.

    A day early: a note is of SYSPRO's own day, which may not be ours.
    """
    known = [day for day in days if day is not None]
    return {"OrderDateFrom": (min(known) - _A_DAY).isoformat()} if known and len(known) == len(days) else {}
