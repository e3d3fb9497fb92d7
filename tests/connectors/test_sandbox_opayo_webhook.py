"""The JSON webhook of the Opayo stand-in, which is ours: signed, retried, and faulty to order."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from integration.sandbox.opayo import OpayoSandboxConfig
from integration.sandbox.opayo.webhook import retry_delay, sign
from tests.connectors.opayo_client import Merchant, merchant
from tests.connectors.serving import served

SECRET = "whsec_of_the_test"


class Inbox:
    """A subscriber that keeps what it gets and answers what it is told to."""

    def __init__(self) -> None:
        self.genuine: list[dict[str, Any]] = []
        self.forged: list[dict[str, Any]] = []
        self.answers: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = (await receive())["body"]
        headers = dict(scope["headers"])
        stamp = headers[b"x-opayo-sandbox-timestamp"]
        wanted = hmac.new(SECRET.encode(), stamp + b"." + body, hashlib.sha256).hexdigest()
        true = headers[b"x-opayo-sandbox-signature"].decode() == f"v1={wanted}"
        event = json.loads(body)
        assert headers[b"x-opayo-sandbox-event-id"].decode() == event["eventId"]
        assert abs(time.time() - int(stamp)) < 300
        status = 200 if true else 401
        if true and self.answers:
            status = self.answers.pop(0)
        elif true:
            self.genuine.append(event)
        else:
            self.forged.append(event)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def subscribed(pace: float = 1.0) -> AsyncIterator[tuple[Merchant, Inbox]]:
    inbox = Inbox()
    async with served(inbox) as url, merchant(OpayoSandboxConfig(pace=pace)) as shop:
        await shop.http.put("/_sandbox/webhook", json={"url": f"{url}/hook", "secret": SECRET})
        yield shop, inbox


async def events(shop: Merchant) -> dict[str, int]:
    while True:
        counts: dict[str, int] = (await shop.http.get("/_sandbox/ledger")).json()["events"]
        if not counts["pending"]:
            return counts
        await asyncio.sleep(0.02)


def test_the_signature_meets_its_vector() -> None:
    body = (
        b'{"eventId":"evt_0001","eventType":"payment.authorised","occurredAt":"2025-06-01T09:30:00.000Z",'
        b'"transactionId":"DB79BA2D-05DA-5B85-D188-1293D16BBAC7","vendorTxCode":"INV-1001-A1"}'
    )
    wanted = "d2c3631234ae759b0f94539c5e7e5438fdd37e647794554e9ea2a617a96ed01b"
    assert sign("whsec_test_0123456789", 1748770200, body) == wanted


def test_retries_wait_1_5_15_60_minutes_then_hourly_for_a_day() -> None:
    waits: list[float] = []
    waited = 0.0
    while (delay := retry_delay(len(waits) + 1, waited)) is not None:
        waits.append(delay)
        waited += delay
    assert waits[:5] == [1, 5, 15, 60, 60]
    assert 23 * 60 < waited <= 24 * 60


async def test_every_change_of_a_payment_is_told_in_sequence() -> None:
    async with subscribed() as (shop, inbox):
        held = (await shop.sell("INV-1", 1000, transactionType="Deferred")).json()["transactionId"]
        await shop.instruct(held, "release", amount=700)
        await shop.follow("Refund", "INV-1-R1", 200, held)
        await shop.sell("INV-2", number="4929602110085639")
        await shop.http.post("/_sandbox/clock", json={"advance_seconds": 2 * 86400})
        await events(shop)
        told = {(one["vendorTxCode"], one["eventType"]): one for one in inbox.genuine}
        assert set(told) == {
            ("INV-1", "payment.deferred"),
            ("INV-1", "payment.released"),
            ("INV-1", "payment.settled"),
            ("INV-1-R1", "payment.refunded"),
            ("INV-1-R1", "payment.settled"),
            ("INV-2", "payment.declined"),
        }
        released = told["INV-1", "payment.released"]
        assert (released["amount"], released["sequence"], released["currency"]) == (700, 2, "GBP")
        assert told["INV-1-R1", "payment.refunded"]["referenceTransactionId"] == held
        assert told["INV-2", "payment.declined"]["status"] == "NotAuthed"
        assert list(released) == [
            "eventId",
            "eventType",
            "occurredAt",
            "vendorName",
            "transactionId",
            "vendorTxCode",
            "transactionType",
            "amount",
            "currency",
            "status",
            "statusCode",
            "referenceTransactionId",
            "sequence",
        ]


async def test_an_event_refused_is_sent_again_until_it_is_taken() -> None:
    async with subscribed(pace=3000) as (shop, inbox):
        inbox.answers = [503, 404]
        await shop.sell("INV-1")
        counts = await events(shop)
        assert (counts["sent"], counts["failed"]) == (1, 2)
        assert len(inbox.genuine) == 1


async def test_an_event_is_kept_while_nobody_listens() -> None:
    async with merchant(OpayoSandboxConfig(pace=3000)) as shop:
        inbox = Inbox()
        async with served(inbox) as url:
            port = int(url.rsplit(":", 1)[1])
        await shop.http.put("/_sandbox/webhook", json={"url": f"{url}/hook", "secret": SECRET})
        await shop.sell("INV-1")
        async with served(inbox, port=port):
            counts = await events(shop)
        assert counts["failed"] >= 1
        assert [one["vendorTxCode"] for one in inbox.genuine] == ["INV-1"]


async def test_events_are_doubled_and_forged_to_order() -> None:
    async with subscribed() as (shop, inbox):
        for fault in ("event-doubled", "event-forged"):
            await shop.http.post("/_sandbox/faults", json={"fault": fault})
        await shop.sell("INV-1")
        await shop.sell("INV-2")
        counts = await events(shop)
        assert (counts["doubled"], counts["forged"], counts["forged_refused"]) == (1, 1, 1)
        ids = [one["eventId"] for one in inbox.genuine]
        assert (len(ids), len(set(ids))) == (3, 2)
        ledger = await shop.ledger()
        assert inbox.forged[0]["transactionId"] not in {row["transactionId"] for row in ledger.values()}


async def test_a_reordered_event_comes_after_its_successor() -> None:
    async with subscribed() as (shop, inbox):
        await shop.http.post("/_sandbox/faults", json={"fault": "event-reordered"})
        held = (await shop.sell("INV-1", transactionType="Deferred")).json()["transactionId"]
        await shop.instruct(held, "abort")
        counts = await events(shop)
        assert counts["reordered"] == 1
        assert [one["sequence"] for one in inbox.genuine] == [2, 1]


async def test_a_delayed_event_arrives_late_but_arrives() -> None:
    async with subscribed() as (shop, inbox):
        await shop.http.put("/_sandbox/faults/rates", json={"rates": {}, "slow_seconds": 0.05})
        await shop.http.post("/_sandbox/faults", json={"fault": "event-delayed"})
        await shop.sell("INV-1")
        counts = await events(shop)
        assert (counts["delayed"], counts["sent"]) == (1, 1)
        assert len(inbox.genuine) == 1


async def test_no_card_number_is_kept_anywhere() -> None:
    async with subscribed() as (shop, inbox):
        await shop.sell("INV-1")
        await events(shop)
        kept = repr(vars(shop.sandbox.parts.store)) + json.dumps(inbox.genuine)
        assert "4929000000006" not in kept
        assert "0006" in kept
