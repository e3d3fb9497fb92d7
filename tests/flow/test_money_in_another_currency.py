"""A payment in another currency than the customer's goes in at a named rate, SYSPRO's own first."""

from __future__ import annotations

from tests.flow.site import Site


async def test_euros_of_a_sterling_customer_are_posted_at_syspros_book_rate(north: Site) -> None:
    await north.order("SO-1", "10.00", currency="EUR")
    await north.deliver(await north.pay("SO-1", 1_000, currency="EUR"), "SO-1")

    await north.walk()

    payment = await north.payment("SO-1")
    assert payment.state == "confirmed", payment.error
    conversion = payment.findings["look_up"]["conversion"]  # type: ignore[index]
    assert conversion["original"] == {"minor": 1_000, "currency": "EUR"}
    assert conversion["rate"]["authority"].startswith("SYSPRO")
    assert conversion["rate"]["as_of"]
    assert await north.ar_payments("SO-1") == [conversion["converted"]["minor"]]


async def test_a_euro_customers_euros_are_posted_as_they_are(north: Site) -> None:
    await north.order("SO-1", "10.00", currency="EUR", customer_id=91)
    await north.deliver(await north.pay("SO-1", 1_000, currency="EUR"), "SO-1")

    await north.walk()

    payment = await north.payment("SO-1")
    assert payment.state == "confirmed", payment.error
    assert "conversion" not in payment.findings["look_up"]  # type: ignore[operator]
    assert await north.ar_payments("SO-1") == [1_000]


async def test_a_currency_that_the_pair_does_not_post_stops_the_payment(north: Site) -> None:
    await north.order("SO-1", "10.00", currency="USD")
    await north.deliver(await north.pay("SO-1", 1_000, currency="USD"), "SO-1")

    await north.walk()

    payment = await north.payment("SO-1")
    assert payment.error is not None
    assert payment.error["code"] == "payment.currency-not-allowed"
