"""The regular work around requests to Opayo: settle those nobody heard of, send approved refunds, forget old keys."""

from __future__ import annotations

from datetime import timedelta

from service.flow import refund_proposals
from service.flow.intents import Till
from service.flow.settle import settle_requests
from service.flow.stages import Stages
from service.store import idempotency

JsonObject = dict[str, object]

# So long the call that made a request, or its caller, may still be looking itself.
_LEFT_ALONE = timedelta(seconds=60)
# A key is good for a day: who repeats a call later than that makes a new one.
_KEYS_KEPT = timedelta(days=7)


async def _till(stages: Stages, pair: str) -> Till:
    _, connections = await stages.connections(pair)
    shared = stages.shared
    patience = timedelta(minutes=10) / shared.pace
    return Till(engine=shared.engine, gateway=connections.gateway, pair=pair, pauses=(), patience=patience)


async def settle(stages: Stages, pair: str) -> JsonObject:
    """Settle requests whose outcome nobody knows by what Opayo knows of them."""
    before = stages.shared.clock() - _LEFT_ALONE / stages.shared.pace
    return await settle_requests(await _till(stages, pair), before)


async def send_refunds(stages: Stages, pair: str) -> JsonObject:
    """Send approved refunds that were not heard of, and note which are in the ledger."""
    before = stages.shared.clock() - _LEFT_ALONE / stages.shared.pace / 2
    return await refund_proposals.go_on(await _till(stages, pair), before)


async def forget_keys(stages: Stages, pair: str) -> JsonObject:
    """Forget idempotency keys that nobody will use again; they belong to callers, so any pair's turn does for all."""
    del pair
    shared = stages.shared
    async with shared.engine.begin() as connection:
        return {"forgotten": await idempotency.forget(connection, shared.clock() - _KEYS_KEPT)}
