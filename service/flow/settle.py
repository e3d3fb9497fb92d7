"""Requests whose outcome nobody knows: settled by what Opayo knows of them, so that none is left to a caller's poll."""

from __future__ import annotations

from datetime import datetime

import msgspec
import structlog

from integration.canonical.payment import GatewayTransaction
from integration.errors import IntegrationError, Rejected
from service.flow import instructions
from service.flow.intents import Till, outcome
from service.store import registrations
from service.store.registrations import GatewayRequest

JsonObject = dict[str, object]
log = structlog.get_logger()

_AT_ONCE = 100
_OPEN = frozenset({"pending", "unknown"})


async def settle_requests(till: Till, before: datetime) -> JsonObject:
    """Settle what was left alone since `before`; says how many were settled, refused, or are still open."""
    told = {"settled": 0, "refused": 0, "open": 0}
    async with till.engine.connect() as connection:
        rows = await registrations.unsettled(connection, till.pair, before, _AT_ONCE)
    for row in rows:
        try:
            told[await _settle(till, row)] += 1
        except IntegrationError as error:
            told["open"] += 1
            log.warning("request.not_settled", pair=till.pair, kind=row["kind"], code=error.error_code)
    return dict(told)


async def _settle(till: Till, row: JsonObject) -> str:
    if str(row["kind"]) in instructions.KINDS:
        return "settled" if await instructions.settle(till, row) else "refused"
    members = {name: row[name] for name in GatewayRequest.__struct_fields__}
    intent = msgspec.convert(members, GatewayRequest)
    try:
        found = await outcome(till, intent, row)
    except Rejected:
        return "refused"
    if not isinstance(found, GatewayTransaction) or found.state in _OPEN:
        return "open"
    if row["state"] == "answered":
        # A challenge that ended without our hearing of it.
        answer = row["answer"]
        assert isinstance(answer, dict)
        async with till.engine.begin() as connection:
            await registrations.settle(
                connection, intent, "answered", {**answer, "state": found.state}, found.transaction_id
            )
    return "settled"
