"""The v3 routes against Opayo's stand-in: each request reaches the gateway once, and SYSPRO without a webhook."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from integration.ports import Challenge
from service.store.tables import gateway_requests, inbox
from tests.api.office import CARD, Office
from tests.connectors.opayo_world import SCA, bank_says

TRANSACTIONS: dict[str, Any] = {"method": "POST", "path": "/api/v1/transactions"}
REPORTING: dict[str, Any] = {"path": "/access/access.htm"}
V3 = "/api/v3/transactions"


async def at_opayo(desk: Office) -> list[dict[str, Any]]:
    """Opayo's own ledger."""
    answer = await desk.http.get(f"{desk.site.urls['opayo']}/_sandbox/ledger")
    rows: list[dict[str, Any]] = answer.json()["transactions"]
    return rows


async def test_a_payment_taken_here_is_posted_without_a_webhook(desk: Office) -> None:
    await desk.site.order("SO-1", "129.95")

    taken = await desk.paid(12_995, vendorTxCode="SO-1")
    await desk.site.walk()

    assert (taken["state"], taken["amount"], taken["vendorTxCode"]) == ("captured", 12_995, "SO-1")
    assert (await desk.get("inbox"))["items"][0]["source"] == "api"
    assert await desk.site.ar_payments("SO-1") == [12_995]
    read = await desk.get(f"{V3}/{taken['transactionId']}", "north viewer")
    assert (read["vendorTxCode"], read["state"], read["refunded"]) == ("SO-1", "captured", 0)


async def test_a_payment_needs_a_card_identifier_and_a_known_shape(desk: Office) -> None:
    body = await desk.transaction(1_000)

    missing = await desk.call("POST", V3, json={**body, "cardIdentifier": ""})
    extra = await desk.call("POST", V3, json={**body, "colour": "red"})

    assert (missing.status_code, missing.json()["code"]) == (422, "opayo.card-identifier")
    assert (extra.status_code, extra.json()["code"]) == (400, "http.bad-request")
    assert await desk.rows(gateway_requests) == []


async def test_a_vendor_transaction_code_is_used_once(desk: Office) -> None:
    await desk.paid(1_000, vendorTxCode="SO-1")

    answer = await desk.call("POST", V3, json=await desk.transaction(1_000, vendorTxCode="SO-1"))

    assert (answer.status_code, answer.json()["code"]) == (422, "opayo.vendor-tx-code-used")
    assert len(await at_opayo(desk)) == 1


async def test_a_repeated_call_gets_the_payment_of_the_first(desk: Office) -> None:
    body = await desk.transaction(1_000)
    key = {"idempotency-key": "order 1"}
    first = await desk.post(V3, body, headers=key)

    again = await desk.post(V3, body, headers=key)
    by_code = await desk.post(V3, {**body, "vendorTxCode": "SO-2"} | await desk.card(), headers={})
    repeated = await desk.call("POST", V3, json=body, headers={"idempotency-key": "order 1"})

    assert first == again == repeated.json()
    assert by_code["transactionId"] != first["transactionId"]
    assert first["vendorTxCode"].startswith("OS-")
    assert len(await at_opayo(desk)) == 2


async def test_a_lost_answer_is_looked_up_before_anything_is_said(desk: Office) -> None:
    body = await desk.transaction(1_000, vendorTxCode="SO-1")
    await desk.site.fault("opayo", "commit-then-drop", **TRANSACTIONS)

    answer = await desk.call("POST", V3, json=body)

    assert (answer.status_code, answer.json()["state"]) == (201, "captured")
    assert len(await at_opayo(desk)) == 1
    assert [row["source"] for row in await desk.rows(inbox)] == ["api"]


