"""A ward for `doctor`: the office's pair with whatever a test breaks, looked at over either transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import structs

from integration.sandbox.faults import FaultMatch, FaultOrder
from integration.sandbox.opayo import OpayoSandbox, OpayoSandboxConfig
from integration.sandbox.syspro import SysproSandbox
from service.app import connect
from service.cli.lights.board import Light
from service.cli.lights.examination import Practice, examine
from service.settings import Settings
from service.store import pairs
from service.store.pairs import PairSettings
from service.store.vault import Vault
from tests.api.office import Office
from tests.flow.site import PACE

PATHS = {"harmony": "/api/harmony/2.0", "enet": "/SYSPROWCFService/Rest"}


@dataclass
class Ward:
    """North's settings on their way to the doctor; a fault changes them, or the stand-ins."""

    desk: Office
    settings: PairSettings
    public_url: str = "https://pay.example"
    vault: Vault | None = None
    log_on: bool = True
    alerts: list[str] = field(default_factory=list)

    @property
    def syspro(self) -> SysproSandbox:
        """The company."""
        return self.desk.site.syspro

    def change(self, part: str, **members: Any) -> None:
        """Change members of a part of the pair's settings (`syspro`, `opayo`, `shop`)."""
        changed = structs.replace(getattr(self.settings, part), **members)
        self.settings = structs.replace(self.settings, **{part: changed})

    def default(self, **members: str) -> None:
        """Change the pair's defaults."""
        self.settings = structs.replace(self.settings, defaults={**self.settings.defaults, **members})

    def order(
        self, system: str, fault: str, times: int = 1000, path: str = "", **parameters: str | int
    ) -> None:
        """Order a fault of a stand-in."""
        plan = getattr(self.desk.site, system).plan
        plan.order(FaultOrder(fault, times, FaultMatch(path=path), dict(parameters)))

    def opayo(self, **members: Any) -> None:
        """Put another Opayo in the place of the first."""
        sandbox = OpayoSandbox(OpayoSandboxConfig(pace=PACE, **members))
        self.desk.switches["opayo"].app = sandbox.app

    def elsewhere(self, host: str, port: int | None = None) -> str:
        """SYSPRO's address with another host, or port."""
        base = self.settings.syspro.base_url.removeprefix("http://")
        where, _, path = base.partition("/")
        return f"http://{host}:{port or where.partition(':')[2]}/{path}"

    @asynccontextmanager
    async def saved(self) -> AsyncIterator[None]:
        """The settings are north's for the time of a `with` block."""
        site = self.desk.site
        async with site.engine.begin() as connection:
            before = await pairs.load(connection, site.vault, "north")
            await pairs.save(connection, site.vault, self.settings)
        assert before is not None
        try:
            yield
        finally:
            async with site.engine.begin() as connection:
                await pairs.save(connection, site.vault, before)

    async def lights(self) -> dict[str, Light]:
        """What the doctor sees, by the lights' names."""
        site = self.desk.site
        practice = Practice(
            settings=Settings(public_url=self.public_url),
            engine=site.engine,
            vault=self.vault or site.vault,
            connect=connect,
            log_on=self.log_on,
        )
        async with self.saved():
            return {light.name: light for light in await examine(practice, "north")}


Arrange = Callable[[Ward], None]


async def ward(desk: Office, transport: str) -> Ward:
    """North over a transport, well in every respect."""
    site = desk.site
    async with site.engine.connect() as connection:
        settings = await pairs.load(connection, site.vault, "north")
    assert settings is not None
    made = Ward(desk, msgspec.convert(msgspec.to_builtins(settings), PairSettings))
    made.change("syspro", transport=transport, base_url=site.urls["syspro"] + PATHS[transport])
    # A machine under load must not look like a system that is down.
    made.change("syspro", query_seconds=20.0, post_seconds=20.0)
    made.change("opayo", read_seconds=20.0, timeout_seconds=20.0)
    return made
