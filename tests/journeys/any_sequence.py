"""Any sequence of what can happen to transactions at Opayo, made from a seed: told tidily, or doubled and reordered."""

from __future__ import annotations

import random
from typing import Any

from integration.canonical.money import Money
from integration.errors import IntegrationError, RefundExceedsPayment
from integration.ports import Instruction, RelatedRequest
from service.flow import instructions, requests
from service.flow.desk import Desk
from service.flow.library import Library
from service.flow.replay import release
from tests.flow.site import Site
from tests.journeys.any_sequence_disputes import Acquirer, Op, is_stage
from tests.journeys.refund_site import FINAL, gateway, till

_FIRST = {"credentialType": {"cofUsage": "First", "initiatedType": "CIT"}}


def operations(seed: int, length: int = 14) -> list[Op]:
    """Some payments, and whatever may be tried on them; what Opayo refuses does not happen."""
    chance = random.Random(seed)
    made = ["P0", "P1", "H2"]
    found: list[Op] = [("pay", "", "P0", 5_000), ("pay", "", "P1", 7_000), ("hold", "", "H2", 9_000)]
    while len(found) < length:
        what = chance.choice(["refund", "refund", "refund", "repeat", "void", "release", "abort", "pay"])
        about, new = chance.choice(made), f"X{len(found)}"
        minor = chance.choice([500, 1_000, 2_500, 4_000, 7_000])
        found.append((what, "" if what == "pay" else about, new, minor))
        if what in ("pay", "repeat"):
            made.append(new)
    return found


class Street:
    """Makes the operations at a site's Opayo, and remembers the events that each would send."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.chance = random.Random(seed + 1_000)
        self.paths = random.Random(seed)  # through our API or not: the same for a tidy and a wild run
        self.known: dict[str, dict[str, Any]] = {}
        self.events: list[str] = []
        self.acquirer = Acquirer(site)
        self.refused = 0  # refunds that our API refused because the money was charged back

    async def do(self, op: Op) -> bool:
        """Try an operation; whether Opayo did it."""
        try:
            await self._do(op)
        except (IntegrationError, KeyError):
            return False
        return True

    async def _do(self, op: Op) -> None:
        what, about, new, minor = op
        if what in ("pay", "hold"):
            kind = "Payment" if what == "pay" else "Deferred"
            self.known[new] = await self.site.pay(new, minor, transactionType=kind, **_FIRST)
            self.events.append(new)
            return
        related = self.known[about]["transactionId"]
        if is_stage(op):
            self.events.append(await self.acquirer.happens(op, related))
            return
        if what in ("refund", "repeat"):
            self.known[new] = {"transactionId": await self._related(what, related, new, minor)}
            self.events.append(new)
            return
        amount = Money(min(minor, 9_000), "GBP") if what == "release" else None
        instruction = Instruction(kind=what, transaction_id=related, amount=amount)  # type: ignore[arg-type]
        # How much of a hold was released elsewhere nobody tells, so releases are made through our API.
        if what == "release" or self.paths.random() < 0.5:
            await instructions.instruct(await till(self.site), instruction)
        else:
            await (await gateway(self.site)).instruct(instruction)
        self.events.append(about)

    async def _related(self, what: str, related: str, new: str, minor: int) -> str:
        extra: dict[str, object] = {}
        if what == "repeat":
            extra = {
                "credentialType": {"cofUsage": "Subsequent", "initiatedType": "MIT", "mitType": "Unscheduled"}
            }
        request = RelatedRequest(
            kind=what,  # type: ignore[arg-type]
            vendor_tx_code=new,
            related_transaction_id=related,
            amount=Money(minor, "GBP"),
            description="Any",
            extra=extra,
        )
        if what == "refund" and self.paths.random() < 0.5:
            try:
                made = await requests.refund(await till(self.site), request, new)
            except RefundExceedsPayment as error:
                if error.error_code != "refund.charged-back":
                    raise
                # Somebody does it in MyOpayo then, as where we had not heard of the chargeback yet.
                self.refused += 1
            else:
                assert made is not None
                return made.transaction_id
        return (await (await gateway(self.site)).relate(request)).transaction_id

    async def tell(self, code: str) -> None:
        """Send the event of a transaction, or the notice of a chargeback, as it would come now."""
        if code in self.acquirer.notices:
            await self.acquirer.tell(code)
            return
        await self.site.deliver(self.known[code], code, kind="payment.changed")

    async def tidily(self, ops: list[Op]) -> list[bool]:
        """Each operation, its event at once, and everything posted before the next."""
        done = []
        for op in ops:
            before = len(self.events)
            done.append(await self.do(op))
            for code in self.events[before:]:
                await self.tell(code)
            await rest(self.site)
        return done

    async def wildly(self, ops: list[Op]) -> list[bool]:
        """The same, with events late, doubled and out of order, and the lanes worked now and then."""
        done = []
        for op in ops:
            done.append(await self.do(op))
            for code in self.chance.sample(self.events, k=min(len(self.events), self.chance.randrange(3))):
                await self.tell(code)
            if self.chance.random() < 0.3:
                await self.site.walk()
        everything = [*self.events, *self.events]
        self.chance.shuffle(everything)
        for code in everything:
            await self.tell(code)
        await rest(self.site)
        return done


# What screening holds of money that comes in: who pays so often looks odd.
_ODD = "state = 'held' AND kind NOT IN ('refund', 'chargeback')"


async def release_held(site: Site, which: str = "state = 'held'") -> int:
    """A clerk lets held payments go; gives how many."""
    settings, _ = await site.stages.connections(site.pair)
    async with site.engine.begin() as connection:
        found = await connection.exec_driver_sql(f"SELECT payment_id FROM payments WHERE {which}")
        rows = found.all()
        for (payment_id,) in rows:
            now = site.stages.shared.clock()
            desk = Desk(
                connection=connection, pair=settings, library=Library(), now=now, actor="Ann", note="ok"
            )
            await release(desk, payment_id)
    return len(rows)


async def rest(site: Site, rounds: int = 80) -> None:
    """Walk until nothing is under way; what would go back twice stays held."""
    for _ in range(rounds):
        await site.walk()
        await release_held(site, _ODD)
        async with site.engine.connect() as connection:
            rows = await connection.exec_driver_sql(
                "SELECT (SELECT count(*) FROM payments WHERE lane IS NOT NULL)"
                " + (SELECT count(*) FROM inbox WHERE state = 'received')"
                f" + (SELECT count(*) FROM payments WHERE {_ODD})"
            )
            if rows.scalar() == 0:
                return
    raise AssertionError("something is still under way")


async def ends(site: Site) -> dict[str, str]:
    """Where each transaction's payment ended, reversals left out."""
    async with site.engine.connect() as connection:
        rows = await connection.exec_driver_sql(
            "SELECT vendor_tx_code, state FROM payments WHERE vendor_tx_code NOT LIKE 'VOID-%%'"
        )
        found = {str(row["vendor_tx_code"]): str(row["state"]) for row in rows.mappings()}
    assert set(found.values()) <= {*FINAL, "received"}
    return found
