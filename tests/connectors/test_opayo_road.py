"""The Opayo connector against the stand-in over real HTTP: pay, read, refund, void, release, challenge, find."""

from __future__ import annotations

import pytest

from integration.canonical.money import Money
from integration.errors import (
    RefundExceedsPayment,
    Rejected,
    VendorTxCodeUsed,
)
from integration.ports import Challenge, Instruction, RelatedRequest
from tests.connectors.opayo_world import SCA, bank_says, hosted, opayo, refund


async def test_a_payment_reads_the_same_when_taken_when_read_and_when_found() -> None:
    async with opayo() as world:
        taken = await world.pay("SO-104233")
        read = await world.gateway.transaction(taken.transaction_id)
        found = await world.gateway.find("SO-104233")

    assert found is not None
    for told in (taken, read, found):
        assert told.transaction_id == taken.transaction_id
        assert (told.kind, told.state, told.status) == ("payment", "captured", "Ok")
        assert told.captured == Money(12_995, "GBP")
        assert (told.card.scheme, told.card.last_four) == ("Visa", "0006")
        assert told.retrieval_reference == taken.retrieval_reference != ""
    assert found.vendor_tx_code == "SO-104233"
    assert found.created_at is not None
    assert found.created_at.tzinfo is not None
    assert found.billing.postcode == "LS1 4AB"


async def test_a_decline_is_a_transaction_and_takes_nothing() -> None:
    async with opayo() as world:
        declined = await world.pay("SO-1", number="4929602110085639")
        found = await world.gateway.find("SO-1")

    assert (declined.state, declined.status, declined.status_code) == ("declined", "NotAuthed", "2000")
    assert declined.captured == Money(0, "GBP")
    assert "category 03" in declined.status_detail
    assert found is not None
    assert found.state == "declined"


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
async def test_both_signatures_of_reporting_are_accepted(algorithm: str) -> None:
    async with opayo(reporting_algorithm=algorithm) as world:
        await world.gateway.ping_reporting()
        assert await world.gateway.find("SO-NEVER") is None


async def test_refunds_stop_at_what_was_taken() -> None:
    async with opayo() as world:
        taken = await world.pay("SO-5", 1_000)
        first = await world.gateway.relate(refund(taken, "SO-5-R1", 600))
        with pytest.raises(RefundExceedsPayment):
            await world.gateway.relate(refund(taken, "SO-5-R2", 401))
        last = await world.gateway.relate(refund(taken, "SO-5-R3", 400))
        found = await world.gateway.find("SO-5-R1")

    assert (first.kind, first.state, first.amount) == ("refund", "captured", Money(600, "GBP"))
    assert first.related_transaction_id == taken.transaction_id
    assert first.captured == Money(0, "GBP")
    assert last.amount == Money(400, "GBP")
    assert found is not None
    assert (found.kind, found.amount) == ("refund", Money(600, "GBP"))
    assert found.related_transaction_id == taken.transaction_id


async def test_a_voided_payment_still_reads_ok_and_is_voided() -> None:
    async with opayo() as world:
        taken = await world.pay("SO-6")
        await world.gateway.instruct(Instruction(kind="void", transaction_id=taken.transaction_id))
        read = await world.gateway.transaction(taken.transaction_id)
        found = await world.gateway.find("SO-6")

        assert (read.status, read.status_code, read.state) == ("Ok", "2005", "voided")
        assert read.captured == Money(0, "GBP")
        assert found is not None
        assert found.state == "voided"
        # Said twice, as after a lost answer, it is as good as once.
        await world.gateway.instruct(Instruction(kind="void", transaction_id=taken.transaction_id))
        with pytest.raises(Rejected):
            await world.gateway.relate(refund(taken, "SO-6-R1", 100))


