"""The retailer's world: customers, stock and sales read from the sample days, with people made up around them."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from pathlib import Path

import msgspec

from integration.sandbox.merchant_places import COUNTRIES, Person, person

FREIGHT_CODES = frozenset({"POST", "DOT", "C2"})
CHARGE_CODES = frozenset({"M"})
CURRENCY = "GBP"
VAT_PERCENT = Decimal(20)
ON_HOLD_CUSTOMER = 98001
UNKNOWN_CUSTOMER = 9_000_000
BRANCH = 100_000

_CENT = Decimal("0.01")


class Customer(msgspec.Struct, frozen=True):
    """A customer of the retailer; ``code`` is the SYSPRO customer and the shop's customer id alike."""

    code: int
    person: Person
    on_hold: bool = False

    @property
    def name(self) -> str:
        """Company, else first and last name; at most 50 characters."""
        return (self.person.company or f"{self.person.first_name} {self.person.last_name}")[:50]

    @property
    def made_up(self) -> bool:
        """A branch that the sample does not know, and SYSPRO only when told."""
        return BRANCH < self.code < UNKNOWN_CUSTOMER

    def branch(self, number: int) -> Customer:
        """A customer like this one, for days longer than the sample; 0 is the customer itself."""
        if not number:
            return self
        code = self.code + number * BRANCH
        return Customer(code, person(str(code), self.person.country), self.on_hold)


class SaleLine(msgspec.Struct, frozen=True):
    """One line of an invoice; ``unit_price`` is net, in pounds."""

    kind: str
    stock_code: str
    description: str
    quantity: int
    unit_price: Decimal

    @property
    def net(self) -> Decimal:
        """Quantity times price: exact, since prices have two decimals."""
        return self.quantity * self.unit_price

    def tax(self, percent: Decimal) -> Decimal:
        """VAT on the line in whole pennies, halves rounded up."""
        return (self.net * percent / 100).quantize(_CENT, ROUND_HALF_UP)


class Invoice(msgspec.Struct, frozen=True):
    """One sale of the sample; ``sold_at`` is UTC (the days are in November: UK time is UTC)."""

    number: str
    sold_at: dt.datetime
    customer: Customer
    lines: tuple[SaleLine, ...]

    @property
    def vat_percent(self) -> Decimal:
        """20 for the United Kingdom, 0 for exports."""
        return VAT_PERCENT if self.customer.person.country == "GB" else Decimal(0)

    @property
    def total(self) -> Decimal:
        """What the customer pays, VAT included."""
        return sum((line.net + line.tax(self.vat_percent) for line in self.lines), Decimal("0.00"))


class World(msgspec.Struct, frozen=True):
    """Everything the merchant deals in.

    Attributes:
        invoices: the sales, by invoice number.
        stock: stock code to description.
    """

    invoices: tuple[Invoice, ...]
    stock: dict[str, str]

    @property
    def customers(self) -> tuple[Customer, ...]:
        """The customers SYSPRO knows, by code, the one on hold included."""
        found = {invoice.customer.code: invoice.customer for invoice in self.invoices}
        held = on_hold_customer()
        return (*(found[code] for code in sorted(found)), held)

    def syspro_seed(self, warehouse: str = "FG") -> dict[str, list[dict[str, str]]]:
        """The body of ``POST /_sandbox/seed``: enough stock that nothing runs out in a day."""
        stock = [
            {
                "StockCode": code,
                "Description": description[:50],
                "Warehouse": warehouse,
                "QtyOnHand": "1000000",
                "StockUom": "EA",
            }
            for code, description in sorted(self.stock.items())
        ]
        return {"customers": syspro_customers(self.customers), "stock": stock}


def syspro_customers(customers: Iterable[Customer]) -> list[dict[str, str]]:
    """Customers in SYSPRO's columns."""
    return [
        {
            "Customer": str(customer.code),
            "Name": customer.name,
            "Currency": CURRENCY,
            "CustomerOnHold": "Y" if customer.on_hold else "N",
        }
        for customer in customers
    ]


def on_hold_customer() -> Customer:
    """The one customer SYSPRO has put on hold."""
    return Customer(ON_HOLD_CUSTOMER, person(str(ON_HOLD_CUSTOMER), "GB"), on_hold=True)


def unknown_customer(number: int) -> Customer:
    """A customer the shop knows and SYSPRO does not."""
    return Customer(UNKNOWN_CUSTOMER + number, person(str(UNKNOWN_CUSTOMER + number), "GB"))


def samples_folder() -> Path:
    """Where the sample days are: in the checkout, else in the installed package.

    Raises:
        FileNotFoundError: when they are in neither place.
    """
    root = Path(__file__).resolve().parents[2]
    for folder in (root / "data", root / "service" / "data"):
        if (folder / "samples" / "uci_online_retail" / "orders.csv").is_file():
            return folder / "samples" / "uci_online_retail"
    raise FileNotFoundError(
        f"The sample days are not below {root}: data/samples/uci_online_retail is missing."
    )


def load_world(folder: Path | None = None) -> World:
    """Read the sample days.

    Stock codes become capitals, as SYSPRO keeps them. Postage codes become freight lines, manual charges
    miscellaneous charges.

    Raises:
        FileNotFoundError: when the samples are missing.
    """
    folder = folder or samples_folder()
    lines: dict[str, tuple[SaleLine, ...]] = {}
    for number, rows in groupby(_rows(folder / "lines.csv"), key=lambda row: row["invoice_no"]):
        lines[number] = tuple(_line(row) for row in rows)
    invoices = tuple(_invoice(row, lines[row["invoice_no"]]) for row in _rows(folder / "orders.csv"))
    stock: dict[str, str] = {}
    for line in (line for invoice in invoices for line in invoice.lines if line.kind == "stock"):
        stock.setdefault(line.stock_code, line.description)
    return World(invoices, stock)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _line(row: dict[str, str]) -> SaleLine:
    code = row["stock_code"].upper()
    kind = "freight" if code in FREIGHT_CODES else "charge" if code in CHARGE_CODES else "stock"
    stock_code = code if kind == "stock" else ""
    description = row["description"] or code
    return SaleLine(kind, stock_code, description, int(row["quantity"]), Decimal(row["unit_price"]))


def _invoice(row: dict[str, str], lines: tuple[SaleLine, ...]) -> Invoice:
    sold_at = dt.datetime.fromisoformat(row["timestamp"]).replace(tzinfo=dt.UTC)
    country = COUNTRIES[row["country"]]
    customer = Customer(int(row["customer_id"]), person(row["customer_id"], country))
    return Invoice(row["invoice_no"], sold_at, customer, lines)
