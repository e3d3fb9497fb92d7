"""Dead letters: corrected with before and after on record, and sent round again; never past a guard rail."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.api.office import Office
from tests.flow.test_what_stops_a_payment import line


async def letters(desk: Office, **filters: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await desk.get("dead-letters", params=filters))["items"]
    return found


async def dead(desk: Office, code: str = "SO-1", stock_code: str = "NOSUCH") -> dict[str, Any]:
    """A payment whose order names a stock code that SYSPRO does not know."""
    await desk.site.sale(code, 1_000, lines=[line(stock_code, "10.00")])
    await desk.site.walk()
    return next(each for each in await letters(desk) if each["vendor_tx_code"] == code)


async def test_a_corrected_payment_goes_on_and_the_correction_is_on_record(desk: Office) -> None:
    letter = await dead(desk)
    assert letter["code"] == "syspro.unknown-stock-code"
    assert letter["error"]["hint"]
    edit = {
        "corrections": [{"path": "order.lines[0].stock_code", "value": "A100"}],
        "note": "Renamed in May",
    }

    edited = await desk.call("PATCH", f"dead-letters/{letter['dead_letter_id']}", "north operator", json=edit)
    change = {"path": "order.lines[0].stock_code", "before": "NOSUCH", "after": "A100"}
    assert edited.json() == {"corrected": [change], "rules": []}
    await desk.post(f"dead-letters/{letter['dead_letter_id']}/replay", {"from_step": "validate"})
    await desk.site.walk()

    payment = await desk.get(f"payments/{letter['payment_id']}")
    assert payment["state"] == "confirmed"
    assert await letters(desk) == []
    told = next(each for each in payment["timeline"] if each["action"] == "payment.corrected")
    assert (told["actor"], told["detail"]["corrections"]) == ("north operator", [change])
    assert told["detail"]["note"] == "Renamed in May"
    assert await desk.site.ar_payments("SO-1") == [1_000]


async def test_a_correction_cannot_be_passed_by_and_money_cannot_be_corrected_unseen(desk: Office) -> None:
    letter = await dead(desk)
    where = f"dead-letters/{letter['dead_letter_id']}"
    edit = {"corrections": [{"path": "order.lines[0].net.minor", "value": 900}]}
    assert (await desk.call("PATCH", where, json=edit)).status_code == 200

    past = await desk.call("POST", f"{where}/replay", json={"from_step": "post"})
    assert (past.status_code, past.json()["code"]) == (422, "replay.too-far")
    await desk.post(f"{where}/replay")
    await desk.site.walk()

    assert (await letters(desk))[0]["step"] == "validate"
    assert await desk.site.ar_payments("SO-1") == []


async def test_what_cannot_be_corrected_is_refused_and_nothing_changes(desk: Office) -> None:
    letter = await dead(desk)
    where = f"dead-letters/{letter['dead_letter_id']}"
    before = await desk.get(f"payments/{letter['payment_id']}")
    for path, value, status in (
        ("gateway.amount.minor", 1, 422),
        ("order.lines[].stock_code", "A100", 422),
        ("order.lines[7].stock_code", "A100", 404),
        ("order.colour", "red", 404),
        ("order.total.minor", "many", 422),
        ("order.lines", 7, 422),
    ):
        good = {"path": "customer", "value": "0000002"}
        edit = {"corrections": [good, {"path": path, "value": value}]}
        answer = await desk.call("PATCH", where, json=edit)
        assert answer.status_code == status, answer.text

    assert await desk.get(f"payments/{letter['payment_id']}") == before


async def test_no_replay_begins_after_the_step_that_stopped_the_payment(desk: Office) -> None:
    await desk.site.sale("SO-1", 1_000, currency="USD")
    await desk.site.walk()
    (letter,) = await letters(desk)
    assert letter["step"] == "validate"
    where = f"dead-letters/{letter['dead_letter_id']}/replay"

    for step in ("map", "screen", "look_up", "post", "confirm"):
        answer = await desk.call("POST", where, json={"from_step": step})
        assert answer.json()["code"] == "replay.too-far", step
    for step in ("tell", "nowhere"):
        answer = await desk.call("POST", where, json={"from_step": step})
        assert answer.json()["code"] == "replay.no-such-step", step
    unknown = await desk.call("POST", where, json={"flow_version": 9})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "flow.unknown")


async def test_a_payment_is_replayed_on_a_chosen_version_of_its_flow(desk: Office) -> None:
    letter = await dead(desk)
    flow = await desk.get("flows/order_to_cash/versions/1")
    await desk.post("flows/order_to_cash/versions", {"document": {**flow, "description": "second"}})

    await desk.post(f"dead-letters/{letter['dead_letter_id']}/replay", {"flow_version": 2})

    payment = await desk.get(f"payments/{letter['payment_id']}")
    assert (payment["flow_version"], payment["state"], payment["node"]) == (2, "cleared", "look_up")


async def test_many_are_counted_first_and_then_replayed(desk: Office) -> None:
    for number in range(3):
        await dead(desk, f"SO-{number}")
    await desk.site.sale("SO-9", 1_000, currency="USD")
    await desk.site.walk()
    wanted = {"code": "syspro.unknown-stock-code"}

    counted = await desk.post("dead-letters/replay", {**wanted, "dry_run": True})
    assert (counted["matched"], counted["replayed"]) == (3, 0)
    assert len(await letters(desk)) == 4
    done = await desk.post("dead-letters/replay", wanted, "north operator")

    assert (done["matched"], done["replayed"], done["refused"]) == (3, 3, [])
    assert [each["vendor_tx_code"] for each in await letters(desk)] == ["SO-9"]
    stuck = await desk.post("dead-letters/replay", {"from_step": "post"})
    assert (stuck["matched"], stuck["replayed"], stuck["refused"][0]["code"]) == (1, 0, "replay.too-far")


async def test_a_message_that_never_became_a_payment_is_taken_again(desk: Office) -> None:
    unknown = {"transactionId": "90544699-1BA3-4471-8AC5-32D0305DD51C"}
    await desk.site.deliver(unknown, "SO-1")
    await desk.site.walk()
    (letter,) = await letters(desk)
    assert (letter["payment_id"], letter["step"]) == (None, "ingest")

    await desk.site.sale("SO-1", 1_000)
    replayed = await desk.post(f"dead-letters/{letter['dead_letter_id']}/replay")
    await desk.site.walk()

    assert replayed["state"] == "received"
    assert await letters(desk) == []
    assert await desk.site.ar_payments("SO-1") == [1_000]
    assert {row["state"] for row in (await desk.get("inbox"))["items"]} == {"done"}


async def test_a_replay_from_ingest_reads_the_order_anew(desk: Office) -> None:
    letter = await dead(desk)
    await desk.site.order("SO-1", "10.00")

    await desk.post(f"dead-letters/{letter['dead_letter_id']}/replay", {"from_step": "ingest"})
    await desk.site.walk()

    payment = await desk.get(f"payments/{letter['payment_id']}")
    assert "payment.changed_at_gateway" in [each["action"] for each in payment["timeline"]]
    assert payment["state"] != "received"


async def test_an_order_that_waits_for_its_customer_is_posted_when_the_customer_is_released(
    desk: Office,
) -> None:
    await desk.site.sale("SO-1", 1_000, customer_id=90)
    await desk.site.walk()
    (letter,) = await letters(desk)
    assert (letter["state"], letter["code"]) == ("exception", "syspro.customer-on-hold")
    where = f"dead-letters/{letter['dead_letter_id']}/replay"
    for step in ("validate", "map", "screen"):
        early = await desk.call("POST", where, json={"from_step": step})
        assert (early.status_code, early.json()["code"]) == (409, "payment.illegal-move")
    store = desk.site.syspro.store
    key = store.customer_key("90")
    store.customers.put(key, msgspec.structs.replace(store.customers[key], CustomerOnHold="N"))

    await desk.post(where, {"from_step": "look_up"})
    desk.site.stages.forget("north")
    await desk.site.walk()

    assert (await desk.site.payment("SO-1")).state == "confirmed"
    assert await desk.site.ar_payments("SO-1") == [1_000]
    assert len(await desk.site.sales_orders("SO-1")) == 1
    assert await letters(desk) == []
