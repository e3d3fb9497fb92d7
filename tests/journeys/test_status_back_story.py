"""Status back: what SYSPRO does with an order reaches subscribers and the shop, each change once, whatever fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec
import pytest
from sqlalchemy import text

from integration.errors import IntegrationError
from service.core.erp_changes import bare
from service.flow import changes, deliver, replay
from service.flow.desk import Desk
from service.flow.library import Library
from service.flow.stage import Stage
from service.store import deliveries, lanes, pairs
from tests.flow.site import Site, site
from tests.journeys.listener import Listener, deliver_all, listening, rows, subscribe

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
        await north.sale("SO-1", 1_200)
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


async def _shipped(north: Site, till: Listener, count: int = 1) -> None:
    """Some orders that are posted, watched from before, and shipped since."""
    await subscribe(north, till.url, ["order.*"])
    await poll(north)
    for number in range(count):
        await north.sale(f"SO-{number}", 1_000)
    await north.walk()
    for number in range(count):
        await clerk(north, "ship", CustomerPoNumber=f"SO-{number}")
    await poll(north)


@pytest.mark.parametrize("answer", [500, 404, 429, 302, "drop"])
async def test_a_subscriber_that_fails_hears_it_again_and_the_rest_in_order(
    database_url: str, answer: int | str
) -> None:
    async with shipping_site(database_url, "harmony") as north, listening() as till:
        till.answers = [answer, answer]
        await _shipped(north, till)
        for _ in range(3):
            await deliver_all(north)
            await _overdue(north)
        assert till.types() == ["order.status_changed", "order.dispatched"]
        assert len(till.heard) == 4
        assert len({each["id"] for each in till.heard[:3]}) == 1
        [first, _, _] = [*await rows(north, "SELECT * FROM deliveries ORDER BY delivery_id"), None][:3]
        assert (first["state"], first["attempts"], len(first["tries"])) == ("delivered", 3, 3)
        if answer == 302:
            assert "redirects are not followed" in first["tries"][0]["error"]


async def _overdue(north: Site) -> None:
    """Time goes on for what waits to be tried again."""
    async with north.engine.begin() as connection:
        await connection.execute(text("UPDATE deliveries SET due_at = now() WHERE state = 'pending'"))


async def test_after_three_days_a_delivery_is_dead_people_are_told_and_a_replay_brings_it(
    database_url: str,
) -> None:
    async with shipping_site(database_url, "harmony") as north, listening() as till:
        till.answers = [500] * 2
        await _shipped(north, till)
        await deliver_all(north)
        async with north.engine.begin() as connection:
            await connection.execute(text("UPDATE deliveries SET failing_since = now() - interval '4 days'"))
        await _overdue(north)
        await deliver_all(north)
        [first, second] = await rows(north, "SELECT * FROM deliveries ORDER BY event_seq")
        assert first["state"] == "dead"
        [alert] = await rows(north, "SELECT * FROM alerts")
        assert alert["code"] == "subscriber.undelivered"
        await _overdue(north)
        await deliver_all(north)
        assert till.types() == ["order.dispatched"]

        async with north.engine.begin() as connection:
            now = north.stages.shared.clock()
            assert await deliveries.replay(connection, north.pair, first["delivery_id"], now)
        await deliver_all(north)
        assert till.types() == ["order.dispatched", "order.status_changed"]
        assert second["event_seq"] > first["event_seq"]


async def test_a_subscriber_that_is_down_holds_up_no_other(database_url: str) -> None:
    async with shipping_site(database_url, "harmony") as north, listening() as till:
        await subscribe(north, "http://127.0.0.1:9/hook", ["order.*"], name="down")
        await _shipped(north, till, 3)
        outcome = await deliver_all(north)
        assert len(till.taken) == 6
        assert outcome["delivered"] == 6
        down = await rows(north, "SELECT * FROM deliveries WHERE subscriber = 'sub_down'")
        assert {each["state"] for each in down} == {"pending"}
        assert await rows(north, "SELECT count(*) AS n FROM deliveries") == [{"n": 12}]


async def test_two_workers_send_nothing_twice_and_keep_the_order_of_a_subject(database_url: str) -> None:
    async with shipping_site(database_url, "harmony") as north, listening() as till:
        till.seconds = 0.02
        await _shipped(north, till, 6)
        await asyncio.gather(*(deliver_all(north, 3) for _ in range(4)))
        assert len(till.heard) == 12
        assert len({each["id"] for each in till.heard}) == 12
        for subject in {each["subject"] for each in till.taken}:
            assert till.types(subject) == ["order.status_changed", "order.dispatched"]
        assert till.most_at_once > 1


async def test_who_dies_between_sending_and_noting_it_sends_the_same_id_again(database_url: str) -> None:
    async with shipping_site(database_url, "harmony") as north, listening() as till:
        await _shipped(north, till)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(deliver.deliveries, "finish", _died)
            with pytest.raises(ConnectionAbortedError):
                await deliver_all(north)
        await deliver_all(north)
        assert len(till.heard) == 1
        await _overdue(north)
        await deliver_all(north)
        assert len({each["id"] for each in till.heard}) == 2
        assert len(till.heard) == 3


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
            patch.setattr(changes.events, "add", _died)
            with pytest.raises(ConnectionAbortedError):
                await poll(north)
        for _ in range(4):
            await north.fault("syspro", "unavailable", times=1)
        with contextlib.suppress(IntegrationError):
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
        await north.order("SO-1", "30.00", lines=[{**LINE, "quantity": 3, "net": "30.00"}])
        await north.deliver(await north.pay("SO-1", 3_000), "SO-1")
        await north.walk()
        await clerk(north, "ship", CustomerPoNumber="SO-1", Lines={"1": "1"})
        done = await clerk(north, "invoice", CustomerPoNumber="SO-1")
        await poll(north)
        await north.walk()

        assert (await north.payment("SO-1")).state == "confirmed"
        assert await balances(north) == {bare(done["InvoiceNumber"]): "0.00", "cash": "-20.00"}
        assert await sound(north)


LINE = {"kind": "stock", "stock_code": "A100", "description": "Widget", "tax": "0.00"}


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
