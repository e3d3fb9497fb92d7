"""The customer of an order: found by its link, address or name, set up where nobody is like it, and never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.flow import customer_desk, replay
from service.flow.replay import Way
from tests.flow.site import Site, site
from tests.journeys.customer_site import (
    ADDRESS,
    at,
    in_syspro,
    link_of,
    lose,
    of_email,
    register,
    seed,
    settle,
    turn,
)

EMAIL = "new@shop.example"
ORDERS = {"on_orders": True, "create_in_syspro": True}


@pytest.fixture(params=["harmony", "enet"])
async def north(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    async with site(database_url, transport=request.param) as made:
        yield made


@pytest.fixture
async def one(database_url: str) -> AsyncIterator[Site]:
    """For what does not depend on the transport."""
    async with site(database_url) as made:
        yield made


async def buy(north: Site, code: str, minor: int = 1_000, customer_id: int = 771, **person: Any) -> None:
    """A shopper orders and pays."""
    billing = {"first_name": "Nora", "last_name": "Newman", "email": EMAIL, **ADDRESS, **person}
    await north.sale(code, minor, customer_id=customer_id, billing=billing)


async def customers_of(north: Site, code: str) -> set[str]:
    """Whose ledger account the money and the order of a payment are on."""
    ledger = await north.ledger()
    paid = {row["Customer"] for row in ledger["ar_payments"] if row["CustomerPurchaseOrder"] == code}
    ordered = {row["Customer"] for row in ledger["sales_orders"] if row["CustomerPoNumber"] == code}
    return paid | ordered


async def sound(north: Site) -> bool:
    answer = await north.http.get(f"{north.urls['syspro']}/_sandbox/invariants")
    return bool(answer.json()["ok"])


@pytest.mark.parametrize("fault", ["none", "commit-then-drop"])
async def test_an_order_of_a_stranger_sets_the_customer_up_once_and_is_posted_to_it(
    north: Site, fault: str
) -> None:
    await settle(north, **ORDERS)
    await turn(north)
    if fault != "none":
        await lose(north, fault)
    await buy(north, "SO-1", 12_995)
    for _ in range(6):
        await north.walk()
        if (await north.payment("SO-1")).state == "confirmed":
            break
        await asyncio.sleep(0.1)
    await buy(north, "SO-2", 500)
    await north.walk()

    assert not north.syspro.plan.orders, "the answer was lost"
    assert [each.Customer for each in of_email(north, EMAIL)] == ["WEB0771"]
    assert await customers_of(north, "SO-1") == await customers_of(north, "SO-2") == {"WEB0771"}
    assert await north.ar_payments("SO-1") == [12_995]
    assert await north.ar_payments("SO-2") == [500]
    assert "payment.customer_settled" in await north.actions("SO-1")
    assert await sound(north)


async def test_a_guest_is_known_by_the_address(one: Site) -> None:
    await settle(one, **ORDERS)
    await turn(one)
    await buy(one, "SO-1", customer_id=0)
    await buy(one, "SO-2", customer_id=0, email="NEW@shop.example")
    await one.walk()

    (customer,) = of_email(one, EMAIL)
    assert await customers_of(one, "SO-1") == await customers_of(one, "SO-2") == {customer.Customer}
    link = await link_of(one, f"guest:{EMAIL}")
    assert link is not None
    assert link.erp_key == customer.Customer


async def test_two_orders_of_one_stranger_at_once_set_up_one_customer(one: Site) -> None:
    await settle(one, **ORDERS)
    await turn(one)
    for number in range(4):
        await buy(one, f"SO-{number}")
    for _ in range(4):
        await one.walk()
        await asyncio.sleep(0.05)

    assert [each.Customer for each in of_email(one, EMAIL)] == ["WEB0771"]
    assert [await customers_of(one, f"SO-{number}") for number in range(4)] == [{"WEB0771"}] * 4


async def test_an_order_of_a_known_address_goes_to_its_customer(one: Site) -> None:
    await settle(one, on_orders=True)
    await buy(one, "SO-1", email="Customer3@example.org")
    await one.walk()
    assert await customers_of(one, "SO-1") == {"0000003"}


async def test_an_order_of_a_customer_on_hold_waits_for_it_and_sets_up_nobody(one: Site) -> None:
    await settle(one, **ORDERS)
    seed(one, "HOLD1", Name="Nora Newman", Email=EMAIL, CustomerOnHold="Y")
    await turn(one)
    await buy(one, "SO-1", 700)
    await one.walk()

    assert [each.Customer for each in of_email(one, EMAIL)] == ["HOLD1"]
    assert await one.ar_payments("SO-1") == [700]
    assert await one.sales_orders("SO-1") == []


async def test_who_is_only_likely_is_asked_of_a_person_and_the_payment_waits(one: Site) -> None:
    await settle(one, **ORDERS)
    seed(
        one,
        "NEW001",
        Name="Nora Newman",
        SoldToAddr2="1 High St",
        SoldPostalCode="LS1 1AA",
        Email="x@old.example",
    )
    await turn(one)
    await buy(one, "SO-1")
    await one.walk()
    waiting = await one.payment("SO-1")
    assert waiting.state == "dead_letter"
    assert waiting.error is not None
    assert waiting.error["code"] == "customers.undecided"
    assert await one.ar_payments("SO-1") == []

    async with at(one) as desk:
        link = await link_of(one, 771)
        assert link is not None
        await customer_desk.reject(desk, link.link_id)
    async with at(one) as desk:
        await replay.replay(desk, waiting.payment_id, Way(from_step="look_up"))
    await one.walk()

    assert [each.Customer for each in of_email(one, EMAIL)] == ["WEB0771"]
    assert await customers_of(one, "SO-1") == {"WEB0771"}


async def test_a_stranger_goes_to_the_pairs_customer_where_none_may_be_set_up(one: Site) -> None:
    await settle(one, on_orders=True)
    await turn(one)
    await buy(one, "SO-1")
    await one.walk()
    assert of_email(one, EMAIL) == []
    assert await customers_of(one, "SO-1") == {"0000001"}
    assert in_syspro(one, "0000001").Name == "Web sales account"


async def test_nobody_is_called_new_before_syspros_customers_were_read(one: Site) -> None:
    await settle(one, **ORDERS)
    await buy(one, "SO-1")
    await one.walk()
    payment = await one.payment("SO-1")
    assert payment.error is not None
    assert payment.error["code"] == "customers.first-read"
    assert of_email(one, EMAIL) == []


async def test_a_guest_who_has_an_account_and_an_account_of_a_former_guest_are_one_customer(
    one: Site,
) -> None:
    await settle(one, **ORDERS, sync=True)
    await turn(one)
    await buy(one, "SO-1", customer_id=0)
    await one.walk()
    (customer,) = of_email(one, EMAIL)

    await register(one, EMAIL, id=42, first_name="Nora", last_name="Newman")
    await turn(one)
    await buy(one, "SO-2", customer_id=42)
    await buy(one, "SO-3", customer_id=0)
    await one.walk()

    assert [each.Customer for each in of_email(one, EMAIL)] == [customer.Customer]
    for code in ("SO-1", "SO-2", "SO-3"):
        assert await customers_of(one, code) == {customer.Customer}, code
    link = await link_of(one, 42)
    assert link is not None
    assert (link.state, link.erp_key) == ("linked", customer.Customer)


async def test_the_shops_numbers_settle_it_where_they_are_syspros_codes(one: Site) -> None:
    await settle(one, on_orders=True, numbers_are_accounts=True)
    await turn(one)
    await buy(one, "SO-1", customer_id=7)
    await one.walk()
    assert await customers_of(one, "SO-1") == {"0000007"}
