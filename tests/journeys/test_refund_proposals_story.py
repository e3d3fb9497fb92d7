"""Refunds that somebody must allow: credit notes raised in SYSPRO, requests above the limit, and many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

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
    confirmed,
    control,
    count,
    give_back,
    gl,
    invoiced,
    opayo_refunded,
    scalar,
    set_refunds,
    sound,
    till,
)


@pytest.fixture
async def north(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """A site over the JSON face, or over the transport that a test is given."""
    async with site(database_url, transport=getattr(request, "param", "harmony")) as made:
        yield made


async def polled(north: Site) -> dict[str, object]:
    """What SYSPRO changed is seen, and its credit notes are looked at, as the holder of the posting lane does."""
    async with north.engine.begin() as connection:
        held = await lanes.take(connection, "north/post/OPAYO1")
    assert held is not None
    stage = await north.stages.of(held)
    await changes.poll(stage)
    return await credit_notes.find(stage)


@pytest.mark.parametrize(("north", "on_invoice"), [("harmony", False), ("enet", True)], indirect=["north"])
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


@pytest.mark.parametrize("north", ["enet"], indirect=True)
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
