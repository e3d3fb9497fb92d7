"""Flows are data: whatever lawful graph a pair publishes, the road walks it."""

from __future__ import annotations

import asyncio
from typing import Any

from service.core.flow_law import check
from service.core.flows import FlowDocument
from service.store import alerts, versions
from service.store.versions import Draft
from tests.flow.site import PACE, Site
from tests.flow.test_exactly_once import until_final

RECEIPT = {"documents": ["ar_payment"]}


def flow(*middle: dict[str, Any], start: str = "validate") -> dict[str, Any]:
    """A flow of receipts with some nodes of a test's own between `screen` and `post`."""
    nodes = [
        {"id": "ingest", "step": "ingest", "next": "validate"},
        {"id": "validate", "step": "validate", "next": "map"},
        {"id": "map", "step": "map", "settings": {"mappings": ["ar_payment"]}, "next": "screen"},
        {"id": "screen", "step": "screen", "next": middle[0]["id"]},
        *middle,
        {"id": "post", "step": "post", "settings": RECEIPT, "next": "confirm"},
        {"id": "confirm", "step": "confirm", "next": "end"},
        {"id": "end", "step": "end"},
    ]
    return {"name": "payment", "version": 2, "description": "x", "applies_to": "payment", "nodes": nodes}


async def publish(north: Site, document: dict[str, Any]) -> None:
    assert check(FlowDocument.from_dict(document)) == ()
    async with north.engine.begin() as connection:
        draft = Draft(kind="flow", name="payment", document=document, author="test")
        version = await versions.add(connection, north.pair, draft)
        await versions.publish(connection, "flow", north.pair, "payment", version)
        await connection.exec_driver_sql(
            "UPDATE pairs SET settings = jsonb_set(settings, '{flows}', '{\"payment\": \"payment\"}')"
        )
    north.stages.forget(north.pair)


async def paid(north: Site, code: str, minor: int, **changes: Any) -> None:
    await north.deliver(await north.pay(code, minor, **changes), code)


async def test_payments_of_a_window_go_in_as_one_receipt_of_their_sum(north: Site) -> None:
    gather = {
        "id": "gather",
        "step": "aggregate",
        "settings": {"by": ["currency", "customer"], "operation": "sum", "minutes": PACE // 60 * 3},
        "next": "post",
    }
    await publish(north, flow(gather))
    for number in (1, 2, 3):
        await paid(north, f"PO-{number}", number * 1_000)

    for number in (1, 2, 3):
        assert await until_final(north, f"PO-{number}", rounds=60) == "confirmed"

    rows = (await north.ledger())["ar_payments"]
    assert sum(row["minor"] for row in rows) == 6_000
    leads = {str((await north.payment(f"PO-{number}")).findings["aggregate"]["lead"]) for number in (1, 2, 3)}  # type: ignore[index]
    assert len(rows) == len(leads)  # one receipt per window that the three fell into


async def test_a_group_goes_when_enough_have_come(north: Site) -> None:
    gather = {
        "id": "gather",
        "step": "aggregate",
        "settings": {"by": ["customer"], "operation": "sum", "count": 3},
        "next": "post",
    }
    await publish(north, flow(gather))
    await paid(north, "PO-1", 1_000)
    await paid(north, "PO-2", 2_000)
    await north.walk()
    assert (await north.payment("PO-1")).state == "cleared"
    assert (await north.ledger())["ar_payments"] == []

    await paid(north, "PO-3", 3_000)
    for number in (1, 2, 3):
        assert await until_final(north, f"PO-{number}", rounds=40) == "confirmed"

    [row] = (await north.ledger())["ar_payments"]
    assert row["minor"] == 6_000
    assert (await north.payment("PO-2")).postings == []


async def test_payments_that_wait_for_a_group_and_go_by_themselves_keep_their_own_receipts(
    north: Site,
) -> None:
    gather = {
        "id": "gather",
        "step": "aggregate",
        "settings": {"by": ["customer"], "operation": "group", "count": 2},
        "next": "post",
    }
    await publish(north, flow(gather))
    await paid(north, "PO-1", 1_000)
    await paid(north, "PO-2", 2_000)

    for number in (1, 2):
        assert await until_final(north, f"PO-{number}", rounds=40) == "confirmed"

    assert sorted(row["minor"] for row in (await north.ledger())["ar_payments"]) == [1_000, 2_000]


async def test_a_branch_sends_large_payments_past_a_person(north: Site) -> None:
    which = {
        "id": "which",
        "step": "branch",
        "branches": [{"when": "amount_minor >= 50000 && currency == 'GBP'", "next": "say"}],
        "otherwise": "post",
    }
    say = {
        "id": "say",
        "step": "tell",
        "settings": {"whom": "person", "note": "A large one."},
        "next": "post",
    }
    await publish(north, flow(which, say))
    await paid(north, "PO-SMALL", 49_999)
    await paid(north, "PO-LARGE", 50_000)

    for code in ("PO-SMALL", "PO-LARGE"):
        assert await until_final(north, code) == "confirmed"

    async with north.engine.connect() as connection:
        told = [str(row["title"]) for row in await alerts.listed(connection, north.pair)]
    assert told == ["Payment PO-LARGE: A large one."]


async def test_a_payment_rests_where_the_flow_says_wait(north: Site) -> None:
    rest = {"id": "rest", "step": "wait", "settings": {"minutes": PACE // 60 * 2}, "next": "post"}
    await publish(north, flow(rest))
    await paid(north, "PO-1", 1_000)
    await asyncio.wait_for(north.walk(), 30)

    assert await until_final(north, "PO-1", rounds=40) == "confirmed"
    assert "payment.waiting" in await north.actions("PO-1")


async def test_a_payment_ends_on_the_version_it_began_with(north: Site) -> None:
    rest = {"id": "rest", "step": "wait", "settings": {"minutes": PACE // 60 * 2}, "next": "post"}
    await publish(north, flow(rest))
    await paid(north, "PO-1", 1_000)
    from service.flow import ingest

    async with north.engine.begin() as connection:
        from service.store import lanes

        held = await lanes.take(connection, "north/screening")
    assert held is not None
    await ingest.ingest(await north.stages.of(held), 10)
    say = {"id": "say", "step": "tell", "settings": {"whom": "person"}, "next": "post"}
    await publish(north, flow(say))

    assert await until_final(north, "PO-1", rounds=40) == "confirmed"
    payment = await north.payment("PO-1")
    assert payment.flow_version == 2
    assert "payment.waiting" in await north.actions("PO-1")
