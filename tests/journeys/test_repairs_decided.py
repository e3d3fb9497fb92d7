"""What people decide of repairs: refused, taken back while that is possible, and never made on other values."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from integration.errors import Rejected
from service.flow import repair_desk, replay
from service.flow.correct import Correction, correct
from service.flow.replay import Way
from service.jobs.lane import Pace, advance_lane
from service.store import lanes
from tests.flow.site import Site, site
from tests.journeys.repair_site import allow, desk, lawful, open_letters, rows, stock_line


@pytest.fixture
async def north(database_url: str) -> AsyncIterator[Site]:
    """A site, for what SYSPRO has no part in."""
    async with site(database_url) as made:
        yield made


async def test_a_refused_proposal_leaves_the_dead_letter_and_is_not_made_again(north: Site) -> None:
    await north.sale("SO-1", 1_000, lines=[stock_line("a-100", "10.00")])
    await north.walk()
    (proposal,) = await rows(north, "SO-1")

    async with desk(north) as at_desk:
        await repair_desk.refuse(at_desk, int(str(proposal["repair_id"])))

    assert await open_letters(north) == 1
    with pytest.raises(Rejected, match="refused"):
        async with desk(north) as at_desk:
            await repair_desk.accept(at_desk, int(str(proposal["repair_id"])))
    assert [row["state"] for row in await rows(north, "SO-1")] == ["refused"]


async def test_an_undone_repair_leaves_the_payment_as_it_was_and_is_not_made_again(north: Site) -> None:
    await allow(north, {"stock-code": "apply"})
    await north.sale("SO-1", 1_000, lines=[stock_line("a-100", "10.00")])
    await hold_the_payment_after_its_repair(north)
    (repair,) = await rows(north, "SO-1")

    async with desk(north) as at_desk:
        await repair_desk.undo(at_desk, int(str(repair["repair_id"])))

    payment = await north.payment("SO-1")
    assert payment.order is not None
    assert payment.state == "dead_letter"
    assert payment.error is not None
    assert payment.error["code"] == "syspro.unknown-stock-code"
    assert payment.order["lines"][0]["stock_code"] == "a-100"  # type: ignore[index]
    assert await open_letters(north) == 1
    await lawful(north, "SO-1")

    async with desk(north) as at_desk:
        await replay.replay(at_desk, payment.payment_id, Way(from_step="validate"))
    await north.walk()

    assert (await north.payment("SO-1")).state == "dead_letter"
    assert [row["state"] for row in await rows(north, "SO-1")] == ["undone"]
    assert await north.ar_payments("SO-1") == []


async def hold_the_payment_after_its_repair(at: Site) -> None:
    """Work the lanes until the payment was repaired, and no further."""
    async with at.engine.connect() as connection:
        names = sorted(await lanes.names(connection, pair=at.pair), reverse=True)
    for lane in names:
        await advance_lane(at.stages, lane, Pace(batch=50, linger_seconds=0))


async def test_a_repair_whose_document_is_in_the_ledger_cannot_be_taken_back(north: Site) -> None:
    await allow(north, {"stock-code": "apply"})
    await north.sale("SO-1", 1_000, lines=[stock_line("a-100", "10.00")])
    await north.walk()
    (repair,) = await rows(north, "SO-1")

    with pytest.raises(Rejected, match="ledger"):
        async with desk(north) as at_desk:
            await repair_desk.undo(at_desk, int(str(repair["repair_id"])))

    assert [row["state"] for row in await rows(north, "SO-1")] == ["applied"]
    assert (await north.payment("SO-1")).state == "confirmed"


async def test_a_class_that_is_off_proposes_nothing(north: Site) -> None:
    await allow(north, {"stock-code": "off"})
    await north.sale("SO-1", 1_000, lines=[stock_line("a-100", "10.00")])

    await north.walk()

    assert (await north.payment("SO-1")).state == "dead_letter"
    assert await rows(north, "SO-1") == []


async def test_a_proposal_that_no_longer_fits_the_payment_is_not_made(north: Site) -> None:
    await north.sale("SO-1", 1_000, lines=[stock_line("a-100", "10.00")])
    await north.walk()
    (proposal,) = await rows(north, "SO-1")
    payment_id = (await north.payment("SO-1")).payment_id
    async with desk(north) as at_desk:
        await correct(at_desk, payment_id, [Correction(path="order.lines[0].stock_code", value="NOSUCH")])

    with pytest.raises(Rejected, match="no longer"):
        async with desk(north) as at_desk:
            await repair_desk.accept(at_desk, int(str(proposal["repair_id"])))
