"""Flows and mappings over HTTP: drafted, judged, rehearsed, published and rolled back."""

from __future__ import annotations

from typing import Any

import yaml
from sqlalchemy import text

from service.store.tables import audit
from tests.api.office import Office


async def live(desk: Office, name: str = "payment") -> int:
    rows = (await desk.get("flows"))["items"]
    return int(next(row["version"] for row in rows if row["name"] == name and row["live"]))


async def shipped(desk: Office, name: str = "payment") -> dict[str, Any]:
    flow: dict[str, Any] = await desk.get(f"flows/{name}/versions/1")
    return flow


def without(flow: dict[str, Any], gone: str) -> dict[str, Any]:
    """The flow with a node cut out."""
    following = next(node["next"] for node in flow["nodes"] if node["id"] == gone)
    nodes = [
        {**node, **({"next": following} if node.get("next") == gone else {})}
        for node in flow["nodes"]
        if node["id"] != gone
    ]
    return {**flow, "nodes": nodes}


async def test_a_flow_that_posts_unscreened_is_refused_with_everything_that_is_wrong(desk: Office) -> None:
    flow = without(without(await shipped(desk), "screen"), "confirm")

    answer = await desk.call("POST", "flows/payment/versions", json={"document": flow})
    judged = await desk.post("flows/payment/validate", {"document": flow}, "north viewer")

    assert (answer.status_code, answer.json()["code"]) == (422, "flow.unlawful")
    codes = {fault["code"] for fault in answer.json()["faults"]}
    assert {"posts-unscreened", "ends-unconfirmed"} <= codes
    assert (judged["lawful"], {fault["code"] for fault in judged["faults"]}) == (False, codes)
    assert len([row for row in (await desk.get("flows"))["items"] if row["name"] == "payment"]) == 1


async def test_a_flow_may_not_post_what_no_mapping_before_it_makes(desk: Office) -> None:
    flow = await shipped(desk)
    for node in flow["nodes"]:
        if node["step"] == "post":
            node["settings"]["documents"] = ["sales_order", "ar_payment"]

    answer = await desk.call("POST", "flows/payment/versions", json={"document": flow})

    faults = answer.json()["faults"]
    assert [(fault["code"], fault["place"]) for fault in faults] == [("unmapped-document", "post")]
    assert "sales_order" in faults[0]["sentence"]


async def test_a_flow_goes_out_as_yaml_comes_back_is_published_and_rolled_back(desk: Office) -> None:
    text_out = (await desk.call("GET", "flows/payment/versions/1/yaml")).text
    changed = text_out.replace("description: ", "description: Mine. ", 1)

    drafted = await desk.post("flows/payment/versions", {"yaml": changed, "note": "try"})
    assert (drafted["version"], await live(desk)) == (2, 1)
    changes = (await desk.get("flows/payment/diff", params={"before": 1, "after": 2}))["changes"]
    assert [(change["code"], change["node"]) for change in changes] == [("changed", "")]

    await desk.post("flows/payment/versions/2/publish")
    assert await live(desk) == 2
    await desk.post("flows/payment/versions/1/publish")
    assert await live(desk) == 1
    stored = await desk.get("flows/payment/versions/2")
    assert (stored["version"], stored["description"][:5]) == (2, "Mine.")
    done = [line["action"] for line in await desk.rows(audit)]
    assert done == ["flow.drafted", "flow.published", "flow.published"]


async def test_yaml_that_multiplies_itself_or_is_none_is_refused(desk: Office) -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]"
    for written, code in (
        ({"yaml": bomb}, "document.references"),
        ({"yaml": "a: [1"}, "document.yaml"),
        ({"yaml": "- 1"}, "document.yaml"),
        ({"yaml": "name: payment"}, "flow.unreadable"),
        ({}, "document.one-form"),
    ):
        answer = await desk.call("POST", "flows/payment/validate", json=written)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_version_is_rehearsed_on_stored_payments_without_leaving_a_trace(desk: Office) -> None:
    await desk.site.sale("SO-1", 1_000)
    await desk.site.sale("SO-2", 9_999_999)
    await desk.site.sale("SO-3", 1_000, currency="USD")
    await desk.site.walk()
    before = await snapshot(desk)

    told = await desk.post("flows/order_to_cash/versions/1/test-run", {"limit": 10}, "north operator")

    by_code = {each["vendor_tx_code"]: each for each in told["payments"]}
    assert by_code["SO-1"]["ends"] == "end"
    assert by_code["SO-1"]["posts"] == ["sales_order", "ar_payment"]
    assert by_code["SO-1"]["mapped"]["sales_order"]["CustomerPoNumber"] == "SO-1"
    assert (by_code["SO-2"]["ends"], by_code["SO-2"]["stops_at"]) == ("held", "screen")
    assert by_code["SO-2"]["reasons"]
    assert (by_code["SO-3"]["ends"], by_code["SO-3"]["stops_at"]) == ("dead_letter", "validate")
    assert sum(told["ends"].values()) == 3
    assert await snapshot(desk) == before
    assert await desk.site.ar_payments("SO-1") == [1_000]


async def snapshot(desk: Office) -> list[str]:
    found = []
    async with desk.site.engine.connect() as connection:
        for table in ("payments", "postings", "audit", "dead_letters", "alerts", "screening_events", "inbox"):
            rows = await connection.scalars(text(f"SELECT t::text FROM {table} t ORDER BY 1"))
            found += list(rows)
    return found


async def test_a_mapping_that_cannot_work_is_refused_field_by_field_and_a_good_one_goes_live(
    desk: Office,
) -> None:
    mapping = await desk.get("mappings/ar_payment/versions/1")
    broken = {**mapping, "rows": [*mapping["rows"], {"target": "NoSuchField", "source": "customer"}]}

    refused = await desk.call("POST", "mappings/ar_payment/versions", json={"document": broken})
    assert (refused.status_code, refused.json()["code"]) == (422, "mapping.unusable")
    assert [fault["place"] for fault in refused.json()["faults"]] == ["NoSuchField"]
    for target in ("../secrets", "nothing"):
        other = await desk.call(
            "POST", "mappings/ar_payment/versions", json={"document": {**mapping, "target": target}}
        )
        assert (other.status_code, other.json()["code"]) == (422, "mapping.target")

    good = yaml.safe_dump({**mapping, "description": "Ours"})
    drafted = await desk.post("mappings/ar_payment/versions", {"yaml": good})
    await desk.post(f"mappings/ar_payment/versions/{drafted['version']}/publish")
    await desk.site.sale("SO-1", 1_000)
    await desk.site.walk()
    payment = await desk.site.payment("SO-1")
    assert payment.trace["ar_payment"]["version"] == 2  # type: ignore[index]
