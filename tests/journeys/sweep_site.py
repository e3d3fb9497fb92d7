"""A site whose Opayo has a clock to move, and a sweeper that lives by that clock."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import select

from integration.sandbox.faults import FaultMatch, FaultOrder
from integration.sandbox.opayo.config import Quirks
from service.app import connect
from service.flow import sweep_runs
from service.flow.stages import Stages, Surroundings
from service.store import pairs
from service.store.tables import alerts, inbox
from service.store.tables_sweeps import sweep_runs as runs
from service.store.tables_sweeps import swept_rows
from tests.flow.site import Site, site

AUTUMN = datetime(2026, 10, 25, 1, tzinfo=UTC)
SPRING = datetime(2027, 3, 28, 1, tzinfo=UTC)
"""When the clocks of the United Kingdom change."""
PACE = 600


@dataclass
class Swept:
    """A site, and the service's regular work by Opayo's clock."""

    site: Site
    stages: Stages

    @property
    def now(self) -> datetime:
        return self.site.opayo.parts.clock.now()

    def to(self, moment: datetime) -> None:
        """Make it this moment at Opayo and in the sweeper."""
        clock = self.site.opayo.parts.clock
        before = clock.now()
        clock.set(moment)
        if moment < before:
            self.site.opayo.parts.settlement.restart()
        self.site.opayo.parts.tick()

    def quirks(self, **changes: bool) -> None:
        """Let Opayo behave in another of the ways that are not known."""
        parts = self.site.opayo.parts
        config = msgspec.structs.replace(parts.engine.config, quirks=Quirks(**changes))
        parts.engine.config = config

    async def configure(self, **changes: object) -> None:
        """Change the pair's settings of sweeps."""
        async with self.site.engine.begin() as connection:
            settings = await pairs.load(connection, self.site.vault, self.site.pair)
            assert settings is not None
            settings.sweeps = msgspec.structs.replace(settings.sweeps, **changes)
            await pairs.save(connection, self.site.vault, settings)
        for stages in (self.site.stages, self.stages):
            stages.forget(self.site.pair)

    async def sweep(self) -> dict[str, Any]:
        """The regular turn, and whatever else is due."""
        return await sweep_runs.sweep(self.stages, self.site.pair)

    async def work(self) -> dict[str, Any]:
        return await sweep_runs.work(self.stages, self.site.pair)

    async def nightly(self) -> dict[str, Any]:
        return await sweep_runs.nightly(self.stages, self.site.pair)

    async def ask(self, wanted: sweep_runs.Range, kind: Literal["sweep", "backfill"] = "sweep") -> int:
        """What a person asks for; the run's id."""
        settings, _ = await self.stages.connections(self.site.pair)
        begin = sweep_runs.ask if kind == "sweep" else sweep_runs.backfill
        async with self.site.engine.begin() as connection:
            return (await begin(connection, settings, wanted, self.now, "anna")).run_id

    async def backfill(self, start: datetime, end: datetime, **more: Any) -> int:
        return await self.ask(sweep_runs.Range(start=start, end=end, **more), "backfill")

    async def switch(self, run_id: int, to: Literal["paused", "running", "cancelled"]) -> None:
        person = sweep_runs.Person(name="anna", now=self.now)
        async with self.site.engine.begin() as connection:
            await sweep_runs.switch(connection, self.site.pair, run_id, to, person)

    def reporting_fault(self, fault: str, command: str = "", times: int = 1, **parameters: Any) -> None:
        """Order a fault of Reporting, of one command of it or of any."""
        match = FaultMatch(path="access.htm", body=command)
        self.site.opayo.plan.order(FaultOrder(fault, times=times, match=match, parameters=parameters))

    async def orders(self, amounts: dict[str, int]) -> None:
        """Orders in the shop, each of a customer of its own: who pays too often is held by screening."""
        address = {"first_name": "Jane", "last_name": "Smith", "address_1": "1 High Street", "city": "Leeds"}
        address |= {"postcode": "LS1 1AA", "country": "GB"}
        line = {"kind": "stock", "stock_code": "A100", "description": "Widget", "quantity": 1, "tax": "0.00"}
        orders = [
            {
                "payment_reference": code,
                "customer_id": 1,
                "currency": "GBP",
                "placed_at": self.now.isoformat(),
                "billing": {**address, "email": f"{code.lower()}@example.org"},
                "shipping": address,
                "lines": [{**line, "net": f"{minor // 100}.{minor % 100:02d}"}],
            }
            for code, minor in amounts.items()
        ]
        url = f"{self.site.urls['shop']}/_sandbox/orders"
        (await self.site.http.post(url, json={"orders": orders})).raise_for_status()

    async def trade(self, amounts: dict[str, int], times: list[datetime], lost: set[str]) -> None:
        """Payments at these times, of whose messages some are lost; the sweeper has its turn between them."""
        await self.orders(amounts)
        waiting: list[tuple[dict[str, Any], str]] = []
        for number, (code, moment) in enumerate(zip(amounts, times, strict=True)):
            self.to(moment)
            paid = await self.site.pay(code, amounts[code])
            if code not in lost:
                waiting.append((paid, code))
            if number % 50 == 49:
                await self._arrive(waiting)
                await self.sweep()
        await self._arrive(waiting)

    async def _arrive(self, waiting: list[tuple[dict[str, Any], str]]) -> None:
        while waiting:
            await self.site.deliver(*waiting.pop())
        await self.site.walk()

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        async with self.site.engine.connect() as connection:
            found = await connection.execute(select(table).where(table.c.pair == self.site.pair))
            return [dict(row) for row in found.mappings()]

    async def runs(self, *kinds: str) -> list[dict[str, Any]]:
        rows = sorted(await self.rows(runs), key=lambda row: int(row["run_id"]))
        return [row for row in rows if not kinds or row["kind"] in kinds]

    async def messages(self) -> list[dict[str, Any]]:
        """What the sweeper told the inbox."""
        return [row for row in await self.rows(inbox) if row["source"] == "sweep"]

    async def alone(self) -> set[str]:
        """The codes of those that only the sweeper found."""
        return {row["vendor_tx_code"] for row in await self.rows(swept_rows) if row["alone"]}

    async def alerts(self) -> set[str]:
        return {row["code"] for row in await self.rows(alerts)}


@contextlib.asynccontextmanager
async def swept_site(
    database_url: str, at: datetime, *, transport: Literal["harmony", "enet"] = "harmony", shop: bool = False
) -> AsyncIterator[Swept]:
    """A site at a moment; without a shop, so that payments need no orders."""
    async with site(database_url, transport=transport, shop=shop) as north:
        clock = north.opayo.parts.clock
        stages = Stages(
            Surroundings(
                engine=north.engine,
                vault=north.vault,
                connect=connect,
                pace=PACE,
                chance=lambda: 0.5,
                clock=clock.now,
            )
        )
        made = Swept(north, stages)
        made.to(at)
        try:
            yield made
        finally:
            await stages.close()


def hours(number: float) -> timedelta:
    return timedelta(hours=number)
