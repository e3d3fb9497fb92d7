"""A simulated stretch of time of many subscriptions, with faults, declines and kills, held against both ledgers.

The stand-ins run in a process of their own. Each day with something due is worked by a child process, which on some
days is killed at a commit or a call of the seed's choosing; the next child then finds what it left.
"""

from __future__ import annotations

import asyncio
import random
from calendar import monthrange
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from integration.canonical.money import Money
from service.core.subscriptions import Terms
from service.flow.library import install_templates
from service.flow.subscription_desk import begin
from service.store import cards, charges, pairs
from service.store.cards import NewCard
from service.store.database import create_engine
from service.store.inbox import Delivery, store
from service.store.subscriptions import Subscription
from service.store.vault import Vault
from tests.flow.site import pair_settings
from tests.journeys.subscription_books import Books, Kept
from tests.journeys.subscription_worker import PAIR, in_a_child, work

HOUR = 9
BEGIN = date(2027, 1, 1)
DAYS_OF_MONTH = (1, 6, 12, 18, 24, 28, 29, 30, 31)
NEXT = (
    "SELECT least((SELECT min(next_due_at) FROM subscriptions WHERE state = 'active'),"
    " (SELECT min(next_attempt_at) FROM subscription_charges WHERE state IN ('due', 'dunning')))"
)


