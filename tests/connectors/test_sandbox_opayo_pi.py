"""The Pi face of the Opayo stand-in, as a client that knows only the published wire sees it."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from integration.sandbox.opayo import OpayoSandboxConfig
from tests.connectors.opayo_client import SCA, Merchant, merchant

GUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


async def test_session_card_payment_and_read_have_the_wire_types() -> None:
    async with merchant() as shop:
        answer = await shop.sell("INV-1-A1", 1999, settlementReferenceText="REF1")
        body = answer.json()
        assert answer.status_code == 201
        assert GUID.fullmatch(body["transactionId"])
        assert (body["status"], body["statusCode"], body["bankResponseCode"]) == ("Ok", "0000", "00")
        assert (body["bankAuthorisationCode"], body["settlementReferenceText"]) == ("999777", "REF1")
        assert type(body["retrievalReference"]) is int
        assert body["amount"] == {"totalAmount": 1999, "saleAmount": 1999, "surchargeAmount": 0}
        assert body["fiRecipient"] == {}
        assert body["avsCvcCheck"]["status"] == "NotChecked"
        assert body["3DSecure"] == {"status": "NotChecked"}
        card = body["paymentMethod"]["card"]
        assert (card["cardType"], card["lastFourDigits"], card["expiryDate"]) == ("Visa", "0006", "1235")
        assert card["reusable"] is False
        assert answer.headers["X-Request-Tracker"]
        assert (await shop.get(f"transactions/{body['transactionId']}")).json() == body


async def test_a_session_lives_400_seconds_and_takes_one_card() -> None:
    async with merchant() as shop:
        session = await shop.session()
        read = (await shop.get(f"merchant-session-keys/{session}")).json()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0[01]:00", read["expiry"])
        assert (await shop.card(session, "4929000000006", "A")).status_code == 201
        again = await shop.card(session, "4929000000006", "A")
        assert (again.status_code, again.json()["code"]) == (422, 1011)
        await shop.http.post("/_sandbox/clock", json={"advance_seconds": 401})
        assert (await shop.get("merchant-session-keys/none")).status_code == 400
        gone = await shop.get(f"merchant-session-keys/{session}")
        assert (gone.status_code, gone.json()["code"]) == (404, 1006)


async def test_other_cards_than_the_published_ones_are_refused_without_echo() -> None:
    async with merchant() as shop:
        session = await shop.session()
        for _ in range(3):
            answer = await shop.card(session, "4111111111111111", "A")
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["code"] == 1007
            assert "4111111111111111" not in answer.text
        assert (await shop.card(session, "4929000000006", "A")).status_code == 401


async def test_a_used_card_identifier_gives_1011_even_with_a_new_code() -> None:
    async with merchant() as shop:
        body = await shop.sale_body("INV-1", 100)
        assert (await shop.post("transactions", body)).status_code == 201
        answer = await shop.post("transactions", {**body, "vendorTxCode": "INV-2"})
        assert answer.status_code == 422
        assert answer.json() == {
            "description": "Merchant session key or card identifier invalid",
            "code": 1011,
        }


async def test_a_vendor_tx_code_is_spent_for_ever_even_by_a_decline() -> None:
    async with merchant() as shop:
        declined = (await shop.sell("INV-1", number="4929602110085639")).json()
        assert (declined["status"], declined["statusCode"]) == ("NotAuthed", "2000")
        assert declined["bankResponseCode"] == "05"
        assert declined["additionalDeclineDetail"]["additionalDeclineCodeCategory"] == "03"
        assert "retrievalReference" not in declined
        answer = await shop.sell("INV-1")
        assert answer.status_code == 422
        assert (answer.json()["status"], answer.json()["statusCode"]) == ("Invalid", "4042")
        assert (await shop.ledger())["INV-1"]["captured"] == 0


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"amount": "1999"}, 1016, "amount"),
        ({"amount": 19.99}, 1016, "amount"),
        ({"amount": 0}, 1009, "amount"),
        ({"currency": "XXX"}, 1010, "currency"),
        ({"vendorTxCode": "a b"}, 1005, "vendorTxCode"),
        ({"vendorTxCode": "x" * 41}, 1004, "vendorTxCode"),
        ({"description": None}, 1003, "description"),
        ({"customerLastName": "x" * 21}, 1004, "customerLastName"),
        ({"customerPhone": "0306 999"}, 1005, "customerPhone"),
        ({"customerFirstName": "\u592a\u90ce"}, 1005, "customerFirstName"),
        (
            {"billingAddress": {"address1": "1", "city": "x", "country": "GB"}},
            1003,
            "billingAddress.postalCode",
        ),
    ],
)
async def test_a_field_that_breaks_a_limit_is_named_in_errors(
    change: dict[str, Any], code: int, path: str
) -> None:
    async with merchant() as shop:
        body = {**await shop.sale_body("INV-1", 100), **change}
        answer = await shop.post("transactions", body)
        assert answer.status_code == 422
        assert [(one["code"], one["property"]) for one in answer.json()["errors"]] == [(code, path)]


async def test_several_failures_come_together_and_a_long_delivery_line_in_transaction_style() -> None:
    async with merchant() as shop:
        answer = await shop.post("transactions", {"transactionType": "Payment"})
        assert len(answer.json()["errors"]) > 5
        shipping = {"shippingAddress1": "x" * 51}
        answer = await shop.sell("INV-1", shippingDetails=shipping)
        assert answer.status_code == 422
        assert answer.json() == {
            "status": "Invalid",
            "statusCode": "3123",
            "statusDetail": "The DeliveryAddress1 value is too long",
        }


async def test_credentials_json_and_unknown_transactions_have_their_codes() -> None:
    async with merchant() as shop:
        missing = await shop.http.post("/api/v1/transactions", json={})
        assert (missing.status_code, missing.json()["code"]) == (401, 1001)
        wrong = await shop.http.post("/api/v1/transactions", json={}, auth=(shop.auth[0], "no"))
        assert (wrong.status_code, wrong.json()["code"]) == (401, 1002)
        both = await shop.http.post("/api/v1/transactions", content=b"{")
        assert (both.status_code, both.json()["code"]) == (401, 1001)
        broken = await shop.http.post("/api/v1/transactions", content=b"{", auth=shop.auth)
        assert (broken.status_code, broken.json()["code"]) == (400, 1000)
        unknown = await shop.get("transactions/31B6D72B-855E-902C-6A1B-DCD4435F859B")
        assert (unknown.status_code, unknown.json()["code"]) == (404, 1012)
        assert (await shop.get("transactions")).status_code == 405


async def test_vendors_do_not_see_each_other() -> None:
    async with merchant() as shop:
        identifier = (await shop.sell("SAME")).json()["transactionId"]
        other = Merchant(shop.http, shop.sandbox, strict=True)
        assert (await other.get(f"transactions/{identifier}")).status_code == 404
        assert (await other.sell("SAME", strongCustomerAuthentication=SCA)).status_code == 201


async def test_commit_then_drop_takes_the_money_and_shows_it_by_code() -> None:
    async with merchant() as shop:
        body = await shop.sale_body("INV-1", 1999)
        order = {"fault": "commit-then-drop", "match": {"writes_only": True}}
        await shop.http.post("/_sandbox/faults", json=order)
        with pytest.raises(httpx.TransportError):
            await shop.post("transactions", body)
        retried = await shop.post("transactions", body)
        assert (retried.status_code, retried.json()["code"]) == (422, 1011)
        found = await shop.report("getTransactionDetail", vendortxcode="INV-1")
        assert (found.findtext("txstateid"), found.findtext("amount")) == ("16", "19.99")


async def test_the_paying_shopper_of_the_control_gets_the_pi_reply() -> None:
    async with merchant(OpayoSandboxConfig(vendor="acme")) as shop:
        sale = {"vendorTxCode": "ORD-1", "amount": 2500, "currency": "JPY", "transactionType": "Payment"}
        answer = await shop.http.post("/_sandbox/pay", json=sale)
        assert (answer.status_code, answer.json()["status"]) == (201, "Ok")
        declined = {**sale, "vendorTxCode": "ORD-2", "cardNumber": "5403814948608092"}
        assert (await shop.http.post("/_sandbox/pay", json=declined)).json()["status"] == "NotAuthed"
        assert (await shop.ledger())["ORD-1"]["captured"] == 2500
        assert (await shop.http.post("/_sandbox/reset")).status_code == 204
        assert await shop.ledger() == {}
