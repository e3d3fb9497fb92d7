"""Look up: does SYSPRO know the customer and the goods, and at which rate does the money go in?

Answers are kept for a quarter of an hour. What is found goes on the payment for the steps that follow:
an order of a customer on hold will be parked, and money in another currency converted at a named rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from integration.canonical.money import Money
from integration.errors import Rejected, UnknownCustomer, UnknownStockCode
from integration.ports import ErpCustomer
from service.core.circumstances import Original
from service.flow.aggregate import carried
from service.flow.customer_orders import settle_customer
from service.flow.original import original_for
from service.flow.rates import convert
from service.flow.stage import Stage
from service.flow.together import each
from service.flow.trip import Trip

JsonObject = dict[str, object]


async def look_up(trips: Sequence[Trip], stage: Stage) -> None:
    """Check customer and stock items of each payment, find what it goes back to, name the rate if one is needed."""
    await each(trips, stage, _one)


async def _one(trip: Trip, stage: Stage) -> None:
    payment, session = trip.payment, stage.session
    what = trip.node.settings.get("what", ["customer"])
    assert isinstance(what, list)
    original = await _whose(trip, stage, refunded="original" in what)
    customer = await stage.memo.get("customer", payment.customer, lambda: session.customer(payment.customer))
    if customer is None:
        raise UnknownCustomer(
            f"SYSPRO does not know customer `{payment.customer}`",
            evidence={"customer": payment.customer, "order": payment.vendor_tx_code},
        )
    if not customer.payments_allowed:
        raise Rejected(
            f"SYSPRO allows no payments for customer `{customer.customer}`",
            code="syspro.payments-not-allowed",
            hint="Allow payments for the customer in SYSPRO, then replay the payment.",
        )
    if "stock" in what:
        for stock_code, warehouse in _stock_lines(payment.mapped):
            await _check_stock(stage, stock_code, warehouse)
    found: JsonObject = {"on_hold": customer.on_hold, "currency": customer.currency, "name": customer.name}
    if "original" in what:
        found |= {"refund_pattern": stage.pair.refunds.pattern}
    if original is not None:
        found |= {"original": msgspec.to_builtins(original)}
    if "rate" in what:
        found |= await _converted(trip, stage, customer)
    trip.find("look_up", found)
    trip.note("payment.looked_up", customer=customer.customer, on_hold=customer.on_hold)
    trip.passed()


async def _whose(trip: Trip, stage: Stage, *, refunded: bool) -> Original | None:
    """Settle the customer: of what goes back, the original's; else who ordered."""
    if not refunded:
        await settle_customer(trip, stage)
        return None
    original = await original_for(trip, stage)
    if original is not None:
        trip.payment.customer = original.customer
    return original


def _stock_lines(mapped: JsonObject) -> Iterator[tuple[str, str]]:
    order = mapped.get("sales_order")
    lines = order.get("Lines", []) if isinstance(order, dict) else []
    for line in lines:
        if line.get("Kind", line.get("kind")) == "stock":
            yield line.get("StockCode", ""), line.get("Warehouse", "")


async def _check_stock(stage: Stage, stock_code: str, warehouse: str) -> None:
    session = stage.session
    item = await stage.memo.get("stock", stock_code, lambda: session.stock_item(stock_code))
    if item is None:
        raise UnknownStockCode(
            f"SYSPRO does not know stock code `{stock_code}`", evidence={"stock_code": stock_code}
        )
    if item.on_hold:
        raise UnknownStockCode(
            f"Stock code `{stock_code}` is on hold in SYSPRO",
            code="syspro.stock-code-on-hold",
            evidence={"stock_code": stock_code},
        )
    if warehouse and item.warehouses and warehouse not in item.warehouses:
        raise UnknownStockCode(
            f"SYSPRO does not stock `{stock_code}` in warehouse `{warehouse}`",
            evidence={"stock_code": stock_code, "warehouse": warehouse},
        )


async def _converted(trip: Trip, stage: Stage, customer: ErpCustomer) -> JsonObject:
    payment = trip.payment
    if customer.currency == payment.currency:
        return {}
    amount = carried(payment) or Money(payment.amount_minor, payment.currency)
    return {"conversion": msgspec.to_builtins(await convert(stage, amount, customer.currency))}
