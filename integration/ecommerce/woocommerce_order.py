"""An order in WooCommerce's JSON, and the canonical order it becomes.

Decimals are text and are read exactly; `price`, the only number among them, is never read. Line totals are after
discounts, so coupons are in the lines already; fees may be negative.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from integration.canonical.order import Order
from integration.canonical.party import Party, PostalAddress
from integration.ecommerce.translate import ShopLine, exact_money, order_lines


class WooMeta(Struct):
    """A meta datum; values may be of any shape, and only text is used."""

    key: str = ""
    value: object = None


class WooAddress(Struct, frozen=True):
    """Billing or shipping address; only billing has an e-mail address."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    email: str | None = ""
    phone: str | None = ""


class WooItem(Struct):
    """Goods: `total` is net and after discounts."""

    name: str = ""
    sku: str | None = ""
    quantity: Decimal = Decimal(1)
    total: Decimal = Decimal(0)
    total_tax: Decimal = Decimal(0)


class WooShipping(Struct):
    """Delivery."""

    method_title: str = ""
    total: Decimal = Decimal(0)
    total_tax: Decimal = Decimal(0)


class WooFee(Struct):
    """A fee, or a reduction when negative."""

    name: str | None = ""
    total: Decimal = Decimal(0)
    total_tax: Decimal = Decimal(0)


class WooOrder(Struct):
    """An order, as far as we read it."""

    id: int
    status: str
    currency: str
    total: Decimal
    number: str = ""
    customer_id: int = 0
    customer_note: str = ""
    date_created_gmt: datetime | None = None
    billing: WooAddress = WooAddress()
    shipping: WooAddress = WooAddress()
    line_items: list[WooItem] = []
    shipping_lines: list[WooShipping] = []
    fee_lines: list[WooFee] = []
    meta_data: list[WooMeta] = []

    def meta(self, key: str) -> str:
        """The text of a meta datum, the last when there are several; empty when there is none."""
        values = [entry.value for entry in self.meta_data if entry.key == key]
        return values[-1] if values and isinstance(values[-1], str) else ""


def order(one: WooOrder, payment_reference: str) -> Order:
    """The canonical order.

    Raises:
        InvalidPayment: an amount with more decimals than its currency, or lines that do not add up.
    """
    number = one.number or str(one.id)
    due = exact_money(one.total, one.currency, f"Total of order {number}")
    billing = postal_address(one.billing)
    return Order(
        reference=str(one.id),
        number=number,
        total=due,
        lines=order_lines(_lines(one), due, number),
        customer=Party(
            reference=str(one.customer_id) if one.customer_id else "",
            first_name=one.billing.first_name,
            last_name=one.billing.last_name,
            company=one.billing.company,
            email=one.billing.email or "",
            phone=one.billing.phone or "",
        ),
        billing=billing,
        shipping=postal_address(one.shipping) if one.shipping.address_1 else billing,
        payment_reference=payment_reference,
        status=one.status,
        placed_at=one.date_created_gmt.replace(tzinfo=UTC) if one.date_created_gmt else None,
        note=one.customer_note,
    )


def _lines(one: WooOrder) -> list[ShopLine]:
    goods = [
        ShopLine(
            kind="stock",
            net=item.total,
            tax=item.total_tax,
            stock_code=item.sku or "",
            description=item.name,
            quantity=item.quantity,
        )
        for item in one.line_items
    ]
    freight = [
        ShopLine(kind="freight", net=way.total, tax=way.total_tax, description=way.method_title)
        for way in one.shipping_lines
    ]
    fees = [
        ShopLine(kind="charge", net=fee.total, tax=fee.total_tax, description=fee.name or "Fee")
        for fee in one.fee_lines
    ]
    return [*goods, *freight, *fees]


def postal_address(told: WooAddress) -> PostalAddress:
    """The canonical address."""
    return PostalAddress(
        name=f"{told.first_name} {told.last_name}".strip(),
        company=told.company,
        lines=tuple(line for line in (told.address_1, told.address_2) if line),
        city=told.city,
        region=told.state,
        postcode=told.postcode,
        country=told.country.upper(),
    )
