"""Repairs over HTTP: accepted and learnt, and corrections kept as rules for the next payments."""

from __future__ import annotations

from service.store.tables_repairs import fix_rules, repairs
from tests.api.office import Office
from tests.api.test_dead_letters import dead, letters
from tests.flow.test_what_stops_a_payment import line


async def test_a_fix_kept_as_a_rule_puts_the_next_payment_right_and_says_so(desk: Office) -> None:
    letter = await dead(desk)
    edit = {
        "corrections": [{"path": "order.lines[0].stock_code", "value": "A100"}],
        "keep_as_rule": True,
        "note": "NOSUCH was renamed in May",
    }
    kept = await desk.call("PATCH", f"dead-letters/{letter['dead_letter_id']}", "north operator", json=edit)
    (name,) = kept.json()["rules"]
    lines = [line("A100", "4.00"), line("NOSUCH", "6.00")]
    await desk.site.sale("SO-2", 1_000, lines=lines)
    await desk.site.walk()

    assert (await desk.site.payment("SO-2")).state == "confirmed"
    assert await desk.site.ar_payments("SO-2") == [1_000]
    (repair,) = await desk.rows(repairs)
    assert (repair["repair"], repair["rule"], repair["rule_version"]) == ("rule", name, 1)
    assert repair["changes"] == [{"path": "order.lines[1].stock_code", "before": "NOSUCH", "after": "A100"}]
    payment = await desk.get(f"payments/{(await desk.site.payment('SO-2')).payment_id}")
    assert "payment.repaired" in [each["action"] for each in payment["timeline"]]

    await desk.call("DELETE", f"fix-rules/{name}", "north operator")
    await dead(desk, "SO-3")
    assert [each["live"] for each in await desk.get("fix-rules", params={"versions": True})] == [False]


async def test_a_rule_needs_a_note_and_a_field_that_is_no_money_and_a_condition_that_can_be_read(
    desk: Office,
) -> None:
    good = {
        "code": "syspro.unknown-stock-code",
        "field": "order.lines[].stock_code",
        "before": "A",
        "after": "B",
    }
    for changes, code in (
        ({"note": " "}, "rule.note"),
        ({"field": "order.lines[].net"}, "rule.field"),
        ({"field": "order.total.currency"}, "rule.field"),
        ({"field": "mapped.sales_order.Currency"}, "rule.field"),
        ({"condition": "colour == 'red'", "before": None}, "rule.condition"),
    ):
        answer = await desk.call("POST", "fix-rules", json={**good, "note": "x", **changes})
        assert (answer.status_code, answer.json()["code"]) == (422, code), changes
    assert await desk.rows(fix_rules) == []


async def test_the_same_cause_again_is_the_rules_next_version_and_a_condition_decides_too(
    desk: Office,
) -> None:
    rule = {
        "code": "syspro.unknown-stock-code",
        "field": "order.lines[].stock_code",
        "condition": "value.startsWith('OLD-') && currency == 'GBP'",
        "note": "The old range",
    }
    first = await desk.post("fix-rules", {**rule, "after": "NOSUCH"})
    second = await desk.post("fix-rules", {**rule, "after": "A100"})
    assert (first["version"], second["version"], first["rule"]) == (1, 2, second["rule"])
    await desk.site.sale("SO-1", 1_000, lines=[line("OLD-7", "10.00")])

    await desk.site.walk()

    assert (await desk.site.payment("SO-1")).state == "confirmed"
    assert [each["rule_version"] for each in await desk.rows(repairs)] == [2]


async def test_a_rule_that_does_not_help_is_tried_once_and_the_dead_letter_says_why(desk: Office) -> None:
    rule = {"code": "syspro.unknown-stock-code", "field": "order.lines[].stock_code", "before": "NOSUCH",
            "after": "NEITHER", "note": "x"}  # fmt: skip
    await desk.post("fix-rules", rule)

    letter = await dead(desk)

    assert "NEITHER" in letter["error"]["title"]
    assert [each["state"] for each in await desk.rows(repairs)] == ["applied"]


async def test_a_repair_is_accepted_over_the_api_and_what_it_meant_is_learnt(desk: Office) -> None:
    await dead(desk, "SO-1", "a-100")
    (proposal,) = (await desk.get("repairs", "north viewer", params={"status": "proposed"}))["items"]
    assert proposal["changes"][0]["after"] == "A100"
    where = f"repairs/{proposal['repair_id']}"

    accepted = await desk.post(f"{where}/accept", {"note": "typing error"}, "north operator")
    await desk.site.walk()

    assert (accepted["state"], accepted["decided_by"]) == ("applied", "north operator")
    assert await letters(desk) == []
    assert await desk.site.ar_payments("SO-1") == [1_000]
    (alias,) = await desk.get("stock-aliases")
    assert (alias["alias"], alias["stock_code"], alias["learnt_by"]) == ("a-100", "A100", "north operator")
    assert (await desk.call("POST", f"{where}/refuse", json={})).json()["code"] == "repair.decided"
    assert (await desk.call("POST", "repairs/999/accept", json={})).status_code == 404
    modes = {each["repair"]: each["mode"] for each in await desk.get("repair-classes")}
    assert (modes["stock-code"], modes["rule"]) == ("propose", "apply")
