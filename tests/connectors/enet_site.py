"""A served company reached over e.net, with settings for its habits, faults on paths, and its calls watched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from integration.http import Answer, Call, HttpClient
from integration.sandbox.faults import FaultMatch, FaultOrder
from integration.syspro.enet import EnetConfig, EnetErp
from tests.connectors.erp_site import Site, a_site


@asynccontextmanager
async def an_enet_site() -> AsyncIterator[Site]:
    """A company with its e.net face."""
    path = "/SYSPROWCFService/Rest"
    async with a_site(path, lambda config, on_evicted: EnetErp(config, on_evicted=on_evicted)) as served:
        yield served


def at(site: Site, **habits: object) -> EnetErp:
    """A transport with settings for the site's habits."""
    return other(site, msgspec.convert(habits, EnetConfig))


def other(site: Site, enet: EnetConfig | None = None, **changes: object) -> EnetErp:
    """A transport with other settings of the site; `changes` go into the common ones."""
    erp = EnetErp(msgspec.structs.replace(site.config, **changes), enet)
    site.opened.append(erp)
    return erp


def lost(site: Site, fault: str, path: str, times: int = 1) -> None:
    """Order a fault for the next calls of a path."""
    site.sandbox.plan.order(FaultOrder(fault, times, FaultMatch(path=path)))


class Watch:
    """Every call that was made, and how many were under way at once."""

    def __init__(self) -> None:
        self.made: list[Call] = []
        self.most = 0
        self._running = 0

    def postings(self) -> list[str]:
        """The paths of the calls that may post."""
        return [call.path for call in self.made if "/Transaction/" in call.path and call.write]

    def rehearsals(self) -> list[Call]:
        """The calls that validate only."""
        return [call for call in self.made if "/Transaction/" in call.path and not call.write]

    def on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Begin to watch."""
        send = HttpClient.send

        async def watched(client: HttpClient, call: Call) -> Answer:
            self.made.append(call)
            self._running += 1
            self.most = max(self.most, self._running)
            try:
                return await send(client, call)
            finally:
                self._running -= 1

        monkeypatch.setattr(HttpClient, "send", watched)
