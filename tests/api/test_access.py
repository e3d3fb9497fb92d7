"""Who may do what: on every route, for every role and for the keys of another pair."""

from __future__ import annotations

import dataclasses
import re

from service.store.tables import alerts, api_keys, audit, inbox, payments
from tests.api.office import ROLES, Office
from tests.api.routes import OF_A_PAIR, ROUTES, Route


async def status(desk: Office, route: Route, key: str | None, pair: str = "north") -> int:
    """What a route answers; of a stream, only its beginning is read."""
    headers = {"x-api-key": desk.keys[key]} if key else {}
    stream = desk.http.stream(route.method, f"{desk.url}{route.at(pair)}", headers=headers, json=route.body)
    async with stream as answer:
        return answer.status_code


async def test_the_table_of_routes_is_complete(desk: Office) -> None:
    schema = (await desk.http.get(f"{desk.url}/schema/openapi.json")).json()
    served = {
        (method.upper(), path)
        for path, methods in schema["paths"].items()
        for method in methods
        if not path.startswith("/webhooks") and path != "/health"
    }
    patterns = {(method, re.sub(r"\{(?!pair\})\w+\}", "[^/]+", path)) for method, path in served}

    for method, pattern in sorted(patterns):
        fits = [
            each
            for each in ROUTES
            if each.method == method and re.fullmatch(pattern, each.path.split("?")[0])
        ]
        assert fits, f"{method} {pattern} is in no test of access"
    assert len(ROUTES) == len(served)


async def test_without_a_key_every_route_says_401(desk: Office) -> None:
    codes = [(each, await status(desk, each, None)) for each in ROUTES]

    assert [(route, code) for route, code in codes if code != 401] == []


async def test_every_route_keeps_out_lower_roles_and_lets_in_its_own(desk: Office) -> None:
    odd = []
    for route in ROUTES:
        for role in ROLES:
            key = f"* {role}" if route.path == "/metrics" else f"north {role}"
            code = await status(desk, route, key)
            barred = ROLES.index(role) < ROLES.index(route.role)
            if (code == 403) != barred or code in (401, 500, 501):
                odd.append((role, code, route))

    assert odd == []


async def test_a_foreign_key_gets_404_on_every_route_of_a_pair_and_changes_nothing(desk: Office) -> None:
    await desk.site.sale("SO-1", 1_000)
    before = await desk.rows(audit)

    codes = [(each, await status(desk, each, "south admin")) for each in OF_A_PAIR]

    assert [(route, code) for route, code in codes if code != 404] == []
    assert await desk.rows(audit) == before


async def test_a_pair_that_does_not_exist_is_404_for_the_key_of_every_pair_too(desk: Office) -> None:
    existing = [each for each in OF_A_PAIR if each.method != "PUT"]
    codes = [(each, await status(desk, each, "* admin", "nowhere")) for each in existing]

    assert [(route, code) for route, code in codes if code != 404] == []


async def test_two_pairs_with_equal_codes_and_ids_share_nothing(desk: Office) -> None:
    north, south = desk.site, dataclasses.replace(desk.site, pair="south")
    paid = await north.sale("SO-1", 9_999_999)
    await south.deliver(paid, "SO-1", event_id="evt_1")
    await north.walk()
    await south.walk()

    ours = (await desk.get("payments"))["items"]
    theirs = (await desk.get("/api/v1/pairs/south/payments", "south viewer"))["items"]
    assert [row["transaction_id"] for row in ours] == [row["transaction_id"] for row in theirs]
    assert ours[0]["payment_id"] != theirs[0]["payment_id"]
    foreign = await desk.call("GET", f"payments/{theirs[0]['payment_id']}")
    assert foreign.status_code == 404
    foreign = await desk.call("POST", f"payments/{theirs[0]['payment_id']}/release", json={})
    assert foreign.status_code == 404

    await desk.post(f"payments/{ours[0]['payment_id']}/reject")
    (alert,) = await desk.rows(alerts)
    await desk.post(f"alerts/{alert['alert_id']}/acknowledge")

    assert (await desk.get("/api/v1/pairs/south/payments", "south viewer"))["items"][0]["state"] == "held"
    assert len((await desk.get("/api/v1/pairs/south/alerts", "south viewer"))["items"]) == 1
    for table in (payments, inbox, alerts):
        assert len(await desk.rows(table)) == len(await desk.rows(table, "south")) == 1
    metrics = (await desk.call("GET", "/metrics", "* viewer")).text
    assert 'opayo_syspro_payments{pair="north",state="rejected"} 1.0' in metrics
    assert 'opayo_syspro_payments{pair="south",state="held"} 1.0' in metrics
    assert (await desk.call("GET", "/metrics", "north admin")).status_code == 403


async def test_a_key_is_shown_once_and_revoked_at_once(desk: Office) -> None:
    made = await desk.post("/api/v1/keys", {"name": "till 4", "role": "viewer"})
    listed = await desk.call("GET", "/api/v1/keys")
    assert made["key"] not in listed.text
    assert not [row for row in await desk.rows(api_keys, None) if made["key"].encode() in row["digest"]]

    desk.keys["till"] = made["key"]
    assert (await desk.get("payments", "till"))["items"] == []
    assert (await desk.call("DELETE", f"/api/v1/keys/{made['key_id']}")).status_code == 204

    assert (await desk.call("GET", "payments", "till")).status_code == 401


async def test_an_admin_of_one_pair_neither_sees_makes_nor_revokes_keys_of_another(desk: Office) -> None:
    theirs = [key for key in (await desk.get("/api/v1/keys", "* admin"))["items"] if key["pair"] != "north"]

    assert {key["pair"] for key in (await desk.get("/api/v1/keys"))["items"]} == {"north"}
    wanted = {"name": "x", "role": "admin", "pair": "south"}
    assert (await desk.call("POST", "/api/v1/keys", json=wanted)).status_code == 404
    for key in theirs:
        assert (await desk.call("DELETE", f"/api/v1/keys/{key['key_id']}")).status_code == 404
    made = await desk.post("/api/v1/keys", {"name": "x", "role": "admin"})
    desk.keys["new"] = made["key"]
    assert (await desk.call("GET", "/api/v1/pairs/south/payments", "new")).status_code == 404


async def test_a_key_for_every_pair_names_its_pair_on_the_v3_routes(desk: Office) -> None:
    unnamed = await desk.call("POST", "/api/v3/tokens", "* admin", json={})
    assert (unnamed.status_code, unnamed.json()["code"]) == (400, "pair.not-named")

    named = await desk.call("POST", "/api/v3/tokens", "* admin", json={}, headers={"x-pair": "south"})
    assert named.status_code == 201
    for key, pair in (("north admin", "south"), ("* admin", "nowhere")):
        foreign = await desk.call("POST", "/api/v3/tokens", key, json={}, headers={"x-pair": pair})
        assert foreign.status_code == 404
