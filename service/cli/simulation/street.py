"""The world outside: the three stand-ins, the sales of the day, and the messages about them on their way to us."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import msgspec

from integration.http_message import Reply
from integration.sandbox.ecommerce import ShopSandbox, ShopSandboxConfig
from integration.sandbox.opayo import OpayoSandbox, OpayoSandboxConfig
from integration.sandbox.opayo.clock import SandboxClock
from integration.sandbox.opayo.push import Answer, Pusher
from integration.sandbox.opayo.refusals import RefusedError
from integration.sandbox.opayo.webhook import Subscriber
from integration.sandbox.syspro import SysproSandbox, SysproSandboxConfig
from integration.sandbox.syspro.config import Settings as SysproRules
from service.cli.simulation.network import App, Message, Network, call, message
from service.cli.simulation.weather import Weather

SECRET = "whsec_test_0123456789"  # noqa: S105 - opens stand-ins only
_HEADER = "X-Opayo-Sandbox-"
_RETRY_SECONDS = (5, 15, 60, 300, 900, 3600)
_TWIN_SECONDS = (0.0, 600.0)
_LONGEST_SECONDS = 72 * 3600.0

Deliver = Callable[[Message], Any]


class _Post:
    """What the stand-in's sender takes for its line: the message is on its way, and the rest is ours."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Take a message."""
        self._take(body)
        return Answer(202)

    async def close(self) -> None:
        """Nothing is kept."""


