"""Open transactions: promised, taken or not yet settled. No list tells when one changes, so each is read again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from integration.canonical.payment import GatewayTransaction
from integration.errors import IntegrationError, NotFound, Rejected
from service.core.sweeping import CHANGED, Watched, next_look
from service.flow.sweep import Sweeper
from service.store import inbox, swept
from service.store.inbox import Delivery
from service.store.swept import Look
from service.telemetry import SWEPT

JsonObject = dict[str, object]
_AT_ONCE = 4
_LATER, _MUCH_LATER = timedelta(minutes=15), timedelta(days=1)


async def look_again(sweeper: Sweeper) -> JsonObject:
    """Read open transactions that are due until none is or time is up; tells the inbox of those that changed."""
    outcome = {"looked_at": 0, "changed": 0, "unanswered": 0}
    while not sweeper.late:
        async with sweeper.shared.engine.connect() as connection:
            due = await swept.to_look_at(connection, sweeper.pair, sweeper.now, _AT_ONCE * 5)
        if not due:
            break
        for start in range(0, len(due), _AT_ONCE):
            batch = due[start : start + _AT_ONCE]
            found = await asyncio.gather(*(_read(sweeper, look) for look in batch))
            changed = await _write(sweeper, list(zip(batch, found, strict=True)))
            outcome["looked_at"] += len(batch)
            outcome["changed"] += changed
            outcome["unanswered"] += sum(isinstance(each, IntegrationError) for each in found)
            await sweeper.rest(len(batch))
    return dict(outcome)


async def _read(sweeper: Sweeper, look: Look) -> GatewayTransaction | IntegrationError:
    try:
        return await sweeper.gateway.detail(look.transaction_id)
    except IntegrationError as error:
        return error


async def _write(
    sweeper: Sweeper, found: Sequence[tuple[Look, GatewayTransaction | IntegrationError]]
) -> int:
    now = sweeper.now
    ids = [look.transaction_id for look, _ in found]
    async with sweeper.shared.engine.begin() as connection:
        states = await swept.gateway_states(connection, sweeper.pair, ids)
        changed = []
        for look, told in found:
            if isinstance(told, IntegrationError):
                # Without an answer it is asked again soon; one that cannot be read, or is gone, tomorrow.
                hopeless = isinstance(told, Rejected | NotFound)
                look.look_at = now + (_MUCH_LATER if hopeless else _LATER / sweeper.shared.pace)
                continue
            _note(sweeper, look, told, now)
            if states.get(look.transaction_id, told.state) != told.state:
                changed.append(_hint(sweeper.pair, told, now))
        await swept.save_looks(connection, sweeper.pair, [look for look, _ in found], now)
        if changed:
            await inbox.store(connection, changed)
    SWEPT.labels(sweeper.pair, "changed").inc(len(changed))
    return len(changed)


def _note(sweeper: Sweeper, look: Look, told: GatewayTransaction, now: datetime) -> None:
    look.looks += 1
    look.state, look.settlement_batch = told.state, told.settlement_batch
    started = look.started_at or told.created_at or look.seen_at
    watched = Watched(state=told.state, settled=bool(told.settlement_batch), started_at=started)
    look.look_at = next_look(watched, now, sweeper.rules)


def _hint(pair: str, told: GatewayTransaction, now: datetime) -> Delivery:
    body = {"transactionId": told.transaction_id, "state": told.state}
    if told.related_transaction_id:
        body["referenceTransactionId"] = told.related_transaction_id
    return Delivery(
        pair=pair,
        source="sweep",
        # With the day: a change that did not reach its payment is told again at a later look.
        event_id=f"{told.transaction_id}/{told.state}/{now:%Y-%m-%d}",
        kind=CHANGED,
        transaction_id=told.transaction_id,
        vendor_tx_code=told.vendor_tx_code,
        body=msgspec.json.encode(body),
        occurred_at=now,
    )
