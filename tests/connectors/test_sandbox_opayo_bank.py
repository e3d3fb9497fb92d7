"""The bank behind the Opayo stand-in: declines of repeats by amount, by script and by a card's age."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integration.canonical.money import Money
from integration.errors import Rejected
from integration.ports import RelatedRequest
from tests.connectors.opayo_world import World, opayo

FIRST = {"credentialType": {"cofUsage": "First", "initiatedType": "CIT"}}
RECURRING = {
    "cofUsage": "Subsequent",
    "initiatedType": "MIT",
    "mitType": "Recurring",
    "recurringExpiry": "20301231",
    "recurringFrequency": "28",
}


async def repeat(world: World, base: str, code: str, minor: int = 1_200, **credential: Any) -> Any:
    request = RelatedRequest(
        kind="repeat",
        vendor_tx_code=code,
        related_transaction_id=base,
        amount=Money(minor, "GBP"),
        description="Box",
        extra={"credentialType": {**RECURRING, **credential}},
    )
    return await world.gateway.relate(request)


async def first(world: World) -> str:
    paid = await world.pay("JOIN", save_card=True, extra=FIRST)
    assert paid.card.expiry == "1235"
    return paid.transaction_id


@pytest.mark.parametrize(
    ("minor", "bank", "category"), [(7_751, "51", "02"), (17_704, "05", "01"), (7_714, "05", "03")]
)
async def test_an_amount_makes_the_bank_decline_and_say_how(minor: int, bank: str, category: str) -> None:
    async with opayo() as world:
        declined = await repeat(world, await first(world), "S-1", minor)

        assert (declined.state, declined.status, declined.status_code) == ("declined", "NotAuthed", "2000")
        assert (declined.bank_response_code, declined.decline_category) == (bank, category)
        read = await world.gateway.transaction(declined.transaction_id)
        assert (read.state, read.decline_category) == ("declined", category)
        found = await world.gateway.find("S-1")
        assert found is not None
        assert (found.state, found.captured.minor) == ("declined", 0)
        with pytest.raises(Rejected):
            await repeat(world, declined.transaction_id, "S-2")


async def test_a_card_that_was_declined_for_good_stays_so_and_who_asks_again_is_counted() -> None:
    async with opayo() as world:
        base = await first(world)
        bank = world.sandbox.parts.engine.bank
        bank.script(world.sandbox.parts.store.transactions[base].card_identifier, ["accept", "hard"])
        states = [(await repeat(world, base, f"S-{number}")).state for number in range(4)]
        assert states == ["captured", "declined", "declined", "declined"]
        assert bank.asked_again == 2
        with pytest.raises(ValueError, match="accept, soft"):
            bank.script("", ["never"])


async def test_a_card_is_good_to_the_end_of_its_month() -> None:
    async with opayo() as world:
        base = await first(world)
        clock = world.sandbox.parts.clock
        clock.set(datetime(2035, 12, 31, 23, 59, tzinfo=UTC))
        assert (await repeat(world, base, "S-1")).state == "captured"
        clock.set(datetime(2036, 1, 1, 0, 1, tzinfo=UTC))
        assert (await repeat(world, base, "S-2")).decline_category == "03"


@pytest.mark.parametrize("missing", ["mitType", "recurringExpiry", "recurringFrequency"])
async def test_a_repeat_without_what_its_kind_needs_is_refused(missing: str) -> None:
    async with opayo() as world:
        base = await first(world)
        with pytest.raises(Rejected, match=missing):
            await repeat(world, base, "S-1", 1_200, **{missing: ""})


async def test_a_repeat_needs_a_first_payment_that_stored_the_card() -> None:
    async with opayo() as world:
        paid = await world.pay("SO-1")
        with pytest.raises(Rejected):
            await repeat(world, paid.transaction_id, "S-1")
