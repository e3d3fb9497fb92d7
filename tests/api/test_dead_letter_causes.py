"""Dead letters finished: by cause with their value, with help for each field, kept as rules, and closed by themselves."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from service.flow import superseded
from service.flow.stages import Stages
from tests.api.office import Office
from tests.api.test_dead_letters import dead, letters
from tests.flow.test_exactly_once import PAYMENTS, until_final


async def test_dead_letters_are_grouped_by_cause_with_number_and_value(desk: Office) -> None:
    await dead(desk, "SO-1")
    await dead(desk, "SO-2")
    await desk.site.sale("SO-3", 2_500, currency="USD")
    await desk.site.walk()
    await desk.site.deliver({"transactionId": "00000000-0000-0000-0000-00000000DEAD"}, "SO-404")
    await desk.site.walk()

    causes = await desk.get("dead-letters/causes", "north viewer")

    first = causes[0]
    assert (first["code"], first["step"], first["letters"]) == ("syspro.unknown-stock-code", "look_up", 2)
    assert first["values"] == [{"currency": "GBP", "letters": 2, "minor": 2_000}]
    assert first["hint"]
    of_message = next(each for each in causes if each["step"] == "ingest")
    assert (of_message["letters"], of_message["values"]) == (1, [])
    assert sum(each["letters"] for each in causes) == 4
    assert await desk.get("/api/v1/pairs/south/dead-letters/causes", "south viewer") == []


async def test_each_field_says_where_it_goes_and_what_it_may_be(desk: Office) -> None:
    letter = await dead(desk)

    fields = await desk.get(f"dead-letters/{letter['dead_letter_id']}/fields")

    by_path: dict[str, Any] = {each["path"]: each for each in fields}
    code = by_path["order.lines[0].stock_code"]
    assert (code["value"], code["keepable"]) == ("NOSUCH", True)
    assert [(each["target"], each["type"], each["length"]) for each in code["feeds"]] == [
        ("Lines[0].StockCode", "text", 30)
    ]
    assert by_path["mapped.sales_order.ShipAddress2"]["feeds"][0]["length"] == 40
    assert not by_path["order.total.minor"]["keepable"]
    assert not [path for path in by_path if path.endswith((".Price", ".Value", ".Currency", "PaymentValue"))]


async def test_a_field_of_syspros_document_is_set_and_stays_when_the_payment_is_mapped_again(
    desk: Office,
) -> None:
    letter = await dead(desk)
    where = f"dead-letters/{letter['dead_letter_id']}"
    edit = {
        "corrections": [
            {"path": "order.lines[0].stock_code", "value": "A100"},
            {"path": "mapped.sales_order.ShipAddress4", "value": "Yorkshire"},
        ]
    }

    edited = await desk.call("PATCH", where, json=edit)
    assert edited.json()["corrected"][1] == {
        "path": "mapped.sales_order.ShipAddress4",
        "before": None,
        "after": "Yorkshire",
    }
    await desk.post(f"{where}/replay", {"from_step": "validate"})
    await desk.site.walk()

    payment = await desk.site.payment("SO-1")
    assert payment.state == "confirmed", payment.error
    assert payment.mapped["sales_order"]["ShipAddress4"] == "Yorkshire"  # type: ignore[index]


async def test_what_syspro_does_not_take_and_money_are_refused(desk: Office) -> None:
    letter = await dead(desk)
    for path, value, code in (
        ("mapped.sales_order.ShipAddress4", "x" * 41, "correction.invalid"),
        ("mapped.sales_order.Currency", "EUR", "correction.path"),
        ("mapped.ar_payment.PaymentValue", "1", "correction.path"),
        ("mapped.sales_order.Lines[0].Price", "1.00", "correction.path"),
        ("mapped.sales_order.Colour", "red", "correction.path"),
        ("mapped.gl_journal.Reference", "x", "correction.path"),
        ("mapped", "x", "correction.path"),
    ):
        edit = {"corrections": [{"path": path, "value": value}]}
        answer = await desk.call("PATCH", f"dead-letters/{letter['dead_letter_id']}", json=edit)
        assert (answer.status_code, answer.json()["code"]) == (422, code), path


async def test_many_are_replayed_by_filter_and_on_the_version_they_walk(desk: Office) -> None:
    await dead(desk, "SO-1")
    await dead(desk, "SO-2")
    flow = await desk.get("flows/order_to_cash/versions/1")
    made = await desk.post("flows/order_to_cash/versions", {"document": {**flow, "description": "second"}})
    await desk.post(f"flows/order_to_cash/versions/{made['version']}/publish")

    for filters, matched in (
        ({"currency": "EUR"}, 0),
        ({"kind": "refund"}, 0),
        ({"opened_before": "2020-01-01T00:00:00Z"}, 0),
        ({"opened_from": "2020-01-01T00:00:00Z", "customer": "1", "flow": "order_to_cash"}, 2),
    ):
        counted = await desk.post("dead-letters/replay", {**filters, "dry_run": True})
        assert counted["matched"] == matched, filters
    one, two = await letters(desk)
    await desk.post(f"dead-letters/{one['dead_letter_id']}/replay", {"same_version": True})
    await desk.post(f"dead-letters/{two['dead_letter_id']}/replay", {})

    versions = [(await desk.get(f"payments/{each['payment_id']}"))["flow_version"] for each in (one, two)]
    assert versions == [1, 2]


async def test_a_replay_from_the_start_reads_the_order_anew(desk: Office) -> None:
    letter = await dead(desk)
    await desk.site.order("SO-1", "10.00")

    await desk.post(f"dead-letters/{letter['dead_letter_id']}/replay", {"from_step": "start"})
    await desk.site.walk()

    payment = await desk.get(f"payments/{letter['payment_id']}")
    assert "payment.changed_at_gateway" in [each["action"] for each in payment["timeline"]]


@pytest.mark.parametrize(
    ("fault", "told"), [("commit-then-drop", "posting.adopted"), ("drop", "posting.proved_absent")]
)
async def test_an_ambiguous_posting_is_looked_for_before_anything_else(
    desk: Office, fault: str, told: str
) -> None:
    letter = await ambiguous(desk, fault)
    where = f"dead-letters/{letter['dead_letter_id']}"
    assert letter["ambiguous"]

    for step in ("start", "ingest", "validate", "map", "screen"):
        refused = await desk.call("POST", f"{where}/replay", json={"from_step": step})
        assert (refused.status_code, refused.json()["code"]) == (422, "replay.ambiguous"), step
    edit = {"corrections": [{"path": "customer", "value": "2"}]}
    assert (await desk.call("PATCH", where, json=edit)).json()["code"] == "correction.posted"

    await desk.post(f"{where}/replay", {})
    await until_final(desk.site, "SO-1")
    payment = await desk.get(f"payments/{letter['payment_id']}")
    assert payment["state"] == "confirmed"
    assert await desk.site.ar_payments("SO-1") == [1_000]
    assert told in [each["action"] for each in payment["timeline"]]


async def ambiguous(desk: Office, fault: str) -> dict[str, Any]:
    """A payment whose answer was lost, given up as after a week of silence."""
    await desk.site.sale("SO-1", 1_000)
    await desk.site.fault("syspro", fault, method="POST", path=PAYMENTS)
    # At its true pace the first look comes after five seconds: nothing is settled by itself here.
    unhurried = Stages(msgspec.structs.replace(desk.site.stages.shared, pace=1, chance=lambda: 1.0))
    await dataclasses.replace(desk.site, stages=unhurried).walk()
    await unhurried.close()
    assert "ambiguous" in [posting.state for posting in (await desk.site.payment("SO-1")).postings]
    async with desk.site.engine.begin() as connection:
        await connection.execute(
            text("UPDATE payments SET state = 'dead_letter', lane = NULL, due_at = NULL")
        )
        await connection.execute(
            text(
                "INSERT INTO dead_letters (pair, payment_id, step, code, error) SELECT pair, payment_id, 'post',"
                " 'integration.outcome-unknown', '{\"title\": \"lost\"}' FROM payments"
            )
        )
    (letter,) = await letters(desk)
    return letter


async def test_what_a_later_state_superseded_closes_itself(desk: Office) -> None:
    first, second = await dead(desk, "SO-1"), await dead(desk, "SO-2")
    paid = await desk.site.pay("SO-3", 1_000)
    async with desk.site.engine.begin() as connection:
        await connection.execute(
            text("UPDATE payments SET state = 'ignored' WHERE payment_id = :id"), {"id": first["payment_id"]}
        )
        await connection.execute(
            text(
                "INSERT INTO inbox (pair, source, event_id, transaction_id, body, state) "
                "VALUES ('north', 'webhook', 'evt_old', :tid, '', 'dead_letter')"
            ),
            {"tid": paid["transactionId"]},
        )
        await connection.execute(
            text(
                "INSERT INTO dead_letters (pair, inbox_id, step, code, error) SELECT pair, inbox_id, 'ingest',"
                " 'integration.not-found', '{}' FROM inbox WHERE event_id = 'evt_old'"
            )
        )
    await superseded.close(desk.site.stages, "north")
    still = {each["dead_letter_id"] for each in await letters(desk)}
    assert second["dead_letter_id"] in still
    assert first["dead_letter_id"] not in still
    assert len(still) == 2, "no payment came of the message yet"

    await desk.site.order("SO-3", "10.00")
    await desk.site.deliver(paid, "SO-3")
    await desk.site.walk()
    assert (await superseded.close(desk.site.stages, "north"))["dead_letters"] == 1

    assert [each["dead_letter_id"] for each in await letters(desk)] == [second["dead_letter_id"]]
