"""The order-to-cash story: a paid order becomes a sales order and an AR payment, and the shop is told."""

from __future__ import annotations

from tests.flow.site import CUSTOMER, Site


async def test_a_paid_order_becomes_a_sales_order_and_an_ar_payment(north: Site) -> None:
    await north.sale("SO-104233-2", 12_995)

    await north.walk()

    payment = await north.payment("SO-104233-2")
    assert payment.state == "confirmed"
    assert await north.ar_payments("SO-104233-2") == [12_995]
    assert len(await north.sales_orders("SO-104233-2")) == 1


async def test_the_steps_of_a_payment_are_in_its_timeline_in_order(north: Site) -> None:
    await north.sale("SO-1", 1_000)

    await north.walk()

    assert await north.actions("SO-1") == [
        "payment.received",
        "payment.validated",
        "payment.mapped",
        "payment.cleared",
        "payment.looked_up",
        "posting.confirmed",
        "posting.confirmed",
        "payment.posted",
        "payment.confirmed",
        "shop.told",
    ]


async def test_the_shop_shows_the_order_as_processing_with_syspros_number(north: Site) -> None:
    await north.sale("SO-1", 1_000)

    await north.walk()

    shop = (await north.http.get(f"{north.urls['shop']}/_sandbox/ledger")).json()
    [order] = shop["orders"]
    assert order["status"] == "processing"
    number = (await north.sales_orders("SO-1"))[0].lstrip("0")
    assert any(number in str(note) for note in order["notes"])


async def test_the_ar_payment_names_the_transaction_the_customer_and_the_order(north: Site) -> None:
    paid = await north.sale("SO-1", 1_000)

    await north.walk()

    [row] = (await north.ledger())["ar_payments"]
    assert row["Reference"] == paid["transactionId"].replace("-", "")[:30]
    assert row["Customer"].lstrip("0") == CUSTOMER.lstrip("0")
    assert row["CustomerPurchaseOrder"] == "SO-1"


async def test_every_mapped_field_has_a_trace(north: Site) -> None:
    await north.sale("SO-1", 1_000)

    await north.walk()

    trace = (await north.payment("SO-1")).trace
    fields = {field["target"]: field for field in trace["sales_order"]["fields"]}  # type: ignore[index]
    assert fields["CustomerPoNumber"]["sources"] == ["transaction.vendor_tx_code"]
    assert fields["CustomerPoNumber"]["value"] == "SO-1"
    assert trace["payment_status"] == "Paid"
    assert trace["receipt_account"]["account"]  # type: ignore[index]


async def test_a_declined_payment_posts_nothing_and_is_ignored(north: Site) -> None:
    await north.order("SO-1", "10.00")
    paid = await north.pay("SO-1", 1_000, cardNumber="4929602110085639")
    await north.deliver(paid, "SO-1")

    await north.walk()

    assert (await north.payment("SO-1")).state == "ignored"
    assert await north.ar_payments("SO-1") == []


async def test_a_deferred_payment_waits_until_its_money_is_taken(north: Site) -> None:
    await north.order("SO-1", "10.00")
    paid = await north.pay("SO-1", 1_000, transactionType="Deferred")
    await north.deliver(paid, "SO-1")
    await north.walk()
    assert (await north.payment("SO-1")).state == "received"
    assert await north.ar_payments("SO-1") == []

    await north.http.post(
        f"{north.urls['opayo']}/api/v1/transactions/{paid['transactionId']}/instructions",
        json={"instructionType": "release", "amount": 1_000},
        auth=("sandbox-integration-key", "sandbox-integration-password"),
    )
    await north.deliver(paid, "SO-1", kind="payment.released")
    await north.walk()

    assert (await north.payment("SO-1")).state == "confirmed"
    assert await north.ar_payments("SO-1") == [1_000]
