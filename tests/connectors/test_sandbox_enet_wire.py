"""Sessions, tokens, encodings, quirks and faults of the e.net face: failures are text inside HTTP 200."""

from __future__ import annotations

import asyncio
import json
import re
import xml.etree.ElementTree as ET

import httpx
import pytest

from integration.sandbox.syspro import SysproSandbox, SysproSandboxConfig
from tests.connectors.enet_client import (
    LD,
    REST,
    Client,
    connected,
    errors,
    importing,
    order,
    payment,
    read,
    xml,
)
from tests.connectors.syspro_client import sandbox

SESSION_TEXT = (
    "The supplied UserID is invalid. Either you were not logged in; or your session has expired."
    " You will need to logon again."
)
NO_PARAMETERS = "<PostArPayment/>"
INVQRY = xml("Query", Key={"StockCode": "A101"})


async def invqry(client: Client, token: str | None = None) -> str:
    asked = {"UserId": client.token if token is None else token, "BusinessObject": "INVQRY", "XmlIn": INVQRY}
    return (await client.get("Query/Query", **asked)).text


async def test_a_second_logon_of_an_operator_ends_the_first() -> None:
    async with connected() as client:
        first = client.token
        await client.logon()
        assert SESSION_TEXT in await invqry(client, first)
        assert "<InvQuery" in await invqry(client)
        assert (await client.control("GET", "sessions"))["evictions"] == 1


async def test_a_site_may_let_an_operator_log_on_twice() -> None:
    async with connected() as client:
        await client.quirk(logon_allows_two_sessions=True)
        first = client.token
        await client.logon()
        assert "<InvQuery" in await invqry(client, first)
        assert "<InvQuery" in await invqry(client)
        assert (await client.control("GET", "sessions"))["sessions"] == ["OPAYO1", "OPAYO1"]


async def test_both_faces_share_sessions_and_seats() -> None:
    async with connected(sandbox(seats=2)) as client:
        await client.json_get("Customer/1")
        assert (await client.control("GET", "sessions"))["sessions"] == ["OPAYO1", "OPAYO8"]
        assert (await client.logon("OPAYO2")).startswith("ERROR: All licensed users are logged on")
        answer = await client.query("COMQCO", xml("Query", Option={"IncludeSystemInfo": "Y"}))
        assert answer.findtext("SystemInfo/LicensedUsers", "").strip() == "2"
        assert answer.findtext("SystemInfo/CurrentUsers", "").strip() == "2"
        assert await client.text("Logoff") == "0"
        assert re.fullmatch(r"[0-9A-F]{34}  ", await client.logon("OPAYO2"))


async def test_a_silent_session_expires() -> None:
    async with connected() as client:
        await client.control("PUT", "settings", {"session_timeout_s": 0.0})
        assert SESSION_TEXT in await invqry(client)


@pytest.mark.parametrize("token", ["", "ABC", "0" * 34 + "  "])
async def test_an_unknown_token_is_told_to_log_on_again(token: str) -> None:
    async with connected() as client:
        assert await invqry(client, token) == f"ERROR: {SESSION_TEXT}"


async def test_company_and_operator_passwords_are_different_secrets() -> None:
    company = SysproSandbox(SysproSandboxConfig(company_password="shut"))
    async with connected(company, logon=False) as client:
        assert await client.logon() == "ERROR: Invalid company or company password"
        assert await client.logon(OperatorPassword="wrong") == "ERROR: Invalid operator password"
        assert not (await client.logon(CompanyPassword="shut")).startswith("ERROR")


async def test_a_strict_site_wants_its_two_blanks_back() -> None:
    async with connected() as client:
        assert "<InvQuery" in await invqry(client, client.token.strip())
        await client.quirk(trimmed_token_refused=True)
        assert SESSION_TEXT in await invqry(client, client.token.strip())
        assert "<InvQuery" in await invqry(client)


async def test_tokens_come_quoted_or_as_guids_where_a_site_has_them_so() -> None:
    async with connected() as client:
        await client.quirk(json_quoted_token=True)
        assert re.fullmatch(r'"[0-9A-F]{34}  "', await client.logon())
        assert "<InvQuery" in await invqry(client, json.loads(client.token))
        await client.quirk(json_quoted_token=False, guid_token=True)
        assert re.fullmatch(r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}", await client.logon())
        assert "<InvQuery" in await invqry(client)


