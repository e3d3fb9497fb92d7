"""The Server protocol of the Opayo stand-in: registration, hosted page, signed notification."""

from __future__ import annotations

import asyncio

from tests.connectors.opayo_vendor import CARD, RETURN, pay, register, shop_and_vendor, signature, state


async def test_a_payment_is_registered_paid_on_the_page_notified_and_redirected() -> None:
    async with shop_and_vendor() as (shop, vendor, form):
        registered = await register(shop, form)
        assert registered["Status"] == "OK"
        assert registered["StatusDetail"].startswith("2014 : ")
        assert len(registered["SecurityKey"]) == 10
        page = await shop.http.get(registered["NextURL"])
        assert "1234.50 GBP" in page.text
        paid = await shop.http.post(registered["NextURL"], data={**CARD, "action": "pay"})
        assert (paid.status_code, paid.headers["location"]) == (303, RETURN)
        told = vendor.received[0]
        assert told["VPSTxId"] == registered["VPSTxId"]
        assert (told["Status"], told["StatusDetail"][:7]) == ("OK", "0000 : ")
        assert (told["CardType"], told["Last4Digits"]) == ("VISA", "0006")
        assert not {"Amount", "Currency", "SecurityKey"} & set(told)
        assert told["VPSSignature"] == signature(told, registered["SecurityKey"])
        assert await state(shop) == "16"
        assert (await shop.ledger())["WEB-1"]["captured"] == 123450


async def test_an_identical_registration_is_repeated_and_a_different_one_refused() -> None:
    async with shop_and_vendor() as (shop, _, form):
        first = await register(shop, form)
        again = await register(shop, form)
        assert again["Status"] == "OK REPEATED"
        assert [again[name] for name in ("VPSTxId", "SecurityKey", "NextURL")] == [
            first[name] for name in ("VPSTxId", "SecurityKey", "NextURL")
        ]
        changes = {"Amount": "1", "Currency": "EUR", "TxType": "DEFERRED", "Description": "Other"}
        codes = [
            (await register(shop, {**form, name: value}))["StatusDetail"][:4]
            for name, value in changes.items()
        ]
        assert codes == ["4002", "4003", "4004", "4005"]
        await pay(shop, first)
        assert (await register(shop, form))["StatusDetail"].startswith("4042")


async def test_a_registration_that_lacks_or_breaks_a_field_is_refused() -> None:
    async with shop_and_vendor() as (shop, _, form):
        cases = [
            ({"Amount": ""}, "MALFORMED", "3031"),
            ({"Amount": "ten"}, "INVALID", "3004"),
            ({"Amount": "1.001"}, "INVALID", "3006"),
            ({"Currency": "JPY", "Amount": "1.50"}, "INVALID", "3006"),
            ({"Vendor": "nobody"}, "INVALID", "4000"),
            ({"Currency": "KWD"}, "INVALID", "4008"),
            ({"BillingAddress1": "x" * 51}, "INVALID", "3112"),
            ({"BillingPostCode": ""}, "MALFORMED", "3090"),
        ]
        for change, status, code in cases:
            reply = await register(shop, {**form, **change})
            assert (reply["Status"], reply["StatusDetail"][:4]) == (status, code), change
        irish = {**form, "BillingCountry": "IE", "BillingPostCode": ""}
        assert (await register(shop, irish))["Status"] == "OK"


async def test_a_decline_and_a_walk_away_are_notified_and_move_no_money() -> None:
    async with shop_and_vendor() as (shop, vendor, form):
        declined = await pay(shop, await register(shop, form), cardNumber="4929602110085639")
        assert (declined["status"], declined["txStateId"]) == ("NotAuthed", 12)
        left = await pay(shop, await register(shop, {**form, "VendorTxCode": "WEB-2"}), cancel=True)
        assert left["txStateId"] == 11
        assert [told["Status"] for told in vendor.received] == ["NOTAUTHED", "ABORT"]
        assert all(row["captured"] == 0 for row in (await shop.ledger()).values())


async def test_a_vendor_answering_invalid_cancels_the_payment() -> None:
    async with shop_and_vendor() as (shop, vendor, form):
        vendor.answers = [(200, f"Status=INVALID\r\nRedirectURL={RETURN}\r\n")]
        paid = await pay(shop, await register(shop, form))
        assert (paid["txStateId"], paid["redirectUrl"]) == (9, RETURN)
        assert (await shop.ledger())["WEB-1"]["captured"] == 0


async def test_an_answer_that_is_not_understood_is_asked_for_again() -> None:
    async with shop_and_vendor(pace=600) as (shop, vendor, form):
        vendor.answers = [(200, "<html>Status=OK"), (200, "Status=OK\r\n"), vendor.default]
        paid = await pay(shop, await register(shop, form))
        assert (paid["txStateId"], paid["redirectUrl"]) == (7, "")
        while await state(shop) != "16":
            await asyncio.sleep(0.02)
        assert [told["Status"] for told in vendor.received] == ["OK", "OK", "OK"]
        assert (await shop.ledger())["WEB-1"]["captured"] == 123450


async def test_a_payment_never_acknowledged_is_cancelled_and_an_abort_follows() -> None:
    async with shop_and_vendor(pace=6000) as (shop, vendor, form):
        vendor.answers = [(500, "")] * 4
        await pay(shop, await register(shop, form))
        while len(vendor.received) < 5:
            await asyncio.sleep(0.02)
        assert [told["Status"] for told in vendor.received] == ["OK", "OK", "OK", "ABORT", "ABORT"]
        assert await state(shop) == "8"
        assert (await shop.ledger())["WEB-1"]["captured"] == 0


async def test_a_session_left_alone_is_cancelled_after_a_quarter_of_an_hour() -> None:
    async with shop_and_vendor() as (shop, vendor, form):
        registered = await register(shop, form)
        await shop.http.post("/_sandbox/clock", json={"advance_seconds": 901})
        while not vendor.received:
            await asyncio.sleep(0.01)
        assert vendor.received[0]["Status"] == "ABORT"
        assert vendor.received[0]["VPSSignature"] == signature(vendor.received[0], registered["SecurityKey"])
        assert (await shop.http.get(registered["NextURL"])).status_code == 404
