"""A worker frozen at any boundary, whose work another finishes, posts nothing when it wakes up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from service.store.database import sqlalchemy_url
from service.store.vault import new_key
from tests.journeys.crash import work_in_a_child
from tests.journeys.test_kill_at_every_boundary import _prepare, _sell, _states, sandbox
from tests.soak.street import report
from tests.soak.zombie import freeze_at, wake

__all__ = ["sandbox"]
FEWEST = 40


def _freeze(sandbox: dict[str, Any], url: str, boundaries: Iterator[int]) -> int:
    # A successor waits this long for the row locks of a transaction in which its predecessor froze.
    url = (
        sqlalchemy_url(url)
        .set(drivername="postgresql")
        .update_query_dict({"options": "-c idle_in_transaction_session_timeout=200"})
        .render_as_string(hide_password=False)
    )
    keys = [new_key()]
    asyncio.run(_prepare(url, keys, sandbox))
    frozen = 0
    for boundary in boundaries:
        code = f"SO-1-{boundary}"
        asyncio.run(_sell(url, sandbox, code))
        child = freeze_at(url, keys, "north", boundary)
        if not child:
            break
        frozen += 1
        try:
            assert work_in_a_child(url, keys, "north"), "the successor did not come to the end"
        finally:
            wake(child)
        ledger = httpx.get(f"{sandbox['syspro']}/_sandbox/ledger").json()
        paid = [row["minor"] for row in ledger["ar_payments"] if row["CustomerPurchaseOrder"] == code]
        orders = [row for row in ledger["sales_orders"] if row["CustomerPoNumber"] == code]
        assert (paid, len(orders)) == ([1_000], 1), (
            f"frozen at boundary {boundary}: {paid}, {len(orders)} orders"
        )
        assert work_in_a_child(url, keys, "north")
    assert asyncio.run(_states(url)) == ["confirmed"]
    return frozen


@pytest.mark.xdist_group("processes")
def test_a_worker_frozen_at_some_boundaries_posts_nothing_when_it_wakes(
    sandbox: dict[str, Any], database_url: str
) -> None:
    assert _freeze(sandbox, database_url, iter((31, 53, 55))) == 3


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_worker_frozen_at_any_boundary_posts_nothing_when_it_wakes(
    sandbox: dict[str, Any], database_url: str
) -> None:
    frozen = _freeze(sandbox, database_url, iter(range(1, 200)))
    report("frozen at every boundary", boundaries=frozen)
    assert frozen > FEWEST