@pytest.mark.parametrize(
    ("raw", "name"), [("%26%23233%3B", "Caf\xe9"), ("%C3%A9", "Caf\xe9"), ("%E9", "Caf\xe9")]
)
async def test_accents_arrive_as_references_utf_8_or_windows_1252_and_leave_as_declared(
    raw: str, name: str
) -> None:
    async with connected() as client:
        item = f"<SetupArCustomer><Item><Key><Customer>2</Customer></Key><Name>Caf{raw}</Name></Item></SetupArCustomer>"
        url = f"{REST}/Setup/Update?BusinessObject=ARSSCS&XmlParameters=&UserId={client.token.strip()}&XmlIn={item}"
        assert "<RecordsInvalid>0<" in (await client.http.get(url)).text
        fetch = xml("Fetch", TableName="ArCustomer", Key="2")
        answer = await client.get("Query/Fetch", UserId=client.token, XmlIn=fetch)
        assert answer.content.startswith(b'<?xml version="1.0" encoding="Windows-1252"?>')
        assert b"<Name>Caf\xe9</Name>" in answer.content
        await client.quirk(windows_1252=False)
        answer = await client.get("Query/Fetch", UserId=client.token, XmlIn=fetch)
        assert ET.fromstring(answer.content).findtext("Name") == name
        assert (await client.json_get("Customer/2"))["Name"] == name


async def test_what_windows_1252_lacks_leaves_as_a_reference() -> None:
    async with connected() as client:
        item = xml("SetupArCustomer", Item={"Key": {"Customer": "2"}, "Name": "Łódź & <Co>"})
        await client.send("Setup/Update", "ARSSCS", "", item)
        fetch = xml("Fetch", TableName="ArCustomer", Key="2")
        answer = await client.get("Query/Fetch", UserId=client.token, XmlIn=fetch)
        assert b"<Name>&#321;\xf3d&#378; &amp; &lt;Co&gt;</Name>" in answer.content
        assert read(answer.content).findtext("Name") == "Łódź & <Co>"


async def test_a_large_document_may_be_raw_windows_1252() -> None:
    async with connected() as client:
        body = LD.format(
            token=client.token, code="ARSTPY", parameters="", document=payment(PaymentNarration="Caf\xe9")
        )
        answer = await client.http.post(f"{REST}/Transaction/PostLD", content=body.encode("cp1252"))
        assert errors(read(answer.content)) == []
        assert (await client.ledger())["ar_payments"][0]["PaymentNarration"] == "Caf\xe9"


async def test_documents_arrive_wrapped_where_the_channel_wraps_them() -> None:
    async with connected() as client:
        await client.quirk(body_wrapper="json")
        assert json.loads(await invqry(client)).startswith("<?xml")
        await client.quirk(body_wrapper="string")
        outer = ET.fromstring(await invqry(client))
        assert outer.tag.endswith("}string")
        assert (outer.text or "").startswith("<?xml")


async def test_numbers_and_joined_names_follow_the_site() -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(), order())
        await client.post("ARSTPY", NO_PARAMETERS, payment())
        await client.quirk(leading_blanks=False, trailing_minus=True, pseudo_namespaces=False)
        answer = await client.query("SORQRY", xml("Query", Key={"SalesOrder": "100673"}))
        assert (answer.findtext("ExchangeRate"), answer.findtext("SALBRN_Description")) == (
            "1.000000",
            "Branch 10",
        )
        balance = xml("Query", TableName="ArCustomerBal", Columns={"Column": "CurrentBalance1"},
                      Where={"Expression": {"Column": "Customer", "Condition": "EQ", "Value": "0000001"}})  # fmt: skip
        assert (await client.query("COMFND", balance)).findtext("Row/CurrentBalance1") == "120.00-"
        await client.quirk(trailing_minus=False, leading_blanks=True)
        assert (await client.query("COMFND", balance)).findtext("Row/CurrentBalance1") == "        -120.00"


async def test_roots_keep_their_case_where_a_site_has_it_so() -> None:
    async with connected() as client:
        assert (await client.post("ARSTPY", NO_PARAMETERS, payment())).tag == "postarpayment"
        await client.quirk(lower_case_roots=False)
        assert (await client.post("ARSTPY", NO_PARAMETERS, payment())).tag == "PostArPayment"
        answer = await client.send(
            "Setup/Update", "ARSSCS", "", xml("SetupArCustomer", Item={"Key": {"Customer": "2"}})
        )
        assert (answer.tag, answer.findtext("Item/Key/Customer")) == ("SetupArCustomer", "0000002")