async def test_while_nobody_knows_the_answer_is_202_and_tells_where_to_ask(desk: Office) -> None:
    body = await desk.transaction(1_000, vendorTxCode="SO-1")
    await desk.site.fault("opayo", "commit-then-drop", **TRANSACTIONS)
    await desk.site.fault("opayo", "5xx", times=20, **REPORTING)

    answer = await desk.call("POST", V3, json=body)

    assert (answer.status_code, answer.json()["state"]) == (202, "unknown")
    assert answer.headers["location"] == answer.json()["poll"] == "/api/v3/requests/SO-1"
    await desk.http.delete(f"{desk.site.urls['opayo']}/_sandbox/faults")
    found = await desk.call("GET", answer.headers["location"], "north viewer")
    assert (found.status_code, found.json()["state"]) == (200, "captured")
    repeated = await desk.call("POST", V3, json=body)
    assert repeated.json()["transactionId"] == found.json()["transactionId"]
    assert len(await at_opayo(desk)) == 1
    assert [row["source"] for row in await desk.rows(inbox)] == ["api"]


async def test_what_opayo_does_not_know_after_ten_minutes_has_never_arrived(desk: Office) -> None:
    body = await desk.transaction(1_000, vendorTxCode="SO-1")
    await desk.site.fault("opayo", "drop", **TRANSACTIONS)

    first = await desk.call("POST", V3, json=body)
    soon = await desk.call("POST", V3, json=body)
    async with desk.site.engine.begin() as connection:
        ago = datetime.now(UTC) - timedelta(minutes=11)
        await connection.execute(update(gateway_requests).values(changed_at=ago))
    late = await desk.call("GET", "/api/v3/requests/SO-1")

    assert (first.status_code, soon.status_code) == (202, 202)
    assert (late.status_code, late.json()["code"]) == (422, "opayo.never-arrived")
    assert await at_opayo(desk) == []


async def test_what_was_never_taken_may_be_sent_again_under_its_code(desk: Office) -> None:
    body = await desk.transaction(1_000, vendorTxCode="SO-1")
    works, desk.switches["opayo"].app = desk.switches["opayo"].app, _closed
    failed = await desk.call("POST", V3, json=body)
    desk.switches["opayo"].app = works

    again = await desk.call("POST", V3, json=body)

    assert failed.status_code == 503
    assert (again.status_code, again.json()["vendorTxCode"]) == (201, "SO-1")
    assert len(await at_opayo(desk)) == 1


async def _closed(scope: Any, receive: Any, send: Any) -> None:
    """An Opayo that does not know our key and password."""
    body = b'{"description": "Authentication failed", "code": 1002}'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize("many", [10, pytest.param(50, marks=pytest.mark.soak)])
