"""The ERP port's contract, kept by each transport against the same company."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from integration.ports import ERP
from integration.syspro.config import SysproConfig
from integration.syspro.enet import EnetConfig, EnetErp
from integration.syspro.harmony import HarmonyErp
from tests.connectors.erp_contract import ErpContract
from tests.connectors.erp_site import Site, a_site


def harmony(config: SysproConfig, on_evicted: Callable[[], None]) -> ERP:
    return HarmonyErp(config, on_evicted=on_evicted)


def enet(config: SysproConfig, on_evicted: Callable[[], None]) -> ERP:
    # The search for PostLD is a rehearsal on a posting's path: it would take the faults meant for postings.
    return EnetErp(config, EnetConfig(use_post_ld="always"), on_evicted=on_evicted)


TRANSPORTS = {"harmony": ("/api/harmony/2.0", harmony), "enet": ("/SYSPROWCFService/Rest", enet)}


@pytest.fixture(params=TRANSPORTS)
async def site(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    path, transport = TRANSPORTS[request.param]
    async with a_site(path, transport) as served:
        yield served


class TestErpContract(ErpContract):
    pass
