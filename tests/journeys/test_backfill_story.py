"""History is read at a measured pace, can be stopped and resumed, and is not posted again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from integration.errors import NotFound, Rejected
from service.store.tables import dead_letters, payments
from service.store.tables_sweeps import swept_rows
from tests.journeys.refund_site import at_rest, instruct, relate
from tests.journeys.sweep_site import Swept, hours, swept_site

MONDAY = datetime.fromisoformat("2026-11-02T09:00:00+00:00")
MONTHS = MONDAY - timedelta(days=70)


@pytest.fixture
async def swept(database_url: str) -> AsyncIterator[Swept]:
    """A site with seventy days of history that nobody told us of, on a Monday in November."""
    async with swept_site(database_url, MONTHS) as made:
        for number in range(4):
            made.to(MONTHS + timedelta(days=15 * number))
            await made.site.pay(f"OLD-{number}", 1_000 + number)
        made.to(MONDAY)
        yield made


async def _states(made: Swept) -> dict[str, str]:
    return {row["vendor_tx_code"]: row["state"] for row in await made.rows(payments)}


async def test_history_is_counted_without_a_trace_then_recorded_and_never_posted(swept: Swept) -> None:
    await swept.backfill(MONTHS, MONDAY, dry_run=True)
    await swept.work()
    (dry,) = await swept.runs()
    assert (dry["state"], dry["counts"]["new"], dry["counts"]["alone"]) == ("done", 4, 4)
    assert await swept.messages() == []
    assert await swept.rows(swept_rows) == []

    run_id = await swept.backfill(MONTHS, MONDAY)
    await swept.work()
    await swept.site.walk()

    assert await _states(swept) == {f"OLD-{number}": "ignored" for number in range(4)}
    assert (await swept.site.ledger())["ar_payments"] == []
    payment = await swept.site.payment("OLD-2")
    assert payment.amount_minor == 1_002
    recorded = payment.findings["arrived"]
    assert isinstance(recorded, dict)
    assert "not posted" in recorded["recorded"]["reason"]
    _, run = await swept.runs()
    assert (run["run_id"], run["state"], run["mode"]) == (run_id, "done", "record")
    assert (run["counts"]["new"], run["counts"]["windows"]) == (4, len(run["windows"]))
    assert await swept.alone() == set()


async def test_history_is_posted_where_the_pair_wants_it(swept: Swept) -> None:
    await swept.backfill(MONTHS, MONDAY, mode="post")
    await swept.work()
    await swept.site.walk()
    for _ in range(2):  # read again, it is nothing new
        await swept.backfill(MONTHS, MONDAY, mode="post")
        await swept.work()
        await swept.site.walk()

    ledger = await swept.site.ledger()
    assert sorted(row["minor"] for row in ledger["ar_payments"]) == [1_000, 1_001, 1_002, 1_003]
    assert [run["counts"]["new"] for run in await swept.runs()] == [4, 0, 0]


async def test_what_is_from_before_go_live_is_recorded_by_sweep_and_backfill_alike(swept: Swept) -> None:
    await swept.configure(go_live=MONDAY + hours(0.5))
    await swept.site.pay("JUST-BEFORE", 500)
    swept.to(MONDAY + hours(1))
    await swept.site.pay("AFTER", 600)
    swept.to(MONDAY + hours(2))
    await swept.sweep()
    await swept.backfill(MONTHS, swept.now, mode="post")
    await swept.work()
    await swept.site.walk()

    states = await _states(swept)
    assert states.pop("AFTER") == "confirmed"
    assert set(states.values()) == {"ignored"}
    assert await swept.site.ar_payments("AFTER") == [600]
    assert await swept.alone() == {"AFTER"}


async def test_a_hold_of_before_go_live_posts_when_it_is_taken_after(swept: Swept) -> None:
    paid = await swept.site.pay("HOLD-1", 5_000, transactionType="Deferred")
    await swept.configure(go_live=MONDAY + hours(0.5))
    swept.to(MONDAY + hours(1))
    await swept.sweep()
    await swept.site.walk()
    await instruct(swept.site, "release", paid, 5_000)
    swept.to(MONDAY + hours(3))
    await swept.work()
    await swept.site.walk()

    assert await swept.site.ar_payments("HOLD-1") == [5_000]


async def test_a_void_of_recorded_history_reverses_nothing_and_tells_a_person(swept: Swept) -> None:
    paid = await swept.site.pay("TODAY", 5_000)
    swept.to(MONDAY + hours(1))
    await swept.backfill(MONDAY - hours(1), MONDAY + hours(1))
    await swept.work()
    await swept.site.walk()
    await instruct(swept.site, "void", paid)
    swept.to(MONDAY + hours(20))
    await swept.work()
    await swept.site.walk()

    assert (await swept.site.ledger())["ar_payments"] == []
    assert await _states(swept) == {"TODAY": "ignored"}
    assert "opayo.money-went-back" in await swept.alerts()


async def test_a_refund_of_recorded_history_waits_for_a_person_like_one_of_a_payment_nobody_knows(
    swept: Swept,
) -> None:
    await swept.backfill(MONTHS, MONDAY)
    await swept.work()
    await swept.site.walk()
    old = await swept.site.payment("OLD-3")
    await relate(swept.site, "refund", {"transactionId": old.transaction_id}, "RF-1", 400)
    swept.to(MONDAY + hours(1))
    await swept.sweep()
    await at_rest(swept.site, "RF-1")

    refund = await swept.site.payment("RF-1")
    assert refund.related_transaction_id == old.transaction_id
    assert refund.state in ("dead_letter", "held", "exception", "confirmed")
    assert all(letter["code"] != "refund.payment-not-posted" for letter in await swept.rows(dead_letters))


async def test_a_backfill_stops_where_it_is_and_goes_on_there(swept: Swept) -> None:
    run_id = await swept.backfill(MONTHS, MONDAY)
    swept.reporting_fault("5xx", "getTransactionList")
    await swept.work()
    await swept.switch(run_id, "paused")
    swept.to(MONDAY + hours(1))
    await swept.work()
    assert (await swept.runs())[0]["counts"]["pages"] == 0

    await swept.switch(run_id, "running")
    await swept.work()
    (run,) = await swept.runs()
    assert (run["state"], run["counts"]["new"]) == ("done", 4)
    with pytest.raises(Rejected, match="is done and cannot become cancelled"):
        await swept.switch(run_id, "cancelled")
    with pytest.raises(NotFound):
        await swept.switch(run_id + 1, "paused")

    other = await swept.backfill(MONTHS, MONDAY)
    await swept.switch(other, "cancelled")
    await swept.work()
    assert [(run["state"], run["counts"]["pages"]) for run in await swept.runs()][1:] == [("cancelled", 0)]


async def test_a_range_without_time_that_opayo_can_list_is_refused(swept: Swept) -> None:
    soon = MONDAY + hours(1)
    for start, end in ((MONDAY, MONTHS), (soon, soon + hours(1)), (MONDAY, MONDAY)):
        with pytest.raises(Rejected, match="no time in it"):
            await swept.backfill(start, end)