async def test_a_deferred_payment_is_held_until_it_is_released() -> None:
    async with opayo() as world:
        held = await world.pay("SO-7", kind="deferred")
        read = await world.gateway.transaction(held.transaction_id)
        assert (held.state, held.captured) == ("held", Money(0, "GBP"))
        assert read.state == "held"

        release = Instruction(kind="release", transaction_id=held.transaction_id, amount=held.amount)
        await world.gateway.instruct(release)
        read = await world.gateway.transaction(held.transaction_id)
        found = await world.gateway.find("SO-7")
        assert (read.state, read.captured) == ("captured", Money(12_995, "GBP"))
        assert found is not None
        assert (found.state, found.captured) == ("captured", Money(12_995, "GBP"))

        # Said twice, as after a lost answer, it is as good as once; it can no longer be aborted.
        await world.gateway.instruct(release)
        with pytest.raises(Rejected):
            await world.gateway.instruct(Instruction(kind="abort", transaction_id=held.transaction_id))


async def test_an_aborted_hold_takes_nothing() -> None:
    async with opayo() as world:
        held = await world.pay("SO-8", kind="deferred")
        await world.gateway.instruct(Instruction(kind="abort", transaction_id=held.transaction_id))
        read = await world.gateway.transaction(held.transaction_id)
        assert (read.status, read.status_code, read.state) == ("Ok", "2006", "aborted")


async def test_an_authenticated_card_is_authorised_and_the_rest_cancelled() -> None:
    async with opayo() as world:
        checked = await world.pay("SO-9", kind="authenticate")
        assert (checked.state, checked.captured) == ("authenticated", Money(0, "GBP"))
        taken = await world.gateway.relate(
            RelatedRequest(
                kind="authorise",
                vendor_tx_code="SO-9-1",
                related_transaction_id=checked.transaction_id,
                amount=Money(5_000, "GBP"),
                description="First parcel",
            )
        )
        assert (taken.kind, taken.captured) == ("authorise", Money(5_000, "GBP"))


@pytest.mark.parametrize(("password", "state"), [("challenge", "captured"), ("wrong", "rejected")])
async def test_a_challenge_is_answered_and_answering_twice_changes_nothing(password: str, state: str) -> None:
    async with opayo() as world:
        request = await world.request("SO-10", name="CHALLENGE", extra=SCA)
        challenge = await world.gateway.pay(request)
        assert isinstance(challenge, Challenge)
        assert (challenge.status, challenge.status_code) == ("3DAuth", "2021")
        waiting = await world.gateway.find("SO-10")
        assert waiting is not None
        assert waiting.state == "pending"

        cres = await bank_says(challenge, password)
        done = await world.gateway.answer_challenge(challenge.transaction_id, cres)
        again = await world.gateway.answer_challenge(challenge.transaction_id, cres)
        assert (done.state, done.amount) == (state, Money(12_995, "GBP"))
        assert again.state == state


async def test_a_rejection_without_amount_is_completed_from_reporting() -> None:
    strict = {"vendor": "sandboxEC", "integration_key": "sandbox-integration-keyEC"}
    async with opayo(**strict) as world:
        refused = await world.pay("SO-11", name="NOTAUTH", extra=SCA)
        read = await world.gateway.transaction(refused.transaction_id)
    assert (refused.state, refused.status_code) == ("rejected", "4026")
    assert (read.state, read.amount) == ("rejected", Money(12_995, "GBP"))
    assert read.vendor_tx_code == "SO-11"


async def test_a_hosted_payment_is_registered_once_and_the_same_data_gets_the_same_answer() -> None:
    async with opayo() as world:
        first = await world.gateway.register(hosted("SO-15"))
        again = await world.gateway.register(hosted("SO-15"))
        with pytest.raises(VendorTxCodeUsed):
            await world.gateway.register(hosted("SO-15", 2_600))
        found = await world.gateway.find("SO-15")

    assert first == again
    assert len(first.security_key) == 10
    assert first.next_url.startswith(world.base)
    assert found is not None
    assert (found.transaction_id, found.state) == (first.transaction_id, "pending")
    assert found.amount == Money(2_500, "GBP")


async def test_a_yen_is_one_and_not_a_hundredth() -> None:
    async with opayo() as world:
        taken = await world.pay("SO-17", amount=Money(1_500, "JPY"))
        found = await world.gateway.find("SO-17")
    assert taken.amount == Money(1_500, "JPY")
    assert found is not None
    assert found.amount == Money(1_500, "JPY")
