"""The named errors, and where a payment waits for a person: each against the stand-ins."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy.exc import OperationalError

from service.store import pairs
from tests.flow.site import Site
from tests.flow.test_exactly_once import until_final


def line(stock_code: str, pounds: str) -> dict[str, object]:
    return {
        "kind": "stock",
        "stock_code": stock_code,
        "description": "x",
        "quantity": 1,
        "net": pounds,
        "tax": "0.00",
    }


async def test_an_unknown_stock_code_is_named_and_nothing_is_posted(north: Site) -> None:
    await north.sale("SO-1", 1_000, lines=[line("NOSUCH", "10.00")])

    await north.walk()

    payment = await north.payment("SO-1")
    assert payment.state == "dead_letter"
    assert payment.error is not None
    assert payment.error["code"] == "syspro.unknown-stock-code"
    assert "NOSUCH" in str(payment.error["title"])
    assert await north.ar_payments("SO-1") == []
    assert await north.sales_orders("SO-1") == []


async def test_an_unknown_customer_is_named_and_nothing_is_posted(north: Site) -> None:
    await north.sale("SO-1", 1_000, customer_id=424242)

    await north.walk()

    payment = await north.payment("SO-1")
    assert payment.state == "dead_letter"
    assert payment.error is not None
    assert payment.error["code"] == "syspro.unknown-customer"
    assert await north.ar_payments("SO-1") == []


async def test_a_customer_on_hold_gets_the_money_posted_and_the_order_parked(north: Site) -> None:
    await north.sale("SO-1", 1_000, customer_id=90)

    await north.walk()

    payment = await north.payment("SO-1")
    assert payment.state == "exception"
    assert payment.error is not None
    assert payment.error["code"] == "syspro.customer-on-hold"
    assert await north.ar_payments("SO-1") == [1_000]
    assert await north.sales_orders("SO-1") == []


async def test_an_order_total_that_differs_by_a_penny_stops_the_payment(north: Site) -> None:
    await north.order("SO-1", "10.01")
    await north.deliver(await north.pay("SO-1", 1_000), "SO-1")

    await north.walk()

    payment = await north.payment("SO-1")
    assert payment.state == "dead_letter"
    assert payment.error is not None
    assert payment.error["code"] == "payment.order-total-differs"
    assert payment.error["evidence"]["difference_minor"] == -1  # type: ignore[index]


async def test_a_payment_without_an_order_waits_for_it_and_is_then_a_dead_letter(north: Site) -> None:
    await north.deliver(await north.pay("SO-1", 1_000), "SO-1")

    assert await until_final(north, "SO-1") == "dead_letter"

    payment = await north.payment("SO-1")
    assert payment.error is not None
    assert payment.error["code"] == "payment.order-missing"


async def test_an_event_about_a_transaction_opayo_does_not_know_becomes_a_dead_message(north: Site) -> None:
    await north.deliver({"transactionId": "00000000-0000-0000-0000-00000000DEAD"}, "SO-404")

    await north.walk()

    async with north.engine.connect() as connection:
        row = (await connection.exec_driver_sql("SELECT state, error->>'code' FROM inbox")).one()
    assert row[0] == "dead_letter"
    assert await north.ar_payments("SO-404") == []


async def test_a_refund_that_no_flow_takes_waits_as_a_dead_letter_with_its_amount(north: Site) -> None:
    async with north.engine.begin() as connection:
        settings = await pairs.load(connection, north.vault, north.pair)
        assert settings is not None
        unpublished = msgspec.structs.replace(settings, flows={"refund": "unpublished"})
        await pairs.save(connection, north.vault, unpublished)
    north.stages.forget(north.pair)
    paid = await north.sale("SO-1", 1_000)
    await north.walk()
    answer = await north.http.post(
        f"{north.urls['opayo']}/api/v1/transactions",
        json={
            "transactionType": "Refund",
            "referenceTransactionId": paid["transactionId"],
            "vendorTxCode": "SO-1-R1",
            "amount": 400,
            "description": "Refund",
        },
        auth=("sandbox-integration-key", "sandbox-integration-password"),
    )
    await north.deliver(answer.json(), "SO-1-R1", kind="payment.refunded")

    await north.walk()

    refund = await north.payment("SO-1-R1")
    assert (refund.state, refund.kind, refund.amount_minor) == ("dead_letter", "refund", 400)
    assert refund.error is not None
    assert refund.error["code"] == "road.no-flow"


@pytest.mark.parametrize("system", ["opayo", "syspro", "shop"])
async def test_a_system_that_is_down_for_a_while_delays_a_payment_and_loses_nothing(
    north: Site, system: str
) -> None:
    await north.sale("SO-1", 1_000)
    await north.fault(system, "drop", times=9)

    assert await until_final(north, "SO-1", rounds=40) == "confirmed"
    assert await north.ar_payments("SO-1") == [1_000]


async def test_wrong_credentials_pause_the_lane_and_alert_and_resuming_posts(north: Site) -> None:
    await north.http.put(f"{north.urls['syspro']}/_sandbox/settings", json={"seats": 20})
    from service.store import alerts, lanes, pairs

    async with north.engine.begin() as connection:
        settings = await pairs.load(connection, north.vault, "north")
        assert settings is not None
        settings.syspro.operators[0].password = "wrong"
        await pairs.save(connection, north.vault, settings)
    north.stages.forget("north")
    await north.sale("SO-1", 1_000)
    await north.walk()

    payment = await north.payment("SO-1")
    assert payment.state == "cleared"
    async with north.engine.begin() as connection:
        rows = await lanes.listed(connection, "north")
        assert [row["paused"] for row in rows if row["kind"] == "posting"] == [True]
        [alert] = await alerts.listed(connection, "north")
        assert alert["severity"] == "critical"
        settings.syspro.operators[0].password = "sandbox-1"
        await pairs.save(connection, north.vault, settings)
        await lanes.switch(connection, "north", "north/post/OPAYO1", paused=False, reason="")
    north.stages.forget("north")

    assert await until_final(north, "SO-1") == "confirmed"
    assert await north.ar_payments("SO-1") == [1_000]


async def test_an_element_that_syspro_dropped_is_a_finding_on_the_payment(north: Site) -> None:
    await north.http.put(
        f"{north.urls['syspro']}/_sandbox/quirks", json={"ignored_elements": ["SpecialInstrs"]}
    )
    await north.sale("SO-1", 1_000)

    await north.walk()

    payment = await north.payment("SO-1")
    assert payment.state == "confirmed"
    found = payment.findings["confirm"]["findings"]  # type: ignore[index]
    assert [(each["element"], each["stored"]) for each in found] == [("SpecialInstrs", "nothing")]


async def test_a_nul_character_from_the_shop_holds_nobody_up(north: Site) -> None:
    await north.sale("SO-1", 1_000, lines=[{**line("A100", "10.00"), "description": "Wid\0get"}])
    await north.sale("SO-2", 2_000)

    assert await until_final(north, "SO-1") in ("confirmed", "dead_letter")
    assert await until_final(north, "SO-2") == "confirmed"


async def test_a_database_that_goes_away_in_the_middle_of_a_step_stops_no_payment(
    north: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.store import payments

    await north.sale("SO-1", 1_000)
    save, times = payments.save, iter(range(100))

    async def once_in_three(*arguments: object) -> None:
        if next(times) % 3 == 2:
            raise OperationalError("UPDATE", {}, Exception("the database system is shutting down"))
        await save(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(payments, "save", once_in_three)

    assert await until_final(north, "SO-1", rounds=40) == "confirmed"
    assert await north.ar_payments("SO-1") == [1_000]


async def test_a_second_payment_with_the_same_code_stops_and_holds_nobody_up(north: Site) -> None:
    await north.sale("SO-1", 1_000)
    await north.walk()
    other = await north.pay("SO-2", 1_000)
    # A careless sender puts the first payment's code on the second one's event.
    await north.deliver(other, "SO-1")
    await north.sale("SO-3", 3_000)

    assert await until_final(north, "SO-3") == "confirmed"

    async with north.engine.connect() as connection:
        query = "SELECT state, error->>'code' FROM payments WHERE vendor_tx_code = 'SO-1' ORDER BY payment_id"
        rows = [tuple(row) for row in await connection.exec_driver_sql(query)]
    assert rows == [("confirmed", None), ("dead_letter", "posting.reference-used")]
    assert await north.ar_payments("SO-1") == [1_000]