async def test_unknown_and_unlicensed_objects_cannot_be_told_apart() -> None:
    async with connected() as client:
        for code in ("ARSPAY", ""):
            asked = {"BusinessObject": code, "XmlParameters": "", "XmlIn": payment()}
            assert await client.text("Transaction/Post", **asked) == "ERROR: e.net exception raised: 100000"
        await client.quirk(unlicensed_objects=["ARSTPY"])
        asked = {"BusinessObject": "ARSTPY", "XmlParameters": "", "XmlIn": payment()}
        assert await client.text("Transaction/Post", **asked) == "ERROR: e.net exception raised: 100000"
        await client.control("PUT", "settings", {"unlicensed": ["INVQRY"]})
        assert await invqry(client) == "ERROR: e.net exception raised: 100000"
        assert (await client.ledger())["ar_payments"] == []


async def test_an_older_site_has_no_post_for_large_documents() -> None:
    async with connected() as client:
        await client.quirk(post_ld_missing=True)
        assert (await client.http.post(f"{REST}/Transaction/PostLD", content=b"<x/>")).status_code == 404


@pytest.mark.parametrize("broken", ["<Query>", "no xml", "<!DOCTYPE q [<!ENTITY a 'b'>]><Query>&a"])
async def test_a_broken_document_is_an_error_in_words(broken: str) -> None:
    async with connected() as client:
        answer = await client.text("Query/Query", BusinessObject="COMFND", XmlIn=broken)
        assert answer.startswith("ERROR: ")


async def test_entities_of_a_document_are_not_resolved() -> None:
    async with connected() as client:
        document = (
            "<!DOCTYPE q [<!ENTITY pw SYSTEM 'file:///etc/passwd'>]>"
            "<Query><Key><StockCode>&pw;</StockCode></Key></Query>"
        )
        answer = await client.text("Query/Query", BusinessObject="INVQRY", XmlIn=document)
        assert "root:" not in answer


async def test_a_locked_record_is_an_error_inside_good_xml() -> None:
    async with connected() as client:
        await client.fault("locked", path="Transaction/Post")
        answer = await client.post("ARSTPY", NO_PARAMETERS, payment())
        assert answer.tag == "postarpayment"
        assert "locked" in errors(answer)[0][1]
        await client.fault("locked", path="Query")
        assert "locked" in errors(await client.query("INVQRY", INVQRY))[0][1]
        assert (await client.ledger())["ar_payments"] == []


async def test_a_killed_session_and_full_seats_are_said_in_words() -> None:
    async with connected() as client:
        await client.fault("session-killed", path="Query")
        assert SESSION_TEXT in await invqry(client)
        assert SESSION_TEXT in await invqry(client)
        await client.fault("licence-full")
        assert (await client.logon()).startswith("ERROR: All licensed users are logged on")
        assert not (await client.logon()).startswith("ERROR")


async def test_an_answer_lost_after_a_get_posted_leaves_the_payment_posted() -> None:
    async with connected() as client:
        order_ = {"fault": "commit-then-drop", "match": {"writes_only": True, "body": "ARSTPY"}}
        await client.control("POST", "faults", order_)
        assert "<InvQuery" in await invqry(client)  # neither a read nor another object meets it
        with pytest.raises(httpx.TransportError):
            await client.post("ARSTPY", NO_PARAMETERS, payment())
        found = await client.find(
            "ArInvoicePay", "Invoice", ("Reference", "EQ", "6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E")
        )
        assert found == [{"Invoice": "_CRD0000001"}]


async def test_an_element_may_get_lost_and_an_exception_may_hide_a_posting() -> None:
    async with connected() as client:
        await client.fault("element-ignored", body="ARSTPY", element="Reference")
        await client.post("ARSTPY", NO_PARAMETERS, payment())
        assert (await client.ledger())["ar_payments"][0]["Reference"] == ""
        for quirk, posted in (("posted", 2), ("not-posted", 2)):
            await client.quirk(outcome_unknown=quirk)
            asked = {"BusinessObject": "ARSTPY", "XmlParameters": "", "XmlIn": payment()}
            assert (await client.text("Transaction/Post", **asked)).startswith(
                "ERROR: e.net exception raised: "
            )
            assert len((await client.ledger())["ar_payments"]) == posted


async def test_calls_of_one_session_wait_for_each_other() -> None:
    async with connected(sandbox(posting_ms=20)) as client:
        answers = await asyncio.gather(
            *(client.post("ARSTPY", NO_PARAMETERS, payment(Reference=f"R{n}")) for n in range(3))
        )
        numbers = sorted(answer.findtext(".//Journal", "") for answer in answers)
        assert numbers == ["0000000001", "0000000002", "0000000003"]
        await client.books_hold()
