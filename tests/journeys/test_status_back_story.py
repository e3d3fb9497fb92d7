"""Status back: what SYSPRO does with an order reaches subscribers and the shop, each change once, whatever fails."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec
import pytest
from sqlalchemy import text

from integration.errors import IntegrationError
from service.core.erp_changes import bare
from service.flow import changes, replay
from service.flow.desk import Desk
from service.flow.library import Library
from service.flow.stage import Stage
from service.store import events, lanes, pairs
from tests.flow.site import Site, site
from tests.journeys.listener import deliver_all, listening, rows, subscribe

Transport = Literal["harmony", "enet"]
TRANSPORTS: tuple[Transport, ...] = ("harmony", "enet")


@contextlib.asynccontextmanager
async def shipping_site(
    database_url: str, transport: Transport, flow: str = "order_to_cash"
) -> AsyncIterator[Site]:
    """A site whose shop is told when an order is dispatched, and whose payments take a flow."""
    async with site(database_url, transport=transport) as made:
        settings, _ = await made.stages.connections(made.pair)
        assert settings.shop is not None
        shop = msgspec.structs.replace(settings.shop, statuses={"order.dispatched": "completed"})
        changed = msgspec.structs.replace(settings, shop=shop, changes_days=3650, flows={"payment": flow})
        async with made.engine.begin() as connection:
            await pairs.save(connection, made.vault, changed)
        made.stages.forget(made.pair)
        yield made


async def posting_stage(made: Site) -> Stage:
    async with made.engine.begin() as connection:
        [name] = await lanes.names(connection, "posting", made.pair)
        held = await lanes.take(connection, name)
    assert held is not None
    return await made.stages.of(held)


async def poll(made: Site) -> dict[str, object]:
    return await changes.poll(await posting_stage(made))


async def clerk(made: Site, what: str, **body: Any) -> dict[str, Any]:
    answer = await made.http.post(f"{made.urls['syspro']}/_sandbox/{what}", json=body)
    assert answer.is_success, answer.text
    done: dict[str, Any] = answer.json()
    return done


async def sound(made: Site) -> bool:
    answer = await made.http.get(f"{made.urls['syspro']}/_sandbox/invariants")
    return bool(answer.json()["ok"])


async def shop_order(made: Site) -> dict[str, Any]:
    [order] = (await made.http.get(f"{made.urls['shop']}/_sandbox/ledger")).json()["orders"]
    found: dict[str, Any] = order
    return found


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_an_order_is_told_from_posting_to_invoice_to_subscriber_and_shop(
    database_url: str, transport: Transport
) -> None:
    async with shipping_site(database_url, transport) as north, listening() as till:
        await subscribe(north, till.url, ["order.*", "payment.confirmed", "payment.applied"])
        await poll(north)
        await north.sale("SO-1", 1_000)
        await north.walk()
        [number] = await north.sales_orders("SO-1")
        await poll(north)
        await clerk(north, "ship", CustomerPoNumber="SO-1", OrderStatus="8")
        await poll(north)
        await clerk(north, "invoice", CustomerPoNumber="SO-1")
        await poll(north)
        await poll(north)
        await deliver_all(north, 2)

        about = f"order/{number.lstrip('0')}"
        assert till.types(about) == [
            "order.status_changed",
            "order.dispatched",
            "order.status_changed",
            "order.invoiced",
        ]
        assert len(till.types()) == 5
        assert [each["vendor_tx_code"] for each in till.about("payment.confirmed")] == ["SO-1"]
        [invoiced] = till.about("order.invoiced")
        assert invoiced["vendor_tx_code"] == "SO-1"
        assert invoiced["currency"] == "GBP"
        order = await shop_order(north)
        assert order["status"] == "completed"
        assert any("Dispatched" in str(note) for note in order["notes"])
        assert await sound(north)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_others_do_in_syspro_is_told_and_what_we_posted_is_not_echoed(
    database_url: str, transport: Transport
) -> None:
    async with shipping_site(database_url, transport) as north, listening() as till:
        await poll(north)
        await subscribe(
            north, till.url, ["credit_note.*", "payment.*", "order.created", "adjustment.*", "invoice.*"]
        )
        await north.sale("SO-1", 1_000)
        await north.walk()
        done = await clerk(north, "invoice", CustomerPoNumber="SO-1")
        await poll(north)
        await clerk(north, "raise-credit-note", Invoice=done["InvoiceNumber"], Value="2.00")
        await poll(north)
        await deliver_all(north)

        from_syspro = [each["type"] for each in till.taken if not each["subject"].startswith("payment/")]
        assert from_syspro == ["credit_note.raised"]
        assert till.types().count("payment.posted") == 1


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_payment_waits_for_the_invoice_and_then_pays_it(
    database_url: str, transport: Transport
) -> None:
    async with shipping_site(database_url, transport, "pay_on_shipment") as north:
        await poll(north)
        await sale(north, 1)
        await north.walk()
        waiting = await north.payment("SO-1")
        assert not waiting.error, waiting.error
        assert (waiting.state, waiting.node, waiting.final_at) == ("posted", "shipped", None)
        assert len(await north.sales_orders("SO-1")) == 1
        assert (await north.ledger())["ar_payments"] == []

        await clerk(north, "ship", CustomerPoNumber="SO-1")
        assert (await poll(north))["woken"] == 1
        await north.walk()
        assert (await north.payment("SO-1")).node == "invoiced"
        done = await clerk(north, "invoice", CustomerPoNumber="SO-1")
        assert (await poll(north))["woken"] == 1
        await north.walk()

        payment = await north.payment("SO-1")
        assert payment.state == "confirmed", payment.error
        [posted] = (await north.ledger())["ar_payments"]
        assert (posted["minor"], posted["Invoices"]) == (1_200, [done["InvoiceNumber"]])
        assert await balances(north) == {bare(done["InvoiceNumber"]): "0.00"}
        assert await sound(north)


# --- what may fail --------------------------------------------------------------------------------


async def _died(*_: object) -> None:
    raise ConnectionAbortedError


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_poll_that_is_cut_short_loses_and_repeats_nothing(
    database_url: str, transport: Transport
) -> None:
    async with shipping_site(database_url, transport) as north, listening() as till:
        await subscribe(north, till.url, ["order.*"])
        await poll(north)
        await north.sale("SO-1", 1_000)
        await north.walk()
        await clerk(north, "ship", CustomerPoNumber="SO-1")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(events, "add", _died)
            with pytest.raises(ConnectionAbortedError):
                await poll(north)
        await north.fault("syspro", "5xx", times=50)
        with pytest.raises(IntegrationError):
            await poll(north)
        assert (
            await rows(north, "SELECT * FROM erp_rows WHERE kind = 'sales_order' AND reference = 'SO-1'")
            == []
        )
        await north.http.delete(f"{north.urls['syspro']}/_sandbox/faults")
        for _ in range(3):
            await poll(north)
        await deliver_all(north)
        assert till.types() == ["order.status_changed", "order.dispatched"]


# --- waiting for an order -------------------------------------------------------------------------


async def test_what_is_not_yet_invoiced_stays_unapplied(database_url: str) -> None:
    async with shipping_site(database_url, "harmony", "pay_on_shipment") as north:
        await sale(north, 3)
        await north.walk()
        await clerk(north, "ship", CustomerPoNumber="SO-1", Lines={"1": "1"})
        done = await clerk(north, "invoice", CustomerPoNumber="SO-1")
        await poll(north)
        await north.walk()

        assert (await north.payment("SO-1")).state == "confirmed"
        assert await balances(north) == {bare(done["InvoiceNumber"]): "0.00", "cash": "-24.00"}
        assert await sound(north)


async def sale(north: Site, quantity: int) -> None:
    """Order SO-1 of some pieces at 10.00 and the tax that SYSPRO adds, paid."""
    line = {"kind": "stock", "stock_code": "A100", "description": "Widget", "quantity": quantity}
    money = {"net": f"{10 * quantity}.00", "tax": f"{2 * quantity}.00"}
    await north.order("SO-1", f"{12 * quantity}.00", lines=[{**line, **money}])
    await north.deliver(await north.pay("SO-1", 1_200 * quantity), "SO-1")


async def balances(north: Site) -> dict[str, str]:
    """What is open of every AR document; unapplied cash by that name."""
    invoices = (await north.ledger())["invoices"]
    return {
        "cash" if row["Invoice"].startswith("_CRD") else bare(row["Invoice"]): row["InvoiceBal1"]
        for row in invoices
    }


async def test_an_order_that_is_never_shipped_goes_to_a_person_and_on_when_it_is(database_url: str) -> None:
    async with shipping_site(database_url, "harmony", "pay_on_shipment") as north:
        await north.sale("SO-1", 1_000)
        await north.walk()
        async with north.engine.begin() as connection:
            begun = "jsonb_set(findings, '{wait,since}', '\"2026-01-01T00:00:00+00:00\"')"
            await connection.execute(text(f"UPDATE payments SET due_at = now(), findings = {begun}"))
        await north.walk()
        stuck = await north.payment("SO-1")
        assert stuck.state == "exception"
        assert stuck.error is not None
        assert stuck.error["code"] == "order.not-shipped"
        assert [row["code"] for row in await rows(north, "SELECT code FROM alerts")] == ["order.not-shipped"]

        await clerk(north, "invoice", CustomerPoNumber="SO-1")
        settings, _ = await north.stages.connections(north.pair)
        async with north.engine.begin() as connection:
            desk = Desk(
                connection=connection,
                pair=settings,
                library=Library(),
                now=north.stages.shared.clock(),
                actor="clerk",
            )
            await replay.replay(desk, stuck.payment_id, replay.Way())
        await north.walk()
        assert (await north.payment("SO-1")).state == "confirmed"
        assert len(await north.sales_orders("SO-1")) == 1
        assert await north.ar_payments("SO-1") == [1_000]


async def test_a_change_seen_before_the_payment_came_to_rest_wakes_it_all_the_same(database_url: str) -> None:
    async with shipping_site(database_url, "harmony", "pay_on_shipment") as north:
        await poll(north)
        await north.sale("SO-1", 1_000)
        await north.walk()
        await clerk(north, "invoice", CustomerPoNumber="SO-1")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(changes, "_wake", _nobody)
            await poll(north)
        assert (await poll(north))["woken"] == 1
        await north.walk()
        assert (await north.payment("SO-1")).state == "confirmed"


async def _nobody(_: Stage) -> int:
    return 0


async def test_nothing_is_written_for_events_that_nobody_subscribed_to(database_url: str) -> None:
    async with shipping_site(database_url, "harmony") as north:
        await north.sale("SO-1", 1_000)
        await north.walk()
        assert await rows(north, "SELECT * FROM events") == []
