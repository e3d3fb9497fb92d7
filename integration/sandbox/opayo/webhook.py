"""The stand-in's own JSON webhook. Opayo has none: this is ours, and labelled so in every header."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from uuid import uuid4

import msgspec

from integration.sandbox.faults import FaultPlan
from integration.sandbox.opayo.clock import SandboxClock, iso_utc
from integration.sandbox.opayo.push import Pusher
from integration.sandbox.opayo.store import Transaction, new_id

_MINUTES = (1, 5, 15, 60)
_LAST_MINUTE = 24 * 60
_WORKERS = 16
_HOLD_SECONDS = 1.0
_BEHIND_SECONDS = 0.1


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Hex HMAC-SHA256 of ``timestamp.body``."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def retry_delay(attempt: int, waited: float) -> float | None:
    """Minutes until the next try after ``attempt`` failures and ``waited`` minutes; None to give up."""
    delay = _MINUTES[attempt - 1] if attempt <= len(_MINUTES) else 60
    return float(delay) if waited + delay <= _LAST_MINUTE else None


class Event(msgspec.Struct, rename="camel"):
    """One event on the wire; amounts in minor units, ``sequence`` counts per transaction."""

    event_id: str
    event_type: str
    occurred_at: str
    vendor_name: str
    transaction_id: str
    vendor_tx_code: str
    transaction_type: str
    amount: int
    currency: str
    status: str
    status_code: str
    reference_transaction_id: str | None
    sequence: int


class Subscriber(msgspec.Struct, frozen=True):
    """Where a vendor's events go and with what secret they are signed."""

    url: str
    secret: str


class Delivery(msgspec.Struct):
    """One event on its way to one subscriber."""

    subscriber: Subscriber
    body: bytes
    forged: bool = False
    attempts: int = 0
    waited: float = 0.0


class WebhookSender:
    """Signs, sends, retries and, when the plan says so, doubles, delays, reorders and forges events.

    Attributes:
        subscribers: by vendor name.
        counts: ``emitted``, ``sent`` (answered 2xx), ``failed`` (attempts), ``abandoned``, ``unsubscribed``
            and one per fault acted.
    """

    def __init__(self, plan: FaultPlan, clock: SandboxClock, pusher: Pusher, pace: float) -> None:
        self.plan = plan
        self.clock = clock
        self.pusher = pusher
        self.pace = pace
        self.subscribers: dict[str, Subscriber] = {}
        self.counts: dict[str, int] = {}
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._held: list[Delivery] = []
        self._hold_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self.busy = 0

    def start(self) -> None:
        """Start the senders on the running loop."""
        for _ in range(_WORKERS):
            self._tasks.add(asyncio.create_task(self._work()))

    async def stop(self) -> None:
        """Stop sending; what is pending is lost, as the stand-in's memory is."""
        for timer in (*self._timers, *([self._hold_timer] if self._hold_timer else [])):
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    @property
    def pending(self) -> int:
        """Deliveries queued, held, waiting for a retry or being sent."""
        return self._queue.qsize() + len(self._held) + len(self._timers) + self.busy

    def emit(self, kind: str, row: Transaction, amount: int) -> None:
        """Make an event of a change and hand it to the vendor's subscriber."""
        row.sequence += 1
        self._count("emitted")
        subscriber = self.subscribers.get(row.vendor)
        if subscriber is None:
            self._count("unsubscribed")
            return
        event = self._event(kind, row, amount)
        delivery = Delivery(subscriber, msgspec.json.encode(event))
        self._pass_on(delivery)
        if self.plan.chance("event-doubled"):
            self._count("doubled")
            self._queue.put_nowait(msgspec.structs.replace(delivery))
        if self.plan.chance("event-forged"):
            self._count("forged")
            false = msgspec.structs.replace(event, event_id=_event_id(), transaction_id=new_id())
            self._queue.put_nowait(Delivery(subscriber, msgspec.json.encode(false), forged=True))

    def _pass_on(self, delivery: Delivery) -> None:
        held, self._held = self._held, []
        if self._hold_timer is not None:
            self._hold_timer.cancel()
            self._hold_timer = None
        if self.plan.chance("event-delayed"):
            self._count("delayed")
            self._later(self.plan.slow_seconds, delivery)
        elif self.plan.chance("event-reordered"):
            # Held until the next event has gone out, or for a moment when none follows.
            self._count("reordered")
            self._held.append(delivery)
            self._hold_timer = asyncio.get_running_loop().call_later(_HOLD_SECONDS, self._release_held)
        else:
            self._queue.put_nowait(delivery)
        for earlier in held:
            self._later(_BEHIND_SECONDS, earlier)

    def _release_held(self) -> None:
        held, self._held, self._hold_timer = self._held, [], None
        for delivery in held:
            self._queue.put_nowait(delivery)

    async def _work(self) -> None:
        while True:
            delivery = await self._queue.get()
            self.busy += 1
            try:
                await self._send(delivery)
            finally:
                self.busy -= 1

    async def _send(self, delivery: Delivery) -> None:
        timestamp = int(time.time())
        secret = "forged" if delivery.forged else delivery.subscriber.secret
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Opayo-Sandbox-Event-Id": msgspec.json.decode(delivery.body)["eventId"],
            "X-Opayo-Sandbox-Timestamp": str(timestamp),
            "X-Opayo-Sandbox-Signature": f"v1={sign(secret, timestamp, delivery.body)}",
        }
        answer = await self.pusher.post(delivery.subscriber.url, delivery.body, headers)
        if answer.accepted:
            self._count("forged_accepted" if delivery.forged else "sent")
            return
        if delivery.forged:
            self._count("forged_refused")
            return
        self._count("failed")
        delivery.attempts += 1
        delay = retry_delay(delivery.attempts, delivery.waited)
        if delay is None:
            self._count("abandoned")
            return
        delivery.waited += delay
        self._later(delay * 60 / self.pace, delivery)

    def _later(self, seconds: float, delivery: Delivery) -> None:
        self._call_later(seconds, lambda: self._queue.put_nowait(delivery))

    def _call_later(self, seconds: float, action: Callable[[], None]) -> None:
        def due() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(timer)

    def _event(self, kind: str, row: Transaction, amount: int) -> Event:
        return Event(
            event_id=_event_id(),
            event_type=kind,
            occurred_at=iso_utc(self.clock.now()),
            vendor_name=row.vendor,
            transaction_id=row.id,
            vendor_tx_code=row.code,
            transaction_type=row.type,
            amount=amount,
            currency=row.currency,
            status=row.status,
            status_code=row.status_code,
            reference_transaction_id=row.reference or None,
            sequence=row.sequence,
        )

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


def _event_id() -> str:
    # Random, not counted: a restarted stand-in must never repeat an id a receiver remembers.
    return f"evt_{uuid4().hex[:20]}"
