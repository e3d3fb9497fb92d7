"""Life cycles of the Opayo stand-in: challenges, rules, refunds, voids, holds, checks, saved cards."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from tests.connectors.opayo_client import SCA, Merchant, merchant


async def challenge_result(shop: Merchant, body: dict[str, Any], password: str) -> str:
    page = await shop.http.post(body["acsUrl"], data={"creq": body["cReq"], "threeDSSessionData": "c3RhdGU="})
    assert "challenge" in page.text
    done = await shop.http.post(body["acsUrl"], data={"creq": body["cReq"], "password": password})
    assert str(SCA["notificationURL"]) in done.text
    found = re.search('name="cres" value="([^"]+)"', done.text)
    assert found is not None
    return found.group(1)


async def challenged(shop: Merchant, code: str) -> dict[str, Any]:
    answer = await shop.sell(code, name="CHALLENGE", apply3DSecure="Force", strongCustomerAuthentication=SCA)
    assert answer.status_code == 202
    body: dict[str, Any] = answer.json()
    assert (body["statusCode"], body["status"]) == ("2021", "3DAuth")
    assert "transactionType" not in body
    creq = json.loads(base64.urlsafe_b64decode(body["cReq"] + "=="))
    assert creq["messageType"] == "CReq"
    return body


async def test_a_challenge_passed_authorises_once() -> None:
    async with merchant() as shop:
        body = await challenged(shop, "INV-1")
        assert (await shop.ledger())["INV-1"]["captured"] == 0
        cres = await challenge_result(shop, body, "challenge")
        path = f"transactions/{body['transactionId']}/3d-secure-challenge"
        done = await shop.post(path, {"cRes": cres})
        assert done.status_code == 201
        assert (done.json()["status"], done.json()["3DSecure"]["status"]) == ("Ok", "Authenticated")
        again = await shop.post(path, {"cRes": cres})
        assert (again.status_code, again.json()["statusCode"]) == (422, "5086")
        assert (await shop.ledger())["INV-1"]["captured"] == 1999


async def test_a_challenge_failed_is_rejected_without_a_transaction_type() -> None:
    async with merchant() as shop:
        body = await challenged(shop, "INV-1")
        cres = await challenge_result(shop, body, "wrong")
        done = await shop.post(f"transactions/{body['transactionId']}/3d-secure-challenge", {"cRes": cres})
        assert done.status_code == 201
        assert (done.json()["status"], done.json()["statusCode"]) == ("Rejected", "2001")
        assert "transactionType" not in done.json()
        assert done.json()["amount"]["totalAmount"] == 1999


async def test_a_challenge_is_too_late_after_twenty_minutes() -> None:
    async with merchant() as shop:
        body = await challenged(shop, "INV-1")
        cres = await challenge_result(shop, body, "challenge")
        await shop.http.post("/_sandbox/clock", json={"advance_seconds": 1201})
        late = await shop.post(f"transactions/{body['transactionId']}/3d-secure-challenge", {"cRes": cres})
        assert late.status_code == 422
        assert (await shop.report("getTransactionDetail", vendortxcode="INV-1")).findtext("txstateid") == "8"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("SUCCESSFUL", "Ok", "0000"), ("PROOFATTEMPT", "Ok", "0000"), ("NOTAUTH", "Rejected", "4026")],
)
async def test_magic_names_steer_3d_secure_of_the_strict_vendor(name: str, status: str, code: str) -> None:
    async with merchant(strict=True) as shop:
        body = (await shop.sell("INV-1", name=name, strongCustomerAuthentication=SCA)).json()
        assert (body["status"], body["statusCode"]) == (status, code)
        if code == "4026":
            assert set(body) == {"status", "statusCode", "statusDetail", "transactionId"}


async def test_the_strict_vendor_rejects_an_address_that_does_not_match() -> None:
    async with merchant(strict=True) as shop:
        address = {"address1": "12 Elm", "city": "London", "postalCode": "N1 9GU", "country": "GB"}
        body = (await shop.sell("INV-1", billingAddress=address, strongCustomerAuthentication=SCA)).json()
        assert (body["status"], body["statusCode"], body["bankResponseCode"]) == ("Rejected", "2001", "00")
        assert body["avsCvcCheck"]["status"] == "SecurityCodeMatchOnly"


async def test_refunds_never_exceed_what_was_taken() -> None:
    async with merchant() as shop:
        original = (await shop.sell("INV-1", 1000)).json()["transactionId"]
        first = await shop.follow("Refund", "INV-1-R1", 600, original)
        assert first.status_code == 201
        assert first.json()["transactionType"] == "Refund"
        assert first.json()["transactionId"] != original
        over = await shop.follow("Refund", "INV-1-R2", 401, original)
        assert (over.status_code, over.json()["code"]) == (403, 1018)
        assert (await shop.follow("Refund", "INV-1-R2", 400, original)).status_code == 201
        ledger = await shop.ledger()
        assert (ledger["INV-1"]["captured"], ledger["INV-1"]["refunded"]) == (1000, 1000)
        assert ledger["INV-1-R1"]["referenceTransactionId"] == original


async def test_a_void_is_for_the_same_uk_day_and_reads_2005_with_status_ok() -> None:
    async with merchant() as shop:
        await shop.http.post("/_sandbox/clock", json={"now": "2025-06-02T09:00:00Z"})
        first = (await shop.sell("INV-1")).json()["transactionId"]
        done = await shop.instruct(first, "void")
        assert done.status_code == 201
        assert done.json()["instructionType"] == "void"
        assert done.json()["date"].endswith("+01:00")
        read: dict[str, Any] = (await shop.get(f"transactions/{first}")).json()
        assert (read["status"], read["statusCode"], read["retrievalReference"]) == ("Ok", "2005", 0)
        second = (await shop.sell("INV-2")).json()["transactionId"]
        await shop.http.post("/_sandbox/clock", json={"now": "2025-06-03T09:00:00Z"})
        late = await shop.instruct(second, "void")
        assert (late.status_code, late.json()["code"]) == (403, 1017)
        none = await shop.get(f"transactions/{second}/instructions")
        assert (none.status_code, none.json()["code"]) == (404, 1019)


async def test_a_hold_is_released_once_up_to_its_amount_or_aborted() -> None:
    async with merchant() as shop:
        held = (await shop.sell("INV-1", 1000, transactionType="Deferred")).json()["transactionId"]
        over = await shop.instruct(held, "release", amount=1001)
        assert (over.status_code, over.json()["code"]) == (403, 1021)
        assert (await shop.instruct(held, "release", amount=700)).status_code == 201
        again = await shop.instruct(held, "release", amount=100)
        assert (again.status_code, again.json()["code"]) == (403, 1014)
        other = (await shop.sell("INV-2", 1000, transactionType="Deferred")).json()["transactionId"]
        assert (await shop.instruct(other, "abort")).status_code == 201
        assert (await shop.get(f"transactions/{other}")).json()["statusCode"] == "2006"
        ledger = await shop.ledger()
        assert (ledger["INV-1"]["captured"], ledger["INV-2"]["captured"]) == (700, 0)


async def test_an_authenticate_is_authorised_up_to_115_percent() -> None:
    async with merchant() as shop:
        registered = (await shop.sell("INV-0", 1000, transactionType="Authenticate")).json()
        assert (registered["status"], registered["statusCode"]) == ("Registered", "2011")
        assert not {"paymentMethod", "retrievalReference", "avsCvcCheck"} & set(registered)
        checked = await shop.sell(
            "INV-1",
            1000,
            transactionType="Authenticate",
            apply3DSecure="Force",
            strongCustomerAuthentication=SCA,
        )
        assert (checked.json()["status"], checked.json()["statusCode"]) == ("Authenticated", "2010")
        identifier = checked.json()["transactionId"]
        first = (await shop.follow("Authorise", "INV-1-1", 600, identifier)).json()
        assert "cardIdentifier" not in first["paymentMethod"]["card"]
        over = await shop.follow("Authorise", "INV-1-2", 551, identifier)
        assert over.json()["statusCode"] == "4044"
        assert (await shop.follow("Authorise", "INV-1-2", 550, identifier)).status_code == 201
        assert (await shop.instruct(identifier, "cancel")).status_code == 403
        assert (await shop.instruct(registered["transactionId"], "cancel")).status_code == 201


async def test_a_saved_card_is_used_again_and_repeated() -> None:
    first_use = {"cofUsage": "First", "initiatedType": "CIT"}
    async with merchant() as shop:
        saved = (await shop.sell("INV-1", card={"save": True}, credentialType=first_use)).json()
        card = saved["paymentMethod"]["card"]
        assert card["reusable"] is True
        body = await shop.sale_body("INV-2", 500, credentialType={**first_use, "cofUsage": "Subsequent"})
        body["paymentMethod"]["card"] |= {"cardIdentifier": card["cardIdentifier"], "reusable": True}
        assert (await shop.post("transactions", body)).status_code == 201
        mit = {"cofUsage": "Subsequent", "initiatedType": "MIT", "mitType": "Unscheduled"}
        repeat = await shop.follow(
            "Repeat", "INV-3", 700, saved["transactionId"], currency="GBP", credentialType=mit
        )
        assert (repeat.status_code, repeat.json()["transactionType"]) == (201, "Repeat")
        bare = await shop.follow("Repeat", "INV-4", 700, saved["transactionId"], currency="GBP")
        assert bare.json()["errors"][0]["property"] == "credentialType"
        removed = await shop.http.delete(f"/api/v1/card-identifiers/{card['cardIdentifier']}", auth=shop.auth)
        assert removed.status_code == 200


async def test_a_saved_card_needs_the_reusable_flag_cannot_be_saved_twice_and_takes_a_new_code() -> None:
    first_use = {"cofUsage": "First", "initiatedType": "CIT"}
    async with merchant() as shop:
        saved = (await shop.sell("INV-1", card={"save": True}, credentialType=first_use)).json()
        identifier = saved["paymentMethod"]["card"]["cardIdentifier"]

        async def use(code: str, **flags: bool) -> Any:
            body = await shop.sale_body(code, 500, credentialType=first_use, applyAvsCvcCheck="Force")
            body["paymentMethod"]["card"] |= {"cardIdentifier": identifier, **flags}
            return (await shop.post("transactions", body)).json()

        assert (await use("INV-2"))["code"] == 1011
        assert (await use("INV-2", save=True))["code"] == 1020
        assert (await use("INV-2", reusable=True))["status"] == "Ok"
        assert (await use("INV-3", reusable=True))["avsCvcCheck"]["securityCode"] == "NotProvided"
        session = await shop.session()
        linked = await shop.http.post(
            f"/api/v1/card-identifiers/{identifier}/security-code",
            json={"securityCode": "123"},
            headers={"Authorization": f"Bearer {session}"},
        )
        assert (linked.status_code, linked.content) == (204, b"")
        assert (await use("INV-4", reusable=True))["avsCvcCheck"]["securityCode"] == "Matched"
        assert (await use("INV-5", reusable=True))["avsCvcCheck"]["securityCode"] == "NotProvided"
