"""Repairs of common errors, on both transports: proposed, applied where the pair allows it, and taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from service.flow import repair_desk
from service.store import versions
from service.store.versions import Draft
from tests.flow.site import Site, site
from tests.journeys.repair_site import (
    allow,
    change_pair,
    desk,
    lawful,
    open_letters,
    rows,
    settings,
    sound,
    stock_line,
)


@pytest.fixture(params=["harmony", "enet"])
async def at(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Site]:
    """A site on either transport: for what asks SYSPRO or is refused by it."""
    async with site(database_url, transport=request.param) as made:
        yield made


@pytest.fixture
async def north(database_url: str) -> AsyncIterator[Site]:
    """A site, for what SYSPRO has no part in."""
    async with site(database_url) as made:
        yield made


async def close_periods(at: Site, *letters: str) -> None:
    where = f"{at.urls['syspro']}/_sandbox/settings"
    (await at.http.put(where, json={"closed_periods": list(letters)})).raise_for_status()


async def post_to(at: Site, letter: str) -> None:
    syspro = msgspec.structs.replace((await settings(at)).syspro, posting_period=letter)
    await change_pair(at, syspro=syspro)


async def map_otherwise(at: Site, name: str, target: str, row: dict[str, Any]) -> None:
    """Publish a mapping that fills one field as a customer's own would."""
    async with at.engine.begin() as connection:
        live = await versions.live(connection, "mapping", at.pair, name)
        assert live is not None
        document: Any = live[1]
        kept = [each for each in document["rows"] if each["target"] != target]
        changed = {**document, "rows": [*kept, {"target": target, **row}]}
        draft = Draft(kind="mapping", name=name, document=changed, author="ada", note="")
        version = await versions.add(connection, at.pair, draft)
        await versions.publish(connection, "mapping", at.pair, name, version)


# --- what asks SYSPRO, on both transports ---------------------------------------------------------


async def test_a_misspelt_stock_code_is_repaired_where_the_pair_allows_it(at: Site) -> None:
    await allow(at, {"stock-code": "apply"})
    await at.sale("SO-1", 1_000, lines=[stock_line("a-100", "10.00")])

    await at.walk()

    assert (await at.payment("SO-1")).state == "confirmed"
    assert await at.ar_payments("SO-1") == [1_000]
    (repair,) = await rows(at, "SO-1")
    assert (repair["repair"], repair["state"], repair["decided_by"]) == ("stock-code", "applied", "road")
    assert repair["changes"] == [{"path": "order.lines[0].stock_code", "before": "a-100", "after": "A100"}]
    assert "payment.repaired" in await at.actions("SO-1")
    assert await open_letters(at) == 0
    await lawful(at, "SO-1")
    await sound(at)


async def test_a_likely_stock_code_is_proposed_and_once_accepted_it_is_learnt(at: Site) -> None:
    await at.sale("SO-1", 1_000)
    await at.walk()
    await at.sale("SO-2", 2_000, lines=[stock_line("AA100", "20.00")])
    await at.fault("syspro", "drop")

    for _ in range(4):
        await at.walk()

    assert (await at.payment("SO-2")).state == "dead_letter"
    (proposal,) = await rows(at, "SO-2")
    assert (proposal["state"], proposal["repair"]) == ("proposed", "stock-code")
    assert await at.ar_payments("SO-2") == []
    async with desk(at, note="a typing error") as at_desk:
        await repair_desk.accept(at_desk, int(str(proposal["repair_id"])))
    await at.walk()
    assert (await at.payment("SO-2")).state == "confirmed"
    assert await at.ar_payments("SO-2") == [2_000]

    await allow(at, {"stock-code": "apply"})
    await at.sale("SO-3", 3_000, lines=[stock_line("AA100", "30.00")])
    await at.walk()

    assert (await at.payment("SO-3")).state == "confirmed"
    assert "learnt from a correction" in str((await rows(at, "SO-3"))[0]["reason"])
    await sound(at)


