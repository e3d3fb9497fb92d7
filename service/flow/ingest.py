"""Ingest: is this message genuine, and new? An event is a hint; what it says of money is read from Opayo again.

Each due message of the inbox becomes a new payment at the start of its flow, or a change of one we have, or a
dead letter when Opayo knows no such transaction.
"""

from __future__ import annotations

import asyncio

import msgspec

from integration.canonical.order import Order
from integration.canonical.payment import GatewayTransaction
from integration.errors import NotFound, Rejected, Unreachable
from service.core.flows import ORDER_FLOWS
from service.core.own_messages import is_own, read_own
from service.core.sweeping import CHANGED, RECORDED
from service.flow.arrival import write
from service.flow.found import Found
from service.flow.relation import completed
from service.flow.stage import Stage
from service.store import inbox
from service.store.inbox import InboxEvent


async def ingest(stage: Stage, limit: int) -> int:
    """Take the due messages of the lane's pair; returns how many there were.

    Raises:
        LaneLost: another holder took the lane over; nothing was written.
    """
    async with stage.reads.connect() as connection:
        events = await inbox.due(connection, stage.lane.pair, stage.clock(), limit)
    if not events:
        return 0
    room = asyncio.Semaphore(stage.in_flight)
    # Messages about one transaction are answered by one reading: they are hints at the same thing.
    # One that says that something changed asks for the closest reading, and so speaks for the others.
    closest = sorted(events, key=lambda event: event.kind == CHANGED)
    keys = {_subject(event): event for event in closest}
    readings = dict(
        zip(keys, await asyncio.gather(*(_read(event, stage, room) for event in keys.values())), strict=True)
    )
    found = [
        Found(
            event=event,
            transaction=reading.transaction,
            order=reading.order,
            arrived=reading.arrived,
            error=reading.error,
        )
        for event in events
        for reading in [readings[_subject(event)]]
    ]
    await write(stage, found)
    return len(events)


def _subject(event: InboxEvent) -> str:
    """What a message is a hint at; one that carries its facts speaks for itself alone, and may contradict another."""
    if is_own(event.source, event.kind):
        return f"message {event.inbox_id}"
    return event.transaction_id or event.vendor_tx_code


async def _read(event: InboxEvent, stage: Stage, room: asyncio.Semaphore) -> Found:
    found = Found(event=event)
    async with room:
        try:
            if is_own(event.source, event.kind):
                return await _own(event, stage)
            found.transaction = await _transaction(event, stage)
            if found.transaction is not None:
                found.transaction = await completed(found.transaction, event, stage)
                found.order = await _order(event, found.transaction, stage)
        except Exception as error:  # noqa: BLE001 - the class of the error decides, in arrival
            found.error = error
    return found


async def _own(event: InboxEvent, stage: Stage) -> Found:
    """A message that carries its facts: Opayo is not asked."""
    async with stage.reads.connect() as connection:
        body = await inbox.body(connection, event.inbox_id)
    told = read_own(event.kind, body, event.occurred_at or event.received_at)
    return Found(event=event, transaction=told.transaction, arrived=dict(told.arrived))


async def _transaction(event: InboxEvent, stage: Stage) -> GatewayTransaction | None:
    if event.source == "shop":
        # The shop says that an order changed; whether it was paid is for Opayo to say.
        return await stage.gateway.find(event.vendor_tx_code) if event.vendor_tx_code else None
    if event.source == "file" and not event.transaction_id:
        return await _listed(event, stage)
    if event.kind == CHANGED:
        # The Pi API does not tell every change: a settlement that failed still reads `Ok` there.
        return await stage.gateway.detail(event.transaction_id)
    try:
        transaction = await stage.gateway.transaction(event.transaction_id)
    except NotFound:
        found = await stage.gateway.find(event.vendor_tx_code) if event.vendor_tx_code else None
        if found is None:
            raise
        return found
    if (
        event.vendor_tx_code
        and event.vendor_tx_code != transaction.vendor_tx_code
        and transaction.vendor_tx_code
    ):
        raise Rejected(
            f"The message names {event.vendor_tx_code}, and Opayo has {transaction.vendor_tx_code} under its id",
            code="opayo.event-contradicts",
            hint="Nothing was posted from this message. Find out who sent it.",
        )
    # The Pi API tells neither code nor time of a transaction; the signed event does.
    return msgspec.structs.replace(
        transaction,
        vendor_tx_code=transaction.vendor_tx_code or event.vendor_tx_code,
        created_at=transaction.created_at or event.occurred_at,
    )


async def _listed(event: InboxEvent, stage: Stage) -> GatewayTransaction:
    """What an export lists under its code; the file was believed to be this vendor's."""
    found = await stage.gateway.find(event.vendor_tx_code)
    if found is None:
        raise NotFound(
            f"A file lists {event.vendor_tx_code}, and Opayo has no such transaction",
            code="opayo.not-found",
            hint="Check the vendor and the environment that the file was exported from.",
        )
    return found


async def _order(event: InboxEvent, transaction: GatewayTransaction, stage: Stage) -> Order | None:
    wants = stage.pair.flow_for(transaction.kind) in ORDER_FLOWS
    if stage.storefront is None or not wants or transaction.state != "captured" or event.kind == RECORDED:
        return None
    order = await stage.storefront.find_order(transaction.vendor_tx_code)
    if order is None:
        waited = (stage.clock() - event.received_at).total_seconds() * stage.pace / 60
        title = f"The shop has no order for {transaction.vendor_tx_code}"
        if waited < stage.pair.order_wait_minutes:
            raise Unreachable(title, code="shop.order-not-yet-there")
        return None  # `validate` says that the flow needs one, and the payment waits for a person
    return order
