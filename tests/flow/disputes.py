"""What tests of chargebacks share: notices, how they are told, and the accounts they touch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import msgspec
from sqlalchemy import func, select, text

from integration.canonical.chargeback import ChargebackNotice, ChargebackStage
from integration.canonical.money import Money
from service.core.own_messages import chargeback_code, chargeback_id
from service.flow import replay
from service.flow.desk import Desk
from service.flow.library import Library
from service.store import alerts, chargebacks, pairs
from service.store.chargebacks import Case
from service.store.inbox import Delivery, store
from service.store.tables import postings
from tests.flow.site import Site

CLEARING, SUSPENSE, FEE, LOSS = "00-1015", "2260-100", "7110-100", "7120-100"
DAY = date(2025, 6, 2)
REFUND = text(
    "INSERT INTO gateway_requests (pair, vendor_tx_code, kind, related_transaction_id, amount_minor, currency, state)"
    " VALUES (:pair, :code, 'refund', :of, :minor, 'GBP', 'answered')"
)
_numbers = itertools.count()


def notice(
    stage: ChargebackStage, minor: int, day: int = 0, ref: str = "CB-1", **more: Any
) -> ChargebackNotice:
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


async def tell(at: Site, *notices: ChargebackNotice) -> None:
    """Put notices into the inbox as rows of a file, each as a message of its own, and work the lanes."""
    rows = [
        Delivery(
            pair=at.pair,
            source="file",
            event_id=f"row-{next(_numbers)}",
            kind=f"chargeback.{each.stage}",
            transaction_id=chargeback_id(each),
            vendor_tx_code=chargeback_code(each),
            body=msgspec.json.encode(each),
        )
        for each in notices
    ]
    async with at.engine.begin() as connection:
        await store(connection, rows)
    await at.walk()


async def accounts(at: Site) -> dict[str, int]:
    """The balances of the accounts that chargebacks touch, in minor units, without the empty ones."""
    rows = (await at.ledger())["gl_accounts"]
    found = {row["LedgerCode"]: int(Decimal(str(row["CurrentBalance"])) * 100) for row in rows}
    return {code: found[code] for code in (CLEARING, SUSPENSE, FEE, LOSS) if found.get(code)}


async def broken(at: Site) -> Sequence[str]:
    """What of the sandbox's own invariants does not hold."""
    answer = await at.http.get(f"{at.urls['syspro']}/_sandbox/invariants")
    answer.raise_for_status()
    told: Any = answer.json()
    return cast("list[str]", told if isinstance(told, list) else told["broken"])


async def case_of(at: Site, ref: str = "CB-1") -> Case:
    async with at.engine.begin() as connection:
        found = await chargebacks.lock(connection, at.pair, ref)
    assert found is not None
    return found


async def open_alerts(at: Site) -> set[str]:
    async with at.engine.connect() as connection:
        return {str(row["code"]) for row in await alerts.listed(connection, at.pair)}


async def posted(at: Site) -> int:
    async with at.engine.connect() as connection:
        statement = select(func.count()).where(postings.c.state == "confirmed")
        return int(await connection.scalar(statement) or 0)


async def changed(at: Site, **settings: Any) -> None:
    """Change settings of the pair."""
    async with at.engine.begin() as connection:
        loaded = await pairs.load(connection, at.vault, at.pair)
        document = {**msgspec.to_builtins(loaded), **settings}
        await pairs.save(connection, at.vault, msgspec.convert(document, pairs.PairSettings))
    at.stages.forget(at.pair)


async def sold(at: Site, code: str = "SO-1", minor: int = 12_995) -> str:
    """A sale in the ledger; gives its transaction id."""
    paid = await at.sale(code, minor)
    await at.walk()
    assert (await at.payment(code)).state == "confirmed"
    return str(paid["transactionId"])


async def release(at: Site, code: str) -> None:
    payment = await at.payment(code)
    async with at.engine.begin() as connection:
        settings = await pairs.load(connection, at.vault, at.pair)
        assert settings is not None
        now = at.stages.shared.clock()
        desk = Desk(connection=connection, pair=settings, library=Library(), now=now, actor="Ann")
        await replay.release(desk, payment.payment_id)
    await at.walk()


async def settle(at: Site) -> None:
    """Work the lanes until every posting is certain: a lost answer is looked for some times."""
    for _ in range(40):
        async with at.engine.connect() as connection:
            open_ones = await connection.scalar(
                select(func.count()).where(postings.c.state.in_(("prepared", "sent", "ambiguous")))
            )
        await at.walk()
        if not open_ones:
            return
    raise AssertionError("postings stay open")
