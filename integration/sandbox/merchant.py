"""The merchant who drives the three sandboxes over HTTP: customers, a trading day of orders, and their payments."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import msgspec

from integration.sandbox.client import Client, Unreachable
from integration.sandbox.merchant_day import Sale, draw_day
from integration.sandbox.merchant_till import GatewayAccess, NotPaid, Till
from integration.sandbox.merchant_world import CURRENCY, Invoice, World, load_world, syspro_customers

__all__ = ["CONCURRENCY", "Day", "Merchant", "MerchantUrls", "Played", "SandboxRefused"]

CONCURRENCY = 8


class SandboxRefused(Exception):
    """A sandbox's control did not do what the merchant asked."""


class MerchantUrls(msgspec.Struct, frozen=True):
    """Where the sandboxes are: ``syspro`` and ``shop`` are host roots without a closing slash."""

    opayo: GatewayAccess
    syspro: str
    shop: str


class Played(msgspec.Struct, frozen=True):
    """One sale as it went.

    Attributes:
        order_id: the shop's id of the order.
        status: Pi's status of the last attempt; ``Taken`` when its answer was lost, ``Failed`` when Opayo
            would not take it.
        reason: why it failed, else empty.
    """

    sale: Sale
    order_id: int
    status: str
    reason: str = ""


class Day(msgspec.Struct, frozen=True):
    """A day played: its sales in the order they ended, and when it began and ended (monotonic seconds)."""

    played: tuple[Played, ...]
    began: float
    ended: float

    @property
    def captured_minor(self) -> int:
        """Pence that Opayo took, as the merchant counted them."""
        return sum(one.sale.amount_minor for one in self.played if one.sale.captured and not one.reason)


OnSale = Callable[[int, Played], None]


class Merchant:
    """A retailer with a shop, a gateway account and an ERP; everything it draws comes from ``seed``.

    Attributes:
        world: customers, stock and sales of the sample days.
    """

    def __init__(self, urls: MerchantUrls, seed: int, world: World | None = None) -> None:
        self.urls = urls
        self.seed = seed
        self.world = world or load_world()

    def sales(self, payments: int) -> tuple[Sale, ...]:
        """Draw a day with ``payments`` captured payments (and about 1 % more that are never captured)."""
        return draw_day(self.world, payments, self.seed)

    async def seed_syspro(self, warehouse: str = "FG") -> None:
        """Give SYSPRO the retailer's customers and stock.

        Raises:
            SandboxRefused: when the sandbox does not take them.
        """
        async with Client(timeout=30.0) as client:
            await _control(
                client, "POST", f"{self.urls.syspro}/_sandbox/seed", self.world.syspro_seed(warehouse)
            )

    async def play(self, sales: Iterable[Sale], on_sale: OnSale | None = None) -> Day:
        """Play sales, eight at a time: an order in the shop, then its payment attempts.

        Customers beyond the sample are made known to SYSPRO first.

        Args:
            sales: what to play, as drawn by :meth:`sales`.
            on_sale: called after each sale with the count so far.

        Raises:
            SandboxRefused: when a control fails.
        """
        sales = list(sales)
        await self._introduce(sales)
        began = time.monotonic()
        played: list[Played] = []
        waiting = iter(sales)

        async def work(till: Till) -> None:
            for sale in waiting:
                played.append(await self._play(till, sale))
                if on_sale is not None:
                    on_sale(len(played), played[-1])

        async with Client(connections=2 * CONCURRENCY) as client, asyncio.TaskGroup() as group:
            till = Till(client, self.urls.opayo)
            for _ in range(CONCURRENCY):
                group.create_task(work(till))
        return Day(tuple(played), began, time.monotonic())

    async def _introduce(self, sales: list[Sale]) -> None:
        new = {sale.invoice.customer.code: sale.invoice.customer for sale in sales}
        made_up = [customer for customer in new.values() if customer.made_up]
        if made_up:
            async with Client(timeout=30.0) as client:
                body = {"customers": syspro_customers(made_up)}
                await _control(client, "POST", f"{self.urls.syspro}/_sandbox/seed", body)

    async def _play(self, till: Till, sale: Sale) -> Played:
        shop = f"{self.urls.shop}/_sandbox/orders"
        answer = await _control(till.client, "POST", shop, {"orders": [shop_order(sale)]})
        order_id = int(answer["orders"][0]["id"])
        status = ""
        for attempt in sale.attempts:
            if attempt is not sale.attempts[0]:
                link = {"payment_reference": attempt.code}
                await _control(till.client, "PUT", f"{shop}/{order_id}/payment", link)
            try:
                status = await till.pay(sale, attempt)
            except NotPaid as error:
                return Played(sale, order_id, "Failed", str(error))
        return Played(sale, order_id, status)


def shop_order(sale: Sale) -> dict[str, object]:
    """A sale as the shop's ``POST /_sandbox/orders`` takes it; money as text of pounds."""
    invoice = sale.invoice
    who = invoice.customer.person
    address = {
        "first_name": who.first_name,
        "last_name": who.last_name,
        "company": who.company,
        "address_1": who.street,
        "city": who.city,
        "state": who.region,
        "postcode": who.postcode,
        "country": who.country,
        "phone": who.phone,
    }
    return {
        "payment_reference": sale.attempts[0].code,
        "customer_id": invoice.customer.code,
        "currency": CURRENCY,
        "placed_at": invoice.sold_at,
        "billing": {**address, "email": who.email},
        "shipping": address,
        "lines": _lines(invoice),
    }


def _lines(invoice: Invoice) -> list[dict[str, object]]:
    return [
        {
            "kind": line.kind,
            "stock_code": line.stock_code,
            "description": line.description,
            # The shop counts goods; delivery and charges are one sum each.
            "quantity": line.quantity if line.kind == "stock" else 1,
            "net": f"{line.net:.2f}",
            "tax": f"{line.tax(invoice.vat_percent):.2f}",
        }
        for line in invoice.lines
    ]


async def _control(client: Client, method: str, url: str, body: object) -> dict[str, list[dict[str, str]]]:
    for patience in (0.1, 0.5, 0.0):
        try:
            reply = await client.send_json(method, url, body)
        except Unreachable as error:
            # A kept connection may close under a request; control calls are few and harmless to repeat
            # until they were answered, except for creating an order, whose twin nobody pays.
            if not patience:
                raise SandboxRefused(f"{method} {url}: no answer.") from error
            await asyncio.sleep(patience)
            continue
        if reply.status >= 300:
            raise SandboxRefused(
                f"{method} {url}: HTTP {reply.status} {reply.body[:300].decode(errors='replace')}"
            )
        answer: dict[str, list[dict[str, str]]] = reply.json()
        return answer
    raise SandboxRefused(f"{method} {url}: no answer.")
