"""What the stand-in really pushes is verified, read and answered by our side of it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal

import httpx
import msgspec
import pytest

from integration.canonical.payment import GatewayEvent
from integration.opayo import notification, webhook
from integration.ports import Registration
from tests.connectors.opayo_world import World, hosted, opayo
from tests.connectors.serving import served

SECRET = "whsec_of_this_pair"


class Receiver:
    """Our side of the pushes: keeps what came and answers as it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.came = asyncio.Event()
        self.security_keys: dict[str, str] = {}
        self.genuine: list[bool] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": kind + ".complete"})
                if kind == "lifespan.shutdown":
                    return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        self.seen.append((headers, body))
        answer = self.notified(body) if scope["path"] == "/notify" else b""
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
        )
        await send({"type": "http.response.body", "body": answer})
        self.came.set()

    def notified(self, body: bytes) -> bytes:
        fields = notification.read_form(body)
        key = self.security_keys.get(fields["VendorTxCode"], "")
        self.genuine.append(notification.genuine(fields, "sandbox", key))
        said: Literal["OK", "INVALID"] = "OK" if self.genuine[-1] else "INVALID"
        return notification.reply(said, "https://shop.example/return?ref=1")

    async def events(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        while len(self.seen) < count:
            self.came.clear()
            await asyncio.wait_for(self.came.wait(), 10)
        return self.seen


@asynccontextmanager
async def pushed() -> AsyncIterator[tuple[World, Receiver, str]]:
    receiver = Receiver()
    async with served(receiver) as ours, opayo() as world:
        yield world, receiver, ours


async def registered(world: World, ours: str, code: str) -> Registration:
    where = f"{ours}/notify?pair=uk"
    return await world.gateway.register(msgspec.structs.replace(hosted(code), notification_url=where))


async def shopper_pays(registration: Registration, number: str = "4929000000006") -> httpx.Response:
    card = {
        "action": "pay",
        "cardholderName": "SUCCESSFUL",
        "cardNumber": number,
        "expiryDate": "1235",
        "securityCode": "123",
    }
    async with httpx.AsyncClient() as browser:
        await browser.get(registration.next_url)
        return await browser.post(registration.next_url, data=card)


async def test_a_hosted_payment_is_notified_verified_and_captured() -> None:
    async with pushed() as (world, receiver, ours):
        registration = await registered(world, ours, "SO-20")
        receiver.security_keys["SO-20"] = registration.security_key
        page = await shopper_pays(registration)
        event = notification.event(notification.read_form((await receiver.events(1))[0][1]))
        found = await world.gateway.find("SO-20")

    assert receiver.genuine == [True]
    assert page.headers["location"] == "https://shop.example/return?ref=1"
    assert (event.kind, event.transaction_id) == ("payment.authorised", registration.transaction_id)
    assert found is not None
    assert found.state == "captured"


async def test_a_notification_that_we_call_invalid_cancels_the_payment() -> None:
    async with pushed() as (world, receiver, ours):
        registration = await registered(world, ours, "SO-21")
        receiver.security_keys["SO-21"] = "ANOTHERKEY"
        await shopper_pays(registration)
        found = await world.gateway.find("SO-21")

    assert receiver.genuine[0] is False
    assert found is not None
    assert found.state == "cancelled"


async def test_a_declined_hosted_payment_is_genuine_too() -> None:
    async with pushed() as (world, receiver, ours):
        registration = await registered(world, ours, "SO-22")
        receiver.security_keys["SO-22"] = registration.security_key
        await shopper_pays(registration, "4929602110085639")
        seen = await receiver.events(1)
    assert receiver.genuine == [True]
    assert notification.event(notification.read_form(seen[0][1])).kind == "payment.declined"


def read(headers: dict[str, str], body: bytes) -> GatewayEvent:
    webhook.verified(headers, body, ["older-secret", SECRET], datetime.now(UTC))
    return webhook.event(headers, body, "sandbox")


async def subscribe(world: World, ours: str) -> None:
    async with httpx.AsyncClient() as client:
        told = {"url": f"{ours}/hook", "secret": SECRET}
        (await client.put(f"{world.base}/_sandbox/webhook", json=told)).raise_for_status()


async def test_the_webhook_of_a_payment_is_genuine_and_names_it() -> None:
    async with pushed() as (world, receiver, ours):
        await subscribe(world, ours)
        taken = await world.pay("SO-23")
        headers, body = (await receiver.events(1))[0]

    event = read(headers, body)
    assert (event.kind, event.vendor_tx_code) == ("payment.authorised", "SO-23")
    assert event.transaction_id == taken.transaction_id
    assert event.sequence == 1
    tampered = hmac.new(
        b"guess", headers[webhook.TIMESTAMP].encode() + b"." + body, hashlib.sha256
    ).hexdigest()
    with pytest.raises(webhook.NotGenuine):
        read({**headers, webhook.SIGNATURE: f"v1={tampered}"}, body)


async def test_a_doubled_event_is_one_event_and_a_forged_one_is_none() -> None:
    async with pushed() as (world, receiver, ours):
        await subscribe(world, ours)
        world.sandbox.plan.set_rates({"event-doubled": 1.0, "event-forged": 1.0})
        await world.pay("SO-24")
        seen = list(await receiver.events(3))

    ids, forged = set(), 0
    for headers, body in seen[:3]:
        try:
            ids.add(read(headers, body).event_id)
        except webhook.NotGenuine:
            forged += 1
    assert len(ids) == 1
    assert forged == 1