@dataclass
class Year:
    """The stretch of time.

    Attributes:
        sandbox: what the stand-ins said of themselves.
        rates: of faults at Opayo and SYSPRO, per call.
        kills: how many workers are to be killed.
        declines: the chance that a bank answers `soft`, and `hard`.
    """

    url: str
    keys: list[str]
    sandbox: dict[str, Any]
    seed: int
    subscriptions: int
    months: int
    kills: int
    rates: dict[str, float] = field(default_factory=dict)
    declines: tuple[float, float] = (0.1, 0.01)
    killed: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.http = httpx.Client(timeout=10)
        self.vault = Vault(self.keys)
        self.last = date(BEGIN.year + self.months // 12, self.months % 12 + 1, 1)
        self.kept: list[Subscription] = []

    # --- beginning ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Save a card for each customer and begin their subscriptions."""
        self._clock(datetime(2026, 12, 30, HOUR, tzinfo=UTC))
        asyncio.run(self._sign_up())

    async def _sign_up(self) -> None:
        engine = create_engine(self.url)
        settings = pair_settings(PAIR, self.sandbox["opayo"], self.sandbox["syspro"], None)
        async with engine.begin() as connection:
            await pairs.save(connection, self.vault, settings)
            await install_templates(connection, PAIR)
        known = [each["code"] for each in self.sandbox["customers"] if not each["on_hold"]]
        customers = known[: self.subscriptions]
        tokens = [await self._join(engine, number, code) for number, code in enumerate(customers)]
        await work(engine, self.keys, self._offset)
        for number, token_id in enumerate(tokens):
            start = BEGIN.replace(day=DAYS_OF_MONTH[number % len(DAYS_OF_MONTH)])
            async with engine.begin() as connection:
                terms = Terms(
                    plan="box",
                    amount=Money(1_000 + number, "GBP"),
                    tax_minor=number,
                    description="The box",
                    interval="month",
                    start=start,
                )
                self.kept.append(await begin(connection, settings, token_id, terms))
        await engine.dispose()

    async def _join(self, engine: AsyncEngine, number: int, customer: str) -> int:
        code = f"JOIN-{number}"
        body = {
            "vendorTxCode": code,
            "amount": 1_000,
            "currency": "GBP",
            "card": {"save": True},
            "credentialType": {"cofUsage": "First", "initiatedType": "CIT"},
        }
        paid = self._post("opayo", "pay", body)
        soft, hard = self.declines
        answers = self.chance.choices(
            ["accept", "soft", "hard"], [1 - soft - hard, soft, hard], k=3 * self.months
        )
        self._post("opayo", "bank", {"transactionId": paid["transactionId"], "answers": answers})
        delivery = Delivery(
            pair=PAIR,
            source="webhook",
            event_id=f"evt-{code}",
            kind="payment.authorised",
            transaction_id=paid["transactionId"],
            vendor_tx_code=code,
            body=b"{}",
        )
        async with engine.begin() as connection:
            await store(connection, [delivery])
            new = NewCard(pair=PAIR, vendor_tx_code=code, customer=customer, card_identifier=f"card-{number}")
            return await cards.keep(connection, self.vault, new)

    # --- going on -------------------------------------------------------------------------------

    def live(self) -> None:
        """Go from one day with something due to the next, and kill workers on the way."""
        for system in ("opayo", "syspro"):
            where = f"{self.sandbox[system]}/_sandbox/faults/rates"
            self.http.put(where, json={"rates": self.rates}).raise_for_status()
        moment = asyncio.run(self._next())
        while moment is not None and moment.date() < self.last:
            self.days += 1
            day = max(moment, datetime.now(UTC) + self._offset)
            self._clock(day.replace(hour=HOUR, minute=0, second=0, microsecond=0))
            self._work_a_day()
            moment = asyncio.run(self._next())

    def _work_a_day(self) -> None:
        # Spread over the first half of the time; a worker that lives to the end of its day is none.
        while self.killed < self.kills * min(self.days / (self.months * 4), 1):
            latest = 40 + 12 * (self.subscriptions // len(DAYS_OF_MONTH))
            lived = in_a_child(self.url, self.keys, self._offset, self.chance.randint(1, latest))
            if lived:
                break
            self.killed += 1
        assert in_a_child(self.url, self.keys, self._offset)

    async def _next(self) -> datetime | None:
        engine = create_engine(self.url)
        async with engine.connect() as connection:
            found: datetime | None = await connection.scalar(text(NEXT))
        await engine.dispose()
        return found

    def _clock(self, moment: datetime) -> None:
        self._offset = moment - datetime.now(UTC)
        self._post("opayo", "clock", {"now": moment.isoformat()})

    def _post(self, system: str, control: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(f"{self.sandbox[system]}/_sandbox/{control}", json=body)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}

    # --- the reckoning --------------------------------------------------------------------------

    def reckon(self) -> Counter[str]:
        """Hold every due date against Opayo's and SYSPRO's ledgers, to the penny; how many charges of each state."""
        for system in ("opayo", "syspro"):
            self.http.delete(f"{self.sandbox[system]}/_sandbox/faults").raise_for_status()
        opayo = self.http.get(f"{self.sandbox['opayo']}/_sandbox/ledger").json()
        assert opayo["repeatsAfterHardDecline"] == 0
        syspro = self.http.get(f"{self.sandbox['syspro']}/_sandbox/ledger").json()
        sound = self.http.get(f"{self.sandbox['syspro']}/_sandbox/invariants").json()
        assert sound == {"ok": True, "broken": []}
        assert asyncio.run(self._stranded()) == []
        books = Books(opayo["transactions"], syspro)
        rows = asyncio.run(self._charges())
        states: Counter[str] = Counter()
        for subscription in self.kept:
            states += self._one(subscription, rows[subscription.reference], books)
        taken = sum(row["captured"] for row in books.repeats)
        paid = sum(row["minor"] for row in books.receipts.values())
        assert (paid, books.open_minor) == (taken, 0)
        return states

    def _one(self, subscription: Subscription, kept: Kept, books: Books) -> Counter[str]:
        states: Counter[str] = Counter()
        reference = subscription.reference
        for number, day in enumerate(self._due_days(subscription.terms.start), 1):
            charge = kept.by_day.get(day)
            if charge is None:
                # Dates after the card was given up are not charged: its failed charge says why.
                assert kept.state == "suspended", f"{reference} {day} was never charged"
                assert kept.reason
                continue
            states[str(charge["state"])] += 1
            mine = books.captured(f"S-{reference}-{day:%Y%m%d}-")
            if charge["state"] == "taken":
                assert [row["captured"] for row in mine] == [subscription.terms.amount.minor], (
                    reference,
                    day,
                )
                books.assert_booked(f"{reference}-{number}", mine[0], subscription)
            else:
                assert charge["state"] in ("dunning", "failed"), (reference, day, charge)
                assert charge["reason"]
                assert mine == []
                assert f"{reference}-{number}" not in books.invoices
        return states

    async def _stranded(self) -> list[tuple[object, ...]]:
        """Payments that are not in SYSPRO's ledger as they should be, and why."""
        engine = create_engine(self.url)
        query = (
            "SELECT vendor_tx_code, state, error FROM payments WHERE state <> 'confirmed' AND kind = 'repeat'"
        )
        async with engine.connect() as connection:
            rows = [tuple(row) for row in await connection.execute(text(query))]
        await engine.dispose()
        return rows

    def _due_days(self, start: date) -> list[date]:
        days = []
        for month in range(self.months):
            year, of_year = start.year + month // 12, month % 12 + 1
            days.append(date(year, of_year, min(start.day, monthrange(year, of_year)[1])))
        return days

    async def _charges(self) -> dict[str, Kept]:
        engine = create_engine(self.url)
        found = {}
        async with engine.connect() as connection:
            for subscription in self.kept:
                row = (
                    await connection.execute(
                        text("SELECT state, reason FROM subscriptions WHERE subscription_id = :id"),
                        {"id": subscription.subscription_id},
                    )
                ).one()
                listed = await charges.listed(connection, PAIR, subscription.subscription_id)
                by_day = {date.fromisoformat(str(each["due_on"])): each for each in listed}
                found[subscription.reference] = Kept(row.state, row.reason, by_day)
        await engine.dispose()
        return found
