"""Refunds above what one person may give back, and the routes about an earlier transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from service.store import pairs
from tests.api.office import Office

V3 = "/api/v3/transactions"


@pytest.fixture
async def strict(desk: Office) -> AsyncIterator[Office]:
    """One person gives back at most 50 pounds of a payment."""
    async with desk.site.engine.connect() as connection:
        settings = await pairs.load(connection, desk.site.vault, "north")
    assert settings is not None
    before: dict[str, Any] = msgspec.to_builtins(settings)
    refunds = {**before["refunds"], "two_persons_above": 5_000}
    answer = await desk.call("PUT", "/api/v1/pairs/north", json={**before, "refunds": refunds})
    assert answer.is_success, answer.text
    yield desk
    await desk.call("PUT", "/api/v1/pairs/north", json=before)


async def test_a_refund_above_the_limit_waits_for_a_second_person(strict: Office) -> None:
    desk = strict
    taken = await desk.paid(10_000, vendorTxCode="SO-1")
    where = f"{V3}/{taken['transactionId']}/refunds"

    small = await desk.call("POST", where, json={"amount": 4_000, "description": "x", "vendorTxCode": "RF-1"})
    waits = await desk.call("POST", where, json={"amount": 2_000, "description": "x", "vendorTxCode": "RF-2"})
    again = await desk.call("POST", where, json={"amount": 2_000, "description": "x", "vendorTxCode": "RF-2"})
    other = await desk.call("POST", where, json={"amount": 2_001, "description": "x", "vendorTxCode": "RF-2"})
    much = await desk.call("POST", where, json={"amount": 7_000, "description": "x"})

    assert (small.status_code, waits.status_code) == (201, 202)
    assert waits.json() == again.json()
    assert (waits.json()["state"], other.json()["code"]) == ("proposed", "opayo.vendor-tx-code-used")
    assert much.json()["code"] == "opayo.refund-exceeds-payment"
    approve = waits.json()["approve"]
    mine = await desk.call("POST", approve, json={})
    assert (mine.status_code, mine.json()["code"]) == (422, "refund.same-person")

    done = await desk.post(approve, {"note": "seen"}, key="north operator")

    assert (done["state"], done["proposed_by"], done["decided_by"]) == (
        "sent",
        "north admin",
        "north operator",
    )
    late = await desk.call("POST", approve.replace("approve", "refuse"), json={}, key="north operator")
    assert late.json()["code"] == "refund.decided"
    shown = await desk.get(f"{V3}/{taken['transactionId']}")
    assert shown["refunded"] == 6_000
    listed = await desk.get("refund-proposals?status=sent", "north viewer")
    assert [each["vendor_tx_code"] for each in listed["items"]] == ["RF-2"]


async def test_a_refused_proposal_gives_nothing_back(strict: Office) -> None:
    desk = strict
    taken = await desk.paid(10_000, vendorTxCode="SO-1")
    waits = await desk.post(f"{V3}/{taken['transactionId']}/refunds", {"amount": 5_001, "description": "x"})

    refused = await desk.post(
        f"refund-proposals/{waits['proposalId']}/refuse", {"note": "no"}, key="north operator"
    )

    assert refused["state"] == "refused"
    assert (await desk.get(f"{V3}/{taken['transactionId']}"))["refunded"] == 0
    unknown = await desk.call("POST", "/api/v1/pairs/north/refund-proposals/999/approve", json={})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "refund.unknown-proposal")


async def test_a_payment_is_repeated_and_an_authenticated_one_authorised(desk: Office) -> None:
    first: dict[str, Any] = {"credentialType": {"cofUsage": "First", "initiatedType": "CIT"}}
    taken = await desk.paid(10_000, vendorTxCode="SO-1", **first)
    again = await desk.post(
        f"{V3}/{taken['transactionId']}/repeats",
        {"amount": 2_000, "currency": "GBP", "description": "x", "vendorTxCode": "RP-1"},
    )
    known = await desk.post(
        V3, await desk.transaction(10_000, transactionType="Authenticate", vendorTxCode="AU-1")
    )
    where = f"{V3}/{known['transactionId']}/authorisations"
    part = await desk.post(where, {"amount": 11_000, "description": "x", "vendorTxCode": "AU-2"})
    much = await desk.call("POST", where, json={"amount": 501, "description": "x"})

    assert (again["state"], again["amount"], part["state"]) == ("captured", 2_000, "captured")
    assert (much.status_code, much.json()["code"]) == (422, "opayo.authorise-exceeds")
