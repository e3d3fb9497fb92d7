"""The sweeper finds what nobody told us of, and nothing twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Literal

import pytest

from service.core.sweeping import CHANGED
from service.store.tables import payments
from service.store.tables_sweeps import swept_rows
from service.telemetry import registry
from tests.journeys.refund_site import at_rest, instruct, relate
from tests.journeys.sweep_site import AUTUMN, SPRING, Swept, hours, swept_site

MONDAY = datetime.fromisoformat("2026-11-02T09:00:00+00:00")


@pytest.fixture
async def swept(database_url: str) -> AsyncIterator[Swept]:
    """A site on a Monday in November, without a shop."""
    async with swept_site(database_url, MONDAY) as made:
        yield made


async def lost_messages(made: Swept, change: datetime, count: int, seed: str) -> None:
    """Trade for five days around a change of the clocks with every twentieth message lost; all is found, once."""
    draw = random.Random(seed)
    start = change - hours(60)
    # Half of it in the hours around the change, whose times are written twice or not at all.
    times = sorted(
        [start + hours(120 * draw.random()) for _ in range(count // 2)]
        + [change + hours(4 * draw.random() - 2) for _ in range(count - count // 2)]
    )
    amounts = {f"DST-{number:05d}": 100 + number for number in range(count)}
    lost = set(draw.sample(sorted(amounts), count // 20))
    await made.sweep()
    await made.trade(amounts, times, lost)
    made.to(times[-1] + hours(1))
    for _ in range(2):
        await made.sweep()
        await made.site.walk()
    assert await made.alone() == lost
    assert Counter(row["vendor_tx_code"] for row in await made.messages()) == Counter(lost)
    ledger = await made.site.ledger()
    assert sorted((row["CustomerPurchaseOrder"], row["minor"]) for row in ledger["ar_payments"]) == sorted(
        amounts.items()
    )
    assert Counter(row["CustomerPoNumber"] for row in ledger["sales_orders"]) == Counter(list(amounts))
    invariants = await made.site.http.get(f"{made.site.urls['syspro']}/_sandbox/invariants")
    assert invariants.json()["ok"], invariants.text


@pytest.mark.parametrize(
    ("change", "naive", "transport"),
    [(AUTUMN, True, "harmony"), (SPRING, False, "enet")],
    ids=["autumn", "spring"],
)
async def test_every_lost_message_is_found_over_a_change_of_the_clocks_and_nothing_twice(
    database_url: str, change: datetime, naive: bool, transport: Literal["harmony", "enet"]
) -> None:
    async with swept_site(database_url, change - hours(61), transport=transport, shop=True) as made:
        made.quirks(naive_list_times=naive)
        await lost_messages(made, change, 100, transport)


async def _states(made: Swept) -> dict[str, str]:
    return {row["vendor_tx_code"]: row["state"] for row in await made.rows(payments)}


async def test_a_failure_is_information_and_no_receipt(swept: Swept) -> None:
    await swept.site.pay("OK-1", 1_000)
    await swept.site.pay("NO-1", 1_000, cardNumber="5403814948608092")
    swept.to(MONDAY + hours(1))

    await swept.sweep()
    await swept.site.walk()

    assert await _states(swept) == {"OK-1": "confirmed"}
    rows = {row["vendor_tx_code"]: row for row in await swept.rows(swept_rows)}
    assert (rows["NO-1"]["succeeded"], rows["NO-1"]["alone"], rows["NO-1"]["look_at"]) == (False, False, None)
    (run,) = await swept.runs()
    assert (run["state"], run["counts"]["rows"], run["counts"]["failures"]) == ("done", 2, 1)


async def test_a_row_that_is_seen_at_every_turn_is_one_message(swept: Swept) -> None:
    await swept.site.pay("SO-1", 1_000)
    for number in range(5):
        swept.to(MONDAY + hours(1 + number))
        await swept.sweep()
    await swept.nightly()

    (message,) = await swept.messages()
    assert (message["event_id"].split("/")[1], message["deliveries"]) == ("success", 1)
    assert [run["counts"]["rows"] for run in await swept.runs("sweep")] == [1] * 5


async def test_webhook_and_sweep_at_the_same_time_or_one_after_the_other_post_once(swept: Swept) -> None:
    paid = [(await swept.site.pay(f"SO-{number}", 1_000 + number), f"SO-{number}") for number in range(4)]
    swept.to(MONDAY + hours(1))

    async def webhooks() -> None:
        for each in paid:
            await swept.site.deliver(*each)

    await asyncio.gather(webhooks(), swept.sweep(), swept.work(), swept.site.walk())
    await swept.site.walk()
    await webhooks()  # and once more, after the sweep
    await swept.site.walk()

    ledger = await swept.site.ledger()
    assert sorted(row["minor"] for row in ledger["ar_payments"]) == [1_000, 1_001, 1_002, 1_003]


@pytest.mark.parametrize("related_elements", [True, False])
async def test_a_refund_made_elsewhere_is_linked_to_its_payment_and_posted(
    swept: Swept, related_elements: bool
) -> None:
    swept.quirks(related_elements=related_elements)
    for number in (1, 2, 3):
        await swept.site.deliver(await swept.site.pay(f"SO-{number}", 1_000 * number), f"SO-{number}")
    await swept.site.walk()
    original = await swept.site.payment("SO-2")
    await relate(swept.site, "refund", {"transactionId": original.transaction_id}, "RF-1", 700)
    swept.to(MONDAY + hours(1))

    await swept.sweep()
    await at_rest(swept.site, "RF-1")

    refund = await swept.site.payment("RF-1")
    assert (refund.state, refund.related_transaction_id) == ("confirmed", original.transaction_id)
    assert await swept.alone() == {"RF-1"}


# --- open transactions ----------------------------------------------------------------------------


async def test_a_release_an_abort_and_a_void_made_elsewhere_are_seen_by_a_second_look(swept: Swept) -> None:
    paid = {}
    for code in ("HOLD-1", "HOLD-2", "HOLD-3"):
        paid[code] = await swept.site.pay(code, 5_000, transactionType="Deferred")
    paid["PAID-1"] = await swept.site.pay("PAID-1", 5_000)
    swept.to(MONDAY + hours(1))
    await swept.sweep()
    await swept.site.walk()
    assert await _states(swept) == dict.fromkeys(("HOLD-1", "HOLD-2", "HOLD-3"), "received") | {
        "PAID-1": "confirmed"
    }

    await instruct(swept.site, "release", paid["HOLD-1"], 5_000)
    await instruct(swept.site, "abort", paid["HOLD-2"])
    await instruct(swept.site, "void", paid["PAID-1"])
    swept.to(MONDAY + hours(20))
    await swept.work()
    await swept.site.walk()

    states = await _states(swept)
    assert states["HOLD-1"] == "confirmed"
    assert (states["HOLD-2"], states["HOLD-3"]) == ("ignored", "received")
    assert (await swept.site.payment("PAID-1")).gateway["state"] == "voided"
    changed = [each["event_id"].split("/")[1] for each in await swept.messages() if each["kind"] == CHANGED]
    assert sorted(changed) == ["aborted", "captured", "voided"]


async def test_a_settled_payment_that_the_bank_refuses_later_is_a_critical_alert(swept: Swept) -> None:
    paid = await swept.site.pay("SO-1", 1_000, description="SANDBOX-SETTLEMENT-FAILURE")
    await swept.site.deliver(paid, "SO-1")
    await swept.site.walk()
    swept.to(MONDAY + hours(1))
    await swept.sweep()
    swept.to(MONDAY + hours(18))  # after the batch of the night
    await swept.work()
    (row,) = await swept.rows(swept_rows)
    assert row["settlement_batch"]
    assert row["state"] == "captured"

    swept.to(MONDAY + timedelta(days=3))
    await swept.work()
    await swept.site.walk()

    assert "opayo.money-went-back" in await swept.alerts()
    (row,) = await swept.rows(swept_rows)
    assert (row["state"], row["look_at"]) == ("settlement-failed", None)


async def test_an_open_row_without_an_answer_is_looked_at_again(swept: Swept) -> None:
    paid = await swept.site.pay("HOLD-1", 5_000, transactionType="Deferred")
    swept.to(MONDAY + hours(1))
    await swept.sweep()
    await swept.site.walk()
    await instruct(swept.site, "release", paid, 5_000)
    swept.to(MONDAY + hours(2))
    swept.reporting_fault("5xx", "getTransactionDetail", times=1)
    assert (await swept.work())["unanswered"] == 1
    swept.to(MONDAY + hours(3))
    assert (await swept.work())["changed"] == 1


# --- what only the sweeper found ------------------------------------------------------------------


async def test_too_many_found_by_the_sweep_alone_say_that_a_webhook_is_broken(swept: Swept) -> None:
    await swept.configure(alert_at_least=3)
    for number in range(4):
        await swept.site.pay(f"FIRST-{number}", 1_000)
    swept.to(MONDAY + hours(0.5))
    await swept.sweep()  # what the first turn finds, nobody could have told
    assert await swept.alerts() == set()
    for number in range(4):
        await swept.site.pay(f"SO-{number}", 1_000)
    swept.to(MONDAY + hours(1))
    await swept.sweep()

    assert await swept.alerts() == {"sweep.webhook-broken"}
    text = registry.get_sample_value("opayo_syspro_swept_total", {"pair": "north", "outcome": "alone"})
    assert text
    assert text >= 4
