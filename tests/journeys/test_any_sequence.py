"""Any sequence of payment, capture, void, refund and repeat, doubled and reordered, ends in the tidy one's ledger."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from integration.canonical.money import Money
from integration.errors import RefundExceedsPayment
from integration.ports import RelatedRequest
from service.flow.requests import refund
from tests.databases import create_database, drop_database
from tests.flow.site import Site, site
from tests.journeys.any_sequence import Street, ends, operations
from tests.journeys.refund_site import BANK, CLEARING, ar_balance, gl, patient, sound, till


@pytest.fixture
def second_database_url(database_server: str) -> Iterator[str]:
    url = create_database(database_server)
    yield url
    drop_database(url)


async def run(
    database_url: str, seed: int, *, tidy: bool
) -> tuple[list[bool], dict[str, int], dict[str, str]]:
    """One run of a seed's operations; gives what Opayo did, the general ledger, and where each payment ended."""
    transport = "enet" if seed % 2 else "harmony"
    async with site(database_url, shop=False, transport=transport) as made:  # type: ignore[arg-type]
        await patient(made)
        street = Street(made, seed)
        ops = operations(seed)
        done = await (street.tidily(ops) if tidy else street.wildly(ops))
        await holds(made)
        return done, await gl(made), await ends(made)


async def holds(made: Site) -> None:
    """No more went back than came in, nothing is posted twice, and the ledger is what Opayo moved."""
    rows = (await made.http.get(f"{made.urls['opayo']}/_sandbox/ledger")).json()["transactions"]
    moved = 0
    for row in rows:
        assert row["refunded"] <= row["captured"] or row["transactionType"] == "Refund", row
        if row["transactionType"] != "Refund":
            moved += row["captured"] - row["refunded"]
    assert (await gl(made)).get(BANK, 0) == moved
    assert (await gl(made)).get(CLEARING, 0) == 0
    assert await ar_balance(made) == -moved
    ledger = await made.ledger()
    for name in ("ar_payments", "ar_others", "cash_book"):
        posted = Counter(row.get("Reference") or row.get("TrnReference") for row in ledger[name])
        assert all(times == 1 for reference, times in posted.items() if reference), (name, posted)
    await sound(made)


@pytest.mark.parametrize("seed", range(2))
async def test_any_order_of_any_events_ends_in_the_same_ledger(
    database_url: str, second_database_url: str, seed: int
) -> None:
    tidy = await run(database_url, seed, tidy=True)
    wild = await run(second_database_url, seed, tidy=False)

    assert any(tidy[0])
    assert wild[:2] == tidy[:2]
    # What was voided before it was posted never enters the ledger; when it was posted first, it was taken out again.
    differ = {code for code in tidy[2] | wild[2] if tidy[2].get(code) != wild[2].get(code)}
    assert {wild[2].get(code) for code in differ} <= {"ignored", "confirmed"}


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