class Street:
    """The stand-ins and the traffic.

    Attributes:
        unseen: transactions about which a message was lost for ever: only a report of Opayo's could tell us.
        on_the_way: messages that have not been taken yet.
        wrongly_taken: forged messages that were accepted.
    """

    def __init__(
        self, weather: Weather, network: Network, draw: random.Random, now: Callable[[], datetime]
    ) -> None:
        loop = asyncio.get_running_loop()
        self.weather = weather
        self._network = network
        self._draw = draw
        self._now = now
        self._calm = False
        self.unseen: set[str] = set()
        self.wrongly_taken: list[str] = []
        self.on_the_way = 0
        self.taken = 0
        self.deliver: Deliver | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        config = OpayoSandboxConfig(pace=1, tick_seconds=3600.0, webhook_secret=SECRET)
        self.opayo = OpayoSandbox(config, SandboxClock(now))
        rules = SysproRules(idempotency=weather.idempotency)
        self.syspro = SysproSandbox(
            SysproSandboxConfig(settings=rules), seconds=loop.time, today=lambda: now().date()
        )
        self.shop = ShopSandbox(ShopSandboxConfig())
        sender = self.opayo.parts.sender
        sender.pusher = cast(Pusher, _Post(self._told))
        sender.subscribers["sandbox"] = Subscriber("http://service/", SECRET)
        network.apps |= {
            "opayo": cast(App, self.opayo.app),
            "syspro": cast(App, self.syspro.app),
            "shop": cast(App, self.shop.app),
        }

    # --- weather -------------------------------------------------------------------------------------

    def storm(self) -> None:
        """Let go wrong what goes wrong in this seed."""
        weather = self.weather
        self._network.lines.update(
            opayo=weather.other_line, shop=weather.other_line, syspro=weather.syspro_line
        )
        self.syspro.plan.set_rates(weather.syspro_faults)
        self.opayo.plan.set_rates(weather.other_faults)
        self.shop.plan.set_rates(weather.other_faults)
        for plan in (self.syspro.plan, self.opayo.plan, self.shop.plan):
            plan.reseed(self._draw.randrange(1 << 30))

    def calm(self) -> None:
        """Nothing goes wrong any more; what was delayed still comes."""
        self._calm = True
        self._network.lines.clear()
        for plan in (self.syspro.plan, self.opayo.plan, self.shop.plan):
            plan.clear()

    # --- sales ----------------------------------------------------------------------------------------

    async def sale(self, number: int) -> str:
        """One order in the shop, paid at Opayo; its transaction id."""
        draw = self._draw
        code = f"SO-{number:05d}"
        minor = draw.randint(500, 40_000)
        await self._control("shop", "orders", {"orders": [self._order(code, minor)]})
        body = {"vendorTxCode": code, "amount": minor, "currency": "GBP", "description": "Order"}
        if draw.random() < 0.02:
            body["cardholderName"] = "NOTAUTH"
        paid = msgspec.json.decode((await self._control("opayo", "pay", body)).body)
        if draw.random() < self.weather.changed:
            self._later(draw.uniform(0, 120), self._void, paid["transactionId"])
        return str(paid["transactionId"])

    def _order(self, code: str, minor: int) -> dict[str, object]:
        draw = self._draw
        customer, stock = draw.randint(1, 16), f"A{100 + draw.randrange(28)}"
        if draw.random() < self.weather.refusals:
            customer, stock = draw.choice(((77, stock), (90, stock), (customer, "X999"), (customer, "H100")))
        pounds = f"{minor // 100}.{minor % 100:02d}"
        address = {
            "first_name": "Jane", "last_name": "Smith", "address_1": "1 High Street", "city": "Leeds",
            "postcode": "LS1 1AA", "country": "GB",
        }  # fmt: skip
        line = {
            "kind": "stock", "stock_code": stock, "description": "Widget", "quantity": 1, "net": pounds,
            "tax": "0.00",
        }  # fmt: skip
        return {
            "payment_reference": code,
            "customer_id": customer,
            "currency": "GBP",
            "placed_at": self._now().isoformat(),
            "billing": {**address, "email": f"shopper{draw.randrange(60)}@example.org"},
            "shipping": address,
            "lines": [line],
        }

    def _void(self, transaction_id: str) -> None:
        row = self.opayo.parts.store.transactions[transaction_id]
        try:
            self.opayo.parts.engine.instruct(row, "void")
        except RefusedError:
            return
        self._network.trace(f"opayo voids {row.code}")

    async def _control(self, host: str, what: str, body: object) -> Reply:
        request = message("POST", f"/_sandbox/{what}", msgspec.json.encode(body), {}, host)
        reply = await call(self._network.apps[host], request)
        if reply.status >= 300:
            raise RuntimeError(f"{host} answered {reply.status} to {what}: {reply.body[:200]!r}")
        return reply

    # --- messages -------------------------------------------------------------------------------------

    def _told(self, body: bytes) -> None:
        """Opayo sends a message: once, twice, late, or never."""
        draw, weather = self._draw, self.weather
        if self._calm:
            self._send(body, 0.0)
            return
        told = msgspec.json.decode(body)
        if draw.random() < weather.lost:
            self.unseen.add(told["transactionId"])
            self._network.trace(f"message about {told['vendorTxCode']} lost")
            return
        self._send(body, self._delay())
        if draw.random() < weather.duplicated:
            self._send(body, self._delay() + draw.uniform(*_TWIN_SECONDS))
        if draw.random() < weather.forged:
            told |= {"eventId": f"evt_forged_{told['eventId']}", "amount": 1}
            self._send(msgspec.json.encode(told), self._delay(), forged=True)

    def _delay(self) -> float:
        point = self._draw.random()
        if point < self.weather.delayed:
            return self._draw.uniform(0, _LONGEST_SECONDS)
        if point < self.weather.delayed + self.weather.reordered:
            return self._draw.uniform(0, 600)
        return self._draw.uniform(0, 2)

    def _send(self, body: bytes, seconds: float, *, forged: bool = False) -> None:
        self.on_the_way += 1
        self._later(seconds, self._start, self._brought(body, forged))

    async def _brought(self, body: bytes, forged: bool) -> None:
        told = msgspec.json.decode(body)
        for attempt in range(100):
            status = await self._attempt(body, forged)
            self._network.trace(f"message {told['vendorTxCode']} {told['eventType']} {forged=} {status}")
            if status == 200 or (forged and status == 401):
                break
            await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
        self.on_the_way -= 1
        self.taken += status == 200
        if forged and status == 200:
            self.wrongly_taken.append(told["eventId"])

    async def _attempt(self, body: bytes, forged: bool) -> int:
        assert self.deliver is not None
        moment = str(int(self._now().timestamp()))
        secret = "somebody-elses" if forged else SECRET
        signature = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json",
            f"{_HEADER}Event-Id": msgspec.json.decode(body)["eventId"],
            f"{_HEADER}Timestamp": moment,
            f"{_HEADER}Signature": f"v1={signature}",
        }
        status: int = await self.deliver(message("POST", "/webhooks/opayo/north", body, headers, "service"))
        return status

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _later(self, seconds: float, act: Callable[..., object], *args: object) -> None:
        asyncio.get_running_loop().call_later(seconds, act, *args)

    async def stop(self) -> None:
        """End the traffic."""
        await self.opayo.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
