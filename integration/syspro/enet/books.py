"""The company's books over e.net: orders, AR documents, the cash book and the ledger, by COMFND and CSHQRY."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import product
from typing import Literal

from lxml import etree

from integration.canonical.documents_money_out import ArAdjustment, CreditNoteOrder
from integration.canonical.erp_records import (
    ArDocument,
    ArMovement,
    CashBookEntry,
    OrderState,
    ReceivablesQuery,
)
from integration.errors import Rejected
from integration.syspro.books import sensible
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.enet.building import xml
from integration.syspro.enet.comfnd import Find, Row, Term, any_of
from integration.syspro.enet.key_widths import KeyWidths
from integration.syspro.enet.order_states import (
    INVOICED_COLUMNS,
    LINE_COLUMNS,
    ORDER_COLUMNS,
    Invoiced,
    invoiced_quantities,
    order_state,
)
from integration.syspro.enet.parsing import amount, day, every, first, text_of
from integration.syspro.enet.reading import Reader
from integration.syspro.enet.receivables import DOCUMENT_COLUMNS, MOVEMENT_COLUMNS, movement_of
from integration.syspro.enet.values import journal_key
from integration.syspro.found_money_out import LedgerEntry
from integration.syspro.keys import same_key
from integration.syspro.ledger_rows import Movement

Groups = tuple[tuple[Term, ...], ...]

_KEYS = frozenset(("Customer", "Invoice", "SalesOrder"))
_MOVEMENTS = (*MOVEMENT_COLUMNS, "EntryNumber")
_ENTRIES = (
    "GlYear",
    "GlPeriod",
    "Journal",
    "GlCode",
    "EntryType",
    "EntryValue",
    "Reference",
    "EntryDate",
    "SubModJournal",
)
_CREDITED = ("Customer", "Invoice", "DocumentType", "CreditedInvoice")
_CASH_OPTIONS = (
    ("IncludeDeposits", "Y"),
    ("IncludeWithdrawals", "Y"),
    ("IncludeReconciled", "Y"),
    ("IncludeUnreconciled", "Y"),
    ("DateSequence", "E"),
    ("IncludeCurrencyInfo", "Y"),
    ("AsOfPeriod", "C"),
    ("TrnToView", "A"),
    ("IncludeApInfo", "N"),
    ("IncludeArInfo", "N"),
)


class EnetBooks:
    """Reads the books in one operator's session; the transport is one of these, and `Books` of look-ups."""

    _config: SysproConfig
    _reader: Reader
    _widths: KeyWidths

    async def _codes(self) -> CurrencyCodes:
        raise NotImplementedError

    # --- sales orders -----------------------------------------------------------------------------

    async def sales_order(self, number: str) -> OrderState | None:
        """A sales order, or a credit-note order, as it is now; or `None`."""
        with sensible():
            found = await self.orders([number], invoiced=True)
        return next((order for order in found if same_key(order.sales_order, number)), None)

    async def orders(self, numbers: Sequence[str], *, invoiced: bool = False) -> list[OrderState]:
        """Sales orders with their lines."""
        spelled = any_of("SalesOrder", await self._widths.spellings(numbers, "SalesOrder"))
        heads = await self._found("SorMaster", ORDER_COLUMNS, spelled)
        stored = any_of("SalesOrder", [head["SalesOrder"] for head in heads])
        lines = await self._found("SorDetail", LINE_COLUMNS, stored)
        quantities = await self._invoiced(stored) if invoiced else None
        codes = await self._codes()
        return [order_state(head, lines, codes, self._config, quantities) for head in heads]

    async def _invoiced(self, orders: Groups) -> Invoiced | None:
        try:
            return invoiced_quantities(await self._found("ArTrnDetail", INVOICED_COLUMNS, orders))
        except Rejected:
            # The register may be closed to the operator, which is no reason to hide the order.
            return None

    async def credit_note_orders(self, wanted: Sequence[CreditNoteOrder]) -> list[OrderState]:
        """Live credit-note orders that credit lines of the same sales orders."""
        credited = await self._widths.spellings([note.sales_order or "" for note in wanted], "SalesOrder")
        lines = await self._found("SorDetail", ("SalesOrder",), any_of("MCreditOrderNo", credited))
        orders = await self.orders([line["SalesOrder"] for line in lines]) if lines else []
        return [order for order in orders if order.document_type == "C" and not order.cancelled]

    # --- receivables ------------------------------------------------------------------------------

    async def receivables(self, query: ReceivablesQuery) -> tuple[ArDocument, ...]:
        """AR documents with their movements."""
        rows = await self._documents([query])
        moved = await self._found("ArInvoicePay", _MOVEMENTS, _places(rows))
        credited = await self._credited(rows)
        codes = await self._codes()
        with sensible():
            return tuple(self._document(row, moved, credited, codes) for row in rows)

    async def documents(self, queries: Sequence[ReceivablesQuery]) -> list[ArDocument]:
        """AR documents, without movements."""
        codes = await self._codes()
        return [self._document(row, (), {}, codes) for row in await self._documents(queries)]

    async def _documents(self, queries: Sequence[ReceivablesQuery]) -> list[Row]:
        groups: list[tuple[Term, ...]] = []
        for query in queries:
            spelled = [await self._terms(column, value) for column, value in query.terms().items()]
            own: tuple[Term, ...] = (("InvoiceBal1", "NE", "0"),) if query.open_only else ()
            groups += [(*terms, *own) for terms in product(*spelled)]
        rows = await self._found("ArInvoice", DOCUMENT_COLUMNS, tuple(dict.fromkeys(groups)))
        wanted = [query.terms() for query in queries]
        return [row for row in _once(rows) if any(_fits(row, terms) for terms in wanted)]

    async def _terms(self, column: str, value: str) -> list[Term]:
        if column not in _KEYS:
            return [(column, "EQ", value)]
        return [(column, "EQ", each) for each in await self._widths.spellings([value], column) if each]

    async def _credited(self, documents: Sequence[Row]) -> dict[tuple[str, str], str]:
        """Which invoice each credit note credits, by the invoice register."""
        notes = _places([row for row in documents if row["DocumentType"] == "C"])
        try:
            rows = await self._found("ArTrnSummary", _CREDITED, notes)
        except Rejected:
            return {}
        named = [row for row in rows if row["DocumentType"] == "C" and row["CreditedInvoice"]]
        return {(row["Customer"], row["Invoice"]): row["CreditedInvoice"] for row in named}

    def _document(
        self, row: Row, moved: Sequence[Row], credited: dict[tuple[str, str], str], codes: CurrencyCodes
    ) -> ArDocument:
        currency = codes.iso(row["PostCurrency"])
        place = row["Customer"], row["Invoice"], row["DocumentType"]
        own = [each for each in moved if (each["Customer"], each["Invoice"], each["DocumentType"]) == place]
        return ArDocument(
            customer=row["Customer"],
            invoice=row["Invoice"],
            document_type=row["DocumentType"],
            currency_value=amount(row["CurrencyValue"], currency),
            invoice_balance=amount(row["InvoiceBal1"], currency),
            invoice_date=day(row["InvoiceDate"]),
            sales_order=row["SalesOrder"],
            customer_po_number=row["CustomerPoNumber"],
            branch=row["Branch"],
            credited_invoice=credited.get(place[:2], "") if row["DocumentType"] == "C" else "",
            is_unapplied_cash=row["Invoice"].startswith(self._config.unapplied_prefix),
            movements=tuple(_movement(each, codes) for each in own),
        )

    async def adjustments(self, wanted: Sequence[ArAdjustment]) -> list[Movement]:
        """Movements of type `A` under our references."""
        references = any_of("Reference", [each.reference for each in wanted])
        rows = await self._found("ArInvoicePay", MOVEMENT_COLUMNS, references)
        return [movement_of(row) for row in rows if row["TrnType"] == "A"]

    # --- cash book and ledger ---------------------------------------------------------------------

    async def cash_book(self, bank: str, since: date, until: date) -> tuple[CashBookEntry, ...]:
        """The deposits and withdrawals of a bank, both days included: SYSPRO tells all, and they are chosen here."""
        with sensible():
            entries = await self._cash(bank)
        return tuple(each for each in entries if each.trn_date and since <= each.trn_date <= until)

    async def cash_entries(self, bank: str, references: Sequence[str]) -> list[CashBookEntry]:
        """Cash-book rows of a bank under these references."""
        wanted = frozenset(references)
        return [each for each in await self._cash(bank) if each.reference in wanted]

    async def _cash(self, bank: str) -> list[CashBookEntry]:
        asked = xml("Query", [("Key", [("Bank", bank)]), ("Option", _CASH_OPTIONS)])
        root = await self._reader.query("CSHQRY", asked, f"the cash book of bank {bank}")
        item = first(root, "BankItem")
        code = text_of(item, "Currency") if item is not None else ""
        currency = (await self._codes()).iso(code)
        return [_cash_entry(row, bank, currency) for row in every(root, "CshTrnItem")]

    async def ledger_entries(self, references: Sequence[str]) -> list[LedgerEntry]:
        """Entries of other modules' journals under these references."""
        rows = await self._found("GenJournalDetail", _ENTRIES, any_of("Reference", references))
        local = (await self._codes()).iso("")
        return [_ledger_entry(row, local) for row in rows if row["SubModJournal"].strip("0")]

    async def _found(self, table: str, columns: tuple[str, ...], where: Groups) -> list[Row]:
        if not where:
            return []
        return await self._reader.rows(
            Find(table=table, columns=columns, where=where), f"the look-up in {table}"
        )


