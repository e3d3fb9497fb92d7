"""Dead letters and proposals that are nobody's work any more close themselves."""

from __future__ import annotations

from service.flow.stages import Stages
from service.store import dead_letters, repairs

JsonObject = dict[str, object]


async def close(stages: Stages, pair: str) -> JsonObject:
    """Close what was superseded: the payment moved on, or a later message made a payment of a dead one."""
    async with stages.shared.engine.begin() as connection:
        letters = await dead_letters.close_superseded(connection, pair)
        proposals = await repairs.supersede(connection, pair)
    return {"dead_letters": letters, "repairs": proposals}
