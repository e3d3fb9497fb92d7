"""Shared back-office operations of Server and Direct at the Opayo stand-in."""

from __future__ import annotations

from tests.connectors.opayo_client import merchant
from tests.connectors.opayo_vendor import call, pay, register, shop_and_vendor


def own(form: dict[str, str], paid: dict[str, str], auth: str, kind: str) -> dict[str, str]:
    common = {
        "VPSProtocol": "4.00",
        "TxType": kind,
        "Vendor": "sandbox",
        "VendorTxCode": form["VendorTxCode"],
    }
    return {**common, "VPSTxId": paid["VPSTxId"], "SecurityKey": paid["SecurityKey"], "TxAuthNo": auth}


def related(form: dict[str, str], paid: dict[str, str], auth: str, kind: str) -> dict[str, str]:
    return {
        "VPSProtocol": "4.00",
        "TxType": kind,
        "Vendor": "sandbox",
        "Description": "Back",
        "Currency": "GBP",
        "RelatedVPSTxId": paid["VPSTxId"],
        "RelatedVendorTxCode": form["VendorTxCode"],
        "RelatedSecurityKey": paid["SecurityKey"],
        "RelatedTxAuthNo": auth,
    }


async def test_shared_operations_refund_repeat_and_void() -> None:
    async with shop_and_vendor() as (shop, vendor, form):
        paid = await register(shop, form)
        await pay(shop, paid)
        auth = vendor.received[0]["TxAuthNo"]
        refund = {**related(form, paid, auth, "REFUND"), "VendorTxCode": "WEB-1-R1", "Amount": "1000.00"}
        done = await call(shop, "refund", refund)
        assert done["Status"] == "OK"
        assert set(done) == {"VPSProtocol", "Status", "StatusDetail", "VPSTxId", "TxAuthNo"}
        over = await call(shop, "refund", {**refund, "VendorTxCode": "WEB-1-R2", "Amount": "234.51"})
        assert (over["Status"], over["StatusDetail"][:4]) == ("INVALID", "4035")
        dollars = await call(shop, "refund", {**refund, "VendorTxCode": "WEB-1-R2", "Currency": "USD"})
        assert dollars["StatusDetail"].startswith("4033")
        wrong = await call(
            shop, "refund", {**refund, "VendorTxCode": "X", "RelatedSecurityKey": "AAAAAAAAAA"}
        )
        assert wrong["Status"] == "INVALID"
        repeat = {**related(form, paid, auth, "REPEAT"), "VendorTxCode": "WEB-1-P1", "Amount": "5.00"}
        repeated = await call(shop, "repeat", repeat)
        assert (repeated["Status"], repeated["BankAuthCode"]) == ("OK", "999777")
        void = own({"VendorTxCode": "WEB-1-P1"}, repeated, repeated["TxAuthNo"], "VOID")
        assert (await call(shop, "void", void))["StatusDetail"].startswith("2005")
        assert (await call(shop, "void", void))["StatusDetail"].startswith("4036")


async def test_shared_operations_release_abort_authorise_and_cancel() -> None:
    async with shop_and_vendor() as (shop, vendor, form):
        held_form = {**form, "TxType": "DEFERRED", "VendorTxCode": "WEB-2"}
        held = await register(shop, held_form)
        await pay(shop, held)
        release = own(held_form, held, vendor.received[-1]["TxAuthNo"], "RELEASE")
        over = await call(shop, "release", {**release, "ReleaseAmount": "1234.51"})
        assert over["StatusDetail"].startswith("4049")
        assert (await call(shop, "release", {**release, "ReleaseAmount": "1234.50"}))["Status"] == "OK"
        again = await call(shop, "release", {**release, "ReleaseAmount": "1.00"})
        assert again["StatusDetail"].startswith("4038")
        assert (await call(shop, "abort", release))["StatusDetail"].startswith("4038")
        check_form = {**form, "TxType": "AUTHENTICATE", "VendorTxCode": "WEB-3"}
        checked = await register(shop, check_form)
        assert (await pay(shop, checked))["status"] == "Registered"
        authorise = {
            **related(check_form, checked, "", "AUTHORISE"),
            "VendorTxCode": "WEB-3-1",
            "Amount": "99.00",
        }
        assert (await call(shop, "authorise", authorise))["Status"] == "OK"
        assert (await call(shop, "cancel", own(check_form, checked, "", "CANCEL")))["Status"] == "OK"
        assert (await call(shop, "nonsense", own(check_form, checked, "", "X")))["Status"] == "ERROR"


async def test_a_pi_payment_is_operated_with_keys_from_reporting() -> None:
    async with merchant() as shop:
        sold = (await shop.sell("INV-1", 500)).json()
        detail = await shop.report("getTransactionDetail", vendortxcode="INV-1")
        paid = {
            "VPSTxId": f"{{{sold['transactionId']}}}",
            "SecurityKey": detail.findtext("securitykey") or "",
        }
        form = own({"VendorTxCode": "INV-1"}, paid, detail.findtext("vpsauthcode") or "", "VOID")
        assert (await call(shop, "void", form))["Status"] == "OK"
