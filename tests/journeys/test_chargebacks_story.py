"""Chargebacks told end to end, over both of SYSPRO's transports, with the accounts to the penny."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, cast

import msgspec
import pytest

from integration.canonical.chargeback import ChargebackNotice, ChargebackStage
from integration.canonical.money import Money
from service.core.own_messages import chargeback_code, chargeback_id
from service.store import pairs
from service.store.inbox import Delivery, store
from tests.flow.site import Site, site

Transport = Literal["harmony", "enet"]

CLEARING, SUSPENSE, FEE, LOSS = "00-1015", "2260-100", "7110-100", "7120-100"
DAY = date(2025, 6, 2)


@pytest.fixture(params=["harmony", "enet"])
async def at(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Site]:
    async with site(database_url, transport=cast(Transport, request.param)) as made:
        yield made


def notice(stage: ChargebackStage, minor: int, day: int = 0, ref: str = "CB-1", **more: Any) -> ChargebackNotice:
    return ChargebackNotice(
        chargeback_ref=ref,
        stage=stage,
        amount=Money(minor, "GBP"),
        received_on=DAY + timedelta(days=day),
        acquirer="Elavon",
        reason_code="4837",
        reason_text="No cardholder authorisation",
        **more,
    )


async def tell(at: Site, *notices: ChargebackNotice, source: str = "file") -> None:
    async with at.engine.begin() as connection:
        await store(
            connection,
            [
                Delivery(
                    pair=at.pair,
                    source=source,
                    event_id=f"{each.chargeback_ref}/{each.stage}/{each.amount.minor}",
                    kind=f"chargeback.{each.stage}",
                    transaction_id=chargeback_id(each),
                    vendor_tx_code=chargeback_code(each),
                    body=msgspec.json.encode(each),
                )
                for each in notices
            ],
        )


async def accounts(at: Site) -> dict[str, int]:
    """The balances of the accounts that chargebacks touch, in minor units, without the empty ones."""
    rows = (await at.ledger())["gl_accounts"]
    found = {row["LedgerCode"]: int(Decimal(str(row["CurrentBalance"])) * 100) for row in rows}
    return {code: found[code] for code in (CLEARING, SUSPENSE, FEE, LOSS) if found.get(code)}


async def broken(at: Site) -> Sequence[str]:
    answer = await at.http.get(f"{at.urls['syspro']}/_sandbox/invariants")
    return cast("list[str]", answer.json().get("broken", answer.json()))


async def test_x(at: Site) -> None:
    paid = await at.sale("SO-1", 12_995)
    await at.walk()
    print((await at.payment("SO-1")).state, await accounts(at))
    await tell(at, notice("first_chargeback", 12_995, transaction_id=paid["transactionId"], fee=Money(1500, "GBP")))
    await at.walk()
    await at.walk()
    async with at.engine.connect() as c:
        from sqlalchemy import text
        print([tuple(r) for r in await c.execute(text("select kind,vendor_tx_code,state,amount_minor,error,findings from payments"))])
        print([tuple(r) for r in await c.execute(text("select state,error from inbox"))])
    print(await accounts(at), await broken(at))
    await tell(at, notice("accepted", 12_995, 5))
    await at.walk()
    await at.walk()
    print(await accounts(at), await broken(at))
    assert 0
