"""A generic JSON storefront: the least a shop must offer to be connected.

- `GET {base}/orders?payment_reference=…` answers `{"orders": [order, …]}`, an empty list when there is none.
- `GET {base}/orders/{reference}` answers one order, or 404.
- `PUT {base}/orders/{reference}/status` with `{"status": "…", "note": "…"}`; the same twice changes nothing.

All with `Authorization: Bearer …`. An order has `reference`, `number`, `status`, `currency` (ISO 4217), `total`,
`placed_at` (ISO 8601 with its zone), `payment_reference`, `customer`, `billing`, `shipping`, `lines`, `note`. Money
is text in major units (`"129.95"`). A line has `kind` (`stock`, `freight`, `charge`), `stock_code`, `description`,
`quantity`, `net`, `tax` and, if the shop likes, `unit_price`; vouchers are charges with a negative `net`. The lines'
`net` and `tax` sum to `total`. Errors are `{"error": {"code": "…", "message": "…"}}`.

A webhook posts `{"event_id", "event", "reference", "payment_reference", "status"}` with the header
`X-Storefront-Signature`, the hex HMAC-SHA256 of the raw body.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

from msgspec import Struct

from integration.canonical.order import LineKind, Order
from integration.canonical.party import Party, PostalAddress
from integration.ecommerce.calls import ShopApi
from integration.ecommerce.config import GenericConfig
from integration.ecommerce.generic_customers import GenericCustomers
from integration.ecommerce.translate import ShopLine, exact_money, order_lines
from integration.errors import InvalidPayment
from integration.http import HttpClient, Spent


class GenericCustomer(Struct, frozen=True):
    """Who ordered; `reference` is empty for a guest."""

    reference: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""


class GenericAddress(Struct, frozen=True):
    """A postal address; `country` is ISO 3166-1 alpha-2."""

    name: str = ""
    company: str = ""
    lines: list[str] = []
    locality: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""


class GenericLine(Struct):
    """A line; `net` and `tax` after discounts."""

    kind: LineKind
    net: Decimal
    tax: Decimal
    stock_code: str = ""
    description: str = ""
    quantity: Decimal = Decimal(1)
    unit_price: Decimal | None = None


class GenericOrder(Struct):
    """An order on the wire."""

    reference: str
    status: str
    currency: str
    total: Decimal
    lines: list[GenericLine]
    number: str = ""
    payment_reference: str = ""
    placed_at: datetime | None = None
    customer: GenericCustomer = GenericCustomer()
    billing: GenericAddress = GenericAddress()
    shipping: GenericAddress | None = None
    note: str = ""


class _Found(Struct):
    orders: list[GenericOrder]


class GenericStorefront(GenericCustomers):
    """One shop behind the generic interface, as the port `Storefront` asks for it.

    Args:
        config: address and token.
        observe: told of every call, for metrics.
    """

    def __init__(self, config: GenericConfig, observe: Callable[[Spent], None] | None = None) -> None:
        http = HttpClient(
            "Shop", config.base_url, timeout=config.timeout, slots=config.slots, observe=observe
        )
        self._api = ShopApi(http, f"Bearer {config.token}")

    async def ping(self) -> None:
        """Prove address and token by asking for an order that does not exist.

        Raises:
            Misconfigured: one of them is wrong.
            Unreachable, Throttled, Rejected: no answer, or no usable one.
        """
        await self._api.read("/orders", _Found, about="an order", params={"payment_reference": "-"})

    async def find_order(self, payment_reference: str) -> Order | None:
        """The order that a vendor transaction code pays, or `None`.

        Raises:
            InvalidPayment: several orders name the code, or the order's lines do not add up.
            Misconfigured, Rejected, Unreachable, Throttled: as for `ping`.
        """
        found = await self._api.read(
            "/orders",
            _Found,
            about=f"the order of payment {payment_reference}",
            params={"payment_reference": payment_reference},
        )
        named = [one for one in found.orders if one.payment_reference in ("", payment_reference)]
        if len(named) > 1:
            raise InvalidPayment(
                f"{len(named)} orders of the shop name payment {payment_reference}",
                code="shop.order-not-unique",
                evidence={"orders": ", ".join(one.number or one.reference for one in named)},
            )
        return order(named[0], payment_reference) if named else None

    async def tell(self, reference: str, status: str, note: str) -> None:
        """Set an order's status and leave a note; the shop takes the same twice as once.

        Raises:
            NotFound: the shop has no such order.
            OutcomeUnknown: sent, and the answer lost: telling again is safe.
            Misconfigured, Rejected, Unreachable, Throttled: as for `ping`.
        """
        await self._api.write(
            "PUT",
            f"/orders/{quote(reference, safe='')}/status",
            {"status": status, "note": note},
            about=f"order {reference}",
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()


def order(one: GenericOrder, payment_reference: str) -> Order:
    """The canonical order.

    Raises:
        InvalidPayment: an amount with more decimals than its currency, a time without zone, or lines that do not
            add up.
    """
    number = one.number or one.reference
    if one.placed_at is not None and one.placed_at.tzinfo is None:
        raise InvalidPayment(f"The time of order {number} has no zone", code="shop.time")
    due = exact_money(one.total, one.currency, f"Total of order {number}")
    lines = [
        ShopLine(
            kind=line.kind,
            net=line.net,
            tax=line.tax,
            stock_code=line.stock_code,
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
        )
        for line in one.lines
    ]
    billing = _address(one.billing)
    return Order(
        reference=one.reference,
        number=number,
        total=due,
        lines=order_lines(lines, due, number),
        customer=Party(
            reference=one.customer.reference,
            first_name=one.customer.first_name,
            last_name=one.customer.last_name,
            company=one.customer.company,
            email=one.customer.email,
            phone=one.customer.phone,
        ),
        billing=billing,
        shipping=_address(one.shipping) if one.shipping and one.shipping.lines else billing,
        payment_reference=payment_reference,
        status=one.status,
        placed_at=one.placed_at.astimezone(UTC) if one.placed_at else None,
        note=one.note,
    )


def _address(told: GenericAddress) -> PostalAddress:
    return PostalAddress(
        name=told.name,
        company=told.company,
        lines=tuple(line for line in told.lines if line),
        locality=told.locality,
        city=told.city,
        region=told.region,
        postcode=told.postcode,
        country=told.country.upper(),
    )
