"""The shop's webhook: ``order.created`` and ``order.updated`` in WooCommerce's envelope.

WooCommerce sends once and does not repeat; so does this sender, unless a fault doubles a delivery. The
signature is the base64 of HMAC-SHA256 over the raw body.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from uuid import uuid4

import msgspec

from integration.sandbox.client import Client, Unreachable
from integration.sandbox.ecommerce.config import ShopSandboxConfig
from integration.sandbox.ecommerce.rendering import woo_order
from integration.sandbox.ecommerce.store import Order
from integration.sandbox.faults import FaultPlan


class Subscriber(msgspec.Struct, forbid_unknown_fields=True):
    """Who is told: body of ``PUT /_sandbox/webhook``; an empty ``url`` ends the subscription."""

    url: str = ""
    secret: str = ""
    topics: tuple[str, ...] = ("order.created", "order.updated")


class Delivery(msgspec.Struct, frozen=True):
    """One webhook ready to go."""

    url: str
    body: bytes
    headers: dict[str, str]


class WebhookSender:
    """Sends in the background; ``log`` keeps topic and HTTP status (0: no answer) of each delivery."""

    def __init__(self, config: ShopSandboxConfig, plan: FaultPlan) -> None:
        self.plan = plan
        self.delay = config.webhook_delay
        self.secret = config.webhook_secret
        self.subscriber = Subscriber(config.webhook_url, config.webhook_secret)
        self.log: list[tuple[str, int]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: Delivery | None = None

    def subscribe(self, subscriber: Subscriber) -> None:
        """Replace the subscriber; without a secret of its own it gets the shop's."""
        subscriber.secret = subscriber.secret or self.secret
        self.subscriber = subscriber

    def tell(self, topic: str, order: Order, base_url: str) -> None:
        """Send ``topic`` about an order, if anybody wants it."""
        if not self.subscriber.url or topic not in self.subscriber.topics:
            return
        body = msgspec.json.encode(woo_order(order, base_url))
        secret = self.subscriber.secret
        if self.plan.chance("event-forged"):
            self._start(self._delivery(topic, body, base_url, secret + "?"), 0)
        delivery = self._delivery(topic, body, base_url, secret)
        if self._held is None and self.plan.chance("event-reordered"):
            self._held = delivery
            return
        self._start(delivery, self.delay if self.plan.chance("event-delayed") else 0)
        if self.plan.chance("event-doubled"):
            self._start(delivery, 0)
        if self._held is not None:
            self._start(self._held, 0)
            self._held = None

    async def idle(self) -> None:
        """Wait until every delivery on its way has been answered or lost."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Give up what is on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _delivery(self, topic: str, body: bytes, base_url: str, secret: str) -> Delivery:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
        resource, event = topic.split(".")
        headers = {
            "content-type": "application/json",
            "user-agent": "WooCommerce/9.4.2 Hookshot (WordPress/6.7)",
            "x-wc-webhook-source": f"{base_url}/",
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-resource": resource,
            "x-wc-webhook-event": event,
            "x-wc-webhook-signature": base64.b64encode(digest).decode(),
            "x-wc-webhook-id": "1",
            "x-wc-webhook-delivery-id": uuid4().hex,
        }
        return Delivery(self.subscriber.url, body, headers)

    def _start(self, delivery: Delivery, seconds: float) -> None:
        task = asyncio.get_running_loop().create_task(self._send(delivery, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, delivery: Delivery, seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds)
        async with Client() as client:
            try:
                reply = await client.send("POST", delivery.url, delivery.body, delivery.headers)
            except Unreachable:
                self.log.append((delivery.headers["x-wc-webhook-topic"], 0))
            else:
                self.log.append((delivery.headers["x-wc-webhook-topic"], reply.status))
