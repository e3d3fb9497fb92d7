"""Customers over HTTP: listed, read whole, decided about by those who may, each decision with its line."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.api.office import Office
from tests.journeys.customer_site import ADDRESS, edit_customer, lines, link_of, register, seed, settle, turn

EMAIL = "jane@shop.example"
SETTINGS = {"sync": True, "on_orders": True, "create_in_syspro": True}


@pytest.fixture
async def counter(desk: Office) -> AsyncIterator[Office]:
    """A desk whose pair keeps customers, with an account that could be `SMI001`; afterwards as it was."""
    await settle(desk.site, **SETTINGS, owners={"phone": "person"})
    seed(
        desk.site,
        "SMI001",
        Name="J Smith",
        SoldToAddr2="1 High St",
        SoldPostalCode="LS11AA",
        CreditLimit="500",
    )
    await register(desk.site, EMAIL, id=42)
    await turn(desk.site)
    yield desk
    await settle(desk.site)


async def proposal(desk: Office) -> int:
    (item,) = (await desk.get("customer-links", params={"status": "proposed"}))["items"]
    number: int = item["link_id"]
    return number


async def test_a_proposal_is_previewed_accepted_and_seen_on_the_customers_page(counter: Office) -> None:
    body = {"account": "42", "customer": "SMI001"}
    shown = await counter.post("customer-links/preview", body, "north viewer")
    assert {each["field"]: each["winner"] for each in shown["differences"]} == {
        "name": "syspro",
        "email": "shop",
        "sold_to": "syspro",
    }
    assert (shown["on_hold"], shown["score"] >= 70) == (False, True)

    linked = await counter.post("customer-links", {**body, "note": "She rang"}, "north operator")
    assert (linked["state"], linked["why"]) == ("linked", "north operator said so")
    await turn(counter.site)
    await counter.site.sale("SO-1", 1_000, customer_id=42, billing={**ADDRESS, "email": EMAIL})
    await counter.site.walk()

    page = await counter.get("customers/SMI001", "north viewer")
    assert (page["fields"]["email"], page["credit_limit"], page["on_hold"]) == (EMAIL, 500, False)
    assert [each["key"] for each in page["accounts"]] == ["42"]
    assert [(each["vendor_tx_code"], each["amount_minor"]) for each in page["payments"]] == [("SO-1", 1_000)]
    assert page["totals"][0]["minor"] == 1_000
    assert page["refunds"] == page["tokens"] == page["chargebacks"] == []
    assert {each["action"] for each in page["history"]} >= {"customer.linked", "customer.synced"}


async def test_customers_of_both_sides_are_listed_page_by_page(counter: Office) -> None:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await counter.get("customers", params={"limit": 5, "after": after})
        seen += [each["key"] for each in page["items"]]
        after = page["next_after"]
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == len(list(counter.site.syspro.store.customers))
    (account,) = (await counter.get("customers", params={"side": "shop", "search": "jane"}))["items"]
    assert (account["key"], account["state"], account["other"]) == ("42", "proposed", None)
    named = await counter.get("customers", params={"email": "CUSTOMER3@example.org"})
    assert [each["key"] for each in named["items"]] == ["0000003"]
    assert (await counter.call("GET", "customers", params={"side": "bank"})).status_code == 400


async def test_a_rejected_account_is_set_up_anew_and_one_that_is_ignored_is_not(counter: Office) -> None:
    number = await proposal(counter)
    await counter.post(f"customer-links/{number}/reject", {"customer": "SMI001", "note": "Her aunt"})
    await turn(counter.site)
    link = await link_of(counter.site, 42)
    assert link is not None
    assert (link.state, link.erp_key) == ("linked", "WEB0042")

    again = await counter.call("POST", f"customer-links/{number}/ignore", json={})
    assert (again.status_code, again.json()["code"]) == (422, "customers.state")
    (line,) = await lines(counter.site, "customer.proposal_rejected")
    assert (line["actor"], line["detail"]["reason"]) == ("north admin", "Her aunt")


async def test_a_conflict_is_resolved_field_by_field(counter: Office) -> None:
    number = await proposal(counter)
    await counter.post("customer-links", {"account": "42", "customer": "SMI001"})
    await turn(counter.site)
    edit_customer(counter.site, "SMI001", Telephone="01632 960002")
    account = counter.site.shop.store.accounts.by_id[42]
    counter.site.shop.store.accounts.change(account, {"billing": {"phone": "01632 960003"}})
    await turn(counter.site)
    (waiting,) = (await counter.get("customer-links", params={"status": "conflict"}))["items"]
    assert waiting["conflicts"]["phone"]["syspro"] == "01632 960002"
    assert [each["code"] for each in (await counter.get("customers/SMI001"))["alerts"]] == [
        "customers.conflict"
    ]

    wrong = await counter.call("POST", f"customer-links/{number}/resolve", json={"fields": {"email": "shop"}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "customers.no-conflict")
    await counter.post(f"customer-links/{number}/resolve", {"fields": {"phone": "syspro"}})
    await turn(counter.site)

    assert account.billing.phone == "01632 960002"
    assert (await counter.get("customer-links", params={"status": "conflict"}))["items"] == []


async def test_a_link_is_undone_and_its_customer_is_free_again(counter: Office) -> None:
    number = await proposal(counter)
    await counter.post("customer-links", {"account": "42", "customer": "SMI001"})
    taken = await counter.call("POST", "customer-links", json={"account": "42", "customer": "0000003"})
    assert (taken.status_code, taken.json()["code"]) == (422, "customers.linked-already")

    parted = await counter.post(f"customer-links/{number}/unlink", {"note": "Wrong Jane"})
    assert (parted["state"], parted["refused"]) == ("ignored", ["SMI001"])
    await turn(counter.site)
    await counter.post("customer-links", {"account": "42", "customer": "0000003"})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("customer-links", {"account": "42", "customer": "SMI001"}),
        ("customer-links/1/reject", {}),
        ("customer-links/1/ignore", {}),
        ("customer-links/1/unlink", {}),
        ("customer-links/1/resolve", {"fields": {}}),
    ],
)
async def test_a_viewer_decides_nothing(desk: Office, path: str, body: object) -> None:
    assert (await desk.call("POST", path, "north viewer", json=body)).status_code == 403


async def test_who_was_never_read_is_not_there(desk: Office) -> None:
    assert (await desk.call("GET", "customers/NOBODY")).status_code == 404
    assert (await desk.call("GET", "customers/SMI001", "south viewer")).status_code == 404
    unknown = await desk.call("POST", "customer-links", json={"account": "1", "customer": "2"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "customers.unknown")
