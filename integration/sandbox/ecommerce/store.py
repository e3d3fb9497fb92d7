"""The orders of the shop, in memory: what both faces read and change, and the ledger that tells of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

import msgspec

from integration.sandbox.ecommerce.address import Address
from integration.sandbox.ecommerce.customers import Accounts

ZERO = Decimal("0.00")

STATUSES = frozenset(
    {
        "pending",
        "processing",
        "on-hold",
        "completed",
        "cancelled",
        "refunded",
        "failed",
        "checkout-draft",
        "trash",
    }
)
"""WooCommerce's order statuses, without their ``wc-`` prefix."""

VENDOR_TX_CODE = "_opayo_vendor_tx_code"
"""The meta key under which the shop's payment plug-in keeps the vendor transaction code."""


class Line(msgspec.Struct, frozen=True):
    """One line: money in major units with two decimals.

    Attributes:
        kind: ``stock`` goods, ``freight`` delivery, ``charge`` a fee (positive) or a voucher (negative).
        quantity: a whole number above zero; 1 for freight and charges.
        net: value after discount and without tax.
        discount: what a coupon took off before tax; 0 or more, goods only.
    """

    kind: Literal["stock", "freight", "charge"]
    net: Decimal
    tax: Decimal = ZERO
    stock_code: str = ""
    description: str = ""
    quantity: int = 1
    discount: Decimal = ZERO

    def __post_init__(self) -> None:
        if self.quantity < 1 or self.discount < 0:
            raise ValueError("A line needs a quantity of 1 or more and a discount of 0 or more.")
        if any(value != value.quantize(ZERO) for value in (self.net, self.tax, self.discount)):
            raise ValueError("The shop's money has two decimals.")


class NewOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order as ``POST /_sandbox/orders`` takes it; ``customer_id`` 0 is a guest."""

    payment_reference: str
    lines: tuple[Line, ...]
    billing: Address
    shipping: Address = Address()
    customer_id: int = 0
    currency: str = "GBP"
    status: str = "pending"
    number: str = ""
    placed_at: dt.datetime | None = None
    tax_rate: Decimal = Decimal(20)
    coupon_code: str = ""
    note: str = ""


class Note(msgspec.Struct, frozen=True):
    """A note on an order."""

    id: int
    text: str
    at: dt.datetime
    for_customer: bool = False


class Change(msgspec.Struct, frozen=True):
    """One change of status, with the face or control that asked for it."""

    at: dt.datetime
    before: str
    after: str
    by: str


class Order(msgspec.Struct):
    """An order with its notes and the history of its status."""

    id: int
    sale: NewOrder
    status: str
    created_at: dt.datetime
    modified_at: dt.datetime
    transaction_id: str = ""
    paid_at: dt.datetime | None = None
    meta: dict[str, str] = {}
    notes: list[Note] = []
    history: list[Change] = []

    @property
    def number(self) -> str:
        """What the shopper sees."""
        return self.sale.number or str(self.id)

    @property
    def total(self) -> Decimal:
        """What the shopper pays, tax included."""
        return sum((line.net + line.tax for line in self.sale.lines), ZERO)

    def lines(self, kind: str) -> Iterator[tuple[int, Line]]:
        """The lines of one kind with their ids, unique within the shop."""
        for place, line in enumerate(self.sale.lines):
            if line.kind == kind:
                yield self.id * 1000 + place, line


class ShopStore:
    """Orders by id and by payment reference, ids starting at 1001; and the customers' accounts."""

    def __init__(self) -> None:
        self.accounts = Accounts()
        self.reset()

    def reset(self) -> None:
        """Forget every order."""
        self.accounts.reset()
        self.orders: dict[int, Order] = {}
        self._by_reference: dict[str, list[Order]] = {}
        self._next_note = 1

    def create(self, sale: NewOrder) -> Order:
        """Take an order in.

        Raises:
            ValueError: for an unknown status or an order without lines.
        """
        if sale.status not in STATUSES:
            raise ValueError(f"There is no order status {sale.status}.")
        if not sale.lines:
            raise ValueError("An order needs at least one line.")
        now = _now()
        order = Order(1001 + len(self.orders), sale, sale.status, sale.placed_at or now, now)
        order.meta[VENDOR_TX_CODE] = sale.payment_reference
        self.orders[order.id] = order
        self._by_reference.setdefault(sale.payment_reference, []).append(order)
        return order

    def find(self, payment_reference: str) -> list[Order]:
        """The orders that a vendor transaction code pays; one, unless a test made more."""
        return self._by_reference.get(payment_reference, [])

    def link(self, order: Order, payment_reference: str) -> None:
        """Give an order another payment reference: the shopper tried again with another card."""
        order.meta[VENDOR_TX_CODE] = payment_reference
        order.modified_at = _now()
        self._by_reference.setdefault(payment_reference, []).append(order)

    def set_status(self, order: Order, status: str, by: str) -> bool:
        """Change the status; False when it was so already.

        Raises:
            ValueError: for an unknown status.
        """
        if status not in STATUSES:
            raise ValueError(f"There is no order status {status}.")
        if order.status == status:
            return False
        now = _now()
        order.history.append(Change(now, order.status, status, by))
        order.status = status
        order.modified_at = now
        if status in {"processing", "completed"} and order.paid_at is None:
            order.paid_at = now
        return True

    def add_note(self, order: Order, text: str, for_customer: bool = False) -> Note:
        """Leave a note."""
        note = Note(self._next_note, text, _now(), for_customer)
        self._next_note += 1
        order.notes.append(note)
        return note

    def ledger(self) -> list[dict[str, object]]:
        """Every order with its status, notes and history, oldest first."""
        return [
            {
                "id": order.id,
                "number": order.number,
                "payment_reference": order.meta[VENDOR_TX_CODE],
                "customer_id": order.sale.customer_id,
                "currency": order.sale.currency,
                "total": str(order.total),
                "status": order.status,
                "transaction_id": order.transaction_id,
                "notes": [note.text for note in order.notes],
                "history": order.history,
            }
            for order in self.orders.values()
        ]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
