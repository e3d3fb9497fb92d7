"""Subscriptions over HTTP: a card is saved by the v3 routes and never shown, and what is charged can be decided on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from service.flow.subscriptions import charge_due
from service.store.tables_subscriptions import card_tokens
from tests.api.office import Office
from tests.connectors.opayo_world import SCA

PLAN: dict[str, Any] = {
    "name": "The box",
    "amount": 1_200,
    "tax": 200,
    "currency": "GBP",
    "description": "The monthly box",
    "interval": "month",
}
CUSTOMER = "0000001"


def today() -> str:
    return datetime.now(UTC).date().isoformat()


async def save_card(desk: Office, **changes: Any) -> dict[str, Any]:
    """Save a card by a first payment of ten pounds; gives what the route answered."""
    body = await desk.transaction(1_000, vendorTxCode="JOIN-1", customerAccount=CUSTOMER, **changes)
    saved: dict[str, Any] = await desk.post("/api/v3/tokens", {"transaction": body})
    return saved


async def subscribed_on(desk: Office) -> tuple[int, dict[str, Any]]:
    """A subscription on the card that is there."""
    await charge_due(desk.site.stages, "north")
    [card] = (await desk.get("cards"))["items"]
    await desk.call("PUT", "plans/box", json=PLAN)
    body = {"plan": "box", "token_id": card["token_id"], "start": today()}
    return card["token_id"], await desk.post("subscriptions", body)


async def test_a_card_is_kept_sealed_and_shown_without_its_identifier(desk: Office) -> None:
    saved = await save_card(desk)
    await charge_due(desk.site.stages, "north")

    [card] = (await desk.get("cards"))["items"]
    assert (card["customer"], card["state"], card["vendor_tx_code"]) == (CUSTOMER, "pending", "JOIN-1")
    await desk.site.walk()
    await charge_due(desk.site.stages, "north")
    card = await desk.get(f"cards/{card['token_id']}", "north viewer")
    assert (card["state"], card["scheme"], card["last_four"], card["expiry"]) == (
        "active",
        "Visa",
        "0006",
        "1235",
    )
    identifier = saved["cardIdentifier"]
    assert identifier not in str(card)
    [row] = await desk.rows(card_tokens)
    assert identifier.encode() not in row["sealed"]
    assert (await desk.get("cards?customer=0000009"))["items"] == []


@pytest.mark.parametrize("answered", [True, False])
async def test_a_card_whose_payment_was_not_taken_is_never_charged(desk: Office, answered: bool) -> None:
    if answered:
        body = await desk.transaction(1_000, vendorTxCode="JOIN-1", customerAccount=CUSTOMER)
        body["cardIdentifier"] = "00000000-0000-0000-0000-000000000000"
        answer = await desk.call("POST", "/api/v3/tokens", json={"transaction": body})
        assert answer.status_code == 422
    else:
        assert "challenge" in await save_card(desk, **SCA, name="CHALLENGE")
    await desk.site.walk()
    await charge_due(desk.site.stages, "north")

    [card] = (await desk.get("cards"))["items"]
    assert card["state"] == ("failed" if answered else "pending")
    await desk.call("PUT", "plans/box", json=PLAN)
    body = {"plan": "box", "token_id": card["token_id"], "start": today()}
    refused = await desk.call("POST", "subscriptions", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "subscription.card")


async def test_a_subscription_is_begun_charged_and_decided_on(desk: Office) -> None:
    await save_card(desk)
    await desk.site.walk()
    token_id, begun = await subscribed_on(desk)
    assert (begun["state"], begun["customer"], begun["terms"]["amount"]["minor"]) == (
        "active",
        CUSTOMER,
        1_200,
    )
    where = f"subscriptions/{begun['subscription_id']}"
    later = datetime.now(UTC) + timedelta(days=1)
    desk.site.stages.shared = at(desk, later)
    await charge_due(desk.site.stages, "north")

    [charge] = (await desk.get(f"{where}/charges", "north viewer"))["items"]
    assert (charge["state"], charge["amount_minor"], charge["number"]) == ("taken", 1_200, 1)
    paused = await desk.post(f"{where}/decide", {"action": "pause", "reason": "on holiday"})
    assert (paused["state"], paused["reason"]) == ("paused", "on holiday")
    again = await desk.call("POST", f"{where}/decide", json={"action": "pause"})
    assert (again.status_code, again.json()["code"]) == (422, "subscription.not-allowed")
    used = await desk.call("DELETE", f"cards/{token_id}")
    assert (used.status_code, used.json()["code"]) == (422, "subscription.card")
    assert (await desk.post(f"{where}/decide", {"action": "cancel"}))["state"] == "cancelled"
    assert (await desk.call("DELETE", f"cards/{token_id}")).status_code == 204
    assert desk.site.opayo.parts.store.cards == {}
    [row] = await desk.rows(card_tokens)
    assert (row["state"], row["sealed"]) == ("removed", None)
    assert [each["state"] for each in (await desk.get("subscriptions?status=cancelled"))["items"]] == [
        "cancelled"
    ]


def at(desk: Office, moment: datetime) -> Any:
    return msgspec.structs.replace(desk.site.stages.shared, clock=lambda: moment)


async def test_a_card_that_was_saved_elsewhere_is_taken_over_by_its_payment(desk: Office) -> None:
    first = {"cofUsage": "First", "initiatedType": "CIT"}
    paid = await desk.site.pay("SHOP-1", 1_000, card={"save": True}, credentialType=first)
    body = {"transaction_id": paid["transactionId"], "customer": CUSTOMER}

    card = await desk.post("cards", body)
    again = await desk.post("cards", body)

    assert (card["state"], card["expiry"], card["vendor_tx_code"]) == ("active", "1235", "SHOP-1")
    assert again["token_id"] == card["token_id"]
    other = await desk.call("POST", "cards", json={**body, "customer": "0000002"})
    assert (other.status_code, other.json()["code"]) == (422, "subscription.customer")
    declined = await desk.site.pay("SHOP-2", 1_000, cardNumber="4929602110085639")
    refused = await desk.call("POST", "cards", json={**body, "transaction_id": declined["transactionId"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "subscription.card")


async def test_a_plan_that_cannot_be_charged_and_one_that_is_gone_are_refused(desk: Office) -> None:
    wrong = await desk.call("PUT", "plans/box", json={**PLAN, "tax": 1_300})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "subscription.terms")
    await desk.call("PUT", "plans/box", json={**PLAN, "active": False})
    assert [each["plan"] for each in (await desk.get("plans"))["items"]] == ["box"]
    body = {"plan": "box", "token_id": 1, "start": today()}
    gone = await desk.call("POST", "subscriptions", json=body)
    assert (gone.status_code, gone.json()["code"]) == (422, "subscription.plan")
