"""One SYSPRO company in memory: its tables, its numbering, its calendar and its seeds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import msgspec

from integration.sandbox.syspro.config import SysproSandboxConfig
from integration.sandbox.syspro.documents import (
    ArInvoice,
    ArInvoicePay,
    ArPayment,
    Customer,
    SalesOrder,
    StockItem,
    WarehouseItem,
)
from integration.sandbox.syspro.ledger_documents import Bank, CashBookTrn, Currency, GlAccount, Journal
from integration.sandbox.syspro.tables import Table, UndoLog
from integration.sandbox.syspro.values import ZERO, money, padded, quantity


class Accounts(msgspec.Struct, frozen=True):
    """Ledger codes of SYSPRO's own integrations (the payments and sales interfaces)."""

    sales: str = "10-4000"
    freight: str = "10-4100"
    tax: str = "00-2200"
    discount: str = "30-6100"
    withholding: str = "30-6150"
    exchange: str = "30-6300"
    adjustment: str = "30-6400"


def today_utc() -> dt.date:
    """The clock's date in UTC."""
    return dt.datetime.now(dt.UTC).date()


class Store:
    """The company's data. Every write can be undone until :meth:`settle`.

    Args:
        config: the company; its settings and quirks are read live.
        today: where the accounting date comes from when the settings name none.
    """

    def __init__(self, config: SysproSandboxConfig, today: Callable[[], dt.date] = today_utc) -> None:
        self.config = config
        self._today = today
        self.accounts = Accounts()
        self.clear()

    def clear(self) -> None:
        """Empty every table and start numbering anew."""
        undo = self.undo = UndoLog()
        self.customers = Table[Customer](undo, Name=lambda r: [r.Name], Email=lambda r: [r.Email])
        self.balances = Table[Decimal](undo)
        self.credits = Table[Decimal](undo)
        self.stock = Table[StockItem](undo)
        self.warehouse_items = Table[WarehouseItem](undo, StockCode=lambda r: [r.StockCode])
        self.orders = Table[SalesOrder](
            undo, Customer=lambda r: [r.Customer], CustomerPoNumber=lambda r: [r.CustomerPoNumber]
        )
        self.invoices = Table[ArInvoice](
            undo,
            Customer=lambda r: [r.Customer],
            Invoice=lambda r: [r.Invoice],
            CustomerPoNumber=lambda r: [r.CustomerPoNumber],
            SalesOrder=lambda r: [r.SalesOrder],
        )
        self.movements = Table[ArInvoicePay](
            undo,
            Customer=lambda r: [r.Customer],
            Reference=lambda r: [r.Reference],
            Invoice=lambda r: [r.Invoice],
            Document=lambda r: [document_key(r.Customer, r.Invoice, r.DocumentType)],
            Journal=lambda r: [f"{r.TrnYear}|{r.TrnMonth}|{r.Journal}"],
        )
        self.payments = Table[ArPayment](
            undo, Reference=lambda r: [r.Reference], Customer=lambda r: [r.Customer]
        )
        self.journals = Table[Journal](
            undo, Reference=lambda r: {r.Reference, *(line.Reference for line in r.lines)}
        )
        self.gl_accounts = Table[GlAccount](undo)
        self.banks = Table[Bank](undo)
        self.cash_book = Table[CashBookTrn](
            undo, Bank=lambda r: [r.Bank], Reference=lambda r: [r.TrnReference]
        )
        self.currencies = Table[Currency](undo)
        self.counters = Table[int](undo)
        self.not_integrated = Table[Decimal](undo)
        self.branches: dict[str, str] = {}
        self.warehouses: dict[str, str] = {}
        self.product_classes: set[str] = set()
        self.terms: set[str] = set()
        self.salespersons: set[str] = set()
        self.tax_rates: dict[str, Decimal] = {}

    def settle(self) -> None:
        """Make everything written so far final."""
        self.undo.settle()

    # --- keys and numbers ---------------------------------------------------------------------------

    def customer_key(self, customer: str) -> str:
        """A customer code as stored."""
        return padded(customer, self.config.quirks.customer_digits)

    def order_key(self, order: str) -> str:
        """A sales order number as stored."""
        return padded(order, self.config.quirks.sales_order_digits)

    def invoice_key(self, invoice: str) -> str:
        """An invoice number as stored; ``_CRD`` numbers are not numeric and stay as they are."""
        return padded(invoice, self.config.quirks.invoice_digits)

    def next_number(self, counter: str, first: int = 1) -> int:
        """Take the next number of a sequence; an undone posting gives it back."""
        number = self.counters.get(counter) or first
        self.counters.put(counter, number + 1)
        return number

    # --- calendar -----------------------------------------------------------------------------------

    def accounting_date(self) -> dt.date:
        """SYSPRO's today."""
        fixed = self.config.settings.accounting_date
        return dt.date.fromisoformat(fixed) if fixed else self._today()

    def month_of(self, relative: str) -> str:
        """The month ``CCYY-MM`` that C, P or B stands for."""
        today = self.accounting_date()
        months = today.year * 12 + today.month - 1 - "CPB".index(relative)
        return f"{months // 12:04}-{months % 12 + 1:02}"

    def is_closed(self, month: str) -> bool:
        """Whether a month ``CCYY-MM`` is closed to posting."""
        closed = self.config.settings.closed_periods
        return month in {self.month_of(entry) if entry in {"C", "P", "B"} else entry for entry in closed}

    # --- money --------------------------------------------------------------------------------------

    def currency_of(self, customer: Customer) -> str:
        """The customer's currency; blank means local."""
        return customer.Currency or self.config.local_currency

    def rate_of(self, currency: str) -> tuple[Decimal, str]:
        """The book rate of a currency and how to apply it (M or D)."""
        held = self.currencies.get(currency)
        return (held.SellExchangeRate, held.SellMulDiv) if held else (Decimal("1.000000"), "M")

    def add_balance(self, customer: str, before: Decimal, after: Decimal) -> None:
        """Move a customer's CurrentBalance1 and ValCreditsInv as one document's balance changes."""
        self.balances.put(customer, (self.balances.get(customer) or ZERO) + after - before)
        credit = min(after, ZERO) - min(before, ZERO)
        if credit:
            self.credits.put(customer, (self.credits.get(customer) or ZERO) + credit)

    # --- seeds --------------------------------------------------------------------------------------

    def add_customer(self, customer: str, **columns: str) -> Customer:
        """Add or replace a customer under SYSPRO's column names; columns no rule reads are kept as given."""
        known = {name: value for name, value in columns.items() if name in Customer.__struct_fields__}
        others = {name: value for name, value in columns.items() if name not in known}
        row = Customer(self.customer_key(customer), others=others, **known)
        self.customers.put(row.Customer, row)
        return row

    def add_stock(self, stock_code: str, on_hand: Decimal, warehouse: str = "", **columns: str) -> StockItem:
        """Add or replace a stock code and its quantity in one warehouse (the default one when not named)."""
        row = StockItem(stock_code.strip().upper(), **columns)
        for name in ("AlternateUom", "OtherUom"):
            if name not in columns:
                row = msgspec.structs.replace(row, **{name: row.StockUom})
        self.stock.put(row.StockCode, row)
        where = warehouse or self.config.warehouse
        self.warehouses.setdefault(where, where)
        item = WarehouseItem(row.StockCode, where, QtyOnHand=quantity(on_hand))
        self.warehouse_items.put(f"{row.StockCode}|{where}", item)
        return row


def document_key(customer: str, invoice: str, document_type: str) -> str:
    """Key of an AR document: numbers repeat between customers, so all three belong to it."""
    return f"{customer}|{invoice}|{document_type}"


def to_local(value: Decimal, rate: Decimal, mul_div: str) -> Decimal:
    """Convert foreign money to local at a rate, rounded half up to the penny."""
    return money(value * rate) if mul_div == "M" else money(value / rate)
