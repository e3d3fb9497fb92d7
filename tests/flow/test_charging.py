"""One attempt at a charge: whatever is lost, refused or done elsewhere, money is taken once or there is a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from integration.canonical.money import Money
from integration.errors import NotFound, Rejected
from integration.ports import Instruction, RelatedRequest
from service.core.subscriptions import credential_type
from service.flow.charging import attempt
from service.flow.subscription_facts import subscription_facts
from service.jobs.schedule import JOBS, run_due
from service.store import charges, subscriptions
from service.store.subscriptions import Subscription
from tests.journeys.subscription_site import MONTHLY, Subscribed, subscribed, terms

FIRST = date(2027, 2, 1)
POSTS: dict[str, Any] = {"method": "POST", "path": "/api/v1/transactions"}


@pytest.fixture
async def here(database_url: str) -> AsyncIterator[Subscribed]:
    """A site on the day before the first charge."""
    async with subscribed(database_url) as made:
        await made.go_to(date(2027, 1, 31))
        yield made


async def due(here: Subscribed, **changes: Any) -> Subscription:
    """A subscription whose first charge is due."""
    card = await here.save_card("JOIN-1", "0000002")
    subscription = await here.subscribe(card, terms(FIRST, **changes))
    await here.go_to(FIRST)
    return subscription


async def the_charge(here: Subscribed, subscription: Subscription) -> dict[str, Any]:
    [charge] = await here.charges(subscription)
    return charge


async def test_an_answer_that_is_lost_is_looked_up_and_a_second_worker_sends_nothing(
    here: Subscribed,
) -> None:
    subscription = await due(here)
    await here.site.fault("opayo", "commit-then-drop", **POSTS)
    await here.turn()
    assert (await the_charge(here, subscription))["state"] == "taken"
    assert len(await here.repeats()) == 1


async def test_a_request_that_never_arrived_is_sent_again_under_the_next_number(here: Subscribed) -> None:
    subscription = await due(here)
    await here.site.fault("opayo", "drop", **POSTS)
    await here.settle()
    charge = await the_charge(here, subscription)
    assert (charge["state"], charge["attempt"], charge["declines"]) == ("taken", 2, 0)
    first = charge["attempts"][f"S-{subscription.reference}-20270201-1"]
    assert "never arrived" in first["reason"]
    assert len(await here.repeats()) == 1


async def test_credentials_that_are_refused_alert_and_the_same_attempt_is_made_later(
    here: Subscribed,
) -> None:
    subscription = await due(here)
    query = "UPDATE pairs SET settings = jsonb_set(settings, '{opayo,integration_key}', '\"%s\"')"
    for key in ("wrong", "sandbox-integration-key"):
        async with here.site.engine.begin() as connection:
            await connection.execute(text(query % key))
        here.site.stages.forget(here.site.pair)
        await here.turn()
    assert [code for code, _ in await here.notices()] == ["opayo.credentials"]
    await here.settle()
    charge = await the_charge(here, subscription)
    assert (charge["state"], charge["attempt"]) == ("taken", 1)


async def test_what_opayo_refuses_outright_suspends_with_its_words(here: Subscribed) -> None:
    subscription = await due(here)
    gateway = (await here.site.stages.connections(here.site.pair))[1].gateway
    async with here.site.engine.begin() as connection:
        held = await subscriptions.one(connection, here.site.pair, subscription.subscription_id)
        assert held is not None
        held.base_transaction_id = "00000000-0000-0000-0000-000000000000"
        await subscriptions.save(connection, held)
    await here.turn()
    charge = await the_charge(here, subscription)
    assert (charge["state"], (await here.now(subscription))["state"]) == ("failed", "suspended")
    assert "Opayo refused repeat" in charge["reason"]
    assert gateway is not None


async def test_a_code_that_somebody_else_used_for_other_money_is_left_to_a_person(here: Subscribed) -> None:
    subscription = await due(here)
    gateway = (await here.site.stages.connections(here.site.pair))[1].gateway
    strange = RelatedRequest(
        kind="repeat",
        vendor_tx_code=f"S-{subscription.reference}-20270201-1",
        related_transaction_id=subscription.base_transaction_id,
        amount=Money(1, "GBP"),
        description="x",
        extra={"credentialType": credential_type(subscription.terms, FIRST, "")},
    )
    await gateway.relate(strange)
    await here.turn()
    charge = await the_charge(here, subscription)
    assert (charge["state"], (await here.now(subscription))["state"]) == ("failed", "suspended")
    assert [row["captured"] for row in await here.repeats()] == [1]


async def test_a_charge_that_was_voided_before_we_heard_of_it_is_no_charge(here: Subscribed) -> None:
    subscription = await due(here)
    await here.turn()
    charge = await the_charge(here, subscription)
    gateway = (await here.site.stages.connections(here.site.pair))[1].gateway
    await gateway.instruct(Instruction(kind="void", transaction_id=charge["transaction_id"]))
    # As if we had died between Opayo's answer and writing it down.
    async with here.site.engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE subscription_charges SET state = 'due', next_attempt_at = now(), transaction_id = ''"
            )
        )
    await here.turn()
    charge = await the_charge(here, subscription)
    assert (charge["state"], charge["reason"]) == ("failed", "Opayo says that it is voided.")
    assert len(await here.repeats()) == 1


async def test_what_two_workers_found_out_is_written_once(here: Subscribed) -> None:
    subscription = await due(here)
    await here.turn()
    taken = await the_charge(here, subscription)
    async with here.site.engine.begin() as connection:
        held = await charges.one(connection, int(taken["charge_id"]))
    assert await attempt(await here.round(), held) == "known"
    assert await the_charge(here, subscription) == taken


async def test_the_card_of_a_charge_in_dunning_may_be_changed_and_is_charged_at_once(
    here: Subscribed,
) -> None:
    subscription = await due(here)
    await here.bank(subscription.base_transaction_id, "soft")
    await here.settle()
    fresh = await here.save_card("JOIN-2", "0000002")
    await here.wish(subscription, "card", token_id=fresh)
    await here.settle()
    charge = await the_charge(here, subscription)
    assert (charge["state"], charge["attempt"], charge["declines"]) == ("taken", 2, 0)


async def test_a_person_may_try_a_soft_decline_again_at_once(here: Subscribed) -> None:
    subscription = await due(here)
    await here.bank(subscription.base_transaction_id, "soft")
    await here.settle()
    await here.wish(subscription, "retry")
    await here.settle()
    assert (await the_charge(here, subscription))["state"] == "taken"


async def test_a_charge_that_was_sent_is_found_out_about_though_its_subscription_was_cancelled(
    here: Subscribed,
) -> None:
    subscription = await due(here)
    await here.site.fault("opayo", "commit-then-drop", **POSTS)
    await here.site.fault("opayo", "5xx", times=9, path="/access/access.htm")
    await here.turn()
    assert (await the_charge(here, subscription))["state"] == "due"
    await here.wish(subscription, "cancel")
    for _ in range(20):
        await here.settle()
        if (await the_charge(here, subscription))["state"] != "due":
            break
    assert (await the_charge(here, subscription))["state"] == "taken"
    assert (await here.now(subscription))["state"] == "cancelled"


async def test_a_removed_card_is_never_charged(here: Subscribed) -> None:
    subscription = await due(here)
    async with here.site.engine.begin() as connection:
        await connection.execute(text("UPDATE card_tokens SET state = 'removed'"))
    await here.turn()
    charge = await the_charge(here, subscription)
    assert (charge["state"], charge["reason"]) == (
        "failed",
        "The card is not charged any more: it is removed.",
    )
    assert await here.repeats() == []


async def test_a_repeat_that_is_no_charge_of_ours_has_no_plan(here: Subscribed) -> None:
    subscription = await due(here)
    await here.turn()
    async with here.site.engine.connect() as connection:
        known = await subscription_facts(connection, "north", f"S-{subscription.reference}-20270201-7")
        assert known is not None
        assert known.sequence == 1
        for code in ("SO-1", "S-ABCDEFGHIJ-20270201-1", f"S-{subscription.reference}-20270202-1"):
            assert await subscription_facts(connection, "north", code) is None


async def test_who_begins_a_subscription_is_told_what_is_wrong(here: Subscribed) -> None:
    card = await here.join("JOIN-1", "")
    checked = await here.join("JOIN-2", "0000002", transactionType="Authenticate")
    for token_id, wanted, words in (
        (card, terms(FIRST, amount=Money(0, "GBP")), "must be positive"),
        (card, terms(FIRST, amount=Money(500, "USD")), "does not post USD"),
        (checked, terms(FIRST), "only checked"),
    ):
        with pytest.raises(Rejected, match=words):
            await here.subscribe(token_id, wanted)
    with pytest.raises(NotFound):
        await here.subscribe(999, terms(FIRST))
    subscription = await here.subscribe(card, terms(FIRST, charges=1))
    assert subscription.customer == "0000001", "the card belongs to the customer of its payment"
    other = await here.save_card("JOIN-3", "0000003")
    with pytest.raises(Rejected, match="another customer"):
        await here.wish(subscription, "card", token_id=other)
    await here.wish(subscription, "skip")
    with pytest.raises(Rejected, match="could be skipped"):
        await here.wish(subscription, "skip")


async def test_the_job_is_among_the_regular_work(here: Subscribed) -> None:
    subscription = await due(here)
    assert await run_due(here.site.stages, [job for job in JOBS if job.name == "subscriptions"]) == 1
    assert (await the_charge(here, subscription))["state"] == "taken"
    [repeat] = await here.repeats()
    assert repeat["captured"] == MONTHLY