async def test_refunds_at_once_never_exceed_the_capture(desk: Office, many: int) -> None:
    taken = await desk.paid(1_000)
    where = f"{V3}/{taken['transactionId']}/refunds"
    part = {"amount": 1_000 // (many * 6 // 10), "description": "Too many hearts"}

    answers = await asyncio.gather(*(desk.call("POST", where, json=part) for _ in range(many)))

    given = [each.json() for each in answers if each.status_code == 201]
    refused = [each.json()["code"] for each in answers if each.status_code == 422]
    assert len(given) == 1_000 // part["amount"]  # type: ignore[operator]
    assert len(given) + len(refused) == many
    assert set(refused) == {"opayo.refund-exceeds-payment"}
    row = next(row for row in await at_opayo(desk) if row["transactionId"] == taken["transactionId"])
    assert row["refunded"] == sum(each["amount"] for each in given) <= 1_000
    assert (await desk.get(f"{V3}/{taken['transactionId']}"))["refunded"] == row["refunded"]


async def test_a_refund_whose_answer_was_lost_is_given_once(desk: Office) -> None:
    taken = await desk.paid(1_000)
    where = f"{V3}/{taken['transactionId']}/refunds"
    body = {"amount": 600, "description": "A broken heart", "vendorTxCode": "RF-1"}
    await desk.site.fault("opayo", "commit-then-drop", **TRANSACTIONS)

    first = await desk.call("POST", where, json=body)
    second = await desk.call("POST", where, json=body)
    more = await desk.call("POST", where, json={"amount": 401, "description": "x"})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["transactionId"] == second.json()["transactionId"]
    assert more.json()["code"] == "opayo.refund-exceeds-payment"
    assert sorted(row["refunded"] for row in await at_opayo(desk)) == [0, 600]


async def test_a_refund_that_opayo_refuses_does_not_count(desk: Office) -> None:
    taken = await desk.paid(1_000, transactionType="Deferred")

    early = await desk.call(
        "POST", f"{V3}/{taken['transactionId']}/refunds", json={"amount": 1_000, "description": "x"}
    )

    assert (taken["state"], early.status_code) == ("held", 422)
    assert (await desk.get(f"{V3}/{taken['transactionId']}"))["refunded"] == 0


async def test_a_released_hold_is_posted_and_an_aborted_one_never(desk: Office) -> None:
    for code in ("SO-1", "SO-2"):
        await desk.site.order(code, "10.00")
    one, two = [
        await desk.paid(1_000, vendorTxCode=code, transactionType="Deferred") for code in ("SO-1", "SO-2")
    ]
    await desk.site.walk()
    assert [row["state"] for row in (await desk.get("payments"))["items"]] == ["received", "received"]

    await desk.post(f"{V3}/{one['transactionId']}/instructions", {"instructionType": "release"})
    await desk.post(f"{V3}/{two['transactionId']}/instructions", {"instructionType": "abort"})
    await desk.site.walk()

    states = {row["vendor_tx_code"]: row["state"] for row in (await desk.get("payments"))["items"]}
    assert states["SO-2"] == "ignored"
    assert states["SO-1"] == "confirmed"
    assert (await at_opayo(desk))[0]["captured"] == 1_000


async def test_a_challenged_payment_is_taken_after_the_bank_has_agreed(desk: Office) -> None:
    await desk.site.order("SO-1", "10.00")
    body = await desk.transaction(1_000, vendorTxCode="SO-1", name="CHALLENGE")

    asked = await desk.call("POST", V3, json={**body, **SCA})
    told = asked.json()
    assert (asked.status_code, (await desk.get("inbox"))["items"]) == (202, [])
    challenge = Challenge(transaction_id=told["transactionId"], acs_url=told["acsUrl"], creq=told["cReq"])
    c_res = await bank_says(challenge, "challenge")
    done = await desk.post(f"{V3}/{told['transactionId']}/3d-secure-challenge", {"cRes": c_res})
    await desk.site.walk()

    assert (done["state"], done["vendorTxCode"]) == ("captured", "SO-1")
    assert await desk.site.ar_payments("SO-1") == [1_000]


async def test_a_token_is_saved_by_a_first_customer_present_payment(desk: Office) -> None:
    body = {**await desk.transaction(1_000), **SCA}

    saved = await desk.post("/api/v3/tokens", {"transaction": body})

    assert saved["cardIdentifier"] == body["cardIdentifier"]
    assert saved["transaction"]["state"] == "captured"
    session = (await desk.post("/api/v3/tokens"))["merchantSessionKey"]
    reuse = {**body, "merchantSessionKey": session, "reusable": True}
    reuse["credentialType"] = {"cofUsage": "Subsequent", "initiatedType": "CIT"}
    assert (await desk.post(V3, reuse))["state"] == "captured"


async def test_a_hosted_payment_seals_its_key_before_the_shopper_is_sent_away(desk: Office) -> None:
    body = await desk.transaction(1_000, vendorTxCode="SO-1", hosted=True)

    made = await desk.post(V3, body)
    again = await desk.post(V3, body)

    assert made == again
    assert made["nextUrl"].startswith("http")
    (row,) = await desk.rows(gateway_requests)
    assert (row["state"], bool(row["security_key"])) == ("answered", True)
    assert set(made) == {"transactionId", "vendorTxCode", "nextUrl"}


async def test_a_hosted_payment_comes_back_by_its_notification_and_is_posted(desk: Office) -> None:
    await desk.site.order("SO-1", "10.00")
    made = await desk.post(V3, await desk.transaction(1_000, vendorTxCode="SO-1", hosted=True))

    paid = {"vpsTxId": made["transactionId"], **CARD, "cardholderName": "SUCCESSFUL"}
    answer = await desk.http.post(f"{desk.site.urls['opayo']}/_sandbox/server/pay", json=paid)
    await desk.site.walk()

    assert (answer.json()["status"], answer.json()["redirectUrl"]) == ("Ok", f"{desk.url}/health")
    assert [row["source"] for row in await desk.rows(inbox)] == ["notification"]
    assert await desk.site.ar_payments("SO-1") == [1_000]
