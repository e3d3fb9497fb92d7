"""An order as the shop holds it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from integration.canonical.money import Money
from integration.canonical.party import Party, PostalAddress

LineKind = Literal["stock", "freight", "charge"]


class OrderLine(Struct, frozen=True, kw_only=True):
    """One line of an order.

    Attributes:
        kind: `stock` for goods, `freight` for delivery, `charge` for fees (positive) and vouchers (negative).
        quantity: exact decimal; 1 for freight and charges.
        unit_price: exact decimal in major units, net of tax and after discounts.
        net: the line's value without tax; `tax` comes on top.
    """

    kind: LineKind
    net: Money
    tax: Money
    stock_code: str = ""
    description: str = ""
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = Decimal(0)

    @property
    def gross(self) -> Money:
        """Net and tax together: what the shopper paid for the line."""
        return self.net + self.tax


class Order(Struct, frozen=True, kw_only=True):
    """An order with its lines.

    Attributes:
        reference: the shop's id of the order, with which it is read and updated.
        number: what the shopper sees.
        total: what the shopper pays; the lines' gross values must sum to it.
        payment_reference: the vendor transaction code the shop gave to Opayo.
    """

    reference: str
    number: str
    total: Money
    lines: tuple[OrderLine, ...]
    customer: Party
    billing: PostalAddress
    shipping: PostalAddress
    payment_reference: str = ""
    status: str = ""
    placed_at: datetime | None = None
    note: str = ""
