"""Wait: the payment rests on this node for a while, then goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from service.flow.stage import Stage
from service.flow.trip import Trip


async def wait(trips: Sequence[Trip], stage: Stage) -> None:
    """Let each payment rest for the node's minutes, counted from its first arrival here."""
    for trip in trips:
        waited = trip.payment.findings.get("wait")
        if isinstance(waited, dict) and waited.get("node") == trip.node.id:
            trip.find("wait", {})
            trip.passed()
            continue
        minutes = trip.node.settings.get("minutes", 0)
        trip.find("wait", {"node": trip.node.id})
        trip.note("payment.waiting", minutes=minutes)
        trip.waits(stage.clock() + timedelta(minutes=int(str(minutes))) / stage.pace)
