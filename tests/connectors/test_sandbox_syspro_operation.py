"""Sessions, idempotency keys, quirks, faults and the books of the SYSPRO sandbox under them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from integration.sandbox.faults import FaultMatch, FaultOrder
from integration.sandbox.syspro.sandbox import SysproSandbox
from integration.sandbox.syspro.sessions import SESSION_INVALID_TEXT
from tests.connectors.syspro_client import (
    code_of,
    connected,
    order,
    payment,
    sandbox,
)

PAY = "AccountsReceivable/Payment"


def fault(company: SysproSandbox, name: str, path: str = "", **parameters: Any) -> None:
    match = FaultMatch(path=path, writes_only=bool(path))
    company.plan.order(FaultOrder(name, match=match, parameters=parameters))


async def test_a_second_logon_ends_the_first_session() -> None:
    async with connected(sandbox()) as client:
        first = client.token
        await client.logon()
        second, client.token = client.token, first
        answer = await client.get("Auth/Profile")
        assert (answer.status_code, code_of(answer)) == (401, "SESSION_INVALID")
        assert answer.json()["Error"]["Message"] == SESSION_INVALID_TEXT
        client.token = second
        assert (await client.get("Auth/Profile")).json()["Operator"] == "OPAYO1"
        assert (await client.control("GET", "sessions"))["evictions"] == 1


@pytest.mark.parametrize(
    ("operator", "password", "company", "message"),
    [
        ("OPAYO1", "wrong", "EDU1", "Invalid operator password"),
        ("NOBODY", "x", "EDU1", "Invalid operator password"),
        ("NOBODY", "x", "EDU2", "Invalid operator password"),
        # Only who has proved to be the operator hears that it is the company.
        ("OPAYO1", "sandbox-1", "EDU2", "Invalid company or company password"),
    ],
)
async def test_wrong_credentials_do_not_say_whether_there_is_such_an_operator(
    operator: str, password: str, company: str, message: str
) -> None:
    async with connected(sandbox(), logon=False) as client:
        answer = await client.logon(operator, password, company)
        assert (answer.status_code, code_of(answer)) == (401, "INVALID_CREDENTIALS")
        assert answer.json()["Error"]["Message"] == message


async def test_seats_run_out_and_come_back_at_logoff() -> None:
    async with connected(sandbox(seats=1)) as client:
        token = client.token
        answer = await client.logon("OPAYO2")
        assert (answer.status_code, code_of(answer)) == (503, "LICENSE_EXHAUSTED")
        assert answer.json()["Error"]["Retryable"] is True
        assert int(answer.headers["Retry-After"]) >= 1
        assert (await client.logon("OPAYO1")).status_code == 200
        for _ in range(2):
            assert (await client.post("Auth/Logoff", {}, key=None)).status_code == 204
        assert (await client.logon("OPAYO2")).status_code == 200
        assert client.token != token


async def test_a_silent_session_expires() -> None:
    async with connected(sandbox()) as client:
        await client.control("PUT", "settings", {"session_timeout_s": 0.0})
        assert code_of(await client.get("Auth/Profile")) == "SESSION_INVALID"
        assert (await client.control("GET", "sessions"))["sessions"] == []


async def test_the_same_key_and_body_is_replayed_and_another_body_is_refused() -> None:
    async with connected(sandbox()) as client:
        first = await client.post(PAY, payment(), key="pay-1")
        again = await client.post(PAY, payment(), key="pay-1")
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert again.headers["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first.headers
        other = await client.post(PAY, payment("1.00"), key="pay-1")
        assert (other.status_code, code_of(other)) == (409, "IDEMPOTENCY_CONFLICT")
        assert len((await client.ledger())["ar_payments"]) == 1


async def test_a_key_still_running_is_in_progress() -> None:
    async with connected(sandbox(posting_ms=300)) as client:
        answers = await asyncio.gather(*(client.post(PAY, payment(), key="pay-1") for _ in range(2)))
        refused, posted = sorted(answers, key=lambda answer: -answer.status_code)
        assert (posted.status_code, refused.status_code, code_of(refused)) == (201, 409, "IN_PROGRESS")
        assert (await client.post(PAY, payment(), key="pay-1")).headers["Idempotent-Replayed"] == "true"
        assert len((await client.ledger())["ar_payments"]) == 1


async def test_a_refusal_gives_its_key_back_so_that_a_correction_can_post() -> None:
    async with connected(sandbox()) as client:
        held = order("PO", Customer="90")
        assert (await client.post("SalesOrder", held, key="so-1")).status_code == 422
        await client.put("Customer/90", {"Items": [{"CustomerOnHold": "N"}]})
        assert (await client.post("SalesOrder", held, key="so-1")).status_code == 201


async def test_a_site_that_keeps_refusals_replays_them() -> None:
    async with connected(sandbox(keep_refusals=True)) as client:
        held = order("PO", Customer="90")
        first = await client.post("SalesOrder", held, key="so-1")
        again = await client.post("SalesOrder", held, key="so-1")
        assert (first.status_code, again.status_code, again.headers["Idempotent-Replayed"]) == (
            422,
            422,
            "true",
        )
        assert code_of(await client.post("SalesOrder", order("PO"), key="so-1")) == "IDEMPOTENCY_CONFLICT"


async def test_with_keys_switched_off_the_same_payment_posts_twice() -> None:
    async with connected(sandbox(idempotency=False)) as client:
        assert (await client.post(PAY, payment(), key=None)).status_code == 400
        for _ in range(2):
            answer = await client.post(PAY, payment(), key="pay-1")
            assert answer.status_code == 201
        assert len((await client.ledger())["ar_payments"]) == 2


async def test_locked_and_licence_full_do_nothing_and_may_be_retried() -> None:
    company = sandbox()
    async with connected(company) as client:
        for name, code in (("locked", "LOCKED"), ("licence-full", "LICENSE_EXHAUSTED")):
            fault(company, name)
            answer = await client.post(PAY, payment(), key="pay-1")
            assert (answer.status_code, code_of(answer)) == (503, code)
            assert answer.json()["Error"]["Retryable"] is True
        assert (await client.ledger())["ar_payments"] == []
        assert (await client.post(PAY, payment(), key="pay-1")).status_code == 201


async def test_a_killed_session_answers_401_and_stays_dead() -> None:
    company = sandbox()
    async with connected(company) as client:
        fault(company, "session-killed")
        for _ in range(2):
            assert code_of(await client.post(PAY, payment())) == "SESSION_INVALID"
        await client.logon()
        assert (await client.post(PAY, payment())).status_code == 201
        assert len((await client.ledger())["ar_payments"]) == 1


async def test_an_ignored_element_is_missing_from_what_is_stored() -> None:
    company = sandbox()
    async with connected(company) as client:
        fault(company, "element-ignored")
        fault(company, "element-ignored", element="ShipPostalCode")
        for po in ("PO-1", "PO-2"):
            sent = order(
                po, SpecialInstrs="Ring twice", ShipPostalCode="LS1 1AA", ShipAddress2="1 High Street"
            )
            assert (await client.post("SalesOrder", sent)).status_code == 201
        stored = [(await client.get(f"SalesOrder/{n}")).json() for n in (100673, 100674)]
        shown = [(one["SpecialInstrs"], one["ShipPostalCode"]) for one in stored]
        assert shown == [("", "LS1 1AA"), ("Ring twice", "")]
        await client.control("PUT", "quirks", {"ignored_elements": ["PaymentNarration"]})
        await client.post(PAY, payment(PaymentNarration="full id"))
        assert (await client.ledger())["ar_payments"][0]["PaymentNarration"] == ""


@pytest.mark.parametrize("by", ["fault", "quirk"])
async def test_an_order_may_come_back_without_its_number(by: str) -> None:
    company = sandbox()
    async with connected(company) as client:
        if by == "fault":
            fault(company, "number-not-returned")
        else:
            await client.control("PUT", "quirks", {"number_not_returned": True})
        answer = await client.post("SalesOrder", order("PO"))
        assert answer.status_code == 201
        (item,) = answer.json()["Items"]
        assert item["Status"] == "POSTED"
        assert not {"SalesOrder", "SalesOrderDisplay"} & set(item)
        (found,) = (await client.get("SalesOrder", Customer="1", CustomerPoNumber="PO")).json()["Items"]
        assert found["SalesOrderDisplay"] == "100673"


async def test_an_answer_lost_after_commit_left_the_payment_behind() -> None:
    company = sandbox(idempotency=False)
    async with connected(company) as client:
        fault(company, "drop", PAY)
        fault(company, "commit-then-drop", PAY)
        for expected in (0, 1):
            with pytest.raises(httpx.TransportError):
                await client.post(PAY, payment())
            found = (
                await client.get(PAY, Customer="1", Reference=payment()["Items"][0]["Payment"]["Reference"])
            ).json()
            assert found["RowsReturned"] == expected


@pytest.mark.parametrize(("quirk", "posted"), [("posted", 1), ("not-posted", 0)])
async def test_an_unknown_outcome_says_to_look_first(quirk: str, posted: int) -> None:
    async with connected(sandbox()) as client:
        await client.control("PUT", "quirks", {"outcome_unknown": quirk})
        answer = await client.post(PAY, payment())
        assert (answer.status_code, code_of(answer)) == (504, "OUTCOME_UNKNOWN")
        assert answer.json()["Error"]["Retryable"] is False
        assert len((await client.ledger())["ar_payments"]) == posted


async def test_quirks_of_real_sites_are_switched_one_by_one() -> None:
    async with connected(sandbox()) as client:
        changes = {
            "gl_journal_error": "Posting period closed in GL", "force_payment_type": "C",
            "stock_tax_code_ignored": True, "sales_order_digits": 6, "unapplied_without_reference": True,
        }  # fmt: skip
        await client.control("PUT", "quirks", changes)
        answer = await client.post(PAY, payment())
        assert answer.status_code == 201
        gl = answer.json()["StatusOfItems"]["GlJournal"]
        assert (gl["GlJournal"], gl["GlJournalMessage"]) == ("", "Posting period closed in GL")
        (row,) = (await client.ledger())["ar_payments"]
        assert row["PaymentType"] == "C"
        assert (await client.get(PAY, Reference=row["Reference"])).json()["Items"] == []
        (crd,) = (await client.get(PAY, Customer="1")).json()["Items"]
        assert (crd["Invoice"], crd["Reference"], crd["TrnValue"]) == ("_CRD0000001", "", "120.00")
        line = {"StockCode": "A101", "OrderQty": "1", "OrderUom": "EA", "Price": "1.00", "StockTaxCode": "Z"}
        (item,) = (await client.post("SalesOrder", order("PO", lines=[line]))).json()["Items"]
        assert item["SalesOrder"] == "100673"
        stored = (await client.get("SalesOrder/100673")).json()
        assert stored["SalesOrderLine"][0]["MTaxCode"] == "A"
        assert await client.invariants_hold()
