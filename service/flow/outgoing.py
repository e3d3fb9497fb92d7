"""How an event leaves: as a signed webhook to a subscriber, or as an order's status and a note to the pair's shop."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from msgspec import Struct

from integration.errors import IntegrationError
from integration.http import Call, HttpClient
from integration.outbound import check_url, resolve
from integration.ports import Storefront
from service.core.deliveries import refusal
from service.core.events import CONTENT_TYPE, PING, SIGNATURE, Event, envelope, signature
from service.flow.stages import Stages
from service.store import subscribers
from service.store.pairs import PairSettings
from service.store.subscribers import Subscriber

AT_ONCE = 8
_PATIENCE_SECONDS = 10.0


class Sent(Struct, frozen=True, kw_only=True):
    """What came of one attempt; `error` is a sentence, empty when it was taken."""

    status: int = 0
    error: str = ""
    milliseconds: int = 0


Send = Callable[[Event], Awaitable[Sent]]


async def client_of(url: str, allowed: Sequence[str]) -> HttpClient:
    """A client for a subscriber's host, at an address that may be called.

    Raises:
        Rejected: none of its addresses may be.
        Unreachable: its name has none.
    """
    parts = check_url(url)
    address = await resolve(url, allowed)
    host = f"{parts.scheme}://{parts.netloc}"
    client = HttpClient("Subscriber", host, timeout=_PATIENCE_SECONDS, slots=AT_ONCE)
    client.pin(address)
    return client


def webhook(
    client: HttpClient, subscriber: Subscriber, secrets: Sequence[str], clock: Callable[[], datetime]
) -> Send:
    """Send events to a subscriber as signed CloudEvents."""
    parts = check_url(subscriber.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    async def send(event: Event) -> Sent:
        body = envelope(event, subscriber.pair)
        started = time.perf_counter()
        # A read in the sense that its answer may be lost: the event's id is what makes it safe to send again.
        answer = await client.send(
            Call(
                method="POST",
                path=path,
                headers={SIGNATURE: signature(secrets, int(clock().timestamp()), body)},
                body=body,
                content_type=CONTENT_TYPE,
                about=f"event {event.type}",
            )
        )
        return Sent(
            status=answer.status,
            error=refusal(answer.status),
            milliseconds=round((time.perf_counter() - started) * 1000),
        )

    return send


async def ping(stages: Stages, subscriber: Subscriber, event_id: str) -> Sent:
    """Send a test at once, and say what came of it; nothing is kept of it.

    Raises:
        Rejected: its address may not be called.
    """
    shared = stages.shared
    async with shared.engine.connect() as connection:
        secrets = await subscribers.secrets_of(
            connection, shared.vault, subscriber.pair, subscriber.subscriber
        )
    event = Event(
        event_id=event_id,
        type=PING,
        subject=f"subscriber/{subscriber.subscriber}",
        data={"name": subscriber.name},
        happened_at=shared.clock(),
    )
    client = await client_of(subscriber.url, shared.private_networks)
    try:
        return await webhook(client, subscriber, secrets, shared.clock)(event)
    except IntegrationError as error:
        return Sent(error=error.title)
    finally:
        await client.close()


def shop(settings: PairSettings, storefront: Storefront) -> Send:
    """Tell the shop of one of its orders, by the status that the settings name for the event."""
    statuses = settings.shop.statuses if settings.shop is not None else {}

    async def tell(event: Event) -> Sent:
        status = statuses.get(event.type, "")
        if status:
            await storefront.tell(str(event.data.get("order_reference", "")), status, _note(event))
        return Sent(status=200)

    return tell


def _note(event: Event) -> str:
    words = {
        "order.dispatched": "Dispatched from the warehouse.",
        "order.invoiced": "Invoiced.",
        "order.cancelled": "Cancelled in the ERP.",
        "invoice.paid": "The invoice is paid.",
    }.get(event.type, f"{event.type}.")
    named = [
        (label, event.data.get(name))
        for label, name in (("SYSPRO order", "sales_order"), ("invoice", "invoice"))
    ]
    return " ".join([words, "; ".join(f"{label} {value}" for label, value in named if value)]).strip()
