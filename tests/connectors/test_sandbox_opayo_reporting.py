"""Reporting & Admin of the Opayo stand-in: signatures, look-ups, pages, batches and its error codes."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.sandbox.opayo.clock import parse_reporting, reporting
from integration.sandbox.opayo.money import major, minor
from integration.sandbox.opayo.signature import reporting_signature, vps_signature
from tests.connectors.opayo_client import merchant

DAY = {"startdate": "02/06/2025 00:00:00", "enddate": "02/06/2025 23:59:59"}


@pytest.mark.parametrize(
    ("inner", "digest"),
    [
        (
            "<command>getTransactionDetail</command><vendor></vendor><user></user><vpstxid>12345</vpstxid>",
            "4a0787ba97d65455d24be4d1768133ac",
        ),
        (
            "<command>getTokenCount</command><vendor></vendor><user></user>",
            "eca0a57c18e960a6cba53f685597b6c2",
        ),
        (
            "<command>getFraudScreenDetail</command><vendor></vendor><user></user><vpstxid>12345</vpstxid>",
            "85bd7f80aad73ecd5740bd6b58142071",
        ),
    ],
)
def test_published_signatures_of_an_empty_vendor_are_met(inner: str, digest: str) -> None:
    assert reporting_signature(inner, "") == digest


def test_the_two_algorithms_meet_their_vectors() -> None:
    inner = (
        "<command>getTransactionDetail</command><vendor>sandboxvendor</vendor><user>reports</user>"
        "<vendortxcode>INV-1001-A1</vendortxcode>"
    )
    assert reporting_signature(inner, "S3cret-Pw") == "312e7d203ed71de0ee89c62a82ad15db"
    signed = reporting_signature(f"{inner}<algorithm>sha256</algorithm>", "S3cret-Pw")
    assert signed == "2dbc7e89716063a42c5fd2245063f7358f264d7b086af8b7184fbb50ffaa91ce"


def test_the_notification_signature_meets_its_vector_in_upper_case() -> None:
    names = "AddressResult PostCodeResult CV2Result GiftAid 3DSecureStatus CAVV AddressStatus PayerStatus CardType"
    fields = {
        "VPSTxId": "{F955C22E-F67B-4DA3-8EA3-6DAC68FA59D2}",
        "VendorTxCode": "438791",
        "Status": "OK",
        "TxAuthNo": "4255",
        "AVSCV2": "c",
        **dict(zip(names.split(), "defghijkl", strict=True)),
        "Last4Digits": "1234",
        "DeclineCode": "00",
        "ExpiryDate": "0722",
        "BankAuthCode": "999777",
    }
    assert vps_signature(fields, "", "JEUPDN1N7E") == "285765407193faa9b8e432e6b55f5849".upper()


@given(st.integers(0, 10**9), st.sampled_from(["GBP", "JPY", "EUR"]))
def test_amounts_survive_the_decimal_string(amount: int, currency: str) -> None:
    assert minor(major(amount, currency), currency) == amount


def test_times_are_uk_local_and_an_ambiguous_hour_is_its_first() -> None:
    assert reporting(parse_reporting("01/07/2025 12:00:00")) == "01/07/2025 12:00:00"
    assert parse_reporting("26/10/2025 01:30:00").hour == 0


async def test_version_answers_to_both_algorithms_and_declares_latin_1() -> None:
    async with merchant() as shop:
        for algorithm in ("md5", "sha256"):
            root = await shop.report("version", algorithm)
            assert root.findtext("errorcode") == "0000"
            assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", root.findtext("timestamp") or "")
        raw = await shop.http.post("/access/access.htm", content=b"XML=" + quote("<vspaccess/>").encode())
        assert b'encoding="ISO-8859-1"' in raw.content
        assert b"<errorcode>3001</errorcode>" in raw.content


async def test_detail_is_found_by_code_or_id_and_written_in_major_units() -> None:
    async with merchant() as shop:
        sold = (await shop.sell("INV-1", 1999, customerLastName="Brontë")).json()
        by_code = await shop.report("getTransactionDetail", vendortxcode="INV-1")
        by_id = await shop.report("getTransactionDetail", vpstxid=sold["transactionId"])
        for root in (by_code, by_id):
            assert root.findtext("vpstxid") == sold["transactionId"]
            assert root.findtext("vpsauthcode") == str(sold["retrievalReference"])
        assert by_code.findtext("amount") == "19.99"
        assert by_code.findtext("txstateid") == "16"
        assert by_code.findtext("status") == "Successfully authorised transaction."
        assert by_code.findtext("billingsurname") == "Brontë"
        assert by_code.findtext("accounttype") == "E"
        assert by_code.findtext("refunded") == "NO"
        assert by_code.findtext("batchid") == ""


async def test_refusals_have_their_codes() -> None:
    async with merchant() as shop:
        sold = (await shop.sell("INV-1")).json()["transactionId"]
        cases = [
            ("0043", {"command": "getTransactionDetail", "vendortxcode": "NONE"}),
            ("0042", {"command": "getTransactionDetail"}),
            ("0042", {"command": "getTransactionDetail", "vendortxcode": "INV-1", "vpstxid": sold}),
            ("0013", {"command": "getSettlementBatchDetail"}),
            ("3009", {"command": "getTransactionList", "startdate": "2025-06-02", "enddate": "x"}),
            ("0038", {"command": "getBatchList", "startdate": DAY["enddate"], "enddate": DAY["startdate"]}),
            (
                "0039",
                {"command": "getBatchList", "startdate": "01/05/2025 00:00:00", "enddate": DAY["enddate"]},
            ),
            ("0099", {"command": "getTransactionList", **DAY, "startrow": "1", "endrow": "52"}),
            ("2243", {"command": "getTransactionList", **DAY, "endrow": "51"}),
            ("2222", {"command": "getTransactionList", **DAY, "startrow": "9", "endrow": "8"}),
            ("2244", {"command": "getTransactionList", **DAY, "startrow": "0", "endrow": "0"}),
            ("2238", {"command": "getFraudScreenDetail", "vpstxid": "NONE"}),
        ]
        for code, parameters in cases:
            root = await shop.report(**parameters)
            assert root.findtext("errorcode") == code, parameters
            assert root.findtext("error")


async def test_a_bad_signature_user_or_white_space_is_refused() -> None:
    async with merchant() as shop:
        inner = "<command>version</command><vendor>sandbox</vendor><user>reports</user>"

        async def code(inner: str, password: str = "S3cret-Pw") -> str:
            digest = hashlib.md5(f"{inner}<password>{password}</password>".encode()).hexdigest()
            xml = f"<vspaccess>{inner}<signature>{digest}</signature></vspaccess>"
            answer = await shop.http.post("/access/access.htm", data={"XML": xml})
            found = re.search("<errorcode>(.*?)</errorcode>", answer.text)
            assert found is not None
            return found.group(1)

        assert await code(inner) == "0000"
        assert await code(inner, "wrong") == "0010"
        assert await code(inner.replace("><", ">\n<")) == "0010"
        assert await code(inner.replace("reports", "nobody")) == "0008"


async def test_an_old_client_may_send_its_xml_unencoded() -> None:
    async with merchant() as shop:
        inner = "<command>version</command><vendor>sandbox</vendor><user>reports</user>"
        digest = hashlib.md5(f"{inner}<password>S3cret-Pw</password>".encode()).hexdigest()
        raw = f"XML=<vspaccess>{inner}<signature>{digest.upper()}</signature></vspaccess>".encode()
        answer = await shop.http.post("/access/access.htm", content=raw)
        assert "<errorcode>0000</errorcode>" in answer.text


async def test_a_list_of_more_than_fifty_is_read_page_by_page_without_gap_or_overlap() -> None:
    async with merchant() as shop:
        await shop.http.post("/_sandbox/clock", json={"now": "2025-06-02T09:00:00Z"})
        for number in range(60):
            sale = {"vendorTxCode": f"ORD-{number}", "amount": 100 + number, "currency": "GBP"}
            await shop.http.post("/_sandbox/pay", json=sale)
        await shop.http.post(
            "/_sandbox/pay", json={**sale, "vendorTxCode": "ORD-X", "cardNumber": "4929602110085639"}
        )
        codes: list[str | None] = []
        for start in (1, 51):
            page = await shop.report("getTransactionList", **DAY, startrow=str(start), endrow=str(start + 49))
            assert page.findtext("transactions/totalrows") == "61"
            rows = page.findall("transactions/transaction")
            assert rows[0].findtext("rownumber") == str(start)
            codes += [row.findtext("vendortxcode") for row in rows]
        assert codes == [*(f"ORD-{number}" for number in range(60)), "ORD-X"]
        assert rows[-1].findtext("result") == "FAILURE"
        wide = await shop.report("getTransactionList", **DAY, startrow="0", endrow="50")
        assert len(wide.findall("transactions/transaction")) == 50
        empty = await shop.report(
            "getTransactionList", startdate="01/06/2025 00:00:00", enddate="01/06/2025 01:00:00"
        )
        assert empty.findtext("transactions/totalrows") == "0"


async def test_the_uk_midnight_batches_per_acquirer_and_totals_agree_with_rows() -> None:
    async with merchant() as shop:
        await shop.http.post("/_sandbox/clock", json={"now": "2025-06-02T22:30:00Z"})
        first = (await shop.sell("INV-1", 1000)).json()["transactionId"]
        await shop.sell("INV-2", 550, number="374200000000004", name="A")
        await shop.sell("INV-3", 999, number="4929602110085639")
        held = (await shop.sell("INV-4", 800, transactionType="Deferred")).json()["transactionId"]
        await shop.instruct(held, "release", amount=500)
        await shop.follow("Refund", "INV-1-R1", 300, first)
        # 23:10 UTC is past midnight in summer: for the next day's batch.
        await shop.http.post("/_sandbox/clock", json={"now": "2025-06-02T23:10:00Z"})
        await shop.sell("INV-5", 700)
        listed = await shop.report(
            "getBatchList", startdate="03/06/2025 00:00:00", enddate="03/06/2025 23:59:59"
        )
        batches = {batch.findtext("authprocessorname"): batch for batch in listed.findall("batches/batch")}
        assert set(batches) == {"Elavon", "AMEX"}
        elavon = batches["Elavon"]
        assert elavon.findtext("completed") == "03/06/2025 00:01:00.000"
        group = elavon.find("transactiongroups/transactiongroup")
        assert group is not None
        totals = [
            group.findtext(name) for name in ("currency", "paymentnumber", "paymentvalue", "refundvalue")
        ]
        assert totals == ["GBP", "2", "15.00", "3.00"]
        number = elavon.findtext("batchid") or ""
        detail = await shop.report(
            "getBatchDetail", batchid=number, authprocessor="Elavon", startrow="1", endrow="50"
        )
        rows = {row.findtext("vendortxcode"): row for row in detail.findall("transactions/transaction")}
        amounts = {code: row.findtext("amount") for code, row in rows.items()}
        assert amounts == {"INV-1": "10.00", "INV-4": "5.00", "INV-1-R1": "3.00"}
        assert re.search(r"\.\d{3}$", rows["INV-1"].findtext("started") or "")
        one = await shop.report("getTransactionDetail", vendortxcode="INV-1")
        assert (one.findtext("batchid"), one.findtext("refunded")) == (number, "YES")


async def test_a_settlement_the_bank_refuses_ends_in_state_23() -> None:
    async with merchant() as shop:
        await shop.sell("INV-1", description="SANDBOX-SETTLEMENT-FAILURE")
        for _ in range(2):
            await shop.http.post("/_sandbox/clock", json={"advance_seconds": 86400})
        root = await shop.report("getTransactionDetail", vendortxcode="INV-1")
        assert root.findtext("txstateid") == "23"


async def test_holds_and_checks_expire() -> None:
    async with merchant() as shop:
        await shop.sell("INV-1", transactionType="Deferred")
        await shop.sell("INV-2", transactionType="Authenticate")
        await shop.http.post("/_sandbox/clock", json={"advance_seconds": 92 * 86400})
        states = [
            (await shop.report("getTransactionDetail", vendortxcode=code)).findtext("txstateid")
            for code in ("INV-1", "INV-2")
        ]
        assert states == ["27", "26"]


async def test_related_rows_risk_tokens_and_addresses_are_answered() -> None:
    first_use = {"cofUsage": "First", "initiatedType": "CIT"}
    async with merchant() as shop:
        sold = (
            await shop.sell(
                "INV-1", 1000, card={"save": True}, credentialType=first_use, description="SANDBOX-FRAUD"
            )
        ).json()["transactionId"]
        await shop.follow("Refund", "INV-1-R1", 400, sold)
        related = await shop.report("getRelatedTransactions", vpstxid=sold, startdate="01/01/2025 00:00:00")
        row = related.find("transactions/transaction")
        assert row is not None
        assert (row.findtext("vendortxcode"), row.findtext("transactiontype")) == ("INV-1-R1", "Refund")
        refund = await shop.report("getTransactionDetail", vendortxcode="INV-1-R1")
        assert refund.findtext("relatedvendortxcode") == "INV-1"
        fraud = await shop.report("getFraudScreenDetail", vpstxid=sold)
        assert (fraud.findtext("fraudprovidername"), fraud.findtext("t3maction")) == ("FSG", "REJECT")
        scores = [int(rule.findtext("score") or "0") for rule in fraud.findall("t3mresults/rule")]
        assert sum(scores) == int(fraud.findtext("t3mscore") or "0")
        assert (await shop.report("getTokenCount")).findtext("totalnumber") == "1"
        assert (await shop.report("getTransactionIPDetails", vpstxid=sold)).findtext(
            "clientip"
        ) == "127.0.0.1"
        none = await shop.report("getFraudScreenDetail", vpstxid=refund.findtext("vpstxid") or "")
        assert none.findtext("errorcode") == "2245"
