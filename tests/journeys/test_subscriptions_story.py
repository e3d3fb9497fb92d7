"""Subscriptions told end to end: a card is saved, charges are taken when due, and SYSPRO has invoice and payment."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pytest

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
        card = await here.save_card("JOIN-1", CUSTOMER)
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
        assert bases[1:] == [row["transactionId"] for row in repeats[:2]], "each repeats the last that went well"
        invoices, still_open = await of_customer(here)
        assert still_open == 0
        assert [Decimal(row["CurrencyValue"]) for row in invoices] == [Decimal(12)] * 3
        assert {row["Invoice"] for row in invoices} == {f"{subscription.reference}-{number}" for number in (1, 2, 3)}
        assert await payment_states(here.site) == {"confirmed"}
        await sound(here)
