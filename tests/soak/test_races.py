"""Eight processes race for one event, and a worker that slept wakes up: one posting, every time."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import httpx
import pytest

from service.cli.demo_service import PAIR
from tests.soak.evidence import assert_kept
from tests.soak.load import merchant, rough_trade, signed
from tests.soak.street import Plan, Street, report, street

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "50"))
PAUSES = int(os.environ.get("SOAK_PAUSES", "6"))
PAUSE_SECONDS = float(os.environ.get("SOAK_PAUSE_SECONDS", "25"))


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_one_event_at_eight_doors_at_once_is_one_posting(tmp_path: Path) -> None:
    with street(tmp_path, Plan(workers=0, doors=8)) as site:
        site.subscribe("")
        sales = [sale for sale in merchant(site, 11).sales(ROUNDS + 20) if not sale.mistake][:ROUNDS]
        asyncio.run(_race(site, sales))
        rested = site.until_rest()
        books, figures = assert_kept(site)
        deliveries = site.rows("SELECT count(*), sum(deliveries) FROM inbox")[0]
        report("eight processes on one event", rounds=ROUNDS, messages=deliveries, rest_s=rested, **figures)
    assert deliveries == (ROUNDS, 8 * ROUNDS)
    assert len(books.receipts) == len({each.reference for each in books.receipts}) == ROUNDS


async def _race(site: Street, sales: list) -> None:  # type: ignore[type-arg]
    async with httpx.AsyncClient(timeout=30) as client:
        for sale in sales:
            await merchant(site, 11).play([sale])
            rows = site.ledger("opayo")["transactions"]
            paid = next(row["transactionId"] for row in rows if row["vendorTxCode"] == sale.code)
            body, headers = signed(site, paid, sale.code)
            answers = await asyncio.gather(
                *(
                    client.post(
                        f"http://127.0.0.1:{port}/webhooks/opayo/{PAIR}", content=body, headers=headers
                    )
                    for port in site.ports.values()
                )
            )
            assert [answer.status_code for answer in answers] == [200] * len(site.ports)
            assert sum(answer.json()["new"] for answer in answers) == 1


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_workers_that_are_stopped_and_woken_again_do_not_post_twice(tmp_path: Path) -> None:
    """Waits are divided by 3: at more, a document may be sent for longer than a successor looks for it."""
    chance = random.Random(5)
    plan = Plan(
        workers=2, pace=3, variables={"OPAYO_SYSPRO_WORKER": "false", "OPAYO_SYSPRO_STALLED_SECONDS": "2"}
    )
    with street(tmp_path, plan) as site:
        with rough_trade(site, 4000, 8, 5) as trade:
            for number in range(PAUSES):
                time.sleep(chance.uniform(1, 4))
                asleep = site.processes[site.workers[number % 2]]
                asleep.send_signal(signal.SIGSTOP)
                time.sleep(PAUSE_SECONDS)
                asleep.send_signal(signal.SIGCONT)
        rested = site.until_rest(patience=600)
        _, figures = assert_kept(site)
        freed = (site.folder / "worker-1.err.log").read_text().count("lane.freed")
        lost = sum((site.folder / f"{name}.err.log").read_text().count("lane.lost") for name in site.workers)
        report(
            "zombies", pauses=PAUSES, seconds=PAUSE_SECONDS, sold=trade.sold, freed=freed, fenced=lost,
            rest_s=round(rested, 1), **figures,
        )  # fmt: skip
    assert lost >= PAUSES
