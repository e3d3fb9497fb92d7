"""Sales orders and journals as SYSPRO stored them: columns that an answer does not hold are `None`.

Keys come back in the spelling we sent when they name the same record, so that padding is never a finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from integration.canonical.documents import Receipt, SalesOrder, Stored
from integration.canonical.journal import GlJournal, JournalEntry
from integration.canonical.money import Money
from integration.syspro.currency import CurrencyCodes
from integration.syspro.enet.comfnd import Row
from integration.syspro.enet.parsing import amount, count, day, number
from integration.syspro.enet.values import journal_key
from integration.syspro.keys import as_sent, bare
from integration.syspro.ledger_rows import unsigned
from integration.syspro.order_lines import LineReading, StoredLine, lines_as_sent
from integration.syspro.site import LineKind

ORDER_COLUMNS = (
    "SalesOrder",
    "Customer",
    "CustomerPoNumber",
    "OrderStatus",
    "CancelledFlag",
    "OrderDate",
    "ReqShipDate",
    "Currency",
    "CustomerName",
    "ShipAddress1",
    "ShipAddress2",
    "ShipAddress3",
    "ShipAddress3Loc",
    "ShipAddress4",
    "ShipAddress5",
    "ShipPostalCode",
    "Email",
    "Warehouse",
    "Branch",
    "Salesperson",
    "Area",
    "SpecialInstrs",
    "InvTermsOverride",
)
LINE_COLUMNS = (
    "SalesOrder",
    "SalesOrderLine",
    "LineType",
    "MStockCode",
    "MStockDes",
    "MWarehouse",
    "MOrderQty",
    "MOrderUom",
    "MPrice",
    "MTaxCode",
    "NComment",
    "NMscChargeValue",
    "NMscProductCls",
)
JOURNAL_COLUMNS = ("GlYear", "GlPeriod", "GlJournal", "JournalDate", "Reference", "Notation", "JnlStatus")
ENTRY_COLUMNS = (
    "GlYear",
    "GlPeriod",
    "Journal",
    "EntryNumber",
    "EntryType",
    "EntryValue",
    "GlCode",
    "Reference",
    "Comment",
)


class Reading(Struct, frozen=True, kw_only=True):
    """How a site's orders read: its currency codes, and the kinds that its `LineType`s stand for."""

    codes: CurrencyCodes
    line_types: Mapping[str, LineKind]


def stored_order(row: Row, lines: Sequence[Row], wanted: SalesOrder, reading: Reading) -> Stored:
    """A sales order found under our order number, with its rows of SorDetail."""
    currency = reading.codes.iso(row["Currency"])
    how = LineReading(currency=currency, kinds=reading.line_types)
    document_lines, comments = lines_as_sent([_line(line) for line in lines], wanted.lines, how)
    document = SalesOrder(
        customer_po_number=row["CustomerPoNumber"],
        customer=as_sent(row["Customer"], wanted.customer),
        lines=document_lines,
        order_date=day(row["OrderDate"]),
        requested_ship_date=day(row["ReqShipDate"]),
        currency=currency if row.told("Currency") is not None else None,
        customer_name=row.told("CustomerName"),
        ship_address1=row.told("ShipAddress1"),
        ship_address2=row.told("ShipAddress2"),
        ship_address3=row.told("ShipAddress3"),
        ship_address3_locality=row.told("ShipAddress3Loc"),
        ship_address4=row.told("ShipAddress4"),
        ship_address5=row.told("ShipAddress5"),
        ship_postal_code=row.told("ShipPostalCode"),
        email=row.told("Email"),
        warehouse=row.told("Warehouse"),
        branch=row.told("Branch"),
        salesperson=row.told("Salesperson"),
        area=row.told("Area"),
        special_instrs=row.told("SpecialInstrs"),
        invoice_terms=row.told("InvTermsOverride"),
        order_comments=comments,
    )
    receipt = Receipt(
        kind="sales_order",
        reference=row["CustomerPoNumber"],
        key=bare(row["SalesOrder"]),
        details={"SalesOrder": row["SalesOrder"], "OrderStatus": row["OrderStatus"]},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document)


def _line(row: Row) -> StoredLine:
    return StoredLine(
        number=int(number(row["SalesOrderLine"])),
        line_type=row["LineType"],
        stock_code=row["MStockCode"],
        stock_description=row.told("MStockDes"),
        warehouse=row.told("MWarehouse"),
        order_qty=number(row["MOrderQty"]),
        order_uom=row.told("MOrderUom"),
        price=number(row["MPrice"]),
        tax_code=row.told("MTaxCode"),
        comment=row.told("NComment"),
        charge=number(row["NMscChargeValue"]),
        charge_class=row.told("NMscProductCls"),
    )


def journal_place(row: Row, journal: str) -> tuple[int, int, int]:
    """Year, period and number of a journal, by which its entries belong to it; zeros before them do not matter."""
    return count(row["GlYear"]), count(row["GlPeriod"]), count(row[journal])


def stored_journal(row: Row, entries: Sequence[Row], wanted: GlJournal, local: str) -> Stored:
    """A GL journal found under our reference; amounts are in the company's local currency."""
    document = GlJournal(
        reference=row["Reference"],
        entries=tuple(_entry(each, local) for each in sorted(entries, key=_entry_place)),
        journal_date=day(row["JournalDate"]),
        posting_year=count(row["GlYear"]) or None,
        posting_period=count(row["GlPeriod"]) or None,
        notation=row.told("Notation"),
    )
    receipt = Receipt(
        kind="gl_journal",
        reference=wanted.reference,
        key=journal_key(row["GlYear"], row["GlPeriod"], row["GlJournal"]),
        details={"JnlStatus": row["JnlStatus"]},
        adopted=True,
    )
    return Stored(receipt=receipt, document=document)


def _entry_place(row: Row) -> int:
    return int(number(row["EntryNumber"]))


def _entry(row: Row, local: str) -> JournalEntry:
    """An entry: stored without a sign, and a debit or a credit whatever sign the site's `EntryAmount` takes."""
    value: Money = amount(row["EntryValue"], local)
    credited = row["EntryType"] == "C"
    return JournalEntry(
        ledger_code=row["GlCode"],
        entry_amount=-unsigned(value) if credited else value,
        reference=row["Reference"],
        comment=row["Comment"],
    )
