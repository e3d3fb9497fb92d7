"""A merchant who sells at a steady rate until told to stop, and a sender that redelivers one event until it is taken."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import msgspec

from integration.sandbox.merchant import Merchant
from integration.sandbox.merchant_day import Sale
from service.cli.demo_service import PAIR
from tests.soak.street import Street

FAULTS: dict[str, dict[str, float]] = {
    "opayo": {"event-doubled": 0.10, "5xx": 0.02},
    "syspro": {"commit-then-drop": 0.03, "5xx": 0.03, "drop": 0.02},
    "shop": {"5xx": 0.02},
}
"""A rough day: one event in ten comes twice, answers are lost after SYSPRO committed, and 5xx everywhere."""


def merchant(street: Street, seed: int) -> Merchant:
    """The merchant of a seed; shoppers pay by a control of the sandbox that never fails, so that load is load."""
    urls = street.facts.merchant_urls()
    access = msgspec.structs.replace(urls.opayo, control=street.facts.opayo)
    return Merchant(msgspec.structs.replace(urls, opayo=access), seed)


class Trade:
    """Sales played in the background, a fixed number a second."""

    def __init__(self, street: Street, most: int, per_second: float, seed: int) -> None:
        self._merchant = merchant(street, seed)
        self.sales = self._merchant.sales(most)
        self._per_second = per_second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sold = 0

    def start(self) -> None:
        """Begin to sell."""
        self._thread.start()

    def stop(self) -> None:
        """Sell no more; returns when the last sale is paid."""
        self._stop.set()
        self._thread.join()

    def join(self) -> None:
        """Wait until everything is sold."""
        self._thread.join()

    @property
    def over(self) -> bool:
        """Whether nothing is left to sell."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        asyncio.run(self._play())

    async def _play(self) -> None:
        began = time.monotonic()
        waiting = list(self.sales)
        while waiting and not self._stop.is_set():
            due = max(0, int((time.monotonic() - began) * self._per_second) + 1 - self.sold)
            now: list[Sale] = waiting[:due]
            del waiting[:due]
            if now:
                await self._merchant.play(now)
                self.sold += len(now)
            await asyncio.sleep(0.05)


@contextmanager
def rough_trade(street: Street, most: int, per_second: float, seed: int) -> Iterator[Trade]:
    """Trade with faults for the time of a `with` block; at its end the faults stop."""
    for system, rates in FAULTS.items():
        street.faults(system, rates)
    trade = Trade(street, most, per_second, seed)
    trade.start()
    try:
        yield trade
    finally:
        trade.stop()
        street.calm()


def redeliver(street: Street, transaction_id: str, code: str, patience: float = 60) -> float:
    """Send one signed event again and again until it is taken; the moment (monotonic) at which it was."""
    deadline = time.monotonic() + patience
    address = f"{street.url}/webhooks/opayo/{PAIR}"
    while time.monotonic() < deadline:
        try:
            body, headers = signed(street, transaction_id, code)
            answer = httpx.post(address, content=body, headers=headers, timeout=5)
        except httpx.TransportError:
            time.sleep(0.01)
            continue
        if answer.status_code == 200:
            return time.monotonic()
        time.sleep(0.02)
    raise AssertionError(f"the event of {code} was not taken in {patience} seconds")


def signed(street: Street, transaction_id: str, code: str) -> tuple[bytes, dict[str, str]]:
    """An event as its sender would send it now: body and headers."""
    event = {
        "eventId": f"evt_{code}",
        "eventType": "payment.authorised",
        "transactionId": transaction_id,
        "vendorTxCode": code,
        "vendorName": street.facts.vendor,
    }
    body = json.dumps(event).encode()
    stamp = str(int(time.time()))
    secret = street.facts.webhook_secret.encode()
    digest = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "x-opayo-sandbox-event-id": event["eventId"],
        "x-opayo-sandbox-timestamp": stamp,
        "x-opayo-sandbox-signature": f"v1={digest}",
    }
    return body, headers
