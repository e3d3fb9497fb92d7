"""What a person watches: alerts, lanes, pairs, health, and events as they happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from service.store.tables import audit
from tests.api.office import Office
from tests.flow.site import pair_settings


async def test_an_alert_is_raised_counted_acknowledged_and_gone(desk: Office) -> None:
    new = {"code": "shop.slow", "subject": "shop", "title": "The shop is slow", "severity": "critical"}
    await desk.post("alerts", new, "north operator")
    await desk.post("alerts", new)

    (alert,) = (await desk.get("alerts", "north viewer"))["items"]
    assert (alert["times"], alert["severity"]) == (2, "critical")
    await desk.post(f"alerts/{alert['alert_id']}/acknowledge")

    assert (await desk.get("alerts"))["items"] == []
    (seen,) = (await desk.get("alerts", params={"acknowledged": "true"}))["items"]
    assert seen["acknowledged_by"] == "north admin"
    gone = await desk.call("POST", f"alerts/{alert['alert_id']}/acknowledge")
    assert gone.status_code == 404


async def test_a_paused_lane_keeps_what_is_due_and_a_resumed_one_goes_on(desk: Office) -> None:
    lane = {"lane": "north/post/OPAYO1", "reason": "Month end"}
    await desk.post("lanes/pause", lane, "north operator")
    await desk.site.sale("SO-1", 1_000)
    await desk.site.walk()

    lanes = {each["lane"]: each for each in (await desk.get("lanes"))["items"]}
    posting = lanes["north/post/OPAYO1"]
    assert (posting["paused"], posting["reason"], posting["waiting"]) == (True, "Month end", 1)
    assert await desk.site.ar_payments("SO-1") == []

    await desk.post("lanes/resume", {"lane": "north/post/OPAYO1"})
    await desk.site.walk()
    assert await desk.site.ar_payments("SO-1") == [1_000]


async def test_a_pair_is_saved_and_its_secrets_never_come_out(desk: Office) -> None:
    settings = pair_settings("third", *(desk.site.urls[each] for each in ("opayo", "syspro", "shop")))
    body = msgspec.to_builtins(settings)

    made = await desk.call("PUT", "/api/v1/pairs/third", "* admin", json=body)
    assert made.status_code == 200
    kept = {**body, "opayo": {**body["opayo"], "integration_password": ""}, "name": "Renamed"}
    saved = await desk.call("PUT", "/api/v1/pairs/third", "* admin", json=kept)

    assert (saved.json()["name"], "north" in saved.text) == ("Renamed", False)
    for secret in ("sandbox-integration-password", "S3cret-Pw", "whsec_", "sandbox-1"):
        assert secret not in saved.text
    flows = (await desk.get("/api/v1/pairs/third/flows", "* viewer"))["items"]
    assert {row["name"] for row in flows if row["live"]} >= {"payment", "order_to_cash"}
    # The password that was left empty is still the old one: Opayo takes it.
    token = await desk.call("POST", "/api/v3/tokens", "* admin", json={}, headers={"x-pair": "third"})
    assert token.status_code == 201
    wrong = await desk.call("PUT", "/api/v1/pairs/third", "* admin", json={**body, "pair": "fourth"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "pair.name")


async def test_what_waits_on_the_lane_of_an_operator_who_left_is_posted_by_another(desk: Office) -> None:
    await desk.post("lanes/pause", {"lane": "north/post/OPAYO1"})
    await desk.site.sale("SO-1", 1_000)
    await desk.site.walk()
    right = pair_settings("north", *(desk.site.urls[each] for each in ("opayo", "syspro", "shop")))
    body = msgspec.to_builtins(right)
    others = {**body["syspro"], "operators": [{"operator": "OPAYO2", "password": "sandbox-2"}]}

    moved = await desk.call("PUT", "/api/v1/pairs/north", json={**body, "syspro": others})
    lanes = [each["lane"] for each in (await desk.get("lanes"))["items"]]
    desk.site.stages.forget("north")
    await desk.site.walk()
    back = await desk.call("PUT", "/api/v1/pairs/north", json=body)

    assert (moved.status_code, back.status_code) == (200, 200)
    assert lanes == ["north/screening", "north/post/OPAYO2"]
    assert await desk.site.ar_payments("SO-1") == [1_000]


async def test_health_needs_no_key_and_a_body_has_its_limit(desk: Office) -> None:
    healthy = await desk.http.get(f"{desk.url}/health")
    assert (healthy.status_code, healthy.json()["ready"]) == (200, True)

    large = await desk.call("POST", "alerts", content=b"x" * 1_100_000)
    assert (large.status_code, large.json()["status"]) == (413, 413)


async def events(desk: Office, last: str = "") -> AsyncIterator[tuple[str, str]]:
    """Id and name of each event of north's stream."""
    headers = {"x-api-key": desk.keys["north viewer"], **({"last-event-id": last} if last else {})}
    found: dict[str, str] = {}
    async with desk.http.stream("GET", f"{desk.url}/api/v1/pairs/north/live", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for text in answer.aiter_lines():
            if text.startswith(": ready"):
                yield "", "ready"
            name, _, value = text.partition(": ")
            if name:
                found[name] = value
            elif "id" in found:
                yield found["id"], found["event"]
                found = {}


async def test_events_come_as_they_happen_and_a_stream_resumes_where_it_was_cut(desk: Office) -> None:
    async with asyncio.timeout(20):
        stream = events(desk)
        assert (await anext(stream))[1] == "ready"
        await asyncio.sleep(0.1)
        for lane in ("north/screening", "north/post/OPAYO1"):
            await desk.post("lanes/pause", {"lane": lane})
        south = {"lane": "south/screening"}
        await desk.post("/api/v1/pairs/south/lanes/pause", south, "south admin")
        first = await anext(stream)
        assert first[1] == "lane.paused"
        await stream.aclose()  # type: ignore[attr-defined]
        await desk.post("lanes/resume", {"lane": "north/screening"})

        resumed = events(desk, last=first[0])
        assert (await anext(resumed))[1] == "ready"
        names = [(await anext(resumed))[1] for _ in range(2)]
        await resumed.aclose()  # type: ignore[attr-defined]

    assert names == ["lane.paused", "lane.resumed"]
    assert len(await desk.rows(audit)) == 3
