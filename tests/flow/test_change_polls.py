"""Polls of SYSPRO's changes: whatever the interleaving of polls and changes, each change is told once and in order."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, cast

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from integration.canonical.erp_records import Change, ChangeKind, Page
from integration.ports import ERP
from service.flow import changes
from service.flow.stage import Stage
from service.store import lanes
from tests.flow.site import Site
from tests.journeys.listener import rows

ORDERS = 5
A_PAGE = 2

Step = tuple[Literal["change"], int, str] | tuple[Literal["begin", "finish"], int]
STEPS = st.one_of(
    st.tuples(st.just("change"), st.integers(0, ORDERS - 1), st.sampled_from(["1", "2", "4", "8", "9"])),
    st.tuples(st.sampled_from(["begin", "finish"]), st.integers(0, 1)),
)


@dataclass
class Company:
    """Some orders of SYSPRO, with everything they have been."""

    history: list[list[str]] = field(default_factory=lambda: [["1"] for _ in range(ORDERS)])

    def change(self, order: int, status: str) -> None:
        if self.history[order][-1] != status:
            self.history[order].append(status)

    def page(self, after: str) -> Page[Change]:
        keys = [f"{number:015d}" for number in range(1, ORDERS + 1)]
        left = [key for key in keys if key > after]
        items = [self._row(key) for key in left[:A_PAGE]]
        return Page(items=tuple(items), after=items[-1].key if len(left) > A_PAGE else None)

    def _row(self, key: str) -> Change:
        values = {"SalesOrder": key, "DocumentType": "O", "OrderStatus": self.history[int(key) - 1][-1]}
        return Change(kind="sales_order", key=key, values=values)


@dataclass
class Session:
    """A session that answers at once, or, once it is held, when it is let go: what it read is then old."""

    company: Company
    has_read: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def changes(
        self, kind: ChangeKind, *, after: str = "", limit: int = 200, since: date | None = None
    ) -> Page[Change]:
        page = self.company.page(after) if kind == "sales_order" else Page[Change](items=(), after=None)
        self.has_read.set()
        await self.let_go.wait()
        return page


async def _stage(north: Site, company: Company) -> Stage:
    async with north.engine.begin() as connection:
        [name] = await lanes.names(connection, "posting", north.pair)
        held = await lanes.take(connection, name)
    assert held is not None
    stage = copy.copy(await north.stages.of(held))
    session = Session(company)
    session.let_go.set()
    stage.erp = cast(ERP, session)
    return stage


@dataclass
class Poller:
    """One of two polls that may overlap."""

    stage: Stage
    task: asyncio.Task[Any] | None = None

    async def begin(self) -> None:
        if self.task is None:
            session = Session(cast(Session, self.stage.erp).company)
            self.stage.erp = cast(ERP, session)
            self.task = asyncio.create_task(changes._page(self.stage, "sales_order"))
            await session.has_read.wait()

    async def finish(self) -> None:
        if self.task is not None:
            cast(Session, self.stage.erp).let_go.set()
            await self.task
            self.task = None


async def _fresh(north: Site) -> None:
    async with north.engine.begin() as connection:
        await connection.execute(text("TRUNCATE erp_rows, erp_cursors, events, deliveries"))


async def _told(north: Site, order: int) -> list[dict[str, str]]:
    found = await rows(
        north,
        "SELECT data FROM events WHERE type = 'order.status_changed'"
        f" AND subject = 'order/{order + 1}' ORDER BY event_seq",
    )
    return [each["data"] for each in found]


def _is_within(told: list[str], history: list[str]) -> bool:
    """Whether what was told happened, in this order."""
    left = iter(history)
    return all(any(status == been for been in left) for status in told)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(STEPS, max_size=25))
@example(script=[("begin", 0), ("change", 0, "8"), ("begin", 1), ("finish", 1), ("finish", 0)])
@example(
    script=[("begin", 0), ("finish", 0), ("change", 0, "8"), ("begin", 0), ("change", 0, "1"), ("finish", 0)]
)
async def test_every_interleaving_tells_each_change_once_and_in_order(
    north: Site, script: list[Step]
) -> None:
    await _fresh(north)
    company = Company()
    last = await _stage(north, company)
    await changes.poll(last)
    pollers = [Poller(copy.copy(last)) for _ in range(2)]
    for step in script:
        match step:
            case ("change", order, status):
                company.change(int(order), str(status))
            case ("begin", number):
                await pollers[int(number)].begin()
            case (_, number, *_):
                await pollers[int(number)].finish()
    for poller in pollers:
        await poller.finish()
    for _ in range(2):
        await changes.poll(last)

    for order, history in enumerate(company.history):
        told = await _told(north, order)
        statuses = ["1", *(each["status"] for each in told)]
        assert [each["previous_status"] for each in told] == statuses[:-1]
        assert statuses[-1] == history[-1]
        assert _is_within(statuses, history)


async def test_a_status_that_comes_back_is_told_every_time(north: Site) -> None:
    company = Company()
    stage = await _stage(north, company)
    await changes.poll(stage)
    for status in ("8", "1", "8", "1"):
        company.change(0, status)
        await changes.poll(stage)
        await changes.poll(stage)

    assert [each["status"] for each in await _told(north, 0)] == ["8", "1", "8", "1"]
    dispatched = await rows(north, "SELECT event_id FROM events WHERE type = 'order.dispatched'")
    assert len({each["event_id"] for each in dispatched}) == 2


async def test_what_was_there_before_is_no_news_and_what_comes_later_is(north: Site) -> None:
    company = Company()
    stage = await _stage(north, company)
    await changes.poll(stage)
    assert await rows(north, "SELECT * FROM events") == []
    async with north.engine.begin() as connection:
        await connection.execute(text("DELETE FROM erp_rows WHERE key LIKE '%5'"))
    await changes.poll(stage)
    assert [each["type"] for each in await rows(north, "SELECT type FROM events")] == ["order.created"]
