"""Chargebacks over the API: notices by hand, deadlines, answers, and the evidence pack."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from service.flow import chargebacks as work
from service.flow.stages import Stages, Surroundings
from service.store.tables import alerts, inbox
from tests.api.office import Office

NOTICE: dict[str, Any] = {
    "chargeback_ref": "CB-77",
    "stage": "first_chargeback",
    "amount": 12_995,
    "currency": "GBP",
    "received_on": "2025-06-02",
    "respond_by": "2025-06-20",
    "reason_code": "4837",
    "reason_text": "No cardholder authorisation",
    "vendor_tx_code": "SO-1",
    "acquirer": "Elavon",
    "fee": 1_500,
}
BASE = "/api/v1/pairs/north/chargebacks"


async def disputed(desk: Office, **changes: Any) -> dict[str, Any]:
    """A sale in the ledger with a chargeback entered by hand; gives the case as the API shows it."""
    await desk.site.sale("SO-1", 12_995)
    await desk.site.walk()
    await desk.post(BASE, {**NOTICE, **changes})
    await desk.site.walk()
    [row] = (await desk.get(BASE))["items"]
    shown: dict[str, Any] = await desk.get(f"{BASE}/{row['chargeback_id']}")
    return shown


async def test_a_notice_entered_by_hand_becomes_a_case_that_is_posted(desk: Office) -> None:
    case = await disputed(desk)

    assert (case["state"], case["suspense_minor"], case["respond_by"]) == ("open", 12_995, "2025-06-20")
    [stage] = case["stages"]
    assert [(each["state"], each["amount_minor"]) for each in stage["payments"]] == [
        ("confirmed", 12_995),
        ("confirmed", 1_500),
    ]
    assert case["business_days_left"] == -1
    assert [each["action"] for each in case["timeline"]] == ["stage_told"]


async def test_the_same_notice_again_changes_nothing(desk: Office) -> None:
    first = await desk.post(BASE, NOTICE)
    again = await desk.post(BASE, NOTICE)

    assert (first["new"], again["new"]) == (True, False)
    assert first["inbox_id"] == again["inbox_id"]
    assert len(await desk.rows(inbox)) == 1


async def test_a_notice_that_contradicts_the_one_known_is_refused(desk: Office) -> None:
    await disputed(desk)

    answer = await desk.call("POST", BASE, json={**NOTICE, "amount": 13_000})

    assert (answer.status_code, answer.json()["code"]) == (422, "chargeback.told-differently")


@pytest.mark.parametrize(
    "changes",
    [{"amount": 0}, {"stage": "lost"}, {"currency": "pounds"}, {"transaction_id": "7"}, {"fee": -1}],
)
async def test_a_notice_without_sense_is_refused(desk: Office, changes: dict[str, Any]) -> None:
    answer = await desk.call("POST", BASE, json={**NOTICE, **changes})

    assert answer.status_code == 400
    assert await desk.rows(inbox) == []


async def test_cases_are_listed_by_state_owner_and_deadline(desk: Office) -> None:
    case = await disputed(desk)
    where = f"{BASE}/{case['chargeback_id']}"
    await desk.post(f"{where}/assign", {"owner": "Ann"})

    async def found(query: str) -> int:
        return len((await desk.get(f"{BASE}?{query}"))["items"])

    assert await found("owner=Ann&status=open") == 1
    assert await found("owner=Bob") == 0
    assert await found("respond_before=2025-06-20") == 1
    assert await found("respond_before=2025-06-19") == 0
    assert await found("status=won") == 0


async def test_a_case_is_contested_then_accepted_and_answered_no_more(desk: Office) -> None:
    case = await disputed(desk)
    where = f"{BASE}/{case['chargeback_id']}"

    await desk.post(f"{where}/represent", {"note": "Sent through the portal"})
    await desk.site.walk()
    assert (await desk.get(where))["respond_by"] is None
    twice = await desk.call("POST", f"{where}/represent", json={})
    await desk.post(f"{where}/accept", {"note": "No signature"})
    await desk.site.walk()
    closed = await desk.get(where)
    late = await desk.call("POST", f"{where}/represent", json={})

    assert twice.json()["code"] == "chargeback.stage-told"
    assert (closed["state"], closed["loss_minor"], closed["suspense_minor"]) == ("lost", 12_995, 0)
    assert late.json()["code"] == "chargeback.closed"


async def test_a_refund_of_what_was_charged_back_is_refused(desk: Office) -> None:
    await disputed(desk)
    paid = await desk.site.payment("SO-1")

    answer = await desk.call(
        "POST",
        f"/api/v3/transactions/{paid.transaction_id}/refunds",
        json={"amount": 1, "description": "Sorry"},
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "refund.charged-back")


# --- deadlines --------------------------------------------------------------------------------------


async def test_a_person_is_told_once_per_threshold_and_when_it_is_too_late(desk: Office) -> None:
    await disputed(desk)
    shared = desk.site.stages.shared
    told: list[tuple[str, object]] = []
    for day in (date(2025, 6, 3), date(2025, 6, 13), date(2025, 6, 16), date(2025, 6, 20), date(2025, 6, 21)):
        noon = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)
        clocked = Stages(Surroundings(engine=shared.engine, vault=shared.vault, connect=shared.connect,
                                      clock=lambda noon=noon: noon))  # type: ignore[misc]  # fmt: skip
        for _ in range(2):
            outcome = await work.remind(clocked, "north")
            told.append((day.isoformat(), outcome["told"]))
        await clocked.close()

    assert told == [
        ("2025-06-03", 0), ("2025-06-03", 0),
        ("2025-06-13", 1), ("2025-06-13", 0),
        ("2025-06-16", 0), ("2025-06-16", 0),
        ("2025-06-20", 1), ("2025-06-20", 0),
        ("2025-06-21", 1), ("2025-06-21", 0),
    ]  # fmt: skip
    rows = {row["code"]: row["severity"] for row in await desk.rows(alerts)}
    assert rows["chargeback.overdue"] == "critical"
    assert "chargeback.answer-due" in rows
