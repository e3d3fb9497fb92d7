"""kill -9 at every commit and every network boundary of the road, one after the other: always one posting.

The walk is exhaustive: the boundary number grows until a worker lives to the end. Even and odd boundaries are two
tests, so that they run side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from service.flow.library import install_templates
from service.store import pairs
from service.store.database import create_engine
from service.store.inbox import Delivery, store
from service.store.vault import Vault, new_key
from tests.flow.site import pair_settings
from tests.journeys.crash import work_in_a_child
from tests.journeys.stand_ins import stand_ins

# The fewest boundaries that a payment crosses: fewer would mean that some are not watched any more.
FEWEST = 40


@pytest.fixture(scope="module")
def sandbox() -> Iterator[dict[str, Any]]:
    """The three stand-ins in a process of their own, SYSPRO without an idempotency store."""
    with stand_ins() as facts:
        yield facts


@pytest.mark.parametrize("first", [1, 2], ids=["odd boundaries", "even boundaries"])
def test_a_worker_killed_at_any_boundary_posts_once(
    first: int, sandbox: dict[str, Any], database_url: str
) -> None:
    keys = [new_key()]
    asyncio.run(_prepare(database_url, keys, sandbox))
    boundary, lived = first, False
    while not lived:
        code = f"SO-{first}-{boundary}"
        asyncio.run(_sell(database_url, sandbox, code))
        lived = work_in_a_child(database_url, keys, "north", die_at=boundary)
        assert work_in_a_child(database_url, keys, "north")
        boundary += 2
    assert boundary > FEWEST

    ledger = httpx.get(f"{sandbox['syspro']}/_sandbox/ledger").json()
    for number in range(first, boundary, 2):
        code = f"SO-{first}-{number}"
        paid = [row["minor"] for row in ledger["ar_payments"] if row["CustomerPurchaseOrder"] == code]
        assert paid == [1_000], f"killed at boundary {number}: AR payments {paid}"
        orders = [row for row in ledger["sales_orders"] if row["CustomerPoNumber"] == code]
        assert len(orders) == 1, f"killed at boundary {number}: {len(orders)} sales orders"
    assert asyncio.run(_states(database_url)) == ["confirmed"]


async def _prepare(url: str, keys: list[str], sandbox: dict[str, Any]) -> None:
    engine = create_engine(url)
    settings = pair_settings("north", sandbox["opayo"], sandbox["syspro"], sandbox["shop"])
    async with engine.begin() as connection:
        await pairs.save(connection, Vault(keys), settings)
        await install_templates(connection, "north")
    await engine.dispose()


async def _sell(url: str, sandbox: dict[str, Any], code: str) -> None:
    # A customer each, so that screening has nothing to say about many payments of one.
    number = int(code.rsplit("-", 1)[1])
    customer = sandbox["customers"][number * 2 + int(code.split("-")[1])]["code"]
    address = {"first_name": "J", "last_name": "Smith", "address_1": "1 High Street", "city": "Leeds",
               "postcode": "LS1 1AA", "country": "GB"}  # fmt: skip
    order = {
        "payment_reference": code,
        "customer_id": int(customer),
        "currency": "GBP",
        "placed_at": "2025-06-02T09:00:00Z",
        "billing": {**address, "email": f"c{customer}@example.org"},
        "shipping": address,
        "lines": [{"kind": "stock", "stock_code": "A100", "description": "x", "quantity": 1, "net": "10.00", "tax": "0.00"}],
    }  # fmt: skip
    async with httpx.AsyncClient(timeout=10) as client:
        (await client.post(f"{sandbox['shop']}/_sandbox/orders", json={"orders": [order]})).raise_for_status()
        body = {"vendorTxCode": code, "amount": 1_000, "currency": "GBP", "description": "Order"}
        paid = (await client.post(f"{sandbox['opayo']}/_sandbox/pay", json=body)).json()
    engine = create_engine(url)
    delivery = Delivery(
        pair="north",
        source="webhook",
        event_id=f"evt-{code}",
        kind="payment.authorised",
        transaction_id=paid["transactionId"],
        vendor_tx_code=code,
        body=b"{}",
    )
    async with engine.begin() as connection:
        await store(connection, [delivery])
    await engine.dispose()


async def _states(url: str) -> list[str]:
    engine = create_engine(url)
    async with engine.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT DISTINCT state FROM payments")
        states = [row[0] for row in rows]
    await engine.dispose()
    return states
