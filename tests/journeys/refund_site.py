"""What the stories of refunds and of the life cycle do at Opayo and in SYSPRO, and how they read the books."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any, Literal

import msgspec
from sqlalchemy import text

from integration.canonical.money import Money
from integration.canonical.payment import GatewayTransaction
from integration.ports import Gateway, Instruction, RelatedRequest
from service.flow.desk import Desk
from service.flow.intents import Till
from service.flow.library import Library
from service.flow.replay import Way, replay
from service.store import pairs
from tests.flow.site import Site

CLEARING = "2250-100"
BANK = "00-1015"
FINAL = ("confirmed", "exception", "dead_letter", "ignored", "rejected", "held")


async def gateway(site: Site) -> Gateway:
    """The pair's Opayo, as the service reaches it."""
    return (await site.stages.connections(site.pair))[1].gateway


async def till(site: Site) -> Till:
    """Where our own API makes its requests."""
    return Till(engine=site.engine, gateway=await gateway(site), pair=site.pair, pauses=(0.0, 0.01, 0.05))


async def give_back(site: Site, paid: dict[str, Any], code: str, minor: int) -> GatewayTransaction:
    """Refund a payment in MyOpayo, and let its event come."""
    found = await relate(site, "refund", paid, code, minor)
    await arrives(site, found, code, "payment.refunded")
    return found


async def relate(
    site: Site, kind: Literal["refund", "repeat", "authorise"], paid: dict[str, Any], code: str, minor: int
) -> GatewayTransaction:
    """Refund, repeat or authorise somewhere else than through our API."""
    more: dict[str, object] = {}
    if kind == "repeat":
        more = {
            "credentialType": {"cofUsage": "Subsequent", "initiatedType": "MIT", "mitType": "Unscheduled"}
        }
    request = RelatedRequest(
        kind=kind,
        vendor_tx_code=code,
        related_transaction_id=paid["transactionId"],
        amount=Money(minor, "GBP"),
        description="Goods",
        extra=more,
    )
    return await (await gateway(site)).relate(request)


async def instruct(
    site: Site, kind: Literal["release", "abort", "void", "cancel"], paid: dict[str, Any], minor: int = 0
) -> None:
    """Give an instruction somewhere else than through our API."""
    amount = Money(minor, "GBP") if kind == "release" else None
    await (await gateway(site)).instruct(
        Instruction(kind=kind, transaction_id=paid["transactionId"], amount=amount)
    )


async def arrives(site: Site, found: GatewayTransaction, code: str, kind: str = "payment.authorised") -> None:
    """The event of a transaction comes, once more."""
    await site.deliver({"transactionId": found.transaction_id}, code, kind=kind)


async def at_rest(site: Site, *codes: str, rounds: int = 60) -> list[str]:
    """Walk until these payments are at rest; gives their states."""
    for _ in range(rounds):
        await site.walk()
        states = [(await site.payment(code)).state for code in codes]
        if all(state in FINAL for state in states):
            break
        await asyncio.sleep(0.1)
    return [(await site.payment(code)).state for code in codes]


async def confirmed(site: Site, *codes: str) -> None:
    """These payments come to rest in the ledger, as SYSPRO was told."""
    states = await at_rest(site, *codes)
    told = {code: (await site.payment(code)).error for code in codes}
    assert states == ["confirmed"] * len(codes), told


async def control(site: Site, action: str, **body: Any) -> dict[str, Any]:
    """Do what a clerk does in SYSPRO: `ship`, `invoice`, `raise-credit-note`."""
    answer = await site.http.post(f"{site.urls['syspro']}/_sandbox/{action}", json=body)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


async def sound(site: Site) -> None:
    """SYSPRO's own books agree with each other."""
    answer = await site.http.get(f"{site.urls['syspro']}/_sandbox/invariants")
    assert answer.json() == {"ok": True, "broken": []}


async def gl(site: Site) -> dict[str, int]:
    """The balances of the general ledger's accounts in pence, debits positive, without those at zero."""
    balances: Counter[str] = Counter()
    for journal in (await site.ledger())["journals"]:
        for line in journal["JournalDetails"]:
            side = 1 if line["EntryType"] == "D" else -1
            balances[line["LedgerCode"]] += side * int(Decimal(line["EntryValue"]) * 100)
    return {code: balance for code, balance in balances.items() if balance}


async def ar_balance(site: Site, customer: str = "0000001") -> int:
    """What a customer owes, in pence; negative is what we owe."""
    rows = (await site.ledger())["invoices"]
    mine = [row for row in rows if row["Customer"].lstrip("0") == customer.lstrip("0")]
    return sum(int(Decimal(row["InvoiceBal1"]) * 100) for row in mine)


async def opayo_refunded(site: Site) -> int:
    """What went back at Opayo in all, in pence."""
    rows = (await site.http.get(f"{site.urls['opayo']}/_sandbox/ledger")).json()["transactions"]
    return sum(row["refunded"] for row in rows)


async def patient(site: Site) -> None:
    """Let the pair wait ten hours for what overtook its cause: in a test that is a minute."""
    async with site.engine.begin() as connection:
        settings = await pairs.load(connection, site.vault, site.pair)
        assert settings is not None
        settings.order_wait_minutes = 600
        await pairs.save(connection, site.vault, settings)
    site.stages.forget(site.pair)


async def set_refunds(site: Site, **changes: Any) -> None:
    """Change the pair's settings of refunds."""
    async with site.engine.begin() as connection:
        settings = await pairs.load(connection, site.vault, site.pair)
        assert settings is not None
        for name, value in changes.items():
            setattr(settings.refunds, name, value)
        await pairs.save(connection, site.vault, settings)
    site.stages.forget(site.pair)


async def count(site: Site, table: str, where: str = "true") -> int:
    """Rows of a table."""
    async with site.engine.connect() as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}")) or 0)


async def scalar(site: Site, statement: str) -> str:
    """The one value that a statement gives."""
    async with site.engine.connect() as connection:
        return str(await connection.scalar(text(statement)))


async def invoiced(site: Site, code: str, minor: int) -> dict[str, Any]:
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
    paid = await site.sale(code, minor, lines=[line])
    await confirmed(site, code)
    await control(site, "invoice", CustomerPoNumber=code)
    return paid


def hold(site: Site, flag: str, customer: str = "0000001") -> None:
    """A clerk puts a customer on hold (`Y`), or releases it."""
    store = site.syspro.store
    key = store.customer_key(customer)
    store.customers.put(key, msgspec.structs.replace(store.customers[key], CustomerOnHold=flag))


async def replay_from(site: Site, code: str, step: str) -> None:
    """A person sends a payment round again from a step."""
    settings, _ = await site.stages.connections(site.pair)
    payment_id = (await site.payment(code)).payment_id
    async with site.engine.begin() as connection:
        now = site.stages.shared.clock()
        desk = Desk(
            connection=connection, pair=settings, library=Library(), now=now, actor="Ann", note="again"
        )
        await replay(desk, payment_id, Way(from_step=step))
