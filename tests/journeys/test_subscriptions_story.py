"""Subscriptions told end to end: a card is saved, charges are taken when due, and SYSPRO has invoice and payment."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

import pytest

from integration.errors import Rejected
from service.store import pairs
from tests.journeys.subscription_site import MONTHLY, Subscribed, payment_states, subscribed, terms

CUSTOMER = "0000002"


async def of_customer(here: Subscribed, customer: str = CUSTOMER) -> tuple[list[dict[str, Any]], int]:
    """The invoices of a customer that are no unapplied cash, and what is open on them in pence."""
    rows = [
        row
        for row in (await here.site.ledger())["invoices"]
        if row["Customer"].lstrip("0") == customer.lstrip("0") and not row["Invoice"].startswith("_CRD")
    ]
    return rows, sum(int(Decimal(row["InvoiceBal1"]) * 100) for row in rows)


async def sound(here: Subscribed) -> None:
    answer = await here.site.http.get(f"{here.site.urls['syspro']}/_sandbox/invariants")
    assert answer.json() == {"ok": True, "broken": []}


@pytest.mark.parametrize("transport", ["harmony", "enet"])
async def test_a_subscription_is_charged_invoiced_and_paid_month_by_month(
    database_url: str, transport: Literal["harmony", "enet"]
) -> None:
    async with subscribed(database_url, transport) as here:
        await here.go_to(date(2027, 1, 20))
        card = await here.join("JOIN-1", CUSTOMER)
        subscription = await here.subscribe(card, terms(date(2027, 1, 31), charges=3))
        await here.settle()
        assert await here.charges(subscription) == []

        for day in (date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)):
            await here.site.fault("opayo", "commit-then-drop")
            await here.site.fault("syspro", "commit-then-drop")
            await here.go_to(day)
            await here.settle()
        await here.go_to(date(2027, 5, 1))
        await here.settle()

        assert await here.states(subscription) == [
            ("2027-01-31", "taken"),
            ("2027-02-28", "taken"),
            ("2027-03-31", "taken"),
        ]
        assert (await here.now(subscription))["state"] == "ended"
        repeats = await here.repeats()
        assert [(row["captured"], row["state"]) for row in repeats] == [(MONTHLY, 16)] * 3
        bases = [row["referenceTransactionId"] for row in repeats]
        assert bases[1:] == [row["transactionId"] for row in repeats[:2]], (
            "each repeats the last that went well"
        )
        invoices, still_open = await of_customer(here)
        assert still_open == 0
        assert [Decimal(row["CurrencyValue"]) for row in invoices] == [Decimal(12)] * 3
        assert {row["Invoice"] for row in invoices} == {
            f"{subscription.reference}-{number}" for number in (1, 2, 3)
        }
        assert await payment_states(here.site) == {"confirmed"}
        await sound(here)


async def test_a_soft_decline_is_tried_again_as_scheduled_and_the_customer_is_told(database_url: str) -> None:
    async with subscribed(database_url) as here:
        await here.go_to(date(2027, 1, 20))
        card = await here.save_card("JOIN-1", CUSTOMER)
        subscription = await here.subscribe(card, terms(date(2027, 2, 1)))
        await here.bank(subscription.base_transaction_id, "soft", "soft", "accept")
        await here.go_to(date(2027, 2, 1))
        await here.settle()
        [charge] = await here.charges(subscription)
        assert (charge["state"], charge["reason"]) == (
            "dunning",
            "There was not enough money on the account.",
        )

        for day in (2, 3, 4, 5):  # after a day, and then after three more
            await here.go_to(date(2027, 2, day))
            await here.settle()

        [charge] = await here.charges(subscription)
        assert (charge["state"], charge["attempt"], charge["declines"]) == ("taken", 3, 2)
        assert [(row["captured"], row["vendorTxCode"][-10:]) for row in await here.repeats()] == [
            (0, "20270201-1"),
            (0, "20270201-2"),
            (MONTHLY, "20270201-3"),
        ]
        told = await here.notices()
        assert [code for code, _ in told] == ["subscription.declined"] * 2
        assert "We will try again on 2027-02-02." in told[0][1]
        assert "We will try again on 2027-02-05." in told[1][1]
        _, still_open = await of_customer(here)
        assert still_open == 0


async def test_a_hard_decline_is_never_tried_again_with_that_card_by_anything(database_url: str) -> None:
    async with subscribed(database_url) as here:
        await here.go_to(date(2027, 1, 20))
        card = await here.save_card("JOIN-1", CUSTOMER)
        one, other = [await here.subscribe(card, terms(date(2027, 2, day))) for day in (1, 2)]
        await here.bank(one.base_transaction_id, "hard")
        for day in (date(2027, 2, 1), date(2027, 2, 2), date(2027, 3, 5)):
            await here.go_to(day)
            await here.settle()

        assert await here.states(one) == [("2027-02-01", "failed")]
        assert await here.states(other) == [("2027-02-02", "failed")]
        assert {(await here.now(each))["state"] for each in (one, other)} == {"suspended"}
        assert [row["captured"] for row in await here.repeats()] == [0], "one attempt, and none after it"
        with pytest.raises(Rejected, match="must not be tried again"):
            await here.wish(one, "retry")

        # Another card: what failed is charged to it, and of the dates since then the latest, once.
        fresh = await here.save_card("JOIN-2", CUSTOMER)
        await here.wish(one, "card", token_id=fresh)
        await here.settle()
        assert await here.states(one) == [("2027-02-01", "taken"), ("2027-03-01", "taken")]
        assert (await here.now(one))["state"] == "active"
        await sound(here)


async def test_when_the_schedule_is_used_up_the_subscription_stops_as_the_pair_says(
    database_url: str,
) -> None:
    async with subscribed(database_url) as here:
        async with here.site.engine.begin() as connection:
            settings = await pairs.load(connection, here.site.vault, here.site.pair)
            assert settings is not None
            settings.subscriptions.retry_days = [2]
            settings.subscriptions.after_last = "cancel"
            await pairs.save(connection, here.site.vault, settings)
        here.site.stages.forget(here.site.pair)
        await here.go_to(date(2027, 1, 20))
        card = await here.save_card("JOIN-1", CUSTOMER)
        subscription = await here.subscribe(card, terms(date(2027, 2, 1)))
        await here.bank(subscription.base_transaction_id, "soft", "soft")
        for day in (date(2027, 2, 1), date(2027, 2, 3), date(2027, 3, 1)):
            await here.go_to(day)
            await here.settle()

        assert await here.states(subscription) == [("2027-02-01", "failed")]
        now = await here.now(subscription)
        assert (now["state"], now["reason"]) == (
            "cancelled",
            "There was not enough money on the account. It was tried 2 times.",
        )
        assert [code for code, _ in await here.notices()] == [
            "subscription.declined",
            "subscription.cancelled",
        ]


async def test_people_pause_resume_skip_and_cancel(database_url: str) -> None:
    async with subscribed(database_url) as here:
        await here.go_to(date(2027, 1, 20))
        card = await here.save_card("JOIN-1", CUSTOMER)
        weekly = terms(date(2027, 2, 1), interval="week")
        subscription = await here.subscribe(card, weekly)
        await here.wish(subscription, "skip", reason="on holiday")
        for day, action in ((8, "pause"), (15, ""), (23, "resume"), (24, ""), (28, ""), (29, "cancel")):
            await here.go_to(date(2027, 2, 1) + timedelta(days=day - 1))
            await here.settle()
            if action:
                await here.wish(subscription, action)
        await here.settle()
        await here.go_to(date(2027, 4, 1))
        await here.settle()

        charges = await here.charges(subscription)
        assert [(str(row["due_on"]), row["state"], row["reason"]) for row in charges] == [
            ("2027-02-01", "passed", "on holiday"),
            ("2027-02-08", "taken", ""),
            ("2027-02-15", "passed", "The subscription was paused."),
            ("2027-02-22", "passed", "The subscription was paused."),
            ("2027-03-01", "taken", ""),
        ]
        assert len(await here.repeats()) == 2
        with pytest.raises(Rejected, match="cancelled cannot resume"):
            await here.wish(subscription, "resume")


async def test_a_charge_in_dunning_goes_by_when_its_subscription_is_cancelled(database_url: str) -> None:
    async with subscribed(database_url) as here:
        await here.go_to(date(2027, 1, 20))
        card = await here.save_card("JOIN-1", CUSTOMER)
        subscription = await here.subscribe(card, terms(date(2027, 2, 1)))
        await here.bank(subscription.base_transaction_id, "soft")
        await here.go_to(date(2027, 2, 1))
        await here.settle()
        await here.wish(subscription, "pause")
        await here.go_to(date(2027, 2, 3))
        await here.settle()
        assert await here.states(subscription) == [("2027-02-01", "dunning")]
        await here.wish(subscription, "cancel")
        await here.settle()
        assert await here.states(subscription) == [("2027-02-01", "passed")]
        assert len(await here.repeats()) == 1


@pytest.mark.parametrize("catch_up", ["once", "each"])
async def test_after_a_standstill_what_is_due_is_charged_once_unless_the_plan_says_each(
    database_url: str, catch_up: str
) -> None:
    async with subscribed(database_url) as here:
        await here.go_to(date(2027, 1, 20))
        card = await here.save_card("JOIN-1", CUSTOMER)
        subscription = await here.subscribe(card, terms(date(2027, 2, 1), catch_up=catch_up))
        await here.go_to(date(2027, 4, 2))  # the service stood still for ten weeks
        await here.settle()

        states = [state for _, state in await here.states(subscription)]
        assert states == (["passed", "passed", "taken"] if catch_up == "once" else ["taken"] * 3)
        assert len(await here.repeats()) == states.count("taken")


async def test_a_card_that_expires_is_told_once_before_and_declined_after(database_url: str) -> None:
    async with subscribed(database_url) as here:
        await here.go_to(date(2027, 1, 20))
        card = await here.save_card("JOIN-1", CUSTOMER, expiryDate="0327")
        subscription = await here.subscribe(card, terms(date(2027, 2, 1)))
        for day in (
            date(2027, 2, 1),
            date(2027, 2, 28),
            date(2027, 3, 2),
            date(2027, 3, 20),
            date(2027, 4, 1),
        ):
            await here.go_to(day)
            await here.settle()
            told = [code for code, _ in await here.notices()]
            assert told.count("subscription.card-expires") == (day >= date(2027, 3, 1))

        assert [state for _, state in await here.states(subscription)] == ["taken", "taken", "failed"]
        assert "expires at the end of 03/2027" in dict(await here.notices())["subscription.card-expires"]
        reason = (await here.now(subscription))["reason"]
        assert reason == "The card's data are wrong or out of date: they must be corrected first."
