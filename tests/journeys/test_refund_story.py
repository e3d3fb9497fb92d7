"""Refunds, end to end: what went back at Opayo leaves SYSPRO's ledger to the penny, on both transports, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from integration.canonical.money import Money
from integration.errors import IntegrationError, RefundExceedsPayment, Rejected
from integration.ports import RelatedRequest
from service.flow import changes, credit_notes
from service.flow.refund_proposals import Decider, approve, propose
from service.flow.requests import refund
from service.jobs.requests import send_refunds
from service.store import lanes
from service.store.refund_proposals import Proposal
from tests.flow.site import Site, site
from tests.journeys.refund_site import (
    BANK,
    CLEARING,
    ar_balance,
    at_rest,
    confirmed,
    control,
    count,
    give_back,
    gl,
    opayo_refunded,
    patient,
    scalar,
    set_refunds,
    sound,
    till,
)


@pytest.fixture(params=["harmony", "enet"])
async def north(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    async with site(database_url, transport=request.param) as made:
        yield made


@pytest.mark.parametrize("fault", ["none", "commit-then-drop"])
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


async def invoiced(north: Site, code: str, minor: int) -> dict[str, Any]:
    """A sale whose order was shipped and invoiced, and its payment's cash is not yet applied."""
    net = minor * 5 // 6
    line = {
        "kind": "stock",
        "stock_code": "A100",
        "description": "Widget",
        "quantity": 1,
        "net": f"{net / 100:.2f}",
        "tax": f"{(minor - net) / 100:.2f}",
    }
    paid = await north.sale(code, minor, lines=[line])
    await confirmed(north, code)
    await control(north, "invoice", CustomerPoNumber=code)
    return paid


@pytest.mark.parametrize("step", ["Invoice", "Payment", "Transaction"])
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


async def polled(north: Site) -> dict[str, object]:
    """What SYSPRO changed is seen, and its credit notes are looked at, as the holder of the posting lane does."""
    async with north.engine.begin() as connection:
        held = await lanes.take(connection, "north/post/OPAYO1")
    assert held is not None
    stage = await north.stages.of(held)
    await changes.poll(stage)
    return await credit_notes.find(stage)


@pytest.mark.parametrize("on_invoice", [False, True], ids=["alone", "on the invoice"])
async def test_a_credit_note_raised_in_syspro_becomes_a_proposal_and_is_not_credited_twice(
    north: Site, on_invoice: bool
) -> None:
    await invoiced(north, "SO-1", 12_000)
    await polled(north)
    number = next(
        r["Invoice"] for r in (await north.ledger())["invoices"] if not r["Invoice"].startswith("_")
    )
    more = {"Value": "30.00", "OnInvoice": True} if on_invoice else {}
    await control(north, "raise-credit-note", Invoice=number, **more)
    bank, debt = (await gl(north))[BANK], await ar_balance(north)
    value = 3_000 if on_invoice else 12_000

    assert (await polled(north))["proposed"] == 1
    assert (await polled(north))["proposed"] == 0
    assert await opayo_refunded(north) == 0
    await approve(await till(north), 1, Decider(name="Ann", key_id=7))

    code = await scalar(north, "SELECT vendor_tx_code FROM refund_proposals")
    await confirmed(north, code)
    assert await opayo_refunded(north) == value
    kinds = [each.kind for each in (await north.payment(code)).postings]
    assert kinds == ["ar_adjustment", "cash_transaction"]
    assert bank - (await gl(north)).get(BANK, 0) == value
    assert await ar_balance(north) == debt + value
    assert (await gl(north)).get(CLEARING, 0) == 0
    assert (await send_refunds(north.stages, "north"))["done"] == 1
    assert (await polled(north))["proposed"] == 0
    await sound(north)


async def test_our_own_credit_notes_are_recognised(north: Site) -> None:
    await set_refunds(north, goods="whole-invoice")
    paid = await invoiced(north, "SO-1", 12_000)
    await polled(north)
    await give_back(north, paid, "RF-1", 12_000)
    await confirmed(north, "RF-1")
    second = await invoiced(north, "SO-2", 6_000)
    await give_back(north, second, "RF-2", 1_000)
    await confirmed(north, "RF-2")

    told = await polled(north)

    assert (told["proposed"], told["ours"]) == (0, 2)
    assert await count(north, "refund_proposals") == 0


async def test_a_small_proposal_is_sent_by_itself_where_the_pair_allows_it(north: Site) -> None:
    await set_refunds(north, send_up_to=5_000)
    await invoiced(north, "SO-1", 12_000)
    await polled(north)
    number = next(
        r["Invoice"] for r in (await north.ledger())["invoices"] if not r["Invoice"].startswith("_")
    )
    await control(north, "raise-credit-note", Invoice=number, Value="30.00")
    await polled(north)
    await north.fault("opayo", "commit-then-drop", path="transactions", method="POST")

    for _ in range(3):
        await send_refunds(north.stages, "north")
        await asyncio.sleep(0.15)

    code = await scalar(north, "SELECT vendor_tx_code FROM refund_proposals")
    await confirmed(north, code)
    assert await opayo_refunded(north) == 3_000


async def test_who_asks_for_a_refund_cannot_approve_it(north: Site) -> None:
    paid = await north.sale("SO-1", 12_000)
    await confirmed(north, "SO-1")
    at = await till(north)
    proposal = Proposal(
        pair="north",
        source="request/RF-1",
        related_transaction_id=paid["transactionId"],
        vendor_tx_code="RF-1",
        amount=Money(12_000, "GBP"),
        proposed_by="Ann",
        proposer_key=7,
    )
    known = await propose(north.engine, proposal)
    assert (await propose(north.engine, proposal))["proposal_id"] == known["proposal_id"]

    with pytest.raises(Rejected, match="cannot approve"):
        await approve(at, 1, Decider(name="Ann", key_id=8))
    with pytest.raises(Rejected, match="cannot approve"):
        await approve(at, 1, Decider(name="Bob", key_id=7))
    await approve(at, 1, Decider(name="Bob", key_id=8))
    with pytest.raises(Rejected, match="already"):
        await approve(at, 1, Decider(name="Cid", key_id=9))

    await confirmed(north, "RF-1")
    assert await opayo_refunded(north) == 12_000


async def test_refunds_requested_twice_at_once_are_made_and_posted_once(north: Site) -> None:
    paid = await north.sale("SO-1", 12_000)
    await confirmed(north, "SO-1")
    at = await till(north)

    async def ask(code: str) -> object:
        request = RelatedRequest(
            kind="refund",
            vendor_tx_code=code,
            related_transaction_id=paid["transactionId"],
            amount=Money(1_000, "GBP"),
            description="Goods",
        )
        try:
            return await refund(at, request, code)
        except IntegrationError as error:
            return error

    codes = [f"RF-{number}" for number in range(14)]
    answers = await asyncio.gather(*(ask(code) for code in codes for _ in range(2)))

    made = [
        code
        for code in codes
        if await count(north, "gateway_requests", f"vendor_tx_code = '{code}' AND state = 'answered'")
    ]
    assert len(made) == 12
    assert all(
        isinstance(each, RefundExceedsPayment) for each in answers if isinstance(each, IntegrationError)
    )
    await confirmed(north, *made)
    assert await opayo_refunded(north) == 12_000
    assert await ar_balance(north) == 0
    assert (await gl(north)).get(CLEARING, 0) == 0
    assert await count(north, "payments", "kind = 'refund'") == 12