async def test_a_customers_code_in_other_letters_is_repaired(at: Site) -> None:
    await allow(at, {"customer-code": "apply"})
    await at.sale("SO-1", 1_000)
    await at.walk()
    await change_pair(at, defaults={**(await settings(at)).defaults, "customer": "000 0001"})
    paid = await at.pay("SO-2", 2_000)
    await at.order("SO-2", "20.00", customer_id=0)
    await at.deliver(paid, "SO-2")

    await at.walk()

    payment = await at.payment("SO-2")
    assert payment.state == "confirmed", payment.error
    assert payment.customer in ("1", "0000001")
    assert [row["repair"] for row in await rows(at, "SO-2")] == ["customer-code"]
    assert await at.ar_payments("SO-2") == [2_000]
    await sound(at)


async def test_a_closed_period_is_followed_by_the_next_and_the_order_is_not_posted_again(at: Site) -> None:
    await allow(at, {"closed-period": "apply"})
    await post_to(at, "B")
    await close_periods(at, "B", "P")
    await at.sale("SO-1", 1_000)

    await at.walk()
    await at.walk()

    assert (await at.payment("SO-1")).state == "confirmed"
    assert await at.ar_payments("SO-1") == [1_000]
    assert len(await at.sales_orders("SO-1")) == 1
    changes: Any = [row["changes"] for row in await rows(at, "SO-1")]
    assert [each[0]["after"] for each in changes] == ["P", "C"]
    await lawful(at, "SO-1")
    await sound(at)


async def test_a_closed_current_period_waits_for_a_person(at: Site) -> None:
    await allow(at, {"closed-period": "apply"})
    await close_periods(at, "C")
    await at.sale("SO-1", 1_000)

    await at.walk()

    payment = await at.payment("SO-1")
    assert payment.state == "exception"
    assert payment.error is not None
    assert payment.error["code"] == "syspro.period-closed"
    assert await rows(at, "SO-1") == []


# --- what the mapping finds -----------------------------------------------------------------------


async def test_an_address_too_long_for_a_mapping_is_broken_into_lines(north: Site) -> None:
    await allow(north, {"address": "apply"})
    await map_otherwise(north, "sales_order", "ShipAddress1", {"source": "order.shipping.lines[0]"})
    long = "Flat 12 Cavendish Mansions, 221 Upper Tollington Park Road"
    address = {"first_name": "J", "last_name": "S", "address_1": long, "city": "Leeds", "postcode": "LS1 1AA",
               "country": "GB"}  # fmt: skip
    await north.sale("SO-1", 1_000, shipping=address)

    await north.walk()

    payment = await north.payment("SO-1")
    assert payment.state == "confirmed", payment.error
    assert payment.order is not None
    lines: Any = payment.order["shipping"]
    assert " ".join(lines["lines"]) == long


async def test_a_reference_too_long_for_syspro_is_shortened_and_two_alike_stay_apart(north: Site) -> None:
    await allow(north, {"reference": "apply"})
    await map_otherwise(
        north, "sales_order", "CustomerPoNumber", {"source": "transaction.vendor_tx_code", "required": True}
    )
    codes = [f"WEB-ORDER-OF-THE-NORTHERN-SHOP-{number}" for number in (1, 2)]
    for code in codes:
        await north.sale(code, 1_000)

    await north.walk()

    for code in codes:
        assert (await north.payment(code)).state == "confirmed", (await north.payment(code)).error
    orders = (await north.ledger())["sales_orders"]
    assert len({row["CustomerPoNumber"] for row in orders}) == 2


async def test_another_spelling_of_the_currency_is_put_right_and_another_currency_is_not(north: Site) -> None:
    await allow(north, {"currency-alias": "apply"})
    await change_pair(north, defaults={**(await settings(north)).defaults, "currency": "UKP"})
    await map_otherwise(north, "sales_order", "Currency", {"source": "pair.currency"})
    await north.sale("SO-1", 1_000)
    await north.walk()
    assert (await north.payment("SO-1")).state == "confirmed"

    await change_pair(north, defaults={**(await settings(north)).defaults, "currency": "EUR"})
    await north.sale("SO-2", 1_000)
    await north.walk()

    assert (await north.payment("SO-2")).state == "dead_letter"
    assert await rows(north, "SO-2") == []
