"""Refunds in number: each requested twice at once, and any sequence of events, chargebacks too, over many seeds."""

from __future__ import annotations

import asyncio
import os

import pytest

from integration.canonical.money import Money
from integration.ports import RelatedRequest
from service.flow.requests import refund
from tests.flow.site import site
from tests.journeys.any_sequence import Street, operations, rest
from tests.journeys.any_sequence_books import judged
from tests.journeys.any_sequence_disputes import disputed
from tests.journeys.refund_site import (
    BANK,
    CLEARING,
    ar_balance,
    confirmed,
    count,
    gl,
    opayo_refunded,
    patient,
    sound,
    till,
)

REFUNDS = int(os.environ.get("SOAK_REFUNDS", "500"))
SEEDS = int(os.environ.get("SOAK_SEEDS", "100"))


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_each_refund_requested_twice_at_once_is_posted_once(database_url: str) -> None:
    async with site(database_url, shop=False) as made:
        paid = await made.pay("P0", REFUNDS * 100)
        await made.deliver(paid, "P0")
        await confirmed(made, "P0")
        at = await till(made)
        room = asyncio.Semaphore(20)

        async def ask(code: str) -> None:
            request = RelatedRequest(
                kind="refund",
                vendor_tx_code=code,
                related_transaction_id=paid["transactionId"],
                amount=Money(100, "GBP"),
                description="Goods",
            )
            async with room:
                await refund(at, request, code)

        codes = [f"R{number}" for number in range(REFUNDS)]
        await asyncio.gather(*(ask(code) for code in codes for _ in range(2)))
        await rest(made, rounds=1_000)

        assert await opayo_refunded(made) == REFUNDS * 100
        assert await count(made, "payments", "kind = 'refund' AND state = 'confirmed'") == REFUNDS
        withdrawals = [row for row in (await made.ledger())["cash_book"] if row["TrnType"] == "W"]
        assert len(withdrawals) == REFUNDS
        ledger = await gl(made)
        assert (ledger.get(BANK, 0), ledger.get(CLEARING, 0), await ar_balance(made)) == (0, 0, 0)
        await sound(made)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1_000, 1_000 + SEEDS))
async def test_any_order_of_any_events_keeps_the_ledger_right(database_url: str, seed: int) -> None:
    transport = "enet" if seed % 2 else "harmony"
    async with site(database_url, shop=False, transport=transport) as made:  # type: ignore[arg-type]
        await patient(made)
        street = Street(made, seed)
        await street.wildly(disputed(operations(seed, length=25), seed))
        await judged(street)
