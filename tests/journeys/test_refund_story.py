"""Refunds, end to end: what went back at Opayo leaves SYSPRO's ledger to the penny, on both transports, once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.flow.site import Site, site
from tests.journeys.refund_site import (
    BANK,
    CLEARING,
    ar_balance,
    at_rest,
    confirmed,
    count,
    give_back,
    gl,
    hold,
    invoiced,
    patient,
    replay_from,
    set_refunds,
    sound,
)


@pytest.fixture
async def north(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """A site over the JSON face, or over the transport that a test is given."""
    async with site(database_url, transport=getattr(request, "param", "harmony")) as made:
        yield made


@pytest.mark.parametrize(
    ("north", "fault"), [("harmony", "commit-then-drop"), ("enet", "none")], indirect=["north"]
)
async def test_a_refund_before_the_invoice_returns_unapplied_cash(north: Site, fault: str) -> None:
    paid = await north.sale("SO-1", 12_000)
    await confirmed(north, "SO-1")
    before = (await gl(north))[BANK]
    if fault != "none":
        await north.fault("syspro", fault, times=2, method="POST")

    await give_back(north, paid, "RF-1", 5_000)
    await give_back(north, paid, "RF-2", 7_000)

    await confirmed(north, "RF-1", "RF-2")
    assert await ar_balance(north) == 0
    assert before - (await gl(north)).get(BANK, 0) == 12_000
    assert (await gl(north)).get(CLEARING, 0) == 0
    assert [each.kind for each in (await north.payment("RF-1")).postings] == [
        "ar_adjustment",
        "cash_transaction",
    ]
    await sound(north)


@pytest.mark.parametrize(
    ("north", "step"),
    [("harmony", "Invoice"), ("harmony", "Transaction"), ("enet", "Post")],
    indirect=["north"],
)
async def test_a_refund_of_an_invoiced_order_credits_the_customer_and_pays_the_credit_out(
    north: Site, step: str
) -> None:
    paid = await invoiced(north, "SO-1", 12_000)
    bank, debt = (await gl(north))[BANK], await ar_balance(north)
    await north.fault("syspro", "commit-then-drop", times=1, method="POST", path=step)

    await give_back(north, paid, "RF-1", 2_500)
    await give_back(north, paid, "RF-2", 1_000)

    await confirmed(north, "RF-1", "RF-2")
    assert await ar_balance(north) == debt
    assert bank - (await gl(north))[BANK] == 3_500
    assert (await gl(north)).get(CLEARING, 0) == 0
    postings = (await north.payment("RF-1")).postings
    assert [each.kind for each in postings] == ["ar_invoice", "ar_adjustment", "cash_transaction"]
    assert len({each.reference for each in postings}) == 3
    await sound(north)


@pytest.mark.parametrize("north", ["harmony", "enet"], indirect=True)
async def test_goods_that_come_back_are_credited_by_a_credit_note_of_their_order(north: Site) -> None:
    await set_refunds(north, goods="whole-invoice")
    paid = await invoiced(north, "SO-1", 12_000)
    bank, debt = (await gl(north))[BANK], await ar_balance(north)

    await give_back(north, paid, "RF-1", 12_000)

    await confirmed(north, "RF-1")
    kinds = [each.kind for each in (await north.payment("RF-1")).postings]
    assert kinds == ["credit_note", "order_invoice", "ar_adjustment", "cash_transaction"]
    assert await ar_balance(north) == debt
    assert bank - (await gl(north)).get(BANK, 0) == 12_000
    assert (await gl(north)).get(CLEARING, 0) == 0
    await sound(north)


async def test_money_can_leave_by_a_negative_receipt(north: Site) -> None:
    await set_refunds(north, pattern="R2")
    paid = await invoiced(north, "SO-1", 12_000)
    bank, debt = (await gl(north))[BANK], await ar_balance(north)

    await give_back(north, paid, "RF-1", 2_500)

    await confirmed(north, "RF-1")
    kinds = [each.kind for each in (await north.payment("RF-1")).postings]
    assert kinds == ["ar_invoice", "ar_adjustment", "misc_receipt"]
    assert await ar_balance(north) == debt
    assert bank - (await gl(north))[BANK] == 2_500
    assert (await gl(north)).get(CLEARING, 0) == 0
    await sound(north)


async def test_where_people_capture_the_money_only_the_credit_is_posted(north: Site) -> None:
    await set_refunds(north, pattern="R3")
    paid = await invoiced(north, "SO-1", 12_000)
    bank, debt = (await gl(north))[BANK], await ar_balance(north)

    await give_back(north, paid, "RF-1", 2_500)

    await confirmed(north, "RF-1")
    assert [each.kind for each in (await north.payment("RF-1")).postings] == ["ar_invoice"]
    assert await ar_balance(north) == debt - 2_500
    assert (await gl(north))[BANK] == bank
    await sound(north)


async def test_a_refund_that_comes_before_its_payment_waits_for_it(north: Site) -> None:
    await patient(north)
    await north.order("SO-1", "120.00")
    paid = await north.pay("SO-1", 12_000)
    await give_back(north, paid, "RF-1", 12_000)
    await north.walk()
    assert (await north.payment("RF-1")).postings == []

    await north.deliver(paid, "SO-1")

    await confirmed(north, "SO-1", "RF-1")
    assert await ar_balance(north) == 0
    assert (await gl(north)).get(CLEARING, 0) == 0


async def test_a_refund_of_a_payment_nobody_knows_waits_for_a_person(north: Site) -> None:
    paid = await north.pay("SO-LOST", 12_000)
    await give_back(north, paid, "RF-1", 12_000)

    assert await at_rest(north, "RF-1") == ["dead_letter"]
    error = (await north.payment("RF-1")).error
    assert error is not None
    assert error["code"] == "payment.refund-without-payment"
    assert await count(north, "postings") == 0


async def test_a_refund_goes_on_from_the_document_at_which_it_stopped(north: Site) -> None:
    paid = await invoiced(north, "SO-1", 12_000)
    bank, debt = (await gl(north))[BANK], await ar_balance(north)
    # SYSPRO adjusts nothing for a customer on hold, and takes a credit memo for one.
    hold(north, "Y")
    await give_back(north, paid, "RF-1", 2_500)
    assert await at_rest(north, "RF-1") == ["exception"]
    assert (await north.payment("RF-1")).postings[0].state == "confirmed"
    assert (await gl(north))[BANK] == bank

    hold(north, "N")
    await replay_from(north, "RF-1", "post")

    await confirmed(north, "RF-1")
    assert await ar_balance(north) == debt
    assert bank - (await gl(north))[BANK] == 2_500
    assert (await gl(north)).get(CLEARING, 0) == 0
    await sound(north)
