"""The reckoning of any sequence: SYSPRO's ledger against what Opayo captured and refunded and the acquirer took."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from integration.canonical.money import Money
from integration.errors import RefundExceedsPayment
from integration.ports import RelatedRequest
from service.core.own_messages import chargeback_id
from service.flow.requests import refund
from tests.flow.disputes import FEE, LOSS, SUSPENSE
from tests.journeys.any_sequence import Street, release_held, rest
from tests.journeys.any_sequence_disputes import cash_reference, opayo_rows, reversal_id
from tests.journeys.refund_site import BANK, CLEARING, ar_balance, gl, sound, till


async def judged(street: Street) -> int:
    """Judge a street at rest, let go what is held, and judge its ledger; gives how many were held."""
    await nothing_goes_back_twice_by_itself(street)
    await nothing_is_held_that_goes_back_once(street)
    await the_api_gives_back_no_more_than_is_left(street)
    held = await release_held(street.site)
    await rest(street.site)
    await holds(street)
    return held


async def holds(street: Street) -> None:
    """No more was refunded than taken, nothing is posted twice, and the ledger is what Opayo and the acquirer moved.

    For a street at rest of which nothing is held any more.
    """
    made, moved = street.site, 0
    for row in await opayo_rows(made):
        assert row["refunded"] <= row["captured"] or row["transactionType"] == "Refund", row
        if row["transactionType"] != "Refund":
            moved += row["captured"] - row["refunded"]
    owed = street.acquirer.standing()
    balances = await gl(made)
    assert [balances.get(code, 0) for code in (BANK, CLEARING, SUSPENSE, LOSS, FEE)] == [
        moved - owed.taken - owed.fees,
        0,
        owed.suspense,
        owed.loss,
        owed.fees,
    ]
    assert await ar_balance(made) == -moved
    await nothing_is_posted_twice(street)
    await sound(made)


async def nothing_is_posted_twice(street: Street) -> None:
    """A reference of ours is in no book more than once."""
    ledger = await street.site.ledger()
    for name in ("ar_payments", "ar_others", "cash_book", "journals"):
        posted = Counter(row.get("Reference") or row.get("TrnReference") for row in ledger[name])
        assert all(times == 1 for reference, times in posted.items() if reference), (name, posted)


async def nothing_goes_back_twice_by_itself(street: Street) -> None:
    """Of no payment has more gone back in the ledger than was taken, before a person lets go what is held."""
    cash = (await street.site.ledger())["cash_book"]
    rows = await opayo_rows(street.site)
    for row in rows:
        if row["transactionType"] == "Refund":
            continue
        taken = (
            row["captured"] or row["amount"]
        )  # what was voided after it was posted was taken, and goes back
        assert _gone_back(street, row, rows, cash) <= taken, row


async def nothing_is_held_that_goes_back_once(street: Street) -> None:
    """Held for going back twice is only what is about a payment of which more was asked back than was taken."""
    async with street.site.engine.connect() as connection:
        found = await connection.exec_driver_sql(
            "SELECT DISTINCT related_transaction_id FROM payments WHERE state = 'held'"
            " AND findings->'screen'->>'reasons' ~ 'Paid back twice|taken back of'"
        )
        about = set(found.scalars())
    rows = [row for row in await opayo_rows(street.site) if row["transactionId"] in about]
    assert len(rows) == len(about)
    for row in rows:
        asked = street.acquirer.most_of(row["transactionId"], row["vendorTxCode"])
        assert row["refunded"] + asked > row["captured"], row


def _gone_back(
    street: Street, paid: dict[str, Any], rows: list[dict[str, Any]], cash: list[dict[str, Any]]
) -> int:
    """What left the bank because of one payment, in pence; the acquirer's fees left out."""
    about, code = paid["transactionId"], paid["vendorTxCode"]
    cases = street.acquirer.cases_of(about, code)
    refunds = [row["transactionId"] for row in rows if row["referenceTransactionId"] == about]
    stages = [each for each in street.acquirer.notices.values() if each.chargeback_ref in cases]
    references = {cash_reference(each, "d") for each in [*refunds, reversal_id(about)]}
    references |= {cash_reference(chargeback_id(each), "a") for each in stages}
    return sum(
        (1 if row["TrnType"] == "W" else -1) * int(Decimal(str(row["TrnValue"])) * 100)
        for row in cash
        if row["TrnReference"] in references
    )


async def the_api_gives_back_no_more_than_is_left(street: Street) -> None:
    """A penny more than refunds and chargebacks left of a payment is refused, and says why."""
    at = await till(street.site)
    for row in await opayo_rows(street.site):
        if row["transactionType"] == "Refund" or not row["captured"]:
            continue
        taken = street.acquirer.taken_of(row["transactionId"], row["vendorTxCode"])
        left = max(0, row["captured"] - row["refunded"] - taken)
        request = RelatedRequest(
            kind="refund",
            vendor_tx_code=f"PROBE-{row['vendorTxCode']}",
            related_transaction_id=row["transactionId"],
            amount=Money(left + 1, "GBP"),
            description="One too much",
        )
        with pytest.raises(RefundExceedsPayment) as refused:
            await refund(at, request, "probe")
        if taken:
            assert refused.value.error_code == "refund.charged-back"
