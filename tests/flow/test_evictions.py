"""Somebody else works as our operator: the payment waits, and a person is told who was thrown out, and how often."""

from __future__ import annotations

import msgspec
import pytest

from service.flow.evictions import Evictions
from service.jobs.notify import notify
from service.store import alerts, pairs
from tests.api.ward import PATHS
from tests.flow.site import Site


@pytest.mark.parametrize("transport", ["harmony", "enet"])
async def test_an_operator_thrown_out_at_work_is_an_alert_and_no_payment_is_lost(
    north: Site, transport: str
) -> None:
    async with north.engine.begin() as connection:
        settings = await pairs.load(connection, north.vault, north.pair)
        assert settings is not None
        syspro = msgspec.structs.replace(
            settings.syspro, transport=transport, base_url=north.urls["syspro"] + PATHS[transport]
        )
        await pairs.save(connection, north.vault, msgspec.structs.replace(settings, syspro=syspro))
    north.stages.forget(north.pair)
    # Twice over, the session and the one in its place; a logon uses a fault up as well.
    await north.fault("syspro", "session-killed", times=8)
    await north.sale("SO-1", 1200)
    await north.walk()
    await notify(north.stages)

    async with north.engine.connect() as connection:
        raised = [
            each for each in await alerts.listed(connection, north.pair) if each["code"] == Evictions.code
        ]
    (alert,) = raised
    assert alert["subject"] == "operator OPAYO1"
    assert alert["times"] == 2
    assert "2 times" in str(alert["title"])
    error = alert["error"]
    assert isinstance(error, dict)
    assert "operator of its own" in error["hint"]
    assert len(await north.sales_orders("SO-1")) == 1
    assert await north.ar_payments("SO-1") == [1200]
