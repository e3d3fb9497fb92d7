"""Any sequence of payment, capture, void, refund, repeat and chargeback, doubled and reordered, ends in the tidy ledger.

Refunds and chargebacks that together are more than was taken are never posted silently. Which of them waits for a person
depends on which we hear of first, so the property is about the sum: what posts by itself is at most what was taken, and
once a person has let go what is held, both ledgers are the same, and are what Opayo and the acquirer really moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from msgspec import Struct

from integration.canonical.money import Money
from integration.errors import RefundExceedsPayment
from integration.ports import RelatedRequest
from service.flow.requests import refund
from tests.databases import create_database, drop_database
from tests.flow.site import site
from tests.journeys.any_sequence import Street, ends, operations
from tests.journeys.any_sequence_books import judged
from tests.journeys.any_sequence_disputes import disputed
from tests.journeys.refund_site import gl, patient, till


@pytest.fixture
def second_database_url(database_server: str) -> Iterator[str]:
    url = create_database(database_server)
    yield url
    drop_database(url)


class Run(Struct):
    """What one run of a seed's operations came to: what Opayo and the acquirer did, the ledger, where all ended."""

    done: list[bool]
    ledger: dict[str, int]
    ends: dict[str, str]
    held: int
    refused: int


async def run(database_url: str, seed: int, *, tidy: bool) -> Run:
    transport = "enet" if seed % 2 else "harmony"
    async with site(database_url, shop=False, transport=transport) as made:  # type: ignore[arg-type]
        await patient(made)
        street = Street(made, seed)
        ops = disputed(operations(seed), seed)
        done = await (street.tidily(ops) if tidy else street.wildly(ops))
        held = await judged(street)
        return Run(done, await gl(made), await ends(made), held, street.refused)


# One for each transport, in both of which money would go back twice.
@pytest.mark.parametrize("seed", [1, 4])
async def test_any_order_of_any_events_ends_in_the_same_ledger(
    database_url: str, second_database_url: str, seed: int
) -> None:
    """What is posted and what is held together, that is: which of two is held depends on which we hear of first."""
    tidy = await run(database_url, seed, tidy=True)
    wild = await run(second_database_url, seed, tidy=False)

    assert min(tidy.held, tidy.refused) > 0, "this seed shows nothing of what is held and refused"
    assert (wild.done, wild.ledger) == (tidy.done, tidy.ledger)
    # What was voided before it was posted never enters the ledger; when it was posted first, it was taken out again.
    # A stage of a chargeback that comes late has nothing left to move.
    assert tidy.ends.keys() == wild.ends.keys()
    differ = {code for code, end in tidy.ends.items() if end != wild.ends[code]}
    assert {each.ends[code] for code in differ for each in (tidy, wild)} <= {"ignored", "confirmed"}


async def test_fifty_refunds_at_once_give_back_what_was_taken_and_no_more(database_url: str) -> None:
    async with site(database_url, shop=False) as made:
        paid = await made.pay("P0", 10_000)
        at = await till(made)

        async def ask(number: int) -> bool:
            request = RelatedRequest(
                kind="refund",
                vendor_tx_code=f"R{number}",
                related_transaction_id=paid["transactionId"],
                amount=Money(700, "GBP"),
                description="Any",
            )
            try:
                await refund(at, request, "m")
            except RefundExceedsPayment:
                return False
            return True

        answers = await asyncio.gather(*(ask(number) for number in range(50)))
        assert sum(answers) == 14
