"""Subscribing over the API: who may, where to, with which secret; tests, deliveries and replays."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import text

from service.core.events import Event
from service.flow import deliver
from service.store import deliveries, events
from service.store.deliveries import New
from service.store.tables_events import subscribers
from tests.api.office import Office
from tests.flow.site import pair_settings
from tests.journeys.listener import Listener, genuine, listening

SIGNATURE = "x-opayo-syspro-signature"


@pytest.fixture
async def till() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener


async def made(desk: Office, till: Listener, types: list[str]) -> dict[str, str]:
    wanted = {"name": "till", "url": till.url, "types": types}
    answer: dict[str, str] = await desk.post("subscribers", wanted)
    return answer


async def alert(desk: Office, code: str) -> None:
    await desk.post("alerts", {"code": code, "subject": "s", "title": "t"})


async def turn(desk: Office) -> None:
    desk.site.stages.forget("north")
    await deliver.deliver(desk.site.stages, "north")


async def test_a_subscriber_is_made_tested_changed_and_ended(desk: Office, till: Listener) -> None:
    new = await made(desk, till, ["alert.*"])
    pinged = await desk.post(f"subscribers/{new['subscriber']}/ping", key="north operator")
    assert (pinged["status"], pinged["error"]) == (204, "")
    assert till.heard[0]["type"] == "subscription.ping"
    assert genuine(till.headers[0][SIGNATURE], till.bodies[0], new["secret"])

    changed = await desk.call("PATCH", f"subscribers/{new['subscriber']}", json={"paused": True})
    assert changed.json()["paused"] is True
    assert (await desk.get("subscribers", "north viewer"))["items"][0]["name"] == "till"
    await desk.call("DELETE", f"subscribers/{new['subscriber']}")
    assert (await desk.get("subscribers"))["items"] == []


async def test_the_secret_is_sealed_and_never_shown_again(desk: Office, till: Listener) -> None:
    new = await made(desk, till, ["*"])
    shown = await desk.call("GET", f"subscribers/{new['subscriber']}")
    assert new["secret"] not in shown.text
    [row] = await desk.rows(subscribers)
    assert new["secret"] not in str(row)


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.216.34/hook",
        "https://127.0.0.2:9/hook",
        "https://10.0.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://[64:ff9b::a00:1]/hook",
        "https://user:word@example.com/hook",
        "ftp://example.com/hook",
        "https:///hook",
    ],
)
async def test_only_public_https_addresses_are_called_unless_a_network_is_allowed(
    desk: Office, url: str
) -> None:
    answer = await desk.call("POST", "subscribers", json={"name": "x", "url": url, "types": ["*"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "subscriber.address")


async def test_a_type_that_does_not_exist_is_refused(desk: Office, till: Listener) -> None:
    wanted = {"name": "x", "url": till.url, "types": ["order.*", "order.eaten"]}
    answer = await desk.call("POST", "subscribers", json=wanted)
    assert (answer.status_code, answer.json()["code"]) == (422, "subscriber.type")


async def test_an_alert_is_told_once_however_often_it_is_raised(desk: Office, till: Listener) -> None:
    await alert(desk, "before.anybody")
    await made(desk, till, ["alert.raised"])
    await alert(desk, "shop.slow")
    await alert(desk, "shop.slow")
    await turn(desk)
    assert [each["data"]["code"] for each in till.taken] == ["shop.slow"]


async def test_during_a_change_of_secrets_both_sign(desk: Office, till: Listener) -> None:
    new = await made(desk, till, ["alert.*"])
    path = f"subscribers/{new['subscriber']}/rotate"
    rotated = await desk.post(path)
    await alert(desk, "a.b")
    await turn(desk)
    header, body = till.headers[-1][SIGNATURE], till.bodies[-1]
    assert genuine(header, body, new["secret"])
    assert genuine(header, body, rotated["secret"])

    await desk.post(path, {"finish": True})
    await alert(desk, "c.d")
    await turn(desk)
    header, body = till.headers[-1][SIGNATURE], till.bodies[-1]
    assert not genuine(header, body, new["secret"])
    assert genuine(header, body, rotated["secret"])


async def test_one_or_all_since_a_time_are_sent_once_more_with_their_ids(
    desk: Office, till: Listener
) -> None:
    new = await made(desk, till, ["alert.*"])
    for code in ("a.b", "c.d"):
        await alert(desk, code)
    await turn(desk)
    [last, first] = (await desk.get("deliveries", params={"status": "delivered"}))["items"]
    assert first["tries"][0]["status"] == 204

    await desk.post(f"deliveries/{first['delivery_id']}/replay", key="north operator")
    await turn(desk)
    assert [each["data"]["code"] for each in till.taken] == ["a.b", "c.d", "a.b"]
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    done = await desk.post(
        f"subscribers/{new['subscriber']}/replay", {"since": since, "type": "alert.raised"}
    )
    assert done["deliveries"] == 2
    await turn(desk)
    assert [each["data"]["code"] for each in till.taken[3:]] == ["a.b", "c.d"]
    assert len({each["id"] for each in till.taken}) == 2
    assert len((await desk.get("deliveries"))["items"]) == 2
    assert last["event_id"] != first["event_id"]


async def test_a_later_subscriber_hears_of_earlier_events_by_a_replay(desk: Office, till: Listener) -> None:
    await made(desk, till, ["alert.*"])
    await alert(desk, "a.b")
    await turn(desk)
    async with listening() as late:
        new = await made(desk, late, ["alert.*"])
        await turn(desk)
        assert late.heard == []
        since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        await desk.post(f"subscribers/{new['subscriber']}/replay", {"since": since})
        await turn(desk)
        assert [each["data"]["code"] for each in late.taken] == ["a.b"]


async def test_a_status_that_we_told_the_shop_is_not_taken_for_news_when_it_comes_back(desk: Office) -> None:
    settings = pair_settings("north", *(desk.site.urls[each] for each in ("opayo", "syspro", "shop")))
    assert settings.shop is not None
    shop = msgspec.structs.replace(settings.shop, kind="generic", statuses={"order.dispatched": "completed"})
    saved = msgspec.to_builtins(msgspec.structs.replace(settings, shop=shop))
    assert (await desk.call("PUT", "/api/v1/pairs/north", json=saved)).is_success
    now = datetime.now(UTC)
    event = Event(
        event_id="1",
        type="order.dispatched",
        subject="order/1",
        data={"order_reference": "88123"},
        happened_at=now,
    )
    async with desk.site.engine.begin() as connection:
        await events.add(connection, "north", [event])
        new = New(pair="north", subscriber="shop", event_seq=1, subject="order/1", due_at=now)
        await deliveries.add(connection, [new])
        await connection.execute(text("UPDATE deliveries SET state = 'delivered', done_at = now()"))

    told = {"event_id": "e-1", "event": "order.updated", "reference": "88123", "payment_reference": "SO-1"}
    assert await _says(desk, {**told, "status": "completed"}) is False
    assert await _says(desk, {**told, "event_id": "e-2", "status": "processing"}) is True
    assert await _says(desk, {**told, "event_id": "e-3", "reference": "9", "status": "completed"}) is True
    settings.shop.statuses.clear()
    await desk.call("PUT", "/api/v1/pairs/north", json=msgspec.to_builtins(settings))


async def _says(desk: Office, event: dict[str, str]) -> bool:
    """Whether what the shop says is taken for news."""
    body = json.dumps(event).encode()
    mark = hmac.new(b"whsec_shop_0123456789", body, hashlib.sha256).hexdigest()
    answer = await desk.http.post(
        f"{desk.url}/webhooks/shop/north", content=body, headers={"x-storefront-signature": mark}
    )
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["new"])


async def test_subscribers_of_another_pair_hear_nothing(desk: Office, till: Listener) -> None:
    wanted = {"name": "till", "url": till.url, "types": ["*"]}
    await desk.post("/api/v1/pairs/south/subscribers", wanted, "south admin")
    await alert(desk, "a.b")
    await turn(desk)
    await deliver.deliver(desk.site.stages, "south")
    assert till.heard == []
