"""A site whose days go by when a test says so: its own clock and Opayo's move together, SYSPRO keeps its own day."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from integration.canonical.money import Money
from service.app import connect
from service.core.subscriptions import Terms
from service.flow.charging import Round
from service.flow.stages import Stages, Surroundings
from service.flow.subscription_desk import Wish, begin, do
from service.flow.subscriptions import charge_due, round_of
from service.store import cards, charges, pairs, payment_views, subscriptions
from service.store.cards import NewCard, SavedCard
from service.store.subscriptions import Subscription
from tests.flow.site import PACE, Site, site

FIRST = {"cofUsage": "First", "initiatedType": "CIT"}
MONTHLY = 1_200
# Every day of a test begins here, in UTC: after the hour at which charges are taken, summer and winter.
HOUR = 9


class Moved:
    """Real time plus what was moved: whatever waits for seconds still gets them."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """Aware UTC now."""
        return datetime.now(UTC) + self.offset

    def set(self, moment: datetime) -> None:
        """Make a moment now."""
        self.offset = moment - datetime.now(UTC)


async def date_mail(engine: AsyncEngine, now: datetime) -> None:
    """Date what came in by the test's clock: the database's own does not move, and a message would look months old."""
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE inbox SET received_at = :now WHERE state = 'received' AND received_at < :before"),
            {"now": now, "before": now - timedelta(hours=12)},
        )


def terms(start: date, **changes: Any) -> Terms:
    """Terms of twelve pounds a month, two of them tax."""
    made = Terms(
        plan="monthly",
        amount=Money(MONTHLY, "GBP"),
        tax_minor=200,
        description="The monthly box",
        interval="month",
        start=start,
    )
    return msgspec.structs.replace(made, **changes)


@dataclass
class Subscribed:
    """A site with its clock, and what tests do with its subscriptions."""

    site: Site
    clock: Moved

    async def go_to(self, day: date, hour: int = HOUR) -> None:
        """Let it be an hour (UTC) of a day, here and at Opayo."""
        moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
        self.clock.set(moment)
        answer = await self.site.http.post(
            f"{self.site.urls['opayo']}/_sandbox/clock", json={"now": moment.isoformat()}
        )
        answer.raise_for_status()

    async def save_card(self, code: str, customer: str, **changes: Any) -> int:
        """A first payment of ten pounds saves a card; gives the card's id."""
        site = self.site
        async with site.engine.begin() as connection:
            new = NewCard(
                pair=site.pair, vendor_tx_code=code, customer=customer, card_identifier=f"id-{code}"
            )
            token_id = await cards.keep(connection, site.vault, new)
        paid = await site.pay(code, 1_000, card={"save": True}, credentialType=FIRST, **changes)
        card = paid["paymentMethod"]["card"]
        known = SavedCard(
            transaction_id=paid["transactionId"],
            currency="GBP",
            scheme=card["cardType"],
            last_four=card["lastFourDigits"],
            expiry=card["expiryDate"],
        )
        async with site.engine.begin() as connection:
            await cards.saved(connection, site.pair, code, known)
        return token_id

    async def join(self, code: str, customer: str, **changes: Any) -> int:
        """As `save_card`, and all that we hear of is the payment that arrives on the road."""
        site = self.site
        async with site.engine.begin() as connection:
            new = NewCard(
                pair=site.pair, vendor_tx_code=code, customer=customer, card_identifier=f"id-{code}"
            )
            token_id = await cards.keep(connection, site.vault, new)
        paid = await site.pay(code, 1_000, card={"save": True}, credentialType=FIRST, **changes)
        await site.deliver(paid, code)
        await site.walk()
        return token_id

    async def subscribe(self, token_id: int, wanted: Terms) -> Subscription:
        """Begin a subscription."""
        async with self.site.engine.begin() as connection:
            settings = await pairs.load(connection, self.site.vault, self.site.pair)
            assert settings is not None
            return await begin(connection, settings, token_id, wanted)

    async def wish(self, subscription: Subscription, action: Any, **changes: Any) -> Subscription:
        """Do something with a subscription."""
        async with self.site.engine.begin() as connection:
            settings = await pairs.load(connection, self.site.vault, self.site.pair)
            assert settings is not None
            wanted = Wish(action=action, actor="anna", **changes)
            return await do(connection, settings, subscription.subscription_id, wanted, self.clock.now())

    async def turn(self) -> dict[str, object]:
        """One turn of the job."""
        return await charge_due(self.site.stages, self.site.pair)

    async def round(self) -> Round:
        """The surroundings of a turn, for what is called by itself."""
        return await round_of(self.site.stages, self.site.pair)

    async def settle(self, rounds: int = 40) -> None:
        """Turns and walks until no charge of now is open and no payment is on its way."""
        for _ in range(rounds):
            await self.turn()
            await date_mail(self.site.engine, self.clock.now())
            await self.site.walk()
            if not await self.busy():
                return
            await asyncio.sleep(0.1)

    async def busy(self) -> bool:
        """Whether something is left to do now."""
        query = text(
            "SELECT EXISTS (SELECT 1 FROM payments WHERE lane IS NOT NULL)"
            " OR EXISTS (SELECT 1 FROM inbox WHERE state = 'received')"
            " OR EXISTS (SELECT 1 FROM subscription_charges WHERE state IN ('due', 'dunning')"
            "   AND next_attempt_at < :soon)"
            " OR EXISTS (SELECT 1 FROM subscriptions WHERE state = 'active' AND next_due_at <= :now)"
        )
        async with self.site.engine.connect() as connection:
            now = self.clock.now()
            return bool(await connection.scalar(query, {"now": now, "soon": now + timedelta(hours=1)}))

    async def charges(self, subscription: Subscription) -> list[dict[str, Any]]:
        """The charges of a subscription, oldest first."""
        async with self.site.engine.connect() as connection:
            rows = await charges.listed(connection, self.site.pair, subscription.subscription_id)
        return list(reversed(rows))

    async def states(self, subscription: Subscription) -> list[tuple[str, str]]:
        """Due date and state of each charge, oldest first."""
        return [(str(row["due_on"]), str(row["state"])) for row in await self.charges(subscription)]

    async def now(self, subscription: Subscription) -> dict[str, Any]:
        """The subscription as it is now."""
        async with self.site.engine.connect() as connection:
            found = await subscriptions.shown(connection, self.site.pair, subscription.subscription_id)
        assert found is not None
        return found

    async def bank(self, transaction_id: str, *answers: str) -> None:
        """How the card of a transaction answers its next charges."""
        body = {"transactionId": transaction_id, "answers": list(answers)}
        answer = await self.site.http.post(f"{self.site.urls['opayo']}/_sandbox/bank", json=body)
        answer.raise_for_status()

    async def repeats(self) -> list[dict[str, Any]]:
        """The repeats that Opayo has, oldest first."""
        ledger = (await self.site.http.get(f"{self.site.urls['opayo']}/_sandbox/ledger")).json()
        assert ledger["repeatsAfterHardDecline"] == 0
        return [row for row in ledger["transactions"] if row["transactionType"] == "Repeat"]

    async def notices(self) -> list[tuple[str, str]]:
        """Code and notice of each alert, oldest first."""
        async with self.site.engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT code, error ->> 'notice' FROM alerts ORDER BY alert_id")
            )
            return [(str(row[0]), str(row[1])) for row in rows]


@contextlib.asynccontextmanager
async def subscribed(
    database_url: str, transport: Literal["harmony", "enet"] = "harmony"
) -> AsyncIterator[Subscribed]:
    """A site without a shop whose clock the test moves."""
    async with site(database_url, transport=transport, shop=False) as made:
        clock = Moved()
        made.stages = Stages(
            Surroundings(
                engine=made.engine,
                vault=made.vault,
                connect=connect,
                pace=PACE,
                clock=clock.now,
                chance=lambda: 0.5,
            )
        )
        try:
            yield Subscribed(made, clock)
        finally:
            await made.stages.close()


async def payment_states(made: Site) -> set[str]:
    """The states of all payments."""
    async with made.engine.connect() as connection:
        rows = await payment_views.listed(connection, made.pair, {}, before=0, limit=1000)
    return {str(row["state"]) for row in rows}
