"""Exactly once, whatever fails: SYSPRO's idempotency store is off here, so it rests on looking alone."""

from __future__ import annotations

import asyncio

import pytest

from service.flow.stages import Stages, Surroundings
from service.jobs.lane import Pace, advance_lane
from service.store import lanes
from tests.flow.site import PACE, Site

PAYMENTS = "/AccountsReceivable/Payment"
ORDERS = "/SalesOrder"


async def until_final(north: Site, code: str, rounds: int = 12) -> str:
    """Walk until the payment is at rest; gives its state."""
    for _ in range(rounds):
        await north.walk()
        payment = await north.payment(code)
        if payment.final_at is not None:
            break
        await asyncio.sleep(0.15)
    return payment.state


@pytest.mark.parametrize("where", [PAYMENTS, ORDERS], ids=["ar payment", "sales order"])
@pytest.mark.parametrize(
    "fault", ["commit-then-drop", "slow", "garbage", "drop", "5xx", "locked", "session-killed"]
)
async def test_a_failing_write_posts_once(north: Site, fault: str, where: str) -> None:
    await north.fault("syspro", fault, method="POST", path=where)
    await north.sale("SO-104233-2", 12_995)

    assert await until_final(north, "SO-104233-2") == "confirmed"

    assert await north.ar_payments("SO-104233-2") == [12_995]
    assert len(await north.sales_orders("SO-104233-2")) == 1


async def test_a_document_whose_answer_was_lost_is_adopted_not_sent_again(north: Site) -> None:
    await north.fault("syspro", "commit-then-drop", method="POST", path=PAYMENTS)
    await north.sale("SO-1", 1_000)

    await until_final(north, "SO-1")

    assert "posting.adopted" in await north.actions("SO-1")
    posting = (await north.payment("SO-1")).postings[1]
    assert posting.state == "confirmed"
    assert posting.receipt["adopted"] is True


async def test_a_document_is_sent_again_only_after_three_looks(north: Site) -> None:
    await north.fault("syspro", "drop", method="POST", path=PAYMENTS)
    await north.sale("SO-1", 1_000)

    await until_final(north, "SO-1")

    actions = await north.actions("SO-1")
    assert actions.count("posting.looked_for") == 2  # the third look proves it absent
    assert actions.count("posting.proved_absent") == 1
    assert await north.ar_payments("SO-1") == [1_000]


async def test_a_transaction_that_is_in_syspro_already_is_adopted_not_doubled(north: Site) -> None:
    await north.sale("SO-1", 1_000)
    await north.walk()
    async with north.engine.begin() as connection:
        # Our database is restored from before the payment; SYSPRO is not.
        for table in ("screening_events", "audit", "postings", "payments", "inbox"):
            await connection.exec_driver_sql(f"DELETE FROM {table}")
    ledger = await north.http.get(f"{north.urls['opayo']}/_sandbox/ledger")
    [paid] = ledger.json()["transactions"]

    await north.deliver(paid, "SO-1")
    await north.walk()

    assert (await north.payment("SO-1")).state == "confirmed"
    assert (await north.actions("SO-1")).count("posting.adopted") == 2
    assert await north.ar_payments("SO-1") == [1_000]
    assert len(await north.sales_orders("SO-1")) == 1


async def test_a_second_delivery_of_an_event_is_counted_and_changes_nothing(north: Site) -> None:
    paid = await north.sale("SO-1", 1_000)
    again = await north.deliver(paid, "SO-1", event_id="evt_1")

    await north.walk()

    assert not again.new
    assert await north.ar_payments("SO-1") == [1_000]


async def test_a_second_event_about_a_posted_payment_changes_nothing(north: Site) -> None:
    paid = await north.sale("SO-1", 1_000)
    await north.walk()

    await north.deliver(paid, "SO-1")
    await north.walk()

    assert await north.ar_payments("SO-1") == [1_000]


async def test_a_holder_that_slept_writes_nothing_once_another_holds_the_lane(north: Site) -> None:
    await north.sale("SO-1", 1_000)
    async with north.engine.begin() as connection:
        old = await lanes.take(connection, "north/screening")
    assert old is not None
    stale = await north.stages.of(old)
    async with north.engine.begin() as connection:
        await lanes.take(connection, "north/screening")

    from service.flow import ingest

    with pytest.raises(lanes.LaneLost):
        await ingest.ingest(stale, 10)

    async with north.engine.connect() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM payments")).scalar() == 0


async def test_two_processes_working_the_same_lanes_at_once_post_once(north: Site) -> None:
    other = Stages(
        Surroundings(engine=north.engine, vault=north.vault, connect=north.stages.shared.connect, pace=PACE)
    )
    for number in range(4):
        await north.sale(f"SO-{number}", 1_000 + number)

    async def work(stages: Stages) -> None:
        for _ in range(8):
            for lane in ("north/screening", "north/post/OPAYO1"):
                await advance_lane(stages, lane, Pace(batch=3, linger_seconds=0))

    await asyncio.gather(work(north.stages), work(other))
    for number in range(4):
        assert await until_final(north, f"SO-{number}") == "confirmed"
        assert await north.ar_payments(f"SO-{number}") == [1_000 + number]
        assert len(await north.sales_orders(f"SO-{number}")) == 1
    await other.close()


async def test_a_receipt_that_kept_no_reference_is_recognised_by_its_order_and_value(north: Site) -> None:
    await north.http.put(
        f"{north.urls['syspro']}/_sandbox/quirks", json={"unapplied_without_reference": True}
    )
    await north.fault("syspro", "commit-then-drop", method="POST", path=PAYMENTS)
    await north.sale("SO-1", 1_000)

    assert await until_final(north, "SO-1") == "confirmed"

    assert await north.ar_payments("SO-1") == [1_000]
    assert "posting.adopted" in await north.actions("SO-1")


async def test_a_receipt_recorded_for_one_payment_is_never_taken_for_another(north: Site) -> None:
    await north.http.put(
        f"{north.urls['syspro']}/_sandbox/quirks", json={"unapplied_without_reference": True}
    )
    await north.sale("SO-1", 1_000)
    await north.walk()
    first = await north.payment("SO-1")
    async with north.engine.begin() as connection:
        # Another payment of the same customer, order number and value, as a careless shop may send.
        await connection.exec_driver_sql("UPDATE payments SET vendor_tx_code = 'SO-OLD'")
    paid = await north.pay("SO-2", 1_000)
    await north.order("SO-2", "10.00")
    await north.deliver(paid, "SO-2")
    async with north.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE mappings SET document = replace(document::text, 'transaction.vendor_tx_code', "
            "'order.customer.reference')::jsonb WHERE mapping = 'ar_payment'"
        )
        await connection.exec_driver_sql(
            "UPDATE postings SET document = jsonb_set(document, '{Unapplied,0,CustomerPurchaseOrder}', '\"1\"')"
            f" WHERE payment_id = {first.payment_id} AND kind = 'ar_payment'"
        )

    assert await until_final(north, "SO-2") == "confirmed"

    second = await north.payment("SO-2")
    assert second.postings[1].erp_key != first.postings[1].erp_key
    assert [row["minor"] for row in (await north.ledger())["ar_payments"]] == [1_000, 1_000]
