"""No card number comes in through any route, and none is anywhere in the database afterwards."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from sqlalchemy import text

from tests.api.office import Office
from tests.api.routes import ROUTES

PAN = "4929000000006"
SPACED = "4929 0000 0000 6"


async def everything(desk: Office) -> str:
    """Every row of every table, as text."""
    found = []
    async with desk.site.engine.connect() as connection:
        names = await connection.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        )
        for name in names.all():
            rows = await connection.scalars(text(f'SELECT t::text FROM "{name}" t'))
            found += [f"{name}: {row}" for row in rows]
        messages = await connection.scalars(text("SELECT convert_from(body, 'UTF8') FROM inbox"))
        found += list(messages)
    return "\n".join(found)


async def test_every_route_that_writes_refuses_a_card_number_before_anything_is_stored(desk: Office) -> None:
    await desk.site.sale("SO-1", 1_000)
    await desk.site.walk()
    odd = []
    for route in ROUTES:
        if route.method == "GET":
            continue
        bodies = [{**(route.body or {}), name: PAN} for name in (route.body or {"note": ""})]
        bodies += [{**(route.body or {}), "more": {"deep": [SPACED]}}, {"securityCode": "123"}]
        for body in bodies:
            answer = await desk.call(route.method, route.at("north"), "north admin", json=body)
            if (answer.status_code, answer.json()["code"]) != (422, "cards.refused") or PAN in answer.text:
                odd.append((route, body, answer.status_code))

    assert odd == []
    stored = await everything(desk)
    assert "SO-1" in stored
    assert PAN not in stored
    assert SPACED not in stored


@pytest.mark.parametrize("hidden", ["49290000\\u00300006", "4929-0000-0000-6", "4929%30000000%306"])
async def test_a_card_number_in_disguise_is_refused_as_well(desk: Office, hidden: str) -> None:
    body = f'{{"code": "a", "subject": "s", "title": "{hidden}"}}'

    answer = await desk.call("POST", "alerts", content=body, headers={"content-type": "application/json"})

    assert answer.json()["code"] == "cards.refused"
    assert hidden not in await everything(desk)


async def test_addresses_and_headers_hold_no_card_number_either(desk: Office) -> None:
    alert = {"code": "a", "subject": "s", "title": "t"}
    for path, headers in (
        ("alerts", {"idempotency-key": PAN}),
        (f"flows/{PAN}/validate", {}),
        (f"flows/payment/validate?x={quote(SPACED)}", {}),
    ):
        answer = await desk.call("POST", path, json=alert, headers=headers)
        assert answer.json()["code"] == "cards.refused", path

    assert PAN not in await everything(desk)


async def test_what_opayo_pushes_is_masked_where_we_would_refuse(desk: Office) -> None:
    body = json.dumps({"cardNumber": PAN}).encode()

    answer = await desk.http.post(f"{desk.url}/webhooks/opayo/north", content=body)

    assert answer.status_code == 401
    assert PAN not in answer.text
    assert PAN not in await everything(desk)


async def test_an_event_whose_id_looks_like_a_card_number_by_chance_is_taken_and_is_taken_once(
    desk: Office,
) -> None:
    event_id = f"evt_{PAN}"
    paid = await desk.site.pay("SO-LUHN", 1000)
    body = json.dumps(
        {
            "eventId": event_id,
            "eventType": "payment.authorised",
            "occurredAt": datetime.now(UTC).isoformat(),
            "transactionId": paid["transactionId"],
            "vendorTxCode": "SO-LUHN",
            "vendorName": "sandbox",
        }
    ).encode()
    stamp = str(int(time.time()))
    digest = hmac.new(b"whsec_test_0123456789", f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "x-opayo-sandbox-event-id": event_id,
        "x-opayo-sandbox-timestamp": stamp,
        "x-opayo-sandbox-signature": f"v1={digest}",
    }

    answers = [
        (await desk.http.post(f"{desk.url}/webhooks/opayo/north", content=body, headers=headers)).json()
        for _ in range(2)
    ]

    assert [answer["new"] for answer in answers] == [True, False]
    assert PAN not in await everything(desk)
