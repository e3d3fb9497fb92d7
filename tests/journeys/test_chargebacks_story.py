"""Chargebacks told end to end, over both of SYSPRO's transports, with the accounts to the penny."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Literal, cast

import pytest

from integration.canonical.money import Money
from tests.flow.disputes import (
    CLEARING,
    FEE,
    LOSS,
    REFUND,
    SUSPENSE,
    accounts,
    broken,
    case_of,
    changed,
    notice,
    open_alerts,
    release,
    settle,
    sold,
    tell,
)
from tests.flow.site import Site, site

Transport = Literal["harmony", "enet"]


@pytest.fixture(params=["harmony", "enet"])
async def at(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Site]:
    """A site over each transport."""
    async with site(database_url, transport=cast(Transport, request.param)) as made:
        yield made


async def test_a_chargeback_runs_through_its_stages_and_is_lost(at: Site) -> None:
    of = await sold(at)

    await tell(at, notice("retrieval_request", 12_995, transaction_id=of))
    assert await accounts(at) == {CLEARING: 12_995}

    await tell(at, notice("first_chargeback", 12_995, 5, fee=Money(1_500, "GBP")))
    assert await accounts(at) == {CLEARING: -1_500, SUSPENSE: 12_995, FEE: 1_500}

    await tell(at, notice("representment", 12_995, 9), notice("arbitration", 12_995, 30))
    assert await accounts(at) == {CLEARING: -1_500, SUSPENSE: 12_995, FEE: 1_500}

    await tell(at, notice("accepted", 12_995, 40))
    assert await accounts(at) == {CLEARING: -1_500, FEE: 1_500, LOSS: 12_995}
    assert await broken(at) == []
    case = await case_of(at)
    assert (case.state, case.taken_minor, case.respond_by) == ("lost", 12_995, None)
    assert (case.vendor_tx_code, case.payment_id) == ("SO-1", (await at.payment("SO-1")).payment_id)


async def test_a_won_chargeback_costs_its_fees_alone_although_answers_are_lost(at: Site) -> None:
    of = await sold(at)
    await at.fault("syspro", "commit-then-drop", body="DepositOrWithdrawal")

    await tell(at, notice("first_chargeback", 12_995, transaction_id=of, fee=Money(1_500, "GBP")))
    await settle(at)
    await at.fault("syspro", "drop", body="DepositOrWithdrawal")
    await tell(at, notice("reversed", 12_995, 20))
    await settle(at)

    assert await accounts(at) == {CLEARING: 12_995 - 1_500, FEE: 1_500}
    assert await broken(at) == []
    assert (await case_of(at)).state == "won"


async def test_notices_doubled_and_out_of_order_end_in_the_same_ledger(at: Site) -> None:
    of = await sold(at)
    tidy = [
        notice("first_chargeback", 10_000, 1, transaction_id=of, fee=Money(700, "GBP")),
        notice("representment", 10_000, 3, transaction_id=of),
        notice("second_chargeback", 12_000, 9, transaction_id=of, fee=Money(900, "GBP")),
        notice("accepted", 12_000, 20, transaction_id=of),
    ]

    for place in (2, 3, 0, 2, 1, 3, 0):
        await tell(at, tidy[place])

    assert await accounts(at) == {CLEARING: 12_995 - 12_000 - 1_600, FEE: 1_600, LOSS: 12_000}
    assert await broken(at) == []
    assert (await case_of(at)).stage == "accepted"


async def test_without_a_cash_book_everything_is_a_journal(at: Site) -> None:
    defaults = (await at.stages.connections(at.pair))[0].defaults
    # Journals may not touch what the cash book keeps: the clearing account is one of its own.
    await changed(
        at,
        defaults={**defaults, "account_receipt": "1200-100"},
        chargebacks={"rules": {"pattern": "journal", "stages": {"representment": {"money": "returned"}}}},
    )
    of = await sold(at)

    await tell(at, notice("first_chargeback", 5_000, transaction_id=of, fee=Money(100, "GBP")))
    await tell(at, notice("representment", 5_000, 3), notice("accepted", 5_000, 8))

    rows = (await at.ledger())["gl_accounts"]
    clearing = next(row["CurrentBalance"] for row in rows if row["LedgerCode"] == "1200-100")
    assert Decimal(str(clearing)) == Decimal("-51.00")
    assert await accounts(at) == {CLEARING: 12_995, FEE: 100, LOSS: 5_000}
    assert await broken(at) == []


async def test_a_payment_refunded_and_charged_back_is_posted_only_by_a_person(at: Site) -> None:
    of = await sold(at)
    async with at.engine.begin() as connection:
        await connection.execute(REFUND, {"pair": at.pair, "code": "R-1", "of": of, "minor": 3_000})

    await tell(at, notice("first_chargeback", 10_000, transaction_id=of))

    held = await at.payment("CB-CB-1-first_chargeback")
    assert held.state == "held"
    assert "Paid back twice" in str(held.findings["screen"])
    assert "chargeback.paid-back-twice" in await open_alerts(at)
    assert await accounts(at) == {CLEARING: 12_995}

    await release(at, "CB-CB-1-first_chargeback")
    assert await accounts(at) == {CLEARING: 2_995, SUSPENSE: 10_000}
    assert await broken(at) == []
