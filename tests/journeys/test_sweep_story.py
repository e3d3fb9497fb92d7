"""The sweeper finds what nobody told us of, and nothing twice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal

import pytest

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
