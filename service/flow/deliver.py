"""Deliveries: events go to who subscribed, signed, each once for whoever goes by the event's id.

An event is spread first: one delivery for each subscriber that wants its type, and one for the pair's shop where the
settings name a status for it. Then each subscriber is served by itself, so that one that is slow or down holds up
nobody else. A delivery that failed is tried again for three days; the next event about the same subject waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta

import structlog

from integration.errors import IntegrationError
from service.core.deliveries import Try, next_try
from service.core.events import Event, wants
from service.flow.outgoing import AT_ONCE, Send, Sent, client_of, shop, webhook
from service.flow.recovery import NOT_THE_PAYMENTS
from service.flow.stages import Stages
from service.store import alerts, deliveries, events, subscribers
from service.store.alerts import Alert
from service.store.deliveries import Claim, Claimed, New, Tried
from service.store.events import Kept
from service.store.pairs import PairSettings
from service.store.subscribers import SHOP, Subscriber

JsonObject = dict[str, object]
log = structlog.get_logger()

_SPREAD_AT_ONCE = 500
# Longer than any attempt takes: afterwards whoever claimed it is dead, and the delivery somebody else's.
_LEASE = timedelta(seconds=60)
# A subscriber that took nothing is left alone for so long, however much waits for it.
_REST = timedelta(minutes=1)
_TURN_SECONDS = 10.0
KEPT = timedelta(days=30)


async def deliver(stages: Stages, pair: str) -> JsonObject:
    """One turn for a pair: spread what happened, send what is due."""
    settings, connections = await stages.connections(pair)
    shared = stages.shared
    spread = await _spread(stages, settings)
    async with shared.engine.connect() as connection:
        due = await deliveries.due(connection, pair, shared.clock())
        known = {each.subscriber: each for each in await subscribers.of_pair(connection, pair)}
    served: list[Awaitable[tuple[int, int]]] = []
    for name in due:
        if name == SHOP and connections.storefront is not None:
            served.append(_serve(stages, settings, name, shop(settings, connections.storefront)))
        elif name in known and not known[name].paused and _is_up(known[name], shared.clock()):
            served.append(_serve_subscriber(stages, settings, known[name]))
    # All have ended before one's failure is told: nobody goes on sending for a turn that is over.
    ended = await asyncio.gather(*served, return_exceptions=True)
    for each in ended:
        if isinstance(each, BaseException):
            raise each
    counts = [each for each in ended if not isinstance(each, BaseException)]
    return {
        "spread": spread,
        "delivered": sum(each[0] for each in counts),
        "failed": sum(each[1] for each in counts),
    }


def _is_up(subscriber: Subscriber, now: datetime) -> bool:
    return subscriber.rests_until is None or subscriber.rests_until <= now


async def prune(stages: Stages, pair: str) -> JsonObject:
    """Drop events that are older than a month and were delivered."""
    async with stages.shared.engine.begin() as connection:
        return {"pruned": await events.prune(connection, pair, stages.shared.clock() - KEPT)}


# --- spreading ------------------------------------------------------------------------------------


async def _spread(stages: Stages, settings: PairSettings) -> int:
    shared, total = stages.shared, 0
    while True:
        async with shared.engine.begin() as connection:
            kept = await events.unspread(connection, settings.pair, _SPREAD_AT_ONCE)
            if not kept:
                return total
            known = await subscribers.of_pair(connection, settings.pair)
            now = shared.clock()
            await deliveries.add(connection, wanted(settings, known, kept, now))
            await events.spread(connection, kept, now)
        total += len(kept)


def wanted(
    settings: PairSettings, known: Sequence[Subscriber], kept: Sequence[Kept], now: datetime
) -> list[New]:
    """The deliveries that events give rise to."""
    made: list[New] = []
    for each in kept:
        names = [one.subscriber for one in known if wants(one.types, each.event.type)]
        if _concerns_the_shop(settings, each.event):
            names.append(SHOP)
        made += [
            New(
                pair=settings.pair,
                subscriber=name,
                event_seq=each.event_seq,
                subject=each.event.subject,
                due_at=now,
            )
            for name in names
        ]
    return made


def _concerns_the_shop(settings: PairSettings, event: Event) -> bool:
    shop = settings.shop
    return shop is not None and bool(shop.statuses.get(event.type) and event.data.get("order_reference"))


# --- serving --------------------------------------------------------------------------------------


async def _serve_subscriber(
    stages: Stages, settings: PairSettings, subscriber: Subscriber
) -> tuple[int, int]:
    async with stages.shared.engine.connect() as connection:
        secrets = await subscribers.secrets_of(
            connection, stages.shared.vault, settings.pair, subscriber.subscriber
        )
    try:
        client = await client_of(subscriber.url, stages.shared.private_networks)
    except IntegrationError as error:
        title = error.title

        async def refuse(_: Event) -> Sent:
            return Sent(error=title)

        return await _serve(stages, settings, subscriber.subscriber, refuse, subscriber.name)
    try:
        send = webhook(client, subscriber, secrets, stages.shared.clock)
        return await _serve(stages, settings, subscriber.subscriber, send, subscriber.name)
    finally:
        await client.close()


async def _serve(
    stages: Stages, settings: PairSettings, subscriber: str, send: Send, name: str = "the shop"
) -> tuple[int, int]:
    """Send what is due to one subscriber, until nothing is, or one attempt fails; how many were taken and failed."""
    shared, taken, failed = stages.shared, 0, 0
    ends = time.monotonic() + _TURN_SECONDS
    while not failed and time.monotonic() < ends:
        now = shared.clock()
        claim = Claim(
            pair=settings.pair, subscriber=subscriber, now=now, leased_until=now + _LEASE, most=AT_ONCE
        )
        async with shared.engine.begin() as connection:
            claimed = await deliveries.claim(connection, claim)
        if not claimed:
            break
        tried = await asyncio.gather(*(_try(stages, each, send) for each in claimed))
        async with shared.engine.begin() as connection:
            await deliveries.finish(connection, tried)
            await alerts.raise_all(connection, _alerts(settings.pair, name, tried))
            if all(each.error for each in tried):
                await subscribers.rest(connection, settings.pair, subscriber, now + _REST / shared.pace)
        failed += sum(bool(each.error) for each in tried)
        taken += sum(not each.error for each in tried)
    return taken, failed


async def _try(stages: Stages, claimed: Claimed, send: Send) -> Tried:
    shared = stages.shared
    started = time.perf_counter()
    try:
        sent = await send(claimed.event)
    except IntegrationError as error:
        sent = Sent(error=error.title)
    except NOT_THE_PAYMENTS:
        raise
    except Exception as error:
        log.exception("delivery.failed", delivery=claimed.delivery_id)
        sent = Sent(error=f"The service failed on it: {type(error).__name__}")
    now = shared.clock()
    failed = Try(
        attempts=claimed.attempts,
        first_failed_at=claimed.failing_since or now,
        now=now,
        pace=shared.pace,
        jitter=shared.chance(),
    )
    return Tried(
        claimed=claimed,
        at=now,
        status=sent.status,
        error=sent.error,
        milliseconds=sent.milliseconds or round((time.perf_counter() - started) * 1000),
        due_at=next_try(failed) if sent.error else None,
    )


def _alerts(pair: str, name: str, tried: Sequence[Tried]) -> list[Alert]:
    dead = [each for each in tried if each.state == "dead"]
    if not dead:
        return []
    title = f"{len(dead)} events could not be delivered to {name} for three days: {dead[0].error}"
    error: JsonObject = {"code": "subscriber.undelivered", "title": title, "retried": False}
    subject = f"subscriber {name}"
    return [Alert(pair=pair, code="subscriber.undelivered", subject=subject, title=title, error=error)]