def _places(documents: Sequence[Row]) -> Groups:
    """Documents by their stored keys, so that padding cannot hide them."""
    groups: list[tuple[Term, ...]] = [
        (("Customer", "EQ", row["Customer"]), ("Invoice", "EQ", row["Invoice"])) for row in documents
    ]
    return tuple(dict.fromkeys(groups))


def _once(rows: Sequence[Row]) -> list[Row]:
    return list({(row["Customer"], row["Invoice"], row["DocumentType"]): row for row in rows}.values())


def _fits(row: Row, terms: dict[str, str]) -> bool:
    return all(
        same_key(row[column], value) if column in _KEYS else row[column] == value
        for column, value in terms.items()
    )


def _movement(row: Row, codes: CurrencyCodes) -> ArMovement:
    return ArMovement(
        entry_number=row["EntryNumber"],
        trn_type=row["TrnType"],
        reference=row["Reference"],
        trn_value=amount(row["TrnValue"], codes.iso(row["PostCurrency"])),
        journal_date=day(row["JournalDate"]),
        journal=journal_key(row["TrnYear"], row["TrnMonth"], row["Journal"]),
    )


def _cash_entry(row: etree._Element, bank: str, currency: str) -> CashBookEntry:
    value = amount(text_of(row, "TrnValue"), currency)
    kind: Literal["D", "W"] = "W" if text_of(row, "TrnType") == "W" else "D"
    journal = journal_key(text_of(row, "CbTrnYear"), text_of(row, "CbTrnMonth"), text_of(row, "Journal"))
    return CashBookEntry(
        bank=bank,
        deposit_or_withdrawal=kind,
        reference=text_of(row, "TrnReference"),
        value=value if value.minor >= 0 else -value,
        trn_date=day(text_of(row, "TrnDate")),
        narration=text_of(row, "Narration"),
        reconciled=text_of(row, "ReconciledFlag") == "Y",
        trn_source=text_of(row, "TrnSource"),
        key=f"{bank}/{journal}",
        cb_trn_date=text_of(row, "CbTrnDate"),
        cb_trn_time=text_of(row, "CbTrnTime"),
    )


def _ledger_entry(row: Row, currency: str) -> LedgerEntry:
    value = amount(row["EntryValue"], currency)
    return LedgerEntry(
        reference=row["Reference"],
        ledger_code=row["GlCode"],
        amount=value if row["EntryType"] == "D" else -value,
        journal=journal_key(row["GlYear"], row["GlPeriod"], row["SubModJournal"]),
        entered_on=day(row["EntryDate"]),
    )
