"""Payments over HTTP: found, read whole, and decided about."""

from __future__ import annotations

import asyncio

import pytest

from service.store.tables import audit
from tests.api.office import Office


async def test_a_payment_is_read_with_everything_that_happened_to_it(desk: Office) -> None:
    await desk.site.sale("SO-1", 12_995)
    await desk.site.walk()

    (row,) = (await desk.get("payments"))["items"]
    payment = await desk.get(f"payments/{row['payment_id']}", "north viewer")

    assert payment["state"] == "confirmed"
    assert payment["order"]["payment_reference"] == "SO-1"
    assert payment["mapped"]["sales_order"]["CustomerPoNumber"] == "SO-1"
    assert payment["trace"]["ar_payment"]["mapping"] == "ar_payment"
    assert [each["state"] for each in payment["postings"]] == ["confirmed", "confirmed"]
    assert "payment.cleared" in [line["action"] for line in payment["timeline"]]


async def test_filters_and_cursor_give_every_payment_once(desk: Office) -> None:
    for number in range(5):
        await desk.site.sale(f"SO-{number}", 1_000 + number)
    await desk.site.walk()

    seen: list[str] = []
    cursor: int | None = 0
    while cursor is not None:
        page = await desk.get("payments", params={"limit": 2, "cursor": cursor})
        seen += [row["vendor_tx_code"] for row in page["items"]]
        cursor = page["next_cursor"]

    assert seen == [f"SO-{number}" for number in (4, 3, 2, 1, 0)]
    only = await desk.get("payments", params={"vendor_tx_code": "SO-3", "status": "confirmed"})
    assert [row["amount_minor"] for row in only["items"]] == [1_003]
    assert (await desk.get("payments", params={"status": "held"}))["items"] == []
    lower = (await desk.get("payments"))["items"][0]["transaction_id"].lower()
    assert len((await desk.get("payments", params={"transaction_id": lower}))["items"]) == 1


async def test_a_list_is_at_most_500_long(desk: Office) -> None:
    answer = await desk.call("GET", "payments", params={"limit": 501})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_released_payment_goes_on_and_is_posted_and_the_line_names_who_released_it(
    desk: Office,
) -> None:
    payment_id = await held(desk, "SO-1")

    decided = await desk.post(f"payments/{payment_id}/release", {"note": "She rang"}, "north operator")
    assert decided == {
        "payment_id": payment_id, "state": "cleared", "node": "look_up", "lane": "north/post/OPAYO1",
    }  # fmt: skip
    await desk.site.walk()

    payment = await desk.get(f"payments/{payment_id}")
    assert payment["state"] == "confirmed"
    released = next(line for line in payment["timeline"] if line["action"] == "payment.released")
    assert (released["actor"], released["detail"]["note"]) == ("north operator", "She rang")
    assert await desk.site.ar_payments("SO-1") == [payment["amount_minor"]]


async def test_a_rejected_payment_is_never_posted(desk: Office) -> None:
    payment_id = await held(desk, "SO-1")

    await desk.post(f"payments/{payment_id}/reject", {"note": "Stolen card"})
    await desk.site.walk()

    assert (await desk.get(f"payments/{payment_id}"))["state"] == "rejected"
    assert await desk.site.ar_payments("SO-1") == []


async def test_of_two_decisions_at_once_one_counts(desk: Office) -> None:
    payment_id = await held(desk, "SO-1")

    answers = await asyncio.gather(
        desk.call("POST", f"payments/{payment_id}/release", json={}),
        desk.call("POST", f"payments/{payment_id}/reject", json={}),
        desk.call("POST", f"payments/{payment_id}/release", json={}),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    decided = [line["action"] for line in await desk.rows(audit) if line["actor"] == "north admin"]
    assert len(decided) == 1


@pytest.mark.parametrize("decision", ["release", "reject"])
async def test_only_a_held_payment_is_decided(desk: Office, decision: str) -> None:
    await desk.site.sale("SO-1", 1_000)
    await desk.site.walk()
    (row,) = (await desk.get("payments"))["items"]

    answer = await desk.call("POST", f"payments/{row['payment_id']}/{decision}", json={})

    assert (answer.status_code, answer.json()["code"]) == (409, "payment.illegal-move")
    assert not [line for line in await desk.rows(audit) if line["actor"] == "north admin"]


async def held(desk: Office, code: str) -> int:
    """A payment that screening holds: far more than anybody pays there."""
    await desk.site.sale(code, 9_999_999)
    await desk.site.walk()
    payment = await desk.site.payment(code)
    assert payment.state == "held", payment.error
    return payment.payment_id
